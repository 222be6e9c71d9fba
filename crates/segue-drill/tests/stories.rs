//! Stories that once showed a difference from Linux, told again: Segue does what Linux did when they were recorded, or
//! differs as they say it is meant to.
use std::path::{Path, PathBuf};
use std::time::Duration;

use segue_drill::differ::{Kept, Log, Teller, catalogue};
use segue_drill::prepare_namespaces;
use segue_kernel::process::processor_shortage;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories")
}

fn stories() -> Vec<(String, Kept)> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "story"));
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let kept = Kept::read(&std::fs::read_to_string(path).unwrap());
        (name.clone(), kept.unwrap_or_else(|error| panic!("{name}: {error}")))
    };
    paths.iter().map(read).collect()
}

#[test]
fn segue_answers_as_linux_did_or_as_it_is_meant_to() {
    let stories = stories();
    assert!(stories.len() >= 20, "{} stories only", stories.len());
    let wrong: String = stories
        .iter()
        .filter_map(|(name, kept)| Some(format!("{name}: {}\n{}\n", kept.check().err()?, kept.story)))
        .collect();
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_difference_that_is_meant_has_a_story_that_shows_it() {
    let shown: Vec<&str> = stories().iter().filter_map(|(_, kept)| Some(kept.intended?.name)).collect();
    for intended in catalogue::INTENDED {
        assert!(shown.contains(&intended.name), "no story shows `{}`", intended.name);
        assert!(!intended.reason.is_empty() && !intended.reference.is_empty(), "{}", intended.name);
    }
}

#[test]
fn a_story_is_written_as_it_was_read() {
    for (name, kept) in stories() {
        let text = kept.write();
        assert_eq!(Kept::read(&text).as_ref(), Ok(&kept), "{name}");
    }
}

#[test]
fn the_log_of_sessions_can_be_read() {
    for name in ["sessions.log", "again.log"] {
        let text = std::fs::read_to_string(folder().join(name)).unwrap();
        let log: Log = text.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(log.total().stories > 0, "{name}");
    }
}

/// Root; a second of real time for each story, and nothing when there is none.
#[test]
fn this_kernel_answers_as_the_one_that_was_recorded() {
    if let Err(error) = prepare_namespaces() {
        println!("skipped: {error}");
        return;
    }
    let mut teller = Teller::new(&[]).unwrap();
    let mut wrong = String::new();
    for (name, kept) in stories() {
        let differing =
            told_in_time(|| kept.check_kernel(&teller.ask_linux(&kept.story).map_err(|error| error.0).unwrap()).err());
        wrong.extend(differing.map(|words| format!("{name}: {words}\n")));
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The difference that is left: once, or as often as the machine was too busy for the kernel to be told the story in time, and
/// a dozen times at most.
fn told_in_time(mut differing: impl FnMut() -> Option<String>) -> Option<String> {
    // As much as times may be off before a script says that they are.
    const PUNCTUAL: Duration = Duration::from_millis(4);
    let mut left = None;
    for _ in 0..12 {
        let before = processor_shortage();
        left = differing();
        let waited = processor_shortage().zip(before).map(|(after, before)| after.saturating_sub(before));
        if left.is_none() || waited.is_some_and(|waited| waited <= PUNCTUAL) {
            break;
        }
    }
    left
}
