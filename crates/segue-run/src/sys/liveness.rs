//! Tells when the last descriptor of a socket, anywhere, has been closed,
//! without holding one.
//!
//! An inotify watch on the socket's own inode gives IN_CLOSE from the final
//! release of the file: after every dup, fork and SCM_RIGHTS copy is gone, and
//! before the closing task's next system call. Where a kernel has no such
//! events on sockets, an epoll set stands in: it holds no reference, so what
//! /proc/self/fdinfo no longer lists has been closed; that one has to be asked.

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use super::epoll::Epoll;
use super::{c_string, check, own_fd_path, owned, unix};

/// The watched sockets, each under a token of the caller's.
#[derive(Debug)]
pub(crate) struct Liveness {
    inotify: Option<OwnedFd>,
    watches: HashMap<i32, u64>,
    weak: Epoll,
    asked: HashSet<u64>,
}

impl Liveness {
    pub(crate) fn new() -> io::Result<Liveness> {
        let mut liveness = Liveness {
            // SAFETY: no pointers are passed.
            inotify: owned(unsafe { libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC) }.into()).ok(),
            watches: HashMap::new(),
            weak: Epoll::new()?,
            asked: HashSet::new(),
        };
        // Tried on a socket of our own: some kernels accept the watch and never tell.
        let socket = unix::socket(unix::Kind::Stream, true)?;
        liveness.watch(socket.as_fd(), u64::MAX)?;
        drop(socket);
        let mut closed = Vec::new();
        liveness.take_closed(&mut closed);
        if closed != [u64::MAX] {
            liveness.inotify = None;
            liveness.watches.clear();
        }
        Ok(liveness)
    }

    /// What becomes readable when a watched socket was closed, if the kernel tells.
    pub(crate) fn events(&self) -> Option<BorrowedFd<'_>> {
        self.inotify.as_ref().map(AsFd::as_fd)
    }

    /// Whether [`Liveness::sweep`] has to be called from time to time.
    pub(crate) fn needs_sweep(&self) -> bool {
        !self.asked.is_empty()
    }

    /// Watches the socket behind `fd`; the descriptor may be closed afterwards.
    pub(crate) fn watch(&mut self, fd: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        if let Some(inotify) = &self.inotify {
            let path = c_string(own_fd_path(fd).as_bytes())?;
            // SAFETY: the path is a C string.
            let watch = unsafe { libc::inotify_add_watch(inotify.as_raw_fd(), path.as_ptr(), libc::IN_CLOSE) };
            if let Ok(watch) = check(watch) {
                self.watches.insert(watch, token);
                return Ok(());
            }
        }
        self.weak.add(fd, 0, token)?;
        self.asked.insert(token);
        Ok(())
    }

    /// Adds the tokens of sockets that have been closed since last asked.
    pub(crate) fn take_closed(&mut self, out: &mut Vec<u64>) {
        let Some(inotify) = &self.inotify else { return };
        // Events without a name: a fixed 16 bytes each.
        let mut buffer = [0_u8; 16 * 128];
        loop {
            // SAFETY: `buffer` is valid for its length.
            let read = unsafe { libc::read(inotify.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
            let Ok(read @ 1..) = usize::try_from(read) else { return };
            for event in buffer[..read].chunks_exact(16) {
                let (watch, rest) = event.split_at(4);
                let watch = i32::from_ne_bytes([watch[0], watch[1], watch[2], watch[3]]);
                let mask = u32::from_ne_bytes([rest[0], rest[1], rest[2], rest[3]]);
                if mask & libc::IN_CLOSE == 0 {
                    continue;
                }
                if let Some(token) = self.watches.remove(&watch) {
                    out.push(token);
                    // The mark would keep the inode of a dead socket in memory.
                    // SAFETY: no pointers are passed.
                    unsafe { libc::inotify_rm_watch(inotify.as_raw_fd(), watch) };
                }
            }
        }
    }

    /// As [`Liveness::take_closed`] for the sockets the kernel does not tell about.
    pub(crate) fn sweep(&mut self, out: &mut Vec<u64>) {
        if self.asked.is_empty() {
            return;
        }
        let path = format!("/proc/self/fdinfo/{}", self.weak.as_raw_fd());
        let Ok(listing) = std::fs::read_to_string(path) else { return };
        let alive: HashSet<u64> = listing
            .lines()
            .filter_map(|line| line.split_once("data:"))
            .filter_map(|(_, rest)| rest.split_whitespace().next())
            .filter_map(|word| u64::from_str_radix(word, 16).ok())
            .collect();
        self.asked.retain(|token| {
            let open = alive.contains(token);
            if !open {
                out.push(*token);
            }
            open
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(liveness: &mut Liveness) -> Vec<u64> {
        let mut out = Vec::new();
        liveness.take_closed(&mut out);
        liveness.sweep(&mut out);
        out
    }

    fn the_last_close_is_told(mut liveness: Liveness) {
        let socket = unix::socket(unix::Kind::Stream, true).expect("a socket");
        let other = unix::socket(unix::Kind::Datagram, true).expect("a socket");
        liveness.watch(socket.as_fd(), 7).expect("watched");
        liveness.watch(other.as_fd(), 8).expect("watched");
        let copy = socket.try_clone().expect("a duplicate");
        drop(socket);
        assert_eq!(closed(&mut liveness), Vec::<u64>::new(), "a duplicate is still open");
        drop(copy);
        assert_eq!(closed(&mut liveness), [7]);
        assert_eq!(closed(&mut liveness), Vec::<u64>::new(), "told once");
        drop(other);
        assert_eq!(closed(&mut liveness), [8]);
    }

    #[test]
    fn the_last_close_is_told_by_the_kernel() {
        the_last_close_is_told(Liveness::new().expect("liveness"));
    }

    #[test]
    fn the_last_close_is_found_where_the_kernel_does_not_tell() {
        let mut liveness = Liveness::new().expect("liveness");
        liveness.inotify = None;
        the_last_close_is_told(liveness);
    }
}
