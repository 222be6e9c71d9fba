//! What socket options do to packets and to what is read: one effect after the other.
mod common;

use core::time::Duration;

use common::*;
use segue_stack::{ControlMessage, Errno, Instant, MsgFlags, Packet, Ready, SocketId};
use segue_wire::{Ipv4Header, Ipv6Header, Protocol, UdpHeader};

const SOCKET: i32 = 1;
const IP: i32 = 0;
const IPV6: i32 = 41;
const TCP: i32 = 6;

impl World {
    fn control(&mut self, id: SocketId) -> Vec<ControlMessage> {
        self.message(B, id, MsgFlags::empty()).unwrap().1.control
    }

    /// A datagram socket on port 7 of B.
    fn server(&mut self, address: &str) -> SocketId {
        let server = if address.starts_with('[') { self.udp6(B) } else { self.udp(B) };
        self.bind(B, server, &format!("{address}:7")).unwrap();
        server
    }

    /// Flow labels of what A has put on the wire since this was last asked.
    fn labels(&mut self) -> Vec<u32> {
        let sent = core::mem::take(&mut self.log);
        let of_a = sent.iter().filter(|(_, from, _)| *from == A);
        of_a.map(|(_, _, packet)| Ipv6Header::parse(packet.head()).unwrap().0.flow_label).collect()
    }
}

fn world() -> World {
    let mut world = World::new(Wire::default());
    world.keeps_log = true;
    world
}

/// A UDP datagram from port 9 to port 7, without a checksum over IPv4.
fn udp_datagram(payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 8];
    let length = 8 + payload.len() as u16;
    UdpHeader { source_port: 9, destination_port: 7, length, checksum: 0 }.emit(&mut out);
    out.extend_from_slice(payload);
    out
}

/// From A to B over IPv4, with options.
fn v4_packet(options: &[u8], transport: &[u8], protocol: Protocol) -> Packet {
    let mut out = [0; 60];
    let total_length = (20 + options.len() + transport.len()) as u16;
    let (source, destination) = (A4.parse().unwrap(), B4.parse().unwrap());
    let header = Ipv4Header { total_length, protocol, source, destination, ttl: 64, ..Ipv4Header::default() };
    let len = header.emit_with_options(options, &mut out);
    Packet::from_bytes([&out[..len], transport].concat().into())
}

/// From A to B over IPv6, with extension headers: protocol and bytes behind the next-header byte of each.
fn v6_packet(extensions: &[(u8, &[u8])], transport: &[u8], last: u8) -> Packet {
    let mut body = Vec::new();
    for (at, (_, rest)) in extensions.iter().enumerate() {
        body.push(extensions.get(at + 1).map_or(last, |(kind, _)| *kind));
        body.extend_from_slice(rest);
    }
    body.extend_from_slice(transport);
    let mut out = vec![0; 40];
    Ipv6Header {
        payload_length: body.len() as u16,
        next_header: Protocol(extensions.first().map_or(last, |(kind, _)| *kind)),
        source: A6.parse().unwrap(),
        destination: B6.parse().unwrap(),
        hop_limit: 64,
        ..Ipv6Header::default()
    }
    .emit(&mut out);
    let mut packet = Packet::from_bytes([out, body].concat().into());
    packet.checksum = segue_wire::ChecksumState::Verified;
    packet
}

#[test]
fn the_largest_fragment_is_told_of_what_did_not_come_whole() {
    let mut w = world();
    for (server, client, to, level, name, v6) in
        [("0.0.0.0", "10.0.0.1:0", "10.0.0.2:7", IP, 25, false), ("[::]", "[fd00::1]:0", "[fd00::2]:7", IPV6, 77, true)]
    {
        let server = w.server(server);
        w.set(B, server, level, name, 1);
        let sender = if v6 { w.udp6(A) } else { w.udp(A) };
        w.bind(A, sender, client).unwrap();
        for len in [100, 3000] {
            w.send_to(A, sender, &vec![1; len], to).unwrap();
        }
        w.settle();
        assert_eq!(w.control(server), []);
        // The payload of every fragment but the last is a multiple of eight.
        let size = if v6 { 48 + (1500 - 48) / 8 * 8 } else { 20 + (1500 - 20) / 8 * 8 };
        assert_eq!(w.control(server), [ControlMessage::FragmentSize { v6, size }]);
        w.close(B, server);
    }
}

#[test]
fn a_fragment_that_is_the_whole_tells_its_size() {
    let mut w = world();
    let server = w.server("[::]");
    w.set(B, server, IPV6, 77, 1);
    let packet = v6_packet(&[(44, &[0, 0, 0, 0, 0, 0, 9])], &udp_datagram(b"x"), 17);
    let size = packet.len() as i32;
    w.inject(B, packet);
    w.settle();
    assert_eq!(w.control(server), [ControlMessage::FragmentSize { v6: true, size }]);
}

#[test]
fn options_of_the_ip_header_are_told_as_they_came() {
    let mut w = world();
    let server = w.server("0.0.0.0");
    let options = [148, 4, 0, 0, 1, 1, 1, 0];
    let packet = || v4_packet(&options, &udp_datagram(b"hello"), Protocol::UDP);
    w.inject(B, packet());
    w.settle();
    assert_eq!(w.control(server), []);
    w.set(B, server, IP, 6, 1);
    w.inject(B, packet());
    w.inject(B, v4_packet(&[], &udp_datagram(b"hello"), Protocol::UDP));
    w.settle();
    assert_eq!(w.control(server), [ControlMessage::Options(options.to_vec())]);
    assert_eq!(w.control(server), []);
    // What would be for options that cannot be sent is not promised.
    assert_eq!(w.stacks[B].setsockopt(w.now, server, IP, 7, &1i32.to_ne_bytes()), Err(Errno::ENOPROTOOPT));
}

#[test]
fn a_ping_socket_is_told_of_options_too() {
    let mut w = world();
    let ping = w.stacks[B].socket(segue_stack::Domain::Inet, segue_stack::SocketType::Icmp).unwrap();
    w.bind(B, ping, "0.0.0.0:77").unwrap();
    w.set(B, ping, IP, 6, 1);
    let mut reply = vec![0, 0, 0, 0, 0, 77, 0, 1];
    let mut sum = segue_wire::checksum::Sum::new();
    sum.add_slice(&reply);
    reply[2..4].copy_from_slice(&sum.checksum().to_be_bytes());
    w.inject(B, v4_packet(&[1, 1, 1, 0], &reply, Protocol::ICMPV4));
    w.settle();
    assert_eq!(w.control(ping), [ControlMessage::Options(vec![1, 1, 1, 0])]);
}

#[test]
fn extension_headers_are_told_in_their_order_by_both_sets_of_numbers() {
    let mut w = world();
    let server = w.server("[::]");
    let extensions: [(u8, &[u8]); 4] = [
        (0, &[0, 5, 2, 0, 0, 1, 0]),
        (60, &[0, 1, 4, 0, 0, 0, 0]),
        (43, &[0, 0, 0, 0, 0, 0, 0]),
        (60, &[0, 1, 4, 0, 0, 0, 0]),
    ];
    let whole = |at: usize| {
        let next = extensions.get(at + 1).map_or(17, |(kind, _)| *kind);
        [&[next], extensions[at].1].concat()
    };
    let new = |at: usize| ControlMessage::Extension { kind: extensions[at].0, bytes: whole(at) };
    let old = |kind: i32, data: Vec<u8>| ControlMessage::Other { level: IPV6, kind, data };
    let ask = |w: &mut World, names: &[i32]| {
        for name in names {
            w.set(B, server, IPV6, *name, 1);
        }
        w.inject(B, v6_packet(&extensions, &udp_datagram(b"x"), 17));
        w.settle();
        let control = w.control(server);
        for name in names {
            w.set(B, server, IPV6, *name, 0);
        }
        control
    };
    assert_eq!(ask(&mut w, &[]), []);
    assert_eq!(ask(&mut w, &[53, 56, 58]), [new(0), new(1), new(2), new(3)]);
    assert_eq!(ask(&mut w, &[56]), [new(2)]);
    let address: core::net::Ipv6Addr = B6.parse().unwrap();
    let info = [&address.octets()[..], &2u32.to_ne_bytes()].concat();
    let hops = 64i32.to_ne_bytes().to_vec();
    let told = [old(2, info), old(8, hops), old(3, whole(0)), old(4, whole(1)), old(5, whole(2)), old(4, whole(3))];
    assert_eq!(ask(&mut w, &[2, 3, 4, 5, 8]), told);
}

#[test]
fn the_sum_over_a_datagrams_bytes_is_told() {
    let mut w = world();
    let server = w.server("0.0.0.0");
    w.set(B, server, IP, 23, 1);
    let client = w.udp(A);
    w.send_to(A, client, &[0x12, 0x34, 0xff, 0xff, 0x01], "10.0.0.2:7").unwrap();
    w.settle();
    // 0x1234 + 0xffff + 0x0100 in ones' complement.
    assert_eq!(w.control(server), [ControlMessage::PayloadSum(0x1334)]);
}

#[test]
fn a_datagram_that_must_not_be_cut_tells_what_its_path_carries() {
    let mut w = world();
    let client = w.udp6(A);
    // IPV6_DONTFRAG.
    w.set(A, client, IPV6, 62, 1);
    let send = |w: &mut World, len: usize| w.send_to(A, client, &vec![0; len], "[fd00::2]:7");
    assert_eq!(send(&mut w, 1453), Err(Errno::EMSGSIZE));
    assert_eq!(w.message(A, client, MsgFlags::empty()).map(|_| ()), Err(Errno::EAGAIN));
    // IPV6_RECVPATHMTU.
    w.set(A, client, IPV6, 60, 1);
    assert_eq!(send(&mut w, 1452), Ok(1452));
    assert_eq!(send(&mut w, 1453), Err(Errno::EMSGSIZE));
    let (data, message) = w.message(A, client, MsgFlags::empty()).unwrap();
    let address = B6.parse().unwrap();
    assert_eq!((data.len(), message.from), (0, Some(addr("[fd00::2]:0"))));
    assert_eq!(message.control, [ControlMessage::PathMtu { address, mtu: 1500 }]);
    assert_eq!(w.message(A, client, MsgFlags::empty()).map(|_| ()), Err(Errno::EAGAIN), "once");
    // Without IPV6_DONTFRAG it is cut, and nothing is to be told.
    w.set(A, client, IPV6, 62, 0);
    assert_eq!(send(&mut w, 1453), Ok(1453));
    assert_eq!(w.message(A, client, MsgFlags::empty()).map(|_| ()), Err(Errno::EAGAIN));
}

/// An ICMP port unreachable from B about a datagram from A's port 9 to B's port 7, whose quote of 128 bytes is followed by an
/// extension.
fn unreachable_with_extension(v6: bool) -> Packet {
    let mut quoted = if v6 { vec![0; 40] } else { vec![0; 20] };
    let payload = [0x55; 200];
    if v6 {
        Ipv6Header {
            payload_length: 208,
            next_header: Protocol::UDP,
            source: A6.parse().unwrap(),
            destination: B6.parse().unwrap(),
            ..Ipv6Header::default()
        }
        .emit(&mut quoted);
    } else {
        let (source, destination) = (A4.parse().unwrap(), B4.parse().unwrap());
        Ipv4Header { total_length: 228, protocol: Protocol::UDP, source, destination, ..Ipv4Header::default() }
            .emit(&mut quoted);
    }
    quoted.extend(udp_datagram(&payload));
    quoted.truncate(128);
    let words = if v6 { [128 / 8, 0] } else { [0, 128 / 4] };
    let kind = if v6 { [1, 4] } else { [3, 3] };
    let mut message = [&kind[..], &[0, 0], &words, &[0, 0], &quoted].concat();
    message.extend([0x20, 0, 0, 0, 0, 8, 1, 1, 0, 0, 0x30, 0x41]);
    let mut sum = match v6 {
        true => segue_wire::checksum::pseudo_header_v6(
            B6.parse().unwrap(),
            A6.parse().unwrap(),
            Protocol::ICMPV6,
            message.len(),
        ),
        false => segue_wire::checksum::Sum::new(),
    };
    sum.add_slice(&message);
    message[2..4].copy_from_slice(&sum.checksum().to_be_bytes());
    let mut out = if v6 { vec![0; 40] } else { vec![0; 20] };
    if v6 {
        Ipv6Header {
            payload_length: message.len() as u16,
            next_header: Protocol::ICMPV6,
            source: B6.parse().unwrap(),
            destination: A6.parse().unwrap(),
            hop_limit: 64,
            ..Ipv6Header::default()
        }
        .emit(&mut out);
    } else {
        let (source, destination) = (B4.parse().unwrap(), A4.parse().unwrap());
        let total_length = 20 + message.len() as u16;
        Ipv4Header { total_length, protocol: Protocol::ICMPV4, source, destination, ttl: 64, ..Ipv4Header::default() }
            .emit(&mut out);
    }
    Packet::from_bytes([out, message].concat().into())
}

#[test]
fn the_error_queue_tells_where_the_extensions_of_an_icmp_error_begin() {
    for (v6, level, err, structure, own) in [(false, IP, 11, 26, "10.0.0.1:9"), (true, IPV6, 25, 31, "[fd00::1]:9")] {
        let mut w = world();
        let client = if v6 { w.udp6(A) } else { w.udp(A) };
        w.bind(A, client, own).unwrap();
        w.set(A, client, level, err, 1);
        let told = |w: &mut World| {
            w.inject(A, unreachable_with_extension(v6));
            w.settle();
            let (data, message) = w.message(A, client, MsgFlags::ERRQUEUE).unwrap();
            let error = message.control.iter().find_map(|message| match message {
                ControlMessage::Error(error) | ControlMessage::Error6(error) => Some(*error),
                _ => None,
            });
            (data, error.unwrap())
        };
        assert_eq!(told(&mut w).1.data, 0, "nobody has asked");
        w.set(A, client, level, structure, 1);
        let (data, error) = told(&mut w);
        // Length of the quoted payload, flags, nothing.
        let len = 128 - if v6 { 48 } else { 28 };
        let [low, high] = (len as u16).to_ne_bytes();
        assert_eq!(error.data.to_ne_bytes(), [low, high, 0, 0]);
        assert_eq!(data[len..][..4], [0x20, 0, 0, 0], "there the extensions begin");
    }
}

#[test]
fn a_flow_has_one_label_that_nobody_named_and_others_have_others() {
    let mut w = world();
    let (client, server) = w.connected("[fd00::2]:80");
    w.write(A, client, &[0; 5000]).unwrap();
    w.settle();
    let labels = w.labels();
    assert!(labels.len() > 5 && labels[0] & 0x8_0000 != 0, "{labels:x?}");
    assert!(labels.iter().all(|label| *label == labels[0]), "{labels:x?}");
    // IPV6_AUTOFLOWLABEL.
    w.set(A, client, IPV6, 70, 0);
    w.write(A, client, b"x").unwrap();
    w.settle();
    assert_eq!(w.labels(), [0]);
    w.close(B, server);
    let datagrams = [w.udp6(A), w.udp6(A)];
    for socket in datagrams {
        w.send_to(A, socket, b"x", "[fd00::2]:7").unwrap();
    }
    w.pump();
    let labels = w.labels();
    assert!(labels[0] != labels[1] && !labels.contains(&0), "{labels:x?}");
}

#[test]
fn the_sysctl_says_whether_sockets_have_labels_of_themselves() {
    // `auto_flowlabels`; what the socket says; whether there is a label.
    for (sysctl, says, labelled) in [
        ("0", None, false),
        ("0", Some(1), false),
        ("1", None, true),
        ("1", Some(0), false),
        ("2", None, false),
        ("2", Some(1), true),
        ("3", Some(0), true),
    ] {
        let mut w = world();
        w.stacks[A].set_sysctl(w.now, "net.ipv6.auto_flowlabels", sysctl).unwrap();
        let client = w.udp6(A);
        if let Some(on) = says {
            w.set(A, client, IPV6, 70, on);
        }
        w.send_to(A, client, b"x", "[fd00::2]:7").unwrap();
        w.pump();
        assert_eq!(w.labels()[0] != 0, labelled, "auto_flowlabels {sysctl}, IPV6_AUTOFLOWLABEL {says:?}");
    }
}

#[test]
fn a_label_that_a_call_names_is_on_the_wire_and_told_to_who_asks() {
    let mut w = world();
    let server = w.server("[::]");
    // IPV6_FLOWINFO.
    w.set(B, server, IPV6, 11, 1);
    let client = w.udp6(A);
    let named = std::net::SocketAddrV6::new(B6.parse().unwrap(), 7, 0x1_2345, 0).into();
    let send = |w: &mut World| {
        w.stacks[A].send_to(w.now, client, b"x", MsgFlags::empty(), named, None).unwrap();
        w.settle();
        w.labels()
    };
    assert_ne!(send(&mut w), [0x1_2345], "not without IPV6_FLOWINFO_SEND");
    assert!(!w.control(server).contains(&ControlMessage::FlowInfo(0x1_2345)));
    w.set(A, client, IPV6, 33, 1);
    assert_eq!(send(&mut w), [0x1_2345]);
    assert_eq!(w.control(server), [ControlMessage::FlowInfo(0x1_2345)]);
    // By a control message, for one call.
    let control = [ControlMessage::FlowInfo(0x54321)];
    w.stacks[A].send_message(w.now, client, b"x", MsgFlags::empty(), Some(addr("[fd00::2]:7")), &control).unwrap();
    w.settle();
    assert_eq!(w.labels(), [0x54321]);
    // connect() names it for all that follows.
    w.stacks[A].connect(w.now, client, named).unwrap();
    assert_eq!(w.write(A, client, b"x"), Ok(1));
    w.settle();
    assert_eq!(w.labels(), [0x1_2345]);
}

#[test]
fn a_timeout_takes_another_way_unless_it_is_told_not_to() {
    for (rehash, label_changes) in [(1, true), (0, false)] {
        let mut w = world();
        let (client, _) = w.connected("[fd00::2]:80");
        // SO_TXREHASH.
        w.set(A, client, SOCKET, 74, rehash);
        w.labels();
        w.write(A, client, b"x").unwrap();
        w.wire.loss = 1000;
        w.pump();
        w.run(Duration::from_secs(1));
        let labels = w.labels();
        assert_eq!(labels.first() != labels.last(), label_changes, "{labels:x?}");
        let timeouts = w.counter(A, "TcpExtTCPTimeouts");
        assert_eq!(w.counter(A, "TcpExtTcpTimeoutRehash"), if label_changes { timeouts } else { 0 });
    }
}

#[test]
fn a_datagram_leaves_when_its_time_has_come() {
    let mut w = world();
    w.server("0.0.0.0");
    let client = w.udp(A);
    let to = Some(addr("10.0.0.2:7"));
    let at = |time: Duration| [ControlMessage::TxTime(time.as_nanos() as u64)];
    let send = |w: &mut World, time| w.stacks[A].send_message(w.now, client, b"x", MsgFlags::empty(), to, &at(time));
    assert_eq!(send(&mut w, Duration::ZERO), Err(Errno::EINVAL), "SO_TXTIME first");
    // CLOCK_MONOTONIC, which is an hour ahead of the stack.
    let hour = Duration::from_secs(3600);
    w.stacks[A].set_monotonic_clock(w.now, hour);
    w.stacks[A].setsockopt(w.now, client, SOCKET, 61, &[1, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    w.set(A, client, IP, 11, 1);
    assert_eq!(send(&mut w, hour + Duration::from_millis(30)), Ok(1));
    assert_eq!(send(&mut w, hour + Duration::from_millis(20)), Ok(1));
    assert_eq!(send(&mut w, hour - Duration::from_millis(20)), Ok(1), "the past is now");
    assert_eq!(send(&mut w, hour + Duration::from_secs(11)), Err(Errno::ENOBUFS), "beyond the horizon");
    w.run(Duration::from_millis(50));
    let times: Vec<Instant> = w.log.iter().filter(|(_, from, _)| *from == A).map(|(at, _, _)| *at).collect();
    assert_eq!(times, [0, 20, 30].map(|millis| Instant::ZERO + Duration::from_millis(millis)));
    // The wall clock by its own name.
    w.log.clear();
    w.stacks[A].set_wall_clock(w.now, 10 * hour);
    w.stacks[A].setsockopt(w.now, client, SOCKET, 61, &[0, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    let sent = w.now;
    assert_eq!(send(&mut w, 10 * hour + Duration::from_millis(7)), Ok(1));
    w.run(Duration::from_millis(50));
    assert_eq!(w.log[0].0, sent + Duration::from_millis(7));
}

#[test]
fn a_look_at_datagrams_goes_on_where_the_last_one_ended() {
    let mut w = world();
    let server = w.server("0.0.0.0");
    w.set(B, server, SOCKET, 42, 0);
    let client = w.udp(A);
    for data in [&b"abcd"[..], b"efgh"] {
        w.send_to(A, client, data, "10.0.0.2:7").unwrap();
    }
    w.settle();
    let recv = |w: &mut World, len: usize, flags| {
        let mut buffer = vec![0; len];
        let len = w.stacks[B].recv(w.now, server, &mut buffer, flags)?;
        Ok::<_, Errno>(String::from_utf8(buffer[..len].to_vec()).unwrap())
    };
    assert_eq!(recv(&mut w, 3, MsgFlags::PEEK).unwrap(), "abc");
    assert_eq!(recv(&mut w, 3, MsgFlags::PEEK).unwrap(), "d", "a datagram is not joined to the next");
    assert_eq!(recv(&mut w, 3, MsgFlags::PEEK).unwrap(), "efg");
    assert_eq!(
        recv(&mut w, 9, MsgFlags::empty()).unwrap(),
        "abcd",
        "taking begins at the front and moves the look back"
    );
    assert_eq!(recv(&mut w, 9, MsgFlags::PEEK).unwrap(), "h");
    assert_eq!(recv(&mut w, 9, MsgFlags::PEEK), Err(Errno::EAGAIN));
}

#[test]
fn a_broadcast_is_sent_only_by_who_says_so() {
    let mut w = world();
    let client = w.udp(A);
    assert_eq!(w.send_to(A, client, b"x", "10.0.0.255:7"), Err(Errno::EACCES));
    w.set(A, client, SOCKET, 6, 1);
    assert_eq!(w.send_to(A, client, b"x", "10.0.0.255:7"), Ok(1));
}

#[test]
fn an_urgent_byte_stays_in_the_stream_for_who_wants_it_there() {
    let mut w = world();
    let (client, server) = w.connected("10.0.0.2:80");
    w.set(B, server, SOCKET, 10, 1);
    w.stacks[A].send(w.now, client, b"ab", MsgFlags::OOB).unwrap();
    w.settle();
    assert_eq!(w.read(B, server).unwrap(), b"a", "a read ends at the mark");
    assert_eq!(w.read(B, server).unwrap(), b"b");
}

#[test]
fn the_error_queue_is_urgent_for_who_says_so() {
    let mut w = world();
    let client = w.udp(A);
    w.set(A, client, IP, 11, 1);
    w.connect(A, client, "10.0.0.2:7").unwrap();
    w.write(A, client, b"x").unwrap();
    w.settle();
    assert!(!w.ready(A, client).contains(Ready::PRI));
    w.set(A, client, SOCKET, 45, 1);
    assert!(w.ready(A, client).contains(Ready::ERR | Ready::PRI));
}

#[test]
fn datagrams_leave_without_a_checksum_where_that_is_asked() {
    let mut w = world();
    let checksum = |w: &mut World| {
        w.pump();
        let (_, _, packet) = w.log.pop().unwrap();
        let mut packet = packet;
        packet.finish_checksum();
        let header = if packet.head()[0] >> 4 == 4 { 20 } else { 40 };
        UdpHeader::parse(&packet.head()[header..]).unwrap().0.checksum
    };
    let (v4, v6) = (w.udp(A), w.udp6(A));
    for (socket, to, level, name) in [(v4, "10.0.0.2:7", SOCKET, 11), (v6, "[fd00::2]:7", 17, 101)] {
        w.send_to(A, socket, b"x", to).unwrap();
        assert_ne!(checksum(&mut w), 0);
        w.set(A, socket, level, name, 1);
        w.send_to(A, socket, b"x", to).unwrap();
        assert_eq!(checksum(&mut w), 0);
    }
}

#[test]
fn datagrams_leave_by_the_interface_that_is_named_for_them() {
    for (level, name, to, v6) in [(IP, 50, "10.0.0.2:7", false), (IPV6, 76, "[fd00::2]:7", true)] {
        let mut w = world();
        let second = segue_stack::IfaceConfig {
            addresses: vec![cidr("10.9.0.1/24"), cidr("fd09::1/64")],
            ..segue_stack::IfaceConfig::new("eth1", 1500)
        };
        let second = w.stacks[A].add_interface(second);
        let client = if v6 { w.udp6(A) } else { w.udp(A) };
        w.send_to(A, client, b"x", to).unwrap();
        assert_ne!(w.stacks[A].poll_transmit(w.now).unwrap().0, second);
        w.stacks[A].setsockopt(w.now, client, level, name, &3u32.to_be_bytes()).unwrap();
        w.send_to(A, client, b"x", to).unwrap();
        assert_eq!(w.stacks[A].poll_transmit(w.now).unwrap().0, second);
    }
}

#[test]
fn segments_from_more_hops_away_than_allowed_are_dropped() {
    let mut w = world();
    let (client, server) = w.connected("[fd00::2]:80");
    // IPV6_MINHOPCOUNT, and the peer's IPV6_UNICAST_HOPS.
    w.set(B, server, IPV6, 73, 64);
    w.set(A, client, IPV6, 16, 63);
    w.write(A, client, b"x").unwrap();
    w.settle();
    assert_eq!(w.read(B, server), Err(Errno::EAGAIN));
    w.set(A, client, IPV6, 16, 64);
    w.run(Duration::from_secs(2));
    assert_eq!(w.read(B, server).unwrap(), b"x");
}

#[test]
fn datagrams_are_cut_at_the_size_that_is_named() {
    let mut w = world();
    let client = w.udp6(A);
    // IPV6_MTU.
    w.set(A, client, IPV6, 24, 1280);
    w.send_to(A, client, &[0; 1400], "[fd00::2]:7").unwrap();
    w.pump();
    assert_eq!(w.log.len(), 2);
    assert!(w.log.iter().all(|(_, _, packet)| packet.len() <= 1280));
    // IPV6_MTU_DISCOVER: IPV6_PMTUDISC_DO.
    w.set(A, client, IPV6, 23, 2);
    assert_eq!(w.send_to(A, client, &[0; 1400], "[fd00::2]:7"), Err(Errno::EMSGSIZE));
}

#[test]
fn an_address_without_a_port_may_be_bound_until_connect_chooses_one() {
    let mut w = world();
    let socket = w.tcp(A);
    // IP_BIND_ADDRESS_NO_PORT.
    w.set(A, socket, IP, 24, 1);
    w.bind(A, socket, "10.0.0.1:0").unwrap();
    assert_eq!(w.stacks[A].local_addr(socket).unwrap().port(), 0);
    let _ = w.connect(A, socket, "10.0.0.2:80");
    assert_ne!(w.stacks[A].local_addr(socket).unwrap().port(), 0);
}

#[test]
fn a_transparent_socket_speaks_for_another_host() {
    for (level, name, foreign, v6) in [(IP, 19, "192.0.2.7:53", false), (IPV6, 75, "[2001:db8::7]:53", true)] {
        let mut w = world();
        let socket = if v6 { w.udp6(A) } else { w.udp(A) };
        assert_eq!(w.bind(A, socket, foreign), Err(Errno::EADDRNOTAVAIL));
        w.set(A, socket, level, name, 1);
        assert_eq!(w.bind(A, socket, foreign), Ok(()));
    }
}

#[test]
fn what_is_sent_to_a_group_has_hops_and_comes_back_as_the_sender_says() {
    for (v6, level, ttl, loopback, join, group) in
        [(false, IP, 33, 34, 35, "224.1.2.3:7"), (true, IPV6, 18, 19, 20, "[ff02::99]:7")]
    {
        let mut w = world();
        let socket = if v6 { w.udp6(A) } else { w.udp(A) };
        w.bind(A, socket, if v6 { "[::]:7" } else { "0.0.0.0:7" }).unwrap();
        let address = match addr(group).ip() {
            std::net::IpAddr::V4(v4) => [v4.octets(), [10, 0, 0, 1]].concat(),
            std::net::IpAddr::V6(v6) => [&v6.octets()[..], &2u32.to_ne_bytes()].concat(),
        };
        w.stacks[A].setsockopt(w.now, socket, level, join, &address).unwrap();
        // IP_MULTICAST_IF, IPV6_MULTICAST_IF.
        let by = if v6 { 2u32.to_ne_bytes() } else { [10, 0, 0, 1] };
        w.stacks[A].setsockopt(w.now, socket, level, if v6 { 17 } else { 32 }, &by).unwrap();
        w.set(A, socket, level, ttl, 9);
        w.send_to(A, socket, b"x", group).unwrap();
        w.pump();
        let head = w.log.pop().unwrap().2;
        assert_eq!(head.head()[if v6 { 7 } else { 8 }], 9);
        assert_eq!(w.read(A, socket).unwrap(), b"x");
        w.set(A, socket, level, loopback, 0);
        w.send_to(A, socket, b"x", group).unwrap();
        assert_eq!(w.read(A, socket), Err(Errno::EAGAIN));
    }
}

#[test]
fn a_group_that_others_have_joined_is_heard_unless_the_socket_says_no() {
    for (v6, level, all, join, group) in [(false, IP, 49, 35, "224.1.2.3:7"), (true, IPV6, 29, 20, "[ff02::99]:7")] {
        let mut w = world();
        let make = |w: &mut World| if v6 { w.udp6(B) } else { w.udp(B) };
        let (member, other) = (make(&mut w), make(&mut w));
        for socket in [member, other] {
            w.set(B, socket, SOCKET, 2, 1);
            w.bind(B, socket, if v6 { "[::]:7" } else { "0.0.0.0:7" }).unwrap();
        }
        let address = match addr(group).ip() {
            std::net::IpAddr::V4(v4) => [v4.octets(), [10, 0, 0, 2]].concat(),
            std::net::IpAddr::V6(v6) => [&v6.octets()[..], &2u32.to_ne_bytes()].concat(),
        };
        w.stacks[B].setsockopt(w.now, member, level, join, &address).unwrap();
        let client = if v6 { w.udp6(A) } else { w.udp(A) };
        let by = if v6 { 2u32.to_ne_bytes() } else { [10, 0, 0, 1] };
        w.stacks[A].setsockopt(w.now, client, level, if v6 { 17 } else { 32 }, &by).unwrap();
        let heard = |w: &mut World| {
            w.send_to(A, client, b"x", group).unwrap();
            w.settle();
            (w.read(B, member).is_ok(), w.read(B, other).is_ok())
        };
        assert_eq!(heard(&mut w), (true, true));
        w.set(B, other, level, all, 0);
        assert_eq!(heard(&mut w), (true, false));
    }
}

#[test]
fn a_thin_stream_does_not_back_off_when_it_is_told_not_to() {
    let times = |linear: i32| {
        let mut w = world();
        let (client, _) = w.connected("10.0.0.2:80");
        w.set(A, client, TCP, 16, linear);
        w.write(A, client, b"x").unwrap();
        w.wire.loss = 1000;
        w.log.clear();
        w.lose_everything();
        w.run(Duration::from_secs(8));
        w.log.iter().filter(|(_, from, _)| *from == A).count()
    };
    assert!(times(1) > times(0), "{} against {}", times(1), times(0));
}

#[test]
fn a_locked_buffer_keeps_its_size() {
    let grown = |lock: i32| {
        let mut w = world();
        let (client, server) = w.connected("10.0.0.2:80");
        w.set(B, server, SOCKET, 72, lock);
        for _ in 0..200 {
            let _ = w.write(A, client, &[0; 60_000]);
            w.run(Duration::from_millis(20));
            while w.read(B, server).is_ok_and(|read| !read.is_empty()) {}
        }
        let mut value = [0; 4];
        w.stacks[B].getsockopt(w.now, server, SOCKET, 8, &mut value).unwrap();
        i32::from_ne_bytes(value)
    };
    assert!(grown(0) > grown(2), "{} against {}", grown(0), grown(2));
}

#[test]
fn forced_buffers_go_beyond_what_the_sysctls_allow() {
    let mut w = world();
    let socket = w.udp(A);
    for (name, forced, limit) in [(8, 33, "net.core.rmem_max"), (7, 32, "net.core.wmem_max")] {
        w.stacks[A].set_sysctl(w.now, limit, "10000").unwrap();
        let size = |w: &mut World| {
            let mut value = [0; 4];
            w.stacks[A].getsockopt(w.now, socket, SOCKET, name, &mut value).unwrap();
            i32::from_ne_bytes(value)
        };
        w.set(A, socket, SOCKET, name, 50_000);
        assert_eq!(size(&mut w), 20_000);
        w.set(A, socket, SOCKET, forced, 50_000);
        assert_eq!(size(&mut w), 100_000);
    }
}

#[test]
fn marks_and_priorities_are_told_as_zero_because_packets_bring_none() {
    let mut w = world();
    let server = w.server("0.0.0.0");
    // SO_RCVMARK, SO_RCVPRIORITY.
    w.set(B, server, SOCKET, 75, 1);
    w.set(B, server, SOCKET, 82, 1);
    let client = w.udp(A);
    w.send_to(A, client, b"x", "10.0.0.2:7").unwrap();
    w.settle();
    assert_eq!(w.control(server), [ControlMessage::Mark(0), ControlMessage::Priority(0)]);
}

/// `struct sockaddr_storage` with an address.
fn storage(ip: std::net::IpAddr) -> Vec<u8> {
    let mut out = match ip {
        std::net::IpAddr::V4(v4) => [&2u16.to_ne_bytes()[..], &[0; 2], &v4.octets()].concat(),
        std::net::IpAddr::V6(v6) => [&10u16.to_ne_bytes()[..], &[0; 6], &v6.octets()].concat(),
    };
    out.resize(128, 0);
    out
}

#[test]
fn a_group_is_heard_from_the_sources_that_were_named_by_either_set_of_options() {
    for (v6, level, group, source) in [(false, IP, "224.1.2.3:7", A4), (true, IPV6, "[ff02::99]:7", A6)] {
        let mut w = world();
        let server = w.server(if v6 { "[::]" } else { "0.0.0.0" });
        w.set(B, server, level, if v6 { 29 } else { 49 }, 0);
        let client = if v6 { w.udp6(A) } else { w.udp(A) };
        w.bind(A, client, if v6 { "[fd00::1]:9" } else { "10.0.0.1:9" }).unwrap();
        let by = if v6 { 2u32.to_ne_bytes() } else { [10, 0, 0, 1] };
        w.stacks[A].setsockopt(w.now, client, level, if v6 { 17 } else { 32 }, &by).unwrap();
        let (group_ip, source) = (addr(group).ip(), ip(source));
        let request = [&2u64.to_ne_bytes()[..], &storage(group_ip)].concat();
        let with_source = [&request[..], &storage(source)].concat();
        let heard = |w: &mut World, name: i32, value: &[u8]| {
            w.stacks[B].setsockopt(w.now, server, level, name, value).unwrap();
            w.send_to(A, client, b"x", group).unwrap();
            w.settle();
            w.read(B, server).is_ok()
        };
        // MCAST_JOIN_GROUP, BLOCK, UNBLOCK, LEAVE; JOIN_SOURCE, LEAVE_SOURCE.
        assert!(heard(&mut w, 42, &request));
        assert!(!heard(&mut w, 43, &with_source));
        assert!(heard(&mut w, 44, &with_source));
        assert!(!heard(&mut w, 45, &request));
        assert!(heard(&mut w, 46, &with_source));
        assert!(!heard(&mut w, 47, &with_source));
        if v6 {
            // IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP.
            let request =
                [&"ff02::99".parse::<std::net::Ipv6Addr>().unwrap().octets()[..], &2u32.to_ne_bytes()].concat();
            assert!(heard(&mut w, 20, &request));
            assert!(!heard(&mut w, 21, &request));
            continue;
        }
        // IP_ADD_SOURCE_MEMBERSHIP, IP_MSFILTER, IP_DROP_SOURCE_MEMBERSHIP.
        let three = [[224, 1, 2, 3], [10, 0, 0, 2], [10, 0, 0, 1]].concat();
        assert!(heard(&mut w, 39, &three));
        let filter = |mode: u32, source: [u8; 4]| {
            [&[224, 1, 2, 3, 10, 0, 0, 2][..], &mode.to_ne_bytes(), &1u32.to_ne_bytes(), &source].concat()
        };
        // MCAST_INCLUDE is 1.
        assert!(!heard(&mut w, 41, &filter(1, [10, 0, 0, 9])));
        assert!(heard(&mut w, 41, &filter(1, [10, 0, 0, 1])));
        assert!(!heard(&mut w, 40, &three));
    }
}

#[test]
fn a_source_that_stays_is_that_of_every_datagram() {
    let mut w = World::with(Wire::default(), |host, _, iface| {
        if host == A {
            iface.addresses.push(cidr("fd00::77/64"));
        }
    });
    let server = w.server("[::]");
    let client = w.udp6(A);
    let from = |w: &mut World| {
        w.send_to(A, client, b"x", "[fd00::2]:7").unwrap();
        w.settle();
        w.message(B, server, MsgFlags::empty()).unwrap().1.from.unwrap().ip()
    };
    assert_eq!(from(&mut w), ip(A6));
    let address: std::net::Ipv6Addr = "fd00::77".parse().unwrap();
    let info = [&address.octets()[..], &0u32.to_ne_bytes()].concat();
    w.stacks[A].setsockopt(w.now, client, IPV6, 50, &info).unwrap();
    assert_eq!(from(&mut w), address);
}

#[test]
fn an_address_that_is_not_there_yet_is_bound_over_ipv6() {
    let mut w = world();
    let socket = w.tcp6(A);
    assert_eq!(w.bind(A, socket, "[2001:db8::7]:53"), Err(Errno::EADDRNOTAVAIL));
    w.set(A, socket, IPV6, 78, 1);
    assert_eq!(w.bind(A, socket, "[2001:db8::7]:53"), Ok(()));
}

#[test]
fn sticky_options_by_their_old_numbers_are_refused_as_the_newer_ones_are() {
    let mut w = world();
    let socket = w.udp6(A);
    // struct cmsghdr: length, level, type.
    let message = |kind: i32, data: &[u8]| {
        let mut out =
            [&(16 + data.len() as u64).to_ne_bytes()[..], &IPV6.to_ne_bytes(), &kind.to_ne_bytes(), data].concat();
        out.resize(out.len().next_multiple_of(8), 0);
        out
    };
    let mut set = |value: &[u8]| w.stacks[A].setsockopt(w.now, socket, IPV6, 6, value);
    assert_eq!(set(&[]), Ok(()));
    assert_eq!(set(&message(54, &[0, 0, 1, 4, 0, 0, 0, 0])), Err(Errno::EPERM));
    assert_eq!(set(&message(3, &[0, 0, 1, 4, 0, 0, 0, 0])), Err(Errno::EPERM));
    assert_eq!(set(&message(99, &[0; 8])), Err(Errno::EINVAL));
}
