//! The send buffer: how much an application may queue.
//!
//! Decides its size as Linux does: `SO_SNDBUF` pins it; otherwise it holds two windows with what they cost in memory, and
//! grows, up to `tcp_wmem[2]`, when a writer has waited for room that the window would have used. Charged are bytes and
//! the buffers they lie in (`parcels`); a write that may begin a buffer may fill it. So a write is taken to the byte as by
//! a Linux host.

use segue_wire::Instant;

use super::Sender;
use super::parcels::{Fill, HEAD};
use crate::config::Config;
use crate::memory::Wish;
use crate::options::{CongestionName, SocketOptions};
use crate::state::synced::Rules;
use crate::units::Packets;

/// What a segment may need beside its text: headers in front, a structure behind, a descriptor.
const LEAD: u32 = 256;
const SHARED_INFO: u32 = 320;
const DESCRIPTOR: u32 = 256;
/// Segments that a buffer is made for at least.
const FEW: u32 = 10;
/// What leaves lasts 2^-10 s at the pacing rate (Linux's sk_pacing_shift), and `tcp_limit_output_bytes`.
const LEAVING_SHIFT: u32 = 10;
const LEAVING_MOST: u64 = 4 << 20;
/// Linux's `SOCK_MIN_SNDBUF`.
const LEAST: u32 = 4608;

/// Memory for the windows that follow each other while one is acknowledged, if every segment lies in a buffer of its own.
fn wanted(cwnd: Packets, reordering: u32, mss: u16, algorithm: CongestionName) -> u32 {
    let segment = (u32::from(mss) + LEAD + SHARED_INFO).next_power_of_two() + DESCRIPTOR;
    let segments = cwnd.0.max(FEW).max(reordering + 1);
    // BBR keeps two windows' worth under way while it looks for more.
    let windows = if algorithm == CongestionName::Bbr { 3 } else { 2 };
    segments.saturating_mul(segment).saturating_mul(windows)
}

/// Size of the buffer when the connection begins.
pub(crate) fn initial(config: &Config, options: &SocketOptions, cwnd: Packets, peer_mss: u16) -> u32 {
    let algorithm = options.congestion.unwrap_or(config.congestion);
    options.sndbuf.unwrap_or_else(|| {
        let wanted = wanted(cwnd, u32::from(config.reordering), peer_mss, algorithm);
        if config.wmem[1] < wanted { wanted.min(config.wmem[2]) } else { config.wmem[1] }
    })
}

/// What is taken of a write, and how it lies in buffers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Admitted {
    pub(crate) taken: u32,
    pub(crate) fill: Fill,
}

impl Sender {
    /// Memory that the queue is charged.
    pub(crate) fn charge(&self) -> u32 {
        self.queue.len().saturating_add(self.queue.heads())
    }

    /// `SO_SNDBUF`.
    pub(crate) fn on_options(&mut self, options: &SocketOptions) {
        self.buffer = options.sndbuf.unwrap_or(self.buffer);
    }

    /// How much of a write of `len` bytes is taken. A buffer is begun while less than the send buffer is charged and less
    /// than `TCP_NOTSENT_LOWAT` waits, and filled up to `goal`. As on Linux one that is full leaves from its front where it
    /// may, if nothing stands before it, and what has left makes room behind.
    pub(crate) fn admit(&mut self, now: Instant, len: usize, goal: u32, others: usize, rules: Rules<'_>) -> Admitted {
        let len = u32::try_from(len).unwrap_or(u32::MAX / 2).min(u32::MAX / 2);
        let lowat = lowat(rules);
        let burst = self.burst(rules.config, rules.options).saturating_mul(self.segment_size());
        let most = self.buffer.saturating_add(self.leaving_bound(goal, rules));
        // What a write before this one counted on leaves first.
        let mut leaving = self.queue.tail_excess(goal);
        let mut leaves = self.would_leave(now, rules).saturating_sub(leaving);
        let mut is_first = self.queue.has_single_unsent();
        let mut charge = self.charge();
        let mut has_tail = self.unsent() > 0;
        let (mut taken, mut room) = (0, self.queue.tail_room(goal));
        while taken < len {
            if room == 0 && has_tail && is_first && leaves > 0 && charge < most {
                room = leaves.min(burst);
                leaves -= room;
                leaving += room;
                charge += HEAD;
            } else if room == 0 {
                let unsent = (self.unsent() + taken).saturating_sub(leaving);
                if charge >= self.buffer || unsent >= lowat {
                    break;
                }
                is_first &= !has_tail;
                has_tail = true;
                charge += HEAD;
                room = goal;
            }
            let part = self.grant(charge, room.min(len - taken), others, rules);
            if part == 0 {
                break;
            }
            taken += part;
            charge += part;
            room -= part;
        }
        Admitted { taken, fill: Fill { goal, leaving } }
    }

    /// By how much what leaves while it is written may exceed the send buffer: what Linux lets wait below TCP at one time
    /// (tcp_small_queue_check). More would fill the congestion window whatever the buffer, and the writer would not be told
    /// of room before most of that is acknowledged: the network would run dry between two bursts.
    fn leaving_bound(&self, goal: u32, rules: Rules<'_>) -> u32 {
        let rate = self.shown_pacing_rate(rules.config, rules.options) >> LEAVING_SHIFT;
        let two = u64::from(goal.saturating_add(HEAD)) * 2;
        rate.max(two).min(LEAVING_MOST) as u32
    }

    /// How much of `part` bytes the stack's memory allows, where `charge` is used. When there is none the buffer shrinks
    /// to half of what is in it, so that others get some; who has nothing queued gets a little nevertheless.
    fn grant(&mut self, charge: u32, part: u32, others: usize, rules: Rules<'_>) -> u32 {
        let memory = &rules.config.memory;
        let least = rules.config.wmem[0];
        let total = others + (charge + part) as usize;
        if memory.grants(&Wish { held: rules.held, total, own: self.charge() as usize, least }) {
            return part;
        }
        if rules.options.sndbuf.is_none() {
            self.buffer = self.buffer.min(self.charge() / 2).max(LEAST);
        }
        let part = part.min(least);
        if self.queue.len() == 0 && charge == HEAD && memory.allows(part as usize) { part } else { 0 }
    }

    /// Bytes that would leave at once if they were there.
    fn would_leave(&self, now: Instant, rules: Rules<'_>) -> u32 {
        if self.held_until(now, rules.config, rules.options).is_some() {
            return 0;
        }
        self.window_room().min(self.quota().saturating_mul(self.segment_size()))
    }

    /// Whether a writer should be told that there is room: a third of the buffer, as Linux does, and less than half of
    /// `TCP_NOTSENT_LOWAT` waits.
    pub(crate) fn is_writable(&self, rules: Rules<'_>) -> bool {
        let queued = self.charge();
        let unsent = u64::from(self.unsent());
        self.buffer.saturating_sub(queued) >= queued / 2 && queued < self.buffer && 2 * unsent < u64::from(lowat(rules))
    }

    /// An acknowledgment has come, and a writer waits for room: there may be more if the window is not full in spite of
    /// everything that waits. Whether the writer should be told, once.
    pub(crate) fn make_space(&mut self, now: Instant, rules: Rules<'_>) -> bool {
        if !self.writer_waits {
            return false;
        }
        let memory = &rules.config.memory;
        if rules.options.sndbuf.is_none()
            && !memory.is_pressed()
            && memory.is_plenty()
            && !self.will_fill_window(now, rules)
        {
            self.expand(rules);
        }
        self.wake_writer(rules)
    }

    fn expand(&mut self, rules: Rules<'_>) {
        let algorithm = rules.options.congestion.unwrap_or(rules.config.congestion);
        let reordering = u32::from(self.reordering_degree(rules.config));
        let wanted = wanted(self.cc.cwnd(), reordering, self.path.clamp.max(self.mss), algorithm);
        if self.buffer < wanted {
            self.buffer = wanted.min(rules.config.wmem[2]);
        }
    }

    /// Whether the congestion window is full once the next packet has left. Linux looks when no more has: below it one at a
    /// time is taken.
    fn will_fill_window(&self, now: Instant, rules: Rules<'_>) -> bool {
        let size = self.segment_size().max(1);
        let burst = self.burst(rules.config, rules.options).saturating_mul(size);
        let leaving = self.would_leave(now, rules).min(self.unsent()).min(burst).div_ceil(size);
        self.in_flight().0 + leaving >= self.cc.cwnd().0
    }

    /// Tells a waiting writer once that there is room.
    pub(crate) fn wake_writer(&mut self, rules: Rules<'_>) -> bool {
        let wake = self.writer_waits && self.is_writable(rules);
        if wake {
            self.writer_waits = false;
        }
        wake
    }
}

fn lowat(rules: Rules<'_>) -> u32 {
    // As Linux: zero means what the sysctl says.
    rules.options.notsent_lowat.filter(|lowat| *lowat > 0).unwrap_or(rules.config.notsent_lowat)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SO_SNDBUF of Linux 6.18 sockets when their connection is made.
    #[test]
    fn the_buffer_begins_as_linux_s_does() {
        let (config, free) = (Config::default(), SocketOptions::default());
        for (mss, size) in [(1_460, 46_080), (1_472, 46_080), (1_473, 87_040), (448, 25_600), (65_483, 2_626_560)] {
            assert_eq!(initial(&config, &free, Packets(10), mss), size, "an MSS of {mss}");
        }
        assert_eq!(initial(&config, &free, Packets(4), 1_460), 46_080);
        assert_eq!(initial(&config, &free, Packets(20), 1_460), 92_160);
        let bbr = SocketOptions { congestion: Some(CongestionName::Bbr), ..SocketOptions::default() };
        assert_eq!(initial(&config, &bbr, Packets(10), 65_483), 3_939_840);
        let pinned = SocketOptions { sndbuf: Some(9_000), ..SocketOptions::default() };
        assert_eq!(initial(&config, &pinned, Packets(100), 1_460), 9_000);
        let small = Config { wmem: [4_096, 16_384, 40_000], ..Config::default() };
        assert_eq!(initial(&small, &free, Packets(10), 1_460), 40_000);
    }
}
