//! The attacks: what strangers send who want a server to stop serving.
//!
//! Decides what each attack's packets look like. Spoofed ones need no memory; those that need connections are sent by bots.
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::str::FromStr;

use bytes::Bytes;
use segue_link::{Link, MemoryLink};
use segue_stack::{Instant, Packet};
use segue_wire::tcp::Timestamps;
use segue_wire::{ChecksumState, Chunks, Ipv4Header, Protocol, TcpFlags, TcpHeader, TcpOptions};

use super::bots::Bots;
use super::clients;
use super::crowd::Crowd;
use crate::forge;
use crate::random::Random;
use crate::server::{ADDRESS, PORT};

/// One kind of attack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Attack {
    /// SYNs from addresses that never answer.
    Syn,
    /// Acknowledgments of nothing, half of them in the name of real clients.
    Ack,
    /// Resets, half of them in the name of real clients.
    Rst,
    /// Fragments whose rest never comes.
    Fragments,
    /// Connections on which single bytes come with gaps between them.
    Tiny,
    /// Connections that ask for a megabyte and never open their window for it.
    ZeroWindow,
    /// Connections that ask for a megabyte and read a few bytes at a time.
    SlowReader,
    /// Connections on which full segments come, but never the first.
    Tails,
    /// Connections that send to a program that never reads.
    Unread,
    /// Connections without number that ask for a megabyte, shut their window, say that they are done and are never heard of
    /// again: the program closes them, the stack is left with them.
    HalfClosed,
    /// Connections without number that complete the handshake and are silent for ever.
    Idle,
}

impl Attack {
    /// All of them.
    pub const ALL: [Attack; 11] = [
        Attack::Syn,
        Attack::Ack,
        Attack::Rst,
        Attack::Fragments,
        Attack::Tiny,
        Attack::ZeroWindow,
        Attack::SlowReader,
        Attack::Tails,
        Attack::Unread,
        Attack::HalfClosed,
        Attack::Idle,
    ];

    /// Those that are meant by "all": every one after which a new connection still finds memory.
    pub fn all(has_budget: bool) -> Vec<Attack> {
        let is_meant = |attack: &Attack| !attack.crowds_out() && (has_budget || !attack.needs_budget());
        Attack::ALL.into_iter().filter(is_meant).collect()
    }

    /// Whether its connections are without number, so that nothing but a budget bounds the memory they take.
    pub fn needs_budget(self) -> bool {
        matches!(self, Attack::HalfClosed | Attack::Idle)
    }

    /// Whether it takes for good what memory there is for connections, so that whoever comes later is refused.
    pub fn crowds_out(self) -> bool {
        self == Attack::Idle
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Attack::Syn => "syn",
            Attack::Ack => "ack",
            Attack::Rst => "rst",
            Attack::Fragments => "fragments",
            Attack::Tiny => "tiny",
            Attack::ZeroWindow => "zero-window",
            Attack::SlowReader => "slow-reader",
            Attack::Tails => "tails",
            Attack::Unread => "unread",
            Attack::HalfClosed => "half-closed",
            Attack::Idle => "idle",
        }
    }
}

impl fmt::Display for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Attack {
    type Err = String;

    fn from_str(text: &str) -> Result<Attack, String> {
        Attack::ALL.into_iter().find(|attack| attack.name() == text).ok_or_else(|| {
            let names = Attack::ALL.map(Attack::name).join(", ");
            format!("{text:?} is no attack: there are {names}, and all (but idle, and half-closed without --memory)")
        })
    }
}

/// Everybody who attacks.
pub(super) struct Attackers {
    attacks: Vec<Attack>,
    bots: Bots,
    crowd: Crowd,
    pub(super) random: Random,
    pub(super) sent: u64,
}

impl Attackers {
    pub(super) fn new(attacks: &[Attack], seed: u64) -> Attackers {
        Attackers {
            attacks: attacks.to_vec(),
            bots: Bots::new(attacks),
            crowd: Crowd::default(),
            random: Random::new(seed),
            sent: 0,
        }
    }

    /// So many packets, of the attacks in turn. A link that is full loses them.
    pub(super) fn send(&mut self, now: Instant, link: &mut MemoryLink, packets: u64) {
        for _ in 0..packets {
            let attack = self.attacks[self.sent as usize % self.attacks.len()];
            self.sent += 1;
            if let Some(packet) = self.packet(now, attack) {
                drop(link.send(now, packet));
            }
        }
    }

    /// What the server sent to somebody who is no client.
    pub(super) fn receive(&mut self, now: Instant, packet: &Packet) {
        let Some(read) = forge::read(packet) else { return };
        if !self.crowd.receive(now, &read) {
            self.bots.receive(&read);
        }
    }

    fn packet(&mut self, now: Instant, attack: Attack) -> Option<Packet> {
        match attack {
            Attack::Syn => Some(self.spoofed(now, false, TcpFlags::SYN)),
            Attack::Ack => {
                let names_client = self.random.below(2) == 0;
                Some(self.spoofed(now, names_client, TcpFlags::ACK))
            }
            Attack::Rst => {
                let names_client = self.random.below(2) == 0;
                Some(self.spoofed(now, names_client, TcpFlags::RST))
            }
            Attack::Fragments => Some(self.fragment()),
            Attack::Tiny | Attack::ZeroWindow | Attack::SlowReader | Attack::Tails | Attack::Unread => {
                self.bots.next(now, attack, &mut self.random)
            }
            Attack::HalfClosed | Attack::Idle => Some(self.crowd.next(now, attack, &mut self.random)),
        }
    }

    /// An address of 11.0.0.0/8, where nobody is.
    fn nobody(&mut self) -> SocketAddrV4 {
        let bits = self.random.next();
        SocketAddrV4::new(Ipv4Addr::from_bits(0x0b00_0000 | (bits as u32 & 0x00ff_ffff)), (bits >> 40) as u16 | 1024)
    }

    fn spoofed(&mut self, now: Instant, names_client: bool, flags: TcpFlags) -> Packet {
        let mut from = self.nobody();
        if names_client {
            from = SocketAddrV4::new(clients::ADDRESS, from.port());
        }
        let bits = self.random.next();
        let header = TcpHeader {
            sequence: bits as u32,
            acknowledgment: (bits >> 32) as u32,
            flags,
            window: 65_535,
            ..TcpHeader::default()
        };
        let mut options = TcpOptions::default();
        if flags == TcpFlags::SYN {
            options.mss = Some(1460);
            options.window_scale = Some(7);
            options.sack_permitted = true;
            options.timestamps = Some(Timestamps { value: now.as_millis() as u32, echo: 0 });
        }
        forge::segment(from, SocketAddrV4::new(ADDRESS, PORT), header, &options, Bytes::new())
    }

    /// A first or a middle fragment of a datagram of its own.
    fn fragment(&mut self) -> Packet {
        const LEN: usize = 512;
        let (from, bits) = (self.nobody(), self.random.next());
        let header = Ipv4Header {
            identification: bits as u16,
            dont_fragment: false,
            more_fragments: true,
            fragment_offset: if bits & (1 << 20) == 0 { 0 } else { LEN as u16 * 3 },
            ..forge::ip_header(Protocol::TCP, *from.ip(), ADDRESS, LEN)
        };
        let mut bytes = [0; segue_wire::ipv4::MIN_HEADER_LEN];
        header.emit(&mut bytes);
        let body = Chunks::from(Bytes::from_static(&[0x5a; LEN]));
        Packet::from_headers(&bytes, body, ChecksumState::Complete, None)
    }
}
