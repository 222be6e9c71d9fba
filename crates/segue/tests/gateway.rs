//! What gateways are made of: any connection, any datagram, any echo request.
mod common;

use std::io;
use std::time::Duration;

use common::*;
use segue::link::memory_pair;
use segue::{Host, PingOptions, TcpListener, TcpStream, UdpSocket, Unreachable};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A host whose every packet goes to a gateway.
fn behind_a_gateway(seed: u64) -> (Host, Host) {
    let (inside, outside) = memory_pair(1500, 256);
    let host = builder_a(seed).link(inside).default_route().spawn().unwrap();
    let gateway = builder_b(seed).link(outside).default_route().accept_any(true).spawn().unwrap();
    (host, gateway)
}

const FAR4: &str = "203.0.113.7";
const FAR6: &str = "2001:db8::7";

#[tokio::test]
async fn every_connection_reaches_the_gateway_with_its_real_destination() {
    let (host, gateway) = behind_a_gateway(1);
    let listener = gateway.listen_any().unwrap();
    within(async {
        for far in [FAR4, FAR6] {
            let connecting = tokio::spawn({
                let host = host.clone();
                async move { TcpStream::connect(&host, at(far, 443)).await.unwrap() }
            });
            let incoming = listener.next().await.unwrap();
            assert_eq!(incoming.local, at(far, 443));
            // Undecided: the handshake waits for the gateway.
            tokio::time::sleep(Duration::from_millis(5)).await;
            assert!(!connecting.is_finished());
            let mut served = incoming.accept().await.unwrap();
            assert_eq!(served.local_addr().unwrap(), at(far, 443));
            let mut client = connecting.await.unwrap();
            assert_eq!(client.local_addr().unwrap(), served.peer_addr().unwrap());
            client.write_all(b"through").await.unwrap();
            drop(client);
            let mut text = String::new();
            served.read_to_string(&mut text).await.unwrap();
            assert_eq!(text, "through");
        }
    })
    .await;
}

#[tokio::test]
async fn a_hundred_connections_are_accepted_out_of_order_and_find_their_owners() {
    let (host, gateway) = behind_a_gateway(2);
    let listener = gateway.listen_any().unwrap();
    within(async {
        let clients: Vec<_> = (0..100u16)
            .map(|number| {
                let host = host.clone();
                tokio::spawn(async move {
                    let mut stream = TcpStream::connect(&host, at(FAR4, 1000 + number)).await.unwrap();
                    let mut port = [0; 2];
                    stream.read_exact(&mut port).await.unwrap();
                    assert_eq!(u16::from_be_bytes(port), 1000 + number);
                })
            })
            .collect();
        let mut all = Vec::new();
        for _ in 0..100 {
            all.push(listener.next().await.unwrap());
        }
        for incoming in all.into_iter().rev() {
            tokio::spawn(async move {
                let mut stream = incoming.accept().await.unwrap();
                let port = stream.local_addr().unwrap().port();
                stream.write_all(&port.to_be_bytes()).await.unwrap();
            });
        }
        for client in clients {
            client.await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn refusals_reach_the_peer_as_what_they_are() {
    let (host, gateway) = behind_a_gateway(3);
    let listener = gateway.listen_any().unwrap();
    within(async {
        let attempt = |far: &'static str| {
            let host = host.clone();
            tokio::spawn(async move { TcpStream::connect(&host, at(far, 80)).await.unwrap_err().kind() })
        };
        let refused = attempt(FAR4);
        listener.next().await.unwrap().reset();
        assert_eq!(refused.await.unwrap(), io::ErrorKind::ConnectionRefused);
        let dropped = attempt(FAR6);
        drop(listener.next().await.unwrap());
        assert_eq!(dropped.await.unwrap(), io::ErrorKind::ConnectionRefused);
        for (why, kind) in [
            (Unreachable::Host, io::ErrorKind::HostUnreachable),
            (Unreachable::Network, io::ErrorKind::NetworkUnreachable),
            (Unreachable::Port, io::ErrorKind::ConnectionRefused),
        ] {
            let unreachable = attempt(FAR4);
            listener.next().await.unwrap().unreachable(why);
            assert_eq!(unreachable.await.unwrap(), kind);
        }
        let silence = attempt(FAR4);
        listener.next().await.unwrap().ignore();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!silence.is_finished());
        silence.abort();
    })
    .await;
}

#[tokio::test]
async fn accepting_a_connection_that_was_given_up_fails() {
    let (host, gateway) = behind_a_gateway(4);
    let listener = gateway.listen_any().unwrap();
    within(async {
        let connecting = tokio::spawn({
            let host = host.clone();
            async move { TcpStream::connect(&host, at(FAR4, 80)).await.map(drop) }
        });
        let incoming = listener.next().await.unwrap();
        connecting.abort();
        assert!(connecting.await.unwrap_err().is_cancelled());
        // Its SYN-ACK meets nobody, and is reset.
        assert_eq!(incoming.accept().await.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        assert_eq!(open_sockets(&gateway), 1, "the listener alone");
    })
    .await;
}

#[tokio::test]
async fn a_listener_of_the_host_comes_before_the_gateway() {
    let (host, gateway) = behind_a_gateway(5);
    let any = gateway.listen_any().unwrap();
    let own = TcpListener::bind(&gateway, at(B4, 80)).await.unwrap();
    within(async {
        let (connected, accepted) = tokio::join!(TcpStream::connect(&host, at(B4, 80)), own.accept());
        assert_eq!(connected.unwrap().local_addr().unwrap(), accepted.unwrap().1);
        assert!(tokio::time::timeout(Duration::from_millis(5), any.next()).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn datagrams_to_anywhere_are_answered_from_there() {
    let (host, gateway) = behind_a_gateway(6);
    let any = gateway.any_udp().unwrap();
    within(async {
        for (own, far) in [(A4, FAR4), (A6, FAR6)] {
            let socket = UdpSocket::bind(&host, at(own, 1000)).await.unwrap();
            socket.connect(at(far, 53)).await.unwrap();
            socket.send(b"where?").await.unwrap();
            let query = any.recv().await.unwrap();
            assert_eq!((&query.data[..], query.from, query.to), (&b"where?"[..], at(own, 1000), at(far, 53)));
            any.send(b"here", query.to, query.from).await.unwrap();
            let mut buffer = [0; 8];
            assert_eq!(socket.recv(&mut buffer).await.unwrap(), 4);
        }
    })
    .await;
}

#[tokio::test]
async fn pings_to_anywhere_are_answered_by_the_gateway() {
    let (host, gateway) = behind_a_gateway(7);
    let any = gateway.any_icmp().unwrap();
    within(async {
        for far in [FAR4, FAR6] {
            let pinging = tokio::spawn({
                let host = host.clone();
                let options = PingOptions { sequence: 42, ..Default::default() };
                async move { host.ping(far.parse().unwrap(), options).await }
            });
            let request = any.recv().await.unwrap();
            assert_eq!(request.to.ip().to_string(), far);
            assert_eq!(&request.message[6..8], 42u16.to_be_bytes());
            any.reply(&request).await.unwrap();
            assert_eq!(pinging.await.unwrap().unwrap().from.to_string(), far);
        }
    })
    .await;
}

#[tokio::test]
async fn only_gateways_may_take_everything() {
    let (host, _gateway) = behind_a_gateway(8);
    let error = host.listen_any().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert!(error.to_string().contains("accept_any(true)"), "{error}");
    let alone = Host::builder().seed(9).spawn().unwrap();
    assert!(alone.any_udp().unwrap_err().to_string().contains("link"));
}
