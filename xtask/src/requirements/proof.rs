//! The tests that a table names: found, built, run one by one.
//!
//! Decides what became of each. A test is `package::target::path`, the target being the name of an
//! integration test or `lib` for the crate's own; or `drill::A1/name`, a script of
//! segue-drill's corpus. Only the named tests are run, by the binaries that cargo says it has built.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;

use serde_json::Value;

/// Where a test is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum TestName {
    Cargo { package: String, target: String, path: String },
    Drill { script: String },
}

impl FromStr for TestName {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<TestName, Self::Err> {
        const FORM: &str = "a test is package::target::name, or drill::folder/script";
        let (package, rest) = name.split_once("::").ok_or(FORM)?;
        if package == "drill" {
            return Ok(TestName::Drill { script: rest.to_owned() });
        }
        let (target, path) = rest.split_once("::").ok_or(FORM)?;
        if [package, target, path].iter().any(|part| part.is_empty()) {
            return Err(FORM);
        }
        Ok(TestName::Cargo { package: package.into(), target: target.into(), path: path.into() })
    }
}

/// What became of a test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Passed,
    Failed,
    Ignored,
    /// No such test ran.
    Missing,
}

/// What became of all of them.
#[derive(Debug, Default)]
pub(crate) struct Proof(BTreeMap<TestName, Verdict>);

impl Proof {
    pub(crate) fn verdict(&self, name: &TestName) -> Verdict {
        self.0.get(name).copied().unwrap_or(Verdict::Missing)
    }
}

/// Builds and runs the tests.
///
/// # Errors
/// Tests that cannot be built or started.
pub(crate) fn run(root: &Path, names: &BTreeSet<TestName>) -> Result<Proof, String> {
    let mut proof = Proof::default();
    let mut wanted: BTreeMap<Target, Vec<&str>> = BTreeMap::new();
    let mut scripts = Vec::new();
    for name in names {
        match name {
            TestName::Cargo { package, target, path } => {
                wanted.entry((package.clone(), target.clone())).or_default().push(path);
            }
            TestName::Drill { script } => scripts.push(script.as_str()),
        }
    }
    let binaries = if wanted.is_empty() { BTreeMap::new() } else { build(root)? };
    for ((package, target), paths) in &wanted {
        let Some(binary) = binaries.get(&(package.clone(), target.clone())) else { continue };
        for (path, verdict) in run_binary(binary, paths)? {
            let name = TestName::Cargo { package: package.clone(), target: target.clone(), path };
            proof.0.insert(name, verdict);
        }
    }
    proof.0.extend(run_scripts(root, &scripts)?);
    Ok(proof)
}

/// A test binary and the folder that its tests expect to be in.
#[derive(Debug)]
struct Binary {
    executable: PathBuf,
    folder: PathBuf,
}

/// Package and name of a test target; the name of a library's own tests is `lib`.
type Target = (String, String);

/// Has cargo build the tests of the workspace, in the one way that `cargo test --workspace` builds them: a package alone would
/// have features of its own, and be built anew.
fn build(root: &Path) -> Result<BTreeMap<Target, Binary>, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["test", "--workspace", "--no-run", "--quiet", "--message-format=json"]);
    let output = cargo.stderr(Stdio::inherit()).output().map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        return Err("the tests cannot be built".into());
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    Ok(messages.lines().filter_map(|line| binary_of(&serde_json::from_str(line).ok()?)).collect())
}

/// The test binary that a message of cargo's is about.
fn binary_of(message: &Value) -> Option<(Target, Binary)> {
    if message["reason"] != "compiler-artifact" || message["profile"]["test"] != true {
        return None;
    }
    let kind = message["target"]["kind"].as_array()?.first()?.as_str()?;
    let target = match kind {
        "test" => message["target"]["name"].as_str()?.to_owned(),
        "lib" => "lib".to_owned(),
        _ => return None,
    };
    let executable = message["executable"].as_str()?.into();
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_path_buf();
    Some(((package_of(message["package_id"].as_str()?)?.to_owned(), target), Binary { executable, folder }))
}

/// The name in a package's id: `path+file:///w/crates/a#0.1.0`, or `…#a@0.1.0` where the folder is named otherwise.
fn package_of(id: &str) -> Option<&str> {
    let (place, version) = id.rsplit_once('#')?;
    match version.split_once('@') {
        Some((name, _)) => Some(name),
        None => place.rsplit('/').next(),
    }
}

fn run_binary(binary: &Binary, paths: &[&str]) -> Result<Vec<(String, Verdict)>, String> {
    let mut command = Command::new(&binary.executable);
    command.current_dir(&binary.folder).env("CARGO_MANIFEST_DIR", &binary.folder);
    command.arg("--exact").args(paths).stderr(Stdio::null());
    let output = command.output().map_err(|error| format!("{}: {error}", binary.executable.display()))?;
    Ok(verdicts(&String::from_utf8_lossy(&output.stdout)))
}

/// The verdicts in what a test binary printed.
fn verdicts(printed: &str) -> Vec<(String, Verdict)> {
    let lines = printed.lines().filter_map(|line| line.strip_prefix("test ")?.rsplit_once(" ... "));
    lines
        .map(|(name, verdict)| {
            let name = name.strip_suffix(" - should panic").unwrap_or(name);
            let verdict = match verdict {
                "ok" => Verdict::Passed,
                ignored if ignored.starts_with("ignored") => Verdict::Ignored,
                _ => Verdict::Failed,
            };
            (name.to_owned(), verdict)
        })
        .collect()
}

fn run_scripts(root: &Path, scripts: &[&str]) -> Result<Vec<(TestName, Verdict)>, String> {
    let folder = root.join("crates/segue-drill/scripts");
    let path = |script: &str| folder.join(script).with_extension("pkt");
    let there: Vec<PathBuf> = scripts.iter().map(|script| path(script)).filter(|path| path.is_file()).collect();
    if there.is_empty() {
        return Ok(Vec::new());
    }
    let report = segue_drill::run_files(&there, &segue_drill::Options::default()).map_err(|error| error.to_string())?;
    let verdict_of = |script: &str| {
        let ending = format!("{script}.pkt");
        let report = report.scripts.iter().find(|report| report.name.ends_with(&ending))?;
        Some(if report.verdict == segue_drill::Verdict::Passed { Verdict::Passed } else { Verdict::Failed })
    };
    let named = scripts.iter().filter_map(|script| Some((script, verdict_of(script)?)));
    Ok(named.map(|(script, verdict)| (TestName::Drill { script: (*script).to_owned() }, verdict)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_package_target_and_path() {
        let name = "segue-tcp::lib::recv::window::tests::a".parse();
        let (package, target, path) = ("segue-tcp".into(), "lib".into(), "recv::window::tests::a".into());
        assert_eq!(name, Ok(TestName::Cargo { package, target, path }));
        assert_eq!("drill::B5/x".parse(), Ok(TestName::Drill { script: "B5/x".into() }));
        for wrong in ["", "closing", "segue-tcp::closing", "segue-tcp::::x", "::a::b"] {
            assert!(wrong.parse::<TestName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_a_test_binary_prints_is_read_line_by_line() {
        let printed = "\nrunning 4 tests\ntest a::b ... ok\ntest c ... FAILED\ntest d ... ignored, slow\n\
                       test e - should panic ... ok\n\ntest result: FAILED. 2 passed\n";
        let expected =
            [("a::b", Verdict::Passed), ("c", Verdict::Failed), ("d", Verdict::Ignored), ("e", Verdict::Passed)];
        assert_eq!(verdicts(printed), expected.map(|(name, verdict)| (name.to_owned(), verdict)));
    }

    #[test]
    fn a_message_of_cargos_names_the_binary_of_a_test_target_only() {
        let message = |kind: &str, test: bool| {
            serde_json::json!({
                "reason": "compiler-artifact", "manifest_path": "/w/crates/a/Cargo.toml",
                "package_id": "path+file:///w/crates/a#0.1.0",
                "target": {"kind": [kind], "name": "closing"}, "profile": {"test": test}, "executable": "/t/closing-1",
            })
        };
        let found = |kind, test| binary_of(&message(kind, test)).map(|(target, binary)| (target, binary.folder));
        assert_eq!(found("test", true), Some((("a".into(), "closing".into()), "/w/crates/a".into())));
        assert_eq!(found("lib", true), Some((("a".into(), "lib".into()), "/w/crates/a".into())));
        assert_eq!((found("lib", false), found("bench", true)), (None, None));
        assert_eq!(package_of("path+file:///w/crates/b#a@0.1.0"), Some("a"));
    }

    #[test]
    fn a_script_of_the_corpus_runs_and_one_that_is_not_there_is_missing() {
        let scripts = ["B1/active_open", "B1/no_such_script"];
        let names = scripts.map(|script| TestName::Drill { script: script.into() });
        let proof = run(&super::super::root(), &names.iter().cloned().collect()).expect("scripts can be played");
        assert_eq!(names.map(|name| proof.verdict(&name)), [Verdict::Passed, Verdict::Missing]);
    }
}
