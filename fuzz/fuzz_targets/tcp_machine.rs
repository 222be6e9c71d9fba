//! One connection against a peer that does anything: segments near the truth, the application's
//! calls, time. What must hold is checked after every step; see `Machine::check`.
#![no_main]

use std::sync::Arc;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use segue_tcp::*;
use segue_wire::tcp::{AccEcn, AccEcnOrder, Timestamps};

const ISS: u32 = u32::MAX - 20_000;
const IRS: u32 = 0x8000_0000 - 30_000;

/// Byte `offset` of either stream.
fn pattern(offset: u32) -> u8 {
    (offset.wrapping_mul(0x9e37_79b9) >> 24) as u8
}

/// The script: bytes that become choices. Exhausted, it gives zeroes.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn word(&mut self) -> u16 {
        u16::from(self.byte()) << 8 | u16::from(self.byte())
    }
}

struct Machine {
    connection: Connection,
    now: Instant,
    /// Bytes of our stream that were taken from the application.
    written: u32,
    read: u32,
    /// The edge we advertised last.
    edge: Option<u32>,
    /// There was no memory for a segment in order: the next window is none (as Linux, ICSK_ACK_NOMEM).
    is_full: bool,
    shift: u8,
    /// SND.NXT as the peer has seen it.
    seen: u32,
    /// RCV.NXT as the peer was told.
    told: u32,
    /// Everything that left, for comparing two runs.
    log: Vec<(u64, u32, u32, u16, u16, usize)>,
    clock: u32,
    /// Urgent data make reads skip bytes.
    urgent: bool,
}

impl Machine {
    fn new(script: &mut Script<'_>) -> Option<Machine> {
        let now = Instant::from_secs(1_000);
        let (choice, sender) = (script.byte(), script.byte());
        let config = Arc::new(Config {
            congestion: [CongestionName::Cubic, CongestionName::Reno, CongestionName::Bbr][usize::from(sender % 3)],
            sack: sender & 4 == 0,
            ecn: [EcnPolicy::Off, EcnPolicy::On, EcnPolicy::Accurate, EcnPolicy::Grant][usize::from(sender >> 3 & 3)],
            mtu_probing: if sender & 32 == 0 { MtuProbing::BlackHole } else { MtuProbing::Always },
            recovery: if sender & 64 == 0 { 1 } else { 2 },
            timestamps: if choice & 1 == 0 { Timestamping::RandomOffset } else { Timestamping::Off },
            window_scaling: choice & 2 == 0,
            rmem: if choice & 4 == 0 { [4096, 131_072, 1 << 20] } else { [4096, 8_192, 16_384] },
            wmem: if choice & 8 == 0 { [4096, 16_384, 1 << 19] } else { [4096, 4_096, 8_192] },
            ..Config::default()
        });
        let options = SocketOptions {
            keepalive: choice & 16 != 0,
            nodelay: choice & 32 != 0,
            oob_inline: choice & 64 != 0,
            ..SocketOptions::default()
        };
        let mtu_payload = if choice & 128 == 0 { 1480 } else { 576 };
        let open = Open {
            iss: ISS,
            ts_offset: 5,
            mtu_payload,
            family: if sender & 128 == 0 { Family::V4 } else { Family::V6 },
        };
        let clock = 77;
        let connection = if script.byte() & 1 == 0 {
            Connection::connect(now, config, options, open)
        } else {
            let mut syn = segment(IRS, 0, TcpFlags::SYN, 8_192, 0);
            syn.options.mss = Some(script.word() | 1);
            syn.options.window_scale = Some(script.byte() % 16);
            syn.options.sack_permitted = true;
            syn.header.flags |= TcpFlags::from_bits_truncate(script.word()) & ecn_flags();
            syn.options.timestamps = Some(Timestamps { value: clock, echo: 0 });
            let mut opening = PassiveOpen::on_syn(now, &config, &options, &syn, open);
            opening.poll_transmit(now, &config)?;
            let mut ack = segment(IRS + 1, ISS.wrapping_add(1), TcpFlags::ACK, script.word(), script.word() % 2_000);
            ack.options.timestamps = Some(Timestamps { value: clock, echo: 0 });
            match opening.on_segment(now, &config, &options, &ack) {
                PassiveOutcome::Complete => {}
                other => panic!("the third segment was not taken: {other:?}"),
            }
            opening.into_connection(now, config, options, ack).0
        };
        Some(Machine {
            connection,
            now,
            written: 0,
            read: 0,
            edge: None,
            is_full: false,
            shift: 0,
            seen: ISS,
            told: IRS.wrapping_add(1),
            log: Vec::new(),
            clock,
            urgent: false,
        })
    }

    fn step(&mut self, script: &mut Script<'_>) {
        match script.byte() % 16 {
            0..=5 => self.inject(script),
            6 => self.advance(Duration::from_micros(u64::from(script.word()))),
            7 => self.advance(Duration::from_millis(u64::from(script.word()))),
            8 => self.wait(),
            9 | 10 => self.write(script),
            11 => self.take(script),
            12 => self.transmit(script),
            13 => self.call(script),
            14 => {
                let quoted = self.seen.wrapping_sub(u32::from(script.byte()));
                let signal = match script.byte() % 3 {
                    0 => IcmpSignal::PacketTooBig { mtu_payload: script.word() },
                    1 => IcmpSignal::Unreachable { hard: false, error: ConnError::HostUnreachable },
                    _ => IcmpSignal::Unreachable { hard: true, error: ConnError::Refused },
                };
                let _ = self.connection.on_icmp(self.now, signal, quoted);
            }
            _ => self.options(script),
        }
        self.check();
    }

    /// A segment whose numbers lie near the truth.
    fn inject(&mut self, script: &mut Script<'_>) {
        let near = |script: &mut Script<'_>, base: u32| match script.byte() % 8 {
            0..=3 => base,
            4 => base.wrapping_add(u32::from(script.byte())),
            5 => base.wrapping_sub(u32::from(script.byte())),
            6 => base.wrapping_add(u32::from(script.word())),
            _ => base.wrapping_sub(u32::from(script.word()).wrapping_mul(77)),
        };
        let syn_sent = matches!(self.connection.state(), State::SynSent);
        // There is one stream of the peer's: it begins at IRS.
        let sequence = if syn_sent { IRS } else { near(script, self.told) };
        let acknowledgment = near(script, self.seen);
        let choice = script.byte();
        let mut flags = TcpFlags::ACK;
        if syn_sent && choice & 1 == 0 {
            flags |= TcpFlags::SYN;
        }
        match choice >> 3 {
            0 | 1 => flags |= TcpFlags::FIN,
            2 => flags |= TcpFlags::RST,
            3 => flags |= TcpFlags::SYN,
            4 => flags = TcpFlags::from_bits_truncate(script.word()),
            5 => flags |= TcpFlags::URG,
            6..=9 => flags |= TcpFlags::PSH,
            _ => {}
        }
        self.urgent |= flags.contains(TcpFlags::URG);
        let len = match script.byte() % 4 {
            0 => 0,
            1 => u16::from(script.byte()),
            2 => 1_448,
            _ => script.word() % 20_000,
        };
        let mut segment = segment(sequence, acknowledgment, flags, script.word(), len);
        segment.header.urgent = script.word() % 3_000;
        if len > 1_448 {
            segment.segment_size = 1_448;
        }
        if choice & 2 == 0 {
            self.clock = self.clock.wrapping_add(u32::from(script.byte() % 3));
            let old = if script.byte() % 16 == 0 { 500 } else { 0 };
            let echo = (self.now.as_millis() as u32).wrapping_add(5).wrapping_sub(u32::from(script.byte()));
            segment.options.timestamps = Some(Timestamps { value: self.clock.wrapping_sub(old), echo });
        }
        if flags.contains(TcpFlags::SYN) {
            segment.options.mss = Some(script.word());
            segment.options.window_scale = (choice & 4 == 0).then_some(script.byte());
            segment.options.sack_permitted = script.byte() & 1 == 0;
        } else if choice & 4 == 0 {
            self.report(&mut segment, script);
        }
        let outcome = self.connection.on_segment(self.now, segment);
        self.is_full |= outcome.drop == Some(DropReason::QueueFull);
    }

    /// What a peer says of what came to it, be it true or not: SACK blocks, ECN's echoes; and marks of the network.
    fn report(&mut self, segment: &mut Segment, script: &mut Script<'_>) {
        for _ in 0..script.byte() % 5 {
            let left = self.seen.wrapping_sub(u32::from(script.word()));
            let _ = segment.options.sack.push(left, left.wrapping_add(u32::from(script.word() % 6_000)));
        }
        let marks = script.byte();
        segment.header.flags |= TcpFlags::from_bits_truncate(script.word()) & ecn_flags();
        segment.ecn = [Ecn::NotEct, Ecn::Ect0, Ecn::Ect1, Ecn::Ce][usize::from(marks & 3)];
        if marks & 12 == 0 {
            segment.options.accecn = Some(AccEcn {
                order: if marks & 16 == 0 { AccEcnOrder::Ect0First } else { AccEcnOrder::Ect1First },
                ect0_bytes: Some(script.word().into()),
                ce_bytes: Some(script.word().into()),
                ect1_bytes: (marks & 32 == 0).then(|| script.word().into()),
            });
        }
    }

    fn advance(&mut self, time: Duration) {
        self.now += time;
        if self.connection.next_deadline().is_some_and(|at| at <= self.now) {
            let _ = self.connection.on_deadline(self.now);
        }
    }

    /// To the next deadline.
    fn wait(&mut self) {
        if let Some(at) = self.connection.next_deadline() {
            self.now = self.now.max(at);
            let _ = self.connection.on_deadline(self.now);
        }
    }

    fn write(&mut self, script: &mut Script<'_>) {
        let len = u32::from(script.word());
        let data: Vec<u8> = (0..len).map(|i| pattern(self.written.wrapping_add(i))).collect();
        let flags = SendFlags::from_bits_truncate(script.byte() & if script.byte() % 4 == 0 { 7 } else { 0 });
        let taken = if len % 2 == 0 {
            self.connection.send(self.now, &data, flags)
        } else {
            self.connection.send_bytes(self.now, data.into(), flags)
        };
        if let Ok(n) = taken {
            self.written = self.written.wrapping_add(n as u32);
        }
    }

    fn take(&mut self, script: &mut Script<'_>) {
        let most = usize::from(script.word());
        let got = if script.byte() & 1 == 0 {
            let mut buffer = vec![0; most];
            self.connection.recv(self.now, &mut buffer).map(|n| buffer[..n].to_vec())
        } else {
            self.connection.recv_chunks(self.now, most).map(|chunks| chunks.to_vec())
        };
        let _ = self.connection.recv_urgent(self.now, script.byte() & 1 == 0);
        let Ok(bytes) = got else { return };
        for byte in bytes {
            if !self.urgent {
                assert_eq!(byte, pattern(self.read), "byte {} of the peer's stream", self.read);
            }
            self.read = self.read.wrapping_add(1);
        }
    }

    fn call(&mut self, script: &mut Script<'_>) {
        let now = self.now;
        let _ = match script.byte() % 32 {
            0..=3 => self.connection.shutdown_write(now),
            4 => self.connection.shutdown_read(now),
            5 => self.connection.close(now),
            6 => self.connection.abort(now),
            7 => {
                self.connection.take_time_wait();
                return;
            }
            _ => return,
        };
    }

    fn options(&mut self, script: &mut Script<'_>) {
        let choice = script.byte();
        let options = SocketOptions {
            nodelay: choice & 1 != 0,
            cork: choice & 2 != 0,
            keepalive: choice & 4 != 0,
            user_timeout: (choice & 8 != 0).then(|| Duration::from_millis(u64::from(script.word()))),
            rcvbuf: (choice & 16 != 0).then(|| 2_000 + u32::from(script.word())),
            sndbuf: (choice & 32 != 0).then(|| 2_000 + u32::from(script.word())),
            oob_inline: self.connection.options().oob_inline,
            quickack: (choice & 64 != 0).then_some(choice & 128 != 0),
            ..SocketOptions::default()
        };
        let _ = self.connection.set_options(self.now, options);
    }

    fn transmit(&mut self, script: &mut Script<'_>) {
        let max = usize::from(script.word());
        for _ in 0..=script.byte() % 8 {
            if !self.send_one(max) {
                break;
            }
        }
    }

    fn send_one(&mut self, max: usize) -> bool {
        let promised = self.connection.next_deadline();
        let Some(transmit) = self.connection.poll_transmit(self.now, max) else { return false };
        assert!(promised.is_some_and(|at| at <= self.now), "sent before the promised {promised:?}, at {:?}", self.now);
        let header = transmit.header;
        let (len, size) = (transmit.payload.len(), usize::from(transmit.segment_size));
        assert!(len <= 65_535 && (len <= size || len <= max), "{len} bytes in segments of {size} for at most {max}");
        // Our bytes are what the application wrote.
        if len > 0 {
            let offset = header.sequence.wrapping_sub(ISS.wrapping_add(1));
            assert!(offset.wrapping_add(len as u32) <= self.written, "sent what was never written");
            for (i, byte) in transmit.payload.iter().flat_map(|slice| slice.iter()).enumerate() {
                assert_eq!(*byte, pattern(offset.wrapping_add(i as u32)), "byte {i} of {len} at {offset}");
            }
        }
        let controls =
            u32::from(header.flags.contains(TcpFlags::SYN)) + u32::from(header.flags.contains(TcpFlags::FIN));
        let end = header.sequence.wrapping_add(len as u32 + controls);
        if end.wrapping_sub(self.seen) as i32 > 0 {
            self.seen = end;
        }
        if header.flags.contains(TcpFlags::ACK) && !header.flags.contains(TcpFlags::RST) {
            self.note_edge(&header);
        }
        self.log.push((
            self.now.as_nanos(),
            header.sequence,
            header.acknowledgment,
            header.flags.bits(),
            header.window,
            len,
        ));
        true
    }

    /// RFC 9293 section 3.8.6: the right edge of the window never moves left, but when memory is used up.
    fn note_edge(&mut self, header: &TcpHeader) {
        let state = self.connection.state();
        if !matches!(state, State::TimeWait | State::Closed | State::SynSent | State::SynReceived) {
            // An orphan in FIN-WAIT-2 is an entry that does not tell.
            self.shift = self.shift.max(self.connection.info(self.now).rcv_wscale);
        }
        self.told = header.acknowledgment;
        // The window of a SYN has no scale: one that is repeated cannot say what was said with it.
        if header.flags.contains(TcpFlags::SYN) || matches!(state, State::SynReceived | State::SynSent | State::Closed)
        {
            return;
        }
        let shift = self.shift;
        let edge = header.acknowledgment.wrapping_add(u32::from(header.window) << shift);
        let was_full = header.window == 0 && std::mem::take(&mut self.is_full);
        if let Some(last) = self.edge.filter(|_| !was_full) {
            assert!(
                edge.wrapping_sub(last) as i32 >= 0,
                "the window was shrunk from {last} to {edge}: {header:?} shift {shift} {state} {:?}",
                self.log
            );
        }
        self.edge = Some(edge);
    }

    fn check(&mut self) {
        assert_eq!(self.connection.next_deadline(), self.connection.next_deadline());
        let state = self.connection.state();
        // Nothing outstanding is ever without a deadline.
        let outstanding = self.connection.unacked() + self.connection.unsent() > 0;
        if outstanding && state != State::Closed {
            assert!(
                self.connection.next_deadline().is_some(),
                "data are outstanding in {state} and nothing will happen"
            );
        }
        // Memory stays within what was configured, and a constant.
        let memory = self.connection.memory();
        assert!(memory < 4 << 20, "{memory} bytes held");
        let ready = self.connection.readiness();
        if self.connection.unread() > 1 {
            assert!(ready.contains(Ready::IN), "unread data, not readable in {state}");
        }
    }

    /// At the end everything that wants to leave leaves, and then the future is in the future.
    fn drain(&mut self) {
        let mut left = 100_000;
        while self.send_one(65_000) {
            left -= 1;
            assert!(left > 0, "endless output");
        }
        let next = self.connection.next_deadline();
        assert!(next.is_none_or(|at| at > self.now), "nothing to send, yet {next:?} is not after {:?}", self.now);
    }
}

/// The bits of the header that ECN has.
fn ecn_flags() -> TcpFlags {
    TcpFlags::ECE | TcpFlags::CWR | TcpFlags::AE
}

fn segment(sequence: u32, acknowledgment: u32, flags: TcpFlags, window: u16, len: u16) -> Segment {
    let first = if flags.contains(TcpFlags::SYN) { sequence } else { sequence.wrapping_sub(1) }.wrapping_sub(IRS);
    let payload: Vec<u8> = (0..u32::from(len)).map(|i| pattern(first.wrapping_add(i))).collect();
    let header = TcpHeader { sequence, acknowledgment, flags, window, ..TcpHeader::default() };
    let payload = Chunks::from(segue_wire::Bytes::from(payload));
    Segment { header, options: TcpOptions::default(), headers: 40, payload, segment_size: len, ecn: Ecn::NotEct }
}

fn run(data: &[u8]) -> Vec<(u64, u32, u32, u16, u16, usize)> {
    let mut script = Script(data);
    let Some(mut machine) = Machine::new(&mut script) else { return Vec::new() };
    let mut steps = 0;
    while !script.0.is_empty() && steps < 2_000 {
        machine.step(&mut script);
        steps += 1;
    }
    machine.drain();
    machine.log
}

fuzz_target!(|data: &[u8]| {
    // The same script gives the same segments: no hidden clock, no hidden randomness.
    assert_eq!(run(data), run(data));
});
