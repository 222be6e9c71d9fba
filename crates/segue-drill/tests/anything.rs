//! Whatever a script says, it is played to an end or refused: no panic, no endless wait.
use std::path::{Path, PathBuf};

use segue_drill::{Options, Verdict, run_script};

/// A small generator; the seed is in every message.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

fn scripts(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { scripts(&path, out) } else { out.push(path) }
    }
}

/// No script is worth more, even one that waits for weeks while a window stays shut.
const MOST_PACKETS: u64 = 10_000;

/// What a run ends with when the stack never comes to rest.
const RESTLESS: [&str; 2] = ["packets at one instant", "to be called again at once"];

/// Numbers and words at the edges of what the language can say.
const WORDS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "65535",
    "65536",
    "4294967295",
    "4294967296",
    "999999999",
    "0x7fffffffffffffff",
    "9223372036854775807",
    "...",
    "NULL",
    "S",
    "F.",
    "R",
    "-",
    "*",
    "+0",
    "+1000000",
    "<",
    ">",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "write",
    "close",
    "SHUT_WR",
    "TCP_NODELAY",
    "SO_RCVTIMEO",
    "SO_RCVBUF",
    "MSG_PEEK",
    "%{ assert 1 ** 99999 }%",
];

/// The script with a few words exchanged, repeated or left out.
fn mutate(text: &str, random: &mut Random) -> String {
    let mut words: Vec<String> = text.split_inclusive([' ', '\n', ',', '(', ')', ':']).map(str::to_owned).collect();
    for _ in 0..=random.below(3) {
        let at = random.below(words.len());
        let end: String = words[at].chars().last().into_iter().collect();
        match random.below(4) {
            0 => _ = words.remove(at),
            1 => words.insert(at, words[random.below(words.len())].clone()),
            _ => words[at] = format!("{}{end}", WORDS[random.below(WORDS.len())]),
        }
    }
    words.concat()
}

#[test]
fn every_mutation_of_every_script_comes_to_an_end() {
    let mut paths = Vec::new();
    scripts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts"), &mut paths);
    scripts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/language"), &mut paths);
    paths.sort();
    let mut counts = [0; 3];
    let mut most = 0;
    for seed in 1..=60u64 {
        for (index, path) in paths.iter().enumerate() {
            let mut random = Random(seed * 1_000_003 + index as u64);
            let text = mutate(&std::fs::read_to_string(path).unwrap(), &mut random);
            let name = format!("{} mutated with seed {seed}", path.display());
            let played = std::panic::catch_unwind(|| run_script(&name, &text, &Options::default()));
            let report = played.unwrap_or_else(|_| panic!("a panic in {name}:\n{text}"));
            assert!(report.packets <= MOST_PACKETS, "{} packets in {name}:\n{text}", report.packets);
            assert!(!RESTLESS.iter().any(|words| report.message.contains(words)), "{}", report.message);
            most = most.max(report.packets);
            counts[match report.verdict {
                Verdict::Passed => 0,
                Verdict::Failed | Verdict::Differs | Verdict::Unplayed => 1,
                Verdict::Malformed => 2,
            }] += 1;
        }
    }
    println!("{most} packets at most");
    // All three happen, or the mutations are not worth their name.
    assert!(counts.iter().all(|count| *count > 200), "{counts:?}");
}
