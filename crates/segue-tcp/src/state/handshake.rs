//! What both openings share: what we offer in a SYN, what the peer's SYN said, what comes of both.
//!
//! Owns the negotiation of RFC 9293 section 3.7.1 (MSS), RFC 7323 sections 2.2 and 3.2, and the
//! timing of SYN repetition. Windows of SYN segments are never scaled (RFC 7323 section 2.2).

use core::time::Duration;

use bitflags::bitflags;
use segue_wire::Instant;
use segue_wire::tcp::{FastOpenCookie, MAX_OPTIONS_LEN, OptionBytes, TcpFlags, TcpOptions, Timestamps};

use crate::auth::Signature;
use crate::cc::{Congestion, LossSample};
use crate::config::{Config, Timestamping};
use crate::conn::{Family, Open};
use crate::drop::DropReason;
use crate::ecn::{self, Feedback};
use crate::info::Info;
use crate::journal::CaState;
use crate::options::SocketOptions;
use crate::recv::window::{self, InitialWindow};
use crate::recv::{self, ReceiverStart};
use crate::segment::{Segment, Transmit};
use crate::send::path_mtu::{Path, PathStart};
use crate::send::rtt::{FALLBACK_RTO, INITIAL_RTO, Progress, Rtt, is_of_last};
use crate::send::{SenderStart, bound_to_window};
use crate::state::challenge::AnswerLimit;
use crate::state::reset::bare;
use crate::state::synced::Synced;
use crate::timestamps::Clocks;
use crate::units::{Deadline, Local, Packets, Peer, Seq, WindowScale, WireWindow};

/// TCP header without options.
pub(crate) const HEADER: u16 = 20;
/// Timestamps option, padded, on every segment after the handshake.
pub(crate) const TIMESTAMPS_LEN: u16 = 12;
/// How soon a SYN is repeated after an unacceptable answer: Linux's shortest timer, two ticks.
const HURRY: Duration = Duration::from_millis(2);

bitflags! {
    /// Yes or no of an offer.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    struct Terms: u8 {
        const TIMESTAMPS = 1;
        const SACK = 2;
        /// A listener's: what leaves is a SYN-ACK from the beginning.
        const PASSIVE = 4;
        /// A bare acknowledgment has left, and with it the window in whole steps of its scale.
        const ACKNOWLEDGED = 8;
    }
}

/// Our side of a handshake.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) iss: Seq<Local>,
    pub(super) ts_offset: u32,
    mtu_payload: u16,
    family: Family,
    /// MSS we announce.
    mss: u16,
    window: InitialWindow,
    /// Bytes of options that the signature takes.
    signature_len: u8,
    /// What we ask of the peer or grant to it.
    pub(crate) ecn: ecn::Handshake,
    terms: Terms,
    /// Repetitions so far.
    pub(crate) retransmits: u8,
    /// How often it left.
    sends: u8,
    /// Acknowledgments that left before the handshake was over.
    replies: u8,
    /// Bytes that left with our SYN (RFC 7413); they may be acknowledged together with it.
    pub(crate) syn_data: u16,
    /// When the last SYN (or SYN-ACK) left, and the first.
    sent_at: Instant,
    first_at: Instant,
    /// When it is sent again; not set while one waits to be sent.
    pub(crate) timer: Deadline,
    answers: AnswerLimit,
}

/// The peer's SYN.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerSyn {
    pub(crate) irs: Seq<Peer>,
    mss: Option<u16>,
    pub(super) scale: Option<WindowScale>,
    /// It welcomes SACK blocks.
    pub(super) sack_permitted: bool,
    /// Its timestamp, when it offered the option.
    pub(crate) timestamp: Option<u32>,
}

impl PeerSyn {
    pub(crate) fn read(segment: &Segment) -> PeerSyn {
        PeerSyn {
            irs: Seq::new(segment.header.sequence),
            mss: segment.options.mss,
            scale: segment.options.window_scale.map(WindowScale::new),
            sack_permitted: segment.options.sack_permitted,
            timestamp: segment.options.timestamps.map(|timestamps| timestamps.value),
        }
    }
}

impl PeerSyn {
    /// What is left of a SYN that nobody kept.
    pub(super) fn remembered(irs: Seq<Peer>, mss: u16) -> PeerSyn {
        PeerSyn { irs, mss: Some(mss), scale: None, sack_permitted: false, timestamp: None }
    }

    /// As Linux: beside a signature and timestamps there is no room for SACK blocks, so timestamps yield.
    pub(super) fn with_room_for_sack(mut self, config: &Config, options: &SocketOptions) -> PeerSyn {
        if !options.signature.is_empty() && self.sack_permitted && config.sack {
            self.timestamp = None;
        }
        self
    }

    /// Nothing but the MSS will be remembered.
    pub(super) fn forget_options(&mut self) {
        (self.scale, self.sack_permitted, self.timestamp) = (None, false, None);
    }

    /// The same SYN again: RFC 7323 section 4.3, the newest timestamp is echoed, so that the peer can
    /// measure the round trip of a SYN that it had to repeat.
    pub(crate) fn on_repeat(&mut self, segment: &Segment) {
        if let (Some(recent), Some(stamp)) = (&mut self.timestamp, segment.options.timestamps) {
            // Older ones were refused.
            *recent = stamp.value;
        }
    }
}

/// What two SYNs agree on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Agreed {
    /// Largest segment to the peer, options taken off.
    pub(crate) mss: u16,
    pub(crate) timestamps: bool,
    pub(crate) sack: bool,
    /// Shifts of the peer's windows and of ours.
    pub(crate) scales: Option<(u8, u8)>,
}

/// How long to wait for an answer to the SYN after `sent` repetitions (`linear` of them unhurried).
pub(crate) fn syn_interval(sent: u8, linear: u8, ceiling: Duration) -> Duration {
    let doublings = u32::from(sent.saturating_sub(linear)).min(30);
    (INITIAL_RTO * (1 << doublings)).min(ceiling)
}

impl Offer {
    pub(crate) fn new(now: Instant, config: &Config, options: &SocketOptions, open: Open) -> Offer {
        let largest = open.mtu_payload.saturating_sub(HEADER).max(config.min_snd_mss);
        let mss = largest.min(options.max_seg.unwrap_or(u16::MAX)).max(1);
        let mut terms = Terms::empty();
        terms.set(Terms::TIMESTAMPS, config.timestamps != Timestamping::Off);
        terms.set(Terms::SACK, config.sack);
        Offer {
            iss: Seq::new(open.iss),
            ts_offset: if config.timestamps == Timestamping::NoOffset { 0 } else { open.ts_offset },
            mtu_payload: open.mtu_payload,
            family: open.family,
            mss,
            window: window::initial(config, options, mss),
            signature_len: options.signature.len() as u8,
            ecn: ecn::Handshake::ask(config),
            terms,
            retransmits: 0,
            sends: 0,
            replies: 0,
            syn_data: 0,
            sent_at: now,
            first_at: now,
            timer: Deadline::NEVER,
            answers: AnswerLimit::new(),
        }
    }

    /// It asks. As Linux: beside a digest a SYN has no timestamps.
    pub(crate) fn asking(mut self, options: &SocketOptions) -> Offer {
        if options.signature == Signature::Md5 {
            self.terms.remove(Terms::TIMESTAMPS);
        }
        self
    }

    /// It answers a SYN. As on Linux, the window of a SYN-ACK is in whole segments as they will be, options taken off.
    pub(crate) fn answering(mut self, config: &Config, options: &SocketOptions, peer: &PeerSyn) -> Offer {
        self.terms.insert(Terms::PASSIVE);
        if peer.timestamp.is_none() {
            self.terms.remove(Terms::TIMESTAMPS);
        }
        self.window = window::initial(config, options, self.advertised_mss(peer));
        self
    }

    /// Largest text the peer may send in a segment: the MSS we announce without the room for timestamps.
    fn advertised_mss(&self, peer: &PeerSyn) -> u16 {
        let stamped = self.stamps() && peer.timestamp.is_some();
        self.mss - if stamped { TIMESTAMPS_LEN.min(self.mss - 1) } else { 0 }
    }

    /// What `TCP_INFO` says before the peer's SYN has come.
    pub(crate) fn describe(&self, info: &mut Info, config: &Config, options: &SocketOptions) {
        let stamps = if self.stamps() { TIMESTAMPS_LEN } else { 0 };
        let initial_mss = Family::V4.default_mss().min(self.mss) - stamps.min(self.mss - 1);
        *info = Info {
            retransmits: self.retransmits,
            // As Linux: the first repetitions do not double the wait.
            backoff: self.retransmits.saturating_sub(if self.is_passive() { 0 } else { config.syn_linear_timeouts }),
            total_retrans: u32::from(self.retransmits),
            rto: INITIAL_RTO.as_micros() as u32,
            snd_mss: u32::from(initial_mss),
            rcv_mss: u32::from(recv::ack::SIZE_MIN),
            unacked: 1,
            pmtu: u32::from(self.mtu_payload),
            snd_ssthresh: u32::MAX >> 1,
            snd_cwnd: config.initial_cwnd,
            advmss: u32::from(self.mss),
            reordering: u32::from(config.reordering),
            rcv_ssthresh: self.window(),
            min_rtt: u32::MAX,
            pacing_rate: u64::MAX,
            segs_out: u32::from(self.sends) + u32::from(self.replies),
            ..*info
        };
        if self.retransmits > 0 && !self.is_passive() {
            // As Linux: a SYN that is repeated was lost.
            let mut window =
                Congestion::new(options.congestion.unwrap_or(config.congestion), Packets(config.initial_cwnd));
            let _ = window.on_rto(&LossSample { now: self.sent_at, in_flight: Packets(0) }, true);
            (info.ca_state, info.lost, info.retrans) = (CaState::Loss as u8, 1, 1);
            (info.snd_cwnd, info.snd_ssthresh) = (window.cwnd().0, window.ssthresh().0);
        }
    }

    /// What our SYN and the peer's have agreed on.
    pub(crate) fn agreed(&self, config: &Config, options: &SocketOptions, peer: &PeerSyn) -> Agreed {
        let start = self.path(options, peer);
        Agreed {
            mss: Path::new(&start).first_mss(&start, config),
            timestamps: self.stamps() && peer.timestamp.is_some(),
            sack: self.takes_sack() && peer.sack_permitted,
            scales: peer.scale.filter(|_| self.scales()).map(|scale| (scale.shift(), self.window.scale.shift())),
        }
    }

    /// RFC 5961 section 7: whether an invalid segment may be answered now.
    pub(crate) fn may_answer(&mut self, now: Instant, config: &Config) -> bool {
        self.answers.allows(now, config.invalid_ratelimit)
    }

    /// When the first SYN was due.
    pub(crate) fn since(&self) -> Instant {
        self.first_at
    }

    /// A smaller path: RFC 9293 MUST-16.
    pub(crate) fn shrink_path(&mut self, mtu_payload: u16) {
        self.mtu_payload = self.mtu_payload.min(mtu_payload);
    }

    pub(crate) fn path_mtu(&self) -> u16 {
        self.mtu_payload
    }

    /// Window our SYN offers, in bytes.
    pub(crate) fn window(&self) -> u32 {
        u32::from(self.window.window.0)
    }

    /// Whether a SYN waits to be sent.
    pub(crate) fn is_due(&self) -> bool {
        !self.timer.is_set()
    }

    /// As Linux: the first unacceptable answer comes from an old half of this connection, which our reset
    /// has just ended; it need not cost a second.
    pub(crate) fn hurry(&mut self, now: Instant) {
        if self.retransmits == 0 && self.timer.is_set() {
            self.timer = Deadline::at(now + HURRY);
        }
    }

    /// Whether the echo in an answer, if there is one, is of our clock between the first SYN and `last`.
    fn has_echo_until(&self, last: Instant, answer: &Segment) -> bool {
        let echo = answer.options.timestamps.filter(|_| self.stamps()).map_or(0, |stamp| stamp.echo);
        let first = Clocks::value(self.ts_offset, self.first_at);
        let last = Clocks::value(self.ts_offset, last);
        echo == 0 || echo.wrapping_sub(first) <= last.wrapping_sub(first)
    }

    /// Whether the echo is of a timestamp that may have been sent up to now.
    pub(crate) fn has_possible_echo(&self, now: Instant, answer: &Segment) -> bool {
        self.has_echo_until(now, answer)
    }

    /// Whether the echo is of a timestamp of ours, from the first SYN-ACK to the last.
    pub(crate) fn has_sent_echo(&self, answer: &Segment) -> bool {
        self.has_echo_until(self.sent_at, answer)
    }

    /// Whether this acknowledges our SYN and nothing that we did not send.
    pub(crate) fn is_acknowledged_by(&self, number: Seq<Local>) -> bool {
        number.after(self.iss) && !number.after(self.iss + 1 + u32::from(self.syn_data))
    }

    /// It left more than once.
    pub(crate) fn was_repeated(&self) -> bool {
        self.sends > 1
    }

    /// Largest payload that we would send over this path to a peer that takes it.
    pub(crate) fn largest_segment(&self, config: &Config, options: &SocketOptions) -> u16 {
        let path = self.mtu_payload.saturating_sub(HEADER).max(config.min_snd_mss);
        path.min(options.max_seg.unwrap_or(u16::MAX))
    }

    /// Round trip of a SYN that left once.
    pub(crate) fn first_sample(&self, now: Instant) -> Option<Duration> {
        (self.sends == 1).then(|| now - self.sent_at)
    }

    /// Repeat at once.
    pub(crate) fn repeat(&mut self) {
        self.timer = Deadline::NEVER;
    }

    /// The SYN, or the SYN-ACK when the peer's SYN is known. `wait` arms the timer.
    pub(crate) fn syn(
        &mut self,
        now: Instant,
        peer: Option<&PeerSyn>,
        wait: Duration,
        fast_open: Option<FastOpenCookie>,
    ) -> Transmit {
        let sends = self.sends;
        let ecn = match peer {
            Some(_) => self.ecn.syn_ack_flags(self.retransmits),
            None => self.ecn.syn_flags(sends),
        };
        self.sent_at = now;
        if self.sends == 0 {
            self.first_at = now;
        }
        self.sends = self.sends.saturating_add(1);
        self.timer = Deadline::at(now + wait);
        let scaling = self.window.scale.shift();
        let mut options = TcpOptions {
            mss: Some(self.mss),
            // RFC 7323: answered only when offered. A shift of 0 is an offer, too.
            window_scale: match peer {
                // A simultaneous open repeats the SYN's own offer, as Linux does.
                Some(peer) => peer
                    .scale
                    .or((!self.is_passive()).then_some(self.window.scale))
                    .map(|_| scaling)
                    .filter(|_| self.scales()),
                None => self.scales().then_some(scaling),
            },
            timestamps: match peer {
                Some(peer) => peer.timestamp.or((!self.is_passive()).then_some(0)).filter(|_| self.stamps()),
                None => self.stamps().then_some(0),
            }
            .map(|echo| Timestamps { value: Clocks::value(self.ts_offset, now), echo }),
            // RFC 2018 section 2 lets any SYN say so; a listener says it to whom it is of use.
            sack_permitted: self.takes_sack() && (!self.is_passive() || peer.is_none_or(|peer| peer.sack_permitted)),
            fast_open,
            ..TcpOptions::default()
        };
        if peer.is_some() && sends == 0 {
            // What is shorter than whole words may stand where these options have padding.
            let saving = match (options.sack_permitted && options.timestamps.is_none(), options.window_scale) {
                (true, _) => 2,
                (false, Some(_)) => 1,
                (false, None) => 0,
            };
            let room = (MAX_OPTIONS_LEN - options.emit().len()).saturating_sub(self.signature_len.into());
            options.accecn = self.ecn.syn_ack_option(room, saving);
        }
        let acknowledgment = peer.map(|peer| peer.irs + 1);
        let syn = bare(self.iss, acknowledgment, TcpFlags::SYN | ecn, self.window.window.0, options.emit());
        Transmit { resent: u32::from(self.sends > 1), ..syn }
    }

    pub(super) fn scales(&self) -> bool {
        self.window.scaling
    }

    pub(super) fn stamps(&self) -> bool {
        self.terms.contains(Terms::TIMESTAMPS)
    }

    pub(super) fn takes_sack(&self) -> bool {
        self.terms.contains(Terms::SACK)
    }

    fn is_passive(&self) -> bool {
        self.terms.contains(Terms::PASSIVE)
    }

    /// The bare acknowledgment of SYN-RECEIVED.
    pub(crate) fn acknowledge(&mut self, now: Instant, peer: &PeerSyn) -> Transmit {
        if !self.is_passive() {
            // As on Linux nobody counts what a listener answers.
            self.replies = self.replies.saturating_add(1);
        }
        self.terms.insert(Terms::ACKNOWLEDGED);
        bare(self.iss + 1, Some(peer.irs + 1), TcpFlags::ACK, self.window_field(peer), self.stamp(now, peer))
    }

    /// The window once it is scaled. Rounded up: the SYN has offered it all, and what was offered
    /// is not taken back.
    fn rounded_window(&self, scale: WindowScale) -> u32 {
        self.window().next_multiple_of(scale.step())
    }

    fn window_field(&self, peer: &PeerSyn) -> u16 {
        let scale = if peer.scale.is_some() && self.scales() { self.window.scale } else { WindowScale::default() };
        WireWindow::of(self.rounded_window(scale), scale).0
    }

    fn stamp(&self, now: Instant, peer: &PeerSyn) -> OptionBytes {
        let echo = peer.timestamp.filter(|_| self.stamps());
        let timestamps = echo.map(|echo| Timestamps { value: Clocks::value(self.ts_offset, now), echo });
        TcpOptions { timestamps, ..TcpOptions::default() }.emit()
    }

    /// Both SYNs are acknowledged: the synchronised halves. `answer` is the segment that
    /// acknowledged ours; `offered`: the largest window of the peer before it.
    pub(crate) fn synchronise(
        &self,
        now: Instant,
        config: &Config,
        options: &SocketOptions,
        peer: &PeerSyn,
        answer: &Segment,
        offered: u32,
    ) -> Synced {
        let scaled = peer.scale.filter(|_| self.scales());
        let clocks = peer.timestamp.filter(|_| self.stamps()).map(|recent| Clocks::new(now, self.ts_offset, recent));
        let sack = self.takes_sack() && peer.sack_permitted;
        let syn_ack = answer.has(TcpFlags::SYN);
        let their_scale = scaled.unwrap_or_default();
        let window = WireWindow(answer.header.window).bytes(if syn_ack { WindowScale::default() } else { their_scale });
        let start = self.path(options, peer);
        let path = Path::new(&start);
        let mss = path.first_mss(&start, config);
        let send = SenderStart {
            iss: self.iss,
            irs: peer.irs,
            window,
            max_window: window.max(offered),
            scale: their_scale,
            path,
            mss,
            sack,
            rtt: self.first_rtt(now, config, clocks.is_some(), answer),
            // RFC 6928: one repetition is not taken for congestion, more are.
            syns: if self.is_passive() { 0 } else { self.sends },
            initial_cwnd: Packets(if self.retransmits > 1 { 1 } else { config.initial_cwnd }),
        };
        let our_scale = if scaled.is_some() { self.window.scale } else { WindowScale::default() };
        let receive = ReceiverStart {
            irs: peer.irs,
            window: match self.terms.contains(Terms::ACKNOWLEDGED) {
                true => self.rounded_window(our_scale),
                false => self.window(),
            },
            scale: our_scale,
            advertised_mss: self.advertised_mss(peer),
            size_hint: bound_to_window(mss, window.max(offered), start.options),
            segments: u32::from(self.is_passive()),
            sack,
            clocks,
        };
        let mut synced = Synced::new(now, config, options, send, &receive, Feedback::new(now, self.ecn, answer));
        // The SYN-ACK of a simultaneous open is no repetition.
        let resent = if self.is_passive() { self.sends.saturating_sub(1) } else { self.retransmits };
        synced.send.counts.resent = resent.into();
        synced.send.counts.segments += u32::from(self.replies);
        if self.retransmits > 0 && !self.is_passive() {
            synced.send.syn_was_lost();
        }
        synced
    }

    /// RFC 9293 section 3.7.1: what bounds our segments.
    fn path(&self, options: &SocketOptions, peer: &PeerSyn) -> PathStart {
        // MUST-15: what a peer takes that does not say.
        let theirs = peer.mss.unwrap_or(self.family.default_mss());
        let stamps = |stamped| (if stamped { TIMESTAMPS_LEN as u8 } else { 0 }) + self.signature_len;
        PathStart {
            mtu_payload: self.mtu_payload,
            clamp: theirs.min(options.max_seg.unwrap_or(u16::MAX)),
            options: stamps(self.stamps() && peer.timestamp.is_some()),
            ip_header: self.family.header() as u8,
            offered: (!self.is_passive()).then(|| stamps(self.stamps())),
        }
    }

    /// RFC 6298: the handshake gives the first sample; 5.7 when it cannot.
    fn first_rtt(&self, now: Instant, config: &Config, timestamps: bool, answer: &Segment) -> Rtt {
        let echo = answer.options.timestamps.filter(|_| timestamps).map(|timestamps| timestamps.echo);
        // Karn: an answer to one of several SYNs is ambiguous but for its timestamp.
        let sample = match self.sends {
            1 => Some(now - self.sent_at),
            // A SYN-ACK that nobody remembers: only its echo tells.
            0 => echo.filter(|echo| *echo != 0).and_then(|echo| Clocks::elapsed(self.ts_offset, now, echo)),
            _ => echo
                .and_then(|echo| Clocks::elapsed(self.ts_offset, now, echo))
                .filter(|echo| is_of_last(*echo, now - self.sent_at)),
        };
        let mut rtt = Rtt::new(if sample.is_some() { INITIAL_RTO } else { FALLBACK_RTO });
        if let Some(sample) = sample {
            let first = self.iss + 1;
            rtt.sample(sample, Progress { una: first, nxt: first }, config.rto_min, config.rto_max);
        }
        rtt
    }
}

/// What RFC 9293 section 3.10.7.4 says to a segment in SYN-RECEIVED.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Screened {
    /// It acknowledges our SYN.
    Complete,
    /// The peer's SYN again: our SYN-ACK again.
    Repeat,
    /// Answer with an acknowledgment, rate-limited, and drop.
    Challenge(DropReason),
    /// Answer with a reset numbered by its acknowledgment, and drop.
    Refuse,
    /// An acceptable reset.
    Reset,
    /// A SYN inside the window.
    NewSyn,
    Drop(DropReason),
}

/// The steps of RFC 9293 section 3.10.7.4 for SYN-RECEIVED, up to the acknowledgment.
/// `finished`: it acknowledges the FIN that has left behind our SYN.
pub(crate) fn screen(offer: &Offer, peer: &PeerSyn, now: Instant, segment: &Segment, finished: bool) -> Screened {
    let nxt = peer.irs + 1;
    let mut sequence = Seq::<Peer>::new(segment.header.sequence);
    let (syn, ack, rst) = (segment.has(TcpFlags::SYN), segment.has(TcpFlags::ACK), segment.has(TcpFlags::RST));
    let stamped = segment.options.timestamps.filter(|_| offer.stamps());
    let acknowledged = finished || offer.is_acknowledged_by(Seq::new(segment.header.acknowledgment));
    if offer.is_passive() && ack && !rst && !acknowledged {
        // RFC 9293 section 3.5.2, group 2: before anything else, as on Linux.
        return Screened::Refuse;
    }
    if let (Some(recent), Some(timestamps), false) = (peer.timestamp, stamped, rst)
        && Clocks::new(now, 0, recent).is_old(now, timestamps.value, 0)
    {
        return Screened::Challenge(DropReason::Paws);
    }
    let mut len = segment.sequence_len();
    let mut syn_in_window = syn;
    if syn && !rst && sequence == peer.irs {
        if !ack {
            return Screened::Repeat;
        }
        // Simultaneous open: the SYN is the one we know; the rest begins at RCV.NXT.
        sequence = nxt;
        len -= 1;
        syn_in_window = false;
    }
    // First: the sequence number. As Linux: strictly for who answers, and for who has asked as in the synchronised states.
    let edge = nxt + offer.window();
    let is_outside = match offer.is_passive() {
        true => !is_in_window(sequence, sequence + len, nxt, edge),
        false => (sequence + len).before(nxt) || sequence.after(edge),
    };
    if is_outside {
        return match (rst, (sequence + len).after(nxt)) {
            (true, _) => Screened::Drop(DropReason::InvalidReset),
            (false, true) => Screened::Challenge(DropReason::BeyondWindow),
            (false, false) => Screened::Challenge(DropReason::OldSequence),
        };
    }
    // Second: RST, RFC 5961 section 3.
    if rst {
        return if sequence == nxt { Screened::Reset } else { Screened::Challenge(DropReason::ChallengedReset) };
    }
    // Fourth: SYN.
    if syn_in_window {
        return Screened::NewSyn;
    }
    // Fifth: ACK.
    if !ack {
        return Screened::Drop(DropReason::NoAck);
    }
    if !acknowledged {
        return Screened::Refuse;
    }
    Screened::Complete
}

/// RFC 9293 section 3.4, table 5, as Linux has it: whether a segment from `start` to `end` is acceptable where the window goes
/// from `nxt` to `edge`.
pub(super) fn is_in_window(start: Seq<Peer>, end: Seq<Peer>, nxt: Seq<Peer>, edge: Seq<Peer>) -> bool {
    start == nxt || (end.after(nxt) && start.before(edge)) || (start == edge && start == end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syns_leave_at_0_1_2_3_4_5_7_11_19_35_67_seconds_and_give_up_at_131() {
        let mut at = 0;
        let times: Vec<u64> = (0..=10)
            .map(|sent| {
                at += syn_interval(sent, 4, Duration::from_secs(120)).as_secs();
                at
            })
            .collect();
        assert_eq!(times, [1, 2, 3, 4, 5, 7, 11, 19, 35, 67, 131]);
    }

    #[test]
    fn without_linear_timeouts_the_interval_doubles_from_the_start() {
        let sum: u64 = (0..=5).map(|sent| syn_interval(sent, 0, Duration::from_secs(120)).as_secs()).sum();
        assert_eq!(sum, 63);
    }
}
