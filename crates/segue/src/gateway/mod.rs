//! What a gateway is made of: every connection, datagram or echo request that reaches an interface, whatever its address.
//!
//! Needs an interface with [`accept_any`](crate::Interface::accept_any).
mod datagram;
mod listener;

pub use datagram::{AnyDatagram, AnyIcmp, AnyUdp, EchoRequest};
pub(crate) use listener::AnyTable;
pub use listener::{AnyListener, Incoming};
