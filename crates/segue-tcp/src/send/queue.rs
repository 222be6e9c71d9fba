//! The send queue: every byte from SND.UNA on, acknowledged bytes leave at the front.
//!
//! Decides how payload is stored, not when it is sent. Small writes are copied once into
//! chunks that grow at the tail; what was sent is frozen and leaves by reference; large
//! `Bytes` are moved in. An empty queue owns no memory but, under load, one spare chunk.
//! Invariants: `slices` are contiguous from `front` on, none is empty, `tail` follows them.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use segue_wire::{Chunks, Instant};

use super::parcels::Parcels;
use crate::few::Few;
use crate::units::{Local, Seq};

/// Largest chunk that writes are copied into.
const CHUNK: usize = 64 * 1024;
/// Smallest one.
const LEAST_CHUNK: usize = 1024;
/// A moved-in slice below this is copied instead: it would cost more in bookkeeping.
const COPY_BREAK: usize = 1024;

#[derive(Debug)]
struct Slice {
    start: Seq<Local>,
    bytes: Bytes,
    /// It lies in a chunk of the queue's own, not in a buffer that was moved in.
    own: bool,
}

/// What the last segment of what leaves is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Left {
    /// It has PSH.
    pub(crate) push: bool,
    /// It ends a record.
    pub(crate) ends_record: bool,
}

/// What a queue that is not empty owns.
#[derive(Debug, Default)]
struct Store {
    slices: VecDeque<Slice>,
    tail: BytesMut,
    /// A chunk whose bytes are all acknowledged and no longer referred to, for the next write.
    spare: Option<BytesMut>,
    parcels: Parcels,
    /// Where writes with `MSG_EOR` ended that have not left: nothing behind one leaves in one segment with it.
    records: Few<Seq<Local>>,
}

#[derive(Debug)]
pub(crate) struct SendQueue {
    front: Seq<Local>,
    len: u32,
    store: Option<Box<Store>>,
}

impl Store {
    /// Makes everything written so far shareable; the tail's spare room stays in use.
    /// `end` is the queue's end.
    fn freeze(&mut self, end: Seq<Local>) {
        if self.tail.is_empty() {
            return;
        }
        let bytes = self.tail.split().freeze();
        let start = end - bytes.len() as u32;
        self.slices.push_back(Slice { start, bytes, own: true });
    }

    fn next_chunk(&mut self, end: Seq<Local>, wanted: usize) {
        self.freeze(end);
        // A writer that already has a queue is a bulk writer.
        let least = if self.slices.is_empty() { LEAST_CHUNK } else { CHUNK / 4 };
        let size = wanted.clamp(least, CHUNK);
        self.tail = match self.spare.take() {
            Some(mut chunk) if size > LEAST_CHUNK => {
                chunk.reserve(size);
                chunk
            }
            _ => BytesMut::with_capacity(size),
        };
    }

    /// Keeps the memory of an acknowledged slice when nobody else refers to it.
    fn recycle(&mut self, slice: Slice) {
        if self.spare.is_none()
            && slice.own
            && slice.bytes.len() >= CHUNK / 4
            && let Ok(mut chunk) = slice.bytes.try_into_mut()
        {
            chunk.clear();
            self.spare = Some(chunk);
        }
    }
}

impl SendQueue {
    pub(crate) fn new(front: Seq<Local>) -> SendQueue {
        SendQueue { front, len: 0, store: None }
    }

    /// Bytes held.
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// One past the last byte.
    pub(crate) fn end(&self) -> Seq<Local> {
        self.front + self.len
    }

    /// Memory that buffers are charged beside their bytes.
    pub(crate) fn heads(&self) -> u32 {
        self.store.as_ref().map_or(0, |store| store.parcels.heads())
    }

    /// The buffers that what is written next lies in.
    pub(crate) fn parcels(&mut self) -> &mut Parcels {
        &mut self.store.get_or_insert_default().parcels
    }

    /// More than one buffer has not left.
    pub(crate) fn has_several_unsent(&self) -> bool {
        self.store.as_ref().is_some_and(|store| !store.parcels.has_single())
    }

    /// Bytes that a write counts on leaving.
    pub(crate) fn leaving(&self) -> u32 {
        self.store.as_ref().map_or(0, |store| store.parcels.leaving())
    }

    /// Nothing was written after all: who has nothing to send owns no memory.
    pub(crate) fn forget_nothing(&mut self) {
        if self.len == 0 {
            self.store = None;
        }
    }

    /// `len` bytes leave for the first time, of which `most` make one packet where a link can carry it; none is behind the
    /// end of a record that one is before. `end` is theirs.
    pub(crate) fn on_sent(&mut self, now: Instant, end: Seq<Local>, len: u32, most: u32) -> Left {
        let Some(store) = &mut self.store else { return Left::default() };
        let push = store.parcels.send(now, len, most);
        let ends_record = len > 0 && store.records.front() == Some(&end);
        if ends_record {
            store.records.pop_front();
            store.parcels.close();
        }
        Left { push, ends_record }
    }

    /// What was written last is a record.
    pub(crate) fn end_record(&mut self) {
        let end = self.end();
        if let Some(store) = &mut self.store {
            store.records.push_back(end);
        }
    }

    /// Where the first record ends that has not left whole.
    pub(crate) fn record(&self) -> Option<Seq<Local>> {
        self.store.as_ref()?.records.front().copied()
    }

    /// What was written last is pushed.
    pub(crate) fn push(&mut self) {
        if let Some(store) = &mut self.store {
            store.parcels.set_push(true);
        }
    }

    /// Bytes that have left at this moment and may be followed by more as one.
    pub(crate) fn left_together(&self, now: Instant) -> Option<u32> {
        self.store.as_ref()?.parcels.left_together(now)
    }

    /// Nothing leaves together with what has left.
    pub(crate) fn end_burst(&mut self) {
        if let Some(store) = &mut self.store {
            store.parcels.close();
        }
    }

    /// Bytes of the buffer that leaves next.
    pub(crate) fn first_parcel(&self) -> Option<u32> {
        self.store.as_ref()?.parcels.first()
    }

    /// Something might leave, at most so many bytes at one time.
    pub(crate) fn join(&mut self, most: u32) {
        if let Some(store) = &mut self.store {
            store.parcels.join(most);
        }
    }

    /// What is written next may not join what was written last.
    pub(crate) fn ends_with_record(&self) -> bool {
        self.store.as_ref().and_then(|store| store.records.back()).is_some_and(|record| *record == self.end())
    }

    /// Appends a copy, for which there are `parcels`.
    pub(crate) fn write(&mut self, mut data: &[u8]) {
        let store = self.store.get_or_insert_default();
        while !data.is_empty() {
            let room = store.tail.capacity() - store.tail.len();
            if room == 0 {
                store.next_chunk(self.front + self.len, data.len());
                continue;
            }
            let (now, later) = data.split_at(room.min(data.len()));
            store.tail.extend_from_slice(now);
            self.len += now.len() as u32;
            data = later;
        }
    }

    /// Appends by reference.
    pub(crate) fn write_bytes(&mut self, data: Bytes) {
        if data.len() < COPY_BREAK {
            return self.write(&data);
        }
        let start = self.end();
        let store = self.store.get_or_insert_default();
        store.freeze(start);
        self.len += data.len() as u32;
        store.slices.push_back(Slice { start, bytes: data, own: false });
    }

    /// `len` bytes from `start` on, by reference. Stops at the queue's ends.
    pub(crate) fn gather(&mut self, start: Seq<Local>, len: u32) -> Chunks {
        let offset = start.since(self.front);
        let mut chunks = Chunks::new();
        if len == 0 || offset >= self.len {
            return chunks;
        }
        let (front, end) = (self.front, self.end());
        let Some(store) = &mut self.store else { return chunks };
        store.freeze(end);
        let index = store.slices.partition_point(|slice| slice.start.since(front) <= offset).saturating_sub(1);
        let mut wanted = len as usize;
        let mut skip = store.slices.get(index).map_or(0, |slice| start.since(slice.start) as usize);
        for slice in store.slices.iter().skip(index) {
            let end = slice.bytes.len().min(skip + wanted);
            chunks.push_back(slice.bytes.slice(skip..end));
            wanted -= end - skip;
            skip = 0;
            if wanted == 0 {
                break;
            }
        }
        chunks
    }

    /// Releases everything before `una`.
    pub(crate) fn release(&mut self, una: Seq<Local>) {
        let count = una.since(self.front).min(self.len);
        if count == 0 {
            return;
        }
        self.front += count;
        self.len -= count;
        if self.len == 0 {
            self.store = None;
            return;
        }
        let Some(store) = &mut self.store else { return };
        store.parcels.release(count);
        let mut left = count as usize;
        while let Some(slice) = store.slices.front_mut() {
            if slice.bytes.len() > left {
                bytes::Buf::advance(&mut slice.bytes, left);
                slice.start += left as u32;
                return;
            }
            left -= slice.bytes.len();
            if let Some(slice) = store.slices.pop_front() {
                store.recycle(slice);
            }
            if left == 0 {
                return;
            }
        }
        // Only bytes that were sent are acknowledged, and those are frozen.
        let rest = left.min(store.tail.len());
        bytes::Buf::advance(&mut store.tail, rest);
    }

    /// Bytes of memory held on behalf of the queue.
    pub(crate) fn memory(&self) -> usize {
        let Some(store) = &self.store else { return 0 };
        let spare = store.tail.capacity() - store.tail.len() + store.spare.as_ref().map_or(0, BytesMut::capacity);
        self.len as usize
            + spare
            + store.slices.capacity() * size_of::<Slice>()
            + store.parcels.memory()
            + store.records.memory()
            + size_of::<Store>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(from: usize, len: usize) -> Vec<u8> {
        (from..from + len).map(|i| (i * 31 % 251) as u8).collect()
    }

    #[test]
    fn bytes_come_out_as_they_went_in_however_they_were_written_and_wherever_the_space_wraps() {
        let mut queue = SendQueue::new(Seq::new(u32::MAX - 5_000));
        let una = queue.end();
        let mut total = 0;
        for (i, size) in [1usize, 10, 70_000, 3, 2_000, 1_023, 1_024, 5].into_iter().enumerate() {
            let data = pattern(total, size);
            if i % 2 == 0 {
                queue.write(&data)
            } else {
                queue.write_bytes(data.into())
            }
            total += size;
            if i == 3 {
                assert_eq!(queue.gather(una, 7).to_vec(), pattern(0, 7));
            }
        }
        assert_eq!(queue.len() as usize, total);
        for (offset, len) in [(0, total), (5, 20), (9, 70_010), (70_011, 2_003), (total - 1, 1), (total - 1, 50)] {
            let got = queue.gather(una + offset as u32, len as u32).to_vec();
            assert_eq!(got, pattern(offset, len.min(total - offset)), "{len} bytes at {offset}");
        }
        let mut released = 0;
        for step in [1, 9, 4_000, 60_000, 8_000] {
            released += step;
            queue.release(una + released as u32);
            assert_eq!(queue.gather(una + released as u32, 100).to_vec(), pattern(released, 100.min(total - released)));
        }
    }

    #[test]
    fn a_write_that_fills_one_chunk_and_goes_on_in_the_next_keeps_its_place() {
        let mut queue = SendQueue::new(Seq::new(0));
        for n in 0..200 {
            queue.write(&pattern(n * 1_000, 1_000));
            assert_eq!(queue.gather(Seq::new(0) + (n * 1_000) as u32, 1_000).to_vec(), pattern(n * 1_000, 1_000));
        }
    }

    #[test]
    fn an_acknowledged_chunk_is_written_to_again() {
        let mut queue = SendQueue::new(Seq::new(0));
        queue.write(&pattern(0, 3 * CHUNK));
        let first = queue.gather(Seq::new(0), 1).iter().next().map(|bytes| bytes.as_ptr());
        let _ = queue.gather(Seq::new(0), 3 * CHUNK as u32);
        queue.release(Seq::new(CHUNK as u32));
        queue.write(&pattern(0, CHUNK));
        let again = queue.gather(Seq::new(3 * CHUNK as u32), 1).iter().next().map(|bytes| bytes.as_ptr());
        assert_eq!(first, again);
        assert_eq!(queue.gather(Seq::new(3 * CHUNK as u32), CHUNK as u32).to_vec(), pattern(0, CHUNK));
    }

    #[test]
    fn an_empty_queue_owns_no_memory() {
        let mut queue = SendQueue::new(Seq::new(9));
        queue.write(b"hello");
        let _ = queue.gather(Seq::new(9), 5);
        queue.release(Seq::new(14));
        assert_eq!(queue.memory(), 0);
    }

    #[test]
    fn a_copied_write_leaves_without_another_copy() {
        let mut queue = SendQueue::new(Seq::new(0));
        queue.write(&pattern(0, 50_000));
        let whole = queue.gather(Seq::new(0), 50_000);
        let part = queue.gather(Seq::new(1_000), 10);
        let (whole, part) = (whole.iter().next().expect("one slice").clone(), part.into_contiguous());
        assert_eq!(whole[1_000..].as_ptr(), part.as_ptr());
    }
}
