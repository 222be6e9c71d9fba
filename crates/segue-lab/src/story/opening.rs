//! Opening: the handshake and everything that can happen to it (RFC 9293 sections 3.5 and 3.8.3).
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use segue_stack::{Errno, Ready, SocketOption};
use segue_wire::icmpv4::{Icmpv4Message, UnreachableCode};
use segue_wire::{Ipv4Header, Packet, Protocol, TcpFlags};

use super::stage::{CLIENT, CLIENT_PORT, ONE_WAY, SERVER, Sent, Side, Stage};
use super::{Story, Told};

const CHAPTER: &str = "opening";

pub(super) const STORIES: &[Story] = &[
    Story {
        name: "handshake",
        chapter: CHAPTER,
        title: "three segments open a connection; a SYN takes a sequence number, a bare ACK takes none",
        source: "RFC 9293 section 3.5, figure 6",
        tell: handshake,
    },
    Story {
        name: "lost-syn",
        chapter: CHAPTER,
        title: "a SYN that is lost is sent again after one second",
        source: "RFC 6298 section 2.1",
        tell: lost_syn,
    },
    Story {
        name: "lost-syn-ack",
        chapter: CHAPTER,
        title: "a SYN-ACK that is lost: both sides repeat, one connection comes of it",
        source: "RFC 9293 section 3.8.1",
        tell: lost_syn_ack,
    },
    Story {
        name: "lost-third-ack",
        chapter: CHAPTER,
        title: "the third segment is lost; the first data completes the handshake",
        source: "RFC 9293 section 3.10.7.4",
        tell: lost_third_ack,
    },
    Story {
        name: "simultaneous-open",
        chapter: CHAPTER,
        title: "both sides connect at once: SYN-SENT, SYN-RECEIVED, ESTABLISHED, one connection",
        source: "RFC 9293 section 3.5, figure 7",
        tell: simultaneous_open,
    },
    Story {
        name: "nobody-answers",
        chapter: CHAPTER,
        title: "SYNs into the void: four a second apart, then doubling, then ETIMEDOUT",
        source: "tcp_syn_retries 6, tcp_syn_linear_timeouts 4; RFC 9293 section 3.8.3",
        tell: nobody_answers,
    },
    Story {
        name: "nobody-confirms",
        chapter: CHAPTER,
        title: "SYN-ACKs into the void: five repetitions, doubling; after 63 s the request is forgotten",
        source: "tcp_synack_retries 5",
        tell: nobody_confirms,
    },
    Story {
        name: "syns-that-double",
        chapter: CHAPTER,
        title: "the same without the linear start: a SYN after 1, 2, 4, 8, 16 s; five repetitions, ETIMEDOUT after 63 s",
        source: "tcp_syn_linear_timeouts 0, tcp_syn_retries 5; RFC 6298 section 5",
        tell: syns_that_double,
    },
    Story {
        name: "refused",
        chapter: CHAPTER,
        title: "nobody listens: RST, ECONNREFUSED after one round trip",
        source: "RFC 9293 section 3.5.2, group 1",
        tell: refused,
    },
    Story {
        name: "unreachable",
        chapter: CHAPTER,
        title: "no route to the destination: ENETUNREACH, without a segment",
        source: "connect(2)",
        tell: unreachable,
    },
    Story {
        name: "host-unreachable",
        chapter: CHAPTER,
        title: "a router cannot reach the host and says so: the attempt ends at once, EHOSTUNREACH",
        source: "RFC 1122 section 4.2.3.9, as Linux does it; RFC 792",
        tell: host_unreachable,
    },
    Story {
        name: "negotiation",
        chapter: CHAPTER,
        title: "what a SYN offers: MSS, SACK, timestamps, window scale; the smaller MSS wins",
        source: "RFC 9293 section 3.7.1, RFC 7323, RFC 2018",
        tell: negotiation,
    },
];

fn handshake(stage: &mut Stage) -> Told {
    stage.say("the server listens on port 80; the client calls connect()");
    let listener = stage.listen()?;
    let client = stage.connect()?;
    stage.expect_states("SYN-SENT", "CLOSED")?;
    stage.check(!stage.ready(Side::Client, client).contains(Ready::OUT), "a connecting socket is not writable")?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("SYN-SENT", "SYN-RECEIVED")?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("ESTABLISHED", "SYN-RECEIVED")?;
    stage.check(stage.ready(Side::Client, client).contains(Ready::OUT), "a connected socket is writable")?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")?;
    let server = stage.accept(listener)?;
    stage.say("the SYN took sequence number 0, so the first byte is number 1; the bare ACK before it took none");
    stage.send(Side::Client, client, b"hello")?;
    stage.rest()?;
    let ack = stage.sent_by(Side::Client)[1].clone();
    let data = stage.sent_by(Side::Client)[2].clone();
    stage.check(ack.header.sequence == data.header.sequence, "a bare ACK takes no sequence number")?;
    stage.reads(Side::Server, server, Ok(b"hello".to_vec()), "the server should read hello")
}

fn lost_syn(stage: &mut Stage) -> Told {
    stage.listen()?;
    stage.say("the first SYN is lost");
    stage.lose(Side::Client, 1, |header, _| header.flags.contains(TcpFlags::SYN));
    stage.connect()?;
    stage.pass(Duration::from_secs(2))?;
    let syns = stage.times(Side::Client, |sent| sent.has(TcpFlags::SYN));
    stage.check(syns == [Duration::ZERO, Duration::from_secs(1)], format!("SYNs at 0 s and 1 s, not at {syns:?}"))?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")
}

fn lost_syn_ack(stage: &mut Stage) -> Told {
    stage.listen()?;
    stage.say("the first SYN-ACK is lost; the client's timer fires first, and its SYN brings another SYN-ACK");
    stage.lose(Side::Server, 1, |header, _| header.flags.contains(TcpFlags::SYN));
    stage.connect()?;
    stage.pass(Duration::from_secs(3))?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")?;
    let answers = stage.sent_by(Side::Server);
    let same = answers.windows(2).all(|pair| pair[0].header.sequence == pair[1].header.sequence);
    stage.check(same, "every SYN-ACK has the same initial sequence number")
}

fn lost_third_ack(stage: &mut Stage) -> Told {
    let listener = stage.listen()?;
    stage.lose(Side::Client, 1, |header, payload| header.flags == TcpFlags::ACK && payload == 0);
    let client = stage.connect()?;
    stage.rest()?;
    stage.expect_states("ESTABLISHED", "SYN-RECEIVED")?;
    stage.say("the server still waits; the client's first data carries the same acknowledgment");
    stage.send(Side::Client, client, b"hello")?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")?;
    let server = stage.accept(listener)?;
    stage.reads(Side::Server, server, Ok(b"hello".to_vec()), "the server should read hello")
}

fn simultaneous_open(stage: &mut Stage) -> Told {
    const SERVER_PORT: u16 = 80;
    stage.say("both sides bind their ports and connect to each other at the same moment; nobody listens");
    let left = stage.socket(Side::Client, Some(CLIENT_PORT))?;
    let right = stage.socket(Side::Server, Some(SERVER_PORT))?;
    stage.connect_to(Side::Client, left, SocketAddr::from((SERVER, SERVER_PORT)))?;
    stage.connect_to(Side::Server, right, SocketAddr::from((CLIENT, CLIENT_PORT)))?;
    stage.lab.settle()?;
    stage.expect_states("SYN-SENT", "SYN-SENT")?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("SYN-RECEIVED", "SYN-RECEIVED")?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")?;
    stage.rest()?;
    stage.say("one connection, not two: what one side writes the other reads");
    stage.send(Side::Client, left, b"left")?;
    stage.send(Side::Server, right, b"right")?;
    stage.rest()?;
    stage.reads(Side::Server, right, Ok(b"left".to_vec()), "the right side should read left")?;
    stage.reads(Side::Client, left, Ok(b"right".to_vec()), "the left side should read right")
}

fn nobody_answers(stage: &mut Stage) -> Told {
    stage.say("everything the client sends is lost");
    stage.cut(Side::Client);
    let client = stage.connect()?;
    stage.pass(Duration::from_secs(140))?;
    let seconds: Vec<u64> = stage.times(Side::Client, |_| true).iter().map(Duration::as_secs).collect();
    let expected = [0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67];
    stage.check(seconds == expected, format!("SYNs at {expected:?} s, not at {seconds:?} s"))?;
    stage.say("64 s after the last SYN, 131 s after the first, the attempt ended");
    stage.expect_states("CLOSED", "CLOSED")?;
    let error = stage.error(Side::Client, client)?;
    stage.check(error == Some(Errno::ETIMEDOUT), format!("ETIMEDOUT, not {error:?}"))
}

fn nobody_confirms(stage: &mut Stage) -> Told {
    stage.listen()?;
    stage.say("the SYN arrives; every SYN-ACK is lost, and the client does not repeat its SYN");
    stage.sysctl(Side::Client, "tcp_syn_linear_timeouts", "0")?;
    stage.cut(Side::Server);
    stage.connect()?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("SYN-SENT", "SYN-RECEIVED")?;
    stage.reboot(Side::Client);
    stage.say("the client is gone without a word");
    stage.pass(Duration::from_secs(62))?;
    let seconds: Vec<u64> =
        stage.times(Side::Server, |sent| sent.has(TcpFlags::SYN)).iter().map(Duration::as_secs).collect();
    stage.check(seconds == [0, 1, 3, 7, 15, 31], format!("SYN-ACKs at 0, 1, 3, 7, 15, 31 s, not at {seconds:?} s"))?;
    stage.check(stage.state(Side::Server) == "SYN-RECEIVED", "the request should still be there after 62 s")?;
    stage.pass(Duration::from_secs(2))?;
    stage.say("after 63 s the listener has forgotten the request");
    stage.check(stage.state(Side::Server) == "CLOSED", "the request should be gone after 63 s")
}

fn refused(stage: &mut Stage) -> Told {
    stage.say("nobody listens on port 80");
    let client = stage.connect()?;
    stage.pass(ONE_WAY * 2)?;
    let reset = stage.last_sent(Side::Server)?;
    let syn = stage.last_sent(Side::Client)?;
    stage.check(reset.header.flags == TcpFlags::RST | TcpFlags::ACK, "the answer is RST with ACK")?;
    let numbers = reset.header.sequence == 0 && reset.header.acknowledgment == syn.header.sequence.wrapping_add(1);
    stage.check(numbers, "a reset for a segment without ACK has SEQ=0 and acknowledges the SYN")?;
    let error = stage.error(Side::Client, client)?;
    stage.check(error == Some(Errno::ECONNREFUSED), format!("ECONNREFUSED, not {error:?}"))
}

fn unreachable(stage: &mut Stage) -> Told {
    stage.say("the client connects to 203.0.113.1, for which it has no route");
    let socket = stage.socket(Side::Client, None)?;
    let to = SocketAddr::from((Ipv4Addr::new(203, 0, 113, 1), 80));
    let errno = match stage.connect_to(Side::Client, socket, to) {
        Err(crate::LabError::Socket { errno, .. }) => Some(errno),
        _ => None,
    };
    stage.check(errno == Some(Errno::ENETUNREACH), format!("ENETUNREACH, not {errno:?}"))?;
    stage.say("connect() has failed at once: ENETUNREACH");
    stage.check(stage.sent_by(Side::Client).is_empty(), "nothing should have been sent")
}

fn host_unreachable(stage: &mut Stage) -> Told {
    let client = stage.connect()?;
    let syn = stage.last_sent(Side::Client)?;
    stage.say("the SYN meets a router that has lost the way: ICMP host unreachable, which quotes it");
    stage.bring_packet(Side::Client, host_unreachable_about(&syn))?;
    stage.expect_states("CLOSED", "CLOSED")?;
    let error = stage.error(Side::Client, client)?;
    stage.check(error == Some(Errno::EHOSTUNREACH), format!("EHOSTUNREACH, not {error:?}"))?;
    stage.pass(Duration::from_secs(10))?;
    stage.check(stage.sent_by(Side::Client).len() == 1, "no SYN should follow")
}

/// What a router says of a segment of the client's (RFC 792): the IP header, and eight bytes of what follows.
fn host_unreachable_about(sent: &Sent) -> Packet {
    let header = Ipv4Header { protocol: Protocol::TCP, source: CLIENT, destination: SERVER, ..Ipv4Header::default() };
    let mut quoted = vec![0; 20];
    Ipv4Header { total_length: 40, ttl: 63, ..header }.emit(&mut quoted);
    quoted.extend(sent.header.source_port.to_be_bytes());
    quoted.extend(sent.header.destination_port.to_be_bytes());
    quoted.extend(sent.header.sequence.to_be_bytes());
    let message =
        Icmpv4Message::DestinationUnreachable { code: UnreachableCode::HOST, next_hop_mtu: 0, quoted: &quoted };
    let mut bytes = vec![0; 20 + message.message_len()];
    let (protocol, source, destination) = (Protocol::ICMPV4, SERVER, CLIENT);
    let total_length = bytes.len() as u16;
    Ipv4Header { total_length, ttl: 64, protocol, source, destination, ..header }.emit(&mut bytes);
    message.emit(&mut bytes[20..]);
    Packet::from_bytes(bytes.into())
}

fn syns_that_double(stage: &mut Stage) -> Told {
    stage.sysctl(Side::Client, "tcp_syn_linear_timeouts", "0")?;
    stage.sysctl(Side::Client, "tcp_syn_retries", "5")?;
    stage.say("everything the client sends is lost");
    stage.cut(Side::Client);
    let client = stage.connect()?;
    stage.pass(Duration::from_millis(62_500))?;
    let seconds: Vec<u64> = stage.times(Side::Client, |_| true).iter().map(Duration::as_secs).collect();
    stage.check(seconds == [0, 1, 3, 7, 15, 31], format!("SYNs at 0, 1, 3, 7, 15, 31 s, not at {seconds:?} s"))?;
    stage.expect_states("SYN-SENT", "CLOSED")?;
    stage.pass(Duration::from_secs(1))?;
    let error = stage.error(Side::Client, client)?;
    stage.check(error == Some(Errno::ETIMEDOUT), format!("ETIMEDOUT after 63 s, not {error:?}"))
}

fn negotiation(stage: &mut Stage) -> Told {
    stage.say("the server's sysctls: no timestamps; the client limits its MSS through a smaller receive buffer only");
    stage.sysctl(Side::Server, "tcp_timestamps", "0")?;
    let listener = stage.listen()?;
    let client = stage.socket(Side::Client, None)?;
    stage.option(Side::Client, client, SocketOption::ReceiveBuffer(16_384))?;
    stage.connect_to(Side::Client, client, SocketAddr::from((SERVER, 80)))?;
    stage.rest()?;
    let server = stage.accept(listener)?;
    stage.say("timestamps were offered by one side only: later segments carry none");
    stage.send(Side::Client, client, &[0; 3000])?;
    stage.rest()?;
    let full = stage.sent_by(Side::Client).iter().map(|sent| sent.payload).max();
    stage.check(full.is_some_and(|full| full >= 1460), "without timestamps a full segment carries 1460 bytes")?;
    let read = stage.recv(Side::Server, server).map(|data| data.len());
    stage.check(read == Ok(3000), format!("3000 bytes, not {read:?}"))
}
