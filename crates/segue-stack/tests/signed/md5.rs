//! TCP MD5 (RFC 2385) through `TCP_MD5SIG`.
use core::time::Duration;

use super::common::forge::{Forged, answers, ask};
use super::common::*;
use super::*;
use segue_stack::{Ready, SocketId};
use segue_wire::tcp::TcpFlags;

const MD5SIG: i32 = 14;
const MD5SIG_EXT: i32 = 32;

/// A `struct tcp_md5sig`.
fn md5sig(peer: &str, flags: u8, prefix: u8, key: &[u8]) -> Vec<u8> {
    let mut bytes = storage(peer);
    bytes.extend([flags, prefix]);
    bytes.extend((key.len() as u16).to_ne_bytes());
    bytes.extend([0; 4]);
    bytes.extend(key);
    bytes.resize(216, 0);
    bytes
}

fn set_key(w: &mut World, host: usize, id: SocketId, peer: &str, key: &[u8]) {
    let now = w.now;
    w.stacks[host].setsockopt(now, id, TCP, MD5SIG, &md5sig(peer, 0, 0, key)).unwrap();
}

/// A listener on B with a key for A, and a socket on A with one for B.
fn keyed(w: &mut World, six: bool, server_key: &[u8], client_key: &[u8]) -> (SocketId, SocketId, String) {
    let (a, b) = if six { (A6, B6) } else { (A4, B4) };
    let to = at(b, 179).to_string();
    let listener = w.listener(B, &to, 8);
    if !server_key.is_empty() {
        set_key(w, B, listener, a, server_key);
    }
    let client = if six { w.tcp6(A) } else { w.tcp(A) };
    if !client_key.is_empty() {
        set_key(w, A, client, b, client_key);
    }
    (listener, client, to)
}

fn open(w: &mut World, six: bool) -> (SocketId, SocketId) {
    let (listener, client, to) = keyed(w, six, b"secret", b"secret");
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

#[test]
fn a_signed_connection_carries_a_stream_over_a_bad_path_and_every_segment_of_it_is_signed() {
    for (seed, six) in [(1, false), (2, true), (3, false)] {
        let wire =
            Wire { loss: 20, duplicate: 10, jitter: Duration::from_millis(8), is_super: false, ..Wire::default() };
        let mut w = World::new(wire).seeded(seed);
        w.keeps_log = true;
        let (client, server) = open(&mut w, six);
        transfer(&mut w, (A, client), (B, server), 600_000, |_, _| {});
        transfer(&mut w, (B, server), (A, client), 600_000, |_, _| {});
        w.close(A, client);
        w.close(B, server);
        w.run(Duration::from_secs(90));
        let mut largest = 0;
        for (header, options, packet) in segments(&w, A).into_iter().chain(segments(&w, B)) {
            assert!(options.md5.is_some(), "unsigned: {header:?}");
            // A SYN has no room for them, and so nobody else has any.
            assert_eq!(options.timestamps, None);
            assert!(options.sack.len() <= 2);
            largest = largest.max(packet.len());
        }
        assert_eq!(largest, 1500, "a full segment fills the MTU, signature included");
        for host in [A, B] {
            assert_eq!(w.counter(host, "TcpExtTCPMD5Failure") + w.counter(host, "TcpExtTCPMD5NotFound"), 0);
        }
    }
}

#[test]
fn the_options_of_a_signed_handshake_stand_as_linux_puts_them() {
    let mut w = World::new(Wire::default());
    w.keeps_log = true;
    let (_client, _server) = open(&mut w, false);
    let raw = |from: usize| segments(&w, from)[0].2.head()[40..].to_vec();
    for raw in [raw(A), raw(B)] {
        assert_eq!(raw[..4], [1, 1, 19, 18]);
        // MSS 1460, SACK permitted behind two NOPs, window scale behind one.
        assert_eq!(raw[20..24], [2, 4, 5, 180]);
        assert_eq!(raw[24..28], [1, 1, 4, 2]);
        assert_eq!(raw[28..31], [1, 3, 3]);
        assert_eq!(raw.len(), 32);
    }
}

#[test]
fn timestamps_stay_where_a_peer_does_without_sack_and_yield_where_it_does_not() {
    let mut w = World::with(Wire::default(), |host, config, _| {
        if host == A {
            config.tcp.sack = false;
        }
    });
    w.keeps_log = true;
    let (listener, client, to) = keyed(&mut w, false, b"k", b"k");
    assert_eq!(w.connect(A, client, &to), Err(Errno::EINPROGRESS));
    w.settle();
    w.accept(B, listener).unwrap();
    // The SYN itself has none, so there is nothing to agree to.
    assert!(segments(&w, A).iter().chain(&segments(&w, B)).all(|(_, options, _)| options.timestamps.is_none()));
}

#[test]
fn without_the_right_key_there_is_no_connection_and_each_reason_is_counted() {
    for (server, client, counter) in [
        (&b"right"[..], &b"wrong"[..], "TcpExtTCPMD5Failure"),
        (b"right", b"", "TcpExtTCPMD5NotFound"),
        (b"", b"right", "TcpExtTCPMD5Unexpected"),
    ] {
        let mut w = World::new(Wire::default());
        w.keeps_log = true;
        let (listener, client, to) = keyed(&mut w, false, server, client);
        assert_eq!(w.connect(A, client, &to), Err(Errno::EINPROGRESS));
        w.settle();
        assert_eq!(w.counter(B, counter), 1, "{counter}");
        assert!(segments(&w, B).is_empty(), "{counter}: answered");
        assert_eq!(w.accept(B, listener), Err(Errno::EAGAIN));
        w.until(Duration::from_secs(200), "the attempt ends", |w| w.ready(A, client).contains(Ready::ERR));
        assert_eq!(w.read(A, client), Err(Errno::ETIMEDOUT));
    }
}

#[test]
fn a_signed_connection_survives_forged_resets_which_end_an_unsigned_one() {
    let mut w = World::new(Wire::default());
    w.keeps_log = true;
    let (client, _server) = open(&mut w, false);
    let unsigned = forged(&w, TcpFlags::RST);
    let mut guessed = unsigned.clone();
    guessed.options.md5 = Some([7; 16]);
    let (now, iface) = (w.now, w.ifaces[A]);
    for (reset, counter) in [(&unsigned, "TcpExtTCPMD5NotFound"), (&guessed, "TcpExtTCPMD5Failure")] {
        assert!(ask(&mut w.stacks[A], iface, now, reset).is_empty());
        assert_eq!(w.counter(A, counter), 1);
        assert_eq!(w.read(A, client), Err(Errno::EAGAIN), "the connection lives");
    }

    let mut w = World::new(Wire::default());
    w.keeps_log = true;
    let (client, _server) = w.connected(&at(B4, 179).to_string());
    let unsigned = forged(&w, TcpFlags::RST);
    let (now, iface) = (w.now, w.ifaces[A]);
    ask(&mut w.stacks[A], iface, now, &unsigned);
    assert_eq!(w.read(A, client), Err(Errno::ECONNRESET));
}

#[test]
fn text_without_a_signature_or_with_a_changed_byte_is_not_taken() {
    let mut w = World::new(Wire::default());
    w.keeps_log = true;
    let (client, server) = open(&mut w, false);
    let unsigned = Forged { payload: b"evil".to_vec(), ..forged(&w, TcpFlags::ACK) };
    w.write(B, server, b"good").unwrap();
    w.pump();
    let good = segments(&w, B).pop().unwrap().2;
    w.lose_everything();
    // On its way a byte of the text and the checksum were changed.
    let mut bytes = good.to_bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    let mut changed = Packet::from_bytes(bytes.into());
    changed.checksum = segue_wire::ChecksumState::Verified;
    let (now, iface) = (w.now, w.ifaces[A]);
    ask(&mut w.stacks[A], iface, now, &unsigned);
    w.stacks[A].on_packet(now, iface, changed);
    assert!(answers(&mut w.stacks[A], now).is_empty());
    assert_eq!((w.counter(A, "TcpExtTCPMD5NotFound"), w.counter(A, "TcpExtTCPMD5Failure")), (1, 1));
    assert_eq!(w.read(A, client), Err(Errno::EAGAIN));
    w.stacks[A].on_packet(now, iface, good);
    assert_eq!(w.read(A, client), Ok(b"good".to_vec()));
}

#[test]
fn time_wait_answers_signed_and_ignores_what_is_not() {
    let mut w = World::new(Wire::default());
    w.keeps_log = true;
    let (client, server) = open(&mut w, false);
    time_wait_is_signed(&mut w, client, server, |options| options.md5.is_some());
    assert_eq!(w.counter(A, "TcpExtTCPMD5NotFound"), 1);
}

#[test]
fn cookies_are_signed_and_the_connection_they_make_is_too() {
    let mut w = by_cookies();
    w.keeps_log = true;
    let (client, server) = open(&mut w, false);
    assert_eq!(w.counter(B, "TcpExtSyncookiesRecv"), 1);
    transfer(&mut w, (A, client), (B, server), 50_000, |_, _| {});
    assert!(segments(&w, B).iter().all(|(_, options, _)| options.md5.is_some()));
}

#[test]
fn a_restarted_speaker_that_listens_on_the_peers_port_resets_the_old_session_signed() {
    let mut w = World::new(Wire::default());
    w.keeps_log = true;
    let (client, server) = open(&mut w, false);
    // A is restarted and knows nothing of the connection, but for the listener that BGP has on either side.
    let (restarted, iface) = host(9, A4, A6, &w.wire, |_, _| {});
    (w.stacks[A], w.ifaces[A]) = (restarted, iface);
    w.write(B, server, b"hello?").unwrap();
    w.settle();
    assert_eq!(w.ready(B, server) & Ready::HUP, Ready::empty(), "nobody answers whom nobody can verify");
    let listener = w.listener(A, &at(A4, 179).to_string(), 8);
    set_key(&mut w, A, listener, B4, b"secret");
    w.run(Duration::from_secs(3));
    assert_eq!(w.read(B, server), Err(Errno::ECONNRESET));
    let _ = client;
}

#[test]
fn a_key_for_a_network_lets_each_peer_of_it_in_and_a_longer_prefix_overrides_it() {
    let mut w = World::new(Wire::default());
    let listener = w.listener(B, &at(B4, 179).to_string(), 8);
    let now = w.now;
    w.stacks[B].setsockopt(now, listener, TCP, MD5SIG_EXT, &md5sig("10.0.0.0", 1, 24, b"all")).unwrap();
    let client = w.tcp(A);
    set_key(&mut w, A, client, B4, b"all");
    assert_eq!(w.connect(A, client, &at(B4, 179).to_string()), Err(Errno::EINPROGRESS));
    w.settle();
    let (server, _) = w.accept(B, listener).unwrap();
    set_key(&mut w, B, listener, A4, b"special");
    // The connection keeps the key it began with; a new one needs the other.
    w.write(B, server, b"still here").unwrap();
    w.settle();
    assert_eq!(w.read(A, client), Ok(b"still here".to_vec()));
    let second = w.tcp(A);
    set_key(&mut w, A, second, B4, b"all");
    assert_eq!(w.connect(A, second, &at(B4, 179).to_string()), Err(Errno::EINPROGRESS));
    w.settle();
    assert_eq!(w.accept(B, listener), Err(Errno::EAGAIN));
    assert_eq!(w.counter(B, "TcpExtTCPMD5Failure"), 1);
}

#[test]
fn a_key_that_is_set_on_an_open_connection_signs_from_then_on_and_leaves_room() {
    let mut w = World::new(Wire::default());
    w.keeps_log = true;
    let (client, server) = w.connected(&at(B4, 179).to_string());
    set_key(&mut w, A, client, B4, b"late");
    set_key(&mut w, B, server, A4, b"late");
    w.log.clear();
    transfer(&mut w, (A, client), (B, server), 100_000, |_, _| {});
    for (_, options, packet) in segments(&w, A).iter().chain(&segments(&w, B)) {
        assert!(options.md5.is_some());
        assert!(packet.len() <= 1500);
    }
    assert_eq!(w.counter(B, "TcpExtTCPMD5NotFound"), 0);
}

#[test]
fn what_is_no_key_is_refused_with_linuxs_number() {
    let mut w = World::new(Wire::default());
    let (four, six) = (w.tcp(A), w.tcp6(A));
    let now = w.now;
    let mut set = |id, name, value: &[u8]| w.stacks[A].setsockopt(now, id, TCP, name, value);
    let good = md5sig(B4, 0, 0, b"key");
    assert_eq!(set(four, MD5SIG, &good), Ok(()));
    assert_eq!(set(four, MD5SIG, &good[..215]), Err(Errno::EINVAL));
    assert_eq!(set(four, MD5SIG, &[]), Err(Errno::EINVAL));
    assert_eq!(set(four, MD5SIG, &md5sig(B6, 0, 0, b"key")), Err(Errno::EINVAL));
    assert_eq!(set(six, MD5SIG, &good), Err(Errno::EINVAL));
    assert_eq!(set(six, MD5SIG, &md5sig("::ffff:10.0.0.2", 0, 0, b"key")), Ok(()));
    assert_eq!(set(six, MD5SIG_EXT, &md5sig("::ffff:10.0.0.0", 1, 33, b"key")), Err(Errno::EINVAL));
    assert_eq!(set(four, MD5SIG_EXT, &md5sig("10.0.0.0", 1, 33, b"key")), Err(Errno::EINVAL));
    // Without the flag the prefix says nothing.
    assert_eq!(set(four, MD5SIG, &md5sig("10.0.0.9", 1, 33, b"key")), Ok(()));
    assert_eq!(set(six, MD5SIG_EXT, &md5sig("fd00::", 1, 129, b"key")), Err(Errno::EINVAL));
    let mut long = good.clone();
    long[130..132].copy_from_slice(&81u16.to_ne_bytes());
    assert_eq!(set(four, MD5SIG, &long), Err(Errno::EINVAL));
    let mut vrf = md5sig(B4, 2, 0, b"key");
    vrf[132..136].copy_from_slice(&1i32.to_ne_bytes());
    assert_eq!(set(four, MD5SIG_EXT, &vrf), Err(Errno::EINVAL));
    // No key means: take it away.
    assert_eq!(set(four, MD5SIG, &md5sig(B4, 0, 0, b"")), Ok(()));
    assert_eq!(set(four, MD5SIG, &md5sig(B4, 0, 0, b"")), Err(Errno::ENOENT));
    assert_eq!(w.stacks[A].getsockopt(now, four, TCP, MD5SIG, &mut [0; 216]), Err(Errno::ENOPROTOOPT));
}
