//! Starts the program under the filter and hands the listener over.
//!
//! The child is made first, while this process has one thread and nothing of
//! the network exists yet; it installs the filter, tells the number of its
//! listener descriptor and waits for the word to go on. So everything the
//! kernel may refuse is known before the program runs, and no notified call
//! happens during the hand-over. Between fork and exec the child makes only
//! async-signal-safe calls on memory prepared before.

use std::ffi::{CString, OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use crate::RunError;
use crate::config::{Closing, ProcNet};
use crate::filter;
use crate::sys::seccomp::Listener;
use crate::sys::{self, c_string, check};

/// A child that waits to execute the program.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) pid: i32,
    /// `None` when this process is itself served by a supervisor: the program
    /// then runs on that one's network.
    pub(crate) listener: Option<Listener>,
    program: OsString,
    go: std::fs::File,
    reports: std::fs::File,
}

/// What the child reports: a kind and an errno or a descriptor number.
#[repr(i32)]
#[derive(Clone, Copy)]
enum Report {
    Listener = 1,
    NoFilter = 2,
    ExecFailed = 3,
    NoNewPrivileges = 4,
}

const REPORT_SIZE: usize = 8;

/// Everything the child needs, in memory that exec can take as it is.
struct Plan {
    /// Files to try, in the order of PATH.
    candidates: Vec<CString>,
    arguments: Vec<*const libc::c_char>,
    /// `/bin/sh CANDIDATE ARGUMENTS…`, for files without a known format.
    shell_arguments: Vec<*const libc::c_char>,
    _argument_memory: Vec<CString>,
    filter: Vec<libc::sock_filter>,
    descriptor_limit: libc::rlimit,
    signal_mask: libc::sigset_t,
    parent: i32,
}

const SHELL: &std::ffi::CStr = c"/bin/sh";

impl Plan {
    fn new(
        program: &[OsString],
        (closing, proc_net): (Closing, ProcNet),
        descriptor_limit: libc::rlimit,
        signal_mask: libc::sigset_t,
    ) -> Result<Plan, RunError> {
        let name = program.first().ok_or(RunError::NoProgram)?;
        let invalid = |error| RunError::NotExecutable(name.clone(), error);
        let memory = program
            .iter()
            .map(|argument| c_string(argument.as_bytes()))
            .collect::<io::Result<Vec<_>>>()
            .map_err(invalid)?;
        let mut arguments: Vec<_> = memory.iter().map(|argument| argument.as_ptr()).collect();
        arguments.push(std::ptr::null());
        let mut shell_arguments = vec![SHELL.as_ptr(), std::ptr::null()];
        shell_arguments.extend(arguments.iter().skip(1));
        Ok(Plan {
            candidates: candidates(name, std::env::var_os("PATH").as_deref()).map_err(invalid)?,
            arguments,
            shell_arguments,
            _argument_memory: memory,
            filter: filter::program(closing, proc_net),
            descriptor_limit,
            signal_mask,
            // SAFETY: takes nothing, cannot fail.
            parent: unsafe { libc::getpid() },
        })
    }
}

/// The files exec is tried on, as execvp(3) finds them.
fn candidates(program: &OsStr, path: Option<&OsStr>) -> io::Result<Vec<CString>> {
    if program.as_bytes().contains(&b'/') {
        return Ok(vec![c_string(program.as_bytes())?]);
    }
    if program.is_empty() {
        return Ok(Vec::new());
    }
    let path = path.unwrap_or(OsStr::new("/bin:/usr/bin"));
    std::env::split_paths(path)
        .map(|folder| {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { &folder };
            c_string(folder.join(program).into_os_string().into_vec().as_slice())
        })
        .collect()
}

/// Forks the child and takes over its listener.
///
/// # Errors
/// The kernel does not allow a piece of it; the child is gone then.
pub(crate) fn prepare(
    program: &[OsString],
    answered: (Closing, ProcNet),
    descriptor_limit: libc::rlimit,
    signal_mask: libc::sigset_t,
) -> Result<Prepared, RunError> {
    let mut plan = Plan::new(program, answered, descriptor_limit, signal_mask)?;
    let failed = |error| RunError::Supervisor("cannot start a process", error);
    let (go_read, go_write) = sys::pipe().map_err(failed)?;
    let (report_read, report_write) = sys::pipe().map_err(failed)?;
    // SAFETY: the child only makes async-signal-safe calls (see `child`).
    let pid = check(unsafe { libc::fork() }).map_err(failed)?;
    if pid == 0 {
        // SAFETY: this is the child; the descriptors are its own copies.
        unsafe {
            libc::close(go_write.as_raw_fd());
            child(&mut plan, go_read.as_raw_fd(), report_write.as_raw_fd())
        }
    }
    drop((go_read, report_write));
    let mut prepared = Prepared {
        pid,
        listener: None,
        program: program.first().cloned().unwrap_or_default(),
        go: go_write.into(),
        reports: report_read.into(),
    };
    match prepared.take_over() {
        Ok(listener) => {
            prepared.listener = listener;
            Ok(prepared)
        }
        Err(error) => {
            prepared.abandon();
            Err(error)
        }
    }
}

const OLD_KERNEL: &str = "segue run needs Linux 5.14 or newer with CONFIG_SECCOMP_FILTER";
const CONTAINER: &str = "in a container, allow seccomp, pidfd_getfd and process_vm_readv in its \
                         profile (Docker: --security-opt seccomp=unconfined, or --cap-add SYS_PTRACE); \
                         with Yama, kernel.yama.ptrace_scope must be 0 or 1";

impl Prepared {
    fn take_over(&mut self) -> Result<Option<Listener>, RunError> {
        let refused = |what, error, advice| RunError::Kernel { what, error, advice };
        let number = match self.report()? {
            Some((kind, value)) if kind == Report::Listener as i32 => value,
            Some((kind, libc::EBUSY)) if kind == Report::NoFilter as i32 => return Ok(None),
            Some((kind, errno)) if kind == Report::NoFilter as i32 => {
                let advice = if errno == libc::EINVAL || errno == libc::ENOSYS { OLD_KERNEL } else { CONTAINER };
                let error = io::Error::from_raw_os_error(errno);
                return Err(refused("a seccomp filter with notification", error, advice));
            }
            Some((_, errno)) => {
                let error = io::Error::from_raw_os_error(errno);
                return Err(refused("setting no_new_privs", error, CONTAINER));
            }
            None => {
                let error = io::Error::from(io::ErrorKind::UnexpectedEof);
                return Err(RunError::Supervisor("the child ended before the program", error));
            }
        };
        let pid = self.pid as u32;
        let listener = sys::pidfd_open(pid)
            .and_then(|pidfd| sys::pidfd_getfd(pidfd.as_fd(), number))
            .map_err(|error| refused("taking a child's descriptor (pidfd_getfd)", error, CONTAINER))?;
        let listener = Listener::new(listener);
        // The child is a copy of this process: the same address is valid there.
        let probe = [0x5e_u8; 8];
        let mut copy = [0; 8];
        sys::memory::read(pid, probe.as_ptr() as u64, &mut copy)
            .map_err(|error| refused("reading a child's memory (process_vm_readv)", error, CONTAINER))?;
        listener
            .check_add_descriptor()
            .map_err(|error| refused("placing a descriptor with the answer", error, OLD_KERNEL))?;
        listener.wake_synchronously();
        Ok(Some(listener))
    }

    /// The next report of the child; `None` when it executed or ended.
    fn report(&mut self) -> Result<Option<(i32, i32)>, RunError> {
        let mut bytes = [0; REPORT_SIZE];
        match self.reports.read_exact(&mut bytes) {
            Ok(()) => {
                let (kind, value) = bytes.split_at(4);
                let number = |part: &[u8]| part.try_into().map(i32::from_ne_bytes).unwrap_or(0);
                Ok(Some((number(kind), number(value))))
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(RunError::Supervisor("cannot hear from the child", error)),
        }
    }

    /// Lets the child execute the program.
    ///
    /// # Errors
    /// The program is not there (127) or cannot be executed (126).
    pub(crate) fn start(mut self) -> Result<i32, RunError> {
        let told = self.go.write_all(b"g");
        match (told, self.report()?) {
            (Ok(()), None) => Ok(self.pid),
            (_, Some((_, errno))) => {
                let error = io::Error::from_raw_os_error(errno);
                let program = std::mem::take(&mut self.program);
                self.abandon();
                Err(match errno {
                    libc::ENOENT | libc::ENOTDIR => RunError::NotFound(program),
                    _ => RunError::NotExecutable(program, error),
                })
            }
            (Err(error), None) => {
                self.abandon();
                Err(RunError::Supervisor("the child ended before the program", error))
            }
        }
    }

    /// Ends the child without running the program.
    pub(crate) fn abandon(self) {
        // SAFETY: no pointers that outlive the call; the pid is our unreaped child.
        unsafe {
            libc::kill(self.pid, libc::SIGKILL);
            libc::waitpid(self.pid, std::ptr::null_mut(), 0);
        }
    }
}

fn tell(reports: RawFd, kind: Report, value: i32) {
    let mut bytes = [0; REPORT_SIZE];
    bytes[..4].copy_from_slice(&(kind as i32).to_ne_bytes());
    bytes[4..].copy_from_slice(&value.to_ne_bytes());
    // SAFETY: `bytes` is valid for its length. A lost report ends the run as well.
    unsafe { libc::write(reports, bytes.as_ptr().cast(), bytes.len()) };
}

fn last_errno() -> i32 {
    // SAFETY: the location is valid in every thread.
    unsafe { *libc::__errno_location() }
}

/// The child's way to exec.
///
/// # Safety
/// Only in a freshly forked child. Makes no call that is not async-signal-safe:
/// no allocation, no locks.
unsafe fn child(plan: &mut Plan, go: RawFd, reports: RawFd) -> ! {
    // SAFETY: plain system calls on descriptors and memory the child owns.
    unsafe {
        // The death of the supervisor ends the program; checked again since the
        // parent may have died before the request.
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        if libc::getppid() != plan.parent {
            libc::_exit(125);
        }
        if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 {
            tell(reports, Report::NoNewPrivileges, last_errno());
            libc::_exit(125);
        }
        let filter = libc::sock_fprog { len: plan.filter.len() as u16, filter: plan.filter.as_mut_ptr() };
        let listener = libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &filter,
        );
        if listener >= 0 {
            tell(reports, Report::Listener, listener as i32);
        } else {
            let errno = last_errno();
            tell(reports, Report::NoFilter, errno);
            if errno != libc::EBUSY {
                libc::_exit(125);
            }
        }
        let mut word = 0_u8;
        if libc::read(go, (&raw mut word).cast(), 1) != 1 {
            libc::_exit(125);
        }
        if listener >= 0 {
            libc::close(listener as i32);
        }
        libc::setrlimit(libc::RLIMIT_NOFILE, &plan.descriptor_limit);
        // Rust ignores SIGPIPE; a program expects the default.
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        libc::sigprocmask(libc::SIG_SETMASK, &plan.signal_mask, std::ptr::null_mut());
        tell(reports, Report::ExecFailed, execute(plan));
        libc::_exit(127)
    }
}

/// As execvp(3): the first candidate that can be executed; a candidate without
/// permission is remembered; one without a known format is a shell script.
///
/// # Safety
/// As [`child`].
unsafe fn execute(plan: &mut Plan) -> i32 {
    unsafe extern "C" {
        static environ: *const *const libc::c_char;
    }
    let mut result = libc::ENOENT;
    for candidate in &plan.candidates {
        // SAFETY: all vectors are NULL-terminated and outlive the call.
        unsafe { libc::execve(candidate.as_ptr(), plan.arguments.as_ptr(), environ) };
        match last_errno() {
            libc::ENOENT | libc::ENOTDIR => {}
            // A folder of PATH that may not be searched hides nothing.
            // SAFETY: the candidate is a C string.
            libc::EACCES if unsafe { libc::access(candidate.as_ptr(), libc::F_OK) } == 0 => {
                result = libc::EACCES;
            }
            libc::EACCES => {}
            libc::ENOEXEC => {
                if let Some(script) = plan.shell_arguments.get_mut(1) {
                    *script = candidate.as_ptr();
                }
                // SAFETY: as above.
                unsafe {
                    libc::execve(SHELL.as_ptr(), plan.shell_arguments.as_ptr(), environ);
                }
                return libc::ENOEXEC;
            }
            other => return other,
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(program: &str, path: Option<&str>) -> Vec<String> {
        candidates(OsStr::new(program), path.map(OsStr::new))
            .expect("no NUL inside")
            .iter()
            .map(|c| c.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn a_program_is_looked_up_in_the_path_as_execvp_does() {
        assert_eq!(found("curl", Some("/a:/b")), ["/a/curl", "/b/curl"]);
        assert_eq!(found("curl", Some("/a:")), ["/a/curl", "./curl"]);
        assert_eq!(found("./curl", Some("/a")), ["./curl"]);
        assert_eq!(found("curl", None), ["/bin/curl", "/usr/bin/curl"]);
        assert!(found("", Some("/a")).is_empty());
    }
}
