//! The notified system calls, one handler each.

pub(crate) mod file;
pub(crate) mod interface;
pub(crate) mod message;
mod option;
mod socket;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::caller::{Answer, Caller, Reply, Tasks};
use crate::route;
use crate::supervisor::Supervisor;
use crate::sys::errno;
use crate::sys::seccomp::Notification;

/// Answers notifications until the last task is gone.
///
/// Sits in the receive ioctl itself: polling first would cost each call one
/// system call more. Never waits for anything else; what has to wait is parked.
pub(crate) fn serve(sup: &Arc<Supervisor>) {
    let mut tasks = Tasks::default();
    loop {
        match sup.listener.receive() {
            Ok(call) => answer(sup, &mut tasks, call),
            Err(error) => match errno(&error) {
                libc::EINTR => {}
                // Either this one caller was interrupted, or no task is left.
                libc::ENOENT if !sup.listener.is_deserted() => {}
                _ => return,
            },
        }
    }
}

fn answer(sup: &Arc<Supervisor>, tasks: &mut Tasks, call: Notification) {
    sup.stats.calls.fetch_add(1, Ordering::Relaxed);
    let mut caller = Caller { sup, call, tasks };
    let reply = dispatch(&mut caller);
    // An answer that finds nobody is no loss: the kernel repeats the call, or
    // the caller has been told EINTR; the handlers leave nothing half done.
    let _ = match reply {
        Ok(Answer::Value(value)) => sup.listener.answer(call.id, Ok(value)),
        Ok(Answer::LetThrough) => sup.listener.let_through(call.id),
        Ok(Answer::Elsewhere) => return,
        Err(error) => sup.listener.answer(call.id, Err(error)),
    };
}

fn dispatch(caller: &mut Caller<'_>) -> Reply {
    if caller.sup.has_routes()
        && i64::from(caller.call.call.nr) != libc::SYS_socket
        && let Some(reply) = route::call(caller)
    {
        return reply;
    }
    match i64::from(caller.call.call.nr) {
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => file::open(caller),
        libc::SYS_openat | libc::SYS_openat2 => file::open(caller),
        libc::SYS_ioctl => interface::ask(caller),
        libc::SYS_socket => socket::create(caller),
        libc::SYS_connect => socket::connect(caller),
        libc::SYS_bind => socket::bind(caller),
        libc::SYS_listen => socket::listen(caller),
        libc::SYS_accept | libc::SYS_accept4 => socket::accept(caller),
        libc::SYS_getsockname => socket::own_name(caller),
        libc::SYS_getpeername => socket::peer_name(caller),
        libc::SYS_shutdown => socket::shutdown(caller),
        libc::SYS_close => socket::close(caller),
        libc::SYS_setsockopt => option::set(caller),
        libc::SYS_getsockopt => option::get(caller),
        libc::SYS_sendto | libc::SYS_sendmsg | libc::SYS_sendmmsg => message::send(caller),
        libc::SYS_recvfrom | libc::SYS_recvmsg | libc::SYS_recvmmsg => message::receive(caller),
        _ => Ok(Answer::LetThrough),
    }
}
