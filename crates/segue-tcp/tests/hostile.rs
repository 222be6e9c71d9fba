//! What a peer cannot do by sending odd but acceptable segments: pin memory, grow queues, blind us to loss.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::peer::*;
use segue_tcp::*;
use segue_wire::Bytes;

/// ESTABLISHED with window scaling, no timestamps; gives our shift, too.
fn scaled(config: Config) -> (Peer, u8) {
    let mut peer = Peer::syn_sent(Config { timestamps: Timestamping::Off, ..config }, SocketOptions::default());
    let mut syn_ack = peer.bare();
    syn_ack.flags |= TcpFlags::SYN;
    syn_ack.options.mss = Some(1_460);
    syn_ack.options.window_scale = Some(7);
    peer.inject(syn_ack);
    peer.seq = IRS.wrapping_add(1);
    assert_eq!(peer.sent().len(), 1);
    let shift = peer.connection.info(peer.now).rcv_wscale;
    assert!(shift > 0);
    (peer, shift)
}

// RFC 5681 section 2 (e): a duplicate acknowledgment has the window of the one before, or its
// receiver does not count it.
#[test]
fn duplicates_repeat_the_window_while_the_window_is_growing() {
    let (mut peer, _) = scaled(Config::default());
    for _ in 0..3 {
        let first = peer.text(1_460);
        peer.inject(first);
    }
    let last = peer.sent().last().map(|ack| ack.header.window).expect("an acknowledgment");
    peer.seq = peer.seq.wrapping_add(1_460);
    for count in 1..=20 {
        let behind = peer.text(1_460);
        peer.inject(behind);
        let sent = peer.sent();
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].header.window, last, "duplicate {count}");
    }
}

// RFC 7323 section 2.4: the window is told in steps and its right edge does not move left, so it is
// rounded up. A sender of segments smaller than a step must not live on the rounding for ever.
#[test]
fn a_sender_that_stays_below_the_windows_step_is_held_by_the_buffer_all_the_same() {
    // It grows with what it must hold, as far as it may.
    let config = Config { rmem: [4_096, 131_072, 1 << 21], ..Config::default() };
    let (mut peer, shift) = scaled(config);
    let mut left = 64_240usize;
    let mut taken = 0;
    for _ in 0..10_000 {
        let len = left.min((1 << shift) - 1);
        if len == 0 {
            break;
        }
        let text = peer.text(len);
        if peer.inject(text).drop.is_some() {
            // Not taken: it is sent again later.
            peer.seq = peer.seq.wrapping_sub(len as u32);
        } else {
            taken += len;
        }
        peer.pass(std::time::Duration::from_millis(250));
        let ack = peer.connection.info(peer.now);
        left = ack.rcv_wnd as usize;
    }
    assert!(taken >= 60_000, "{taken} bytes");
    assert!(peer.connection.memory() <= (1 << 21) + 2_304, "{} bytes held", peer.connection.memory());
    // And it goes on when the reader comes back.
    assert_eq!(peer.read().map(|data| data.len()), Ok(taken));
    let text = peer.text(500);
    assert_eq!(peer.inject(text).drop, None);
}

/// A buffer that tells when it is freed.
struct Counted(Vec<u8>, Arc<AtomicUsize>);

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_sub(self.0.len(), Ordering::Relaxed);
    }
}

/// Super-segments of `len` bytes, each beginning `step` bytes after the one before.
fn overlapping(peer: &mut Peer, count: u32, len: usize, step: u32, first: u32) -> usize {
    let pinned = Arc::new(AtomicUsize::new(0));
    let start = peer.seq;
    for i in 0..count {
        let mut text = peer.bare();
        text.sequence = start.wrapping_add(first + i * step);
        pinned.fetch_add(len, Ordering::Relaxed);
        let mut segment = text.segment();
        segment.payload = Chunks::from(Bytes::from_owner(Counted(vec![1; len], pinned.clone())));
        segment.segment_size = 1_460;
        let _ = peer.connection.on_segment(peer.now, segment);
        peer.sent();
    }
    pinned.load(Ordering::Relaxed)
}

#[test]
fn segments_that_overlap_do_not_pin_more_than_the_buffer() {
    let (mut peer, _) = scaled(Config::default());
    // In order: of each 30000 bytes only 600 are new.
    let pinned = overlapping(&mut peer, 50, 30_000, 600, 0);
    assert!(peer.connection.unread() > 50_000);
    assert!(pinned <= 2 * 131_072, "{pinned} bytes pinned for {}", peer.connection.unread());
    // Out of order: the same behind a hole.
    let (mut peer, _) = scaled(Config::default());
    let pinned = overlapping(&mut peer, 50, 30_000, 600, 1);
    assert_eq!(peer.connection.unread(), 0);
    assert!(pinned <= 2 * 131_072, "{pinned} bytes pinned");
}

#[test]
fn text_cut_at_the_windows_edge_does_not_pin_what_was_cut_off() {
    let (mut peer, _) = scaled(Config::default());
    // 700 bytes fit, then 60000 lie beyond the edge.
    let most = 64_240 - 700;
    let text = peer.text(most);
    peer.inject(text);
    let edge = {
        let sent = peer.sent();
        let ack = &sent.last().expect("an acknowledgment").header;
        u32::from(ack.window) << peer.connection.info(peer.now).rcv_wscale
    };
    let hole = edge.saturating_sub(700);
    let pinned = overlapping(&mut peer, 1, 60_000, 0, hole);
    assert!(pinned <= 2_000, "{pinned} bytes pinned for 700");
}
