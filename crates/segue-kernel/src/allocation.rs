//! An allocator that knows what is in use.
//!
//! Decides nothing but to count: bytes that were asked for and not given back, of each thread for itself, so that counting
//! costs two instructions and no thread waits for another. What is measured with it therefore stays on one thread.
use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;

thread_local! {
    /// Bytes that this thread has allocated, less those that it has freed. Needs no initialisation and no destructor, so that
    /// an allocator may use it.
    static IN_USE: Cell<i64> = const { Cell::new(0) };
    /// There is a counting allocator.
    static COUNTS: Cell<bool> = const { Cell::new(false) };
}

/// An allocator whose blocks are counted. A program installs it with `#[global_allocator]` around the allocator it wants.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted<A>(pub A);

/// Bytes that this thread has allocated and not freed, as they were asked for: without what the allocator adds or keeps for
/// later. `None`: the program has no [`Counted`] allocator.
pub fn heap_in_use() -> Option<u64> {
    // A program has allocated something before it asks.
    COUNTS.get().then(|| u64::try_from(IN_USE.get()).unwrap_or(0))
}

fn count(taken: usize, given: usize) {
    COUNTS.set(true);
    IN_USE.set(IN_USE.get() + taken as i64 - given as i64);
}

// SAFETY: every call is handed to the allocator inside as it is, and its answer is handed back; counting allocates nothing.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counted<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promises are those that the allocator inside asks for.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as above.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the block came from the allocator inside, with this layout.
        unsafe { self.0.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: the block came from the allocator inside, with this layout; the caller answers for the new size.
        unsafe { self.0.realloc(block, layout, size) }
    }
}
