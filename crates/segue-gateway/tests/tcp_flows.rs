//! TCP flows from an inside host through the gateway to real sockets of this machine.

mod common;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use common::{Net, in_own_network, in_time, noise, receive_all, send_all};
use segue_gateway::{Event, GatewayConfig, Refusal};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const MIB: usize = 1 << 20;

async fn listen(address: &str) -> (TcpListener, u16) {
    let listener = TcpListener::bind(address).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

async fn accept(listener: &TcpListener) -> TcpStream {
    in_time("accept", listener.accept()).await.unwrap().0
}

/// A server that lets connections wait unanswered until somebody accepts.
fn server_with_a_full_queue() -> (socket2::Socket, std::net::TcpStream, u16) {
    let server = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    server.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
    server.listen(0).unwrap();
    let port = server.local_addr().unwrap().as_socket().unwrap().port();
    let filling = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    (server, filling, port)
}

fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}

/// 9 MiB each way at the same time, hashed, between `inside` and `outside`.
async fn exchange(inside: segue::TcpStream, outside: TcpStream) {
    let (mut inside_reader, mut inside_writer) = tokio::io::split(inside);
    let (mut outside_reader, mut outside_writer) = tokio::io::split(outside);
    let (up, up_seen, down, down_seen) = in_time("9 MiB each way", async {
        tokio::join!(
            send_all(&mut inside_writer, noise(11, 9 * MIB)),
            receive_all(&mut outside_reader),
            send_all(&mut outside_writer, noise(12, 9 * MIB + 1)),
            receive_all(&mut inside_reader),
        )
    })
    .await;
    assert_eq!(up_seen, (9 * MIB, up), "from inside to outside");
    assert_eq!(down_seen, (9 * MIB + 1, down), "from outside to inside");
}

#[tokio::test]
async fn a_flow_to_the_gateways_address_reaches_this_machines_loopback_whole_both_ways() {
    let net = Net::new();
    let (listener, port) = listen("127.0.0.1:0").await;
    let inside = net.connect(&format!("198.18.0.1:{port}")).await.unwrap();
    exchange(inside, accept(&listener).await).await;
    net.until("the flow's end", |net| net.gateway.stats().tcp_flows == 0).await;
    let stats = net.gateway.stats();
    assert_eq!((stats.tcp_connected, stats.tcp_refused, stats.tcp_reset), (1, 0, 0));
    assert_eq!(net.events(), []);
}

#[tokio::test]
async fn a_flow_over_ipv6_reaches_this_machines_loopback_whole_both_ways() {
    let net = Net::new();
    let (listener, port) = listen("[::1]:0").await;
    let inside = net.connect(&format!("[fd53:6567:7565::1]:{port}")).await.unwrap();
    exchange(inside, accept(&listener).await).await;
}

#[tokio::test]
async fn a_flow_to_inside_loopback_nobody_listens_on_reaches_this_machines_loopback() {
    let net = Net::new();
    let (listener, port) = listen("127.0.0.1:0").await;
    let inside = net.connect(&format!("127.0.0.1:{port}")).await.unwrap();
    exchange(inside, accept(&listener).await).await;
    let (listener, port) = listen("[::1]:0").await;
    let inside = net.connect(&format!("[::1]:{port}")).await.unwrap();
    exchange(inside, accept(&listener).await).await;
}

#[tokio::test]
async fn a_client_that_half_closes_still_gets_the_answer() {
    let net = Net::new();
    let (listener, port) = listen("127.0.0.1:0").await;
    let mut inside = net.connect(&format!("198.18.0.1:{port}")).await.unwrap();
    let mut outside = accept(&listener).await;
    inside.write_all(b"question").await.unwrap();
    inside.shutdown().await.unwrap();
    let mut question = Vec::new();
    in_time("the question", outside.read_to_end(&mut question)).await.unwrap();
    assert_eq!(question, b"question");
    let (sent, seen) =
        in_time("the answer", async { tokio::join!(send_all(&mut outside, noise(1, MIB)), receive_all(&mut inside)) })
            .await;
    assert_eq!(seen, (MIB, sent));
}

#[tokio::test]
async fn a_server_that_half_closes_still_gets_what_the_client_sends() {
    let net = Net::new();
    let (listener, port) = listen("127.0.0.1:0").await;
    let mut inside = net.connect(&format!("198.18.0.1:{port}")).await.unwrap();
    let mut outside = accept(&listener).await;
    outside.write_all(b"greeting").await.unwrap();
    outside.shutdown().await.unwrap();
    let mut greeting = Vec::new();
    in_time("the greeting", inside.read_to_end(&mut greeting)).await.unwrap();
    assert_eq!(greeting, b"greeting");
    let (sent, seen) =
        in_time("the upload", async { tokio::join!(send_all(&mut inside, noise(1, MIB)), receive_all(&mut outside)) })
            .await;
    assert_eq!(seen, (MIB, sent));
}

#[tokio::test]
async fn a_reset_by_the_server_is_a_reset_inside_after_the_bytes_before_it() {
    let net = Net::new();
    let (listener, port) = listen("127.0.0.1:0").await;
    let mut inside = net.connect(&format!("198.18.0.1:{port}")).await.unwrap();
    let mut outside = accept(&listener).await;
    // Closing with unread bytes makes the kernel send a reset after the answer.
    inside.write_all(b"never read whole").await.unwrap();
    outside.read_exact(&mut [0]).await.unwrap();
    let answer = noise(3, 50_000);
    outside.write_all(&answer).await.unwrap();
    drop(outside);
    let mut seen = Vec::new();
    let error = in_time("the reset", inside.read_to_end(&mut seen)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(seen == answer, "{} of {} bytes", seen.len(), answer.len());
    net.until("the event", |net| !net.events().is_empty()).await;
    assert!(matches!(net.events()[..], [Event::TcpReset { by_inside: false, .. }]));
}

#[tokio::test]
async fn a_reset_by_an_idle_server_reaches_a_client_that_waits() {
    let net = Net::new();
    let (listener, port) = listen("127.0.0.1:0").await;
    let mut inside = net.connect(&format!("198.18.0.1:{port}")).await.unwrap();
    reset(accept(&listener).await);
    let error = in_time("the reset", inside.read(&mut [0])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_reset_by_the_client_is_a_reset_outside() {
    let net = Net::new();
    let (listener, port) = listen("127.0.0.1:0").await;
    let mut inside = net.connect(&format!("198.18.0.1:{port}")).await.unwrap();
    let mut outside = accept(&listener).await;
    inside.write_all(b"x").await.unwrap();
    outside.read_exact(&mut [0]).await.unwrap();
    inside.abort().unwrap();
    let error = in_time("the reset", outside.read(&mut [0])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    net.until("the event", |net| !net.events().is_empty()).await;
    assert!(matches!(net.events()[..], [Event::TcpReset { by_inside: true, .. }]));
}

#[tokio::test]
async fn a_port_where_nobody_listens_refuses_inside_as_it_does_here() {
    let net = Net::new();
    let (listener, port) = listen("127.0.0.1:0").await;
    drop(listener);
    let to: SocketAddr = format!("198.18.0.1:{port}").parse().unwrap();
    let error = net.connect_to(to).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    let [Event::TcpRefused { to: told, why: Refusal::Refused, .. }] = net.events()[..] else {
        panic!("{:?}", net.events());
    };
    assert_eq!(told, to);
    // The test host serves nothing there, and nothing of this machine is asked.
    let error = net.connect("198.18.0.10:22").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(net.gateway.stats().tcp_refused, 2);
    assert_eq!(net.gateway.stats().tcp_flows, 0);
}

#[test]
fn unreachable_destinations_are_unreachable_inside_with_the_same_error() {
    let test = "unreachable_destinations_are_unreachable_inside_with_the_same_error";
    let routes = "ip route add unreachable 192.0.2.1; ip route add prohibit 192.0.2.2
                  ip -6 route add unreachable 2001:db8::1; ip -6 route add prohibit 2001:db8::2";
    if !in_own_network(test, routes) {
        return;
    }
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let net = Net::new();
        // Nothing has a route in this name space, but what was given one.
        for (to, kind, why) in [
            ("192.0.2.1:80", ErrorKind::HostUnreachable, Refusal::HostUnreachable),
            ("[2001:db8::1]:80", ErrorKind::HostUnreachable, Refusal::HostUnreachable),
            ("192.0.2.2:80", ErrorKind::HostUnreachable, Refusal::Prohibited),
            ("[2001:db8::2]:80", ErrorKind::PermissionDenied, Refusal::Prohibited),
            ("192.0.2.9:80", ErrorKind::NetworkUnreachable, Refusal::NetworkUnreachable),
            ("[2001:db8::9]:80", ErrorKind::NetworkUnreachable, Refusal::NetworkUnreachable),
        ] {
            let error = net.connect(to).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{to}: {error}");
            let last = net.events().pop();
            assert!(matches!(last, Some(Event::TcpRefused { why: told, .. }) if told == why), "{to}: {last:?}");
        }
    });
}

#[test]
fn a_server_that_never_answers_is_silence_inside_too() {
    let test = "a_server_that_never_answers_is_silence_inside_too";
    // The kernel gives up after three seconds.
    let setup = "echo 1 > /proc/sys/net/ipv4/tcp_syn_retries; echo 0 > /proc/sys/net/ipv4/tcp_syn_linear_timeouts";
    if !in_own_network(test, setup) {
        return;
    }
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let net = Net::new();
        let (_server, _filling, port) = server_with_a_full_queue();
        let to: SocketAddr = format!("198.18.0.1:{port}").parse().unwrap();
        let inside = net.inside.clone();
        let connecting = tokio::spawn(async move { segue::TcpStream::connect(&inside, to).await });
        net.until("the kernel's time-out", |net| !net.events().is_empty()).await;
        let [Event::TcpRefused { to: told, why: Refusal::TimedOut, .. }] = net.events()[..] else {
            panic!("{:?}", net.events());
        };
        assert_eq!(told, to);
        // The client hears nothing, and goes on trying for as long as it likes.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(!connecting.is_finished(), "{:?}", connecting.await);
    });
}

#[tokio::test]
async fn one_flow_more_than_allowed_is_refused_and_there_is_room_again_after_one_ends() {
    let mut config = GatewayConfig::default();
    config.max_tcp_flows = 3;
    let net = Net::with(config);
    let (listener, port) = listen("127.0.0.1:0").await;
    let to = format!("198.18.0.1:{port}");
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push((net.connect(&to).await.unwrap(), accept(&listener).await));
    }
    let error = net.connect(&to).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    let stats = net.gateway.stats();
    assert_eq!((stats.tcp_flows, stats.tcp_over_limit), (3, 1));
    assert!(matches!(net.events()[..], [Event::TcpRefused { why: Refusal::TooManyFlows, .. }]));
    drop(open.pop());
    net.until("room", |net| net.gateway.stats().tcp_flows < 3).await;
    let again = net.connect(&to).await;
    assert!(again.is_ok(), "{again:?}");
}

#[tokio::test]
async fn more_connections_at_once_than_may_be_made_at_once_all_succeed() {
    let mut config = GatewayConfig::default();
    config.max_dials = 2;
    let net = Net::with(config);
    let (listener, port) = listen("127.0.0.1:0").await;
    let serving = tokio::spawn(async move {
        let mut served = Vec::new();
        for _ in 0..50 {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"!").await.unwrap();
            served.push(stream);
        }
    });
    let to: SocketAddr = format!("198.18.0.1:{port}").parse().unwrap();
    let asking: Vec<_> = (0..50)
        .map(|_| {
            let inside = net.inside.clone();
            tokio::spawn(async move {
                let mut stream = segue::TcpStream::connect(&inside, to).await.unwrap();
                let mut one = [0];
                stream.read_exact(&mut one).await.unwrap();
                one
            })
        })
        .collect();
    for one in asking {
        assert_eq!(&in_time("an answer", one).await.unwrap(), b"!");
    }
    serving.await.unwrap();
    assert_eq!(net.gateway.stats().tcp_connected, 50);
}

#[tokio::test]
async fn a_client_is_not_answered_before_the_server_is_connected() {
    let net = Net::new();
    let (server, _filling, port) = server_with_a_full_queue();
    let to: SocketAddr = format!("198.18.0.1:{port}").parse().unwrap();
    let inside = net.inside.clone();
    let mut connecting = tokio::spawn(async move { segue::TcpStream::connect(&inside, to).await });
    let early = tokio::time::timeout(Duration::from_millis(500), &mut connecting).await;
    assert!(early.is_err(), "answered before the server did: {early:?}");
    // Room in the queue: the kernel's next SYN is answered, and so is the client's.
    drop(server.accept().unwrap());
    let stream = in_time("the connection", connecting).await.unwrap();
    assert!(stream.is_ok(), "{stream:?}");
}

#[tokio::test]
async fn a_server_that_stops_reading_stops_the_client_and_loses_nothing() {
    let net = Net::new();
    let (listener, port) = listen("127.0.0.1:0").await;
    let mut inside = net.connect(&format!("198.18.0.1:{port}")).await.unwrap();
    let mut outside = accept(&listener).await;
    let data = noise(5, 64 * MIB);
    let mut sent = 0;
    while let Ok(written) =
        tokio::time::timeout(Duration::from_millis(500), inside.write(&data[sent..(sent + MIB).min(data.len())])).await
    {
        sent += written.unwrap();
        assert!(sent < data.len(), "64 MiB went somewhere without a reader");
    }
    inside.shutdown().await.unwrap();
    let seen = in_time("the rest", receive_all(&mut outside)).await;
    assert_eq!(seen, (sent, common::sha256(&data[..sent])));
}
