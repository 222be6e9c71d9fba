//! What is left of a connection, and who waits for it: SHUT_RDWR, lingering, TIME-WAIT that is reused or left out
//! (close(2), shutdown(2), SO_LINGER, tcp_tw_reuse, tcp_max_tw_buckets).
use std::time::Duration;

use segue_stack::{Errno, Shutdown, SocketId, SocketOption};
use segue_wire::TcpFlags;

use super::stage::{ONE_WAY, Side, Stage};
use super::{Story, Told};
use crate::LabError;

const CHAPTER: &str = "closing";

pub(super) const STORIES: &[Story] = &[
    Story {
        name: "shut-both",
        chapter: CHAPTER,
        title: "shutdown(SHUT_RDWR): a FIN leaves, the descriptor stays; what still comes for it is reset",
        source: "shutdown(2), as Linux does it; RFC 9293 section 3.6.1",
        tell: shut_both,
    },
    Story {
        name: "linger-time",
        chapter: CHAPTER,
        title: "SO_LINGER with a time: close() returns when all is acknowledged, or when the time is over; the rest goes on without it",
        source: "socket(7), SO_LINGER",
        tell: linger_time,
    },
    Story {
        name: "time-wait-reused",
        chapter: CHAPTER,
        title: "all ports are in TIME-WAIT: EADDRNOTAVAIL; a second later tcp_tw_reuse lets connect() have one",
        source: "RFC 6191; tcp_tw_reuse, tcp_tw_reuse_delay",
        tell: time_wait_reused,
    },
    Story {
        name: "time-wait-full",
        chapter: CHAPTER,
        title: "tcp_max_tw_buckets entries are there: the next connection ends without TIME-WAIT",
        source: "net.ipv4.tcp_max_tw_buckets",
        tell: time_wait_full,
    },
];

fn shut_both(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("the client calls shutdown(SHUT_RDWR) and keeps the descriptor");
    stage.shutdown(Side::Client, pair.client, Shutdown::Both)?;
    stage.rest()?;
    stage.expect_states("FIN-WAIT-2", "CLOSE-WAIT")?;
    stage.reads(Side::Client, pair.client, Ok(vec![]), "reading gives the end of the stream")?;
    let write = stage.send_error(Side::Client, pair.client);
    stage.check(write == Some(Errno::EPIPE), format!("writing gives EPIPE, not {write:?}"))?;
    stage.reads(Side::Server, pair.server, Ok(vec![]), "the server sees the end of the stream")?;
    stage.say("the server has something to say all the same; nobody will ever read it, and it is told so");
    stage.send(Side::Server, pair.server, b"answer")?;
    stage.pass(ONE_WAY)?;
    stage.check(stage.last_sent(Side::Client)?.has(TcpFlags::RST), "data after SHUT_RDWR is reset")?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("CLOSED", "CLOSED")?;
    let write = stage.send_error(Side::Server, pair.server);
    stage.check(write == Some(Errno::EPIPE), format!("the server's next write meets EPIPE, not {write:?}"))
}

/// close() as a program with SO_LINGER sees it: when it returns.
fn lingering_close(stage: &mut Stage, socket: SocketId, most: Duration) -> Result<Duration, LabError> {
    const STEP: Duration = Duration::from_millis(1);
    stage.option(Side::Client, socket, SocketOption::Linger(Some(most)))?;
    let start = stage.lab.elapsed();
    stage.close(Side::Client, socket)?;
    while ["FIN-WAIT-1", "CLOSING", "LAST-ACK"].contains(&stage.state(Side::Client)) {
        if stage.lab.elapsed() - start >= most {
            break;
        }
        stage.pass(STEP)?;
    }
    Ok(stage.lab.elapsed() - start)
}

fn linger_time(stage: &mut Stage) -> Told {
    let most = Duration::from_secs(2);
    let pair = stage.established()?;
    stage.say("the client writes, sets SO_LINGER {on, 2} and closes");
    stage.send(Side::Client, pair.client, b"goodbye")?;
    let took = lingering_close(stage, pair.client, most)?;
    stage.say(&format!("close() returned after {} ms: everything, the FIN too, was acknowledged", took.as_millis()));
    stage.check(took <= ONE_WAY * 2 + Duration::from_millis(41), format!("a round trip, not {took:?}"))?;
    stage.expect_states("FIN-WAIT-2", "CLOSE-WAIT")?;
    stage.reads(Side::Server, pair.server, Ok(b"goodbye".to_vec()), "the last words are read")?;
    stage.close(Side::Server, pair.server)?;
    stage.rest()?;

    stage.pass(Duration::from_secs(60))?;
    stage.expect_states("CLOSED", "CLOSED")?;
    let client = stage.connect()?;
    stage.rest()?;
    let server = stage.accept(pair.listener)?;
    stage.say("the same with a path that loses everything: the time is over first");
    stage.cut(Side::Client);
    stage.send(Side::Client, client, b"goodbye")?;
    let took = lingering_close(stage, client, most)?;
    stage.check(took == most, format!("two seconds, not {took:?}"))?;
    stage.expect_states("FIN-WAIT-1", "ESTABLISHED")?;
    stage.say(
        "close() has returned; the connection goes on without its program, and arrives when the path is well again",
    );
    stage.mend();
    stage.pass(Duration::from_secs(4))?;
    stage.reads(Side::Server, server, Ok(b"goodbye".to_vec()), "nothing was lost by it")?;
    stage.reads(Side::Server, server, Ok(vec![]), "and the end of the stream follows")
}

/// A connection from beginning to end: both close, the client first.
fn connect_and_close(stage: &mut Stage, listener: SocketId) -> Told {
    let client = stage.connect()?;
    stage.rest()?;
    let server = stage.accept(listener)?;
    stage.close(Side::Client, client)?;
    stage.rest()?;
    stage.close(Side::Server, server)?;
    stage.rest()
}

fn time_wait_reused(stage: &mut Stage) -> Told {
    stage.sysctl(Side::Client, "ip_local_port_range", "40000 40000")?;
    stage.sysctl(Side::Client, "tcp_tw_reuse", "1")?;
    stage.say("the client has one port for everything, and tcp_tw_reuse = 1");
    let listener = stage.listen()?;
    connect_and_close(stage, listener)?;
    stage.expect_states("TIME-WAIT", "CLOSED")?;
    let blocked = stage.connect();
    stage.check(
        matches!(blocked, Err(LabError::Socket { errno: Errno::EADDRNOTAVAIL, .. })),
        "the only port is in TIME-WAIT: EADDRNOTAVAIL",
    )?;
    stage.pass(Duration::from_secs(1))?;
    stage.say("after tcp_tw_reuse_delay, one second, timestamps tell old segments from new ones");
    stage.connect()?;
    stage.rest()?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")?;
    stage.check(stage.in_state(Side::Client, "TIME-WAIT") == 0, "the entry has given way")
}

fn time_wait_full(stage: &mut Stage) -> Told {
    stage.sysctl(Side::Client, "tcp_max_tw_buckets", "1")?;
    let listener = stage.listen()?;
    for round in 1..=2 {
        connect_and_close(stage, listener)?;
        let waiting = stage.in_state(Side::Client, "TIME-WAIT");
        stage.say(&format!("connection {round} is over: {waiting} in TIME-WAIT"));
        stage.check(waiting == 1, format!("one entry at most, not {waiting}"))?;
    }
    let left_out = stage.counter(Side::Client, "TcpExtTCPTimeWaitOverflow");
    stage.check(left_out == 1, format!("one connection ended without, not {left_out}"))
}
