//! IPv4: a header that is taken is written back byte for byte; a quoted one never panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_wire::{Ipv4Header, Quoted, checksum};

fuzz_target!(|bytes: &[u8]| {
    let _ = Quoted::parse(bytes);
    let mut packet = bytes.to_vec();
    // Half of the inputs get a right checksum, or hardly one would come further.
    if let Ok((_, len)) = Ipv4Header::parse_quoted(&packet)
        && packet[8] & 1 == 0
    {
        packet[10..12].fill(0);
        let sum = checksum::checksum(&packet[..len]);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
    }
    let Ok((header, len)) = Ipv4Header::parse(&packet) else { return };
    assert!(len <= packet.len());
    if let Ok(payload) = header.payload_len(len, packet.len()) {
        assert!(len + payload <= packet.len());
    }
    let mut out = [0; 60];
    assert_eq!(header.emit_with_options(&packet[20..len], &mut out), len);
    // Ones-complement zero has two forms; a sender of the other one is right, too.
    let both = [out[10..12].to_vec(), packet[10..12].to_vec()];
    assert!(both[0] == both[1] || both.iter().flatten().all(|byte| *byte == 0 || *byte == 0xff));
    packet[10..12].copy_from_slice(&both[0]);
    assert_eq!(out[..len], packet[..len]);
});
