//! What is well-formed and what is not.
use super::{Define, Defines, parse};
use crate::ast::{Action, Body, EcnSpec, Encapsulation, EventTime, GreSpec, IpInfo, MplsEntry, Point};
use crate::source::position;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/language");

#[test]
fn every_example_of_the_language_is_read() {
    let defines = Defines::from([("PEERMSS".to_owned(), Define::Plain("1234".into()))]);
    let mut count = 0;
    for entry in std::fs::read_dir(FIXTURES).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        if let Err(error) = parse(&text, &defines) {
            panic!("{}", error.render(&path.display().to_string(), &text));
        }
        count += 1;
    }
    assert_eq!(count, 13);
}

/// Each text is refused on this line and column, with this in the message.
#[rustfmt::skip]
const REFUSED: &[(&str, usize, usize, &str)] = &[
    // Shape of the file.
    ("", 0, 0, "no event"),
    ("// nothing\n", 0, 0, "no event"),
    ("# comment\n0 close(3) = 0", 1, 1, "found `#`"),
    ("0 close(3) = 0 # comment", 1, 16, "found `#`"),
    ("/* open\n0 close(3) = 0", 1, 1, "no end"),
    ("0 close(3) = 0\n`true`\n+0 close(4) = 0", 3, 1, "the end of the file after the cleanup command"),
    ("0 `true", 1, 3, "no end"),
    ("0 %{ assert 1", 1, 3, "no end"),
    ("--define=X=12\n0 close(3) = 0", 1, 1, "not the number 12"),
    ("--define=12\n0 close(3) = 0", 1, 1, "NAME=value"),
    ("--local_ip=\"x\n0 close(3) = 0", 1, 12, "no end"),
    // Times.
    ("1 close(3) = 0", 1, 1, "first event should be at time 0"),
    ("+.1 close(3) = 0", 1, 1, "first event should be at time 0"),
    ("0 close(3) = 0\n2 close(3) = 0\n1.5 close(3) = 0", 3, 1, "time goes backwards"),
    ("0 close(3) = 0\n2~3 > . 1:1(0)\n1.5 close(3) = 0", 3, 1, "time goes backwards"),
    ("0 close(3) = 0\n* close(3) = 0", 2, 1, "outbound packets only"),
    ("0 close(3) = 0\n* < . 1:1(0) win 1", 2, 1, "outbound packets only"),
    ("0 close(3) = 0\n1~2 < . 1:1(0) win 1", 2, 1, "outbound packets only"),
    ("0 close(3) = 0\n+1~+2 `true`", 2, 1, "outbound packets only"),
    ("0 close(3) = 0\n2~1 > . 1:1(0)", 2, 1, "ends before it begins"),
    ("0 close(3) = 0\n+2~1 > . 1:1(0)", 2, 1, "of one kind"),
    ("0 close(3) = 0\n0...1 > . 1:1(0)", 2, 1, "system calls only"),
    ("0 close(3) = 0\n2...1 close(3) = 0", 2, 1, "returns before it is made"),
    ("0 close(3) = 0\n-1 close(3) = 0", 2, 1, "negative"),
    ("0 close(3) = 0\n+-1 close(3) = 0", 2, 2, "negative"),
    ("0 close(3) = 0\n99999999999999999999 close(3) = 0", 2, 1, "too large"),
    // Packets.
    ("0 < .P 1:1(0) win 1", 1, 5, "`.` (ACK) comes last"),
    ("0 < X. 1:1(0) win 1", 1, 5, "`X` is no TCP flag"),
    ("0 < S8. 1:1(0) win 1", 1, 5, "`8` is no TCP flag"),
    ("0 < SE5. 1:1(0) win 1", 1, 5, "cannot be mixed"),
    ("0 < . 1:2(0) win 1", 1, 7, "expected 1, found 2"),
    ("0 < . 1:65537(65536) win 1", 1, 15, "at most 65535"),
    ("0 < . 1:1(0) ack 1", 1, 19, "an inbound packet needs one"),
    ("0 < . 1:1(0) ack 1 win 65536", 1, 24, "at most 65535"),
    ("0 < . 1:1(0) ack 0x1 win 1", 1, 18, "hexadecimal"),
    ("0 < . 1:1(0) ack 1 win 0x10", 1, 24, "hexadecimal"),
    ("0 < . 0x1:1(0) win 1", 1, 7, "hexadecimal"),
    ("0 < . 1:1(0) ack -1 win 1", 1, 18, "not negative"),
    ("0 < . 1:1(0) win 1 ack 1", 1, 20, "the time of an event"),
    ("0 < . 1:1(0) ack 4294967296 win 1", 1, 18, "at most 4294967295"),
    ("0 < [ect01] . 1:1(0) win 1", 1, 6, "outbound packets only"),
    ("0 < [ect2] . 1:1(0) win 1", 1, 6, "an IP field"),
    ("0 < (tos 44) . 1:1(0) win 1", 1, 10, "hexadecimal"),
    ("0 < (ttl 256) . 1:1(0) win 1", 1, 10, "at most 255"),
    ("0 < [ect0) . 1:1(0) win 1", 1, 10, "expected `]`"),
    ("0 < . 1:1(0) win 1 <...>", 1, 20, "outbound packets only"),
    ("0 < . 1:1(0) win 1 <nop>", 1, 20, "no multiple of 4"),
    ("0 > . 1:1(0) <wscale 7>", 1, 14, "no multiple of 4"),
    ("0 > . 1:1(0) <mss 65536>", 1, 19, "at most 65535"),
    ("0 > . 1:1(0) <mss>", 1, 18, "the maximum segment size"),
    ("0 > . 1:1(0) <tso 1>", 1, 15, "a TCP option"),
    ("0 > . 1:1(0) <TS val 1>", 1, 23, "`ecr`"),
    ("0 > . 1:1(0) <FO abc,nop>", 1, 18, "pairs of hexadecimal digits"),
    ("0 > . 1:1(0) <md5 0102030405060708090a0b0c0d0e0f1011,nop>", 1, 15, "at most 16 bytes"),
    ("0 > . 1:1(0) <nop,nop,md5 key secret>", 1, 31, "quotation marks"),
    ("0 > . 1:1(0) <md5 valid>", 1, 14, "18 bytes long"),
    ("0 > . 1:1(0) <ao 1>", 1, 18, "`keyid`"),
    ("0 > . 1:1(0) <ao keyid 256 rnextkeyid 1 mac valid>", 1, 24, "at most 255"),
    ("0 > . 1:1(0) <ao keyid 1 rnextkeyid 1 valid>", 1, 39, "`mac`"),
    ("0 > . 1:1(0) <ao keyid 1 rnextkeyid 1 mac valid len 21,nop,nop,nop>", 1, 53, "at most 20"),
    ("0 > . 1:1(0) <ECN ceb 1 e0b 2>", 1, 25, "AccECN"),
    ("0 > . 1:1(0) <sack 1:2 3:4 5:6 7:8 9:10,nop,nop>", 1, 14, "at most 40"),
    ("0 > udp 5", 1, 9, "expected `(`"),
    ("0 > udp (65508)", 1, 10, "at most 65507"),
    ("0 < [1:1461(1460)] icmp unreachable frag_needed mtu 1300", 1, 6, "an IP field"),
    ("0 < icmp unreachable [1:5(3)]", 1, 23, "expected 4, found 5"),
    ("0 < icmp unreachable [raw 64]", 1, 27, "expected `(`"),
    ("0 > gre flags", 1, 14, "the GRE flags"),
    ("0 > gre flags [wibble], sum 0: udp (5)", 1, 16, "none, checksum, key or sequence"),
    ("0 > gre flags [key], sum 0: udp (5)", 1, 19, "`present`"),
    ("0 > gre flags 0x2000, key 5: udp (5)", 1, 23, "`sum`"),
    ("0 > ipv4 fd00::1 > fd00::2: udp (5)", 1, 10, "an IPv4 address"),
    ("0 > ipv4 10.0.0.1 10.0.0.2: udp (5)", 1, 19, "`>`"),
    ("0 > mpls: udp (5)", 1, 9, "label"),
    ("0 > mpls (label 1048576, tc 0, ttl 1): udp (5)", 1, 17, "at most 1048575"),
    ("0 > mpls (label 1, tc 0, [B], ttl 1): udp (5)", 1, 27, "`S`"),
    // Calls.
    ("0 read(3, ..., 10) = -1 EAGAIN", 1, 31, "a note in parentheses"),
    ("0 read(3, ..., 10) = -1 EAGAIN\n+0 close(3) = 0", 2, 1, "a note in parentheses"),
    ("0 read(3, ..., 10)", 1, 19, "expected `=`"),
    ("0 read(3, ..., 10 = 3", 1, 19, "`,` or `)`"),
    ("0 read(3, , 10) = 3", 1, 11, "a value"),
    ("0 read(3, \"a, 10) = 3", 1, 11, "no end"),
    ("0 read(3, \"\\q\", 10) = 3", 1, 12, "unknown escape"),
    ("0 read(3, 99999999999999999999, 10) = 3", 1, 11, "64 bits"),
    ("0 poll([{fd=4 events=1}], 1, 0) = 0", 1, 15, "`,` or `}`"),
    ("0 wibble", 1, 9, "expected `(`"),
    ("0 3", 1, 3, "a packet"),
];

#[test]
fn what_is_malformed_is_refused_with_its_place_and_a_reason() {
    for (text, line, column, words) in REFUSED {
        let Err(error) = parse(text, &Defines::new()) else { panic!("this was taken:\n{text}") };
        let place = error.span.map_or((0, 0), |span| position(text, span.start));
        assert_eq!(place, (*line, *column), "place of `{}` in:\n{text}", error.message);
        assert!(error.message.contains(words), "`{}` does not say `{words}` of:\n{text}", error.message);
    }
}

#[test]
fn deep_nesting_is_refused_and_not_a_crash() {
    let text = format!("0 read({}1{}) = 0", "[".repeat(100_000), "]".repeat(100_000));
    assert!(parse(&text, &Defines::new()).unwrap_err().message.contains("nesting"));
}

#[test]
fn no_beginning_of_a_script_is_a_crash() {
    for entry in std::fs::read_dir(FIXTURES).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for (end, _) in text.char_indices() {
            // Cut, and with one character replaced: read or refused, and the refusal can be shown.
            for broken in [text[..end].to_owned(), format!("{}§{}", &text[..end], &text[end + 1..])] {
                if let Err(error) = parse(&broken, &Defines::new()) {
                    assert!(error.render("cut", &broken).contains("error: "));
                }
            }
        }
    }
}

fn times(text: &str) -> Vec<EventTime> {
    parse(text, &Defines::new()).unwrap().events.into_iter().map(|event| event.time).collect()
}

#[test]
fn times_of_every_form_are_told_apart() {
    let text = "0 close(3)=0 +.01 close(3)=0 0.6~0.605 > . 1:1(0) +.15~+.4 > . 1:1(0) * > . 1:1(0)\n\
                +0...0.2 close(3)=0 1...1.25 close(3)=0 2.0000019 close(3)=0";
    let expected = [
        EventTime::At(Point::Absolute(0)),
        EventTime::At(Point::Relative(10_000)),
        EventTime::Window(Point::Absolute(600_000), Point::Absolute(605_000)),
        EventTime::Window(Point::Relative(150_000), Point::Relative(400_000)),
        EventTime::Any,
        EventTime::Blocking { start: Point::Relative(0), end: 200_000 },
        EventTime::Blocking { start: Point::Absolute(1_000_000), end: 1_250_000 },
        EventTime::At(Point::Absolute(2_000_001)),
    ];
    assert_eq!(times(text), expected);
}

#[test]
fn a_define_stands_for_a_word_anywhere() {
    let text = "--define=CC=\"reno\"\n--define=SETUP=`true`\n0 SETUP\n+0 setsockopt(3, SOL_TCP, 13, CC, LEN) = 0\n\
                +0 > S 0:0(0) <mss SIZE>";
    let defines = Defines::from([
        ("LEN".to_owned(), Define::Plain("4".into())),
        ("SIZE".to_owned(), Define::Plain("1234".into())),
    ]);
    let script = parse(text, &defines).unwrap();
    assert_eq!(script.events[0].action, Action::Command("true".into()));
    let shown = format!("{:?}", script.events);
    assert!(
        shown.contains("Mss(1234)") && shown.contains("Integer(4)") && shown.contains("Text([114, 101, 110, 111])")
    );
}

#[test]
fn headers_around_a_packet_are_read_from_the_outside_in() {
    let text = "0 < ipv6 (ttl 9) fd00::1 > fd00::2: gre flags [key present, sequence present], sum 0, off 0, key=0x7, seq 3: \
                mpls (label 16, tc 1, [S], ttl 64): [ce] . 1:1(0) win 5 +0 > ipv4 10.0.0.1 > 10.0.0.2: gre: udp (5)";
    let script = parse(text, &Defines::new()).unwrap();
    let Action::Packet(packet) = &script.events[0].action else { panic!("no packet") };
    assert_eq!(packet.ip.ecn, Some(EcnSpec::Is(3)));
    let gre = GreSpec { flags: 0x3000, key: 7, sequence: 3, ..GreSpec::default() };
    let label = MplsEntry { label: 16, class: 1, is_bottom: true, ttl: 64 };
    let info = IpInfo { ttl: Some(9), ..IpInfo::default() };
    let (source, destination) = ("fd00::1".parse().unwrap(), "fd00::2".parse().unwrap());
    let expected =
        [Encapsulation::Ip { info, source, destination }, Encapsulation::Gre(gre), Encapsulation::Mpls(vec![label])];
    assert_eq!(packet.encapsulations, expected);
    let Action::Packet(packet) = &script.events[1].action else { panic!("no packet") };
    assert_eq!(packet.encapsulations.len(), 2);
}

#[test]
fn a_flag_word_may_hold_the_ace_field() {
    for (word, bits) in
        [("S5.", 0x2 | 0x10 | 0x40 | 0x100), (".5", 0x10 | 0x40 | 0x100), ("SEW", 0x2 | 0x40 | 0x80), ("-", 0)]
    {
        let script = parse(&format!("0 > {word} 0:0(0)"), &Defines::new()).unwrap();
        let Action::Packet(packet) = &script.events[0].action else { panic!("no packet") };
        let Body::Tcp(spec) = &packet.body else { panic!("no TCP") };
        assert_eq!(spec.flags.bits(), bits, "{word}");
    }
}
