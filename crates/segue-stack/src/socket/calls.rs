//! The calls that are the same for every kind of socket up to a point: which kind does what with them.
//!
//! Decides creation, and reading of datagrams with Linux's flags.
use core::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use segue_tcp::{Chunks, Instant, SocketOptions};

use super::common::{Common, Flags, MtuDiscovery};
use super::datagram::{DatagramKind, DatagramSocket};
use super::send_control::SendControl;
use super::{Domain, MsgFlags, Received, Shutdown, Socket, SocketId, SocketType};
use crate::budget::Entry;
use crate::stack::{Result, Stack};
use crate::tcp::Sending;
use crate::tcp::stream::{Idle, Role, StreamSocket};
use crate::{Errno, IfaceId};

impl Stack {
    pub(crate) fn create_socket(&mut self, domain: Domain, kind: SocketType) -> Result<SocketId> {
        // As Linux: identifiers of ping sockets are shared, and an AF_INET6 one speaks IPv6 alone.
        let is_ping = kind == SocketType::Icmp;
        let ip = &self.settings.ip;
        let mut common = Common::new(domain, is_ping || ip.bind_v6_only);
        if ip.no_pmtu_disc != 0 {
            common.discovery = MtuDiscovery::Dont;
        }
        common.flags.set(Flags::REUSE_ADDRESS, is_ping);
        let core = &self.settings.core;
        let datagram = |common, kind| {
            let memory = self.tcp.config.memory.clone();
            Socket::Datagram(DatagramSocket::new(common, kind, core.rmem_default, core.wmem_default, memory))
        };
        let socket = match kind {
            SocketType::Stream => {
                let idle = Idle { options: SocketOptions::default(), config: Arc::clone(&self.tcp.config), left: None };
                let role = Role::Idle(Box::new(idle));
                Socket::Stream(StreamSocket { common, role })
            }
            SocketType::Datagram => datagram(common, DatagramKind::Udp),
            SocketType::Icmp => datagram(common, DatagramKind::Ping),
        };
        if !self.has_room_for(Entry::Socket) {
            return Err(Errno::ENOBUFS);
        }
        let (index, generation) = self.sockets.insert(socket).ok_or(Errno::ENFILE)?;
        Ok(SocketId { index, generation })
    }

    /// The user who owns a socket.
    pub(crate) fn owner_of(&self, common: &Common) -> u32 {
        common.rare().uid.unwrap_or(self.uid)
    }

    pub(crate) fn own_socket(&mut self, id: SocketId, uid: u32) -> Result<()> {
        let new = (uid != self.uid).then_some(uid);
        let common = self.live(id)?.common();
        if common.rare().uid != new {
            self.change_claim(id.index, |common| common.rare_mut().uid = new);
        }
        Ok(())
    }

    pub(crate) fn send_slice(
        &mut self,
        now: Instant,
        id: SocketId,
        data: &[u8],
        flags: MsgFlags,
        to: Option<SocketAddr>,
        from: Option<SocketAddr>,
    ) -> Result<usize> {
        match self.live(id)? {
            Socket::Stream(_) => self.send_stream(now, id, Sending::Copy(data), flags, to),
            Socket::Datagram(socket) => match socket.kind {
                DatagramKind::Udp => {
                    self.send_udp(now, id, Bytes::copy_from_slice(data), flags, to, &SendControl::from_source(from))
                }
                DatagramKind::Ping => self.send_ping(now, id, data, flags, to, &SendControl::from_source(from)),
            },
        }
    }

    pub(crate) fn send_moved(&mut self, now: Instant, id: SocketId, data: Bytes, flags: MsgFlags) -> Result<usize> {
        match self.live(id)? {
            Socket::Stream(_) => self.send_stream(now, id, Sending::Move(data), flags, None),
            Socket::Datagram(socket) => match socket.kind {
                DatagramKind::Udp => self.send_udp(now, id, data, flags, None, &SendControl::default()),
                DatagramKind::Ping => self.send_ping(now, id, &data, flags, None, &SendControl::default()),
            },
        }
    }

    pub(crate) fn recv_slice(
        &mut self,
        now: Instant,
        id: SocketId,
        buffer: &mut [u8],
        flags: MsgFlags,
    ) -> Result<usize> {
        match self.live(id)? {
            Socket::Stream(_) => self.recv_stream(now, id, buffer, flags),
            Socket::Datagram(_) => {
                let received = self.recv_datagram(now, id, buffer, flags)?;
                // recv(2): with MSG_TRUNC the answer is the datagram's real length.
                Ok(if flags.contains(MsgFlags::TRUNC) { received.full_len } else { received.len })
            }
        }
    }

    pub(crate) fn recv_chunks(&mut self, now: Instant, id: SocketId, max: usize) -> Result<Chunks> {
        match self.live(id)? {
            Socket::Stream(_) => self.recv_stream_chunks(now, id, max),
            Socket::Datagram(_) => {
                self.check_readable(id, MsgFlags::empty())?;
                let mut payload = self.datagram_mut(id)?.pop().map(|datagram| datagram.payload).unwrap_or_default();
                payload.truncate(max);
                Ok(payload)
            }
        }
    }

    pub(crate) fn recv_datagram(
        &mut self,
        now: Instant,
        id: SocketId,
        buffer: &mut [u8],
        flags: MsgFlags,
    ) -> Result<Received> {
        if let Socket::Stream(_) = self.live(id)? {
            let len = self.recv_stream(now, id, buffer, flags)?;
            let to = self.socket_name(id)?;
            // Linux leaves the address of a stream alone; here the connection's own is as good.
            let from = self.peer_name(id).unwrap_or(to);
            return Ok(Received { len, full_len: len, from, to, ttl: 0, tos: 0 });
        }
        let is_there = self.check_readable(id, flags)?;
        let socket = self.datagram_mut(id)?;
        if !is_there {
            let to = socket.common.local_addr();
            return Ok(Received { len: 0, full_len: 0, from: to, to, ttl: 0, tos: 0 });
        }
        let is_look = flags.contains(MsgFlags::PEEK);
        let Some((datagram, start)) = socket.next(is_look) else { return Err(Errno::EAGAIN) };
        let received = Received {
            len: datagram.payload.copy_to_slice(start, buffer),
            full_len: datagram.payload.len(),
            from: socket.show(datagram.from),
            to: socket.show(datagram.arrival.to),
            ttl: datagram.arrival.ttl,
            tos: datagram.arrival.tos,
        };
        socket.on_read(is_look, received.len);
        Ok(received)
    }

    /// Whether a datagram can be read; `Ok(false)`: reading was shut, which reads as an empty datagram.
    pub(super) fn check_readable(&mut self, id: SocketId, flags: MsgFlags) -> Result<bool> {
        let socket = self.datagram_mut(id)?;
        if flags.contains(MsgFlags::OOB) {
            return Err(Errno::EOPNOTSUPP);
        }
        if flags.contains(MsgFlags::ERRQUEUE) {
            return Err(Errno::EAGAIN);
        }
        // As Linux: what is pending comes before what has arrived.
        if let Some(error) = socket.common.error.take() {
            return Err(error);
        }
        if socket.has_datagram() {
            return Ok(true);
        }
        if socket.common.has(Flags::SHUT_READ) { Ok(false) } else { Err(Errno::EAGAIN) }
    }

    pub(crate) fn shutdown_socket(&mut self, now: Instant, id: SocketId, how: Shutdown) -> Result<()> {
        match self.live_mut(id)? {
            Socket::Stream(_) => self.shutdown_stream(now, id, how),
            Socket::Datagram(socket) => {
                let is_connected = socket.peer.is_some();
                socket.common.shut(how);
                self.notify(id.index);
                if is_connected { Ok(()) } else { Err(Errno::ENOTCONN) }
            }
        }
    }

    pub(crate) fn bind_datagram_any(&mut self, id: SocketId, iface: IfaceId) -> Result<()> {
        self.net.iface(iface).ok_or(Errno::ENODEV)?;
        let kind = self.datagram_mut(id)?.kind;
        let table = match kind {
            DatagramKind::Udp => &mut self.datagrams.any_udp,
            DatagramKind::Ping => &mut self.datagrams.any_ping,
        };
        if table.contains_key(&iface) {
            return Err(Errno::EADDRINUSE);
        }
        table.insert(iface, id.index);
        self.datagram_mut(id)?.any = Some(iface);
        Ok(())
    }
}
