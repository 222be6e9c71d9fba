//! Closing: from four segments to none (RFC 9293 sections 3.6, 3.10.4 to 3.10.6; close(2), SO_LINGER).
use std::time::Duration;

use segue_stack::{Errno, Ready, Shutdown, SocketOption};
use segue_wire::TcpFlags;

use super::stage::{CLIENT_PORT, ONE_WAY, Side, Stage};
use super::{Story, Told};

const CHAPTER: &str = "closing";
const MINUTE: Duration = Duration::from_secs(60);

pub(super) const STORIES: &[Story] = &[
    Story {
        name: "four-segments",
        chapter: CHAPTER,
        title: "a close in four segments, every state named; the side that closed first waits 60 s",
        source: "RFC 9293 section 3.6, figure 12",
        tell: four_segments,
    },
    Story {
        name: "three-segments",
        chapter: CHAPTER,
        title: "FIN and ACK join: FIN-WAIT-1 goes to TIME-WAIT directly",
        source: "RFC 9293 section 3.10.7.4, eighth",
        tell: three_segments,
    },
    Story {
        name: "simultaneous-close",
        chapter: CHAPTER,
        title: "both sides close at once: CLOSING on both, TIME-WAIT on both",
        source: "RFC 9293 section 3.6, figure 13",
        tell: simultaneous_close,
    },
    Story {
        name: "half-close",
        chapter: CHAPTER,
        title: "shutdown(SHUT_WR): the client has said all and still reads the answer",
        source: "RFC 9293 section 3.6, case 1",
        tell: half_close,
    },
    Story {
        name: "shut-read",
        chapter: CHAPTER,
        title: "shutdown(SHUT_RD) sends nothing; reads see the end of the stream",
        source: "shutdown(2), as Linux does it",
        tell: shut_read,
    },
    Story {
        name: "drain-before-end",
        chapter: CHAPTER,
        title: "a reader gets every queued byte before the end of the stream",
        source: "RFC 9293 section 3.9.1.4",
        tell: drain_before_end,
    },
    Story {
        name: "close-wait",
        chapter: CHAPTER,
        title: "a server that forgets to close stays in CLOSE-WAIT for ever; the client's FIN-WAIT-2 ends after 60 s",
        source: "RFC 9293 section 3.6; tcp_fin_timeout",
        tell: close_wait,
    },
    Story {
        name: "time-wait",
        chapter: CHAPTER,
        title: "TIME-WAIT answers a repeated FIN with an ACK and starts its 60 s again",
        source: "RFC 9293 section 3.10.7.4; MUST-13",
        tell: time_wait,
    },
    Story {
        name: "time-wait-reopened",
        chapter: CHAPTER,
        title: "a new SYN for a connection in TIME-WAIT opens it again when its numbers are newer",
        source: "RFC 9293 section 3.10.7.4; RFC 6191",
        tell: time_wait_reopened,
    },
    Story {
        name: "time-wait-assassinated",
        chapter: CHAPTER,
        title: "an old duplicate brings a reset that ends TIME-WAIT early",
        source: "RFC 1337 section 2",
        tell: time_wait_assassinated,
    },
    Story {
        name: "time-wait-protected",
        chapter: CHAPTER,
        title: "the same with tcp_rfc1337 = 1: the reset is ignored",
        source: "RFC 1337 section 3, fix F1",
        tell: time_wait_protected,
    },
    Story {
        name: "orphan",
        chapter: CHAPTER,
        title: "the peer vanishes while we close: the FIN is repeated, then the orphan is given up",
        source: "tcp_orphan_retries 0 (acts as 8)",
        tell: orphan,
    },
    Story {
        name: "linger-zero",
        chapter: CHAPTER,
        title: "SO_LINGER with zero: RST at once, no TIME-WAIT; the peer sees ECONNRESET",
        source: "RFC 9293 section 3.9.1.5 (ABORT), socket(7)",
        tell: linger_zero,
    },
    Story {
        name: "unread-data",
        chapter: CHAPTER,
        title: "close() with unread data: RST, because bytes were lost",
        source: "RFC 9293 section 3.6.1, SHLD-3",
        tell: unread_data,
    },
    Story {
        name: "close-or-reset",
        chapter: CHAPTER,
        title: "how the other side tells them apart: end of stream for a close, ECONNRESET for a reset",
        source: "RFC 9293 section 3.9.1.4",
        tell: close_or_reset,
    },
    Story {
        name: "broken-pipe",
        chapter: CHAPTER,
        title: "writing to a peer that has closed: the first write is reset, the next is EPIPE",
        source: "write(2), RFC 9293 section 3.6.1",
        tell: broken_pipe,
    },
    Story {
        name: "lost-fin",
        chapter: CHAPTER,
        title: "a FIN is as reliable as data: lost, it is sent again",
        source: "RFC 9293 section 3.8.1",
        tell: lost_fin,
    },
    Story {
        name: "lost-last-ack",
        chapter: CHAPTER,
        title: "the last ACK is lost: LAST-ACK repeats its FIN, and TIME-WAIT is there to answer",
        source: "RFC 9293 section 3.6",
        tell: lost_last_ack,
    },
];

fn four_segments(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("the client closes");
    stage.close(Side::Client, pair.client)?;
    stage.lab.settle()?;
    stage.expect_states("FIN-WAIT-1", "ESTABLISHED")?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("FIN-WAIT-1", "CLOSE-WAIT")?;
    stage.reads(Side::Server, pair.server, Ok(vec![]), "the server should read the end of the stream")?;
    stage.pass(Duration::from_millis(500))?;
    stage.expect_states("FIN-WAIT-2", "CLOSE-WAIT")?;
    stage.say("half a second later the server closes, too");
    stage.close(Side::Server, pair.server)?;
    stage.lab.settle()?;
    stage.expect_states("FIN-WAIT-2", "LAST-ACK")?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("TIME-WAIT", "LAST-ACK")?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("TIME-WAIT", "CLOSED")?;
    stage.pass(MINUTE - ONE_WAY - Duration::from_millis(1))?;
    stage.expect_states("TIME-WAIT", "CLOSED")?;
    stage.pass(Duration::from_millis(1))?;
    stage.say("60 s after the last segment nothing is left");
    stage.expect_states("CLOSED", "CLOSED")
}

fn three_segments(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("the server has one byte left to say and closes as soon as it hears of the client's FIN");
    stage.close(Side::Client, pair.client)?;
    // The server answers in the very instant, before its acknowledgment has left.
    stage.lose(Side::Server, 1, |header, payload| header.flags == TcpFlags::ACK && payload == 0);
    stage.pass(ONE_WAY)?;
    stage.close(Side::Server, pair.server)?;
    stage.lab.settle()?;
    stage.expect_states("FIN-WAIT-1", "LAST-ACK")?;
    stage.pass(ONE_WAY)?;
    stage.say("one segment acknowledged the client's FIN and brought the server's: no FIN-WAIT-2");
    stage.expect_states("TIME-WAIT", "LAST-ACK")?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("TIME-WAIT", "CLOSED")
}

fn simultaneous_close(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("both sides close at the same moment; the FINs cross");
    stage.close(Side::Client, pair.client)?;
    stage.close(Side::Server, pair.server)?;
    stage.lab.settle()?;
    stage.expect_states("FIN-WAIT-1", "FIN-WAIT-1")?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("CLOSING", "CLOSING")?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("TIME-WAIT", "TIME-WAIT")?;
    stage.pass(MINUTE)?;
    stage.expect_states("CLOSED", "CLOSED")
}

fn half_close(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("the client sends its request and shuts its side");
    stage.send(Side::Client, pair.client, b"request")?;
    stage.shutdown(Side::Client, pair.client, Shutdown::Write)?;
    let write = stage.send_error(Side::Client, pair.client);
    stage.check(write == Some(Errno::EPIPE), format!("EPIPE, not {write:?}"))?;
    stage.pass(Duration::from_millis(100))?;
    stage.expect_states("FIN-WAIT-2", "CLOSE-WAIT")?;
    stage.reads(Side::Server, pair.server, Ok(b"request".to_vec()), "the request should be read")?;
    stage.reads(Side::Server, pair.server, Ok(vec![]), "then the end of the stream")?;
    stage.say("the server thinks for five minutes: a socket that is held may stay in FIN-WAIT-2 as long as it takes");
    stage.pass(MINUTE * 5)?;
    stage.expect_states("FIN-WAIT-2", "CLOSE-WAIT")?;
    stage.send(Side::Server, pair.server, b"answer")?;
    stage.close(Side::Server, pair.server)?;
    stage.rest()?;
    stage.reads(Side::Client, pair.client, Ok(b"answer".to_vec()), "the answer should be read")?;
    stage.reads(Side::Client, pair.client, Ok(vec![]), "then the end of the stream")?;
    stage.expect_states("TIME-WAIT", "CLOSED")
}

fn shut_read(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    let before = stage.sent_by(Side::Client).len();
    stage.say("the client calls shutdown(SHUT_RD)");
    stage.shutdown(Side::Client, pair.client, Shutdown::Read)?;
    stage.rest()?;
    stage.check(stage.sent_by(Side::Client).len() == before, "nothing is sent")?;
    stage.reads(Side::Client, pair.client, Ok(vec![]), "a read sees the end of the stream")?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")?;
    stage.say("the other direction works as before");
    stage.send(Side::Client, pair.client, b"still talking")?;
    stage.rest()?;
    stage.reads(Side::Server, pair.server, Ok(b"still talking".to_vec()), "the server reads")
}

fn drain_before_end(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("the client writes three times and closes; the server has not read yet");
    for part in ["one ", "two ", "three"] {
        stage.send(Side::Client, pair.client, part.as_bytes())?;
    }
    stage.close(Side::Client, pair.client)?;
    stage.rest()?;
    stage.check(
        stage.ready(Side::Server, pair.server).contains(Ready::IN | Ready::RDHUP),
        "readable, and half-closed",
    )?;
    let data = stage.recv(Side::Server, pair.server);
    stage.check(data == Ok(b"one two three".to_vec()), format!("every byte, not {data:?}"))?;
    stage.reads(Side::Server, pair.server, Ok(vec![]), "then the end of the stream")
}

fn close_wait(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("the client closes; the server reads the end of the stream and forgets to close");
    stage.close(Side::Client, pair.client)?;
    stage.pass(Duration::from_millis(100))?;
    stage.expect_states("FIN-WAIT-2", "CLOSE-WAIT")?;
    stage.pass(MINUTE)?;
    stage.say("nobody holds the client's end: after tcp_fin_timeout it is dropped");
    stage.expect_states("CLOSED", "CLOSE-WAIT")?;
    stage.pass(MINUTE * 60 * 24)?;
    stage.expect_states("CLOSED", "CLOSE-WAIT")?;
    stage.say("a day later the server closes at last; nobody knows its FIN any more");
    stage.close(Side::Server, pair.server)?;
    stage.rest()?;
    stage.check(stage.last_sent(Side::Client)?.has(TcpFlags::RST), "the FIN is reset")?;
    stage.expect_states("CLOSED", "CLOSED")
}

fn time_wait(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.close(Side::Client, pair.client)?;
    stage.rest()?;
    stage.say("the client's next six acknowledgments are lost: the server repeats its FIN, and each is answered");
    stage.lose(Side::Client, 6, |header, _| header.flags == TcpFlags::ACK);
    stage.close(Side::Server, pair.server)?;
    stage.pass(MINUTE)?;
    let fins = stage.times(Side::Server, |sent| sent.has(TcpFlags::FIN));
    let acks = stage.times(Side::Client, |sent| sent.header.flags == TcpFlags::ACK && sent.at > fins[0]);
    stage.check(fins.len() == 7 && acks.len() == 7, "seven FINs, seven acknowledgments")?;
    stage.expect_states("TIME-WAIT", "CLOSED")?;
    stage.say("60 s have passed since the first FIN, but each repetition has started them again");
    let last = acks[acks.len() - 1];
    stage.pass(last + MINUTE - Duration::from_millis(1) - stage.lab.elapsed())?;
    stage.expect_states("TIME-WAIT", "CLOSED")?;
    stage.pass(Duration::from_millis(1))?;
    stage.expect_states("CLOSED", "CLOSED")
}

/// A connection that is in TIME-WAIT at the client, and the segment an old duplicate is made of.
fn assassinate(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.close(Side::Client, pair.client)?;
    stage.rest()?;
    stage.close(Side::Server, pair.server)?;
    stage.rest()?;
    stage.expect_states("TIME-WAIT", "CLOSED")?;
    let old = stage.model_for(Side::Client)?;
    stage.say(
        "an old segment of the connection arrives; TIME-WAIT answers, and the server, which knows nothing, resets",
    );
    stage.bring(Side::Client, &old, |_| {})?;
    stage.rest()
}

fn time_wait_assassinated(stage: &mut Stage) -> Told {
    assassinate(stage)?;
    stage.say("the reset has ended TIME-WAIT before its time");
    stage.expect_states("CLOSED", "CLOSED")
}

fn time_wait_protected(stage: &mut Stage) -> Told {
    stage.say("the client has set tcp_rfc1337");
    stage.sysctl(Side::Client, "tcp_rfc1337", "1")?;
    assassinate(stage)?;
    stage.say("the reset was ignored");
    stage.expect_states("TIME-WAIT", "CLOSED")
}

fn time_wait_reopened(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("the server closes first: TIME-WAIT is on its side");
    stage.close(Side::Server, pair.server)?;
    stage.rest()?;
    stage.close(Side::Client, pair.client)?;
    stage.rest()?;
    stage.expect_states("CLOSED", "TIME-WAIT")?;
    stage.pass(Duration::from_secs(2))?;
    stage.say("the client comes back from the same port: its numbers and timestamps are newer");
    stage.connect_from(Some(CLIENT_PORT))?;
    stage.rest()?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")?;
    stage.accept(pair.listener).map(|_| ())
}

fn orphan(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("the cable is cut, and the client closes: nobody holds the connection, nobody answers");
    stage.cut(Side::Client);
    stage.close(Side::Client, pair.client)?;
    stage.pass(Duration::from_secs(5))?;
    stage.expect_states("FIN-WAIT-1", "ESTABLISHED")?;
    stage.pass(Duration::from_secs(300))?;
    let fins = stage.times(Side::Client, |sent| sent.has(TcpFlags::FIN));
    stage.say(&format!(
        "{} FINs in {:.1} s, then the orphan was given up",
        fins.len(),
        (fins[fins.len() - 1] - fins[0]).as_secs_f64()
    ));
    stage.check((8..=10).contains(&fins.len()), format!("about nine FINs, not {}", fins.len()))?;
    stage.expect_states("CLOSED", "ESTABLISHED")
}

fn linger_zero(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("the client sets SO_LINGER {on, 0} and closes");
    stage.option(Side::Client, pair.client, SocketOption::Linger(Some(Duration::ZERO)))?;
    stage.close(Side::Client, pair.client)?;
    stage.lab.settle()?;
    stage.expect_states("CLOSED", "ESTABLISHED")?;
    stage.check(stage.last_sent(Side::Client)?.has(TcpFlags::RST), "RST, not FIN")?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("CLOSED", "CLOSED")?;
    let read = stage.recv(Side::Server, pair.server);
    stage.check(read == Err(Errno::ECONNRESET), format!("ECONNRESET, not {read:?}"))
}

fn unread_data(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.send(Side::Server, pair.server, b"nobody reads this")?;
    stage.rest()?;
    stage.say("the client closes without having read: the server must learn that its bytes were lost");
    stage.close(Side::Client, pair.client)?;
    stage.pass(ONE_WAY)?;
    stage.check(stage.last_sent(Side::Client)?.has(TcpFlags::RST), "RST, not FIN")?;
    stage.expect_states("CLOSED", "CLOSED")?;
    let read = stage.recv(Side::Server, pair.server);
    stage.check(read == Err(Errno::ECONNRESET), format!("ECONNRESET, not {read:?}"))
}

fn close_or_reset(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("first connection: the client closes");
    stage.send(Side::Client, pair.client, b"goodbye")?;
    stage.close(Side::Client, pair.client)?;
    stage.rest()?;
    stage.reads(Side::Server, pair.server, Ok(b"goodbye".to_vec()), "the last words are read")?;
    stage.reads(Side::Server, pair.server, Ok(vec![]), "and then the end of the stream, for ever")?;
    stage.reads(Side::Server, pair.server, Ok(vec![]), "and then the end of the stream, for ever")?;
    stage.close(Side::Server, pair.server)?;
    stage.say("second connection: the client aborts");
    let client = stage.connect()?;
    stage.rest()?;
    let server = stage.accept(pair.listener)?;
    stage.send(Side::Client, client, b"goodbye")?;
    stage.rest()?;
    stage.option(Side::Client, client, SocketOption::Linger(Some(Duration::ZERO)))?;
    stage.close(Side::Client, client)?;
    stage.rest()?;
    stage.check(stage.ready(Side::Server, server).contains(Ready::ERR | Ready::HUP), "POLLERR and POLLHUP")?;
    let reads = [stage.recv(Side::Server, server), stage.recv(Side::Server, server)];
    stage.check(reads.contains(&Err(Errno::ECONNRESET)), format!("ECONNRESET, not {reads:?}"))
}

fn broken_pipe(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("the client closes both directions; the server writes all the same");
    stage.close(Side::Client, pair.client)?;
    stage.rest()?;
    stage.send(Side::Server, pair.server, b"are you listening?")?;
    stage.rest()?;
    stage.check(stage.last_sent(Side::Client)?.has(TcpFlags::RST), "data for a socket nobody holds is reset")?;
    let write = stage.send_error(Side::Server, pair.server);
    stage.check(write == Some(Errno::EPIPE), format!("EPIPE, not {write:?}"))
}

fn lost_fin(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.lose(Side::Client, 1, |header, _| header.flags.contains(TcpFlags::FIN));
    stage.close(Side::Client, pair.client)?;
    stage.pass(Duration::from_secs(2))?;
    let fins = stage.times(Side::Client, |sent| sent.has(TcpFlags::FIN));
    stage.check(fins.len() >= 2, "the FIN is sent again")?;
    stage.expect_states("FIN-WAIT-2", "CLOSE-WAIT")
}

fn lost_last_ack(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.close(Side::Client, pair.client)?;
    stage.rest()?;
    stage.say("the client's ACK of the server's FIN will be lost");
    stage.lose(Side::Client, 1, |header, _| header.flags == TcpFlags::ACK);
    stage.close(Side::Server, pair.server)?;
    stage.pass(ONE_WAY * 2)?;
    stage.expect_states("TIME-WAIT", "LAST-ACK")?;
    stage.pass(Duration::from_secs(2))?;
    stage.expect_states("TIME-WAIT", "CLOSED")
}
