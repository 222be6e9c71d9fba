//! UDP and ping between two hosts.
mod common;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use common::*;
use segue::link::{Impairments, Link, memory_pair};
use segue::{Errno, PingError, PingOptions, UdpSocket};
use segue_wire::icmpv4::{TimeExceededCode, UnreachableCode};
use segue_wire::{Icmpv4Message, Icmpv6Message, IpView, Ipv4Header, Ipv6Header, Packet, Protocol, icmpv6, ipv4, ipv6};

#[tokio::test]
async fn datagrams_keep_their_boundaries_and_their_sender() {
    let (a, b) = pair(1);
    within(async {
        for (from, to) in [(A4, B4), (A6, B6)] {
            let sender = UdpSocket::bind(&a, at(from, 1000)).await.unwrap();
            let receiver = UdpSocket::bind(&b, at(to, 2000)).await.unwrap();
            for size in [0, 1, 1000, 1472, 9000] {
                // The largest one is fragmented on the way and put together again.
                let data = Stream::bytes(size as u64, size);
                assert_eq!(sender.send_to(&data, at(to, 2000)).await.unwrap(), size);
                let mut buffer = vec![0; 65_536];
                let (count, peer) = receiver.recv_from(&mut buffer).await.unwrap();
                assert_eq!((count, peer), (size, at(from, 1000)));
                assert_eq!(&buffer[..count], data);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_connected_socket_hears_only_its_peer() {
    let (a, b) = pair(2);
    within(async {
        let receiver = UdpSocket::bind(&b, at(B4, 2000)).await.unwrap();
        let friend = UdpSocket::bind(&a, at(A4, 1000)).await.unwrap();
        let stranger = UdpSocket::bind(&a, at(A4, 1001)).await.unwrap();
        receiver.connect(at(A4, 1000)).await.unwrap();
        assert_eq!(receiver.peer_addr().unwrap(), at(A4, 1000));
        stranger.send_to(b"no", at(B4, 2000)).await.unwrap();
        friend.send_to(b"yes", at(B4, 2000)).await.unwrap();
        let mut buffer = [0; 8];
        assert_eq!(receiver.recv(&mut buffer).await.unwrap(), 3);
        assert_eq!(receiver.send(b"thanks").await.unwrap(), 6);
        assert_eq!(friend.peek_from(&mut buffer).await.unwrap(), (6, at(B4, 2000)));
        assert_eq!(friend.recv_from(&mut buffer).await.unwrap(), (6, at(B4, 2000)));
        assert_eq!(friend.try_recv(&mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    })
    .await;
}

#[tokio::test]
async fn a_connected_socket_is_told_that_nobody_listens() {
    let (a, _b) = pair(3);
    within(async {
        for (from, to) in [(A4, B4), (A6, B6)] {
            let socket = UdpSocket::bind(&a, at(from, 0)).await.unwrap();
            socket.connect(at(to, 9)).await.unwrap();
            socket.send(b"anybody?").await.unwrap();
            let error = socket.recv(&mut [0; 8]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        }
    })
    .await;
}

#[tokio::test]
async fn a_cut_datagram_says_how_long_it_was() {
    let (a, b) = pair(4);
    within(async {
        let receiver = UdpSocket::bind(&b, at(B4, 2000)).await.unwrap();
        let sender = UdpSocket::bind(&a, at(A4, 0)).await.unwrap();
        sender.set_ttl(9).unwrap();
        sender.send_to(&[7; 100], at(B4, 2000)).await.unwrap();
        let received = receiver.recv_msg(&mut [0; 10]).await.unwrap();
        assert_eq!((received.len, received.full_len, received.ttl), (10, 100, 9));
        assert_eq!(received.to, at(B4, 2000));
    })
    .await;
}

#[tokio::test]
async fn ping_measures_the_round_trip() {
    let delay = Duration::from_millis(2);
    let (a, _b) = path(5, Impairments { delay, ..Default::default() });
    for (index, address) in [B4, B6].into_iter().enumerate() {
        let options = PingOptions { size: 100, sequence: index as u16, ..Default::default() };
        let reply = within(a.ping(address.parse().unwrap(), options)).await.unwrap();
        assert_eq!(reply.from.to_string(), address);
        assert_eq!((reply.bytes, reply.ttl), (108, 64));
        assert!(reply.rtt >= 2 * delay, "{:?}", reply.rtt);
    }
    assert_eq!(open_sockets(&a), 0);
}

#[tokio::test]
async fn ping_reaches_this_hosts_own_addresses() {
    let (a, _b) = pair(6);
    for address in ["127.0.0.1", "::1", A4, A6] {
        let reply = within(a.ping(address.parse().unwrap(), PingOptions::default())).await.unwrap();
        assert_eq!(reply.from.to_string(), address);
    }
}

#[tokio::test]
async fn ping_gives_up_in_time() {
    let (link, _silent) = memory_pair(1500, 16);
    let a = builder_a(7).link(link).spawn().unwrap();
    let options = PingOptions { timeout: Duration::from_millis(5), ..Default::default() };
    let error = within(a.ping(B4.parse().unwrap(), options)).await.unwrap_err();
    assert!(matches!(error, PingError::TimedOut { after } if after == Duration::from_millis(5)), "{error}");
    let error = within(a.ping("192.0.2.1".parse().unwrap(), options)).await.unwrap_err();
    assert!(matches!(&error, PingError::Io(error) if error.kind() == io::ErrorKind::NetworkUnreachable), "{error}");
}

/// A router that forwards nothing and answers every packet with an ICMP or ICMPv6 error.
async fn hostile_router(mut link: impl Link, unreachable: bool) {
    let mut packets = Vec::new();
    loop {
        link.recv(segue::now(), &mut packets, 16).unwrap();
        for mut packet in packets.drain(..) {
            packet.finish_checksum();
            let quoted = packet.to_bytes();
            let view = IpView::parse(&packet).unwrap();
            let answer = match view.source {
                IpAddr::V4(to) => router_v4(to, &quoted, unreachable),
                IpAddr::V6(to) => router_v6(to, &quoted, unreachable),
            };
            link.send(segue::now(), Packet::from_bytes(answer.into())).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn router_v4(destination: Ipv4Addr, quoted: &[u8], unreachable: bool) -> Vec<u8> {
    let answer = if unreachable {
        Icmpv4Message::DestinationUnreachable { code: UnreachableCode::HOST, next_hop_mtu: 0, quoted }
    } else {
        Icmpv4Message::TimeExceeded { code: TimeExceededCode::TTL, quoted }
    };
    let header = Ipv4Header {
        total_length: (ipv4::MIN_HEADER_LEN + answer.message_len()) as u16,
        protocol: Protocol::ICMPV4,
        source: "10.0.0.99".parse().unwrap(),
        destination,
        ..Ipv4Header::default()
    };
    let mut bytes = vec![0; usize::from(header.total_length)];
    header.emit(&mut bytes);
    answer.emit(&mut bytes[ipv4::MIN_HEADER_LEN..]);
    bytes
}

fn router_v6(destination: Ipv6Addr, quoted: &[u8], unreachable: bool) -> Vec<u8> {
    let source: Ipv6Addr = "fd00::99".parse().unwrap();
    let answer = if unreachable {
        Icmpv6Message::DestinationUnreachable { code: icmpv6::UnreachableCode(3), quoted }
    } else {
        Icmpv6Message::TimeExceeded { code: icmpv6::TimeExceededCode(0), quoted }
    };
    let header = Ipv6Header {
        payload_length: answer.message_len() as u16,
        next_header: Protocol::ICMPV6,
        source,
        destination,
        ..Ipv6Header::default()
    };
    let mut bytes = vec![0; ipv6::HEADER_LEN + answer.message_len()];
    header.emit(&mut bytes);
    answer.emit(source, destination, &mut bytes[ipv6::HEADER_LEN..]);
    bytes
}

#[tokio::test]
async fn ping_says_which_router_refused_and_why() {
    for unreachable in [true, false] {
        let (link, router) = memory_pair(1500, 16);
        let a = builder_a(8).link(link).spawn().unwrap();
        let router = tokio::spawn(hostile_router(router, unreachable));
        for (to, by) in [(B4, "10.0.0.99"), (B6, "fd00::99")] {
            let options = PingOptions { ttl: Some(1), timeout: Duration::from_secs(30), ..Default::default() };
            let error = within(a.ping(to.parse().unwrap(), options)).await.unwrap_err();
            match error {
                PingError::Unreachable { from, errno: Errno::EHOSTUNREACH } if unreachable => {
                    assert_eq!(from.to_string(), by);
                }
                PingError::TimeExceeded { from } if !unreachable => assert_eq!(from.to_string(), by),
                other => panic!("{other:?}"),
            }
        }
        router.abort();
    }
}
