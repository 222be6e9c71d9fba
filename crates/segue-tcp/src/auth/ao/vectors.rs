//! RFC 9235: whole packets with their traffic keys and MACs. Groups 4 and 6 are HMAC-SHA-1, 5 and 7 AES-128-CMAC; 4 and 5
//! IPv4, 6 and 7 IPv6; x.1 covers options, x.2 does not; x.y.1 to x.y.4 are SYN, SYN-ACK, client's and server's data.

use core::net::{IpAddr, SocketAddr};

use segue_wire::Chunks;
use segue_wire::tcp::{TcpFlags, TcpHeader};

use super::*;
use crate::auth::Covered;

struct Vector {
    name: &'static str,
    client_isn: u32,
    server_isn: u32,
    traffic_key: &'static str,
    mac: &'static str,
    packet: &'static str,
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

impl Vector {
    fn is_from_client(&self) -> bool {
        self.name.ends_with('1') || self.name.ends_with('3')
    }

    fn key(&self) -> AoKey {
        let (client, server) = (61, 84);
        let (send_id, recv_id) = if self.is_from_client() { (client, server) } else { (server, client) };
        AoKey {
            send_id,
            recv_id,
            algorithm: match self.name.as_bytes()[0] {
                b'4' | b'6' => AoAlgorithm::HmacSha1,
                _ => AoAlgorithm::Aes128Cmac,
            },
            mac_len: 12,
            covers_options: self.name.as_bytes()[2] == b'1',
            master: (*b"testvector").into(),
        }
    }
}

/// What the packet is, from its bytes.
struct Parsed {
    source: SocketAddr,
    destination: SocketAddr,
    header: TcpHeader,
    raw: Vec<u8>,
    text: Vec<u8>,
}

fn parse(packet: &[u8]) -> Parsed {
    let address = |from: usize, len: usize| -> IpAddr {
        match len {
            4 => <[u8; 4]>::try_from(&packet[from..from + 4]).unwrap().into(),
            _ => <[u8; 16]>::try_from(&packet[from..from + 16]).unwrap().into(),
        }
    };
    let (at, source, destination) = match packet[0] >> 4 {
        4 => (20, address(12, 4), address(16, 4)),
        _ => (40, address(8, 16), address(24, 16)),
    };
    let (header, _, len) = TcpHeader::parse(&packet[at..]).unwrap();
    Parsed {
        source: SocketAddr::new(source, header.source_port),
        destination: SocketAddr::new(destination, header.destination_port),
        header,
        raw: packet[at..at + len].to_vec(),
        text: packet[at + len..].to_vec(),
    }
}

#[test]
fn every_traffic_key_and_every_mac_of_rfc_9235_comes_out_byte_by_byte() {
    for vector in VECTORS {
        let packet = parse(&bytes(vector.packet));
        let key = vector.key();
        let is_syn = packet.header.flags.contains(TcpFlags::SYN) && !packet.header.flags.contains(TcpFlags::ACK);
        let (source_isn, other) = match vector.is_from_client() {
            true => (vector.client_isn, vector.server_isn),
            false => (vector.server_isn, vector.client_isn),
        };
        let destination_isn = if is_syn { 0 } else { other };
        let (source, destination) = (packet.source, packet.destination);
        let traffic_key = key.traffic_key(&AoContext { source, destination, source_isn, destination_isn });
        assert_eq!(*traffic_key, bytes(vector.traffic_key)[..], "{}", vector.name);
        let at = find_ao_mac(&packet.raw).unwrap();
        assert_eq!(packet.raw[at..at + 12], bytes(vector.mac)[..], "{}", vector.name);
        let rest = Chunks::new();
        let verifies = |raw: &[u8], text: &[u8], sne: u32| {
            let (source, destination) = (source.ip(), destination.ip());
            key.verify(&traffic_key, sne, &Covered { source, destination, header: raw, front: text, rest: &rest }, at)
        };
        assert!(verifies(&packet.raw, &packet.text, 0), "{}", vector.name);
        // Neither another extension nor any other byte of header or text passes, but for the checksum and, where they are
        // not covered, the options.
        assert!(!verifies(&packet.raw, &packet.text, 1));
        for n in 0..packet.raw.len() {
            let mut changed = packet.raw.clone();
            changed[n] ^= 0x10;
            let is_free = (16..18).contains(&n) || (!key.covers_options && n >= 20 && !(at - 4..at + 12).contains(&n));
            // Another data offset would be another header.
            if n != 12 {
                assert_eq!(verifies(&changed, &packet.text, 0), is_free, "{} byte {n}", vector.name);
            }
        }
        if let [first, ..] = packet.text[..] {
            let mut changed = packet.text.clone();
            changed[0] = first ^ 1;
            assert!(!verifies(&packet.raw, &changed, 0));
        }
    }
}

#[test]
fn what_is_signed_here_verifies_and_a_session_knows_the_traffic_keys_of_the_vectors() {
    for vector in VECTORS {
        let packet = parse(&bytes(vector.packet));
        let key = vector.key();
        let isn = |client: bool| if client { vector.client_isn } else { vector.server_isn };
        let (ours, theirs) = (isn(vector.is_from_client()), isn(!vector.is_from_client()));
        let mut sender = AoSession::new(packet.source, packet.destination, ours, &key);
        let is_syn = packet.header.flags.contains(TcpFlags::SYN) && !packet.header.flags.contains(TcpFlags::ACK);
        if !is_syn {
            sender.learn(theirs);
        }
        let (traffic_key, sne) = sender.outgoing(&key, &packet.header);
        assert_eq!((&*traffic_key, sne), (&bytes(vector.traffic_key)[..], 0), "{}", vector.name);
        let (mut header, rest) = (packet.raw.clone(), Chunks::new());
        let room = packet.raw.clone();
        let (source, destination) = (packet.source.ip(), packet.destination.ip());
        let covered = Covered { source, destination, header: &room, front: &packet.text, rest: &rest };
        key.sign(&traffic_key, sne, key.recv_id, &covered, &mut header);
        let peers = AoKey { send_id: key.recv_id, recv_id: key.send_id, ..key.clone() };
        let mut receiver = AoSession::new(packet.destination, packet.source, theirs, &peers);
        let opening = packet.header.flags.contains(TcpFlags::SYN);
        if !opening {
            receiver.learn(ours);
        }
        let at = find_ao_mac(&header).unwrap();
        assert_eq!(at, 24, "the signature stands in front");
        let covered = Covered { header: &header, ..covered };
        assert!(receiver.verify(&peers, &packet.header, &covered, at, opening), "{}", vector.name);
    }
}

const VECTORS: &[Vector] = &[
    Vector {
        name: "4.1.1",
        client_isn: 0xfbfb_ab5a,
        server_isn: 0x11c1_4261,
        traffic_key: "6d63ef1b02fe1509d4b1402707fd7b0416abb74f",
        mac: "2ee437c6f8ede6d7c4d602e7",
        packet: "45e0004cdd0f4000ff06bf6b0a0b0c0dac1b1c1de9d700b3fbfbab5a00000000e002ffffcac40000020405b4010303080402080a00155ab7000000001d103d542ee437c6f8ede6d7c4d602e7",
    },
    Vector {
        name: "4.1.2",
        client_isn: 0xfbfb_ab5a,
        server_isn: 0x11c1_4261,
        traffic_key: "d9e217e4834a80ca2f3fd8de2e41b8e6797fea96",
        mac: "eeab0fe24c3010815116b3be",
        packet: "45e0004c65064000ff063775ac1b1c1d0a0b0c0d00b3e9d711c14261fbfbab5be012ffff37760000020405b4010303080402080a84a50beb00155ab71d10543deeab0fe24c3010815116b3be",
    },
    Vector {
        name: "4.1.3",
        client_isn: 0xfbfb_ab5a,
        server_isn: 0x11c1_4261,
        traffic_key: "d2e59c65ffc7b1a39347656463b70edc24a13d71",
        mac: "7064cf998cc6c315c2c2e2bf",
        packet: "45e0008736a14000ff06659f0a0b0c0dac1b1c1de9d700b3fbfbab5b11c14262c0180104a16200000101080a00155ac184a50beb1d103d547064cf998cc6c315c2c2e2bfffffffffffffffffffffffffffffffff00430104dabf00b40a0b0c0d260206010400010001020280000202020002024200020641040000dabf02084006006400010100",
    },
    Vector {
        name: "4.1.4",
        client_isn: 0xfbfb_ab5a,
        server_isn: 0x11c1_4261,
        traffic_key: "d9e217e4834a80ca2f3fd8de2e41b8e6797fea96",
        mac: "a63f0ecbbb2e635c954deac7",
        packet: "45e000871fa94000ff067c97ac1b1c1d0a0b0c0d00b3e9d711c14262fbfbab9ec0180100400c00000101080a84a50bf500155ac11d10543da63f0ecbbb2e635c954deac7ffffffffffffffffffffffffffffffff00430104dac000b4ac1b1c1d260206010400010001020280000202020002024200020641040000dac002084006006400010100",
    },
    Vector {
        name: "4.2.1",
        client_isn: 0xcb0e_fbee,
        server_isn: 0xacd5_b5e1,
        traffic_key: "30eaa1560cf0be57dab5c045229fb10a423cd7ea",
        mac: "80af3cfeb85368937b8f9ec2",
        packet: "45e0004c53994000ff0648e20a0b0c0dac1b1c1dff1200b3cb0efbee00000000e002ffff541f0000020405b4010303080402080a00024cce000000001d103d5480af3cfeb85368937b8f9ec2",
    },
    Vector {
        name: "4.2.2",
        client_isn: 0xcb0e_fbee,
        server_isn: 0xacd5_b5e1,
        traffic_key: "b5b2896bb3664e8176b0edc6e799524101a8307f",
        mac: "09306f9acea63a8c68cb9a70",
        packet: "45e0004c32844000ff0669f7ac1b1c1d0a0b0c0d00b3ff12acd5b5e1cb0efbefe012ffff388e0000020405b4010303080402080a576772f300024cce1d10543d09306f9acea63a8c68cb9a70",
    },
    Vector {
        name: "4.2.3",
        client_isn: 0xcb0e_fbee,
        server_isn: 0xacd5_b5e1,
        traffic_key: "f3db1793d7910ecd806c34f155ea1f00345953e3",
        mac: "710608cc696c03a271c93aa5",
        packet: "45e00087a8f54000ff06f34a0a0b0c0dac1b1c1dff1200b3cb0efbefacd5b5e2c01801046c4500000101080a00024cce576772f31d103d54710608cc696c03a271c93aa5ffffffffffffffffffffffffffffffff00430104dabf00b40a0b0c0d260206010400010001020280000202020002024200020641040000dabf02084006006400010100",
    },
    Vector {
        name: "4.2.4",
        client_isn: 0xcb0e_fbee,
        server_isn: 0xacd5_b5e1,
        traffic_key: "b5b2896bb3664e8176b0edc6e799524101a8307f",
        mac: "97766e48ac262de9ae61b4f9",
        packet: "45e0008754374000ff064809ac1b1c1d0a0b0c0d00b3ff12acd5b5e2cb0efc32c018010046b600000101080a576772f300024cce1d10543d97766e48ac262de9ae61b4f9ffffffffffffffffffffffffffffffff00430104dac000b4ac1b1c1d260206010400010001020280000202020002024200020641040000dac002084006006400010100",
    },
    Vector {
        name: "5.1.1",
        client_isn: 0x787a_1ddf,
        server_isn: 0xfadd_6de9,
        traffic_key: "f5b8b3d5f34fdbb6eb8d4ab9660e60e3",
        mac: "e477e99c8040765498e55091",
        packet: "45e0004c7b9f4000ff0620dc0a0b0c0dac1b1c1dc4fa00b3787a1ddf00000000e002ffff5a0f0000020405b4010303080402080a00017ed0000000001d103d54e477e99c8040765498e55091",
    },
    Vector {
        name: "5.1.2",
        client_isn: 0x787a_1ddf,
        server_isn: 0xfadd_6de9,
        traffic_key: "4bc7571a486f3264bbd888474066b4b1",
        mac: "d6ada7bc4cdd536d1769db5f",
        packet: "45e0004c4bad4000ff0650ceac1b1c1d0a0b0c0d00b3c4fafadd6de9787a1de0e012fffff3f20000020405b4010303080402080a93f4e9e800017ed01d10543dd6ada7bc4cdd536d1769db5f",
    },
    Vector {
        name: "5.1.3",
        client_isn: 0x787a_1ddf,
        server_isn: 0xfadd_6de9,
        traffic_key: "8c8ae0e8371ec5cbb97ea79d90418391",
        mac: "77412742fa4dc433eff0973e",
        packet: "45e00087fb4f4000ff06a0f00a0b0c0dac1b1c1dc4fa00b3787a1de0fadd6deac0180104950500000101080a00017ed093f4e9e81d103d5477412742fa4dc433eff0973effffffffffffffffffffffffffffffff00430104dabf00b40a0b0c0d260206010400010001020280000202020002024200020641040000dabf02084006006400010100",
    },
    Vector {
        name: "5.1.4",
        client_isn: 0x787a_1ddf,
        server_isn: 0xfadd_6de9,
        traffic_key: "4bc7571a486f3264bbd888474066b4b1",
        mac: "f6d965a78382a74845f72dac",
        packet: "45e00087b9144000ff06e32bac1b1c1d0a0b0c0d00b3c4fafadd6dea787a1e23c0180100e7db00000101080a93f4e9e800017ed01d10543df6d965a78382a74845f72dacffffffffffffffffffffffffffffffff00430104dac000b4ac1b1c1d260206010400010001020280000202020002024200020641040000dac002084006006400010100",
    },
    Vector {
        name: "5.2.1",
        client_isn: 0x389b_ed71,
        server_isn: 0xd384_4a6f,
        traffic_key: "2cdbae1392c49449fa92c4509735d50e",
        mac: "c44e60cb31f7c0b1de3d2749",
        packet: "45e0004cf22e4000ff06aa4c0a0b0c0dac1b1c1dda1c00b3389bed7100000000e002ffff70bf0000020405b4010303080402080a000185e1000000001d103d54c44e60cb31f7c0b1de3d2749",
    },
    Vector {
        name: "5.2.2",
        client_isn: 0x389b_ed71,
        server_isn: 0xd384_4a6f,
        traffic_key: "3ce67a551869506b6347b633c50a624a",
        mac: "3a6abb207e49b1be7136db90",
        packet: "45e0004c6cc04000ff062fbbac1b1c1d0a0b0c0d00b3da1cd3844a6f389bed72e012ffffe4450000020405b4010303080402080ace459838000185e11d10543d3a6abb207e49b1be7136db90",
    },
    Vector {
        name: "5.2.3",
        client_isn: 0x389b_ed71,
        server_isn: 0xd384_4a6f,
        traffic_key: "035bc400a341ffe595f59f58005006ca",
        mac: "7585e9e9d5c3ec857b96f837",
        packet: "45e00087ee914000ff06adae0a0b0c0dac1b1c1dda1c00b3389bed72d3844a70c0180104885100000101080a000185e1ce4598381d103d547585e9e9d5c3ec857b96f837ffffffffffffffffffffffffffffffff00430104dabf00b40a0b0c0d260206010400010001020280000202020002024200020641040000dabf02084006006400010100",
    },
    Vector {
        name: "5.2.4",
        client_isn: 0x389b_ed71,
        server_isn: 0xd384_4a6f,
        traffic_key: "3ce67a551869506b6347b633c50a624a",
        mac: "5c040fd9233304765c0982f4",
        packet: "45e000876a214000ff06321fac1b1c1d0a0b0c0d00b3da1cd3844a70389bed72c0180100044900000101080ace459838000185e11d10543d5c040fd9233304765c0982f4ffffffffffffffffffffffffffffffff00430104dac000b4ac1b1c1d260206010400010001020280000202020002024200020641040000dac002084006006400010100",
    },
    Vector {
        name: "6.1.1",
        client_isn: 0x176a_833f,
        server_isn: 0x3f51_994b,
        traffic_key: "625ec09d575836edc9b6428418bbf06989a361bb",
        mac: "9033ec3d7334b64c5edd039f",
        packet: "6e0891dc00380640fd000000000000000000000000000001fd000000000000000000000000000002f7e400b3176a833f00000000e002ffff47210000020405a0010303080402080a0041d087000000001d103d549033ec3d7334b64c5edd039f",
    },
    Vector {
        name: "6.1.2",
        client_isn: 0x176a_833f,
        server_isn: 0x3f51_994b,
        traffic_key: "e4a37ada2a0afca8711434913fe138c771ebcb4a",
        mac: "f1cba346c3526163f71f1f55",
        packet: "6e01009e00380640fd000000000000000000000000000002fd00000000000000000000000000000100b3f7e43f51994b176a8340e012ffffbfec0000020405a0010303080402080abd33129b0041d0871d10543df1cba346c3526163f71f1f55",
    },
    Vector {
        name: "6.1.3",
        client_isn: 0x176a_833f,
        server_isn: 0x3f51_994b,
        traffic_key: "1ed82975f4ea444c61580c5bd90dbd61bbc91b7e",
        mac: "bf0805feb4ac7b163d6fcdf2",
        packet: "6e0891dc00730640fd000000000000000000000000000001fd000000000000000000000000000002f7e400b3176a83403f51994cc0180100329c00000101080a0041d091bd33129b1d103d54bf0805feb4ac7b163d6fcdf2ffffffffffffffffffffffffffffffff00430104fde800b401010179260206010400010001020280000202020002024200020641040000fde802084006006400010100",
    },
    Vector {
        name: "6.1.4",
        client_isn: 0x176a_833f,
        server_isn: 0x3f51_994b,
        traffic_key: "e4a37ada2a0afca8711434913fe138c771ebcb4a",
        mac: "6c48125c11335bab9a07a797",
        packet: "6e01009e00730640fd000000000000000000000000000002fd00000000000000000000000000000100b3f7e43f51994c176a8383c0180100ee6e00000101080abd3312a50041d0911d10543d6c48125c11335bab9a07a797ffffffffffffffffffffffffffffffff00430104fde800b40101017a260206010400010001020280000202020002024200020641040000fde802084006006400010100",
    },
    Vector {
        name: "6.2.1",
        client_isn: 0x020c_1e69,
        server_isn: 0xeba3_734d,
        traffic_key: "31a3faf69effae52931b7f845467315c270a4edc",
        mac: "885698b0530ed4d5a15f8346",
        packet: "6e078fcd00380640fd000000000000000000000000000001fd000000000000000000000000000002c6cd00b3020c1e6900000000e002ffffa41a0000020405a0010303080402080a009db95b000000001d103d54885698b0530ed4d5a15f8346",
    },
    Vector {
        name: "6.2.2",
        client_isn: 0x020c_1e69,
        server_isn: 0xeba3_734d,
        traffic_key: "405108947f996575e7bdbc26d40216a2c7fa91bd",
        mac: "3c546bad9743f12df8b8010d",
        packet: "6e0a7e1f00380640fd000000000000000000000000000002fd00000000000000000000000000000100b3c6cdeba3734d020c1e6ae012ffff774d0000020405a0010303080402080a5ec99b70009db95b1d10543d3c546bad9743f12df8b8010d",
    },
    Vector {
        name: "6.2.3",
        client_isn: 0x020c_1e69,
        server_isn: 0xeba3_734d,
        traffic_key: "b34eed6a9396a669f1c4f4f57618f3656f52c7ab",
        mac: "48bd093b1924e001192f5bf0",
        packet: "6e078fcd00730640fd000000000000000000000000000001fd000000000000000000000000000002c6cd00b3020c1e6aeba3734ec018010083e600000101080a009db9655ec99b701d103d5448bd093b1924e001192f5bf0ffffffffffffffffffffffffffffffff00430104fde800b401010179260206010400010001020280000202020002024200020641040000fde802084006006400010100",
    },
    Vector {
        name: "6.2.4",
        client_isn: 0x020c_1e69,
        server_isn: 0xeba3_734d,
        traffic_key: "405108947f996575e7bdbc26d40216a2c7fa91bd",
        mac: "559a819445b4fde98d9e1317",
        packet: "6e0a7e1f00730640fd000000000000000000000000000002fd00000000000000000000000000000100b3c6cdeba3734e020c1eadc0180100716a00000101080a5ec99b7a009db9651d10543d559a819445b4fde98d9e1317ffffffffffffffffffffffffffffffff00430104fde800b40101017a260206010400010001020280000202020002024200020641040000fde802084006006400010100",
    },
    Vector {
        name: "7.1.1",
        client_isn: 0x193c_ccec,
        server_isn: 0xa674_4ecb,
        traffic_key: "fa5a2108882d39d0c71929175ab1b7b8",
        mac: "59b588107481ac6dc3927040",
        packet: "6e04a70600380640fd000000000000000000000000000001fd000000000000000000000000000002f85a00b3193cccec00000000e002ffffde5d0000020405a0010303080402080a13e4ab99000000001d103d5459b588107481ac6dc3927040",
    },
    Vector {
        name: "7.1.2",
        client_isn: 0x193c_ccec,
        server_isn: 0xa674_4ecb,
        traffic_key: "cf1b1e225e06a63616764a067b46f4b1",
        mac: "dc2843a84e78a6bcfdc5ed80",
        packet: "6e06152000380640fd000000000000000000000000000002fd00000000000000000000000000000100b3f85aa6744ecb193cccede012ffffeabb0000020405a0010303080402080a71daabc813e4ab991d10543ddc2843a84e78a6bcfdc5ed80",
    },
    Vector {
        name: "7.1.3",
        client_isn: 0x193c_ccec,
        server_isn: 0xa674_4ecb,
        traffic_key: "6174c3557abed27574dba37185f00300",
        mac: "7b6a455c0d4f5f01835baab3",
        packet: "6e04a70600730640fd000000000000000000000000000001fd000000000000000000000000000002f85a00b3193ccceda6744eccc0180100328000000101080a13e4aba371daabc81d103d547b6a455c0d4f5f01835baab3ffffffffffffffffffffffffffffffff00430104fde800b401010179260206010400010001020280000202020002024200020641040000fde802084006006400010100",
    },
    Vector {
        name: "7.1.4",
        client_isn: 0x193c_ccec,
        server_isn: 0xa674_4ecb,
        traffic_key: "cf1b1e225e06a63616764a067b46f4b1",
        mac: "c1069b7dfd3d693a6df3f289",
        packet: "6e06152000730640fd000000000000000000000000000002fd00000000000000000000000000000100b3f85aa6744ecc193ccd30c018010052f400000101080a71daabd313e4aba31d10543dc1069b7dfd3d693a6df3f289ffffffffffffffffffffffffffffffff00430104fde800b40101017a260206010400010001020280000202020002024200020641040000fde802084006006400010100",
    },
    Vector {
        name: "7.2.1",
        client_isn: 0xb01d_a74a,
        server_isn: 0xa624_6145,
        traffic_key: "a94f511263e4093d35dd818c13bbbf53",
        mac: "3d45b4342de8bb1530847898",
        packet: "6e093d7600380640fd000000000000000000000000000001fd000000000000000000000000000002f28800b3b01da74a00000000e002ffff75ff0000020405a0010303080402080a14275b3b000000001d103d543d45b4342de8bb1530847898",
    },
    Vector {
        name: "7.2.2",
        client_isn: 0xb01d_a74a,
        server_isn: 0xa624_6145,
        traffic_key: "92dea5bbc78b1d9f5b2952e9cd30642a",
        mac: "1d01f6c87c6f93acffa9d4b5",
        packet: "6e0c600a00380640fd000000000000000000000000000002fd00000000000000000000000000000100b3f288a6246145b01da74be012ffffa70c0000020405a0010303080402080a1782245b14275b3b1d10543d1d01f6c87c6f93acffa9d4b5",
    },
    Vector {
        name: "7.2.3",
        client_isn: 0xb01d_a74a,
        server_isn: 0xa624_6145,
        traffic_key: "4fb2086e402c679079ed65d4bf97693d",
        mac: "290cf414ccb47a333276e7f8",
        packet: "6e093d7600730640fd000000000000000000000000000001fd000000000000000000000000000002f28800b3b01da74ba6246146c0180100c36d00000101080a14275b4f1782245b1d103d54290cf414ccb47a333276e7f8ffffffffffffffffffffffffffffffff00430104fde800b401010179260206010400010001020280000202020002024200020641040000fde802084006006400010100",
    },
    Vector {
        name: "7.2.4",
        client_isn: 0xb01d_a74a,
        server_isn: 0xa624_6145,
        traffic_key: "92dea5bbc78b1d9f5b2952e9cd30642a",
        mac: "99515ffcd5403499f619fd1b",
        packet: "6e0c600a00730640fd000000000000000000000000000002fd00000000000000000000000000000100b3f288a6246146b01da78ec0180100345100000101080a1782246514275b4f1d10543d99515ffcd5403499f619fd1bffffffffffffffffffffffffffffffff00430104fde800b40101017a260206010400010001020280000202020002024200020641040000fde802084006006400010100",
    },
];
