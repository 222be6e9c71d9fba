//! The error numbers that socket calls answer with: Linux's numbers on x86_64, with names and plain words.
use core::fmt;

/// A Linux error number (x86_64 numbering), as a system call would put it into `errno`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Errno(pub i32);

macro_rules! errnos {
    ($($name:ident = $number:literal, $words:literal;)*) => {
        impl Errno {
            $(
                #[doc = concat!("`", stringify!($name), "` (", stringify!($number), "): ", $words, ".")]
                pub const $name: Errno = Errno($number);
            )*

            /// The symbolic name, such as `"ECONNREFUSED"`; `None` for a number this stack never answers with.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)*
                    _ => None,
                }
            }

            /// What went wrong, in plain words; `"unknown error"` for a number this stack never answers with.
            pub const fn words(self) -> &'static str {
                match self.0 {
                    $($number => $words,)*
                    _ => "unknown error",
                }
            }

            #[cfg(test)]
            const ALL: &'static [(Errno, &'static str)] = &[$((Errno::$name, stringify!($name)),)*];
        }
    };
}

errnos! {
    EPERM = 1, "operation not permitted";
    ENOENT = 2, "no such file or directory";
    EINTR = 4, "interrupted call";
    EIO = 5, "input/output error";
    E2BIG = 7, "structure longer than what is known of it";
    EBADF = 9, "not an open socket";
    EAGAIN = 11, "would block: try again when the socket is ready";
    ENOMEM = 12, "out of memory";
    EACCES = 13, "permission denied";
    EFAULT = 14, "bad address of a buffer";
    EBUSY = 16, "device or resource busy";
    EEXIST = 17, "exists already";
    ENODEV = 19, "no such device";
    EINVAL = 22, "invalid argument";
    ENFILE = 23, "too many open files in the system";
    EMFILE = 24, "too many open files in the process";
    EPIPE = 32, "broken pipe: this side or the peer has ended the stream";
    EDOM = 33, "argument out of domain";
    ERANGE = 34, "result out of range";
    ENOSYS = 38, "call not implemented";
    ENOMSG = 42, "no message of this kind";
    ENODATA = 61, "no data available";
    ENONET = 64, "this host is cut off from the network";
    EPROTO = 71, "protocol error";
    EBADMSG = 74, "bad message";
    EOVERFLOW = 75, "value too large";
    ENOTSOCK = 88, "not a socket";
    EDESTADDRREQ = 89, "destination address required";
    EMSGSIZE = 90, "message too long";
    EPROTOTYPE = 91, "protocol does not fit the socket type";
    ENOPROTOOPT = 92, "protocol option not available";
    EPROTONOSUPPORT = 93, "protocol not supported";
    ESOCKTNOSUPPORT = 94, "socket type not supported";
    EOPNOTSUPP = 95, "operation not supported on this socket";
    EPFNOSUPPORT = 96, "protocol family not supported";
    EAFNOSUPPORT = 97, "address family not supported";
    EADDRINUSE = 98, "address already in use";
    EADDRNOTAVAIL = 99, "cannot assign the requested address";
    ENETDOWN = 100, "network is down";
    ENETUNREACH = 101, "network is unreachable";
    ENETRESET = 102, "connection dropped by the network";
    ECONNABORTED = 103, "connection aborted";
    ECONNRESET = 104, "connection reset by the peer";
    ENOBUFS = 105, "no buffer space available";
    EISCONN = 106, "socket is already connected";
    ENOTCONN = 107, "socket is not connected";
    ESHUTDOWN = 108, "cannot send after shutdown";
    ETOOMANYREFS = 109, "too many references";
    ETIMEDOUT = 110, "connection timed out";
    ECONNREFUSED = 111, "connection refused";
    EHOSTDOWN = 112, "host is down";
    EHOSTUNREACH = 113, "no route to host";
    EALREADY = 114, "operation already in progress";
    EINPROGRESS = 115, "operation now in progress";
    EREMOTEIO = 121, "remote input/output error";
    ECANCELED = 125, "operation cancelled";
    EKEYREJECTED = 129, "key was rejected: none for this peer, or one of another kind";
}

impl Errno {
    /// Linux uses one number for `EWOULDBLOCK` and [`EAGAIN`](Self::EAGAIN).
    pub const EWOULDBLOCK: Errno = Errno::EAGAIN;
    /// Linux uses one number for `ENOTSUP` and [`EOPNOTSUPP`](Self::EOPNOTSUPP).
    pub const ENOTSUP: Errno = Errno::EOPNOTSUPP;
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.words()),
            None => write!(f, "errno {}", self.0),
        }
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "Errno({})", self.0),
        }
    }
}

impl core::error::Error for Errno {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_linux_on_x86_64() {
        // Spot checks across the table, written down independently of it.
        for (errno, number) in [
            (Errno::EAGAIN, 11),
            (Errno::EPIPE, 32),
            (Errno::EDESTADDRREQ, 89),
            (Errno::ENOPROTOOPT, 92),
            (Errno::EADDRINUSE, 98),
            (Errno::ECONNRESET, 104),
            (Errno::ETIMEDOUT, 110),
            (Errno::EINPROGRESS, 115),
        ] {
            assert_eq!(errno.0, number);
        }
    }

    #[test]
    fn every_number_has_its_own_name_and_words_and_the_table_is_sorted() {
        assert!(Errno::ALL.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (errno, name) in Errno::ALL {
            assert_eq!(errno.name(), Some(*name));
            assert!(!errno.words().is_empty());
        }
    }

    #[test]
    fn an_error_prints_its_name_and_what_it_means() {
        assert_eq!(Errno::ECONNREFUSED.to_string(), "ECONNREFUSED (connection refused)");
        assert_eq!(Errno(4711).to_string(), "errno 4711");
        assert_eq!(format!("{:?}", Errno::EPIPE), "EPIPE");
    }
}
