//! Segue's stack and its clock, which only moves when it is told to.
//!
//! Decides when the stack is called, and captures all that it sends. Nothing here sleeps or reads a real clock. Calls on its
//! sockets are made as a kernel makes them: descriptors, blocking, epoll are decided in the files beside this one.
mod data;
mod descriptor;
mod file;
mod poll;
mod socket;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use segue_stack::{Cidr, IfaceConfig, IfaceId, Route, SocketId, Stack, StackConfig};
use segue_wire::{Instant, IpVersion, Packet};

use super::{
    Call, Fd, Host, HostError, LinkChange, Network, OffloadChange, Output, Patience, Progress, Returned, RouteAction,
    RouteChange, RouteMetric, Sent, Woken,
};
use descriptor::{EAGAIN, Object, Operation, Outcome};

/// More packets or timers than this at one instant are a stack that never comes to rest.
const RESTLESS: usize = 20_000;
/// More timers than this in one run are a script that asks for years.
const LONGEST: u64 = 3_000_000;

/// A Segue stack as a host under test, in virtual time.
pub struct SegueHost {
    stack: Stack,
    iface: IfaceId,
    now: Instant,
    /// Whether super-segments are captured whole.
    offload: bool,
    captured: VecDeque<Sent>,
    descriptors: BTreeMap<Fd, Object>,
    pipes: Vec<file::Pipe>,
    /// Files that were made, and their lengths.
    files: BTreeMap<String, u64>,
    blocked: Option<Operation>,
    returned: Option<Returned>,
    /// Nanoseconds between two ticks of the stack's timers; `None`: they are exact.
    tick: Option<u64>,
    /// How often each socket gained something to be ready for.
    edges: HashMap<SocketId, u64>,
    fired: usize,
    fired_in_all: u64,
    /// What no run can go on after.
    fault: Option<HostError>,
}

impl SegueHost {
    /// A stack with this network. The same seed and the same calls give the same packets.
    ///
    /// # Errors
    /// The addresses make no sense.
    pub fn open(network: &Network, seed: [u8; 32]) -> Result<SegueHost, HostError> {
        let now = Instant::from_secs(1000);
        let mut stack = Stack::new(StackConfig::new(seed), now);
        let mut config = IfaceConfig::new("tun0", network.mtu.into());
        let (prefix, any) = match network.version() {
            IpVersion::V4 => (16, Cidr::ANY_V4),
            IpVersion::V6 => (48, Cidr::ANY_V6),
        };
        config.addresses = vec![Cidr::new(network.local, prefix).map_err(|error| HostError(error.to_string()))?];
        config.gso_max = 65_535;
        let iface = stack.add_interface(config);
        stack.add_route(Route::on_link(any, iface)).map_err(|error| HostError(error.to_string()))?;
        Ok(SegueHost {
            stack,
            iface,
            now,
            offload: true,
            captured: VecDeque::new(),
            descriptors: BTreeMap::new(),
            pipes: Vec::new(),
            files: BTreeMap::new(),
            blocked: None,
            returned: None,
            tick: None,
            edges: HashMap::new(),
            fired: 0,
            fired_in_all: 0,
            fault: None,
        })
    }

    /// Let the stack's timers run out at ticks only, so many per second; `None`: at their exact times.
    pub fn set_ticks(&mut self, hz: Option<u32>) {
        self.tick = hz.filter(|hz| *hz > 0).map(|hz| 1_000_000_000 / u64::from(hz));
    }

    /// Take all that the stack wants to send now, and all readiness it gained; then see whether the blocked call can go on.
    fn settle(&mut self) {
        loop {
            self.drain();
            let Some(mut operation) = self.blocked.take() else { return };
            match self.attempt(&mut operation) {
                Some(outcome) => self.returned = Some(self.complete(outcome)),
                None => {
                    self.blocked = Some(operation);
                    if !self.drain() {
                        return;
                    }
                }
            }
        }
    }

    /// Whether there was anything.
    fn drain(&mut self) -> bool {
        let mut is_any = false;
        for round in 0.. {
            let Some((_, packet)) = self.stack.poll_transmit(self.now) else { break };
            is_any = true;
            if round > RESTLESS {
                self.fail(format!("the stack sent more than {RESTLESS} packets at one instant"));
                break;
            }
            let at = self.now;
            if self.offload && packet.segmentation.is_some() {
                self.captured.push_back(Sent { at, packet });
            } else {
                self.captured.extend(packet.segments().map(|packet| Sent { at, packet }));
            }
        }
        while let Some(event) = self.stack.poll_event() {
            is_any = true;
            *self.edges.entry(event.socket).or_default() += 1;
        }
        is_any
    }

    fn fail(&mut self, message: String) {
        self.fault.get_or_insert(HostError(message));
    }

    /// When something happens next without anybody's doing.
    fn next_deadline(&self) -> Option<Instant> {
        let call = self.blocked.as_ref().and_then(Operation::deadline);
        let at_tick = |at: Instant| match self.tick {
            Some(tick) if tick > 0 => Instant::from_nanos(at.as_nanos().div_ceil(tick).saturating_mul(tick)),
            _ => at,
        };
        let next = [self.stack.next_deadline().map(at_tick), call].into_iter().flatten().min();
        next.map(|deadline| deadline.max(self.now))
    }

    /// Move the clock and let the stack do what is due.
    fn fire(&mut self, at: Instant) {
        self.fired = if at > self.now { 0 } else { self.fired + 1 };
        self.fired_in_all += 1;
        if self.fired_in_all > LONGEST {
            self.fail(format!("more than {LONGEST} timers ran out: the script lasts too long"));
        }
        if self.fired > RESTLESS {
            self.fail("the stack asks to be called again at once, for ever".to_owned());
        }
        self.now = self.now.max(at);
        self.stack.on_deadline(self.now);
        self.settle();
    }

    fn check(&self) -> Result<(), HostError> {
        self.fault.clone().map_or(Ok(()), Err)
    }

    /// Give a new object its number.
    fn complete(&mut self, outcome: Outcome) -> Returned {
        let Outcome { result, output, made } = outcome;
        let result = match made {
            Some(object) => Ok(self.name(object).into()),
            None => result,
        };
        Returned { at: self.now, result, output }
    }

    /// The lowest number that is free.
    fn name(&mut self, object: Object) -> Fd {
        let number = (3..).find(|number| !self.descriptors.contains_key(number)).unwrap_or(3);
        self.descriptors.insert(number, object);
        number
    }
}

impl Host for SegueHost {
    fn now(&self) -> Instant {
        self.now
    }

    fn begin(&mut self, call: Call) -> Result<Progress, HostError> {
        if self.blocked.is_some() {
            return Err(HostError("another call has not returned yet".into()));
        }
        let mut operation = self.prepare(call);
        match self.attempt(&mut operation) {
            Some(outcome) => {
                let returned = self.complete(outcome);
                self.settle();
                self.check()?;
                Ok(Progress::Returned(returned))
            }
            None => {
                self.blocked = Some(operation);
                self.settle();
                self.check()?;
                Ok(self.returned.take().map_or(Progress::Blocked, Progress::Returned))
            }
        }
    }

    fn ask(&mut self, question: Call) -> Returned {
        let mut operation = self.prepare(question);
        match self.attempt(&mut operation) {
            Some(outcome) => self.complete(outcome),
            None => Returned { at: self.now, result: Err(EAGAIN), output: Output::Nothing },
        }
    }

    fn take_returned(&mut self) -> Option<Returned> {
        self.returned.take()
    }

    fn interrupt(&mut self) {
        self.blocked = None;
        self.returned = None;
    }

    fn inject(&mut self, packet: Packet) -> Result<(), HostError> {
        self.stack.on_packet(self.now, self.iface, packet);
        self.settle();
        self.check()
    }

    fn next_sent(&mut self) -> Option<Sent> {
        self.captured.pop_front()
    }

    fn wait(&mut self, until: Instant) -> Result<Woken, HostError> {
        loop {
            self.check()?;
            if !self.captured.is_empty() || self.returned.is_some() {
                return Ok(Woken::ByEvent);
            }
            match self.next_deadline() {
                Some(at) if at <= until => self.fire(at),
                _ => {
                    self.now = self.now.max(until);
                    return Ok(Woken::ByTime);
                }
            }
        }
    }

    fn sysctl(&mut self, name: &str) -> Result<String, HostError> {
        self.stack.sysctl(name).map_err(|error| HostError(error.to_string()))
    }

    fn set_sysctl(&mut self, name: &str, value: &str) -> Result<(), HostError> {
        let result = self.stack.set_sysctl(self.now, name, value);
        self.settle();
        result.map_err(|error| HostError(error.to_string()))
    }

    fn change_route(&mut self, change: &RouteChange) -> Result<(), HostError> {
        let (address, length) = change.destination;
        let fail = |error: &dyn std::fmt::Display| HostError(error.to_string());
        let destination = Cidr::new(address, length).map_err(|error| fail(&error))?.network();
        let is_there = self.stack.routes().any(|route| route.destination == destination);
        match (change.action, is_there) {
            (RouteAction::Add, true) => return Err(HostError(format!("there is a route to {destination} already"))),
            (RouteAction::Change | RouteAction::Delete, false) => {
                return Err(HostError(format!("there is no route to {destination}")));
            }
            (RouteAction::Delete, true) => {
                self.stack.remove_route(destination);
                return Ok(());
            }
            _ => {}
        }
        let mut route = Route::on_link(destination, self.iface);
        for metric in &change.metrics {
            match metric {
                RouteMetric::Mtu { bytes, .. } => route.mtu = Some(*bytes),
                RouteMetric::InitialWindow(segments) => route.initcwnd = Some(*segments),
                RouteMetric::Ecn(is_on) => route.ecn = *is_on,
                other => {
                    let words = other.words().join(" ");
                    return Err(HostError(format!("`{words}` is not available on a route of the stack under test")));
                }
            }
        }
        self.stack.add_route(route).map(drop).map_err(|error| fail(&error))
    }

    fn change_link(&mut self, change: &LinkChange) -> Result<(), HostError> {
        match change {
            LinkChange {
                is_up: None | Some(true),
                mtu: None,
                gso_max_size: None,
                gso_max_segs: None,
                address: None,
            } => Ok(()),
            _ => Err(HostError("a device of the stack under test is as it was made: use --mtu and --local_ip".into())),
        }
    }

    fn change_queue(&mut self, _arguments: &[String]) -> Result<(), HostError> {
        // There is no queue between the stack and the wire that could hold, order or drop packets.
        Ok(())
    }

    fn forget_peers(&mut self) -> Result<(), HostError> {
        self.stack.flush_tcp_metrics();
        Ok(())
    }

    fn make_file(&mut self, path: &str, length: u64) -> Result<(), HostError> {
        self.files.insert(path.to_owned(), length);
        Ok(())
    }

    fn change_offload(&mut self, change: OffloadChange) -> Result<(), HostError> {
        self.offload = change.tso.or(change.gso).unwrap_or(self.offload);
        Ok(())
    }

    fn tcp_info_of(&mut self, local: SocketAddr, peer: SocketAddr) -> Option<Vec<u8>> {
        let found = self.stack.sockets(self.now).find(|info| info.local == local && info.peer == Some(peer))?;
        found.tcp_info()
    }

    fn wall_time(&self, at: Instant) -> Duration {
        // The stack was told of no other.
        at.saturating_duration_since(Instant::ZERO)
    }

    fn timer_slack(&self, _delay: Duration) -> Duration {
        Duration::from_nanos(self.tick.unwrap_or(0))
    }

    fn patience(&self) -> Patience {
        // A day, in which every timer of TCP has run out.
        Patience { packet: Duration::from_secs(86_400), call: Duration::from_secs(300) }
    }
}
