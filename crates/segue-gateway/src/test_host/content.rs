//! What the bytes of a test file are: a function of the file's size and the
//! offset, so that a file of any length costs no memory and a range of it costs
//! only its own length. The bytes look random (they do not compress, and no two
//! sizes share a prefix), and they are the same in every run and every version:
//! the hash of `/64MiB` is a constant of the project.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use hyper::body::{Body, Frame, SizeHint};

/// Bytes handed to the connection at a time.
const FRAME: usize = 64 * 1024;
/// Bytes generated on the stack at a time; small enough to stay in the first cache.
const BLOCK: usize = 4096;

/// Writes the bytes `offset..offset + out.len()` of the test file of `size`
/// bytes into `out`.
///
/// Eight bytes at a time, word `i` of the file is the `i`-th output of the
/// SplitMix64 generator seeded with the file's size, little-endian.
pub fn fill(size: u64, offset: u64, out: &mut [u8]) {
    let seed = mix(size.wrapping_add(GOLDEN));
    let mut word = offset / 8;
    let skip = (offset % 8) as usize;
    let mut out = out;
    if skip != 0 {
        let bytes = nth(seed, word).to_le_bytes();
        let n = out.len().min(8 - skip);
        let (head, rest) = out.split_at_mut(n);
        head.copy_from_slice(&bytes[skip..skip + n]);
        out = rest;
        word += 1;
    }
    let mut words = out.chunks_exact_mut(8);
    for chunk in &mut words {
        chunk.copy_from_slice(&nth(seed, word).to_le_bytes());
        word += 1;
    }
    let tail = words.into_remainder();
    let bytes = nth(seed, word).to_le_bytes();
    let n = tail.len();
    tail.copy_from_slice(&bytes[..n]);
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn nth(seed: u64, index: u64) -> u64 {
    mix(seed.wrapping_add(index.wrapping_add(1).wrapping_mul(GOLDEN)))
}

fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A range of a test file as the body of a response, generated as it is sent.
#[derive(Debug)]
pub(super) struct ContentBody {
    size: u64,
    next: u64,
    end: u64,
}

impl ContentBody {
    /// The bytes `start..end` of the file of `size` bytes.
    pub(super) fn new(size: u64, start: u64, end: u64) -> Self {
        debug_assert!(start <= end && end <= size);
        Self { size, next: start, end }
    }
}

impl Body for ContentBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.next >= self.end {
            return Poll::Ready(None);
        }
        let length = (self.end - self.next).min(FRAME as u64) as usize;
        let mut frame = BytesMut::with_capacity(length);
        let mut block = [0; BLOCK];
        while frame.len() < length {
            let n = (length - frame.len()).min(BLOCK);
            fill(self.size, self.next, &mut block[..n]);
            frame.put_slice(&block[..n]);
            self.next += n as u64;
        }
        Poll::Ready(Some(Ok(Frame::data(frame.freeze()))))
    }

    fn is_end_stream(&self) -> bool {
        self.next >= self.end
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end - self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(size: u64) -> Vec<u8> {
        let mut bytes = vec![0; size as usize];
        fill(size, 0, &mut bytes);
        bytes
    }

    #[test]
    fn any_range_read_alone_equals_the_same_range_of_the_whole() {
        let size = 10_007;
        let all = whole(size);
        for start in [0, 1, 7, 8, 9, 4095, 4096, 9_999, 10_006] {
            for length in [0, 1, 2, 7, 8, 9, 15, 16, 17, 1000] {
                let end = (start + length).min(all.len());
                let mut part = vec![0; end - start];
                fill(size, start as u64, &mut part);
                assert_eq!(part, all[start..end], "range {start}..{end}");
            }
        }
    }

    #[test]
    fn files_of_different_sizes_share_no_prefix() {
        assert_ne!(whole(1000)[..64], whole(1001)[..64]);
    }

    #[test]
    fn every_byte_value_occurs_about_equally_often() {
        let mut counts = [0u32; 256];
        for byte in whole(1 << 20) {
            counts[usize::from(byte)] += 1;
        }
        // 4096 expected of each; ten standard deviations are 640.
        assert!(counts.iter().all(|n| (3456..4736).contains(n)), "{counts:?}");
    }

    #[test]
    fn the_first_words_never_change_between_versions() {
        // Computed by an independent SplitMix64 (seed mix(16 + golden)).
        let mut bytes = [0; 16];
        fill(16, 0, &mut bytes);
        let mut state = 16u64.wrapping_add(GOLDEN);
        state = split_mix(state);
        let mut expected = Vec::new();
        for _ in 0..2 {
            state = state.wrapping_add(GOLDEN);
            expected.extend(split_mix(state).to_le_bytes());
        }
        assert_eq!(bytes[..], expected[..]);
    }

    fn split_mix(mut z: u64) -> u64 {
        z = (z ^ z >> 30).wrapping_mul(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d049bb133111eb);
        z ^ z >> 31
    }
}
