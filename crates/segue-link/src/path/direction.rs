//! One direction of a path: the way of a packet through its impairments.
//!
//! Decides the order in which impairments apply: size, loss, duplication, corruption,
//! bottleneck, delay. The fate of a wire packet is drawn completely when it
//! enters, one draw per impairment, so that no impairment moves another's draws.
//! Invariant: what went in, plus copies and further fragments, is what came out, was
//! dropped with a reason, or is inside.

use segue_wire::{Bytes, ChecksumState, Packet};

use super::config::{Impairments, PathConfig};
use super::flight::Flight;
use super::loss::Loss;
use super::queue::{Bottleneck, Fated, QueueDiscipline};
use super::random::{Chance, Jitter, Purpose, Random};
use super::stats::DirectionStats;
use super::too_big::{self, Router};

/// The draws that a packet and its copy make separately.
struct Lane {
    corrupt: Chance,
    corrupt_random: Random,
    jitter: Jitter,
    jitter_random: Random,
    reorder: Chance,
    reorder_random: Random,
}

/// What will become of a packet that is not lost.
struct Fate {
    /// Which bit flips, as a random number.
    corrupt: Option<u64>,
    /// Deviation from the delay, nanoseconds.
    jitter: i64,
    reordered: bool,
}

impl Lane {
    fn new(impairments: &Impairments, random: impl Fn(Purpose) -> Random, purposes: [Purpose; 3]) -> Lane {
        let [corrupt, jitter, reorder] = purposes;
        Lane {
            corrupt: Chance::new(impairments.corrupt),
            corrupt_random: random(corrupt),
            jitter: Jitter::new(impairments.jitter, impairments.jitter_shape),
            jitter_random: random(jitter),
            reorder: Chance::new(impairments.reorder),
            reorder_random: random(reorder),
        }
    }

    fn draw(&mut self) -> Fate {
        let corrupt = self.corrupt.happens(&mut self.corrupt_random).then(|| self.corrupt_random.next());
        Fate {
            corrupt,
            jitter: self.jitter.draw(&mut self.jitter_random),
            reordered: self.reorder.happens(&mut self.reorder_random),
        }
    }
}

/// One direction at work. Times are nanoseconds.
pub(super) struct Direction {
    keep_super_segments: bool,
    mtu: usize,
    blackhole: bool,
    delay: u64,
    reorder_time: u64,
    loss: Loss,
    loss_random: Random,
    duplicate: Chance,
    duplicate_random: Random,
    original: Lane,
    copy: Lane,
    bottleneck: Option<Bottleneck>,
    /// Earliest arrival that keeps order behind a bottleneck.
    in_order_from: u64,
    /// The least time from having been sent to arriving.
    least_lag: u64,
    flight: Flight,
    stats: DirectionStats,
}

impl Direction {
    pub(super) fn new(config: &PathConfig, impairments: &Impairments, number: u64) -> Direction {
        let random = |purpose| Random::new(config.seed(), number, purpose);
        let mtu = impairments.mtu.unwrap_or(config.mtu()).min(config.mtu());
        let bottleneck = impairments.rate.map(|rate| {
            let queue = impairments.queue.unwrap_or_else(|| QueueDiscipline::default_for(rate, mtu));
            Bottleneck::new(rate, queue)
        });
        let delay = impairments.delay.as_nanos() as u64;
        let jitter = Jitter::new(impairments.jitter, impairments.jitter_shape);
        Direction {
            keep_super_segments: impairments.keep_super_segments(),
            mtu,
            blackhole: impairments.blackhole,
            delay,
            reorder_time: impairments.reorder_time().as_nanos() as u64,
            loss: Loss::new(impairments.loss),
            loss_random: random(Purpose::Loss),
            duplicate: Chance::new(impairments.duplicate),
            duplicate_random: random(Purpose::Duplicate),
            original: Lane::new(impairments, random, [Purpose::Corrupt, Purpose::Jitter, Purpose::Reorder]),
            copy: Lane::new(impairments, random, [Purpose::CopyCorrupt, Purpose::CopyJitter, Purpose::CopyReorder]),
            bottleneck,
            in_order_from: 0,
            least_lag: delay.saturating_sub(jitter.most()),
            flight: Flight::default(),
            stats: DirectionStats::default(),
        }
    }

    /// Takes a packet in. Gives the answer that goes back when it was too big.
    pub(super) fn push(&mut self, now: u64, packet: Packet, router: &mut Router) -> Option<Packet> {
        self.advance(now);
        let wire_packets = packet.wire_packets();
        self.stats.packets_in += wire_packets as u64;
        if wire_packets > 1 {
            return self.push_super_segment(now, packet, router);
        }
        self.stats.bytes_in += packet.len() as u64;
        if self.keep_super_segments && packet.len() <= self.mtu {
            self.fly(now.saturating_add(self.delay), packet);
            return None;
        }
        self.push_wire(now, cut_last(packet), router)
    }

    fn push_super_segment(&mut self, now: u64, packet: Packet, router: &mut Router) -> Option<Packet> {
        let headers = too_big::headers_len(&packet);
        self.stats.bytes_in += (packet.len() + (packet.wire_packets() - 1) * headers) as u64;
        let size = packet.segmentation.map_or(0, |segmentation| usize::from(segmentation.size));
        if self.keep_super_segments && headers + size <= self.mtu {
            self.fly(now.saturating_add(self.delay), packet);
            return None;
        }
        let partial = matches!(packet.checksum, ChecksumState::Partial { .. });
        let mut answer = None;
        for mut segment in packet.segments() {
            if partial {
                segment.checksum = ChecksumState::Verified;
            }
            // One answer for all segments: routers limit the rate of theirs.
            let another = self.push_wire(now, segment, router);
            answer = answer.or(another);
        }
        answer
    }

    /// A wire packet: big ones are fragmented, answered or dropped.
    fn push_wire(&mut self, now: u64, packet: Packet, router: &mut Router) -> Option<Packet> {
        if packet.len() <= self.mtu {
            self.impair(now, packet);
            return None;
        }
        if let Some(fragments) = too_big::fragment(&packet, self.mtu) {
            self.stats.fragmented += 1;
            for fragment in fragments {
                self.stats.fragments += 1;
                self.impair(now, fragment);
            }
            return None;
        }
        self.stats.too_big += 1;
        if self.blackhole {
            return None;
        }
        let answer = router.answer(&packet, self.mtu)?;
        self.stats.too_big_answered += 1;
        Some(answer)
    }

    /// Draws the fate of a wire packet and lets it happen.
    fn impair(&mut self, now: u64, packet: Packet) {
        let lost = self.loss.takes(&mut self.loss_random);
        let duplicated = self.duplicate.happens(&mut self.duplicate_random);
        let fate = self.original.draw();
        let copy_fate = if duplicated { Some(self.copy.draw()) } else { None };
        if lost {
            self.stats.lost += 1;
            return;
        }
        let copy = copy_fate.map(|fate| (packet.clone(), fate));
        self.admit(now, packet, fate);
        if let Some((packet, fate)) = copy {
            self.stats.duplicated += 1;
            self.admit(now, packet, fate);
        }
    }

    /// Damages the packet if that is its fate and hands it to the bottleneck.
    fn admit(&mut self, now: u64, mut packet: Packet, fate: Fate) {
        if let Some(draw) = fate.corrupt {
            self.stats.corrupted += 1;
            packet = flip_bit(&packet, draw);
        }
        let mut lag = self.delay.saturating_add_signed(fate.jitter);
        if fate.reordered {
            self.stats.reordered += 1;
            lag += self.reorder_time;
        }
        let fated = Fated { packet, lag, reordered: fate.reordered };
        let Some(bottleneck) = &mut self.bottleneck else {
            self.fly(now.saturating_add(lag), fated.packet);
            return;
        };
        match bottleneck.offer(now, fated) {
            Ok(Some((sent, fated))) => self.depart(sent, fated),
            Ok(None) => {}
            Err(_refused) => self.stats.queue_dropped += 1,
        }
    }

    /// Catches up with the bottleneck.
    fn advance(&mut self, now: u64) {
        let Some(mut bottleneck) = self.bottleneck.take() else { return };
        bottleneck.advance(now, |sent, fated| self.depart(sent, fated));
        self.bottleneck = Some(bottleneck);
    }

    /// A packet has left the bottleneck.
    fn depart(&mut self, sent: u64, fated: Fated) {
        let mut at = sent.saturating_add(fated.lag);
        if !fated.reordered {
            at = at.max(self.in_order_from);
            self.in_order_from = at;
        }
        self.fly(at, fated.packet);
    }

    fn fly(&mut self, at: u64, packet: Packet) {
        if let Err(packet) = self.flight.insert(at, packet) {
            self.stats.overflow += packet.wire_packets() as u64;
        }
    }

    pub(super) fn pop(&mut self, now: u64) -> Option<Packet> {
        self.advance(now);
        let packet = self.flight.pop(now)?;
        let wire_packets = packet.wire_packets();
        self.stats.packets_out += wire_packets as u64;
        let repeated = if wire_packets > 1 { (wire_packets - 1) * too_big::headers_len(&packet) } else { 0 };
        self.stats.bytes_out += (packet.len() + repeated) as u64;
        Some(packet)
    }

    /// Never later than the next arrival; at most the jitter earlier.
    pub(super) fn next_deadline(&self) -> Option<u64> {
        let queued = self.bottleneck.as_ref().and_then(Bottleneck::next_sent);
        let queued = queued.map(|sent| sent.saturating_add(self.least_lag));
        match (self.flight.next_at(), queued) {
            (Some(flight), Some(queued)) => Some(flight.min(queued)),
            (flight, queued) => flight.or(queued),
        }
    }

    pub(super) fn stats(&self) -> DirectionStats {
        let (queued, queue_bytes) =
            self.bottleneck.as_ref().map_or((0, 0), |b| (b.waiting_packets() as u64, b.waiting_bytes()));
        DirectionStats { inside: self.flight.wire_packets() + queued, queue_bytes, ..self.stats }
    }
}

/// A packet that is no super-segment, ready for a wire. What this process summed up itself need not be verified again.
fn cut_last(mut packet: Packet) -> Packet {
    packet.segmentation = None;
    if matches!(packet.checksum, ChecksumState::Partial { .. }) {
        packet.finish_checksum();
        packet.checksum = ChecksumState::Verified;
    }
    packet
}

/// One bit of one byte changed; from here on nobody vouches for the checksum.
fn flip_bit(packet: &Packet, draw: u64) -> Packet {
    let mut bytes = packet.to_vec();
    let bits = bytes.len() as u128 * 8;
    let bit = ((u128::from(draw) * bits) >> 64) as usize;
    if let Some(byte) = bytes.get_mut(bit / 8) {
        *byte ^= 1 << (bit % 8);
    }
    Packet::from_bytes(Bytes::from(bytes))
}
