//! Received bytes as slices, and the packets they are charged as.
//!
//! Decides copy-break: a short piece is copied into a compact block of its own, so that a few bytes never pin a large
//! buffer; a longer one is kept as it came. Charged is what `memory` says of the packet, until all of it is read; a
//! packet that fits into what an earlier one leaves is charged with it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use segue_wire::Chunks;

use super::memory::Cost;
use crate::few::Few;

/// Pieces shorter than this are copied.
pub(crate) const COPY_BREAK: usize = 512;
/// Compact blocks grow up to this.
const BLOCK: usize = 4096;

/// Payload that is charged together.
#[derive(Clone, Copy, Debug)]
struct Packet {
    /// Bytes not read yet.
    len: u32,
    charge: u32,
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
    slices: VecDeque<Bytes>,
    /// Short pieces gather here; follows `slices`.
    block: BytesMut,
    len: usize,
    packets: Few<Packet>,
    charge: usize,
    /// Payload that the last packet could take in.
    spare: u32,
}

impl Stretch {
    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |held| held.len)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Bytes of memory charged.
    pub(crate) fn charge(&self) -> usize {
        self.0.as_ref().map_or(0, |held| held.charge)
    }

    /// Appends the payload of a packet, or a part of it; `cost` is the packet's.
    pub(crate) fn push(&mut self, payload: &Chunks, cost: Cost) {
        if !payload.is_empty() {
            let held = self.0.get_or_insert_default();
            held.account(payload.len() as u32, cost);
            payload.iter().for_each(|bytes| held.push(bytes.clone()));
        }
    }

    /// Bytes that are charged together at the end.
    pub(crate) fn last_packet(&self) -> usize {
        self.0.as_ref().and_then(|held| held.packets.back()).map_or(0, |packet| packet.len as usize)
    }

    /// Drops what is charged together at the end.
    pub(crate) fn drop_last_packet(&mut self) {
        let dropped = self.0.as_mut().map_or(0, |held| held.drop_last_packet());
        self.consumed(dropped);
    }

    /// Rewrites everything into as few packets as it takes, where that is worth the work. How many were saved.
    pub(crate) fn collapse(&mut self) -> usize {
        self.0.as_mut().map_or(0, |held| held.collapse())
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
    /// Charges `len` bytes that follow: to the last packet if they fit there.
    fn account(&mut self, len: u32, cost: Cost) {
        if len <= self.spare
            && let Some(last) = self.packets.back_mut()
        {
            last.len += len;
            self.spare -= len;
            return;
        }
        self.packets.push_back(Packet { len, charge: cost.charge });
        self.charge += cost.charge as usize;
        self.spare = cost.spare;
    }

    /// `n` bytes were taken from the front.
    fn discharge(&mut self, n: usize) {
        let mut left = n as u32;
        while let Some(packet) = self.packets.front_mut() {
            if packet.len > left {
                packet.len -= left;
                return;
            }
            left -= packet.len;
            self.charge -= packet.charge as usize;
            self.packets.pop_front();
        }
    }

    fn push(&mut self, bytes: Bytes) {
        self.len += bytes.len();
        if bytes.len() < COPY_BREAK {
            self.copy_in(&bytes);
        } else {
            self.seal();
            self.slices.push_back(bytes);
        }
    }

    fn copy_in(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = self.block.capacity() - self.block.len();
            if room == 0 {
                let size = (self.block.capacity() * 2).max(bytes.len().next_power_of_two()).clamp(64, BLOCK);
                self.seal();
                self.block = BytesMut::with_capacity(size);
            }
            let n = bytes.len().min(self.block.capacity() - self.block.len());
            self.block.extend_from_slice(&bytes[..n]);
            bytes = &bytes[n..];
        }
    }

    /// Makes the block a slice like the others.
    fn seal(&mut self) {
        let block = core::mem::take(&mut self.block);
        if !block.is_empty() {
            self.slices.push_back(block.freeze());
        }
    }

    fn append(&mut self, mut other: Held) {
        self.seal();
        other.seal();
        self.len += other.len;
        // As many of the other's first packets as the last one of ours can take in.
        while let Some(first) = other.packets.front().copied().filter(|first| first.len <= self.spare) {
            let Some(last) = self.packets.back_mut() else { break };
            last.len += first.len;
            self.spare -= first.len;
            other.charge -= first.charge as usize;
            other.packets.pop_front();
        }
        if !other.packets.is_empty() {
            self.spare = other.spare;
        }
        self.charge += other.charge;
        self.packets.append(other.packets);
        join(&mut self.slices, other.slices);
    }

    fn take(&mut self, max: usize, mut take: impl FnMut(Bytes)) -> usize {
        let taken = max.min(self.len);
        let mut left = taken;
        if self.len - self.block.len() < left {
            self.seal();
        }
        self.len -= taken;
        self.discharge(taken);
        while left > 0 {
            let Some(slice) = self.slices.front_mut() else { break };
            if slice.len() > left {
                take(slice.split_to(left));
                break;
            }
            left -= slice.len();
            if let Some(slice) = self.slices.pop_front() {
                take(slice);
            }
        }
        taken
    }

    fn read(&mut self, out: &mut [u8]) -> usize {
        let wanted = out.len().min(self.len);
        self.len -= wanted;
        self.discharge(wanted);
        let mut at = 0;
        while at < wanted {
            let Some(slice) = self.slices.front_mut() else { break };
            let n = slice.len().min(wanted - at);
            out[at..at + n].copy_from_slice(&slice[..n]);
            at += n;
            if n == slice.len() {
                self.slices.pop_front();
            } else {
                bytes::Buf::advance(slice, n);
            }
        }
        if at < wanted {
            // The rest stands in the block.
            let n = wanted - at;
            out[at..wanted].copy_from_slice(&self.block[..n]);
            bytes::Buf::advance(&mut self.block, n);
        }
        wanted
    }

    fn drop_last_packet(&mut self) -> usize {
        let Some(Packet { len, charge }) = self.packets.pop_back() else { return 0 };
        self.charge -= charge as usize;
        self.len -= len as usize;
        // What the packet before could take in is not known any more.
        self.spare = 0;
        let mut left = len as usize;
        let in_block = left.min(self.block.len());
        self.block.truncate(self.block.len() - in_block);
        left -= in_block;
        while left > 0 {
            let Some(slice) = self.slices.back_mut() else { break };
            let cut = left.min(slice.len());
            slice.truncate(slice.len() - cut);
            left -= cut;
            if slice.is_empty() {
                self.slices.pop_back();
            }
        }
        len as usize
    }

    fn collapse(&mut self) -> usize {
        // Copying everything must save an eighth, or a peer could have it done for every packet.
        let fewest = self.len.div_ceil(Cost::COLLAPSED);
        if fewest * Cost::collapsed(0).charge as usize > self.charge - self.charge / 8 {
            return 0;
        }
        let before = self.packets.len();
        let pieces = core::mem::take(&mut self.slices).into_iter().chain([core::mem::take(&mut self.block).freeze()]);
        let mut block = BytesMut::new();
        for mut piece in pieces {
            while !piece.is_empty() {
                if block.len() == Cost::COLLAPSED {
                    self.slices.push_back(core::mem::take(&mut block).freeze());
                }
                if block.is_empty() {
                    block.reserve(Cost::COLLAPSED);
                }
                let n = piece.len().min(Cost::COLLAPSED - block.len());
                block.extend_from_slice(&piece.split_to(n));
            }
        }
        self.slices.push_back(block.freeze());
        (self.charge, self.spare) = (0, 0);
        self.packets.clear();
        let lens: VecDeque<usize> = self.slices.iter().map(Bytes::len).collect();
        for len in lens {
            self.spare = 0;
            self.account(len as u32, Cost::collapsed(len));
        }
        before.saturating_sub(self.packets.len())
    }

    fn peek(&self, offset: usize, out: &mut [u8]) -> usize {
        let mut skip = offset;
        let mut at = 0;
        let parts = self.slices.iter().map(Bytes::as_ref).chain(core::iter::once(self.block.as_ref()));
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

/// Appends `other`; the cost is that of the shorter one.
fn join<T>(to: &mut VecDeque<T>, mut other: VecDeque<T>) {
    if to.len() >= other.len() {
        to.append(&mut other);
        return;
    }
    while let Some(item) = to.pop_back() {
        other.push_front(item);
    }
    *to = other;
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    fn push(stretch: &mut Stretch, bytes: Bytes) {
        let cost = Cost::of(40, bytes.len());
        stretch.push(&Chunks::from(bytes), cost);
    }

    #[test]
    fn short_pieces_share_a_block_and_long_ones_are_kept() {
        let mut stretch = Stretch::default();
        for i in 0..1_000u32 {
            push(&mut stretch, Bytes::copy_from_slice(&[i as u8]));
        }
        assert!(stretch.charge() < 1_000 * 6, "{} bytes charged for 1000", stretch.charge());
        let long = Bytes::from(vec![7; 1_448]);
        let address = long.as_ptr();
        push(&mut stretch, long);
        stretch.skip(1_000);
        let mut kept = Vec::new();
        stretch.take(10, |bytes| kept.push(bytes));
        assert_eq!(kept[0].as_ptr(), address);
        // Ten bytes are gone, the packet is not.
        assert_eq!(stretch.charge(), 2_304);
        stretch.skip(1_438);
        assert_eq!((stretch.len(), stretch.charge()), (0, 0));
    }

    /// What SO_MEMINFO says on Linux 6.18 after each packet.
    #[test]
    fn packets_are_charged_together_where_linux_joins_them() {
        for (lens, charges) in [
            ([1_000, 1_000, 1_000], [2_304, 4_608, 6_912]),
            ([1_000, 100, 100], [2_304, 2_304, 2_304]),
            ([1_000, 624, 1], [2_304, 2_304, 3_136]),
            ([1, 1, 1], [832, 832, 832]),
            ([100, 100, 100], [832, 1_664, 2_496]),
        ] {
            let mut stretch = Stretch::default();
            let seen = lens.map(|len| {
                push(&mut stretch, Bytes::from(vec![0; len]));
                stretch.charge()
            });
            assert_eq!(seen, charges, "{lens:?}");
        }
        let mut in_order = Stretch::default();
        push(&mut in_order, Bytes::from(vec![0; 1_000]));
        let mut waited = Stretch::default();
        push(&mut waited, Bytes::from(vec![0; 100]));
        push(&mut waited, Bytes::from(vec![0; 100]));
        in_order.append(waited);
        assert_eq!((in_order.charge(), in_order.last_packet()), (2_304, 1_200));
    }

    #[test]
    fn collapsing_saves_packets_and_changes_no_byte() {
        let data: Vec<u8> = (0..30_000u32).map(|i| (i * 11 % 249) as u8).collect();
        let mut stretch = Stretch::default();
        data.chunks(1_100).for_each(|piece| push(&mut stretch, Bytes::copy_from_slice(piece)));
        let before = stretch.charge();
        // The last piece fits behind the one before.
        assert_eq!(stretch.collapse(), 27 - 8);
        assert!(stretch.charge() < before * 2 / 3, "{} of {before}", stretch.charge());
        let mut got = vec![0; data.len()];
        assert_eq!(stretch.read(&mut got), data.len());
        assert!(got == data);
        assert_eq!(stretch.charge(), 0);
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
                        push(&mut stretch, Bytes::copy_from_slice(&data[at..at + n]));
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
