//! `/proc/net/snmp`, `netstat` and `snmp6`.
use core::fmt::Write as _;
use std::collections::BTreeMap;

use segue_tcp::{Instant, State as Tcp};

use super::layout::{NETSTAT, SNMP, SNMP6, SNMP6_UDP};
use crate::info::State;
use crate::stack::Stack;

/// Counters by name.
type Values = BTreeMap<&'static str, u64>;

/// A group as two lines: names, values.
fn group(out: &mut String, name: &str, columns: impl Iterator<Item = (String, i128)>) {
    let (mut names, mut values) = (format!("{name}:"), format!("{name}:"));
    for (column, value) in columns {
        let _ = write!(names, " {column}");
        let _ = write!(values, " {value}");
    }
    let _ = writeln!(out, "{names}\n{values}");
}

fn counted(values: &Values, name: &str) -> i128 {
    values.get(name).copied().unwrap_or(0).into()
}

impl Stack {
    fn values(&self) -> Values {
        self.counters.iter().collect()
    }

    pub(super) fn netstat(&self) -> String {
        let (values, mut out) = (self.values(), String::new());
        for (name, columns) in NETSTAT {
            let full =
                columns.split(' ').map(|column| (column.to_owned(), counted(&values, &format!("{name}{column}"))));
            group(&mut out, name, full);
        }
        out
    }

    pub(super) fn snmp(&self, now: Instant) -> String {
        let (values, mut out) = (self.values(), String::new());
        for (name, columns) in SNMP {
            let full = columns.split(' ').map(|column| {
                let value =
                    self.setting(now, name, column).unwrap_or_else(|| counted(&values, &format!("{name}{column}")));
                (column.to_owned(), value)
            });
            group(&mut out, name, full);
        }
        out
    }

    /// What stands among the counters and is none.
    fn setting(&self, now: Instant, group: &str, column: &str) -> Option<i128> {
        Some(match (group, column) {
            // RFC 4293: 2 is a host that forwards nothing.
            ("Ip", "Forwarding") => 2,
            ("Ip", "DefaultTTL") => self.settings.ip.default_ttl.into(),
            // RFC 4022: 1 stands for other algorithms than those it knows; -1 for no bound.
            ("Tcp", "RtoAlgorithm") => 1,
            ("Tcp", "RtoMin") => 200,
            ("Tcp", "RtoMax") => 120_000,
            ("Tcp", "MaxConn") => -1,
            ("Tcp", "CurrEstab") => {
                let is_open = |state| matches!(state, Some(State::Connection(Tcp::Established | Tcp::CloseWait)));
                self.list_sockets(now).filter(|info| is_open(info.state)).count() as i128
            }
            _ => return None,
        })
    }

    pub(super) fn snmp6(&self) -> String {
        let (values, mut out) = (self.values(), String::new());
        for name in SNMP6.split(' ').chain(SNMP6_UDP.split(' ')) {
            let _ = writeln!(out, "{name:<32}\t{}", counted(&values, name));
        }
        out
    }
}
