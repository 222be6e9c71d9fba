//! The SHA-256 of a test file, computed once per size and remembered.
//!
//! Bounds: at most [`JOBS`] files are hashed at a time, on threads of the
//! blocking pool; at most [`REMEMBERED`] results are kept; a file larger than
//! [`MAX_HASHED`] is never hashed (its tag is made of its size, which determines
//! its content). Requests for the same size wait for the same job.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use tokio::sync::{OnceCell, Semaphore};

use super::content;

/// The largest file whose content is hashed for its tag: 1 GiB, one or two
/// seconds of one processor.
pub(super) const MAX_HASHED: u64 = 1 << 30;
const JOBS: usize = 2;
const REMEMBERED: usize = 1024;
const BLOCK: usize = 64 * 1024;

/// The entity tags of test files.
#[derive(Debug)]
pub(super) struct Tags {
    cells: Mutex<HashMap<u64, Arc<OnceCell<String>>>>,
    jobs: Arc<Semaphore>,
}

impl Tags {
    pub(super) fn new() -> Self {
        Self { cells: Mutex::new(HashMap::new()), jobs: Arc::new(Semaphore::new(JOBS)) }
    }

    /// The strong entity tag of the file of `size` bytes, with its quotes:
    /// the hexadecimal SHA-256 of the content up to [`MAX_HASHED`], `size-N` above.
    pub(super) async fn of(&self, size: u64) -> String {
        if size > MAX_HASHED {
            return format!("\"size-{size}\"");
        }
        let cell = self.cell(size);
        let tag = cell.get_or_init(|| async {
            if size <= BLOCK as u64 {
                return hash(size);
            }
            // The permit travels with the job: a request that goes away does
            // not let another job start beside the one it left running.
            let permit = Arc::clone(&self.jobs).acquire_owned().await;
            let job = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                hash(size)
            });
            // A job is only lost when the runtime ends, and this task with it.
            job.await.unwrap_or_default()
        });
        tag.await.clone()
    }

    fn cell(&self, size: u64) -> Arc<OnceCell<String>> {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if cells.len() >= REMEMBERED && !cells.contains_key(&size) {
            // Any one will do: whoever waits on it holds it by its own count.
            if let Some(&victim) = cells.keys().next() {
                cells.remove(&victim);
            }
        }
        Arc::clone(cells.entry(size).or_default())
    }
}

fn hash(size: u64) -> String {
    let mut sha = Sha256::new();
    let mut block = vec![0; BLOCK];
    let mut offset = 0;
    while offset < size {
        let n = (size - offset).min(BLOCK as u64) as usize;
        content::fill(size, offset, &mut block[..n]);
        sha.update(&block[..n]);
        offset += n as u64;
    }
    format!("\"{}\"", hex(&sha.finalize()))
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_tag_is_the_hash_of_the_whole_content() {
        let tags = Tags::new();
        for size in [0u64, 1, 1000, 65_536, 65_537, 300_001] {
            let mut all = vec![0; size as usize];
            content::fill(size, 0, &mut all);
            let expected = format!("\"{}\"", hex(&Sha256::digest(&all)));
            assert_eq!(tags.of(size).await, expected, "size {size}");
            assert_eq!(tags.of(size).await, expected, "remembered, size {size}");
        }
    }

    #[tokio::test]
    async fn a_file_too_large_to_hash_is_tagged_by_its_size_at_once() {
        let tags = Tags::new();
        assert_eq!(tags.of(1 << 40).await, "\"size-1099511627776\"");
    }

    #[tokio::test]
    async fn asking_for_ever_more_sizes_keeps_the_memory_bounded() {
        let tags = Tags::new();
        for size in 0..(REMEMBERED as u64 + 500) {
            let _ = tags.of(size).await;
        }
        assert_eq!(tags.cells.lock().unwrap().len(), REMEMBERED);
    }
}
