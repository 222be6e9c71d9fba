//! The listener's queues, and what strangers can do to them (RFC 4987, RFC 9293 section 3.10.7.2).
use std::time::Duration;

use segue_stack::{Errno, Ready, SocketOption};
use segue_wire::TcpFlags;

use super::stage::{ONE_WAY, Side, Stage};
use super::{Story, Told};

const CHAPTER: &str = "queues and attack";
/// SYNs of one flood.
const FLOOD: u16 = 2_000;

pub(super) const STORIES: &[Story] = &[
    Story {
        name: "accept-queue-full",
        chapter: CHAPTER,
        title: "nobody accepts: the third ACK finds the queue full and is dropped; the SYN-ACK comes again until there is room",
        source: "listen(2); net.ipv4.tcp_abort_on_overflow 0",
        tell: accept_queue_full,
    },
    Story {
        name: "abort-on-overflow",
        chapter: CHAPTER,
        title: "the same with tcp_abort_on_overflow = 1: whoever finds the queue full is reset",
        source: "net.ipv4.tcp_abort_on_overflow 1",
        tell: abort_on_overflow,
    },
    Story {
        name: "reuse-port",
        chapter: CHAPTER,
        title: "SO_REUSEPORT: two listeners on one port; connections are spread over them by their addresses",
        source: "socket(7), SO_REUSEPORT",
        tell: reuse_port,
    },
    Story {
        name: "syn-cookie",
        chapter: CHAPTER,
        title: "tcp_syncookies = 2: a SYN leaves no state; the acknowledgment of the cookie makes the connection",
        source: "RFC 4987 section 3.6",
        tell: syn_cookie,
    },
    Story {
        name: "forged-cookie",
        chapter: CHAPTER,
        title: "an acknowledgment of a cookie that was never given is reset",
        source: "RFC 4987 section 3.6",
        tell: forged_cookie,
    },
    Story {
        name: "syn-flood",
        chapter: CHAPTER,
        title: "two thousand SYNs that nobody means: the queue stays bounded and a real client still connects",
        source: "RFC 4987 section 3",
        tell: syn_flood,
    },
];

/// A listener whose accept queue is full: two clients have connected and nobody accepts.
fn full(stage: &mut Stage) -> Result<segue_stack::SocketId, crate::LabError> {
    let listener = stage.listen_with(1)?;
    stage.say("backlog 1: two connections may wait (Linux counts to one more); nobody accepts");
    for _ in 0..2 {
        stage.connect()?;
        stage.rest()?;
    }
    Ok(listener)
}

fn accept_queue_full(stage: &mut Stage) -> Told {
    let listener = full(stage)?;
    stage.sysctl(Side::Server, "tcp_syncookies", "0")?;
    let before = stage.counter(Side::Server, "TcpExtListenDrops");
    stage.say("a third client: its SYN is dropped, for the queue is full");
    let third = stage.connect()?;
    stage.rest()?;
    stage.check(!stage.ready(Side::Client, third).contains(Ready::OUT), "it is not connected")?;
    stage.check(stage.counter(Side::Server, "TcpExtListenDrops") > before, "the drop is counted")?;
    stage.say("the server accepts one; the next SYN of the third is taken");
    stage.accept(listener)?;
    stage.pass(Duration::from_secs(2))?;
    stage.check(stage.ready(Side::Client, third).contains(Ready::OUT), "now it is connected")
}

fn abort_on_overflow(stage: &mut Stage) -> Told {
    stage.sysctl(Side::Server, "tcp_abort_on_overflow", "1")?;
    stage.listen_with(2)?;
    stage.say("backlog 2: three connections may wait; two have come, and two more are in the handshake at once");
    for _ in 0..2 {
        stage.connect()?;
        stage.rest()?;
    }
    let first = stage.connect()?;
    let second = stage.connect()?;
    stage.rest()?;
    stage.say("the later of the two third ACKs finds the queue full");
    let reset = stage.times(Side::Server, |sent| sent.has(TcpFlags::RST));
    stage.check(reset.len() == 1, format!("one reset, not at {reset:?}"))?;
    let errors = (stage.error(Side::Client, first)?, stage.error(Side::Client, second)?);
    stage.check(errors == (None, Some(Errno::ECONNRESET)), format!("the second is reset, not {errors:?}"))
}

fn syn_cookie(stage: &mut Stage) -> Told {
    stage.sysctl(Side::Server, "tcp_syncookies", "2")?;
    let listener = stage.listen()?;
    stage.say("every SYN is answered with a cookie in place of an initial sequence number");
    let client = stage.connect()?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("SYN-SENT", "CLOSED")?;
    stage.say("the server has forgotten the SYN already");
    stage.pass(ONE_WAY * 2)?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")?;
    stage.check(stage.counter(Side::Server, "TcpExtSyncookiesRecv") == 1, "a cookie has come back")?;
    let server = stage.accept(listener)?;
    stage.send(Side::Client, client, b"it was true")?;
    stage.rest()?;
    stage.reads(Side::Server, server, Ok(b"it was true".to_vec()), "the connection is like any other")
}

fn forged_cookie(stage: &mut Stage) -> Told {
    stage.sysctl(Side::Server, "tcp_syncookies", "2")?;
    stage.listen()?;
    stage.say("a first client, so that cookies are given; then a stranger invents an acknowledgment");
    stage.connect()?;
    stage.rest()?;
    let model = stage.model_for(Side::Server)?;
    let before = stage.counter(Side::Server, "TcpExtSyncookiesFailed");
    stage.bring(Side::Server, &model, |header| {
        header.source_port = 1234;
        header.acknowledgment = 0x1234_5678;
        header.flags = TcpFlags::ACK;
    })?;
    stage.rest()?;
    stage.check(stage.counter(Side::Server, "TcpExtSyncookiesFailed") == before + 1, "the forgery is seen")?;
    let reset = stage.last_sent(Side::Server)?;
    stage.check(
        reset.has(TcpFlags::RST) && reset.header.sequence == 0x1234_5678,
        "it is reset with the number it acknowledged",
    )
}

fn syn_flood(stage: &mut Stage) -> Told {
    let listener = stage.listen_with(64)?;
    stage.say("a real SYN, so that there is one to forge after");
    stage.connect()?;
    let syn = stage.last_sent(Side::Client)?;
    stage.rest()?;
    stage.accept(listener)?;
    stage.say("two thousand SYNs from ports that nobody has opened");
    for port in 0..FLOOD {
        stage.bring(Side::Server, &syn, |header| {
            header.source_port = 10_000 + port;
            header.sequence = u32::from(port).wrapping_mul(0x9e37_79b9);
        })?;
    }
    let waiting = stage.half_open(Side::Server);
    stage.check(waiting <= 65, format!("at most the backlog is half open, not {waiting}"))?;
    stage.check(stage.counter(Side::Server, "TcpExtSyncookiesSent") > 1_900, "the rest was answered with cookies")?;
    stage.say("in the middle of it a real client connects");
    let real = stage.connect()?;
    stage.rest()?;
    stage.check(stage.ready(Side::Client, real).contains(Ready::OUT), "the real client is connected")?;
    let server = stage.accept(listener)?;
    stage.send(Side::Client, real, b"through")?;
    stage.rest()?;
    stage.reads(Side::Server, server, Ok(b"through".to_vec()), "and its data arrive")
}

fn reuse_port(stage: &mut Stage) -> Told {
    stage.say("two programs listen on port 80, both with SO_REUSEPORT");
    let mut listeners = Vec::new();
    for _ in 0..2 {
        let listener = stage.socket(Side::Server, None)?;
        stage.option(Side::Server, listener, SocketOption::ReusePort(true))?;
        stage.listen_on(listener, 16)?;
        listeners.push(listener);
    }
    let stranger = stage.socket(Side::Server, None)?;
    let refused = stage.listen_on(stranger, 16);
    stage.check(
        matches!(refused, Err(crate::LabError::Socket { errno: Errno::EADDRINUSE, .. })),
        "a third one without the option gets EADDRINUSE",
    )?;
    for _ in 0..16 {
        stage.connect()?;
    }
    stage.rest()?;
    let mut accepted = Vec::new();
    for listener in &listeners {
        let mut count = 0;
        while stage.ready(Side::Server, *listener).contains(Ready::IN) {
            stage.accept(*listener)?;
            count += 1;
        }
        accepted.push(count);
    }
    stage.say(&format!("of 16 connections {} went to the first and {} to the second", accepted[0], accepted[1]));
    stage.check(accepted.iter().sum::<u32>() == 16 && !accepted.contains(&0), "each gets its share, none is lost")?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")
}
