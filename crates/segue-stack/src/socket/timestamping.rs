//! `SO_TIMESTAMPING`: which times an application asked for.
//!
//! Decides which combinations are refused, as Linux does. Hardware times are never told: there is no such clock.
use bitflags::bitflags;

bitflags! {
    /// `SOF_TIMESTAMPING_*`.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub(crate) struct TimestampingFlags: u32 {
        const TX_HARDWARE = 1 << 0;
        const TX_SOFTWARE = 1 << 1;
        const RX_HARDWARE = 1 << 2;
        const RX_SOFTWARE = 1 << 3;
        const SOFTWARE = 1 << 4;
        const SYS_HARDWARE = 1 << 5;
        const RAW_HARDWARE = 1 << 6;
        const OPT_ID = 1 << 7;
        const TX_SCHED = 1 << 8;
        const TX_ACK = 1 << 9;
        const OPT_CMSG = 1 << 10;
        const OPT_TSONLY = 1 << 11;
        const OPT_STATS = 1 << 12;
        const OPT_PKTINFO = 1 << 13;
        const OPT_TX_SWHW = 1 << 14;
        const BIND_PHC = 1 << 15;
        const OPT_ID_TCP = 1 << 16;
        const OPT_RX_FILTER = 1 << 17;
        const TX_COMPLETION = 1 << 18;
    }
}

impl TimestampingFlags {
    /// What a control message may ask for, for one call.
    pub(crate) const PER_CALL: TimestampingFlags =
        Self::TX_HARDWARE.union(Self::TX_SOFTWARE).union(Self::TX_SCHED).union(Self::TX_ACK).union(Self::TX_COMPLETION);
    /// Times of sent bytes that are told here.
    pub(crate) const TX_TOLD: TimestampingFlags = Self::TX_SOFTWARE.union(Self::TX_SCHED).union(Self::TX_ACK);
}
