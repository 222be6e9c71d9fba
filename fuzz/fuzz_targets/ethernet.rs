//! Ethernet headers: what is read is written back byte for byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_wire::ethernet::EthernetHeader;

fuzz_target!(|frame: &[u8]| {
    let Ok((header, len)) = EthernetHeader::parse(frame) else { return };
    assert_eq!(len, header.header_len());
    let mut out = [0xaa; 32];
    assert_eq!(header.emit(&mut out), len);
    assert_eq!(out[..len], frame[..len]);
    assert!(out[len..].iter().all(|byte| *byte == 0xaa), "written beyond the end");
});
