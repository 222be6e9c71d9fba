//! TCP headers and options: what is written is read again, what is illegal is survived.

mod common;

use common::captured::{LINUX, RFC9235, linux, unhex};
use proptest::prelude::*;
use segue_wire::tcp::{
    AccEcn, AccEcnOrder, AoMac, FastOpenCookie, FlagContradiction, OptionBytes, SackBlocks, TcpAo, TcpError, TcpFlags,
    TcpHeader, TcpOptions, Timestamps, UserTimeout, emit,
};
use std::time::Duration;

fn header() -> impl Strategy<Value = TcpHeader> {
    (any::<(u16, u16, u32, u32)>(), 0u8..8, 0u16..512, any::<(u16, u16, u16)>()).prop_map(
        |((source_port, destination_port, sequence, acknowledgment), reserved, flags, (window, checksum, urgent))| {
            TcpHeader {
                source_port,
                destination_port,
                sequence,
                acknowledgment,
                reserved,
                flags: TcpFlags::from_bits_truncate(flags),
                window,
                checksum,
                urgent,
            }
        },
    )
}

fn accecn() -> impl Strategy<Value = AccEcn> {
    (any::<bool>(), 0usize..4, [0u32..1 << 24, 0u32..1 << 24, 0u32..1 << 24]).prop_map(|(first, fields, values)| {
        let field = |n: usize| (n < fields).then_some(values[n]);
        match first {
            true => {
                AccEcn { order: AccEcnOrder::Ect0First, ect0_bytes: field(0), ce_bytes: field(1), ect1_bytes: field(2) }
            }
            false => {
                AccEcn { order: AccEcnOrder::Ect1First, ect1_bytes: field(0), ce_bytes: field(1), ect0_bytes: field(2) }
            }
        }
    })
}

fn cookie() -> impl Strategy<Value = FastOpenCookie> {
    (prop::collection::vec(any::<u8>(), 16), 0usize..8, any::<bool>()).prop_map(|(bytes, half, experimental)| {
        let len = if half < 2 { 0 } else { half * 2 };
        let mut cookie = FastOpenCookie::new(&bytes[..len]).expect("an even length");
        cookie.experimental = experimental;
        cookie
    })
}

fn sack() -> impl Strategy<Value = SackBlocks> {
    prop::collection::vec(any::<(u32, u32)>(), 0..5).prop_map(|blocks| {
        let mut sack = SackBlocks::new();
        for (left, right) in blocks {
            assert!(sack.push(left, right));
        }
        sack
    })
}

fn options() -> impl Strategy<Value = TcpOptions> {
    (
        prop::option::of(1u16..),
        prop::option::of(0u8..15),
        any::<bool>(),
        sack(),
        prop::option::of(any::<(u32, u32)>()),
        prop::option::of((any::<bool>(), 0u16..0x8000)),
        prop::option::of((any::<u8>(), any::<u8>(), prop::collection::vec(any::<u8>(), 0..37))),
        prop::option::of(any::<[u8; 16]>()),
        prop::option::of(cookie()),
        prop::option::of(accecn()),
    )
        .prop_map(|(mss, window_scale, sack_permitted, sack, stamps, timeout, ao, md5, fast_open, accecn)| {
            TcpOptions {
                mss,
                window_scale,
                sack_permitted,
                sack,
                timestamps: stamps.map(|(value, echo)| Timestamps { value, echo }),
                user_timeout: timeout.map(|(minutes, value)| UserTimeout { minutes, value }),
                authentication: ao.map(|(key_id, rnext_key_id, mac)| TcpAo {
                    key_id,
                    rnext_key_id,
                    mac: AoMac::new(&mac).expect("at most 36 bytes"),
                }),
                md5,
                fast_open,
                accecn,
                malformed: false,
                signature_conflict: false,
            }
        })
}

/// Leaves options out, rarest first, until the rest must fit in 40 bytes, counted generously.
fn fitting(mut options: TcpOptions, keep: u16) -> TcpOptions {
    let mut room = 40usize;
    let mut take = |index: u16, cost: usize| {
        let fits = keep >> index & 1 == 1 && cost.next_multiple_of(4) <= room;
        if fits {
            room -= cost.next_multiple_of(4);
        }
        fits
    };
    options.mss = options.mss.filter(|_| take(0, 4));
    options.timestamps = options.timestamps.filter(|_| take(1, 12));
    options.sack_permitted = options.sack_permitted && take(2, 4);
    options.window_scale = options.window_scale.filter(|_| take(3, 4));
    options.md5 = options.md5.filter(|_| take(4, 20));
    options.authentication = options.authentication.filter(|ao| options.md5.is_none() && take(5, ao.mac.len() + 4));
    options.fast_open = options.fast_open.filter(|cookie| take(6, cookie.len() + 4));
    options.accecn = options.accecn.filter(|_| take(7, 12));
    options.user_timeout = options.user_timeout.filter(|_| take(8, 4));
    let blocks = options.sack.len();
    if blocks == 0 || !take(9, 4 + blocks * 8) {
        options.sack = SackBlocks::new();
    }
    options
}

proptest! {
    #[test]
    fn a_header_is_read_as_it_was_written(header in header(), options in options()) {
        let raw = options.emit();
        let mut out = [0xaa; 64];
        let len = emit(&header, &raw, &mut out);
        prop_assert_eq!(len, 20 + raw.len());
        let (read, read_options, read_len) = TcpHeader::parse(&out).expect("a header");
        prop_assert_eq!(read, header);
        prop_assert_eq!(read_options, &raw[..]);
        prop_assert_eq!(read_len, len);
        prop_assert_eq!(out[len], 0xaa, "written beyond the end");
    }

    #[test]
    fn options_that_fit_are_read_as_they_were_written(options in options(), keep: u16) {
        let options = fitting(options, keep);
        let raw = options.emit();
        prop_assert!(raw.len() <= 40 && raw.len().is_multiple_of(4));
        prop_assert_eq!(TcpOptions::parse(&raw), options);
    }

    /// Whatever is asked for: at most 40 bytes, aligned, and nothing in it that was not asked for.
    #[test]
    fn options_that_do_not_fit_are_left_out_whole(options in options()) {
        let raw = options.emit();
        prop_assert!(raw.len() <= 40 && raw.len().is_multiple_of(4));
        let read = TcpOptions::parse(&raw);
        prop_assert!(!read.malformed);
        prop_assert!(read.mss.is_none() || read.mss == options.mss);
        prop_assert!(read.timestamps.is_none() || read.timestamps == options.timestamps);
        prop_assert!(read.authentication.is_none() || read.authentication == options.authentication);
        prop_assert!(read.fast_open.is_none() || read.fast_open == options.fast_open);
        prop_assert!(read.accecn.is_none() || read.accecn == options.accecn);
        prop_assert!(options.sack.starts_with(&read.sack));
    }

    #[test]
    fn any_bytes_can_be_read_as_options_and_what_was_understood_stays(raw in prop::collection::vec(any::<u8>(), 0..64)) {
        let first = TcpOptions::parse(&raw);
        let second = TcpOptions::parse(&first.emit());
        prop_assert!(!second.malformed);
        prop_assert!(second.mss.is_none() || second.mss == first.mss);
        prop_assert!(first.window_scale.is_none_or(|shift| shift <= 14));
    }

    /// Kinds that exist, lengths that do not: each alone is skipped and the MSS behind it still found.
    #[test]
    fn an_option_of_illegal_length_does_not_hide_the_next(
        kind in prop::sample::select(vec![2u8, 3, 4, 5, 8, 19, 28, 29, 34, 172, 174, 254, 77]),
        data in prop::collection::vec(any::<u8>(), 0..30),
    ) {
        let mut raw = vec![kind, data.len() as u8 + 2];
        raw.extend(&data);
        raw.extend([2, 4, 0x05, 0xb4]);
        prop_assert_eq!(TcpOptions::parse(&raw).mss, Some(1460));
    }

    #[test]
    fn any_bytes_can_be_read_as_a_header(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        match TcpHeader::parse(&bytes) {
            Ok((_, options, len)) => {
                prop_assert_eq!(options.len() + 20, len);
                prop_assert!(len <= bytes.len());
            }
            Err(TcpError::Truncated) => prop_assert!(bytes.len() < 20),
            Err(_) => {
                let offset = usize::from(bytes[12] >> 4) * 4;
                prop_assert!(offset < 20 || offset > bytes.len());
            }
        }
    }

    #[test]
    fn a_user_timeout_says_at_least_what_was_asked_and_less_than_a_unit_more(millis in 0u64..2_500_000_000) {
        let asked = Duration::from_millis(millis);
        let option = UserTimeout::from_duration(asked);
        let unit = Duration::from_secs(if option.minutes { 60 } else { 1 });
        prop_assert!(option.duration() >= asked.min(UserTimeout::MAX));
        prop_assert!(option.duration() < asked + unit);
    }
}

#[test]
fn syns_of_a_linux_kernel_are_written_byte_for_byte_as_it_wrote_them() {
    for (name, _) in LINUX.iter().filter(|(name, _)| name.starts_with('t')) {
        let packet = linux(name);
        let transport = if packet[0] >> 4 == 4 { 20 } else { 40 };
        let (header, raw, len) = TcpHeader::parse(&packet[transport..]).expect("a header");
        let options = TcpOptions::parse(raw);
        let mss = if transport == 20 { 1460 } else { 1440 };
        assert_eq!((options.mss, options.window_scale, options.sack_permitted), (Some(mss), Some(10), true), "{name}");
        assert_eq!(header.flags, TcpFlags::SYN);
        let mut out = vec![0; len];
        assert_eq!(emit(&header, &options.emit(), &mut out), len, "{name}");
        assert_eq!(out, packet[transport..transport + len], "{name}");
    }
}

#[test]
fn the_packets_of_rfc_9235_are_read_with_their_key_numbers_and_macs() {
    for (section, mac, digits) in RFC9235 {
        let packet = unhex(digits);
        let transport = if packet[0] >> 4 == 4 { 20 } else { 40 };
        let (header, raw, len) = TcpHeader::parse(&packet[transport..]).expect("a header");
        let options = TcpOptions::parse(raw);
        let ao = options.authentication.unwrap_or_else(|| panic!("{section}: no TCP-AO"));
        let from_client = header.destination_port == 179;
        assert_eq!((ao.key_id, ao.rnext_key_id), if from_client { (61, 84) } else { (84, 61) }, "{section}");
        assert_eq!(&ao.mac[..], &unhex(mac)[..], "{section}");
        assert!(options.timestamps.is_some() && !options.malformed && !options.signature_conflict, "{section}");
        let is_syn = header.flags.contains(TcpFlags::SYN);
        assert_eq!(options.window_scale, is_syn.then_some(8), "{section}");
        assert_eq!(options.sack_permitted, is_syn, "{section}");
        assert_eq!(packet.len() - transport - len, if is_syn { 0 } else { 67 }, "{section}: payload");
    }
}

#[test]
fn what_stands_behind_the_end_of_the_list_is_not_looked_at() {
    let options = TcpOptions::parse(&[2, 4, 5, 180, 0, 3, 3, 7]);
    assert_eq!((options.mss, options.window_scale, options.malformed), (Some(1460), None, false));
}

#[test]
fn a_length_that_cannot_be_true_ends_the_list_and_is_told() {
    for raw in [&[2, 4, 5, 180, 3, 0, 3, 3][..], &[2, 4, 5, 180, 3, 1], &[2, 4, 5, 180, 3], &[2, 4, 5, 180, 8, 10, 1]] {
        let options = TcpOptions::parse(raw);
        assert_eq!((options.mss, options.malformed), (Some(1460), true), "{raw:?}");
    }
}

#[test]
fn a_window_scale_above_14_is_used_as_14_and_an_mss_of_0_as_none() {
    let options = TcpOptions::parse(&[3, 3, 200, 2, 4, 0, 0]);
    assert_eq!((options.window_scale, options.mss, options.malformed), (Some(14), None, false));
}

#[test]
fn unknown_options_are_skipped_without_complaint() {
    let options = TcpOptions::parse(&[30, 4, 1, 2, 254, 4, 0xe2, 0xd4, 2, 4, 5, 180]);
    assert_eq!((options.mss, options.malformed, options.fast_open), (Some(1460), false, None));
}

#[test]
fn a_fast_open_cookie_of_odd_or_wrong_length_is_ignored() {
    for (len, taken) in [(0, true), (2, false), (3, false), (4, true), (5, false), (16, true), (18, false)] {
        for experimental in [false, true] {
            let mut raw = if experimental { vec![254, len + 4, 0xf9, 0x89] } else { vec![34, len + 2] };
            raw.extend((0..len).map(|n| n + 1));
            let options = TcpOptions::parse(&raw);
            assert_eq!(options.fast_open.is_some(), taken, "{len} bytes");
            assert_eq!(options.malformed, !taken, "{len} bytes");
            assert!(options.fast_open.is_none_or(|cookie| cookie.len() == usize::from(len)
                && cookie.experimental == experimental
                && cookie.is_request() == (len == 0)));
        }
    }
}

#[test]
fn two_signatures_of_any_kind_and_a_broken_one_are_a_conflict() {
    let ao = [29, 6, 1, 2, 3, 4];
    let mut md5 = vec![19, 18];
    md5.extend([7; 16]);
    let conflict = |parts: &[&[u8]]| TcpOptions::parse(&parts.concat()).signature_conflict;
    assert!(!conflict(&[&ao]));
    assert!(!conflict(&[&md5]));
    assert!(conflict(&[&ao, &ao]));
    assert!(conflict(&[&md5, &md5]));
    assert!(conflict(&[&md5, &ao]));
    assert!(conflict(&[&ao, &md5]));
    assert!(conflict(&[&[29, 3, 1]]));
}

#[test]
fn an_accecn_option_of_odd_length_gives_the_fields_that_fit() {
    let options = TcpOptions::parse(&[172, 7, 0, 0, 9, 0, 1]);
    let accecn = options.accecn.expect("the option");
    assert_eq!((accecn.ect0_bytes, accecn.ce_bytes, accecn.ect1_bytes), (Some(9), None, None));
    let options = TcpOptions::parse(&[174, 11, 0, 0, 1, 0, 0, 2, 1, 0, 3]);
    let accecn = options.accecn.expect("the option");
    assert_eq!((accecn.ect1_bytes, accecn.ce_bytes, accecn.ect0_bytes), (Some(1), Some(2), Some(0x10003)));
}

#[test]
fn sack_blocks_are_trimmed_to_the_room_that_timestamps_leave() {
    let mut options = TcpOptions { timestamps: Some(Timestamps { value: 1, echo: 2 }), ..TcpOptions::default() };
    for n in 0..4 {
        options.sack.push(n * 100, n * 100 + 50);
    }
    assert!(!options.sack.push(1, 2), "a fifth block");
    let raw = options.emit();
    assert_eq!(raw.len(), 40);
    assert_eq!(&TcpOptions::parse(&raw).sack[..], &options.sack[..3]);
}

#[test]
fn the_timestamps_of_a_data_segment_are_aligned_as_linux_does() {
    let options = TcpOptions { timestamps: Some(Timestamps { value: 1, echo: 2 }), ..TcpOptions::default() };
    assert_eq!(&options.emit()[..], [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]);
}

#[test]
fn raw_options_are_padded_with_zeroes_and_not_longer_than_40_bytes() {
    assert_eq!(&OptionBytes::from_slice(&[3, 3, 7]).expect("fits")[..], [3, 3, 7, 0]);
    assert_eq!(OptionBytes::from_slice(&[1; 41]), None);
}

#[test]
fn contradictory_flags_are_read_and_named() {
    use FlagContradiction::{FinWithoutAck, Nothing, SynFin, SynRst};
    let cases = [
        (TcpFlags::SYN | TcpFlags::FIN, Some(SynFin)),
        (TcpFlags::SYN | TcpFlags::RST | TcpFlags::FIN, Some(SynRst)),
        (TcpFlags::FIN, Some(FinWithoutAck)),
        (TcpFlags::FIN | TcpFlags::PSH | TcpFlags::URG, Some(FinWithoutAck)),
        (TcpFlags::empty(), Some(Nothing)),
        (TcpFlags::PSH, Some(Nothing)),
        (TcpFlags::SYN, None),
        (TcpFlags::SYN | TcpFlags::ACK, None),
        (TcpFlags::FIN | TcpFlags::ACK, None),
        (TcpFlags::RST, None),
        (TcpFlags::RST | TcpFlags::FIN, None),
    ];
    for (flags, expected) in cases {
        let mut out = [0; 20];
        emit(&TcpHeader { flags, ..TcpHeader::default() }, &OptionBytes::EMPTY, &mut out);
        let (header, _, _) = TcpHeader::parse(&out).expect("every combination can be read");
        assert_eq!(header.flags.contradiction(), expected, "{flags:?}");
    }
}

#[test]
fn the_ace_counter_survives_the_way_through_the_flags() {
    for ace in 0..8 {
        let flags = (TcpFlags::ACK | TcpFlags::ECE).with_ace(ace);
        assert_eq!(flags.ace(), ace);
        assert_eq!(flags & TcpFlags::from_bits_truncate(63), TcpFlags::ACK);
    }
    assert_eq!((TcpFlags::AE | TcpFlags::ECE).ace(), 0b101);
}

#[test]
fn nothing_is_written_where_it_does_not_fit() {
    let mut out = [7; 19];
    assert_eq!(emit(&TcpHeader::default(), &OptionBytes::EMPTY, &mut out), 0);
    assert_eq!(out, [7; 19]);
}

/// Linux's layout: what an AccECN option has beyond whole words stands where other options have NOPs.
#[test]
fn a_short_accecn_option_shares_the_padding_of_what_follows() {
    let accecn = |fields: usize| {
        let field = |n: usize| (n < fields).then_some(n as u32 + 1);
        Some(AccEcn { order: AccEcnOrder::Ect1First, ect1_bytes: field(0), ce_bytes: field(1), ect0_bytes: field(2) })
    };
    let mut sack = SackBlocks::new();
    sack.push(1, 2);
    let blocks = [0, 0, 0, 1, 0, 0, 0, 2];
    let with_sack = |fields| TcpOptions { accecn: accecn(fields), sack, ..TcpOptions::default() }.emit().to_vec();
    assert_eq!(with_sack(0), [&[174, 2, 5, 10][..], &blocks].concat());
    assert_eq!(with_sack(1), [&[174, 5, 0, 0, 1, 1, 5, 10][..], &blocks].concat());
    assert_eq!(with_sack(2), [&[174, 8, 0, 0, 1, 0, 0, 2, 1, 1, 5, 10][..], &blocks].concat());
    assert_eq!(with_sack(3), [&[174, 11, 0, 0, 1, 0, 0, 2, 0, 0, 3, 1, 1, 1, 5, 10][..], &blocks].concat());
    let in_syn_ack = |fields| {
        TcpOptions { mss: Some(1460), window_scale: Some(7), accecn: accecn(fields), ..TcpOptions::default() }.emit()
    };
    assert_eq!(in_syn_ack(1)[..], [2, 4, 5, 180, 174, 5, 0, 0, 1, 3, 3, 7]);
    assert_eq!(in_syn_ack(0)[..], [2, 4, 5, 180, 1, 3, 3, 7, 174, 2, 1, 1]);
    let alone = TcpOptions { accecn: accecn(1), ..TcpOptions::default() }.emit();
    assert_eq!(alone[..], [174, 5, 0, 0, 1, 1, 1, 1]);
    let permitted = TcpOptions { accecn: accecn(0), sack_permitted: true, ..TcpOptions::default() }.emit();
    assert_eq!(permitted[..], [174, 2, 4, 2]);
}
