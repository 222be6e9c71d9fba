//! The path judged from outside: packets and times in, packets and times out.

mod chance;
mod ends;
mod impaired;
mod models;
mod order;
mod queues;
mod rate;
mod size;
mod traces;

use std::time::Duration;

use segue_wire::{Bytes, Instant, Packet};

use super::*;

/// A wire packet of `len` bytes that carries its number.
fn numbered(number: u32, len: usize) -> Packet {
    let mut bytes = vec![0; len];
    bytes[0] = 0x45;
    bytes[2..4].copy_from_slice(&(len as u16).to_be_bytes());
    bytes[20..24].copy_from_slice(&number.to_be_bytes());
    Packet::from_bytes(Bytes::from(bytes))
}

fn number(packet: &Packet) -> u32 {
    let bytes: [u8; 4] = packet.to_bytes()[20..24].try_into().expect("four bytes");
    u32::from_be_bytes(bytes)
}

fn path(impairments: Impairments, seed: u64) -> Path {
    Path::new(PathConfig::symmetric(impairments).expect("valid").with_seed(seed))
}

fn percent(text: &str) -> crate::Probability {
    text.parse().expect("a percentage")
}

/// The same packet with another ECN codepoint, header checksum included.
fn with_ecn(packet: &Packet, codepoint: u8) -> Packet {
    let mut packet = packet.clone();
    let second = packet.head()[1];
    if packet.head()[0] >> 4 == 6 {
        assert!(packet.write_head(1, &[second & !0x30 | codepoint << 4]));
        return packet;
    }
    assert!(packet.write_head(1, &[second & !3 | codepoint]) && packet.write_head(10, &[0, 0]));
    let sum = segue_wire::checksum::checksum(&packet.head()[..20]);
    assert!(packet.write_head(10, &sum.to_be_bytes()));
    packet
}

/// The bytes of a packet as a wire would carry them.
fn on_the_wire(packet: &Packet) -> Bytes {
    let mut packet = packet.clone();
    packet.finish_checksum();
    packet.to_bytes()
}

/// Everything that comes out at B, with the time, driven by deadlines only.
fn drain(path: &mut Path) -> Vec<(Instant, Packet)> {
    let mut out = Vec::new();
    while let Some(at) = path.next_deadline(End::B) {
        while let Some(packet) = path.pop(at, End::B) {
            out.push((at, packet));
        }
        assert!(path.next_deadline(End::B).is_none_or(|next| next > at), "a deadline that leads nowhere");
    }
    out
}

/// Sends `count` packets of `len` bytes, `gap` apart, and gives what comes out.
fn send(path: &mut Path, count: u32, len: usize, gap: Duration) -> Vec<(Instant, Packet)> {
    let mut out = Vec::new();
    let mut now = Instant::from_secs(1);
    for index in 0..count {
        while let Some(at) = path.next_deadline(End::B).filter(|&at| at < now) {
            out.extend(std::iter::from_fn(|| path.pop(at, End::B)).map(|packet| (at, packet)));
        }
        path.push(now, End::A, numbered(index, len));
        now += gap;
    }
    out.extend(drain(path));
    out
}

fn numbers(out: &[(Instant, Packet)]) -> Vec<u32> {
    out.iter().map(|(_, packet)| number(packet)).collect()
}

/// What went in is what came out, was dropped for a reason, or is inside.
fn assert_conserved(stats: &DirectionStats) {
    let appeared = stats.packets_in + stats.duplicated + stats.fragments;
    let gone = stats.packets_out + stats.dropped() + stats.fragmented;
    assert_eq!(appeared, gone + stats.inside, "{stats:?}");
}
