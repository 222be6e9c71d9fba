//! What several test files need.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its own part")]

pub mod captured;

use segue_wire::Bytes;
use segue_wire::Chunks;

/// The Internet checksum the slow way: one 16-bit word at a time, carry after each (RFC 1071 section 4.1).
pub fn naive_checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in bytes.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// `bytes` cut into chunks at `cuts` (each modulo the length).
pub fn cut(bytes: &[u8], cuts: &[usize]) -> Chunks {
    let mut places: Vec<usize> = cuts.iter().map(|at| at % (bytes.len() + 1)).collect();
    places.push(0);
    places.push(bytes.len());
    places.sort_unstable();
    places.windows(2).map(|pair| Bytes::copy_from_slice(&bytes[pair[0]..pair[1]])).collect()
}

/// Repeatable bytes that are not all alike.
pub fn pattern(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .collect()
}
