//! What can be asked of a host, and what it answers: one JSON object per line, both ways.

use std::net::SocketAddr;

use segue_stack::{BbrInfo, Domain, Info, Instant, SigningInfo, SocketInfo, SocketType, Stack, State};
use segue_tcp::{Timer, TimerKind};
use serde::{Deserialize, Serialize};

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Request {
    /// Some of the sockets, half-open connections and TIME-WAIT entries.
    Sockets {
        /// What the answer before said; 0: from the beginning.
        #[serde(default)]
        from: u64,
        /// Leave out what `ss` shows with -i and -m: a tenth of the bytes.
        #[serde(default)]
        brief: bool,
    },
    /// How many there are of what.
    Summary,
    /// Every counter.
    Counters,
    /// Every sysctl with its value.
    Sysctls,
    /// One sysctl, by any spelling of its name.
    Sysctl {
        /// Its name.
        name: String,
    },
    /// Sets a sysctl.
    SetSysctl {
        /// Its name.
        name: String,
        /// The new value as it would be written to `/proc/sys`.
        value: String,
    },
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Answer {
    /// To [`Request::Sockets`].
    Sockets {
        /// They themselves, perhaps none.
        lines: Vec<SocketLine>,
        /// Where to go on; none: that was all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<u64>,
    },
    /// To [`Request::Summary`].
    Summary(Summary),
    /// To [`Request::Counters`].
    Counters {
        /// They themselves, in the order of `nstat`.
        lines: Vec<CounterLine>,
    },
    /// To [`Request::Sysctls`], [`Request::Sysctl`] and [`Request::SetSysctl`].
    Sysctls {
        /// They themselves.
        lines: Vec<SysctlLine>,
    },
    /// The request was refused.
    Error {
        /// Why, and what to do.
        message: String,
    },
}

/// A socket, as `ss` shows one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SocketLine {
    /// `"tcp"`, `"udp"` or `"icmp"`.
    pub netid: String,
    /// `"v4"` or `"v6"`: the family of the socket, not of its addresses.
    pub family: String,
    /// As `ss` names it: `"ESTAB"`, `"LISTEN"`, `"UNCONN"` …
    pub state: String,
    /// Bytes to be read; for a listener: connections to be accepted.
    pub recv_q: usize,
    /// Bytes not acknowledged; for a listener: the backlog.
    pub send_q: usize,
    /// Address and port on this side.
    pub local: SocketAddr,
    /// Address and port of the peer.
    pub peer: Option<SocketAddr>,
    /// The socket's number in its host; none for what no program holds.
    pub socket: Option<u64>,
    /// The user who owns it.
    #[serde(default)]
    pub uid: u32,
    /// The running timer.
    #[serde(default)]
    pub timer: Option<TimerLine>,
    /// Congestion control.
    #[serde(default)]
    pub congestion: Option<String>,
    /// What `SO_MEMINFO` says, in bytes but for the last: received and charged (r), receive buffer (rb), on its way to the
    /// link (t), send buffer (tb), free of what is charged (f), queued and charged (w), options (o), backlog (bl), dropped (d).
    #[serde(default)]
    pub memory: Option<[u32; 9]>,
    /// The fields of Linux's `struct tcp_info` that are numbers, by name; under bbr those of `struct tcp_bbr_info`, too, with
    /// both halves of the bandwidth as `bbr_bw`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub info: Option<std::collections::BTreeMap<String, u64>>,
    /// Keys that sign its segments, as `ss -i` shows them, without the secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signing: Vec<String>,
}

/// A timer, as `ss -o` shows one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimerLine {
    /// `"on"` (retransmission), `"keepalive"`, `"timewait"`, `"persist"`.
    pub name: String,
    /// Milliseconds until it expires.
    pub expires_ms: u64,
    /// How often it has expired in a row.
    pub retransmits: u8,
}

impl TimerLine {
    fn of(timer: &Timer, now: Instant) -> TimerLine {
        let name = match timer.kind {
            TimerKind::Retransmission => "on",
            TimerKind::KeepAlive => "keepalive",
            TimerKind::TimeWait => "timewait",
            TimerKind::Persist => "persist",
        };
        let left = timer.at.saturating_duration_since(now).as_millis();
        let expires_ms = u64::try_from(left).unwrap_or(u64::MAX);
        TimerLine { name: name.to_owned(), expires_ms, retransmits: timer.expired }
    }
}

/// How much a host holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Sockets and the like by `ss`'s name of their state, TCP only.
    pub tcp_states: std::collections::BTreeMap<String, usize>,
    /// TCP sockets over IPv4 and over IPv6.
    pub tcp: [usize; 2],
    /// Those of them that have a place in the tables of ports and connections, as `/proc/net/sockstat` counts `inuse`.
    #[serde(default)]
    pub tcp_in_use: [usize; 2],
    /// UDP sockets, the same.
    pub udp: [usize; 2],
    /// ICMP sockets, the same.
    pub icmp: [usize; 2],
    /// Connections that no program holds any more.
    pub orphans: usize,
    /// Half-open connections.
    pub opening: usize,
    /// TIME-WAIT entries.
    pub time_wait: usize,
    /// Deadlines that are set.
    pub timers: usize,
    /// Datagrams that wait for fragments.
    #[serde(default)]
    pub fragmented: usize,
    /// Bytes in the queues of all connections.
    pub queued_bytes: usize,
    /// Memory of TCP's queues in pages of 4096 bytes.
    #[serde(default)]
    pub tcp_pages: u64,
    /// Memory is short (`tcp_mem`).
    #[serde(default)]
    pub is_pressed: bool,
}

/// A counter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterLine {
    /// As `nstat` names it.
    pub name: String,
    /// How often.
    pub value: u64,
}

/// A sysctl.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SysctlLine {
    /// In full: `net.ipv4.tcp_rmem`.
    pub name: String,
    /// As `sysctl` prints it.
    pub value: String,
}

/// What `ss` calls a state.
fn state_name(state: Option<State>, connected: bool) -> &'static str {
    use segue_tcp::State as Tcp;
    match state {
        Some(State::Listen) => "LISTEN",
        Some(State::Connection(state)) => match state {
            Tcp::Closed => "UNCONN",
            Tcp::SynSent => "SYN-SENT",
            Tcp::SynReceived => "SYN-RECV",
            Tcp::Established => "ESTAB",
            Tcp::FinWait1 => "FIN-WAIT-1",
            Tcp::FinWait2 => "FIN-WAIT-2",
            Tcp::CloseWait => "CLOSE-WAIT",
            Tcp::Closing => "CLOSING",
            Tcp::LastAck => "LAST-ACK",
            Tcp::TimeWait => "TIME-WAIT",
        },
        None if connected => "ESTAB",
        None => "UNCONN",
    }
}

impl SocketLine {
    /// As [`of`](Self::of), without what it measures and its memory.
    pub fn brief(info: &SocketInfo, now: Instant) -> SocketLine {
        SocketLine::with_measures(info, now, false)
    }

    /// A line about a socket of a stack.
    pub fn of(info: &SocketInfo, now: Instant) -> SocketLine {
        SocketLine::with_measures(info, now, true)
    }

    fn with_measures(info: &SocketInfo, now: Instant, has_measures: bool) -> SocketLine {
        let measured = has_measures.then_some(info);
        SocketLine {
            netid: match info.kind {
                SocketType::Stream => "tcp",
                SocketType::Datagram => "udp",
                SocketType::Icmp => "icmp",
            }
            .to_owned(),
            family: if info.domain == Domain::Inet { "v4" } else { "v6" }.to_owned(),
            state: state_name(info.state, info.peer.is_some()).to_owned(),
            recv_q: info.receive_queue,
            send_q: info.send_queue,
            local: info.local,
            peer: info.peer,
            socket: info.socket.map(segue_stack::SocketId::as_u64),
            uid: info.uid,
            timer: info.timer.map(|timer| TimerLine::of(&timer, now)),
            congestion: measured.and_then(|info| info.congestion).map(|name| name.as_str().to_owned()),
            memory: measured.and_then(|info| info.memory),
            info: measured.and_then(|info| info.info.as_ref()).map(|numbers| {
                let mut all = fields(numbers);
                all.extend(info.bbr.iter().flat_map(bbr_fields));
                all
            }),
            signing: measured.and_then(|info| info.signing.as_deref()).map(signing).unwrap_or_default(),
        }
    }
}

/// As `ss` names them: the networks that MD5 keys are for, the keys of TCP-AO and which of them are in use.
fn signing(keys: &SigningInfo) -> Vec<String> {
    let mut words = Vec::new();
    if !keys.md5.is_empty() {
        let networks: Vec<String> = keys.md5.iter().map(ToString::to_string).collect();
        words.push(format!("md5keys:{}", networks.join(",")));
    }
    if !keys.ao.is_empty() {
        let ids: Vec<String> = keys.ao.iter().map(|(send, recv)| format!("{send}/{recv}")).collect();
        words.push(format!("tcp-ao:{}", ids.join(",")));
    }
    words.extend(keys.current.map(|id| format!("current:{id}")));
    words.extend(keys.rnext.map(|id| format!("rnext:{id}")));
    words
}

/// `struct tcp_info` by Linux's names; what is zero is left out.
fn fields(info: &Info) -> std::collections::BTreeMap<String, u64> {
    let numbers: [(&str, u64); 40] = [
        ("ca_state", info.ca_state.into()),
        ("retransmits", info.retransmits.into()),
        ("probes", info.probes.into()),
        ("backoff", info.backoff.into()),
        ("options", info.options.into()),
        ("snd_wscale", info.snd_wscale.into()),
        ("rcv_wscale", info.rcv_wscale.into()),
        ("delivery_rate_app_limited", info.delivery_rate_app_limited.into()),
        ("rto", info.rto.into()),
        ("ato", info.ato.into()),
        ("snd_mss", info.snd_mss.into()),
        ("rcv_mss", info.rcv_mss.into()),
        ("unacked", info.unacked.into()),
        ("sacked", info.sacked.into()),
        ("lost", info.lost.into()),
        ("retrans", info.retrans.into()),
        ("last_data_sent", info.last_data_sent.into()),
        ("last_data_recv", info.last_data_recv.into()),
        ("last_ack_recv", info.last_ack_recv.into()),
        ("pmtu", info.pmtu.into()),
        ("rcv_ssthresh", info.rcv_ssthresh.into()),
        ("rtt", info.rtt.into()),
        ("rttvar", info.rttvar.into()),
        ("snd_ssthresh", info.snd_ssthresh.into()),
        ("snd_cwnd", info.snd_cwnd.into()),
        ("advmss", info.advmss.into()),
        ("reordering", info.reordering.into()),
        ("rcv_rtt", info.rcv_rtt.into()),
        ("rcv_space", info.rcv_space.into()),
        ("total_retrans", info.total_retrans.into()),
        ("pacing_rate", info.pacing_rate),
        ("bytes_acked", info.bytes_acked),
        ("bytes_received", info.bytes_received),
        ("segs_out", info.segs_out.into()),
        ("segs_in", info.segs_in.into()),
        ("notsent_bytes", info.notsent_bytes.into()),
        ("min_rtt", info.min_rtt.into()),
        ("data_segs_in", info.data_segs_in.into()),
        ("data_segs_out", info.data_segs_out.into()),
        ("bytes_sent", info.bytes_sent),
    ];
    let more: [(&str, u64); 16] = [
        ("bytes_retrans", info.bytes_retrans),
        ("rcv_ooopack", info.rcv_ooopack.into()),
        ("snd_wnd", info.snd_wnd.into()),
        ("rcv_wnd", info.rcv_wnd.into()),
        ("total_rto", info.total_rto.into()),
        ("delivery_rate", info.delivery_rate),
        ("max_pacing_rate", info.max_pacing_rate),
        ("busy_time", info.busy_time),
        ("rwnd_limited", info.rwnd_limited),
        ("sndbuf_limited", info.sndbuf_limited),
        ("delivered", info.delivered.into()),
        ("delivered_ce", info.delivered_ce.into()),
        ("dsack_dups", info.dsack_dups.into()),
        ("reord_seen", info.reord_seen.into()),
        ("rehash", info.rehash.into()),
        ("received_ce", info.received_ce.into()),
    ];
    let all = numbers.into_iter().chain(more);
    all.filter(|(_, value)| *value != 0).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// `struct tcp_bbr_info` by Linux's names.
fn bbr_fields(bbr: &BbrInfo) -> [(String, u64); 4] {
    [
        ("bbr_bw", bbr.bw),
        ("bbr_min_rtt", bbr.min_rtt.into()),
        ("bbr_pacing_gain", bbr.pacing_gain.into()),
        ("bbr_cwnd_gain", bbr.cwnd_gain.into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
}

impl Summary {
    /// What needs no look at every socket.
    pub(super) fn of_tables(stack: &Stack) -> Summary {
        let usage = stack.usage_of_tables();
        Summary {
            orphans: usage.orphans,
            opening: usage.opening,
            time_wait: usage.time_wait,
            timers: usage.timers,
            fragmented: usage.fragmented,
            tcp_pages: usage.tcp_pages,
            is_pressed: usage.is_pressed,
            ..Summary::default()
        }
    }

    pub(super) fn count(&mut self, info: &SocketInfo) {
        let family = usize::from(info.domain != Domain::Inet);
        self.queued_bytes += info.queued_bytes;
        match info.kind {
            SocketType::Stream => {
                self.tcp[family] += 1;
                self.tcp_in_use[family] += usize::from(info.is_in_use());
                let name = state_name(info.state, info.peer.is_some());
                match self.tcp_states.get_mut(name) {
                    Some(count) => *count += 1,
                    None => _ = self.tcp_states.insert(name.to_owned(), 1),
                }
            }
            SocketType::Datagram => self.udp[family] += 1,
            SocketType::Icmp => self.icmp[family] += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_shown_by_network_and_number_and_never_by_secret() {
        let keys = SigningInfo {
            md5: vec!["10.0.0.0/8".parse().unwrap(), "fd00::1/128".parse().unwrap()],
            ao: vec![(61, 84), (5, 6)],
            current: Some(61),
            rnext: Some(6),
        };
        let words = ["md5keys:10.0.0.0/8,fd00::1/128", "tcp-ao:61/84,5/6", "current:61", "rnext:6"];
        assert_eq!(signing(&keys), words);
        assert!(signing(&SigningInfo::default()).is_empty());
    }
}
