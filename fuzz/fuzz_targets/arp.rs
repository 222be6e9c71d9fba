//! ARP: what is read is written back byte for byte; a reply answers whoever asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_wire::arp::ArpPacket;
use segue_wire::ethernet::EthernetAddress;

fuzz_target!(|bytes: &[u8]| {
    let Ok((packet, len)) = ArpPacket::parse(bytes) else { return };
    let mut out = [0; 28];
    packet.emit(&mut out);
    assert_eq!(out[..], bytes[..len]);
    let reply = packet.reply(EthernetAddress([2; 6]));
    reply.emit(&mut out);
    assert_eq!(ArpPacket::parse(&out), Ok((reply, 28)));
    assert_eq!((reply.target_hardware, reply.target_protocol), (packet.sender_hardware, packet.sender_protocol));
});
