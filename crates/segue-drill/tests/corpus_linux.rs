//! The corpus against this machine's kernel: what Linux does is what the scripts say, except where a comment says otherwise.
//!
//! Real time: as long as the longest script lasts (a little over a minute), whatever their number.
use std::path::{Path, PathBuf};

use segue_drill::{Against, Options, Verdict, prepare_namespaces, run_files};

#[test]
fn linux_does_what_the_scripts_say() {
    if let Err(error) = prepare_namespaces() {
        println!("skipped: {error}");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths: Vec<PathBuf> = ["scripts", "tests/language"].iter().map(|folder| root.join(folder)).collect();
    let options = Options {
        against: Against::Linux,
        defines: vec!["PEERMSS=1234".into()],
        jobs: 16,
        // Of scripts only that this machine was too busy to play in time: one that was told in time has failed.
        retries: 3,
        ..Options::default()
    };
    let report = run_files(&paths, &options).unwrap();
    let all = |verdicts: &[Verdict]| -> Vec<_> {
        report.scripts.iter().filter(|script| verdicts.contains(&script.verdict)).collect()
    };
    for script in all(&[Verdict::Unplayed]) {
        println!("not played: {}: {}", script.name, script.reason.as_deref().unwrap_or_default());
    }
    let wrong: String = all(&[Verdict::Failed, Verdict::Malformed]).iter().map(|script| &*script.message).collect();
    assert!(wrong.is_empty(), "{wrong}");
    let played = all(&[Verdict::Passed, Verdict::Differs]).len();
    assert!(played >= 250, "{played} scripts only were played");
}
