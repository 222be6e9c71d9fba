//! TCP headers and options (RFC 9293 section 3.1).
//!
//! Decides what the bytes of a TCP header mean. It does not decide what a
//! segment does to a connection: flags that contradict each other are parsed as
//! they are, and [`TcpFlags::contradiction`] names them for whoever counts.

mod emit_options;
mod header;
mod option_values;
mod options;

pub use header::{
    FlagContradiction, MAX_HEADER_LEN, MIN_HEADER_LEN, TcpError, TcpFlags, TcpHeader, emit, pseudo_sum, verify_checksum,
};
pub use option_values::{
    AccEcn, AccEcnOrder, AoMac, FastOpenCookie, MAX_OPTIONS_LEN, OptionBytes, SackBlocks, TcpAo, Timestamps,
    UserTimeout,
};
pub use options::{TcpOptions, kind};
