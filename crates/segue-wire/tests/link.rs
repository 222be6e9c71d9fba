//! Ethernet frames and ARP.

use proptest::prelude::*;
use segue_wire::arp::{ArpError, ArpOperation, ArpPacket};
use segue_wire::ethernet::{EtherType, EthernetAddress, EthernetError, EthernetHeader, VlanTag};

proptest! {
    #[test]
    fn a_frame_header_is_read_as_it_was_written(
        destination: [u8; 6],
        source: [u8; 6],
        kind in 0x600u16..,
        tags in prop::collection::vec((any::<bool>(), any::<u16>()), 0..3),
    ) {
        prop_assume!(kind != 0x8100 && kind != 0x88a8);
        let mut header =
            EthernetHeader::new(EthernetAddress(destination), EthernetAddress(source), EtherType(kind));
        for (slot, (service, control)) in header.tags.iter_mut().zip(tags) {
            let kind = if service { EtherType::SERVICE_VLAN } else { EtherType::VLAN };
            *slot = Some(VlanTag { kind, control });
        }
        let mut out = [0xaa; 24];
        let len = header.emit(&mut out);
        prop_assert_eq!(len, header.header_len());
        prop_assert_eq!(EthernetHeader::parse(&out), Ok((header, len)));
        for cut in 0..len {
            prop_assert_eq!(EthernetHeader::parse(&out[..cut]), Err(EthernetError::Truncated));
        }
    }

    #[test]
    fn an_arp_packet_is_read_as_it_was_written(request: bool, a: [u8; 6], b: u32, c: [u8; 6], d: u32) {
        let packet = ArpPacket {
            operation: if request { ArpOperation::Request } else { ArpOperation::Reply },
            sender_hardware: EthernetAddress(a),
            sender_protocol: b.into(),
            target_hardware: EthernetAddress(c),
            target_protocol: d.into(),
        };
        let mut out = [0; 46];
        packet.emit(&mut out);
        prop_assert_eq!(ArpPacket::parse(&out), Ok((packet, 28)));
        let reply = packet.reply(EthernetAddress([2; 6]));
        prop_assert_eq!(reply.target_hardware, packet.sender_hardware);
        prop_assert_eq!((reply.sender_protocol, reply.target_protocol), (packet.target_protocol, packet.sender_protocol));
    }

    #[test]
    fn any_bytes_can_be_read_as_frames_and_arp(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok((header, len)) = EthernetHeader::parse(&bytes) {
            let mut out = vec![0; len];
            prop_assert_eq!(header.emit(&mut out), len);
            prop_assert_eq!(&out[..], &bytes[..len]);
        }
        if let Ok((packet, len)) = ArpPacket::parse(&bytes) {
            let mut out = vec![0; len];
            packet.emit(&mut out);
            prop_assert_eq!(&out[..], &bytes[..len]);
        }
    }
}

#[test]
fn each_reason_to_refuse_a_frame_has_its_name() {
    let mut frame = [0u8; 64];
    assert_eq!(EthernetHeader::parse(&frame), Err(EthernetError::NotEthernetII));
    for at in [12, 16, 20] {
        frame[at..at + 2].copy_from_slice(&[0x81, 0]);
    }
    assert_eq!(EthernetHeader::parse(&frame), Err(EthernetError::TooManyTags));
}

#[test]
fn each_reason_to_refuse_arp_has_its_name() {
    let good = {
        let mut out = [0; 28];
        ArpPacket {
            operation: ArpOperation::Request,
            sender_hardware: EthernetAddress([2; 6]),
            sender_protocol: [10, 0, 0, 1].into(),
            target_hardware: EthernetAddress::default(),
            target_protocol: [10, 0, 0, 2].into(),
        }
        .emit(&mut out);
        out
    };
    let edited = |at: usize| {
        let mut bytes = good;
        bytes[at] ^= 9;
        ArpPacket::parse(&bytes).map(|_| ())
    };
    assert_eq!(ArpPacket::parse(&good[..27]), Err(ArpError::Truncated));
    assert_eq!([edited(1), edited(4)], [Err(ArpError::NotEthernet); 2]);
    assert_eq!([edited(2), edited(5)], [Err(ArpError::NotIpv4); 2]);
    assert_eq!(edited(7), Err(ArpError::UnknownOperation));
}

#[test]
fn multicast_groups_have_their_ethernet_addresses() {
    let v4 = EthernetAddress::from_ipv4_multicast([239, 129, 2, 3].into());
    assert_eq!(v4.to_string(), "01:00:5e:01:02:03");
    let v6 = EthernetAddress::from_ipv6_multicast("ff02::1:ff0e:8c6c".parse().expect("an address"));
    assert_eq!(v6.to_string(), "33:33:ff:0e:8c:6c");
    assert!(v4.is_multicast() && EthernetAddress::BROADCAST.is_multicast());
    assert!(!EthernetAddress([2, 0, 0, 0, 0, 1]).is_multicast());
}
