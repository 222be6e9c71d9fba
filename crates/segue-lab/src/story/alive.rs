//! Keeping alive: the three outcomes of keep-alive, and the user timeout (RFC 9293 section 3.8.4, RFC 5482).
use std::time::Duration;

use segue_stack::{Errno, SocketOption};
use segue_wire::TcpFlags;

use super::stage::{Pair, Side, Stage};
use super::{Story, Told};

const CHAPTER: &str = "keeping alive";
const HOUR: Duration = Duration::from_secs(3600);

pub(super) const STORIES: &[Story] = &[
    Story {
        name: "keep-alive-off",
        chapter: CHAPTER,
        title: "nobody has asked for keep-alive: a day of silence without a segment, and the connection is still there",
        source: "RFC 9293 section 3.8.4, MUST-25",
        tell: off,
    },
    Story {
        name: "keep-alive-answered",
        chapter: CHAPTER,
        title: "two hours of silence, a probe, an answer: the timer starts over",
        source: "RFC 9293 section 3.8.4; tcp_keepalive_time 7200",
        tell: answered,
    },
    Story {
        name: "keep-alive-rebooted",
        chapter: CHAPTER,
        title: "the peer has started again: the probe is reset, ECONNRESET",
        source: "RFC 9293 section 3.8.4",
        tell: rebooted,
    },
    Story {
        name: "keep-alive-gone",
        chapter: CHAPTER,
        title: "the peer is gone: nine probes 75 s apart, ETIMEDOUT after 2 h 11 min 15 s",
        source: "tcp_keepalive_time, _intvl, _probes",
        tell: gone,
    },
    Story {
        name: "user-timeout",
        chapter: CHAPTER,
        title: "TCP_USER_TIMEOUT: unacknowledged data for 10 s, ETIMEDOUT instead of a quarter of an hour",
        source: "RFC 9293 section 3.8.3, tcp(7)",
        tell: user_timeout,
    },
    Story {
        name: "user-timeout-option",
        chapter: CHAPTER,
        title: "one side says that it keeps the connection for five minutes; the other adopts it instead of its own 25 s",
        source: "RFC 5482",
        tell: user_timeout_option,
    },
    Story {
        name: "retries-exhausted",
        chapter: CHAPTER,
        title: "a peer that never answers: doubling timeouts, given up after about 15 minutes",
        source: "tcp_retries2 15; RFC 9293 section 3.8.3",
        tell: retries_exhausted,
    },
];

fn off(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    let before = stage.sent_by(Side::Client).len() + stage.sent_by(Side::Server).len();
    stage.say("both sides fall silent for a day; neither has set SO_KEEPALIVE");
    stage.pass(HOUR * 24)?;
    let after = stage.sent_by(Side::Client).len() + stage.sent_by(Side::Server).len();
    stage.check(after == before, format!("no segment, not {}", after - before))?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")?;
    stage.say("then one of them has something to say");
    stage.send(Side::Client, pair.client, b"good morning")?;
    stage.rest()?;
    stage.reads(Side::Server, pair.server, Ok(b"good morning".to_vec()), "it arrives")
}

fn quiet(stage: &mut Stage) -> Result<Pair, crate::LabError> {
    let pair = stage.established()?;
    stage.say("the server sets SO_KEEPALIVE; both sides fall silent");
    stage.option(Side::Server, pair.server, SocketOption::KeepAlive(true))?;
    Ok(pair)
}

fn probes(stage: &Stage) -> Vec<Duration> {
    stage.times(Side::Server, |sent| sent.at >= HOUR && sent.payload == 0 && !sent.has(TcpFlags::RST))
}

fn answered(stage: &mut Stage) -> Told {
    quiet(stage)?;
    stage.pass(HOUR * 5)?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")?;
    let probes = probes(stage);
    stage.check(probes.len() == 2, format!("one probe every two hours, not at {probes:?}"))
}

fn rebooted(stage: &mut Stage) -> Told {
    let pair = quiet(stage)?;
    stage.pass(HOUR)?;
    stage.say("the client loses power and starts again");
    stage.reboot(Side::Client);
    stage.pass(HOUR + Duration::from_secs(1))?;
    stage.expect_states("CLOSED", "CLOSED")?;
    let read = stage.recv(Side::Server, pair.server);
    stage.check(read == Err(Errno::ECONNRESET), format!("ECONNRESET, not {read:?}"))
}

fn gone(stage: &mut Stage) -> Told {
    let pair = quiet(stage)?;
    stage.pass(HOUR)?;
    stage.say("the cable is cut");
    stage.cut(Side::Server);
    stage.pass(HOUR + Duration::from_secs(11 * 60 + 14))?;
    stage.check(stage.state(Side::Server) == "ESTABLISHED", "2 h 11 min 14 s are not enough")?;
    stage.pass(Duration::from_secs(2))?;
    let count = probes(stage).len();
    stage.check(count == 9, format!("nine probes, not {count}"))?;
    let read = stage.recv(Side::Server, pair.server);
    stage.check(read == Err(Errno::ETIMEDOUT), format!("ETIMEDOUT, not {read:?}"))
}

fn user_timeout(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("TCP_USER_TIMEOUT is 10 s; the cable is cut, the client sends");
    stage.option(Side::Client, pair.client, SocketOption::UserTimeout(Duration::from_secs(10)))?;
    stage.cut(Side::Client);
    stage.send(Side::Client, pair.client, b"anybody?")?;
    stage.pass(Duration::from_secs(9))?;
    stage.check(stage.state(Side::Client) == "ESTABLISHED", "9 s are not enough")?;
    stage.pass(Duration::from_secs(3))?;
    let read = stage.recv(Side::Client, pair.client);
    stage.check(read == Err(Errno::ETIMEDOUT), format!("ETIMEDOUT, not {read:?}"))
}

fn user_timeout_option(stage: &mut Stage) -> Told {
    for side in [Side::Client, Side::Server] {
        stage.sysctl(side, "net.segue.tcp_user_timeout_option", "1")?;
    }
    stage.sysctl(Side::Server, "tcp_retries2", "6")?;
    let pair = stage.established()?;
    stage.say("the client's TCP_USER_TIMEOUT is 300 s, which its next segment tells");
    stage.option(Side::Client, pair.client, SocketOption::UserTimeout(Duration::from_secs(300)))?;
    stage.send(Side::Client, pair.client, b"hello")?;
    stage.rest()?;
    stage.say("the cable is cut; the server sends and waits for as long as it was told");
    stage.cut(Side::Server);
    stage.send(Side::Server, pair.server, b"anybody?")?;
    stage.pass(Duration::from_secs(295))?;
    stage.check(stage.state(Side::Server) == "ESTABLISHED", "295 s are not enough")?;
    stage.pass(Duration::from_secs(10))?;
    stage.reads(Side::Server, pair.server, Ok(b"hello".to_vec()), "what came before is still read")?;
    let read = stage.recv(Side::Server, pair.server);
    stage.check(read == Err(Errno::ETIMEDOUT), format!("ETIMEDOUT, not {read:?}"))
}

fn retries_exhausted(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("the cable is cut, the client sends");
    stage.cut(Side::Client);
    stage.send(Side::Client, pair.client, b"anybody?")?;
    stage.pass(Duration::from_secs(900))?;
    stage.check(stage.state(Side::Client) == "ESTABLISHED", "15 minutes are not enough")?;
    stage.pass(Duration::from_secs(200))?;
    let read = stage.recv(Side::Client, pair.client);
    stage.check(read == Err(Errno::ETIMEDOUT), format!("ETIMEDOUT, not {read:?}"))?;
    let times = stage.times(Side::Client, |sent| sent.payload > 0);
    let doubling = times.windows(3).skip(2).take(6).all(|at| {
        let (first, second) = (at[1] - at[0], at[2] - at[1]);
        second.as_millis().abs_diff(first.as_millis() * 2) <= 4
    });
    stage.check(doubling, format!("each wait should be twice the one before: {times:?}"))
}
