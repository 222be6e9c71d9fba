//! Plays a script against a stack in virtual time.
//!
//! Decides the order of things: options, init command, events each at its time, cleanup command, code. The clock jumps
//! from one thing to do to the next; nothing sleeps, and every wait has an end in virtual time.
mod blocked;
mod compare;
pub(crate) mod endpoint;
mod expect;
mod inbound;
mod inject;
pub(crate) mod live;
pub(crate) mod machine;
mod snapshot;

use std::collections::BTreeMap;
use std::time::Duration;

use segue_wire::Instant;

use crate::ast::{Action, Body, Command, Direction, Event, EventTime, PacketSpec, Point, Script};
use crate::call::{Blocked, Descriptor};
use crate::code::Scope;
use crate::command::{self, Effect};
use crate::icmp_names;
use crate::settings::Settings;
use crate::source::{Diagnostic, Span};
use endpoint::Endpoint;
use machine::Machine;
use snapshot::Snapshot;

/// When something must happen, tolerance included (`earliest`, `latest`) and without (`first`, `last`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) first: Instant,
    pub(crate) last: Instant,
    pub(crate) earliest: Instant,
    pub(crate) latest: Instant,
    pub(crate) tolerance: Duration,
}

pub(crate) struct Interpreter<'a> {
    pub(crate) text: &'a str,
    pub(crate) settings: Settings,
    pub(crate) machine: Machine,
    pub(crate) endpoints: Vec<Endpoint>,
    /// The one under test.
    pub(crate) current: Option<usize>,
    pub(crate) descriptors: BTreeMap<i64, Descriptor>,
    pub(crate) blocked: Option<Blocked>,
    pub(crate) warnings: Vec<String>,
    snapshots: Vec<Snapshot>,
    next_port: u16,
    saved_sysctls: BTreeMap<String, String>,
    /// When the previous event was over.
    previous: Instant,
}

/// What came of a script.
pub(crate) struct Played {
    pub(crate) result: Result<(), Diagnostic>,
    pub(crate) warnings: Vec<String>,
    pub(crate) printed: Vec<String>,
    pub(crate) trace: Vec<String>,
    pub(crate) packets: u64,
    pub(crate) elapsed: Duration,
}

/// What can be told of a script before it runs, beyond its grammar.
pub(crate) fn check(script: &Script, settings: &Settings) -> Result<(), Diagnostic> {
    settings.check().map_err(Diagnostic::whole)?;
    for event in &script.events {
        let Action::Packet(packet) = &event.action else { continue };
        if let Body::Icmp(spec) = &packet.body {
            icmp_names::resolve(spec, settings.wire_version(), packet.span)?;
        }
    }
    Ok(())
}

/// Play a script from beginning to end.
pub(crate) fn play(text: &str, script: &Script, settings: Settings, seed: [u8; 32]) -> Played {
    let machine = match Machine::new(&settings, seed) {
        Ok(machine) => machine,
        Err(message) => return Played::failed(Diagnostic::whole(message)),
    };
    let mut interpreter = Interpreter {
        text,
        settings,
        previous: machine.start,
        machine,
        endpoints: Vec::new(),
        current: None,
        descriptors: BTreeMap::new(),
        blocked: None,
        warnings: Vec::new(),
        snapshots: Vec::new(),
        next_port: 40_001,
        saved_sysctls: BTreeMap::new(),
    };
    let mut result = interpreter.events(script);
    if let Some(cleanup) = &script.cleanup {
        let cleaned = interpreter.command(&cleanup.text, cleanup.span);
        result = result.and(cleaned);
    }
    let mut scope = Scope::default();
    if result.is_ok() {
        result = interpreter.evaluate(&mut scope);
    }
    Played {
        result,
        warnings: interpreter.warnings,
        printed: scope.printed,
        trace: interpreter.machine.trace.into(),
        packets: interpreter.machine.packets,
        elapsed: interpreter.machine.now - interpreter.machine.start,
    }
}

impl Played {
    pub(crate) fn failed(error: Diagnostic) -> Played {
        Played {
            result: Err(error),
            warnings: Vec::new(),
            printed: Vec::new(),
            trace: Vec::new(),
            packets: 0,
            elapsed: Duration::ZERO,
        }
    }
}

impl Interpreter<'_> {
    fn events(&mut self, script: &Script) -> Result<(), Diagnostic> {
        for command in self.settings.init_scripts.clone() {
            self.command(&command, Span::default())?;
        }
        if let Some(Command { text, span }) = &script.init {
            self.command(text, *span)?;
        }
        // The clock of the test starts when all is set up.
        self.machine.start = self.machine.now;
        self.previous = self.machine.now;
        for event in &script.events {
            self.event(event).map_err(|error| error.or_at(event.span))?;
            self.check_fault(event.span)?;
            self.previous = self.machine.now;
        }
        self.finish_blocked()
    }

    fn check_fault(&mut self, span: Span) -> Result<(), Diagnostic> {
        self.machine.fault.take().map_or(Ok(()), |fault| Err(Diagnostic::at(span, fault)))
    }

    pub(crate) fn source_of(&self, span: Span) -> String {
        let text = self.text.get(span.start..span.end).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn instant(&self, point: Point) -> Instant {
        match point {
            Point::Absolute(micros) => self.machine.start + Duration::from_micros(micros),
            Point::Relative(micros) => self.previous + Duration::from_micros(micros),
        }
    }

    /// The tolerance of something that is `distance` after the event before.
    pub(crate) fn tolerance(&self, distance: Duration) -> Duration {
        let share = distance.as_secs_f64() * self.settings.tolerance_percent / 100.0;
        let fixed = Duration::from_micros(self.settings.tolerance_usecs);
        fixed.max(Duration::try_from_secs_f64(share).unwrap_or(Duration::MAX))
    }

    pub(crate) fn window(&self, first: Instant, last: Instant, distance: Duration) -> Window {
        let tolerance = self.tolerance(distance);
        Window {
            first,
            last,
            earliest: first.saturating_sub(tolerance),
            latest: last.checked_add(tolerance).unwrap_or(Instant::MAX),
            tolerance,
        }
    }

    fn event(&mut self, event: &Event) -> Result<(), Diagnostic> {
        let (start, end) = match event.time {
            EventTime::Any => (None, None),
            EventTime::At(point) => (Some(self.instant(point)), Some(self.instant(point))),
            EventTime::Window(first, last) => (Some(self.instant(first)), Some(self.instant(last))),
            EventTime::Blocking { start, end } => {
                let end = match start {
                    Point::Absolute(_) => Point::Absolute(end),
                    Point::Relative(_) => Point::Relative(end),
                };
                (Some(self.instant(start)), Some(self.instant(end)))
            }
        };
        if let Action::Packet(packet) = &event.action
            && packet.direction == Direction::Outbound
        {
            let window = start.zip(end).map(|(first, last)| self.window(first, last, first - self.previous));
            return self.outbound(packet, window);
        }
        let start = start.unwrap_or(self.machine.now);
        self.wait_until(start, event.span)?;
        match &event.action {
            Action::Packet(packet) => self.inbound(packet),
            Action::Command(text) => self.command(text, event.span),
            Action::Code(code) => {
                self.take_snapshot(code);
                Ok(())
            }
            Action::Call(call) => {
                let blocking = matches!(event.time, EventTime::Blocking { .. }).then_some(end).flatten();
                let window = blocking.map(|end| self.window(end, end, end - start));
                let result = self.system_call(call, window);
                match result {
                    Err(error) if self.settings.non_fatal_call => self.warn(&error),
                    result => return result,
                }
                Ok(())
            }
        }
    }

    fn outbound(&mut self, packet: &PacketSpec, window: Option<Window>) -> Result<(), Diagnostic> {
        match self.expect(packet, window) {
            Err(error) if self.settings.non_fatal_packet => {
                self.warn(&error);
                Ok(())
            }
            result => result,
        }
    }

    fn warn(&mut self, error: &Diagnostic) {
        let place = error.span.map_or(0, |span| crate::source::position(self.text, span.start).0);
        self.warnings.push(format!("line {place}: {}", error.message));
    }

    /// Let time pass until an event is due; being late is an error.
    fn wait_until(&mut self, at: Instant, span: Span) -> Result<(), Diagnostic> {
        let late = self.machine.now.saturating_duration_since(at);
        let tolerance = self.tolerance(at.saturating_duration_since(self.previous));
        if late > tolerance {
            let seconds = |at| self.machine.seconds(at);
            let message = format!(
                "this event is due at {:.6} s, but the events before it lasted until {:.6} s",
                seconds(at),
                seconds(self.machine.now)
            );
            return Err(Diagnostic::at(span, message));
        }
        while self.step(at)? {}
        self.machine.now = self.machine.now.max(at);
        Ok(())
    }

    /// Do the next thing that is due until `limit`, if there is one. When not, time is at `limit` unless nothing will
    /// ever be due.
    pub(crate) fn step(&mut self, limit: Instant) -> Result<bool, Diagnostic> {
        self.poll_blocked()?;
        if let Some(fault) = self.machine.fault.take() {
            return Err(Diagnostic::whole(fault));
        }
        let wake = self.blocked.as_ref().and_then(Blocked::deadline);
        let next = [self.machine.next_deadline(), wake].into_iter().flatten().min();
        match next {
            Some(at) if at <= limit => {
                self.machine.fire(at);
                self.poll_blocked()?;
                Ok(true)
            }
            Some(_) => {
                self.machine.now = self.machine.now.max(limit);
                Ok(false)
            }
            None => Ok(false),
        }
    }

    pub(crate) fn endpoint_mut(&mut self, span: Span) -> Result<&mut Endpoint, Diagnostic> {
        let endpoint = self.current.and_then(|at| self.endpoints.get_mut(at));
        endpoint.ok_or_else(|| Diagnostic::at(span, "there is no socket under test yet: call socket() first"))
    }

    pub(crate) fn ephemeral_port(&mut self) -> u16 {
        self.next_port = self.next_port.checked_add(1).unwrap_or(40_001);
        self.next_port
    }

    fn command(&mut self, text: &str, span: Span) -> Result<(), Diagnostic> {
        for effect in command::effects(text).map_err(|message| Diagnostic::at(span, message))? {
            self.apply(effect, span).map_err(|message| Diagnostic::at(span, message))?;
        }
        self.machine.drain();
        Ok(())
    }

    fn apply(&mut self, effect: Effect, span: Span) -> Result<(), String> {
        match effect {
            Effect::Sysctl { name, value } => self.set_sysctl(&name, &value)?,
            Effect::Preferred { name, value } => {
                if let Err(error) = self.set_sysctl(&name, &value) {
                    self.warnings.push(error);
                }
            }
            Effect::Restore => {
                for (name, value) in std::mem::take(&mut self.saved_sysctls) {
                    self.set_sysctl(&name, &value)?;
                }
            }
            Effect::Route { initcwnd, mtu, ecn } => self.change_route(initcwnd, mtu, ecn)?,
            Effect::Offload(is_on) => self.machine.offload = is_on,
            Effect::Sleep(micros) => {
                let until = self.machine.now + Duration::from_micros(micros);
                self.wait_until(until, span).map_err(|error| error.message)?;
            }
            Effect::Say(text) => self.warnings.push(text),
        }
        Ok(())
    }

    fn set_sysctl(&mut self, name: &str, value: &str) -> Result<(), String> {
        let old = self.machine.stack.sysctl(name).map_err(|error| error.to_string())?;
        if old.split_whitespace().eq(value.split_whitespace()) {
            return Ok(());
        }
        let now = self.machine.now;
        self.machine.stack.set_sysctl(now, name, value).map_err(|error| error.to_string())?;
        self.saved_sysctls.entry(name.to_owned()).or_insert(old);
        Ok(())
    }

    fn change_route(&mut self, initcwnd: Option<u32>, mtu: Option<u32>, ecn: Option<bool>) -> Result<(), String> {
        let remote = self.settings.remote();
        let found = self.machine.stack.routes().find(|route| route.destination.contains(remote)).cloned();
        let mut route = found.ok_or_else(|| format!("the stack under test has no route to {remote}"))?;
        route.initcwnd = initcwnd.or(route.initcwnd);
        route.mtu = mtu.or(route.mtu);
        route.ecn = ecn.unwrap_or(route.ecn);
        self.machine.stack.add_route(route).map(drop).map_err(|error| error.to_string())
    }
}
