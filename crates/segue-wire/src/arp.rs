//! ARP for IPv4 over Ethernet (RFC 826).
//!
//! Decides what such a packet says. Other hardware and protocols are errors.

use crate::bytes_at::{array, be16, ipv4_at, put, put16};
use crate::ethernet::{EtherType, EthernetAddress};
use core::fmt;
use core::net::Ipv4Addr;

/// Length of an ARP packet for IPv4 over Ethernet, in bytes.
pub const PACKET_LEN: usize = 28;

/// What is asked or said.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ArpOperation {
    /// Who has the target address?
    Request,
    /// The sender has the sender address.
    Reply,
}

/// An ARP packet for IPv4 over Ethernet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ArpPacket {
    /// What is asked or said.
    pub operation: ArpOperation,
    /// Ethernet address of the sender.
    pub sender_hardware: EthernetAddress,
    /// IPv4 address of the sender; unspecified in a probe (RFC 5227).
    pub sender_protocol: Ipv4Addr,
    /// Ethernet address of the target; not significant in a request.
    pub target_hardware: EthernetAddress,
    /// IPv4 address of the target.
    pub target_protocol: Ipv4Addr,
}

/// Why bytes are not an ARP packet this module knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ArpError {
    /// Fewer bytes than a packet has.
    Truncated,
    /// The hardware is not Ethernet.
    NotEthernet,
    /// The protocol is not IPv4.
    NotIpv4,
    /// Neither a request nor a reply.
    UnknownOperation,
}

impl fmt::Display for ArpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ArpError::Truncated => "ARP packet is shorter than 28 bytes",
            ArpError::NotEthernet => "ARP hardware is not Ethernet",
            ArpError::NotIpv4 => "ARP protocol is not IPv4",
            ArpError::UnknownOperation => "ARP operation is neither request nor reply",
        })
    }
}

impl core::error::Error for ArpError {}

impl ArpPacket {
    /// Reads the packet at the front of `bytes`; what follows is padding of the frame. Gives it and its length.
    ///
    /// # Errors
    /// One variant of [`ArpError`] per reason.
    pub fn parse(bytes: &[u8]) -> Result<(ArpPacket, usize), ArpError> {
        if bytes.len() < PACKET_LEN {
            return Err(ArpError::Truncated);
        }
        if be16(bytes, 0) != 1 || bytes[4] != 6 {
            return Err(ArpError::NotEthernet);
        }
        if be16(bytes, 2) != EtherType::IPV4.0 || bytes[5] != 4 {
            return Err(ArpError::NotIpv4);
        }
        let operation = match be16(bytes, 6) {
            1 => ArpOperation::Request,
            2 => ArpOperation::Reply,
            _ => return Err(ArpError::UnknownOperation),
        };
        let packet = ArpPacket {
            operation,
            sender_hardware: EthernetAddress(array(bytes, 8)),
            sender_protocol: ipv4_at(bytes, 14),
            target_hardware: EthernetAddress(array(bytes, 18)),
            target_protocol: ipv4_at(bytes, 24),
        };
        Ok((packet, PACKET_LEN))
    }

    /// Writes the packet; nothing when `out` is shorter than 28 bytes.
    pub fn emit(&self, out: &mut [u8]) {
        if out.len() < PACKET_LEN {
            return;
        }
        put16(out, 0, 1);
        put16(out, 2, EtherType::IPV4.0);
        put(out, 4, &[6, 4]);
        let operation = match self.operation {
            ArpOperation::Request => 1,
            ArpOperation::Reply => 2,
        };
        put16(out, 6, operation);
        put(out, 8, &self.sender_hardware.0);
        put(out, 14, &self.sender_protocol.octets());
        put(out, 18, &self.target_hardware.0);
        put(out, 24, &self.target_protocol.octets());
    }

    /// The reply to this request by the owner of the target address.
    pub fn reply(&self, owner: EthernetAddress) -> ArpPacket {
        ArpPacket {
            operation: ArpOperation::Reply,
            sender_hardware: owner,
            sender_protocol: self.target_protocol,
            target_hardware: self.sender_hardware,
            target_protocol: self.sender_protocol,
        }
    }
}
