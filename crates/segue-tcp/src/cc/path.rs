//! For tests: flows over one bottleneck, packet by packet, in virtual time.
//!
//! The sender is as plain as can be, so that what is seen is the algorithm: one acknowledgment for each
//! packet, no reordering, a packet is lost when a later one arrives. cwnd falls to ssthresh at once.

use std::collections::{BTreeMap, BinaryHeap};

use core::cmp::Reverse;
use core::time::Duration;

use segue_wire::Instant;

use super::validation::Outstanding;
use super::{AckSample, Congestion, LossSample, LostSegment, Restart};
use crate::options::CongestionName;
use crate::send::rate::{Delivered, Sent};
use crate::units::{Packets, Seq};

pub(super) const MSS: u32 = 1000;

/// One bottleneck.
#[derive(Clone, Copy)]
pub(super) struct Path {
    /// Bytes per second.
    pub(super) rate: u64,
    /// Round trip without queueing.
    pub(super) rtt: Duration,
    /// Packets that may wait.
    pub(super) queue: u64,
    /// How many wait when an arriving one is marked (ECN); `u64::MAX`: none is.
    pub(super) mark: u64,
    /// Packets lost of a million, at random.
    pub(super) loss: u32,
    /// Every so many packets one is lost; 0: none.
    pub(super) every: u64,
    /// Acknowledgments come in bunches at multiples of this.
    pub(super) bunch: Duration,
}

struct Packet {
    sent_at: Instant,
    sent: Sent,
}

pub(super) struct Flow {
    pub(super) cc: Congestion,
    outstanding: BTreeMap<u32, Packet>,
    next: u32,
    recover: Option<u32>,
    srtt: Option<Duration>,
    min_rtt: Option<Duration>,
    rto_at: Option<Instant>,
    started: bool,
    wake_at: Instant,
    /// Bytes per second that the application writes; `None`: always enough.
    supply: Option<u64>,
    supplied_at: Instant,
    budget: u64,
    pub(super) delivered: u64,
    pub(super) lost: u64,
    pub(super) timeouts: u32,
    /// For the average window: sum over acknowledgments.
    pub(super) cwnd_sum: u64,
    pub(super) acks: u64,
    pub(super) worst_rtt: Duration,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Ack { flow: usize, id: u32, marked: bool },
    Wake { flow: usize },
}

pub(super) struct World {
    pub(super) now: Instant,
    path: Path,
    free_at: Instant,
    pub(super) flows: Vec<Flow>,
    events: BinaryHeap<Reverse<(Instant, u64, Event)>>,
    count: u64,
    random: u64,
    sent: u64,
    /// How long packets have waited, in all.
    waited: Duration,
}

impl Flow {
    fn new(name: CongestionName, now: Instant) -> Flow {
        Flow {
            cc: Congestion::new(name, Packets(10)),
            outstanding: BTreeMap::new(),
            next: 0,
            recover: None,
            srtt: None,
            min_rtt: None,
            rto_at: None,
            started: false,
            wake_at: now,
            supply: None,
            supplied_at: now,
            budget: 0,
            delivered: 0,
            lost: 0,
            timeouts: 0,
            cwnd_sum: 0,
            acks: 0,
            worst_rtt: Duration::ZERO,
        }
    }

    fn in_flight(&self) -> Packets {
        Packets(self.outstanding.len() as u32)
    }

    fn has_data(&mut self, now: Instant) -> bool {
        let Some(rate) = self.supply else { return true };
        self.budget += u64::try_from((now - self.supplied_at).as_nanos()).unwrap_or(0) * rate / 1_000_000_000;
        self.supplied_at = now;
        self.budget >= u64::from(MSS)
    }

    fn lose(&mut self, now: Instant, ids: &[u32]) {
        for id in ids {
            let Some(packet) = self.outstanding.remove(id) else { continue };
            self.lost += 1;
            let rate = &mut self.cc.flow_mut(now).rate;
            rate.on_lost(Packets(1));
            let lost = rate.lost_since(&packet.sent);
            self.cc.on_segment_lost(now, &LostSegment { sent: packet.sent, lost });
        }
    }

    fn on_ack(&mut self, now: Instant, id: u32, marked: bool) {
        let Some(packet) = self.outstanding.remove(&id) else { return };
        self.delivered += 1;
        let rtt = now - packet.sent_at;
        self.worst_rtt = self.worst_rtt.max(rtt);
        self.srtt = Some(self.srtt.map_or(rtt, |srtt| srtt * 7 / 8 + rtt / 8));
        self.min_rtt = Some(self.min_rtt.map_or(rtt, |min| min.min(rtt)));
        let mut delivered = Delivered::default();
        delivered.note(1, packet.sent_at, Seq::new(id), &packet.sent);
        let lost: Vec<u32> = self.outstanding.range(..id).map(|(id, _)| *id).collect();
        self.lose(now, &lost);
        let in_flight = self.in_flight();
        if self.recover.is_some_and(|recover| id >= recover) {
            self.recover = None;
            self.cc.on_recovered(now);
        }
        if !lost.is_empty() && self.recover.is_none() {
            let _ = self.cc.on_loss(&LossSample { now, in_flight });
            self.cc.set_cwnd(self.cc.ssthresh());
            self.recover = Some(self.next);
        }
        if marked && self.recover.is_none() {
            let _ = self.cc.on_ecn(&LossSample { now, in_flight });
            self.cc.set_cwnd(self.cc.ssthresh());
            self.recover = Some(self.next);
        }
        let min_rtt = self.min_rtt;
        let rate = self.cc.flow_mut(now).rate.sample(now, &delivered, min_rtt);
        let ack = AckSample {
            now,
            una: Seq::new(id),
            nxt: Seq::new(self.next),
            mss: MSS,
            delivered: Packets(1),
            lost: Packets(lost.len() as u32),
            credit: Packets(u32::from(self.recover.is_none())),
            cwnd_limited: self.cc.is_limiting(),
            peer_limited: false,
            in_flight,
            rtt: Some(rtt),
            srtt: self.srtt,
            rate,
            selective: true,
        };
        self.cc.on_ack(&ack);
        self.cwnd_sum += u64::from(self.cc.cwnd().0);
        self.acks += 1;
        self.rto_at = Some(now + self.rto());
    }

    fn rto(&self) -> Duration {
        self.srtt.unwrap_or(Duration::from_secs(1)) * 2 + Duration::from_millis(200)
    }

    fn on_timeout(&mut self, now: Instant) {
        let ids: Vec<u32> = self.outstanding.keys().copied().collect();
        self.lose(now, &ids);
        self.timeouts += 1;
        let _ = self.cc.on_rto(&LossSample { now, in_flight: Packets(0) }, self.recover.is_none());
        self.recover = Some(self.next);
        self.rto_at = Some(now + self.rto());
    }
}

impl World {
    pub(super) fn new(path: Path, seed: u64) -> World {
        World {
            now: Instant::from_secs(1),
            path,
            free_at: Instant::ZERO,
            flows: Vec::new(),
            events: BinaryHeap::new(),
            count: 0,
            random: seed,
            sent: 0,
            waited: Duration::ZERO,
        }
    }

    /// How long packets have waited for the bottleneck, on average.
    pub(super) fn mean_wait(&self) -> Duration {
        self.waited / u32::try_from(self.sent).unwrap_or(u32::MAX).max(1)
    }

    pub(super) fn start(&mut self, name: CongestionName) -> usize {
        self.flows.push(Flow::new(name, self.now));
        let flow = self.flows.len() - 1;
        self.at(self.now, Event::Wake { flow });
        flow
    }

    /// From now on the application writes so many bytes per second.
    pub(super) fn supply(&mut self, index: usize, supply: Option<u64>) {
        let flow = &mut self.flows[index];
        (flow.supply, flow.supplied_at, flow.budget) = (supply, self.now, 0);
        self.at(self.now, Event::Wake { flow: index });
    }

    pub(super) fn set_path(&mut self, change: impl FnOnce(&mut Path)) {
        change(&mut self.path);
    }

    fn at(&mut self, at: Instant, event: Event) {
        self.count += 1;
        self.events.push(Reverse((at, self.count, event)));
    }

    /// Runs for so long.
    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.events.peek().is_some_and(|Reverse((at, ..))| *at <= end) {
            let Some(Reverse((at, _, event))) = self.events.pop() else { break };
            self.now = at;
            let flow = match event {
                Event::Ack { flow, id, marked } => {
                    self.flows[flow].on_ack(at, id, marked);
                    flow
                }
                Event::Wake { flow } => {
                    if self.flows[flow].rto_at.is_some_and(|due| due <= at) && !self.flows[flow].outstanding.is_empty()
                    {
                        self.flows[flow].on_timeout(at);
                    }
                    flow
                }
            };
            self.send(flow);
        }
        self.now = end;
    }

    /// Bytes delivered for each flow in the next `time`.
    pub(super) fn measure(&mut self, time: Duration) -> Vec<f64> {
        let before: Vec<u64> = self.flows.iter().map(|flow| flow.delivered).collect();
        for flow in &mut self.flows {
            (flow.cwnd_sum, flow.acks, flow.worst_rtt) = (0, 0, Duration::ZERO);
        }
        self.run(time);
        let rate =
            |(flow, before): (&Flow, u64)| (flow.delivered - before) as f64 * f64::from(MSS) / time.as_secs_f64();
        self.flows.iter().zip(before).map(rate).collect()
    }

    fn send(&mut self, index: usize) {
        let now = self.now;
        loop {
            let flow = &mut self.flows[index];
            let has_data = flow.has_data(now);
            let in_flight = flow.in_flight();
            let full = in_flight >= flow.cc.cwnd();
            if !has_data {
                if !full && flow.started {
                    flow.cc.flow_mut(now).rate.on_app_limited(in_flight);
                }
                let wait = Duration::from_nanos(u64::from(MSS) * 1_000_000_000 / flow.supply.unwrap_or(1).max(1));
                self.wake(index, now + wait);
                return;
            }
            if full {
                let at = flow.rto_at.unwrap_or(now + Duration::from_secs(1));
                self.wake(index, at);
                return;
            }
            if let Some(at) = flow.cc.pacing_rate().and(flow.cc.flow().and_then(|flow| flow.pacer.hold(now))) {
                self.wake(index, at);
                return;
            }
            self.send_one(index);
        }
    }

    fn wake(&mut self, index: usize, at: Instant) {
        let flow = &mut self.flows[index];
        let at = flow.rto_at.filter(|_| !flow.outstanding.is_empty()).map_or(at, |rto| rto.min(at)).max(self.now);
        if flow.wake_at <= self.now || at < flow.wake_at {
            flow.wake_at = at;
            self.at(at, Event::Wake { flow: index });
        }
    }

    fn send_one(&mut self, index: usize) {
        let (now, path) = (self.now, self.path);
        let flow = &mut self.flows[index];
        let idle = flow.outstanding.is_empty();
        if idle {
            let app_limited = flow.cc.flow().is_some_and(|flow| flow.rate.is_app_limited());
            flow.cc.on_restart(&Restart { now, app_limited, srtt: flow.srtt, mss: MSS });
            flow.rto_at = Some(now + flow.rto());
        }
        flow.started = true;
        flow.budget = flow.budget.saturating_sub(u64::from(MSS));
        let id = flow.next;
        flow.next += 1;
        let in_flight = Packets(flow.in_flight().0 + 1);
        let sent = flow.cc.flow_mut(now).rate.on_send(now, idle, in_flight);
        flow.outstanding.insert(id, Packet { sent_at: now, sent });
        let out = Outstanding {
            una: Seq::new(id + 1 - in_flight.0),
            nxt: Seq::new(id + 1),
            segments: in_flight,
            fills_window: in_flight >= flow.cc.cwnd(),
        };
        let rto = flow.rto();
        flow.cc.on_sent(now, &out, rto, None);
        if let Some(rate) = flow.cc.pacing_rate() {
            let takes = Duration::from_nanos(u64::from(MSS) * 1_000_000_000 / rate.max(1));
            flow.cc.flow_mut(now).pacer.on_sent(now, takes);
        }
        self.random = self.random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let takes = Duration::from_nanos(u64::from(MSS) * 1_000_000_000 / path.rate);
        let waits = self.free_at - now;
        let dropped = waits > takes * u32::try_from(path.queue).unwrap_or(u32::MAX);
        self.sent += 1;
        let periodic = path.every > 0 && self.sent.is_multiple_of(path.every);
        if dropped || periodic || (self.random >> 33) % 1_000_000 < u64::from(path.loss) {
            return;
        }
        let marked = waits > takes.saturating_mul(u32::try_from(path.mark).unwrap_or(u32::MAX));
        self.waited += waits;
        self.free_at = self.free_at.max(now) + takes;
        let mut back = self.free_at + path.rtt;
        if !path.bunch.is_zero() {
            let step = path.bunch.as_nanos() as u64;
            back = Instant::from_nanos(back.as_nanos().div_ceil(step) * step);
        }
        self.at(back, Event::Ack { flow: index, id, marked });
    }
}
