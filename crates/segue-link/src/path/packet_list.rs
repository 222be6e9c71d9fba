//! Packets by number: `5,7-9`. Decides spelling and membership; who numbers packets is decided by its user.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::spec::SpecError;

/// Numbers of packets, counted from 1, written `5,7-9`; `none` for the empty list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PacketList {
    /// First and last of each range, rising and apart.
    ranges: Arc<[(u64, u64)]>,
}

impl PacketList {
    /// Whether it names no packet.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether it names this packet.
    pub fn contains(&self, number: u64) -> bool {
        let after = self.ranges.partition_point(|&(first, _)| first <= number);
        after.checked_sub(1).is_some_and(|at| number <= self.ranges[at].1)
    }
}

impl FromIterator<(u64, u64)> for PacketList {
    /// From ranges, first and last number of each, in any order.
    fn from_iter<I: IntoIterator<Item = (u64, u64)>>(ranges: I) -> PacketList {
        let mut sorted: Vec<(u64, u64)> = ranges.into_iter().filter(|(first, last)| first <= last).collect();
        sorted.sort_unstable();
        let mut merged: Vec<(u64, u64)> = Vec::new();
        for (first, last) in sorted {
            match merged.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => merged.push((first, last)),
            }
        }
        PacketList { ranges: merged.into() }
    }
}

impl FromStr for PacketList {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<PacketList, SpecError> {
        if matches!(text.trim(), "" | "none") {
            return Ok(PacketList::default());
        }
        let number = |text: &str| match text.trim().parse::<u64>() {
            Ok(0) => Err(SpecError::new("packets are numbered from 1: there is no packet 0")),
            Ok(number) => Ok(number),
            Err(_) => Err(SpecError::new(format!(
                "'{}' is not the number of a packet; write for example 5,7-9, counted from 1",
                text.trim()
            ))),
        };
        let range = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return Err(SpecError::new(format!("'{}' goes backwards; write {last}-{first}", part.trim())));
            }
            Ok((first, last))
        };
        text.split(',').map(range).collect()
    }
}

impl fmt::Display for PacketList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        for (at, (first, last)) in self.ranges.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            write!(f, "{comma}{first}")?;
            if first != last {
                write!(f, "-{last}")?;
            }
        }
        Ok(())
    }
}
