//! What RFC 9293 asks for and no other file proves; docs/conformance.md names the tests of every requirement.
#![allow(missing_docs, unreachable_pub, reason = "tests say what they do by their names")]

#[path = "../common/mod.rs"]
mod common;

mod acknowledging;
mod icmp;
mod keep_alive;
mod opening;
mod urgent;
mod windows;

use std::time::Duration;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
