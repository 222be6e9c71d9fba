//! Loss and congestion: what the window does, and how losses are found (RFC 5681, RFC 6675, RFC 8985, RFC 5682).
use std::time::Duration;

use segue_stack::{Errno, SocketId, SocketOption};

use super::stage::{ONE_WAY, Pair, Side, Stage, tcp_of};
use super::{Story, Told};
use crate::error::elapsed;

const CHAPTER: &str = "loss and congestion";
const MSS: usize = 1448;

pub(super) const STORIES: &[Story] = &[
    Story {
        name: "slow-start",
        chapter: CHAPTER,
        title: "ten segments, then twice as many in each round trip: the window doubles while nothing is lost",
        source: "RFC 5681 section 3.1, RFC 6928",
        tell: slow_start,
    },
    Story {
        name: "timeout-window",
        chapter: CHAPTER,
        title: "a timeout: ssthresh is half, the window one segment, slow start begins again",
        source: "RFC 5681 section 3.1, RFC 6298 section 5",
        tell: timeout_window,
    },
    Story {
        name: "new-reno",
        chapter: CHAPTER,
        title: "a peer without SACK: three duplicates tell of a loss, a partial acknowledgment of the next one",
        source: "RFC 5681 section 3.2, RFC 6582",
        tell: new_reno,
    },
    Story {
        name: "sack-holes",
        chapter: CHAPTER,
        title: "three holes in one window: blocks name what arrived, and only the holes are sent again",
        source: "RFC 2018, RFC 6675, RFC 8985",
        tell: sack_holes,
    },
    Story {
        name: "needless-timeout",
        chapter: CHAPTER,
        title: "acknowledgments are late, nothing is lost: the timeout is found out and the window given back",
        source: "RFC 5682, RFC 4015",
        tell: needless_timeout,
    },
    Story {
        name: "icmp-filtered",
        chapter: CHAPTER,
        title: "the path carries 1200 bytes and nobody says so: timeouts find the black hole, probes the size",
        source: "RFC 4821, RFC 8899; net.ipv4.tcp_mtu_probing 1",
        tell: icmp_filtered,
    },
];

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|n| ((n / 251) ^ (n % 251)) as u8).collect()
}

/// The client sends all of it and the server reads, however long that takes.
fn transfer(stage: &mut Stage, pair: Pair, data: &[u8], within: Duration) -> Told {
    let begun = stage.lab.elapsed();
    let (mut sent, mut got) = (0, Vec::new());
    while got.len() < data.len() {
        sent += stage.send_some(Side::Client, pair.client, &data[sent..])?;
        stage.pass(ONE_WAY / 2)?;
        match stage.recv(Side::Server, pair.server) {
            Ok(bytes) => got.extend(bytes),
            Err(errno) => stage.check(errno == Errno::EAGAIN, format!("the stream goes on, not {errno:?}"))?,
        }
        let took = stage.lab.elapsed() - begun;
        stage.check(took < within, format!("{} of {} bytes have arrived after {took:?}", got.len(), data.len()))?;
    }
    stage.check(got == data, "every byte once and in order")
}

fn cwnd(stage: &Stage) -> Result<(u32, u32), crate::LabError> {
    stage.info(Side::Client).map(|info| (info.snd_cwnd, info.snd_ssthresh))
}

fn pinned(stage: &mut Stage) -> Result<Pair, crate::LabError> {
    let pair = stage.established()?;
    stage.option(Side::Client, pair.client, SocketOption::SendBuffer(2 << 20))?;
    stage.congestion(Side::Client, pair.client, "reno")?;
    Ok(pair)
}

fn slow_start(stage: &mut Stage) -> Told {
    let pair = pinned(stage)?;
    stage.say("the initial window is ten segments");
    stage.check(cwnd(stage)?.0 == 10, "ten segments at first")?;
    let begun = stage.lab.elapsed();
    let data = text(30 * MSS);
    transfer(stage, pair, &data, Duration::from_secs(5))?;
    let first = stage.times(Side::Client, |sent| sent.payload > 0 && sent.at < begun + ONE_WAY);
    stage.check(first.len() == 10, format!("ten leave before anything is acknowledged, not {}", first.len()))?;
    stage.rest()?;
    let (window, _) = cwnd(stage)?;
    stage.say(&format!("the window is {window} segments now"));
    stage.check((20..=40).contains(&window), format!("it has doubled about once or twice, not to {window}"))
}

fn grown(stage: &mut Stage) -> Result<(Pair, u32), crate::LabError> {
    let pair = pinned(stage)?;
    stage.say("a first transfer, in which the window grows");
    transfer(stage, pair, &text(60 * MSS), Duration::from_secs(5))?;
    stage.rest()?;
    let (window, _) = cwnd(stage)?;
    Ok((pair, window))
}

fn timeout_window(stage: &mut Stage) -> Told {
    stage.sysctl(Side::Client, "tcp_early_retrans", "0")?;
    let (pair, window) = grown(stage)?;
    stage.say(&format!("{window} segments; the cable is cut for a moment"));
    stage.cut(Side::Client);
    stage.send(Side::Client, pair.client, &text(8 * MSS))?;
    stage.pass(Duration::from_millis(300))?;
    let (after, ssthresh) = cwnd(stage)?;
    stage.check((after, ssthresh) == (1, window / 2), format!("1 and {}, not {after} and {ssthresh}", window / 2))?;
    stage.say("the cable is mended; slow start up to ssthresh");
    stage.mend();
    stage.pass(Duration::from_secs(2))?;
    let read = stage.recv(Side::Server, pair.server);
    stage.check(read == Ok(text(8 * MSS)), "everything arrives in the end")
}

/// Loses these segments of the client's, counted from 1, once each.
fn lose_numbers(stage: &mut Stage, numbers: &'static [u32]) {
    let (client, mut count) = (stage.host(Side::Client), 0);
    stage.lab.drop_when(move |sighting| {
        let data = sighting.from == client && tcp_of(sighting.packet).is_some_and(|(_, payload)| payload > 0);
        count += u32::from(data);
        data && numbers.contains(&count)
    });
}

fn send_segments(stage: &mut Stage, socket: SocketId, count: usize) -> Told {
    stage.option(Side::Client, socket, SocketOption::NoDelay(true))?;
    for segment in text(count * MSS).chunks(MSS) {
        stage.send(Side::Client, socket, segment)?;
        stage.lab.settle()?;
    }
    Ok(())
}

/// The segments that left more than once, by their place, and how often.
fn repeated(stage: &Stage) -> Vec<u32> {
    let sent = stage.sent_by(Side::Client);
    let mut numbers: Vec<u32> = sent.iter().filter(|sent| sent.payload > 0).map(|sent| sent.header.sequence).collect();
    let first = numbers.first().copied().unwrap_or_default();
    let mut seen = Vec::new();
    numbers.retain(|number| {
        let again = seen.contains(number);
        seen.push(*number);
        again
    });
    numbers.iter().map(|number| number.wrapping_sub(first) / MSS as u32 + 1).collect()
}

fn new_reno(stage: &mut Stage) -> Told {
    stage.sysctl(Side::Server, "tcp_sack", "0")?;
    let pair = stage.established()?;
    stage.say("ten segments; the second and the fourth are lost");
    lose_numbers(stage, &[2, 4]);
    let begun = stage.lab.elapsed();
    send_segments(stage, pair.client, 10)?;
    stage.pass(ONE_WAY * 8)?;
    let took = stage.lab.elapsed() - begun;
    let read = stage.recv(Side::Server, pair.server);
    stage.check(read.is_ok_and(|bytes| bytes == text(10 * MSS)), format!("all of it within {took:?}, no timeout"))?;
    stage.check(repeated(stage) == [2, 4], format!("only what was lost is sent again, not {:?}", repeated(stage)))
}

fn sack_holes(stage: &mut Stage) -> Told {
    let pair = stage.established()?;
    stage.say("ten segments; the second, the fourth and the seventh are lost");
    lose_numbers(stage, &[2, 4, 7]);
    send_segments(stage, pair.client, 10)?;
    stage.pass(ONE_WAY * 6)?;
    let read = stage.recv(Side::Server, pair.server);
    stage.check(read.is_ok_and(|bytes| bytes == text(10 * MSS)), "all of it within three round trips")?;
    stage.check(repeated(stage) == [2, 4, 7], format!("only the holes are sent again, not {:?}", repeated(stage)))?;
    stage.check(stage.counter(Side::Client, "TcpExtTCPSackRecovery") == 1, "one recovery")
}

fn needless_timeout(stage: &mut Stage) -> Told {
    stage.sysctl(Side::Client, "tcp_early_retrans", "0")?;
    let (pair, window) = grown(stage)?;
    stage.say("nothing of the server's arrives for 150 ms: what the client sends is acknowledged in vain");
    let (server, until) = (stage.host(Side::Server), stage.lab.elapsed() + Duration::from_millis(150));
    stage.lab.drop_when(move |sighting| sighting.from == server && elapsed(sighting.now) < until);
    send_segments(stage, pair.client, 4)?;
    stage.pass(Duration::from_secs(2))?;
    let timeouts = stage.info(Side::Client)?.total_rto;
    stage.check(timeouts == 1, format!("one timeout, not {timeouts}"))?;
    let undone = ["TcpExtTCPLossUndo", "TcpExtTCPDSACKUndo", "TcpExtTCPFullUndo"];
    let undone: u64 = undone.iter().map(|name| stage.counter(Side::Client, name)).sum();
    stage.check(undone == 1, format!("the reduction is taken back once, not {undone} times"))?;
    let (after, _) = cwnd(stage)?;
    stage.check(after >= window, format!("the window is {window} again, not {after}"))
}

fn icmp_filtered(stage: &mut Stage) -> Told {
    const PATH: usize = 1200;
    stage.sysctl(Side::Client, "tcp_mtu_probing", "1")?;
    let pair = pinned(stage)?;
    stage.say("from now on whatever is longer than 1200 bytes disappears, and no ICMP says so");
    let client = stage.host(Side::Client);
    stage.lab.drop_when(move |sighting| sighting.from == client && sighting.packet.len() > PATH);
    transfer(stage, pair, &text(1 << 20), Duration::from_secs(60))?;
    let largest = stage.info(Side::Client)?.snd_mss as usize;
    stage.say(&format!("found by probing: segments of {largest} bytes"));
    let fits = PATH - 40 - 12;
    stage.check(
        (fits - 8..=fits).contains(&largest),
        format!("the largest that fits is {fits}; the search ends within 8 bytes of it, not at {largest}"),
    )?;
    stage.check(stage.counter(Side::Client, "TcpExtTCPMTUPSuccess") > 0, "probes have arrived")?;
    stage.check(stage.counter(Side::Client, "TcpExtTCPMTUPFail") > 0, "and others have not")
}
