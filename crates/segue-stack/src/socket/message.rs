//! recvmsg(2) and sendmsg(2): the calls that carry control messages.
//!
//! Decides which control messages a received packet or a queued error comes with, in Linux's order, and who sends what
//! when one call asks for more than its socket's options do.
use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use core::time::Duration;

use bytes::Bytes;
use segue_tcp::Instant;

use super::common::{Common, Flags};
use super::datagram::{Ancillary, DatagramKind};
use super::error_queue::{Pending, QueuedError};
use super::send_control::SendControl;
use super::timestamping::TimestampingFlags;
use super::{Domain, MsgFlags, Socket, SocketId};
use crate::Errno;
use crate::message::{ControlMessage, PacketInfo, ReceivedMessage};
use crate::net::Destination;
use crate::stack::{Result, Stack};
use crate::tcp::Sending;

impl Stack {
    pub(crate) fn receive_message(
        &mut self,
        now: Instant,
        id: SocketId,
        buffer: &mut [u8],
        flags: MsgFlags,
    ) -> Result<ReceivedMessage> {
        if flags.contains(MsgFlags::ERRQUEUE) {
            return self.receive_queued_error(id, buffer);
        }
        match self.live(id)? {
            Socket::Stream(_) => self.receive_stream_message(now, id, buffer, flags),
            Socket::Datagram(_) => self.receive_datagram_message(id, buffer, flags),
        }
    }

    fn receive_stream_message(
        &mut self,
        now: Instant,
        id: SocketId,
        buffer: &mut [u8],
        flags: MsgFlags,
    ) -> Result<ReceivedMessage> {
        let len = self.recv_stream(now, id, buffer, flags)?;
        let mut message =
            ReceivedMessage { len, full_len: len, from: None, control: Vec::new(), flags: MsgFlags::empty() };
        if flags.contains(MsgFlags::OOB) {
            message.flags |= MsgFlags::OOB;
            // As Linux: without room for it, the urgent byte is cut.
            message.flags.set(MsgFlags::TRUNC, buffer.is_empty());
            return Ok(message);
        }
        let stream = self.stream_mut(id)?;
        let wants_count = stream.common.has(Flags::IN_QUEUE);
        let Some(flow) = stream.flow_mut() else { return Ok(message) };
        let is_taken = !flags.contains(MsgFlags::PEEK);
        let read_to = flow.connection.read_offset() + if is_taken { 0 } else { len as u64 };
        let arrived = flow.watch.as_mut().filter(|_| len > 0).and_then(|watch| watch.on_read(read_to, is_taken));
        let in_queue = i32::try_from(flow.connection.in_queue()).unwrap_or(i32::MAX);
        if let Some(at) = arrived {
            message.control = self.time_control(self.live(id)?.common(), at);
        }
        message.control.extend(wants_count.then_some(ControlMessage::InQueue(in_queue)));
        Ok(message)
    }

    fn receive_datagram_message(
        &mut self,
        id: SocketId,
        buffer: &mut [u8],
        flags: MsgFlags,
    ) -> Result<ReceivedMessage> {
        let is_there = self.check_readable(id, flags)?;
        let socket = self.datagram_mut(id)?;
        let Some(datagram) = socket.front().filter(|_| is_there) else {
            let (len, from, control) = (0, None, Vec::new());
            return Ok(ReceivedMessage { len, full_len: 0, from, control, flags: MsgFlags::empty() });
        };
        let len = datagram.payload.copy_to_slice(0, buffer);
        let full_len = datagram.payload.len();
        let from = Some(socket.show(datagram.from));
        let (arrival, segment, dropped) = (datagram.arrival, datagram.segment, socket.dropped());
        if !flags.contains(MsgFlags::PEEK) {
            socket.pop();
        }
        let common = self.live(id)?.common();
        let mut control = self.general_control(common, &arrival, dropped);
        control.extend(segment.map(|size| ControlMessage::GroSize(size.into())));
        control.extend(self.ip_control(common, &arrival));
        let cut = if full_len > len { MsgFlags::TRUNC } else { MsgFlags::empty() };
        Ok(ReceivedMessage { len, full_len, from, control, flags: cut })
    }

    /// The next entry of the error queue.
    fn receive_queued_error(&mut self, id: SocketId, buffer: &mut [u8]) -> Result<ReceivedMessage> {
        let common = self.live_mut(id)?.common_mut();
        let (entry, pending) = match common.rare.as_mut() {
            Some(rare) => rare.errors.pop().ok_or(Errno::EAGAIN)?,
            None => return Err(Errno::EAGAIN),
        };
        if let Pending::Becomes(error) = pending {
            common.error = error;
        }
        let has_more = common.has_queued_errors();
        let common = self.live(id)?.common();
        let control = self.error_control(common, &entry);
        let from = entry.name.map(|name| common.show(name));
        let len = entry.payload.len().min(buffer.len());
        buffer[..len].copy_from_slice(&entry.payload[..len]);
        let mut flags = MsgFlags::ERRQUEUE;
        flags.set(MsgFlags::TRUNC, len < entry.payload.len());
        if has_more {
            self.notify(id.index);
        }
        Ok(ReceivedMessage { len, full_len: entry.payload.len(), from, control, flags })
    }

    /// What the wall clock says at `at`.
    fn wall_time(&self, at: Instant) -> Duration {
        let (known_at, known) = self.wall_clock;
        if at >= known_at { known + (at - known_at) } else { known.saturating_sub(known_at - at) }
    }

    /// Control messages of `SOL_SOCKET` of a packet that has arrived.
    fn general_control(&self, common: &Common, arrival: &Ancillary, dropped: u32) -> Vec<ControlMessage> {
        let mut control = self.time_control(common, arrival.at);
        if common.has(Flags::DROP_COUNT) && dropped > 0 {
            control.push(ControlMessage::Dropped(dropped));
        }
        // Packets have neither mark nor priority inside this host.
        control.extend(common.has(Flags::RECV_MARK).then_some(ControlMessage::Mark(0)));
        control.extend(common.has(Flags::RECV_PRIORITY).then_some(ControlMessage::Priority(0)));
        control
    }

    /// When a packet arrived, as `SO_TIMESTAMP` and its kind ask.
    pub(crate) fn time_control(&self, common: &Common, at: Instant) -> Vec<ControlMessage> {
        let time = self.wall_time(at);
        let wanted = common.rare().timestamping;
        let mut control = Vec::new();
        if common.has(Flags::TIMESTAMP) {
            control.push(match common.has(Flags::TIMESTAMP_NS) {
                true => ControlMessage::TimestampNs(time),
                false => ControlMessage::Timestamp(time),
            });
        }
        let is_taken = wanted.contains(TimestampingFlags::RX_SOFTWARE) || common.has(Flags::TIMESTAMP);
        if wanted.contains(TimestampingFlags::SOFTWARE) && is_taken {
            control.push(ControlMessage::Timestamping(time));
        }
        renumber(common, control)
    }

    /// Control messages of the IP level the packet came by.
    fn ip_control(&self, common: &Common, arrival: &Ancillary) -> Vec<ControlMessage> {
        let mut control = Vec::new();
        let interface = arrival.iface.number();
        let mut add = |flag, message: ControlMessage| {
            if common.has(flag) {
                control.push(message);
            }
        };
        match (arrival.to.ip(), common.domain) {
            (IpAddr::V4(destination), domain) => {
                if domain == Domain::Inet6 {
                    let address = destination.to_ipv6_mapped();
                    add(Flags::RECV_PKT_INFO6, ControlMessage::PacketInfo6 { address, interface });
                }
                let local = self.own_address_for(arrival);
                add(Flags::PKT_INFO, ControlMessage::PacketInfo(PacketInfo { interface, local, destination }));
                add(Flags::RECV_TTL, ControlMessage::Ttl(arrival.ttl.into()));
                add(Flags::RECV_TOS, ControlMessage::Tos(arrival.tos));
                add(Flags::RECV_ORIGINAL, ControlMessage::OriginalDestination(arrival.to));
            }
            (IpAddr::V6(address), _) => {
                add(Flags::RECV_PKT_INFO6, ControlMessage::PacketInfo6 { address, interface });
                add(Flags::RECV_HOPLIMIT, ControlMessage::HopLimit(arrival.ttl.into()));
                add(Flags::RECV_TCLASS, ControlMessage::TrafficClass(arrival.tos.into()));
                if arrival.tos != 0 {
                    add(Flags::RECV_FLOW_INFO, ControlMessage::FlowInfo(u32::from(arrival.tos) << 20));
                }
                add(Flags::RECV_ORIGINAL6, ControlMessage::OriginalDestination(arrival.to));
            }
        }
        control
    }

    /// `ipi_spec_dst`: the address to answer from; a group has none of its own.
    fn own_address_for(&self, arrival: &Ancillary) -> core::net::Ipv4Addr {
        let IpAddr::V4(destination) = arrival.to.ip() else { return core::net::Ipv4Addr::UNSPECIFIED };
        if matches!(self.net.destination(arrival.to.ip()), Destination::Local | Destination::Remote) {
            return destination;
        }
        let own = self.net.iface(arrival.iface).into_iter().flat_map(|iface| &iface.addresses);
        let mut own = own.filter_map(|cidr| match cidr.address() {
            IpAddr::V4(v4) => Some(v4),
            IpAddr::V6(_) => None,
        });
        own.next().unwrap_or(destination)
    }

    fn error_control(&self, common: &Common, entry: &QueuedError) -> Vec<ControlMessage> {
        let mut control = Vec::new();
        if let Some(arrival) = &entry.arrival {
            control.extend(self.time_control(common, arrival.at));
        }
        if let Some(at) = entry.time
            && common.rare().timestamping.contains(TimestampingFlags::SOFTWARE)
        {
            control.extend(renumber(common, vec![ControlMessage::Timestamping(self.wall_time(at))]));
            control.extend(entry.stats.clone().map(ControlMessage::TimestampingStats));
        }
        if let Some(arrival) = &entry.arrival {
            control.extend(self.ip_control(common, arrival));
        }
        control.push(match common.domain {
            Domain::Inet => ControlMessage::Error(entry.error),
            Domain::Inet6 => {
                let offender = entry.error.offender.map(|offender| match offender {
                    IpAddr::V4(v4) => IpAddr::V6(v4.to_ipv6_mapped()),
                    IpAddr::V6(v6) => IpAddr::V6(v6),
                });
                ControlMessage::Error6(crate::ExtendedError { offender, ..entry.error })
            }
        });
        control
    }

    /// Queue an entry; nobody is told of one that does not fit.
    pub(crate) fn queue_error(&mut self, index: u32, entry: QueuedError) -> bool {
        let rmem = self.settings.tcp.rmem[1];
        let Some(socket) = self.sockets.at_mut(index) else { return false };
        let (rcvbuf, used) = match &*socket {
            Socket::Datagram(datagram) => (datagram.rcvbuf as usize, datagram.receive_queue()),
            Socket::Stream(stream) => {
                let unread = stream.flow().map_or(0, |flow| flow.connection.unread());
                (stream.options().rcvbuf.unwrap_or(rmem) as usize, unread)
            }
        };
        let queue = &mut socket.common_mut().rare_mut().errors;
        let room = rcvbuf.saturating_sub(used + queue.bytes());
        let is_queued = queue.push(entry, room);
        if is_queued {
            self.notify(index);
        }
        is_queued
    }

    pub(crate) fn transmit_message(
        &mut self,
        now: Instant,
        id: SocketId,
        data: &[u8],
        flags: MsgFlags,
        to: Option<SocketAddr>,
        control: &[ControlMessage],
    ) -> Result<usize> {
        let settings = SendControl::read(self, id, to, control)?;
        match self.live(id)? {
            Socket::Stream(_) => {
                self.send_stream_asking(now, id, Sending::Copy(data), flags, settings.timestamping, to)
            }
            Socket::Datagram(socket) => match socket.kind {
                DatagramKind::Udp => self.send_udp(now, id, Bytes::copy_from_slice(data), flags, to, &settings),
                DatagramKind::Ping => self.send_ping(now, id, data, flags, to, &settings),
            },
        }
    }
}

/// Programs that asked by the newer numbers are answered by them.
fn renumber(common: &Common, control: Vec<ControlMessage>) -> Vec<ControlMessage> {
    if !common.has(Flags::TIMESTAMP_NEW) {
        return control;
    }
    let newer = |message: ControlMessage| {
        let kind = match message {
            ControlMessage::Timestamp(_) => 63,
            ControlMessage::TimestampNs(_) => 64,
            ControlMessage::Timestamping(_) => 65,
            other => return other,
        };
        ControlMessage::Other { level: 1, kind, data: message.data() }
    };
    control.into_iter().map(newer).collect()
}

/// The unspecified IPv6 address stands for "any" in a send.
pub(super) fn chosen(address: Ipv6Addr) -> Option<IpAddr> {
    (!address.is_unspecified()).then(|| IpAddr::V6(address).to_canonical())
}
