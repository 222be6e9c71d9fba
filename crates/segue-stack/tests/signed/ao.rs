//! TCP-AO (RFC 5925) through `TCP_AO_ADD_KEY` and its kin.
use core::time::Duration;

use super::common::forge::{Forged, answers, ask};
use super::common::*;
use super::*;
use segue_stack::{IfaceId, Instant, Ready, SocketId};
use segue_wire::icmpv4::{Icmpv4Message, UnreachableCode};
use segue_wire::tcp::TcpFlags;
use segue_wire::{ChecksumState, Ipv4Header, Protocol};

const ADD_KEY: i32 = 38;
const DEL_KEY: i32 = 39;
const INFO: i32 = 40;
const GET_KEYS: i32 = 41;
const REPAIR: i32 = 42;
const MD5SIG: i32 = 14;
const SHA1: &str = "hmac(sha1)";
const CMAC: &str = "cmac(aes128)";

/// What goes into a `struct tcp_ao_add`.
#[derive(Clone)]
struct Key {
    peer: &'static str,
    prefix: u8,
    algorithm: &'static str,
    send: u8,
    recv: u8,
    mac_len: u8,
    flags: u8,
    bits: u32,
    master: Vec<u8>,
}

impl Key {
    fn new(peer: &'static str, send: u8, recv: u8, master: &[u8]) -> Key {
        let prefix = if peer.contains(':') { 128 } else { 32 };
        Key { peer, prefix, algorithm: SHA1, send, recv, mac_len: 0, flags: 0, bits: 0, master: master.to_vec() }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = storage(self.peer);
        bytes.extend(self.algorithm.as_bytes());
        bytes.resize(192, 0);
        bytes.extend([0; 4]);
        bytes.extend(self.bits.to_ne_bytes());
        bytes.extend([0, 0, self.prefix, self.send, self.recv, self.mac_len, self.flags, self.master.len() as u8]);
        bytes.extend(&self.master);
        bytes.resize(288, 0);
        bytes
    }
}

fn add(w: &mut World, host: usize, id: SocketId, key: &Key) -> Result<(), Errno> {
    let now = w.now;
    w.stacks[host].setsockopt(now, id, TCP, ADD_KEY, &key.bytes())
}

/// A `struct tcp_ao_info_opt`.
fn set_info(w: &mut World, host: usize, id: SocketId, bits: u32, current: u8, rnext: u8) -> Result<(), Errno> {
    let mut bytes = bits.to_ne_bytes().to_vec();
    bytes.extend([0, 0, current, rnext]);
    bytes.resize(48, 0);
    let now = w.now;
    w.stacks[host].setsockopt(now, id, TCP, INFO, &bytes)
}

/// Flags, Current_key, RNext_key, and the five counters.
fn info(w: &mut World, host: usize, id: SocketId) -> (u32, u8, u8, [u64; 5]) {
    let mut bytes = [0; 48];
    let now = w.now;
    assert_eq!(w.stacks[host].getsockopt(now, id, TCP, INFO, &mut bytes), Ok(48));
    let long = |n: usize| u64::from_ne_bytes(bytes[8 + 8 * n..16 + 8 * n].try_into().unwrap());
    (u32::from_ne_bytes(bytes[..4].try_into().unwrap()), bytes[6], bytes[7], [0, 1, 2, 3, 4].map(long))
}

/// A listener on B and a socket on A, each with these keys for the other: as A has them, with SendID and RecvID.
fn keyed(w: &mut World, six: bool, keys: &[Key]) -> (SocketId, SocketId, String) {
    let (a, b) = if six { (A6, B6) } else { (A4, B4) };
    let to = at(b, 179).to_string();
    let listener = w.listener(B, &to, 8);
    let client = if six { w.tcp6(A) } else { w.tcp(A) };
    for key in keys {
        add(w, A, client, &Key { peer: b, ..key.clone() }).unwrap();
        add(w, B, listener, &Key { peer: a, send: key.recv, recv: key.send, ..key.clone() }).unwrap();
    }
    (listener, client, to)
}

fn open(w: &mut World, six: bool, keys: &[Key]) -> (SocketId, SocketId) {
    let (listener, client, to) = keyed(w, six, keys);
    assert_eq!(w.connect(A, client, &to), Err(Errno::EINPROGRESS));
    let mut server = None;
    w.until(Duration::from_secs(60), "the connection", |w| {
        server = w.accept(B, listener).ok();
        server.is_some()
    });
    w.settle();
    w.close(B, listener);
    (client, server.unwrap().0)
}

fn one_key(six: bool) -> Key {
    Key::new(if six { B6 } else { B4 }, 61, 84, b"testvector")
}

#[test]
fn a_connection_rolls_its_keys_over_in_the_midst_of_a_transfer_over_a_bad_path() {
    for (seed, six, algorithm, flags, len) in
        [(1, false, SHA1, 0, 0), (2, true, SHA1, 2, 16), (3, false, CMAC, 0, 0), (4, true, CMAC, 2, 8)]
    {
        let wire = Wire { loss: 20, duplicate: 10, jitter: Duration::from_millis(8), ..Wire::default() };
        let mut w = World::new(wire).seeded(seed);
        w.keeps_log = true;
        let key = |send, recv, master: &[u8]| Key {
            algorithm,
            flags,
            mac_len: len,
            ..Key { send, recv, master: master.to_vec(), ..one_key(six) }
        };
        let (client, server) = open(&mut w, six, &[key(1, 2, b"the old secret")]);
        let (a, b) = if six { (A6, B6) } else { (A4, B4) };
        let mut step = 0;
        transfer(&mut w, (A, client), (B, server), 500_000, |w, got| {
            if got > 150_000 && step == 0 {
                // Both have the new key before either asks for it.
                let new = key(11, 12, b"0123456789abcdef");
                add(w, A, client, &Key { peer: b, ..new.clone() }).unwrap();
                add(w, B, server, &Key { peer: a, send: 12, recv: 11, ..new }).unwrap();
                step = 1;
            }
            if got > 250_000 && step == 1 {
                // B asks A to sign with it; RNextKeyID carries the wish, and A asks B.
                set_info(w, B, server, 2, 0, 11).unwrap();
                set_info(w, A, client, 2, 0, 12).unwrap();
                step = 2;
            }
        });
        assert_eq!(step, 2);
        w.settle();
        // The old key is of no use any more, and can go.
        let mut gone = storage(b);
        gone.resize(144, 0);
        gone[138..141].copy_from_slice(&[if six { 128 } else { 32 }, 1, 2]);
        let now = w.now;
        assert_eq!(w.stacks[A].setsockopt(now, client, TCP, DEL_KEY, &gone), Ok(()));
        transfer(&mut w, (B, server), (A, client), 200_000, |_, _| {});
        let of_a = segments(&w, A);
        let ids = |ao: &segue_wire::tcp::TcpAo| (ao.key_id, ao.rnext_key_id);
        assert_eq!(ids(&of_a[0].1.authentication.unwrap()), (1, 2));
        assert_eq!(ids(&of_a.last().unwrap().1.authentication.unwrap()), (11, 12));
        let expected = if len == 0 { 12 } else { usize::from(len) };
        for (header, options, packet) in of_a.iter().chain(&segments(&w, B)) {
            let ao = options.authentication.unwrap_or_else(|| panic!("unsigned: {header:?}"));
            assert_eq!(ao.mac.len(), expected);
            assert!(packet.len() <= 1500);
        }
        assert!(of_a.iter().any(|(_, _, packet)| packet.len() == 1500), "a full segment fills the MTU");
        for host in [A, B] {
            assert_eq!(w.counter(host, "TcpExtTCPAOBad") + w.counter(host, "TcpExtTCPAOKeyNotFound"), 0);
            assert!(w.counter(host, "TcpExtTCPAOGood") > 100);
        }
    }
}

/// The client's initial sequence number of a connection from port 5000 that is opened at this time.
fn isn_at(time: Instant) -> u32 {
    let mut w = World::new(Wire::default());
    w.keeps_log = true;
    w.now = time;
    let client = w.tcp(A);
    w.bind(A, client, &at(A4, 5000).to_string()).unwrap();
    let _ = w.connect(A, client, &at(B4, 179).to_string());
    w.pump();
    segments(&w, A)[0].0.sequence
}

#[test]
fn sequence_numbers_are_signed_in_64_bits_across_the_wrap() {
    // The clock of initial numbers ticks every four microseconds: so long until this one is just below the wrap.
    let ticks = 0u32.wrapping_sub(300_000).wrapping_sub(isn_at(Instant::ZERO));
    let time = Instant::ZERO + Duration::from_micros(4) * ticks;
    let wire = Wire { loss: 10, duplicate: 10, jitter: Duration::from_millis(8), ..Wire::default() };
    let mut w = World::new(wire).seeded(5);
    w.keeps_log = true;
    w.now = time;
    let (listener, client, to) = keyed(&mut w, false, &[one_key(false)]);
    w.bind(A, client, &at(A4, 5000).to_string()).unwrap();
    assert_eq!(w.connect(A, client, &to), Err(Errno::EINPROGRESS));
    let mut server = None;
    w.until(Duration::from_secs(60), "the connection", |w| {
        server = w.accept(B, listener).ok();
        server.is_some()
    });
    transfer(&mut w, (A, client), (B, server.unwrap().0), 900_000, |_, _| {});
    let of_a = segments(&w, A);
    assert!(of_a[0].0.sequence > u32::MAX - 400_000);
    assert!(of_a.iter().any(|(header, ..)| (1..1_000_000).contains(&header.sequence)), "it wrapped");
    assert_eq!(w.counter(B, "TcpExtTCPAOBad") + w.counter(A, "TcpExtTCPAOBad"), 0);
}

#[test]
fn without_the_right_key_there_is_no_connection_and_each_reason_is_counted() {
    let right = one_key(false);
    let wrong = Key { master: b"guessed".to_vec(), ..right.clone() };
    let other = Key { send: 7, ..right.clone() };
    let unanswerable = Key { recv: 9, ..right.clone() };
    let shorter = Key { mac_len: 8, ..right.clone() };
    for (client_key, counter) in [
        (Some(&wrong), "TcpExtTCPAOBad"),
        (Some(&shorter), "TcpExtTCPAOBad"),
        (Some(&other), "TcpExtTCPAOKeyNotFound"),
        (Some(&unanswerable), "TcpExtTCPAOKeyNotFound"),
        (None, "TcpExtTCPAORequired"),
    ] {
        let mut w = World::new(Wire::default());
        w.keeps_log = true;
        let listener = w.listener(B, &at(B4, 179).to_string(), 8);
        add(&mut w, B, listener, &Key { peer: A4, send: right.recv, recv: right.send, ..right.clone() }).unwrap();
        let client = w.tcp(A);
        client_key.map_or(Ok(()), |key| add(&mut w, A, client, key)).unwrap();
        assert_eq!(w.connect(A, client, &at(B4, 179).to_string()), Err(Errno::EINPROGRESS));
        w.settle();
        assert_eq!(w.counter(B, counter), 1, "{counter}");
        assert!(segments(&w, B).is_empty(), "{counter}: answered");
        assert_eq!(w.accept(B, listener), Err(Errno::EAGAIN));
    }
    // A signed SYN where nobody has a key.
    let mut w = World::new(Wire::default());
    w.listener(B, &at(B4, 179).to_string(), 8);
    let client = w.tcp(A);
    add(&mut w, A, client, &right).unwrap();
    assert_eq!(w.connect(A, client, &at(B4, 179).to_string()), Err(Errno::EINPROGRESS));
    w.settle();
    assert_eq!(w.counter(B, "TcpExtTCPAOKeyNotFound"), 1);
}

#[test]
fn forged_resets_and_forged_text_change_nothing() {
    let mut w = World::new(Wire::default());
    w.keeps_log = true;
    let (client, _server) = open(&mut w, false, &[one_key(false)]);
    let reset = forged(&w, TcpFlags::RST);
    let text = Forged { payload: b"evil".to_vec(), ..forged(&w, TcpFlags::ACK) };
    let mut guessed = text.clone();
    let genuine = segments(&w, B).pop().unwrap().1.authentication;
    guessed.options.authentication = genuine;
    let (now, iface): (Instant, IfaceId) = (w.now, w.ifaces[A]);
    for segment in [&reset, &text, &guessed] {
        assert!(ask(&mut w.stacks[A], iface, now, segment).is_empty());
        assert_eq!(w.read(A, client), Err(Errno::EAGAIN), "the connection lives, and read nothing");
    }
    assert_eq!((w.counter(A, "TcpExtTCPAORequired"), w.counter(A, "TcpExtTCPAOBad")), (2, 1));
    let (_, _, _, [_, bad, _, required, _]) = info(&mut w, A, client);
    assert_eq!((bad, required), (1, 2));
    // Both signatures in one segment.
    let mut both = guessed.clone();
    both.options.md5 = Some([1; 16]);
    assert!(ask(&mut w.stacks[A], iface, now, &both).is_empty());
    assert_eq!(w.counter(A, "SegueTcpBadSignatureOption"), 1);
}

#[test]
fn time_wait_answers_signed_and_ignores_what_is_not() {
    let mut w = World::new(Wire::default());
    w.keeps_log = true;
    let (client, server) = open(&mut w, false, &[one_key(false)]);
    time_wait_is_signed(&mut w, client, server, |options| options.authentication.is_some());
    // The peer took it: the FIN does not come a third time.
    assert_eq!(w.counter(B, "TcpExtTCPAOBad"), 0);
    assert_eq!(w.counter(A, "TcpExtTCPAORequired"), 1);
}

#[test]
fn cookies_are_signed_and_the_connection_they_make_is_too() {
    let mut w = by_cookies();
    w.keeps_log = true;
    let (client, server) = open(&mut w, false, &[one_key(false)]);
    assert_eq!(w.counter(B, "TcpExtSyncookiesRecv"), 1);
    transfer(&mut w, (A, client), (B, server), 50_000, |_, _| {});
    assert!(segments(&w, B).iter().all(|(_, options, _)| options.authentication.is_some()));
}

#[test]
fn a_hard_icmp_error_is_ignored_unless_the_application_accepts_them() {
    for accepts in [false, true] {
        let mut w = World::new(Wire::default());
        w.keeps_log = true;
        let (client, _server) = open(&mut w, false, &[one_key(false)]);
        set_info(&mut w, A, client, if accepts { 16 } else { 0 }, 0, 0).unwrap();
        w.write(A, client, &[7; 5000]).unwrap();
        w.pump();
        let quoted = segments(&w, A).pop().unwrap().2.to_bytes();
        let message = Icmpv4Message::DestinationUnreachable {
            code: UnreachableCode::FRAGMENTATION_NEEDED,
            next_hop_mtu: 800,
            quoted: &quoted[..48],
        };
        let mut body = vec![0; 1500];
        let len = message.emit(&mut body);
        body.truncate(len);
        let mut bytes = vec![0; 20];
        let header = Ipv4Header {
            total_length: 20 + body.len() as u16,
            protocol: Protocol::ICMPV4,
            source: "10.0.0.2".parse().unwrap(),
            destination: "10.0.0.1".parse().unwrap(),
            ..Ipv4Header::default()
        };
        header.emit(&mut bytes);
        let mut packet = Packet::from_bytes([bytes, body].concat().into());
        packet.checksum = ChecksumState::Verified;
        let (now, iface) = (w.now, w.ifaces[A]);
        w.stacks[A].on_packet(now, iface, packet);
        let dropped = u64::from(!accepts);
        assert_eq!(w.counter(A, "TcpExtTCPAODroppedIcmps"), dropped);
        assert_eq!(info(&mut w, A, client).3[4], dropped);
        let mss = w.stacks[A].tcp_info(now, client).unwrap().snd_mss;
        assert_eq!(mss < 800, accepts, "{mss}");
    }
}

#[test]
fn who_has_keys_but_none_for_the_peer_does_not_connect() {
    let mut w = World::new(Wire::default());
    let client = w.tcp(A);
    add(&mut w, A, client, &Key::new("10.0.0.9", 1, 1, b"k")).unwrap();
    assert_eq!(w.connect(A, client, &at(B4, 179).to_string()), Err(Errno::EKEYREJECTED));
    // A key that is chosen must be there.
    assert_eq!(set_info(&mut w, A, client, 1, 5, 0), Err(Errno::ENOENT));
}

#[test]
fn a_listener_that_demands_signatures_lets_nobody_in_without() {
    let mut w = World::new(Wire::default());
    let listener = w.listener(B, &at(B4, 179).to_string(), 8);
    set_info(&mut w, B, listener, 4, 0, 0).unwrap();
    let client = w.tcp(A);
    assert_eq!(w.connect(A, client, &at(B4, 179).to_string()), Err(Errno::EINPROGRESS));
    w.settle();
    assert_eq!(w.accept(B, listener), Err(Errno::EAGAIN));
    assert_eq!(w.counter(B, "TcpExtTCPAORequired"), 1);
    let mut md5 = storage(A4);
    md5.extend([0, 32, 3, 0, 0, 0, 0, 0, b'k', b'e', b'y']);
    md5.resize(216, 0);
    let now = w.now;
    assert_eq!(w.stacks[B].setsockopt(now, listener, TCP, MD5SIG, &md5), Err(Errno::EKEYREJECTED));
}

#[test]
fn what_is_no_key_is_refused_with_linuxs_number() {
    let mut w = World::new(Wire::default());
    let id = w.tcp(A);
    let key = one_key(false);
    let mut refused = |key: Key| add(&mut w, A, id, &key).unwrap_err();
    assert_eq!(refused(Key { algorithm: "hmac(rot13)", ..key.clone() }), Errno::ENOENT);
    assert_eq!(refused(Key { mac_len: 17, ..key.clone() }), Errno::EMSGSIZE);
    assert_eq!(refused(Key { flags: 4, ..key.clone() }), Errno::EINVAL);
    assert_eq!(refused(Key { bits: 8, ..key.clone() }), Errno::EINVAL);
    assert_eq!(refused(Key { prefix: 33, ..key.clone() }), Errno::EINVAL);
    assert_eq!(refused(Key { prefix: 24, ..key.clone() }), Errno::EINVAL, "bits beyond the prefix");
    assert_eq!(refused(Key { prefix: 0, ..key.clone() }), Errno::EINVAL);
    assert_eq!(refused(Key { peer: B6, ..key.clone() }), Errno::EINVAL);
    add(&mut w, A, id, &key).unwrap();
    assert_eq!(add(&mut w, A, id, &Key { send: 1, ..key.clone() }), Err(Errno::EEXIST));
    assert_eq!(add(&mut w, A, id, &Key { recv: 1, ..key.clone() }), Err(Errno::EEXIST));
    assert_eq!(add(&mut w, A, id, &Key { peer: "10.0.0.0", prefix: 24, ..key.clone() }), Err(Errno::EEXIST));
    assert_eq!(add(&mut w, A, id, &Key { peer: "10.0.1.0", prefix: 24, ..key.clone() }), Ok(()));
    let now = w.now;
    let mut set = |name, value: &[u8]| w.stacks[A].setsockopt(now, id, TCP, name, value);
    assert_eq!(set(ADD_KEY, &key.bytes()[..287]), Err(Errno::EINVAL));
    assert_eq!(set(ADD_KEY, &[&key.bytes()[..], &[0, 1]].concat()), Err(Errno::E2BIG));
    let mut long = key.bytes();
    long[207] = 81;
    assert_eq!(set(ADD_KEY, &long), Err(Errno::EINVAL));
    assert_eq!(set(REPAIR, &[0; 20]), Err(Errno::EPERM));
    assert_eq!(set(INFO, &[0; 47]), Err(Errno::EINVAL));
    assert_eq!(set(INFO, &[[0xff; 4].to_vec(), vec![0; 44]].concat()), Err(Errno::EINVAL));
    let mut md5 = storage(B4);
    md5.extend([0, 32, 3, 0, 0, 0, 0, 0, b'k', b'e', b'y']);
    md5.resize(216, 0);
    assert_eq!(set(MD5SIG, &md5), Err(Errno::EKEYREJECTED), "never both for one peer");
    let mut gone = storage(B4);
    gone.resize(144, 0);
    gone[138..141].copy_from_slice(&[32, 61, 85]);
    assert_eq!(set(DEL_KEY, &gone), Err(Errno::ENOENT));
    gone[140] = 84;
    assert_eq!(set(DEL_KEY, &gone), Ok(()));
}

#[test]
fn keys_are_read_back_as_they_were_set_and_a_key_in_use_stays() {
    let mut w = World::new(Wire::default());
    let second = Key { send: 5, recv: 6, flags: 2, algorithm: CMAC, mac_len: 8, ..one_key(false) };
    let (client, _server) = open(&mut w, false, &[second.clone(), one_key(false)]);
    let now = w.now;
    let mut asked = vec![0; 2 * 304];
    asked[272] = 2;
    asked[276] = 4;
    assert_eq!(w.stacks[A].getsockopt(now, client, TCP, GET_KEYS, &mut asked), Ok(2 * 304));
    let (newest, older) = asked.split_at(304);
    assert_eq!(newest[..8], storage(B4)[..8]);
    assert_eq!(&newest[128..138], SHA1.as_bytes());
    assert_eq!(&newest[192..202], b"testvector");
    assert_eq!((newest[272], newest[276]), (2, 3), "two match; this one is current and next");
    assert_eq!(newest[278..284], [61, 84, 32, 12, 0, 10]);
    assert_eq!(older[278..284], [5, 6, 32, 8, 2, 10]);
    assert!(newest[288] > 0, "it verified segments");
    let (bits, current, rnext, _) = info(&mut w, A, client);
    assert_eq!((bits & 3, current, rnext), (3, 61, 84));
    let listed = w.stacks[A].sockets(now).find(|info| info.socket == Some(client)).unwrap();
    let signing = listed.signing.unwrap();
    assert_eq!((signing.ao, signing.current, signing.rnext), (vec![(61, 84), (5, 6)], Some(61), Some(84)));
    let mut in_use = storage(B4);
    in_use.resize(144, 0);
    in_use[138..141].copy_from_slice(&[32, 61, 84]);
    assert_eq!(w.stacks[A].setsockopt(now, client, TCP, DEL_KEY, &in_use), Err(Errno::EBUSY));
    assert_eq!(w.ready(A, client) & Ready::ERR, Ready::empty());
    let unkeyed = w.tcp(A);
    assert_eq!(w.stacks[A].getsockopt(now, unkeyed, TCP, INFO, &mut [0; 48]), Err(Errno::ENOENT));
    let _ = answers(&mut w.stacks[A], now);
}

#[test]
fn a_connection_that_began_without_stays_without() {
    let mut w = World::new(Wire::default());
    let (client, _) = w.connected(&at(B4, 179).to_string());
    assert_eq!(add(&mut w, A, client, &one_key(false)), Err(Errno::EISCONN));
}
