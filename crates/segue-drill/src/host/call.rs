//! System calls with raw arguments, and what they give: the same for every host.
//!
//! Numbers are Linux's on x86_64. Bytes that are written are zeros.
use std::net::SocketAddr;

pub use segue_kernel::sys::{Control, Shape};
use segue_wire::Instant;

/// A descriptor of the host under test.
pub type Fd = i32;

/// A system call.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Call {
    Socket {
        domain: i32,
        kind: i32,
        protocol: i32,
    },
    Bind {
        fd: Fd,
        address: SocketAddr,
    },
    Listen {
        fd: Fd,
        backlog: i32,
    },
    /// accept4(2).
    Accept {
        fd: Fd,
        flags: i32,
    },
    /// `None` disconnects (`AF_UNSPEC`).
    Connect {
        fd: Fd,
        to: Option<SocketAddr>,
    },
    Shutdown {
        fd: Fd,
        how: i32,
    },
    Close {
        fd: Fd,
    },
    /// getsockname(2).
    LocalAddress {
        fd: Fd,
    },
    /// getpeername(2).
    PeerAddress {
        fd: Fd,
    },
    /// One of the calls that read, into pieces of these lengths, with room for `control_room` bytes of control messages.
    Receive {
        fd: Fd,
        shape: Shape,
        pieces: Vec<usize>,
        flags: i32,
        control_room: usize,
    },
    /// One of the calls that write, from pieces of these lengths.
    Send {
        fd: Fd,
        shape: Shape,
        pieces: Vec<usize>,
        flags: i32,
        to: Option<SocketAddr>,
        control: Vec<Control>,
    },
    /// getsockopt(2); `value` is the room, and what stands in it before.
    GetOption {
        fd: Fd,
        level: i32,
        name: i32,
        value: Vec<u8>,
    },
    SetOption {
        fd: Fd,
        level: i32,
        name: i32,
        value: Vec<u8>,
    },
    /// ioctl(2) with one integer.
    Ioctl {
        fd: Fd,
        request: u64,
        argument: i32,
    },
    Fcntl {
        fd: Fd,
        command: i32,
        argument: i32,
    },
    /// Descriptors with the events that are asked for; `None` is one that is not open. Timeout in milliseconds, negative: none.
    Poll {
        entries: Vec<(Option<Fd>, i16)>,
        timeout: i32,
    },
    /// epoll_create1(2).
    EpollCreate {
        flags: i32,
    },
    EpollControl {
        epoll: Fd,
        operation: i32,
        fd: Fd,
        events: u32,
        data: u64,
    },
    EpollWait {
        epoll: Fd,
        max: i32,
        timeout: i32,
    },
    /// pipe2(2).
    Pipe {
        flags: i32,
    },
    /// splice(2): descriptors with their offsets.
    Splice {
        input: (Fd, Option<i64>),
        output: (Fd, Option<i64>),
        length: usize,
        flags: u32,
    },
    /// open(2) of a file that is there, or was made with [`Host::make_file`](super::Host::make_file).
    Open {
        path: String,
        flags: i32,
    },
    /// sendfile(2).
    SendFile {
        output: Fd,
        input: Fd,
        offset: Option<i64>,
        count: usize,
    },
    /// capset(2): give up a capability of the program, or take it again.
    Capability {
        capability: u32,
        is_on: bool,
    },
}

/// What a call gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Returned {
    /// When it returned.
    pub at: Instant,
    /// The value, or the errno.
    pub result: Result<i64, i32>,
    /// What it wrote into its arguments.
    pub output: Output,
}

/// What a call writes into its arguments, by kind of call.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Output {
    /// Nothing, or the call failed.
    #[default]
    Nothing,
    /// The peer of an accepted connection; a name that was asked for.
    Address(SocketAddr),
    /// What was read.
    Received {
        /// The bytes.
        data: Vec<u8>,
        /// `msg_flags`; 0 for all but recvmsg.
        flags: i32,
        /// Control messages, in order.
        control: Vec<Control>,
        /// Who sent it.
        from: Option<SocketAddr>,
    },
    /// The value of an option.
    Bytes(Vec<u8>),
    /// The integer of ioctl.
    Integer(i32),
    /// `revents` of each entry.
    Revents(Vec<i16>),
    /// Events with their data.
    Events(Vec<(u32, u64)>),
    /// The reading and the writing end.
    Pipe(Fd, Fd),
}

impl Call {
    /// The descriptor that the call is made on; `None` for those that make one, and for poll.
    pub fn descriptor(&self) -> Option<Fd> {
        match self {
            Call::Bind { fd, .. }
            | Call::Listen { fd, .. }
            | Call::Accept { fd, .. }
            | Call::Connect { fd, .. }
            | Call::Shutdown { fd, .. }
            | Call::Close { fd }
            | Call::LocalAddress { fd }
            | Call::PeerAddress { fd }
            | Call::Receive { fd, .. }
            | Call::Send { fd, .. }
            | Call::GetOption { fd, .. }
            | Call::SetOption { fd, .. }
            | Call::Ioctl { fd, .. }
            | Call::Fcntl { fd, .. } => Some(*fd),
            Call::EpollControl { epoll, .. } | Call::EpollWait { epoll, .. } => Some(*epoll),
            Call::Splice { input, .. } => Some(input.0),
            Call::SendFile { output, .. } => Some(*output),
            Call::Socket { .. }
            | Call::Poll { .. }
            | Call::EpollCreate { .. }
            | Call::Pipe { .. }
            | Call::Open { .. }
            | Call::Capability { .. } => None,
        }
    }
}
