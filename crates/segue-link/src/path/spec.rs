//! How settings with several parts are written: `KIND:PART,PART=VALUE`.
//!
//! Decides the splitting and the shape of the errors; which kinds and parts there are is decided by their owners.

use std::fmt;
use std::str::FromStr;

use crate::units::UnitError;

/// Why a text does not describe an impairment. Says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError(String);

impl SpecError {
    pub(crate) fn new(message: impl Into<String>) -> SpecError {
        SpecError(message.into())
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SpecError {}

impl From<UnitError> for SpecError {
    fn from(error: UnitError) -> SpecError {
        SpecError(error.to_string())
    }
}

/// The kind and the parts of `KIND:PART,PART`.
pub(crate) fn split(text: &str) -> (&str, Vec<&str>) {
    match text.trim().split_once(':') {
        None => (text.trim(), Vec::new()),
        Some((kind, parts)) => (kind.trim(), parts.split(',').map(str::trim).collect()),
    }
}

/// The value of one part, or an error that names the part.
pub(crate) fn value<T: FromStr<Err: fmt::Display>>(part: &str, text: &str) -> Result<T, SpecError> {
    text.parse().map_err(|error| SpecError(format!("{part}: {error}")))
}

/// A whole number of at least 1.
pub(crate) fn count(part: &str, text: &str) -> Result<u64, SpecError> {
    match text.parse() {
        Ok(0) => Err(SpecError(format!("{part}: '{text}' must be at least 1"))),
        Ok(number) => Ok(number),
        Err(_) => Err(SpecError(format!("{part}: '{text}' is not a whole number"))),
    }
}
