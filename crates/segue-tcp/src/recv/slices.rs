//! Received bytes as slices, each with the memory it pins.
//!
//! Decides copy-break and accounting: a short piece is copied into a compact block of its
//! own, so that a few bytes never pin a large buffer; a longer one is kept as it came.
//! Charged is what stays allocated until the slice is gone, not what is left to read of it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use segue_wire::Chunks;

/// Pieces shorter than this are copied.
pub(crate) const COPY_BREAK: usize = 512;
/// What a slice costs beside its bytes: its entry, the buffer's header and the packet
/// headers in front of it.
const OVERHEAD: u32 = 192;
/// Compact blocks grow up to this.
const BLOCK: usize = 4096;

/// A slice of the stream.
#[derive(Clone, Debug)]
pub(crate) struct Slice {
    pub(crate) bytes: Bytes,
    /// Bytes of memory it pins.
    pub(crate) charge: u32,
}

impl Slice {
    /// Keeps `bytes` as they are.
    pub(crate) fn keep(bytes: Bytes) -> Slice {
        let charge = bytes.len() as u32 + OVERHEAD;
        Slice { bytes, charge }
    }
}

/// Memory that `chunks` would pin if every slice were kept.
pub(crate) fn charge_of(chunks: &Chunks) -> usize {
    chunks.len() + chunks.slices() * OVERHEAD as usize
}

/// What is left of a payload of `whole` bytes: copied when that is less than half, lest it pin the rest.
pub(crate) fn compact(rest: Chunks, whole: usize) -> Chunks {
    if rest.len() * 2 >= whole { rest } else { Chunks::from(Bytes::from(rest.to_vec())) }
}

/// A contiguous stretch of the stream. Empty it owns no memory.
#[derive(Debug, Default)]
pub(crate) struct Stretch(Option<Box<Held>>);

#[derive(Debug, Default)]
struct Held {
    slices: VecDeque<Slice>,
    /// Short pieces gather here; follows `slices`.
    block: BytesMut,
    len: usize,
    charge: usize,
}

impl Stretch {
    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |held| held.len)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Bytes of memory pinned.
    pub(crate) fn charge(&self) -> usize {
        self.0.as_ref().map_or(0, |held| held.charge)
    }

    /// Appends `bytes`.
    pub(crate) fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.0.get_or_insert_default().push(bytes);
        }
    }

    /// Appends another stretch; the cost is that of the smaller one.
    pub(crate) fn append(&mut self, other: Stretch) {
        let Some(other) = other.0 else { return };
        match &mut self.0 {
            Some(held) => held.append(*other),
            None => self.0 = Some(other),
        }
    }

    /// Takes up to `max` bytes from the front without copying, through `take`.
    pub(crate) fn take(&mut self, max: usize, take: impl FnMut(Bytes)) -> usize {
        let taken = self.0.as_mut().map_or(0, |held| held.take(max, take));
        self.consumed(taken)
    }

    /// Copies into `out` and consumes.
    pub(crate) fn read(&mut self, out: &mut [u8]) -> usize {
        let read = self.0.as_mut().map_or(0, |held| held.read(out));
        self.consumed(read)
    }

    fn consumed(&mut self, n: usize) -> usize {
        if self.0.as_ref().is_some_and(|held| held.len == 0) {
            self.0 = None;
        }
        n
    }

    /// Drops `n` bytes from the front.
    pub(crate) fn skip(&mut self, n: usize) {
        self.take(n, drop);
    }

    /// Copies from `offset` on, consuming nothing.
    pub(crate) fn peek(&self, offset: usize, out: &mut [u8]) -> usize {
        self.0.as_ref().map_or(0, |held| held.peek(offset, out))
    }
}

impl Held {
    fn push(&mut self, bytes: Bytes) {
        self.len += bytes.len();
        if bytes.len() < COPY_BREAK {
            self.copy_in(&bytes);
        } else {
            self.seal();
            let slice = Slice::keep(bytes);
            self.charge += slice.charge as usize;
            self.slices.push_back(slice);
        }
    }

    fn copy_in(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = self.block.capacity() - self.block.len();
            if room == 0 {
                let size = (self.block.capacity() * 2).max(bytes.len().next_power_of_two()).clamp(64, BLOCK);
                self.seal();
                self.block = BytesMut::with_capacity(size);
                self.charge += self.block.capacity() + OVERHEAD as usize;
            }
            let n = bytes.len().min(self.block.capacity() - self.block.len());
            self.block.extend_from_slice(&bytes[..n]);
            bytes = &bytes[n..];
        }
    }

    /// Makes the block a slice like the others.
    fn seal(&mut self) {
        if self.block.capacity() == 0 {
            return;
        }
        let block = core::mem::take(&mut self.block);
        let charge = block.capacity() as u32 + OVERHEAD;
        if block.is_empty() {
            self.charge -= charge as usize;
        } else {
            self.slices.push_back(Slice { bytes: block.freeze(), charge });
        }
    }

    fn append(&mut self, mut other: Held) {
        self.seal();
        other.seal();
        self.len += other.len;
        self.charge += other.charge;
        if self.slices.len() >= other.slices.len() {
            self.slices.append(&mut other.slices);
        } else {
            while let Some(slice) = self.slices.pop_back() {
                other.slices.push_front(slice);
            }
            self.slices = other.slices;
        }
    }

    fn take(&mut self, max: usize, mut take: impl FnMut(Bytes)) -> usize {
        let taken = max.min(self.len);
        let mut left = taken;
        if self.len - self.block.len() < left {
            self.seal();
        }
        self.len -= taken;
        while left > 0 {
            let Some(slice) = self.slices.front_mut() else { break };
            if slice.bytes.len() > left {
                take(slice.bytes.split_to(left));
                break;
            }
            left -= slice.bytes.len();
            if let Some(slice) = self.slices.pop_front() {
                self.charge -= slice.charge as usize;
                take(slice.bytes);
            }
        }
        taken
    }

    fn read(&mut self, out: &mut [u8]) -> usize {
        let wanted = out.len().min(self.len);
        self.len -= wanted;
        let mut at = 0;
        while at < wanted {
            let Some(slice) = self.slices.front_mut() else { break };
            let n = slice.bytes.len().min(wanted - at);
            out[at..at + n].copy_from_slice(&slice.bytes[..n]);
            at += n;
            if n == slice.bytes.len() {
                self.charge -= slice.charge as usize;
                self.slices.pop_front();
            } else {
                bytes::Buf::advance(&mut slice.bytes, n);
            }
        }
        if at < wanted {
            // The rest stands in the block.
            let n = wanted - at;
            out[at..wanted].copy_from_slice(&self.block[..n]);
            let before = self.block.capacity();
            bytes::Buf::advance(&mut self.block, n);
            self.charge -= before - self.block.capacity();
        }
        wanted
    }

    fn peek(&self, offset: usize, out: &mut [u8]) -> usize {
        let mut skip = offset;
        let mut at = 0;
        let parts = self.slices.iter().map(|slice| slice.bytes.as_ref()).chain(core::iter::once(self.block.as_ref()));
        for part in parts {
            if skip >= part.len() {
                skip -= part.len();
                continue;
            }
            let n = (part.len() - skip).min(out.len() - at);
            out[at..at + n].copy_from_slice(&part[skip..skip + n]);
            at += n;
            skip = 0;
            if at == out.len() {
                break;
            }
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    #[test]
    fn short_pieces_share_a_block_and_long_ones_are_kept() {
        let mut stretch = Stretch::default();
        for i in 0..1_000u32 {
            stretch.push(Bytes::copy_from_slice(&[i as u8]));
        }
        assert!(stretch.charge() < 1_000 * 4, "{} bytes pinned for 1000", stretch.charge());
        let long = Bytes::from(vec![7; 1_448]);
        let address = long.as_ptr();
        stretch.push(long);
        stretch.skip(1_000);
        let mut kept = Vec::new();
        stretch.take(10, |bytes| kept.push(bytes));
        assert_eq!(kept[0].as_ptr(), address);
        // Ten bytes are gone, the buffer is not.
        assert_eq!(stretch.charge(), 1_448 + OVERHEAD as usize);
        stretch.skip(1_438);
        assert_eq!((stretch.len(), stretch.charge()), (0, 0));
    }

    #[test]
    fn reading_taking_and_peeking_give_the_same_bytes() {
        let data: Vec<u8> = (0..20_000u32).map(|i| (i * 7 % 253) as u8).collect();
        for seed in 1..30u64 {
            let mut random = seed;
            let mut next = |bound: usize| {
                random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (random >> 33) as usize % bound
            };
            let (mut stretch, mut at, mut got) = (Stretch::default(), 0, Vec::new());
            while got.len() < data.len() {
                match next(4) {
                    0 | 1 if at < data.len() => {
                        let n = (1 + next(1_500)).min(data.len() - at);
                        stretch.push(Bytes::copy_from_slice(&data[at..at + n]));
                        at += n;
                    }
                    2 => {
                        let mut out = vec![0; next(2_000)];
                        let mut seen = vec![0; out.len()];
                        let peeked = stretch.peek(0, &mut seen);
                        let n = stretch.read(&mut out);
                        assert_eq!((peeked, &seen[..n]), (n, &out[..n]), "seed {seed}");
                        got.extend_from_slice(&out[..n]);
                    }
                    _ => {
                        stretch.take(next(3_000), |bytes| got.extend_from_slice(&bytes));
                    }
                }
                assert_eq!(stretch.len(), at - got.len(), "seed {seed}");
                assert!(stretch.charge() >= stretch.len(), "seed {seed}");
            }
            assert!(got == data, "seed {seed}");
            assert_eq!(stretch.charge(), 0);
        }
    }
}
