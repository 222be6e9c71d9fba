//! Checksums against a sum taken the slow way, and against real packets.

mod common;

use common::captured::{LINUX, RFC9235, linux, unhex};
use common::{cut, naive_checksum, pattern};
use proptest::prelude::*;
use segue_wire::checksum::{self, Sum};
use segue_wire::{Chunks, Icmpv4Message, Icmpv6Message, IpView, Packet, Protocol, tcp, udp};
use std::net::IpAddr;

/// Ones-complement values are the same number when both are zero in one of its two forms.
fn same(a: u16, b: u16) -> bool {
    a == b || (a == 0 && b == 0xffff) || (a == 0xffff && b == 0)
}

proptest! {
    #[test]
    fn a_fast_sum_is_the_slow_sum(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(checksum::checksum(&bytes), naive_checksum(&bytes));
    }

    #[test]
    fn a_sum_does_not_depend_on_where_the_bytes_are_cut(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        cuts in prop::collection::vec(any::<usize>(), 0..9),
    ) {
        let mut sum = Sum::new();
        sum.add_chunks(&cut(&bytes, &cuts));
        prop_assert_eq!(sum.checksum(), naive_checksum(&bytes));
    }

    #[test]
    fn words_sum_as_their_bytes_do(a: u16, b: u32, c: u16) {
        let mut sum = Sum::from_folded(a);
        sum.add_u32(b);
        sum.add_u16(c);
        let mut bytes = a.to_be_bytes().to_vec();
        bytes.extend(b.to_be_bytes());
        bytes.extend(c.to_be_bytes());
        prop_assert_eq!(sum.checksum(), naive_checksum(&bytes));
    }

    /// RFC 1624: the updated checksum is the one computed anew.
    #[test]
    fn an_updated_checksum_verifies_as_a_new_one_does(
        mut bytes in prop::collection::vec(any::<u8>(), 8..80),
        at in any::<prop::sample::Index>(),
        new: u32,
    ) {
        let words = bytes.len() / 2;
        let at = at.index(words - 1) * 2;
        let before = naive_checksum(&bytes);
        let old = u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        bytes[at..at + 4].copy_from_slice(&new.to_be_bytes());
        let after = naive_checksum(&bytes);
        prop_assert!(same(checksum::update_u32(before, old, new), after));
        let halves = checksum::update_u16(before, (old >> 16) as u16, (new >> 16) as u16);
        let halves = checksum::update_u16(halves, old as u16, new as u16);
        prop_assert!(same(halves, after));
    }

    #[test]
    fn one_flipped_bit_is_always_found(len in 1usize..200, seed: u64, bit in any::<prop::sample::Index>()) {
        let mut bytes = pattern(len.next_multiple_of(2), seed);
        let sum = naive_checksum(&bytes);
        bytes.extend(sum.to_be_bytes());
        prop_assert_eq!(checksum::checksum(&bytes), 0);
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert_ne!(checksum::checksum(&bytes), 0);
    }
}

#[test]
fn a_sum_of_the_largest_payload_does_not_overflow() {
    let bytes = vec![0xff; 1 << 20];
    let mut sum = Sum::new();
    for _ in 0..64 {
        sum.add_slice(&bytes);
    }
    assert!(sum.is_valid(), "all ones stay all ones");
    assert_eq!(checksum::checksum(&bytes), naive_checksum(&bytes));
}

#[test]
fn the_example_of_rfc_1071_sums_to_ddf2() {
    let mut sum = Sum::new();
    sum.add_slice(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
    assert_eq!(sum.fold(), 0xddf2);
}

/// Whether the transport checksum of a whole packet fits, by this crate.
fn transport_fits(name: &str, bytes: Vec<u8>) -> bool {
    let packet = Packet::from_bytes(bytes.into());
    let view = IpView::parse(&packet).unwrap_or_else(|error| panic!("{name}: {error}"));
    let transport = packet.into_payload(view.transport);
    match view.protocol {
        Protocol::TCP => tcp::verify_checksum(view.source, view.destination, &[], &transport).is_ok(),
        Protocol::UDP => {
            let whole = transport.into_contiguous();
            udp::verify_checksum(view.source, view.destination, &whole, &Chunks::new()).is_ok()
        }
        Protocol::ICMPV4 => Icmpv4Message::parse(&transport.into_contiguous()).is_ok(),
        Protocol::ICMPV6 => match (view.source, view.destination) {
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                Icmpv6Message::parse(source, destination, &transport.into_contiguous()).is_ok()
            }
            _ => panic!("{name}: ICMPv6 over IPv4"),
        },
        other => panic!("{name}: carries {other}"),
    }
}

#[test]
fn packets_of_a_linux_kernel_verify_and_damaged_ones_do_not() {
    for (name, digits) in LINUX {
        let good = unhex(digits);
        let transport = if good[0] >> 4 == 4 { 20 } else { 40 };
        assert!(transport_fits(name, good.clone()), "{name}");
        // From byte 8 on, where the UDP length and the types of ICMP are behind us.
        for at in transport + 8..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            assert!(!transport_fits(name, bad), "{name}, damaged at {at}");
        }
    }
}

/// The IPv6 examples have right checksums. The IPv4 ones had their addresses
/// changed for print: only their IP header checksum fits.
#[test]
fn the_packets_of_rfc_9235_verify_as_far_as_they_are_right() {
    for (section, _, digits) in RFC9235 {
        let bytes = unhex(digits);
        let version = bytes[0] >> 4;
        assert_eq!(transport_fits(section, bytes), version == 6, "{section}");
    }
}

#[test]
fn a_datagram_without_checksum_is_fine_over_ipv4_and_an_error_over_ipv6() {
    for (name, fits) in [("udp4", true), ("udp6", false)] {
        let mut bytes = linux(name);
        let transport = if fits { 20 } else { 40 };
        bytes[transport + 6..transport + 8].fill(0);
        assert_eq!(transport_fits(name, bytes), fits, "{name}");
    }
}

#[test]
fn a_udp_sum_of_zero_goes_as_all_ones() {
    let mut sum = Sum::new();
    sum.add_u16(0xffff);
    assert_eq!(udp::checksum_field(sum), 0xffff);
}
