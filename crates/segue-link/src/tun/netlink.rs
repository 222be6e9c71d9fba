//! The route-netlink requests that set an interface up: MTU, address, up, route.
//!
//! Decides how they are laid out (rtnetlink(7)); each waits for the kernel's answer. Why
//! something is refused is put into words by `setup`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::IpAddr;

use super::config::Prefix;
use super::sys;

/// A connection to the kernel's routing tables.
pub(super) struct Netlink {
    socket: File,
    sequence: u32,
}

const HEADER: usize = 16;

impl Netlink {
    pub(super) fn open() -> io::Result<Netlink> {
        Ok(Netlink { socket: sys::netlink_socket()?, sequence: 0 })
    }

    /// Sets the MTU, in bytes, and brings the interface up.
    pub(super) fn set_up(&mut self, index: u32, mtu: usize) -> io::Result<()> {
        let mut request = Request::new(libc::RTM_NEWLINK, 0);
        let up = libc::IFF_UP as u32;
        // struct ifinfomsg: family, padding, type, index, flags, which flags change.
        request.push(&[0, 0, 0, 0]).push(&index.to_ne_bytes()).push(&up.to_ne_bytes()).push(&up.to_ne_bytes());
        request.attribute(libc::IFLA_MTU, &(mtu as u32).to_ne_bytes());
        self.ask(request)
    }

    /// Gives the interface an address.
    pub(super) fn add_address(&mut self, index: u32, prefix: Prefix) -> io::Result<()> {
        let mut request = Request::new(libc::RTM_NEWADDR, libc::NLM_F_CREATE | libc::NLM_F_EXCL);
        // Nobody else can have an address on a device that is this process: no need to detect duplicates.
        let flags = if prefix.address.is_ipv6() { libc::IFA_F_NODAD as u8 } else { 0 };
        // struct ifaddrmsg: family, prefix length, flags, scope, index.
        request.push(&[family(prefix.address), prefix.length, flags, libc::RT_SCOPE_UNIVERSE]);
        request.push(&index.to_ne_bytes());
        request.address(libc::IFA_LOCAL, prefix.address).address(libc::IFA_ADDRESS, prefix.address);
        self.ask(request)
    }

    /// Sends a destination to the interface.
    pub(super) fn add_route(&mut self, index: u32, destination: Prefix) -> io::Result<()> {
        let mut request = Request::new(libc::RTM_NEWROUTE, libc::NLM_F_CREATE | libc::NLM_F_EXCL);
        let scope = if destination.address.is_ipv6() { libc::RT_SCOPE_UNIVERSE } else { libc::RT_SCOPE_LINK };
        // struct rtmsg: family, destination and source prefix, TOS, table, protocol, scope, type; flags.
        request.push(&[family(destination.address), destination.length, 0, 0]);
        request.push(&[libc::RT_TABLE_MAIN, libc::RTPROT_STATIC, scope, libc::RTN_UNICAST]).push(&[0; 4]);
        request.address(libc::RTA_DST, destination.network()).attribute(libc::RTA_OIF, &index.to_ne_bytes());
        self.ask(request)
    }

    fn ask(&mut self, request: Request) -> io::Result<()> {
        self.sequence += 1;
        self.socket.write_all(&request.finish(self.sequence))?;
        let mut answer = [0; 4096];
        loop {
            let len = self.socket.read(&mut answer)?;
            let answer = &answer[..len];
            let word = |at: usize| answer.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            let sequence = word(8).map(u32::from_ne_bytes);
            let kind = answer.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
            if sequence != Some(self.sequence) || kind != Some(libc::NLMSG_ERROR as u16) {
                continue;
            }
            // struct nlmsgerr starts with a negative errno, zero for done.
            return match word(HEADER).map(i32::from_ne_bytes) {
                Some(0) => Ok(()),
                Some(error) => Err(io::Error::from_raw_os_error(-error)),
                None => Err(io::Error::new(io::ErrorKind::InvalidData, "the kernel's netlink answer is too short")),
            };
        }
    }
}

fn family(address: IpAddr) -> u8 {
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    family as u8
}

/// A request in the making: the header's length is filled in at the end.
struct Request(Vec<u8>);

impl Request {
    fn new(kind: u16, flags: libc::c_int) -> Request {
        let flags = (flags | libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u16;
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
        Request(bytes)
    }

    fn push(&mut self, bytes: &[u8]) -> &mut Request {
        self.0.extend_from_slice(bytes);
        self
    }

    /// struct rtattr: length, type, value, padded to four bytes.
    fn attribute(&mut self, kind: u16, value: &[u8]) -> &mut Request {
        let len = (4 + value.len()) as u16;
        self.push(&len.to_ne_bytes()).push(&kind.to_ne_bytes()).push(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    fn address(&mut self, kind: u16, address: IpAddr) -> &mut Request {
        match address {
            IpAddr::V4(v4) => self.attribute(kind, &v4.octets()),
            IpAddr::V6(v6) => self.attribute(kind, &v6.octets()),
        }
    }

    fn finish(mut self, sequence: u32) -> Vec<u8> {
        let len = self.0.len() as u32;
        self.0[..4].copy_from_slice(&len.to_ne_bytes());
        self.0[8..12].copy_from_slice(&sequence.to_ne_bytes());
        self.0
    }
}
