//! Back-quoted commands, carried out on the host under test.
use std::time::Duration;

use super::Interpreter;
use crate::command::{self, Effect, World};
use crate::source::{Diagnostic, Span};

impl Interpreter<'_> {
    pub(super) fn command(&mut self, text: &str, span: Span) -> Result<(), Diagnostic> {
        command::run(text, self).map_err(|message| Diagnostic::at(span, message))?;
        self.collect()
    }

    fn set_sysctl(&mut self, name: &str, value: &str) -> Result<(), String> {
        let old = self.host.sysctl(name).map_err(|error| {
            self.lacks = Some(error.0.clone());
            error.0
        })?;
        if old.split_whitespace().eq(value.split_whitespace()) {
            return Ok(());
        }
        self.host.set_sysctl(name, value).map_err(|error| {
            self.lacks = Some(error.0.clone());
            error.0
        })?;
        self.saved_sysctls.entry(name.to_owned()).or_insert(old);
        Ok(())
    }
}

impl World for Interpreter<'_> {
    fn apply(&mut self, effect: Effect) -> Result<(), String> {
        let done = match effect {
            Effect::Sysctl { name, value } => return self.set_sysctl(&name, &value),
            Effect::Restore => {
                let saved = std::mem::take(&mut self.saved_sysctls);
                return saved.iter().try_for_each(|(name, value)| self.set_sysctl(name, value));
            }
            Effect::Route(change) => self.host.change_route(&change),
            Effect::Link(change) => self.host.change_link(&change),
            Effect::Offload(change) => self.host.change_offload(change),
            Effect::Qdisc(words) => self.host.change_queue(&words),
            Effect::File { path, length } => self.host.make_file(&path, length),
            Effect::ForgetPeers => self.host.forget_peers(),
            Effect::Sleep(micros) => {
                let until = self.host.now() + Duration::from_micros(micros);
                return self.wait_until(until, Span::default()).map_err(|error| error.message);
            }
        };
        done.map_err(|error| error.0)
    }

    fn sysctl(&mut self, name: &str) -> Result<String, String> {
        self.host.sysctl(name).map_err(|error| error.0)
    }

    fn script(&self, path: &str) -> Option<String> {
        let path = self.folder.as_ref()?.join(path);
        // A script of settings is short; anything else is none.
        let is_short = std::fs::metadata(&path).is_ok_and(|metadata| metadata.is_file() && metadata.len() < 1 << 16);
        is_short.then(|| std::fs::read_to_string(path).ok()).flatten()
    }

    fn note(&mut self, text: String) {
        self.warnings.push(text);
    }
}
