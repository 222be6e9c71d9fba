//! Standard output: what happens when nobody reads it any longer, or when it takes nothing more.
//!
//! The standard library's macro panics in both cases. This one, under the same name so that no place can forget it, ends the
//! command: quietly when the reader has left (`segue lab list | head`), with a message when it is a full disk.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

use crate::fail::Fail;

/// A line on standard output.
macro_rules! println {
    ($($argument:tt)*) => { $crate::out::line(format_args!($($argument)*)) };
}

/// Status of a program that SIGPIPE ended, as a shell reports it.
const BROKEN_PIPE: i32 = 128 + 13;

/// Writes a line, or ends the command.
pub(crate) fn line(text: Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}") {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(BROKEN_PIPE),
        Err(error) => {
            _ = Fail::new(1, format_args!("standard output: {error}")).report();
            std::process::exit(1)
        }
    }
}
