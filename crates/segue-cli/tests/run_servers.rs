//! Unmodified servers inside, reached by programs outside through published
//! ports, and by programs inside over the loopback.

mod common;

use std::process::{Command, Stdio};
use std::time::Duration;

use common::{
    Running, assert_success, finish, free_port, noise_file, open_folder, segue_run, sha256, sha256_file, text,
    wait_for, wait_for_answer,
};

const SOON: Duration = Duration::from_secs(60);

#[test]
fn a_python_server_inside_serves_a_curl_outside() {
    need!("python3", "curl");
    let folder = open_folder();
    let file = noise_file(folder.path(), "inside.bin", 3_000_017);
    let port = free_port();
    let _run = Running::start(
        segue_run(&format!("--delay 2ms --loss 1% --seed 5 -p {port}:8000"), &["python3", "-m", "http.server", "8000"])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    );
    let url = format!("http://127.0.0.1:{port}/inside.bin");
    let output = finish(
        Command::new("curl").args(["-sS", "--retry", "40", "--retry-all-errors", "--retry-delay", "1", &url]),
        SOON,
    );
    assert_success(&output);
    assert_eq!(sha256(&output.stdout), sha256_file(&file));
}

#[test]
fn a_client_and_a_server_in_the_same_run_meet_on_the_loopback() {
    need!("python3", "curl");
    let folder = open_folder();
    let file = noise_file(folder.path(), "local.bin", 2_000_003);
    let output = finish(
        segue_run(
            "",
            &[
                "sh",
                "-c",
                "python3 -m http.server --bind 127.0.0.1 8123 >/dev/null 2>&1 & server=$!; \
                 curl -sS --retry 40 --retry-connrefused --retry-delay 1 http://127.0.0.1:8123/local.bin; \
                 result=$?; kill $server; exit $result",
            ],
        )
        .current_dir(folder.path()),
        SOON,
    );
    assert_success(&output);
    assert_eq!(sha256(&output.stdout), sha256_file(&file));
}

#[test]
fn redis_inside_stands_a_benchmark_from_outside() {
    need!("redis-server", "redis-benchmark");
    let port = free_port();
    let _run = Running::start(
        segue_run(
            &format!("-p {port}:6379"),
            &["redis-server", "--port", "6379", "--protected-mode", "no", "--save", "", "--appendonly", "no"],
        )
        .stdout(Stdio::null())
        .stderr(Stdio::null()),
    );
    // redis-benchmark waits for ever when its first connections are reset.
    wait_for_answer(([127, 0, 0, 1], port).into(), b"PING\r\n", b"+PONG\r\n", SOON);
    let output = finish(
        Command::new("redis-benchmark").args([
            "-p",
            &port.to_string(),
            "-n",
            "5000",
            "-c",
            "50",
            "-t",
            "ping,set,get",
            "--csv",
        ]),
        Duration::from_secs(120),
    );
    assert_success(&output);
    let table = text(&output.stdout);
    for test in ["SET", "GET"] {
        assert!(table.contains(&format!("\"{test}\"")), "{table}");
    }
}

#[test]
fn a_published_port_with_nobody_behind_it_is_refused() {
    need!("sleep");
    let port = free_port();
    let _run = Running::start(&mut segue_run(&format!("-p {port}:8000"), &["sleep", "30"]));
    // The listener outside stands for a port inside that is closed: whoever
    // connects is reset or sees the end at once, and never hangs.
    wait_for(([127, 0, 0, 1], port).into(), SOON);
    let outcome = std::net::TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        std::io::Read::read(&mut stream, &mut [0; 16])
    });
    match outcome {
        Ok(0) => {}
        Ok(n) => panic!("{n} bytes from nobody"),
        Err(error) => assert!(
            matches!(error.kind(), std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::ConnectionRefused),
            "{error}"
        ),
    }
}
