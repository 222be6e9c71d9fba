//! Why an experiment could not be made. That a bar was missed is no error but part of the report.
use std::fmt;

use segue_stack::{Errno, SysctlError};

/// Why an experiment could not be made.
#[derive(Debug)]
pub enum PerfError {
    /// A number that cannot be used; the message says what to give instead.
    Usage(String),
    /// A socket call that cannot fail here did.
    Call(&'static str, Errno),
    /// A setting was refused.
    Sysctl(SysctlError),
    /// The machine does not tell what was asked of it.
    Machine(std::io::Error),
    /// The stack under test did something else than the experiment needs.
    Unexpected(String),
}

impl fmt::Display for PerfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PerfError::Usage(message) | PerfError::Unexpected(message) => f.write_str(message),
            PerfError::Call(name, errno) => write!(f, "{name}: {errno}"),
            PerfError::Sysctl(error) => write!(f, "{error}"),
            PerfError::Machine(error) => write!(f, "cannot measure this process: {error}"),
        }
    }
}

impl std::error::Error for PerfError {}

impl From<SysctlError> for PerfError {
    fn from(error: SysctlError) -> PerfError {
        PerfError::Sysctl(error)
    }
}

impl From<std::io::Error> for PerfError {
    fn from(error: std::io::Error) -> PerfError {
        PerfError::Machine(error)
    }
}
