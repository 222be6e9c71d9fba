//! Threads: their namespaces, their priority, and how a call in one is ended from another.
use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use super::check;

/// Gives this process new user and network namespaces. It must have one thread only.
pub(crate) fn enter_new_user_and_network() -> io::Result<()> {
    // SAFETY: no pointers are passed.
    check(unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET) }).map(drop)
}

/// Lets this thread run before all ordinary ones, so that what is due is done when it is due. Without the privilege it stays
/// as it is.
pub fn raise_priority() {
    let priority = libc::sched_param { sched_priority: 10 };
    // SAFETY: the pointer points to a parameter block that outlives the call; 0 is this thread.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, &raw const priority) };
    // SAFETY: this call takes its arguments by value. Sleeps end when they are over and not up to 50 µs later.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1u64) };
}

/// Gives up a capability of this thread, or takes it again if it is permitted.
///
/// # Errors
/// The kernel's.
pub fn set_capability(capability: u32, is_on: bool) -> io::Result<()> {
    /// `struct __user_cap_header_struct` with `_LINUX_CAPABILITY_VERSION_3`.
    #[repr(C)]
    struct Header {
        version: u32,
        process: i32,
    }
    /// `struct __user_cap_data_struct`.
    #[repr(C)]
    #[derive(Clone, Copy, Default)]
    struct Data {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }
    let mut header = Header { version: 0x2008_0522, process: 0 };
    let mut data = [Data::default(); 2];
    let asked = |result: libc::c_long| if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) };
    // SAFETY: the header and the two data structures are what this version wants, and outlive the call.
    asked(unsafe { libc::syscall(libc::SYS_capget, &raw mut header, data.as_mut_ptr()) })?;
    let (word, bit) = (capability as usize / 32, 1 << (capability % 32));
    let Some(word) = data.get_mut(word) else { return Err(io::Error::from_raw_os_error(libc::EINVAL)) };
    word.effective = if is_on { word.effective | bit } else { word.effective & !bit };
    // SAFETY: as above; this thread alone is changed.
    asked(unsafe { libc::syscall(libc::SYS_capset, &raw mut header, data.as_ptr()) })
}

/// Which thread to interrupt.
#[derive(Clone, Copy)]
pub(crate) struct ThreadHandle {
    process: libc::pid_t,
    thread: libc::pid_t,
}

impl ThreadHandle {
    /// The calling thread.
    pub(crate) fn current() -> ThreadHandle {
        // SAFETY: no arguments, no way to fail.
        unsafe { ThreadHandle { process: libc::getpid(), thread: libc::gettid() } }
    }

    /// Ends a system call of that thread with `EINTR`, if it is in one. A thread that is gone is no harm.
    pub(crate) fn interrupt(self) {
        // SAFETY: no pointers are passed; the signal has a handler once `install_interruption` ran.
        unsafe { libc::syscall(libc::SYS_tgkill, self.process, self.thread, signal()) };
    }

    /// Whether the thread sleeps in the kernel.
    pub(crate) fn is_asleep(self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/self/task/{}/stat", self.thread)).unwrap_or_default();
        // The name in parentheses may hold anything, the state follows it.
        stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('S'))
    }
}

/// A signal that nothing else uses.
fn signal() -> i32 {
    libc::SIGRTMAX() - 3
}

/// Gives the signal of [`ThreadHandle::interrupt`] a handler that does nothing, once per process.
pub(crate) fn install_interruption() {
    extern "C" fn nothing(_: i32) {}
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| {
        // SAFETY: sigaction consists of integers and a nullable pointer; all zero is valid for each.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        let handler: extern "C" fn(i32) = nothing;
        action.sa_sigaction = handler as usize;
        // SAFETY: the action is complete (no flags, so calls are not restarted) and its handler touches nothing.
        unsafe { libc::sigaction(signal(), &raw const action, std::ptr::null_mut()) };
    });
}

/// The time between two ticks of the kernel's clock.
pub fn tick() -> Duration {
    let mut resolution = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer points to a timespec that outlives the call.
    let outcome = unsafe { libc::clock_getres(libc::CLOCK_MONOTONIC_COARSE, &raw mut resolution) };
    debug_assert_eq!(outcome, 0, "every Linux has this clock");
    // The coarse clock moves with the tick.
    Duration::from_nanos(u64::try_from(resolution.tv_nsec).unwrap_or_default().max(1))
}
