//! What a host answered, as text: the part of a kept story that was recorded once.
//!
//! Decides how a record is written and read. `TCP_INFO` is told by what has changed since the step before.
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use segue_wire::TcpFlags;

use super::play::{FIELDS, Played, Seen, StepRecord};
use super::story::{Step, Story};

type Info = Vec<(&'static str, u64)>;

/// Marks the lines of a record: a packet, a result, the pace, `TCP_INFO`.
const MARKS: [char; 4] = ['>', '=', '@', '%'];

impl Seen {
    fn read(line: &str) -> Option<Seen> {
        let (front, options) = line.split_once(" <")?;
        let options = options.strip_suffix('>')?.to_owned();
        let mut words = front.split_whitespace();
        let after = words.next()?.strip_prefix('+')?.parse().ok()?;
        let flags = TcpFlags::from_bits_retain(super::notation::flags(words.next()?)?);
        let (sequence, rest) = words.next()?.split_once(':')?;
        let len = rest.split_once('(')?.1.strip_suffix(')')?;
        let mut after_word = |word: &str| (words.next() == Some(word)).then(|| words.next()).flatten();
        Some(Seen {
            after: Duration::from_secs_f64(after),
            flags,
            sequence: sequence.parse().ok()?,
            len: len.parse().ok()?,
            acknowledgment: after_word("ack")?.parse().ok()?,
            window: after_word("win")?.parse().ok()?,
            urgent: after_word("urg")?.parse().ok()?,
            options,
        })
    }
}

fn result_words(result: &(Result<i64, i32>, usize)) -> String {
    match result {
        (Ok(value), read) => format!("= {value} read {read}"),
        (Err(errno), read) => format!("= errno {errno} read {read}"),
    }
}

fn read_result(line: &str) -> Option<(Result<i64, i32>, usize)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["errno", errno, "read", read] => Some((Err(errno.parse().ok()?), read.parse().ok()?)),
        [value, "read", read] => Some((Ok(value.parse().ok()?), read.parse().ok()?)),
        _ => None,
    }
}

fn read_pace(line: &str) -> Option<Vec<Duration>> {
    line.split_whitespace().map(|end| Duration::try_from_secs_f64(end.parse().ok()?).ok()).collect()
}

/// What is in `info` and was not before.
fn changes(before: &Info, info: &Info) -> String {
    if info.is_empty() {
        return "gone".to_owned();
    }
    let old: BTreeMap<&str, u64> = before.iter().copied().collect();
    let changed = info.iter().filter(|(name, value)| old.get(name).copied().unwrap_or(0) != *value);
    let words: Vec<String> = changed.map(|(name, value)| format!("{name} {value}")).collect();
    if words.is_empty() { "same".to_owned() } else { words.join(", ") }
}

fn changed(before: &Info, text: &str) -> Option<Info> {
    if text == "gone" {
        return Some(Vec::new());
    }
    let mut info: Info = FIELDS.iter().map(|(name, ..)| (*name, 0)).collect();
    for (field, old) in info.iter_mut().zip(before) {
        field.1 = old.1;
    }
    for change in text.split(", ").filter(|change| *change != "same") {
        let (name, value) = change.split_once(' ')?;
        info.iter_mut().find(|(known, _)| *known == name)?.1 = value.parse().ok()?;
    }
    Some(info)
}

/// A story with a host's answers below each step.
pub(super) fn write(story: &Story, played: &Played) -> String {
    let mut text = String::new();
    let mut before = Info::new();
    let heads = std::iter::once(story.head()).chain(story.steps.iter().map(Step::to_string));
    for (head, record) in heads.zip(&played.steps) {
        let _ = writeln!(text, "{head}");
        record.packets.iter().for_each(|packet| _ = writeln!(text, "  > {packet}"));
        record.result.iter().for_each(|result| _ = writeln!(text, "  {}", result_words(result)));
        let pace: Vec<String> = record.pace.iter().map(|end| format!("{:.6}", end.as_secs_f64())).collect();
        let _ = writeln!(text, "  @ {}", pace.join(" "));
        let _ = writeln!(text, "  % {}", changes(&before, &record.info));
        before.clone_from(&record.info);
    }
    text
}

/// The story and the answers; the error names the line. Empty lines and lines that begin with `//` are passed over.
pub(super) fn read(text: &str) -> Result<(Story, Played), String> {
    let mut story: Option<Story> = None;
    let mut played = Played::default();
    let mut before = Info::new();
    for (at, line) in text.lines().enumerate() {
        let wrong = |message: &str| format!("line {}: {message}", at + 1);
        let line = line.trim();
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        let Some(rest) = line.strip_prefix(MARKS) else {
            match &mut story {
                None => story = Some(Story::from_head(line).map_err(|message| wrong(&message))?),
                Some(story) => story.steps.push(line.parse().map_err(|message: String| wrong(&message))?),
            }
            played.steps.push(StepRecord::default());
            continue;
        };
        let record = played.steps.last_mut().ok_or_else(|| wrong("an answer before the first step"))?;
        let rest = rest.trim();
        match line.chars().next() {
            Some('>') => record.packets.push(Seen::read(rest).ok_or_else(|| wrong("this is no packet"))?),
            Some('@') => record.pace = read_pace(rest).ok_or_else(|| wrong("this is no pace"))?,
            Some('=') => record.result = Some(read_result(rest).ok_or_else(|| wrong("this is no result"))?),
            _ => {
                record.info = changed(&before, rest).ok_or_else(|| wrong("this is no TCP_INFO"))?;
                before.clone_from(&record.info);
            }
        }
    }
    let story = story.ok_or("there is no story in it")?;
    Ok((story, played))
}

#[cfg(test)]
mod tests {
    use super::super::story::generate;
    use super::super::{play, segue};
    use super::*;

    #[test]
    fn answers_that_were_written_are_read_as_they_were() {
        for seed in 0..60 {
            let story = generate(seed);
            let played = play(&mut segue(&[]).expect("a stack"), &story, 1, None).expect("a story");
            let text = write(&story, &played);
            let (read_story, read_played) = read(&text).unwrap_or_else(|error| panic!("seed {seed}: {error}\n{text}"));
            assert_eq!(write(&read_story, &read_played), text, "seed {seed}");
            assert_eq!(super::super::compare(&story, &played, &read_played), None, "seed {seed}");
        }
    }

    #[test]
    fn a_line_that_is_no_answer_is_refused_with_its_number() {
        for (text, number) in [
            ("", ""),
            ("passive win 1 reno\n  > hello", "line 2"),
            ("  = 1 read 0", "line 1"),
            ("passive win 1 reno\nclose\n  % nothing 1", "line 3"),
            ("passive win 1 reno\nclose\n  = one read 0", "line 3"),
        ] {
            assert!(read(text).expect_err(text).contains(number));
        }
    }
}
