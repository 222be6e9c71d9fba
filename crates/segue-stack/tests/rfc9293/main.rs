//! What RFC 9293 asks of a host around its connections; docs/conformance.md names the tests of every requirement.
#![allow(missing_docs, unreachable_pub, reason = "tests say what they do by their names")]

#[path = "../common/mod.rs"]
mod common;

mod addresses;
mod checksum;
mod craft;
mod icmp;
mod options;
mod service;
mod source_routes;
