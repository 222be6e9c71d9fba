//! `TCP_AO_ADD_KEY`, `TCP_AO_DEL_KEY`, `TCP_AO_INFO`, `TCP_AO_GET_KEYS` with Linux's structures and error numbers.
//!
//! Decides what a structure must say. What keys do is `tcp/auth`'s. There are no VRFs here: an interface is refused.
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use segue_tcp::{AoAlgorithm, AoKey, Instant, State};

use super::OptionValue;
use super::md5::peer_at;
use super::multicast::STORAGE;
use super::numbers::tcp;
use crate::stack::{Result, Stack};
use crate::tcp::auth::{Ao, AoCounters, AoEntry, Keys};
use crate::tcp::stream::Role;
use crate::{Cidr, Domain, Errno, SocketId};

const MAX_KEY: usize = 80;
const NAME: usize = 64;
/// `struct tcp_ao_add`, `tcp_ao_del`, `tcp_ao_info_opt`, `tcp_ao_getsockopt`.
const ADD_LEN: usize = 288;
const DEL_LEN: usize = 144;
const INFO_LEN: usize = 48;
const GET_LEN: usize = 304;
const FLAG_IFINDEX: u8 = 1;
const FLAG_EXCLUDE_OPTIONS: u8 = 2;
/// RFC 5926 section 2.2: a MAC of 96 bits, where nothing else is said.
const DEFAULT_MAC: u8 = 12;
/// As Linux: beside MSS, timestamps and window scale a SYN has this much room.
const MOST_OPTION: usize = 20;

fn word(value: &[u8], at: usize) -> u32 {
    value.get(at..at + 4).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u32::from_ne_bytes(*bytes))
}

fn half(value: &[u8], at: usize) -> u16 {
    value.get(at..at + 2).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u16::from_ne_bytes(*bytes))
}

/// As Linux: shorter is refused, longer is taken if what it does not know is zero.
fn sized(value: &[u8], len: usize) -> Result<&[u8]> {
    let (known, unknown) = value.split_at_checked(len).ok_or(Errno::EINVAL)?;
    if unknown.iter().any(|byte| *byte != 0) { Err(Errno::E2BIG) } else { Ok(known) }
}

/// The peers of a structure that begins with an address; the port must be zero and the rest of the address, too.
fn network_at(value: &[u8], domain: Domain, prefix: u8) -> Result<Cidr> {
    let address = peer_at(value, domain)?;
    if half(value, 2) != 0 {
        return Err(Errno::EINVAL);
    }
    let network = Cidr::new(address, prefix).map_err(|_| Errno::EINVAL)?;
    let is_any = address.is_unspecified();
    if (prefix == 0) != is_any || network.network() != network {
        return Err(Errno::EINVAL);
    }
    Ok(network)
}

/// Flags and interface that no structure may have.
fn check_flags(flags: u8, ifindex: u32) -> Result<()> {
    if flags & !(FLAG_IFINDEX | FLAG_EXCLUDE_OPTIONS) != 0 || ifindex != 0 { Err(Errno::EINVAL) } else { Ok(()) }
}

impl Stack {
    pub(super) fn set_ao_option(&mut self, now: Instant, id: SocketId, name: i32, value: &[u8]) -> Result<()> {
        let stream = self.stream_mut(id)?;
        let is_open = stream.flow().is_some_and(|flow| flow.connection.state() != State::Closed);
        let has_ao = stream.common.rare().keys.as_ref().is_some_and(|keys| keys.ao.is_some());
        // As Linux: a connection that began without stays without.
        if is_open && !has_ao {
            return Err(Errno::EISCONN);
        }
        match name {
            tcp::AO_ADD_KEY => self.add_ao_option(id, sized(value, ADD_LEN)?)?,
            tcp::AO_DEL_KEY => self.remove_ao_key(id, sized(value, DEL_LEN)?)?,
            tcp::AO_INFO => self.set_ao_info(id, sized(value, INFO_LEN)?)?,
            _ => return Err(Errno::EPERM),
        }
        self.keys_changed(now, id)
    }

    /// Current_key and RNext_key are a connection's, not a listener's.
    fn check_choice(&mut self, id: SocketId, bits: u32) -> Result<(bool, bool)> {
        let is_listener = matches!(self.stream_mut(id)?.role, Role::Listener(_));
        if bits & 3 != 0 && is_listener { Err(Errno::EINVAL) } else { Ok((bits & 1 != 0, bits & 2 != 0)) }
    }

    fn add_ao_option(&mut self, id: SocketId, value: &[u8]) -> Result<()> {
        let bits = word(value, 196);
        let [prefix, send_id, recv_id, mac_len, flags, key_len] = [202, 203, 204, 205, 206, 207].map(|at| value[at]);
        if usize::from(key_len) > MAX_KEY || bits & !3 != 0 || half(value, 200) != 0 {
            return Err(Errno::EINVAL);
        }
        let domain = self.stream_mut(id)?.common.domain;
        let network = network_at(value, domain, prefix)?;
        check_flags(flags, word(value, 192))?;
        let (is_current, is_rnext) = self.check_choice(id, bits)?;
        let name = &value[STORAGE..STORAGE + NAME];
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        let algorithm = core::str::from_utf8(name).ok().and_then(AoAlgorithm::from_name).ok_or(Errno::ENOENT)?;
        let mac_len = if mac_len == 0 { DEFAULT_MAC } else { mac_len };
        let key = AoKey {
            send_id,
            recv_id,
            algorithm,
            mac_len,
            covers_options: flags & FLAG_EXCLUDE_OPTIONS == 0,
            master: value[208..208 + usize::from(key_len)].into(),
        };
        self.add_ao(id, network, key)?;
        let ao = self.ao_of(id)?;
        if is_current {
            ao.choose_current(send_id);
        }
        if is_rnext {
            ao.choose_rnext(recv_id);
        }
        Ok(())
    }

    /// `TCP_AO_ADD_KEY`: segments to and from the peers in `network` are signed (RFC 5925), and none is taken that is not.
    /// Before connecting or listening the socket takes any keys; a connection that uses TCP-AO takes more (for rollover).
    ///
    /// # Errors
    /// `EEXIST` (a key for these peers has one of the two numbers), `EKEYREJECTED` (they have an MD5 key), `EMSGSIZE` or
    /// `EINVAL` (the MAC is too long), `EINVAL` (a connection's peer is another), `EISCONN` (open without TCP-AO), `ENOMEM`,
    /// `EBADF`.
    pub fn add_ao_key(&mut self, now: Instant, id: SocketId, network: Cidr, key: AoKey) -> Result<()> {
        let stream = self.stream_mut(id)?;
        let is_open = stream.flow().is_some_and(|flow| flow.connection.state() != State::Closed);
        if is_open && stream.common.rare().keys.as_ref().is_none_or(|keys| keys.ao.is_none()) {
            return Err(Errno::EISCONN);
        }
        self.add_ao(id, network, key)?;
        self.keys_changed(now, id)
    }

    fn add_ao(&mut self, id: SocketId, network: Cidr, key: AoKey) -> Result<()> {
        if key.option_len() > MOST_OPTION {
            return Err(Errno::EMSGSIZE);
        }
        if usize::from(key.mac_len) > key.algorithm.output_len() || key.mac_len == 0 {
            return Err(Errno::EINVAL);
        }
        let stream = self.stream_mut(id)?;
        if stream.flow().is_some_and(|flow| !network.contains(flow.tuple.peer)) {
            return Err(Errno::EINVAL);
        }
        let keys = stream.common.rare_mut().keys.get_or_insert_with(|| Box::new(Keys::default()));
        // RFC 5925 section 1: never both.
        if keys.md5.find(network.address()).is_some() {
            return Err(Errno::EKEYREJECTED);
        }
        let ao = keys.ao.get_or_insert_with(Box::default);
        let added = ao.add(AoEntry { network, key, good: 0, bad: 0 });
        if ao.keys.is_empty() {
            keys.ao = None;
        }
        added
    }

    fn ao_of(&mut self, id: SocketId) -> Result<&mut Ao> {
        let keys = self.stream_mut(id)?.common.rare.as_mut().and_then(|rare| rare.keys.as_deref_mut());
        keys.and_then(|keys| keys.ao.as_deref_mut()).ok_or(Errno::ENOENT)
    }

    /// What `TCP_AO_DEL_KEY` and `TCP_AO_INFO` choose, by KeyID; both must be there before either counts.
    fn choose_ao_keys(&mut self, id: SocketId, current: Option<u8>, rnext: Option<u8>) -> Result<()> {
        let ao = self.ao_of(id)?;
        let known = current.is_none_or(|id| ao.keys.iter().any(|entry| entry.key.send_id == id))
            && rnext.is_none_or(|id| ao.keys.iter().any(|entry| entry.key.recv_id == id));
        if !known {
            return Err(Errno::ENOENT);
        }
        if let Some(id) = current {
            ao.choose_current(id);
        }
        if let Some(id) = rnext {
            ao.choose_rnext(id);
        }
        Ok(())
    }

    fn remove_ao_key(&mut self, id: SocketId, value: &[u8]) -> Result<()> {
        let bits = word(value, 132);
        let [prefix, send_id, recv_id, current, rnext, flags] = [138, 139, 140, 141, 142, 143].map(|at| value[at]);
        if bits & !7 != 0 || half(value, 136) != 0 {
            return Err(Errno::EINVAL);
        }
        let (is_current, is_rnext) = self.check_choice(id, bits)?;
        check_flags(flags, word(value, STORAGE))?;
        let is_listener = matches!(self.stream_mut(id)?.role, Role::Listener(_));
        let domain = self.stream_mut(id)?.common.domain;
        self.ao_of(id)?;
        // Only a listener's key may go while segments are under way.
        if bits & 4 != 0 && !is_listener {
            return Err(Errno::EINVAL);
        }
        let network = network_at(value, domain, prefix)?;
        let ao = self.ao_of(id)?;
        let matches =
            |entry: &AoEntry| entry.network == network && (entry.key.send_id, entry.key.recv_id) == (send_id, recv_id);
        let at = ao.keys.iter().position(matches).ok_or(Errno::ENOENT)?;
        let (new_current, new_rnext) = (is_current.then_some(current), is_rnext.then_some(rnext));
        if new_current == Some(send_id) || new_rnext == Some(recv_id) {
            return Err(Errno::ENOENT);
        }
        self.choose_ao_keys(id, new_current, new_rnext)?;
        let ao = self.ao_of(id)?;
        // RFC 5925 section 3.1: a key that is in use stays.
        if ao.in_use().0 == Some(send_id) || ao.in_use().1 == Some(recv_id) {
            return Err(Errno::EBUSY);
        }
        ao.keys.remove(at);
        if let Some(session) = &mut ao.session {
            session.forget_traffic_keys();
        }
        Ok(())
    }

    fn set_ao_info(&mut self, id: SocketId, value: &[u8]) -> Result<()> {
        let bits = word(value, 0);
        if bits & !0x1f != 0 || half(value, 4) != 0 {
            return Err(Errno::EINVAL);
        }
        let (is_current, is_rnext) = self.check_choice(id, bits)?;
        let (required, sets_counters, accept_icmps) = (bits & 4 != 0, bits & 8 != 0, bits & 16 != 0);
        let keys = self.stream_mut(id)?.common.rare_mut().keys.get_or_insert_with(|| Box::new(Keys::default()));
        if required && !keys.md5.is_empty() {
            return Err(Errno::EKEYREJECTED);
        }
        keys.ao.get_or_insert_with(Box::default);
        self.choose_ao_keys(id, is_current.then_some(value[6]), is_rnext.then_some(value[7]))?;
        let ao = self.ao_of(id)?;
        (ao.required, ao.accept_icmps) = (required, accept_icmps);
        if sets_counters {
            let long = |at: usize| u64::from(word(value, at)) | u64::from(word(value, at + 4)) << 32;
            ao.counters = AoCounters {
                good: long(8),
                bad: long(16),
                key_not_found: long(24),
                required: long(32),
                dropped_icmps: long(40),
            };
        }
        Ok(())
    }

    pub(super) fn get_ao_option(&mut self, id: SocketId, name: i32, value: &[u8]) -> Result<OptionValue> {
        match name {
            tcp::AO_INFO => self.get_ao_info(id).map(OptionValue::Bytes),
            tcp::AO_GET_KEYS => self.get_ao_keys(id, value).map(OptionValue::Bytes),
            // As Linux: keys are added and taken away, not read so; and nothing is taken out of the stack.
            tcp::AO_REPAIR => Err(Errno::EPERM),
            _ => Err(Errno::ENOPROTOOPT),
        }
    }

    fn get_ao_info(&mut self, id: SocketId) -> Result<Vec<u8>> {
        let ao = self.ao_of(id)?;
        let (current, rnext) = ao.in_use();
        let bits = u32::from(current.is_some())
            | u32::from(rnext.is_some()) << 1
            | u32::from(ao.required) << 2
            | u32::from(ao.accept_icmps) << 4;
        let mut out = bits.to_ne_bytes().to_vec();
        out.extend([0, 0, current.unwrap_or(0), rnext.unwrap_or(0)]);
        let AoCounters { good, bad, key_not_found, required, dropped_icmps } = ao.counters;
        for count in [good, bad, key_not_found, required, dropped_icmps] {
            out.extend(count.to_ne_bytes());
        }
        Ok(out)
    }

    /// The keys that a `struct tcp_ao_getsockopt` asks for, as many as the buffer has room for; the first says how many match.
    fn get_ao_keys(&mut self, id: SocketId, asked: &[u8]) -> Result<Vec<u8>> {
        let domain = self.stream_mut(id)?.common.domain;
        if asked.len() < GET_LEN {
            return Err(Errno::EINVAL);
        }
        let room = asked.len() / GET_LEN;
        let bits = half(asked, 276);
        let [send, recv, prefix, flags] = [278, 279, 280, 282].map(|at| asked[at]);
        if bits & !7 != 0 || word(asked, 272) == 0 || usize::try_from(word(asked, 272)).is_ok_and(|n| n > room) {
            return Err(Errno::EINVAL);
        }
        check_flags(flags, word(asked, 284))?;
        let (wants_current, wants_rnext, wants_all) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
        let names_key = !(wants_all || wants_current || wants_rnext);
        let network = if names_key && half(asked, 0) != 0 { Some(network_at(asked, domain, prefix)?) } else { None };
        let ao = self.ao_of(id)?;
        let (current, rnext) = ao.in_use();
        let matching: Vec<&AoEntry> = ao
            .keys
            .iter()
            .filter(|entry| {
                wants_all
                    || (wants_current && current == Some(entry.key.send_id))
                    || (wants_rnext && rnext == Some(entry.key.recv_id))
                    || (names_key
                        && network.is_none_or(|network| network == entry.network)
                        && (send, recv) == (entry.key.send_id, entry.key.recv_id))
            })
            .collect();
        let count = matching.len() as u32;
        let mut out = Vec::new();
        for entry in matching.into_iter().take(room) {
            out.extend(shown(entry, domain, count, (current, rnext)));
        }
        Ok(out)
    }
}

/// One key as `struct tcp_ao_getsockopt`.
fn shown(entry: &AoEntry, domain: Domain, count: u32, (current, rnext): (Option<u8>, Option<u8>)) -> Vec<u8> {
    let key = &entry.key;
    let mut out = storage(entry.network.address(), domain);
    let mut padded = |bytes: &[u8], len: usize| {
        let end = out.len() + len;
        out.extend(bytes);
        out.resize(end, 0);
    };
    padded(key.algorithm.name().as_bytes(), NAME);
    padded(&key.master, MAX_KEY);
    padded(&count.to_ne_bytes(), 4);
    let bits = u16::from(current == Some(key.send_id)) | u16::from(rnext == Some(key.recv_id)) << 1;
    padded(&bits.to_ne_bytes(), 2);
    let flags = if key.covers_options { 0 } else { FLAG_EXCLUDE_OPTIONS };
    padded(&[key.send_id, key.recv_id, entry.network.prefix(), key.mac_len, flags, key.master.len() as u8], 6);
    padded(&[0; 4], 4);
    padded(&entry.good.to_ne_bytes(), 8);
    padded(&entry.bad.to_ne_bytes(), 8);
    out
}

/// A `struct sockaddr_storage` without a port, in the socket's family.
fn storage(address: IpAddr, domain: Domain) -> Vec<u8> {
    let shown = match (address, domain) {
        (IpAddr::V4(v4), Domain::Inet6) => IpAddr::V6(v4.to_ipv6_mapped()),
        (address, _) => address,
    };
    let mut out = match SocketAddr::new(shown, 0).ip() {
        IpAddr::V4(v4) => [&2u16.to_ne_bytes()[..], &[0, 0], &Ipv4Addr::octets(&v4)].concat(),
        IpAddr::V6(v6) => [&10u16.to_ne_bytes()[..], &[0; 6], &Ipv6Addr::octets(&v6)].concat(),
    };
    out.resize(STORAGE, 0);
    out
}
