//! `segue ss`, `segue nstat` and `segue sysctl` against a running `segue run`.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use common::{Running, assert_success, eventually, finish, open_folder, segue, segue_run, text};

const SOON: Duration = Duration::from_secs(60);

/// A running network whose control sockets are in a folder of its own.
struct Network {
    folder: tempfile::TempDir,
    running: Option<Running>,
}

impl Network {
    /// A program that listens on port 8000 inside.
    fn listening() -> Network {
        Network::of("import socket,time\ns=socket.create_server(('0.0.0.0',8000))\ntime.sleep(600)")
    }

    /// A program in Python that listens on port 8000 inside.
    fn of(program: &str) -> Network {
        let folder = open_folder();
        // Who runs the tests in the background may ignore interrupts, and so does whatever is started from there.
        let mut command = segue_run("", &["env", "--default-signal=INT", "python3", "-c", program]);
        let network = Network { running: Some(Running::start(command.env("XDG_RUNTIME_DIR", folder.path()))), folder };
        eventually("a listener appears", SOON, || text(&network.ask("ss -tlH").stdout).contains(":8000"));
        network
    }

    fn command(&self, words: &str) -> Command {
        let mut command = segue();
        command.env("XDG_RUNTIME_DIR", self.folder.path()).args(words.split_whitespace());
        command
    }

    fn ask(&self, words: &str) -> Output {
        finish(&mut self.command(words), SOON)
    }

    fn answer(&self, words: &str) -> String {
        let output = self.ask(words);
        assert_success(&output);
        text(&output.stdout)
    }

    fn refusal(&self, words: &str) -> String {
        let output = self.ask(words);
        assert!(!output.status.success(), "{words}");
        text(&output.stderr)
    }

    fn sockets(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path().join("segue")).expect("the folder is there");
        entries
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension() == Some("sock".as_ref()))
            .collect()
    }
}

#[test]
fn ss_shows_what_a_program_listens_on() {
    need!("python3");
    let network = Network::listening();
    let shown = network.answer("ss -tln --host program");
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].starts_with("Netid State") && lines[0].ends_with("Peer Address:Port"), "{shown}");
    assert_eq!(lines.len(), 2, "{shown}");
    assert!(lines[1].contains("LISTEN") && lines[1].contains("0.0.0.0:8000"), "{shown}");
    let json: serde_json::Value = serde_json::from_str(&network.answer("ss -tl --host program --json")).expect("JSON");
    assert_eq!((&json["state"], &json["local"]), (&"LISTEN".into(), &"0.0.0.0:8000".into()));
    assert_eq!(network.answer("ss -tH --host program"), "", "nothing is connected");
    assert_eq!(network.answer("ss -tH state listening sport = :8001"), "");
    assert_eq!(
        network.answer("ss -s --host program"),
        "Total: 1\nTCP:   1 (estab 0, closed 0, orphaned 0, timewait 0)\n\n\
         Transport Total     IP        IPv6\n\
         RAW\t  0         0         0        \n\
         UDP\t  0         0         0        \n\
         TCP\t  1         1         0        \n\
         INET\t  1         1         0        \n\
         FRAG\t  0         0         0        \n\n"
    );
    assert!(network.answer("ss -se --host program").contains("States: LISTEN 1\n"));
}

#[test]
fn ss_shows_what_a_connection_measures_and_which_timer_runs() {
    need!("python3");
    let network = Network::of(
        "import socket,time\n\
         l=socket.create_server(('127.0.0.1',8000))\n\
         c=socket.create_connection(('127.0.0.1',8000))\n\
         c.setsockopt(socket.SOL_SOCKET,socket.SO_KEEPALIVE,1)\n\
         s,_=l.accept()\nc.sendall(b'x'*1000)\ns.recv(1000)\n\
         d=socket.create_connection(('127.0.0.1',8000))\ne,_=l.accept()\ne.close()\nd.recv(1)\nd.close()\ntime.sleep(600)",
    );
    eventually("one connection has ended", SOON, || {
        network.answer("ss -tanH --host program state time-wait").contains(":8000")
    });
    let client = network.answer("ss -tnoieH --host program state established dport = :8000");
    assert!(client.contains("timer:(keepalive,119min") && client.contains(" ino:"), "{client}");
    for part in ["ts sack cubic wscale:", " rto:", " cwnd:10", "bytes_sent:1000 bytes_acked:1001", " snd_wnd:"] {
        assert!(client.contains(part), "no {part:?} in {client}");
    }
    let over = network.answer("ss -tanoH --host program state time-wait sport = :8000");
    assert!(over.contains("timer:(timewait,"), "{over}");
    let count = |filter: &str| network.answer(&format!("ss -tnH --host program {filter}")).lines().count();
    assert_eq!(count("( sport = :8000 or dport = :8000 )"), 2, "both ends");
    assert_eq!(count("not sport = :8000"), 1);
    assert_eq!(count("dst 10.0.0.0/8"), 0);
    assert!(network.refusal("ss -t ( sport = :80").contains("not closed"));
    let json = network.answer("ss -tn --json --host program state established dport = :8000");
    let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&value["congestion"], &value["timer"]["name"]), (&"cubic".into(), &"keepalive".into()));
}

#[test]
fn sysctl_reads_sets_and_names_the_nearest() {
    need!("python3");
    let network = Network::listening();
    assert_eq!(network.answer("sysctl -n --host program net.ipv4.tcp_keepalive_time"), "7200\n");
    assert_eq!(network.answer("sysctl -w --host program tcp_keepalive_time=60"), "net.ipv4.tcp_keepalive_time = 60\n");
    assert_eq!(network.answer("sysctl -n --host program tcp_keepalive_time"), "60\n");
    assert_eq!(network.answer("sysctl -n --host gateway tcp_keepalive_time"), "7200\n", "the other host is another");
    assert!(network.refusal("sysctl tcp_keepalive_tme").contains("did you mean net.ipv4.tcp_keepalive_time?"));
    assert!(network.refusal("sysctl -w tcp_keepalive_time=-5").contains("whole number"));
    assert!(network.refusal("sysctl -w tcp_keepalive_time").contains("needs a value"));
    assert!(network.answer("sysctl -aN --host program").lines().count() > 60);
}

#[test]
fn a_sysctl_is_described_without_a_running_host() {
    let describe = |words: &str| finish(segue().args(words.split_whitespace()), SOON);
    let told = text(&describe("sysctl --describe tcp_syn_retries").stdout);
    for part in ["net.ipv4.tcp_syn_retries", "default  6", "from 1 to 127 (retransmissions)", "reaches  at once"] {
        assert!(told.contains(part), "{told}");
    }
    let all = text(&describe("sysctl -a --describe --json").stdout);
    assert!(all.lines().count() > 60);
    for line in all.lines() {
        let about: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert!(about["meaning"].as_str().is_some_and(|meaning| meaning.ends_with('.')), "{line}");
    }
    let unknown = describe("sysctl --describe tcp_rmen");
    assert!(!unknown.status.success() && text(&unknown.stderr).contains("did you mean net.ipv4.tcp_rmem?"));
    assert!(text(&describe("sysctl --describe tcp_tw_recycle").stderr).contains("NAT"));
}

#[test]
fn nstat_shows_what_has_been_added_since_the_last_time() {
    need!("python3");
    let network = Network::listening();
    let all = network.answer("nstat -az --host program");
    assert!(all.lines().any(|line| line.starts_with("TcpRetransSegs ")), "{all}");
    assert_eq!(network.answer("nstat --host program"), "", "everything has been shown");
    assert!(network.answer("nstat -az --host program Tcp*Segs --json").contains("\"TcpInSegs\""));
}

#[test]
fn without_a_host_the_answer_says_how_to_get_one() {
    let folder = open_folder();
    let output = finish(segue().env("XDG_RUNTIME_DIR", folder.path()).arg("ss"), SOON);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("segue run"), "{}", text(&output.stderr));
}

#[test]
fn a_folder_that_others_may_enter_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = open_folder();
    let inner = folder.path().join("segue");
    std::fs::create_dir(&inner).expect("a folder");
    std::fs::set_permissions(&inner, std::fs::Permissions::from_mode(0o777)).expect("permissions");
    let output = finish(segue().env("XDG_RUNTIME_DIR", folder.path()).arg("ss"), SOON);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("mode 700"), "{}", text(&output.stderr));
}

fn say(stream: &mut BufReader<UnixStream>, line: &[u8]) -> String {
    stream.get_mut().write_all(line).expect("written");
    let mut answer = String::new();
    stream.read_line(&mut answer).expect("an answer");
    answer
}

fn connect(path: &Path) -> BufReader<UnixStream> {
    let stream = UnixStream::connect(path).expect("the host listens");
    stream.set_read_timeout(Some(SOON)).expect("a timeout");
    BufReader::new(stream)
}

#[test]
fn nonsense_on_the_control_socket_is_answered_with_an_error_and_harms_nothing() {
    need!("python3");
    let network = Network::listening();
    let sockets = network.sockets();
    assert_eq!(sockets.len(), 2, "{sockets:?}");
    let mut stream = connect(&sockets[0]);
    for line in [
        &b"\n"[..],
        b"nonsense\n",
        b"{\"ask\":\"everything\"}\n",
        b"{\"ask\":\"sysctl\"}\n",
        b"\xff\xfe\n",
        b"[[[[[[\n",
    ] {
        let answer = say(&mut stream, line);
        assert!(answer.contains("\"answer\":\"error\""), "{answer}");
    }
    assert!(say(&mut stream, b"{\"ask\":\"summary\"}\n").contains("\"answer\":\"summary\""));
    assert!(
        say(&mut stream, b"{\"ask\":\"sockets\",\"from\":18446744073709551615}\n").contains("\"answer\":\"sockets\"")
    );
    let long = vec![b'x'; 64 * 1024];
    assert!(say(&mut stream, &long).contains("at most 65536 bytes"));
    assert!(network.answer("ss -tlnH --host program").contains(":8000"));
}

#[test]
fn the_control_sockets_go_with_their_process() {
    need!("python3");
    let mut network = Network::listening();
    let ended = network.running.take().map(|running| running.interrupt(SOON));
    assert!(ended.is_some());
    assert_eq!(network.sockets(), Vec::<PathBuf>::new());
    let killed = Network::listening();
    let pid = killed.running.as_ref().map(Running::pid).unwrap_or_default();
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(pid).expect("a process"),
        rustix::process::Signal::KILL,
    )
    .expect("killed");
    eventually("the dead sockets are cleared away", SOON, || {
        !killed.ask("ss").status.success() && killed.sockets().is_empty()
    });
}
