//! Hosts, cables and the one clock.
//!
//! Decides who is called when: everything that is due now, until nothing more happens at this instant, then time jumps
//! to the next deadline of anybody. Order within an instant is fixed (hosts and cables in the order they were added), so
//! a run depends on its seeds alone.
//! Invariants: time never runs backwards; a packet that a stack gave out reaches exactly one path; nothing here reads a
//! clock, sleeps or draws a random number.
use std::time::Duration;

use segue_link::{End, Path, PathConfig, PathStats};
use segue_stack::{IfaceConfig, IfaceId, Instant, SocketEvent, Stack, StackConfig, TcpDecision};

use crate::error::{HostState, LabError, StallReason, elapsed};
use crate::tap::{Moment, Observer, Sighting};

/// Names a host of a lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostId(usize);

impl HostId {
    /// Its number, from 0 on in the order of adding.
    pub fn index(self) -> usize {
        self.0
    }
}

/// Names a cable of a lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CableId(usize);

impl CableId {
    /// Its number, from 0 on in the order of connecting.
    pub fn index(self) -> usize {
        self.0
    }
}

struct Host {
    name: String,
    stack: Stack,
    /// Which cable end each interface is plugged into.
    plugs: Vec<Plug>,
}

struct Plug {
    iface: IfaceId,
    cable: usize,
    end: End,
    /// As it was plugged in, for the host's next life.
    config: IfaceConfig,
}

struct Cable {
    path: Path,
    /// Host and interface at each end.
    a: (usize, IfaceId),
    b: (usize, IfaceId),
}

impl Cable {
    fn at(&self, end: End) -> (usize, IfaceId) {
        match end {
            End::A => self.a,
            End::B => self.b,
        }
    }
}

/// What the programs on the hosts do. They act when they are told of an event, as a program with epoll does.
pub trait App {
    /// A socket became ready for something; called at the virtual time at which it did.
    ///
    /// # Errors
    /// Whatever ends the experiment.
    fn on_event(&mut self, lab: &mut Lab, host: HostId, event: SocketEvent) -> Result<(), LabError>;

    /// Whether the experiment has come to its end.
    fn is_done(&self, lab: &Lab) -> bool;
}

/// Says of a packet that a host is sending whether it is to vanish.
type DropRule = Box<dyn FnMut(&Sighting<'_>) -> bool>;

/// Is told what connections decide about loss and congestion: the host's name, and the decision.
pub type DecisionListener = Box<dyn FnMut(&str, &TcpDecision)>;

/// How often one instant may go round before it counts as standing still. Far above what buffers can keep going.
const ROUNDS_PER_INSTANT: u32 = 1_000_000;

/// Hosts and cables in virtual time.
pub struct Lab {
    now: Instant,
    hosts: Vec<Host>,
    cables: Vec<Cable>,
    observers: Vec<Box<dyn Observer>>,
    drop_rule: Option<DropRule>,
    decisions: Option<DecisionListener>,
    seed: u64,
}

impl Lab {
    /// An empty lab at time zero. The seed is only named in errors; what is random follows from the seeds of hosts and
    /// paths, for which [`Lab::host_seed`] and [`PathConfig::with_seed`] are made.
    pub fn new(seed: u64) -> Lab {
        Lab {
            now: Instant::ZERO,
            hosts: Vec::new(),
            cables: Vec::new(),
            observers: Vec::new(),
            drop_rule: None,
            decisions: None,
            seed,
        }
    }

    /// A host's 32-byte seed from the lab's seed: another one for every host.
    pub fn host_seed(&self, number: u64) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&number.to_le_bytes());
        bytes
    }

    /// Adds a host.
    pub fn add_host(&mut self, name: impl Into<String>, config: StackConfig) -> HostId {
        let mut stack = Stack::new(config, self.now);
        if self.decisions.is_some() {
            stack.trace_decisions();
        }
        self.hosts.push(Host { name: name.into(), stack, plugs: Vec::new() });
        HostId(self.hosts.len() - 1)
    }

    /// Joins two hosts by a path; each gets an interface as described. The MTUs should be the path's.
    pub fn connect(&mut self, a: (HostId, IfaceConfig), b: (HostId, IfaceConfig), path: PathConfig) -> CableId {
        let cable = self.cables.len();
        let mut plug = |(host, config): (HostId, IfaceConfig), end| {
            let host_slot = &mut self.hosts[host.0];
            let iface = host_slot.stack.add_interface(config.clone());
            host_slot.plugs.push(Plug { iface, cable, end, config });
            (host.0, iface)
        };
        let (a, b) = (plug(a, End::A), plug(b, End::B));
        self.cables.push(Cable { path: Path::new(path), a, b });
        CableId(cable)
    }

    /// From now on packets take another path between the same two interfaces, as when a route changes. What is under way on
    /// the old one is lost.
    pub fn reroute(&mut self, cable: CableId, path: PathConfig) {
        self.cables[cable.0].path = Path::new(path);
    }

    /// Lets an observer see every packet from now on.
    pub fn observe(&mut self, observer: impl Observer + 'static) {
        self.observers.push(Box::new(observer));
    }

    /// Is told from now on what connections of any host decide about loss and congestion, when the instant is over at
    /// which it was decided. Replaces the listener given before.
    pub fn on_decision(&mut self, listener: impl FnMut(&str, &TcpDecision) + 'static) {
        self.decisions = Some(Box::new(listener));
        self.hosts.iter_mut().for_each(|host| host.stack.trace_decisions());
    }

    fn tell_decisions(&mut self) {
        let Some(listener) = &mut self.decisions else { return };
        for host in &mut self.hosts {
            while let Some(decision) = host.stack.poll_decision() {
                listener(&host.name, &decision);
            }
        }
    }

    /// From now on, packets for which `rule` says so vanish as they are sent, before the path sees them. For stories that
    /// need exactly the third segment to be lost. Replaces the rule given before.
    pub fn drop_when(&mut self, rule: impl FnMut(&Sighting<'_>) -> bool + 'static) {
        self.drop_rule = Some(Box::new(rule));
    }

    /// Virtual time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Virtual time since the lab began.
    pub fn elapsed(&self) -> Duration {
        elapsed(self.now)
    }

    /// The seed given to [`Lab::new`].
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// A host's name.
    pub fn name(&self, host: HostId) -> &str {
        &self.hosts[host.0].name
    }

    /// A host's stack, to look at.
    pub fn host(&self, host: HostId) -> &Stack {
        &self.hosts[host.0].stack
    }

    /// A host's stack and the time, to make calls with. What they set off happens at the next [`Lab::settle`].
    pub fn host_mut(&mut self, host: HostId) -> (&mut Stack, Instant) {
        (&mut self.hosts[host.0].stack, self.now)
    }

    /// The host crashes and starts again: a new stack with the same interfaces and no memory of anything. What is under
    /// way to it arrives at the new one.
    pub fn reboot(&mut self, host: HostId, config: StackConfig) {
        let slot = &mut self.hosts[host.0];
        slot.stack = Stack::new(config, self.now);
        if self.decisions.is_some() {
            slot.stack.trace_decisions();
        }
        for plug in &mut slot.plugs {
            plug.iface = slot.stack.add_interface(plug.config.clone());
            let cable = &mut self.cables[plug.cable];
            let place = if plug.end == End::A { &mut cable.a } else { &mut cable.b };
            place.1 = plug.iface;
        }
    }

    /// A packet comes out of the cable at the end of `to` now, as if the network had kept it all along. For stories about
    /// old duplicates and forgeries.
    pub fn inject(&mut self, cable: CableId, to: HostId, packet: segue_wire::Packet) {
        let Cable { a, b, .. } = self.cables[cable.0];
        let (iface, from) = if a.0 == to.0 { (a.1, End::B) } else { (b.1, End::A) };
        self.show(cable.0, from, Moment::Sent, &packet);
        self.hosts[to.0].stack.on_packet(self.now, iface, packet.clone());
        self.show(cable.0, from, Moment::Arrived, &packet);
    }

    /// What a cable's path has done.
    pub fn path_stats(&self, cable: CableId) -> PathStats {
        self.cables[cable.0].path.stats()
    }

    /// Bytes of places for packets that all cables' paths hold, taken or not.
    pub fn path_rooms(&self) -> usize {
        self.cables.iter().map(|cable| cable.path.room()).sum()
    }

    /// The MTU of a cable in bytes.
    pub fn mtu(&self, cable: CableId) -> usize {
        self.cables[cable.0].path.config().mtu()
    }

    /// All hosts with their sockets, for an error or a print.
    pub fn host_states(&self) -> Vec<HostState> {
        let state = |host: &Host| HostState {
            name: host.name.clone(),
            next_deadline: host.stack.next_deadline().map(elapsed),
            sockets: host.stack.sockets(self.now).collect(),
        };
        self.hosts.iter().map(state).collect()
    }

    /// Everything that is due now happens: deadlines, packets out, packets in, until nothing more does.
    ///
    /// # Errors
    /// [`LabError::Stalled`] when a host does not let this instant end.
    pub fn settle(&mut self) -> Result<(), LabError> {
        for _ in 0..ROUNDS_PER_INSTANT {
            let mut moved = false;
            for host in 0..self.hosts.len() {
                moved |= self.run_deadline(host);
                moved |= self.transmit(host);
            }
            for cable in 0..self.cables.len() {
                moved |= self.deliver(cable, End::A);
                moved |= self.deliver(cable, End::B);
            }
            if !moved {
                self.tell_decisions();
                return Ok(());
            }
        }
        let due = |host: &&Host| host.stack.next_deadline().is_some_and(|deadline| deadline <= self.now);
        let host = self.hosts.iter().find(due).map_or("a path", |host| &host.name).to_owned();
        Err(self.stalled(StallReason::Busy { host }))
    }

    /// The next socket event of any host, if one is waiting.
    pub fn next_event(&mut self) -> Option<(HostId, SocketEvent)> {
        let mut hosts = self.hosts.iter_mut().enumerate();
        hosts.find_map(|(at, host)| host.stack.poll_event().map(|event| (HostId(at), event)))
    }

    /// When something happens next without anybody doing anything; `None`: never.
    pub fn next_deadline(&self) -> Option<Instant> {
        let hosts = self.hosts.iter().filter_map(|host| host.stack.next_deadline());
        let ends = [End::A, End::B];
        let paths = self.cables.iter().flat_map(|cable| ends.map(|end| cable.path.next_deadline(end)));
        hosts.chain(paths.flatten()).min()
    }

    /// Time goes on to `to`, which is not before now, and no further than the next deadline; what is due then happens.
    ///
    /// # Errors
    /// As [`Lab::settle`].
    pub fn advance_towards(&mut self, to: Instant) -> Result<(), LabError> {
        self.settle()?;
        let next = self.next_deadline().unwrap_or(to).min(to);
        self.now = self.now.max(next);
        self.settle()
    }

    /// Time goes on until `to`, whatever happens on the way. Socket events wait to be fetched.
    ///
    /// # Errors
    /// As [`Lab::settle`].
    pub fn run_for(&mut self, duration: Duration) -> Result<(), LabError> {
        let to = self.now + duration;
        loop {
            self.advance_towards(to)?;
            if self.now >= to {
                return Ok(());
            }
        }
    }

    /// Runs until the programs are done.
    ///
    /// # Errors
    /// [`LabError::Stalled`] when they are not after `limit` of virtual time since the lab began, or when nothing will
    /// ever happen again; and whatever the programs answer with.
    pub fn run(&mut self, limit: Duration, app: &mut impl App) -> Result<(), LabError> {
        let end = Instant::ZERO + limit;
        loop {
            self.settle()?;
            if let Some((host, event)) = self.next_event() {
                app.on_event(self, host, event)?;
                continue;
            }
            if app.is_done(self) {
                return Ok(());
            }
            match self.next_deadline() {
                None => return Err(self.stalled(StallReason::NothingScheduled)),
                Some(next) if next > end => return Err(self.stalled(StallReason::TimeIsUp { limit })),
                Some(next) => self.now = self.now.max(next),
            }
        }
    }

    /// The error for an experiment that does not go on.
    pub fn stalled(&self, reason: StallReason) -> LabError {
        LabError::Stalled { reason, at: self.elapsed(), seed: self.seed, hosts: self.host_states() }
    }

    fn run_deadline(&mut self, host: usize) -> bool {
        let stack = &mut self.hosts[host].stack;
        let due = stack.next_deadline().is_some_and(|deadline| deadline <= self.now);
        if due {
            stack.on_deadline(self.now);
        }
        due
    }

    /// Gives everything that a host wants to send to its cables.
    fn transmit(&mut self, host: usize) -> bool {
        let mut moved = false;
        while let Some((iface, packet)) = self.hosts[host].stack.poll_transmit(self.now) {
            moved = true;
            let plug = self.hosts[host].plugs.iter().find(|plug| plug.iface == iface);
            let Some(&Plug { cable, end, .. }) = plug else { continue };
            if self.drops(cable, end, &packet) {
                self.show(cable, end, Moment::Lost, &packet);
            } else if self.observers.is_empty() {
                self.cables[cable].path.push(self.now, end, packet);
            } else {
                self.transmit_observed(cable, end, packet);
            }
        }
        moved
    }

    /// The path is asked before and after, because only it knows whether it lost the packet.
    fn transmit_observed(&mut self, cable: usize, end: End, packet: segue_wire::Packet) {
        let lost = |cable: &Cable| {
            let stats = cable.path.stats();
            let stats = if end == End::A { stats.a_to_b } else { stats.b_to_a };
            stats.lost + stats.queue_dropped + stats.too_big + stats.overflow
        };
        let before = lost(&self.cables[cable]);
        self.cables[cable].path.push(self.now, end, packet.clone());
        let moment = if lost(&self.cables[cable]) > before { Moment::Lost } else { Moment::Sent };
        self.show(cable, end, moment, &packet);
    }

    fn drops(&mut self, cable: usize, end: End, packet: &segue_wire::Packet) -> bool {
        let Some(mut rule) = self.drop_rule.take() else { return false };
        let drops = rule(&self.sighting(cable, end, Moment::Sent, packet));
        self.drop_rule = Some(rule);
        drops
    }

    fn deliver(&mut self, cable: usize, end: End) -> bool {
        let mut moved = false;
        let (host, iface) = self.cables[cable].at(end);
        while let Some(packet) = self.cables[cable].path.pop(self.now, end) {
            moved = true;
            if self.observers.is_empty() {
                self.hosts[host].stack.on_packet(self.now, iface, packet);
            } else {
                let seen = packet.clone();
                self.hosts[host].stack.on_packet(self.now, iface, packet);
                self.show(cable, end.other(), Moment::Arrived, &seen);
            }
        }
        moved
    }

    fn sighting<'a>(&self, cable: usize, from: End, moment: Moment, packet: &'a segue_wire::Packet) -> Sighting<'a> {
        Sighting {
            now: self.now,
            cable: CableId(cable),
            from: HostId(self.cables[cable].at(from).0),
            to: HostId(self.cables[cable].at(from.other()).0),
            moment,
            packet,
        }
    }

    fn show(&mut self, cable: usize, from: End, moment: Moment, packet: &segue_wire::Packet) {
        let sighting = self.sighting(cable, from, moment, packet);
        let mut observers = std::mem::take(&mut self.observers);
        for observer in &mut observers {
            observer.on_packet(self, sighting);
        }
        self.observers = observers;
    }
}
