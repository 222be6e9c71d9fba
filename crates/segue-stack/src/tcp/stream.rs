//! Stream sockets: what a socket is at a time, and what poll(2) says about it.
//!
//! A stream socket is idle (not connected yet, or not any more), a listener, or one end of a connection. RFC 9293's
//! states are the connection's own; this file adds those of the socket calls around them.
use core::fmt;
use std::sync::Arc;

use segue_tcp::{Config, Connection, Info, Instant, Ready, Signature, SocketOptions};

use super::listener::Listener;
use super::watch::Watch;
use crate::Errno;
use crate::ip::output::header_len;
use crate::socket::common::{Common, Flags};
use crate::tuple::FourTuple;
use crate::wheel::TimerKey;

#[derive(Debug)]
pub(crate) struct StreamSocket {
    pub(crate) common: Common,
    pub(crate) role: Role,
}

// A connection lies in the socket itself, and that in its table: an idle one owns no allocation. Idle sockets and listeners
// are few.
#[expect(clippy::large_enum_variant, reason = "the large variant is the common one")]
#[derive(Debug)]
pub(crate) enum Role {
    Idle(Box<Idle>),
    Listener(Box<Listener>),
    Connected(Flow),
}

/// Not connected: what the next connection will get.
#[derive(Debug)]
pub(crate) struct Idle {
    pub(crate) options: SocketOptions,
    /// What was in force when the socket was made; some of it stays so.
    pub(crate) config: Arc<Config>,
    /// What `TCP_INFO` still says of an attempt to connect that was given up.
    pub(crate) left: Option<Box<Info>>,
}

/// How far connect() has got, as the application knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Call {
    /// connect() said EINPROGRESS and has not been called again since.
    Connecting,
    /// The application knows that it is connected: accept() gave it, or connect() succeeded.
    Connected,
}

/// One end of a connection, and its places in the stack's tables.
pub(crate) struct Flow {
    pub(crate) connection: Connection,
    pub(crate) tuple: FourTuple,
    pub(crate) call: Call,
    /// In the table of flows: segments find it.
    pub(crate) in_table: bool,
    /// In the list of connections that have something to send.
    pub(crate) is_ready: bool,
    /// Nothing of the protocol is left, but for what it still has to send.
    pub(crate) is_over: bool,
    /// The handshake was completed.
    pub(crate) was_established: bool,
    /// Counted as an orphan.
    pub(crate) is_orphan: bool,
    /// The listener in whose accept queue it stands.
    pub(crate) listener: Option<u32>,
    pub(crate) timer: Option<TimerKey>,
    /// Segments sent since the timeouts were counted, and how many of these were.
    pub(crate) sent: u32,
    pub(crate) counted_timeouts: u16,
    /// Next IPv4 identification.
    pub(crate) identification: u16,
    /// Which configuration the connection has.
    pub(crate) config_generation: u32,
    /// What the application wants to be told of bytes; most never ask.
    pub(crate) watch: Option<Box<Watch>>,
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow")
            .field("tuple", &self.tuple)
            .field("state", &self.connection.state())
            .field("is_over", &self.is_over)
            .finish_non_exhaustive()
    }
}

impl Flow {
    pub(crate) fn new(connection: Connection, config_generation: u32, tuple: FourTuple, call: Call) -> Flow {
        Flow {
            connection,
            tuple,
            call,
            in_table: true,
            is_ready: false,
            is_over: false,
            was_established: call == Call::Connected,
            is_orphan: false,
            listener: None,
            timer: None,
            sent: 0,
            counted_timeouts: 0,
            identification: 0,
            config_generation,
            watch: None,
        }
    }
}

impl StreamSocket {
    pub(crate) fn flow(&self) -> Option<&Flow> {
        match &self.role {
            Role::Connected(flow) => Some(flow),
            _ => None,
        }
    }

    pub(crate) fn flow_mut(&mut self) -> Option<&mut Flow> {
        match &mut self.role {
            Role::Connected(flow) => Some(flow),
            _ => None,
        }
    }

    pub(crate) fn listener(&self) -> Option<&Listener> {
        match &self.role {
            Role::Listener(listener) => Some(listener),
            _ => None,
        }
    }

    pub(crate) fn listener_mut(&mut self) -> Option<&mut Listener> {
        match &mut self.role {
            Role::Listener(listener) => Some(listener),
            _ => None,
        }
    }

    /// What TCP_INFO says of a connection. A connection thinks of the path without the IP header, Linux with it.
    pub(crate) fn info(&self, now: Instant) -> Option<Info> {
        let flow = self.flow()?;
        let mut info = flow.connection.info(now);
        if info.pmtu > 0 {
            info.pmtu += header_len(flow.tuple.peer) as u32;
        }
        Some(info)
    }

    pub(crate) fn options(&self) -> &SocketOptions {
        match &self.role {
            Role::Idle(idle) => &idle.options,
            Role::Listener(listener) => &listener.options,
            Role::Connected(flow) => flow.connection.options(),
        }
    }

    /// The configuration that the socket was made with, or that its connection has.
    pub(crate) fn config(&self) -> &Arc<Config> {
        match &self.role {
            Role::Idle(idle) => &idle.config,
            Role::Listener(listener) => &listener.config,
            Role::Connected(flow) => flow.connection.config(),
        }
    }

    /// An idle socket with the options and the configuration of this one.
    pub(crate) fn idle(&self) -> Role {
        // The next connection's peer may be another one.
        let options = SocketOptions { signature: Signature::None, ..self.options().clone() };
        Role::Idle(Box::new(Idle { options, config: Arc::clone(self.config()), left: None }))
    }

    /// What poll(2) would say.
    pub(crate) fn readiness(&self) -> Ready {
        match &self.role {
            Role::Idle(_) => self.idle_readiness(),
            Role::Listener(listener) => listener.readiness(),
            Role::Connected(flow) => {
                let mut ready = flow.connection.readiness();
                if self.common.error.is_some() || self.common.has_queued_errors() {
                    ready |= Ready::ERR;
                }
                ready
            }
        }
    }

    /// A socket that was never connected is writable in the sense that writing would not block: it would fail.
    fn idle_readiness(&self) -> Ready {
        let mut ready = Ready::OUT | Ready::HUP;
        if self.common.has(Flags::SHUT_READ) {
            ready |= Ready::IN | Ready::RDHUP;
        }
        if self.common.error.is_some() || self.common.has_queued_errors() {
            ready |= Ready::ERR;
        }
        ready
    }

    /// The error that a call on the socket has to report first, once.
    pub(crate) fn take_error(&mut self) -> Option<Errno> {
        self.common.error.take().or_else(|| self.flow_mut()?.connection.take_error().map(super::errno_of))
    }
}
