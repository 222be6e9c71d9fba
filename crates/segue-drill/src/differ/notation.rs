//! Stories as text, one step a line: what a report shows, and what a kept story is read from.
//!
//! Decides the words, both ways: what is printed here is read here. What is left out of a segment is as in
//! `Segment::default`.
use std::fmt;

use super::story::{ACK, Ack, FIN, From, Offer, Opening, PSH, RST, SYN, Sack, Segment, Stamp, Step, Story, URG};

/// The last three are ECE, CWR and AE, which no story sends: hosts may.
const FLAGS: &[(u16, char)] =
    &[(SYN, 'S'), (FIN, 'F'), (RST, 'R'), (PSH, 'P'), (ACK, '.'), (URG, 'U'), (64, 'E'), (128, 'W'), (256, 'A')];
const OPENINGS: &[(Opening, &str)] = &[
    (Opening::Passive, "passive"),
    (Opening::Active, "active"),
    (Opening::Listening, "listening"),
    (Opening::Connecting, "connecting"),
];
const STAMPS: &[(Stamp, &str)] =
    &[(Stamp::Good, "good"), (Stamp::Old, "old"), (Stamp::Missing, "missing"), (Stamp::BadEcho, "bad-echo")];
/// Flags of calls: `MSG_OOB`, `MSG_PEEK`, `MSG_MORE`.
const CALL_FLAGS: &[(i32, &str)] = &[(1, "oob"), (2, "peek"), (0x8000, "more")];
/// The algorithms that stories are told with.
pub(super) const ALGORITHMS: &[&str] = &["reno", "cubic"];

fn name_of<T: PartialEq + Copy>(table: &[(T, &'static str)], value: T) -> &'static str {
    table.iter().find(|(known, _)| *known == value).map_or("?", |(_, name)| name)
}

fn named<T: Copy>(table: &[(T, &str)], name: &str) -> Option<T> {
    table.iter().find(|(_, known)| *known == name).map(|(value, _)| *value)
}

pub(super) fn letters(flags: u16) -> String {
    let text: String = FLAGS.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, letter)| *letter).collect();
    if text.is_empty() { "-".to_owned() } else { text }
}

/// The bits of flags as letters; `None`: one of them is no flag.
pub(super) fn flags(word: &str) -> Option<u16> {
    let bit = |letter| FLAGS.iter().find(|(_, known)| *known == letter).map(|(bit, _)| *bit);
    word.chars().filter(|letter| *letter != '-').try_fold(0, |flags, letter| Some(flags | bit(letter)?))
}

impl fmt::Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            From::Next => f.write_str("next"),
            From::Beyond(n) => write!(f, "beyond {n}"),
            From::Before(n) => write!(f, "before {n}"),
            From::EdgeLess(n) => write!(f, "edge-less {n}"),
            From::EdgePlus(n) => write!(f, "edge-plus {n}"),
        }
    }
}

impl fmt::Display for Ack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ack::All => f.write_str("all"),
            Ack::Same => f.write_str("same"),
            Ack::More(n) => write!(f, "more {n}"),
            Ack::Old(n) => write!(f, "old {n}"),
            Ack::Unsent(n) => write!(f, "unsent {n}"),
        }
    }
}

impl fmt::Display for Sack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sack::None => f.write_str("none"),
            Sack::Block(hole, len) => write!(f, "block {hole} {len}"),
            Sack::Two(hole, len) => write!(f, "two {hole} {len}"),
            Sack::Duplicate(len) => write!(f, "duplicate {len}"),
            Sack::Unsent => f.write_str("unsent"),
        }
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = Segment::default();
        write!(f, "segment {} from {} len {}", letters(self.flags), self.from, self.len)?;
        if self.flags & ACK != 0 {
            write!(f, " ack {}", self.ack)?;
        }
        write!(f, " win {}", self.window)?;
        if self.stamp != plain.stamp {
            write!(f, " stamp {}", name_of(STAMPS, self.stamp))?;
        }
        if self.sack != plain.sack {
            write!(f, " sack {}", self.sack)?;
        }
        if self.flags & URG != 0 {
            write!(f, " urgent {}", self.urgent)?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = |f: &mut fmt::Formatter<'_>, flags: i32| {
            CALL_FLAGS.iter().filter(|(bit, _)| flags & bit != 0).try_for_each(|(_, name)| write!(f, " {name}"))
        };
        match self {
            Step::Wait(ms) => write!(f, "wait {ms}"),
            Step::Segment(segment) => segment.fmt(f),
            Step::Write(len, with) => write!(f, "write {len}").and_then(|()| flags(f, *with)),
            Step::Read(len, with) => write!(f, "read {len}").and_then(|()| flags(f, *with)),
            Step::Shutdown(how) => write!(f, "shutdown {how}"),
            Step::Close => f.write_str("close"),
            Step::Accept => f.write_str("accept"),
            Step::Set(level, name, value) => write!(f, "set {level} {name} {value}"),
            Step::Error => f.write_str("error"),
            Step::Deliver(n) => write!(f, "deliver {n}"),
            Step::DeliverNewest => f.write_str("deliver-newest"),
            Step::DeliverAgain => f.write_str("deliver-again"),
            Step::Unheard(n) => write!(f, "unheard {n}"),
            Step::Lose(n) => write!(f, "lose {n}"),
        }
    }
}

impl Story {
    /// The line that stands before the steps: how the connection comes to be.
    pub(super) fn head(&self) -> String {
        let Offer { mss, sack, timestamps, scale, window } = self.offer;
        let mut text = name_of(OPENINGS, self.opening).to_owned();
        text.extend(mss.map(|mss| format!(" mss {mss}")));
        text.extend(sack.then_some(" sack"));
        text.extend(timestamps.then_some(" timestamps"));
        text.extend(scale.map(|scale| format!(" wscale {scale}")));
        text + &format!(" win {window} {}", self.congestion)
    }

    /// The story without steps that such a line begins.
    pub(super) fn from_head(line: &str) -> Result<Story, String> {
        let mut words = Words::new(line);
        let opening = words.one_of(OPENINGS)?;
        let mut offer = Offer { mss: None, sack: false, timestamps: false, scale: None, window: 0 };
        loop {
            match words.word()? {
                "mss" => offer.mss = Some(words.number()?),
                "sack" => offer.sack = true,
                "timestamps" => offer.timestamps = true,
                "wscale" => offer.scale = Some(words.number()?),
                "win" => offer.window = words.number()?,
                word => {
                    let known = ALGORITHMS.iter().find(|name| **name == word);
                    let congestion = known.ok_or_else(|| format!("`{word}` is neither an offer nor an algorithm"))?;
                    words.end()?;
                    return Ok(Story { opening, offer, congestion, steps: Vec::new() });
                }
            }
        }
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.head())?;
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

/// The words of a line, read one after the other.
struct Words<'a>(std::iter::Peekable<std::str::SplitWhitespace<'a>>);

impl<'a> Words<'a> {
    fn new(line: &'a str) -> Words<'a> {
        Words(line.split_whitespace().peekable())
    }

    fn word(&mut self) -> Result<&'a str, String> {
        self.0.next().ok_or_else(|| "the line ends too early".to_owned())
    }

    fn number<T: std::str::FromStr>(&mut self) -> Result<T, String> {
        let word = self.word()?;
        word.parse().map_err(|_| format!("`{word}` is not a number that can stand here"))
    }

    fn one_of<T: Copy>(&mut self, table: &[(T, &str)]) -> Result<T, String> {
        let word = self.word()?;
        named(table, word).ok_or_else(|| {
            let names: Vec<&str> = table.iter().map(|(_, name)| *name).collect();
            format!("`{word}`: expected one of {}", names.join(", "))
        })
    }

    fn flags(&mut self) -> Result<i32, String> {
        let mut flags = 0;
        while self.0.peek().is_some() {
            flags |= self.one_of(CALL_FLAGS)?;
        }
        Ok(flags)
    }

    fn end(&mut self) -> Result<(), String> {
        self.0.next().map_or(Ok(()), |word| Err(format!("`{word}` is too much")))
    }

    fn segment(&mut self) -> Result<Segment, String> {
        let word = self.word()?;
        let flags = flags(word).ok_or_else(|| format!("`{word}` are no flags"))?;
        let mut segment = Segment { flags, ..Segment::default() };
        while self.0.peek().is_some() {
            match self.word()? {
                "from" => segment.from = self.from()?,
                "len" => segment.len = self.number()?,
                "ack" => segment.ack = self.ack()?,
                "win" => segment.window = self.number()?,
                "stamp" => segment.stamp = self.one_of(STAMPS)?,
                "sack" => segment.sack = self.sack()?,
                "urgent" => segment.urgent = self.number()?,
                word => return Err(format!("`{word}` is no part of a segment")),
            }
        }
        Ok(segment)
    }

    fn from(&mut self) -> Result<From, String> {
        Ok(match self.word()? {
            "next" => From::Next,
            "beyond" => From::Beyond(self.number()?),
            "before" => From::Before(self.number()?),
            "edge-less" => From::EdgeLess(self.number()?),
            "edge-plus" => From::EdgePlus(self.number()?),
            word => return Err(format!("`{word}` is no place: next, beyond, before, edge-less or edge-plus")),
        })
    }

    fn ack(&mut self) -> Result<Ack, String> {
        Ok(match self.word()? {
            "all" => Ack::All,
            "same" => Ack::Same,
            "more" => Ack::More(self.number()?),
            "old" => Ack::Old(self.number()?),
            "unsent" => Ack::Unsent(self.number()?),
            word => return Err(format!("`{word}` is no acknowledgment: all, same, more, old or unsent")),
        })
    }

    fn sack(&mut self) -> Result<Sack, String> {
        Ok(match self.word()? {
            "none" => Sack::None,
            "block" => Sack::Block(self.number()?, self.number()?),
            "two" => Sack::Two(self.number()?, self.number()?),
            "duplicate" => Sack::Duplicate(self.number()?),
            "unsent" => Sack::Unsent,
            word => return Err(format!("`{word}` is no kind of SACK: block, two, duplicate or unsent")),
        })
    }
}

impl std::str::FromStr for Step {
    type Err = String;

    fn from_str(line: &str) -> Result<Step, String> {
        let mut words = Words::new(line);
        let step = match words.word()? {
            "wait" => Step::Wait(words.number()?),
            "segment" => Step::Segment(words.segment()?),
            "write" => Step::Write(words.number()?, words.flags()?),
            "read" => Step::Read(words.number()?, words.flags()?),
            "shutdown" => Step::Shutdown(words.number()?),
            "close" => Step::Close,
            "accept" => Step::Accept,
            "set" => Step::Set(words.number()?, words.number()?, words.number()?),
            "error" => Step::Error,
            "deliver" => Step::Deliver(words.number()?),
            "deliver-newest" => Step::DeliverNewest,
            "deliver-again" => Step::DeliverAgain,
            "unheard" => Step::Unheard(words.number()?),
            "lose" => Step::Lose(words.number()?),
            word => return Err(format!("`{word}` is no step")),
        };
        words.end()?;
        Ok(step)
    }
}

#[cfg(test)]
mod tests {
    use super::super::recovery::generate_loss;
    use super::super::story::generate;
    use super::*;

    #[test]
    fn what_is_printed_is_read_as_the_same_story() {
        for seed in 0..4000 {
            let story = if seed % 2 == 0 { generate(seed) } else { generate_loss(seed) };
            let text = story.to_string();
            let mut lines = text.lines();
            let mut read = Story::from_head(lines.next().unwrap_or_default()).expect("the first line");
            for line in lines {
                read.steps.push(line.parse().unwrap_or_else(|error| panic!("{line}: {error}")));
            }
            // What a segment without the flag would say is not told.
            assert_eq!(read.to_string(), text, "seed {seed}");
            assert_eq!(read.steps.len(), story.steps.len());
        }
    }

    #[test]
    fn a_line_that_means_nothing_is_refused_with_the_word_that_is_wrong() {
        for (line, word) in [
            ("wait", "too early"),
            ("wait x", "`x`"),
            ("dance", "`dance`"),
            ("close now", "`now`"),
            ("segment Q", "`Q`"),
            ("segment . from there", "`there`"),
            ("write 5 loud", "`loud`"),
        ] {
            let error = line.parse::<Step>().expect_err(line);
            assert!(error.contains(word), "{line}: {error}");
        }
        assert!(Story::from_head("passive win 5 vegas").is_err());
    }
}
