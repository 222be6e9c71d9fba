//! Attackers that complete the handshake and remember nothing: as many connections as there are addresses.
//!
//! Decides what is sent once a SYN is answered; everything that it takes stands in the answer. What comes later is not heard.
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};

use bytes::Bytes;
use segue_stack::{Instant, Packet};
use segue_wire::tcp::Timestamps;
use segue_wire::{TcpFlags, TcpHeader, TcpOptions};

use super::attack::Attack;
use super::bots::GREED;
use super::service;
use crate::forge;
use crate::random::Random;
use crate::server::{ADDRESS, PORT};

/// Their networks: the first two bytes of their addresses.
const IDLE: [u8; 2] = [10, 80];
const HALF_CLOSED: [u8; 2] = [10, 81];
/// Answers that wait for their turn; those beyond are never given.
const WAITING: usize = 1024;

#[derive(Default)]
pub(super) struct Crowd {
    answers: VecDeque<(Attack, Packet)>,
}

impl Crowd {
    /// An answer that is due, or the SYN of another connection.
    pub(super) fn next(&mut self, now: Instant, attack: Attack, random: &mut Random) -> Packet {
        let place = self.answers.iter().position(|(of, _)| *of == attack);
        if let Some((_, answer)) = place.and_then(|place| self.answers.remove(place)) {
            return answer;
        }
        let [a, b] = if attack == Attack::Idle { IDLE } else { HALF_CLOSED };
        let bits = random.next();
        let from = SocketAddrV4::new(Ipv4Addr::new(a, b, bits as u8, (bits >> 8) as u8), (bits >> 16) as u16 | 1024);
        let options = TcpOptions {
            mss: Some(1460),
            window_scale: Some(7),
            sack_permitted: true,
            timestamps: Some(Timestamps { value: now.as_millis() as u32, echo: 0 }),
            ..TcpOptions::default()
        };
        let header =
            TcpHeader { sequence: (bits >> 32) as u32, flags: TcpFlags::SYN, window: u16::MAX, ..TcpHeader::default() };
        forge::segment(from, SocketAddrV4::new(ADDRESS, PORT), header, &options, Bytes::new())
    }

    /// Whether a segment was for one of them. An answered SYN is acknowledged in its turn.
    pub(super) fn receive(&mut self, now: Instant, read: &forge::Read) -> bool {
        let [a, b, ..] = read.to.ip().octets();
        let attack = match [a, b] {
            IDLE => Attack::Idle,
            HALF_CLOSED => Attack::HalfClosed,
            _ => return false,
        };
        if !read.header.flags.contains(TcpFlags::SYN) || self.answers.len() >= WAITING {
            return true;
        }
        let (flags, window, payload) = match attack {
            Attack::HalfClosed => (TcpFlags::ACK | TcpFlags::FIN, 0, service::request(GREED)),
            _ => (TcpFlags::ACK, u16::MAX, Bytes::new()),
        };
        let header = TcpHeader {
            sequence: read.header.acknowledgment,
            acknowledgment: read.header.sequence.wrapping_add(1),
            flags,
            window,
            ..TcpHeader::default()
        };
        let stamps = Timestamps { value: now.as_millis() as u32, echo: read.timestamp };
        let options = TcpOptions { timestamps: Some(stamps), ..TcpOptions::default() };
        let answer = forge::segment(read.to, SocketAddrV4::new(ADDRESS, PORT), header, &options, payload);
        self.answers.push_back((attack, answer));
        true
    }
}
