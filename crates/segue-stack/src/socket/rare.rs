//! What few sockets ever have: the values of rarely set options, and the error queue.
use segue_tcp::Linger;

use super::error_queue::ErrorQueue;
use super::timestamping::TimestampingFlags;
use crate::tcp::fast_open::FastOpenOptions;

/// See the module.
#[derive(Debug)]
pub(crate) struct RareOptions {
    /// SO_RCVTIMEO and SO_SNDTIMEO in microseconds; 0: for ever. Whoever blocks on top of the stack keeps to them.
    pub(crate) receive_timeout: u64,
    pub(crate) send_timeout: u64,
    pub(crate) priority: i32,
    pub(crate) mark: u32,
    pub(crate) busy_poll: i32,
    pub(crate) incoming_cpu: i32,
    pub(crate) multicast_ttl: u8,
    /// IPV6_MTU: datagrams over IPv6 are cut at this many bytes; 0: at the path's MTU.
    pub(crate) fragment_size: u32,
    /// SO_LINGER of a datagram socket, where it has no effect.
    pub(crate) linger: Linger,
    pub(crate) timestamping: TimestampingFlags,
    /// SOF_TIMESTAMPING_OPT_ID: the next key of a datagram.
    pub(crate) timestamp_key: u32,
    /// MSG_ZEROCOPY calls so far.
    pub(crate) zerocopy_calls: u32,
    /// SO_MAX_PACING_RATE of a datagram socket, where nothing is paced.
    pub(crate) max_pacing_rate: u64,
    /// UDP_SEGMENT; 0: none.
    pub(crate) udp_segment: u16,
    pub(crate) fast_open: FastOpenOptions,
    /// What MSG_ERRQUEUE reads.
    pub(crate) errors: ErrorQueue,
}

impl RareOptions {
    /// A socket that has none of it.
    pub(crate) const DEFAULT: &RareOptions = &RareOptions::new();

    pub(crate) const fn new() -> RareOptions {
        RareOptions {
            receive_timeout: 0,
            send_timeout: 0,
            priority: 0,
            mark: 0,
            busy_poll: 0,
            incoming_cpu: -1,
            multicast_ttl: 1,
            fragment_size: 0,
            linger: Linger::Off,
            timestamping: TimestampingFlags::empty(),
            timestamp_key: 0,
            zerocopy_calls: 0,
            max_pacing_rate: u64::MAX,
        udp_segment: 0,
            fast_open: FastOpenOptions::DEFAULT,
            errors: ErrorQueue::new(),
        }
    }

    /// What an accepted connection has of its listener's.
    pub(crate) fn inherit(&self) -> RareOptions {
        RareOptions { timestamp_key: 0, zerocopy_calls: 0, errors: ErrorQueue::new(), ..*self }
    }
}
