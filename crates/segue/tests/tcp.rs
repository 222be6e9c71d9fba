//! TCP between two hosts, with real tokio time kept short.
mod common;

use std::collections::HashMap;
use std::io::{self, IoSlice};
use std::time::{Duration, Instant};

use bytes::Bytes;
use common::*;
use segue::link::Impairments;
use segue::{Closed, Host, Ready, TcpListener, TcpSocket, TcpStream};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// `count` connections from `a` to `b`, each moving `len` bytes both ways at the same time.
async fn many(a: Host, b: Host, address: &str, count: u64, len: usize) {
    let listener = TcpListener::bind(&b, at(address, 7000)).await.unwrap();
    let server = tokio::spawn(async move {
        let mut tasks = HashMap::new();
        for _ in 0..count {
            let (stream, peer) = listener.accept().await.unwrap();
            tasks.insert(peer, tokio::spawn(exchange(stream, u64::from(peer.port()), len)));
        }
        let mut outcomes = HashMap::new();
        for (peer, task) in tasks {
            outcomes.insert(peer, task.await.unwrap());
        }
        outcomes
    });
    let mut clients = Vec::new();
    for number in 0..count {
        let (a, to) = (a.clone(), at(address, 7000));
        clients.push(tokio::spawn(async move {
            let stream = TcpStream::connect(&a, to).await.unwrap();
            let local = stream.local_addr().unwrap();
            (local, exchange(stream, 1000 + number, len).await)
        }));
    }
    let mut seen = HashMap::new();
    for client in clients {
        let (local, outcome) = client.await.unwrap();
        assert!(seen.insert(local, outcome).is_none(), "two connections with one address");
    }
    let served = server.await.unwrap();
    assert_eq!(served.len(), seen.len());
    for (local, client) in seen {
        let server = &served[&local];
        assert_eq!((client.bytes, server.bytes), (len, len));
        assert_eq!(client.sent, server.received, "client to server, {local}");
        assert_eq!(server.sent, client.received, "server to client, {local}");
    }
}

#[tokio::test]
async fn sixty_four_connections_move_hashed_data_both_ways() {
    let (a, b) = pair(1);
    within(many(a, b, B4, 64, 200_000)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_threads_share_the_hosts() {
    let (a, b) = pair(2);
    within(many(a, b, B6, 16, 500_000)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_path_loses_nothing() {
    for seed in [3, 4] {
        println!("seed {seed}");
        let (a, b) = path(seed, bad());
        within(many(a, b, B4, 8, 100_000)).await;
    }
}

#[tokio::test]
async fn loopback_needs_no_link() {
    let host = Host::builder().seed(5).spawn().unwrap();
    within(many(host.clone(), host, "127.0.0.1", 4, 300_000)).await;
}

#[tokio::test]
async fn the_client_may_end_its_direction_and_go_on_reading() {
    let (a, b) = pair(6);
    let (mut client, mut server) = connected(&a, &b).await;
    within(async {
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        let mut question = String::new();
        server.read_to_string(&mut question).await.unwrap();
        assert_eq!(question, "question");
        // The server's direction is still open.
        server.write_all(b"answer").await.unwrap();
        let mut start = [0; 6];
        client.read_exact(&mut start).await.unwrap();
        assert_eq!(&start, b"answer");
        assert_eq!(client.write(b"more").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        server.shutdown().await.unwrap();
        assert_eq!(client.read(&mut start).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn the_server_may_end_its_direction_and_go_on_reading() {
    let (a, b) = pair(7);
    let (mut client, mut server) = connected(&a, &b).await;
    within(async {
        server.shutdown().await.unwrap();
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.unwrap();
        assert!(rest.is_empty());
        let data = Stream::bytes(7, 300_000);
        let sending = async {
            client.write_all(&data).await.unwrap();
            client.shutdown().await.unwrap();
        };
        let mut received = Vec::new();
        let (_, count) = tokio::join!(sending, server.read_to_end(&mut received));
        assert_eq!(count.unwrap(), data.len());
        assert_eq!(hash(&received), hash(&data));
    })
    .await;
}

#[tokio::test]
async fn dropping_a_stream_delivers_what_was_written_then_ends_it() {
    let (a, b) = pair(8);
    let (mut client, mut server) = connected(&a, &b).await;
    within(async {
        client.write_all(b"last words").await.unwrap();
        drop(client);
        let mut words = String::new();
        server.read_to_string(&mut words).await.unwrap();
        assert_eq!(words, "last words");
    })
    .await;
}

#[tokio::test]
async fn dropping_a_stream_with_unread_data_resets_it() {
    let (a, b) = pair(9);
    let (mut client, server) = connected(&a, &b).await;
    within(async {
        client.write_all(b"nobody reads this").await.unwrap();
        server.readable().await.unwrap();
        drop(server);
        let error = client.read(&mut [0; 16]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(error.raw_os_error(), Some(104));
    })
    .await;
}

#[tokio::test]
async fn dropping_a_stream_with_zero_linger_resets_it() {
    let (a, b) = pair(10);
    let (client, mut server) = connected(&a, &b).await;
    within(async {
        client.set_linger(Some(Duration::ZERO)).unwrap();
        assert_eq!(client.linger().unwrap(), Some(Duration::ZERO));
        drop(client);
        assert_eq!(server.read(&mut [0; 16]).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(server.write(b"x").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    })
    .await;
}

#[tokio::test]
async fn abort_resets_at_once() {
    let (a, b) = pair(11);
    let (client, mut server) = connected(&a, &b).await;
    within(async {
        client.abort().unwrap();
        assert_eq!(server.read(&mut [0; 16]).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    })
    .await;
}

#[tokio::test]
async fn a_port_on_which_nobody_listens_refuses() {
    let (a, _b) = pair(12);
    for address in [B4, B6] {
        let error = within(TcpStream::connect(&a, at(address, 9))).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(error.raw_os_error(), Some(111));
    }
}

#[tokio::test]
async fn a_destination_without_a_route_is_unreachable() {
    let (a, _b) = pair(13);
    let error = within(TcpStream::connect(&a, at("192.0.2.1", 80))).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NetworkUnreachable);
}

#[tokio::test]
async fn an_address_is_taken_once() {
    let (a, _b) = pair(14);
    let first = TcpListener::bind(&a, at(A4, 80)).await.unwrap();
    assert_eq!(TcpListener::bind(&a, at(A4, 80)).await.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    assert_eq!(TcpListener::bind(&a, at(B4, 80)).await.unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
    drop(first);
    TcpListener::bind(&a, at(A4, 80)).await.unwrap();
}

#[tokio::test]
async fn a_writer_waits_for_a_slow_reader_and_nothing_is_lost() {
    let (a, b) = pair(15);
    let (mut client, mut server) = connected(&a, &b).await;
    within(async {
        // Fill the way until nothing more fits.
        let piece = Stream::bytes(15, 64 * 1024);
        let mut sent = Vec::new();
        loop {
            match client.try_write(&piece) {
                Ok(count) => sent.extend_from_slice(&piece[..count]),
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                    // The way may still be filling: what the peer takes makes room here.
                    if tokio::time::timeout(Duration::from_millis(100), client.writable()).await.is_err() {
                        break;
                    }
                }
            }
        }
        assert!(sent.len() > 64 * 1024, "only {} bytes fitted", sent.len());
        let blocked = tokio::spawn(async move {
            client.write_all(b"the end").await.unwrap();
            client.shutdown().await.unwrap();
        });
        let mut received = Vec::new();
        server.read_to_end(&mut received).await.unwrap();
        blocked.await.unwrap();
        sent.extend_from_slice(b"the end");
        assert_eq!(received.len(), sent.len());
        assert_eq!(hash(&received), hash(&sent));
    })
    .await;
}

#[tokio::test]
async fn peek_looks_and_does_not_take() {
    let (a, b) = pair(16);
    let (mut client, mut server) = connected(&a, &b).await;
    within(async {
        client.write_all(b"abc").await.unwrap();
        let mut buffer = [0; 8];
        assert_eq!(server.peek(&mut buffer).await.unwrap(), 3);
        assert_eq!(server.peek(&mut buffer[..2]).await.unwrap(), 2);
        assert_eq!(server.read(&mut buffer).await.unwrap(), 3);
        assert_eq!(&buffer[..3], b"abc");
        assert_eq!(server.try_read(&mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    })
    .await;
}

#[tokio::test]
async fn vectored_writes_keep_the_order_of_their_slices() {
    let (a, b) = pair(17);
    let (mut client, mut server) = connected(&a, &b).await;
    within(async {
        assert!(client.is_write_vectored());
        let slices = [b"one ".as_slice(), b"", b"two ", b"three", b""].map(IoSlice::new);
        assert_eq!(client.write_vectored(&slices).await.unwrap(), 13);
        client.shutdown().await.unwrap();
        let mut text = String::new();
        server.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "one two three");
    })
    .await;
}

#[tokio::test]
async fn bytes_travel_without_a_copy_and_arrive_whole() {
    let (a, b) = pair(18);
    let (mut client, server) = connected(&a, &b).await;
    within(async {
        let data = Bytes::from(Stream::bytes(18, 3_000_000));
        let sending = async {
            client.send_bytes(data.clone()).await.unwrap();
            client.shutdown().await.unwrap();
        };
        let receiving = async {
            let mut received = Vec::new();
            loop {
                let chunks = server.recv_bytes(100_000).await.unwrap();
                if chunks.is_empty() {
                    return received;
                }
                assert!(chunks.len() <= 100_000);
                received.extend_from_slice(&chunks.to_vec());
            }
        };
        let ((), received) = tokio::join!(sending, receiving);
        assert_eq!(received.len(), data.len());
        assert_eq!(hash(&received), hash(&data));
    })
    .await;
}

#[tokio::test]
async fn halves_work_in_different_tasks_and_reunite() {
    let (a, b) = pair(19);
    let (client, server) = connected(&a, &b).await;
    let (other, _other_server) = connected(&a, &b).await;
    within(async {
        let echo = tokio::spawn(async move {
            let mut server = server;
            let (mut read, mut write) = server.split();
            tokio::io::copy(&mut read, &mut write).await.unwrap()
        });
        let (mut read, mut write) = client.into_split();
        // A read that waits does not keep a write from going on, and the other way round.
        let reader = tokio::spawn(async move {
            let mut text = [0; 5];
            read.read_exact(&mut text).await.unwrap();
            (read, text)
        });
        tokio::task::yield_now().await;
        write.write_all(b"hello").await.unwrap();
        let (read, text) = reader.await.unwrap();
        assert_eq!(&text, b"hello");
        let (other_read, other_write) = other.into_split();
        let segue::ReuniteError(read, other_write) = read.reunite(other_write).unwrap_err();
        drop((other_read, other_write));
        let client = read.reunite(write).unwrap();
        // Putting it together has ended nothing; dropping the writing half does.
        let (mut read, write) = client.into_split();
        drop(write);
        assert_eq!(read.read(&mut [0; 1]).await.unwrap(), 0);
        assert_eq!(echo.await.unwrap(), 5);
    })
    .await;
}

#[tokio::test]
async fn several_tasks_may_wait_on_one_socket() {
    let (a, b) = pair(20);
    let (mut client, server) = connected(&a, &b).await;
    let server = std::sync::Arc::new(server);
    within(async {
        let waiting: Vec<_> = (0..5)
            .map(|_| {
                let server = server.clone();
                tokio::spawn(async move { server.readable().await })
            })
            .collect();
        tokio::task::yield_now().await;
        client.write_all(b"x").await.unwrap();
        for task in waiting {
            task.await.unwrap().unwrap();
        }
        let ready = server.ready(Ready::IN | Ready::OUT).await.unwrap();
        assert!(ready.contains(Ready::IN | Ready::OUT));
    })
    .await;
}

#[tokio::test]
async fn the_backlog_bounds_who_waits_and_everybody_is_served_in_the_end() {
    let (a, b) = pair(21);
    let socket = TcpSocket::new_v4(&b).unwrap();
    socket.bind(at(B4, 80)).unwrap();
    let listener = socket.listen(2).unwrap();
    within(async {
        let clients: Vec<_> = (0..6u8)
            .map(|number| {
                let a = a.clone();
                tokio::spawn(async move {
                    let mut stream = TcpStream::connect(&a, at(B4, 80)).await.unwrap();
                    stream.write_all(&[number]).await.unwrap();
                    let mut answer = [0];
                    stream.read_exact(&mut answer).await.unwrap();
                    assert_eq!(answer[0], number);
                })
            })
            .collect();
        // Nobody accepts for a while: Linux lets one more wait than the backlog says.
        let waiting = || b.with_stack(|stack, _| stack.readiness(listener.socket().id()));
        eventually("a connection waits", || waiting().contains(Ready::IN)).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        let queue = b.with_stack(|stack, now| {
            stack
                .sockets(now)
                .find(|socket| socket.socket == Some(listener.socket().id()))
                .map(|socket| socket.receive_queue)
        });
        assert_eq!(queue, Some(3));
        for _ in 0..6 {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut number = [0];
                stream.read_exact(&mut number).await.unwrap();
                stream.write_all(&number).await.unwrap();
            });
        }
        for client in clients {
            client.await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn options_read_back_as_they_were_set() {
    let (a, b) = pair(22);
    let (client, _server) = connected(&a, &b).await;
    assert!(!client.nodelay().unwrap());
    client.set_nodelay(true).unwrap();
    assert!(client.nodelay().unwrap());
    assert!(!client.keepalive().unwrap());
    let times = segue::Keepalive { idle: Some(Duration::from_secs(10)), ..Default::default() };
    client.set_keepalive(Some(times)).unwrap();
    assert!(client.keepalive().unwrap());
    assert_eq!(client.socket().getsockopt_int(6, 4).unwrap(), 10, "TCP_KEEPIDLE");
    assert_eq!(client.ttl().unwrap(), 64);
    client.set_ttl(9).unwrap();
    assert_eq!(client.ttl().unwrap(), 9);
    client.set_recv_buffer_size(10_000).unwrap();
    assert_eq!(client.recv_buffer_size().unwrap(), 20_000, "doubled, as on Linux");
    let error = client.socket().setsockopt(6, 9999, &[0; 4]).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(92), "ENOPROTOOPT");
}

#[tokio::test]
async fn info_tells_the_state_and_the_round_trip_time() {
    let delay = Duration::from_millis(3);
    let (a, b) = path(23, Impairments { delay, ..Default::default() });
    let (client, _server) = within(connected(&a, &b)).await;
    let info = client.info().unwrap();
    assert_eq!(info.state.to_string(), "ESTABLISHED");
    assert!(info.rtt >= 6_000, "a round trip takes at least 6 ms, not {} µs", info.rtt);
}

#[test]
fn streams_go_where_hyper_and_tonic_want_them() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    check::<TcpStream>();
    check::<TcpListener>();
    check::<segue::OwnedReadHalf>();
    check::<segue::OwnedWriteHalf>();
    check::<segue::UdpSocket>();
    check::<Host>();
    fn check_future<T: Send>(_: T) {}
    let host: Option<Host> = None;
    if let Some(host) = host {
        check_future(TcpStream::connect(&host, at(A4, 1)));
    }
}

#[tokio::test]
async fn a_close_that_lingers_waits_until_everything_is_acknowledged_or_the_time_is_over() {
    let delay = Duration::from_millis(40);
    let (a, b) = path(61, Impairments { delay, ..Impairments::default() });
    let listener = TcpListener::bind(&b, at(B4, 80)).await.unwrap();
    within(async {
        let connect = async || {
            let client = TcpStream::connect(&a, at(B4, 80)).await.unwrap();
            (client, listener.accept().await.unwrap().0)
        };
        let (mut client, mut server) = connect().await;
        client.write_all(b"all").await.unwrap();
        client.set_linger(Some(Duration::from_secs(20))).unwrap();
        let start = Instant::now();
        assert_eq!(client.close().await.unwrap(), Closed::Acknowledged);
        assert!(start.elapsed() >= 2 * delay, "the acknowledgment takes a round trip");
        let mut text = String::new();
        server.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "all");

        // Nothing was asked for; there is nothing left to wait for; zero resets.
        let (client, _server) = connect().await;
        assert_eq!(client.close().await.unwrap(), Closed::AtOnce);
        let (client, mut server) = connect().await;
        client.set_linger(Some(Duration::ZERO)).unwrap();
        assert_eq!(client.close().await.unwrap(), Closed::AtOnce);
        assert_eq!(server.read(&mut [0; 8]).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);

        // A reader that does not read.
        let (mut client, _server) = connect().await;
        client.set_linger(Some(Duration::from_secs(1))).unwrap();
        while tokio::time::timeout(Duration::from_millis(300), client.write_all(&[0; 100_000])).await.is_ok() {}
        assert_eq!(client.close().await.unwrap(), Closed::TimedOut);
    })
    .await;
}
