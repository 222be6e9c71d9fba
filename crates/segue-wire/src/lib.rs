//! Packet formats and checksums: Ethernet, ARP, IPv4, IPv6, ICMP, UDP, TCP.
//!
//! This crate decides what bytes on the wire mean, and nothing else: it holds no
//! state, reads no clock and never panics on what a stranger sent. Parsers take
//! slices and give values; a value that was parsed emits the same meaning again.
//! [`Packet`] is how one IP packet (or one super-segment) travels between a stack
//! and a link without being copied together.

#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod arp;
mod bytes_at;
pub mod checksum;
pub mod chunks;
pub mod ecn;
pub mod ethernet;
pub mod format;
pub mod icmpv4;
pub mod icmpv6;
pub mod ip;
pub mod ipv4;
pub mod ipv6;
pub mod packet;
pub mod quoted;
mod segmentation;
pub mod source_route;
pub mod tcp;
pub mod time;
pub mod udp;
pub mod view;

pub use bytes::Bytes;
pub use chunks::Chunks;
pub use ecn::Ecn;
pub use icmpv4::Icmpv4Message;
pub use icmpv6::Icmpv6Message;
pub use ip::{IpVersion, Protocol};
pub use ipv4::Ipv4Header;
pub use ipv6::Ipv6Header;
pub use packet::{ChecksumState, Packet, Segmentation, SegmentationKind};
pub use quoted::{Quoted, QuotedTransport};
pub use segmentation::{Cuts, Segments};
pub use source_route::SourceRoute;
pub use tcp::{TcpFlags, TcpHeader, TcpOptions};
pub use time::Instant;
pub use udp::UdpHeader;
pub use view::IpView;
