//! Errors leave as `std::io::Error` with Linux's errno, so that both `kind()` and `raw_os_error()` are right.
use std::io;

use segue_stack::Errno;

/// The error a socket call on Linux would have given: `raw_os_error()` is the errno, `kind()` follows from it.
pub fn io_error(errno: Errno) -> io::Error {
    io::Error::from_raw_os_error(errno.0)
}

/// Same, for results.
pub(crate) trait IntoIo<T> {
    /// The result with its errno as an `io::Error`.
    fn into_io(self) -> io::Result<T>;
}

impl<T> IntoIo<T> for Result<T, Errno> {
    fn into_io(self) -> io::Result<T> {
        self.map_err(io_error)
    }
}

/// Bad input from the user of the library, with what to do about it.
pub(crate) fn invalid(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message.into())
}
