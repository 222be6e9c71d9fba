//! When to acknowledge: at once, in a while, or with data that leave anyway.
//!
//! Owns RFC 9293 section 3.8.6.3 and RFC 5681 section 4.2 (every second full segment; at once
//! for anything out of order; never later than 500 ms), with Linux's adaptation: quick
//! acknowledgments at the start and after trouble, "ping-pong" when the application answers,
//! a delay of 40 to 200 ms that follows the peer's pace.

use core::time::Duration;

use segue_wire::Instant;

use crate::config::Config;
use crate::units::Deadline;

const DELAY_MIN: Duration = Duration::from_millis(40);
const DELAY_MAX: Duration = Duration::from_millis(200);
/// Without ping-pong the delay may grow to this (RFC 9293 SHLD-18: below 500 ms).
const DELAY_CAP: Duration = Duration::from_millis(490);
/// Segments acknowledged at once when a flow begins or has met trouble.
const QUICK_MAX: u32 = 16;
/// The same after a congestion mark.
const QUICK_AFTER_MARK: u32 = 2;
/// Smallest estimate of the peer's segment size, and the largest to start with.
pub(crate) const SIZE_MIN: u16 = 88;
const SIZE_START: u16 = 536;

/// What is owed to the peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owed {
    Nothing,
    /// An acknowledgment by then.
    Delayed(Instant),
    Now,
    /// For out-of-order data, by then, together with those that follow.
    Compressed(Instant),
    /// As `Now`, and data wait for it: as on Linux when FINs cross.
    Alone,
    /// So many: each out-of-order segment is told by its own duplicate (RFC 5681 section 4.2). As on Linux data that leave
    /// anyway carry one.
    Duplicates(u16),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct AckPolicy {
    pub(crate) owed: Owed,
    /// A challenge waits to leave. Apart from what is owed: the host may take it back.
    pub(crate) challenge: bool,
    /// Text had to be refused for want of memory: the next segment says that the window is shut.
    pub(crate) no_memory: bool,
    /// Segments still acknowledged at once.
    quick: u8,
    /// Answers of the application to what it has read, in a row.
    answers: u8,
    /// `tcp_pingpong_thresh`: so many make a conversation, in which the answer will carry the acknowledgment.
    conversation: u8,
    /// A small segment that pushed waits to be read (2: several).
    pushed: u8,
    /// Current delay in microseconds; 0 before the first data.
    delay: u32,
    /// Size of the peer's segments, estimated.
    pub(crate) segment_size: u16,
    last_size: u16,
    /// When data last came.
    pub(crate) last_data: Instant,
}

/// What a segment's length shows of its sender's segment size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Length {
    /// Bytes of text.
    pub(crate) text: u16,
    /// Bytes of options beside it.
    pub(crate) options: u8,
    /// Bytes of options that every segment has.
    pub(crate) usual: u8,
    pub(crate) pushed: bool,
    /// It ends something (PSH, URG, FIN) and may be shorter than others.
    pub(crate) is_rest: bool,
}

/// How the receiver stands when text in order has been taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    /// More than a segment is unacknowledged, and the window's edge would move on with an acknowledgment, or the reader
    /// waits for more than there is.
    pub(crate) advances: bool,
    pub(crate) srtt: Option<Duration>,
    /// No delay is longer.
    pub(crate) longest: Duration,
}

fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}

/// As Linux: the peer's retransmission timer, taken to be like ours, must not run out before.
pub(crate) fn longest_delay(config: &Config) -> Duration {
    const TICK: Duration = Duration::from_millis(1);
    config.delack_max.min(config.rto_min.saturating_sub(TICK).max(TICK))
}

impl AckPolicy {
    pub(crate) fn new(now: Instant, config: &Config, advertised_mss: u16, window: u32) -> AckPolicy {
        let half = u16::try_from(window / 2).unwrap_or(u16::MAX);
        AckPolicy {
            owed: Owed::Nothing,
            challenge: false,
            no_memory: false,
            quick: 0,
            answers: 0,
            conversation: config.pingpong_thresh,
            pushed: 0,
            delay: 0,
            segment_size: SIZE_START.min(advertised_mss).min(half).max(SIZE_MIN),
            last_size: 0,
            last_data: now,
        }
    }

    /// Other parameters are in force.
    pub(crate) fn on_config(&mut self, config: &Config) {
        self.conversation = config.pingpong_thresh;
    }

    /// The application answers what it reads: what it sends will carry the acknowledgment.
    pub(crate) fn is_pingpong(&self) -> bool {
        self.answers >= self.conversation
    }

    /// The delay in force.
    pub(crate) fn delay(&self) -> Duration {
        Duration::from_micros(u64::from(self.delay))
    }

    pub(crate) fn deadline(&self) -> Deadline {
        match self.owed {
            Owed::Delayed(at) | Owed::Compressed(at) => Deadline::at(at),
            _ => Deadline::NEVER,
        }
    }

    /// Whether an acknowledgment must leave now even if nothing else does.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        match self.owed {
            _ if self.challenge => true,
            Owed::Nothing => false,
            Owed::Delayed(at) | Owed::Compressed(at) => at <= now,
            Owed::Now | Owed::Alone | Owed::Duplicates(_) => true,
        }
    }

    /// Data have come in order: learn the peer's segment size and pace. Whether the size is a new, larger one.
    pub(crate) fn on_data(&mut self, now: Instant, length: Length, mss: u16, window: u32, rto: Duration) -> bool {
        let larger = self.learn_size(length, mss);
        let gap = now - self.last_data;
        if self.delay == 0 {
            self.quicken(window, QUICK_MAX);
            self.delay = micros(DELAY_MIN);
        } else if gap <= DELAY_MIN / 2 {
            self.delay = self.delay / 2 + micros(DELAY_MIN / 2);
        } else if micros(gap) < self.delay {
            self.delay = (self.delay / 2).saturating_add(micros(gap)).min(micros(rto));
        } else if gap > rto {
            // A long gap: the peer probably restarts slowly and needs every acknowledgment.
            self.quicken(window, QUICK_MAX);
        }
        self.last_data = now;
        larger
    }

    /// Learns the peer's segment size from the length of a segment. Whether it is a new, larger one.
    pub(crate) fn learn_size(&mut self, length: Length, mss: u16) -> bool {
        let last = core::mem::take(&mut self.last_size);
        let size = length.text;
        if size >= self.segment_size {
            let larger = size != self.segment_size;
            self.segment_size = size.min(mss).max(1);
            if length.pushed {
                // Probably the end of a write: whoever reads it all may have the acknowledgment.
                self.pushed = self.pushed.max(1);
            }
            return larger;
        }
        // Below the smallest path without the end of a write, or at least of a common size: twice the same, and the
        // peer's segments are smaller than we thought.
        let whole = size.saturating_add(length.options.into());
        if whole >= SIZE_START || (whole >= SIZE_MIN && !length.is_rest) {
            // Blocks of selective acknowledgment come and go; without them it would be so long.
            let size = whole.saturating_sub(length.usual.into()).max(1);
            self.last_size = size;
            if size == last {
                self.segment_size = size;
                return false;
            }
        }
        self.pushed = (self.pushed + 1).min(2);
        false
    }

    /// The window has grown: the peer should hear of it.
    pub(crate) fn on_growth(&mut self) {
        self.quick |= 1;
    }

    /// The buffer is filling: acknowledging quickly would only fill it faster.
    pub(crate) fn on_tight(&mut self) {
        self.quick = 0;
    }

    /// Acknowledge the next segments at once, at most `most`.
    fn quicken(&mut self, window: u32, most: u32) {
        // As Linux: two where the window holds less than two segments, else one for every two.
        let segments = window / (2 * u32::from(self.segment_size));
        let segments = if segments == 0 { 2 } else { segments.min(most) };
        self.quick = self.quick.max(segments as u8);
    }

    /// Something went wrong on the way: acknowledge at once for a while.
    pub(crate) fn on_trouble(&mut self, window: u32) {
        self.quicken_anew(window, QUICK_MAX);
    }

    /// Congestion on the way to us, or its aftermath: the sender's window may be very small.
    pub(crate) fn on_mark(&mut self, window: u32) {
        self.quicken_anew(window, QUICK_AFTER_MARK);
        if matches!(self.owed, Owed::Delayed(_)) {
            self.owed = Owed::Now;
        }
    }

    fn quicken_anew(&mut self, window: u32, most: u32) {
        self.quicken(window, most);
        self.answers = 0;
        self.delay = micros(DELAY_MIN);
    }

    /// `TCP_QUICKACK`. What is owed leaves now, unless it waits for the reader.
    pub(crate) fn set_quick(&mut self, quick: bool, waits: bool) {
        if !quick {
            self.answers = self.conversation;
            return;
        }
        self.answers = 0;
        if matches!(self.owed, Owed::Delayed(_)) && !waits {
            self.owed = Owed::Now;
        }
    }

    /// Owe one at once.
    pub(crate) fn owe_now(&mut self) {
        if !matches!(self.owed, Owed::Duplicates(_) | Owed::Alone) {
            self.owed = Owed::Now;
        }
    }

    /// Owe one at once, before anything else leaves.
    pub(crate) fn owe_alone(&mut self) {
        self.owed = Owed::Alone;
    }

    /// Whether segments are acknowledged at once for now.
    pub(crate) fn is_quick(&self) -> bool {
        self.quick > 0 && !self.is_pingpong()
    }

    /// Owe one for out-of-order data, which later ones may join.
    pub(crate) fn owe_within(&mut self, at: Instant) {
        self.owed = match self.owed {
            Owed::Now | Owed::Alone | Owed::Duplicates(_) => self.owed,
            Owed::Delayed(earlier) | Owed::Compressed(earlier) => Owed::Compressed(earlier.min(at)),
            Owed::Nothing => Owed::Compressed(at),
        };
    }

    /// An out-of-order arrival of `segments`. As on Linux a delayed acknowledgment of what was in order is the first of its
    /// answers.
    pub(crate) fn owe_duplicate(&mut self, segments: u32) {
        let owed = match self.owed {
            Owed::Duplicates(count) => u32::from(count),
            Owed::Now | Owed::Alone => 1,
            _ => 0,
        };
        self.owed = Owed::Duplicates((owed + segments).min(64) as u16);
    }

    /// In-order data were taken.
    pub(crate) fn owe_for_data(&mut self, now: Instant, standing: Standing) {
        if standing.advances || self.is_quick() || matches!(self.owed, Owed::Now | Owed::Duplicates(_)) {
            // Duplicates that have not left would not be duplicates any more.
            self.owed = Owed::Now;
        } else {
            self.owe_later(now, standing.srtt, standing.longest);
        }
    }

    /// The application is expected to write soon; its data will carry the acknowledgment.
    pub(crate) fn owe_with_data(&mut self, now: Instant, window: u32) {
        self.on_trouble(window);
        self.owed = Owed::Delayed(now + DELAY_MAX);
    }

    /// Linux's choice of the moment: the learned delay, bounded by the round-trip time.
    pub(crate) fn owe_later(&mut self, now: Instant, srtt: Option<Duration>, longest: Duration) {
        // Before there were data it is zero: the acknowledgment of a bare FIN leaves at once.
        let mut delay = self.delay();
        if delay > DELAY_MIN {
            let mut most = if self.is_pingpong() || self.pushed > 0 { DELAY_MAX } else { DELAY_CAP };
            if let Some(srtt) = srtt {
                most = most.min(srtt.max(DELAY_MIN));
            }
            delay = delay.min(most);
        }
        let delay = delay.min(longest);
        let at = now + delay;
        self.owed = match self.owed {
            Owed::Now | Owed::Alone | Owed::Duplicates(_) => self.owed,
            Owed::Compressed(earlier) => Owed::Compressed(earlier.min(at)),
            // As Linux: one that is nearly due leaves at once.
            Owed::Delayed(earlier) if earlier <= now + delay / 4 => Owed::Now,
            Owed::Delayed(earlier) => Owed::Delayed(earlier.min(at)),
            Owed::Nothing => Owed::Delayed(at),
        };
    }

    /// The delay is over without anything to carry the acknowledgment. Whether it is.
    pub(crate) fn on_deadline(&mut self, now: Instant, rto: Duration) -> bool {
        let Owed::Delayed(at) = self.owed else { return false };
        if at > now {
            return false;
        }
        if self.is_pingpong() {
            // The application did not answer this time.
            self.answers = 0;
            self.delay = micros(DELAY_MIN);
        } else {
            self.delay = self.delay.saturating_mul(2).min(micros(rto));
        }
        self.owed = Owed::Now;
        true
    }

    /// The reader has taken everything; `unacknowledged` as above. A small pushed segment
    /// that was read without an answer is acknowledged now.
    pub(crate) fn on_read(&mut self, unacknowledged: u32, drained: bool) {
        if !matches!(self.owed, Owed::Delayed(_)) {
            return;
        }
        let read_without_answer = drained && (self.pushed > 1 || (self.pushed == 1 && !self.is_pingpong()));
        if unacknowledged > u32::from(self.segment_size) || read_without_answer {
            self.owed = Owed::Now;
        }
    }

    /// A segment with data has left and carried the acknowledgment.
    pub(crate) fn on_data_sent(&mut self, now: Instant) {
        if now - self.last_data < self.delay() {
            self.answers = self.answers.saturating_add(1);
        }
    }

    /// The peer has finished: what the application sends now answers it.
    pub(crate) fn on_fin(&mut self) {
        self.answers = self.conversation;
    }

    /// A segment has left.
    pub(crate) fn on_sent(&mut self) {
        let owed = self.owed != Owed::Nothing;
        self.owed = match self.owed {
            Owed::Duplicates(count) if count > 1 => Owed::Duplicates(count - 1),
            _ => Owed::Nothing,
        };
        self.challenge = false;
        self.pushed = 0;
        if self.quick > 0 && owed {
            self.quick -= 1;
            if self.quick == 0 {
                self.delay = micros(DELAY_MIN);
            }
        }
    }
}
