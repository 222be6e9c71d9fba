//! Which scripts are run, and how many at a time.
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use segue_kernel::process::processor_shortage;
use segue_kernel::sys::raise_priority;
use segue_kernel::{become_namespace_root, can_make_namespaces};

use crate::expected;
use crate::host::{Host, HostError, LinuxHost, Network, RouteAction, RouteChange, RouteMetric, SegueHost};
use crate::options::{Against, Machine, Options};
use crate::parse::parse;
use crate::report::{Report, ScriptReport, Verdict};
use crate::run::{self, PUNCTUAL};
use crate::settings::Settings;
use crate::source::Diagnostic;

/// Get ready for scripts against this machine's kernel: who is not root becomes root of a user namespace. Call it before any
/// thread is started.
///
/// # Errors
/// What this machine does not allow, and what to do about it.
pub fn prepare_namespaces() -> Result<(), DrillError> {
    let cannot = |error: std::io::Error| DrillError::NoNamespaces { message: error.to_string() };
    if can_make_namespaces().is_ok() {
        return Ok(());
    }
    become_namespace_root().map_err(cannot)?;
    can_make_namespaces().map_err(cannot)
}

/// Why no script was run at all.
#[derive(Debug)]
#[non_exhaustive]
pub enum DrillError {
    /// A file or folder could not be read.
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A folder, or all of them together, hold no file that ends in `.pkt`.
    NoScripts {
        /// What was asked for.
        paths: Vec<PathBuf>,
    },
    /// Network namespaces with a device cannot be made here.
    NoNamespaces {
        /// What is missing, and what to do about it.
        message: String,
    },
    /// An option or define given on the command line is wrong.
    BadOption {
        /// What is wrong with it.
        message: String,
    },
}

impl fmt::Display for DrillError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DrillError::Unreadable { path, error } => write!(f, "cannot read {}: {error}", path.display()),
            DrillError::NoScripts { paths } => {
                let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
                write!(f, "no script found in {}: scripts end in .pkt", paths.join(", "))
            }
            DrillError::NoNamespaces { message } => write!(f, "scripts cannot be played against Linux here: {message}"),
            DrillError::BadOption { message } => f.write_str(message),
        }
    }
}

impl std::error::Error for DrillError {}

/// Play scripts. A folder stands for all files below it that end in `.pkt`, in the order of their names; a path with `*`, `?` or
/// `[…]` that is no file stands for all that it matches.
///
/// # Errors
/// Something cannot be read, nothing is there, or an option is wrong. A script that fails is no error but a
/// [`ScriptReport`] in the answer.
pub fn run_files(paths: &[PathBuf], options: &Options) -> Result<Report, DrillError> {
    options.check().map_err(|message| DrillError::BadOption { message })?;
    let mut files = BTreeSet::new();
    for path in paths {
        let matches = if path.exists() { Vec::new() } else { matches(path)? };
        if matches.is_empty() {
            collect(path, true, &mut files)?;
        }
        for path in matches {
            collect(&path, true, &mut files)?;
        }
    }
    if files.is_empty() {
        return Err(DrillError::NoScripts { paths: paths.to_vec() });
    }
    let mut files: Vec<PathBuf> = files.into_iter().collect();
    if options.against == Against::Linux {
        // In real time the longest ones decide when all is over: they begin first.
        files.sort_by_cached_key(|path| std::cmp::Reverse(length(path, options)));
    }
    let jobs = match options.jobs {
        0 if options.against == Against::Linux => 16,
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        jobs => jobs,
    };
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(files.len()) {
            scope.spawn(|| {
                if options.against == Against::Linux {
                    raise_priority();
                }
                while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let report = run_file(path, options);
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(report);
                }
            });
        }
    });
    let mut scripts = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    scripts.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Report { scripts })
}

/// What a pattern stands for.
fn matches(path: &Path) -> Result<Vec<PathBuf>, DrillError> {
    let Some(pattern) = path.to_str().filter(|text| text.contains(['*', '?', '['])) else { return Ok(Vec::new()) };
    let wrong = |error: glob::PatternError| DrillError::BadOption { message: format!("{pattern}: {error}") };
    let found: Result<Vec<PathBuf>, glob::GlobError> = glob::glob(pattern).map_err(wrong)?.collect();
    found.map_err(|error| DrillError::Unreadable { path: error.path().to_owned(), error: error.into() })
}

fn collect(path: &Path, is_named: bool, files: &mut BTreeSet<PathBuf>) -> Result<(), DrillError> {
    let unreadable = |error| DrillError::Unreadable { path: path.to_owned(), error };
    let may_be_script = is_named || path.extension().is_some_and(|extension| extension == "pkt");
    let metadata = match std::fs::metadata(path) {
        // A link in a folder that leads nowhere is nobody's script.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !may_be_script => return Ok(()),
        metadata => metadata.map_err(unreadable)?,
    };
    if metadata.is_dir() {
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            collect(&entry.map_err(unreadable)?.path(), false, files)?;
        }
    } else if may_be_script {
        files.insert(path.to_owned());
    }
    Ok(())
}

/// How long a script lasts at least, by what it says itself.
fn length(path: &Path, options: &Options) -> Duration {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    prepare(&text, options).map_or(Duration::ZERO, |(script, _)| script.length())
}

fn run_file(path: &Path, options: &Options) -> ScriptReport {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => run_script(&name, &text, options),
        Err(error) => ScriptReport::unread(name, format!("cannot be read: {error}")),
    }
}

/// Play one script. `name` is what messages call it.
pub fn run_script(name: &str, text: &str, options: &Options) -> ScriptReport {
    let expected = match expected::reason(text, options.against) {
        Ok(expected) => expected,
        Err(error) => return ScriptReport::new(name, text, Verdict::Malformed, run::Played::failed(error)),
    };
    let mut report = run_once(name, text, options);
    let retries = if options.against == Against::Linux && expected.is_none() { options.retries } else { 0 };
    for _ in 0..retries {
        // What the host did is its own doing if the script was told to it in time.
        if report.verdict != Verdict::Failed || report.was_in_time {
            break;
        }
        report = run_once(name, text, options);
    }
    match expected {
        // What is not played neither fails nor passes.
        Some(reason) if !options.dry_run => expected::judge(report, reason),
        _ => report,
    }
}

fn run_once(name: &str, text: &str, options: &Options) -> ScriptReport {
    let started = std::time::Instant::now();
    let shortage = (options.against == Against::Linux).then(processor_shortage).flatten();
    let played = prepare(text, options).map(|(script, settings)| {
        let is_dry = settings.dry_run || options.dry_run;
        // Scripts that this one calls stand beside it; a text from nowhere has none.
        let folder = Path::new(name).parent().filter(|_| Path::new(name).is_file());
        (!is_dry).then(|| play(text, folder, &script, settings, options))
    });
    let mut report = match played {
        Err(error) => ScriptReport::new(name, text, Verdict::Malformed, run::Played::failed(error)),
        Ok(None) => ScriptReport::passed_unplayed(name),
        Ok(Some(mut played)) => {
            // What Segue has and this kernel does not: it is older, or built without it. A wrong name fails against Segue.
            let lacks = played.lacks.take().filter(|_| options.against == Against::Linux);
            let verdict = match (&played.result, &lacks) {
                (Ok(()), _) => Verdict::Passed,
                (Err(_), Some(_)) => Verdict::Unplayed,
                (Err(_), None) => Verdict::Failed,
            };
            ScriptReport { reason: lacks, ..ScriptReport::new(name, text, verdict, played) }
        }
    };
    report.duration = started.elapsed();
    if let (Some(before), Some(after)) = (shortage, processor_shortage()) {
        // The kernel's own threads wait, too.
        report.was_in_time &= after.saturating_sub(before) <= PUNCTUAL;
    }
    report
}

fn play(
    text: &str,
    folder: Option<&Path>,
    script: &crate::ast::Script,
    settings: Settings,
    options: &Options,
) -> run::Played {
    let scene = run::Scene { text, folder, script, keeps_all: options.verbose };
    match host(&settings, options) {
        Ok(mut host) => run::play(&scene, settings, host.as_mut()),
        Err(error) => run::Played::failed(Diagnostic::whole(error.0)),
    }
}

/// The host under test, as its machine is to be.
fn host(settings: &Settings, options: &Options) -> Result<Box<dyn Host>, HostError> {
    let network = Network { local: settings.local(), mtu: settings.mtu };
    let Machine { sysctls, initcwnd, hz } = &options.machine;
    let mut host: Box<dyn Host> = match options.against {
        Against::Segue => {
            let mut host = SegueHost::open(&network, options.seed)?;
            host.set_ticks(*hz);
            Box::new(host)
        }
        Against::Linux => Box::new(LinuxHost::open(&network)?),
    };
    for (name, value) in sysctls {
        host.set_sysctl(name, value)?;
    }
    if let Some(segments) = initcwnd {
        let any: IpAddr = if network.local.is_ipv4() { [0; 4].into() } else { [0u16; 8].into() };
        let metrics = vec![RouteMetric::InitialWindow(*segments)];
        host.change_route(&RouteChange { action: RouteAction::Replace, destination: (any, 0), via: None, metrics })?;
    }
    Ok(host)
}

/// Read one script and say what is wrong with it, without playing it.
///
/// # Errors
/// What is malformed, and where.
pub fn check_script(text: &str, options: &Options) -> Result<(), Diagnostic> {
    prepare(text, options).map(drop)
}

fn prepare(text: &str, options: &Options) -> Result<(crate::ast::Script, Settings), Diagnostic> {
    let defines = options.defines().map_err(Diagnostic::whole)?;
    let script = parse(text, &defines)?;
    let mut settings = Settings::default();
    for (name, value) in &options.defaults {
        settings.apply(name, value.as_deref()).map_err(Diagnostic::whole)?;
    }
    for option in &script.options {
        settings
            .apply(&option.name, option.value.as_deref())
            .map_err(|message| Diagnostic::at(option.span, message))?;
    }
    for (name, value) in &options.settings {
        settings.apply(name, value.as_deref()).map_err(Diagnostic::whole)?;
    }
    run::check(&script, &settings)?;
    Ok((script, settings))
}
