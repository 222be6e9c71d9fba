//! `TCP_MD5SIG` and `TCP_MD5SIG_EXT`: keys of RFC 2385 in Linux's `struct tcp_md5sig`.
//!
//! Decides what such a structure must say and with what errno one is refused that does not.
use core::net::IpAddr;

use segue_tcp::Instant;

use super::multicast::{STORAGE, storage_at};
use super::numbers::tcp;
use crate::stack::{Result, Stack};
use crate::tcp::auth::{Keys, Md5Key};
use crate::{Cidr, Domain, Errno, SocketId};

/// Places in `struct tcp_md5sig`, which begins with a `sockaddr_storage`.
const FLAGS_AT: usize = STORAGE;
const PREFIX_AT: usize = STORAGE + 1;
const KEY_LEN_AT: usize = STORAGE + 2;
const IFINDEX_AT: usize = STORAGE + 4;
const KEY_AT: usize = STORAGE + 8;
const MAX_KEY: usize = 80;
const LEN: usize = KEY_AT + MAX_KEY;
const FLAG_PREFIX: u8 = 1;
const FLAG_IFINDEX: u8 = 2;

impl Stack {
    pub(super) fn set_md5_option(&mut self, now: Instant, id: SocketId, name: i32, value: &[u8]) -> Result<()> {
        let domain = self.stream_mut(id)?.common.domain;
        if value.len() < LEN {
            return Err(Errno::EINVAL);
        }
        let address = peer_at(value, domain)?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let extensions = if name == tcp::MD5SIG_EXT { value[FLAGS_AT] } else { 0 };
        let prefix = if extensions & FLAG_PREFIX != 0 { value[PREFIX_AT] } else { whole };
        let ifindex = i32::from_ne_bytes([0, 1, 2, 3].map(|n| value[IFINDEX_AT + n]));
        // The interface must be a VRF's, of which there are none.
        if prefix > whole || (extensions & FLAG_IFINDEX != 0 && ifindex != 0) {
            return Err(Errno::EINVAL);
        }
        let len = usize::from(u16::from_ne_bytes([value[KEY_LEN_AT], value[KEY_LEN_AT + 1]]));
        if len > MAX_KEY {
            return Err(Errno::EINVAL);
        }
        let network = Cidr::new(address, prefix).map_err(|_| Errno::EINVAL)?;
        self.set_md5_key(now, id, network, &value[KEY_AT..KEY_AT + len])
    }

    /// `TCP_MD5SIG`: from now on segments to and from the peers in `network` are signed (RFC 2385), and none is taken that is
    /// not. On a listener that is true for new connections; each keeps the key it began with. Of several networks the one
    /// with the longest prefix counts. A key of no bytes takes the network's key away.
    ///
    /// # Errors
    /// `EINVAL` (longer than 80 bytes), `ENOENT` (there is none to be taken away), `ENOMEM` (960 are enough), `EKEYREJECTED`
    /// (TCP-AO is for these peers), `EBADF`.
    pub fn set_md5_key(&mut self, now: Instant, id: SocketId, network: Cidr, key: &[u8]) -> Result<()> {
        let rare = self.stream_mut(id)?.common.rare_mut();
        if key.len() > MAX_KEY {
            return Err(Errno::EINVAL);
        }
        // RFC 5925 section 1: never both.
        let ao = rare.keys.as_ref().and_then(|keys| keys.ao.as_ref());
        let is_taken = ao.is_some_and(|ao| ao.required || ao.find(network.address(), None, None).is_some());
        if key.is_empty() {
            let keys = rare.keys.as_deref_mut().ok_or(Errno::ENOENT)?;
            keys.md5.remove(network)?;
            if keys.is_empty() {
                rare.keys = None;
            }
        } else if is_taken {
            return Err(Errno::EKEYREJECTED);
        } else {
            let secret = key.into();
            rare.keys.get_or_insert_with(|| Box::new(Keys::default())).md5.set(Md5Key { network, secret })?;
        }
        self.keys_changed(now, id)
    }
}

/// The peer that a structure begins with; on an `AF_INET6` socket a mapped address means IPv4.
pub(super) fn peer_at(value: &[u8], domain: Domain) -> Result<IpAddr> {
    match (storage_at(value, 0), domain) {
        (Some(v4 @ IpAddr::V4(_)), Domain::Inet) => Ok(v4),
        (Some(IpAddr::V6(v6)), Domain::Inet6) => Ok(v6.to_ipv4_mapped().map_or(v6.into(), IpAddr::V4)),
        _ => Err(Errno::EINVAL),
    }
}
