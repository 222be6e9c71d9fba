//! Attackers that complete the handshake: a fixed number of each kind, each with one connection at a time.
//!
//! Decides how each kind abuses its connection. A bot that is reset begins anew.
use std::net::{Ipv4Addr, SocketAddrV4};

use bytes::Bytes;
use segue_stack::{Instant, Packet};
use segue_wire::tcp::Timestamps;
use segue_wire::{TcpFlags, TcpHeader, TcpOptions};

use super::attack::Attack;
use super::service;
use crate::forge;
use crate::random::Random;
use crate::server::{ADDRESS, PORT};

/// Bots that read slowly or not at all, of each kind.
const READERS: usize = 200;
/// Bots that send tiny segments: few, so that they fill their receive buffers (`tcp_rmem`) soon and memory is then flat.
const TINY: usize = 4;
/// Their addresses: one for each kind.
const FIRST_ADDRESS: u32 = u32::from_be_bytes([10, 64, 0, 1]);
/// How much a greedy one asks for.
pub(super) const GREED: u32 = 1 << 20;
/// A handshake that is not answered so soon is begun anew.
const RETRY: std::time::Duration = std::time::Duration::from_secs(1);
/// How far beyond what was received a tiny byte lies at most: near enough that all gaps are made within a second.
const REACH: u32 = 8_000;
/// The same for full segments, and what one carries.
const TAIL: u32 = 60_000;
static FULL: [u8; 1400] = [0x33; 1400];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Idle,
    Asked { at: Instant },
    Open,
}

#[derive(Clone, Debug)]
struct Bot {
    address: SocketAddrV4,
    stage: Stage,
    next: u32,
    expected: u32,
    timestamp: u32,
    /// How far beyond `next` a tiny one has got.
    reach: u32,
    /// The server has sent something that is not acknowledged.
    owes_ack: bool,
}

pub(super) struct Bots {
    kinds: Vec<(Attack, Vec<Bot>, usize)>,
}

impl Bots {
    pub(super) fn new(attacks: &[Attack]) -> Bots {
        let needs_bots = |attack: &&Attack| {
            use Attack::{SlowReader, Tails, Tiny, Unread, ZeroWindow};
            matches!(attack, Tiny | ZeroWindow | SlowReader | Tails | Unread)
        };
        let kind = |(number, attack): (usize, &Attack)| {
            let host = Ipv4Addr::from_bits(FIRST_ADDRESS + number as u32);
            let bot = |port: usize| Bot {
                address: SocketAddrV4::new(host, 20_000 + port as u16),
                stage: Stage::Idle,
                next: 0,
                expected: 0,
                timestamp: 0,
                reach: 0,
                owes_ack: false,
            };
            let count = if *attack == Attack::Tiny { TINY } else { READERS };
            (*attack, (0..count).map(bot).collect(), 0)
        };
        Bots { kinds: attacks.iter().filter(needs_bots).enumerate().map(kind).collect() }
    }

    /// What the next bot of a kind sends.
    pub(super) fn next(&mut self, now: Instant, attack: Attack, random: &mut Random) -> Option<Packet> {
        let (_, bots, turn) = self.kinds.iter_mut().find(|(kind, ..)| *kind == attack)?;
        *turn = (*turn + 1) % bots.len();
        let bot = &mut bots[*turn];
        match bot.stage {
            Stage::Idle => Some(bot.ask(now, random)),
            Stage::Asked { at } if now.saturating_duration_since(at) > RETRY => Some(bot.ask(now, random)),
            Stage::Asked { .. } => None,
            Stage::Open => bot.abuse(now, attack, random),
        }
    }

    pub(super) fn receive(&mut self, read: &forge::Read) {
        let kind = read.to.ip().to_bits().checked_sub(FIRST_ADDRESS).and_then(|kind| self.kinds.get_mut(kind as usize));
        let Some((attack, bots, _)) = kind else { return };
        let Some(bot) = bots.get_mut(usize::from(read.to.port().wrapping_sub(20_000))) else { return };
        bot.receive(*attack, read);
    }
}

impl Bot {
    fn segment(&self, now: Instant, flags: TcpFlags, offset: u32, window: u16, payload: Bytes) -> Packet {
        let mut options = TcpOptions {
            timestamps: Some(Timestamps { value: now.as_millis() as u32, echo: self.timestamp }),
            ..TcpOptions::default()
        };
        if flags == TcpFlags::SYN {
            (options.mss, options.window_scale) = (Some(1460), Some(0));
            options.sack_permitted = true;
        }
        let header = TcpHeader {
            sequence: self.next.wrapping_add(offset),
            acknowledgment: if flags == TcpFlags::SYN { 0 } else { self.expected },
            flags,
            window,
            ..TcpHeader::default()
        };
        forge::segment(self.address, SocketAddrV4::new(ADDRESS, PORT), header, &options, payload)
    }

    fn ask(&mut self, now: Instant, random: &mut Random) -> Packet {
        self.next = random.next() as u32;
        self.stage = Stage::Asked { at: now };
        (self.timestamp, self.reach, self.owes_ack) = (0, 0, false);
        self.segment(now, TcpFlags::SYN, 0, u16::MAX, Bytes::new())
    }

    fn abuse(&mut self, now: Instant, attack: Attack, random: &mut Random) -> Option<Packet> {
        match attack {
            Attack::Tiny => {
                // Never the byte that is expected next; every other one after it.
                self.reach = if self.reach >= REACH { 2 } else { self.reach + 2 };
                Some(self.segment(now, TcpFlags::ACK, self.reach, u16::MAX, Bytes::from_static(b"x")))
            }
            Attack::Tails => {
                let len = FULL.len() as u32;
                self.reach = if self.reach >= TAIL { len } else { self.reach + len };
                Some(self.segment(now, TcpFlags::ACK, self.reach, u16::MAX, Bytes::from_static(&FULL)))
            }
            Attack::Unread if self.reach == 0 => {
                self.reach = 1;
                Some(self.segment(now, TcpFlags::ACK, 0, u16::MAX, service::request(service::NEVER_READ)))
            }
            // From what is acknowledged on: what arrives in vain is sent again.
            Attack::Unread => Some(self.segment(now, TcpFlags::ACK, 0, u16::MAX, Bytes::from_static(&FULL))),
            Attack::ZeroWindow if self.reach == 0 => {
                self.reach = 1;
                Some(self.segment(now, TcpFlags::ACK, 0, 0, service::request(GREED)))
            }
            Attack::SlowReader if self.reach == 0 => {
                self.reach = 1;
                Some(self.segment(now, TcpFlags::ACK, 0, 100, service::request(GREED)))
            }
            Attack::ZeroWindow | Attack::SlowReader if std::mem::take(&mut self.owes_ack) => {
                let window = if attack == Attack::ZeroWindow { 0 } else { 1 + random.below(100) as u16 };
                Some(self.segment(now, TcpFlags::ACK, service::REQUEST, window, Bytes::new()))
            }
            _ => None,
        }
    }

    fn receive(&mut self, attack: Attack, read: &forge::Read) {
        let flags = read.header.flags;
        if flags.contains(TcpFlags::RST) {
            self.stage = Stage::Idle;
            return;
        }
        if flags.contains(TcpFlags::SYN) {
            if matches!(self.stage, Stage::Asked { .. }) && read.header.acknowledgment == self.next.wrapping_add(1) {
                self.stage = Stage::Open;
                self.next = self.next.wrapping_add(1);
                self.expected = read.header.sequence.wrapping_add(1);
                self.timestamp = read.timestamp;
            }
            return;
        }
        if self.stage == Stage::Open && read.header.sequence == self.expected && read.payload > 0 {
            // What arrives is taken, however little was offered room for.
            self.expected = self.expected.wrapping_add(read.payload as u32);
            self.timestamp = read.timestamp;
        }
        if self.stage == Stage::Open && attack == Attack::Unread {
            self.next = read.header.acknowledgment;
        }
        self.owes_ack |= self.stage == Stage::Open;
    }
}
