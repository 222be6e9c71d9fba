//! Plays a story on a host and writes down what each step brought.
//!
//! The peer is played here: it knows what the host has sent and numbers its segments after it. What is written down is
//! relative (to initial sequence numbers, to the step's beginning), so that two hosts can be compared.
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use segue_wire::tcp::{self, OptionBytes, SackBlocks, TcpOptions, Timestamps};
use segue_wire::{Bytes, ChecksumState, Chunks, Instant, IpView, Ipv4Header, Packet, Protocol, TcpFlags, TcpHeader};

use super::notation::letters;
use super::receiver::{Answer, Packet as Arriving, Receiver};
use super::story::{ACK, Ack, From, Offer, Opening, RST, SYN, Sack, Segment, Stamp, Step, Story};
use super::{LOCAL, PEER};
use crate::host::{Call, Fd, Host, HostError, Output, Progress, Shape};

/// How long a host has for what should happen at once. Longer than Linux delays a SACK to compress it.
const SETTLE: Duration = Duration::from_millis(12);
/// In stories about loss what is sent in one step arrives in the next: the round trip. A quarter of it is less than the
/// rest, so that what looks for loss once more does so within a step.
const ROUND_TRIP_OF_LOSS: Duration = Duration::from_millis(30);
/// The round trip of a handshake.
const ROUND_TRIP: Duration = Duration::from_millis(20);
const PEER_ISS: u32 = 1_000_000;
/// The peer's clock when it begins, in timestamp units.
const PEER_CLOCK: u32 = 100_000;

const SOL_TCP: i32 = 6;
const SOL_SOCKET: i32 = 1;
const TCP_INFO: i32 = 11;
const TCP_CONGESTION: i32 = 13;
const SO_REUSEADDR: i32 = 2;
const SO_ERROR: i32 = 4;
const AF_INET: i32 = 2;
const STREAM_NONBLOCK: i32 = 1 | 0o4000;

/// A packet of the host, in numbers that mean the same for every host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Seen {
    /// Since the step began.
    pub(super) after: Duration,
    pub(super) flags: TcpFlags,
    /// Relative to the host's initial sequence number.
    pub(super) sequence: i64,
    pub(super) acknowledgment: i64,
    pub(super) window: u16,
    pub(super) urgent: u16,
    pub(super) len: usize,
    pub(super) options: String,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "+{:.3} {} {}:{}({}) ack {} win {} urg {} <{}>",
            self.after.as_secs_f64(),
            letters(self.flags.bits()),
            self.sequence,
            self.sequence + self.len as i64,
            self.len,
            self.acknowledgment,
            self.window,
            self.urgent,
            self.options
        )
    }
}

/// What a step brought.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StepRecord {
    pub(super) packets: Vec<Seen>,
    /// When each passing of time, call and packet in it was over, since the story began.
    pub(super) pace: Vec<Duration>,
    /// What the call returned, if the step was one, and the bytes it read.
    pub(super) result: Option<(Result<i64, i32>, usize)>,
    /// `TCP_INFO` afterwards, by name.
    pub(super) info: Vec<(&'static str, u64)>,
}

/// What a story brought: one record per step, the first for the opening.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Played {
    /// In order of the steps.
    pub steps: Vec<StepRecord>,
}

impl Played {
    /// When each passing of time, call and packet was over, since the story began.
    pub(super) fn pace(&self) -> Vec<Duration> {
        self.steps.iter().flat_map(|step| step.pace.iter().copied()).collect()
    }

    /// How long a step took.
    pub(super) fn length(&self, step: usize) -> Duration {
        let end = |step: usize| self.steps.get(step).and_then(|step| step.pace.last()).copied().unwrap_or_default();
        end(step).saturating_sub(step.checked_sub(1).map_or(Duration::ZERO, end))
    }
}

struct Player<'a> {
    host: &'a mut dyn Host,
    story: &'a Story,
    local: SocketAddr,
    peer: SocketAddr,
    listener: Option<Fd>,
    connection: Option<Fd>,
    /// The host's initial sequence number, once known.
    iss: Option<u32>,
    /// Highest sequence number the host has sent, plus one.
    sent: u32,
    /// What the peer has acknowledged.
    acknowledged: u32,
    /// What the peer sends next.
    next: u32,
    /// Right edge of the host's window as it last announced it, and its scale.
    edge: u32,
    scale: u8,
    /// The timestamp that the host sent last.
    echo: u32,
    clock: u32,
    /// When the story began, and the step.
    origin: Instant,
    /// How long a host has for what should happen at once.
    settle: Duration,
    /// What the peer holds, in stories about loss.
    receiver: Receiver,
    /// What arrived there last.
    arrived: Option<Arriving>,
    begun: Instant,
    /// When all has to happen; what is missing takes as long as the story says.
    pace: std::vec::IntoIter<Duration>,
    record: StepRecord,
}

/// Plays `story`; `number` chooses the ports. With the `pace` of another telling all happens when it happened there: what a
/// real machine's delays do to round-trip times is the same in both.
///
/// # Errors
/// The host cannot go on.
pub fn play(host: &mut dyn Host, story: &Story, number: u16, pace: Option<&Played>) -> Result<Played, HostError> {
    let begun = host.now();
    let mut player = Player {
        host,
        story,
        local: SocketAddr::from((LOCAL, 8080)),
        peer: SocketAddr::from((PEER, 10_000 + number % 50_000)),
        listener: None,
        connection: None,
        iss: None,
        sent: 0,
        acknowledged: 0,
        next: PEER_ISS,
        edge: PEER_ISS,
        scale: 0,
        echo: 0,
        clock: PEER_CLOCK,
        origin: begun,
        settle: if story.is_about_loss() { ROUND_TRIP_OF_LOSS } else { SETTLE },
        receiver: Receiver::default(),
        arrived: None,
        begun,
        pace: pace.map_or(Vec::new(), Played::pace).into_iter(),
        record: StepRecord::default(),
    };
    let outcome = player.tell();
    player.clean();
    outcome
}

impl Player<'_> {
    fn tell(&mut self) -> Result<Played, HostError> {
        let mut played = Played::default();
        self.open()?;
        self.take_record(&mut played)?;
        for step in &self.story.steps {
            self.step(step)?;
            self.take_record(&mut played)?;
        }
        Ok(played)
    }

    fn take_record(&mut self, played: &mut Played) -> Result<(), HostError> {
        self.record.info = self.info()?;
        played.steps.push(std::mem::take(&mut self.record));
        self.begun = self.host.now();
        Ok(())
    }

    /// Whatever is left of the story goes, so that the next one is alone.
    fn clean(&mut self) {
        let reset = Segment { flags: RST | ACK, ack: Ack::All, stamp: Stamp::Missing, ..Segment::default() };
        let _ = self.segment(&reset);
        for fd in [self.connection.take(), self.listener.take()].into_iter().flatten() {
            let _ = self.call(Call::Close { fd });
        }
        let _ = self.pass(self.settle);
    }

    fn call(&mut self, call: Call) -> Result<(Result<i64, i32>, Output), HostError> {
        self.keep_pace()?;
        let progress = self.host.begin(call)?;
        self.note_pace();
        match progress {
            Progress::Returned(returned) => Ok((returned.result, returned.output)),
            // Every descriptor is non-blocking.
            Progress::Blocked => {
                self.host.interrupt();
                Err(HostError("a call on a non-blocking socket has blocked".into()))
            }
        }
    }

    fn must(&mut self, call: Call) -> Result<Fd, HostError> {
        let name = format!("{call:?}");
        match self.call(call)?.0 {
            Ok(value) => Ok(value as Fd),
            Err(errno) => Err(HostError(format!("{name}: errno {errno}"))),
        }
    }

    fn open(&mut self) -> Result<(), HostError> {
        let fd = self.must(Call::Socket { domain: AF_INET, kind: STREAM_NONBLOCK, protocol: 0 })?;
        let value = 1i32.to_ne_bytes().to_vec();
        self.must(Call::SetOption { fd, level: SOL_SOCKET, name: SO_REUSEADDR, value })?;
        let value = self.story.congestion.as_bytes().to_vec();
        self.must(Call::SetOption { fd, level: SOL_TCP, name: TCP_CONGESTION, value })?;
        match self.story.opening {
            Opening::Passive | Opening::Listening => {
                self.listener = Some(fd);
                self.must(Call::Bind { fd, address: self.local })?;
                self.must(Call::Listen { fd, backlog: 8 })?;
                if self.story.opening == Opening::Passive {
                    self.segment(&Segment { flags: SYN, window: self.story.offer.window, ..Segment::default() })?;
                    self.pass(ROUND_TRIP)?;
                    self.segment(&Segment::default())?;
                    self.pass(self.settle)?;
                    self.accept()?;
                }
            }
            Opening::Active | Opening::Connecting => {
                self.connection = Some(fd);
                // Which port the host picks is its own affair: the same one each time would meet TIME-WAIT.
                self.local.set_port(self.peer.port());
                self.peer.set_port(8080);
                self.must(Call::Bind { fd, address: self.local })?;
                let (result, _) = self.call(Call::Connect { fd, to: Some(self.peer) })?;
                self.record.result = Some((result, 0));
                self.pass(self.settle)?;
                if self.story.opening == Opening::Active {
                    self.pass(ROUND_TRIP)?;
                    let window = self.story.offer.window;
                    self.segment(&Segment { flags: SYN | ACK, window, ..Segment::default() })?;
                    self.pass(self.settle)?;
                }
            }
        }
        Ok(())
    }

    fn accept(&mut self) -> Result<(), HostError> {
        let Some(fd) = self.listener else { return Ok(()) };
        if self.connection.is_some() {
            return Ok(());
        }
        let (result, _) = self.call(Call::Accept { fd, flags: 0o4000 })?;
        self.connection = result.ok().map(|fd| fd as Fd);
        self.record.result = Some((result.map(|_| 0), 0));
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<(), HostError> {
        let on = self.connection;
        let call = match *step {
            Step::Wait(ms) => return self.pass(Duration::from_millis(ms.into())),
            Step::Segment(segment) => {
                self.segment(&segment)?;
                return self.pass(self.settle);
            }
            Step::Accept => {
                self.accept()?;
                return self.pass(self.settle);
            }
            Step::Deliver(_) | Step::DeliverNewest | Step::DeliverAgain | Step::Unheard(_) | Step::Lose(_) => {
                self.arrivals(step)?;
                return self.pass(self.settle);
            }
            Step::Close => {
                if let Some(fd) = self.connection.take() {
                    let (result, _) = self.call(Call::Close { fd })?;
                    self.record.result = Some((result, 0));
                }
                return self.pass(self.settle);
            }
            Step::Write(len, flags) => on.map(|fd| Call::Send {
                fd,
                shape: Shape::Flags,
                pieces: vec![len],
                flags: flags | 0x4000,
                to: None,
                control: Vec::new(),
            }),
            Step::Read(len, flags) => {
                on.map(|fd| Call::Receive { fd, shape: Shape::Flags, pieces: vec![len], flags, control_room: 0 })
            }
            Step::Shutdown(how) => on.map(|fd| Call::Shutdown { fd, how }),
            Step::Set(level, name, value) => {
                on.map(|fd| Call::SetOption { fd, level, name, value: value.to_ne_bytes().to_vec() })
            }
            Step::Error => on.map(|fd| Call::GetOption { fd, level: SOL_SOCKET, name: SO_ERROR, value: vec![0; 4] }),
        };
        if let Some(call) = call {
            let (result, output) = self.call(call)?;
            let read = match output {
                Output::Received { data, .. } => data.len(),
                Output::Bytes(bytes) => usize::from(bytes.first().copied().unwrap_or(0)),
                _ => 0,
            };
            self.record.result = Some((result, read));
        }
        self.pass(self.settle)
    }

    /// Packets on their way arrive, or are lost.
    fn arrivals(&mut self, step: &Step) -> Result<(), HostError> {
        let count = match *step {
            Step::Deliver(n) | Step::Unheard(n) | Step::Lose(n) => n,
            _ => 1,
        };
        // What the host sends meanwhile is on its way for longer.
        let mut next = || match step {
            Step::DeliverNewest => self.receiver.pending.pop_back(),
            Step::DeliverAgain => self.arrived,
            _ => self.receiver.pending.pop_front(),
        };
        let packets: Vec<_> = (0..count).map_while(|_| next()).collect();
        for packet in packets.into_iter().filter(|_| !matches!(step, Step::Lose(_))) {
            let answer = self.receiver.take(packet);
            self.arrived = Some(packet);
            if !matches!(step, Step::Unheard(_)) {
                self.answer(&answer)?;
            }
        }
        Ok(())
    }

    fn answer(&mut self, answer: &Answer) -> Result<(), HostError> {
        self.keep_pace()?;
        let offer = self.story.offer;
        self.clock += 1;
        self.acknowledged = answer.number;
        let timestamps = offer.timestamps.then_some(Timestamps { value: self.clock, echo: answer.echo });
        let sack = if offer.sack { answer.sack } else { SackBlocks::new() };
        let options = TcpOptions { timestamps, sack, ..TcpOptions::default() }.emit();
        let header = TcpHeader {
            source_port: self.peer.port(),
            destination_port: self.local.port(),
            sequence: self.next,
            acknowledgment: answer.number,
            flags: TcpFlags::ACK,
            window: Segment::default().window,
            ..TcpHeader::default()
        };
        self.host.inject(build(self.peer.ip(), self.local.ip(), &header, &options, 0))?;
        self.note_pace();
        Ok(())
    }

    /// Time passes; what the host sends is written down.
    fn pass(&mut self, time: Duration) -> Result<(), HostError> {
        let until = match self.pace.next() {
            Some(end) => self.origin + end,
            None => self.host.now() + time,
        };
        self.pass_until(until)?;
        self.note_pace();
        Ok(())
    }

    /// Whatever the host is asked to do now, it does when it did it in the other telling.
    fn keep_pace(&mut self) -> Result<(), HostError> {
        self.pace.next().map_or(Ok(()), |at| self.pass_until(self.origin + at))
    }

    fn note_pace(&mut self) {
        self.record.pace.push(self.host.now().saturating_duration_since(self.origin));
    }

    fn pass_until(&mut self, until: Instant) -> Result<(), HostError> {
        loop {
            while let Some(sent) = self.host.next_sent() {
                self.see(sent.at, &sent.packet);
            }
            if self.host.now() >= until {
                return Ok(());
            }
            let _ = self.host.wait(until)?;
        }
    }

    fn see(&mut self, at: Instant, packet: &Packet) {
        let Ok(view) = IpView::parse(packet) else { return };
        let bytes = packet.to_vec();
        let Some(segment) = bytes.get(view.transport..) else { return };
        let Ok((header, raw, front)) = TcpHeader::parse(segment) else { return };
        // A late packet of a story before this one.
        if header.destination_port != self.peer.port() || header.source_port != self.local.port() {
            return;
        }
        let len = segment.len() - front;
        let options = TcpOptions::parse(raw);
        let reset = header.flags.contains(TcpFlags::RST);
        if header.flags.contains(TcpFlags::SYN) && self.iss != Some(header.sequence) {
            // A new connection.
            self.iss = Some(header.sequence);
            (self.sent, self.acknowledged) = (header.sequence, header.sequence);
        }
        // A reset without a connection takes its number from what it answers.
        let first = self.iss.unwrap_or(header.sequence);
        let end = header.sequence.wrapping_add(header.sequence_len(len));
        if !reset && (end.wrapping_sub(self.sent) as i32) > 0 {
            self.sent = end;
        }
        if header.flags.contains(TcpFlags::SYN) {
            self.scale = options.window_scale.unwrap_or(0);
        }
        if header.flags.contains(TcpFlags::ACK) && !reset {
            let shift = if header.flags.contains(TcpFlags::SYN) { 0 } else { self.scale };
            self.edge = header.acknowledgment.wrapping_add(u32::from(header.window) << shift);
            let advance = header.acknowledgment.wrapping_sub(self.next) as i32;
            if advance > 0 {
                self.next = header.acknowledgment;
            }
        }
        if let Some(timestamps) = options.timestamps {
            self.echo = timestamps.value;
        }
        let value = options.timestamps.map(|timestamps| timestamps.value);
        if header.flags.contains(TcpFlags::SYN) {
            self.receiver.begin(end, value.unwrap_or(0));
        } else if !reset && end != header.sequence {
            self.receiver.pending.push_back(Arriving { start: header.sequence, end, value });
        }
        let relative = |number: u32, base: u32| i64::from(number.wrapping_sub(base) as i32);
        self.record.packets.push(Seen {
            after: at.saturating_duration_since(self.begun),
            flags: header.flags,
            sequence: if reset && header.sequence == 0 { 0 } else { relative(header.sequence, first) },
            acknowledgment: if header.flags.contains(TcpFlags::ACK) {
                relative(header.acknowledgment, PEER_ISS)
            } else {
                0
            },
            window: header.window,
            urgent: header.urgent,
            len,
            options: describe(&options),
        });
    }

    /// The peer sends a segment.
    fn segment(&mut self, segment: &Segment) -> Result<(), HostError> {
        self.keep_pace()?;
        let offer = self.story.offer;
        let sequence = match segment.from {
            From::Next => self.next,
            From::Beyond(n) => self.next.wrapping_add(n),
            From::Before(n) => self.next.wrapping_sub(n),
            From::EdgeLess(n) => self.edge.wrapping_sub(n),
            From::EdgePlus(n) => self.edge.wrapping_add(n),
        };
        let sent = self.sent;
        let outstanding = sent.wrapping_sub(self.acknowledged);
        let acknowledgment = match segment.ack {
            Ack::All => sent,
            Ack::Same => self.acknowledged,
            Ack::More(n) => self.acknowledged.wrapping_add(n.min(outstanding)),
            Ack::Old(n) => self.acknowledged.wrapping_sub(n),
            Ack::Unsent(n) => sent.wrapping_add(n),
        };
        let flags = TcpFlags::from_bits_retain(segment.flags);
        if segment.flags & ACK != 0 && matches!(segment.ack, Ack::All | Ack::More(_)) {
            self.acknowledged = acknowledgment;
        }
        let occupied = segment.len as u32 + u32::from(segment.flags & SYN != 0) + u32::from(segment.flags & 1 != 0);
        if segment.from == From::Next && segment.flags & RST == 0 {
            // What was sent in order counts as sent whether or not the host takes it.
            self.next = self.next.wrapping_add(occupied);
        }
        let options = self.options(segment, &offer, acknowledgment);
        let header = TcpHeader {
            source_port: self.peer.port(),
            destination_port: self.local.port(),
            sequence,
            acknowledgment: if segment.flags & ACK != 0 { acknowledgment } else { 0 },
            flags,
            window: segment.window,
            urgent: if segment.flags & super::story::URG != 0 { segment.urgent } else { 0 },
            ..TcpHeader::default()
        };
        self.host.inject(build(self.peer.ip(), self.local.ip(), &header, &options, segment.len))?;
        self.note_pace();
        Ok(())
    }

    fn options(&mut self, segment: &Segment, offer: &Offer, acknowledgment: u32) -> OptionBytes {
        self.clock += 1;
        let stamp = |value: u32, echo: u32| Some(Timestamps { value, echo });
        let syn = segment.flags & SYN != 0;
        let echo = if syn && segment.flags & ACK == 0 { 0 } else { self.echo };
        let timestamps = match segment.stamp {
            _ if !offer.timestamps => None,
            Stamp::Good => stamp(self.clock, echo),
            Stamp::Old => stamp(PEER_CLOCK.wrapping_sub(1000), echo),
            Stamp::Missing => None,
            Stamp::BadEcho => stamp(self.clock, self.echo.wrapping_add(1_000_000)),
        };
        let mut options = TcpOptions { timestamps, ..TcpOptions::default() };
        if syn {
            options.mss = offer.mss;
            options.sack_permitted = offer.sack;
            options.window_scale = offer.scale;
        } else if offer.sack {
            options.sack = blocks(segment.sack, acknowledgment, self.sent);
        }
        options.emit()
    }

    /// What the host says of the connection, as far as it should not depend on the host's speed.
    fn info(&mut self) -> Result<Vec<(&'static str, u64)>, HostError> {
        let Some(fd) = self.connection else { return Ok(Vec::new()) };
        let call = Call::GetOption { fd, level: SOL_TCP, name: TCP_INFO, value: vec![0; 248] };
        let Output::Bytes(bytes) = self.call(call)?.1 else { return Ok(Vec::new()) };
        let number = |at: usize, len: usize| {
            let mut value = [0; 8];
            if let Some(field) = bytes.get(at..at + len) {
                value[..len].copy_from_slice(field);
            }
            u64::from_le_bytes(value)
        };
        Ok(FIELDS.iter().map(|&(name, at, len)| (name, number(at, len))).collect())
    }
}

/// Fields of `struct tcp_info` that both hosts should agree on: name, place, length.
pub(super) const FIELDS: &[(&str, usize, usize)] = &[
    ("state", 0, 1),
    ("ca_state", 1, 1),
    ("retransmits", 2, 1),
    ("probes", 3, 1),
    ("backoff", 4, 1),
    ("options", 5, 1),
    ("wscale", 6, 1),
    ("snd_mss", 16, 4),
    ("rcv_mss", 20, 4),
    ("unacked", 24, 4),
    ("sacked", 28, 4),
    ("lost", 32, 4),
    ("retrans", 36, 4),
    ("pmtu", 60, 4),
    ("snd_ssthresh", 76, 4),
    ("snd_cwnd", 80, 4),
    ("advmss", 84, 4),
    ("reordering", 88, 4),
    ("total_retrans", 100, 4),
    ("bytes_acked", 120, 8),
    ("bytes_received", 128, 8),
    ("segs_out", 136, 4),
    ("segs_in", 140, 4),
    ("notsent_bytes", 144, 4),
    ("data_segs_in", 152, 4),
    ("data_segs_out", 156, 4),
    ("delivered", 192, 4),
    ("bytes_sent", 200, 8),
    ("bytes_retrans", 208, 8),
    ("dsack_dups", 216, 4),
    ("reord_seen", 220, 4),
    ("rcv_ooopack", 224, 4),
    ("snd_wnd", 228, 4),
];

fn blocks(sack: Sack, acknowledgment: u32, sent: u32) -> SackBlocks {
    let mut blocks = SackBlocks::new();
    let after = |n: u32| acknowledgment.wrapping_add(n);
    let mut push = |left: u32, right: u32| {
        // A block that names nothing would not be sent.
        if (right.wrapping_sub(left) as i32) > 0 {
            let _ = blocks.push(left, right);
        }
    };
    // An honest block ends where the host has sent.
    let honest = |right: u32| if (right.wrapping_sub(sent) as i32) > 0 { sent } else { right };
    match sack {
        Sack::None => {}
        Sack::Block(hole, len) => push(after(hole), honest(after(hole + len))),
        Sack::Two(hole, len) => {
            push(after(2 * hole + len), honest(after(2 * (hole + len))));
            push(after(hole), honest(after(hole + len)));
        }
        Sack::Duplicate(len) => push(acknowledgment.wrapping_sub(len), acknowledgment),
        Sack::Unsent => push(sent.wrapping_add(1000), sent.wrapping_add(2000)),
    }
    blocks
}

/// Options that mean the same for every host: the host's own clock is left out.
fn describe(options: &TcpOptions) -> String {
    let mut words = Vec::new();
    if let Some(mss) = options.mss {
        words.push(format!("mss {mss}"));
    }
    if options.sack_permitted {
        words.push("sackOK".to_owned());
    }
    if let Some(scale) = options.window_scale {
        words.push(format!("wscale {scale}"));
    }
    if let Some(Timestamps { echo, .. }) = options.timestamps {
        words.push(format!("ecr {echo}"));
    }
    for (left, right) in options.sack.iter() {
        words.push(format!("sack {}:{}", left.wrapping_sub(PEER_ISS), right.wrapping_sub(PEER_ISS)));
    }
    words.join(", ")
}

fn build(source: IpAddr, destination: IpAddr, header: &TcpHeader, options: &OptionBytes, len: usize) -> Packet {
    let front = tcp::MIN_HEADER_LEN + options.len();
    let (IpAddr::V4(from), IpAddr::V4(to)) = (source, destination) else { unreachable!("stories are told over IPv4") };
    let ip = Ipv4Header {
        total_length: (20 + front + len) as u16,
        ttl: 64,
        protocol: Protocol::TCP,
        source: from,
        destination: to,
        dont_fragment: true,
        ..Ipv4Header::default()
    };
    let mut header = *header;
    header.checksum = tcp::pseudo_sum(source, destination, front + len).map_or(0, |sum| sum.fold());
    let mut bytes = vec![0; 20 + front];
    ip.emit(&mut bytes);
    let _ = tcp::emit(&header, options, &mut bytes[20..]);
    let body = Chunks::from(Bytes::from(vec![0; len]));
    let partial = ChecksumState::Partial { start: 20, field: 16 };
    let mut packet = Packet::from_headers(&bytes, body, partial, None);
    packet.finish_checksum();
    packet
}
