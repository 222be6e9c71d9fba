//! How a command fails: one message that says what to do, one exit status.

use std::fmt::Display;
use std::process::ExitCode;

/// The command line asks for something impossible.
pub(crate) const USAGE: u8 = 2;

/// A failure that is reported and ends the command.
#[derive(Debug)]
pub(crate) struct Fail {
    message: String,
    status: u8,
}

impl Fail {
    /// A failure with its exit status.
    pub(crate) fn new(status: u8, message: impl Display) -> Fail {
        Fail { message: message.to_string(), status }
    }

    /// The command line is wrong.
    pub(crate) fn usage(message: impl Display) -> Fail {
        Fail::new(USAGE, message)
    }

    /// Says it on standard error.
    pub(crate) fn report(self) -> ExitCode {
        eprintln!("segue: {}", self.message);
        ExitCode::from(self.status)
    }
}
