//! The files of Linux's `/proc/net` about this stack: for programs, and people, who read those.
//!
//! Decides formats, to the character, and nothing else. What is not counted here is 0, as on a kernel on which it never
//! happened; docs/counters.md lists it with the reasons.

mod counters;
mod interfaces;
mod layout;
mod sockets;

use segue_tcp::Instant;

use crate::SocketId;
use crate::stack::Stack;

impl Stack {
    /// The names of the files that [`proc_net`](Self::proc_net) knows.
    pub const PROC_NET: &'static [&'static str] = &[
        "arp",
        "dev",
        "if_inet6",
        "igmp",
        "igmp6",
        "ipv6_route",
        "netstat",
        "route",
        "snmp",
        "snmp6",
        "sockstat",
        "sockstat6",
        "tcp",
        "tcp6",
        "udp",
        "udp6",
    ];

    /// The text of a file of `/proc/net` (`"tcp"`, `"snmp"` …), as Linux writes it; `None`: there is none of this name.
    ///
    /// `inode` is asked for the number of the file of every socket that an application holds (0: it has none): a stack does
    /// not know files.
    pub fn proc_net(&self, now: Instant, file: &str, inode: &dyn Fn(SocketId) -> u64) -> Option<String> {
        Some(match file {
            "arp" => self.neighbour_table(),
            "dev" => self.interface_table(),
            "if_inet6" => self.address6_table(),
            "igmp" => self.group_table(),
            "igmp6" => self.group6_table(),
            "ipv6_route" => self.route6_table(),
            "route" => self.route_table(),
            "netstat" => self.netstat(),
            "snmp" => self.snmp(now),
            "snmp6" => self.snmp6(),
            "sockstat" => self.sockstat(now),
            "sockstat6" => self.sockstat6(now),
            "tcp" => self.tcp_table(now, false, inode),
            "tcp6" => self.tcp_table(now, true, inode),
            "udp" => self.udp_table(now, false, inode),
            "udp6" => self.udp_table(now, true, inode),
            _ => return None,
        })
    }
}
