//! Connections that come and go over bad paths for as long as wanted: is every byte right, and is nothing left behind?
//!
//! Decides what an epoch is (settings drawn anew, conversations over all paths at once, then silence until everything is
//! over) and what must be true after each: no entry, no timer, no queued byte, no more memory and descriptors than before.
//! Time is virtual; two stacks live through all epochs.
mod conversation;
mod paths;

use std::collections::HashMap;
use std::time::{Duration, Instant as WallInstant};

use segue_kernel::{allocation, process};
use segue_lab::{HostId, Lab, LabError};
use segue_stack::{Domain, Errno, SocketId, SocketOption, SocketType, Usage};

use crate::error::PerfError;
use crate::random::Random;
use conversation::{Conversation, End, Progress};
use paths::{PATHS, Site};

/// When a soak ends.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// After so many epochs.
    Epochs(u32),
    /// After the epoch in which so much time on the wall has passed.
    Wall(Duration),
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct SoakConfig {
    /// When it ends.
    pub limit: Limit,
    /// Conversations in an epoch.
    pub conversations: u32,
    /// Seed of everything that is random.
    pub seed: u64,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct SoakReport {
    /// Epochs.
    pub epochs: u32,
    /// Conversations of which every byte arrived and was right, and the end was seen by both.
    pub complete: u64,
    /// Conversations that one side broke off on purpose; what arrived was right.
    pub broken_off: u64,
    /// Bytes that were compared.
    pub bytes: u64,
    /// Time that passed on the hosts.
    pub virtual_time: Duration,
    /// Heap in use after the second epoch (after the first when there is one only), and after the last; `None`: the
    /// program's allocator does not count.
    pub heap: Option<(u64, u64)>,
    /// Heap in use after epochs 1, 2, 4, 8 and so on: what tables keep for the most entries there ever were at once grows with
    /// each doubling by less, a leak by twice as much.
    pub heap_at: Vec<(u32, u64)>,
    /// What tables keep after the same epochs and after the last, of both hosts together. Empty where the program's allocator
    /// does not count.
    pub rooms: Vec<Rooms>,
    /// Open descriptors before and after.
    pub descriptors: (usize, usize),
    /// Counters of both hosts together that are not zero.
    pub counters: Vec<(&'static str, u64)>,
    /// Everything that was wrong, as sentences; none: all is well.
    pub failures: Vec<String>,
}

/// What tables keep for the most entries that there ever were at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rooms {
    /// After which epoch.
    pub epoch: u32,
    /// Name and bytes of each.
    pub tables: Vec<(&'static str, u64)>,
    /// Bytes in use that are no table's: what must not grow.
    pub rest: u64,
}

/// Conversations at once.
const AT_ONCE: usize = 64;
/// How long conversations, and what they leave behind, may take after the last has begun: keep-alives, orphans'
/// retransmissions and TIME-WAIT are over by then.
const PATIENCE: Duration = Duration::from_secs(4 * 3600);
/// How much more heap there may be in use: what tables keep that have grown beyond their size in the second epoch.
const GROWTH: u64 = 1 << 20;
/// The same for what is no table's: lists in listeners, this experiment's own.
const REST: u64 = 64 << 10;
/// Handshakes that are remembered: no cookies. Where the third segment is lost and data come out of order, the first segment
/// to arrive is no valid cookie and is reset, as on Linux.
const BACKLOG: i32 = 16 * AT_ONCE as i32;
/// The service's port.
const PORT: u16 = 7;

/// Soaks.
///
/// # Errors
/// The experiment cannot be made; that something went wrong in it stands in the report.
pub fn soak(config: &SoakConfig) -> Result<SoakReport, PerfError> {
    if config.conversations == 0 || matches!(config.limit, Limit::Epochs(0)) {
        return Err(PerfError::Usage("nothing to do: give at least one conversation and one epoch".to_owned()));
    }
    let begin = WallInstant::now();
    let descriptors = process::open_descriptors()?;
    let mut soak = Soak::new(config)?;
    let mut report = SoakReport {
        epochs: 0,
        complete: 0,
        broken_off: 0,
        bytes: 0,
        virtual_time: Duration::ZERO,
        heap: None,
        heap_at: Vec::new(),
        rooms: Vec::new(),
        descriptors: (descriptors, descriptors),
        counters: Vec::new(),
        failures: Vec::new(),
    };
    let goes_on = |epochs| match config.limit {
        Limit::Epochs(limit) => epochs < limit,
        Limit::Wall(limit) => begin.elapsed() < limit,
    };
    while report.epochs == 0 || goes_on(report.epochs) {
        soak.epoch(config.conversations, &mut report)?;
        report.epochs += 1;
        let heap = allocation::heap_in_use();
        if report.epochs.is_power_of_two() {
            report.heap_at.extend(heap.map(|heap| (report.epochs, heap)));
            report.rooms.extend(heap.map(|heap| soak.rooms(report.epochs, heap)));
        }
        report.heap = match (report.heap, heap) {
            (Some((first, _)), Some(now)) if report.epochs > 2 => Some((first, now)),
            (_, now) => now.map(|now| (now, now)),
        };
        if !report.failures.is_empty() {
            // What follows a failure proves nothing.
            break;
        }
    }
    if !report.epochs.is_power_of_two() {
        report.rooms.extend(allocation::heap_in_use().map(|heap| soak.rooms(report.epochs, heap)));
    }
    report.virtual_time = soak.lab.elapsed();
    report.counters = soak.counters();
    if let Some((first, last)) = report.heap
        && last > first + GROWTH
    {
        report
            .failures
            .push(format!("{first} bytes of heap were in use after the second epoch, {last} after the last"));
    }
    if let (Some(second), Some(last)) = (report.rooms.get(1), report.rooms.last())
        && last.rest > second.rest + REST
    {
        let (first, last) = (second.rest, last.rest);
        report.failures.push(format!("{first} bytes were no table's after the second epoch, {last} after the last"));
    }
    drop(soak);
    report.descriptors.1 = process::open_descriptors()?;
    if report.descriptors.1 > report.descriptors.0 {
        let (before, after) = report.descriptors;
        report.failures.push(format!("{before} descriptors were open before, {after} are after"));
    }
    Ok(report)
}

struct Soak {
    lab: Lab,
    hosts: [HostId; 2],
    listeners: Vec<SocketId>,
    sites: Vec<Site>,
    random: Random,
    next: u64,
    ends: HashMap<(HostId, SocketId), End>,
    buffer: Vec<u8>,
    /// What each host held before the first conversation: its listeners.
    unused: [Usage; 2],
}

impl Soak {
    fn new(config: &SoakConfig) -> Result<Soak, PerfError> {
        let mut random = Random::new(config.seed);
        let mut lab = Lab::new(config.seed);
        let (hosts, sites) = paths::build(&mut lab, &mut random)?;
        let mut listeners = Vec::new();
        let (server, now) = lab.host_mut(hosts[1]);
        for domain in [Domain::Inet, Domain::Inet6] {
            let listener = server.socket(domain, SocketType::Stream).map_err(call("socket"))?;
            let address: std::net::IpAddr = match domain {
                Domain::Inet => std::net::Ipv4Addr::UNSPECIFIED.into(),
                Domain::Inet6 => {
                    server.set_option(now, listener, SocketOption::V6Only(true)).map_err(call("setsockopt"))?;
                    std::net::Ipv6Addr::UNSPECIFIED.into()
                }
            };
            server.bind(now, listener, (address, PORT).into()).map_err(call("bind"))?;
            server.listen(listener, BACKLOG).map_err(call("listen"))?;
            listeners.push(listener);
        }
        let buffer = vec![0; 64 * 1024];
        let unused = hosts.map(|host| lab.host(host).usage());
        Ok(Soak { lab, hosts, listeners, sites, random, next: 0, ends: HashMap::new(), buffer, unused })
    }

    fn rooms(&self, epoch: u32, heap: u64) -> Rooms {
        let mut tables: Vec<(&'static str, u64)> = vec![("paths", self.lab.path_rooms() as u64)];
        for host in self.hosts {
            for room in self.lab.host(host).table_rooms() {
                match tables.iter_mut().find(|(name, _)| *name == room.name) {
                    Some((_, bytes)) => *bytes += room.bytes as u64,
                    None => tables.push((room.name, room.bytes as u64)),
                }
            }
        }
        let rest = heap.saturating_sub(tables.iter().map(|(_, bytes)| bytes).sum());
        Rooms { epoch, tables, rest }
    }

    fn epoch(&mut self, conversations: u32, report: &mut SoakReport) -> Result<(), PerfError> {
        for host in self.hosts {
            let (stack, now) = self.lab.host_mut(host);
            for (name, value) in paths::settings(&mut self.random) {
                stack.set_sysctl(now, name, value)?;
            }
        }
        let mut left = conversations;
        let mut end = self.lab.now() + PATIENCE;
        while left > 0 || !self.ends.is_empty() {
            while left > 0 && self.ends.len() < 2 * AT_ONCE {
                self.begin()?;
                left -= 1;
                end = self.lab.now() + PATIENCE;
            }
            self.lab.settle().map_err(lab_error)?;
            if let Some((host, event)) = self.lab.next_event() {
                self.serve(host, event.socket, report)?;
                continue;
            }
            let Some(next) = self.lab.next_deadline().filter(|next| *next <= end) else { break };
            self.lab.advance_towards(next).map_err(lab_error)?;
        }
        self.settle_down(report)?;
        for end in self.ends.drain().map(|(_, end)| end) {
            report.failures.push(format!("epoch {}: conversation stands still: {end:?}", report.epochs));
        }
        Ok(())
    }

    /// Everything that conversations have left behind comes to its end.
    fn settle_down(&mut self, report: &mut SoakReport) -> Result<(), PerfError> {
        let end = self.lab.now() + PATIENCE;
        loop {
            self.lab.settle().map_err(lab_error)?;
            // A client that broke off early may be gone before the server has heard of it.
            if let Some((host, event)) = self.lab.next_event() {
                self.serve(host, event.socket, report)?;
                continue;
            }
            let Some(next) = self.lab.next_deadline().filter(|next| *next <= end) else { break };
            self.lab.advance_towards(next).map_err(lab_error)?;
        }
        for (host, unused) in self.hosts.into_iter().zip(&self.unused) {
            let usage = self.lab.host(host).usage();
            if usage != *unused {
                let name = self.lab.name(host);
                report.failures.push(format!("epoch {}: left on the {name}: {usage:?}", report.epochs));
            }
        }
        Ok(())
    }

    /// A new conversation over a random path.
    fn begin(&mut self) -> Result<(), PerfError> {
        let conversation = Conversation::draw(self.next, &mut self.random);
        self.next += 1;
        let site = self.sites[self.random.below(PATHS as u64) as usize];
        let (stack, now) = self.lab.host_mut(self.hosts[0]);
        let socket = stack.socket(site.domain, SocketType::Stream).map_err(call("socket"))?;
        stack.set_option(now, socket, SocketOption::KeepAlive(true)).map_err(call("setsockopt"))?;
        match stack.connect(now, socket, (site.server, PORT).into()) {
            Ok(()) | Err(Errno::EINPROGRESS) => {}
            Err(errno) => return Err(PerfError::Call("connect", errno)),
        }
        self.ends.insert((self.hosts[0], socket), End::client(conversation));
        Ok(())
    }

    fn serve(&mut self, host: HostId, socket: SocketId, report: &mut SoakReport) -> Result<(), PerfError> {
        if host == self.hosts[1] && self.listeners.contains(&socket) {
            let (stack, now) = self.lab.host_mut(host);
            while let Ok((accepted, _)) = stack.accept(now, socket) {
                stack.set_option(now, accepted, SocketOption::KeepAlive(true)).map_err(call("setsockopt"))?;
                self.ends.insert((host, accepted), End::server());
            }
            return Ok(());
        }
        let Some(end) = self.ends.get_mut(&(host, socket)) else { return Ok(()) };
        let (stack, now) = self.lab.host_mut(host);
        let progress = end.go_on(stack, now, socket, &mut self.buffer);
        report.bytes += std::mem::take(&mut end.compared);
        match progress {
            Progress::Waits => return Ok(()),
            Progress::Complete => report.complete += u64::from(end.is_client),
            Progress::BrokenOff => report.broken_off += u64::from(end.is_client),
            Progress::Failed(why) => {
                let name = if end.is_client { "client" } else { "server" };
                report.failures.push(format!("epoch {}: {name} of {:?}: {why}", report.epochs, end.conversation));
            }
        }
        self.ends.remove(&(host, socket));
        Ok(())
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let [client, server] = self.hosts.map(|host| self.lab.host(host).counters());
        let sum = client.iter().zip(server.iter()).map(|((name, a), (_, b))| (name, a + b));
        sum.filter(|(_, value)| *value > 0).collect()
    }
}

fn call(name: &'static str) -> impl Fn(Errno) -> PerfError {
    move |errno| PerfError::Call(name, errno)
}

fn lab_error(error: LabError) -> PerfError {
    PerfError::Unexpected(error.to_string())
}
