//! One look at an IP packet of either version: who, to whom, what, where it starts.
//!
//! Decides nothing of its own; it puts the parsers of both versions behind one
//! answer, for whoever treats them alike (demultiplexing, captures, formatting).

use crate::ecn::Ecn;
use crate::ip::{IpVersion, Protocol};
use crate::ipv4::{Ipv4Error, Ipv4Header};
use crate::ipv6::{self, ExtensionError, Ipv6Error, Ipv6Header};
use crate::packet::Packet;
use core::fmt;
use core::net::IpAddr;

/// What both versions say about a fragment.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FragmentInfo {
    /// Identifies the fragments of one packet (16 bits in IPv4).
    pub identification: u32,
    /// Where this one belongs, bytes.
    pub offset: u16,
    /// More follow.
    pub more_fragments: bool,
}

/// One look at an IP packet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct IpView {
    /// Address of the sender.
    pub source: IpAddr,
    /// Address of the receiver.
    pub destination: IpAddr,
    /// DSCP and ECN.
    pub traffic_class: u8,
    /// TTL or hop limit.
    pub hop_limit: u8,
    /// What starts at `transport`.
    pub protocol: Protocol,
    /// Offset of the transport header, bytes.
    pub transport: usize,
    /// Length of the packet as IP says it, bytes; padding of the link lies behind it.
    pub length: usize,
    /// Set when this is a piece of a packet (an atomic IPv6 fragment is not).
    pub fragment: Option<FragmentInfo>,
}

/// Why a packet is not acceptable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum IpError {
    /// The version is neither 4 nor 6, or there is no byte.
    BadVersion,
    /// Its IPv4 header.
    V4(Ipv4Error),
    /// Its IPv6 header.
    V6(Ipv6Error),
    /// Its IPv6 extension headers.
    Extension(ExtensionError),
}

impl fmt::Display for IpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IpError::BadVersion => f.write_str("IP version is neither 4 nor 6"),
            IpError::V4(error) => error.fmt(f),
            IpError::V6(error) => error.fmt(f),
            IpError::Extension(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for IpError {}

impl IpView {
    /// Looks at a packet; header checksum and lengths are verified.
    ///
    /// # Errors
    /// One variant of [`IpError`] per reason.
    pub fn parse(packet: &Packet) -> Result<IpView, IpError> {
        match packet.version() {
            Some(IpVersion::V4) => IpView::parse_v4(packet),
            Some(IpVersion::V6) => IpView::parse_v6(packet),
            None => Err(IpError::BadVersion),
        }
    }

    fn parse_v4(packet: &Packet) -> Result<IpView, IpError> {
        let (header, header_len) = Ipv4Header::parse(packet.head()).map_err(IpError::V4)?;
        let payload = header.payload_len(header_len, packet.len()).map_err(IpError::V4)?;
        Ok(IpView {
            source: IpAddr::V4(header.source),
            destination: IpAddr::V4(header.destination),
            traffic_class: header.traffic_class,
            hop_limit: header.ttl,
            protocol: header.protocol,
            transport: header_len,
            length: header_len + payload,
            fragment: header.is_fragment().then_some(FragmentInfo {
                identification: u32::from(header.identification),
                offset: header.fragment_offset,
                more_fragments: header.more_fragments,
            }),
        })
    }

    fn parse_v6(packet: &Packet) -> Result<IpView, IpError> {
        let (header, header_len) = Ipv6Header::parse(packet.head()).map_err(IpError::V6)?;
        let payload = header.payload_len(packet.len()).map_err(IpError::V6)?;
        let length = header_len + payload;
        let chain = ipv6::walk(header.next_header, packet.head(), length).map_err(IpError::Extension)?;
        let fragment = chain.fragment.filter(|(fragment, _)| !fragment.is_atomic());
        Ok(IpView {
            source: IpAddr::V6(header.source),
            destination: IpAddr::V6(header.destination),
            traffic_class: header.traffic_class,
            hop_limit: header.hop_limit,
            protocol: chain.protocol,
            transport: chain.offset,
            length,
            fragment: fragment.map(|(fragment, _)| FragmentInfo {
                identification: fragment.identification,
                offset: fragment.offset,
                more_fragments: fragment.more_fragments,
            }),
        })
    }

    /// ECN codepoint.
    pub fn ecn(&self) -> Ecn {
        Ecn::from_traffic_class(self.traffic_class)
    }

    /// Bytes of transport header and payload.
    pub fn transport_len(&self) -> usize {
        self.length.saturating_sub(self.transport)
    }
}
