//! Reaching the program's end of a socket once more, after the call it was
//! named in: by the descriptor last seen, or by a search. No duplicate is kept
//! in between, since it would hide the program's close.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use crate::sys::{self, unix};
use crate::wait;

/// Which descriptor of which task was last seen to be a socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holder {
    pub(crate) tid: u32,
    pub(crate) number: i32,
}

impl Holder {
    /// No descriptor yet; a search will find one.
    pub(crate) fn unknown(tid: u32) -> Holder {
        Holder { tid, number: -1 }
    }
}

/// Takes a task's descriptor if it still is the socket with this cookie.
fn borrow(tid: u32, fd: i32, cookie: u64) -> Option<OwnedFd> {
    let pidfd = sys::pidfd_open(tid).ok()?;
    let taken = sys::pidfd_getfd(pidfd.as_fd(), fd).ok()?;
    (unix::cookie(taken.as_fd()).ok()? == cookie).then_some(taken)
}

/// Whether no process of the run has another descriptor of this socket than the one.
pub(crate) fn is_last(theirs: BorrowedFd<'_>) -> bool {
    let link = format!("/proc/self/fd/{}", theirs.as_raw_fd());
    let Ok(name) = std::fs::read_link(link) else { return false };
    let is_it = |entry: std::fs::DirEntry| std::fs::read_link(entry.path()).is_ok_and(|target| target == name);
    let folders = wait::descendants().into_iter().filter_map(|pid| std::fs::read_dir(format!("/proc/{pid}/fd")).ok());
    folders.flat_map(|folder| folder.flatten()).filter_map(|entry| is_it(entry).then_some(())).take(2).count() < 2
}

/// The program's end, from where it was last seen or from any process of the
/// run that holds it.
pub(crate) fn borrow_from_anyone(last: Holder, cookie: u64) -> Option<(OwnedFd, Holder)> {
    if let Some(theirs) = borrow(last.tid, last.number, cookie) {
        return Some((theirs, last));
    }
    wait::descendants().into_iter().find_map(|pid| {
        let folder = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
        folder
            .flatten()
            .filter(|entry| {
                std::fs::read_link(entry.path())
                    .is_ok_and(|target| target.as_os_str().to_string_lossy().starts_with("socket:"))
            })
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .find_map(|number| {
                let holder = Holder { tid: pid as u32, number };
                borrow(holder.tid, number, cookie).map(|theirs| (theirs, holder))
            })
    })
}
