//! Which system calls the supervisor answers: the BPF program.
//!
//! Only what cannot be right natively is notified; everything else costs one
//! pass of the filter (about 30 ns). The filter sees numbers, flags and
//! whether a pointer is null; it cannot see what a descriptor is, so calls on
//! other sockets arrive too and are let through by the supervisor.
//! Ways round the filter are closed with ENOSYS: io_uring, the i386 and x32
//! tables.

use libc::{c_long, sock_filter};

use crate::calls::interface;
use crate::config::{Closing, ProcNet};

const RET_ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const RET_NOTIFY: u32 = libc::SECCOMP_RET_USER_NOTIF;
const RET_NO_SUCH_CALL: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xC000_00B7;
/// Set in the number of an x32 call.
#[cfg(target_arch = "x86_64")]
const X32: u32 = 0x4000_0000;

/// Flags of sendto/recvfrom whose native meaning on an AF_UNIX socket differs.
const SEND_FLAGS: u32 = libc::MSG_FASTOPEN as u32 | libc::MSG_ZEROCOPY as u32;
const RECV_FLAGS: u32 = libc::MSG_TRUNC as u32 | libc::MSG_ERRQUEUE as u32;

/// Flags of open that do not open a file to be read.
const OTHERWISE_OPENED: u32 = (libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_DIRECTORY | libc::O_PATH) as u32;

// Offsets in `struct seccomp_data`.
const OFFSET_NUMBER: u32 = 0;
const OFFSET_ARCHITECTURE: u32 = 4;
const fn low(argument: u32) -> u32 {
    16 + 8 * argument
}
const fn high(argument: u32) -> u32 {
    low(argument) + 4
}

const fn load(offset: u32) -> sock_filter {
    sock_filter { code: (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, jt: 0, jf: 0, k: offset }
}
const fn ret(action: u32) -> sock_filter {
    sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k: action }
}
const fn jump(test: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code: (libc::BPF_JMP | test | libc::BPF_K) as u16, jt, jf, k }
}

/// What is done with a call whose number matches. Every body ends in a return.
enum Rule {
    Notify,
    NoSuchCall,
    /// socket(): the internet families, rtnetlink, and what lists sockets.
    InternetSocket,
    /// ioctl(2): what is about interfaces.
    InterfaceRequests,
    /// open(2) and its kin: for reading. The argument with the flags.
    OpenForReading(u32),
    /// Notify when this pointer is given or one of these flags (argument 3) is set.
    PointerOrFlags {
        pointer: u32,
        flags: u32,
    },
}

impl Rule {
    fn body(&self) -> Vec<sock_filter> {
        match self {
            Rule::Notify => vec![ret(RET_NOTIFY)],
            Rule::NoSuchCall => vec![ret(RET_NO_SUCH_CALL)],
            Rule::InternetSocket => vec![
                load(low(0)),
                jump(libc::BPF_JEQ, libc::AF_INET as u32, 5, 0),
                jump(libc::BPF_JEQ, libc::AF_INET6 as u32, 4, 0),
                jump(libc::BPF_JEQ, libc::AF_NETLINK as u32, 0, 4),
                load(low(2)),
                jump(libc::BPF_JEQ, libc::NETLINK_ROUTE as u32, 1, 0),
                jump(libc::BPF_JEQ, libc::NETLINK_SOCK_DIAG as u32, 0, 1),
                ret(RET_NOTIFY),
                ret(RET_ALLOW),
            ],
            Rule::InterfaceRequests => vec![
                load(low(1)),
                jump(libc::BPF_JGE, interface::FIRST, 0, 2),
                jump(libc::BPF_JGT, interface::LAST, 1, 0),
                ret(RET_NOTIFY),
                ret(RET_ALLOW),
            ],
            Rule::OpenForReading(flags) => {
                vec![load(low(*flags)), jump(libc::BPF_JSET, OTHERWISE_OPENED, 0, 1), ret(RET_ALLOW), ret(RET_NOTIFY)]
            }
            Rule::PointerOrFlags { pointer, flags } => vec![
                load(low(*pointer)),
                jump(libc::BPF_JEQ, 0, 0, 4),
                load(high(*pointer)),
                jump(libc::BPF_JEQ, 0, 0, 2),
                load(low(3)),
                jump(libc::BPF_JSET, *flags, 0, 1),
                ret(RET_NOTIFY),
                ret(RET_ALLOW),
            ],
        }
    }
}

fn rules(closing: Closing, proc_net: ProcNet) -> Vec<(c_long, Rule)> {
    let mut rules = vec![
        (libc::SYS_socket, Rule::InternetSocket),
        (libc::SYS_ioctl, Rule::InterfaceRequests),
        (libc::SYS_sendto, Rule::PointerOrFlags { pointer: 4, flags: SEND_FLAGS }),
        (libc::SYS_recvfrom, Rule::PointerOrFlags { pointer: 4, flags: RECV_FLAGS }),
    ];
    // Accepting is always answered here, also without an address: every
    // descriptor a program holds is then one that the supervisor made.
    for number in [
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_getsockname,
        libc::SYS_getpeername,
        libc::SYS_setsockopt,
        libc::SYS_getsockopt,
        libc::SYS_shutdown,
        libc::SYS_sendmsg,
        libc::SYS_recvmsg,
        libc::SYS_sendmmsg,
        libc::SYS_recvmmsg,
    ] {
        rules.push((number, Rule::Notify));
    }
    if closing == Closing::Lingering {
        rules.push((libc::SYS_close, Rule::Notify));
    }
    if proc_net == ProcNet::Host {
        #[cfg(target_arch = "x86_64")]
        rules.push((libc::SYS_open, Rule::OpenForReading(1)));
        rules.push((libc::SYS_openat, Rule::OpenForReading(2)));
        rules.push((libc::SYS_openat2, Rule::Notify));
    }
    for number in [libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register] {
        rules.push((number, Rule::NoSuchCall));
    }
    rules
}

/// The whole program, ready for `seccomp(SECCOMP_SET_MODE_FILTER)`.
pub(crate) fn program(closing: Closing, proc_net: ProcNet) -> Vec<sock_filter> {
    let mut program = vec![
        load(OFFSET_ARCHITECTURE),
        jump(libc::BPF_JEQ, ARCHITECTURE, 1, 0),
        ret(RET_NO_SUCH_CALL),
        load(OFFSET_NUMBER),
    ];
    #[cfg(target_arch = "x86_64")]
    program.extend([jump(libc::BPF_JGE, X32, 0, 1), ret(RET_NO_SUCH_CALL)]);
    for (number, rule) in rules(closing, proc_net) {
        let body = rule.body();
        // The accumulator still holds the number where a rule is skipped.
        program.push(jump(libc::BPF_JEQ, number as u32, 0, body.len() as u8));
        program.extend(body);
    }
    program.push(ret(RET_ALLOW));
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Interprets the program as the kernel would.
    fn verdict(arch: u32, number: u32, args: [u64; 6]) -> u32 {
        verdict_of(&program(Closing::AtOnce, ProcNet::Machine), arch, number, args)
    }

    fn verdict_of(program: &[sock_filter], arch: u32, number: u32, args: [u64; 6]) -> u32 {
        let word = |offset: u32| match offset {
            OFFSET_NUMBER => number,
            OFFSET_ARCHITECTURE => arch,
            _ => {
                let argument = args[((offset - 16) / 8) as usize];
                (argument >> (8 * (offset % 8))) as u32
            }
        };
        let (mut at, mut a) = (0_usize, 0_u32);
        loop {
            let i = program[at];
            let code = u32::from(i.code);
            at += 1;
            if code & 7 == libc::BPF_LD {
                a = word(i.k);
            } else if code & 7 == libc::BPF_RET {
                return i.k;
            } else {
                let taken = match code & 0xf0 {
                    libc::BPF_JEQ => a == i.k,
                    libc::BPF_JGE => a >= i.k,
                    libc::BPF_JGT => a > i.k,
                    libc::BPF_JSET => a & i.k != 0,
                    other => panic!("jump {other:#x}"),
                };
                at += usize::from(if taken { i.jt } else { i.jf });
            }
        }
    }

    fn native(number: c_long, args: [u64; 6]) -> u32 {
        verdict(ARCHITECTURE, number as u32, args)
    }

    #[test]
    fn a_file_is_notified_only_where_it_may_be_the_stacks_and_is_opened_for_reading() {
        let open = |whose, flags: i32| {
            let program = program(Closing::AtOnce, whose);
            verdict_of(&program, ARCHITECTURE, libc::SYS_openat as u32, [0, 1, flags as u64, 0, 0, 0])
        };
        assert_eq!(open(ProcNet::Machine, libc::O_RDONLY), RET_ALLOW);
        assert_eq!(open(ProcNet::Host, libc::O_RDONLY | libc::O_CLOEXEC), RET_NOTIFY);
        for flags in [libc::O_WRONLY, libc::O_RDWR, libc::O_CREAT, libc::O_DIRECTORY] {
            assert_eq!(open(ProcNet::Host, flags), RET_ALLOW, "{flags:o}");
        }
    }

    #[test]
    fn only_internet_and_some_netlink_sockets_are_notified() {
        for (domain, protocol, expected) in [
            (libc::AF_INET, 0, RET_NOTIFY),
            (libc::AF_INET6, 0, RET_NOTIFY),
            (libc::AF_NETLINK, libc::NETLINK_ROUTE, RET_NOTIFY),
            (libc::AF_NETLINK, libc::NETLINK_SOCK_DIAG, RET_NOTIFY),
            (libc::AF_NETLINK, libc::NETLINK_AUDIT, RET_ALLOW),
            (libc::AF_UNIX, 0, RET_ALLOW),
            (libc::AF_PACKET, 0, RET_ALLOW),
        ] {
            let args = [domain as u64, 1, protocol as u64, 0, 0, 0];
            assert_eq!(native(libc::SYS_socket, args), expected, "domain {domain}");
        }
    }

    #[test]
    fn requests_about_interfaces_are_notified_and_no_others() {
        for (request, expected) in [
            (0x8912_u64, RET_NOTIFY),
            (0x8942, RET_NOTIFY),
            (u64::from(libc::FIONREAD as u32), RET_ALLOW),
            (0x5401, RET_ALLOW),
            (0x8943, RET_ALLOW),
        ] {
            assert_eq!(native(libc::SYS_ioctl, [3, request, 0, 0, 0, 0]), expected, "{request:x}");
        }
    }

    #[test]
    fn plain_sends_and_receives_stay_native() {
        for number in [libc::SYS_sendto, libc::SYS_recvfrom] {
            assert_eq!(native(number, [3, 1, 1, 0, 0, 0]), RET_ALLOW);
            assert_eq!(native(number, [3, 1, 1, 0, 0x10, 16]), RET_NOTIFY);
            assert_eq!(native(number, [3, 1, 1, 0, 0x7f << 32, 16]), RET_NOTIFY);
            assert_eq!(native(number, [3, 1, 1, libc::MSG_PEEK as u64, 0, 0]), RET_ALLOW);
        }
        assert_eq!(native(libc::SYS_sendto, [3, 1, 1, SEND_FLAGS.into(), 0, 0]), RET_NOTIFY);
        assert_eq!(native(libc::SYS_recvfrom, [3, 1, 1, libc::MSG_TRUNC as u64, 0, 0]), RET_NOTIFY);
        for number in [libc::SYS_read, libc::SYS_write, libc::SYS_close, libc::SYS_poll] {
            assert_eq!(native(number, [0; 6]), RET_ALLOW);
        }
    }

    #[test]
    fn a_close_is_notified_only_where_it_may_have_to_wait() {
        let close =
            |closing| verdict_of(&program(closing, ProcNet::Machine), ARCHITECTURE, libc::SYS_close as u32, [0; 6]);
        assert_eq!((close(Closing::AtOnce), close(Closing::Lingering)), (RET_ALLOW, RET_NOTIFY));
    }

    #[test]
    fn ways_round_the_filter_are_closed() {
        assert_eq!(native(libc::SYS_io_uring_setup, [0; 6]), RET_NO_SUCH_CALL);
        assert_eq!(verdict(0x4000_0003, 102, [0; 6]), RET_NO_SUCH_CALL);
        #[cfg(target_arch = "x86_64")]
        assert_eq!(verdict(ARCHITECTURE, X32 | 41, [2, 1, 0, 0, 0, 0]), RET_NO_SUCH_CALL);
    }

    #[test]
    fn the_program_fits_the_kernels_limit() {
        assert!(program(Closing::Lingering, ProcNet::Host).len() < 4096);
    }
}
