//! UDP: header round trip; the checksum verdict is that of a sum taken the slow way.
#![no_main]

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use libfuzzer_sys::fuzz_target;
use segue_wire::{Bytes, Chunks, UdpHeader, udp};

fn slow_sum(bytes: &[u8]) -> u16 {
    let mut sum = 0u32;
    for pair in bytes.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

fuzz_target!(|bytes: &[u8]| {
    let Ok((header, len)) = UdpHeader::parse(bytes) else { return };
    let mut out = [0; 8];
    header.emit(&mut out);
    assert_eq!(out[..], bytes[..len]);
    let Ok(payload) = header.payload_len(bytes.len()) else { return };
    let datagram = &bytes[..len + payload];
    let cut = len + payload.min(usize::from(header.source_port));
    let rest: Chunks = Chunks::from(Bytes::copy_from_slice(&datagram[cut..]));
    let (a, b) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
    let verdict = udp::verify_checksum(IpAddr::V4(a), IpAddr::V4(b), &datagram[..cut], &rest);
    let mut all = [a.octets(), b.octets()].concat();
    all.extend([0, 17]);
    all.extend((datagram.len() as u16).to_be_bytes());
    all.extend(datagram);
    assert_eq!(verdict.is_ok(), header.checksum == 0 || slow_sum(&all) == 0xffff);
    let v6 = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let verdict = udp::verify_checksum(v6, v6, &datagram[..cut], &rest);
    if header.checksum == 0 {
        assert_eq!(verdict, Err(udp::UdpError::MissingChecksum));
    }
});
