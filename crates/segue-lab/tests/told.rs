//! Every story goes as it is told, for more than one seed, and prints a ladder.
use std::cell::RefCell;
use std::rc::Rc;

use segue_lab::{StoryConfig, play, stories, story};

fn told(name: &str, seed: u64) -> Result<Vec<String>, String> {
    let lines = Rc::new(RefCell::new(Vec::new()));
    let sink = lines.clone();
    let print = Box::new(move |line: &str| sink.borrow_mut().push(line.to_owned()));
    let story = story(name).expect("a story of this name");
    let played = play(story, StoryConfig { print, seed, capture: None });
    let lines = lines.borrow().clone();
    played.map(|()| lines.clone()).map_err(|error| format!("{name}, seed {seed}: {error}\n{}", lines.join("\n")))
}

#[test]
fn every_story_goes_as_it_is_told() {
    let wrong: Vec<String> = stories()
        .flat_map(|story| [1, 2, 0xdead_beef].map(|seed| told(story.name, seed)))
        .filter_map(Result::err)
        .collect();
    assert!(wrong.is_empty(), "{} went another way\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn the_same_seed_prints_the_same_ladder() {
    for name in ["handshake", "half-open-reconnect", "fast-retransmit"] {
        assert_eq!(told(name, 5), told(name, 5));
    }
}

#[test]
fn names_are_unique_and_short_enough_to_type() {
    let mut names: Vec<_> = stories().map(|story| story.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for name in names {
        assert!(name.len() <= 24, "{name}");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
    }
}

#[test]
fn a_ladder_shows_the_states_of_both_sides() {
    let lines = told("handshake", 1).expect("it goes as told").join("\n");
    for words in ["SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "----->", "<-----", "Flags [S]", "Flags [S.]"] {
        assert!(lines.contains(words), "{words} is missing in\n{lines}");
    }
}
