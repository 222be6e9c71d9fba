//! What is left behind: nothing. Cancelled calls, dropped hosts, hosts that end.
mod common;

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use common::*;
use segue::link::{Impairments, memory_pair};
use segue::{Host, Interface, TcpListener, TcpStream, UdpSocket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

const SHORT: Duration = Duration::from_millis(5);

#[tokio::test]
async fn a_cancelled_connect_leaves_nothing() {
    // Nobody is at the other end.
    let (link, _other) = memory_pair(1500, 64);
    let host = builder_a(1).link(link).spawn().unwrap();
    for _ in 0..20 {
        assert!(timeout(SHORT, TcpStream::connect(&host, at(B4, 80))).await.is_err());
        assert_eq!(open_sockets(&host), 0);
    }
    let left = host.with_stack(|stack, now| stack.sockets(now).count());
    assert_eq!(left, 0, "a connection that was never made needs no orphan");
}

#[tokio::test]
async fn cancelled_accepts_and_reads_lose_no_connection_and_no_byte() {
    let (a, b) = pair(2);
    let listener = TcpListener::bind(&b, at(B4, 80)).await.unwrap();
    within(async {
        for _ in 0..10 {
            assert!(timeout(SHORT, listener.accept()).await.is_err());
        }
        let mut client = TcpStream::connect(&a, at(B4, 80)).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        for _ in 0..10 {
            assert!(timeout(SHORT, server.read(&mut [0; 8])).await.is_err());
            assert!(timeout(SHORT, server.readable()).await.is_err());
            assert!(timeout(SHORT, server.peek(&mut [0; 8])).await.is_err());
        }
        client.write_all(b"whole").await.unwrap();
        drop(client);
        let mut text = String::new();
        server.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "whole");
        drop((server, listener));
        assert_eq!((open_sockets(&a), open_sockets(&b)), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn a_dropped_listener_resets_who_waited() {
    let (a, b) = pair(3);
    let listener = TcpListener::bind(&b, at(B4, 80)).await.unwrap();
    within(async {
        let mut client = TcpStream::connect(&a, at(B4, 80)).await.unwrap();
        drop(listener);
        assert_eq!(client.read(&mut [0; 1]).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(open_sockets(&b), 0);
    })
    .await;
}

#[tokio::test]
async fn connections_that_end_leave_nothing_but_time_wait() {
    let (a, b) = pair(4);
    within(async {
        for _ in 0..50 {
            let (mut client, mut server) = connected(&a, &b).await;
            client.write_all(b"x").await.unwrap();
            client.shutdown().await.unwrap();
            server.read_to_end(&mut Vec::new()).await.unwrap();
        }
        let states = |host: &Host| -> Vec<String> {
            host.with_stack(|stack, now| stack.sockets(now).map(|socket| format!("{:?}", socket.state)).collect())
        };
        let only_time_wait = |host: &Host| states(host).iter().all(|state| state.contains("TimeWait"));
        eventually("the server is done", || states(&b).is_empty()).await;
        eventually("the client is done", || only_time_wait(&a)).await;
    })
    .await;
}

#[tokio::test]
async fn shutdown_waits_until_the_last_byte_is_acknowledged() {
    let (a, b) = path(5, Impairments { delay: Duration::from_millis(3), ..Default::default() });
    let (mut client, mut server) = within(connected(&a, &b)).await;
    let reader = tokio::spawn(async move {
        let mut received = Vec::new();
        server.read_to_end(&mut received).await.map(|_| received)
    });
    let data = Stream::bytes(5, 50_000);
    within(async {
        client.write_all(&data).await.unwrap();
        a.shutdown(Duration::from_secs(20)).await.unwrap();
        assert_eq!(hash(&reader.await.unwrap().unwrap()), hash(&data));
        // Nothing moves any more, and everybody is told.
        assert!(client.read(&mut [0; 1]).await.is_err());
        assert_eq!(TcpStream::connect(&a, at(B4, 1)).await.unwrap_err().raw_os_error(), Some(100), "ENETDOWN");
    })
    .await;
}

#[tokio::test]
async fn shutdown_gives_up_in_time_and_says_so() {
    let (a, b) = pair(6);
    let (client, _server) = within(connected(&a, &b)).await;
    // More than a peer that does not read will ever take.
    let piece = vec![0; 65_536];
    loop {
        while client.try_write(&piece).is_ok() {}
        if timeout(Duration::from_millis(50), client.writable()).await.is_err() {
            break;
        }
    }
    let error = within(a.shutdown(Duration::from_millis(20))).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(error.to_string().starts_with("one connection"), "{error}");
}

#[tokio::test]
async fn a_connection_that_never_came_about_does_not_hold_up_shutdown() {
    let (link, _silent) = memory_pair(1500, 64);
    let a = builder_a(7).link(link).spawn().unwrap();
    let connecting = tokio::spawn({
        let a = a.clone();
        async move { TcpStream::connect(&a, at(B4, 80)).await }
    });
    tokio::task::yield_now().await;
    within(a.shutdown(Duration::from_secs(60))).await.unwrap();
    assert_eq!(connecting.await.unwrap().unwrap_err().raw_os_error(), Some(9), "EBADF");
}

#[tokio::test]
async fn abort_resets_every_connection_and_ends_the_host() {
    let (a, b) = pair(8);
    let (mut client, mut server) = within(connected(&a, &b)).await;
    within(async {
        let waiting = tokio::spawn(async move { client.read(&mut [0; 1]).await });
        tokio::task::yield_now().await;
        a.abort();
        assert!(waiting.await.unwrap().is_err());
        assert_eq!(server.read(&mut [0; 1]).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    })
    .await;
}

#[tokio::test]
async fn the_last_handle_ends_the_host_after_the_data() {
    let (a, b) = path(9, Impairments { delay: Duration::from_millis(3), ..Default::default() });
    let (mut client, mut server) = within(connected(&a, &b)).await;
    let data = Stream::bytes(9, 20_000);
    within(async {
        client.write_all(&data).await.unwrap();
        // A socket keeps its host; with it goes the last handle.
        drop(a);
        drop(client);
        let mut received = Vec::new();
        server.read_to_end(&mut received).await.unwrap();
        assert_eq!(hash(&received), hash(&data));
        drop((server, b));
        // Both drivers end: a runtime without tasks is left.
        let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        eventually("the drivers end", || tasks() == 0).await;
    })
    .await;
}

#[test]
fn a_runtime_that_goes_away_does_not_leave_threads_waiting() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let guard = runtime.enter();
    let (link, _other) = memory_pair(1500, 16);
    let host = builder_a(10).link(link).spawn().unwrap();
    drop(guard);
    let socket = segue::blocking::UdpSocket::bind(&host, at(A4, 53)).unwrap();
    let waiting = std::thread::spawn(move || socket.recv_from(&mut [0; 16]));
    std::thread::sleep(SHORT);
    drop(runtime);
    assert_eq!(waiting.join().unwrap().unwrap_err().raw_os_error(), Some(100), "ENETDOWN");
    drop(host);
}

#[tokio::test]
async fn bad_descriptions_are_refused_with_what_to_change() {
    let refused = |builder: segue::HostBuilder| builder.spawn().unwrap_err();
    let error = refused(Host::builder().address(cidr("10.0.0.1/24")));
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert!(error.to_string().contains(".link("), "{error}");
    let error = refused(Host::builder().link(memory_pair(1500, 1).0).mtu(1501));
    assert!(error.to_string().contains("68 to 1500"), "{error}");
    let error = refused(Host::builder().sysctl("net.ipv4.tcp_syn_retrys", 3));
    assert!(error.to_string().contains("tcp_syn_retries"), "{error}");
    let via = Some("fd00::9".parse().unwrap());
    let error = refused(Host::builder().link(memory_pair(1500, 1).0).route(cidr("10.1.0.0/16"), via));
    assert!(error.to_string().contains("fd00::9"), "{error}");
}

#[test]
fn a_host_outside_a_runtime_says_what_it_needs() {
    let error = Host::builder().spawn().unwrap_err();
    assert!(error.to_string().contains("tokio runtime"), "{error}");
}

#[tokio::test]
async fn a_host_has_as_many_interfaces_as_it_wants() {
    let (left, left_end) = memory_pair(1500, 64);
    let (right, right_end) = memory_pair(9000, 64);
    let middle = Host::builder()
        .seed(11)
        .interface(Interface::new("left").address(cidr("10.1.0.1/24")).link(left))
        .interface(Interface::new("right").address(cidr("10.2.0.1/24")).link(right))
        .spawn()
        .unwrap();
    let west = Host::builder().address(cidr("10.1.0.2/24")).link(left_end).spawn().unwrap();
    let east = Host::builder().address(cidr("10.2.0.2/24")).link(right_end).spawn().unwrap();
    assert!(middle.interface("left").is_some() && middle.interface("middle").is_none());
    let socket = UdpSocket::bind(&middle, at("0.0.0.0", 5)).await.unwrap();
    within(async {
        for (host, address) in [(&west, "10.1.0"), (&east, "10.2.0")] {
            let other = UdpSocket::bind(host, at("0.0.0.0", 6)).await.unwrap();
            other.send_to(address.as_bytes(), at(&format!("{address}.1"), 5)).await.unwrap();
            let mut buffer = [0; 16];
            let (count, from) = socket.recv_from(&mut buffer).await.unwrap();
            assert_eq!(&buffer[..count], address.as_bytes());
            assert_eq!(from, at(&format!("{address}.2"), 6));
        }
    })
    .await;
}

#[tokio::test]
async fn sleeps_wake_in_their_order_and_may_be_given_up() {
    let host = Host::builder().seed(12).spawn().unwrap();
    within(async {
        let given_up = host.sleep(Duration::from_secs(3600));
        assert!(timeout(SHORT, given_up).await.is_err());
        // Far enough ahead that all sleep before the first wakes, on a busy machine, too.
        let start = segue::now() + Duration::from_millis(500);
        let order = std::sync::Mutex::new(Vec::new());
        let nap = |micros: u64| {
            let (host, order) = (&host, &order);
            async move {
                host.sleep_until(start + Duration::from_micros(10_000 + micros)).await;
                order.lock().unwrap().push(micros);
            }
        };
        tokio::join!(nap(600), nap(0), nap(300));
        assert_eq!(*order.lock().unwrap(), [0, 300, 600]);
        assert!(segue::now() >= start + Duration::from_micros(10_600));
    })
    .await;
}

#[tokio::test]
async fn a_panic_in_a_users_closure_leaves_the_host_usable() {
    let host = Host::builder().seed(13).spawn().unwrap();
    let closure = std::panic::AssertUnwindSafe(|| host.with_stack(|_, _| panic!("the user's own")));
    assert!(std::panic::catch_unwind(closure).is_err());
    let listener = TcpListener::bind(&host, (Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    within(TcpStream::connect(&host, listener.local_addr().unwrap())).await.unwrap();
}

#[tokio::test]
async fn a_link_that_takes_nothing_does_not_hold_up_another() {
    let (stuck, _silent) = memory_pair(1500, 1);
    let (live, live_end) = memory_pair(1500, 64);
    let host = Host::builder()
        .seed(14)
        .interface(Interface::new("stuck").address(cidr("10.1.0.1/24")).link(stuck))
        .interface(Interface::new("live").address(cidr("10.2.0.1/24")).link(live))
        .spawn()
        .unwrap();
    let peer = Host::builder().address(cidr("10.2.0.2/24")).link(live_end).spawn().unwrap();
    let socket = UdpSocket::bind(&host, at("0.0.0.0", 5)).await.unwrap();
    let other = UdpSocket::bind(&peer, at("10.2.0.2", 6)).await.unwrap();
    within(async {
        for _ in 0..10 {
            socket.send_to(b"into the jam", at("10.1.0.2", 6)).await.unwrap();
        }
        socket.send_to(b"past it", at("10.2.0.2", 6)).await.unwrap();
        let mut buffer = [0; 16];
        let (count, _) = other.recv_from(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..count], b"past it");
        assert_eq!(host.link_drops(), 0, "what waits is not lost");
    })
    .await;
}

#[tokio::test]
async fn timers_run_while_the_only_link_takes_nothing() {
    let (stuck, _silent) = memory_pair(1500, 1);
    let host = builder_a(15).link(stuck).sysctl("tcp_syn_retries", 1).spawn().unwrap();
    let socket = UdpSocket::bind(&host, at(A4, 5)).await.unwrap();
    within(async {
        for _ in 0..3 {
            socket.send_to(b"into the jam", at(B4, 6)).await.unwrap();
        }
        // A ping that cannot even leave ends in time, and so does the host.
        let options = segue::PingOptions { timeout: SHORT, ..Default::default() };
        assert!(matches!(host.ping(B4.parse().unwrap(), options).await, Err(segue::PingError::TimedOut { .. })));
        host.shutdown(SHORT).await.unwrap();
    })
    .await;
}
