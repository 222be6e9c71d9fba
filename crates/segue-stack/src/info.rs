//! What `ss` shows: one line per socket, half-open connection and TIME-WAIT entry.
use core::net::SocketAddr;

use segue_tcp::Instant;

use crate::socket::Socket;
use crate::socket::datagram::DatagramKind;
use crate::stack::Stack;
use crate::tcp::auth::Keys;
use crate::tcp::opening::Opening;
use crate::tcp::stream::{Role, StreamSocket};
use crate::tcp::time_wait::TimeWaitEntry;
use crate::tuple::{FourTuple, unspecified_like};
use crate::{Cidr, Domain, SocketId, SocketType};

/// A socket, half-open connection or TIME-WAIT entry as `ss` shows it.
#[derive(Clone, Debug)]
pub struct SocketInfo {
    /// Its name; `None` for what no application holds (TIME-WAIT, SYN-RECEIVED, orphans, connections not yet accepted).
    pub socket: Option<SocketId>,
    /// Address family.
    pub domain: Domain,
    /// The user who owns it, of a half-open connection its listener's; 0 for TIME-WAIT, which is nobody's.
    pub uid: u32,
    /// Kind.
    pub kind: SocketType,
    /// RFC 9293's state; `None` for datagram sockets.
    pub state: Option<State>,
    /// Local address; unspecified and port 0 when not bound. Never v4-mapped.
    pub local: SocketAddr,
    /// Peer; `None` when not connected.
    pub peer: Option<SocketAddr>,
    /// Bytes waiting to be read; for a listener: connections waiting to be accepted.
    pub receive_queue: usize,
    /// Bytes sent or to be sent and not acknowledged; for a listener: the backlog.
    pub send_queue: usize,
    /// Bytes of memory held in its queues.
    pub queued_bytes: usize,
    /// What `SO_MEMINFO` would say: bytes received and charged, receive buffer, bytes on their way to the link, send buffer,
    /// what may come without another page, bytes queued and charged, options, backlog, datagrams dropped. `None` for what is
    /// no socket.
    pub memory: Option<[u32; 9]>,
    /// What `TCP_INFO` would say, where there is a connection.
    pub info: Option<segue_tcp::Info>,
    /// What BBR knows of the path (`TCP_CC_INFO`), where it runs.
    pub bbr: Option<segue_tcp::BbrInfo>,
    /// What signs its segments, where something does.
    pub signing: Option<Box<SigningInfo>>,
    /// The running timer of a connection.
    pub timer: Option<segue_tcp::Timer>,
    /// The congestion control of a stream socket.
    pub congestion: Option<segue_tcp::CongestionName>,
}

/// Where a list of sockets that is made in parts goes on. Default: at the beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ListPosition {
    table: u32,
    index: u32,
}

impl ListPosition {
    /// As one number, for messages.
    pub fn as_u64(self) -> u64 {
        u64::from(self.table) << 32 | u64::from(self.index)
    }

    /// The position with this number; of one that there is not, the end.
    pub fn from_u64(number: u64) -> ListPosition {
        ListPosition { table: (number >> 32) as u32, index: number as u32 }
    }
}

/// The keys of a socket, without their secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SigningInfo {
    /// Peers with an MD5 key (`TCP_MD5SIG`).
    pub md5: Vec<Cidr>,
    /// SendID and RecvID of each TCP-AO key, the newest first.
    pub ao: Vec<(u8, u8)>,
    /// SendID of the key that signs (Current_key) and RecvID of the one that is asked for (RNext_key).
    pub current: Option<u8>,
    /// See [`current`](Self::current).
    pub rnext: Option<u8>,
}

impl SocketInfo {
    /// Whether it is a socket with a place in the tables of ports and connections: what `/proc/net/sockstat` counts as `inuse`.
    /// Half-open connections and TIME-WAIT entries are no sockets.
    pub fn is_in_use(&self) -> bool {
        let has_place = match self.state {
            Some(State::Connection(segue_tcp::State::Closed)) => false,
            Some(_) => true,
            None => self.local.port() != 0,
        };
        self.is_socket() && has_place
    }

    /// Half-open connections and TIME-WAIT are entries, not sockets.
    pub(crate) fn is_socket(&self) -> bool {
        self.memory.is_some()
    }

    /// `struct tcp_info` of a connection, as getsockopt(2) gives it for a socket; `None` where there is no connection.
    pub fn tcp_info(&self) -> Option<Vec<u8>> {
        match (self.state?, &self.info) {
            (State::Connection(state), Some(info)) => Some(crate::sockopt::tcp_info::of_connection(state, info)),
            (State::Connection(state), None) => {
                Some(crate::sockopt::tcp_info::of_connection(state, &Default::default()))
            }
            (State::Listen, _) => None,
        }
    }
}

/// The states of RFC 9293 section 3.3.2 (LISTEN belongs to the stack, the others are a connection's).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum State {
    /// Waiting for connections.
    Listen,
    /// A connection's state, as its machine names it.
    Connection(segue_tcp::State),
}

/// How much a stack holds at the moment: what must return to nothing when nothing goes on, and stays bounded whatever does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// Sockets, with connections that no application holds (yet, or any more).
    pub sockets: usize,
    /// Connections that no application holds any more.
    pub orphans: usize,
    /// Half-open connections.
    pub opening: usize,
    /// TIME-WAIT entries.
    pub time_wait: usize,
    /// SYNs that a gateway holds, or has dropped and still absorbs.
    pub held: usize,
    /// Four-tuples in the table of flows: connections and the three before.
    pub flows: usize,
    /// TCP ports in use.
    pub tcp_ports: usize,
    /// UDP ports in use.
    pub udp_ports: usize,
    /// Packets that wait to be served.
    pub backlog: usize,
    /// Deadlines that are set.
    pub timers: usize,
    /// Datagrams that wait for fragments.
    pub fragmented: usize,
    /// Bytes of fragments that wait.
    pub fragment_bytes: usize,
    /// Memory of TCP's queues in pages of 4096 bytes (`/proc/net/sockstat`, `mem`).
    pub tcp_pages: u64,
    /// Memory is short (`tcp_mem`).
    pub is_pressed: bool,
    /// Bytes counted against the memory budget, whether there is one or not.
    pub counted_bytes: u64,
    /// Bytes in the queues of connections. Costs a walk over all sockets; [`Stack::usage_of_tables`] leaves it out.
    pub queued_bytes: usize,
}

impl Stack {
    pub(crate) fn measure(&self) -> Usage {
        let queued_bytes = self.sockets.iter().map(|(_, socket)| queued_bytes(socket)).sum();
        Usage { queued_bytes, ..self.measure_tables() }
    }

    pub(crate) fn measure_tables(&self) -> Usage {
        Usage {
            sockets: self.sockets.len(),
            orphans: self.tcp.orphans as usize,
            opening: self.tcp.entries.opening.len(),
            time_wait: self.tcp.entries.time_wait.len(),
            held: self.tcp.entries.held.len(),
            flows: self.tcp.flows.len(),
            tcp_ports: self.tcp.ports.len(),
            udp_ports: self.datagrams.ports.len(),
            backlog: self.backlog.len(),
            timers: self.timers.len(),
            fragmented: self.reassembler.len(),
            fragment_bytes: self.reassembler.memory(),
            tcp_pages: self.tcp.config.memory.allocated(),
            is_pressed: self.tcp.config.memory.is_pressed(),
            counted_bytes: self.counted_bytes(),
            queued_bytes: 0,
        }
    }

    pub(crate) fn list_sockets(&self, now: Instant) -> impl Iterator<Item = SocketInfo> {
        let entries = &self.tcp.entries;
        let sockets = self.sockets.iter().map(move |(index, socket)| self.describe_socket(now, index, socket));
        let opening = entries.opening.iter().map(|(_, entry)| self.describe_opening(entry));
        let time_wait = entries.time_wait.iter().map(|(_, entry)| describe_time_wait(entry));
        sockets.chain(opening).chain(time_wait)
    }

    /// Looks into `places` places of the tables at most, whether something lies there or not.
    pub(crate) fn list_part(
        &self,
        now: Instant,
        from: ListPosition,
        places: u32,
        each: &mut dyn FnMut(SocketInfo),
    ) -> Option<ListPosition> {
        let entries = &self.tcp.entries;
        let (mut at, mut left) = (from, places.max(1));
        loop {
            let extent = match at.table {
                0 => self.sockets.extent(),
                1 => entries.opening.extent(),
                2 => entries.time_wait.extent(),
                _ => return None,
            };
            let end = extent.min(at.index.saturating_add(left));
            for index in at.index..end {
                let info = match at.table {
                    0 => self.sockets.at(index).map(|socket| self.describe_socket(now, index, socket)),
                    1 => entries.opening.at(index).map(|entry| self.describe_opening(entry)),
                    _ => entries.time_wait.at(index).map(describe_time_wait),
                };
                info.into_iter().for_each(&mut *each);
            }
            left -= end.saturating_sub(at.index);
            if end < extent {
                return Some(ListPosition { index: end, ..at });
            }
            at = ListPosition { table: at.table + 1, index: 0 };
        }
    }

    fn describe_socket(&self, now: Instant, index: u32, socket: &Socket) -> SocketInfo {
        let generation = self.sockets.generation(index).unwrap_or_default();
        let id = (!socket.is_detached()).then_some(SocketId { index, generation });
        SocketInfo { uid: self.owner_of(socket.common()), ..describe(now, id, socket) }
    }

    /// As Linux: a half-open connection is its listener's user's.
    fn describe_opening(&self, entry: &Opening) -> SocketInfo {
        let listener = self.sockets.get(entry.listener.index, entry.listener.generation);
        let uid = listener.map_or(0, |socket| self.owner_of(socket.common()));
        SocketInfo { uid, ..bare(&entry.tuple, segue_tcp::State::SynReceived, entry.passive.timer()) }
    }
}

fn describe_time_wait(entry: &TimeWaitEntry) -> SocketInfo {
    bare(&entry.tuple(), entry.time_wait.state(), entry.time_wait.timer())
}

/// Bytes of memory held in queues.
fn queued_bytes(socket: &Socket) -> usize {
    match socket {
        Socket::Stream(stream) => stream.flow().map_or(0, |flow| flow.connection.memory()),
        Socket::Datagram(datagram) => datagram.receive_queue() + datagram.send_queue(),
    }
}

fn describe(now: Instant, socket: Option<SocketId>, entry: &Socket) -> SocketInfo {
    let common = entry.common();
    let mut info = SocketInfo {
        socket,
        domain: common.domain,
        uid: 0,
        kind: SocketType::Stream,
        state: None,
        local: SocketAddr::new(common.local, common.port),
        peer: None,
        receive_queue: 0,
        send_queue: 0,
        queued_bytes: queued_bytes(entry),
        memory: Some(crate::sockopt::socket_values::memory_info(entry)),
        info: None,
        bbr: None,
        signing: common.rare().keys.as_deref().map(|keys| Box::new(signing(keys))),
        timer: None,
        congestion: None,
    };
    match entry {
        Socket::Stream(stream) => describe_stream(now, stream, &mut info),
        Socket::Datagram(datagram) => {
            info.kind = match datagram.kind {
                DatagramKind::Udp => SocketType::Datagram,
                DatagramKind::Ping => SocketType::Icmp,
            };
            info.peer = datagram.peer;
            info.receive_queue = datagram.receive_queue();
            info.send_queue = datagram.send_queue();
        }
    }
    info
}

fn describe_stream(now: Instant, stream: &StreamSocket, info: &mut SocketInfo) {
    info.congestion = Some(stream.options().congestion.unwrap_or(stream.config().congestion));
    match &stream.role {
        Role::Idle(_) => info.state = Some(State::Connection(segue_tcp::State::Closed)),
        Role::Listener(listener) => {
            info.state = Some(State::Listen);
            info.receive_queue = listener.accept_queue.len();
            info.send_queue = listener.backlog as usize;
        }
        Role::Connected(flow) => {
            info.state = Some(State::Connection(flow.connection.state()));
            info.local = flow.tuple.local_addr();
            info.peer = Some(flow.tuple.peer_addr());
            info.receive_queue = flow.connection.unread();
            info.send_queue = flow.connection.unsent() + flow.connection.unacked();
            info.info = stream.info(now);
            info.bbr = flow.connection.bbr_info();
            info.timer = flow.connection.timer();
        }
    }
}

/// What is known of an entry that is no socket.
fn bare(tuple: &FourTuple, state: segue_tcp::State, timer: Option<segue_tcp::Timer>) -> SocketInfo {
    let is_v4 = unspecified_like(tuple.local).is_ipv4();
    SocketInfo {
        socket: None,
        domain: if is_v4 { Domain::Inet } else { Domain::Inet6 },
        uid: 0,
        kind: SocketType::Stream,
        state: Some(State::Connection(state)),
        local: tuple.local_addr(),
        peer: Some(tuple.peer_addr()),
        receive_queue: 0,
        send_queue: 0,
        queued_bytes: 0,
        memory: None,
        info: None,
        bbr: None,
        signing: None,
        timer,
        congestion: None,
    }
}

fn signing(keys: &Keys) -> SigningInfo {
    let md5 = keys.md5.networks().collect();
    let Some(ao) = keys.ao.as_deref() else { return SigningInfo { md5, ..SigningInfo::default() } };
    let (current, rnext) = ao.in_use();
    let ids = ao.keys.iter().map(|entry| (entry.key.send_id, entry.key.recv_id));
    SigningInfo { md5, ao: ids.collect(), current, rnext }
}
