//! Packetdrill's script language, interpreted against a Segue stack in virtual time, or this machine's kernel in real time.
//!
//! A script says which packets reach a stack, which system calls its application makes, and which packets must leave, each
//! with its time. [`run_files`] plays files and folders of them, many at a time, without root and without waiting;
//! [`run_script`] plays one text. [`host`] drives either host by hand, call by call. What was expected and what came is told as a compiler tells it.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used))]

mod ast;
mod call;
mod code;
mod command;
pub mod differ;
mod expected;
mod files;
pub mod host;
mod icmp_names;
mod options;
mod parse;
mod report;
mod run;
mod settings;
mod source;
mod structure;
mod symbols;

pub use expected::declared_difference;
pub use files::{DrillError, check_script, prepare_namespaces, run_files, run_script};
pub use options::{Against, Machine, Options};
pub use report::{Report, ScriptReport, Verdict};
pub use settings::option_names;
pub use source::{Diagnostic, Span};
