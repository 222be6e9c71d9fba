//! The runner under test, small C programs, and commands with a time limit.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(unreachable_pub, reason = "shared between test files, not an interface")]

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

pub const SOON: Duration = Duration::from_secs(60);
/// Nobody, who owns nothing and may do nothing.
const NOBODY: u32 = 65_534;

/// The folder of what these tests build, which others may enter.
fn workshop() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        use std::os::unix::fs::PermissionsExt;
        let folder = std::env::temp_dir().join(format!("segue-run-tests-{}", std::process::id()));
        remove_old_workshops();
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).expect("open");
        folder
    })
}

/// Statics are not dropped: what earlier processes left goes when the next one starts.
fn remove_old_workshops() {
    let folders = std::fs::read_dir(std::env::temp_dir()).expect("the folder").flatten();
    for folder in folders {
        let name = folder.file_name().to_string_lossy().into_owned();
        let Some(pid) = name.strip_prefix("segue-run-tests-") else { continue };
        if !Path::new("/proc").join(pid).exists() {
            let _ = std::fs::remove_dir_all(folder.path());
        }
    }
}

/// The runner, copied to where an unprivileged user may execute it.
pub fn runner() -> &'static Path {
    static COPY: OnceLock<PathBuf> = OnceLock::new();
    COPY.get_or_init(|| {
        let test = std::env::current_exe().expect("this test's file");
        let folder = test.parent().and_then(Path::parent).expect("the folder of its profile");
        let built = folder.join("examples/run");
        if !is_fresh(&built) {
            build(folder);
        }
        let copy = workshop().join("segue-run");
        // By another process: what another test's thread forks meanwhile would keep a copy made here open for writing,
        // and what is open for writing cannot be executed (ETXTBSY).
        let copied = Command::new("cp").arg(&built).arg(&copy).status().expect("cp starts");
        assert!(copied.success(), "the binary is copied");
        copy
    })
}

/// Whether the runner is there and younger than all that it was made of, which cargo lists beside it. One test target alone
/// (`--test NAME`) does not build examples.
fn is_fresh(built: &Path) -> bool {
    let age = |file: &Path| std::fs::metadata(file).and_then(|file| file.modified());
    let (Ok(made), Ok(list)) = (age(built), std::fs::read_to_string(built.with_extension("d"))) else { return false };
    let mut sources = list.split_once(": ").map_or("", |(_, sources)| sources).split_whitespace();
    sources.all(|source| age(Path::new(source)).is_ok_and(|changed| changed <= made))
}

/// Builds the runner into the folder of a profile.
fn build(folder: &Path) {
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--quiet", "--example", "run", "--manifest-path"]);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    command.arg("--target-dir").arg(folder.parent().expect("the target directory"));
    match folder.file_name().and_then(OsStr::to_str) {
        Some("debug") | None => {}
        Some(profile) => drop(command.args(["--profile", profile])),
    }
    let output = command.output().expect("cargo starts, to build the example `run`");
    assert!(output.status.success(), "the example `run` cannot be built:\n{}", text(&output.stderr));
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

/// `run OPTIONS -- PROGRAM`, as an ordinary user.
pub fn inside<S: AsRef<OsStr>>(options: &[&str], program: &[S]) -> Command {
    let mut command = Command::new(runner());
    command.args(options).arg("--").args(program).stdin(Stdio::null());
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// The same program on the kernel's sockets, as the same user.
pub fn outside<S: AsRef<OsStr>>(program: &[S]) -> Command {
    let mut command = Command::new(&program[0]);
    command.args(&program[1..]).stdin(Stdio::null());
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// A program of tests/programs, compiled.
pub fn program(name: &str, flags: &[&str]) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/programs/{name}.c"));
    let label: String = flags.concat().chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let built = workshop().join(format!("{name}-{label}-{:?}", std::thread::current().id()));
    let output = Command::new("cc")
        .args(["-O1", "-pthread", "-o"])
        .arg(&built)
        .arg(source)
        .args(flags)
        .output()
        .expect("a C compiler");
    assert!(output.status.success(), "{}", text(&output.stderr));
    built
}

/// Runs to the end, or is killed and fails the test.
#[track_caller]
pub fn finish(command: &mut Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    let read = |mut pipe: Box<dyn Read + Send>| {
        std::thread::spawn(move || {
            let mut all = Vec::new();
            let _ = pipe.read_to_end(&mut all);
            all
        })
    };
    let stdout = read(Box::new(child.stdout.take().expect("piped")));
    let stderr = read(Box::new(child.stderr.take().expect("piped")));
    let until = Instant::now() + SOON;
    let status = loop {
        if let Some(status) = child.try_wait().expect("waited") {
            break status;
        }
        if Instant::now() > until {
            let _ = child.kill();
            let _ = child.wait();
            panic!(
                "{command:?} did not end\n{}{}",
                text(&stdout.join().unwrap_or_default()),
                text(&stderr.join().unwrap_or_default())
            );
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let (stdout, stderr) = (stdout.join().unwrap_or_default(), stderr.join().unwrap_or_default());
    Output { status, stdout, stderr }
}

/// As [`finish`]; what it printed, when it succeeded.
#[track_caller]
pub fn printed(command: &mut Command) -> String {
    let output = finish(command);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A program sees the same on Segue's sockets as on the kernel's, but for the
/// given lines (native, inside).
#[track_caller]
pub fn same_as_native(name: &str, except: &[(&str, &str)]) {
    let file = program(name, &[]);
    let native = printed(&mut Command::new(&file));
    let inside = printed(&mut inside(&[], &[&file]));
    let expected: Vec<&str> = native
        .lines()
        .map(|line| except.iter().find(|(native, _)| *native == line).map_or(line, |(_, inside)| inside))
        .collect();
    assert_eq!(inside.lines().collect::<Vec<_>>(), expected, "{name}: inside, then on the kernel");
    for (native_line, _) in except {
        assert!(native.lines().any(|line| line == *native_line), "no line {native_line:?} any more");
    }
}
