//! Names of the supervisor's own AF_UNIX sockets, and how they are reached.
//!
//! A socket that must be reachable is bound in a private directory, opened
//! with O_PATH and unlinked at once: from then on only this process can name
//! it, through /proc/self/fd, and nothing is left behind however the run ends.
//! Sockets that only have to *be known* by a name carry an abstract one with
//! this run's random number; they accept nothing, so others gain nothing by it.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::sys::unix::{self, Address, Kind};

/// The naming of one run.
#[derive(Debug)]
pub(crate) struct Names {
    /// `\0segue.NUMBER.`
    prefix: Vec<u8>,
    next: AtomicU64,
    meeting: Meeting,
}

/// A listener on which a program's socket and the supervisor's end of it meet.
#[derive(Debug)]
struct Meeting {
    listener: OwnedFd,
    path: OwnedFd,
    /// Whoever connects also accepts before the next one connects.
    turn: Mutex<()>,
}

/// A socket file that only this process can name.
fn bind_privately(fd: BorrowedFd<'_>, number: u64, serial: u64) -> io::Result<OwnedFd> {
    let folder = std::env::temp_dir().join(format!("segue-{number:016x}-{serial:x}"));
    std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
    let result = bind_in(fd, folder.join("s"));
    let _ = std::fs::remove_dir(&folder);
    result
}

fn bind_in(fd: BorrowedFd<'_>, path: PathBuf) -> io::Result<OwnedFd> {
    use std::os::unix::ffi::OsStrExt;
    unix::bind(fd, &Address::new(path.as_os_str().as_bytes())?)?;
    let opened = std::fs::OpenOptions::new().read(true).custom_flags(libc::O_PATH | libc::O_CLOEXEC).open(&path);
    std::fs::remove_file(&path)?;
    opened.map(OwnedFd::from)
}

impl Names {
    /// `number`: random, so that runs do not meet.
    pub(crate) fn new(number: u64) -> io::Result<Names> {
        let listener = unix::socket(Kind::Stream, true)?;
        let path = bind_privately(listener.as_fd(), number, 0)?;
        unix::listen(listener.as_fd(), 8)?;
        Ok(Names {
            prefix: format!("\0segue.{number:016x}.").into_bytes(),
            next: AtomicU64::new(1),
            meeting: Meeting { listener, path, turn: Mutex::new(()) },
        })
    }

    fn number(&self) -> u64 {
        let digits = self.prefix.get(7..23).and_then(|d| std::str::from_utf8(d).ok());
        digits.and_then(|d| u64::from_str_radix(d, 16).ok()).unwrap_or(0)
    }

    /// Binds a program's socket where only the supervisor reaches it.
    pub(crate) fn bind_privately(&self, fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
        bind_privately(fd, self.number(), self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Connects a program's fresh stream socket; returns the supervisor's end.
    pub(crate) fn meet(&self, theirs: BorrowedFd<'_>) -> io::Result<OwnedFd> {
        let address = unix::through(self.meeting.path.as_fd())?;
        let _turn = crate::lock(&self.meeting.turn);
        unix::connect(theirs, &address)?;
        unix::accept(self.meeting.listener.as_fd())
    }

    /// A datagram socket whose own name says whom it speaks for.
    pub(crate) fn speaker(&self, remote: SocketAddr) -> io::Result<OwnedFd> {
        self.numbered_speaker(remote).map(|(socket, _)| socket)
    }

    /// As [`speaker`](Self::speaker), with the number that tells it from others for the same remote.
    pub(crate) fn numbered_speaker(&self, remote: SocketAddr) -> io::Result<(OwnedFd, u64)> {
        let socket = unix::socket(Kind::Datagram, true)?;
        let mut name = self.prefix.clone();
        let serial = self.next.fetch_add(1, Ordering::Relaxed);
        name.extend(format!("{serial:x}.{remote}").bytes());
        unix::bind(socket.as_fd(), &Address::new(&name)?)?;
        Ok((socket, serial))
    }

    /// Connects a program's datagram socket to a speaker, so that the two hear
    /// only each other.
    pub(crate) fn join(&self, theirs: BorrowedFd<'_>, speaker: BorrowedFd<'_>) -> io::Result<()> {
        let name = unix::own_name(speaker)?;
        unix::connect(theirs, &Address::new(&name)?)
    }

    /// Whom a datagram with this sender's name comes from, and the speaker's number.
    pub(crate) fn sender(&self, name: &[u8]) -> Option<(u64, SocketAddr)> {
        let rest = name.strip_prefix(self.prefix.as_slice())?;
        let (serial, address) = std::str::from_utf8(rest).ok()?.split_once('.')?;
        Some((u64::from_str_radix(serial, 16).ok()?, address.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_s_socket_meets_the_supervisor_s_end() {
        let names = Names::new(0x5e60e).expect("names");
        let theirs = unix::socket(Kind::Stream, false).expect("a socket");
        let ours = names.meet(theirs.as_fd()).expect("they meet");
        unix::send(theirs.as_fd(), b"hello", 0).expect("sent");
        let mut buffer = [const { std::mem::MaybeUninit::uninit() }; 8];
        assert_eq!(unix::receive(ours.as_fd(), &mut buffer, 0).expect("received"), 5);
    }

    #[test]
    fn a_datagram_is_known_by_its_speaker_s_name() {
        let names = Names::new(0x5e60f).expect("names");
        for remote in ["192.0.2.7:53", "[2001:db8::7]:5353"] {
            let remote: SocketAddr = remote.parse().expect("an address");
            let theirs = unix::socket(Kind::Datagram, true).expect("a socket");
            let path = names.bind_privately(theirs.as_fd()).expect("bound");
            let speaker = names.speaker(remote).expect("a speaker");
            unix::connect(speaker.as_fd(), &unix::through(path.as_fd()).expect("a name")).expect("connected");
            unix::send(speaker.as_fd(), b"answer", 0).expect("sent");
            let mut buffer = [0; 16];
            let heard = unix::receive_from(theirs.as_fd(), &mut buffer, 0).expect("heard");
            assert_eq!((heard.len, names.sender(&heard.name).map(|(_, from)| from)), (6, Some(remote)));
        }
        assert_eq!(names.sender(b"\0segue.0000000000000001.1.192.0.2.7:53"), None);
    }

    #[test]
    fn nothing_is_left_in_the_file_system() {
        let number = 0x5e610;
        let names = Names::new(number).expect("names");
        let theirs = unix::socket(Kind::Datagram, true).expect("a socket");
        let _path = names.bind_privately(theirs.as_fd()).expect("bound");
        let left = std::fs::read_dir(std::env::temp_dir())
            .expect("the folder")
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().contains(&format!("{number:016x}")));
        assert!(!left);
    }
}
