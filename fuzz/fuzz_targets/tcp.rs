//! TCP headers: read, written and read again; fixed fields come back byte for byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_wire::tcp::{self, OptionBytes, TcpHeader};

fuzz_target!(|segment: &[u8]| {
    let _ = TcpHeader::parse_quoted(segment);
    let Ok((header, options, len)) = TcpHeader::parse(segment) else { return };
    assert_eq!(len, 20 + options.len());
    assert!(len <= segment.len());
    let raw = OptionBytes::from_slice(options).expect("a data offset allows 40 bytes at most");
    let mut out = [0; tcp::MAX_HEADER_LEN];
    assert_eq!(tcp::emit(&header, &raw, &mut out), len);
    assert_eq!(out[..len], segment[..len]);
    let quoted = TcpHeader::parse_quoted(segment).expect("more than eight bytes");
    assert_eq!(quoted, header);
    let _ = header.flags.contradiction();
    assert_eq!(header.flags.with_ace(header.flags.ace()), header.flags);
    assert!(header.sequence_len(segment.len() - len) as usize >= segment.len() - len);
});
