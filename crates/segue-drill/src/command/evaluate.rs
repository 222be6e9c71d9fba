//! Runs a list of commands, as sh(1) does: what fails decides what runs next, and the last one decides how the list ends.
use std::collections::HashMap;

use super::expand::{Values, expand};
use super::programs::program;
use super::shell::{Pipeline, Redirection, Simple, parse};
use super::{Effect, World};

/// Scripts that call scripts.
const MAX_DEPTH: usize = 8;

/// How a command ended when it did not do what it was for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Failure {
    /// Its status is not 0, with what it complains about.
    Status(String),
    /// It is not understood: no shell would go on differently, but nothing here can.
    NotUnderstood(String),
}

impl From<String> for Failure {
    fn from(message: String) -> Failure {
        Failure::NotUnderstood(message)
    }
}

pub(super) type Ended = Result<(), Failure>;

/// Run the text of a command.
///
/// # Errors
/// It ends with another status than 0, or something in it is not understood; the message names the command.
pub(crate) fn run(text: &str, world: &mut dyn World) -> Result<(), String> {
    let mut shell = Shell { world, variables: HashMap::new(), depth: 0, output: String::new() };
    let ended = shell.list(text);
    let said = std::mem::take(&mut shell.output);
    if !said.trim().is_empty() {
        shell.world.note(said.trim_end().to_owned());
    }
    ended.map_err(|failure| match failure {
        Failure::Status(message) | Failure::NotUnderstood(message) => message,
    })
}

pub(super) struct Shell<'a> {
    pub(super) world: &'a mut dyn World,
    pub(super) variables: HashMap<String, String>,
    depth: usize,
    /// What was said to the standard output.
    pub(super) output: String,
}

impl Shell<'_> {
    /// Run a list; `set -e` is not looked at, its effect is that of a list whose first failure matters, which is noted.
    pub(super) fn list(&mut self, text: &str) -> Ended {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Failure::NotUnderstood(format!("more than {MAX_DEPTH} commands inside each other")));
        }
        let list = parse(text).map_err(|message| format!("{message} (command `{}`)", shorten(text)))?;
        let mut ended: Ended = Ok(());
        for pipeline in &list {
            match pipeline.after {
                Some(wanted) if wanted != ended.is_ok() => continue,
                // A failure that nothing looks at.
                None => {
                    if let Err(Failure::Status(message)) = &ended {
                        self.world.note(message.clone());
                    }
                }
                _ => {}
            }
            ended = match self.pipeline(pipeline) {
                Err(Failure::NotUnderstood(message)) => return Err(Failure::NotUnderstood(message)),
                ended => ended,
            };
        }
        self.depth -= 1;
        ended
    }

    fn pipeline(&mut self, pipeline: &Pipeline) -> Ended {
        let kept = std::mem::take(&mut self.output);
        let mut input = String::new();
        let mut ended = Ok(());
        for command in &pipeline.commands {
            ended = self.simple(command, &input);
            input = std::mem::take(&mut self.output);
        }
        self.output = kept + &input;
        match (pipeline.is_negated, ended) {
            (_, Err(Failure::NotUnderstood(message))) => Err(Failure::NotUnderstood(message)),
            (false, ended) => ended,
            (true, Ok(())) => Err(Failure::Status("a command after `!` succeeded".into())),
            (true, Err(_)) => Ok(()),
        }
    }

    fn simple(&mut self, command: &Simple, input: &str) -> Ended {
        let mut words = Vec::new();
        let mut assigned = Vec::new();
        for word in &command.words {
            let is_assignment = words.is_empty() && is_assignment(word);
            let expanded = expand(word, self).map_err(|message| format!("{message} (word `{word}`)"))?;
            if is_assignment {
                let text = expanded.join(" ");
                assigned.extend(text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())));
            } else {
                words.extend(expanded);
            }
        }
        let target = command.redirections.iter().rfind(|redirection| redirection.is_output);
        let target = target.map(|Redirection { target, .. }| expand(target, self)).transpose()?;
        let target = target.map(|words| words.join(" "));
        self.variables.extend(assigned);
        if words.is_empty() {
            return Ok(());
        }
        let before = self.output.len();
        let ended = program(self, &words, input);
        match target.as_deref() {
            None => ended,
            Some("/dev/null") => {
                self.output.truncate(before);
                ended
            }
            Some(path) => {
                let said = self.output.split_off(before);
                ended?;
                self.write(path, &said)
            }
        }
    }

    /// Write to a file: only settings can be written.
    pub(super) fn write(&mut self, path: &str, text: &str) -> Ended {
        let Some(name) = sysctl_of_path(path) else {
            return Err(Failure::NotUnderstood(format!("`{path}` cannot be written: only /proc/sys/… can")));
        };
        let value = text.trim_end().to_owned();
        self.world.apply(Effect::Sysctl { name, value }).map_err(Failure::Status)
    }
}

impl Values for Shell<'_> {
    fn variable(&self, name: &str) -> String {
        match (self.variables.get(name), name) {
            (Some(value), _) => value.clone(),
            (None, "PACKETDRILL_PID" | "$" | "PPID") => std::process::id().to_string(),
            (None, "?") => "0".into(),
            (None, _) => String::new(),
        }
    }

    fn output(&mut self, command: &str) -> Result<String, String> {
        let kept = std::mem::take(&mut self.output);
        let ended = self.list(command);
        let said = std::mem::replace(&mut self.output, kept);
        match ended {
            Err(Failure::NotUnderstood(message)) => Err(message),
            _ => Ok(said.trim_end().to_owned()),
        }
    }
}

/// `NAME=…` in front of a command.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

pub(super) fn sysctl_of_path(path: &str) -> Option<String> {
    path.strip_prefix("/proc/sys/").map(|rest| rest.trim_end_matches('/').replace('/', "."))
}

/// A command in one line, not too long, for messages.
pub(super) fn shorten(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(120) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}
