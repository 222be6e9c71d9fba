//! The stack under test and its clock, which only moves when the interpreter says so.
//!
//! Decides when the stack is called; captures all that it sends. Nothing here sleeps or reads a real clock.
use std::collections::{HashMap, VecDeque};

use segue_stack::{Cidr, IfaceConfig, IfaceId, Route, SocketId, Stack, StackConfig};
use segue_wire::{Instant, IpVersion, Packet, format};

use super::live::Live;
use crate::settings::Settings;

/// Lines of trace kept.
const TRACE: usize = 400;
/// More packets or timers than this at one instant are a stack that never comes to rest.
const RESTLESS: usize = 20_000;
/// More timers than this in one script are a script that asks for years.
const LONGEST: u64 = 3_000_000;

pub(crate) struct Machine {
    pub(crate) stack: Stack,
    pub(crate) iface: IfaceId,
    pub(crate) now: Instant,
    pub(crate) start: Instant,
    /// Whether super-segments are captured whole.
    pub(crate) offload: bool,
    pub(crate) captured: VecDeque<Live>,
    pub(crate) trace: VecDeque<String>,
    pub(crate) packets: u64,
    /// How often each socket gained something to be ready for.
    pub(crate) edges: HashMap<SocketId, u64>,
    relative: format::Relative,
    fired: usize,
    fired_in_all: u64,
    /// What no script can go on after.
    pub(crate) fault: Option<String>,
}

impl Machine {
    pub(crate) fn new(settings: &Settings, seed: [u8; 32]) -> Result<Machine, String> {
        let start = Instant::from_secs(1000);
        let mut stack = Stack::new(StackConfig::new(seed), start);
        let mut config = IfaceConfig::new("tun0", settings.mtu.into());
        let (prefix, any) = match settings.wire_version() {
            IpVersion::V4 => (16, Cidr::ANY_V4),
            IpVersion::V6 => (48, Cidr::ANY_V6),
        };
        config.addresses = vec![Cidr::new(settings.local(), prefix).map_err(|error| error.to_string())?];
        config.gso_max = 65_535;
        let iface = stack.add_interface(config);
        stack.add_route(Route::on_link(any, iface)).map_err(|error| error.to_string())?;
        Ok(Machine {
            stack,
            iface,
            now: start,
            start,
            offload: true,
            captured: VecDeque::new(),
            trace: VecDeque::new(),
            packets: 0,
            edges: HashMap::new(),
            relative: format::Relative::new(),
            fired: 0,
            fired_in_all: 0,
            fault: None,
        })
    }

    /// Seconds since the start of the test, for messages.
    pub(crate) fn seconds(&self, at: Instant) -> f64 {
        at.saturating_duration_since(self.start).as_secs_f64()
    }

    pub(crate) fn inject(&mut self, packet: Packet) {
        self.note("<", &packet);
        self.packets += 1;
        self.stack.on_packet(self.now, self.iface, packet);
        self.drain();
    }

    /// Take all that the stack wants to send now, and all readiness it gained.
    pub(crate) fn drain(&mut self) {
        for round in 0.. {
            let Some((_, packet)) = self.stack.poll_transmit(self.now) else { break };
            if round > RESTLESS {
                self.fault.get_or_insert_with(|| format!("the stack sent more than {RESTLESS} packets at one instant"));
                break;
            }
            if self.offload && packet.segmentation.is_some() {
                self.capture(packet);
            } else {
                packet.segments().for_each(|packet| self.capture(packet));
            }
        }
        while let Some(event) = self.stack.poll_event() {
            *self.edges.entry(event.socket).or_default() += 1;
        }
    }

    fn capture(&mut self, packet: Packet) {
        self.packets += 1;
        self.note(">", &packet);
        match Live::parse(self.now, &packet) {
            Ok(live) => self.captured.push_back(live),
            Err(error) => _ = self.fault.get_or_insert_with(|| format!("the stack sent a malformed packet: {error}")),
        }
    }

    fn note(&mut self, direction: &str, packet: &Packet) {
        let line = format!("{:12.6} {direction} {}", self.seconds(self.now), self.relative.line(packet));
        self.trace.push_back(line);
        if self.trace.len() > TRACE {
            self.trace.pop_front();
        }
    }

    /// When the stack wants to be called next.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.stack.next_deadline().map(|deadline| deadline.max(self.now))
    }

    /// Move the clock and let the stack do what is due.
    pub(crate) fn fire(&mut self, at: Instant) {
        self.fired = if at > self.now { 0 } else { self.fired + 1 };
        self.fired_in_all += 1;
        if self.fired_in_all > LONGEST {
            self.fault.get_or_insert_with(|| format!("more than {LONGEST} timers ran out: the script lasts too long"));
        }
        if self.fired > RESTLESS {
            self.fault.get_or_insert_with(|| "the stack asks to be called again at once, for ever".to_owned());
        }
        self.now = self.now.max(at);
        self.stack.on_deadline(self.now);
        self.drain();
    }
}
