//! What the allocator and the kernel say of a process. Alone in its process, which has an allocator that counts.
use std::alloc::System;

use segue_kernel::allocation::{Counted, heap_in_use};
use segue_kernel::process::resident;

#[global_allocator]
static ALLOCATOR: Counted<System> = Counted(System);

#[test]
fn what_is_allocated_is_told_to_the_byte_and_no_thread_s_work_is_another_s() {
    let before = (heap_in_use().unwrap(), resident().unwrap());
    let mut block = vec![1u8; 32 << 20];
    let after = (heap_in_use().unwrap(), resident().unwrap());
    assert!(after.1 >= before.1 + (24 << 20), "{before:?} {after:?}");
    assert_eq!(after.0, before.0 + (32 << 20));
    block.truncate(1000);
    block.shrink_to_fit();
    assert_eq!(heap_in_use().unwrap(), before.0 + 1000);
    let zeroed = vec![0u8; 5000];
    assert_eq!(heap_in_use().unwrap(), before.0 + 6000);
    drop((block, zeroed));
    assert_eq!(heap_in_use().unwrap(), before.0);
    let elsewhere = std::thread::spawn(|| {
        let held = vec![1u8; 1 << 20];
        (heap_in_use().unwrap(), held.len() as u64)
    });
    let (there, held) = elsewhere.join().unwrap();
    // What the new thread gives back of what this one made for it counts there.
    assert!(there.abs_diff(held) < 10_000, "{there}");
}
