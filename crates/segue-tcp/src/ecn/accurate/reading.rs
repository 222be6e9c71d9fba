//! What the peer tells us: how many of our packets were marked.
//!
//! Owns RFC 9768 sections 3.2.2.2 (decoding three bits that may have wrapped, appendices A.1 and A.2), 3.2.3 (the
//! counters of the option, both orders), 3.2.3.2.3 to 3.2.3.2.5 (options absent, erased, contradicting). When a
//! wrap is possible the larger count is assumed unless bytes or the peer's habit say otherwise.

use segue_wire::tcp::{AccEcn, AccEcnOrder};

use super::super::EcnAck;
use super::{FIRST_ACE, Failures};

/// Packets that one acknowledgment can cover without the three bits going round.
const ACE_MASK: u32 = 7;
/// Options that have not come while so many bytes left are not coming: counters may have wrapped since.
const TOO_LATE: u64 = (1 << 23) - 1;
/// The moving average of packets per acknowledgment: one part in 2^6 each time, kept in 2^-6.
const AVERAGE: u32 = 6;
/// A peer that covers more than this with each acknowledgment thins them out: many packets say nothing of a wrap.
const THINNED: u32 = 4;

/// What is known of the peer's options (`tcpi_accecn_opt_seen`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
#[repr(u8)]
pub(crate) enum OptionSeen {
    #[default]
    Never = 0,
    /// Without counters.
    Empty = 1,
    Counters = 2,
    /// Erased, or never there.
    Failed = 3,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    /// s.cep, counted from 0.
    marked: u32,
    /// s.e1b, s.e0b, s.ceb, counted from 0.
    bytes: [u32; 3],
    seen: OptionSeen,
    /// Which counter alone grew last: where newly acknowledged bytes go while no option comes.
    estimate: Option<usize>,
    /// The peer says it does not take part: whatever it says of marks means nothing.
    ignored: bool,
    /// Packets per acknowledgment.
    average: u16,
}

/// Index into the counters, and what the field begins with on the wire, in the order of the fields.
const fn layout(order: AccEcnOrder) -> [(usize, u32); 3] {
    match order {
        AccEcnOrder::Ect0First => [(1, 1), (2, 0), (0, 1)],
        AccEcnOrder::Ect1First => [(0, 1), (2, 0), (1, 1)],
    }
}

fn fields(option: &AccEcn) -> [Option<u32>; 3] {
    match option.order {
        AccEcnOrder::Ect0First => [option.ect0_bytes, option.ce_bytes, option.ect1_bytes],
        AccEcnOrder::Ect1First => [option.ect1_bytes, option.ce_bytes, option.ect0_bytes],
    }
}

impl Reading {
    /// An option, until counters have been seen: whether it is whole. Section 3.2.3.2.4: ECT(0) and ECT(1) begin with 1.
    pub(super) fn see(&mut self, option: &AccEcn) -> bool {
        if self.seen >= OptionSeen::Counters {
            return true;
        }
        let [first, _, third] = fields(option);
        self.seen = match (first, third) {
            (None, _) => OptionSeen::Empty,
            (Some(0), _) | (_, Some(0)) => OptionSeen::Failed,
            _ => OptionSeen::Counters,
        };
        self.seen != OptionSeen::Failed
    }

    /// RFC 9768 section 3.2.2.4: no feedback from now on.
    pub(super) fn ignore(&mut self) {
        self.ignored = true;
    }

    pub(super) fn seen(&self) -> OptionSeen {
        self.seen
    }

    pub(super) fn has_counters(&self) -> bool {
        self.seen >= OptionSeen::Counters
    }

    pub(super) fn bytes(&self) -> [u32; 3] {
        self.bytes
    }

    pub(super) fn marked(&self) -> u32 {
        self.marked
    }

    /// How many more packets were marked than are known.
    pub(super) fn read(&mut self, ack: &EcnAck, failures: &mut Failures) -> u32 {
        let more = self.decode(ack, failures);
        self.marked = self.marked.wrapping_add(more);
        more
    }

    fn decode(&mut self, ack: &EcnAck, failures: &mut Failures) -> u32 {
        if !ack.progress || self.ignored {
            // It may have been overtaken by one that told more.
            return 0;
        }
        let ce_before = self.bytes[2];
        let by_bytes = self.read_option(ack, failures);
        self.average_in(ack.packets);
        let ace = u32::from(ack.flags.ace().wrapping_sub(FIRST_ACE));
        let delta = ace.wrapping_sub(self.marked) & ACE_MASK;
        let ce = by_bytes.then(|| self.bytes[2].wrapping_sub(ce_before));
        if ack.packets <= ACE_MASK {
            // Section 3.2.3.2.5: marked bytes without a marked packet.
            if delta == 0 && ce.is_some_and(|bytes| bytes > 0) {
                *failures |= Failures::ACE_READ;
            }
            return delta;
        }
        let most = ack.packets - (ack.packets.wrapping_sub(delta) & ACE_MASK);
        self.choose(ack, delta, most, ce)
    }

    /// Appendix A.2: `delta` packets or, if the bits went round, `most`.
    fn choose(&self, ack: &EcnAck, delta: u32, most: u32, ce: Option<u32>) -> u32 {
        let Some(ce) = ce else {
            let thinned = u32::from(self.average) > THINNED << AVERAGE;
            return if thinned { delta } else { most };
        };
        if ce == 0 {
            return delta;
        }
        if ack.packets > 2 * ACE_MASK + 1 && ack.exact {
            if ack.bytes <= ce {
                return most;
            }
            // As many as the bytes make likely, of those that the bits allow.
            let likely = (u64::from(ce) * u64::from(ack.packets)).div_ceil(u64::from(ack.bytes));
            return most.min(delta + (likely as u32 & !ACE_MASK));
        }
        let (mss, ce) = (u64::from(ack.mss), u64::from(ce));
        if ce > u64::from(delta) * mss {
            most
        } else if ce < u64::from(most) * mss / 2 {
            delta
        } else {
            most
        }
    }

    fn average_in(&mut self, packets: u32) {
        if packets == 0 {
            return;
        }
        let sample = packets.min(u32::from(u16::MAX)) << AVERAGE;
        let old = u32::from(self.average);
        let new = if old == 0 { sample } else { old + (sample >> AVERAGE) - (old >> AVERAGE) };
        self.average = u16::try_from(new).unwrap_or(u16::MAX);
    }

    /// Takes the counters in; whether they can be used for what this acknowledgment covers.
    fn read_option(&mut self, ack: &EcnAck, failures: &mut Failures) -> bool {
        if failures.contains(Failures::OPTION_READ) {
            return false;
        }
        let Some(option) = &ack.option else { return self.without_option(ack, failures) };
        if !self.see(option) {
            *failures |= Failures::OPTION_READ;
            return false;
        }
        let mut usable = self.estimate.is_some();
        let (mut grown, mut ambiguous) = (None, false);
        for ((index, start), field) in layout(option.order).into_iter().zip(fields(option)) {
            let Some(field) = field else { break };
            // 24 bits of the count, which may also be older than what we know.
            let delta = field.wrapping_sub(start).wrapping_sub(self.bytes[index]) << 8;
            let delta = delta.cast_signed() >> 8;
            self.bytes[index] = self.bytes[index].wrapping_add_signed(delta);
            if delta == 0 {
                continue;
            }
            ambiguous |= delta < 0;
            if self.estimate != Some(index) {
                ambiguous |= grown.replace(index).is_some();
            }
        }
        if ambiguous {
            usable = false;
            self.estimate = None;
        } else if grown.is_some() {
            self.estimate = grown;
        }
        usable
    }

    fn without_option(&mut self, ack: &EcnAck, failures: &mut Failures) -> bool {
        if self.seen == OptionSeen::Never {
            if ack.sent >= TOO_LATE {
                self.seen = OptionSeen::Failed;
                *failures |= Failures::OPTION_READ;
            }
            return false;
        }
        let Some(index) = self.estimate else { return false };
        self.bytes[index] = self.bytes[index].wrapping_add(ack.bytes);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segue_wire::tcp::TcpFlags;

    const MSS: u32 = 1460;

    fn ack(ace: u8, packets: u32, option: Option<[u32; 3]>) -> EcnAck {
        let option = option.map(|bytes| super::super::option(3, bytes));
        let flags = TcpFlags::ACK.with_ace(ace);
        EcnAck { flags, option, progress: true, packets, bytes: packets * MSS, mss: MSS, sent: 0, exact: true }
    }

    fn read(reading: &mut Reading, ack: &EcnAck) -> u32 {
        reading.read(ack, &mut Failures::empty())
    }

    /// RFC 9768 section 3.2.2.2: the examples of its safe decoding.
    #[test]
    fn without_options_a_wrap_is_assumed_when_it_is_possible() {
        for (packets, delta, expected) in
            [(1, 1, 1), (7, 0, 0), (8, 0, 8), (9, 2, 2), (10, 2, 10), (9, 7, 7), (15, 7, 15)]
        {
            let mut reading = Reading { average: 1 << AVERAGE, ..Reading::default() };
            assert_eq!(read(&mut reading, &ack((5 + delta) & 7, packets, None)), expected, "{packets} {delta}");
        }
    }

    #[test]
    fn a_peer_that_thins_acknowledgments_out_is_not_taken_to_mark_everything() {
        let mut reading = Reading::default();
        for _ in 0..100 {
            assert_eq!(read(&mut reading, &ack(5, 20, None)), 0);
        }
    }

    /// Appendix A.2.2: marked bytes tell whether the bits went round.
    #[test]
    fn bytes_decide_between_few_marks_and_many() {
        for (delta, packets, ce, expected) in
            [(0, 8, 1_460, 8), (2, 10, 1_460, 2), (7, 15, 10_200, 7), (2, 10, 14_600, 10)]
        {
            let mut reading = Reading { seen: OptionSeen::Counters, estimate: Some(1), ..Reading::default() };
            let ack = ack((5 + delta) & 7, packets, Some([0, 0, ce]));
            assert_eq!(read(&mut reading, &ack), expected, "{delta} {packets} {ce}");
        }
    }

    #[test]
    fn an_acknowledgment_that_may_have_been_overtaken_says_nothing() {
        let late = EcnAck { progress: false, ..ack(7, 0, None) };
        assert_eq!(read(&mut Reading::default(), &late), 0);
    }

    #[test]
    fn both_orders_of_the_option_mean_the_same() {
        for order in [AccEcnOrder::Ect0First, AccEcnOrder::Ect1First] {
            let option = AccEcn { order, ect0_bytes: Some(1 + 300), ce_bytes: Some(20), ect1_bytes: Some(1 + 7) };
            let mut reading = Reading::default();
            let _ = read(&mut reading, &EcnAck { option: Some(option), ..ack(6, 1, None) });
            assert_eq!(reading.bytes(), [7, 300, 20], "{order:?}");
        }
    }

    #[test]
    fn counters_of_24_bits_go_on_beyond_their_wrap() {
        let mut reading = Reading::default();
        let mut total = 0u32;
        for _ in 0..10 {
            total += 0x3f_ffff;
            let _ = read(&mut reading, &ack(5, 1, Some([0, total, 0])));
            assert_eq!(reading.bytes(), [0, total, 0]);
        }
    }

    #[test]
    fn an_erased_option_is_not_read_again() {
        let mut failures = Failures::empty();
        let mut reading = Reading::default();
        let zero = AccEcn { ect0_bytes: Some(0), ce_bytes: Some(0), ect1_bytes: Some(0), ..AccEcn::default() };
        let _ = reading.read(&EcnAck { option: Some(zero), ..ack(5, 1, None) }, &mut failures);
        assert_eq!(failures, Failures::OPTION_READ);
        let _ = reading.read(&ack(5, 1, Some([1, 2, 3])), &mut failures);
        assert_eq!(reading.bytes(), [0; 3]);
    }

    #[test]
    fn marked_bytes_without_a_marked_packet_end_the_trust() {
        let mut failures = Failures::empty();
        let mut reading = Reading { seen: OptionSeen::Counters, estimate: Some(2), ..Reading::default() };
        assert_eq!(reading.read(&ack(5, 2, Some([0, 0, 1_460])), &mut failures), 0);
        assert_eq!(failures, Failures::ACE_READ);
    }

    #[test]
    fn bytes_are_estimated_where_the_last_option_had_them_grow() {
        let mut reading = Reading::default();
        let _ = read(&mut reading, &ack(5, 1, Some([0, 1_460, 0])));
        let _ = read(&mut reading, &ack(5, 2, None));
        assert_eq!(reading.bytes(), [0, 3 * 1_460, 0]);
    }
}
