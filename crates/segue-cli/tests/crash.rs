//! A server that is killed without warning, with a thousand clients of the kernel's in every state, and another in its place.

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use common::{Namespace, Running, assert_success, eventually, finish, free_port};
use rustix::process::{Pid, Signal, kill_process};

const SOON: Duration = Duration::from_secs(120);
/// Of a killed `segue run`.
const CLIENTS: usize = 1000;

/// A program that is spoken with in lines.
struct Dialogue {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Dialogue {
    fn start(command: &mut Command) -> Dialogue {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the clients start");
        let (input, output) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        Dialogue { child, input, output: BufReader::new(output) }
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the clients say where they are");
        line.trim().to_owned()
    }

    fn go_on(&mut self) {
        self.input.write_all(b"\n").expect("the clients listen");
    }
}

impl Drop for Dialogue {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn signal(server: &Running, signal: Signal) {
    kill_process(Pid::from_raw(server.pid()).expect("a process"), signal).expect("it is ours");
}

/// A signal stops a process some time after it was sent: when each thread has seen it.
fn is_stopped(process: i32) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).expect("the process is there");
    threads.flatten().all(|thread| {
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
    })
}

/// The process that `ip netns exec` has become is segue itself: exec keeps the number.
fn serve(namespace: &Namespace) -> Running {
    let mut command = namespace.command(common::binary());
    let server =
        Running::start(command.args(["serve", "--tun", "sg0", "--addr", "10.79.0.2/24"]).stdout(Stdio::null()));
    eventually("the server answers", SOON, || {
        let probe = "import socket,sys; sys.exit(socket.socket().connect_ex(('10.79.0.2', 7)) != 0)";
        finish(namespace.command("python3").args(["-c", probe]), SOON).status.success()
    });
    server
}

#[test]
fn every_client_of_a_killed_server_sees_the_end_that_its_state_has() {
    need!("ip", "python3");
    let Some(namespace) = Namespace::new("segue-crash") else {
        return;
    };
    let server = serve(&namespace);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs/crash_clients.py");
    let mut clients = Dialogue::start(namespace.command("python3").args([script, "10.79.0.2"]));
    assert_eq!(clients.hear(), "open");
    // Stopped, it is a host that does not answer; the device is still there.
    signal(&server, Signal::STOP);
    eventually("every thread of it has stopped", SOON, || is_stopped(server.pid()));
    clients.go_on();
    assert_eq!(clients.hear(), "waiting");
    signal(&server, Signal::KILL);
    drop(server);
    eventually("the device is gone", SOON, || !namespace.devices().contains("sg0"));
    // The same address and ports at once, with no memory of anything.
    let _server = serve(&namespace);
    clients.go_on();
    let ends: BTreeMap<String, BTreeMap<String, u32>> =
        serde_json::from_str(&clients.hear()).expect("what became of whom");
    let expected = [
        ("FIN-WAIT-1", "ECONNRESET", 100),
        ("FIN-WAIT-2", "ECONNRESET", 100),
        ("SYN-SENT", "connected", 100),
        ("idle", "ECONNRESET", 200),
        ("idle, keep-alive", "ECONNRESET", 150),
        ("in flight", "ECONNRESET", 150),
        ("user timeout", "ETIMEDOUT", 100),
        ("window shut", "ECONNRESET", 100),
    ];
    let expected: BTreeMap<String, BTreeMap<String, u32>> = expected
        .map(|(state, end, count)| (state.to_owned(), BTreeMap::from([(end.to_owned(), count)])))
        .into_iter()
        .collect();
    assert_eq!(ends, expected);
}

#[test]
fn clients_of_a_killed_segue_run_see_the_end_and_the_published_port_is_free_at_once() {
    need!("python3");
    let port = free_port();
    let program = "import resource, socket\n\
                   hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n\
                   resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))\n\
                   server = socket.create_server(('0.0.0.0', 8080))\n\
                   held = []\n\
                   while True:\n    client, _ = server.accept(); held.append(client); client.sendall(b'welcome')";
    let start = || {
        let mut command = common::segue_as_root();
        Running::start(command.args(["run", "-p", &format!("127.0.0.1:{port}:8080"), "--", "python3", "-c", program]))
    };
    let visit = format!(
        "import socket\n\
         client = socket.create_connection(('127.0.0.1', {port}), 5)\n\
         client.settimeout(60)\n\
         assert client.recv(16) == b'welcome'\n"
    );
    let welcome = |visit: &str| finish(Command::new("python3").args(["-c", visit]), SOON);
    let first = start();
    eventually("the program serves", SOON, || welcome(&visit).status.success());
    // Clients that wait for more, and say how each of them ended.
    let waiting = format!(
        "import resource, socket\n\
         hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n\
         resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))\n\
         def begin():\n    client = socket.create_connection(('127.0.0.1', {port}), 60)\n    \
         assert client.recv(16) == b'welcome'\n    return client\n\
         def end(client):\n    try:\n        return 'data' if client.recv(16) else 'EOF'\n    \
         except ConnectionResetError:\n        return 'ECONNRESET'\n\
         held = [begin() for _ in range({CLIENTS})]\n\
         print('here', flush=True)\n\
         ends = [end(client) for client in held]\n\
         print(sum(end in ('EOF', 'ECONNRESET') for end in ends), flush=True)"
    );
    let mut clients = Dialogue::start(Command::new("python3").args(["-c", &waiting]));
    assert_eq!(clients.hear(), "here");
    signal(&first, Signal::KILL);
    assert_eq!(clients.hear(), CLIENTS.to_string(), "all of them see the end");
    drop(first);
    let _second = start();
    eventually("the next one serves at the same port", SOON, || welcome(&visit).status.success());
    assert_success(&welcome(&visit));
}

#[test]
fn every_client_of_a_killed_program_sees_the_end_that_its_state_has_and_the_next_one_binds_at_once() {
    need!("python3");
    let port = free_port();
    let program = |name: &str| format!("{}/tests/programs/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut command = common::segue_as_root();
    let published = format!("127.0.0.1:{port}:8080");
    let mut server =
        Dialogue::start(command.args(["run", "-p", &published, "--", "python3", &program("crash_server.py")]));
    let visit = format!(
        "import socket\n\
         client = socket.create_connection(('127.0.0.1', {port}), 5)\n\
         client.sendall(b'i')\n\
         assert client.recv(1) == b'!'"
    );
    let is_served = || finish(Command::new("python3").args(["-c", &visit]), SOON).status.success();
    eventually("the program serves", SOON, is_served);
    let visitors = program("crash_visitors.py");
    let mut clients = Dialogue::start(Command::new("python3").args([&visitors, &port.to_string()]));
    assert_eq!(clients.hear(), "waiting");
    // The program is killed, all its connections with it; another one binds with SO_REUSEADDR.
    server.go_on();
    eventually("the next one serves at the same port", SOON, is_served);
    clients.go_on();
    let ends: BTreeMap<String, BTreeMap<String, u32>> =
        serde_json::from_str(&clients.hear()).expect("what became of whom");
    // As on Linux: a reset after the end of the stream is a broken pipe.
    let expected = [
        ("idle", "EOF", 450),
        ("bytes not read", "ECONNRESET", 150),
        ("closed by the client", "EOF", 150),
        ("closed by the server", "EPIPE", 150),
        ("window shut", "EOF", 100),
    ];
    let expected: BTreeMap<String, BTreeMap<String, u32>> = expected
        .map(|(state, end, count)| (state.to_owned(), BTreeMap::from([(end.to_owned(), count)])))
        .into_iter()
        .collect();
    assert_eq!(ends, expected);
}
