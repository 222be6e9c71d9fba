//! Control messages of a send: what holds for one call instead of the socket's options.
//!
//! Decides which are known at which level, their ranges and errnos (Linux's `ip_cmsg_send`, `ip6_datagram_send_ctl`,
//! `sock_cmsg_send`, `udp_cmsg_send`).
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use segue_tcp::Instant;

use super::common::Flags;
use super::datagram::DatagramKind;
use super::message::chosen;
use super::timestamping::TimestampingFlags;
use super::{Domain, Socket, SocketId};
use crate::ip::flow_label::FLOW_LABEL;
use crate::message::ControlMessage;
use crate::stack::{Result, Stack};
use crate::{Errno, IfaceId};

const SOL_IP: i32 = 0;
const SOL_SOCKET: i32 = 1;
const SOL_UDP: i32 = 17;
const SOL_IPV6: i32 = 41;
const SCM_RIGHTS: i32 = 1;
const SCM_CREDENTIALS: i32 = 2;

/// What one call asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct SendControl {
    /// The source to use; a gateway's socket also chooses the port (0: its own).
    pub(crate) source: Option<SocketAddr>,
    pub(crate) iface: Option<IfaceId>,
    pub(crate) ttl: Option<u8>,
    pub(crate) tos: Option<u8>,
    /// IPv6.
    pub(crate) flow_label: Option<u32>,
    pub(crate) dont_fragment: Option<bool>,
    /// `MSG_DONTROUTE`: only to who is on the link.
    pub(crate) is_direct: bool,
    /// `UDP_SEGMENT`.
    pub(crate) segment: Option<u16>,
    /// `SCM_TXTIME`.
    pub(crate) departs: Option<Instant>,
    /// `SOF_TIMESTAMPING_TX_*` in place of the socket's.
    pub(crate) timestamping: Option<TimestampingFlags>,
    pub(crate) timestamp_key: Option<u32>,
}

/// `IPV6_*` and `IPV6_2292*`.
const OLD_HOPOPTS: i32 = 3;
const OLD_DSTOPTS: i32 = 4;
const HOPOPTS: i32 = 54;
const RTHDRDSTOPTS: i32 = 55;
const DSTOPTS: i32 = 59;
const CLOCK_MONOTONIC: i32 = 1;

impl Stack {
    /// The stack's time when a clock of its host's programs says `time`. The atomic clock goes with the wall clock, as on
    /// Linux while nobody has said by how much they differ.
    fn time_of(&self, clock: i32, time: Duration) -> Instant {
        let (known_at, known) = if clock == CLOCK_MONOTONIC { self.monotonic_clock } else { self.wall_clock };
        match time.checked_sub(known) {
            Some(later) => known_at + later,
            None => Instant::from_nanos(known_at.as_nanos().saturating_sub((known - time).as_nanos() as u64)),
        }
    }
}

impl SendControl {
    /// As sendto(2) with a source address of its own.
    pub(crate) fn from_source(source: Option<SocketAddr>) -> SendControl {
        SendControl { source, ..SendControl::default() }
    }

    /// What the messages ask for on this socket.
    pub(crate) fn read(
        stack: &Stack,
        id: SocketId,
        to: Option<SocketAddr>,
        messages: &[ControlMessage],
    ) -> Result<SendControl> {
        let socket = stack.live(id)?;
        let is_v6 = |to: SocketAddr| to.ip().to_canonical().is_ipv6();
        let reader = match socket {
            Socket::Stream(_) => Reader { stack, socket, levels: Levels::Socket },
            Socket::Datagram(datagram) => {
                let is_udp = datagram.kind == DatagramKind::Udp;
                let goes_v6 = datagram.common.domain == Domain::Inet6 && to.or(datagram.peer).is_none_or(is_v6);
                Reader { stack, socket, levels: if goes_v6 { Levels::V6 { is_udp } } else { Levels::V4 { is_udp } } }
            }
        };
        messages.iter().try_fold(SendControl::default(), |control, message| reader.apply(control, message))
    }
}

impl SendControl {
    /// Whether an `AF_INET6` socket may have these for all that it sends.
    pub(crate) fn check_sticky(stack: &Stack, id: SocketId, messages: &[ControlMessage]) -> Result<()> {
        let reader = Reader { stack, socket: stack.live(id)?, levels: Levels::V6 { is_udp: false } };
        messages.iter().try_fold(SendControl::default(), |control, message| reader.apply(control, message)).map(|_| ())
    }
}

/// Which levels a socket's protocol looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Levels {
    Socket,
    V4 { is_udp: bool },
    V6 { is_udp: bool },
}

struct Reader<'a> {
    stack: &'a Stack,
    socket: &'a Socket,
    levels: Levels,
}

impl Reader<'_> {
    fn apply(&self, control: SendControl, message: &ControlMessage) -> Result<SendControl> {
        let (level, kind) = message.name();
        match (level, self.levels) {
            (SOL_SOCKET, _) => self.apply_socket(control, message, kind),
            (SOL_UDP, Levels::V4 { is_udp: true } | Levels::V6 { is_udp: true }) => match message {
                ControlMessage::SegmentSize(size) => Ok(SendControl { segment: Some(*size), ..control }),
                _ => Err(Errno::EINVAL),
            },
            (SOL_IP, Levels::V4 { .. }) => self.apply_v4(control, message),
            // A v4-mapped source on an AF_INET6 socket.
            (SOL_IPV6, Levels::V4 { .. }) if self.socket.common().domain == Domain::Inet6 => match message {
                ControlMessage::PacketInfo6 { address, interface } if address.to_ipv4_mapped().is_some() => {
                    self.choose(control, chosen(*address), *interface)
                }
                ControlMessage::PacketInfo6 { .. } => Err(Errno::EINVAL),
                _ => Ok(control),
            },
            (SOL_IPV6, Levels::V6 { .. }) => self.apply_v6(control, message),
            // As Linux: what is meant for somebody else is not looked at.
            _ => Ok(control),
        }
    }

    fn apply_socket(&self, control: SendControl, message: &ControlMessage, kind: i32) -> Result<SendControl> {
        let wanted = self.socket.common().rare().timestamping;
        match message {
            // Packets have neither inside this host.
            ControlMessage::Mark(_) | ControlMessage::Priority(_) => Ok(control),
            ControlMessage::TimestampingFlags(bits) => {
                let asked = TimestampingFlags::from_bits(*bits).ok_or(Errno::EINVAL)?;
                if !TimestampingFlags::PER_CALL.contains(asked) {
                    return Err(Errno::EINVAL);
                }
                Ok(SendControl { timestamping: Some(asked), ..control })
            }
            ControlMessage::TimestampingId(key) => {
                let is_stream = matches!(self.socket, Socket::Stream(_));
                if is_stream || !wanted.contains(TimestampingFlags::OPT_ID) {
                    return Err(Errno::EINVAL);
                }
                Ok(SendControl { timestamp_key: Some(*key), ..control })
            }
            ControlMessage::TxTime(time) if self.socket.common().has(Flags::TX_TIME) => {
                let (clock, _) = self.socket.common().rare().tx_time;
                let at = self.stack.time_of(clock, Duration::from_nanos(*time));
                Ok(SendControl { departs: Some(at), ..control })
            }
            _ if matches!(kind, SCM_RIGHTS | SCM_CREDENTIALS) => Ok(control),
            _ => Err(Errno::EINVAL),
        }
    }

    fn apply_v4(&self, control: SendControl, message: &ControlMessage) -> Result<SendControl> {
        match message {
            ControlMessage::PacketInfo(info) => {
                let source = (!info.local.is_unspecified()).then_some(IpAddr::V4(info.local));
                self.choose(control, source, info.interface)
            }
            ControlMessage::Ttl(ttl) => {
                let ttl = u8::try_from(*ttl).ok().filter(|ttl| *ttl > 0).ok_or(Errno::EINVAL)?;
                Ok(SendControl { ttl: Some(ttl), ..control })
            }
            ControlMessage::Tos(tos) => Ok(SendControl { tos: Some(*tos), ..control }),
            _ => Err(Errno::EINVAL),
        }
    }

    fn apply_v6(&self, control: SendControl, message: &ControlMessage) -> Result<SendControl> {
        // -1: what the socket says.
        let byte = |number: i32| match number {
            -1 => Ok(None),
            number => u8::try_from(number).map(Some).map_err(|_| Errno::EINVAL),
        };
        match message {
            ControlMessage::PacketInfo6 { address, interface } => self.choose(control, chosen(*address), *interface),
            ControlMessage::HopLimit(hops) => Ok(SendControl { ttl: byte(*hops)?, ..control }),
            ControlMessage::TrafficClass(class) => Ok(SendControl { tos: byte(*class)?, ..control }),
            ControlMessage::DontFragment(on) => Ok(SendControl { dont_fragment: Some(*on), ..control }),
            // The traffic class comes from its own message. As Linux: a label need not be leased.
            // Packets are sent without extension headers: what cannot be done is not promised.
            ControlMessage::Other { kind: HOPOPTS | OLD_HOPOPTS | RTHDRDSTOPTS | DSTOPTS | OLD_DSTOPTS, .. } => {
                Err(Errno::EPERM)
            }
            ControlMessage::FlowInfo(info) => Ok(SendControl { flow_label: Some(*info & FLOW_LABEL), ..control }),
            _ => Err(Errno::EINVAL),
        }
    }

    /// A source address, and an interface by its number (0: any).
    fn choose(&self, control: SendControl, source: Option<IpAddr>, interface: u32) -> Result<SendControl> {
        let iface = IfaceId::from_number(interface);
        if iface.is_some_and(|iface| self.stack.net.iface(iface).is_none()) {
            return Err(Errno::ENODEV);
        }
        let common = self.socket.common();
        let ip = &self.stack.settings.ip;
        let nonlocal = |address: IpAddr| if address.is_ipv4() { ip.nonlocal_bind } else { ip.nonlocal_bind6 };
        let is_free = common.flags.intersects(Flags::FREE_BIND | Flags::TRANSPARENT) || source.is_some_and(nonlocal);
        if source.is_some_and(|source| !self.stack.net.may_bind(source) && !is_free) {
            return Err(Errno::EINVAL);
        }
        let source = source.map(|source| SocketAddr::new(source, 0));
        Ok(SendControl { source: source.or(control.source), iface: iface.or(control.iface), ..control })
    }
}
