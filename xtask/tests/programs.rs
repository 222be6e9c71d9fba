//! What RFC 9293 asks of applications, of ours: the programs and services of this workspace.

use std::path::{Path, PathBuf};

/// Every source file of a crate; tests are left out, and the stories that exist to show what TCP can do.
fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources").flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("tests") && !path.ends_with("story") {
            sources(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push(path);
        }
    }
}

/// SHLD-13 and SHLD-23. What `segue run` does on behalf of a program is that program's choice.
#[test]
fn no_program_of_ours_sends_urgent_data_or_changes_the_service_of_a_connection() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut files = Vec::new();
    for program in ["segue-cli", "segue-gateway", "segue-lab"] {
        sources(&crates.join(program).join("src"), &mut files);
    }
    assert!(files.len() > 30, "{} files", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source file");
        for word in ["MsgFlags::OOB", "SendFlags::OOB", "SocketOption::Tos", "SocketOption::TrafficClass", "IP_TOS"] {
            assert!(!text.contains(word), "{} has {word}", file.display());
        }
    }
}
