//! What the tests with real programs share: the binary, skipping with a
//! reason, waiting for a port, hashes, and network namespaces that vanish.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(unreachable_pub, reason = "shared between test binaries, not an interface")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

/// Prints why a test does not run and leaves it.
#[macro_export]
macro_rules! skip {
    ($($reason:tt)*) => {{
        eprintln!("skipped: {}", format!($($reason)*));
        return;
    }};
}

/// Leaves the test with the reason printed unless every named program is installed.
#[macro_export]
macro_rules! need {
    ($($program:expr),+) => {
        $(if $crate::common::find($program).is_none() {
            $crate::skip!("{} is not installed", $program);
        })+
    };
}

pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")])
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The binary under test, copied to where an unprivileged user may execute it.
pub fn binary() -> &'static Path {
    static COPY: OnceLock<PathBuf> = OnceLock::new();
    COPY.get_or_init(|| {
        let target = PathBuf::from(env!("CARGO_BIN_EXE_segue"));
        if !is_root() {
            return target;
        }
        let modified = target.metadata().and_then(|m| m.modified()).expect("the binary exists");
        let stamp = modified.duration_since(std::time::UNIX_EPOCH).map_or(0, |age| age.as_nanos());
        let folder = std::env::temp_dir().join(format!("segue-under-test-{stamp}"));
        let copy = folder.join("segue");
        if !copy.exists() {
            std::fs::create_dir_all(&folder).expect("a folder for the binary");
            let partial = folder.join(format!("segue.{}", std::process::id()));
            // By another process: what another test's thread forks meanwhile would keep a copy made here open for writing,
            // and what is open for writing cannot be executed (ETXTBSY).
            let copied = Command::new("cp").arg(&target).arg(&partial).status().expect("cp starts");
            assert!(copied.success(), "the binary is copied");
            std::fs::rename(&partial, &copy).expect("the copy takes its place at once");
        }
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).expect("others may enter");
        copy
    })
}

/// `segue` as an ordinary user: what needs no root is tested without it.
pub fn segue() -> Command {
    if !is_root() {
        return Command::new(binary());
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(binary());
    command
}

/// `segue` with the rights of the test itself.
pub fn segue_as_root() -> Command {
    Command::new(binary())
}

/// `segue run OPTIONS -- PROGRAM…` split from one string without quoting rules.
pub fn segue_run(options: &str, program: &[&str]) -> Command {
    let mut command = segue();
    command.arg("run");
    command.args(options.split_whitespace());
    command.arg("--");
    command.args(program);
    command
}

/// Runs to the end within `limit`; kills and fails the test otherwise.
pub fn finish(command: &mut Command, limit: Duration) -> Output {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    finish_child(child, limit, &format!("{command:?}"))
}

pub fn finish_child(mut child: Child, limit: Duration, what: &str) -> Output {
    let mut out = child.stdout.take();
    let mut err = child.stderr.take();
    let out = std::thread::spawn(move || drain(&mut out));
    let err = std::thread::spawn(move || drain(&mut err));
    let until = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            break status;
        }
        if Instant::now() > until {
            let _ = child.kill();
            let _ = child.wait();
            panic!(
                "{what}\ndid not end within {limit:?}; stderr so far:\n{}",
                String::from_utf8_lossy(&err.join().unwrap_or_default())
            );
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    Output { status, stdout: out.join().expect("stdout is read"), stderr: err.join().expect("stderr is read") }
}

fn drain(pipe: &mut Option<impl Read>) -> Vec<u8> {
    let mut all = Vec::new();
    if let Some(pipe) = pipe {
        let _ = pipe.read_to_end(&mut all);
    }
    all
}

#[track_caller]
pub fn assert_success(output: &Output) {
    assert!(
        output.status.success(),
        "{}\nstdout:\n{}\nstderr:\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A child that is killed when the test is over, whatever its outcome.
pub struct Running(pub Option<Child>);

impl Running {
    pub fn start(command: &mut Command) -> Running {
        let child = command.stdin(Stdio::null()).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Running(Some(child))
    }

    pub fn pid(&self) -> i32 {
        self.0.as_ref().expect("still running").id() as i32
    }

    /// Asks it to end as Ctrl-C does and waits.
    pub fn interrupt(mut self, limit: Duration) -> Output {
        let child = self.0.take().expect("still running");
        let pid = rustix::process::Pid::from_child(&child);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        finish_child(child, limit, "an interrupted child")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let pid = rustix::process::Pid::from_child(child);
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            let until = Instant::now() + Duration::from_secs(3);
            while Instant::now() < until {
                if matches!(child.try_wait(), Ok(Some(_))) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A port of this machine that was free a moment ago, below those that the
/// kernel hands out itself: no client takes it before the server has it.
pub fn free_port() -> u16 {
    use std::sync::atomic::{AtomicU32, Ordering};
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 22_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Test binaries may run beside each other: each begins at a place of its own.
    let place = std::process::id().wrapping_mul(97);
    let candidate = || {
        let port = FIRST + place.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        u16::try_from(port).ok().filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
    };
    (0..COUNT).find_map(|_| candidate()).expect("a free port")
}

/// Waits until somebody accepts there. A port that `segue run` publishes
/// accepts before the program inside listens: see [`wait_for_answer`].
#[track_caller]
pub fn wait_for(address: SocketAddr, limit: Duration) {
    let until = Instant::now() + limit;
    loop {
        if TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok() {
            return;
        }
        assert!(Instant::now() < until, "nobody answers at {address}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until whoever serves there answers `question` with `answer`.
#[track_caller]
pub fn wait_for_answer(address: SocketAddr, question: &[u8], answer: &[u8], limit: Duration) {
    let ask = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&address, limit)?;
        stream.set_read_timeout(Some(limit))?;
        stream.write_all(question)?;
        let mut heard = vec![0; answer.len()];
        stream.read_exact(&mut heard)?;
        Ok(heard)
    };
    let until = Instant::now() + limit;
    loop {
        match ask() {
            Ok(heard) => return assert_eq!(text(&heard), text(answer), "the answer of {address}"),
            Err(error) => assert!(Instant::now() < until, "nobody answers at {address}: {error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub fn sha256_file(path: &Path) -> String {
    let mut file = std::fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 16];
    loop {
        let n = file.read(&mut block).expect("the file can be read");
        if n == 0 {
            return hex(&hash.finalize());
        }
        hash.update(&block[..n]);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file of bytes that do not repeat, readable by everybody.
pub fn noise_file(folder: &Path, name: &str, len: usize) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(name);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ len as u64;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    std::fs::File::create(&path).and_then(|mut file| file.write_all(&bytes)).expect("the file is written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("readable");
    path
}

/// A folder that an unprivileged program may write to.
pub fn open_folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).expect("anybody may write");
    folder
}

/// A network namespace with its loopback up, gone with the value.
pub struct Namespace(pub String);

impl Namespace {
    /// `None` with a printed reason where namespaces cannot be made.
    pub fn new(name: &str) -> Option<Namespace> {
        if !is_root() {
            eprintln!("skipped: network namespaces need root");
            return None;
        }
        find("ip").or_else(|| {
            eprintln!("skipped: ip (iproute2) is not installed");
            None
        })?;
        let name = format!("{name}-{}", std::process::id());
        let made = Command::new("ip").args(["netns", "add", &name]).status();
        if !made.is_ok_and(|status| status.success()) {
            eprintln!("skipped: ip netns add is refused here");
            return None;
        }
        let namespace = Namespace(name);
        assert_success(&finish(namespace.command("ip").args(["link", "set", "lo", "up"]), Duration::from_secs(5)));
        Some(namespace)
    }

    /// A command to be run inside.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0]).arg(program);
        command
    }

    /// The names of the devices inside.
    pub fn devices(&self) -> String {
        let output = finish(self.command("ip").args(["-o", "link", "show"]), Duration::from_secs(5));
        text(&output.stdout)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

/// Repeats a question until it is answered with yes.
#[track_caller]
pub fn eventually(what: &str, limit: Duration, mut question: impl FnMut() -> bool) {
    let until = Instant::now() + limit;
    while !question() {
        assert!(Instant::now() < until, "still not so after {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
