//! System calls: performed at their time, those that block while events go on.
use std::time::Duration;

use super::{Interpreter, Window};
use crate::ast::SystemCall;
use crate::call::{Blocked, Outcome};
use crate::source::Diagnostic;

/// How long a call waits for another one that blocks.
const TURN: Duration = Duration::from_secs(1);
/// How long a call without an end time may block.
const LONGEST: Duration = Duration::from_secs(300);

impl Interpreter<'_> {
    /// Perform a call. With a window it may block while events go on, and must return within it.
    pub(super) fn system_call(&mut self, call: &SystemCall, window: Option<Window>) -> Result<(), Diagnostic> {
        if self.blocked.is_some() {
            let limit = self.machine.now + TURN;
            while self.blocked.is_some() && self.step(limit)? {}
            if let Some(blocked) = &self.blocked {
                let message = format!("{}() is still blocking, and only one call can at a time", blocked.call.name);
                return Err(Diagnostic::at(call.span, message));
            }
        }
        let operation = self.prepare(call)?;
        let mut blocked = Blocked { operation, call: call.clone(), window };
        let outcome = self.attempt(&mut blocked.operation)?;
        self.machine.drain();
        match (outcome, window) {
            (Some(outcome), _) => self.returned(&blocked, outcome),
            (None, Some(_)) => {
                self.blocked = Some(blocked);
                Ok(())
            }
            (None, None) => {
                self.blocked = Some(blocked);
                let limit = self.machine.now + LONGEST;
                while self.blocked.is_some() && self.step(limit)? {}
                if self.blocked.take().is_some() {
                    let message = format!("{}() blocks for ever here", call.name);
                    let help = "give it an end time (`+0...0.2 read(…)`) to let events go on while it blocks";
                    return Err(Diagnostic::at(call.span, message).note(help));
                }
                Ok(())
            }
        }
    }

    /// Try the blocked call again, and see whether its time is over.
    pub(crate) fn poll_blocked(&mut self) -> Result<(), Diagnostic> {
        let Some(mut blocked) = self.blocked.take() else { return Ok(()) };
        if let Some(outcome) = self.attempt(&mut blocked.operation)? {
            self.machine.drain();
            return self.returned(&blocked, outcome);
        }
        self.machine.drain();
        match blocked.window {
            Some(window) if self.machine.now > window.latest => Err(self.overdue(&blocked, window)),
            _ => {
                self.blocked = Some(blocked);
                Ok(())
            }
        }
    }

    fn overdue(&self, blocked: &Blocked, window: Window) -> Diagnostic {
        let (name, last) = (&blocked.call.name, self.machine.seconds(window.last));
        Diagnostic::at(blocked.call.span, format!("{name}() should have returned at {last:.6} s, but still blocks"))
    }

    /// After the last event a blocked call has until its end time.
    pub(super) fn finish_blocked(&mut self) -> Result<(), Diagnostic> {
        let Some(window) = self.blocked.as_ref().and_then(|blocked| blocked.window) else { return Ok(()) };
        while self.blocked.is_some() && self.step(window.latest)? {}
        self.poll_blocked()?;
        match self.blocked.take() {
            Some(blocked) => Err(self.overdue(&blocked, window)),
            None => Ok(()),
        }
    }

    fn returned(&mut self, blocked: &Blocked, outcome: Outcome) -> Result<(), Diagnostic> {
        let call = &blocked.call;
        if let Some(window) = blocked.window {
            let now = self.machine.now;
            if now < window.earliest || now > window.latest {
                let word = if now < window.earliest { "too early" } else { "too late" };
                let message = format!(
                    "{}() returned {word}: expected at {:.6} s (± {:.6} s), got at {:.6} s",
                    call.name,
                    self.machine.seconds(window.last),
                    window.tolerance.as_secs_f64(),
                    self.machine.seconds(now)
                );
                return Err(Diagnostic::at(call.span, message).note(format!("it returned {}", outcome.describe())));
            }
        }
        self.check_result(call, outcome)
    }
}
