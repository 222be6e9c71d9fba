//! `/proc/net/tcp`, `udp`, `sockstat` and their kin of IPv6.
use core::fmt::Write as _;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use segue_tcp::{Info, Instant, State as Tcp, TimerKind};

use crate::info::{SocketInfo, State};
use crate::stack::Stack;
use crate::{Domain, SocketId, SocketType};

/// `USER_HZ`: times are in hundredths of seconds.
const TICKS: u128 = 100;
/// What a slow start threshold that was never set is at least (`TCP_INFINITE_SSTHRESH`).
const NO_THRESHOLD: u32 = 0x7fff_ffff;

/// The kernel's numbers of states (`include/net/tcp_states.h`).
fn number(state: State) -> u8 {
    match state {
        State::Listen => 10,
        State::Connection(state) => match state {
            Tcp::Established => 1,
            Tcp::SynSent => 2,
            Tcp::SynReceived => 3,
            Tcp::FinWait1 => 4,
            Tcp::FinWait2 => 5,
            Tcp::TimeWait => 6,
            Tcp::Closed => 7,
            Tcp::CloseWait => 8,
            Tcp::LastAck => 9,
            Tcp::Closing => 11,
        },
    }
}

/// An address as the words of memory that it is, in hexadecimal, and the port.
fn shown(address: SocketAddr, v6: bool) -> String {
    let (ip, port) = (address.ip(), address.port());
    match (ip, v6) {
        (IpAddr::V4(ip), false) => format!("{:08X}:{port:04X}", u32::from_ne_bytes(ip.octets())),
        (IpAddr::V4(Ipv4Addr::UNSPECIFIED), true) => words(Ipv6Addr::UNSPECIFIED, port),
        (IpAddr::V4(ip), true) => words(ip.to_ipv6_mapped(), port),
        (IpAddr::V6(ip), _) => words(ip, port),
    }
}

fn words(ip: Ipv6Addr, port: u16) -> String {
    let mut out = String::new();
    for word in ip.octets().as_chunks::<4>().0 {
        let _ = write!(out, "{:08X}", u32::from_ne_bytes(*word));
    }
    let _ = write!(out, ":{port:04X}");
    out
}

fn unspecified(v6: bool) -> SocketAddr {
    let ip = if v6 { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) };
    SocketAddr::new(ip, 0)
}

fn is_v6(info: &SocketInfo) -> bool {
    info.domain == Domain::Inet6
}

/// Number and expiry of the running timer, how often it has expired.
fn timer(info: &SocketInfo, now: Instant) -> (u8, u128, u8) {
    let Some(timer) = &info.timer else { return (0, 0, 0) };
    let kind = match timer.kind {
        TimerKind::Retransmission => 1,
        TimerKind::KeepAlive => 2,
        TimerKind::TimeWait => 3,
        TimerKind::Persist => 4,
    };
    let left = timer.at.saturating_duration_since(now).as_millis() * TICKS / 1000;
    // tcp(5): of keep-alive the fifth column of the kind tells, not this one.
    (kind, left, if kind == 1 { timer.expired } else { 0 })
}

/// The columns behind the number of the socket's file: references and pointer, and of a connection its figures.
fn tail(info: &SocketInfo, state: Tcp) -> String {
    let figures = |info: &Info| {
        let threshold = if info.snd_ssthresh >= NO_THRESHOLD { -1 } else { i64::from(info.snd_ssthresh) };
        format!(" {} {} 0 {} {threshold}", info.rto / 10_000, info.ato / 10_000, info.snd_cwnd)
    };
    match (&info.info, state) {
        // What is not a whole socket has none: SYN-RECEIVED, TIME-WAIT.
        (_, Tcp::SynReceived | Tcp::TimeWait) | (None, Tcp::FinWait2) => String::new(),
        (Some(info), _) => figures(info),
        (None, _) => " 100 0 0 10 0".to_owned(),
    }
}

impl Stack {
    fn of_kind(&self, now: Instant, kind: SocketType, v6: bool) -> impl Iterator<Item = SocketInfo> {
        self.list_sockets(now).filter(move |info| info.kind == kind && is_v6(info) == v6)
    }

    pub(super) fn tcp_table(&self, now: Instant, v6: bool, inode: &dyn Fn(SocketId) -> u64) -> String {
        let title = if v6 {
            "  sl  local_address                         remote_address                        \
             st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
                .to_owned()
        } else {
            pad("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode", 149)
        };
        let mut out = title + "\n";
        // A socket without an address is in no table of the kernel's either.
        let listed = self
            .of_kind(now, SocketType::Stream, v6)
            .filter(|info| !matches!(info.state, None | Some(State::Connection(Tcp::Closed))));
        for (at, info) in listed.enumerate() {
            let Some(state) = info.state else { continue };
            let line = tcp_line(at, &info, state, now, info.socket.map_or(0, inode));
            out.push_str(&if v6 { line } else { pad(&line, 149) });
            out.push('\n');
        }
        out
    }

    pub(super) fn udp_table(&self, now: Instant, v6: bool, inode: &dyn Fn(SocketId) -> u64) -> String {
        let title = if v6 {
            "  sl  local_address                         remote_address                        \
             st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops"
                .to_owned()
        } else {
            pad(
                "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref \
                 pointer drops",
                127,
            )
        };
        let mut out = title + "\n";
        let listed = self.of_kind(now, SocketType::Datagram, v6).filter(|info| info.local.port() != 0);
        for (at, info) in listed.enumerate() {
            let inode = info.socket.map_or(0, inode);
            let memory = info.memory.unwrap_or_default();
            let line = format!(
                "{at:5}: {} {} {:02X} {:08X}:{:08X} 00:00000000 00000000 {:5}        0 {} 2 {:016x} {}",
                shown(info.local, v6),
                shown(info.peer.unwrap_or(unspecified(v6)), v6),
                if info.peer.is_some() { 1 } else { 7 },
                memory[2],
                memory[0],
                info.uid,
                inode,
                0,
                memory[8],
            );
            out.push_str(&if v6 { line } else { pad(&line, 127) });
            out.push('\n');
        }
        out
    }

    pub(super) fn sockstat(&self, now: Instant) -> String {
        let usage = self.usage();
        let count = |kind, v6| self.of_kind(now, kind, v6).filter(SocketInfo::is_in_use).count();
        let streams = |v6| self.of_kind(now, SocketType::Stream, v6).filter(SocketInfo::is_socket).count();
        let charged = |v6| {
            let memory = |info: SocketInfo| info.memory.map_or(0, |memory| memory[0] as usize);
            self.of_kind(now, SocketType::Datagram, v6).map(memory).sum::<usize>()
        };
        let mut out = String::new();
        let _ = writeln!(out, "sockets: used {}", self.list_sockets(now).filter(SocketInfo::is_socket).count());
        let _ = writeln!(
            out,
            "TCP: inuse {} orphan {} tw {} alloc {} mem {}",
            count(SocketType::Stream, false),
            usage.orphans,
            usage.time_wait,
            streams(false) + streams(true),
            usage.tcp_pages,
        );
        let pages = (charged(false) + charged(true)).div_ceil(4096);
        let _ = writeln!(out, "UDP: inuse {} mem {pages}", count(SocketType::Datagram, false));
        let _ = writeln!(out, "UDPLITE: inuse 0\nRAW: inuse 0");
        let _ = writeln!(out, "FRAG: inuse {} memory {}", usage.fragmented, usage.fragment_bytes);
        out
    }

    pub(super) fn sockstat6(&self, now: Instant) -> String {
        let count = |kind| self.of_kind(now, kind, true).filter(SocketInfo::is_in_use).count();
        format!(
            "TCP6: inuse {}\nUDP6: inuse {}\nUDPLITE6: inuse 0\nRAW6: inuse 0\nFRAG6: inuse 0 memory 0\n",
            count(SocketType::Stream),
            count(SocketType::Datagram),
        )
    }
}

fn tcp_line(at: usize, info: &SocketInfo, state: State, now: Instant, inode: u64) -> String {
    let v6 = is_v6(info);
    let (kind, left, expired) = timer(info, now);
    // A listener's backlog is not said here.
    let to_send = if state == State::Listen { 0 } else { info.send_queue };
    let connection = match state {
        State::Listen => Tcp::Closed,
        State::Connection(state) => state,
    };
    format!(
        "{at:4}: {} {} {:02X} {to_send:08X}:{:08X} {kind:02X}:{left:08X} {expired:08X} {:5} {:8} {} 1 {:016x}{}",
        shown(info.local, v6),
        shown(info.peer.unwrap_or(unspecified(v6)), v6),
        number(state),
        info.receive_queue,
        info.uid,
        info.info.as_ref().map_or(0, |info| info.probes),
        inode,
        0,
        tail(info, connection),
    )
}

fn pad(line: &str, width: usize) -> String {
    format!("{line:<width$}")
}
