//! open(2) and its kin, where the run has been asked to let programs read the stack's own files of /proc/net.
//!
//! Everything else is the kernel's. What is given is the text as it was at the time of opening.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};

use segue::SocketId;
use segue_stack::Stack;

use crate::caller::{Answer, Caller, Reply};
use crate::supervisor::Supervisor;
use crate::sys::{errno, own_fd_path, owned};

/// Longer than any name of a file of /proc/net.
const LONGEST: usize = 64;

pub(super) fn open(caller: &mut Caller<'_>) -> Reply {
    let (path_at, flags) = match i64::from(caller.call.call.nr) {
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => (0, caller.call.int(1)),
        libc::SYS_openat2 => (1, caller.read(caller.call.word(2), 8).map_or(0, |how| first_int(&how))),
        _ => (1, caller.call.int(2)),
    };
    let Some(name) = path(caller, caller.call.word(path_at)).and_then(|path| file_of(&path)) else {
        return Ok(Answer::LetThrough);
    };
    let holders = holders(caller.sup);
    let inode = |id: SocketId| holders.get(&id).copied().unwrap_or(0);
    let Some(text) = caller.sup.host.with_stack(|stack, now| stack.proc_net(now, name, &inode)) else {
        return Ok(Answer::LetThrough);
    };
    let file = readable(&text).map_err(|error| errno(&error))?;
    match caller.sup.listener.answer_with_descriptor(caller.call.id, file.as_fd(), flags & libc::O_CLOEXEC != 0) {
        Ok(_) => Ok(Answer::Elsewhere),
        Err(error) => Err(errno(&error)),
    }
}

fn first_int(bytes: &[u8]) -> i32 {
    bytes.get(..4).and_then(|part| part.try_into().ok()).map_or(0, i32::from_ne_bytes)
}

/// The path, if it is short enough to matter.
fn path(caller: &Caller<'_>, at: u64) -> Option<String> {
    let mut bytes = caller.read(at, LONGEST).ok();
    // The end of its memory may be nearer.
    for len in [32, 16] {
        bytes = bytes.or_else(|| caller.read(at, len).ok());
    }
    let bytes = bytes?;
    let end = bytes.iter().position(|byte| *byte == 0)?;
    String::from_utf8(bytes.get(..end)?.to_vec()).ok()
}

/// Which of the stack's files a path means. That of any process will do: all that can be meant are on one network.
pub(crate) fn file_of(path: &str) -> Option<&'static str> {
    let rest = path.strip_prefix("/proc/")?;
    let name = match rest.split_once('/')? {
        ("net", name) => name,
        ("self" | "thread-self", rest) => rest.strip_prefix("net/")?,
        (pid, rest) if pid.bytes().all(|digit| digit.is_ascii_digit()) => rest.strip_prefix("net/")?,
        _ => return None,
    };
    Stack::PROC_NET.iter().copied().find(|known| *known == name)
}

/// The number of the file that a program holds for each socket.
fn holders(sup: &Supervisor) -> HashMap<SocketId, u64> {
    let all = sup.all();
    all.iter().map(|sock| (crate::lock(&sock.state).endpoint().id(), sock.inode)).collect()
}

/// A file in memory that can only be read.
fn readable(text: &str) -> io::Result<OwnedFd> {
    // SAFETY: the name is a C string.
    let fd = owned(unsafe { libc::memfd_create(c"segue-proc-net".as_ptr(), libc::MFD_CLOEXEC) }.into())?;
    let mut file = File::from(fd);
    file.write_all(text.as_bytes())?;
    File::open(own_fd_path(file.as_fd())).map(OwnedFd::from)
}

#[cfg(test)]
mod tests {
    use super::file_of;

    #[test]
    fn the_stacks_files_are_known_by_every_path_that_leads_to_them() {
        for (path, name) in [
            ("/proc/net/tcp", Some("tcp")),
            ("/proc/self/net/udp6", Some("udp6")),
            ("/proc/1234/net/sockstat", Some("sockstat")),
            ("/proc/thread-self/net/snmp", Some("snmp")),
            ("/proc/net/unix", None),
            ("/proc/net/", None),
            ("/proc/sys/net/tcp", None),
            ("/proc/1234/fd", None),
            ("net/tcp", None),
        ] {
            assert_eq!(file_of(path), name, "{path}");
        }
    }
}
