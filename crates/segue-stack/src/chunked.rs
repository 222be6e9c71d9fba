//! A list that grows without moving what is in it.
//!
//! Decides nothing but where values lie: in chunks each of which is as large as all before it, so that growing costs the same
//! whatever there is already, and a million values lie in few stretches of memory: who looks one up waits for it, not for
//! page tables besides. What a chunk has room for and does not hold is taken of the address space, not of memory. The first
//! chunk grows as a `Vec` does: a list of few is small.
use core::ops::{Index, IndexMut};

/// Values of the first chunk, and of the second: a power of two.
const FIRST: usize = 256;

/// Values under consecutive numbers.
#[derive(Debug)]
pub(crate) struct Chunked<T> {
    chunks: Vec<Vec<T>>,
}

/// In which chunk a value lies, and where there.
fn place(at: usize) -> (usize, usize) {
    if at < FIRST {
        return (0, at);
    }
    let power = at.ilog2();
    ((power - FIRST.ilog2()) as usize + 1, at - (1 << power))
}

impl<T> Chunked<T> {
    pub(crate) const fn new() -> Chunked<T> {
        Chunked { chunks: Vec::new() }
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        match self.chunks.as_slice() {
            [] => 0,
            [only] => only.len(),
            [before @ .., last] => (FIRST << (before.len() - 1)) + last.len(),
        }
    }

    /// Bytes of places that are held, taken or not.
    pub(crate) fn room(&self) -> usize {
        let places: usize = self.chunks.iter().map(Vec::capacity).sum();
        self.chunks.capacity() * size_of::<Vec<T>>() + places * size_of::<T>()
    }

    /// One more value, under the number that [`len`](Self::len) was.
    pub(crate) fn push(&mut self, value: T) {
        let (chunk, within) = place(self.len());
        if within == 0 && chunk == self.chunks.len() {
            let room = if chunk == 0 { 0 } else { FIRST << (chunk - 1) };
            self.chunks.push(Vec::with_capacity(room));
        }
        self.chunks[chunk].push(value);
    }

    /// The value with this number.
    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        let (chunk, within) = place(at);
        self.chunks.get(chunk)?.get(within)
    }
}

impl<T> Index<usize> for Chunked<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        let (chunk, within) = place(at);
        &self.chunks[chunk][within]
    }
}

impl<T> IndexMut<usize> for Chunked<T> {
    fn index_mut(&mut self, at: usize) -> &mut T {
        let (chunk, within) = place(at);
        &mut self.chunks[chunk][within]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_numbers_and_beyond_the_first_chunk_their_places() {
        let mut list = Chunked::new();
        let mut place = None;
        for n in 0..9 * FIRST + 3 {
            assert_eq!(list.len(), n);
            list.push(n);
            if n == FIRST {
                place = Some(core::ptr::from_ref(&list[FIRST]));
            }
        }
        assert_eq!(place, Some(core::ptr::from_ref(&list[FIRST])));
        list[FIRST + 1] = 7;
        assert!((0..list.len()).all(|n| list[n] == if n == FIRST + 1 { 7 } else { n }));
        assert_eq!(
            (list.get(9 * FIRST + 2), list.get(9 * FIRST + 3), list.get(99 * FIRST)),
            (Some(&(9 * FIRST + 2)), None, None)
        );
    }

    #[test]
    fn a_million_values_lie_in_a_dozen_stretches_that_are_half_full_at_least() {
        let mut list = Chunked::new();
        (0..1_000_000u32).for_each(|n| list.push(n));
        assert_eq!(list.chunks.len(), 13);
        let room: usize = list.chunks.iter().map(Vec::capacity).sum();
        assert!(room < 2 * list.len(), "{room}");
    }
}
