//! A handshake that nobody remembers: what of a SYN survives in its cookie (RFC 4987 section 3.6).
//!
//! Decides what the SYN-ACK's timestamp says about the SYN's options, and what connection an acknowledgment of such a
//! SYN-ACK describes; layout and rules are Linux's. The cookie itself, the initial sequence number, is the stack's secret.
//! Without timestamps only the MSS survives.

use segue_wire::Instant;

use crate::config::Config;
use crate::conn::Open;
use crate::ecn::{self, EcnMode};
use crate::options::SocketOptions;
use crate::segment::{Segment, Transmit};
use crate::state::PassiveOpen;
use crate::state::handshake::{Offer, PeerSyn};
use crate::timestamps::Clocks;
use crate::units::{Seq, WindowScale};

/// Low bits of the timestamp that are not the clock.
const BITS: u32 = 6;
/// The peer's window scale; all ones: it offered none.
const SCALE: u32 = 0xf;
const SACK: u32 = 1 << 4;
const ECN: u32 = 1 << 5;

impl PassiveOpen {
    /// The SYN-ACK for a SYN that is not to be remembered. `open.iss` is the cookie.
    pub fn cookie_syn_ack(
        now: Instant,
        config: &Config,
        options: &SocketOptions,
        syn: &Segment,
        open: Open,
    ) -> Transmit {
        // Timestamps carry what is remembered: they do not yield to a signature, as on Linux.
        let PassiveOpen { mut offer, mut peer, .. } =
            PassiveOpen::answer(now, config, options, syn, PeerSyn::read(syn), open);
        if peer.timestamp.is_some() && offer.stamps() {
            let bits = bits_of(&offer, &peer);
            let clock = now.as_millis() as u32;
            // Never ahead of the clock: what follows must not look older.
            let mut stamp = clock & !((1 << BITS) - 1) | bits;
            if (stamp.wrapping_sub(clock) as i32) > 0 {
                stamp = stamp.wrapping_sub(1 << BITS);
            }
            offer.shift_stamps(stamp.wrapping_sub(clock));
        } else {
            peer.forget_options();
            offer.ecn = ecn::Handshake::recalled(config, false, syn.header.flags);
        }
        offer.syn(now, Some(&peer), core::time::Duration::ZERO, None)
    }

    /// The handshake that an acknowledgment of a cookie completes; `None`: it demands what is not offered any more.
    /// `open.iss` is the cookie, `mss` what it says of the peer's MSS.
    pub fn from_cookie(
        now: Instant,
        config: &Config,
        options: &SocketOptions,
        ack: &Segment,
        open: Open,
        mss: u16,
    ) -> Option<PassiveOpen> {
        let mut offer = Offer::new(now, config, options, open);
        let mut peer = PeerSyn::remembered(Seq::new(ack.header.sequence.wrapping_sub(1)), mss);
        let mut with_ecn = false;
        if let Some(stamp) = ack.options.timestamps {
            if !offer.stamps() {
                return None;
            }
            let bits = match stamp.echo {
                0 => 0,
                echo => offer.unshifted(echo),
            };
            peer.timestamp = Some(stamp.value);
            peer.sack_permitted = bits & SACK != 0;
            if bits & SCALE != SCALE {
                peer.scale = Some(WindowScale::new((bits & SCALE) as u8));
            }
            with_ecn = bits & ECN != 0;
        }
        if (peer.sack_permitted && !config.sack) || (peer.scale.is_some() && !config.window_scaling) {
            return None;
        }
        offer.ecn = ecn::Handshake::recalled(config, with_ecn, ack.header.flags);
        Some(PassiveOpen::remembered(offer.answering(config, options, &peer), peer))
    }
}

fn bits_of(offer: &Offer, peer: &PeerSyn) -> u32 {
    let scale = peer.scale.filter(|_| offer.scales()).map_or(SCALE, |scale| u32::from(scale.shift()));
    let sack = if peer.sack_permitted && offer.takes_sack() { SACK } else { 0 };
    let ecn = if offer.ecn.mode == EcnMode::Off { 0 } else { ECN };
    scale | sack | ecn
}

impl Offer {
    /// Our timestamps are moved by so much.
    fn shift_stamps(&mut self, by: u32) {
        self.ts_offset = self.ts_offset.wrapping_add(by);
    }

    /// The clock's value behind an echo.
    fn unshifted(&self, echo: u32) -> u32 {
        echo.wrapping_sub(Clocks::value(self.ts_offset, Instant::ZERO))
    }
}
