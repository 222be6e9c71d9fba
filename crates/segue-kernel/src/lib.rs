//! This machine's kernel as a host under test.
//!
//! [`Namespace`] is a network namespace with one TUN device, in which everything that a test does stays; it holds no name and
//! ends with the process, however that ends. [`sys`] has the socket calls with their raw arguments, [`Caller`] performs those
//! that may block, and can end them. What is called, when, and what should come of it is somebody else's.
//!
//! [`process`] and [`allocation`] say what this process itself holds.
//!
//! `unsafe` appears in `sys/`, `process` and `allocation` only.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used))]

pub mod allocation;
mod caller;
mod clock;
mod diag;
mod namespace;
pub mod process;
pub mod sys;
mod tap;
mod timer_wheel;

pub use caller::Caller;
pub use clock::Clock;
pub use namespace::{Namespace, NamespaceConfig, Tool, become_namespace_root, can_make_namespaces};
pub use tap::{Captured, Sighting, Tap};
pub use timer_wheel::TimerWheel;
