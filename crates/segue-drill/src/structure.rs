//! Structures of socket options, as Linux lays them out (linux/tcp.h): `struct tcp_md5sig`, `tcp_ao_add`, `tcp_ao_del`,
//! `tcp_ao_info_opt`.
//!
//! Decides where a field stands. What is written into it is `call::structure`'s, what it means is the host's.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where a field stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// A `sockaddr_storage` at the front.
    Address,
    /// An unsigned number of the machine's byte order: offset and bytes.
    Number(usize, usize),
    /// A bit field of one bit: offset of its 32-bit word, and the bit.
    Bit(usize, u32),
    /// Bytes: offset and room.
    Bytes(usize, usize),
}

/// A structure: its C name, bytes, and fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) name: &'static str,
    pub(crate) length: usize,
    pub(crate) fields: &'static [(&'static str, Place)],
    /// Fields that say how long another one is: what a script leaves out of them is filled in.
    pub(crate) lengths: &'static [(&'static str, &'static str)],
}

pub(crate) const SOL_TCP: i32 = 6;
pub(crate) const TCP_MD5SIG: i32 = 14;
pub(crate) const TCP_MD5SIG_EXT: i32 = 32;
pub(crate) const TCP_AO_ADD_KEY: i32 = 38;
pub(crate) const TCP_AO_DEL_KEY: i32 = 39;
pub(crate) const TCP_AO_INFO: i32 = 40;

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

pub(crate) const MD5_KEY: Layout = Layout {
    name: "struct tcp_md5sig",
    length: 216,
    fields: &[
        ("tcpm_addr", Place::Address),
        ("tcpm_flags", Place::Number(128, 1)),
        ("tcpm_prefixlen", Place::Number(129, 1)),
        ("tcpm_keylen", Place::Number(130, 2)),
        ("tcpm_ifindex", Place::Number(132, 4)),
        ("tcpm_key", Place::Bytes(136, 80)),
    ],
    lengths: &[("tcpm_keylen", "tcpm_key")],
};

pub(crate) const AO_ADD: Layout = Layout {
    name: "struct tcp_ao_add",
    length: 288,
    fields: &[
        ("addr", Place::Address),
        ("alg_name", Place::Bytes(128, 64)),
        ("ifindex", Place::Number(192, 4)),
        ("set_current", Place::Bit(196, 0)),
        ("set_rnext", Place::Bit(196, 1)),
        ("prefix", Place::Number(202, 1)),
        ("sndid", Place::Number(203, 1)),
        ("rcvid", Place::Number(204, 1)),
        ("maclen", Place::Number(205, 1)),
        ("keyflags", Place::Number(206, 1)),
        ("keylen", Place::Number(207, 1)),
        ("key", Place::Bytes(208, 80)),
    ],
    lengths: &[("keylen", "key"), ("prefix", "addr")],
};

pub(crate) const AO_DELETE: Layout = Layout {
    name: "struct tcp_ao_del",
    length: 144,
    fields: &[
        ("addr", Place::Address),
        ("ifindex", Place::Number(128, 4)),
        ("set_current", Place::Bit(132, 0)),
        ("set_rnext", Place::Bit(132, 1)),
        ("del_async", Place::Bit(132, 2)),
        ("prefix", Place::Number(138, 1)),
        ("sndid", Place::Number(139, 1)),
        ("rcvid", Place::Number(140, 1)),
        ("current_key", Place::Number(141, 1)),
        ("rnext", Place::Number(142, 1)),
        ("keyflags", Place::Number(143, 1)),
    ],
    lengths: &[("prefix", "addr")],
};

pub(crate) const AO_INFO: Layout = Layout {
    name: "struct tcp_ao_info_opt",
    length: 48,
    fields: &[
        ("set_current", Place::Bit(0, 0)),
        ("set_rnext", Place::Bit(0, 1)),
        ("ao_required", Place::Bit(0, 2)),
        ("set_counters", Place::Bit(0, 3)),
        ("accept_icmps", Place::Bit(0, 4)),
        ("current_key", Place::Number(6, 1)),
        ("rnext", Place::Number(7, 1)),
        ("pkt_good", Place::Number(8, 8)),
        ("pkt_bad", Place::Number(16, 8)),
        ("pkt_key_not_found", Place::Number(24, 8)),
        ("pkt_ao_required", Place::Number(32, 8)),
        ("pkt_dropped_icmp", Place::Number(40, 8)),
    ],
    lengths: &[],
};

impl Layout {
    /// The structure of an option; `None`: it has none that is known here.
    pub(crate) fn of_option(level: i32, name: i32) -> Option<&'static Layout> {
        match (level, name) {
            (SOL_TCP, TCP_MD5SIG | TCP_MD5SIG_EXT) => Some(&MD5_KEY),
            (SOL_TCP, TCP_AO_ADD_KEY) => Some(&AO_ADD),
            (SOL_TCP, TCP_AO_DEL_KEY) => Some(&AO_DELETE),
            (SOL_TCP, TCP_AO_INFO) => Some(&AO_INFO),
            _ => None,
        }
    }

    pub(crate) fn place(&self, field: &str) -> Option<Place> {
        self.fields.iter().find(|(name, _)| *name == field).map(|(_, place)| *place)
    }

    /// A field that is a number; 0 where the structure is too short or has no such field.
    pub(crate) fn number(&self, raw: &[u8], field: &str) -> u64 {
        let wide = |at: usize, size: usize| {
            let mut bytes = [0; 8];
            match raw.get(at..at + size) {
                Some(found) if cfg!(target_endian = "big") => bytes[8 - size..].copy_from_slice(found),
                Some(found) => bytes[..size].copy_from_slice(found),
                None => {}
            }
            u64::from_ne_bytes(bytes)
        };
        match self.place(field) {
            Some(Place::Number(at, size)) => wide(at, size),
            Some(Place::Bit(at, bit)) => wide(at, 4) >> bit & 1,
            Some(Place::Address | Place::Bytes(..)) | None => 0,
        }
    }

    /// Write a number; `false`: it does not fit the field, or there is no such field.
    pub(crate) fn put_number(&self, raw: &mut [u8], field: &str, number: u64) -> bool {
        let (at, size, number) = match self.place(field) {
            Some(Place::Number(at, size)) => (at, size, number),
            Some(Place::Bit(at, bit)) if number <= 1 => {
                let rest =
                    raw.get(at..at + 4).and_then(<[u8]>::first_chunk).map_or(0, |word| u32::from_ne_bytes(*word));
                (at, 4, u64::from(rest & !(1 << bit)) | number << bit)
            }
            _ => return false,
        };
        let Some(place) = raw.get_mut(at..at + size) else { return false };
        let bytes = number.to_ne_bytes();
        let (kept, lost) = match cfg!(target_endian = "big") {
            true => (&bytes[8 - size..], &bytes[..8 - size]),
            false => (&bytes[..size], &bytes[size..]),
        };
        place.copy_from_slice(kept);
        lost.iter().all(|byte| *byte == 0)
    }

    /// The address at the front, a mapped one as IPv4; `None`: of neither family.
    pub(crate) fn address(&self, raw: &[u8]) -> Option<IpAddr> {
        let family = u16::from_ne_bytes(*raw.first_chunk()?);
        match family {
            AF_INET => raw.get(4..8)?.first_chunk::<4>().map(|octets| Ipv4Addr::from(*octets).into()),
            AF_INET6 => {
                let v6 = Ipv6Addr::from(*raw.get(8..24)?.first_chunk::<16>()?);
                Some(v6.to_ipv4_mapped().map_or(v6.into(), IpAddr::V4))
            }
            _ => None,
        }
    }
}

/// A `sockaddr_storage`; a family other than the address's own may be told.
pub(crate) fn put_address(raw: &mut [u8], address: IpAddr, family: Option<u16>, port: u16) {
    let (own, at, octets) = match address {
        IpAddr::V4(v4) => (AF_INET, 4, v4.octets().to_vec()),
        IpAddr::V6(v6) => (AF_INET6, 8, v6.octets().to_vec()),
    };
    let parts = [(0, family.unwrap_or(own).to_ne_bytes().to_vec()), (2, port.to_be_bytes().to_vec()), (at, octets)];
    for (at, bytes) in parts {
        if let Some(place) = raw.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(&bytes);
        }
    }
}
