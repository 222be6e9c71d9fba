//! The keys that a script has given a socket: what its peer, which the script plays, signs and verifies with.
//!
//! Decides what a setsockopt() that succeeded changes, whatever form the script gave it in, and which key is whose.
use std::net::IpAddr;

use segue_stack::Cidr;
use segue_tcp::{AoAlgorithm, AoKey};

use crate::structure::{
    AO_ADD, AO_DELETE, Layout, MD5_KEY, Place, SOL_TCP, TCP_AO_ADD_KEY, TCP_AO_DEL_KEY, TCP_MD5SIG, TCP_MD5SIG_EXT,
};

/// `TCP_MD5SIG_FLAG_PREFIX`, `TCP_AO_KEYF_EXCLUDE_OPT`, and the MAC of RFC 5926.
const MD5_HAS_PREFIX: u64 = 1;
const AO_EXCLUDES_OPTIONS: u64 = 2;
const AO_DEFAULT_MAC: u8 = 12;

/// What setsockopt() does to the keys.
#[derive(Clone, Debug)]
pub(crate) enum KeyChange {
    SetMd5(Cidr, Vec<u8>),
    RemoveMd5(Cidr),
    AddAo(Cidr, AoKey),
    /// By SendID and RecvID.
    RemoveAo(Cidr, u8, u8),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    md5: Vec<(Cidr, Vec<u8>)>,
    ao: Vec<(Cidr, AoKey)>,
}

impl KeyChange {
    /// What an option does to the keys if the host takes it; `None`: nothing.
    pub(crate) fn of_option(level: i32, name: i32, raw: &[u8]) -> Option<KeyChange> {
        if level != SOL_TCP {
            return None;
        }
        match name {
            TCP_MD5SIG | TCP_MD5SIG_EXT => {
                let has_prefix = name == TCP_MD5SIG_EXT && MD5_KEY.number(raw, "tcpm_flags") & MD5_HAS_PREFIX != 0;
                let prefix = has_prefix.then(|| MD5_KEY.number(raw, "tcpm_prefixlen") as u8);
                let network = network(&MD5_KEY, raw, prefix)?;
                let key = key(&MD5_KEY, raw, "tcpm_key", "tcpm_keylen")?;
                Some(if key.is_empty() { KeyChange::RemoveMd5(network) } else { KeyChange::SetMd5(network, key) })
            }
            TCP_AO_ADD_KEY => {
                let byte = |field| AO_ADD.number(raw, field) as u8;
                let Some(Place::Bytes(at, room)) = AO_ADD.place("alg_name") else { return None };
                let name = raw.get(at..at + room)?.split(|byte| *byte == 0).next()?;
                let key = AoKey {
                    send_id: byte("sndid"),
                    recv_id: byte("rcvid"),
                    algorithm: AoAlgorithm::from_name(std::str::from_utf8(name).ok()?)?,
                    mac_len: if byte("maclen") == 0 { AO_DEFAULT_MAC } else { byte("maclen") },
                    covers_options: AO_ADD.number(raw, "keyflags") & AO_EXCLUDES_OPTIONS == 0,
                    master: key(&AO_ADD, raw, "key", "keylen")?.into(),
                };
                Some(KeyChange::AddAo(network(&AO_ADD, raw, Some(byte("prefix")))?, key))
            }
            TCP_AO_DEL_KEY => {
                let byte = |field| AO_DELETE.number(raw, field) as u8;
                let network = network(&AO_DELETE, raw, Some(byte("prefix")))?;
                Some(KeyChange::RemoveAo(network, byte("sndid"), byte("rcvid")))
            }
            _ => None,
        }
    }
}

fn network(layout: &Layout, raw: &[u8], prefix: Option<u8>) -> Option<Cidr> {
    let address = layout.address(raw)?;
    let prefix = prefix.unwrap_or(if address.is_ipv4() { 32 } else { 128 });
    Some(Cidr::new(address, prefix).ok()?.network())
}

fn key(layout: &Layout, raw: &[u8], key: &str, length: &str) -> Option<Vec<u8>> {
    let Some(Place::Bytes(at, room)) = layout.place(key) else { return None };
    let length = usize::try_from(layout.number(raw, length)).ok().filter(|length| *length <= room)?;
    raw.get(at..at + length).map(<[u8]>::to_vec)
}

impl Keys {
    pub(crate) fn apply(&mut self, change: KeyChange) {
        match change {
            KeyChange::SetMd5(network, secret) => {
                self.md5.retain(|(known, _)| *known != network);
                self.md5.push((network, secret));
            }
            KeyChange::RemoveMd5(network) => self.md5.retain(|(known, _)| *known != network),
            KeyChange::AddAo(network, key) => self.ao.push((network, key)),
            KeyChange::RemoveAo(network, send, recv) => {
                self.ao.retain(|(known, key)| (*known, key.send_id, key.recv_id) != (network, send, recv));
            }
        }
    }

    /// The MD5 key for a peer: that of the longest prefix.
    pub(super) fn md5(&self, peer: IpAddr) -> Option<&[u8]> {
        let matching = self.md5.iter().filter(|(network, _)| network.contains(peer));
        matching.max_by_key(|(network, _)| network.prefix()).map(|(_, secret)| secret.as_slice())
    }

    /// The TCP-AO key for a peer that signs what the socket sends with this SendID.
    pub(super) fn ao_sending(&self, peer: IpAddr, send_id: u8) -> Option<&AoKey> {
        self.ao_of(peer).find(|key| key.send_id == send_id)
    }

    /// The TCP-AO key for a peer that verifies what the socket is sent with this RecvID.
    pub(super) fn ao_receiving(&self, peer: IpAddr, recv_id: u8) -> Option<&AoKey> {
        self.ao_of(peer).find(|key| key.recv_id == recv_id)
    }

    fn ao_of(&self, peer: IpAddr) -> impl Iterator<Item = &AoKey> {
        self.ao.iter().filter(move |(network, _)| network.contains(peer)).map(|(_, key)| key)
    }
}
