//! The window we advertise.
//!
//! Owns RFC 9293 sections 3.8.6 (never move the right edge left) and 3.8.6.2.2 (receiver's silly
//! window), and the rounding of RFC 7323 section 2.4. Decides the initial window and scale and,
//! for every segment that leaves, the window field, from free buffer space as on Linux:
//! buffer memory counts with what payload really pins.

use crate::config::Config;
use crate::options::SocketOptions;
use crate::units::{Peer, Seq, WindowScale, WireWindow};

/// Share of the buffer that payload fills, of 256: one half until segments have been seen.
const RATIO_START: u8 = 128;

/// Receive buffer and window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) scale: WindowScale,
    /// RCV.NXT of the last segment that left.
    pub(crate) acked: Seq<Peer>,
    /// RCV.WND as advertised then, from `acked` on.
    pub(crate) advertised: u32,
    /// Receive buffer, bytes of memory.
    pub(crate) buffer: u32,
    /// No more than this is advertised for now; grows as segments come (Linux's rcv_ssthresh).
    pub(crate) limit: u32,
    /// No more than this ever.
    pub(crate) clamp: u32,
    ratio: u8,
}

/// What a SYN advertises.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct InitialWindow {
    /// Unscaled, as windows of SYN segments are.
    pub(crate) window: WireWindow,
    pub(crate) scale: WindowScale,
    /// Whether scaling is offered at all.
    pub(crate) scaling: bool,
}

/// Receive buffer a connection starts with.
pub(crate) fn initial_buffer(config: &Config, options: &SocketOptions) -> u32 {
    options.rcvbuf.unwrap_or(config.rmem[1]).max(256)
}

fn payload_share(memory: u32, ratio: u8) -> u32 {
    ((u64::from(memory) * u64::from(ratio)) >> 8) as u32
}

/// The window and scale for our SYN: whole segments of the initial buffer, and a scale that can
/// express what autotuning may reach.
pub(crate) fn initial(config: &Config, options: &SocketOptions, mss: u16) -> InitialWindow {
    let clamp = options.window_clamp.unwrap_or(u32::MAX);
    let space = payload_share(initial_buffer(config, options), RATIO_START).min(clamp);
    let mss = u32::from(mss.max(1));
    let whole = if space > mss { space - space % mss } else { space };
    let window = WireWindow(u16::try_from(whole).unwrap_or(u16::MAX));
    let reach = space.max(config.rmem[2]).min(clamp).max(1);
    let scale = match config.window_scaling {
        true => WindowScale::new((reach.ilog2() as u8).saturating_sub(15)),
        false => WindowScale::default(),
    };
    InitialWindow { window, scale, scaling: config.window_scaling }
}

impl Window {
    pub(crate) fn new(
        config: &Config,
        options: &SocketOptions,
        acked: Seq<Peer>,
        advertised: u32,
        scale: WindowScale,
    ) -> Window {
        let buffer = initial_buffer(config, options);
        let mut window = Window { scale, acked, advertised, buffer, limit: advertised, clamp: 0, ratio: RATIO_START };
        window.follow_buffer(options);
        window
    }

    /// The right edge as advertised; it never moves left.
    pub(crate) fn edge(&self) -> Seq<Peer> {
        self.acked + self.advertised
    }

    /// What is left of the advertised window beyond `nxt`.
    pub(crate) fn left(&self, nxt: Seq<Peer>) -> u32 {
        let edge = self.edge();
        if edge.after(nxt) { edge.since(nxt) } else { 0 }
    }

    /// The clamp follows the buffer.
    pub(crate) fn follow_buffer(&mut self, options: &SocketOptions) {
        self.clamp = payload_share(self.buffer, self.ratio).min(options.window_clamp.unwrap_or(u32::MAX));
    }

    /// Window that `memory` bytes of free buffer are worth.
    fn worth(&self, memory: u32) -> u32 {
        payload_share(memory, self.ratio)
    }

    /// Buffer memory needed for a window.
    pub(crate) fn memory_for(&self, window: u64) -> u64 {
        (window << 8) / u64::from(self.ratio)
    }

    /// Payload room when `charge` bytes of memory are in use.
    pub(crate) fn free(&self, charge: usize) -> u32 {
        let used = u32::try_from(charge).unwrap_or(u32::MAX);
        self.worth(self.buffer.saturating_sub(used))
    }

    /// Full segments of `size` came, each pinning `charge` bytes: the share is now known.
    pub(crate) fn learn_ratio(&mut self, size: u16, charge: u32, options: &SocketOptions) {
        let ratio = (u32::from(size) << 8) / charge.max(1);
        let ratio = ratio.clamp(u32::from(RATIO_START) / 2, 255) as u8;
        if ratio != self.ratio {
            self.ratio = ratio;
            self.follow_buffer(options);
        }
    }

    /// `segments` of data came: the sender uses the window, so it may grow by twice that.
    pub(crate) fn grow(&mut self, segments: u32, mss: u16, charge: usize) {
        let room = self.clamp.min(self.free(charge)).saturating_sub(self.limit);
        self.limit += room.min(segments.saturating_mul(2 * u32::from(mss)));
    }

    /// The window we would like to advertise when `nxt` is RCV.NXT.
    fn wanted(&self, charge: usize, segment: u16, current: u32) -> u32 {
        let full = self.clamp.min(self.worth(self.buffer));
        let segment = u32::from(segment).min(full);
        let mut free = self.free(charge).min(full);
        if self.scale.shift() > 0 {
            free -= free % self.scale.step();
        }
        // RFC 9293 section 3.8.6.2.2: rather nothing than a silly window.
        if free < full / 16 || free < segment {
            return 0;
        }
        free = free.min(self.limit);
        if self.scale.shift() > 0 {
            return free.next_multiple_of(self.scale.step());
        }
        if current <= free.saturating_sub(segment) || current > free {
            free - free % segment.max(1)
        } else if segment == full && free > current + full / 2 {
            free
        } else {
            current
        }
    }

    /// The window that a segment leaving now would advertise, in bytes.
    pub(crate) fn next(&self, nxt: Seq<Peer>, charge: usize, segment: u16) -> u32 {
        let current = self.left(nxt);
        let wanted = self.wanted(charge, segment, current);
        let bytes = if wanted < current {
            // Never shrink; rounding up keeps the edge from moving left by less than a step.
            current.next_multiple_of(self.scale.step())
        } else {
            wanted
        };
        bytes.min(self.scale.largest())
    }

    /// The window field of the last segment once more; nothing new is acknowledged.
    pub(crate) fn again(&self) -> WireWindow {
        WireWindow::of(self.advertised, self.scale)
    }

    /// A segment leaves: advertise.
    pub(crate) fn advertise(&mut self, nxt: Seq<Peer>, charge: usize, segment: u16) -> WireWindow {
        let bytes = self.next(nxt, charge, segment);
        let field = WireWindow::of(bytes, self.scale);
        self.acked = nxt;
        self.advertised = field.bytes(self.scale);
        field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(scale: u8, buffer: u32) -> Window {
        let config = Config::default();
        let options = SocketOptions { rcvbuf: Some(buffer), ..SocketOptions::default() };
        let mut window = Window::new(&config, &options, Seq::new(100), 10_000, WindowScale::new(scale));
        window.limit = u32::MAX / 2;
        window
    }

    #[test]
    fn the_syn_offers_whole_segments_and_a_scale_that_reaches_the_largest_buffer() {
        let config = Config { rmem: [4096, 131_072, 6_291_456], ..Config::default() };
        let initial = initial(&config, &SocketOptions::default(), 1460);
        assert_eq!((initial.window, initial.scale.shift()), (WireWindow(64_240), 7));
        let config = Config { window_scaling: false, ..config };
        assert_eq!(super::initial(&config, &SocketOptions::default(), 1460).scale.shift(), 0);
    }

    #[test]
    fn the_right_edge_never_moves_left_whatever_the_scale_and_the_fill() {
        for seed in 1..100u64 {
            let mut random = seed;
            let mut next = |bound: u32| {
                random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                ((random >> 33) as u32) % bound
            };
            let mut window = window((seed % 15) as u8, 200_000);
            let mut nxt = Seq::new(100);
            for _ in 0..500 {
                let left = window.left(nxt);
                if left > 0 {
                    nxt += next(left + 1).min(5_000);
                }
                let edge = window.edge();
                window.advertise(nxt, next(300_000) as usize, 1_460);
                assert!(!window.edge().before(edge), "seed {seed}");
                assert!(!window.edge().before(nxt), "seed {seed}");
            }
        }
    }

    #[test]
    fn a_window_below_one_segment_is_offered_as_none() {
        let mut window = window(0, 20_000);
        window.advertised = 0;
        assert_eq!(window.next(Seq::new(100), 18_000, 1_460), 0);
        assert_eq!(window.next(Seq::new(100), 16_000, 1_460), 1_460);
    }
}
