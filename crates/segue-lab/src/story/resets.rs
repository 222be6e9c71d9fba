//! Resets: old duplicates, half-open connections, forged segments (RFC 9293 sections 3.5.1 to 3.5.3, RFC 5961).
use std::time::Duration;

use segue_stack::{Errno, SocketOption};
use segue_wire::TcpFlags;
use segue_wire::tcp::OptionBytes;

use super::stage::{CLIENT_PORT, ONE_WAY, SERVER, Sent, Side, Stage};
use super::{Story, Told};

const CHAPTER: &str = "resets";

pub(super) const STORIES: &[Story] = &[
    Story {
        name: "old-duplicate-syn",
        chapter: CHAPTER,
        title: "an old SYN arrives first; its answer is reset, the listener listens on, the real SYN succeeds",
        source: "RFC 9293 section 3.5, figure 8",
        tell: old_duplicate_syn,
    },
    Story {
        name: "half-open-reconnect",
        chapter: CHAPTER,
        title: "a crashed client connects again: challenge ACK, RST, then a clean open",
        source: "RFC 9293 section 3.5.1, figure 9; RFC 5961 section 4",
        tell: half_open_reconnect,
    },
    Story {
        name: "half-open-send",
        chapter: CHAPTER,
        title: "the side that lives sends to one that has crashed, and is reset",
        source: "RFC 9293 section 3.5.1, figure 10",
        tell: half_open_send,
    },
    Story {
        name: "half-open-silent",
        chapter: CHAPTER,
        title: "nobody sends: only keep-alive finds that the peer has crashed",
        source: "RFC 9293 section 3.8.4",
        tell: half_open_silent,
    },
    Story {
        name: "blind-reset",
        chapter: CHAPTER,
        title: "a forged RST inside the window is challenged, not believed; the exact one is",
        source: "RFC 5961 section 3",
        tell: blind_reset,
    },
    Story {
        name: "challenges-limited",
        chapter: CHAPTER,
        title: "twenty forged RSTs at once: one challenge ACK in half a second answers them all",
        source: "RFC 5961 section 10; tcp_invalid_ratelimit 500 ms",
        tell: challenges_limited,
    },
    Story {
        name: "blind-syn",
        chapter: CHAPTER,
        title: "a SYN in an established connection is challenged, whatever its number",
        source: "RFC 5961 section 4",
        tell: blind_syn,
    },
    Story {
        name: "blind-data",
        chapter: CHAPTER,
        title: "a segment that acknowledges what was never sent gets an ACK and is dropped",
        source: "RFC 5961 section 5",
        tell: blind_ack,
    },
    Story {
        name: "signed-session",
        chapter: CHAPTER,
        title: "segments carry a MAC (TCP-AO): the exact RST, forged by one who sees everything but the key, changes nothing",
        source: "RFC 5925 sections 7.5 and 11",
        tell: signed_session,
    },
    Story {
        name: "stray-segment",
        chapter: CHAPTER,
        title: "a segment for a connection that does not exist is reset with its own acknowledgment number",
        source: "RFC 9293 section 3.5.2, group 1",
        tell: stray_segment,
    },
];

fn old_duplicate_syn(stage: &mut Stage) -> Told {
    stage.say("the client's first attempt: the network holds its SYN back, and the client gives up");
    stage.listen()?;
    stage.cut(Side::Client);
    let socket = stage.connect_from(Some(CLIENT_PORT))?;
    let old = stage.last_sent(Side::Client)?;
    stage.close(Side::Client, socket)?;
    stage.pass(Duration::from_millis(100))?;
    stage.say("it connects again from the same port; the new SYN is lost at first, and the old one comes out");
    stage.mend();
    stage.lose(Side::Client, 1, |header, _| header.flags.contains(TcpFlags::SYN));
    stage.connect_from(Some(CLIENT_PORT))?;
    stage.bring(Side::Server, &old, |_| {})?;
    stage.expect_states("SYN-SENT", "SYN-RECEIVED")?;
    stage.pass(ONE_WAY)?;
    let reset = stage.last_sent(Side::Client)?;
    stage.check(
        reset.header.flags == TcpFlags::RST && reset.header.sequence == old.header.sequence.wrapping_add(1),
        "the SYN-ACK for the old SYN is reset with the number it acknowledged",
    )?;
    stage.pass(ONE_WAY)?;
    stage.check(stage.state(Side::Server) == "CLOSED", "the request should be gone, the listener back in LISTEN")?;
    stage.say("the listener is back in LISTEN; the client's SYN is sent again and finds it");
    stage.pass(Duration::from_secs(2))?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")
}

fn half_open_reconnect(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("the client crashes and forgets everything; the server notices nothing");
    stage.reboot(Side::Client);
    stage.pass(Duration::from_secs(10))?;
    stage.expect_states("CLOSED", "ESTABLISHED")?;
    stage.say("it connects again from the same port: a SYN into a synchronised connection gets a challenge ACK");
    stage.connect_from(Some(CLIENT_PORT))?;
    stage.pass(ONE_WAY * 2)?;
    let reset = stage.last_sent(Side::Client)?;
    stage.check(reset.has(TcpFlags::RST), "the challenge ACK is not acceptable in SYN-SENT and is reset")?;
    stage.pass(ONE_WAY)?;
    stage.reads(
        Side::Server,
        pair.server,
        Err(Errno::ECONNRESET),
        "the server's old connection ends with ECONNRESET",
    )?;
    stage.say("the old connection is gone; the SYN, sent again, opens a new one");
    stage.pass(Duration::from_secs(3))?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")?;
    stage.accept(pair.listener).map(|_| ())
}

fn half_open_send(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("the client crashes; the server, which lives, sends");
    stage.reboot(Side::Client);
    stage.send(Side::Server, pair.server, b"are you there?")?;
    stage.pass(ONE_WAY * 2)?;
    let reset = stage.last_sent(Side::Client)?;
    stage
        .check(reset.header.flags == TcpFlags::RST, "the answer is a bare RST with the number that was acknowledged")?;
    stage.expect_states("CLOSED", "CLOSED")?;
    let read = stage.recv(Side::Server, pair.server);
    stage.check(read == Err(Errno::ECONNRESET), format!("ECONNRESET, not {read:?}"))
}

fn half_open_silent(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("the server turns keep-alive on: 60 s idle");
    stage.option(Side::Server, pair.server, SocketOption::KeepAlive(true))?;
    stage.option(Side::Server, pair.server, SocketOption::KeepIdle(Duration::from_secs(60)))?;
    stage.say("the client crashes; neither side has anything to say");
    stage.reboot(Side::Client);
    stage.pass(Duration::from_secs(59))?;
    stage.expect_states("CLOSED", "ESTABLISHED")?;
    stage.pass(Duration::from_secs(2))?;
    stage.expect_states("CLOSED", "CLOSED")?;
    let read = stage.recv(Side::Server, pair.server);
    stage.check(read == Err(Errno::ECONNRESET), format!("ECONNRESET, not {read:?}"))
}

fn blind_reset(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    let model = stage.model_for(Side::Server)?;
    stage.say("somebody guesses the ports and a number inside the window, and forges a RST");
    stage.bring(Side::Server, &model, |header| {
        header.flags = TcpFlags::RST;
        header.sequence = header.sequence.wrapping_add(1000);
    })?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")?;
    let challenge = stage.last_sent(Side::Server)?;
    stage.check(challenge.header.flags == TcpFlags::ACK && challenge.payload == 0, "it gets a challenge ACK")?;
    stage.say("the real client ignores the challenge; only a RST with exactly the expected number ends the connection");
    stage.pass(Duration::from_secs(1))?;
    stage.bring(Side::Server, &model, |header| header.flags = TcpFlags::RST)?;
    stage.check(stage.state(Side::Server) == "CLOSED", "the exact RST ends the connection")?;
    let read = stage.recv(Side::Server, pair.server);
    stage.check(read == Err(Errno::ECONNRESET), format!("ECONNRESET, not {read:?}"))
}

fn challenges_limited(stage: &mut Stage) -> Told {
    stage.established()?;
    let model = stage.model_for(Side::Server)?;
    let before = stage.sent_by(Side::Server).len();
    let forge = |stage: &mut Stage| {
        (0..20).try_for_each(|number| {
            stage.bring(Side::Server, &model, |header| {
                header.flags = TcpFlags::RST;
                header.sequence = header.sequence.wrapping_add(1000 + number);
            })
        })
    };
    stage.say("somebody forges twenty RSTs inside the window");
    forge(stage)?;
    stage.check(stage.sent_by(Side::Server).len() == before + 1, "one challenge ACK answers twenty of them")?;
    stage.pass(Duration::from_millis(510))?;
    stage.say("and twenty more, half a second later");
    forge(stage)?;
    stage.check(stage.sent_by(Side::Server).len() == before + 2, "then there is one more")?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")
}

fn signed_session(stage: &mut Stage) -> Told {
    stage.say("two routers share a key and sign every segment of their session");
    let listener = stage.listen()?;
    stage.sign(Side::Server, listener)?;
    let client = stage.socket(Side::Client, Some(CLIENT_PORT))?;
    stage.sign(Side::Client, client)?;
    stage.connect_to(Side::Client, client, (SERVER, 80).into())?;
    stage.rest()?;
    let server = stage.accept(listener)?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")?;
    let model = stage.model_for(Side::Server)?;
    let answers = stage.sent_by(Side::Server).len();
    stage.say("somebody who sees every segment forges the exact RST, with the MAC of the segment that he saw");
    stage.bring(Side::Server, &model, |header| header.flags = TcpFlags::RST)?;
    stage.say("and once more without any");
    let bare = Sent { options: OptionBytes::EMPTY, ..model };
    stage.bring(Side::Server, &bare, |header| header.flags = TcpFlags::RST)?;
    stage.rest()?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")?;
    stage.check(stage.sent_by(Side::Server).len() == answers, "neither gets an answer")?;
    let (bad, unsigned) =
        (stage.counter(Side::Server, "TcpExtTCPAOBad"), stage.counter(Side::Server, "TcpExtTCPAORequired"));
    stage.check((bad, unsigned) == (1, 1), format!("each is counted: {bad} bad, {unsigned} unsigned"))?;
    stage.send(Side::Client, client, b"still here")?;
    stage.rest()?;
    stage.reads(Side::Server, server, Ok(b"still here".to_vec()), "the session goes on")
}

fn blind_syn(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    let model = stage.model_for(Side::Server)?;
    stage.say("a SYN for the established connection");
    stage.bring(Side::Server, &model, |header| {
        header.flags = TcpFlags::SYN;
        header.sequence = header.sequence.wrapping_add(5000);
    })?;
    stage.rest()?;
    let challenge = stage.last_sent(Side::Server)?;
    stage.check(challenge.header.flags == TcpFlags::ACK, "it gets a challenge ACK")?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")?;
    stage.send(Side::Client, pair.client, b"still here")?;
    stage.rest()?;
    stage.reads(Side::Server, pair.server, Ok(b"still here".to_vec()), "the connection goes on")
}

fn blind_ack(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    let model = stage.model_for(Side::Server)?;
    stage.say("a segment that acknowledges 5000 bytes that the server has never sent");
    let before = stage.sent_by(Side::Server).len();
    stage.bring(Side::Server, &model, |header| header.acknowledgment = header.acknowledgment.wrapping_add(5000))?;
    stage.rest()?;
    stage.check(stage.sent_by(Side::Server).len() == before + 1, "it gets one ACK")?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")?;
    stage.send(Side::Server, pair.server, b"unharmed")?;
    stage.rest()?;
    stage.reads(Side::Client, pair.client, Ok(b"unharmed".to_vec()), "the connection goes on")
}

fn stray_segment(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    let model = stage.model_for(Side::Server)?;
    stage.say("the connection is aborted on both sides and forgotten");
    stage.option(Side::Client, pair.client, SocketOption::Linger(Some(Duration::ZERO)))?;
    stage.close(Side::Client, pair.client)?;
    stage.rest()?;
    stage.expect_states("CLOSED", "CLOSED")?;
    stage.say("an old segment of it comes out of the network");
    stage.bring(Side::Server, &model, |_| {})?;
    stage.rest()?;
    let reset = stage.last_sent(Side::Server)?;
    stage.check(
        reset.header.flags == TcpFlags::RST && reset.header.sequence == model.header.acknowledgment,
        "a stray segment with ACK is reset with the number it acknowledged",
    )
}
