//! Segment cutting: no byte lost, doubled or moved, every piece under the limit and with a checksum that fits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_wire::{
    Bytes, ChecksumState, Chunks, IpView, Packet, Protocol, Segmentation, SegmentationKind, TcpHeader, checksum, format,
};

fuzz_target!(|input: (u16, u8, u16, u16, Vec<u8>)| {
    let (size, choice, start, split, bytes) = input;
    let kind = [SegmentationKind::Tcp, SegmentationKind::TcpAccEcn, SegmentationKind::Udp][usize::from(choice) % 3];
    let checksum = match choice >> 2 & 3 {
        0 => ChecksumState::Complete,
        1 => ChecksumState::Verified,
        _ => ChecksumState::Partial { start: start >> 6, field: start & 63 },
    };
    let segmentation = (choice & 0x80 == 0).then_some(Segmentation { size, kind });
    let split = usize::from(split).min(bytes.len());
    let (front, back) = bytes.split_at(split);
    let whole = Packet::from_headers(front, Chunks::from(Bytes::copy_from_slice(back)), checksum, segmentation);
    assert_eq!(whole.to_vec(), bytes);
    let _ = format::line(&whole).to_string();
    let count = whole.wire_packets();
    let pieces: Vec<Packet> = whole.clone().segments().collect();
    assert_eq!(pieces.len(), count);
    if count == 1 {
        assert_eq!(pieces[0].len(), whole.len());
        return;
    }
    check_pieces(&whole, &pieces, usize::from(size));
});

/// More than one piece: the headers were read, so the pieces must make up the whole.
fn check_pieces(whole: &Packet, pieces: &[Packet], size: usize) {
    let total = whole.len();
    let mut payload = Vec::new();
    let mut next_sequence = None;
    for (index, piece) in pieces.iter().enumerate() {
        assert_eq!((piece.segmentation, piece.checksum), (None, ChecksumState::Complete));
        let Ok(view) = IpView::parse(piece) else { panic!("piece {index} has a broken IP header") };
        assert_eq!(view.length, piece.len());
        let header_len = match view.protocol {
            Protocol::TCP => {
                let (header, _, len) = TcpHeader::parse(&piece.head()[view.transport..]).expect("a TCP header");
                let here = view.transport_len() - len;
                assert!(next_sequence.is_none_or(|next| next == header.sequence), "overlap or gap at {index}");
                next_sequence = Some(header.sequence.wrapping_add(here as u32));
                len
            }
            _ => 8,
        };
        let data = piece.clone().into_payload(view.transport + header_len).to_vec();
        assert!(!data.is_empty() && data.len() <= size);
        assert!(index + 1 == pieces.len() || data.len() == size);
        if matches!(whole.checksum, ChecksumState::Verified) {
            let mut sum = checksum::pseudo_header(view.source, view.destination, view.protocol, view.transport_len())
                .expect("one version");
            sum.add_slice(&piece.to_vec()[view.transport..]);
            let without = view.protocol == Protocol::UDP && piece.head()[view.transport + 6..][..2] == [0, 0];
            assert!(without || sum.is_valid(), "piece {index} has a wrong checksum");
        }
        payload.extend(data);
    }
    let whole = whole.to_vec();
    assert_eq!(whole[total - payload.len()..], payload[..]);
}
