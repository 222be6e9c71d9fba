//! `// differs: HOST: reason`: a script that is right, and that one host fails on purpose.
//!
//! Decides how the comment is read and what it makes of a verdict. A script may differ from one host, not from both.
use crate::options::Against;
use crate::report::{ScriptReport, Verdict};
use crate::source::{Diagnostic, Span};

/// The reason why a script is expected to fail against a host; `None`: it is expected to pass.
pub(crate) fn reason(text: &str, against: Against) -> Result<Option<String>, Diagnostic> {
    let declared = declared_difference(text)?;
    Ok(declared.filter(|(host, _)| *host == against).map(|(_, why)| why))
}

/// The host that a script says it differs from, and why.
///
/// # Errors
/// The comment is malformed.
pub fn declared_difference(text: &str) -> Result<Option<(Against, String)>, Diagnostic> {
    let mut found: Option<(Against, String)> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let span = Span { start, end: start + line.trim_end().len() };
        start += line.len();
        let Some(rest) = line.trim().strip_prefix("// differs:") else { continue };
        let (host, why) = rest.split_once(':').map_or((rest, ""), |(host, why)| (host, why.trim()));
        let host = match host.trim() {
            "linux" => Against::Linux,
            "segue" => Against::Segue,
            _ => {
                return Err(Diagnostic::at(
                    span,
                    "expected `// differs: linux: reason` or `// differs: segue: reason`",
                ));
            }
        };
        if why.is_empty() {
            return Err(Diagnostic::at(span, "the reason is missing: `// differs: linux: reason`"));
        }
        if found.is_some() {
            return Err(Diagnostic::at(span, "one host may differ from a script, and for one reason"));
        }
        found = Some((host, why.to_owned()));
    }
    Ok(found)
}

/// What a failure or a pass means for a script that is expected to fail.
pub(crate) fn judge(mut report: ScriptReport, reason: String) -> ScriptReport {
    match report.verdict {
        Verdict::Failed => report.verdict = Verdict::Differs,
        Verdict::Passed => {
            report.verdict = Verdict::Failed;
            report.message = format!(
                "{}: error: it passes, although its comment says that this host differs ({reason}): take the comment off\n",
                report.name
            );
        }
        _ => return report,
    }
    report.reason = Some(reason);
    report
}

#[cfg(test)]
mod tests {
    use super::reason;
    use crate::options::Against;

    #[test]
    fn a_comment_names_the_host_and_the_reason() {
        let text = "// A rule.\n// differs: linux: it waits for the reader\n0 close(3) = 0\n";
        assert_eq!(reason(text, Against::Linux).unwrap().as_deref(), Some("it waits for the reader"));
        assert_eq!(reason(text, Against::Segue).unwrap(), None);
        for wrong in [
            "// differs: bsd: x",
            "// differs: linux",
            "// differs: linux:",
            "// differs: linux: a\n// differs: segue: b",
        ] {
            assert!(reason(wrong, Against::Linux).is_err(), "{wrong}");
        }
    }
}
