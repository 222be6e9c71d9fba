//! How large a segment may be: the path's MTU as it is known, and the search for it where nobody tells.
//!
//! Owns packetization-layer path MTU discovery (RFC 4821, RFC 8899 section 5) as Linux does it: `tcp_mtu_probing` 1
//! searches after a black hole, 2 from the beginning; a segment of new data that is larger than the others is the probe.
//! What ICMP says (RFC 1191, RFC 8201) comes from outside. Sizes here are those of packets less the IP header.

use alloc::boxed::Box;

use segue_wire::Instant;

use super::Sender;
use crate::config::{Config, MtuProbing};
use crate::journal::{CaState, Decision, Statistic};
use crate::state::handshake::HEADER;
use crate::units::{Local, Packets, Seq};

/// Windows smaller than this are not spent on probes (RFC 4821 section 7.4: loss of a probe must be told from congestion).
const LEAST_CWND: Packets = Packets(11);

/// A segment under way that is larger than what is known to arrive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Probe {
    start: Seq<Local>,
    end: Seq<Local>,
    size: u16,
}

/// RFC 4821 section 7.1: the range in which the largest packet that arrives lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Search {
    /// Packets of this size are thought to arrive.
    low: u16,
    /// Larger ones are not.
    high: u16,
    probe: Option<Probe>,
    /// When the range was last opened.
    since: Instant,
}

/// What bounds a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Path {
    /// The MTU that is known, less the IP header.
    pub(crate) mtu_payload: u16,
    /// The largest segment that the peer takes and the application allows, options included.
    pub(super) clamp: u16,
    /// Bytes of options on every segment.
    pub(crate) options: u8,
    /// Bytes of the IP header.
    ip_header: u8,
}

/// What a handshake knows of the path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PathStart {
    pub(crate) mtu_payload: u16,
    pub(crate) clamp: u16,
    pub(crate) options: u8,
    pub(crate) ip_header: u8,
    /// An active open: bytes of options that our SYN prepared for.
    pub(crate) offered: Option<u8>,
}

impl Path {
    pub(crate) fn new(start: &PathStart) -> Path {
        let PathStart { mtu_payload, clamp, options, ip_header, .. } = *start;
        Path { mtu_payload, clamp, options, ip_header }
    }

    /// The MSS of the first segments. As on Linux the search holds back an active open from the beginning, a passive one
    /// when the peer's window first grows.
    pub(crate) fn first_mss(&self, start: &PathStart, config: &Config) -> u16 {
        let path = self.mss_of(self.mtu_payload, config);
        match start.offered {
            Some(offered) if config.mtu_probing == MtuProbing::Always => {
                let prepared = u16::from(offered.saturating_sub(self.options));
                path.min(self.mss_of(self.size_of(config.base_mss).saturating_add(prepared), config))
            }
            _ => path,
        }
    }

    /// RFC 9293 section 3.7.1, Eff.snd.MSS: what packets of this size leave for text.
    fn mss_of(&self, mtu_payload: u16, config: &Config) -> u16 {
        let mss = mtu_payload.saturating_sub(HEADER).min(self.clamp).max(config.min_snd_mss);
        mss.saturating_sub(self.options.into()).max(1)
    }

    fn size_of(&self, mss: u16) -> u16 {
        mss.saturating_add(self.options.into()).saturating_add(HEADER)
    }

    /// The largest packet that the peer would take and the path, as far as it is known, does not forbid.
    fn ceiling(&self) -> u16 {
        self.clamp.saturating_add(HEADER).min(self.mtu_payload)
    }
}

impl Search {
    /// RFC 4821 section 7.2: from `tcp_base_mss` to what the link and the peer allow.
    pub(super) fn open(now: Instant, path: &Path, config: &Config) -> Search {
        Search { low: path.size_of(config.base_mss), high: path.ceiling(), probe: None, since: now }
    }

    /// RFC 4821 section 7.3: what is left of the range is not worth a probe.
    fn is_over(&self, config: &Config) -> bool {
        self.high < self.low || self.high - self.low < config.probe_threshold.max(1)
    }
}

/// Whether new data wait for a probe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ProbePlan {
    /// Nothing to probe, or no means.
    Not,
    /// There will be room for one in a moment; what is sent now would take it.
    Soon,
    /// A probe of so many bytes of text leaves.
    Now(u32),
}

impl Sender {
    /// RFC 4821 section 7.4, as Linux decides it: a probe takes its place among new data, and enough follow it to tell its
    /// loss. `blocks`: selective acknowledgments would leave with it.
    pub(super) fn plan_mtu_probe(&self, blocks: bool, config: &Config) -> ProbePlan {
        let Some(search) = self.may_search(blocks) else { return ProbePlan::Not };
        if search.is_over(config) {
            return ProbePlan::Not;
        }
        let text = u32::from(self.path.mss_of(search.low.midpoint(search.high), config));
        let behind = u32::from(self.reordering_degree(config)) + 1;
        let needed = text + behind * self.segment_size();
        if self.unsent() < needed || self.wnd < needed {
            return ProbePlan::Not;
        }
        if self.window_room() < needed {
            return ProbePlan::Soon;
        }
        let in_flight = self.in_flight();
        if in_flight.saturating_add(Packets(2)) > self.cc.cwnd() {
            return if in_flight == Packets(0) { ProbePlan::Not } else { ProbePlan::Soon };
        }
        // As Linux: a probe is not made of two records.
        if self.unsent_record() < text { ProbePlan::Not } else { ProbePlan::Now(text) }
    }

    /// The search, where its next probe could leave.
    fn may_search(&self, blocks: bool) -> Option<&Search> {
        let search = self.search.as_deref()?;
        let quiet = self.recovery.state == CaState::Open && !blocks && self.urgent_end.is_none();
        (quiet && search.probe.is_none() && self.cc.cwnd() >= LEAST_CWND).then_some(search)
    }

    /// A probe has left: it stands for two segments.
    pub(super) fn on_mtu_probe_sent(&mut self, now: Instant, start: Seq<Local>, text: u32) {
        let size = self.path.size_of(u16::try_from(text).unwrap_or(u16::MAX));
        self.cc.set_cwnd(self.cc.cwnd().saturating_sub(Packets(1)));
        if let Some(search) = &mut self.search {
            search.probe = Some(Probe { start, end: start + text, size });
        }
        let first = start.raw();
        self.journal.decide(now, || Decision::MtuProbe { start: first, len: text });
    }

    /// New data have left, and no probe: RFC 4821 section 7.3, a search that has ended is opened again after
    /// `tcp_probe_interval`, lest a path that has become wider stay unknown.
    pub(super) fn reopen_search(&mut self, now: Instant, config: &Config) {
        let ended = self
            .may_search(false)
            .is_some_and(|search| search.is_over(config) && now - search.since >= config.probe_interval);
        if !ended {
            return;
        }
        let (low, high) = (self.path.size_of(self.mss), self.path.ceiling());
        if let Some(search) = &mut self.search {
            **search = Search { low, high, probe: None, since: now };
        }
    }

    /// RFC 4821 section 7.6.1: the probe has arrived, segments become larger. The window stays what it is in bytes.
    pub(super) fn on_mtu_probe_acked(&mut self, now: Instant, config: &Config) {
        let Some(probe) = self.mtu_probe().filter(|probe| !probe.end.after(self.una)) else { return };
        let header = u32::from(self.path.ip_header);
        let old = u32::from(self.path.size_of(self.segment_size() as u16)) + header;
        let cwnd = u64::from(self.cc.cwnd().0) * u64::from(old) / u64::from(u32::from(probe.size) + header);
        self.cc.rescale(now, Packets(u32::try_from(cwnd).unwrap_or(u32::MAX)));
        if let Some(search) = &mut self.search {
            (search.low, search.probe) = (probe.size, None);
        }
        self.sync_mss(config);
        self.journal.count(Statistic::MtuProbeSuccess);
    }

    /// RFC 4821 section 7.6.2: the probe is lost, and nothing before it: that is no congestion. Whether it was so.
    pub(super) fn on_mtu_probe_lost(&mut self) -> bool {
        if self.recovery.state >= CaState::Cwr {
            return false;
        }
        let Some(probe) = self.mtu_probe().filter(|probe| probe.start == self.una) else { return false };
        if let Some(search) = &mut self.search {
            (search.high, search.probe) = (probe.size - 1, None);
        }
        self.journal.count(Statistic::MtuProbeFail);
        self.cc.set_cwnd(self.cc.cwnd().saturating_add(Packets(1)));
        let _ = self.scoreboard.recut(u32::from(self.mss), true);
        self.resend_without_blame();
        true
    }

    /// RFC 4821 section 7.6.4: something will be sent again while a probe is under way. What becomes of the probe tells nothing
    /// then, and if it has to be repeated it is in segments as usual.
    pub(super) fn give_up_mtu_probe(&mut self) {
        if self.mtu_probe().is_some() {
            self.forget_mtu_probe();
            let _ = self.scoreboard.recut(u32::from(self.mss), false);
        }
    }

    /// RFC 4821 section 7.6.3, RFC 8899 section 4.3: timeouts follow each other (`tcp_retries1`), and full segments may be
    /// what does not arrive. The first time `tcp_base_mss` is tried, then always half, not below `tcp_mtu_probe_floor`.
    pub(super) fn on_black_hole(&mut self, now: Instant, config: &Config) {
        if config.mtu_probing == MtuProbing::Off {
            return;
        }
        match &self.search {
            None => self.search = Some(Box::new(Search::open(now, &self.path, config))),
            Some(search) => {
                let half = self.path.mss_of(search.low, config) / 2;
                let mss = half.min(config.base_mss).max(config.mtu_probe_floor).max(config.min_snd_mss);
                let low = self.path.size_of(mss);
                if let Some(search) = &mut self.search {
                    search.low = low;
                }
            }
        }
        self.sync_mss(config);
        self.forget_mtu_probe();
        let _ = self.scoreboard.recut(u32::from(self.mss), false);
    }

    /// The MSS follows what is known of the path.
    pub(super) fn sync_mss(&mut self, config: &Config) {
        let path = self.path.mss_of(self.path.mtu_payload, config);
        self.mss = self.search.as_ref().map_or(path, |search| path.min(self.path.mss_of(search.low, config)));
    }

    fn mtu_probe(&self) -> Option<Probe> {
        self.search.as_ref()?.probe
    }

    /// Ends the wait for the probe; what becomes of it says nothing.
    fn forget_mtu_probe(&mut self) {
        if let Some(search) = &mut self.search {
            search.probe = None;
        }
    }

    /// RFC 1191, RFC 8201: a router says that the path carries less, never more. What is in flight and longer is sent
    /// again at once.
    pub(crate) fn shrink_path(&mut self, mtu_payload: u16, config: &Config) {
        if mtu_payload < self.path.mtu_payload {
            self.take_path_mtu(mtu_payload, config);
            if self.scoreboard.recut(u32::from(self.mss), true) && self.recovery.state != CaState::Loss {
                self.forget_mtu_probe();
                self.resend_without_blame();
            }
        }
    }

    /// The way has changed, or what was learned of it is forgotten (RFC 1191 section 6.3, RFC 8201 section 4).
    pub(crate) fn set_path_mtu(&mut self, mtu_payload: u16, config: &Config) {
        self.take_path_mtu(mtu_payload, config);
        let _ = self.scoreboard.recut(u32::from(self.mss), false);
    }

    /// Every segment has so many bytes of options more from now on.
    pub(crate) fn reserve(&mut self, bytes: u16, config: &Config) {
        if bytes > 0 {
            self.path.options = self.path.options.saturating_add(bytes as u8);
            self.sync_mss(config);
            let _ = self.scoreboard.recut(u32::from(self.mss), false);
        }
    }

    /// The path's MTU less the IP header is `mtu_payload`.
    fn take_path_mtu(&mut self, mtu_payload: u16, config: &Config) {
        self.path.mtu_payload = mtu_payload;
        if let Some(search) = &mut self.search {
            search.high = search.high.min(mtu_payload);
        }
        self.sync_mss(config);
    }
}
