//! The stack's settings by Linux's sysctl names.
//!
//! Decides how a name may be written, how a value is read and printed, and what the answer to a bad one is. The names
//! with their meanings and ranges are in `table`, the typed values in `settings`.
//! Invariants: what `get` prints `set` takes back unchanged; `set` either changes exactly one setting or nothing;
//! no value is stored that has no effect: a name whose feature is missing takes only the value that is true anyway.
use core::fmt;

use segue_tcp::CongestionName;

mod ranges;
mod settings;
mod table;

pub use ranges::Ranges;
pub use settings::{CoreSettings, IpSettings, Settings};
pub use table::Reach;
use table::{Entry, TABLE, Value};

/// Why a setting was not read or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SysctlError {
    /// No such name.
    Unknown {
        /// What was asked for.
        name: String,
        /// The nearest existing name, if one is near.
        suggestion: Option<&'static str>,
    },
    /// The value is not of the setting's type or outside its range.
    BadValue {
        /// The setting.
        name: &'static str,
        /// What was given.
        value: String,
        /// What it takes: type, range and unit.
        expected: String,
    },
    /// The value asks for something this stack does not do.
    NotAvailable {
        /// The setting.
        name: &'static str,
        /// What was given.
        value: String,
        /// The one value it has.
        fixed: &'static str,
        /// What is missing, or why it will not come.
        why: &'static str,
    },
    /// The setting can be read only.
    ReadOnly {
        /// The setting.
        name: &'static str,
    },
    /// The setting does not exist any more, and for a reason.
    Removed {
        /// The setting.
        name: &'static str,
        /// The reason.
        why: &'static str,
    },
}

impl fmt::Display for SysctlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SysctlError::Unknown { name, suggestion: Some(near) } => {
                write!(f, "there is no sysctl {name:?}; did you mean {near}?")
            }
            SysctlError::Unknown { name, suggestion: None } => {
                write!(f, "there is no sysctl {name:?}; names are written like net.ipv4.tcp_rmem or tcp_rmem")
            }
            SysctlError::BadValue { name, value, expected } => write!(f, "{name} takes {expected}, not {value:?}"),
            SysctlError::NotAvailable { name, value, fixed, why } => {
                write!(f, "{name} cannot be set to {value:?}: {why}; it is {fixed:?}")
            }
            SysctlError::ReadOnly { name } => write!(f, "{name} can only be read"),
            SysctlError::Removed { name, why } => write!(f, "{name} does not exist: {why}"),
        }
    }
}

impl core::error::Error for SysctlError {}

/// What there is to know about a sysctl beside its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SysctlDescription {
    /// The full name with dots.
    pub name: &'static str,
    /// What it decides, in one line.
    pub meaning: &'static str,
    /// What it may be set to, in words: type, range and unit.
    pub takes: String,
    /// The unit of its numbers, or what they stand for; `None` for what is no number.
    pub unit: Option<&'static str>,
    /// The least that a number of it may be.
    pub lowest: Option<u64>,
    /// The most that a number of it may be.
    pub highest: Option<u64>,
    /// Its value in a new stack.
    pub default: String,
    /// Whom a change reaches.
    pub reach: Reach,
    /// Why it cannot be changed.
    pub why: Option<&'static str>,
}

struct SysctlLimits {
    unit: Option<&'static str>,
    lowest: Option<u64>,
    highest: Option<u64>,
}

impl Settings {
    /// The value of a setting in the form that `sysctl` prints: numbers in decimal, several separated by a tab.
    ///
    /// The name may be written `net.ipv4.tcp_rmem`, `tcp_rmem`, `net/ipv4/tcp_rmem` or `/proc/sys/net/ipv4/tcp_rmem`.
    pub fn get(&self, name: &str) -> Result<String, SysctlError> {
        let entry = find(name)?;
        match &entry.value {
            Value::Integer { get, .. } => Ok(get(self).to_string()),
            Value::Triple { get, .. } => Ok(join(get(self))),
            Value::Ports { get, .. } => {
                let (low, high) = get(self);
                Ok(join([low, high]))
            }
            Value::Names { get, .. } => Ok(get(self).iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" ")),
            Value::Text { get, .. } => Ok(get(self)),
            Value::ReadOnly { get } => Ok(get()),
            Value::Fixed { value, .. } => Ok((*value).to_owned()),
            Value::Removed { why } => Err(SysctlError::Removed { name: entry.name, why }),
        }
    }

    /// Changes a setting. The name may be written as for [`get`](Self::get); numbers may be decimal or `0x` hexadecimal,
    /// several are separated by blanks.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), SysctlError> {
        let entry = find(name)?;
        let mut candidate = self.clone();
        candidate.apply(entry, value)?;
        // Conditions between settings, such as a minimum below its maximum.
        candidate.tcp.validate().map_err(|error| SysctlError::BadValue {
            name: entry.name,
            value: value.to_owned(),
            expected: format!("only what leaves {} {}", error.name, error.expected),
        })?;
        *self = candidate;
        Ok(())
    }

    fn apply(&mut self, entry: &Entry, value: &str) -> Result<(), SysctlError> {
        let bad = || SysctlError::BadValue { name: entry.name, value: value.to_owned(), expected: entry.expected() };
        match &entry.value {
            Value::Integer { set, range, .. } => {
                let [number] = numbers(value).ok_or_else(bad)?;
                if !range.contains(&number) {
                    return Err(bad());
                }
                set(self, number);
            }
            Value::Triple { set, range, .. } => {
                let given: [u64; 3] = numbers(value).ok_or_else(bad)?;
                if !given.is_sorted() || !given.iter().all(|n| range.contains(n)) {
                    return Err(bad());
                }
                // The range of every triple ends at or below u32::MAX.
                set(self, given.map(|n| n as u32));
            }
            Value::Ports { set, .. } => {
                let [low, high]: [u64; 2] = numbers(value).ok_or_else(bad)?;
                if low == 0 || low > high || high > 65_535 {
                    return Err(bad());
                }
                set(self, (low as u16, high as u16));
            }
            Value::Names { set, single, .. } => {
                let names = value.split_whitespace().map(str::parse).collect::<Result<Vec<CongestionName>, _>>();
                let names = names.ok().filter(|names| !single || names.len() == 1).ok_or_else(bad)?;
                set(self, names);
            }
            Value::Text { set, .. } => {
                if !set(self, value) {
                    return Err(bad());
                }
            }
            Value::Fixed { value: fixed, why } => {
                if !value.split_whitespace().eq(fixed.split_whitespace()) {
                    return Err(SysctlError::NotAvailable { name: entry.name, value: value.to_owned(), fixed, why });
                }
            }
            Value::ReadOnly { .. } => return Err(SysctlError::ReadOnly { name: entry.name }),
            Value::Removed { why } => {
                return Err(SysctlError::Removed { name: entry.name, why });
            }
        }
        Ok(())
    }

    /// What there is to know about a name, written as for [`get`](Self::get).
    pub fn describe(name: &str) -> Result<SysctlDescription, SysctlError> {
        let entry = find(name)?;
        let default = Settings::default().get(entry.name)?;
        let why = match &entry.value {
            Value::Fixed { why, .. } => Some(*why),
            _ => None,
        };
        let SysctlLimits { unit, lowest, highest } = entry.limits();
        Ok(SysctlDescription {
            name: entry.name,
            meaning: entry.meaning,
            takes: entry.expected(),
            unit,
            lowest,
            highest,
            default,
            reach: entry.reach,
            why,
        })
    }

    /// Every name that [`get`](Self::get) knows, in full (`net.ipv4.…`), sorted.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().filter(|entry| !matches!(entry.value, Value::Removed { .. })).map(|entry| entry.name)
    }
}

impl Entry {
    fn limits(&self) -> SysctlLimits {
        match &self.value {
            Value::Integer { range, unit, .. } | Value::Triple { range, unit, .. } => {
                SysctlLimits { unit: Some(unit), lowest: Some(*range.start()), highest: Some(*range.end()) }
            }
            Value::Ports { .. } => SysctlLimits { unit: Some("ports"), lowest: Some(1), highest: Some(65_535) },
            _ => SysctlLimits { unit: None, lowest: None, highest: None },
        }
    }

    /// What the setting takes, for the answer to a bad value.
    fn expected(&self) -> String {
        match &self.value {
            Value::Integer { range, unit, .. } => {
                format!("a whole number from {} to {} ({unit})", range.start(), range.end())
            }
            Value::Triple { range, unit, .. } => format!(
                "three whole numbers from {} to {} ({unit}), none smaller than the one before: minimum, default, maximum",
                range.start(),
                range.end()
            ),
            Value::Ports { .. } => "the lowest and the highest port, 1 to 65535, as in \"32768 60999\"".to_owned(),
            Value::Names { single, .. } => {
                let all: Vec<_> = CongestionName::ALL.iter().map(|name| name.as_str()).collect();
                format!("{} of: {}", if *single { "one" } else { "any" }, all.join(" "))
            }
            Value::Text { expected, .. } => (*expected).to_owned(),
            Value::Fixed { value, .. } => format!("only {value:?}"),
            Value::ReadOnly { .. } => "nothing: it can only be read".to_owned(),
            Value::Removed { .. } => "nothing".to_owned(),
        }
    }

    /// The last component: what people type.
    fn short(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }
}

fn find(asked: &str) -> Result<&'static Entry, SysctlError> {
    let name = asked.trim().trim_start_matches("/proc/sys/").trim_start_matches('/').replace('/', ".");
    // A last component that both families have is IPv4's.
    let is_exactly = |full: &str| full == name || full.strip_prefix("net.ipv4.") == Some(name.as_str());
    if let Some(entry) = TABLE.iter().find(|entry| is_exactly(entry.name)) {
        return Ok(entry);
    }
    // An abbreviated name must end at a component's border: "ipv4.tcp_rmem", "tcp_rmem".
    let mut matching =
        TABLE.iter().filter(|entry| entry.name.strip_suffix(name.as_str()).is_some_and(|before| before.ends_with('.')));
    if let (Some(entry), None) = (matching.next(), matching.next()) {
        return Ok(entry);
    }
    let suggestion = nearest(&name);
    Err(SysctlError::Unknown { name: asked.to_owned(), suggestion })
}

/// The known name that differs least, if it differs little. Compared by last component, so that a wrong `net.ipv4`
/// does not hide a right `tcp_rmem`.
fn nearest(name: &str) -> Option<&'static str> {
    // A name longer than any is not near any, and must not cost time either.
    let short = name.rsplit('.').next().filter(|short| !short.is_empty() && short.len() <= 64)?;
    let known = TABLE.iter().filter(|entry| !matches!(entry.value, Value::Removed { .. }));
    let (distance, entry) = known
        .flat_map(|entry| {
            let without_prefix = entry.short().strip_prefix("tcp_").unwrap_or(entry.short());
            [(edit_distance(short, entry.short()), entry), (edit_distance(short, without_prefix), entry)]
        })
        .min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + short.len() / 5).then_some(entry.name)
}

/// Levenshtein's distance: insertions, deletions and replacements that turn one text into the other.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// Exactly `N` whole numbers, decimal or `0x` hexadecimal.
fn numbers<const N: usize>(text: &str) -> Option<[u64; N]> {
    let mut given = text.split_whitespace().map(|word| match word.strip_prefix("0x") {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_hexdigit()) => u64::from_str_radix(digits, 16).ok(),
        None if word.bytes().all(|b| b.is_ascii_digit()) => word.parse().ok(),
        _ => None,
    });
    let mut result = [0; N];
    for slot in &mut result {
        *slot = given.next()??;
    }
    given.next().is_none().then_some(result)
}

fn join<T: fmt::Display, const N: usize>(values: [T; N]) -> String {
    values.map(|value| value.to_string()).join("\t")
}

#[cfg(test)]
mod tests;
