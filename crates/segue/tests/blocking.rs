//! Sockets for threads.
mod common;

use std::io::{self, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use common::*;
use segue::blocking::{Host, TcpListener, TcpStream, UdpSocket};
use segue::link::{Impairments, Path, PathConfig, memory_pair, path_pair};
use segue::{Closed, PingOptions, Shutdown};

fn blocking_pair(seed: u64) -> (Host, Host) {
    let (a, b) = memory_pair(1500, 256);
    (Host::spawn(builder_a(seed).link(a)).unwrap(), Host::spawn(builder_b(seed).link(b)).unwrap())
}

#[test]
fn a_read_that_blocks_waits_for_as_many_bytes_as_the_low_mark_says() {
    let (a, b) = blocking_pair(9);
    let listener = TcpListener::bind(&b, at(B4, 80)).unwrap();
    let stream = TcpStream::connect(&a, at(B4, 80)).unwrap();
    let (peer, _) = listener.accept().unwrap();
    let socket = stream.get_ref().socket();
    // SO_RCVLOWAT.
    socket.setsockopt(1, 18, &100_i32.to_ne_bytes()).unwrap();
    (&peer).write_all(&[1; 60]).unwrap();
    let unread = || a.with_stack(|stack, now| stack.sockets(now).any(|info| info.receive_queue == 60));
    while !unread() {
        thread::yield_now();
    }
    let mut buffer = [0; 300];
    // Less than the mark is enough for who wants no more.
    assert_eq!((&stream).read(&mut buffer[..10]).unwrap(), 10);
    let writer = thread::spawn(move || {
        (&peer).write_all(&[2; 150]).unwrap();
        peer
    });
    assert_eq!((&stream).read(&mut buffer).unwrap(), 200);
    let peer = writer.join().unwrap();
    // A time limit, or the end, and what there is.
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    assert_eq!((&stream).read(&mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    stream.set_read_timeout(None).unwrap();
    (&peer).write_all(&[3; 7]).unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    assert_eq!((&stream).read(&mut buffer).unwrap(), 7);
    assert_eq!((&stream).read(&mut buffer).unwrap(), 0);
}

#[test]
fn threads_exchange_hashed_data_both_ways() {
    let (a, b) = blocking_pair(1);
    let listener = TcpListener::bind(&b, at(B4, 80)).unwrap();
    let echo = thread::spawn(move || {
        listener
            .incoming()
            .take(4)
            .map(|stream| {
                let stream = stream.unwrap();
                thread::spawn(move || {
                    let copied = io::copy(&mut &stream, &mut &stream).unwrap();
                    stream.shutdown(Shutdown::Write).unwrap();
                    copied
                })
            })
            .map(|task| task.join().unwrap())
            .collect::<Vec<u64>>()
    });
    let clients: Vec<_> = (0..4)
        .map(|seed| {
            let a = a.clone();
            thread::spawn(move || {
                let stream = TcpStream::connect(&a, at(B4, 80)).unwrap();
                let data = Stream::bytes(seed, 400_000);
                let writer = thread::spawn({
                    let (stream, data) = (stream.clone(), data.clone());
                    move || {
                        (&stream).write_all(&data).unwrap();
                        stream.shutdown(Shutdown::Write).unwrap();
                    }
                });
                let mut received = Vec::new();
                (&stream).read_to_end(&mut received).unwrap();
                writer.join().unwrap();
                assert_eq!(hash(&received), hash(&data));
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
    assert_eq!(echo.join().unwrap(), [400_000; 4]);
    a.shutdown(Duration::from_secs(20)).unwrap();
}

#[test]
fn time_limits_end_a_wait_and_lose_nothing() {
    let (a, b) = blocking_pair(2);
    let listener = TcpListener::bind(&b, at(B4, 80)).unwrap();
    let mut client = TcpStream::connect_timeout(&a, at(B4, 80), Duration::from_secs(60)).unwrap();
    let (mut server, peer) = listener.accept().unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
    server.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    assert_eq!(server.set_read_timeout(Some(Duration::ZERO)).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    assert_eq!(server.read(&mut [0; 4]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    client.write_all(b"late").unwrap();
    server.set_read_timeout(None).unwrap();
    let mut text = [0; 4];
    server.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"late");
    // Nobody reads: a writer with a time limit gets through until nothing fits.
    client.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
    let piece = [0; 65_536];
    let error = loop {
        if let Err(error) = client.write(&piece) {
            break error;
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn a_connect_that_nobody_answers_times_out() {
    let (link, _silent) = memory_pair(1500, 16);
    let host = Host::spawn(builder_a(3).link(link)).unwrap();
    let error = TcpStream::connect_timeout(&host, at(B4, 80), Duration::from_millis(5)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(open_sockets(&host), 0);
}

#[test]
fn datagrams_and_pings_work_without_a_runtime() {
    let (a, b) = blocking_pair(4);
    let receiver = UdpSocket::bind(&b, at(B4, 53)).unwrap();
    let sender = UdpSocket::bind(&a, at(A4, 0)).unwrap();
    sender.connect(at(B4, 53)).unwrap();
    sender.send(b"query").unwrap();
    let mut buffer = [0; 16];
    let (count, from) = receiver.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..count], b"query");
    receiver.send_to(b"answer", from).unwrap();
    assert_eq!(sender.recv(&mut buffer).unwrap(), 6);
    sender.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    assert_eq!(sender.recv(&mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    let reply = a.ping(B4.parse().unwrap(), PingOptions::default()).unwrap();
    assert_eq!(reply.bytes, 64);
}

#[test]
fn a_thread_waits_in_a_close_that_lingers() {
    let (a, b) = {
        let delay = Duration::from_millis(40);
        let config = PathConfig::symmetric(Impairments { delay, ..Impairments::default() }).unwrap();
        let (a, b) = path_pair(Path::new(config));
        (Host::spawn(builder_a(71).link(a)).unwrap(), Host::spawn(builder_b(71).link(b)).unwrap())
    };
    let listener = TcpListener::bind(&b, at(B4, 80)).unwrap();
    let client = TcpStream::connect(&a, at(B4, 80)).unwrap();
    let _server = listener.accept().unwrap();
    client.get_ref().set_linger(Some(Duration::from_secs(20))).unwrap();
    let (clone, start) = (client.clone(), Instant::now());
    assert_eq!(clone.close().unwrap(), Closed::AtOnce, "there is another");
    assert_eq!(client.close().unwrap(), Closed::Acknowledged);
    assert!(start.elapsed() >= Duration::from_millis(80));
}
