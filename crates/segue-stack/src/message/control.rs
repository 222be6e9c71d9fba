//! Control messages as types, and each one's level, type and data as Linux lays them out on x86_64.
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;

use super::extended_error::ExtendedError;

/// `struct in_pktinfo`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PacketInfo {
    /// `ipi_ifindex`: the interface's number, loopback 1; 0 in a send: any.
    pub interface: u32,
    /// `ipi_spec_dst`: received: the host's address that an answer should come from; sent: the source to use.
    pub local: Ipv4Addr,
    /// `ipi_addr`: received: the destination in the packet's header; ignored in a send.
    pub destination: Ipv4Addr,
}

/// One control message of recvmsg(2) or sendmsg(2); [`Other`](Self::Other) carries everything that has no variant.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ControlMessage {
    /// `SCM_TIMESTAMP`: when it arrived, wall clock, as `struct timeval`.
    Timestamp(Duration),
    /// `SCM_TIMESTAMPNS`: the same as `struct timespec`.
    TimestampNs(Duration),
    /// `SCM_TIMESTAMPING`: three `struct timespec`, of which only the first, by software, is ever set here.
    Timestamping(Duration),
    /// In a send, `SO_TIMESTAMPING`: the `SOF_TIMESTAMPING_TX_*` bits for this call.
    TimestampingFlags(u32),
    /// In a send, `SCM_TS_OPT_ID`: the key of this call's times.
    TimestampingId(u32),
    /// `SCM_TIMESTAMPING_OPT_STATS`: netlink attributes (`TCP_NLA_*`) about the connection.
    TimestampingStats(Vec<u8>),
    /// `SCM_TIMESTAMPING_PKTINFO`: interface number and length of the packet.
    TimestampingPacketInfo {
        /// The interface's number.
        interface: u32,
        /// Length of the packet.
        length: u32,
    },
    /// `SO_RXQ_OVFL`: datagrams dropped because the queue was full, since the socket was made.
    Dropped(u32),
    /// `SO_MARK`.
    Mark(u32),
    /// `SO_PRIORITY`.
    Priority(u32),
    /// In a send, `SCM_TXTIME`: when it shall leave, nanoseconds of the clock that `SO_TXTIME` named.
    TxTime(u64),
    /// `IP_PKTINFO`.
    PacketInfo(PacketInfo),
    /// `IP_TTL`.
    Ttl(i32),
    /// `IP_TOS`.
    Tos(u8),
    /// `IP_RECVORIGDSTADDR`: the destination before any redirection.
    OriginalDestination(SocketAddr),
    /// `IP_RECVFRAGSIZE`, `IPV6_RECVFRAGSIZE`: the largest fragment; 0: the datagram came whole.
    FragmentSize {
        /// Of `IPPROTO_IPV6`.
        v6: bool,
        /// Bytes.
        size: i32,
    },
    /// `IP_RECVOPTS`: the options of the IPv4 header, padding and all.
    Options(Vec<u8>),
    /// `IP_CHECKSUM`: the ones' complement sum over the bytes of the datagram.
    PayloadSum(u16),
    /// `IPV6_HOPOPTS`, `IPV6_RTHDR`, `IPV6_DSTOPTS`: an extension header.
    Extension {
        /// Its protocol number: 0 hop-by-hop options, 43 routing, 60 destination options.
        kind: u8,
        /// The whole header.
        bytes: Vec<u8>,
    },
    /// `IPV6_PATHMTU`: a datagram was too large for the path to this address, which carries packets of so many bytes.
    PathMtu {
        /// The destination.
        address: Ipv6Addr,
        /// Bytes.
        mtu: u32,
    },
    /// `IPV6_PKTINFO`: source (in a send) or destination (received), and interface number.
    PacketInfo6 {
        /// The address.
        address: Ipv6Addr,
        /// The interface's number.
        interface: u32,
    },
    /// `IPV6_HOPLIMIT`.
    HopLimit(i32),
    /// `IPV6_TCLASS`.
    TrafficClass(i32),
    /// In a send, `IPV6_DONTFRAG`.
    DontFragment(bool),
    /// `IPV6_FLOWINFO`: traffic class and flow label, network byte order.
    FlowInfo(u32),
    /// `IP_RECVERR`: an entry of the error queue of an `AF_INET` socket.
    Error(ExtendedError),
    /// `IPV6_RECVERR`: an entry of the error queue of an `AF_INET6` socket.
    Error6(ExtendedError),
    /// `TCP_CM_INQ`: bytes that can still be read from the stream.
    InQueue(i32),
    /// In a send, `UDP_SEGMENT`: payload bytes of each datagram.
    SegmentSize(u16),
    /// `UDP_GRO`: payload bytes of each datagram that was joined, but for the last.
    GroSize(i32),
    /// Anything else.
    Other {
        /// `cmsg_level`.
        level: i32,
        /// `cmsg_type`.
        kind: i32,
        /// The data.
        data: Vec<u8>,
    },
}

const SOL_IP: i32 = 0;
const SOL_SOCKET: i32 = 1;
const SOL_TCP: i32 = 6;
const SOL_UDP: i32 = 17;
const SOL_IPV6: i32 = 41;

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

impl ControlMessage {
    /// `cmsg_level` and `cmsg_type`.
    pub fn name(&self) -> (i32, i32) {
        match self {
            ControlMessage::Timestamp(_) => (SOL_SOCKET, 29),
            ControlMessage::TimestampNs(_) => (SOL_SOCKET, 35),
            ControlMessage::Timestamping(_) | ControlMessage::TimestampingFlags(_) => (SOL_SOCKET, 37),
            ControlMessage::TimestampingId(_) => (SOL_SOCKET, 81),
            ControlMessage::TimestampingStats(_) => (SOL_SOCKET, 54),
            ControlMessage::TimestampingPacketInfo { .. } => (SOL_SOCKET, 58),
            ControlMessage::Dropped(_) => (SOL_SOCKET, 40),
            ControlMessage::Mark(_) => (SOL_SOCKET, 36),
            ControlMessage::Priority(_) => (SOL_SOCKET, 12),
            ControlMessage::TxTime(_) => (SOL_SOCKET, 61),
            ControlMessage::PacketInfo(_) => (SOL_IP, 8),
            ControlMessage::Ttl(_) => (SOL_IP, 2),
            ControlMessage::Tos(_) => (SOL_IP, 1),
            ControlMessage::OriginalDestination(SocketAddr::V4(_)) => (SOL_IP, 20),
            ControlMessage::OriginalDestination(SocketAddr::V6(_)) => (SOL_IPV6, 74),
            ControlMessage::FragmentSize { v6: false, .. } => (SOL_IP, 25),
            ControlMessage::FragmentSize { v6: true, .. } => (SOL_IPV6, 77),
            ControlMessage::Options(_) => (SOL_IP, 6),
            ControlMessage::PayloadSum(_) => (SOL_IP, 23),
            ControlMessage::Extension { kind: 0, .. } => (SOL_IPV6, 54),
            ControlMessage::Extension { kind: 43, .. } => (SOL_IPV6, 57),
            ControlMessage::Extension { .. } => (SOL_IPV6, 59),
            ControlMessage::PathMtu { .. } => (SOL_IPV6, 61),
            ControlMessage::PacketInfo6 { .. } => (SOL_IPV6, 50),
            ControlMessage::HopLimit(_) => (SOL_IPV6, 52),
            ControlMessage::TrafficClass(_) => (SOL_IPV6, 67),
            ControlMessage::DontFragment(_) => (SOL_IPV6, 62),
            ControlMessage::FlowInfo(_) => (SOL_IPV6, 11),
            ControlMessage::Error(_) => (SOL_IP, 11),
            ControlMessage::Error6(_) => (SOL_IPV6, 25),
            ControlMessage::InQueue(_) => (SOL_TCP, 36),
            ControlMessage::SegmentSize(_) => (SOL_UDP, 103),
            ControlMessage::GroSize(_) => (SOL_UDP, 104),
            ControlMessage::Other { level, kind, .. } => (*level, *kind),
        }
    }

    /// The data behind the header, as Linux lays it out.
    pub fn data(&self) -> Vec<u8> {
        match self {
            ControlMessage::Timestamp(time) => pair(*time, 1000),
            ControlMessage::TimestampNs(time) => pair(*time, 1),
            ControlMessage::Timestamping(time) => {
                let mut times = pair(*time, 1);
                times.resize(48, 0);
                times
            }
            ControlMessage::TimestampingFlags(bits) | ControlMessage::TimestampingId(bits) => word(*bits),
            ControlMessage::TimestampingPacketInfo { interface, length } => {
                [word(*interface), word(*length), vec![0; 8]].concat()
            }
            ControlMessage::Dropped(count) => word(*count),
            ControlMessage::Mark(value) | ControlMessage::Priority(value) => word(*value),
            ControlMessage::TxTime(time) => time.to_ne_bytes().to_vec(),
            ControlMessage::PacketInfo(PacketInfo { interface, local, destination }) => {
                [word(*interface), local.octets().to_vec(), destination.octets().to_vec()].concat()
            }
            ControlMessage::Tos(tos) => vec![*tos],
            ControlMessage::Ttl(number)
            | ControlMessage::HopLimit(number)
            | ControlMessage::TrafficClass(number)
            | ControlMessage::InQueue(number)
            | ControlMessage::GroSize(number)
            | ControlMessage::FragmentSize { size: number, .. } => word(*number as u32),
            ControlMessage::OriginalDestination(address) => sockaddr(address.ip(), address.port()),
            ControlMessage::PacketInfo6 { address, interface } => {
                [address.octets().to_vec(), word(*interface)].concat()
            }
            ControlMessage::DontFragment(on) => word(u32::from(*on)),
            ControlMessage::FlowInfo(info) => info.to_be_bytes().to_vec(),
            ControlMessage::Error(error) => with_offender(error, 16),
            ControlMessage::Error6(error) => with_offender(error, 28),
            ControlMessage::SegmentSize(size) => size.to_ne_bytes().to_vec(),
            // As Linux: in the order that the bytes have in memory.
            ControlMessage::PayloadSum(sum) => word(u16::from_ne_bytes(sum.to_be_bytes()).into()),
            ControlMessage::PathMtu { address, mtu } => [sockaddr(IpAddr::V6(*address), 0), word(*mtu)].concat(),
            ControlMessage::TimestampingStats(data)
            | ControlMessage::Options(data)
            | ControlMessage::Extension { bytes: data, .. }
            | ControlMessage::Other { data, .. } => data.clone(),
        }
    }

    /// A control message that is sent, out of its level, type and data. What has no variant, or data too short for it,
    /// becomes [`Other`](Self::Other).
    pub fn sent(level: i32, kind: i32, data: &[u8]) -> ControlMessage {
        parse_sent(level, kind, data).unwrap_or_else(|| ControlMessage::other(level, kind, data))
    }

    /// A control message that was received, out of its level, type and data.
    pub fn received(level: i32, kind: i32, data: &[u8]) -> ControlMessage {
        parse_received(level, kind, data).unwrap_or_else(|| ControlMessage::other(level, kind, data))
    }

    fn other(level: i32, kind: i32, data: &[u8]) -> ControlMessage {
        ControlMessage::Other { level, kind, data: data.to_vec() }
    }
}

fn word(word: u32) -> Vec<u8> {
    word.to_ne_bytes().to_vec()
}

/// Seconds, and the rest in units of `unit` nanoseconds.
fn pair(time: Duration, unit: u32) -> Vec<u8> {
    let rest = u64::from(time.subsec_nanos() / unit);
    [time.as_secs().to_ne_bytes(), rest.to_ne_bytes()].concat()
}

/// `struct sockaddr_in` or `struct sockaddr_in6`.
fn sockaddr(address: IpAddr, port: u16) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => [&AF_INET.to_ne_bytes()[..], &port.to_be_bytes(), &v4.octets(), &[0; 8]].concat(),
        IpAddr::V6(v6) => [&AF_INET6.to_ne_bytes()[..], &port.to_be_bytes(), &[0; 4], &v6.octets(), &[0; 4]].concat(),
    }
}

fn with_offender(error: &ExtendedError, room: usize) -> Vec<u8> {
    let mut out = error.to_bytes().to_vec();
    out.extend(error.offender.map_or_else(Vec::new, |offender| sockaddr(offender, 0)));
    out.resize(ExtendedError::LEN + room, 0);
    out
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

fn u64_at(data: &[u8], at: usize) -> Option<u64> {
    data.get(at..at + 8)?.try_into().ok().map(u64::from_ne_bytes)
}

fn v4_at(data: &[u8], at: usize) -> Option<Ipv4Addr> {
    let octets: [u8; 4] = data.get(at..at + 4)?.try_into().ok()?;
    Some(Ipv4Addr::from(octets))
}

fn v6_at(data: &[u8], at: usize) -> Option<Ipv6Addr> {
    let octets: [u8; 16] = data.get(at..at + 16)?.try_into().ok()?;
    Some(Ipv6Addr::from(octets))
}

fn time_at(data: &[u8], unit: u64) -> Option<Duration> {
    let rest = u64_at(data, 8)?.checked_mul(unit).filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(u64_at(data, 0)?, rest as u32))
}

fn error_at(data: &[u8]) -> Option<ExtendedError> {
    let error = ExtendedError::from_bytes(data)?;
    let family = data.get(16..18)?.try_into().ok().map(u16::from_ne_bytes);
    let offender = match family {
        Some(AF_INET) => v4_at(data, 20).map(IpAddr::V4),
        Some(AF_INET6) => v6_at(data, 24).map(IpAddr::V6),
        _ => None,
    };
    Some(ExtendedError { offender, ..error })
}

/// What means the same in both directions.
fn parse_either(level: i32, kind: i32, data: &[u8]) -> Option<ControlMessage> {
    Some(match (level, kind) {
        (SOL_SOCKET, 36) => ControlMessage::Mark(u32_at(data, 0)?),
        (SOL_SOCKET, 12) => ControlMessage::Priority(u32_at(data, 0)?),
        (SOL_IP, 8) => ControlMessage::PacketInfo(PacketInfo {
            interface: u32_at(data, 0)?,
            local: v4_at(data, 4)?,
            destination: v4_at(data, 8)?,
        }),
        (SOL_IP, 2) => ControlMessage::Ttl(u32_at(data, 0)? as i32),
        (SOL_IP, 1) => ControlMessage::Tos(match *data {
            [tos] => tos,
            _ => u8::try_from(u32_at(data, 0)?).ok()?,
        }),
        (SOL_IPV6, 50) => ControlMessage::PacketInfo6 { address: v6_at(data, 0)?, interface: u32_at(data, 16)? },
        (SOL_IPV6, 52) => ControlMessage::HopLimit(u32_at(data, 0)? as i32),
        (SOL_IPV6, 67) => ControlMessage::TrafficClass(u32_at(data, 0)? as i32),
        (SOL_IPV6, 11) => ControlMessage::FlowInfo(u32_at(data, 0)?.to_be()),
        _ => return None,
    })
}

fn parse_sent(level: i32, kind: i32, data: &[u8]) -> Option<ControlMessage> {
    // As Linux: a length other than the type's is refused, but for IPV6_PKTINFO, which may be longer.
    let message = parse_any_sent(level, kind, data)?;
    let is_tos = matches!(message, ControlMessage::Tos(_)) && matches!(data.len(), 1 | 4);
    let is_longer = matches!(message, ControlMessage::PacketInfo6 { .. });
    (is_tos || is_longer || message.data().len() == data.len()).then_some(message)
}

fn parse_any_sent(level: i32, kind: i32, data: &[u8]) -> Option<ControlMessage> {
    parse_either(level, kind, data).or_else(|| {
        Some(match (level, kind) {
            (SOL_SOCKET, 37 | 65) => ControlMessage::TimestampingFlags(u32_at(data, 0)?),
            (SOL_SOCKET, 81) => ControlMessage::TimestampingId(u32_at(data, 0)?),
            (SOL_SOCKET, 61) => ControlMessage::TxTime(u64_at(data, 0)?),
            // By the numbers of RFC 2292.
            (SOL_IPV6, 2) => ControlMessage::PacketInfo6 { address: v6_at(data, 0)?, interface: u32_at(data, 16)? },
            (SOL_IPV6, 8) => ControlMessage::HopLimit(u32_at(data, 0)? as i32),
            (SOL_IPV6, 62) => ControlMessage::DontFragment(u32_at(data, 0)? != 0),
            (SOL_UDP, 103) => ControlMessage::SegmentSize(data.first_chunk().map(|size| u16::from_ne_bytes(*size))?),
            _ => return None,
        })
    })
}

fn parse_received(level: i32, kind: i32, data: &[u8]) -> Option<ControlMessage> {
    parse_either(level, kind, data).or_else(|| {
        Some(match (level, kind) {
            (SOL_SOCKET, 29 | 63) => ControlMessage::Timestamp(time_at(data, 1000)?),
            (SOL_SOCKET, 35 | 64) => ControlMessage::TimestampNs(time_at(data, 1)?),
            (SOL_SOCKET, 37 | 65) => ControlMessage::Timestamping(time_at(data, 1)?),
            (SOL_SOCKET, 54) => ControlMessage::TimestampingStats(data.to_vec()),
            (SOL_SOCKET, 58) => {
                ControlMessage::TimestampingPacketInfo { interface: u32_at(data, 0)?, length: u32_at(data, 4)? }
            }
            (SOL_SOCKET, 40) => ControlMessage::Dropped(u32_at(data, 0)?),
            (SOL_IP, 20) => {
                let port = data.get(2..4)?.try_into().ok().map(u16::from_be_bytes)?;
                ControlMessage::OriginalDestination(SocketAddr::new(v4_at(data, 4)?.into(), port))
            }
            (SOL_IPV6, 74) => {
                let port = data.get(2..4)?.try_into().ok().map(u16::from_be_bytes)?;
                ControlMessage::OriginalDestination(SocketAddr::new(v6_at(data, 8)?.into(), port))
            }
            (SOL_IP, 25) => ControlMessage::FragmentSize { v6: false, size: u32_at(data, 0)? as i32 },
            (SOL_IPV6, 77) => ControlMessage::FragmentSize { v6: true, size: u32_at(data, 0)? as i32 },
            (SOL_IP, 6) => ControlMessage::Options(data.to_vec()),
            (SOL_IP, 23) => ControlMessage::PayloadSum(u16::from_be_bytes((u32_at(data, 0)? as u16).to_ne_bytes())),
            (SOL_IPV6, 54) => ControlMessage::Extension { kind: 0, bytes: data.to_vec() },
            (SOL_IPV6, 57) => ControlMessage::Extension { kind: 43, bytes: data.to_vec() },
            (SOL_IPV6, 59) => ControlMessage::Extension { kind: 60, bytes: data.to_vec() },
            (SOL_IPV6, 61) => ControlMessage::PathMtu { address: v6_at(data, 8)?, mtu: u32_at(data, 28)? },
            (SOL_IP, 11) => ControlMessage::Error(error_at(data)?),
            (SOL_IPV6, 25) => ControlMessage::Error6(error_at(data)?),
            (SOL_TCP, 36) => ControlMessage::InQueue(u32_at(data, 0)? as i32),
            (SOL_UDP, 104) => ControlMessage::GroSize(u32_at(data, 0)? as i32),
            _ => return None,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Errno;
    use crate::message::ErrorOrigin;

    fn error(offender: &str) -> ExtendedError {
        ExtendedError {
            errno: Errno::ECONNREFUSED,
            origin: ErrorOrigin::Icmp,
            kind: 3,
            code: 3,
            info: 0,
            data: 7,
            offender: Some(offender.parse().unwrap()),
        }
    }

    #[test]
    fn an_extended_error_has_linuxs_layout_with_the_offender_behind_it() {
        let bytes = ControlMessage::Error(error("192.0.2.9")).data();
        assert_eq!(bytes.len(), 32);
        assert_eq!(bytes[..16], [111, 0, 0, 0, 2, 3, 3, 0, 0, 0, 0, 0, 7, 0, 0, 0]);
        assert_eq!(bytes[16..], [2, 0, 0, 0, 192, 0, 2, 9, 0, 0, 0, 0, 0, 0, 0, 0]);
        let bytes = ControlMessage::Error6(error("fd00::1")).data();
        assert_eq!((bytes.len(), bytes[16]), (44, 10));
        assert_eq!((bytes[24], bytes[39]), (0xfd, 1));
    }

    #[test]
    fn what_is_laid_out_is_read_back() {
        let time = Duration::new(5, 123_456_000);
        let v6 = "fd00::7".parse().unwrap();
        let info = PacketInfo { interface: 2, local: [10, 0, 0, 1].into(), destination: [10, 0, 0, 255].into() };
        let received = [
            ControlMessage::Timestamp(time),
            ControlMessage::TimestampNs(time),
            ControlMessage::Timestamping(time),
            ControlMessage::Dropped(9),
            ControlMessage::Mark(4),
            ControlMessage::Priority(6),
            ControlMessage::PacketInfo(info),
            ControlMessage::Ttl(63),
            ControlMessage::Tos(0x2b),
            ControlMessage::OriginalDestination("10.1.2.3:80".parse().unwrap()),
            ControlMessage::OriginalDestination("[fd00::3]:80".parse().unwrap()),
            ControlMessage::FragmentSize { v6: false, size: 600 },
            ControlMessage::FragmentSize { v6: true, size: 600 },
            ControlMessage::PacketInfo6 { address: v6, interface: 3 },
            ControlMessage::HopLimit(64),
            ControlMessage::TrafficClass(0xb8),
            ControlMessage::FlowInfo(0x0012_3456),
            ControlMessage::Error(error("192.0.2.9")),
            ControlMessage::Error6(error("fd00::1")),
            ControlMessage::InQueue(1460),
            ControlMessage::GroSize(1200),
            ControlMessage::TimestampingPacketInfo { interface: 1, length: 60 },
            ControlMessage::Options(vec![7, 3, 4, 0]),
            ControlMessage::PayloadSum(0x1234),
            ControlMessage::Extension { kind: 0, bytes: vec![17, 0, 1, 4, 0, 0, 0, 0] },
            ControlMessage::Extension { kind: 43, bytes: vec![17, 0, 0, 0, 0, 0, 0, 0] },
            ControlMessage::Extension { kind: 60, bytes: vec![17, 0, 1, 4, 0, 0, 0, 0] },
            ControlMessage::PathMtu { address: "fd00::1".parse().unwrap(), mtu: 1280 },
        ];
        for message in received {
            let (level, kind) = message.name();
            assert_eq!(ControlMessage::received(level, kind, &message.data()), message);
        }
        let sent = [
            ControlMessage::TimestampingFlags(0x212),
            ControlMessage::TimestampingId(77),
            ControlMessage::TxTime(1 << 40),
            ControlMessage::DontFragment(true),
            ControlMessage::SegmentSize(1200),
        ];
        for message in sent {
            let (level, kind) = message.name();
            assert_eq!(ControlMessage::sent(level, kind, &message.data()), message);
        }
    }

    #[test]
    fn data_too_short_for_its_type_is_kept_as_it_is() {
        let short = ControlMessage::sent(SOL_IP, 8, &[1, 2, 3]);
        assert_eq!(short, ControlMessage::Other { level: 0, kind: 8, data: vec![1, 2, 3] });
        assert_eq!(short.name(), (0, 8));
    }
}
