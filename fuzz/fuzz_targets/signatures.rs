//! Signed segments: whatever a header says, finding and verifying its signature ends, and only what was signed verifies.
#![no_main]

use core::net::SocketAddr;

use libfuzzer_sys::fuzz_target;
use segue_tcp::{AoAlgorithm, AoKey, AoSession, Chunks, Covered, TcpHeader, TcpOptions, find_ao_mac, md5_matches};

fuzz_target!(|input: (bool, bool, u8, u32, Vec<u8>)| {
    let (is_sha1, covers_options, mac_len, isn, segment) = input;
    let Ok((header, options, len)) = TcpHeader::parse(&segment) else { return };
    let options = TcpOptions::parse(options);
    let local: SocketAddr = "10.0.0.1:179".parse().unwrap();
    let peer: SocketAddr = "10.0.0.2:40000".parse().unwrap();
    let (raw, text) = segment.split_at(len);
    let rest = Chunks::new();
    let covered = Covered { source: peer.ip(), destination: local.ip(), header: raw, front: text, rest: &rest };
    if let Some(digest) = &options.md5 {
        let _ = md5_matches(&covered, b"secret", digest);
    }
    let key = AoKey {
        send_id: 1,
        recv_id: 2,
        algorithm: if is_sha1 { AoAlgorithm::HmacSha1 } else { AoAlgorithm::Aes128Cmac },
        mac_len: mac_len % 16 + 1,
        covers_options,
        master: (*b"secret")[..].into(),
    };
    let mut session = AoSession::new(local, peer, isn, &key);
    if let Some(at) = find_ao_mac(raw) {
        let _ = session.verify(&key, &header, &covered, at, true);
        let _ = session.verify(&key, &header, &covered, at, false);
    }
    // What is signed verifies at the other end, whatever else the header says.
    let room = key.option_len();
    if raw.len() < 20 + room {
        return;
    }
    let mut sender = AoSession::new(peer, local, header.sequence, &key);
    sender.learn(isn);
    let mut receiver = AoSession::new(local, peer, isn, &key);
    receiver.learn(header.sequence);
    let (traffic_key, sne) = sender.outgoing(&key, &header);
    let mut signed = raw.to_vec();
    key.sign(&traffic_key, sne, 2, &covered, &mut signed);
    let at = find_ao_mac(&signed).expect("it was put there");
    assert!(receiver.verify(&key, &header, &Covered { header: &signed, ..covered }, at, false));
    signed[at] ^= 1;
    assert!(!receiver.verify(&key, &header, &Covered { header: &signed, ..covered }, at, false));
});
