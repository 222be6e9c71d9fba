//! ICMP errors as a connection hears of them.

use crate::error::ConnError;

/// What an ICMP or ICMPv6 error that quotes one of our segments said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IcmpSignal {
    /// Destination unreachable, parameter problem, time exceeded.
    Unreachable {
        /// Whether the error ends a connection that is being opened (port, protocol,
        /// administratively prohibited); soft errors are only remembered (RFC 1122 section 4.2.3.9).
        hard: bool,
        /// What it means to the application.
        error: ConnError,
    },
    /// Network or host unreachable: no way to the peer at present, which is no congestion (RFC 6069). Soft.
    Disrupted {
        /// What it means to the application.
        error: ConnError,
    },
    /// Packet too big, fragmentation needed.
    PacketTooBig {
        /// The link's MTU minus the IP header, in bytes.
        mtu_payload: u16,
    },
}
