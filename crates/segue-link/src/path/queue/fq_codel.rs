//! FQ-CoDel (RFC 8290): a CoDel queue per flow, new flows first, deficit round robin among them.
//!
//! Decides whose packet leaves and who pays when the whole is full: the head of the fattest flow, as in Linux
//! (net/sched/sch_fq_codel.c). Flows are told apart by a keyed hash of addresses, protocol and ports.

use std::collections::VecDeque;
use std::net::IpAddr;

use segue_wire::{IpView, Packet, Protocol};

use super::super::random::{Random, mix};
use super::codel::Codel;
use super::config::FqCodelConfig;
use super::fifo::{Fifo, Queued};
use super::{Fated, QueueCounts};

/// Most packets that are dropped from the fattest flow at once (RFC 8290 section 4.1).
const DROP_BATCH: u64 = 64;

#[derive(Default)]
struct Flow {
    fifo: Fifo,
    codel: Codel,
    deficit: i64,
    /// Whether it stands in one of the lists.
    listed: bool,
}

pub(super) struct FqCodel {
    config: FqCodelConfig,
    mtu: usize,
    quantum: i64,
    key: u64,
    flows: Vec<Flow>,
    new: VecDeque<usize>,
    old: VecDeque<usize>,
    bytes: u64,
    packets: u64,
}

impl FqCodel {
    pub(super) fn new(config: FqCodelConfig, mtu: usize, mut random: Random) -> FqCodel {
        FqCodel {
            quantum: i64::from(config.quantum.unwrap_or(mtu as u32)),
            flows: std::iter::repeat_with(Flow::default).take(config.flows as usize).collect(),
            config,
            mtu,
            key: random.next(),
            new: VecDeque::new(),
            old: VecDeque::new(),
            bytes: 0,
            packets: 0,
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn len(&self) -> u64 {
        self.packets
    }

    /// Bytes of places for packets, taken or not.
    pub(super) fn room(&self) -> usize {
        self.flows.capacity() * size_of::<Flow>() + self.flows.iter().map(|flow| flow.fifo.room()).sum::<usize>()
    }

    /// RFC 8290 section 4.1.
    pub(super) fn enter(&mut self, queued: Queued, counts: &mut QueueCounts) {
        let at = (flow_hash(queued.packet.run.whole(), self.key) % self.flows.len().max(1) as u64) as usize;
        let Some(flow) = self.flows.get_mut(at) else { return };
        self.bytes += queued.len();
        self.packets += 1;
        flow.fifo.push(queued);
        if !flow.listed {
            flow.listed = true;
            flow.deficit = self.quantum;
            self.new.push_back(at);
        }
        if self.packets > self.config.limit {
            self.drop_from_fattest(counts);
        }
    }

    /// Half of the fattest flow's bytes, from its head.
    fn drop_from_fattest(&mut self, counts: &mut QueueCounts) {
        let Some(flow) = self.flows.iter_mut().max_by_key(|flow| flow.fifo.bytes()) else { return };
        let keep = flow.fifo.bytes() / 2;
        for _ in 0..DROP_BATCH {
            let Some(dropped) = flow.fifo.pop() else { break };
            self.bytes -= dropped.len();
            self.packets -= 1;
            counts.refused += 1;
            if flow.fifo.bytes() <= keep {
                break;
            }
        }
    }

    /// RFC 8290 section 4.2.
    pub(super) fn leave(&mut self, now: u64, counts: &mut QueueCounts) -> Option<Fated> {
        loop {
            let from_new = !self.new.is_empty();
            let list = if from_new { &mut self.new } else { &mut self.old };
            let at = *list.front()?;
            let flow = self.flows.get_mut(at)?;
            if flow.deficit <= 0 {
                flow.deficit += self.quantum;
                list.pop_front();
                self.old.push_back(at);
                continue;
            }
            let before = (flow.fifo.bytes(), flow.fifo.len());
            let elsewhere = self.bytes - before.0;
            let packet = flow.codel.leave(&self.config.codel, self.mtu, now, &mut flow.fifo, elsewhere, counts);
            self.bytes -= before.0 - flow.fifo.bytes();
            self.packets -= before.1 - flow.fifo.len();
            if let Some(packet) = packet {
                flow.deficit -= packet.run.len() as i64;
                return Some(packet);
            }
            list.pop_front();
            // An empty new flow goes round once as an old one, so that it cannot be new again at once (section 4.2).
            if from_new && !self.old.is_empty() {
                self.old.push_back(at);
            } else {
                flow.listed = false;
            }
        }
    }
}

/// What flows are told apart by; fragments and nonsense by what they have.
fn flow_hash(packet: &Packet, key: u64) -> u64 {
    let Ok(view) = IpView::parse(packet) else { return mix(key) };
    let fold = |hash: u64, address: IpAddr| match address {
        IpAddr::V4(v4) => mix(hash ^ u64::from(u32::from(v4))),
        IpAddr::V6(v6) => {
            let bits = u128::from(v6);
            mix(mix(hash ^ (bits >> 64) as u64) ^ bits as u64)
        }
    };
    let hash = fold(fold(key, view.source), view.destination);
    let has_ports = view.fragment.is_none() && matches!(view.protocol, Protocol::TCP | Protocol::UDP);
    let ports = packet.head().get(view.transport..).and_then(|transport| transport.first_chunk::<4>());
    let ports = ports.filter(|_| has_ports).map_or(0, |ports| u64::from(u32::from_be_bytes(*ports)));
    mix(hash ^ (ports << 8) ^ u64::from(view.protocol.0))
}
