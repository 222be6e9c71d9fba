//! What the kernel knows of a connection that no descriptor stands for (sock_diag(7)).
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};

use crate::sys;

const TCP: u8 = 6;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const NLMSG_ERROR: u16 = 2;
const INET_DIAG_INFO: u16 = 2;
/// `struct nlmsghdr` and `struct inet_diag_msg`.
const HEADER: usize = 16;
const MESSAGE: usize = 72;

/// `struct tcp_info` of a connection of the namespace that the calling thread is in. Where the kernel keeps no such structure
/// (half-open connections, TIME-WAIT) it has the state only, which is its first byte.
pub(crate) fn tcp_info(local: SocketAddr, peer: SocketAddr) -> io::Result<Vec<u8>> {
    let mut socket = sys::diag_socket()?;
    socket.write_all(&request(local, peer))?;
    let mut answer = vec![0; 8192];
    let length = socket.read(&mut answer)?;
    answer.truncate(length);
    let short = || io::Error::new(io::ErrorKind::InvalidData, "the kernel's answer is too short");
    let kind = answer.get(4..6).map(|bytes| u16::from_ne_bytes([bytes[0], bytes[1]])).ok_or_else(short)?;
    if kind == NLMSG_ERROR {
        let error = answer.get(HEADER..HEADER + 4).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
        return Err(io::Error::from_raw_os_error(-error.ok_or_else(short)?));
    }
    let state = *answer.get(HEADER + 1).ok_or_else(short)?;
    let mut attributes = answer.get(HEADER + MESSAGE..).unwrap_or_default();
    // struct rtattr: length, type, value, padded to four bytes.
    while let Some(&[a, b, c, d]) = attributes.first_chunk::<4>() {
        let length = usize::from(u16::from_ne_bytes([a, b]));
        let Some(value) = attributes.get(4..length) else { break };
        if u16::from_ne_bytes([c, d]) == INET_DIAG_INFO {
            return Ok(value.to_vec());
        }
        attributes = attributes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(vec![state])
}

/// `struct nlmsghdr` and `struct inet_diag_req_v2` for exactly this connection.
fn request(local: SocketAddr, peer: SocketAddr) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER + 56);
    out.extend_from_slice(&(HEADER as u32 + 56).to_ne_bytes());
    out.extend_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    out.extend_from_slice(&NLM_F_REQUEST.to_ne_bytes());
    out.extend_from_slice(&[0; 8]);
    let family = if local.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    out.extend_from_slice(&[family as u8, TCP, 1 << (INET_DIAG_INFO - 1), 0]);
    // All states.
    out.extend_from_slice(&u32::MAX.to_ne_bytes());
    out.extend_from_slice(&local.port().to_be_bytes());
    out.extend_from_slice(&peer.port().to_be_bytes());
    for address in [local.ip(), peer.ip()] {
        let mut bytes = [0; 16];
        match address {
            IpAddr::V4(v4) => bytes[..4].copy_from_slice(&v4.octets()),
            IpAddr::V6(v6) => bytes = v6.octets(),
        }
        out.extend_from_slice(&bytes);
    }
    // Any interface, any cookie.
    out.extend_from_slice(&0u32.to_ne_bytes());
    out.extend_from_slice(&[0xff; 8]);
    out
}
