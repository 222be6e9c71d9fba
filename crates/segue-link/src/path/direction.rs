//! One direction of a path: the way of a packet through its impairments.
//!
//! Decides the order in which impairments apply: size, loss, duplication, marking,
//! corruption, bottleneck, delay. The fate of a wire packet is drawn completely when it
//! enters, the same draws for each, so that no impairment moves another's draws.
//! Invariant: what went in, plus copies and further fragments, is what came out, was
//! dropped with a reason, or is inside.

use segue_wire::{Bytes, Packet};

use super::config::{Impairments, PathConfig};
use super::flight::Flight;
use super::jitter::Jitter;
use super::loss::Loss;
use super::packet_list::PacketList;
use super::queue::{Bottleneck, Fated, QueueDiscipline};
use super::random::{Chance, Purpose, Random};
use super::run::Run;
use super::server::Server;
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
    /// Packets that stay in order after one that did not.
    reorder_gap: u64,
    in_order: u64,
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
            reorder_gap: impairments.reorder_gap.saturating_sub(1),
            in_order: 0,
        }
    }

    fn draw(&mut self) -> Fate {
        let corrupt = self.corrupt.happens(&mut self.corrupt_random).then(|| self.corrupt_random.next());
        let reordered = self.reorder.happens(&mut self.reorder_random) && self.in_order >= self.reorder_gap;
        self.in_order = if reordered { 0 } else { self.in_order + 1 };
        Fate { corrupt, jitter: self.jitter.draw(&mut self.jitter_random), reordered }
    }
}

/// What has left the bottleneck.
#[derive(Default)]
struct Arrivals {
    flight: Flight,
    /// Earliest arrival that keeps order behind a bottleneck.
    in_order_from: u64,
    /// Wire packets for which there was no memory.
    overflow: u64,
}

impl Arrivals {
    /// A packet has left the bottleneck.
    fn depart(&mut self, sent: u64, fated: Fated) {
        let mut at = sent.saturating_add(fated.lag);
        if !fated.reordered {
            at = at.max(self.in_order_from);
            self.in_order_from = at;
        }
        self.fly(at, fated.run);
    }

    fn fly(&mut self, at: u64, run: Run) {
        if let Err(run) = self.flight.insert(at, run) {
            self.overflow += run.wire_packets();
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
    drop: PacketList,
    /// Wire packets that have met loss so far.
    number: u64,
    mark: Chance,
    mark_random: Random,
    duplicate: Chance,
    duplicate_random: Random,
    original: Lane,
    copy: Lane,
    bottleneck: Option<Bottleneck>,
    /// The least time from having been sent to arriving.
    least_lag: u64,
    arrivals: Arrivals,
    stats: DirectionStats,
}

impl Direction {
    pub(super) fn new(config: &PathConfig, impairments: &Impairments, number: u64) -> Direction {
        let random = |purpose| Random::new(config.seed(), number, purpose);
        let mtu = impairments.mtu.unwrap_or(config.mtu()).min(config.mtu());
        let bottleneck = Server::new(impairments.rate, impairments.trace.as_ref()).map(|server| {
            let mean = impairments.mean_bits_per_second().unwrap_or_default();
            let queue = impairments.queue.unwrap_or_else(|| QueueDiscipline::default_for(mean, mtu));
            Bottleneck::new(server, queue, mtu, mean, random(Purpose::Queue))
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
            drop: impairments.drop.clone(),
            number: 0,
            mark: Chance::new(impairments.mark),
            mark_random: random(Purpose::Mark),
            duplicate: Chance::new(impairments.duplicate),
            duplicate_random: random(Purpose::Duplicate),
            original: Lane::new(impairments, random, [Purpose::Corrupt, Purpose::Jitter, Purpose::Reorder]),
            copy: Lane::new(impairments, random, [Purpose::CopyCorrupt, Purpose::CopyJitter, Purpose::CopyReorder]),
            bottleneck,
            least_lag: delay.saturating_sub(jitter.earliest()),
            arrivals: Arrivals::default(),
            stats: DirectionStats::default(),
        }
    }

    /// The path carries its first packet.
    pub(super) fn start(&mut self, now: u64) {
        if let Some(bottleneck) = &mut self.bottleneck {
            bottleneck.start(now);
        }
    }

    /// Takes a packet in. Gives the answer that goes back when it was too big.
    pub(super) fn push(&mut self, now: u64, packet: Packet, router: &mut Router) -> Option<Packet> {
        self.advance(now);
        let run = Run::new(packet);
        self.stats.packets_in += run.wire_packets();
        self.stats.bytes_in += run.len() as u64;
        if self.keep_super_segments && run.longest() <= self.mtu {
            self.arrivals.fly(now.saturating_add(self.delay), run);
            return None;
        }
        // One answer for all pieces: routers limit the rate of theirs.
        let mut answer = None;
        if run.is_separable() {
            for piece in run.pieces() {
                answer = answer.or(self.push_wire(now, piece, router));
            }
        } else {
            for segment in run.into_packet().segments() {
                answer = answer.or(self.push_wire(now, Run::new(segment), router));
            }
        }
        answer
    }

    /// A wire packet: big ones are fragmented, answered or dropped.
    fn push_wire(&mut self, now: u64, run: Run, router: &mut Router) -> Option<Packet> {
        if run.len() <= self.mtu {
            self.impair(now, run);
            return None;
        }
        let packet = run.into_finished();
        if let Some(fragments) = too_big::fragment(&packet, self.mtu) {
            self.stats.fragmented += 1;
            for fragment in fragments {
                self.stats.fragments += 1;
                self.impair(now, Run::new(fragment));
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
    fn impair(&mut self, now: u64, mut run: Run) {
        self.number += 1;
        let lost = self.loss.takes(&mut self.loss_random) || self.drop.contains(self.number);
        let duplicated = self.duplicate.happens(&mut self.duplicate_random);
        let marked = self.mark.happens(&mut self.mark_random);
        let fate = self.original.draw();
        let copy_fate = if duplicated { Some(self.copy.draw()) } else { None };
        if lost {
            self.stats.lost += 1;
            return;
        }
        if marked && run.mark_congestion() {
            self.stats.marked += 1;
        }
        let copy = copy_fate.map(|fate| (run.clone(), fate));
        self.admit(now, run, fate);
        if let Some((run, fate)) = copy {
            self.stats.duplicated += 1;
            self.admit(now, run, fate);
        }
    }

    /// Damages the packet if that is its fate and hands it to the bottleneck.
    fn admit(&mut self, now: u64, mut run: Run, fate: Fate) {
        if let Some(draw) = fate.corrupt {
            self.stats.corrupted += 1;
            run = Run::new(flip_bit(run.into_finished(), draw));
        }
        let mut lag = self.delay.saturating_add_signed(fate.jitter);
        if fate.reordered {
            self.stats.reordered += 1;
            lag += self.reorder_time;
        }
        let Some(bottleneck) = &mut self.bottleneck else {
            self.arrivals.fly(now.saturating_add(lag), run);
            return;
        };
        bottleneck.enter(now, Fated { run, lag, reordered: fate.reordered });
        self.advance(now);
    }

    /// Catches up with the bottleneck.
    fn advance(&mut self, now: u64) {
        let Direction { bottleneck, arrivals, .. } = self;
        if let Some(bottleneck) = bottleneck {
            bottleneck.advance(now, |sent, fated| arrivals.depart(sent, fated));
        }
    }

    pub(super) fn pop(&mut self, now: u64) -> Option<Packet> {
        self.advance(now);
        let run = self.arrivals.flight.pop(now)?;
        Some(self.let_out(run))
    }

    pub(super) fn pop_joined(&mut self, now: u64) -> Option<Packet> {
        self.advance(now);
        let run = self.arrivals.flight.pop_joined(now)?;
        Some(self.let_out(run))
    }

    fn let_out(&mut self, run: Run) -> Packet {
        self.stats.packets_out += run.wire_packets();
        self.stats.bytes_out += run.len() as u64;
        run.into_packet()
    }

    /// Never later than the next arrival; at most the jitter earlier.
    pub(super) fn next_deadline(&self) -> Option<u64> {
        let queued = self.bottleneck.as_ref().and_then(Bottleneck::next_sent);
        let queued = queued.map(|sent| sent.saturating_add(self.least_lag));
        match (self.arrivals.flight.next_at(), queued) {
            (Some(flight), Some(queued)) => Some(flight.min(queued)),
            (flight, queued) => flight.or(queued),
        }
    }

    /// Bytes of places for packets, taken or not.
    pub(super) fn room(&self) -> usize {
        self.arrivals.flight.room() + self.bottleneck.as_ref().map_or(0, Bottleneck::room)
    }

    pub(super) fn stats(&self) -> DirectionStats {
        let Arrivals { flight, overflow, .. } = &self.arrivals;
        let mut stats = DirectionStats { inside: flight.wire_packets(), overflow: *overflow, ..self.stats };
        if let Some(bottleneck) = &self.bottleneck {
            let counts = bottleneck.counts();
            stats.inside += bottleneck.waiting_packets();
            stats.queue_bytes = bottleneck.waiting_bytes();
            stats.queue_dropped += counts.refused;
            stats.codel_dropped += counts.codel_dropped;
            stats.marked += counts.marked;
        }
        stats
    }
}

/// One bit of one byte changed; from here on nobody vouches for the checksum.
fn flip_bit(packet: Packet, draw: u64) -> Packet {
    let mut bytes = packet.to_vec();
    let bits = bytes.len() as u128 * 8;
    let bit = ((u128::from(draw) * bits) >> 64) as usize;
    if let Some(byte) = bytes.get_mut(bit / 8) {
        *byte ^= 1 << (bit % 8);
    }
    Packet::from_bytes(Bytes::from(bytes))
}
