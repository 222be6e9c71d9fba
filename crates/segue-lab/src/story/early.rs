//! Opening with data: Fast Open, data in the third segment, and listeners that wait for data (RFC 7413, tcp(7)).
use std::net::SocketAddr;
use std::time::Duration;

use segue_stack::{Errno, Ready};
use segue_wire::TcpFlags;

use super::stage::{ONE_WAY, SERVER, Side, Stage, TcpOption};
use super::{Story, Told};

const CHAPTER: &str = "opening";

pub(super) const STORIES: &[Story] = &[
    Story {
        name: "fast-open",
        chapter: CHAPTER,
        title: "the first SYN asks for a cookie; the second shows it and brings data, which are read before the handshake is over",
        source: "RFC 7413 section 4.2",
        tell: fast_open,
    },
    Story {
        name: "fast-open-refused",
        chapter: CHAPTER,
        title: "a cookie of a key that the server has forgotten: a new one comes, and the data once more behind the handshake",
        source: "RFC 7413 section 4.2.2",
        tell: fast_open_refused,
    },
    Story {
        name: "third-segment-data",
        chapter: CHAPTER,
        title: "the client lets its third segment wait for data: one segment acknowledges the SYN-ACK and brings the request",
        source: "RFC 9293 section 3.5; TCP_DEFER_ACCEPT of a client",
        tell: third_segment_data,
    },
    Story {
        name: "defer-accept",
        chapter: CHAPTER,
        title: "TCP_DEFER_ACCEPT: a bare third segment wakes nobody; accept() returns when there are data to read",
        source: "tcp(7), TCP_DEFER_ACCEPT",
        tell: defer_accept,
    },
];

/// A listener that takes Fast Open.
fn fast_listener(stage: &mut Stage) -> Result<segue_stack::SocketId, crate::LabError> {
    stage.sysctl(Side::Server, "tcp_fastopen", "2")?;
    let listener = stage.listen()?;
    stage.tcp_option(Side::Server, listener, TcpOption::FastOpen, 16)?;
    Ok(listener)
}

/// connect() of a client that uses Fast Open.
fn fast_connect(stage: &mut Stage) -> Result<segue_stack::SocketId, crate::LabError> {
    let client = stage.socket(Side::Client, None)?;
    stage.tcp_option(Side::Client, client, TcpOption::FastOpenConnect, 1)?;
    stage.connect_to(Side::Client, client, SocketAddr::from((SERVER, 80)))?;
    stage.lab.settle()?;
    Ok(client)
}

/// The first connection, which brings the cookie, opened and closed again.
fn fetch_cookie(stage: &mut Stage, listener: segue_stack::SocketId) -> Told {
    stage.say("the client has no cookie for this server yet: its SYN asks for one and brings nothing else");
    let client = fast_connect(stage)?;
    stage.expect_states("SYN-SENT", "CLOSED")?;
    stage.rest()?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")?;
    let server = stage.accept(listener)?;
    stage.close(Side::Client, client)?;
    stage.rest()?;
    stage.close(Side::Server, server)?;
    stage.pass(Duration::from_secs(61))?;
    stage.expect_states("CLOSED", "CLOSED")
}

fn fast_open(stage: &mut Stage) -> Told {
    let listener = fast_listener(stage)?;
    fetch_cookie(stage, listener)?;
    stage.say("the second time connect() returns at once; the SYN leaves with the first write, cookie and data in it");
    let client = fast_connect(stage)?;
    stage.send(Side::Client, client, b"request")?;
    stage.lab.settle()?;
    let syn = stage.last_sent(Side::Client)?;
    stage.check(syn.has(TcpFlags::SYN) && syn.payload == 7, "the SYN brings seven bytes")?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("SYN-SENT", "SYN-RECEIVED")?;
    let server = stage.accept(listener)?;
    stage.reads(
        Side::Server,
        server,
        Ok(b"request".to_vec()),
        "the request is read half a round trip after the call",
    )?;
    stage.say("the answer does not wait for the third segment either");
    stage.send(Side::Server, server, b"answer")?;
    stage.pass(ONE_WAY)?;
    stage.reads(Side::Client, client, Ok(b"answer".to_vec()), "the answer is there after one round trip")?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")
}

fn fast_open_refused(stage: &mut Stage) -> Told {
    let listener = fast_listener(stage)?;
    fetch_cookie(stage, listener)?;
    stage.say("the server has another key by now and knows the cookie no more");
    stage.sysctl(Side::Server, "tcp_fastopen_key", "00112233-44556677-8899aabb-ccddeeff")?;
    let client = fast_connect(stage)?;
    stage.send(Side::Client, client, b"request")?;
    stage.lab.settle()?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("SYN-SENT", "SYN-RECEIVED")?;
    stage.say("the SYN-ACK acknowledges the SYN alone and brings a new cookie; the data follow at once");
    stage.pass(ONE_WAY * 2)?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")?;
    let server = stage.accept(listener)?;
    stage.reads(Side::Server, server, Ok(b"request".to_vec()), "the request is read once, a round trip later")?;
    let failed = stage.counter(Side::Server, "TcpExtTCPFastOpenPassiveFail");
    stage.check(failed == 1, format!("one refused cookie, not {failed}"))?;
    stage.close(Side::Client, client)
}

fn third_segment_data(stage: &mut Stage) -> Told {
    let listener = stage.listen()?;
    let client = stage.socket(Side::Client, None)?;
    stage.tcp_option(Side::Client, client, TcpOption::DeferAccept, 1)?;
    stage.connect_to(Side::Client, client, SocketAddr::from((SERVER, 80)))?;
    stage.pass(ONE_WAY * 2)?;
    stage.say("the client is connected and acknowledges nothing yet: it is about to write");
    stage.expect_states("ESTABLISHED", "SYN-RECEIVED")?;
    stage.pass(ONE_WAY)?;
    stage.send(Side::Client, client, b"request")?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")?;
    let sent = stage.sent_by(Side::Client);
    stage.check(sent.len() == 2 && sent[1].payload == 7, "the SYN and one segment with the request: nothing else")?;
    let server = stage.accept(listener)?;
    stage.reads(Side::Server, server, Ok(b"request".to_vec()), "the request is there when accept() returns")
}

fn defer_accept(stage: &mut Stage) -> Told {
    let listener = stage.listen()?;
    stage.tcp_option(Side::Server, listener, TcpOption::DeferAccept, 5)?;
    let client = stage.connect()?;
    stage.rest()?;
    stage.say("the client believes to be connected; its bare acknowledgment was dropped, accept() would still wait");
    stage.expect_states("ESTABLISHED", "SYN-RECEIVED")?;
    stage.check(!stage.ready(Side::Server, listener).contains(Ready::IN), "the listener is not readable")?;
    stage.pass(Duration::from_millis(300))?;
    stage.send(Side::Client, client, b"request")?;
    stage.pass(ONE_WAY)?;
    stage.expect_states("ESTABLISHED", "ESTABLISHED")?;
    stage.check(stage.ready(Side::Server, listener).contains(Ready::IN), "now it is")?;
    let server = stage.accept(listener)?;
    stage.reads(Side::Server, server, Ok(b"request".to_vec()), "whoever accepts can read at once")?;
    let nobody = stage.recv(Side::Server, server);
    stage.check(nobody == Err(Errno::EAGAIN), format!("and nothing twice, not {nobody:?}"))
}
