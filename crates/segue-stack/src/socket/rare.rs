//! What few sockets ever have: the values of rarely set options, the groups it has joined, and the error queue.
use core::net::{Ipv4Addr, Ipv6Addr};

use bitflags::bitflags;
use segue_tcp::Linger;

use super::error_queue::ErrorQueue;
use super::groups::Memberships;
use super::timestamping::TimestampingFlags;
use crate::IfaceId;
use crate::tcp::auth::Keys;
use crate::tcp::fast_open::FastOpenOptions;
use crate::tcp::routed::RouteChoice;

bitflags! {
    /// Yes or no, rarely yes.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub(crate) struct RareFlags: u32 {
        /// Remembered and, as on Linux without the device or the protocol they are for, without effect.
        const WIFI_STATUS = 1 << 0;
        const NO_FCS = 1 << 1;
        const FILTER_LOCKED = 1 << 2;
        const PREFER_BUSY_POLL = 1 << 3;
        const PASS_SECURITY = 1 << 4;
        const CHECKSUM = 1 << 5;
        const ROUTER_ALERT_ISOLATE = 1 << 6;
        const FLOW_INFO_SEND = 1 << 7;
        const AUTO_FLOW_LABEL_OFF = 1 << 8;
        const AUTO_FLOW_LABEL_ON = 1 << 9;
        /// Options and extension headers of packets that arrived.
        const RECV_OPTIONS = 1 << 10;
        const RECV_HOP_BY_HOP = 1 << 12;
        const RECV_ROUTING = 1 << 13;
        const RECV_DESTINATION = 1 << 14;
        const OLD_HOP_BY_HOP = 1 << 15;
        const OLD_ROUTING = 1 << 16;
        const OLD_DESTINATION = 1 << 17;
        /// Any of IPv6's.
        const EXTENSION_HEADERS = Self::RECV_HOP_BY_HOP.bits() | Self::RECV_ROUTING.bits() | Self::RECV_DESTINATION.bits()
            | Self::OLD_HOP_BY_HOP.bits() | Self::OLD_ROUTING.bits() | Self::OLD_DESTINATION.bits();
        /// RFC 4884's structure in the error queue.
        const ERROR_STRUCTURE = 1 << 18;
        const ERROR_STRUCTURE6 = 1 << 19;
        /// Control messages by their RFC 2292 numbers.
        const OLD_PACKET_INFO = 1 << 20;
        const OLD_HOP_LIMIT = 1 << 21;
        const RECV_PATH_MTU = 1 << 22;
        const DONT_FRAGMENT6 = 1 << 23;
        /// Whether it hears groups that only others have joined is not as it was at first.
        const MULTICAST_ALL_CHANGED = 1 << 24;
        const MULTICAST_ALL6_OFF = 1 << 25;
        const MULTICAST_LOOP6_OFF = 1 << 26;
        /// UDP over IPv6 without a checksum.
        const NO_CHECK6_TX = 1 << 27;
        const NO_CHECK6_RX = 1 << 28;
        const TX_REHASH_OFF = 1 << 29;
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct RareOptions {
    pub(crate) flags: RareFlags,
    /// SO_RCVTIMEO and SO_SNDTIMEO in microseconds; 0: for ever, `u64::MAX`: not at all. Whoever blocks on top of the stack keeps to them.
    pub(crate) receive_timeout: u64,
    pub(crate) send_timeout: u64,
    /// The user who owns it; `None`: the stack's own.
    pub(crate) uid: Option<u32>,
    /// SO_RCVLOWAT.
    pub(crate) rcvlowat: u32,
    pub(crate) priority: i32,
    pub(crate) mark: u32,
    pub(crate) busy_poll: i32,
    pub(crate) incoming_cpu: i32,
    /// SO_PEEK_OFF; negative: peeking begins at the front.
    pub(crate) peek_offset: i32,
    /// SO_BINDTODEVICE.
    pub(crate) device: Option<IfaceId>,
    /// SO_BUF_LOCK where no size was set.
    pub(crate) buffer_lock: u8,
    /// SO_TXTIME: clock and flags, if it was set.
    pub(crate) tx_time: (i32, u32),
    /// IP_UNICAST_IF and IPV6_UNICAST_IF.
    pub(crate) unicast_if: Option<IfaceId>,
    pub(crate) unicast_if6: Option<IfaceId>,
    /// IP_MULTICAST_IF: interface and address.
    pub(crate) multicast_if: (Option<IfaceId>, Ipv4Addr),
    pub(crate) multicast_if6: Option<IfaceId>,
    pub(crate) multicast_ttl: u8,
    pub(crate) multicast_hops: u8,
    pub(crate) groups: Memberships,
    /// IP_MINTTL and IPV6_MINHOPCOUNT.
    pub(crate) min_ttl: u8,
    pub(crate) min_hops: u8,
    pub(crate) route: RouteChoice,
    /// IP_LOCAL_PORT_RANGE: lowest and highest port; 0: that of the sysctl.
    pub(crate) port_range: (u16, u16),
    /// IPV6_ADDR_PREFERENCES.
    pub(crate) source_preferences: i32,
    /// IPV6_PKTINFO: source and interface of whatever is sent.
    pub(crate) sticky_source: Option<(Ipv6Addr, Option<IfaceId>)>,
    /// IPV6_MTU: datagrams over IPv6 are cut at this many bytes; 0: at the path's MTU.
    pub(crate) fragment_size: u32,
    /// IPV6_FLOWINFO_SEND: the label that connect() named; 0: none.
    pub(crate) flow_label: u32,
    /// IPV6_RECVPATHMTU: a destination and what its path carries, until it is read.
    pub(crate) path_mtu_told: Option<(Ipv6Addr, u32)>,
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
    /// TCP_SAVE_SYN: 0 no, 1 IP and TCP headers, 2 the link's header, too.
    pub(crate) save_syn: u8,
    /// TCP_SAVED_SYN, until it is read.
    pub(crate) saved_syn: Option<Box<[u8]>>,
    /// TCP_TX_DELAY in microseconds: what is sent waits so long.
    pub(crate) tx_delay: u32,
    pub(crate) fast_open: FastOpenOptions,
    /// What signs segments (TCP_MD5SIG).
    pub(crate) keys: Option<Box<Keys>>,
    /// What MSG_ERRQUEUE reads.
    pub(crate) errors: ErrorQueue,
}

/// `IPV6_PREFER_SRC_PUBTMP_DEFAULT | IPV6_PREFER_SRC_HOME`.
pub(crate) const DEFAULT_PREFERENCES: i32 = 0x100 | 0x400;

impl RareOptions {
    /// A socket that has none of it.
    pub(crate) const DEFAULT: &RareOptions = &RareOptions::new();

    pub(crate) const fn new() -> RareOptions {
        RareOptions {
            flags: RareFlags::empty(),
            receive_timeout: 0,
            send_timeout: 0,
            uid: None,
            rcvlowat: 1,
            priority: 0,
            mark: 0,
            busy_poll: 0,
            incoming_cpu: -1,
            peek_offset: -1,
            device: None,
            buffer_lock: 0,
            tx_time: (0, 0),
            unicast_if: None,
            unicast_if6: None,
            multicast_if: (None, Ipv4Addr::UNSPECIFIED),
            multicast_if6: None,
            multicast_ttl: 1,
            multicast_hops: 1,
            groups: Memberships::new(),
            min_ttl: 0,
            min_hops: 0,
            route: RouteChoice::Direct,
            port_range: (0, 0),
            source_preferences: DEFAULT_PREFERENCES,
            sticky_source: None,
            fragment_size: 0,
            flow_label: 0,
            path_mtu_told: None,
            linger: Linger::Off,
            timestamping: TimestampingFlags::empty(),
            timestamp_key: 0,
            zerocopy_calls: 0,
            max_pacing_rate: u64::MAX,
            udp_segment: 0,
            save_syn: 0,
            saved_syn: None,
            tx_delay: 0,
            fast_open: FastOpenOptions::DEFAULT,
            keys: None,
            errors: ErrorQueue::new(),
        }
    }

    /// What an accepted connection has of its listener's.
    pub(crate) fn inherit(&self) -> RareOptions {
        // A connection has the keys for its peer alone; they are given to it.
        RareOptions {
            keys: None,
            saved_syn: None,
            flow_label: 0,
            path_mtu_told: None,
            timestamp_key: 0,
            zerocopy_calls: 0,
            peek_offset: -1,
            route: RouteChoice::Direct,
            ..self.clone()
        }
    }
}
