//! The control socket: how another process of the same user looks into a running host, and turns its sysctls.
//!
//! A host that is served here has a Unix socket in a directory that only its user can enter. Requests and answers are
//! lines of JSON ([`Request`], [`Answer`]); nothing that is asked can end a connection or read its data.
//! `protocol` decides what can be asked, `server` who may ask, `client` how the hosts of this machine are found.
mod client;
mod protocol;
mod server;

pub use client::{ControlError, Endpoint, endpoints};
pub use protocol::{Answer, CounterLine, Request, SocketLine, Summary, SysctlLine, TimerLine};
pub use server::Control;

use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::PathBuf;

/// Longest request line, in bytes.
const MAX_LINE: usize = 64 * 1024;

/// Where the sockets of this user are: `$XDG_RUNTIME_DIR/segue`, or `/tmp/segue-UID` where that is not set.
///
/// # Errors
/// When the directory cannot be made, or belongs to somebody else, or others may enter it.
pub fn directory() -> io::Result<PathBuf> {
    let uid = rustix::process::geteuid().as_raw();
    let place = match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute()) {
        Some(runtime) if runtime.is_dir() => runtime.join("segue"),
        _ => PathBuf::from(format!("/tmp/segue-{uid}")),
    };
    match std::fs::DirBuilder::new().mode(0o700).create(&place) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            let message = format!("cannot make {}: {error}; set XDG_RUNTIME_DIR to a folder you own", place.display());
            return Err(io::Error::new(error.kind(), message));
        }
        _ => {}
    }
    // In /tmp anybody may have made it first.
    let found = std::fs::symlink_metadata(&place)?;
    if !found.is_dir() || found.uid() != uid || found.mode() & 0o077 != 0 {
        let message = format!(
            "{} must be a directory of user {uid} with mode 700: remove it, or set XDG_RUNTIME_DIR",
            place.display()
        );
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    Ok(place)
}
