//! What the gateway did and refused: counters for everything, and an event for
//! each thing a user would ask about.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Why a TCP flow was not continued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Nothing listens there: answered with a reset.
    Refused,
    /// The destination host cannot be reached: answered with ICMP.
    HostUnreachable,
    /// The destination network cannot be reached: answered with ICMP.
    NetworkUnreachable,
    /// This machine does not allow the connection: answered with ICMP.
    Prohibited,
    /// Nobody answered; not answered either, as the network would.
    TimedOut,
    /// The address is not one a connection can be made to: answered with ICMP.
    NotAnAddress,
    /// `max_tcp_flows` are open already: answered with a reset.
    TooManyFlows,
    /// This machine is out of descriptors, ports or memory: answered with a reset.
    NoResources,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "connection refused",
            Self::HostUnreachable => "host unreachable",
            Self::NetworkUnreachable => "network unreachable",
            Self::Prohibited => "not permitted by this machine (a firewall?)",
            Self::TimedOut => "no answer in time",
            Self::NotAnAddress => "not an address to connect to",
            Self::TooManyFlows => "too many flows through the gateway",
            Self::NoResources => "this machine has no descriptors, ports or memory left (raise `ulimit -n`)",
        })
    }
}

/// Something worth telling the user.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A TCP flow was not continued.
    TcpRefused {
        /// Who asked, inside.
        from: SocketAddr,
        /// For which destination, as seen inside.
        to: SocketAddr,
        /// Why not.
        why: Refusal,
    },
    /// A TCP flow ended with a reset.
    TcpReset {
        /// The inside end.
        from: SocketAddr,
        /// The destination, as seen inside.
        to: SocketAddr,
        /// Whether the inside end was the one that reset (or gave up).
        by_inside: bool,
    },
    /// A UDP datagram found nobody at its destination, or no way to it.
    UdpRefused {
        /// Who sent it, inside.
        from: SocketAddr,
        /// To which destination, as seen inside.
        to: SocketAddr,
        /// Why it was refused.
        why: Refusal,
    },
    /// A UDP flow was forgotten because the table was full.
    UdpEvicted {
        /// The inside end.
        from: SocketAddr,
        /// The destination, as seen inside.
        to: SocketAddr,
    },
    /// Echo requests cannot leave: this machine does not let the user open ping
    /// sockets. Told once.
    PingNotPermitted {
        /// The first destination that was tried.
        to: IpAddr,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TcpRefused { from, to, why } => write!(f, "tcp {from} > {to}: {why}"),
            Self::TcpReset { from, to, by_inside } => {
                let who = if *by_inside { "inside" } else { "outside" };
                write!(f, "tcp {from} > {to}: reset by the {who} end")
            }
            Self::UdpRefused { from, to, why } => write!(f, "udp {from} > {to}: {why}"),
            Self::UdpEvicted { from, to } => {
                write!(f, "udp {from} > {to}: forgotten, too many flows")
            }
            Self::PingNotPermitted { to } => write!(
                f,
                "ping to {to} stays unanswered: this machine does not let you open ping sockets \
                 (as root: sysctl -w net.ipv4.ping_group_range=\"0 2147483647\")"
            ),
        }
    }
}

/// Where events go. Called from the gateway's tasks: it must not block.
pub type EventSink = Arc<dyn Fn(&Event) + Send + Sync>;

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// What a gateway has done since it started.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct GatewayStats {
            /// TCP flows open now, those being connected among them.
            pub tcp_flows: usize,
            /// UDP flows remembered now.
            pub udp_flows: usize,
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        #[derive(Debug, Default)]
        pub(crate) struct Counts {
            pub(crate) tcp_flows: AtomicUsize,
            pub(crate) udp_flows: AtomicUsize,
            $(pub(crate) $name: AtomicU64,)+
        }

        impl Counts {
            fn snapshot(&self) -> GatewayStats {
                GatewayStats {
                    tcp_flows: self.tcp_flows.load(Ordering::Relaxed),
                    udp_flows: self.udp_flows.load(Ordering::Relaxed),
                    $($name: self.$name.load(Ordering::Relaxed),)+
                }
            }
        }
    };
}

counters! {
    /// TCP flows that were continued on this machine.
    tcp_connected,
    /// TCP flows refused for what the destination or this machine said.
    tcp_refused,
    /// TCP flows refused because a limit of the gateway was reached.
    tcp_over_limit,
    /// TCP flows that ended with a reset from either side.
    tcp_reset,
    /// UDP datagrams passed on from inside.
    udp_out,
    /// UDP datagrams passed on to the inside.
    udp_in,
    /// UDP datagrams answered with ICMP unreachable.
    udp_refused,
    /// UDP datagrams dropped because a socket had no room for them.
    udp_dropped,
    /// UDP flows forgotten because the table was full.
    udp_evicted,
    /// DNS questions answered, over UDP and TCP.
    dns_answered,
    /// DNS questions dropped because too many were being answered.
    dns_dropped,
    /// Echo requests passed on.
    ping_out,
    /// Echo replies passed back.
    ping_in,
    /// Echo requests left unanswered because this machine allows no ping
    /// sockets, or too many were on their way.
    ping_dropped,
}

/// The counters and the sink, shared by the gateway's tasks.
#[derive(Clone)]
pub(crate) struct Report {
    counts: Arc<Counts>,
    sink: Option<EventSink>,
}

impl Report {
    pub(crate) fn new(sink: Option<EventSink>) -> Self {
        Self { counts: Arc::default(), sink }
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    pub(crate) fn stats(&self) -> GatewayStats {
        self.counts.snapshot()
    }

    pub(crate) fn tell(&self, event: &Event) {
        if let Some(sink) = &self.sink {
            sink(event);
        }
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.counts.fmt(f)
    }
}

/// One more.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
