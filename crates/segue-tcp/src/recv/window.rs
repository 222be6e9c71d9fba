//! The window we advertise.
//!
//! Owns RFC 9293 sections 3.8.6 (never move the right edge left) and 3.8.6.2.2 (receiver's silly
//! window), and the rounding of RFC 7323 section 2.4. Decides the initial window and scale and,
//! for every segment that leaves, the window field, from free buffer space as on Linux: a share of
//! the buffer's memory, learned from what packets cost (`memory`).

use crate::config::Config;
use crate::options::SocketOptions;
use crate::units::{Peer, Seq, WindowScale, WireWindow};

/// Share of the buffer that payload fills, of 256: one half until segments have been seen.
const RATIO_START: u8 = 128;
/// The least that a clamp may say (half of Linux's least receive buffer).
const LEAST_CLAMP: u32 = 1_152;
/// What a peer that takes windows for signed numbers understands.
const SIGNED_MAX: u32 = 32_767;

/// Receive buffer and window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) scale: WindowScale,
    /// Share of the buffer that payload fills, of 256.
    ratio: u8,
    /// RCV.NXT of the last segment that left.
    pub(crate) acked: Seq<Peer>,
    /// RCV.WND from `acked` on, before it was cut to what its field can say.
    pub(crate) advertised: u32,
    /// Receive buffer, bytes of memory.
    pub(crate) buffer: u32,
    /// No more than this is advertised for now; grows as segments come (Linux's rcv_ssthresh).
    pub(crate) limit: u32,
    /// No more than this ever.
    pub(crate) clamp: u32,
}

/// What the choice of a window depends on beside the window itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Space {
    /// RCV.NXT.
    pub(crate) nxt: Seq<Peer>,
    /// Memory in use.
    pub(crate) charge: usize,
    /// Size of the peer's segments.
    pub(crate) segment: u16,
    /// MSS that we announced, for the bound under pressure.
    pub(crate) mss: u16,
    /// Memory of the whole stack is short.
    pub(crate) pressed: bool,
    /// `tcp_shrink_window`.
    pub(crate) may_shrink: bool,
    /// `tcp_workaround_signed_windows`.
    pub(crate) signed: bool,
}

/// A window as chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Choice {
    bytes: u32,
    /// Less than half of the buffer is free: acknowledging quickly would only fill it.
    tight: bool,
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
    let space = payload_share(initial_buffer(config, options), RATIO_START);
    // A buffer of a fixed size bounds what a window can ever be.
    let clamp = if options.rcvbuf.is_some() { clamp.min(space) } else { clamp };
    let space = space.min(clamp);
    let mss = u32::from(mss.max(1));
    let mut whole = if space > mss { space - space % mss } else { space };
    if config.workaround_signed_windows {
        whole = whole.min(SIGNED_MAX);
    }
    let window = WireWindow(u16::try_from(whole).unwrap_or(u16::MAX));
    let reach = space.max(config.rmem[2]).min(clamp).max(1);
    let scale = match config.window_scaling {
        true => WindowScale::new((reach.ilog2() as u8).saturating_sub(15)),
        false => WindowScale::default(),
    };
    InitialWindow { window, scale, scaling: config.window_scaling }
}

impl Window {
    /// The connection begins; `advertised` bytes were offered by our SYN. One segment of the buffer is kept back.
    pub(crate) fn new(
        config: &Config,
        options: &SocketOptions,
        acked: Seq<Peer>,
        advertised: u32,
        scale: WindowScale,
        mss: u16,
    ) -> Window {
        let buffer = initial_buffer(config, options);
        let (full, mss) = (payload_share(buffer, RATIO_START), u32::from(mss));
        let mut clamp = full.min(options.window_clamp.unwrap_or(u32::MAX));
        if clamp > 2 * mss && clamp + mss > full {
            clamp = (full - mss).max(2 * mss);
        }
        let limit = advertised.min(clamp);
        Window { scale, ratio: RATIO_START, acked, advertised, buffer, limit, clamp }
    }

    /// The right edge as advertised.
    pub(crate) fn edge(&self) -> Seq<Peer> {
        self.acked + self.advertised
    }

    /// What is left of the advertised window beyond `nxt`.
    pub(crate) fn left(&self, nxt: Seq<Peer>) -> u32 {
        let edge = self.edge();
        if edge.after(nxt) { edge.since(nxt) } else { 0 }
    }

    /// Window that all of the buffer is worth.
    fn full(&self) -> u32 {
        payload_share(self.buffer, self.ratio)
    }

    /// Buffer memory needed for a window.
    pub(crate) fn memory_for(&self, window: u64) -> u64 {
        (window << 8) / u64::from(self.ratio)
    }

    /// Payload room when `charge` bytes of memory are in use.
    fn free(&self, charge: usize) -> u32 {
        let used = u32::try_from(charge).unwrap_or(u32::MAX);
        payload_share(self.buffer.saturating_sub(used), self.ratio)
    }

    /// Another clamp: what is offered follows it down at once, and up to what is advertised already.
    fn set_clamp(&mut self, clamp: u32, options: &SocketOptions) {
        let clamp = clamp.max(LEAST_CLAMP).min(options.window_clamp.map_or(u32::MAX, |clamp| clamp.max(LEAST_CLAMP)));
        match clamp < self.clamp {
            true => self.limit = self.limit.min(clamp),
            false if clamp > self.clamp => self.limit = self.limit.max(self.advertised.min(clamp)),
            false => {}
        }
        self.clamp = clamp;
    }

    /// `SO_RCVBUF`, `TCP_WINDOW_CLAMP`. As on Linux, another buffer alone moves no clamp.
    pub(crate) fn on_options(&mut self, options: &SocketOptions) {
        if let Some(pinned) = options.rcvbuf {
            self.buffer = pinned.max(256);
        } else if self.memory_for(options.rcvlowat.into()) > u64::from(self.buffer) {
            // Who waits for so much must have room for it.
            self.buffer = u32::try_from(self.memory_for(options.rcvlowat.into())).unwrap_or(u32::MAX);
            self.set_clamp(options.rcvlowat, options);
        }
        if let Some(clamp) = options.window_clamp {
            self.set_clamp(clamp, options);
        }
    }

    /// A packet of `size` bytes of text that costs `charge`, the largest so far: the share is now known.
    pub(crate) fn learn_ratio(&mut self, size: u32, charge: u32, options: &SocketOptions) {
        let ratio = (u64::from(size) << 8) / u64::from(charge.max(1));
        let ratio = ratio.clamp(1, 255) as u8;
        if ratio != self.ratio {
            self.ratio = ratio;
            self.set_clamp(self.full(), options);
        }
    }

    /// The buffer grows to hold `window` bytes of text, but not beyond `most`.
    pub(crate) fn grow_buffer(&mut self, window: u64, most: u32, options: &SocketOptions) {
        let memory = self.memory_for(window).min(u64::from(most)) as u32;
        if memory > self.buffer {
            self.buffer = memory;
            self.clamp = self.full().min(options.window_clamp.unwrap_or(u32::MAX));
        }
    }

    /// More came than the buffer holds: it takes in what is there, up to `most`, when it may; otherwise less is offered.
    pub(crate) fn on_overflow(&mut self, charge: usize, most: Option<u32>, mss: u16) {
        let charge = u32::try_from(charge).unwrap_or(u32::MAX);
        if let Some(most) = most.filter(|most| self.buffer < *most) {
            self.buffer = charge.min(most).max(self.buffer);
        }
        if charge > self.buffer {
            self.limit = self.clamp.min(2 * u32::from(mss));
        }
    }

    /// Memory of the whole stack is short.
    pub(crate) fn press(&mut self, mss: u16) {
        self.limit = self.limit.min(4 * u32::from(mss));
    }

    /// A packet of `len` bytes of text came that costs `charge`: the sender uses the window, so it may grow. `most` is
    /// `tcp_rmem[2]`. Whether it did.
    pub(crate) fn grow(&mut self, len: u32, charge: u32, used: usize, segment: u16, mss: u16, most: u32) -> bool {
        let room = self.clamp.min(self.free(used)).saturating_sub(self.limit);
        if room == 0 {
            return false;
        }
        let step = match payload_share(charge, self.ratio) <= len {
            true => 2 * u32::from(mss),
            false => self.step_for_waste(len, charge, segment, most),
        };
        if step == 0 {
            return false;
        }
        self.limit += room.min(step.max(2 * len));
        true
    }

    /// A packet that wastes memory lets the window grow as far as windows full of such packets fit in the largest buffer.
    fn step_for_waste(&self, len: u32, charge: u32, segment: u16, most: u32) -> u32 {
        let mut cost = payload_share(charge, self.ratio) >> 1;
        let mut window = payload_share(most, self.ratio) >> 1;
        while self.limit <= window {
            if cost <= len {
                return 2 * u32::from(segment);
            }
            cost >>= 1;
            window >>= 1;
        }
        0
    }

    /// The window we would like to advertise.
    fn choose(&self, space: &Space) -> Choice {
        let allowed = self.full();
        let full = self.clamp.min(allowed);
        let segment = u32::from(space.segment).min(full);
        if segment == 0 {
            return Choice { bytes: 0, tight: true };
        }
        let step = self.scale.step();
        let shrinks = space.may_shrink && self.scale.shift() > 0;
        let mut free = self.free(space.charge);
        if shrinks {
            free -= free % step;
        }
        let tight = free < full >> 1;
        if tight {
            free -= free % step;
        }
        // RFC 9293 section 3.8.6.2.2: rather nothing than a silly window.
        if tight && (free < allowed >> 4 || free < segment || (shrinks && free < step)) {
            return Choice { bytes: 0, tight };
        }
        let limit = if tight && space.pressed { self.limit.min(4 * u32::from(space.mss)) } else { self.limit };
        let bytes = match self.scale.shift() {
            0 => self.choose_unscaled(free.min(limit), segment, full),
            // Rounded up, lest it be scaled away.
            _ if free > limit || !shrinks => free.min(limit).next_multiple_of(step),
            _ => free,
        };
        Choice { bytes, tight }
    }

    /// Whole segments; the window as it was while that is nearly right.
    fn choose_unscaled(&self, free: u32, segment: u32, full: u32) -> u32 {
        let current = self.advertised;
        if current <= free.saturating_sub(segment) || current > free {
            free - free % segment
        } else if segment == full && free > current + full / 2 {
            free
        } else {
            current
        }
    }

    /// The window that would be wanted now, whatever was promised.
    pub(crate) fn wanted(&self, space: &Space) -> u32 {
        self.choose(space).bytes
    }

    /// The window of the last segment once more; nothing new is acknowledged. That of a SYN is in smaller steps: rounded up, as
    /// ever.
    pub(crate) fn again(&mut self) -> WireWindow {
        self.advertised = self.advertised.next_multiple_of(self.scale.step());
        WireWindow::of(self.advertised.min(self.scale.largest()), self.scale)
    }

    /// Memory has run out: the window is shut whatever was promised.
    pub(crate) fn shut(&mut self, nxt: Seq<Peer>) -> WireWindow {
        (self.acked, self.advertised) = (nxt, 0);
        WireWindow(0)
    }

    /// A segment leaves: advertise. With the window, whether the buffer is more than half full.
    pub(crate) fn advertise(&mut self, space: &Space) -> (WireWindow, bool) {
        let current = self.left(space.nxt);
        let Choice { mut bytes, tight } = self.choose(space);
        if bytes < current && !(space.may_shrink && self.scale.shift() > 0) {
            // RFC 9293 SHLD-14: never shrink. Rounding up keeps the edge from moving left by less than a step.
            bytes = current.next_multiple_of(self.scale.step());
        }
        if tight && space.pressed {
            self.press(space.mss);
        }
        (self.acked, self.advertised) = (space.nxt, bytes);
        let largest = if space.signed && self.scale.shift() == 0 { SIGNED_MAX } else { self.scale.largest() };
        (WireWindow::of(bytes.min(largest), self.scale), tight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(scale: u8, buffer: u32) -> Window {
        let config = Config::default();
        let options = SocketOptions { rcvbuf: Some(buffer), ..SocketOptions::default() };
        let mut window = Window::new(&config, &options, Seq::new(100), 10_000, WindowScale::new(scale), 1_460);
        window.limit = u32::MAX / 2;
        window
    }

    fn space(nxt: Seq<Peer>, charge: usize) -> Space {
        Space { nxt, charge, segment: 1_460, mss: 1_460, pressed: false, may_shrink: false, signed: false }
    }

    #[test]
    fn the_syn_offers_whole_segments_and_a_scale_that_reaches_the_largest_buffer() {
        let config = Config { rmem: [4096, 131_072, 6_291_456], ..Config::default() };
        let initial = initial(&config, &SocketOptions::default(), 1460);
        assert_eq!((initial.window, initial.scale.shift()), (WireWindow(64_240), 7));
        let config = Config { window_scaling: false, ..config };
        assert_eq!(super::initial(&config, &SocketOptions::default(), 1460).scale.shift(), 0);
        let config = Config { workaround_signed_windows: true, ..config };
        assert_eq!(super::initial(&config, &SocketOptions::default(), 1460).window, WireWindow(32_767));
    }

    /// RFC 9293 SHLD-14, unless `tcp_shrink_window` or memory says otherwise.
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
                let _ = window.advertise(&space(nxt, next(300_000) as usize));
                assert!(!window.edge().before(edge), "seed {seed}");
                assert!(!window.edge().before(nxt), "seed {seed}");
            }
        }
    }

    #[test]
    fn a_window_below_one_segment_is_offered_as_none() {
        let mut window = window(0, 20_000);
        window.advertised = 0;
        let wanted = |charge| window.wanted(&space(Seq::new(100), charge));
        assert_eq!(wanted(18_000), 0);
        assert_eq!(wanted(16_000), 1_460);
    }

    /// rcv_ssthresh and the window of a Linux 6.18 host while full segments come and are read.
    #[test]
    fn the_window_grows_as_linux_s_does() {
        let (config, options) = (Config::default(), SocketOptions::default());
        let mut window = Window::new(&config, &options, Seq::new(0), 64_240, WindowScale::new(10), 1_460);
        assert_eq!(window.limit, 64_076);
        let mut nxt = Seq::new(0);
        let mut seen = Vec::new();
        for _ in 0..7 {
            window.learn_ratio(1_460, 2_304, &options);
            window.grow(1_460, 2_304, 2_304, 1_460, 1_460, config.rmem[2]);
            nxt += 1_460;
            let (field, _) = window.advertise(&space(nxt, 2_304));
            seen.push((window.limit, field.0));
        }
        let expected =
            [(67_160, 66), (70_080, 69), (73_000, 72), (75_920, 75), (78_840, 77), (81_486, 80), (81_486, 80)];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_window_may_be_taken_back_where_the_sysctl_says_so() {
        let mut window = window(2, 100_000);
        let _ = window.advertise(&space(Seq::new(100), 0));
        let edge = window.edge();
        let full = Space { may_shrink: true, ..space(Seq::new(100), 60_000) };
        let _ = window.advertise(&full);
        assert!(window.edge().before(edge));
        assert_eq!(window.advertised % 4, 0);
    }
}
