//! Where the bytes come from and where they go: seeded data with a hash on either side.
use bytes::{Buf, Bytes};
use segue_stack::Chunks;
use sha2::{Digest, Sha256};

use crate::tap::hex;

/// Bytes handed to a socket at once.
const CHUNK: u64 = 65_536;

/// Seeded bytes for one direction.
#[derive(Debug)]
pub(super) struct Source {
    state: u64,
    unmade: u64,
    /// Made, hashed and not yet taken by the socket.
    ready: Bytes,
    sent: u64,
    hash: Sha256,
}

impl Source {
    pub(super) fn new(seed: u64, total: u64) -> Self {
        Source { state: seed, unmade: total, ready: Bytes::new(), sent: 0, hash: Sha256::new() }
    }

    /// What the socket is to take next; empty at the end.
    pub(super) fn next(&mut self) -> Bytes {
        if self.ready.is_empty() && self.unmade > 0 {
            let length = self.unmade.min(CHUNK);
            self.unmade -= length;
            self.ready = self.make(length as usize);
            self.hash.update(&self.ready);
        }
        self.ready.clone()
    }

    /// The socket has taken this many bytes of what [`next`](Self::next) gave.
    pub(super) fn took(&mut self, n: usize) {
        self.ready.advance(n.min(self.ready.len()));
        self.sent += n as u64;
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    pub(super) fn sha256(&self) -> String {
        hex(&self.hash.clone().finalize())
    }

    fn make(&mut self, length: usize) -> Bytes {
        let mut bytes = Vec::with_capacity(length.next_multiple_of(8));
        while bytes.len() < length {
            bytes.extend_from_slice(&self.next_u64().to_le_bytes());
        }
        bytes.truncate(length);
        Bytes::from(bytes)
    }

    /// SplitMix64: no two places of the stream look alike, so a shifted or repeated piece changes the hash.
    fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// What a receiver has read.
#[derive(Debug, Default)]
pub(super) struct Sink {
    received: u64,
    hash: Sha256,
}

impl Sink {
    pub(super) fn take(&mut self, chunks: &Chunks) {
        self.received += chunks.len() as u64;
        for chunk in chunks.iter() {
            self.hash.update(chunk);
        }
    }

    pub(super) fn received(&self) -> u64 {
        self.received
    }

    pub(super) fn sha256(&self) -> String {
        hex(&self.hash.clone().finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes everything, `step` bytes at a time, and gives it to a sink.
    fn drain(source: &mut Source, step: usize) -> Sink {
        let mut sink = Sink::default();
        loop {
            let bytes = source.next();
            if bytes.is_empty() {
                return sink;
            }
            let n = bytes.len().min(step);
            sink.take(&Chunks::from(bytes.slice(..n)));
            source.took(n);
        }
    }

    #[test]
    fn the_hash_of_the_sink_is_that_of_the_source_however_the_bytes_were_taken() {
        let mut whole = Source::new(1, 200_001);
        let mut pieces = Source::new(1, 200_001);
        let (a, b) = (drain(&mut whole, usize::MAX), drain(&mut pieces, 977));
        assert_eq!((a.received(), b.received()), (200_001, 200_001));
        assert_eq!((whole.sent(), pieces.sent()), (200_001, 200_001));
        assert_eq!(a.sha256(), whole.sha256());
        assert_eq!(a.sha256(), b.sha256());
    }

    #[test]
    fn another_seed_or_one_byte_less_is_another_hash() {
        let hash = |seed, total| drain(&mut Source::new(seed, total), 4096).sha256();
        assert_ne!(hash(1, 1000), hash(2, 1000));
        assert_ne!(hash(1, 1000), hash(1, 999));
    }

    #[test]
    fn a_sink_that_gets_the_same_bytes_in_another_order_has_another_hash() {
        let mut source = Source::new(3, 16);
        let bytes = source.next();
        let (mut right, mut wrong) = (Sink::default(), Sink::default());
        right.take(&Chunks::from(bytes.clone()));
        wrong.take(&Chunks::from(bytes.slice(8..)));
        wrong.take(&Chunks::from(bytes.slice(..8)));
        assert_eq!(right.sha256(), source.sha256());
        assert_ne!(wrong.sha256(), source.sha256());
    }
}
