//! recvmsg(2) and sendmsg(2): the calls that carry control messages.
//!
//! Decides which control messages a received packet or a queued error comes with, in Linux's order, and who sends what
//! when one call asks for more than its socket's options do.
use core::net::{IpAddr, Ipv6Addr, SocketAddr};

use bytes::Bytes;
use segue_tcp::Instant;

use super::common::{Common, Flags};
use super::datagram::DatagramKind;
use super::error_queue::{Pending, QueuedError};
use super::rare::RareFlags;
use super::send_control::SendControl;
use super::timestamping::TimestampingFlags;
use super::told::renumber;
use super::{Domain, MsgFlags, Socket, SocketId};
use crate::Errno;
use crate::message::{ControlMessage, ReceivedMessage};
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
        if let Some(told) = self.take_told_path_mtu(id)? {
            return Ok(told);
        }
        let is_there = self.check_readable(id, flags)?;
        let socket = self.datagram_mut(id)?;
        if !is_there {
            let (len, from, control) = (0, None, Vec::new());
            return Ok(ReceivedMessage { len, full_len: 0, from, control, flags: MsgFlags::empty() });
        }
        let is_look = flags.contains(MsgFlags::PEEK);
        let Some((datagram, start)) = socket.next(is_look) else { return Err(Errno::EAGAIN) };
        let len = datagram.payload.copy_to_slice(start, buffer);
        let full_len = datagram.payload.len();
        let from = Some(socket.show(datagram.from));
        let (arrival, segment, dropped) = (datagram.arrival, datagram.segment, socket.dropped());
        let headers = datagram.headers.clone();
        let sum = Stack::sum_control(&socket.common, &arrival, &datagram.payload);
        socket.on_read(is_look, len);
        let common = self.live(id)?.common();
        let mut control = self.general_control(common, &arrival, dropped);
        control.extend(segment.map(|size| ControlMessage::GroSize(size.into())));
        control.extend(self.ip_control(common, &arrival, headers.as_ref(), sum));
        let cut = if full_len > start + len { MsgFlags::TRUNC } else { MsgFlags::empty() };
        Ok(ReceivedMessage { len, full_len, from, control, flags: cut })
    }

    /// RFC 3542 section 11.3: a datagram without bytes tells that one was too large for its way, once.
    fn take_told_path_mtu(&mut self, id: SocketId) -> Result<Option<ReceivedMessage>> {
        let common = self.live_mut(id)?.common_mut();
        let Some(rare) = common.rare.as_mut().filter(|rare| rare.flags.contains(RareFlags::RECV_PATH_MTU)) else {
            return Ok(None);
        };
        Ok(rare.path_mtu_told.take().map(|(address, mtu)| ReceivedMessage {
            len: 0,
            full_len: 0,
            from: Some(SocketAddr::new(IpAddr::V6(address), 0)),
            control: vec![ControlMessage::PathMtu { address, mtu }],
            flags: MsgFlags::empty(),
        }))
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
            control.extend(self.ip_control(common, arrival, None, None));
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

/// The unspecified IPv6 address stands for "any" in a send.
pub(super) fn chosen(address: Ipv6Addr) -> Option<IpAddr> {
    (!address.is_unspecified()).then(|| IpAddr::V6(address).to_canonical())
}
