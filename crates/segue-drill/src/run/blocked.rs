//! System calls: performed at their time, those that block while events go on.
use std::time::Duration;

use super::{Interpreter, Window};
use crate::ast::SystemCall;
use crate::call::{Blocked, describe};
use crate::host::{Progress, Returned, Woken};
use crate::source::Diagnostic;

/// How long a call waits for another one that blocks.
const TURN: Duration = Duration::from_secs(1);

impl Interpreter<'_> {
    /// Perform a call. With a window it may block while events go on, and must return within it.
    pub(super) fn system_call(&mut self, call: &SystemCall, window: Option<Window>) -> Result<(), Diagnostic> {
        if self.blocked.is_some() {
            let limit = self.host.now() + TURN;
            self.wait_for_call(limit)?;
            if let Some(blocked) = &self.blocked {
                let message = format!("{}() is still blocking, and only one call can at a time", blocked.call.name);
                return Err(Diagnostic::at(call.span, message));
            }
        }
        let (made, check) = self.prepare(call)?;
        let progress = self.host.begin(made).map_err(|error| Diagnostic::at(call.span, error.0))?;
        self.collect()?;
        let blocked = Blocked { check, call: call.clone(), window };
        match (progress, window) {
            (Progress::Returned(returned), _) => self.returned(&blocked, returned),
            (Progress::Blocked, Some(_)) => {
                self.blocked = Some(blocked);
                Ok(())
            }
            (Progress::Blocked, None) => {
                self.blocked = Some(blocked);
                let limit = self.host.now() + self.host.patience().call;
                self.wait_for_call(limit)?;
                if self.blocked.take().is_some() {
                    self.host.interrupt();
                    let message = format!("{}() blocks for ever here", call.name);
                    let help = "give it an end time (`+0...0.2 read(…)`) to let events go on while it blocks";
                    return Err(Diagnostic::at(call.span, message).note(help));
                }
                Ok(())
            }
        }
    }

    /// Let time pass until the blocked call has returned, at most until `limit`.
    fn wait_for_call(&mut self, limit: segue_wire::Instant) -> Result<(), Diagnostic> {
        while self.blocked.is_some() && self.pass(limit)? == Woken::ByEvent {}
        Ok(())
    }

    /// See whether the blocked call has returned, and whether its time is over.
    pub(super) fn poll_blocked(&mut self) -> Result<(), Diagnostic> {
        if self.blocked.is_none() {
            return Ok(());
        }
        if let Some(returned) = self.host.take_returned()
            && let Some(blocked) = self.blocked.take()
        {
            return self.returned(&blocked, returned);
        }
        let window = self.blocked.as_ref().and_then(|blocked| blocked.window);
        match window {
            Some(window) if self.host.now() > window.latest => Err(self.overdue(window)),
            _ => Ok(()),
        }
    }

    fn overdue(&mut self, window: Window) -> Diagnostic {
        self.host.interrupt();
        let last = self.seconds(window.last);
        match self.blocked.take() {
            Some(Blocked { call, .. }) => {
                let message = format!("{}() should have returned at {last:.6} s, but still blocks", call.name);
                Diagnostic::at(call.span, message)
            }
            None => Diagnostic::whole(format!("a call should have returned at {last:.6} s, but still blocks")),
        }
    }

    /// After the last event a blocked call has until its end time.
    pub(super) fn finish_blocked(&mut self) -> Result<(), Diagnostic> {
        let Some(window) = self.blocked.as_ref().and_then(|blocked| blocked.window) else { return Ok(()) };
        self.wait_for_call(window.latest)?;
        self.poll_blocked()?;
        if self.blocked.is_some() { Err(self.overdue(window)) } else { Ok(()) }
    }

    fn returned(&mut self, blocked: &Blocked, returned: Returned) -> Result<(), Diagnostic> {
        let call = &blocked.call;
        if let Some(window) = blocked.window {
            let at = returned.at;
            if at < window.earliest || at > window.latest {
                let word = if at < window.earliest { "too early" } else { "too late" };
                let message = format!(
                    "{}() returned {word}: expected at {:.6} s (± {:.6} s), got at {:.6} s",
                    call.name,
                    self.seconds(window.last),
                    window.tolerance.as_secs_f64(),
                    self.seconds(at)
                );
                let note = format!("it returned {}", describe(returned.result));
                return Err(Diagnostic::at(call.span, message).note(note));
            }
        }
        self.check_result(call, &blocked.check, returned)
    }
}
