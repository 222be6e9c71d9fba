//! This machine's kernel, in a network namespace of its own and in real time.
//!
//! Decides how calls become system calls: in one thread, which blocks in them as any program would. The namespace and all that
//! is in it end with this value, and with the process however that ends.
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use segue_kernel::{Caller, Clock, Namespace, NamespaceConfig, TimerWheel, Tool, sys};
use segue_link::Prefix;
use segue_wire::{ChecksumState, Instant, Packet};

use super::{
    Call, Fd, Host, HostError, LinkChange, Network, OffloadChange, Output, Patience, Progress, Returned, RouteAction,
    RouteChange, RouteMetric, Sent, Woken,
};

const DEVICE: &str = "tun0";
const CONGESTION: &str = "net.ipv4.tcp_congestion_control";
const SOL_SOCKET: i32 = 1;
const SO_LINGER: i32 = 13;
const SOL_TCP: i32 = 6;
const TCP_CONGESTION: i32 = 13;
const SOCK_STREAM: i32 = 1;
/// `O_CREAT`, `O_EXCL` and `O_TRUNC`: a file that was made is there already, and nobody else's is made.
const CREATING: i32 = 0o100 | 0o200 | 0o1000;
const EBADF: i32 = 9;
/// For an error that did not come from the kernel.
const EIO: i32 = 5;

/// What every namespace begins with: the values a machine of ordinary size has, whatever this one has, and no packets that
/// nobody asked for.
const SETTINGS: &[(&str, &str)] = &[
    ("net.ipv4.tcp_rmem", "4096 131072 33554432"),
    ("net.ipv4.tcp_wmem", "4096 16384 4194304"),
    ("net.ipv6.conf.default.accept_ra", "0"),
    ("net.ipv6.conf.default.router_solicitations", "0"),
    // No address that nobody asked for, so no reports of groups.
    ("net.ipv6.conf.default.addr_gen_mode", "1"),
];

/// What a call gives in the calling thread: a result, and the descriptors that were made.
type Made = (io::Result<i64>, Output, Vec<OwnedFd>);

/// The kernel as a host under test.
pub struct LinuxHost {
    clock: Clock,
    wheel: TimerWheel,
    caller: Caller<Made>,
    network: Network,
    descriptors: BTreeMap<Fd, Arc<OwnedFd>>,
    /// Files that were made: memory with a path that only this host knows.
    files: BTreeMap<String, OwnedFd>,
    captured: VecDeque<Sent>,
    /// A namespace refuses most algorithms as its default: each socket is given this one instead.
    congestion: String,
    /// Dropped last: the calling thread is in it.
    namespace: Namespace,
}

impl LinuxHost {
    /// Make a namespace with this network.
    ///
    /// # Errors
    /// What is missing: privileges, `/dev/net/tun`, or an algorithm.
    pub fn open(network: &Network) -> Result<LinuxHost, HostError> {
        let clock = Clock::new();
        let length = if network.local.is_ipv4() { 16 } else { 48 };
        let every = |address: IpAddr| Prefix { address, length: 0 };
        let config = NamespaceConfig {
            settings: SETTINGS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            mtu: network.mtu.into(),
            addresses: vec![Prefix { address: network.local, length }],
            routes: vec![if network.local.is_ipv4() { every([0; 4].into()) } else { every([0u16; 8].into()) }],
            ..NamespaceConfig::default()
        };
        let fail = |error: io::Error| HostError(error.to_string());
        let namespace = Namespace::open(&config, clock).map_err(fail)?;
        let caller = namespace.caller().map_err(fail)?;
        Ok(LinuxHost {
            clock,
            wheel: TimerWheel::of_this_machine(),
            caller,
            network: network.clone(),
            descriptors: BTreeMap::new(),
            files: BTreeMap::new(),
            captured: VecDeque::new(),
            congestion: "cubic".into(),
            namespace,
        })
    }

    fn tool(&self, tool: Tool, words: &[String]) -> Result<(), HostError> {
        self.namespace.tool(tool, words).map_err(|error| HostError(error.to_string()))
    }

    fn descriptor(&self, fd: Fd) -> Option<Arc<OwnedFd>> {
        self.descriptors.get(&fd).cloned()
    }

    /// Take what was captured; the error says that the device is gone.
    fn collect(&mut self) -> Result<(), HostError> {
        let fail = |error: io::Error| HostError(error.to_string());
        while let Some(captured) = self.namespace.next_captured().map_err(fail)? {
            let mut packet = Packet::from_bytes(captured.bytes);
            // The device would have finished it.
            packet.checksum = ChecksumState::Verified;
            self.captured.push_back(Sent { at: captured.at, packet });
        }
        Ok(())
    }

    /// Give a result the form that all hosts share, and a new descriptor its number.
    fn finish(&mut self, (at, (result, output, made)): (Instant, Made)) -> Returned {
        let result = result.map_err(|error| error.raw_os_error().unwrap_or(EIO));
        let mut numbers = Vec::new();
        for fd in made {
            let number = (3..).find(|number| !self.descriptors.contains_key(number)).unwrap_or(3);
            self.descriptors.insert(number, Arc::new(fd));
            numbers.push(number);
        }
        let (result, output) = match (result, numbers.as_slice()) {
            (Ok(_), [number]) => (Ok((*number).into()), output),
            (result, [reader, writer]) => (result, Output::Pipe(*reader, *writer)),
            (result, _) => (result, output),
        };
        Returned { at, result, output }
    }

    fn perform(&mut self, call: Call) -> Result<Job, i32> {
        let job: Job = match call {
            Call::Close { fd } => {
                let fd = self.descriptors.remove(&fd).ok_or(EBADF)?;
                Box::new(move || match Arc::try_unwrap(fd) {
                    Ok(fd) => nothing(sys::close(fd)),
                    Err(_) => nothing(Ok(())),
                })
            }
            Call::Socket { domain, kind, protocol } => {
                let congestion = (kind & 0xf == SOCK_STREAM).then(|| self.congestion.clone());
                Box::new(move || socket(domain, kind, protocol, congestion.as_deref()))
            }
            Call::Poll { entries, timeout } => {
                let fds: Vec<(Option<Arc<OwnedFd>>, i16)> =
                    entries.into_iter().map(|(fd, events)| (fd.and_then(|fd| self.descriptor(fd)), events)).collect();
                Box::new(move || poll(&fds, timeout))
            }
            Call::EpollCreate { flags } => Box::new(move || made(sys::epoll_create(flags))),
            Call::EpollControl { epoll, operation, fd, events, data } => {
                let (epoll, fd) = (self.descriptor(epoll).ok_or(EBADF)?, self.descriptor(fd).ok_or(EBADF)?);
                Box::new(move || nothing(sys::epoll_control(epoll.as_fd(), operation, fd.as_fd(), events, data)))
            }
            Call::EpollWait { epoll, max, timeout } => {
                let epoll = self.descriptor(epoll).ok_or(EBADF)?;
                Box::new(move || match sys::epoll_wait(epoll.as_fd(), max, timeout) {
                    Ok(events) => (Ok(events.len() as i64), Output::Events(events), Vec::new()),
                    Err(error) => (Err(error), Output::Nothing, Vec::new()),
                })
            }
            Call::Pipe { flags } => Box::new(move || match sys::pipe(flags) {
                Ok((reader, writer)) => (Ok(0), Output::Nothing, vec![reader, writer]),
                Err(error) => (Err(error), Output::Nothing, Vec::new()),
            }),
            Call::Open { path, flags } => {
                // A file that was made here is opened anew through its descriptor, so that it has a position of its own.
                let path = self.files.get(&path).map_or(path, |file| format!("/proc/self/fd/{}", file.as_raw_fd()));
                Box::new(move || made(sys::open(&path, flags & !CREATING)))
            }
            Call::Splice { input, output, length, flags } => {
                let (from, to) = (self.descriptor(input.0).ok_or(EBADF)?, self.descriptor(output.0).ok_or(EBADF)?);
                let (mut at, mut to_at) = (input.1, output.1);
                Box::new(move || {
                    let moved = sys::splice((from.as_fd(), at.as_mut()), (to.as_fd(), to_at.as_mut()), length, flags);
                    (moved.map(|count| count as i64), Output::Nothing, Vec::new())
                })
            }
            Call::SendFile { output, input, mut offset, count } => {
                let (from, to) = (self.descriptor(input).ok_or(EBADF)?, self.descriptor(output).ok_or(EBADF)?);
                Box::new(move || {
                    let sent = sys::sendfile(to.as_fd(), from.as_fd(), offset.as_mut(), count);
                    (sent.map(|count| count as i64), Output::Nothing, Vec::new())
                })
            }
            Call::Capability { capability, is_on } => Box::new(move || nothing(sys::set_capability(capability, is_on))),
            call => {
                let fd = self.descriptor(call.descriptor().ok_or(EBADF)?).ok_or(EBADF)?;
                Box::new(move || on_socket(fd.as_fd(), call))
            }
        };
        Ok(job)
    }
}

type Job = Box<dyn FnOnce() -> Made + Send>;

fn nothing(result: io::Result<()>) -> Made {
    (result.map(|()| 0), Output::Nothing, Vec::new())
}

fn made(result: io::Result<OwnedFd>) -> Made {
    match result {
        Ok(fd) => (Ok(0), Output::Nothing, vec![fd]),
        Err(error) => (Err(error), Output::Nothing, Vec::new()),
    }
}

fn socket(domain: i32, kind: i32, protocol: i32, congestion: Option<&str>) -> Made {
    let result = sys::socket(domain, kind, protocol);
    if let (Ok(fd), Some(congestion)) = (&result, congestion) {
        // A socket of another kind does not take it, and does not need it.
        _ = sys::setsockopt(fd.as_fd(), SOL_TCP, TCP_CONGESTION, congestion.as_bytes());
    }
    made(result)
}

fn poll(fds: &[(Option<Arc<OwnedFd>>, i16)], timeout: i32) -> Made {
    let entries: Vec<(Option<BorrowedFd<'_>>, i16)> =
        fds.iter().map(|(fd, events)| (fd.as_ref().map(|fd| fd.as_fd()), *events)).collect();
    match sys::poll(&entries, timeout) {
        Ok((count, revents)) => (Ok(count as i64), Output::Revents(revents), Vec::new()),
        Err(error) => (Err(error), Output::Nothing, Vec::new()),
    }
}

/// The calls that have one descriptor.
fn on_socket(fd: BorrowedFd<'_>, call: Call) -> Made {
    match call {
        Call::Bind { address, .. } => nothing(sys::bind(fd, &address)),
        Call::Listen { backlog, .. } => nothing(sys::listen(fd, backlog)),
        Call::Accept { flags, .. } => match sys::accept(fd, flags) {
            Ok((made, peer)) => (Ok(0), peer.map_or(Output::Nothing, Output::Address), vec![made]),
            Err(error) => (Err(error), Output::Nothing, Vec::new()),
        },
        Call::Connect { to, .. } => nothing(sys::connect(fd, to.as_ref())),
        Call::Shutdown { how, .. } => nothing(sys::shutdown(fd, how)),
        Call::LocalAddress { .. } => name(sys::local_address(fd)),
        Call::PeerAddress { .. } => name(sys::peer_address(fd)),
        Call::Receive { shape, pieces, flags, control_room, .. } => {
            match sys::receive(fd, shape, &pieces, flags, control_room) {
                Ok(sys::Received { count, data, flags, control, from }) => {
                    (Ok(count as i64), Output::Received { data, flags, control, from }, Vec::new())
                }
                Err(error) => (Err(error), Output::Nothing, Vec::new()),
            }
        }
        Call::Send { shape, pieces, flags, to, control, .. } => {
            let sending = sys::Sending { pieces, flags, to, control };
            (sys::send(fd, shape, &sending).map(|count| count as i64), Output::Nothing, Vec::new())
        }
        Call::GetOption { level, name, mut value, .. } => match sys::getsockopt(fd, level, name, &mut value) {
            Ok(length) => {
                value.truncate(length);
                (Ok(0), Output::Bytes(value), Vec::new())
            }
            Err(error) => (Err(error), Output::Nothing, Vec::new()),
        },
        Call::SetOption { level, name, value, .. } => nothing(sys::setsockopt(fd, level, name, &value)),
        Call::Ioctl { request, argument, .. } => match sys::eventless_ioctl(fd, request, argument) {
            Ok(value) => (Ok(0), Output::Integer(value), Vec::new()),
            Err(error) => (Err(error), Output::Nothing, Vec::new()),
        },
        Call::Fcntl { command, argument, .. } => {
            (sys::fcntl(fd, command, argument).map(i64::from), Output::Nothing, Vec::new())
        }
        Call::Socket { .. }
        | Call::Close { .. }
        | Call::Poll { .. }
        | Call::EpollCreate { .. }
        | Call::EpollControl { .. }
        | Call::EpollWait { .. }
        | Call::Pipe { .. }
        | Call::Open { .. }
        | Call::Splice { .. }
        | Call::SendFile { .. }
        | Call::Capability { .. } => (Err(io::Error::from_raw_os_error(EBADF)), Output::Nothing, Vec::new()),
    }
}

fn name(result: io::Result<SocketAddr>) -> Made {
    match result {
        Ok(address) => (Ok(0), Output::Address(address), Vec::new()),
        Err(error) => (Err(error), Output::Nothing, Vec::new()),
    }
}

impl Drop for LinuxHost {
    /// No close of this host's waits for a peer that is gone.
    fn drop(&mut self) {
        self.caller.interrupt();
        let linger: Vec<u8> = [1i32, 0].iter().flat_map(|word| word.to_ne_bytes()).collect();
        for fd in self.descriptors.values() {
            _ = sys::setsockopt(fd.as_fd(), SOL_SOCKET, SO_LINGER, &linger);
        }
    }
}

impl Host for LinuxHost {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn begin(&mut self, call: Call) -> Result<Progress, HostError> {
        let job = match self.perform(call) {
            Ok(job) => job,
            Err(errno) => {
                let returned = Returned { at: self.now(), result: Err(errno), output: Output::Nothing };
                return Ok(Progress::Returned(returned));
            }
        };
        self.caller.begin(job).map_err(|error| HostError(error.to_string()))?;
        Ok(self.take_returned().map_or(Progress::Blocked, Progress::Returned))
    }

    fn ask(&mut self, question: Call) -> Returned {
        // In this thread: the other one may be in a call, or may not have told yet that it has returned.
        let made = self.perform(question).map(|job| job());
        let at = self.now();
        match made {
            Ok(made) => self.finish((at, made)),
            Err(errno) => Returned { at, result: Err(errno), output: Output::Nothing },
        }
    }

    fn take_returned(&mut self) -> Option<Returned> {
        let taken = self.caller.take()?;
        Some(self.finish(taken))
    }

    fn interrupt(&mut self) {
        if let Some(taken) = self.caller.interrupt() {
            self.finish(taken);
        }
    }

    fn inject(&mut self, packet: Packet) -> Result<(), HostError> {
        match self.namespace.inject(packet) {
            // As a device: what the kernel finds to be no packet is gone.
            Err(error) if error.raw_os_error().is_none() && error.kind() != io::ErrorKind::InvalidInput => {
                Err(HostError(error.to_string()))
            }
            _ => Ok(()),
        }
    }

    fn next_sent(&mut self) -> Option<Sent> {
        if self.captured.is_empty() {
            // What the error is about is told by the next wait.
            _ = self.collect();
        }
        self.captured.pop_front()
    }

    fn wait(&mut self, until: Instant) -> Result<Woken, HostError> {
        loop {
            self.collect()?;
            if !self.captured.is_empty() {
                return Ok(Woken::ByEvent);
            }
            if self.clock.now() >= until {
                return Ok(Woken::ByTime);
            }
            self.namespace.wait(&self.caller, until).map_err(|error| HostError(error.to_string()))?;
            if self.caller.has_returned() {
                return Ok(Woken::ByEvent);
            }
        }
    }

    fn sysctl(&mut self, name: &str) -> Result<String, HostError> {
        if name == CONGESTION {
            return Ok(self.congestion.clone());
        }
        self.namespace.sysctl(name).map_err(|error| HostError(format!("{name}: {error}")))
    }

    fn set_sysctl(&mut self, name: &str, value: &str) -> Result<(), HostError> {
        if name == CONGESTION {
            self.congestion = value.trim().to_owned();
            return Ok(());
        }
        self.namespace.set_sysctl(name, value).map_err(|error| HostError(format!("{name} = {value}: {error}")))
    }

    fn change_route(&mut self, change: &RouteChange) -> Result<(), HostError> {
        let (address, length) = change.destination;
        let action = match change.action {
            RouteAction::Add => "add",
            RouteAction::Change => "change",
            RouteAction::Replace => "replace",
            RouteAction::Delete => "del",
        };
        let family = if address.is_ipv6() { "-6" } else { "-4" };
        let mut words: Vec<String> = vec![family.into(), "route".into(), action.into(), format!("{address}/{length}")];
        if let Some(via) = change.via.filter(|via| *via != self.network.local) {
            words.extend(["via".into(), via.to_string()]);
        }
        words.extend(["dev".into(), DEVICE.into()]);
        words.extend(change.metrics.iter().flat_map(RouteMetric::words));
        self.tool(Tool::Ip, &words)
    }

    fn change_link(&mut self, change: &LinkChange) -> Result<(), HostError> {
        let mut words: Vec<String> = Vec::new();
        words.extend(change.is_up.map(|is_up| if is_up { "up".into() } else { "down".into() }));
        let numbers =
            [("mtu", change.mtu), ("gso_max_size", change.gso_max_size), ("gso_max_segs", change.gso_max_segs)];
        for (name, number) in numbers {
            words.extend(number.into_iter().flat_map(|number| [name.to_owned(), number.to_string()]));
        }
        if !words.is_empty() {
            words.splice(0..0, ["link", "set", "dev", DEVICE].map(str::to_owned));
            self.tool(Tool::Ip, &words)?;
        }
        let Some(((address, length), is_added)) = change.address else { return Ok(()) };
        let verb = if is_added { "replace" } else { "del" };
        let mut words = ["address", verb].map(str::to_owned).to_vec();
        words.extend([format!("{address}/{length}"), "dev".into(), DEVICE.into()]);
        words.extend((is_added && address.is_ipv6()).then(|| "nodad".to_owned()));
        self.tool(Tool::Ip, &words)
    }

    fn change_queue(&mut self, arguments: &[String]) -> Result<(), HostError> {
        self.tool(Tool::Tc, arguments)
    }

    fn forget_peers(&mut self) -> Result<(), HostError> {
        let words = ["tcp_metrics", "flush", "all"].map(str::to_owned);
        self.namespace.tool(Tool::Ip, &words).map_err(|error| HostError(error.to_string()))
    }

    fn make_file(&mut self, path: &str, length: u64) -> Result<(), HostError> {
        let file = sys::memory_file(length).map_err(|error| HostError(format!("{path}: {error}")))?;
        self.files.insert(path.to_owned(), file);
        Ok(())
    }

    fn change_offload(&mut self, change: OffloadChange) -> Result<(), HostError> {
        self.namespace.set_offload(change.tso, change.gso).map_err(|error| HostError(error.to_string()))
    }

    fn tcp_info_of(&mut self, local: SocketAddr, peer: SocketAddr) -> Option<Vec<u8>> {
        self.namespace.tcp_info(local, peer).ok()
    }

    fn wall_time(&self, at: Instant) -> Duration {
        self.clock.wall(at)
    }

    fn timer_slack(&self, delay: Duration) -> Duration {
        self.wheel.slack(delay)
    }

    fn patience(&self) -> Patience {
        Patience { packet: Duration::from_secs(180), call: Duration::from_secs(20) }
    }
}
