//! Stories: what may happen to a connection, in terms that mean the same to both hosts.
//!
//! Numbers of segments are places relative to what has been sent and acknowledged, so that a step can be left out and the
//! rest still makes sense.
use super::notation::ALGORITHMS;
use super::random::Random;

/// A whole story. The same seed gives the same story.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Story {
    /// How the connection comes to be.
    pub(super) opening: Opening,
    /// What the peer offers in its SYN.
    pub(super) offer: Offer,
    pub(super) congestion: &'static str,
    pub(super) steps: Vec<Step>,
}

impl Story {
    /// The same with waits that last longer by so many milliseconds.
    pub(super) fn slower(&self, by: u32) -> Story {
        let slower = |step: &Step| match *step {
            Step::Wait(ms) => Step::Wait(ms + by),
            other => other,
        };
        Story { steps: self.steps.iter().map(slower).collect(), ..self.clone() }
    }

    /// Whether what the host sends arrives when the story says so.
    pub(super) fn is_about_loss(&self) -> bool {
        let arrives = |step: &Step| {
            matches!(
                step,
                Step::Deliver(_) | Step::DeliverNewest | Step::DeliverAgain | Step::Unheard(_) | Step::Lose(_)
            )
        };
        self.steps.iter().any(arrives)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Opening {
    /// The host listens; the peer opens in three segments.
    Passive,
    /// The host connects.
    Active,
    /// The host listens; what comes is up to the steps.
    Listening,
    /// The host has sent its SYN; what comes is up to the steps.
    Connecting,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Offer {
    pub(super) mss: Option<u16>,
    pub(super) sack: bool,
    pub(super) timestamps: bool,
    pub(super) scale: Option<u8>,
    pub(super) window: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// Time passes, in milliseconds.
    Wait(u32),
    Segment(Segment),
    /// So many bytes; with `MSG_MORE` or `MSG_OOB`.
    Write(usize, i32),
    /// At most so many bytes; with `MSG_PEEK` or `MSG_OOB`.
    Read(usize, i32),
    Shutdown(i32),
    Close,
    Accept,
    /// An integer option: level, name, value.
    Set(i32, i32, i32),
    /// SO_ERROR.
    Error,
    /// So many of the packets that the host has sent arrive, in the order of sending, and are acknowledged one by one.
    Deliver(u32),
    /// The packet that was sent last arrives before the others.
    DeliverNewest,
    /// What arrived last arrives once more.
    DeliverAgain,
    /// So many packets arrive, and their acknowledgments are lost.
    Unheard(u32),
    /// So many packets are lost.
    Lose(u32),
}

/// A segment of the peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Segment {
    pub(super) flags: u16,
    pub(super) from: From,
    pub(super) len: usize,
    pub(super) ack: Ack,
    /// The window field.
    pub(super) window: u16,
    pub(super) stamp: Stamp,
    pub(super) sack: Sack,
    pub(super) urgent: u16,
}

/// Where a segment begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum From {
    /// Where the last one in order ended.
    Next,
    /// So many bytes beyond: a hole.
    Beyond(u32),
    /// So many bytes before: a repetition, in part or whole.
    Before(u32),
    /// So many bytes before the window's right edge, as the host last announced it.
    EdgeLess(u32),
    /// So many beyond the edge.
    EdgePlus(u32),
}

/// What a segment acknowledges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ack {
    /// All that was sent.
    All,
    /// What was acknowledged before.
    Same,
    /// So many bytes more than before, at most all.
    More(u32),
    /// So many bytes before what was acknowledged.
    Old(u32),
    /// So many bytes that were never sent.
    Unsent(u32),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stamp {
    /// As a peer with timestamps sends it: newer each time, the last one of the host echoed.
    Good,
    /// Older than the one before.
    Old,
    Missing,
    /// An echo of what was never sent.
    BadEcho,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sack {
    None,
    /// So many bytes behind a hole of so many after what is acknowledged.
    Block(u32, u32),
    /// Two of them.
    Two(u32, u32),
    /// What is below the acknowledgment: D-SACK.
    Duplicate(u32),
    /// What was never sent.
    Unsent,
}

pub(super) const FIN: u16 = 1;
pub(super) const SYN: u16 = 2;
pub(super) const RST: u16 = 4;
pub(super) const PSH: u16 = 8;
pub(super) const ACK: u16 = 16;
pub(super) const URG: u16 = 32;

const MSG_OOB: i32 = 1;
const MSG_PEEK: i32 = 2;
const MSG_MORE: i32 = 0x8000;
const SOL_TCP: i32 = 6;
const SOL_SOCKET: i32 = 1;

/// Payload of a full segment of the peer.
const FULL: usize = 1000;

impl Default for Segment {
    fn default() -> Segment {
        Segment {
            flags: ACK,
            from: From::Next,
            len: 0,
            ack: Ack::All,
            window: 1000,
            stamp: Stamp::Good,
            sack: Sack::None,
            urgent: 0,
        }
    }
}

/// The story of a seed.
pub fn generate(seed: u64) -> Story {
    let mut random = Random::new(seed);
    let opening = random.weighted(&[
        (9, Opening::Passive),
        (6, Opening::Active),
        (2, Opening::Listening),
        (2, Opening::Connecting),
    ]);
    let offer = Offer {
        mss: random.weighted(&[(1, None), (6, Some(1000)), (3, Some(1460)), (1, Some(536)), (1, Some(100))]),
        sack: !random.one_in(4),
        timestamps: !random.one_in(3),
        scale: random.weighted(&[(2, None), (4, Some(7)), (2, Some(0)), (1, Some(14))]),
        window: random.weighted(&[(6, 32_792), (3, 65_535), (1, 2000), (1, 0)]),
    };
    let congestion = random.pick(ALGORITHMS);
    let mut steps = Vec::new();
    let count = 2 + random.below(14);
    while steps.len() < count {
        let raw = matches!(opening, Opening::Listening | Opening::Connecting) && steps.len() < 3;
        if raw && !random.one_in(3) {
            steps.push(Step::Segment(handshake(&mut random, opening)));
            continue;
        }
        step(&mut random, &mut steps);
    }
    Story { opening, offer, congestion, steps }
}

/// A segment as it may come before a connection is open.
fn handshake(random: &mut Random, opening: Opening) -> Segment {
    let flags = match opening {
        Opening::Listening => random.weighted(&[
            (8, SYN),
            (4, ACK),
            (2, SYN | ACK),
            (2, RST),
            (1, FIN | ACK),
            (1, SYN | FIN),
            (1, RST | ACK),
            (1, 0),
        ]),
        _ => random.weighted(&[
            (8, SYN | ACK),
            (4, SYN),
            (3, ACK),
            (2, RST | ACK),
            (1, RST),
            (1, FIN | ACK),
            (1, SYN | RST),
            (1, 0),
        ]),
    };
    Segment {
        flags,
        ack: random.weighted(&[(6, Ack::All), (1, Ack::Same), (1, Ack::Unsent(1)), (1, Ack::Unsent(1000))]),
        len: random.weighted(&[(6, 0), (1, 100)]),
        ..Segment::default()
    }
}

fn step(random: &mut Random, steps: &mut Vec<Step>) {
    match random.below(100) {
        0..22 => steps.push(Step::Segment(data(random))),
        22..44 => {
            // Acknowledgments come a round trip after what they acknowledge.
            if !random.one_in(4) {
                steps.push(Step::Wait(20));
            }
            steps.push(Step::Segment(acknowledgment(random)));
        }
        44..60 => {
            let len = random.pick(&[1, 10, 100, 1000, 2000, 3500, 5000, 10_000, 20_000]);
            steps.push(Step::Write(len, random.weighted(&[(12, 0), (1, MSG_MORE), (1, MSG_OOB)])));
        }
        60..72 => {
            let len = random.pick(&[1, 10, 100, 1000, 10_000, 100_000]);
            steps.push(Step::Read(len, random.weighted(&[(12, 0), (1, MSG_PEEK), (1, MSG_OOB)])));
        }
        72..84 => steps.push(Step::Wait(random.weighted(&[(4, 15), (4, 100), (2, 300), (1, 700)]))),
        84..87 => steps.push(Step::Shutdown(random.weighted(&[(1, 0), (4, 1), (1, 2)]))),
        87..90 => steps.push(Step::Close),
        90..93 => steps.push(Step::Segment(odd(random))),
        93..98 => steps.push(option(random)),
        _ => steps.push(if random.one_in(2) { Step::Accept } else { Step::Error }),
    }
}

fn data(random: &mut Random) -> Segment {
    let len = random.weighted(&[(2, 1), (2, 100), (8, FULL), (2, 2 * FULL), (1, 1460)]);
    Segment {
        flags: random.weighted(&[(4, ACK), (8, ACK | PSH), (1, ACK | FIN), (1, ACK | URG), (1, ACK | PSH | FIN)]),
        len,
        from: random.weighted(&[
            (12, From::Next),
            (3, From::Beyond(FULL as u32)),
            (1, From::Beyond(3 * FULL as u32)),
            (2, From::Before(FULL as u32)),
            (1, From::Before(500)),
            (1, From::EdgeLess(500)),
            (1, From::EdgePlus(0)),
            (1, From::EdgePlus(1000)),
        ]),
        ack: random.weighted(&[(6, Ack::All), (6, Ack::Same), (1, Ack::Old(1000))]),
        stamp: random.weighted(&[(20, Stamp::Good), (1, Stamp::Old), (1, Stamp::Missing)]),
        urgent: random.pick(&[0, 1, len as u16]),
        ..Segment::default()
    }
}

fn acknowledgment(random: &mut Random) -> Segment {
    let ack = random.weighted(&[
        (8, Ack::All),
        (5, Ack::Same),
        (2, Ack::More(1000)),
        (2, Ack::More(2000)),
        (1, Ack::More(500)),
        (1, Ack::Old(500)),
    ]);
    let sack = match ack {
        Ack::Same | Ack::More(_) => random.weighted(&[
            (3, Sack::None),
            (4, Sack::Block(1000, 1000)),
            (3, Sack::Block(1000, 3000)),
            (2, Sack::Two(1000, 1000)),
            (1, Sack::Duplicate(1000)),
            (1, Sack::Unsent),
        ]),
        _ => random.weighted(&[(10, Sack::None), (1, Sack::Duplicate(1000))]),
    };
    Segment {
        ack,
        sack,
        window: random.weighted(&[(10, 1000), (1, 0), (1, 5), (1, 65_535)]),
        stamp: random.weighted(&[(20, Stamp::Good), (1, Stamp::Old), (1, Stamp::Missing), (1, Stamp::BadEcho)]),
        ..Segment::default()
    }
}

/// What only a broken or hostile peer sends.
fn odd(random: &mut Random) -> Segment {
    Segment {
        flags: random.pick(&[RST, RST | ACK, SYN, SYN | ACK, FIN | ACK, FIN, 0, PSH, SYN | FIN, SYN | RST, ACK | URG]),
        from: random.pick(&[
            From::Next,
            From::Beyond(1),
            From::Beyond(1000),
            From::Before(1),
            From::Before(100_000),
            From::EdgePlus(0),
            From::EdgePlus(1),
        ]),
        len: random.weighted(&[(4, 0), (1, 1), (1, 100)]),
        ack: random.pick(&[Ack::All, Ack::Same, Ack::Old(1), Ack::Old(100_000), Ack::Unsent(1), Ack::Unsent(100_000)]),
        stamp: random.pick(&[Stamp::Good, Stamp::Good, Stamp::Missing, Stamp::Old]),
        ..Segment::default()
    }
}

fn option(random: &mut Random) -> Step {
    let (level, name, value) = random.pick(&[
        (SOL_TCP, 1, 1),
        (SOL_TCP, 1, 0),
        (SOL_TCP, 3, 1),
        (SOL_TCP, 3, 0),
        (SOL_TCP, 12, 0),
        (SOL_TCP, 12, 1),
        (SOL_TCP, 18, 500),
        (SOL_TCP, 25, 1000),
        (SOL_TCP, 10, 4000),
        (SOL_SOCKET, 8, 4000),
        (SOL_SOCKET, 8, 40_000),
        (SOL_SOCKET, 7, 8000),
        (SOL_SOCKET, 9, 1),
        (SOL_SOCKET, 18, 2000),
        (SOL_TCP, 8, -1),
    ]);
    Step::Set(level, name, value)
}
