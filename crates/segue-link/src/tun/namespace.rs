//! Network namespaces: where a device is made, and where sockets of a thread live.
//!
//! Decides how a namespace is named and entered, and the words when there is none. A thread that has
//! entered one stays in it, so work is done on a thread of its own.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use super::sys;

/// Where `ip netns` keeps its names.
const NAMES: &str = "/run/netns";

/// A network namespace of this machine, kept alive by this value.
#[derive(Debug)]
pub struct NetNamespace {
    file: File,
    name: String,
}

impl NetNamespace {
    /// By the name that `ip netns add NAME` gave it, or by a path such as `/proc/1234/ns/net`.
    ///
    /// # Errors
    /// `NotFound` when there is none, `PermissionDenied`; the message says what to do.
    pub fn open(name: &str) -> io::Result<NetNamespace> {
        let path = if name.contains('/') { PathBuf::from(name) } else { Path::new(NAMES).join(name) };
        let file = File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound if !name.contains('/') => io::Error::new(
                io::ErrorKind::NotFound,
                format!("there is no network namespace {name}; make it: ip netns add {name}"),
            ),
            kind => io::Error::new(kind, format!("cannot open the network namespace {}: {error}", path.display())),
        })?;
        Ok(NetNamespace { file, name: name.to_owned() })
    }

    /// A new one without a name and with nothing in it but a loopback that is down. It ends with the last thread, socket,
    /// device and value that is in it or refers to it.
    ///
    /// # Errors
    /// `PermissionDenied` without `CAP_SYS_ADMIN`.
    pub fn unnamed() -> io::Result<NetNamespace> {
        let inside = std::thread::spawn(|| {
            sys::leave_network().map_err(|error| {
                io::Error::new(error.kind(), format!("cannot make a network namespace: {error}; run as root"))
            })?;
            NetNamespace::current()
        });
        inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// The one that this thread is in.
    ///
    /// # Errors
    /// `/proc` is not there.
    pub fn current() -> io::Result<NetNamespace> {
        NetNamespace::open("/proc/thread-self/ns/net")
    }

    /// Its name, as it was opened.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether both are the same one.
    pub fn is(&self, other: &NetNamespace) -> bool {
        use std::os::unix::fs::MetadataExt;
        match (self.file.metadata(), other.file.metadata()) {
            (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
            _ => false,
        }
    }

    /// Does something inside, on a thread of its own. Sockets and devices made there stay there.
    ///
    /// # Errors
    /// `PermissionDenied` without `CAP_SYS_ADMIN`; `InvalidInput` when it is no network namespace.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        std::thread::scope(|scope| {
            let inside = scope.spawn(|| {
                self.enter()?;
                Ok(work())
            });
            inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Moves this thread inside, for good.
    ///
    /// # Errors
    /// As [`NetNamespace::within`].
    pub fn enter(&self) -> io::Result<()> {
        sys::enter_network(self.file.as_fd()).map_err(|error| match error.raw_os_error() {
            Some(libc::EPERM) => io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("entering the network namespace {} needs CAP_SYS_ADMIN: run as root", self.name),
            ),
            Some(libc::EINVAL) => io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{} is not a network namespace; give a name from 'ip netns' or /proc/PID/ns/net", self.name),
            ),
            _ => io::Error::new(error.kind(), format!("cannot enter the network namespace {}: {error}", self.name)),
        })
    }
}
