//! Tells random stories to this machine's kernel and to Segue for a while, and reports where they answer otherwise.
//!
//!     cargo run --release -p segue-drill --example differ -- SECONDS [FIRST-SEED [THREADS [REPORT [SYSCTL=VALUE…]]]]
//!
//! Needs root, or leave to make user namespaces.
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use segue_drill::differ::{Setting, Story, Verdict, compare, generate, linux, play, segue, shrink};

/// Stories of a class that are cut down and shown; more are counted.
const SHOWN: usize = 2;

#[derive(Default)]
struct Class {
    count: u64,
    seeds: Vec<u64>,
    shown: Vec<(Story, String)>,
}

#[derive(Default)]
struct Found {
    classes: BTreeMap<String, Class>,
    noise: u64,
}

fn main() {
    let number =
        |at: usize, default: u64| std::env::args().nth(at).map_or(default, |word| word.parse().expect("a number"));
    let (seconds, first, threads) = (number(1, 60), number(2, 1), number(3, 8));
    let report = std::env::args().nth(4);
    let settings: Vec<Setting> = std::env::args()
        .skip(5)
        .filter_map(|word| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect();
    segue_drill::prepare_namespaces().expect("namespaces");
    let end = Instant::now() + Duration::from_secs(seconds);
    let next = AtomicU64::new(first);
    let found = Mutex::new(Found::default());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| search(end, &next, &found, &settings));
        }
    });
    let told = next.load(Ordering::Relaxed) - first;
    let found = found.into_inner().expect("no thread has panicked");
    let text = describe(told, seconds, &found);
    match report {
        Some(file) => std::fs::write(file, text).expect("the report can be written"),
        None => print!("{text}"),
    }
}

fn search(end: Instant, next: &AtomicU64, found: &Mutex<Found>, settings: &[Setting]) {
    let mut reference = linux(settings).expect("the kernel as a host");
    let mut number = 0;
    while Instant::now() < end {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        let story = generate(seed);
        number += 1;
        let theirs = match play(&mut reference, &story, number) {
            Ok(played) => played,
            Err(error) => {
                eprintln!("seed {seed}: linux: {error}");
                reference = linux(settings).expect("the kernel as a host");
                continue;
            }
        };
        let mut ours = segue(settings).expect("a stack");
        let difference = match play(&mut ours, &story, number) {
            Ok(played) => compare(&story, &theirs, &played),
            Err(error) => {
                eprintln!("seed {seed}: segue: {error}");
                continue;
            }
        };
        let Some(difference) = difference else { continue };
        let enough = {
            let mut found = found.lock().expect("no thread has panicked");
            let class = found.classes.entry(difference.class.clone()).or_default();
            class.count += 1;
            class.seeds.push(seed);
            class.shown.len() >= SHOWN || class.count > 6
        };
        if enough {
            continue;
        }
        match shrink(&mut reference, settings, &story, &difference.class, &mut number) {
            Ok(Verdict::Noise) => found.lock().expect("no thread has panicked").noise += 1,
            Ok(Verdict::Shown(story, shown)) => {
                let mut found = found.lock().expect("no thread has panicked");
                let class = found.classes.entry(difference.class.clone()).or_default();
                class.shown.push((*story, shown.to_string()));
            }
            Err(error) => eprintln!("seed {seed}: {error}"),
        }
    }
}

fn describe(told: u64, seconds: u64, found: &Found) -> String {
    let mut text = String::new();
    let differing: u64 = found.classes.values().map(|class| class.count).sum();
    let _ = writeln!(
        text,
        "{told} stories in {seconds} s; {differing} with a difference, in {} classes; {} not shown again",
        found.classes.len(),
        found.noise
    );
    let mut classes: Vec<_> = found.classes.iter().collect();
    classes.sort_by_key(|(_, class)| std::cmp::Reverse(class.count));
    for (name, class) in classes {
        let seeds: Vec<String> = class.seeds.iter().take(5).map(u64::to_string).collect();
        let _ = writeln!(text, "\n## {name}: {} times, seeds {}", class.count, seeds.join(" "));
        for (story, difference) in &class.shown {
            let _ = writeln!(text, "{story}  {difference}");
        }
    }
    text
}
