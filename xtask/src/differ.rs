//! `cargo xtask differ`: random stories told to this machine's kernel and to Segue, and what came of them.
//!
//! Decides what is told and where it is written; what a difference is, is `segue_drill::differ`'s.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use segue_drill::differ::{
    Kept, Log, Session, Setting, Story, Teller, Told, Verdict, compare, generate, generate_loss,
};

/// Where kept stories are, below the workspace.
const STORIES: &str = "crates/segue-drill/tests/stories";

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Stories told at the same time. Most of a story is waiting.
    #[arg(long, default_value_t = 1, global = true)]
    threads: u64,
    /// A setting of both hosts, such as `net.ipv4.tcp_sack=0`. May be repeated.
    #[arg(long, global = true, value_name = "NAME=VALUE")]
    sysctl: Vec<String>,
    /// Stories about loss: much is sent, and arrives, or does not, or late, or twice.
    #[arg(long, global = true)]
    loss: bool,
}

/// A kind of stories: how that of a seed is made, and how the file begins that keeps it.
#[derive(Clone, Copy)]
struct Kind {
    generate: fn(u64) -> Story,
    prefix: &'static str,
}

const ANY: Kind = Kind { generate, prefix: "" };
const LOSS: Kind = Kind { generate: generate_loss, prefix: "loss-" };

#[derive(Subcommand)]
enum Command {
    /// Tell stories for a while and add what came of them to a log. Needs root.
    Run {
        /// For how long.
        seconds: u64,
        /// Seed of the first story; each next one is higher by one.
        #[arg(long, default_value_t = 1)]
        from: u64,
        /// The log; without it, the session is printed.
        #[arg(long)]
        log: Option<PathBuf>,
    },
    /// Tell the stories of these seeds, cut down, with what each host answered. Needs root.
    Tell {
        seeds: Vec<u64>,
        /// As they are, with all that both hosts did.
        #[arg(long)]
        whole: bool,
    },
    /// Tell all stories again that a log says were found to differ, and print what comes of them now. Needs root.
    Again {
        log: PathBuf,
        /// At most so many of each class.
        #[arg(long, default_value_t = 2)]
        each: usize,
        /// Write what comes of them to this file instead.
        #[arg(long)]
        write: Option<PathBuf>,
    },
    /// Record Linux's answers to the stories of these seeds, cut down if they differ on purpose, as files. Needs root.
    Keep {
        seeds: Vec<u64>,
        /// Keep them as they are.
        #[arg(long)]
        whole: bool,
    },
}

/// Whether all was told, and no difference was found that nothing explains.
///
/// # Errors
/// This machine's kernel cannot be asked, or a file cannot be read or written.
pub(crate) fn run(arguments: &Arguments) -> Result<bool, String> {
    segue_drill::prepare_namespaces().map_err(|error| error.to_string())?;
    let settings = settings(&arguments.sysctl)?;
    let threads = arguments.threads.max(1);
    let kind = if arguments.loss { LOSS } else { ANY };
    match &arguments.command {
        Command::Run { seconds, from, log } => {
            let end = Instant::now() + Duration::from_secs(*seconds);
            let next = AtomicU64::new(*from);
            let seeds = || (Instant::now() < end).then(|| next.fetch_add(1, Ordering::Relaxed));
            let mut session = tell_all(kind, &seeds, threads, &settings)?;
            session.seconds = seconds * threads;
            finish(&session, log.as_deref())
        }
        Command::Again { log, each, write } => {
            let found = read_log(log)?.found(*each);
            let next = AtomicU64::new(0);
            let seeds = || found.get(next.fetch_add(1, Ordering::Relaxed) as usize).copied();
            let began = Instant::now();
            let mut session = tell_all(kind, &seeds, threads, &settings)?;
            session.seconds = began.elapsed().as_secs();
            if let Some(path) = write {
                std::fs::write(path, session.to_string()).map_err(|error| format!("{}: {error}", path.display()))?;
            }
            finish(&session, None)
        }
        Command::Tell { seeds, whole: false } => show(kind, seeds, &settings),
        Command::Tell { seeds, whole: true } => show_whole(kind, seeds, &settings),
        Command::Keep { seeds, whole } => keep(kind, seeds, *whole, &settings),
    }
}

fn settings(words: &[String]) -> Result<Vec<Setting>, String> {
    let split = |word: &String| {
        let (name, value) = word.split_once('=').ok_or_else(|| format!("{word}: expected NAME=VALUE"))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    words.iter().map(split).collect()
}

fn read_log(path: &Path) -> Result<Log, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    text.parse().map_err(|error| format!("{}: {error}", path.display()))
}

fn finish(session: &Session, log: Option<&Path>) -> Result<bool, String> {
    let share = 100.0 * session.agreed() as f64 / session.stories.max(1) as f64;
    eprintln!(
        "{} stories, {} agree wholly ({share:.1} %), {} differ on purpose, {} otherwise; of {} nothing can be said",
        session.stories,
        session.agreed(),
        session.explained(),
        session.unexplained(),
        session.noise
    );
    match log {
        None => print!("{session}"),
        Some(path) => {
            use std::io::Write as _;
            let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
            let written = file.and_then(|mut file| file.write_all(format!("{session}\n").as_bytes()));
            written.map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(session.unexplained() == 0)
}

/// Tells the stories of all seeds that `seeds` gives.
fn tell_all(
    kind: Kind,
    seeds: &(dyn Fn() -> Option<u64> + Sync),
    threads: u64,
    settings: &[Setting],
) -> Result<Session, String> {
    let session = Mutex::new(Session::default());
    let work = || -> Result<(), String> {
        let mut teller = Teller::new(settings).map_err(|error| error.to_string())?;
        while let Some(seed) = seeds() {
            let told = teller.tell(&(kind.generate)(seed));
            let mut session = session.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match told {
                // A host that gave up is no story told.
                Err(error) => {
                    eprintln!("seed {seed}: {error}");
                    continue;
                }
                Ok(Told::Agreed) => {}
                Ok(Told::Unsteady) => session.noise += 1,
                Ok(Told::Differed(difference)) => session.note(&difference, seed),
            }
            session.stories += 1;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| "a thread has panicked".to_owned())?)
    })?;
    Ok(session.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn show(kind: Kind, seeds: &[u64], settings: &[Setting]) -> Result<bool, String> {
    let mut teller = Teller::new(settings).map_err(|error| error.to_string())?;
    let mut agree = true;
    for &seed in seeds {
        let story = (kind.generate)(seed);
        let difference = match teller.tell(&story).map_err(|error| error.to_string())? {
            Told::Agreed | Told::Unsteady => {
                println!("## seed {seed}: the hosts agree\n");
                continue;
            }
            Told::Differed(difference) => difference,
        };
        agree &= difference.intended.is_some();
        let meant = difference.intended.map_or(String::new(), |intended| format!(" (intended: {})", intended.name));
        println!("## seed {seed}: {}{meant}\n", difference.class);
        match teller.shrink(&story, &difference.class).map_err(|error| error.to_string())? {
            Verdict::Shown(story, difference) => println!("{story}{difference}"),
            Verdict::Noise => println!("{story}{difference}"),
        }
    }
    Ok(agree)
}

/// Each story once, step by step, as both hosts answered it.
fn show_whole(kind: Kind, seeds: &[u64], settings: &[Setting]) -> Result<bool, String> {
    let mut teller = Teller::new(settings).map_err(|error| error.to_string())?;
    let mut agree = true;
    for &seed in seeds {
        let story = (kind.generate)(seed);
        let linux = teller.ask_linux(&story).map_err(|error| error.to_string())?;
        let segue = teller.ask_segue(&story, &linux).map_err(|error| error.to_string())?;
        let found = compare(&story, &linux, &segue);
        agree &= found.as_ref().is_none_or(|found| found.intended.is_some());
        let words = found.map_or("the hosts agree".to_owned(), |found| found.to_string());
        for (host, played) in [("linux", linux), ("segue", segue)] {
            let kept = Kept { seed, story: story.clone(), linux: played, intended: None };
            println!("## {host}\n{}", kept.write());
        }
        println!("{words}\n");
    }
    Ok(agree)
}

fn keep(kind: Kind, seeds: &[u64], whole: bool, settings: &[Setting]) -> Result<bool, String> {
    let mut teller = Teller::new(settings).map_err(|error| error.to_string())?;
    for &seed in seeds {
        let story = (kind.generate)(seed);
        let Some(kept) = record(&mut teller, story, seed, whole).map_err(|error| error.to_string())? else {
            println!("seed {seed}: this difference is open, or the machine too busy");
            continue;
        };
        let path = Path::new(STORIES).join(format!("{}{seed}.story", kind.prefix));
        std::fs::write(&path, kept.write()).map_err(|error| format!("{}: {error}", path.display()))?;
        let meant = kept.intended.map_or(String::new(), |intended| format!(", intended: {}", intended.name));
        println!("{}{meant}", path.display());
    }
    Ok(true)
}

type Recorded = Result<Option<Kept>, segue_drill::host::HostError>;

/// A story to be kept; `None`: it shows a difference that nothing explains.
fn record(teller: &mut Teller, mut story: Story, seed: u64, whole: bool) -> Recorded {
    if !whole
        && let Told::Differed(difference) = teller.tell(&story)?
        && let Verdict::Shown(shorter, _) = teller.shrink(&story, &difference.class)?
    {
        story = *shorter;
    }
    let linux = teller.ask_linux(&story)?;
    Ok(match compare(&story, &linux, &teller.ask_segue(&story, &linux)?) {
        None => Some(Kept { seed, story, linux, intended: None }),
        Some(difference) => difference.intended.map(|intended| Kept { seed, story, linux, intended: Some(intended) }),
    })
}
