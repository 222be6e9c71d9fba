//! What came of telling stories for a while, as text that is kept: sessions are added to a log, and the log is summed up.
//!
//! Decides how a log is written and read. A class keeps the seeds of its stories, so that they can be told again.
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::catalogue;

/// How many seeds of a class that is meant are kept; of an open one all are.
const SEEDS_KEPT: usize = 3;

/// One class of differences in a log.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Class {
    /// Stories that showed it.
    pub count: u64,
    /// Their seeds.
    pub seeds: Vec<u64>,
}

/// What came of telling stories for a while, or of several such sessions together.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Session {
    /// Seconds of telling, of each thread.
    pub seconds: u64,
    /// Stories told to both hosts.
    pub stories: u64,
    /// Stories of which nothing can be said: this machine was busy, or a timer ran out at the edge of a step.
    pub noise: u64,
    /// By the name of the catalogue.
    pub intended: BTreeMap<String, Class>,
    /// Open ones, by what differs.
    pub open: BTreeMap<String, Class>,
}

impl Session {
    /// Note a story's difference.
    pub fn note(&mut self, difference: &super::Difference, seed: u64) {
        let class = match difference.intended {
            Some(intended) => self.intended.entry(intended.name.to_owned()).or_default(),
            None => self.open.entry(difference.class.clone()).or_default(),
        };
        class.count += 1;
        if difference.intended.is_none() || class.seeds.len() < SEEDS_KEPT {
            class.seeds.push(seed);
        }
    }

    /// Stories in which the hosts agreed wholly.
    pub fn agreed(&self) -> u64 {
        self.stories.saturating_sub(self.noise + self.explained() + self.unexplained())
    }

    /// Stories with a difference that is meant.
    pub fn explained(&self) -> u64 {
        self.intended.values().map(|class| class.count).sum()
    }

    /// Stories with any other difference.
    pub fn unexplained(&self) -> u64 {
        self.open.values().map(|class| class.count).sum()
    }

    /// Take another session in.
    pub fn add(&mut self, other: &Session) {
        self.seconds += other.seconds;
        self.stories += other.stories;
        self.noise += other.noise;
        for (mine, theirs) in [(&mut self.intended, &other.intended), (&mut self.open, &other.open)] {
            for (name, class) in theirs {
                let entry = mine.entry(name.clone()).or_default();
                entry.count += class.count;
                entry.seeds.extend(&class.seeds);
            }
        }
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "session seconds {} stories {} noise {}", self.seconds, self.stories, self.noise)?;
        for (word, classes) in [("intended", &self.intended), ("open", &self.open)] {
            for (name, class) in classes {
                let seeds: Vec<String> = class.seeds.iter().map(u64::to_string).collect();
                writeln!(f, "{word} {} seeds {}: {name}", class.count, seeds.join(" "))?;
            }
        }
        Ok(())
    }
}

/// A whole log, session after session.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Log {
    /// In the order in which they were added.
    pub sessions: Vec<Session>,
}

impl Log {
    /// All sessions together.
    pub fn total(&self) -> Session {
        let mut total = Session::default();
        self.sessions.iter().for_each(|session| total.add(session));
        total
    }

    /// Seeds whose stories have shown a difference that no entry of the catalogue explained then, at most `each` of a class.
    pub fn found(&self, each: usize) -> Vec<u64> {
        let total = self.total();
        let mut seeds: Vec<u64> =
            total.open.values().flat_map(|class| class.seeds.iter().copied().take(each)).collect();
        seeds.sort_unstable();
        seeds.dedup();
        seeds
    }
}

impl FromStr for Log {
    type Err = String;

    fn from_str(text: &str) -> Result<Log, String> {
        let mut log = Log::default();
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with("//")) {
            let wrong = || format!("line {}: expected a session, an intended or an open class", at + 1);
            let (word, rest) = line.split_once(' ').ok_or_else(wrong)?;
            if word == "session" {
                log.sessions.push(head(rest).ok_or_else(wrong)?);
                continue;
            }
            let session = log.sessions.last_mut().ok_or_else(wrong)?;
            let (name, class) = class(rest).ok_or_else(wrong)?;
            match word {
                "intended" if !catalogue::has_had(&name) => {
                    return Err(format!("line {}: the catalogue never had `{name}`", at + 1));
                }
                "intended" => session.intended.insert(name, class),
                "open" => session.open.insert(name, class),
                _ => return Err(wrong()),
            };
        }
        Ok(log)
    }
}

fn head(text: &str) -> Option<Session> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let ["seconds", seconds, "stories", stories, "noise", noise] = words.as_slice() else { return None };
    Some(Session {
        seconds: seconds.parse().ok()?,
        stories: stories.parse().ok()?,
        noise: noise.parse().ok()?,
        ..Session::default()
    })
}

fn class(text: &str) -> Option<(String, Class)> {
    let (front, name) = text.split_once(": ")?;
    let (count, seeds) = front.split_once(" seeds")?;
    let seeds = seeds.split_whitespace().map(|seed| seed.parse().ok()).collect::<Option<Vec<u64>>>()?;
    Some((name.to_owned(), Class { count: count.parse().ok()?, seeds }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(seconds: u64, open: &[(&str, u64, &[u64])]) -> Session {
        let classes = open
            .iter()
            .map(|(name, count, seeds)| ((*name).to_owned(), Class { count: *count, seeds: seeds.to_vec() }));
        Session { seconds, stories: 100, noise: 1, open: classes.collect(), ..Session::default() }
    }

    #[test]
    fn a_log_is_read_as_it_was_written_and_summed_up() {
        let first =
            session(60, &[("info rcv_mss | read | state 1", 2, &[5, 9]), ("result | write | state 1", 1, &[7])]);
        let second = session(30, &[("result | write | state 1", 3, &[7, 11, 12])]);
        let log: Log = format!("// a log\n{first}\n{second}").parse().expect("a log");
        assert_eq!(log.sessions, [first, second]);
        let total = log.total();
        assert_eq!((total.seconds, total.stories, total.noise), (90, 200, 2));
        assert_eq!((total.unexplained(), total.agreed()), (6, 192));
        assert_eq!(log.found(9), [5, 7, 9, 11, 12]);
        assert_eq!(log.found(1), [5, 7]);
    }

    #[test]
    fn a_line_that_is_none_is_refused_with_its_number() {
        let begun = "session seconds 1 stories 1 noise 0\n";
        for (text, words) in [
            ("open 1 seeds 2: x".to_owned(), "line 1"),
            (format!("{begun}open x seeds 2: y"), "line 2"),
            (format!("{begun}\nshut 1 seeds 2: y"), "line 3"),
            (format!("{begun}intended 1 seeds 2: nobody knows it"), "never had `nobody knows it`"),
        ] {
            let error = text.parse::<Log>().expect_err(&text);
            assert!(error.contains(words), "{error}");
        }
    }
}
