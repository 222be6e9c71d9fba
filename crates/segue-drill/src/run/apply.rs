//! Back-quoted commands, carried out on the host under test.
use std::time::Duration;

use super::Interpreter;
use crate::command::{self, Effect};
use crate::host::{HostError, OffloadChange};
use crate::source::{Diagnostic, Span};

impl Interpreter<'_> {
    pub(super) fn command(&mut self, text: &str, span: Span) -> Result<(), Diagnostic> {
        for effect in command::effects(text).map_err(|message| Diagnostic::at(span, message))? {
            self.apply(effect, span).map_err(|message| Diagnostic::at(span, message))?;
        }
        self.collect()
    }

    fn apply(&mut self, effect: Effect, span: Span) -> Result<(), String> {
        match effect {
            Effect::Sysctl { name, value } => self.set_sysctl(&name, &value)?,
            Effect::Preferred { name, value } => {
                if let Err(error) = self.set_sysctl(&name, &value) {
                    self.warnings.push(error.0);
                }
            }
            Effect::Restore => {
                for (name, value) in std::mem::take(&mut self.saved_sysctls) {
                    self.set_sysctl(&name, &value)?;
                }
            }
            Effect::Route(change) => self.host.change_route(self.settings.remote(), &change)?,
            Effect::ForgetPeers => self.host.forget_peers()?,
            Effect::Offload(is_on) => {
                self.host.change_offload(OffloadChange { tso: Some(is_on), gso: Some(is_on) })?;
            }
            Effect::Sleep(micros) => {
                let until = self.host.now() + Duration::from_micros(micros);
                self.wait_until(until, span).map_err(|error| error.message)?;
            }
            Effect::Say(text) => self.warnings.push(text),
        }
        Ok(())
    }

    fn set_sysctl(&mut self, name: &str, value: &str) -> Result<(), HostError> {
        let old = self.host.sysctl(name)?;
        if old.split_whitespace().eq(value.split_whitespace()) {
            return Ok(());
        }
        self.host.set_sysctl(name, value)?;
        self.saved_sysctls.entry(name.to_owned()).or_insert(old);
        Ok(())
    }
}

impl From<HostError> for String {
    fn from(error: HostError) -> String {
        error.0
    }
}
