//! The stage: a client and a server 10 ms apart, what they do, and the checks that they did.
//!
//! Decides nothing about the protocol. Everything said and every segment goes to one printer, in order of time.
use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use segue_link::{Impairments, PathConfig};
use segue_stack::{
    AoAlgorithm, AoKey, Cidr, Domain, Errno, IfaceConfig, Info, MsgFlags, Ready, Shutdown, SocketId, SocketOption,
    SocketType, StackConfig, State,
};
use segue_wire::tcp::{self, OptionBytes};
use segue_wire::{ChecksumState, Chunks, Ipv4Header, Packet, TcpFlags, TcpHeader};

use crate::error::{LabError, elapsed};
use crate::lab::{CableId, HostId, Lab};
use crate::tap::{Moment, Observer, Sighting};
use crate::transfer::LinePrinter;

/// How long a packet takes from one side to the other.
pub(super) const ONE_WAY: Duration = Duration::from_millis(10);
pub(super) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
pub(super) const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// The port the client's connections come from where a story needs the same one twice.
pub(super) const CLIENT_PORT: u16 = 40_000;

const SOL_TCP: i32 = 6;

/// `TCP_*` by Linux's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TcpOption {
    DeferAccept = 9,
    FastOpen = 23,
    FastOpenConnect = 30,
}

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

impl Side {
    fn other(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}

/// Takes lines from everybody on the stage.
#[derive(Clone)]
pub(super) struct Printer(Rc<RefCell<LinePrinter>>);

impl Printer {
    pub(super) fn line(&self, line: &str) {
        (self.0.borrow_mut())(line);
    }
}

/// A TCP packet that one side sent.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) at: Duration,
    pub(super) side: Side,
    pub(super) header: TcpHeader,
    pub(super) payload: usize,
    pub(super) options: OptionBytes,
}

impl Sent {
    pub(super) fn has(&self, flags: TcpFlags) -> bool {
        self.header.flags.contains(flags)
    }
}

/// Remembers what was sent.
struct Log {
    client: HostId,
    sent: Rc<RefCell<Vec<Sent>>>,
}

impl Observer for Log {
    fn on_packet(&mut self, _lab: &Lab, sighting: Sighting<'_>) {
        if sighting.moment == Moment::Arrived {
            return;
        }
        let side = if sighting.from == self.client { Side::Client } else { Side::Server };
        if let Some(sent) = read(elapsed(sighting.now), side, sighting.packet) {
            self.sent.borrow_mut().push(sent);
        }
    }
}

fn read(at: Duration, side: Side, packet: &Packet) -> Option<Sent> {
    let (_ip, length) = Ipv4Header::parse(packet.head()).ok()?;
    let (header, options, front) = TcpHeader::parse(packet.head().get(length..)?).ok()?;
    let payload = packet.len() - length - front;
    Some(Sent { at, side, header, payload, options: OptionBytes::from_slice(options)? })
}

/// The TCP header of a packet, for rules that say what is lost.
pub(super) fn tcp_of(packet: &Packet) -> Option<(TcpHeader, usize)> {
    read(Duration::ZERO, Side::Client, packet).map(|sent| (sent.header, sent.payload))
}

pub(super) struct Stage {
    pub(super) lab: Lab,
    client: HostId,
    server: HostId,
    cable: CableId,
    printer: Printer,
    sent: Rc<RefCell<Vec<Sent>>>,
    /// Sysctls of a host that starts again.
    lives: u64,
}

impl Stage {
    pub(super) fn new(seed: u64, print: LinePrinter) -> Stage {
        let mut lab = Lab::new(seed);
        let client = lab.add_host("client", StackConfig::new(lab.host_seed(1)));
        let server = lab.add_host("server", StackConfig::new(lab.host_seed(2)));
        let iface = |address: Ipv4Addr| IfaceConfig {
            addresses: vec![Cidr::new(IpAddr::V4(address), 24).unwrap_or_else(|_| unreachable!())],
            ..IfaceConfig::new("eth0", 1500)
        };
        let delay = Impairments { delay: ONE_WAY, ..Impairments::default() };
        let path = PathConfig::symmetric(delay).unwrap_or_else(|_| unreachable!("a delay is always possible"));
        let cable = lab.connect((client, iface(CLIENT)), (server, iface(SERVER)), path.with_seed(seed));
        let sent = Rc::new(RefCell::new(Vec::new()));
        lab.observe(Log { client, sent: sent.clone() });
        Stage { lab, client, server, cable, printer: Printer(Rc::new(RefCell::new(print))), sent, lives: 2 }
    }

    pub(super) fn ends(&self) -> (HostId, HostId) {
        (self.client, self.server)
    }

    pub(super) fn printer(&self) -> Printer {
        self.printer.clone()
    }

    pub(super) fn host(&self, side: Side) -> HostId {
        match side {
            Side::Client => self.client,
            Side::Server => self.server,
        }
    }

    /// Narration.
    pub(super) fn say(&self, text: &str) {
        self.printer.line(&format!("{:>13.6}  # {text}", self.lab.elapsed().as_secs_f64()));
    }

    /// What must hold for the story to be true.
    pub(super) fn check(&self, holds: bool, what: impl Into<String>) -> Result<(), LabError> {
        if holds { Ok(()) } else { Err(self.wrong(what.into())) }
    }

    fn wrong(&self, what: String) -> LabError {
        LabError::Story { what, at: self.lab.elapsed(), seed: self.lab.seed(), hosts: self.lab.host_states() }
    }

    /// Both connections are in these states; `CLOSED` also when there is none.
    pub(super) fn expect_states(&self, client: &str, server: &str) -> Result<(), LabError> {
        let seen = (self.state(Side::Client), self.state(Side::Server));
        self.check(
            seen == (client, server),
            format!("the client should be in {client} and the server in {server}, not in {} and {}", seen.0, seen.1),
        )
    }

    /// The state of the youngest connection of a side.
    pub(super) fn state(&self, side: Side) -> &'static str {
        let sockets = self.lab.host(self.host(side)).sockets(self.lab.now());
        let states = sockets.filter_map(|socket| match socket.state {
            Some(State::Connection(state)) => Some(state.name()).filter(|name| *name != "CLOSED"),
            _ => None,
        });
        states.last().unwrap_or("CLOSED")
    }

    /// Time passes.
    pub(super) fn pass(&mut self, time: Duration) -> Result<(), LabError> {
        self.lab.run_for(time)
    }

    /// Enough time for everything that is under way to arrive and be answered.
    pub(super) fn rest(&mut self) -> Result<(), LabError> {
        self.pass(ONE_WAY * 4)
    }

    fn call<T>(
        &mut self,
        side: Side,
        name: &'static str,
        call: impl FnOnce(&mut segue_stack::Stack, segue_stack::Instant) -> Result<T, Errno>,
    ) -> Result<T, LabError> {
        let host = self.host(side);
        let (stack, now) = self.lab.host_mut(host);
        call(stack, now).map_err(|errno| LabError::Socket {
            host: self.lab.name(host).to_owned(),
            call: name,
            errno,
            at: self.lab.elapsed(),
            seed: self.lab.seed(),
            hosts: self.lab.host_states(),
        })
    }

    /// The server listens on port 80.
    pub(super) fn listen(&mut self) -> Result<SocketId, LabError> {
        self.listen_with(16)
    }

    pub(super) fn listen_with(&mut self, backlog: i32) -> Result<SocketId, LabError> {
        self.call(Side::Server, "listen", |stack, now| {
            let listener = stack.socket(Domain::Inet, SocketType::Stream)?;
            stack.set_option(now, listener, SocketOption::ReuseAddress(true))?;
            stack.bind(now, listener, SocketAddr::from((SERVER, 80)))?;
            stack.listen(listener, backlog)?;
            Ok(listener)
        })
    }

    /// A socket of the server's listens on port 80, too.
    pub(super) fn listen_on(&mut self, socket: SocketId, backlog: i32) -> Result<(), LabError> {
        self.call(Side::Server, "listen", |stack, now| {
            stack.bind(now, socket, SocketAddr::from((SERVER, 80)))?;
            stack.listen(socket, backlog)
        })
    }

    /// A socket of a side, bound where that is said.
    pub(super) fn socket(&mut self, side: Side, port: Option<u16>) -> Result<SocketId, LabError> {
        let address = if side == Side::Client { CLIENT } else { SERVER };
        self.call(side, "socket", |stack, now| {
            let socket = stack.socket(Domain::Inet, SocketType::Stream)?;
            if let Some(port) = port {
                stack.set_option(now, socket, SocketOption::ReuseAddress(true))?;
                stack.bind(now, socket, SocketAddr::from((address, port)))?;
            }
            Ok(socket)
        })
    }

    /// connect(), which goes on in the background.
    pub(super) fn connect_to(&mut self, side: Side, socket: SocketId, to: SocketAddr) -> Result<(), LabError> {
        self.call(side, "connect", |stack, now| match stack.connect(now, socket, to) {
            Err(Errno::EINPROGRESS) => Ok(()),
            other => other,
        })
    }

    /// The client connects to the server's port 80.
    pub(super) fn connect(&mut self) -> Result<SocketId, LabError> {
        self.connect_from(None)
    }

    pub(super) fn connect_from(&mut self, port: Option<u16>) -> Result<SocketId, LabError> {
        let socket = self.socket(Side::Client, port)?;
        self.connect_to(Side::Client, socket, SocketAddr::from((SERVER, 80)))?;
        self.lab.settle()?;
        Ok(socket)
    }

    pub(super) fn accept(&mut self, listener: SocketId) -> Result<SocketId, LabError> {
        self.call(Side::Server, "accept", |stack, now| stack.accept(now, listener).map(|(socket, _peer)| socket))
    }

    /// A connection, both ends at hand, and the listener.
    pub(super) fn established(&mut self) -> Result<Pair, LabError> {
        let listener = self.listen()?;
        let client = self.connect_from(Some(CLIENT_PORT))?;
        self.rest()?;
        let server = self.accept(listener)?;
        self.expect_states("ESTABLISHED", "ESTABLISHED")?;
        Ok(Pair { client, server, listener })
    }

    pub(super) fn send(&mut self, side: Side, socket: SocketId, data: &[u8]) -> Result<(), LabError> {
        let sent = self.call(side, "send", |stack, now| stack.send(now, socket, data, MsgFlags::empty()))?;
        self.check(sent == data.len(), "the socket should take it all")
    }

    /// What a program would get from recv(): bytes, none of them at the end of the stream, or an error.
    pub(super) fn recv(&mut self, side: Side, socket: SocketId) -> Result<Vec<u8>, Errno> {
        let host = self.host(side);
        let (stack, now) = self.lab.host_mut(host);
        let mut buffer = [0; 65536];
        stack.recv(now, socket, &mut buffer, MsgFlags::empty()).map(|n| buffer[..n].to_vec())
    }

    /// recv() gives exactly this.
    pub(super) fn reads(
        &mut self,
        side: Side,
        socket: SocketId,
        expected: Result<Vec<u8>, Errno>,
        what: &str,
    ) -> Result<(), LabError> {
        let read = self.recv(side, socket);
        self.check(read == expected, format!("{what}: recv() should give {expected:?}, not {read:?}"))
    }

    /// The error a write meets.
    pub(super) fn send_error(&mut self, side: Side, socket: SocketId) -> Option<Errno> {
        let host = self.host(side);
        let (stack, now) = self.lab.host_mut(host);
        stack.send(now, socket, b"x", MsgFlags::empty()).err()
    }

    pub(super) fn shutdown(&mut self, side: Side, socket: SocketId, how: Shutdown) -> Result<(), LabError> {
        self.call(side, "shutdown", |stack, now| stack.shutdown(now, socket, how))
    }

    pub(super) fn close(&mut self, side: Side, socket: SocketId) -> Result<(), LabError> {
        self.call(side, "close", |stack, now| stack.close(now, socket))
    }

    pub(super) fn option(&mut self, side: Side, socket: SocketId, option: SocketOption) -> Result<(), LabError> {
        self.call(side, "setsockopt", |stack, now| stack.set_option(now, socket, option))
    }

    pub(super) fn sysctl(&mut self, side: Side, name: &str, value: &str) -> Result<(), LabError> {
        let host = self.host(side);
        let (stack, now) = self.lab.host_mut(host);
        stack.set_sysctl(now, name, value).map_err(LabError::from)
    }

    /// A side's socket signs its segments to the other side, and takes none from there that is not signed (TCP-AO).
    pub(super) fn sign(&mut self, side: Side, socket: SocketId) -> Result<(), LabError> {
        let peer = if side == Side::Client { SERVER } else { CLIENT };
        let key = AoKey {
            send_id: 1,
            recv_id: 1,
            algorithm: AoAlgorithm::HmacSha1,
            mac_len: 12,
            covers_options: true,
            master: (*b"known to both")[..].into(),
        };
        self.call(side, "setsockopt", |stack, now| stack.add_ao_key(now, socket, Cidr::host(peer.into()), key))
    }

    /// SO_ERROR.
    pub(super) fn error(&mut self, side: Side, socket: SocketId) -> Result<Option<Errno>, LabError> {
        self.call(side, "getsockopt", |stack, now| stack.take_error(now, socket))
    }

    pub(super) fn ready(&self, side: Side, socket: SocketId) -> Ready {
        self.lab.host(self.host(side)).readiness(socket)
    }

    /// A side loses all memory and starts again.
    pub(super) fn reboot(&mut self, side: Side) {
        self.lives += 1;
        let config = StackConfig::new(self.lab.host_seed(self.lives));
        self.lab.reboot(self.host(side), config);
    }

    /// The first `times` packets of a side for which `rule` holds are lost.
    pub(super) fn lose(&mut self, side: Side, times: u32, rule: impl Fn(&TcpHeader, usize) -> bool + 'static) {
        let (from, mut left) = (self.host(side), times);
        self.lab.drop_when(move |sighting| {
            let hit = sighting.from == from
                && left > 0
                && tcp_of(sighting.packet).is_some_and(|(header, payload)| rule(&header, payload));
            left -= u32::from(hit);
            hit
        });
    }

    /// Nothing that a side sends arrives any more.
    pub(super) fn cut(&mut self, side: Side) {
        self.lose(side, u32::MAX, |_, _| true);
    }

    pub(super) fn mend(&mut self) {
        self.lab.drop_when(|_| false);
    }

    /// What a side has sent so far.
    pub(super) fn sent_by(&self, side: Side) -> Vec<Sent> {
        self.sent.borrow().iter().filter(|sent| sent.side == side).cloned().collect()
    }

    /// The times of all packets of a side for which `rule` holds.
    pub(super) fn times(&self, side: Side, rule: impl Fn(&Sent) -> bool) -> Vec<Duration> {
        self.sent_by(side).iter().filter(|sent| rule(sent)).map(|sent| sent.at).collect()
    }

    pub(super) fn last_sent(&self, side: Side) -> Result<Sent, LabError> {
        self.sent_by(side).pop().ok_or_else(|| self.wrong("something should have been sent".into()))
    }

    /// The network brings `to` a segment made after one that its peer has sent: an old duplicate or a forgery.
    pub(super) fn bring(
        &mut self,
        to: Side,
        model: &Sent,
        change: impl FnOnce(&mut TcpHeader),
    ) -> Result<(), LabError> {
        let mut header = model.header;
        change(&mut header);
        let (source, destination) = if to == Side::Server { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
        let length = tcp::MIN_HEADER_LEN + model.options.len();
        let sum = tcp::pseudo_sum(source.into(), destination.into(), length);
        header.checksum = sum.map_or(0, |sum| sum.fold());
        let ip = Ipv4Header {
            total_length: (20 + length) as u16,
            ttl: 64,
            protocol: segue_wire::Protocol::TCP,
            source,
            destination,
            dont_fragment: true,
            ..Ipv4Header::default()
        };
        let mut bytes = vec![0; 20 + length];
        ip.emit(&mut bytes);
        let _ = tcp::emit(&header, &model.options, &mut bytes[20..]);
        let partial = ChecksumState::Partial { start: 20, field: 16 };
        let mut packet = Packet::from_headers(&bytes, Chunks::new(), partial, None);
        packet.finish_checksum();
        self.bring_packet(to, packet)
    }

    /// The network brings `to` a packet that nobody here has sent.
    pub(super) fn bring_packet(&mut self, to: Side, packet: Packet) -> Result<(), LabError> {
        let host = self.host(to);
        self.lab.inject(self.cable, host, packet);
        self.lab.settle()
    }

    /// TCP_INFO of the youngest connection of a side.
    pub(super) fn info(&self, side: Side) -> Result<Info, LabError> {
        let sockets = self.lab.host(self.host(side)).sockets(self.lab.now());
        let infos = sockets.filter_map(|socket| match socket.state {
            Some(State::Connection(_)) => socket.info,
            _ => None,
        });
        infos.last().ok_or_else(|| self.wrong("there should be a connection".into()))
    }

    /// A counter of a side, by the name that nstat has for it.
    pub(super) fn counter(&self, side: Side, name: &str) -> u64 {
        self.lab.host(self.host(side)).counters().by_name(name).unwrap_or(0)
    }

    /// Connections of a side that are half open.
    pub(super) fn half_open(&self, side: Side) -> usize {
        self.in_state(side, "SYN-RECEIVED")
    }

    /// Connections of a side in a state.
    pub(super) fn in_state(&self, side: Side, state: &str) -> usize {
        let sockets = self.lab.host(self.host(side)).sockets(self.lab.now());
        let states = sockets.filter_map(|socket| match socket.state {
            Some(State::Connection(state)) => Some(state.name()),
            _ => None,
        });
        states.filter(|name| *name == state).count()
    }

    /// As much as the socket takes now.
    pub(super) fn send_some(&mut self, side: Side, socket: SocketId, data: &[u8]) -> Result<usize, LabError> {
        self.call(side, "send", |stack, now| match stack.send(now, socket, data, MsgFlags::empty()) {
            Err(Errno::EAGAIN) => Ok(0),
            other => other,
        })
    }

    /// An option of `IPPROTO_TCP` that is a number.
    pub(super) fn tcp_option(
        &mut self,
        side: Side,
        socket: SocketId,
        option: TcpOption,
        value: i32,
    ) -> Result<(), LabError> {
        self.call(side, "setsockopt", |stack, now| {
            stack.setsockopt(now, socket, SOL_TCP, option as i32, &value.to_ne_bytes())
        })
    }

    /// From now on the way between the two is another: through a router whose next hop takes `mtu` bytes, and which says so.
    pub(super) fn narrow(&mut self, mtu: usize) {
        let impairments = Impairments { delay: ONE_WAY, mtu: Some(mtu), ..Impairments::default() };
        let path =
            PathConfig::symmetric(impairments).unwrap_or_else(|_| unreachable!("the MTU is one that a path can have"));
        self.lab.reroute(self.cable, path);
    }

    /// TCP_CONGESTION.
    pub(super) fn congestion(&mut self, side: Side, socket: SocketId, name: &str) -> Result<(), LabError> {
        const TCP_CONGESTION: i32 = 13;
        self.call(side, "setsockopt", |stack, now| {
            stack.setsockopt(now, socket, SOL_TCP, TCP_CONGESTION, name.as_bytes()).map(drop)
        })
    }

    /// The last segment that `to`'s peer has sent, to make others after.
    pub(super) fn model_for(&self, to: Side) -> Result<Sent, LabError> {
        self.last_sent(to.other())
    }
}

/// Both ends of a connection and the listener it came through.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    pub(super) client: SocketId,
    pub(super) server: SocketId,
    pub(super) listener: SocketId,
}
