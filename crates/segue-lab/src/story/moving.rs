//! Moving data: acknowledgments, windows, timers (RFC 9293 section 3.8, RFC 6298, RFC 5681).
use std::time::Duration;

use segue_stack::{Errno, MsgFlags, SocketOption};
use segue_wire::TcpFlags;

use super::stage::{ONE_WAY, Pair, Side, Stage};
use super::{Story, Told};

const CHAPTER: &str = "moving data";
const MSS: usize = 1448;

pub(super) const STORIES: &[Story] = &[
    Story {
        name: "delayed-ack",
        chapter: CHAPTER,
        title: "acknowledgments ride on answers; alone they wait 40 ms or for a second segment",
        source: "RFC 9293 section 3.8.6.3, MUST-59",
        tell: delayed_ack,
    },
    Story {
        name: "nagle",
        chapter: CHAPTER,
        title: "small writes wait for the acknowledgment of the one before and leave together",
        source: "RFC 9293 section 3.7.4",
        tell: nagle,
    },
    Story {
        name: "no-delay",
        chapter: CHAPTER,
        title: "the same with TCP_NODELAY: each write leaves at once",
        source: "RFC 9293 section 3.7.4, MUST-17",
        tell: no_delay,
    },
    Story {
        name: "timeout",
        chapter: CHAPTER,
        title: "a lost tail nobody can miss: it is found without three duplicates",
        source: "RFC 6298, RFC 8985 section 7",
        tell: timeout,
    },
    Story {
        name: "fast-retransmit",
        chapter: CHAPTER,
        title: "one segment of ten is lost; duplicates tell, and it is sent again before any timeout",
        source: "RFC 5681 section 3.2",
        tell: fast_retransmit,
    },
    Story {
        name: "zero-window",
        chapter: CHAPTER,
        title: "a reader that stops closes the window; probes go on until it reads again",
        source: "RFC 9293 section 3.8.6.1, MUST-35 to MUST-37",
        tell: zero_window,
    },
    Story {
        name: "lost-ack",
        chapter: CHAPTER,
        title: "an acknowledgment that is lost costs nothing when a later one arrives",
        source: "RFC 9293 section 3.4",
        tell: lost_ack,
    },
    Story {
        name: "too-big",
        chapter: CHAPTER,
        title: "a route changes: a router says that its next hop takes 1200 bytes; segments become shorter, what was too long is sent again",
        source: "RFC 1191 section 3, RFC 9293 section 3.7.2",
        tell: too_big,
    },
    Story {
        name: "urgent",
        chapter: CHAPTER,
        title: "an urgent byte: the pointer, and out-of-band reading",
        source: "RFC 9293 section 3.8.5, RFC 6093",
        tell: urgent,
    },
];

fn settled(stage: &mut Stage) -> Result<Pair, crate::LabError> {
    let pair = stage.established()?;
    stage.say("some requests and answers first: at the start of a connection every segment is acknowledged at once");
    for _ in 0..4 {
        stage.send(Side::Client, pair.client, b"request")?;
        stage.rest()?;
        let _ = stage.recv(Side::Server, pair.server);
        stage.send(Side::Server, pair.server, b"answer")?;
        stage.rest()?;
        let _ = stage.recv(Side::Client, pair.client);
        stage.pass(Duration::from_millis(300))?;
    }
    Ok(pair)
}

fn delayed_ack(stage: &mut Stage) -> Told {
    let pair = settled(stage)?;
    stage.say("a small request, which the server answers after 5 ms: the acknowledgment rides on the answer");
    let before = stage.sent_by(Side::Server).len();
    stage.send(Side::Client, pair.client, b"request")?;
    stage.pass(ONE_WAY + Duration::from_millis(5))?;
    stage.send(Side::Server, pair.server, b"answer")?;
    stage.lab.settle()?;
    let sent = stage.sent_by(Side::Server).split_off(before);
    stage.check(sent.len() == 1 && sent[0].payload == 6, "one segment: answer and acknowledgment")?;
    stage.pass(Duration::from_millis(100))?;
    stage.say("the next one gets no answer: its acknowledgment waits, and leaves alone");
    let before = stage.sent_by(Side::Server).len();
    stage.send(Side::Client, pair.client, b"request")?;
    let arrives = stage.lab.elapsed() + ONE_WAY;
    stage.pass(Duration::from_millis(500))?;
    let sent = stage.sent_by(Side::Server).split_off(before);
    stage.check(sent.len() == 1 && sent[0].payload == 0, "one bare acknowledgment")?;
    let wait = sent[0].at - arrives;
    stage.check(
        (Duration::from_millis(20)..=Duration::from_millis(200)).contains(&wait),
        format!("it waits for a while, and at most 200 ms; not {wait:?}"),
    )
}

fn three_writes(stage: &mut Stage, pair: Pair) -> Result<Vec<usize>, crate::LabError> {
    let before = stage.sent_by(Side::Client).len();
    for word in ["one ", "two ", "three"] {
        stage.send(Side::Client, pair.client, word.as_bytes())?;
        stage.lab.settle()?;
    }
    stage.pass(Duration::from_secs(1))?;
    let sizes = stage.sent_by(Side::Client).split_off(before).iter().map(|sent| sent.payload).collect();
    let data = stage.recv(Side::Server, pair.server);
    stage.check(data == Ok(b"one two three".to_vec()), format!("every byte in order, not {data:?}"))?;
    Ok(sizes)
}

fn nagle(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("three small writes");
    let sizes = three_writes(stage, pair)?;
    stage.check(sizes == [4, 9], format!("the first at once, the others together: 4 and 9 bytes, not {sizes:?}"))
}

fn no_delay(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("three small writes with TCP_NODELAY");
    stage.option(Side::Client, pair.client, SocketOption::NoDelay(true))?;
    let sizes = three_writes(stage, pair)?;
    stage.check(sizes == [4, 4, 5], format!("4, 4 and 5 bytes, not {sizes:?}"))
}

fn timeout(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("the only segment in flight is lost: no duplicate can tell, a timer must");
    stage.lose(Side::Client, 1, |_, payload| payload > 0);
    stage.send(Side::Client, pair.client, b"lost")?;
    stage.pass(Duration::from_secs(2))?;
    let times = stage.times(Side::Client, |sent| sent.payload > 0);
    stage.check(times.len() == 2, format!("sent twice, not at {times:?}"))?;
    stage.reads(Side::Server, pair.server, Ok(b"lost".to_vec()), "and then it arrives")
}

fn fast_retransmit(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.option(Side::Client, pair.client, SocketOption::NoDelay(true))?;
    stage.say("ten segments; the third is lost");
    let mut count = 0;
    let client = stage.host(Side::Client);
    stage.lab.drop_when(move |sighting| {
        let data = sighting.from == client && super::stage::tcp_of(sighting.packet).is_some_and(|(_, n)| n > 0);
        count += u32::from(data);
        data && count == 3
    });
    let data: Vec<u8> = (0..10 * MSS).map(|n| ((n / 251) ^ (n % 251)) as u8).collect();
    for segment in data.chunks(MSS) {
        stage.send(Side::Client, pair.client, segment)?;
        stage.lab.settle()?;
    }
    let begun = stage.lab.elapsed();
    let mut got = Vec::new();
    while got.len() < data.len() {
        stage.pass(ONE_WAY)?;
        match stage.recv(Side::Server, pair.server) {
            Ok(bytes) => got.extend(bytes),
            Err(errno) => stage.check(errno == Errno::EAGAIN, "the stream goes on")?,
        }
        let within = stage.lab.elapsed() - begun < Duration::from_secs(3);
        stage.check(within, "it should all have arrived within 3 s")?;
    }
    stage.check(got == data, "every byte once and in order")?;
    let took = stage.lab.elapsed() - begun;
    stage.say(&format!("all ten segments after {} ms: less than a timeout of 200 ms", took.as_millis()));
    stage.check(took < Duration::from_millis(200), format!("before a timeout, not after {took:?}"))
}

fn zero_window(stage: &mut Stage) -> Told {
    let listener = stage.listen()?;
    stage.option(Side::Server, listener, SocketOption::ReceiveBuffer(4096))?;
    let client = stage.connect()?;
    stage.rest()?;
    let server = stage.accept(listener)?;
    stage.say("the server has a buffer of 8 KiB and does not read");
    stage.send(Side::Client, client, &[7; 16_000])?;
    stage.pass(Duration::from_secs(60))?;
    let shut = stage.sent_by(Side::Server).iter().any(|sent| sent.header.window == 0);
    stage.check(shut, "the server should announce a window of zero")?;
    let mut total = 0;
    stage.say("a minute later it reads");
    let begun = stage.lab.elapsed();
    while total < 16_000 {
        match stage.recv(Side::Server, server) {
            Ok(bytes) => total += bytes.len(),
            Err(errno) => {
                stage.check(errno == Errno::EAGAIN, "the stream goes on")?;
                stage.pass(ONE_WAY)?;
            }
        }
        stage.check(stage.lab.elapsed() - begun < Duration::from_secs(120), "it should all have arrived in time")?;
    }
    Ok(())
}

fn lost_ack(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.option(Side::Client, pair.client, SocketOption::NoDelay(true))?;
    stage.say("two segments; the acknowledgment of the first is lost");
    stage.lose(Side::Server, 1, |header, _| header.flags.contains(TcpFlags::ACK));
    stage.send(Side::Client, pair.client, &[1; MSS])?;
    stage.pass(Duration::from_millis(2))?;
    stage.send(Side::Client, pair.client, &[2; MSS])?;
    stage.pass(Duration::from_secs(1))?;
    let sent = stage.times(Side::Client, |sent| sent.payload > 0).len();
    stage.check(sent == 2, format!("nothing is sent again; {sent} segments left"))
}

fn urgent(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("the client writes five bytes and one urgent byte");
    stage.send(Side::Client, pair.client, b"hello")?;
    let host = stage.host(Side::Client);
    let (stack, now) = stage.lab.host_mut(host);
    let sent = stack.send(now, pair.client, b"!", MsgFlags::OOB);
    stage.check(sent == Ok(1), format!("MSG_OOB should be taken, not {sent:?}"))?;
    stage.pass(Duration::from_secs(1))?;
    let urgent = stage.sent_by(Side::Client).iter().any(|sent| sent.has(TcpFlags::URG));
    stage.check(urgent, "a segment should carry URG and the pointer")?;
    let host = stage.host(Side::Server);
    let (stack, now) = stage.lab.host_mut(host);
    let mut byte = [0; 1];
    let read = stack.recv(now, pair.server, &mut byte, MsgFlags::OOB);
    stage.check(read == Ok(1) && byte == *b"!", format!("MSG_OOB should read the urgent byte, not {read:?}"))?;
    stage.reads(Side::Server, pair.server, Ok(b"hello".to_vec()), "the stream is without it")
}

fn too_big(stage: &mut Stage) -> Told {
    const NARROW: usize = 1200;
    let pair = stage.established()?;
    let data = vec![b'x'; 20_000];
    let before = stage.info(Side::Client)?.snd_mss as usize;
    stage.say(&format!("segments of {before} bytes fit the path; then the route changes"));
    stage.narrow(NARROW);
    stage.send(Side::Client, pair.client, &data)?;
    stage.rest()?;
    let after = stage.info(Side::Client)?.snd_mss as usize;
    stage.say(&format!("the router's message was believed: segments of {after} bytes"));
    stage.check(after == NARROW - (1500 - before), format!("{before} less 300 bytes, not {after}"))?;
    stage.pass(ONE_WAY * 10)?;
    let mut read = Vec::new();
    while let Ok(part) = stage.recv(Side::Server, pair.server)
        && !part.is_empty()
    {
        read.extend(part);
    }
    stage.check(read == data, format!("every byte arrives, not {} of them", read.len()))?;
    let timeouts = stage.counter(Side::Client, "TcpExtTCPTimeouts");
    stage.check(timeouts == 0, format!("without waiting for a timeout, not {timeouts}"))?;
    let known = stage.times(Side::Client, |sent| sent.payload > after).len();
    stage.say(&format!("{known} segments were too long; no other was"));
    stage.expect_states("ESTABLISHED", "ESTABLISHED")
}
