//! IPv6: header round trip; a walk stays inside the packet, and is the same with the payload cut off.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_wire::ipv6::{self, Ipv6Header, walk};

fuzz_target!(|bytes: &[u8]| {
    let Ok((header, len)) = Ipv6Header::parse(bytes) else { return };
    let mut out = [0; 40];
    header.emit(&mut out);
    assert_eq!(out[..], bytes[..len]);
    let total = match header.payload_len(bytes.len()) {
        Ok(payload) => len + payload,
        Err(_) => bytes.len(),
    };
    match walk(header.next_header, bytes, total) {
        Ok(chain) => {
            assert!(chain.offset >= ipv6::HEADER_LEN && chain.offset <= total.max(len));
            assert_eq!(bytes[chain.next_header_at], chain.protocol.0);
            if let Some((fragment, at)) = chain.fragment {
                assert!(at + 8 <= chain.offset);
                assert!(usize::from(fragment.offset) <= 65_528);
                let mut again = [0; 8];
                fragment.emit(&mut again);
                assert_eq!(ipv6::FragmentHeader::parse(&again), Some(fragment));
            }
            // Payload that lies elsewhere changes nothing. A first fragment's chain goes on behind the offset.
            if chain.fragment.is_none_or(|(fragment, _)| fragment.is_atomic() || fragment.offset > 0) {
                assert_eq!(walk(header.next_header, &bytes[..chain.offset], total), Ok(chain));
            }
        }
        Err(error) => {
            if let Some((_, pointer)) = error.parameter_problem(false) {
                assert!(pointer < total.max(len), "{error}: points outside");
            }
            if error.parameter_problem(true).is_some() {
                assert!(error.parameter_problem(false).is_some());
            }
        }
    }
});
