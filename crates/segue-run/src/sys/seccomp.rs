//! The kernel's user-notification interface: structures, ioctls, and the typed
//! listener. Layouts are those of <linux/seccomp.h>.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use super::check;

/// What a notified task was about to do.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Call {
    pub(crate) nr: i32,
    pub(crate) arch: u32,
    pub(crate) instruction_pointer: u64,
    pub(crate) args: [u64; 6],
}

/// One notification; the caller waits until it is answered.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Notification {
    pub(crate) id: u64,
    /// The caller's thread.
    pub(crate) tid: u32,
    flags: u32,
    pub(crate) call: Call,
}

impl Notification {
    /// An argument that is an `int`.
    pub(crate) fn int(&self, index: usize) -> i32 {
        self.call.args[index] as u32 as i32
    }

    /// An argument that is an address or a size.
    pub(crate) fn word(&self, index: usize) -> u64 {
        self.call.args[index]
    }
}

#[repr(C)]
#[derive(Default)]
struct Response {
    id: u64,
    val: i64,
    error: i32,
    flags: u32,
}

#[repr(C)]
#[derive(Default)]
struct AddFd {
    id: u64,
    flags: u32,
    srcfd: u32,
    newfd: u32,
    newfd_flags: u32,
}

const RESPONSE_CONTINUE: u32 = 1;
const ADDFD_SETFD: u32 = 1;
const ADDFD_SEND: u32 = 2;
const SYNC_WAKE_UP: u64 = 1;

const fn request(direction: u64, number: u64, size: usize) -> u64 {
    (direction << 30) | ((size as u64) << 16) | ((b'!' as u64) << 8) | number
}
const RECV: u64 = request(3, 0, size_of::<Notification>());
const SEND: u64 = request(3, 1, size_of::<Response>());
const ID_VALID: u64 = request(1, 2, size_of::<u64>());
const ADDFD: u64 = request(1, 3, size_of::<AddFd>());
const SET_FLAGS: u64 = request(1, 4, size_of::<u64>());

/// Whether a task took the answer, or was interrupted before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Delivery {
    /// The call returned with it.
    Taken,
    /// The task no longer waits: a signal, or death. The call may come again.
    Gone,
}

/// The supervisor's end of a filter.
#[derive(Debug)]
pub(crate) struct Listener(OwnedFd);

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Listener {
    pub(crate) fn new(fd: OwnedFd) -> Listener {
        Listener(fd)
    }

    fn ioctl<T>(&self, request: u64, argument: *mut T) -> io::Result<i32> {
        // SAFETY: every caller passes the structure that belongs to the request.
        check(unsafe { libc::ioctl(self.0.as_raw_fd(), request as _, argument) })
    }

    /// Wakes the two sides of a notification on one processor (since 6.6; the
    /// older kernel's answer is ignored: it costs time, not correctness).
    pub(crate) fn wake_synchronously(&self) {
        // SAFETY: SET_FLAGS takes its value in place of a pointer.
        let _ = unsafe { libc::ioctl(self.0.as_raw_fd(), SET_FLAGS as _, SYNC_WAKE_UP) };
    }

    /// Whether a descriptor can be placed together with the answer (since 5.14).
    pub(crate) fn check_add_descriptor(&self) -> io::Result<()> {
        let mut request = AddFd { flags: ADDFD_SEND, srcfd: self.0.as_raw_fd() as u32, ..AddFd::default() };
        match self.ioctl(ADDFD, &mut request) {
            // The flags are known; there is only no such notification.
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Ok(()),
        }
    }

    /// Whether no task is left under the filter.
    pub(crate) fn is_deserted(&self) -> bool {
        super::unix::poll_now(self.0.as_fd(), 0) & libc::POLLHUP != 0
    }

    /// Waits for the next notification.
    ///
    /// # Errors
    /// ENOENT: the caller was interrupted in between, or (since 6.11) no task
    /// is left; EINTR.
    pub(crate) fn receive(&self) -> io::Result<Notification> {
        let mut notification = Notification::default();
        self.ioctl(RECV, &mut notification)?;
        Ok(notification)
    }

    fn send(&self, mut response: Response) -> Delivery {
        match self.ioctl(SEND, &mut response) {
            Ok(_) => Delivery::Taken,
            Err(_) => Delivery::Gone,
        }
    }

    /// The call returns this value.
    pub(crate) fn answer(&self, id: u64, result: Result<i64, i32>) -> Delivery {
        let (val, error) = match result {
            Ok(value) => (value, 0),
            Err(errno) => (0, -errno),
        };
        self.send(Response { id, val, error, flags: 0 })
    }

    /// The kernel performs the call as it is.
    pub(crate) fn let_through(&self, id: u64) -> Delivery {
        self.send(Response { id, val: 0, error: 0, flags: RESPONSE_CONTINUE })
    }

    /// Whether the caller still waits.
    pub(crate) fn is_waiting(&self, id: u64) -> bool {
        let mut id = id;
        self.ioctl(ID_VALID, &mut id).is_ok()
    }

    /// Places a duplicate of `fd` into the caller's table and returns its
    /// number to the caller, in one step.
    ///
    /// # Errors
    /// ENOENT: the caller is gone and nothing was placed; EMFILE: its table is full.
    pub(crate) fn answer_with_descriptor(&self, id: u64, fd: BorrowedFd<'_>, close_on_exec: bool) -> io::Result<i32> {
        let mut request = AddFd {
            id,
            flags: ADDFD_SEND,
            srcfd: fd.as_raw_fd() as u32,
            newfd: 0,
            newfd_flags: if close_on_exec { libc::O_CLOEXEC as u32 } else { 0 },
        };
        self.ioctl(ADDFD, &mut request)
    }

    /// Puts a duplicate of `fd` in the place of the caller's descriptor
    /// `number`; the call still waits for its answer.
    pub(crate) fn replace_descriptor(
        &self,
        id: u64,
        fd: BorrowedFd<'_>,
        number: i32,
        close_on_exec: bool,
    ) -> io::Result<()> {
        let mut request = AddFd {
            id,
            flags: ADDFD_SETFD,
            srcfd: fd.as_raw_fd() as u32,
            newfd: number as u32,
            newfd_flags: if close_on_exec { libc::O_CLOEXEC as u32 } else { 0 },
        };
        self.ioctl(ADDFD, &mut request).map(drop)
    }
}
