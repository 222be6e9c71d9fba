//! Which sockets `segue ss` shows: the words of ss(8)'s filters.
//!
//! `state`s and `exclude`s come first or last, then an expression of `sport`, `dport`, `src` and `dst`, joined by `and`, `or`,
//! `not` and parentheses; words beside each other are joined by `and`.
use std::net::{IpAddr, SocketAddr};

use segue::Cidr;
use segue::control::SocketLine;

use super::SsArgs;
use crate::fail::Fail;

/// ss's names of states, with what the column shows.
const STATES: [(&str, &str); 11] = [
    ("established", "ESTAB"),
    ("syn-sent", "SYN-SENT"),
    ("syn-recv", "SYN-RECV"),
    ("fin-wait-1", "FIN-WAIT-1"),
    ("fin-wait-2", "FIN-WAIT-2"),
    ("time-wait", "TIME-WAIT"),
    ("closed", "UNCONN"),
    ("close-wait", "CLOSE-WAIT"),
    ("last-ack", "LAST-ACK"),
    ("listening", "LISTEN"),
    ("closing", "CLOSING"),
];

/// The states that a name stands for, as the column shows them.
fn states_of(name: &str) -> Option<Vec<&'static str>> {
    let but = |out: &[&str]| STATES.iter().map(|(_, shown)| *shown).filter(|shown| !out.contains(shown)).collect();
    Some(match name {
        "all" => but(&[]),
        "connected" => but(&["UNCONN", "LISTEN"]),
        "synchronized" => but(&["UNCONN", "LISTEN", "SYN-SENT"]),
        "bucket" => vec!["TIME-WAIT", "SYN-RECV"],
        "big" => but(&["TIME-WAIT", "SYN-RECV"]),
        "estab" => vec!["ESTAB"],
        "listen" => vec!["LISTEN"],
        name => vec![STATES.iter().find(|(known, _)| *known == name)?.1],
    })
}

/// How a port is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Comparison {
    Equal,
    Unequal,
    AtLeast,
    AtMost,
    Above,
    Below,
}

impl Comparison {
    fn read(word: &str) -> Option<Comparison> {
        Some(match word {
            "=" | "==" | "eq" => Comparison::Equal,
            "!=" | "ne" | "neq" => Comparison::Unequal,
            ">=" | "ge" | "geq" => Comparison::AtLeast,
            "<=" | "le" | "leq" => Comparison::AtMost,
            ">" | "gt" => Comparison::Above,
            "<" | "lt" => Comparison::Below,
            _ => return None,
        })
    }

    fn holds(self, left: u16, right: u16) -> bool {
        match self {
            Comparison::Equal => left == right,
            Comparison::Unequal => left != right,
            Comparison::AtLeast => left >= right,
            Comparison::AtMost => left <= right,
            Comparison::Above => left > right,
            Comparison::Below => left < right,
        }
    }
}

/// This side's end of a socket, or the peer's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Local,
    Peer,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
    Port(End, Comparison, u16),
    Address { end: End, block: Option<Cidr>, port: Option<u16>, is_equal: bool },
}

impl Expression {
    fn holds(&self, line: &SocketLine) -> bool {
        let at = |end: &End| match end {
            End::Local => Some(line.local),
            End::Peer => line.peer,
        };
        match self {
            Expression::All(parts) => parts.iter().all(|part| part.holds(line)),
            Expression::Any(parts) => parts.iter().any(|part| part.holds(line)),
            Expression::Not(part) => !part.holds(line),
            Expression::Port(end, comparison, port) => {
                comparison.holds(at(end).map_or(0, |address| address.port()), *port)
            }
            Expression::Address { end, block, port, is_equal } => {
                let matches = at(end).is_some_and(|address| {
                    block.is_none_or(|block| block.contains(address.ip()))
                        && port.is_none_or(|port| port == address.port())
                });
                matches == *is_equal
            }
        }
    }
}

/// What is shown.
#[derive(Debug)]
pub(super) struct Filter {
    netids: Vec<&'static str>,
    states: Vec<&'static str>,
    family: Option<&'static str>,
    expression: Expression,
}

impl Filter {
    pub(super) fn read(args: &SsArgs) -> Result<Filter, Fail> {
        let mut netids = Vec::new();
        netids.extend(args.tcp.then_some("tcp"));
        netids.extend(args.udp.then_some("udp"));
        if netids.is_empty() {
            netids = vec!["tcp", "udp", "icmp"];
        }
        let family = match (args.ipv4, args.ipv6) {
            (true, false) => Some("v4"),
            (false, true) => Some("v6"),
            _ => None,
        };
        let words = Words::split(&args.filter);
        let (chosen, excluded, words) = take_states(words)?;
        let states = match (chosen.is_empty(), excluded.is_empty()) {
            (false, _) => chosen,
            (true, false) => states_of("all").unwrap_or_default(),
            (true, true) => shown_by_default(args),
        };
        let states = states.into_iter().filter(|state| !excluded.contains(state)).collect();
        Ok(Filter { netids, states, family, expression: words.expression()? })
    }

    pub(super) fn takes(&self, line: &SocketLine) -> bool {
        self.netids.contains(&line.netid.as_str())
            && self.states.contains(&line.state.as_str())
            && self.family.is_none_or(|family| family == line.family)
            && self.expression.holds(line)
            // What was made and neither bound nor connected is nobody's business but its program's.
            && (line.netid != "tcp" || line.state != "UNCONN" || line.local.port() != 0)
    }
}

fn shown_by_default(args: &SsArgs) -> Vec<&'static str> {
    match (args.all, args.listening) {
        (true, _) => states_of("all").unwrap_or_default(),
        // A UDP socket that is not connected is what listens there.
        (_, true) => vec!["LISTEN", "UNCONN"],
        _ => {
            let hidden = ["LISTEN", "UNCONN", "TIME-WAIT", "SYN-RECV"];
            STATES.iter().map(|(_, shown)| *shown).filter(|shown| !hidden.contains(shown)).collect()
        }
    }
}

type States = Vec<&'static str>;

/// `state NAME` and `exclude NAME`, wherever they stand, and the other words.
fn take_states(words: Words) -> Result<(States, States, Words), Fail> {
    let (mut chosen, mut excluded, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let mut words = words.0.into_iter();
    while let Some(word) = words.next() {
        let into = match word.as_str() {
            "state" => &mut chosen,
            "exclude" => &mut excluded,
            _ => {
                others.push(word);
                continue;
            }
        };
        let name = words.next().ok_or_else(|| Fail::usage(format!("{word} needs the name of a state behind it")))?;
        into.extend(states_of(&name).ok_or_else(|| unknown_state(&name))?);
    }
    others.reverse();
    Ok((chosen, excluded, Words(others)))
}

fn unknown_state(name: &str) -> Fail {
    let names: Vec<&str> = STATES.iter().map(|(known, _)| *known).collect();
    Fail::usage(format!("there is no state {name:?}; there are {}", names.join(", ")))
}

/// The words of a filter; for an expression the next one stands last.
struct Words(Vec<String>);

impl Words {
    /// As the shell gave them, or several in one; parentheses and comparisons need no blanks around them.
    fn split(given: &[String]) -> Words {
        let mut words: Vec<String> = Vec::new();
        for text in given.iter().flat_map(|text| text.split_whitespace()) {
            let kind = |c: char| match c {
                '(' | ')' => 0,
                '=' | '!' | '<' | '>' => 1,
                _ => 2,
            };
            let mut last = None;
            for c in text.chars() {
                let this = kind(c);
                match words.last_mut() {
                    Some(word) if last == Some(this) && this != 0 => word.push(c),
                    _ => words.push(c.to_string()),
                }
                last = Some(this);
            }
        }
        Words(words)
    }

    fn next_is(&self, words: &[&str]) -> bool {
        self.0.last().is_some_and(|word| words.contains(&word.as_str()))
    }

    fn take_if(&mut self, words: &[&str]) -> bool {
        let is_there = self.next_is(words);
        if is_there {
            self.0.pop();
        }
        is_there
    }

    fn expression(mut self) -> Result<Expression, Fail> {
        let expression = if self.0.is_empty() { Expression::All(Vec::new()) } else { self.any()? };
        match self.0.last() {
            None => Ok(expression),
            Some(word) => Err(Fail::usage(format!("{word:?} is one too many in the filter"))),
        }
    }

    fn any(&mut self) -> Result<Expression, Fail> {
        let mut parts = vec![self.all()?];
        while self.take_if(&["or", "|", "||"]) {
            parts.push(self.all()?);
        }
        Ok(Expression::Any(parts))
    }

    fn all(&mut self) -> Result<Expression, Fail> {
        let mut parts = vec![self.one()?];
        while !self.0.is_empty() && !self.next_is(&["or", "|", "||", ")"]) {
            self.take_if(&["and", "&", "&&"]);
            parts.push(self.one()?);
        }
        Ok(Expression::All(parts))
    }

    fn one(&mut self) -> Result<Expression, Fail> {
        let word = self.0.pop().ok_or_else(|| Fail::usage("the filter ends where a condition is missing"))?;
        match word.as_str() {
            "(" => {
                let inner = self.any()?;
                if self.take_if(&[")"]) {
                    Ok(inner)
                } else {
                    Err(Fail::usage("a parenthesis of the filter is not closed"))
                }
            }
            "not" | "!" => Ok(Expression::Not(Box::new(self.one()?))),
            "sport" => self.port(&word, End::Local),
            "dport" => self.port(&word, End::Peer),
            "src" => self.address(&word, End::Local),
            "dst" => self.address(&word, End::Peer),
            other => Err(Fail::usage(format!("a filter has no word {other:?}: segue ss --help names them"))),
        }
    }

    fn comparison(&mut self) -> Comparison {
        let comparison = self.0.last().and_then(|word| Comparison::read(word));
        if comparison.is_some() {
            self.0.pop();
        }
        comparison.unwrap_or(Comparison::Equal)
    }

    fn operand(&mut self, of: &str) -> Result<String, Fail> {
        self.0.pop().ok_or_else(|| Fail::usage(format!("{of} needs a word behind it")))
    }

    fn port(&mut self, of: &str, end: End) -> Result<Expression, Fail> {
        let comparison = self.comparison();
        let text = self.operand(of)?;
        let port = text.strip_prefix(':').unwrap_or(&text).parse();
        let port = port.map_err(|_| Fail::usage(format!("{text:?} is not a port: write {of} = :80")))?;
        Ok(Expression::Port(end, comparison, port))
    }

    fn address(&mut self, of: &str, end: End) -> Result<Expression, Fail> {
        let is_equal = match self.comparison() {
            Comparison::Equal => true,
            Comparison::Unequal => false,
            _ => return Err(Fail::usage(format!("{of} is equal to an address (=) or not (!=)"))),
        };
        let text = self.operand(of)?;
        let (block, port) = read_address(&text).ok_or_else(|| {
            Fail::usage(format!("{text:?} is neither ADDRESS, ADDRESS/LENGTH, ADDRESS:PORT nor :PORT"))
        })?;
        Ok(Expression::Address { end, block, port, is_equal })
    }
}

fn read_address(text: &str) -> Option<(Option<Cidr>, Option<u16>)> {
    if let Some(port) = text.strip_prefix(':').or_else(|| text.strip_prefix("*:")) {
        return Some((None, Some(port.parse().ok()?)));
    }
    if let Ok(both) = text.parse::<SocketAddr>() {
        return Some((Some(Cidr::host(both.ip())), Some(both.port())));
    }
    let address = text.trim_start_matches('[').trim_end_matches(']');
    match address.parse::<IpAddr>() {
        Ok(address) => Some((Some(Cidr::host(address)), None)),
        Err(_) => Some((Some(text.parse().ok()?), None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(local: &str, peer: &str) -> SocketLine {
        let value = serde_json::json!({
            "netid": "tcp", "family": "v4", "state": "ESTAB", "recv_q": 0, "send_q": 0, "local": local, "peer": peer,
            "socket": 1,
        });
        serde_json::from_value(value).expect("a line")
    }

    fn takes(filter: &str, line: &SocketLine) -> bool {
        let (_, _, words) = take_states(Words::split(&[filter.to_owned()])).expect("states");
        words.expression().expect(filter).holds(line)
    }

    #[test]
    fn every_state_of_a_group_is_a_state() {
        for group in ["all", "connected", "synchronized", "bucket", "big", "established", "listening"] {
            let states = states_of(group).expect("known");
            assert!(!states.is_empty() && states.iter().all(|state| STATES.iter().any(|(_, shown)| shown == state)));
        }
        assert_eq!(states_of("estabished"), None);
    }

    #[test]
    fn filters_mean_what_they_mean_to_ss() {
        let line = line("10.0.0.1:40000", "10.0.0.2:443");
        for filter in [
            "",
            "dport = :443",
            "dport = 443",
            "dport 443",
            "dport :443 sport = :40000",
            "( dport = :80 or dport = :443 )",
            "(dport=:80 or dport=:443) and src 10.0.0.1",
            "not dport = :80",
            "! ( dport = :80 or sport = :80 )",
            "sport >= :32768 and sport <= :60999",
            "sport gt 1024",
            "dport != :80",
            "dst 10.0.0.0/8",
            "dst 10.0.0.2:443",
            "dst :443",
            "dst != 10.0.0.3",
            "sport = :1 and dport = :1 or dport = :443",
        ] {
            assert!(takes(filter, &line), "{filter}");
        }
        for filter in ["dport = :80", "dst 11.0.0.0/8", "sport < :1024", "not dport = :443", "dport :443 and sport :80"]
        {
            assert!(!takes(filter, &line), "{filter}");
        }
    }

    #[test]
    fn a_filter_that_is_none_is_refused_with_what_is_wrong() {
        for (filter, wrong) in [
            ("dport = :http", "is not a port"),
            ("( dport = :80", "is not closed"),
            ("dport = :80 )", "one too many"),
            ("dport", "needs a word"),
            ("bogus = 1", "no word \"bogus\""),
            ("dport = :80 or", "condition is missing"),
            ("src > 10.0.0.1", "equal to an address"),
            ("dst nowhere", "neither ADDRESS"),
        ] {
            let (_, _, words) = take_states(Words::split(&[filter.to_owned()])).expect("states");
            let error = format!("{:?}", words.expression().expect_err(filter));
            assert!(error.contains(&wrong.replace('"', "\\\"")), "{filter}: {error}");
        }
        assert!(take_states(Words::split(&["state estabished".to_owned()])).is_err());
    }
}
