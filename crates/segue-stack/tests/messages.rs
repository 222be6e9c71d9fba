//! Messages: what recvmsg(2) tells beside the bytes, the error queue, and what sendmsg(2) may ask for one call.
mod common;

use core::time::Duration;

use common::*;
use segue_stack::{
    ControlMessage, Errno, ErrorOrigin, ExtendedError, MsgFlags, PacketInfo, Ready, ReceivedMessage, Shutdown, SocketId,
};

const SOCKET: i32 = 1;
const IP: i32 = 0;
const IPV6: i32 = 41;
const TCP: i32 = 6;
const UDP: i32 = 17;

const SO_TIMESTAMP: i32 = 29;
const SO_TIMESTAMPNS: i32 = 35;
const SO_TIMESTAMPING: i32 = 37;
const SO_RXQ_OVFL: i32 = 40;
const SO_ZEROCOPY: i32 = 60;
const TCP_INQ: i32 = 36;

const TX_SOFTWARE: i32 = 1 << 1;
const RX_SOFTWARE: i32 = 1 << 3;
const SOFTWARE: i32 = 1 << 4;
const OPT_ID: i32 = 1 << 7;
const TX_SCHED: i32 = 1 << 8;
const TX_ACK: i32 = 1 << 9;
const OPT_TSONLY: i32 = 1 << 11;
const OPT_STATS: i32 = 1 << 12;

impl World {
    /// The next entry of an error queue.
    fn error(&mut self, host: usize, id: SocketId) -> Option<(ExtendedError, ReceivedMessage)> {
        let (_, message) = self.message(host, id, MsgFlags::ERRQUEUE).ok()?;
        let error = message.control.iter().find_map(|message| match message {
            ControlMessage::Error(error) | ControlMessage::Error6(error) => Some(*error),
            _ => None,
        });
        Some((error.unwrap(), message))
    }

    /// What every entry of an error queue of times says: which time, the key, when (since the wall clock's beginning).
    fn times(&mut self, host: usize, id: SocketId) -> Vec<(u32, u32, Duration)> {
        core::iter::from_fn(|| {
            let (error, message) = self.error(host, id)?;
            assert_eq!((error.origin, error.errno), (ErrorOrigin::Timestamping, Errno::ENOMSG));
            let time = message.control.iter().find_map(|message| match message {
                ControlMessage::Timestamping(time) => Some(*time),
                _ => None,
            });
            Some((error.info, error.data, time.unwrap()))
        })
        .collect()
    }

    fn send_flags(&mut self, id: SocketId, data: &[u8], flags: MsgFlags) {
        assert_eq!(self.stacks[A].send(self.now, id, data, flags), Ok(data.len()));
    }
}

#[test]
fn a_datagram_tells_how_it_arrived_as_far_as_it_was_asked() {
    let mut w = World::new(Wire::default());
    let server = w.udp(B);
    w.bind(B, server, "0.0.0.0:7").unwrap();
    let client = w.udp(A);
    w.bind(A, client, "10.0.0.1:5000").unwrap();
    w.set(A, client, IP, 2, 9);
    w.set(A, client, IP, 1, 0x28);
    for _ in 0..2 {
        w.send_to(A, client, b"hello", "10.0.0.2:7").unwrap();
        w.settle();
    }
    let (data, message) = w.message(B, server, MsgFlags::empty()).unwrap();
    assert_eq!((data.as_slice(), message.from), (&b"hello"[..], Some(addr("10.0.0.1:5000"))));
    assert_eq!((message.control, message.flags), (Vec::new(), MsgFlags::empty()));

    for name in [8, 12, 13, 20] {
        w.set(B, server, IP, name, 1);
    }
    w.set(B, server, SOCKET, SO_TIMESTAMPNS, 1);
    w.stacks[B].set_wall_clock(w.now, Duration::from_secs(1_000_000));
    let arrived = Duration::from_secs(1_000_000) - Duration::from_millis(190);
    let mut short = [0; 2];
    let message = w.stacks[B].recv_message(w.now, server, &mut short, MsgFlags::empty()).unwrap();
    assert_eq!((message.len, message.full_len, message.flags), (2, 5, MsgFlags::TRUNC));
    let here = "10.0.0.2".parse().unwrap();
    assert_eq!(
        message.control,
        [
            ControlMessage::TimestampNs(arrived),
            ControlMessage::PacketInfo(PacketInfo { interface: 2, local: here, destination: here }),
            ControlMessage::Ttl(9),
            ControlMessage::Tos(0x28),
            ControlMessage::OriginalDestination(addr("10.0.0.2:7")),
        ]
    );
}

#[test]
fn an_inet6_socket_tells_of_both_families() {
    let mut w = World::new(Wire::default());
    let server = w.udp6(B);
    w.bind(B, server, "[::]:7").unwrap();
    for (level, name) in [(IPV6, 49), (IPV6, 51), (IPV6, 66), (IP, 12)] {
        w.set(B, server, level, name, 1);
    }
    let v6 = w.udp6(A);
    w.send_to(A, v6, b"6", "[fd00::2]:7").unwrap();
    let v4 = w.udp(A);
    w.send_to(A, v4, b"4", "10.0.0.2:7").unwrap();
    w.settle();
    let (_, message) = w.message(B, server, MsgFlags::empty()).unwrap();
    let info = |address: &str| ControlMessage::PacketInfo6 { address: address.parse().unwrap(), interface: 2 };
    let class = ControlMessage::TrafficClass(0);
    assert_eq!(message.control, [info("fd00::2"), ControlMessage::HopLimit(64), class]);
    let (_, message) = w.message(B, server, MsgFlags::empty()).unwrap();
    assert_eq!(message.control, [info("::ffff:10.0.0.2"), ControlMessage::Ttl(64)]);
    assert!(message.from.unwrap().to_string().starts_with("[::ffff:10.0.0.1]:"));
}

#[test]
fn datagrams_that_found_no_room_are_counted_for_whoever_asks() {
    let mut w = World::new(Wire::default());
    let server = w.udp(B);
    w.bind(B, server, "10.0.0.2:7").unwrap();
    w.set(B, server, SOCKET, SO_RXQ_OVFL, 1);
    w.set(B, server, SOCKET, 8, 0);
    let client = w.udp(A);
    for _ in 0..10 {
        w.send_to(A, client, &[0; 100], "10.0.0.2:7").unwrap();
    }
    w.settle();
    let (_, message) = w.message(B, server, MsgFlags::empty()).unwrap();
    assert_eq!(message.control, [ControlMessage::Dropped(8)]);
}

#[test]
fn a_send_may_choose_source_ttl_and_tos_for_itself() {
    let mut w = World::new(Wire::default());
    let server = w.udp(B);
    w.bind(B, server, "10.0.0.2:7").unwrap();
    for name in [12, 13] {
        w.set(B, server, IP, name, 1);
    }
    let client = w.udp(A);
    let send = |w: &mut World, control: &[ControlMessage]| {
        w.stacks[A].send_message(w.now, client, b"x", MsgFlags::empty(), Some(addr("10.0.0.2:7")), control)
    };
    send(&mut w, &[ControlMessage::Ttl(3), ControlMessage::Tos(0x10)]).unwrap();
    send(&mut w, &[]).unwrap();
    w.settle();
    let (_, message) = w.message(B, server, MsgFlags::empty()).unwrap();
    assert_eq!(message.control, [ControlMessage::Ttl(3), ControlMessage::Tos(0x10)]);
    let (_, message) = w.message(B, server, MsgFlags::empty()).unwrap();
    assert_eq!(message.control, [ControlMessage::Ttl(64), ControlMessage::Tos(0)]);

    let from = |local: &str, interface| {
        ControlMessage::PacketInfo(PacketInfo { interface, local: local.parse().unwrap(), destination: [0; 4].into() })
    };
    assert_eq!(send(&mut w, &[from("10.0.0.1", 2)]), Ok(1));
    assert_eq!(send(&mut w, &[from("10.0.0.9", 0)]), Err(Errno::EINVAL));
    assert_eq!(send(&mut w, &[from("0.0.0.0", 77)]), Err(Errno::ENODEV));
    assert_eq!(send(&mut w, &[ControlMessage::Ttl(0)]), Err(Errno::EINVAL));
    assert_eq!(send(&mut w, &[ControlMessage::Other { level: IP, kind: 99, data: vec![] }]), Err(Errno::EINVAL));
    assert_eq!(send(&mut w, &[ControlMessage::Other { level: 99, kind: 1, data: vec![] }]), Ok(1));
}

#[test]
fn an_icmp_error_waits_in_the_queue_with_the_datagram_it_is_about() {
    let mut w = World::new(Wire::default());
    let client = w.udp(A);
    w.connect(A, client, "10.0.0.2:9").unwrap();
    w.set(A, client, IP, 11, 1);
    w.write(A, client, b"nobody there").unwrap();
    w.settle();
    assert!(w.ready(A, client).contains(Ready::ERR));
    let (data, message) = w.message(A, client, MsgFlags::ERRQUEUE).unwrap();
    assert_eq!(data, b"nobody there");
    assert_eq!((message.from, message.flags), (Some(addr("10.0.0.2:9")), MsgFlags::ERRQUEUE));
    let [ControlMessage::Error(error)] = message.control[..] else { panic!("{:?}", message.control) };
    assert_eq!((error.errno, error.origin, error.kind, error.code), (Errno::ECONNREFUSED, ErrorOrigin::Icmp, 3, 3));
    assert_eq!(error.offender, Some(ip("10.0.0.2")));
    // As Linux: with the last error read, none is pending.
    assert!(!w.ready(A, client).contains(Ready::ERR));
    assert_eq!(w.message(A, client, MsgFlags::ERRQUEUE).err(), Some(Errno::EAGAIN));
    assert_eq!(w.stacks[A].take_error(w.now, client), Ok(None));
}

#[test]
fn a_datagram_too_large_for_its_way_is_a_local_error_that_names_the_size() {
    let mut w = World::new(Wire::default());
    let client = w.udp(A);
    w.connect(A, client, "10.0.0.2:9").unwrap();
    w.set(A, client, IP, 10, 2);
    w.set(A, client, IP, 11, 1);
    assert_eq!(w.write(A, client, &[0; 1473]), Err(Errno::EMSGSIZE));
    let (error, _) = w.error(A, client).unwrap();
    assert_eq!((error.errno, error.origin, error.info), (Errno::EMSGSIZE, ErrorOrigin::Local, 1500));
    assert_eq!(w.write(A, client, &[0; 1472]), Ok(1472));
}

#[test]
fn a_stream_tells_how_much_can_still_be_read_and_one_more_at_its_end() {
    let mut w = World::new(Wire::default());
    let (client, server) = w.connected("10.0.0.2:80");
    w.set(B, server, TCP, TCP_INQ, 1);
    w.write(A, client, &[7; 3000]).unwrap();
    w.settle();
    let read = |w: &mut World, len: usize| {
        let mut buffer = vec![0; len];
        let message = w.stacks[B].recv_message(w.now, server, &mut buffer, MsgFlags::empty()).unwrap();
        (message.len, message.control)
    };
    assert_eq!(read(&mut w, 1000), (1000, vec![ControlMessage::InQueue(2000)]));
    w.stacks[A].shutdown(w.now, client, Shutdown::Write).unwrap();
    w.settle();
    assert_eq!(read(&mut w, 1000), (1000, vec![ControlMessage::InQueue(1001)]));
    assert_eq!(read(&mut w, 5000), (1000, vec![ControlMessage::InQueue(1)]));
    assert_eq!(read(&mut w, 5000), (0, vec![ControlMessage::InQueue(1)]));
}

#[test]
fn a_stream_tells_when_the_last_byte_read_arrived() {
    let mut w = World::new(Wire::default());
    let (client, server) = w.connected("10.0.0.2:80");
    w.set(B, server, SOCKET, SO_TIMESTAMPING, RX_SOFTWARE | SOFTWARE);
    let start = w.now;
    for _ in 0..2 {
        w.write(A, client, &[7; 100]).unwrap();
        w.run(Duration::from_millis(100));
    }
    let time = |offset: u64| {
        ControlMessage::Timestamping((start + Duration::from_millis(offset)) - segue_stack::Instant::ZERO)
    };
    let read = |w: &mut World, len: usize, flags| {
        let mut buffer = vec![0; len];
        w.stacks[B].recv_message(w.now, server, &mut buffer, flags).unwrap().control
    };
    assert_eq!(read(&mut w, 60, MsgFlags::PEEK), [time(10)]);
    assert_eq!(read(&mut w, 60, MsgFlags::empty()), [time(10)]);
    assert_eq!(read(&mut w, 60, MsgFlags::empty()), [time(110)]);
    assert_eq!(read(&mut w, 200, MsgFlags::empty()), [time(110)]);
}

#[test]
fn a_stream_tells_when_its_bytes_left_and_when_they_were_acknowledged() {
    let mut w = World::new(Wire::default());
    let (client, server) = w.connected("10.0.0.2:80");
    w.set(B, server, TCP, 12, 1);
    w.write(A, client, &[0; 50]).unwrap();
    w.settle();
    let all = TX_SOFTWARE | TX_SCHED | TX_ACK | SOFTWARE | OPT_TSONLY;
    w.set(A, client, SOCKET, SO_TIMESTAMPING, all | OPT_ID);
    let start = w.now - segue_stack::Instant::ZERO;
    w.write(A, client, &[0; 1000]).unwrap();
    w.pump();
    assert!(w.ready(A, client).contains(Ready::ERR));
    // SCHED, then SND: keys count bytes from where OPT_ID was switched on.
    assert_eq!(w.times(A, client), [(1, 999, start), (0, 999, start)]);
    w.settle();
    assert_eq!(w.times(A, client), [(2, 999, start + Duration::from_millis(20))]);
    assert!(!w.ready(A, client).contains(Ready::ERR));

    // Asked for one call alone.
    w.set(A, client, SOCKET, SO_TIMESTAMPING, SOFTWARE | OPT_TSONLY | OPT_ID);
    w.write(A, client, &[0; 10]).unwrap();
    w.settle();
    assert_eq!(w.times(A, client), []);
    let asked = [ControlMessage::TimestampingFlags(TX_ACK as u32)];
    assert_eq!(w.stacks[A].send_message(w.now, client, b"y", MsgFlags::empty(), None, &asked), Ok(1));
    w.settle();
    assert_eq!(w.times(A, client).iter().map(|(which, key, _)| (*which, *key)).collect::<Vec<_>>(), [(2, 1010)]);
}

#[test]
fn writes_that_join_one_buffer_share_the_last_ones_time_unless_a_record_ends() {
    let mut w = World::new(Wire::default());
    let (client, _server) = w.connected("10.0.0.2:80");
    w.set(A, client, SOCKET, SO_TIMESTAMPING, TX_ACK | SOFTWARE | OPT_TSONLY | OPT_ID);
    w.set(A, client, TCP, 3, 1);
    for _ in 0..3 {
        w.send_flags(client, &[0; 100], MsgFlags::empty());
    }
    w.send_flags(client, &[0; 100], MsgFlags::EOR);
    w.send_flags(client, &[0; 100], MsgFlags::empty());
    w.set(A, client, TCP, 3, 0);
    w.settle();
    let keys: Vec<u32> = w.times(A, client).iter().map(|(_, key, _)| *key).collect();
    assert_eq!(keys, [399, 499]);
}

// As Linux: the buffer as it is then, less what was acknowledged before.
#[test]
fn the_time_of_an_acknowledgment_comes_with_the_text_that_it_is_about() {
    let mut w = World::new(Wire::default());
    let (client, _server) = w.connected("10.0.0.2:80");
    w.set(A, client, SOCKET, SO_TIMESTAMPING, TX_SOFTWARE | TX_ACK | SOFTWARE);
    w.write(A, client, b"a word of the stream").unwrap();
    w.settle();
    let (sent, _) = w.message(A, client, MsgFlags::ERRQUEUE).unwrap();
    let (acknowledged, _) = w.message(A, client, MsgFlags::ERRQUEUE).unwrap();
    assert!(sent.ends_with(b"a word of the stream") && sent.len() > 40, "{sent:?}");
    assert_eq!(acknowledged, b"a word of the stream");
}

#[test]
fn times_come_with_what_the_connection_was_like() {
    let mut w = World::new(Wire::default());
    let (client, _server) = w.connected("10.0.0.2:80");
    w.set(A, client, SOCKET, SO_TIMESTAMPING, TX_ACK | SOFTWARE | OPT_TSONLY | OPT_STATS | OPT_ID);
    w.write(A, client, &[0; 700]).unwrap();
    w.settle();
    let (_, message) = w.error(A, client).unwrap();
    let stats = message.control.iter().find_map(|message| match message {
        ControlMessage::TimestampingStats(stats) => Some(stats.clone()),
        _ => None,
    });
    let stats = stats.unwrap();
    // TCP_NLA_BYTES_SENT is attribute 18, of eight bytes.
    let at = stats.windows(4).position(|window| window == [12, 0, 18, 0]).unwrap();
    assert_eq!(stats[at + 4..at + 12], 700u64.to_ne_bytes());
}

#[test]
fn lent_memory_is_told_to_be_free_when_it_is_acknowledged_neighbours_in_one_entry() {
    let mut w = World::new(Wire::default());
    let (client, _server) = w.connected("10.0.0.2:80");
    // Without the option the flag means nothing.
    w.send_flags(client, &[0; 100], MsgFlags::ZEROCOPY);
    w.settle();
    assert!(w.error(A, client).is_none());
    w.set(A, client, SOCKET, SO_ZEROCOPY, 1);
    w.send_flags(client, &[0; 4000], MsgFlags::ZEROCOPY);
    w.send_flags(client, &[0; 4000], MsgFlags::ZEROCOPY);
    w.pump();
    assert!(w.error(A, client).is_none());
    w.settle();
    let (error, message) = w.error(A, client).unwrap();
    assert_eq!((error.origin, error.errno, error.info, error.data), (ErrorOrigin::Zerocopy, Errno(0), 0, 1));
    assert_eq!((error.code, message.len), (ExtendedError::COPIED, 0));
    assert!(w.error(A, client).is_none());
    w.stacks[A].send_bytes(w.now, client, vec![0; 2000].into(), MsgFlags::ZEROCOPY).unwrap();
    w.settle();
    let (error, _) = w.error(A, client).unwrap();
    assert_eq!((error.info, error.data, error.code), (2, 2, 0));
}

#[test]
fn lent_memory_comes_back_also_from_a_connection_that_was_reset() {
    let mut w = World::new(Wire::default());
    let (client, server) = w.connected("10.0.0.2:80");
    w.set(A, client, SOCKET, SO_ZEROCOPY, 1);
    w.stacks[B].abort(w.now, server).unwrap();
    w.send_flags(client, &[0; 4000], MsgFlags::ZEROCOPY);
    w.settle();
    let (error, _) = w.error(A, client).unwrap();
    assert_eq!((error.info, error.data), (0, 0));
}

#[test]
fn corked_datagrams_are_one_and_leave_when_the_cork_is_pulled() {
    let mut w = World::new(Wire::default());
    let server = w.udp(B);
    w.bind(B, server, "10.0.0.2:7").unwrap();
    let client = w.udp(A);
    w.set(A, client, UDP, 1, 1);
    w.send_to(A, client, b"one ", "10.0.0.2:7").unwrap();
    w.send_to(A, client, b"two", "10.0.0.2:7").unwrap();
    w.settle();
    assert_eq!(w.read(B, server), Err(Errno::EAGAIN));
    w.set(A, client, UDP, 1, 0);
    w.settle();
    assert_eq!(w.read(B, server).unwrap(), b"one two");
}

#[test]
fn one_send_may_stand_for_many_datagrams_of_one_size() {
    let mut w = World::new(Wire::default());
    let server = w.udp(B);
    w.bind(B, server, "10.0.0.2:7").unwrap();
    let client = w.udp(A);
    w.connect(A, client, "10.0.0.2:7").unwrap();
    w.set(A, client, UDP, 103, 1000);
    w.write(A, client, &[5; 2500]).unwrap();
    w.settle();
    let sizes: Vec<usize> = core::iter::from_fn(|| w.read(B, server).ok()).map(|data| data.len()).collect();
    assert_eq!(sizes, [1000, 1000, 500]);
    assert_eq!(w.counter(A, "UdpOutDatagrams"), 3);
    // As Linux: at most 128, and none larger than the way takes.
    w.set(A, client, UDP, 103, 10);
    assert_eq!(w.write(A, client, &[5; 1281]), Err(Errno::EINVAL));
    w.set(A, client, UDP, 103, 1473);
    assert_eq!(w.write(A, client, &[5; 3000]), Err(Errno::EMSGSIZE));
}

#[test]
fn the_older_time_stamps_exclude_each_other() {
    let mut w = World::new(Wire::default());
    let s = w.udp(A);
    let get = |w: &mut World, name| {
        let mut value = [0; 4];
        w.stacks[A].getsockopt(w.now, s, SOCKET, name, &mut value).unwrap();
        i32::from_ne_bytes(value)
    };
    w.set(A, s, SOCKET, SO_TIMESTAMP, 1);
    assert_eq!((get(&mut w, SO_TIMESTAMP), get(&mut w, SO_TIMESTAMPNS)), (1, 0));
    w.set(A, s, SOCKET, SO_TIMESTAMPNS, 1);
    assert_eq!((get(&mut w, SO_TIMESTAMP), get(&mut w, SO_TIMESTAMPNS)), (0, 1));
}

#[test]
fn datagrams_of_one_batch_are_joined_for_whoever_asked_and_told_by_their_size() {
    const UDP_SEGMENT: i32 = 103;
    const UDP_GRO: i32 = 104;
    for (is_super, wants) in [(false, true), (true, true), (false, false), (true, false)] {
        let mut w = World::new(Wire { is_super, ..Wire::default() });
        let server = w.udp(B);
        w.bind(B, server, "0.0.0.0:7").unwrap();
        w.set(B, server, UDP, UDP_GRO, i32::from(wants));
        let client = w.udp(A);
        w.set(A, client, UDP, UDP_SEGMENT, 300);
        // 300, 300, 300 and 100 bytes; then one that is alone, in another batch.
        let data: Vec<u8> = (0..1000u32).map(|n| n as u8).collect();
        w.send_to(A, client, &data, "10.0.0.2:7").unwrap();
        w.settle();
        w.send_to(A, client, b"alone", "10.0.0.2:7").unwrap();
        w.settle();
        let read: Vec<(Vec<u8>, Vec<ControlMessage>)> =
            core::iter::from_fn(|| w.message(B, server, MsgFlags::empty()).ok().map(|(data, got)| (data, got.control)))
                .collect();
        let expected = match wants {
            true => vec![(data.clone(), vec![ControlMessage::GroSize(300)]), (b"alone".to_vec(), vec![])],
            false => {
                let pieces = data.chunks(300).map(<[u8]>::to_vec);
                pieces.chain([b"alone".to_vec()]).map(|piece| (piece, vec![])).collect()
            }
        };
        assert_eq!(read, expected, "super-segments on the wire: {is_super}");
    }
}

#[test]
fn joined_datagrams_end_with_a_shorter_one_and_are_64_at_most() {
    const UDP_GRO: i32 = 104;
    let mut w = World::new(Wire::default());
    let server = w.udp(B);
    w.bind(B, server, "0.0.0.0:7").unwrap();
    w.set(B, server, UDP, UDP_GRO, 1);
    let client = w.udp(A);
    let sizes = [10, 10, 7, 7, 8].into_iter().chain([9; 70]);
    for size in sizes {
        w.send_to(A, client, &vec![0; size], "10.0.0.2:7").unwrap();
    }
    w.settle();
    let read: Vec<_> = core::iter::from_fn(|| w.message(B, server, MsgFlags::empty()).ok())
        .map(|(data, got)| (data.len(), got.control))
        .collect();
    let joined = |size| vec![ControlMessage::GroSize(size)];
    assert_eq!(read, [(27, joined(10)), (7, vec![]), (8, vec![]), (9 * 64, joined(9)), (9 * 6, joined(9))]);
}
