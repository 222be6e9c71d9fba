//! ICMPv6 and neighbour discovery: what was read is written, and read again as the same.
#![no_main]

use core::net::Ipv6Addr;
use libfuzzer_sys::fuzz_target;
use segue_wire::Icmpv6Message;
use segue_wire::icmpv6::ndp::NdpMessage;

const A: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
const B: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

fuzz_target!(|bytes: &[u8]| {
    let _ = Icmpv6Message::parse(A, B, bytes);
    let Ok(message) = Icmpv6Message::parse_unverified(bytes) else { return };
    assert!(message.message_len() <= bytes.len());
    let _ = message.quoted();
    let mut out = vec![0; message.message_len()];
    assert_eq!(message.emit(A, B, &mut out), out.len());
    assert_eq!(Icmpv6Message::parse(A, B, &out), Ok(message));
    // `out` has a right checksum now, so neighbour discovery gets past it.
    if let Ok(neighbour) = NdpMessage::parse(A, B, 255, &out) {
        let again = neighbour.to_vec(A, B);
        assert_eq!(NdpMessage::parse(A, B, 255, &again), Ok(neighbour));
    }
});
