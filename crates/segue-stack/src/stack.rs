//! The public object: one IP host.
use core::net::SocketAddr;

use bytes::Bytes;
use segue_tcp::{Chunks, Instant, Ready};
use segue_wire::packet::Packet;

use crate::*;

/// What socket calls answer with.
pub type Result<T> = core::result::Result<T, Errno>;

/// One IP host without I/O: interfaces, routes, ICMP, UDP and TCP sockets.
pub struct Stack {}

impl Stack {
    /// A host with a loopback interface (127.0.0.1/8, ::1/128, MTU 65536) and nothing else.
    pub fn new(config: StackConfig, now: Instant) -> Self { todo!() }
    /// Add an interface; its addresses bring their routes.
    pub fn add_interface(&mut self, config: IfaceConfig) -> IfaceId { todo!() }
    /// Add a route.
    pub fn add_route(&mut self, route: Route) { todo!() }
    /// A packet has arrived.
    pub fn on_packet(&mut self, now: Instant, iface: IfaceId, packet: Packet) { todo!() }
    /// The next packet to send.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<(IfaceId, Packet)> { todo!() }
    /// When to call `on_deadline`.
    pub fn next_deadline(&self) -> Option<Instant> { todo!() }
    /// Time has passed.
    pub fn on_deadline(&mut self, now: Instant) { todo!() }
    /// The next event.
    pub fn poll_event(&mut self) -> Option<SocketEvent> { todo!() }
    /// New socket.
    pub fn socket(&mut self, domain: Domain, kind: SocketType) -> Result<SocketId> { todo!() }
    /// bind(2).
    pub fn bind(&mut self, now: Instant, id: SocketId, address: SocketAddr) -> Result<()> { todo!() }
    /// listen(2).
    pub fn listen(&mut self, id: SocketId, backlog: i32) -> Result<()> { todo!() }
    /// connect(2).
    pub fn connect(&mut self, now: Instant, id: SocketId, address: SocketAddr) -> Result<()> { todo!() }
    /// connect(2) with AF_UNSPEC.
    pub fn disconnect(&mut self, now: Instant, id: SocketId) -> Result<()> { todo!() }
    /// accept(2).
    pub fn accept(&mut self, now: Instant, id: SocketId) -> Result<(SocketId, SocketAddr)> { todo!() }
    /// send(2).
    pub fn send(&mut self, now: Instant, id: SocketId, data: &[u8], flags: MsgFlags) -> Result<usize> { todo!() }
    /// send(2) without a copy.
    pub fn send_bytes(&mut self, now: Instant, id: SocketId, data: Bytes, flags: MsgFlags) -> Result<usize> { todo!() }
    /// sendto(2); `from` overrides the source address (and, for `bind_any` sockets, the port).
    pub fn send_to(&mut self, now: Instant, id: SocketId, data: &[u8], flags: MsgFlags, to: SocketAddr, from: Option<SocketAddr>) -> Result<usize> { todo!() }
    /// recv(2).
    pub fn recv(&mut self, now: Instant, id: SocketId, buffer: &mut [u8], flags: MsgFlags) -> Result<usize> { todo!() }
    /// recv(2) without a copy; at most `max` bytes (a stream) or one datagram.
    pub fn recv_bytes(&mut self, now: Instant, id: SocketId, max: usize) -> Result<Chunks> { todo!() }
    /// recvfrom(2).
    pub fn recv_from(&mut self, now: Instant, id: SocketId, buffer: &mut [u8], flags: MsgFlags) -> Result<Received> { todo!() }
    /// shutdown(2).
    pub fn shutdown(&mut self, now: Instant, id: SocketId, how: Shutdown) -> Result<()> { todo!() }
    /// close(2).
    pub fn close(&mut self, now: Instant, id: SocketId) -> Result<()> { todo!() }
    /// close with a RST.
    pub fn abort(&mut self, now: Instant, id: SocketId) -> Result<()> { todo!() }
    /// getsockname(2).
    pub fn local_addr(&self, id: SocketId) -> Result<SocketAddr> { todo!() }
    /// getpeername(2).
    pub fn peer_addr(&self, id: SocketId) -> Result<SocketAddr> { todo!() }
    /// poll(2). A closed socket gives `Ready::empty()`.
    pub fn readiness(&self, id: SocketId) -> Ready { todo!() }
    /// setsockopt(2).
    pub fn setsockopt(&mut self, now: Instant, id: SocketId, level: i32, name: i32, value: &[u8]) -> Result<()> { todo!() }
    /// getsockopt(2).
    pub fn getsockopt(&mut self, now: Instant, id: SocketId, level: i32, name: i32, value: &mut [u8]) -> Result<usize> { todo!() }
    /// Typed socket options.
    pub fn set_option(&mut self, now: Instant, id: SocketId, option: SocketOption) -> Result<()> { todo!() }
    /// TCP_INFO.
    pub fn tcp_info(&self, now: Instant, id: SocketId) -> Result<segue_tcp::Info> { todo!() }
    /// SO_ERROR.
    pub fn take_error(&mut self, now: Instant, id: SocketId) -> Result<Option<Errno>> { todo!() }
    /// A listener for every TCP SYN on an interface that no other listener takes.
    pub fn listen_any(&mut self, now: Instant, iface: IfaceId) -> Result<SocketId> { todo!() }
    /// The next undecided SYN.
    pub fn take_held(&mut self, listener: SocketId) -> Option<Held> { todo!() }
    /// Answer a held SYN with a SYN-ACK.
    pub fn held_accept(&mut self, now: Instant, held: HeldId) -> Result<()> { todo!() }
    /// Refuse a held SYN.
    pub fn held_reject(&mut self, now: Instant, held: HeldId, how: Reject) { todo!() }
    /// A UDP or ping socket for every datagram or echo request on an interface that no other socket takes.
    pub fn bind_any(&mut self, now: Instant, id: SocketId, iface: IfaceId) -> Result<()> { todo!() }
    /// Read a sysctl.
    pub fn sysctl(&self, name: &str) -> core::result::Result<String, SysctlError> { todo!() }
    /// Write a sysctl.
    pub fn set_sysctl(&mut self, now: Instant, name: &str, value: &str) -> core::result::Result<(), SysctlError> { todo!() }
    /// All names.
    pub fn sysctl_names(&self) -> impl Iterator<Item = &'static str> { core::iter::empty() }
    /// Every socket.
    pub fn sockets(&self, now: Instant) -> impl Iterator<Item = SocketInfo> { core::iter::empty() }
    /// Counters.
    pub fn counters(&self) -> &Counters { todo!() }
}
