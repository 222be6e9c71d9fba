//! The stack under test: one host with one interface on a memory link.
//!
//! Decides the order of a round, which is the order of the library's driver: what is due, packets in, packets out. What the
//! program on the host does is the experiment's.
use std::net::Ipv4Addr;

use segue_link::{Link, MemoryLink, memory_pair};
use segue_stack::{
    Cidr, Domain, IfaceConfig, IfaceId, Instant, Packet, Route, SocketId, SocketType, Stack, StackConfig,
};

use crate::error::PerfError;

/// Packets that wait in each direction of the link.
pub(crate) const QUEUE: usize = 1024;
/// Address and port of the service under test.
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub(crate) const PORT: u16 = 80;
const MTU: usize = 1500;
/// Packets sent in a round.
const SEND_BUDGET: usize = 256;

pub(crate) struct Server {
    pub(crate) stack: Stack,
    iface: IfaceId,
    link: MemoryLink,
    batch: Vec<Packet>,
}

impl Server {
    /// A host and the other end of its link. Everybody is reached through the link. `memory`: the stack's budget, in bytes.
    pub(crate) fn new(
        sysctls: &[(&str, String)],
        memory: Option<u64>,
        now: Instant,
    ) -> Result<(Server, MemoryLink), PerfError> {
        let config = StackConfig { memory, ..StackConfig::new(*b"the server under test, seed no 1") };
        let mut stack = Stack::new(config, now);
        for (name, value) in sysctls {
            stack.set_sysctl(now, name, value)?;
        }
        let bad = |what: &str| PerfError::Unexpected(format!("the server's {what} was refused"));
        let address = Cidr::new(ADDRESS.into(), 8).map_err(|_| bad("address"))?;
        let iface = stack.add_interface(IfaceConfig { addresses: vec![address], ..IfaceConfig::new("eth0", MTU) });
        let everywhere = Cidr::new(Ipv4Addr::UNSPECIFIED.into(), 0).map_err(|_| bad("default route"))?;
        stack.add_route(Route::on_link(everywhere, iface)).map_err(|_| bad("default route"))?;
        let (link, other) = memory_pair(MTU, QUEUE);
        Ok((Server { stack, iface, link, batch: Vec::with_capacity(QUEUE) }, other))
    }

    /// A listener at the service's port.
    pub(crate) fn listen(&mut self, now: Instant, backlog: i32) -> Result<SocketId, PerfError> {
        let call = |name| move |errno| PerfError::Call(name, errno);
        let listener = self.stack.socket(Domain::Inet, SocketType::Stream).map_err(call("socket"))?;
        self.stack.bind(now, listener, (ADDRESS, PORT).into()).map_err(call("bind"))?;
        self.stack.listen(listener, backlog).map_err(call("listen"))?;
        Ok(listener)
    }

    /// What is due, packets in, packets out. Gives how many packets came in. A function of its own even in an optimised
    /// program: instructions are counted in it.
    #[inline(never)]
    pub(crate) fn round(&mut self, now: Instant) -> Result<usize, PerfError> {
        if self.stack.next_deadline().is_some_and(|at| at <= now) {
            self.stack.on_deadline_within(now, self.stack.work_limits().packets);
        }
        let came = self.link.recv(now, &mut self.batch, QUEUE)?;
        for packet in self.batch.drain(..) {
            self.stack.on_packet(now, self.iface, packet);
        }
        self.transmit(now);
        Ok(came)
    }

    /// As [`round`](Self::round), within the stack's own limits, and for a device that cannot wait: what has come is taken off
    /// the link, and dropped if more wait than may.
    pub(crate) fn limited_round(&mut self, now: Instant) -> Result<(), PerfError> {
        let limits = self.stack.work_limits();
        if self.stack.next_deadline().is_some_and(|at| at <= now) {
            self.stack.on_deadline_within(now, limits.packets);
        }
        self.link.recv(now, &mut self.batch, QUEUE)?;
        for packet in self.batch.drain(..) {
            // Counted by the stack.
            let _ = self.stack.enqueue_packet(self.iface, packet);
        }
        if self.stack.serve_backlog(now, limits.packets) > 0 {
            self.stack.note_time_squeeze();
        }
        self.transmit_within(now);
        Ok(())
    }

    /// Packets out, as many as the library's driver sends in a round.
    pub(crate) fn transmit_within(&mut self, now: Instant) {
        for _ in 0..SEND_BUDGET {
            let Some((_, packet)) = self.stack.poll_transmit(now) else { break };
            drop(self.link.send(now, packet));
        }
    }

    /// Packets out. A full link loses them, as a device does whose queue is full.
    pub(crate) fn transmit(&mut self, now: Instant) {
        while let Some((_, packet)) = self.stack.poll_transmit(now) {
            // The experiment empties the link in time: what is lost here, the stack sends again.
            drop(self.link.send(now, packet));
        }
    }
}
