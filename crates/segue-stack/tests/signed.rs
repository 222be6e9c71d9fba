//! Signed segments: TCP MD5 and TCP-AO between two hosts, and what strangers can do about it.
#[path = "signed/ao.rs"]
mod ao;
#[path = "common/mod.rs"]
mod common;
#[path = "signed/md5.rs"]
mod md5;

use core::time::Duration;

use common::forge::{Forged, ask};
use common::*;
use segue_stack::{Errno, Packet, Shutdown, SocketId};
use segue_wire::tcp::{TcpFlags, TcpHeader, TcpOptions};

/// `IPPROTO_TCP`.
const TCP: i32 = 6;

/// A `struct sockaddr_storage` with this address.
fn storage(peer: &str) -> Vec<u8> {
    let mut bytes = match ip(peer) {
        std::net::IpAddr::V4(v4) => [&2u16.to_ne_bytes()[..], &[0, 0], &v4.octets()].concat(),
        std::net::IpAddr::V6(v6) => [&10u16.to_ne_bytes()[..], &[0; 6], &v6.octets()].concat(),
    };
    bytes.resize(128, 0);
    bytes
}

/// Header and options of every segment that host `from` has put on the wire.
fn segments(w: &World, from: usize) -> Vec<(TcpHeader, TcpOptions, Packet)> {
    let packets = w.log.iter().filter(|(_, host, _)| *host == from);
    packets
        .map(|(_, _, packet)| {
            let at = if packet.head()[0] >> 4 == 4 { 20 } else { 40 };
            let (header, options, _) = TcpHeader::parse(&packet.head()[at..]).unwrap();
            (header, TcpOptions::parse(options), packet.clone())
        })
        .collect()
}

/// A stream of bytes that no misplaced piece can pass for.
fn pattern(offset: usize, len: usize) -> Vec<u8> {
    (offset..offset + len).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect()
}

/// Sends `len` bytes one way and the end of the stream; `at` is called with the number of bytes that have arrived.
fn transfer(
    w: &mut World,
    from: (usize, SocketId),
    to: (usize, SocketId),
    len: usize,
    mut at: impl FnMut(&mut World, usize),
) {
    let (mut sent, mut got, mut is_shut) = (0, 0, false);
    let limit = w.now + Duration::from_secs(600);
    loop {
        while sent < len {
            match w.write(from.0, from.1, &pattern(sent, (len - sent).min(20_000))) {
                Ok(n) => sent += n,
                Err(Errno::EAGAIN) => break,
                Err(error) => panic!("seed {}: {error}", w.seed),
            }
        }
        if sent == len && !std::mem::replace(&mut is_shut, true) {
            w.stacks[from.0].shutdown(w.now, from.1, Shutdown::Write).unwrap();
        }
        loop {
            match w.read(to.0, to.1) {
                Ok(data) if data.is_empty() => return assert_eq!(got, len, "seed {}", w.seed),
                Ok(data) => {
                    assert!(data == pattern(got, data.len()), "seed {}: other bytes at {got}", w.seed);
                    got += data.len();
                    at(w, got);
                }
                Err(Errno::EAGAIN) => break,
                Err(error) => panic!("seed {}: {error}", w.seed),
            }
        }
        assert!(w.step(limit), "seed {}: {got} of {len} bytes at {:?}", w.seed, w.now);
    }
}

/// A segment that would fit into the client's connection exactly, from somebody who has seen everything but the key.
fn forged(w: &World, flags: TcpFlags) -> Forged {
    let (last, _, _) = segments(w, A).pop().unwrap();
    let (from, to) = (at(B4, last.destination_port), at(A4, last.source_port));
    let (sequence, acknowledgment) = (last.acknowledgment, last.sequence);
    Forged { from, to, flags, sequence, acknowledgment, options: TcpOptions::default(), payload: Vec::new() }
}

/// Hosts of which B makes every connection by a cookie.
fn by_cookies() -> World {
    World::with(Wire::default(), |host, config, _| {
        if host == B {
            config.ip.syncookies = 2;
        }
    })
}

/// A's end is in TIME-WAIT when its last acknowledgment is lost: the FIN that comes again is acknowledged again, signed,
/// and one that is not signed gets no answer.
fn time_wait_is_signed(w: &mut World, client: SocketId, server: SocketId, is_signed: impl Fn(&TcpOptions) -> bool) {
    w.close(A, client);
    w.settle();
    w.close(B, server);
    w.pump();
    w.run(Duration::from_millis(11));
    w.lose_everything();
    let before = segments(w, A).len();
    w.run(Duration::from_secs(2));
    let answers = segments(w, A)[before..].to_vec();
    assert!(!answers.is_empty());
    assert!(answers.iter().all(|(_, options, _)| is_signed(options)));
    assert_eq!(w.stacks[A].counters().by_name("TcpExtTW"), Some(1));
    let fin = forged(w, TcpFlags::FIN | TcpFlags::ACK);
    let (now, iface) = (w.now, w.ifaces[A]);
    assert!(ask(&mut w.stacks[A], iface, now, &fin).is_empty());
}
