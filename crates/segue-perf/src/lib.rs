//! A server under load: how many connections it holds, what each costs, what attacks do to it.
//!
//! Each experiment puts one stack under test behind a memory link and plays everybody else itself: clients that are real
//! stacks, peers that remember twelve bytes of a connection, attackers that remember nothing. It measures, judges by its
//! bar, and reports values; printing them is the command's affair.
//!
//! Processor time, not the clock on the wall, is what rates are made of: the machine may be busy with other things.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used))]

pub mod connections;
mod error;
pub mod flood;
mod forge;
mod peer;
mod processor;
mod random;
mod server;
pub mod soak;

pub use error::PerfError;

#[cfg(test)]
#[global_allocator]
static ALLOCATOR: segue_kernel::allocation::Counted<std::alloc::System> =
    segue_kernel::allocation::Counted(std::alloc::System);
