//! Plays a script against a host.
//!
//! Decides the order of things: options, init command, events each at its time, cleanup command, code. Whether time is virtual
//! or real is the host's; every wait has an end.
mod apply;
mod blocked;
mod compare;
mod encapsulation;
pub(crate) mod endpoint;
mod expect;
mod inbound;
mod inject;
mod keys;
pub(crate) mod live;
mod pace;
mod signature;
mod snapshot;
mod trace;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::Duration;

use segue_wire::Instant;

use crate::ast::{Action, Body, Command, Direction, Event, EventTime, PacketSpec, Point, Script};
use crate::call::{Blocked, Descriptor};
use crate::code::Scope;
use crate::host::{Host, Sent, Woken};
use crate::icmp_names;
use crate::settings::Settings;
use crate::source::{Diagnostic, Span};
use endpoint::Endpoint;
pub(crate) use keys::KeyChange;
use keys::Keys;
use live::Live;
pub(crate) use pace::PUNCTUAL;
use pace::Pace;
use snapshot::Snapshot;
use trace::Trace;

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
    /// Where the script stands, for scripts that it calls.
    folder: Option<PathBuf>,
    pub(crate) settings: Settings,
    pub(crate) host: &'a mut dyn Host,
    /// What the host sent and no line has been compared with.
    captured: VecDeque<Live>,
    trace: Trace,
    /// When the first event happened.
    pub(crate) start: Instant,
    pub(crate) endpoints: Vec<Endpoint>,
    /// The one under test.
    pub(crate) current: Option<usize>,
    pub(crate) descriptors: BTreeMap<i64, Descriptor>,
    pub(crate) blocked: Option<Blocked>,
    pub(crate) warnings: Vec<String>,
    snapshots: Vec<Snapshot>,
    next_port: u16,
    saved_sysctls: BTreeMap<String, String>,
    /// The last setting that the host did not take, in its words, or the option that it has not.
    pub(crate) lacks: Option<String>,
    /// When the previous event was over.
    previous: Instant,
    /// When the previous event was due, if it was an inbound packet.
    train: Option<Instant>,
    pace: Pace,
}

/// What came of a script.
pub(crate) struct Played {
    pub(crate) result: Result<(), Diagnostic>,
    /// The setting that the host did not take, if that is what ended the script.
    pub(crate) lacks: Option<String>,
    pub(crate) warnings: Vec<String>,
    pub(crate) printed: Vec<String>,
    pub(crate) trace: Vec<String>,
    pub(crate) packets: u64,
    pub(crate) elapsed: Duration,
    /// Whether the player kept to the script's times.
    pub(crate) was_in_time: bool,
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

/// What is played.
pub(crate) struct Scene<'a> {
    pub(crate) text: &'a str,
    /// Where the script stands, for scripts that it calls.
    pub(crate) folder: Option<&'a Path>,
    pub(crate) script: &'a Script,
    /// Whether the trace keeps every packet.
    pub(crate) keeps_all: bool,
}

/// Play a script from beginning to end.
pub(crate) fn play(scene: &Scene<'_>, settings: Settings, host: &mut dyn Host) -> Played {
    let Scene { text, folder, script, keeps_all } = *scene;
    let now = host.now();
    let mut interpreter = Interpreter {
        text,
        folder: folder.map(Path::to_owned),
        settings,
        host,
        captured: VecDeque::new(),
        trace: Trace::new(now, keeps_all),
        start: now,
        previous: now,
        train: None,
        pace: Pace::default(),
        endpoints: Vec::new(),
        current: None,
        descriptors: BTreeMap::new(),
        blocked: None,
        warnings: Vec::new(),
        snapshots: Vec::new(),
        next_port: 40_001,
        saved_sysctls: BTreeMap::new(),
        lacks: None,
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
    interpreter.host.interrupt();
    let ending = result.as_ref().err();
    let lacks = interpreter.lacks.filter(|lacks| ending.is_some_and(|error| error.message.contains(lacks.as_str())));
    Played {
        result,
        lacks,
        warnings: interpreter.warnings,
        printed: scope.printed,
        packets: interpreter.trace.packets,
        was_in_time: interpreter.pace.was_kept(),
        trace: interpreter.trace.into_lines(),
        elapsed: interpreter.host.now().saturating_duration_since(interpreter.start),
    }
}

impl Played {
    pub(crate) fn failed(error: Diagnostic) -> Played {
        Played {
            result: Err(error),
            lacks: None,
            warnings: Vec::new(),
            printed: Vec::new(),
            trace: Vec::new(),
            packets: 0,
            elapsed: Duration::ZERO,
            was_in_time: true,
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
        self.start = self.host.now();
        self.previous = self.start;
        self.trace.set_start(self.start);
        for event in &script.events {
            self.event(event).map_err(|error| error.or_at(event.span))?;
        }
        self.finish_blocked()
    }

    pub(crate) fn source_of(&self, span: Span) -> String {
        let text = self.text.get(span.start..span.end).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Seconds since the start of the test, for messages.
    pub(crate) fn seconds(&self, at: Instant) -> f64 {
        at.saturating_duration_since(self.start).as_secs_f64()
    }

    /// The tolerance of something that is `distance` after the event before.
    pub(crate) fn tolerance(&self, distance: Duration) -> Duration {
        let share = distance.as_secs_f64() * self.settings.tolerance_percent / 100.0;
        let fixed = Duration::from_micros(self.settings.tolerance_usecs);
        fixed.max(Duration::try_from_secs_f64(share).unwrap_or(Duration::MAX))
    }

    /// What happens later than the event before may wait for a timer, which is as late as the host's design has it.
    pub(crate) fn window(&self, first: Instant, last: Instant, distance: Duration) -> Window {
        let tolerance = self.tolerance(distance);
        let late = tolerance.max(self.timer_slack(distance)).saturating_add(self.pace.late());
        Window {
            first,
            last,
            earliest: first.saturating_sub(tolerance),
            latest: last.checked_add(late).unwrap_or(Instant::MAX),
            tolerance,
        }
    }

    fn timer_slack(&self, distance: Duration) -> Duration {
        if distance.is_zero() { Duration::ZERO } else { self.host.timer_slack(distance) }
    }

    /// When an event begins and ends, if it says so.
    fn times(&self, event: &Event) -> Option<(Instant, Instant)> {
        let is_inbound = matches!(&event.action, Action::Packet(packet) if packet.direction == Direction::Inbound);
        // Trains of injected packets do not drift: they count from each other's due times.
        let base = self.train.filter(|_| is_inbound).unwrap_or(self.previous);
        let instant = |point| match point {
            Point::Absolute(micros) => self.start + Duration::from_micros(micros),
            Point::Relative(micros) => base + Duration::from_micros(micros),
        };
        match event.time {
            EventTime::Any => None,
            EventTime::At(point) => Some((instant(point), instant(point))),
            EventTime::Window(first, last) => Some((instant(first), instant(last))),
            EventTime::Blocking { start, end } => {
                let end = match start {
                    Point::Absolute(_) => Point::Absolute(end),
                    Point::Relative(_) => Point::Relative(end),
                };
                Some((instant(start), instant(end)))
            }
        }
    }

    fn event(&mut self, event: &Event) -> Result<(), Diagnostic> {
        let times = self.times(event);
        if let Action::Packet(packet) = &event.action
            && packet.direction == Direction::Outbound
        {
            let previous = self.previous;
            let window = times.map(|(first, last)| self.window(first, last, first.saturating_duration_since(previous)));
            let sent = self.outbound(packet, window)?;
            if let (Some(Window { first, last, .. }), Some(sent)) = (window, sent) {
                let slack = self.timer_slack(first.saturating_duration_since(previous));
                self.pace.on_packet(sent.saturating_duration_since(last), slack);
            }
            // As if the interpreter had no latency: the line is over when its packet was there.
            self.previous = self.previous.max(sent.unwrap_or_else(|| self.host.now()));
            self.train = None;
            return Ok(());
        }
        let (start, end) = times.unwrap_or_else(|| (self.host.now(), self.host.now()));
        self.wait_until(start, event.span)?;
        self.train = None;
        match &event.action {
            Action::Packet(packet) => {
                self.inbound(packet)?;
                self.train = Some(start);
            }
            Action::Command(text) => self.command(text, event.span)?,
            Action::Code(code) => self.take_snapshot(code),
            Action::Call(call) => {
                let is_blocking = matches!(event.time, EventTime::Blocking { .. });
                let window = is_blocking.then(|| self.window(end, end, end.saturating_duration_since(start)));
                match self.system_call(call, window) {
                    Err(error) if self.settings.non_fatal_call => self.warn(&error),
                    result => result?,
                }
            }
        }
        self.previous = self.host.now();
        Ok(())
    }

    fn outbound(&mut self, packet: &PacketSpec, window: Option<Window>) -> Result<Option<Instant>, Diagnostic> {
        match self.expect(packet, window) {
            Err(error) if self.settings.non_fatal_packet => {
                self.warn(&error);
                Ok(None)
            }
            result => result.map(Some),
        }
    }

    fn warn(&mut self, error: &Diagnostic) {
        let place = error.span.map_or(0, |span| crate::source::position(self.text, span.start).0);
        self.warnings.push(format!("line {place}: {}", error.message));
    }

    /// Let time pass until an event is due; being late is an error.
    fn wait_until(&mut self, at: Instant, span: Span) -> Result<(), Diagnostic> {
        let late = self.host.now().saturating_duration_since(at);
        let tolerance = self.tolerance(at.saturating_duration_since(self.previous));
        if late > tolerance.saturating_add(self.pace.late()) {
            let message = format!(
                "this event is due at {:.6} s, but the events before it lasted until {:.6} s",
                self.seconds(at),
                self.seconds(self.host.now())
            );
            return Err(Diagnostic::at(span, message));
        }
        if late > Duration::ZERO {
            self.pace.on_overrun(late);
        }
        while self.pass(at)? == Woken::ByEvent {}
        if late == Duration::ZERO {
            self.pace.on_wake(at, self.host.now());
        }
        Ok(())
    }

    /// Let time pass until `limit`, or until the host has sent something or the blocked call has returned.
    pub(crate) fn pass(&mut self, limit: Instant) -> Result<Woken, Diagnostic> {
        self.poll_blocked()?;
        let overdue = self.blocked.as_ref().and_then(|blocked| blocked.window).map(|window| window.latest);
        let overdue = overdue.and_then(|latest| latest.checked_add(Duration::from_nanos(1)));
        let until = overdue.map_or(limit, |overdue| overdue.min(limit));
        let asked = self.host.now();
        let woken = self.host.wait(until).map_err(|error| Diagnostic::whole(error.0))?;
        let waited = self.captured.len();
        self.collect()?;
        let now = self.host.now();
        if let Some(live) = self.captured.get(waited).filter(|live| live.time >= asked) {
            self.pace.on_seen(live.time, now);
        }
        self.poll_blocked()?;
        Ok(if until < limit { Woken::ByEvent } else { woken })
    }

    /// Take what the host sent.
    pub(crate) fn collect(&mut self) -> Result<(), Diagnostic> {
        while let Some(Sent { at, packet }) = self.host.next_sent() {
            self.trace.note(at, ">", &packet);
            let live = Live::parse(at, &packet)
                .map_err(|error| Diagnostic::whole(format!("the host sent a malformed packet: {error}")))?;
            self.captured.push_back(live);
        }
        Ok(())
    }

    pub(crate) fn endpoint_mut(&mut self, span: Span) -> Result<&mut Endpoint, Diagnostic> {
        let endpoint = self.current.and_then(|at| self.endpoints.get_mut(at));
        endpoint.ok_or_else(|| Diagnostic::at(span, "there is no socket under test yet: call socket() first"))
    }

    /// The keys of the socket under test: its listener's, until there is a connection.
    fn keys(&self) -> Keys {
        let keys_of = |at: usize| self.endpoints.get(at);
        let current = self.current.and_then(keys_of);
        let owner = current.and_then(|endpoint| endpoint.listener).and_then(keys_of).or(current);
        owner.map(|endpoint| endpoint.keys.clone()).unwrap_or_default()
    }

    pub(crate) fn ephemeral_port(&mut self) -> u16 {
        self.next_port = self.next_port.checked_add(1).unwrap_or(40_001);
        self.next_port
    }
}
