//! What came of scripts, as text, JSON and JUnit's XML.
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::run::Played;

/// How many lines of trace stand under an error.
const TRACE: usize = 16;

/// What came of a script.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// All was as expected.
    Passed,
    /// It failed, as its `// differs: HOST: reason` says it does.
    Differs,
    /// This machine's kernel lacks what it sets: nothing can be said of it here.
    Unplayed,
    /// Something came that was not expected, or not at its time.
    Failed,
    /// The script is no script; nothing was played.
    Malformed,
}

/// One script's result.
#[derive(Clone, Debug)]
pub struct ScriptReport {
    /// The file, or what the caller called it.
    pub name: String,
    /// What came of it.
    pub verdict: Verdict,
    /// What went wrong, with file, line, column and the packets around it; empty when it passed.
    pub message: String,
    /// Why it is expected to fail against this host, or what this host lacks.
    pub reason: Option<String>,
    /// Every packet, one line each, in tcpdump's form (the last few hundred).
    pub trace: Vec<String>,
    /// What does not fail a script but should be known: mismatches declared not fatal, settings that are not available.
    pub warnings: Vec<String>,
    /// What its code printed.
    pub printed: Vec<String>,
    /// Packets both ways.
    pub packets: u64,
    /// Virtual time from the first event to the end.
    pub virtual_time: Duration,
    /// Whether the script was told at its times: the player was never late by more than 4 ms, and nothing on this machine
    /// waited longer for a processor. If not, a failure against Linux may be the busy machine's.
    pub was_in_time: bool,
    /// Real time.
    pub duration: Duration,
}

impl ScriptReport {
    pub(crate) fn new(name: &str, text: &str, verdict: Verdict, played: Played) -> ScriptReport {
        let mut message = String::new();
        if let Err(error) = &played.result {
            message = error.render(name, text);
            let shown = &played.trace[played.trace.len().saturating_sub(TRACE)..];
            if !shown.is_empty() {
                message.push_str("  = the packets before it (< to the stack, > from it):\n");
                shown.iter().for_each(|line| _ = writeln!(message, "    {line}"));
            }
        }
        ScriptReport {
            name: name.to_owned(),
            verdict,
            message,
            reason: None,
            trace: played.trace,
            warnings: played.warnings,
            printed: played.printed,
            packets: played.packets,
            virtual_time: played.elapsed,
            was_in_time: played.was_in_time,
            duration: Duration::ZERO,
        }
    }

    pub(crate) fn unread(name: String, message: String) -> ScriptReport {
        let error = crate::Diagnostic::whole(message);
        ScriptReport::new(&name, "", Verdict::Malformed, Played::failed(error))
    }

    pub(crate) fn passed_unplayed(name: &str) -> ScriptReport {
        let played = Played { result: Ok(()), ..Played::failed(crate::Diagnostic::whole("")) };
        ScriptReport::new(name, "", Verdict::Passed, played)
    }

    fn to_json(&self) -> Value {
        let verdict = match self.verdict {
            Verdict::Passed => "passed",
            Verdict::Differs => "differs",
            Verdict::Unplayed => "unplayed",
            Verdict::Failed => "failed",
            Verdict::Malformed => "malformed",
        };
        json!({
            "name": self.name,
            "result": verdict,
            "message": self.message,
            "reason": self.reason,
            "warnings": self.warnings,
            "printed": self.printed,
            "trace": self.trace,
            "packets": self.packets,
            "virtual_seconds": self.virtual_time.as_secs_f64(),
            "seconds": self.duration.as_secs_f64(),
        })
    }
}

/// The results of a run, by name.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// One for each script, ordered by name.
    pub scripts: Vec<ScriptReport>,
}

impl Report {
    /// How many scripts passed.
    pub fn passed(&self) -> usize {
        self.count(Verdict::Passed)
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.scripts.iter().filter(|script| script.verdict == verdict).count()
    }

    /// Whether all that could be played passed, or failed as they say they do.
    pub fn is_passed(&self) -> bool {
        self.passed() + self.count(Verdict::Differs) + self.count(Verdict::Unplayed) == self.scripts.len()
    }

    /// The exit status of a command: 0 all passed, 1 some failed, 2 some are malformed.
    pub fn exit_status(&self) -> u8 {
        let worst = |script: &ScriptReport| match script.verdict {
            Verdict::Passed | Verdict::Differs | Verdict::Unplayed => 0,
            Verdict::Failed => 1,
            Verdict::Malformed => 2,
        };
        self.scripts.iter().map(worst).max().unwrap_or(0)
    }

    /// What a terminal shows: every failure in full, and a line of counts.
    pub fn to_text(&self) -> String {
        self.text(false)
    }

    /// The same with all packets of each script.
    pub fn to_verbose_text(&self) -> String {
        self.text(true)
    }

    fn text(&self, is_verbose: bool) -> String {
        let mut out = String::new();
        for script in &self.scripts {
            match script.verdict {
                Verdict::Passed => _ = writeln!(out, "ok      {}", script.name),
                Verdict::Differs => {
                    let reason = script.reason.as_deref().unwrap_or_default();
                    _ = writeln!(out, "differs {}: {reason}", script.name);
                }
                Verdict::Unplayed => {
                    let reason = script.reason.as_deref().unwrap_or_default();
                    _ = writeln!(out, "unplayed {}: {reason}", script.name);
                }
                Verdict::Failed => _ = write!(out, "FAILED  {}\n{}", script.name, script.message),
                Verdict::Malformed => _ = write!(out, "INVALID {}\n{}", script.name, script.message),
            }
            if is_verbose {
                script.trace.iter().for_each(|line| _ = writeln!(out, "    {line}"));
            }
            script.warnings.iter().for_each(|warning| _ = writeln!(out, "        note: {warning}"));
            script.printed.iter().for_each(|line| _ = writeln!(out, "        {line}"));
        }
        let (passed, differing) = (self.passed(), self.count(Verdict::Differs));
        let differing = if differing > 0 { format!(", {differing} differ as they say") } else { String::new() };
        let unplayed = self.count(Verdict::Unplayed);
        let unplayed = if unplayed > 0 { format!(", {unplayed} not played") } else { String::new() };
        _ = writeln!(out, "{passed} of {} scripts passed{differing}{unplayed}", self.scripts.len());
        out
    }

    /// The same as a JSON document.
    pub fn to_json(&self) -> String {
        let scripts: Vec<Value> = self.scripts.iter().map(ScriptReport::to_json).collect();
        json!({ "passed": self.passed(), "total": self.scripts.len(), "scripts": scripts }).to_string()
    }

    /// The same as JUnit's XML, which build servers read.
    pub fn to_junit(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        _ = writeln!(
            out,
            "<testsuite name=\"segue drill\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
            self.scripts.len(),
            self.count(Verdict::Failed),
            self.count(Verdict::Malformed),
            self.count(Verdict::Differs) + self.count(Verdict::Unplayed)
        );
        for script in &self.scripts {
            let (name, seconds) = (escape(&script.name), script.duration.as_secs_f64());
            _ = write!(out, "  <testcase name=\"{name}\" time=\"{seconds:.6}\"");
            let element = match script.verdict {
                Verdict::Passed => {
                    out.push_str("/>\n");
                    continue;
                }
                Verdict::Differs | Verdict::Unplayed => {
                    let reason = escape(script.reason.as_deref().unwrap_or_default());
                    _ = writeln!(out, "><skipped message=\"{reason}\"/></testcase>");
                    continue;
                }
                Verdict::Failed => "failure",
                Verdict::Malformed => "error",
            };
            let first = script.message.lines().next().unwrap_or_default();
            _ = writeln!(out, ">");
            _ = writeln!(out, "    <{element} message=\"{}\">{}</{element}>", escape(first), escape(&script.message));
            _ = writeln!(out, "  </testcase>");
        }
        out.push_str("</testsuite>\n");
        out
    }
}

/// XML text; characters that XML cannot hold become `?`.
fn escape(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".into(),
            '>' => "&gt;".into(),
            '"' => "&quot;".into(),
            c if c.is_control() && !matches!(c, '\n' | '\t') => "?".into(),
            c => c.into(),
        })
        .collect()
}
