//! The corpus against this machine's kernel: what Linux does is what the scripts say, except where a comment says otherwise.
//!
//! It takes minutes of real time and needs root, so it is asked for: `cargo test -p segue-drill --test corpus_linux -- --ignored`.
use std::path::{Path, PathBuf};

use segue_drill::{Against, Options, Verdict, prepare_namespaces, run_files};

#[test]
#[ignore = "minutes of real time, root"]
fn linux_does_what_the_scripts_say() {
    prepare_namespaces().expect("run this as root");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths: Vec<PathBuf> = ["scripts", "tests/language"].iter().map(|folder| root.join(folder)).collect();
    let options = Options {
        against: Against::Linux,
        defines: vec!["PEERMSS=1234".into()],
        jobs: 24,
        retries: 3,
        ..Options::default()
    };
    let report = run_files(&paths, &options).unwrap();
    let wrong: Vec<&str> = report
        .scripts
        .iter()
        .filter(|script| matches!(script.verdict, Verdict::Failed | Verdict::Malformed))
        .map(|script| script.message.as_str())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.concat());
    assert!(report.scripts.len() >= 200, "{} scripts only", report.scripts.len());
}
