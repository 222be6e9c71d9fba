//! Two connections in virtual time, with a path between them that can be made bad by seed.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

pub mod peer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use segue_tcp::*;

/// A small reproducible generator (64-bit LCG, high bits).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0 >> 33
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// True with a chance of `per_mille` in a thousand.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }
}

/// FNV-1a over a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hash(u64);

impl Hash {
    pub fn new() -> Hash {
        Hash(0xcbf2_9ce4_8422_2325)
    }

    pub fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

/// Byte `at` of the stream that `salt` names.
pub fn byte_at(salt: u64, at: u64) -> u8 {
    let mixed = (at ^ salt.rotate_left(17)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 56) as u8
}

/// What the path does, each way.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    pub delay: Duration,
    pub jitter: Duration,
    pub loss: u64,
    pub duplicate: u64,
    pub reorder: u64,
    /// Packets that may be are marked CE so often.
    pub mark: u64,
    /// Super-segments travel whole.
    pub whole: bool,
    /// Bits per second; 0 unlimited.
    pub rate: u64,
}

impl Default for Path {
    fn default() -> Path {
        Path {
            delay: Duration::from_millis(10),
            jitter: Duration::ZERO,
            loss: 0,
            duplicate: 0,
            reorder: 0,
            mark: 0,
            whole: false,
            rate: 0,
        }
    }
}

pub const MTU_PAYLOAD: u16 = 1480;

pub fn open(iss: u32) -> Open {
    Open { iss, ts_offset: iss.wrapping_mul(7), mtu_payload: MTU_PAYLOAD, family: Family::V4 }
}

/// What stands at one end.
#[allow(clippy::large_enum_variant)]
pub enum Node {
    Listening,
    Opening(PassiveOpen),
    Connected(Connection),
}

/// An application: writes a stream, reads one, closes when it has written all and read the other's end.
pub struct App {
    pub salt: u64,
    pub to_send: u64,
    pub sent: u64,
    pub received: u64,
    pub hash: Hash,
    pub eof: bool,
    pub closed: bool,
    pub error: Option<String>,
    pub chunk: usize,
    /// Reads at most so much per visit.
    pub read_max: usize,
    /// Does not read before then.
    pub read_from: Instant,
    /// Closes its writing side after its stream.
    pub half_close: bool,
    pub events: Events,
}

impl App {
    pub fn new(salt: u64, to_send: u64) -> App {
        App {
            salt,
            to_send,
            sent: 0,
            received: 0,
            hash: Hash::new(),
            eof: false,
            closed: false,
            error: None,
            chunk: 16 * 1024,
            read_max: usize::MAX,
            read_from: Instant::ZERO,
            half_close: true,
            events: Events::empty(),
        }
    }

    /// The hash of everything it writes.
    pub fn expected(&self) -> Hash {
        let mut hash = Hash::new();
        for at in 0..self.to_send {
            hash.add(&[byte_at(self.salt, at)]);
        }
        hash
    }

    pub fn visit(&mut self, now: Instant, connection: &mut Connection) {
        let mut buffer = vec![0; 64 * 1024];
        while self.sent < self.to_send {
            let n = (self.to_send - self.sent).min(self.chunk as u64);
            let data: Vec<u8> = (self.sent..self.sent + n).map(|at| byte_at(self.salt, at)).collect();
            // Where a write ends, and whether it ends a record, must not matter to the bytes.
            let mut flags = SendFlags::empty();
            flags.set(SendFlags::EOR, self.sent.is_multiple_of(5));
            let done = if self.sent.is_multiple_of(3) {
                connection.send_bytes(now, data.into(), flags)
            } else {
                connection.send(now, &data, flags)
            };
            match done {
                Ok(n) => self.sent += n as u64,
                Err(SendError::WouldBlock) => break,
                Err(error) => {
                    self.error = Some(error.to_string());
                    break;
                }
            }
        }
        if self.sent == self.to_send && self.half_close && !self.closed && connection.state() != State::SynSent {
            self.closed = true;
            self.events |= connection.shutdown_write(now).events;
        }
        if now >= self.read_from {
            let mut left = self.read_max;
            while !self.eof && left > 0 {
                let most = left.min(buffer.len());
                match connection.recv(now, &mut buffer[..most]) {
                    Ok(0) => self.eof = true,
                    Ok(n) => {
                        self.received += n as u64;
                        self.hash.add(&buffer[..n]);
                        left -= n;
                    }
                    Err(RecvError::WouldBlock) => break,
                    Err(error) => {
                        self.error = Some(error.to_string());
                        break;
                    }
                }
            }
        }
        if now >= self.read_from && connection.unread() > 0 {
            // A slow reader comes back for more.
            self.read_from = now + Duration::from_millis(1);
        }
        self.events |= connection.take_events();
    }
}

pub struct End {
    pub node: Node,
    pub config: Arc<Config>,
    pub options: SocketOptions,
    pub iss: u32,
    pub app: App,
    pub max_payload: usize,
    pub time_wait: Option<TimeWait>,
    pub transmitted: u64,
    /// Segments sent again.
    pub resent: u64,
    /// Right edge of the last advertised window, as (edge, shift known).
    edge: Option<u32>,
    shift: u8,
}

/// Takes (sender, segment); true loses it.
pub type Filter = Box<dyn FnMut(usize, &Segment) -> bool>;

/// The world.
pub struct World {
    pub now: Instant,
    pub ends: [End; 2],
    pub path: Path,
    pub random: Random,
    /// (arrival, order) → (destination, segment)
    wire: BTreeMap<(Instant, u64), (usize, Segment)>,
    order: u64,
    busy_until: [Instant; 2],
    pub log: Vec<String>,
    pub keep_log: bool,
    pub lost: u64,
    /// Loses chosen segments.
    pub filter: Option<Filter>,
}

pub fn segments_of(transmit: &Transmit, whole: bool) -> Vec<Segment> {
    let options = TcpOptions::parse(&transmit.options);
    let len = transmit.payload.len();
    let size = usize::from(transmit.segment_size);
    if whole || len <= size || size == 0 {
        let segment_size = if size == 0 { len } else { size.min(len.max(1)) };
        return vec![Segment {
            header: transmit.header,
            options,
            headers: 40,
            payload: transmit.payload.clone(),
            segment_size: segment_size as u16,
            ecn: transmit.ecn,
        }];
    }
    let mut rest = transmit.payload.clone();
    let mut segments = Vec::new();
    let mut at = 0u32;
    while !rest.is_empty() {
        let payload = rest.split_to(size);
        let mut header = transmit.header;
        header.sequence = header.sequence.wrapping_add(at);
        if !rest.is_empty() {
            header.flags.remove(TcpFlags::FIN | TcpFlags::PSH);
        }
        if at > 0 {
            header.flags.remove(TcpFlags::CWR);
        }
        at += payload.len() as u32;
        let segment_size = payload.len() as u16;
        segments.push(Segment { header, options, headers: 40, payload, segment_size, ecn: transmit.ecn });
    }
    segments
}

/// Flags in packetdrill's letters.
pub fn letters(flags: TcpFlags) -> String {
    let all = [
        (TcpFlags::SYN, 'S'),
        (TcpFlags::FIN, 'F'),
        (TcpFlags::RST, 'R'),
        (TcpFlags::PSH, 'P'),
        (TcpFlags::URG, 'U'),
        (TcpFlags::ECE, 'E'),
        (TcpFlags::CWR, 'W'),
        (TcpFlags::ACK, '.'),
    ];
    all.into_iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, letter)| letter).collect()
}

pub fn describe(segment: &Segment) -> String {
    let header = &segment.header;
    let flags = letters(header.flags);
    format!(
        "{flags} {}({}) ack {} win {}",
        header.sequence,
        segment.payload.len(),
        header.acknowledgment,
        header.window
    )
}

impl World {
    /// An active opener (0) and a listener (1).
    pub fn new(seed: u64, path: Path, config: Config) -> World {
        let config = Arc::new(config);
        let now = Instant::from_secs(1_000);
        let end = |node, iss, salt| End {
            node,
            config: config.clone(),
            options: SocketOptions::default(),
            iss,
            app: App::new(salt, 0),
            max_payload: 0,
            time_wait: None,
            transmitted: 0,
            resent: 0,
            edge: None,
            shift: 0,
        };
        let client = Connection::connect(now, config.clone(), SocketOptions::default(), open(u32::MAX - 5_000));
        World {
            now,
            ends: [
                end(Node::Connected(client), u32::MAX - 5_000, seed),
                end(Node::Listening, 0u32.wrapping_sub(70_000), seed + 1),
            ],
            path,
            random: Random::new(seed),
            wire: BTreeMap::new(),
            order: 0,
            busy_until: [now; 2],
            log: Vec::new(),
            keep_log: false,
            lost: 0,
            filter: None,
        }
    }

    /// The active open once more, with the options that `ends[0]` has now.
    pub fn renew_client(&mut self) {
        let end = &mut self.ends[0];
        let client = Connection::connect(self.now, end.config.clone(), end.options.clone(), open(end.iss));
        end.node = Node::Connected(client);
    }

    pub fn connection(&mut self, end: usize) -> &mut Connection {
        match &mut self.ends[end].node {
            Node::Connected(connection) => connection,
            _ => panic!("end {end} has no connection yet"),
        }
    }

    pub fn state(&self, end: usize) -> State {
        match &self.ends[end].node {
            Node::Listening => State::Closed,
            Node::Opening(_) => State::SynReceived,
            Node::Connected(connection) => connection.state(),
        }
    }

    pub fn put(&mut self, from: usize, transmit: Transmit) {
        self.check_edge(from, &transmit);
        self.ends[from].transmitted += 1;
        self.ends[from].resent += u64::from(transmit.resent);
        for mut segment in segments_of(&transmit, self.path.whole) {
            if segment.ecn.is_capable() && self.random.chance(self.path.mark) {
                segment.ecn = Ecn::Ce;
            }
            if self.keep_log {
                self.log.push(format!("{} {from}> {}", self.now, describe(&segment)));
            }
            let filtered = self.filter.as_mut().is_some_and(|filter| filter(from, &segment));
            if filtered || self.random.chance(self.path.loss) {
                self.lost += 1;
                continue;
            }
            let copies = 1 + u64::from(self.random.chance(self.path.duplicate));
            for _ in 0..copies {
                let mut departure = self.now;
                let bits = (segment.payload.len() as u64 + 60) * 8;
                if let Some(nanos) = (bits * 1_000_000_000).checked_div(self.path.rate) {
                    departure = self.busy_until[from].max(self.now) + Duration::from_nanos(nanos);
                    self.busy_until[from] = departure;
                }
                let mut at = departure + self.path.delay;
                if self.random.chance(self.path.reorder) {
                    at += self.path.delay / 2;
                }
                at += Duration::from_nanos(self.random.below(self.path.jitter.as_nanos() as u64 + 1));
                self.order += 1;
                self.wire.insert((at, self.order), (1 - from, segment.clone()));
            }
        }
    }

    /// RFC 9293 section 3.8.6: the right edge never moves left.
    fn check_edge(&mut self, from: usize, transmit: &Transmit) {
        let header = &transmit.header;
        if header.flags.contains(TcpFlags::RST) || !header.flags.contains(TcpFlags::ACK) {
            return;
        }
        let end = &mut self.ends[from];
        if let Node::Connected(connection) = &end.node
            && !matches!(connection.state(), State::TimeWait | State::Closed)
        {
            end.shift = connection.info(self.now).rcv_wscale;
        }
        let shift = if header.flags.contains(TcpFlags::SYN) { 0 } else { end.shift };
        if !matches!(end.node, Node::Connected(_)) {
            return;
        }
        let edge = header.acknowledgment.wrapping_add(u32::from(header.window) << shift);
        if let Some(last) = end.edge {
            assert!(edge.wrapping_sub(last) as i32 >= 0, "the window of end {from} was shrunk from {last} to {edge}");
        }
        end.edge = Some(edge);
    }

    fn deliver(&mut self, to: usize, segment: Segment) {
        let end = &mut self.ends[to];
        let mut replies = Vec::new();
        match &mut end.node {
            Node::Listening => {
                let (syn, ack) =
                    (segment.header.flags.contains(TcpFlags::SYN), segment.header.flags.contains(TcpFlags::ACK));
                if syn && !ack && !segment.header.flags.contains(TcpFlags::RST) {
                    end.node = Node::Opening(PassiveOpen::on_syn(
                        self.now,
                        &end.config,
                        &end.options,
                        &segment,
                        open(end.iss),
                    ));
                } else {
                    replies.extend(reset_for(&segment));
                }
            }
            Node::Opening(opening) => match opening.on_segment(self.now, &end.config, &end.options, &segment) {
                PassiveOutcome::Complete => {
                    let Node::Opening(opening) = std::mem::replace(&mut end.node, Node::Listening) else {
                        unreachable!()
                    };
                    let (connection, outcome) =
                        opening.into_connection(self.now, end.config.clone(), end.options.clone(), segment);
                    end.app.events |= outcome.events;
                    end.node = Node::Connected(connection);
                }
                PassiveOutcome::Reply(reply) => replies.push(reply),
                PassiveOutcome::Overtaken(reply) => {
                    replies.push(reply);
                    end.node = Node::Listening;
                }
                PassiveOutcome::Remove(_) | PassiveOutcome::GiveUp => end.node = Node::Listening,
                PassiveOutcome::Nothing | PassiveOutcome::Transmit | PassiveOutcome::Drop(_) => {}
            },
            Node::Connected(connection) => {
                let outcome = connection.on_segment(self.now, segment);
                end.app.events |= outcome.events;
            }
        }
        for reply in replies {
            self.put(to, reply);
        }
    }

    fn work(&mut self, end: usize) {
        let now = self.now;
        let this = &mut self.ends[end];
        if let Node::Connected(connection) = &mut this.node {
            this.app.visit(now, connection);
        }
        loop {
            let this = &mut self.ends[end];
            let transmit = match &mut this.node {
                Node::Listening => None,
                Node::Opening(opening) => opening.poll_transmit(now, &this.config),
                Node::Connected(connection) => connection.poll_transmit(now, this.max_payload),
            };
            let Some(transmit) = transmit else { break };
            self.put(end, transmit);
        }
        if let Node::Connected(connection) = &self.ends[end].node {
            let next = connection.next_deadline();
            assert!(next.is_none_or(|at| at > now), "nothing to send, yet {next:?} is not after {now:?}");
        }
    }

    fn deadline(&self, end: usize) -> Option<Instant> {
        match &self.ends[end].node {
            Node::Listening => None,
            Node::Opening(opening) => opening.next_deadline(),
            Node::Connected(connection) => connection.next_deadline(),
        }
    }

    /// When something happens next.
    fn upcoming(&self) -> Option<Instant> {
        let arrival = self.wire.keys().next().map(|(at, _)| *at);
        let app = self.ends.iter().map(|end| end.app.read_from).filter(|at| *at > self.now).min();
        [arrival, self.deadline(0), self.deadline(1), app].into_iter().flatten().min()
    }

    /// The next thing that happens. False when nothing will.
    pub fn step(&mut self) -> bool {
        for end in 0..2 {
            self.work(end);
        }
        let Some(next) = self.upcoming() else { return false };
        self.now = self.now.max(next);
        while let Some(entry) = self.wire.first_entry().filter(|entry| entry.key().0 <= next) {
            let (to, segment) = entry.remove();
            self.deliver(to, segment);
            self.work(to);
        }
        for end in 0..2 {
            let due = self.deadline(end).is_some_and(|at| at <= self.now);
            let now = self.now;
            let this = &mut self.ends[end];
            match &mut this.node {
                Node::Connected(connection) if due => this.app.events |= connection.on_deadline(now).events,
                Node::Opening(opening) if due => {
                    let retries = PassiveOpen::retries(&this.config, &this.options);
                    if let PassiveOutcome::GiveUp = opening.on_deadline(now, &this.config, &this.options, retries) {
                        this.node = Node::Listening;
                    }
                }
                _ => {}
            }
        }
        true
    }

    /// Steps until `done` or `limit` of virtual time has passed. Whether it was done.
    pub fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&mut World) -> bool) -> bool {
        let end = self.now + limit;
        loop {
            for i in 0..2 {
                self.work(i);
            }
            if done(self) {
                return true;
            }
            if self.upcoming().is_none_or(|at| at > end) {
                self.now = end;
                return done(self);
            }
            if !self.step() {
                return done(self);
            }
        }
    }

    /// Lets `time` pass.
    pub fn pass(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    /// Both have written everything, and read everything of the other.
    pub fn is_complete(&self) -> bool {
        (0..2).all(|end| self.ends[end].app.eof && self.ends[end].app.sent == self.ends[end].app.to_send)
    }

    /// Every byte arrived, once, in order.
    pub fn assert_intact(&self, what: &str) {
        for end in 0..2 {
            let (writer, reader) = (&self.ends[end].app, &self.ends[1 - end].app);
            assert_eq!(reader.error, None, "{what}: end {}", 1 - end);
            assert_eq!(reader.received, writer.to_send, "{what}: bytes from end {end}");
            assert!(reader.hash == writer.expected(), "{what}: hash of the stream from end {end}");
        }
    }
}

/// Two connections in ESTABLISHED over `path`, nothing in flight.
pub fn established(seed: u64, path: Path, config: Config) -> World {
    let mut world = World::new(seed, path, config);
    for end in &mut world.ends {
        end.app.half_close = false;
    }
    let path = world.path;
    world.path = Path { loss: 0, duplicate: 0, reorder: 0, ..path };
    let up = world.run_until(Duration::from_secs(5), |world| (0..2).all(|end| world.state(end) == State::Established));
    assert!(up, "the handshake did not complete");
    world.path = path;
    world
}
