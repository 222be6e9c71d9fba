//! UDP and ping between two hosts.
mod common;

use std::io;
use std::time::Duration;

use common::*;
use segue::link::{Impairments, memory_pair};
use segue::{PingError, PingOptions, UdpSocket};

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
