//! How a run can fail before or instead of the program, and how it ends.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use crate::config::Publish;

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It returned this status.
    Code(u8),
    /// It was ended by this signal.
    Signal(i32),
}

impl Exit {
    /// The status a shell reports: the code, or 128 plus the signal's number.
    pub fn status(self) -> u8 {
        match self {
            Exit::Code(code) => code,
            Exit::Signal(signal) => 128_u8.wrapping_add(u8::try_from(signal).unwrap_or(0)),
        }
    }
}

/// Why a program could not be run.
#[derive(Debug)]
pub enum RunError {
    /// No program was named.
    NoProgram,
    /// The program is not there.
    NotFound(OsString),
    /// The program is there and cannot be executed.
    NotExecutable(OsString, io::Error),
    /// The kernel does not let the supervisor do its work.
    Kernel {
        /// What was tried.
        what: &'static str,
        /// What the kernel answered.
        error: io::Error,
        /// What the user can do about it.
        advice: &'static str,
    },
    /// A sysctl that is not one, or a value out of its range.
    Sysctl {
        /// As given.
        name: String,
        /// The stack's reason, with the near miss or the range.
        reason: String,
    },
    /// The same port of this machine is published twice.
    PublishedTwice(Publish),
    /// A published port cannot be opened on this machine.
    Publish(Publish, io::Error),
    /// The capture file cannot be written.
    Pcap(PathBuf, io::Error),
    /// The file for decisions cannot be written.
    Events(PathBuf, io::Error),
    /// The TUN device cannot be made.
    Tun(String, io::Error),
    /// The network inside could not be set up.
    Network(io::Error),
    /// The supervisor itself lacks something (threads, descriptors, memory).
    Supervisor(&'static str, io::Error),
}

impl RunError {
    /// The exit status that shells and containers use for this failure:
    /// 127 not found, 126 not executable, 2 a wrong argument, 125 otherwise.
    pub fn exit_status(&self) -> u8 {
        match self {
            RunError::NotFound(_) => 127,
            RunError::NotExecutable(..) => 126,
            RunError::NoProgram | RunError::Sysctl { .. } | RunError::PublishedTwice(_) => 2,
            RunError::Kernel { .. }
            | RunError::Publish(..)
            | RunError::Pcap(..)
            | RunError::Events(..)
            | RunError::Tun(..)
            | RunError::Network(_)
            | RunError::Supervisor(..) => 125,
        }
    }
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RunError::NoProgram => f.write_str("no program to run; write it after --, e.g. segue run -- curl URL"),
            RunError::NotFound(program) => {
                write!(f, "{}: not found; check the name and PATH", program.to_string_lossy())
            }
            RunError::NotExecutable(program, error) => write!(
                f,
                "{}: cannot be executed ({error}); check its permissions and format",
                program.to_string_lossy()
            ),
            RunError::Kernel { what, error, advice } => {
                write!(f, "the kernel does not allow {what} ({error}); {advice}")
            }
            RunError::Sysctl { name, reason } => write!(f, "sysctl {name}: {reason}"),
            RunError::PublishedTwice(publish) => {
                write!(f, "port {} is published twice; publish each port of this machine once", publish.host)
            }
            RunError::Publish(publish, error) if error.kind() == io::ErrorKind::AddrInUse => write!(
                f,
                "cannot publish {}: port {} is in use; choose another port or stop the program that holds it",
                publish.host,
                publish.host.port()
            ),
            RunError::Publish(publish, error) => write!(
                f,
                "cannot publish {}: {error}; choose an address of this machine and a port above 1023",
                publish.host
            ),
            // The error names the file.
            RunError::Pcap(_, error) | RunError::Events(_, error) => {
                write!(f, "{error}; choose a file in a folder you may write to")
            }
            RunError::Tun(name, error) if error.kind() == io::ErrorKind::PermissionDenied => write!(
                f,
                "cannot open the TUN device {name}: {error}; it needs CAP_NET_ADMIN (run as root), \
                 or leave --tun away to use the embedded network"
            ),
            RunError::Tun(name, error) => write!(f, "cannot open the TUN device {name}: {error}"),
            RunError::Network(error) => write!(f, "cannot set up the network: {error}"),
            RunError::Supervisor(what, error) => write!(f, "{what}: {error}"),
        }
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            RunError::NotExecutable(_, error)
            | RunError::Kernel { error, .. }
            | RunError::Publish(_, error)
            | RunError::Pcap(_, error)
            | RunError::Events(_, error)
            | RunError::Tun(_, error)
            | RunError::Network(error)
            | RunError::Supervisor(_, error) => Some(error),
            _ => None,
        }
    }
}
