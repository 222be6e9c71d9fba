//! Signals of the run and the end of the program.
//!
//! Signals sent to this process go on to the program; those of the terminal
//! reach the program by themselves, since it is in the same process group, and
//! stopping (Ctrl-Z) is left to the default, so job control works as without
//! the supervisor. The run ends when the last task under the filter is gone.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use crate::config::Descendants;
use crate::error::Exit;
use crate::sys::{check, owned};

/// Signals that are passed on.
const FORWARDED: [i32; 6] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGUSR1, libc::SIGUSR2];
/// How long descendants have between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);
/// How long after the program's end its remaining descendants are mentioned.
const MENTION_AFTER: Duration = Duration::from_millis(500);

/// The signals of this process as a descriptor, while it lives; must be made
/// before any other thread.
#[derive(Debug)]
pub(crate) struct Signals {
    fd: OwnedFd,
    before: libc::sigset_t,
}

impl Signals {
    pub(crate) fn block() -> io::Result<Signals> {
        // SAFETY: both sets are initialised by the calls that fill them.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            let mut before: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut set);
            for signal in FORWARDED.into_iter().chain([libc::SIGCHLD]) {
                libc::sigaddset(&mut set, signal);
            }
            let result = libc::pthread_sigmask(libc::SIG_BLOCK, &set, &mut before);
            if result != 0 {
                return Err(io::Error::from_raw_os_error(result));
            }
            let fd = owned(libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK).into())?;
            Ok(Signals { fd, before })
        }
    }

    /// The mask as it was, for the program.
    pub(crate) fn mask_before(&self) -> libc::sigset_t {
        self.before
    }

    fn next(&self) -> Option<libc::signalfd_siginfo> {
        // SAFETY: all-zero is a valid signalfd_siginfo, a plain structure.
        let mut info: libc::signalfd_siginfo = unsafe { std::mem::zeroed() };
        let size = size_of::<libc::signalfd_siginfo>();
        // SAFETY: `info` has room for one record.
        let read = unsafe { libc::read(self.fd.as_raw_fd(), (&raw mut info).cast(), size) };
        (usize::try_from(read) == Ok(size)).then_some(info)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // What came for the program and found it gone must not end this process late.
        while self.next().is_some() {}
        // SAFETY: `before` is the mask this thread had.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, std::ptr::null_mut()) };
    }
}

/// Whether the terminal sent it, and with it already to the program.
fn from_terminal(info: &libc::signalfd_siginfo) -> bool {
    info.ssi_code == libc::SI_KERNEL
}

/// Makes orphans of the program this process's children, so that they stay
/// within reach.
pub(crate) fn adopt_orphans(yes: bool) {
    // SAFETY: no pointers are passed.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, libc::c_ulong::from(yes)) };
}

/// How a run waits for its program.
#[derive(Clone, Copy)]
pub(crate) struct Waiting<'a> {
    pub(crate) name: &'a str,
    pub(crate) signals: &'a Signals,
    pub(crate) descendants: Descendants,
}

impl<'a> Waiting<'a> {
    /// Waits for the program, and for its descendants if there is a descriptor
    /// that hangs up when the last task under the filter is gone.
    pub(crate) fn wait(self, pid: i32, tasks: Option<BorrowedFd<'a>>) -> Exit {
        Wait { pid, name: self.name, signals: self.signals, tasks, descendants: self.descendants }.run()
    }
}

struct Wait<'a> {
    pid: i32,
    name: &'a str,
    signals: &'a Signals,
    tasks: Option<BorrowedFd<'a>>,
    descendants: Descendants,
}

impl Wait<'_> {
    /// How the program ended, once nothing of it runs any more.
    fn run(&self) -> Exit {
        let mut exit = None;
        let mut ended_at = None;
        let mut mentioned = false;
        let mut kill_at: Option<Instant> = None;
        loop {
            let tasks_gone = self.pause(exit.is_some(), self.timeout(ended_at, mentioned, kill_at));
            while let Some(info) = self.signals.next() {
                let signal = info.ssi_signo as i32;
                if signal == libc::SIGCHLD {
                    self.reap(&mut exit);
                } else if exit.is_none() {
                    self.forward(signal, &info);
                } else {
                    kill_at = Some(end_descendants(kill_at));
                }
            }
            self.reap(&mut exit);
            let Some(status) = exit else { continue };
            if tasks_gone || self.tasks.is_none() {
                return status;
            }
            let since = *ended_at.get_or_insert_with(Instant::now);
            match self.descendants {
                Descendants::End if kill_at.is_none() => kill_at = Some(end_descendants(None)),
                Descendants::Wait if !mentioned && since.elapsed() >= MENTION_AFTER => {
                    self.mention(status);
                    mentioned = true;
                }
                _ => {}
            }
            if kill_at.is_some_and(|at| Instant::now() >= at) {
                signal_descendants(libc::SIGKILL);
                kill_at = Some(Instant::now() + GRACE);
            }
        }
    }

    fn timeout(&self, ended: Option<Instant>, mentioned: bool, kill: Option<Instant>) -> i32 {
        let mention = ended.filter(|_| !mentioned).map(|at| at + MENTION_AFTER);
        match mention.into_iter().chain(kill).min() {
            None => -1,
            Some(at) => {
                let left = at.saturating_duration_since(Instant::now()).as_millis();
                i32::try_from(left).unwrap_or(i32::MAX).saturating_add(1)
            }
        }
    }

    /// Sleeps until something happens; whether no task is left.
    fn pause(&self, program_ended: bool, timeout: i32) -> bool {
        let entry = |fd: BorrowedFd<'_>, events| libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 };
        let mut entries = [
            entry(self.signals.fd.as_fd(), libc::POLLIN),
            // Until the program is reaped, the end of the tasks is no news.
            match self.tasks {
                Some(fd) if program_ended => entry(fd, 0),
                _ => libc::pollfd { fd: -1, events: 0, revents: 0 },
            },
        ];
        // SAFETY: both entries are valid.
        let _ = check(unsafe { libc::poll(entries.as_mut_ptr(), 2, timeout) });
        entries[1].revents & libc::POLLHUP != 0
    }

    fn reap(&self, exit: &mut Option<Exit>) {
        loop {
            let mut status = 0;
            // SAFETY: `status` is valid for the call.
            let pid = unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG) };
            if pid <= 0 {
                return;
            }
            if pid == self.pid {
                *exit = Some(if libc::WIFSIGNALED(status) {
                    Exit::Signal(libc::WTERMSIG(status))
                } else {
                    Exit::Code(libc::WEXITSTATUS(status) as u8)
                });
            }
        }
    }

    fn forward(&self, signal: i32, info: &libc::signalfd_siginfo) {
        if !from_terminal(info) {
            // SAFETY: the pid is our child and not yet reaped.
            unsafe { libc::kill(self.pid, signal) };
        }
    }

    fn mention(&self, status: Exit) {
        let names: Vec<String> = descendants()
            .into_iter()
            .map(|pid| {
                let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
                format!("{} ({pid})", name.trim())
            })
            .collect();
        if !names.is_empty() {
            eprintln!(
                "segue: {} ended with status {}; its network stays for {}. Ctrl-C ends them.",
                self.name,
                status.status(),
                names.join(", ")
            );
        }
    }
}

/// Asks the descendants to end; when they will be killed.
fn end_descendants(asked_before: Option<Instant>) -> Instant {
    signal_descendants(libc::SIGTERM);
    asked_before.unwrap_or_else(|| Instant::now() + GRACE)
}

fn signal_descendants(signal: i32) {
    for pid in descendants() {
        // SAFETY: no pointers are passed.
        unsafe { libc::kill(pid, signal) };
    }
}

/// Processes below this one that run under a seccomp filter.
pub(crate) fn descendants() -> Vec<i32> {
    let Ok(folder) = std::fs::read_dir("/proc") else { return Vec::new() };
    let parents: Vec<(i32, i32)> = folder
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid: i32| Some((pid, parent_under_filter(pid)?)))
        .collect();
    let mut found = vec![std::process::id() as i32];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found.split_off(1)
}

/// The parent of a living process that runs under a filter.
fn parent_under_filter(pid: i32) -> Option<i32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let alive = !field("State:")?.starts_with('Z');
    (alive && field("Seccomp:")? == "2").then(|| field("PPid:")?.parse().ok())?
}
