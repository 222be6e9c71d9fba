//! A list that grows without moving what is in it.
//!
//! Decides nothing but where values lie: in chunks of equal size, so that growing costs the same whatever there is already.
//! The first chunk grows as a `Vec` does: a list of few is small.
use core::ops::{Index, IndexMut};

/// Values of a chunk: a power of two.
const CHUNK: usize = 256;

/// Values under consecutive numbers.
#[derive(Debug)]
pub(crate) struct Chunked<T> {
    chunks: Vec<Vec<T>>,
}

impl<T> Chunked<T> {
    pub(crate) const fn new() -> Chunked<T> {
        Chunked { chunks: Vec::new() }
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.len())
    }

    /// One more value, under the number that [`len`](Self::len) was.
    pub(crate) fn push(&mut self, value: T) {
        match self.chunks.last_mut() {
            Some(last) if last.len() < CHUNK => last.push(value),
            Some(_) => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(value);
                self.chunks.push(chunk);
            }
            None => self.chunks.push(vec![value]),
        }
    }

    /// The value with this number.
    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        self.chunks.get(at / CHUNK)?.get(at % CHUNK)
    }
}

impl<T> Index<usize> for Chunked<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        &self.chunks[at / CHUNK][at % CHUNK]
    }
}

impl<T> IndexMut<usize> for Chunked<T> {
    fn index_mut(&mut self, at: usize) -> &mut T {
        &mut self.chunks[at / CHUNK][at % CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_numbers_and_beyond_the_first_chunk_their_places() {
        let mut list = Chunked::new();
        let mut place = None;
        for n in 0..5 * CHUNK + 3 {
            assert_eq!(list.len(), n);
            list.push(n);
            if n == CHUNK {
                place = Some(core::ptr::from_ref(&list[CHUNK]));
            }
        }
        assert_eq!(place, Some(core::ptr::from_ref(&list[CHUNK])));
        list[CHUNK + 1] = 7;
        assert!((0..list.len()).all(|n| list[n] == if n == CHUNK + 1 { 7 } else { n }));
        assert_eq!(
            (list.get(5 * CHUNK + 2), list.get(5 * CHUNK + 3), list.get(9 * CHUNK)),
            (Some(&(5 * CHUNK + 2)), None, None)
        );
    }
}
