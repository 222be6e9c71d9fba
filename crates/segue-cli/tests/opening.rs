//! Openings that two stacks must agree on, between Segue and this machine's kernel: Fast Open in both roles, SYN cookies.

mod common;

use std::process::Stdio;
use std::time::Duration;

use common::{Namespace, Running, assert_success, finish, text};

const SOON: Duration = Duration::from_secs(60);

/// Connects three times with data in the SYN, and prints what came back and whether the SYN's data were acknowledged.
const KERNEL_CLIENT: &str = r"
import socket, time
open('/proc/sys/net/ipv4/tcp_fastopen', 'w').write('1')
answers = []
while len(answers) < 3:
    s = socket.socket()
    s.settimeout(10)
    try:
        s.sendto(b'hello', 0x20000000, ('10.79.0.2', 7))
        answers.append((s.recv(100), s.getsockopt(6, 11, 256)[5] & 32))
    except OSError:
        time.sleep(0.2)
print(answers)
";

/// Echoes, with Fast Open, to a program under `segue run`, and prints how its connections were opened.
const KERNEL_SERVER: &str = r"
import socket, subprocess, sys, threading
open('/proc/sys/net/ipv4/tcp_fastopen', 'w').write('2')
l = socket.socket()
l.bind(('0.0.0.0', 9000))
l.setsockopt(6, 23, 16)
l.listen(16)
def serve():
    while True:
        c, _ = l.accept()
        c.sendall(c.recv(100))
        c.close()
threading.Thread(target=serve, daemon=True).start()
client = '''
import socket
for i in range(3):
    s = socket.socket()
    s.setsockopt(6, 30, 1)
    s.connect(('10.79.0.1', 9000))
    s.sendall(b'hi%d' % i)
    print(s.recv(10))
    s.close()
'''
r = subprocess.run([sys.argv[1], 'run', '--tun', 'sg1', '--addr', '10.79.0.2/24', '--', 'python3', '-c', client],
                   capture_output=True, text=True, timeout=50)
print(r.stdout, r.stderr)
lines = [line.split() for line in open('/proc/net/netstat')]
ext = dict(zip(lines[0], lines[1]))
print('asked', ext['TCPFastOpenCookieReqd'], 'opened', ext['TCPFastOpenPassive'])
";

/// Two hundred connections at once, each echoes its own number.
const COOKIE_CLIENT: &str = r"
import socket, time
while True:
    try:
        socket.create_connection(('10.79.0.2', 7), 5).close()
        break
    except OSError:
        time.sleep(0.2)
sockets = [socket.create_connection(('10.79.0.2', 7), 10) for _ in range(200)]
for i, s in enumerate(sockets):
    s.sendall(b'%d' % i)
print(sum(s.recv(10) == b'%d' % i for i, s in enumerate(sockets)), 'echoes, window scale', sockets[0].getsockopt(6, 11, 256)[6] & 15)
";

fn serve(namespace: &Namespace, sysctl: &str) -> Running {
    let mut command = namespace.command(common::binary());
    command.args(["serve", "--tun", "sg0", "--addr", "10.79.0.2/24", "--sysctl", sysctl]);
    Running::start(command.stdout(Stdio::null()))
}

#[test]
fn a_kernel_client_sends_data_in_its_syn_once_it_has_segue_s_cookie() {
    need!("python3", "ip");
    let Some(namespace) = Namespace::new("segue-tfo-server") else {
        return;
    };
    let _server = serve(&namespace, "net.ipv4.tcp_fastopen=0x403");
    let output = finish(namespace.command("python3").args(["-c", KERNEL_CLIENT]), SOON);
    assert_success(&output);
    // The first one asked for the cookie, unless that was done while the server was starting.
    let answers = text(&output.stdout);
    assert!(answers.trim().ends_with("(b'hello', 32), (b'hello', 32)]"), "{answers}");
}

#[test]
fn a_program_on_segue_sends_data_in_its_syn_once_it_has_the_kernel_s_cookie() {
    need!("python3", "ip");
    let Some(namespace) = Namespace::new("segue-tfo-client") else {
        return;
    };
    let output = finish(namespace.command("python3").args(["-c", KERNEL_SERVER]).arg(common::binary()), SOON);
    assert_success(&output);
    let output = text(&output.stdout);
    assert!(output.contains("b'hi0'\nb'hi1'\nb'hi2'\n"), "{output}");
    assert!(output.contains("asked 1 opened 2"), "{output}");
}

#[test]
fn kernel_clients_connect_by_syn_cookies_and_keep_their_window_scale() {
    need!("python3", "ip");
    let Some(namespace) = Namespace::new("segue-cookies") else {
        return;
    };
    let _server = serve(&namespace, "net.ipv4.tcp_syncookies=2");
    let output = finish(namespace.command("python3").args(["-c", COOKIE_CLIENT]), SOON);
    assert_success(&output);
    let output = text(&output.stdout);
    assert!(output.starts_with("200 echoes, window scale ") && !output.contains("scale 0"), "{output}");
}
