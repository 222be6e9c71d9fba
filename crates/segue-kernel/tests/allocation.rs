//! What the allocator and the kernel say of a process. Alone in its process: other threads would allocate and free meanwhile.
use segue_kernel::process::{heap_in_use, resident};

#[test]
fn what_is_allocated_is_told() {
    let before = (heap_in_use(), resident().unwrap());
    let block = vec![1u8; 32 << 20];
    let after = (heap_in_use(), resident().unwrap());
    assert!(after.1 >= before.1 + (24 << 20), "{before:?} {after:?}");
    if let (Some(before), Some(after)) = (before.0, after.0) {
        assert!(after >= before + (32 << 20));
    }
    drop(block);
}
