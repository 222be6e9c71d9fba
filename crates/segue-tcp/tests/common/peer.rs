//! A connection whose peer is played by hand: segments go in one by one, answers are looked at.

use std::sync::Arc;
use std::time::Duration;

use segue_tcp::*;
use segue_wire::tcp::Timestamps;

use super::letters;

pub const ISS: u32 = u32::MAX - 10;
pub const IRS: u32 = 0x7fff_fff0;
pub const MTU_PAYLOAD: u16 = 1480;

/// A segment to inject; what is not said is a bare, acceptable acknowledgment.
#[derive(Clone)]
pub struct Inject {
    pub sequence: u32,
    pub acknowledgment: u32,
    pub flags: TcpFlags,
    pub window: u16,
    pub payload: Vec<u8>,
    pub options: TcpOptions,
    pub urgent: u16,
    pub segment_size: Option<u16>,
    pub ecn: Ecn,
}

impl Inject {
    pub fn segment(&self) -> Segment {
        let header = TcpHeader {
            sequence: self.sequence,
            acknowledgment: self.acknowledgment,
            flags: self.flags,
            window: self.window,
            urgent: self.urgent,
            ..TcpHeader::default()
        };
        let segment_size = self.segment_size.unwrap_or(self.payload.len() as u16);
        let payload = Chunks::from(segue_wire::Bytes::from(self.payload.clone()));
        Segment { header, options: self.options, headers: 40, payload, segment_size, ecn: self.ecn }
    }
}

/// An outcome that a test may look at or not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    pub events: Events,
    pub drop: Option<DropReason>,
}

/// The connection, its clock and where both sequence spaces stand.
pub struct Peer {
    pub now: Instant,
    pub connection: Connection,
    /// What the peer sends next.
    pub seq: u32,
    /// What the peer acknowledges.
    pub ack: u32,
    pub window: u16,
    pub last: Seen,
    /// The peer's timestamp clock, when it uses the option.
    pub stamp: Option<u32>,
    /// IP-ECN of what the peer sends.
    pub ecn: Ecn,
}

pub fn open() -> Open {
    Open { iss: ISS, ts_offset: 0, mtu_payload: MTU_PAYLOAD, family: Family::V4 }
}

/// A config with which segments are easy to count: no timestamps, no scaling, a window that is halved.
pub fn plain() -> Config {
    let congestion = CongestionName::Reno;
    Config { timestamps: Timestamping::Off, window_scaling: false, congestion, ..Config::default() }
}

impl Peer {
    /// An active open whose SYN has left.
    pub fn syn_sent(config: Config, options: SocketOptions) -> Peer {
        let now = Instant::from_secs(100);
        let mut connection = Connection::connect(now, Arc::new(config), options, open());
        let syn = connection.poll_transmit(now, 0).expect("a SYN");
        assert!(!syn.header.flags.contains(TcpFlags::ACK) && syn.header.flags.contains(TcpFlags::SYN));
        assert_eq!(syn.header.sequence, ISS);
        Peer {
            now,
            connection,
            seq: IRS,
            ack: ISS.wrapping_add(1),
            window: 60_000,
            last: Seen::default(),
            stamp: None,
            ecn: Ecn::NotEct,
        }
    }

    /// ESTABLISHED by active open, its ACK sent. The peer's MSS is 1000.
    pub fn established_with(config: Config, options: SocketOptions) -> Peer {
        let mut peer = Peer::syn_sent(config, options);
        let mut syn_ack = peer.bare();
        syn_ack.flags |= TcpFlags::SYN;
        syn_ack.options.mss = Some(1000);
        peer.inject(syn_ack);
        peer.seq = IRS.wrapping_add(1);
        assert_eq!(peer.connection.state(), State::Established);
        assert_eq!(peer.sent().len(), 1);
        peer
    }

    pub fn established() -> Peer {
        Peer::established_with(plain(), SocketOptions::default())
    }

    /// Established, with so many bytes written and what the window lets out of them on its way.
    pub fn sending(len: usize) -> Peer {
        let mut peer = Peer::established();
        peer.write(len).expect("room");
        peer.sent();
        peer
    }

    /// As `established_with`, with selective acknowledgment.
    pub fn sacking_with(config: Config, options: SocketOptions) -> Peer {
        let mut peer = Peer::syn_sent(config, options);
        let mut syn_ack = peer.bare();
        syn_ack.flags |= TcpFlags::SYN;
        syn_ack.options.mss = Some(1000);
        syn_ack.options.sack_permitted = true;
        peer.inject(syn_ack);
        peer.seq = IRS.wrapping_add(1);
        assert_eq!(peer.connection.state(), State::Established);
        assert_eq!(peer.sent().len(), 1);
        peer
    }

    /// As `established`, with timestamps.
    pub fn stamped(value: u32) -> Peer {
        let mut peer = Peer::syn_sent(Config { window_scaling: false, ..Config::default() }, SocketOptions::default());
        peer.stamp = Some(value);
        let mut syn_ack = peer.bare();
        syn_ack.flags |= TcpFlags::SYN;
        syn_ack.options.mss = Some(1000);
        peer.inject(syn_ack);
        peer.seq = IRS.wrapping_add(1);
        assert_eq!(peer.sent().len(), 1);
        peer
    }

    /// The connection in `state`, nothing waiting to be sent.
    pub fn in_state(state: State) -> Peer {
        if state == State::SynSent {
            return Peer::syn_sent(plain(), SocketOptions::default());
        }
        if state == State::SynReceived {
            let mut peer = Peer::syn_sent(plain(), SocketOptions::default());
            let mut syn = peer.bare();
            (syn.flags, syn.acknowledgment) = (TcpFlags::SYN, 0);
            peer.inject(syn);
            peer.seq = IRS.wrapping_add(1);
            assert_eq!(peer.sent().len(), 1);
            return peer;
        }
        let mut peer = Peer::established();
        let now = peer.now;
        let fin_first = matches!(state, State::FinWait1 | State::FinWait2 | State::Closing | State::TimeWait);
        if fin_first {
            let _ = peer.connection.shutdown_write(now);
            assert_eq!(peer.sent().len(), 1);
        }
        if matches!(state, State::FinWait2 | State::TimeWait) {
            peer.ack = peer.ack.wrapping_add(1);
            peer.inject(peer.bare());
        }
        if matches!(state, State::CloseWait | State::LastAck | State::Closing | State::TimeWait) {
            let mut fin = peer.bare();
            fin.flags |= TcpFlags::FIN;
            peer.inject(fin);
            peer.seq = peer.seq.wrapping_add(1);
            peer.pass(Duration::from_millis(50));
            peer.sent();
        }
        if state == State::LastAck {
            let now = peer.now;
            let _ = peer.connection.shutdown_write(now);
            assert_eq!(peer.sent().len(), 1);
        }
        assert_eq!(peer.connection.state(), state);
        peer
    }

    /// A bare acknowledgment, acceptable.
    pub fn bare(&self) -> Inject {
        let timestamps = self.stamp.map(|value| Timestamps { value, echo: self.now.as_millis() as u32 });
        let options = TcpOptions { timestamps, ..TcpOptions::default() };
        Inject {
            sequence: self.seq,
            acknowledgment: self.ack,
            flags: TcpFlags::ACK,
            window: self.window,
            payload: Vec::new(),
            options,
            urgent: 0,
            segment_size: None,
            ecn: self.ecn,
        }
    }

    /// The next `len` bytes of the peer's stream.
    pub fn text(&mut self, len: usize) -> Inject {
        let mut text = self.bare();
        text.payload = (0..len).map(|i| (self.seq.wrapping_add(i as u32) % 251) as u8).collect();
        text.flags |= TcpFlags::PSH;
        self.seq = self.seq.wrapping_add(len as u32);
        text
    }

    pub fn inject(&mut self, inject: Inject) -> Seen {
        self.saw(|connection, now| connection.on_segment(now, inject.segment()))
    }

    /// The same bare ACK again and again.
    pub fn repeat_ack(&mut self, times: usize) {
        for _ in 0..times {
            self.inject(self.bare());
        }
    }

    fn saw(&mut self, call: impl FnOnce(&mut Connection, Instant) -> Outcome) -> Seen {
        let Outcome { events, drop } = call(&mut self.connection, self.now);
        self.last = Seen { events, drop };
        self.last
    }

    /// Everything that leaves now, one wire segment each.
    pub fn sent(&mut self) -> Vec<Transmit> {
        let mut sent = Vec::new();
        while let Some(transmit) = self.connection.poll_transmit(self.now, 0) {
            sent.push(transmit);
            assert!(sent.len() < 10_000, "endless output");
        }
        sent
    }

    /// What leaves now, in tcpdump's letters, numbers relative to the initial ones.
    pub fn shown(&mut self) -> Vec<String> {
        self.sent().iter().map(show).collect()
    }

    /// Lets time pass, firing deadlines, and gives what left with when it did.
    pub fn pass(&mut self, time: Duration) -> Vec<(Duration, Transmit)> {
        let (start, end) = (self.now, self.now + time);
        let mut sent = Vec::new();
        loop {
            sent.extend(self.sent().into_iter().map(|transmit| (self.now - start, transmit)));
            match self.connection.next_deadline() {
                Some(at) if at <= end => {
                    self.now = self.now.max(at);
                    self.saw(Connection::on_deadline);
                }
                _ => break,
            }
        }
        self.now = end;
        sent
    }

    pub fn write(&mut self, len: usize) -> Result<usize, SendError> {
        self.connection.send(self.now, &vec![7; len], SendFlags::empty())
    }

    pub fn read(&mut self) -> Result<Vec<u8>, RecvError> {
        let mut buffer = vec![0; 1 << 20];
        let n = self.connection.recv(self.now, &mut buffer)?;
        buffer.truncate(n);
        Ok(buffer)
    }
}

/// The SACK blocks of a segment that left, relative to IRS+1.
pub fn sacks(transmit: &Transmit) -> Vec<(i32, i32)> {
    let relative = |number: u32| number.wrapping_sub(IRS.wrapping_add(1)) as i32;
    let options = TcpOptions::parse(&transmit.options);
    options.sack.iter().map(|(left, right)| (relative(*left), relative(*right))).collect()
}

/// Flags (in packetdrill's letters), numbers relative to ISS+1 and IRS+1, length.
pub fn show(transmit: &Transmit) -> String {
    let header = &transmit.header;
    let mut text = letters(header.flags);
    let seq = header.sequence.wrapping_sub(ISS.wrapping_add(1)) as i32;
    let len = transmit.payload.len() as i32;
    text += &format!(" {}:{}({})", seq, seq + len, len);
    if header.flags.contains(TcpFlags::ACK) {
        text += &format!(" ack {}", header.acknowledgment.wrapping_sub(IRS.wrapping_add(1)) as i32);
    }
    text
}
