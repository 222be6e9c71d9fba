//! The send buffer: how much an application may queue.
//!
//! Decides its size as Linux does: `SO_SNDBUF` pins it; otherwise it holds two windows with what they cost in memory, and
//! grows, up to `tcp_wmem[2]`, when a writer has waited for room that the window would have used. Charged are bytes and
//! the buffers they lie in (`parcels`); a write that may begin a buffer may fill it. So a write is taken to the byte as by
//! a Linux host.

use segue_wire::Instant;

use super::Sender;
use super::parcels::{Burst, HEAD};
use crate::config::Config;
use crate::memory::{PAGE, Wish};
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

/// What kind of write it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// `MSG_OOB`: nothing leaves before all is written.
    pub(crate) urgent: bool,
    /// Bytes of options that segments have now beside those of every segment.
    pub(crate) overhead: u16,
}

/// A write under way.
#[derive(Clone, Copy, Debug)]
struct Writing {
    /// Bytes that a buffer holds.
    goal: u32,
    /// Bytes that may leave while it is written: of whole segments, by both windows, and by cwnd alone.
    leaves: u32,
    quota: u32,
    /// Bytes that leave at one time, and that are joined to do so. As on Linux what is urgent is cut nevertheless.
    burst: u32,
    joined: u32,
    /// Bytes written since something was last pushed (Linux's pushed_seq).
    unpushed: u32,
    /// Something of it was.
    pushed: bool,
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

    /// How much of a write of `len` bytes is taken, and buffers for it. One is begun while less than the send buffer is charged
    /// and less than `TCP_NOTSENT_LOWAT` waits, and filled up to the size goal. As on Linux what is full leaves where it may,
    /// and makes room behind.
    /// `others`: what is charged for what was received.
    pub(crate) fn admit(&mut self, now: Instant, len: usize, kind: Kind, others: usize, rules: Rules<'_>) -> u32 {
        let len = u32::try_from(len).unwrap_or(u32::MAX / 2).min(u32::MAX / 2);
        let lowat = lowat(rules);
        let mut writing = self.writing(now, kind, rules);
        let goal = writing.goal;
        let most = self.buffer.saturating_add(self.leaving_bound(goal, rules));
        let mut taken = 0;
        while taken < len {
            let tail = self.queue.parcels().tail();
            if tail.is_some_and(|tail| tail >= goal) && taken > 0 && !kind.urgent && self.charge() + taken < most {
                self.push_full(&mut writing, taken);
            }
            let mut room = match taken == 0 && self.queue.ends_with_record() {
                true => 0,
                false => self.queue.parcels().tail().map_or(0, |tail| goal.saturating_sub(tail)),
            };
            if room == 0 {
                let unsent = self.unsent() + taken - self.queue.leaving();
                if self.charge() + taken >= self.buffer || unsent >= lowat {
                    break;
                }
                self.queue.parcels().begin();
                room = goal;
            }
            let part = self.grant(self.charge() + taken, room.min(len - taken), others, rules);
            if part == 0 {
                self.queue.parcels().drop_empty();
                break;
            }
            self.queue.parcels().put(part);
            if taken == 0 {
                self.queue.parcels().set_push(false);
            }
            taken += part;
            writing.unpushed = writing.unpushed.saturating_add(part);
        }
        if taken == 0 {
            self.queue.forget_nothing();
        } else if writing.pushed {
            self.push_end = self.queue.end() + (taken - writing.unpushed);
        }
        taken
    }

    fn writing(&self, now: Instant, kind: Kind, rules: Rules<'_>) -> Writing {
        let size = self.segment_size().saturating_sub(u32::from(kind.overhead)).max(1);
        let leaving = self.queue.leaving();
        Writing {
            goal: if kind.urgent { size } else { self.size_goal(size) },
            leaves: self.would_leave(now, size, rules).saturating_sub(leaving) / size * size,
            quota: self.quota().saturating_mul(size).saturating_sub(leaving),
            burst: match self.urgent_end {
                Some(_) => size,
                None => self.burst(size, rules.config, rules.options).saturating_mul(size),
            },
            joined: self.burst(size, rules.config, rules.options).saturating_mul(size),
            unpushed: self.queue.end().since(self.push_end),
            pushed: false,
        }
    }

    /// The last buffer is full, and more is written. As on Linux all is pushed once half of the peer's largest window was
    /// written; before that what fills the only buffer leaves, as much as leaves at one time.
    fn push_full(&mut self, writing: &mut Writing, taken: u32) {
        let pushes = writing.unpushed > self.max_window / 2;
        let unsent = self.unsent() + taken - self.queue.leaving();
        let parcels = self.queue.parcels();
        let waiting = match pushes {
            true => unsent,
            false if parcels.has_single() => parcels.tail().unwrap_or(0).min(writing.burst),
            false => 0,
        };
        let leaves = waiting.min(writing.leaves);
        let Writing { burst: cut, joined, quota, .. } = *writing;
        if pushes {
            parcels.set_push(true);
            (writing.unpushed, writing.pushed) = (0, true);
        }
        parcels.leave(leaves, Burst { cut, joined, quota });
        writing.leaves -= leaves;
        writing.quota = quota.saturating_sub(leaves);
        if pushes {
            parcels.join(joined.min(writing.quota));
        }
    }

    /// Something might leave, `most` bytes at one time in segments of `size`: as on Linux that lies in one buffer.
    pub(crate) fn join_first(&mut self, most: u32, size: u32) {
        if self.queue.has_several_unsent() {
            self.queue.join(most.min(self.quota().saturating_mul(size)).min(self.unsent_record()));
        }
    }

    /// The same after something has happened; `overhead`: see [`Kind`].
    pub(crate) fn join_waiting(&mut self, overhead: u16, rules: Rules<'_>) {
        if self.queue.has_several_unsent() {
            let size = self.segment_size().saturating_sub(overhead.into()).max(1);
            self.join_first(self.burst(size, rules.config, rules.options).saturating_mul(size), size);
        }
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
        if self.queue.len() > 0 || charge != HEAD {
            return 0;
        }
        // Below a ceiling one page at least is there.
        let allows = |part: &u32| memory.allows(rules.held, others + (charge + part) as usize);
        [part.min(least), part.min(PAGE - HEAD)].into_iter().find(allows).unwrap_or(0)
    }

    /// Bytes that would leave at once, in segments of `size`, if they were there.
    fn would_leave(&self, now: Instant, size: u32, rules: Rules<'_>) -> u32 {
        if self.held_until(now, rules.config, rules.options).is_some() {
            return 0;
        }
        self.window_room().min(self.quota().saturating_mul(size))
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
        let burst = self.burst(size, rules.config, rules.options).saturating_mul(size);
        let leaving = self.would_leave(now, size, rules).min(self.unsent()).min(burst).div_ceil(size);
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
