//! Unmodified client programs on Segue's sockets, across the emulated path to
//! `segue.test` and to servers of this machine.

mod common;

use std::time::Duration;

use common::{assert_success, finish, noise_file, open_folder, segue_run, sha256, sha256_file, text};

const SOON: Duration = Duration::from_secs(60);

/// What the test host says a size's content hashes to.
fn etag(size: &str) -> String {
    let url = format!("http://segue.test/{size}");
    let output = finish(&mut segue_run("", &["curl", "-sSI", &url]), SOON);
    assert_success(&output);
    text(&output.stdout)
        .lines()
        .find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("etag").then(|| value.trim().trim_matches('"').to_owned())
        })
        .expect("an ETag header")
}

#[test]
fn curl_fetches_a_file_whose_hash_is_the_one_the_server_names() {
    need!("curl");
    let folder = open_folder();
    let file = folder.path().join("8MiB.bin");
    let name = file.to_str().expect("a plain path");
    let output = finish(
        &mut segue_run("--delay 5ms --loss 1% --seed 7", &["curl", "-sS", "-o", name, "http://segue.test/8MiB"]),
        SOON,
    );
    assert_success(&output);
    assert_eq!(std::fs::metadata(&file).expect("the file").len(), 8 << 20);
    assert_eq!(sha256_file(&file), etag("8MiB"));
}

#[test]
fn curl_uploads_a_file_and_the_server_answers_with_its_hash() {
    need!("curl");
    let folder = open_folder();
    let file = noise_file(folder.path(), "up.bin", 5_000_001);
    let output = finish(
        &mut segue_run(
            "--delay 5ms --loss 1% --reorder 5% --duplicate 5% --corrupt 5% --seed 3",
            &["curl", "-sS", "-T", file.to_str().expect("a plain path"), "http://segue.test/"],
        ),
        SOON,
    );
    assert_success(&output);
    let answer = text(&output.stdout);
    assert!(answer.contains(&sha256_file(&file)), "{answer}");
}

#[test]
fn curl_fetches_many_files_at_once() {
    need!("curl");
    let folder = open_folder();
    let pattern = folder.path().join("part-#1.bin");
    let output = finish(
        &mut segue_run(
            "--delay 2ms --loss 1% --seed 11",
            &[
                "curl",
                "-sS",
                "--fail",
                "-Z",
                "--parallel-max",
                "20",
                "-o",
                pattern.to_str().expect("a plain path"),
                "http://segue.test/[300001-300020]",
            ],
        ),
        SOON,
    );
    assert_success(&output);
    for size in 300_001..=300_020_u64 {
        let part = folder.path().join(format!("part-{size}.bin"));
        assert_eq!(std::fs::metadata(&part).expect("every part").len(), size);
    }
    let part = folder.path().join("part-300007.bin");
    assert_eq!(sha256_file(&part), etag("300007"));
}

#[test]
fn curl_keeps_one_connection_for_several_requests() {
    need!("curl");
    let output = finish(
        &mut segue_run(
            "",
            &["curl", "-sSv", "-o", "/dev/null", "-o", "/dev/null", "http://segue.test/1000", "http://segue.test/2000"],
        ),
        SOON,
    );
    assert_success(&output);
    let log = text(&output.stderr);
    assert!(log.contains("Re-using existing connection"), "{log}");
}

#[test]
fn a_range_of_a_file_is_the_same_bytes_as_in_the_whole() {
    need!("curl");
    let whole = finish(&mut segue_run("", &["curl", "-sS", "http://segue.test/100k"]), SOON);
    let part = finish(&mut segue_run("", &["curl", "-sS", "-r", "5000-6999", "http://segue.test/100k"]), SOON);
    assert_success(&whole);
    assert_success(&part);
    assert_eq!(part.stdout, whole.stdout[5000..7000]);
}

#[test]
fn both_address_families_reach_the_test_host() {
    need!("curl");
    for family in ["-4", "-6"] {
        let output = finish(&mut segue_run("", &["curl", "-sS", family, "http://segue.test/12345"]), SOON);
        assert_success(&output);
        assert_eq!(output.stdout.len(), 12345, "curl {family}");
    }
}

#[test]
fn glibc_resolves_names_through_the_gateway() {
    need!("python3");
    let output = finish(
        &mut segue_run(
            "",
            &[
                "python3",
                "-c",
                "import socket\n\
                 for f in (socket.AF_INET, socket.AF_INET6):\n    \
                     print(socket.getaddrinfo('segue.test', 80, f, socket.SOCK_STREAM)[0][4][0])\n\
                 try:\n    socket.getaddrinfo('nobody.segue.test', 80)\n\
                 except socket.gaierror as e:\n    print(e.errno == socket.EAI_NONAME)\n",
            ],
        ),
        SOON,
    );
    assert_success(&output);
    assert_eq!(text(&output.stdout).lines().collect::<Vec<_>>(), ["198.18.0.10", "fd53:6567:7565::10", "True"]);
}

#[test]
fn a_query_to_any_server_is_answered_at_the_gateway() {
    need!("dig");
    for server in ["@203.0.113.99", "@2001:db8::53"] {
        for transport in ["+notcp", "+tcp"] {
            let output = finish(&mut segue_run("", &["dig", server, transport, "+short", "segue.test", "A"]), SOON);
            assert_success(&output);
            assert_eq!(text(&output.stdout).trim(), "198.18.0.10", "{server} {transport}");
        }
    }
}

#[test]
fn a_server_of_this_machine_is_reached_on_its_loopback_address() {
    need!("curl", "python3");
    let folder = open_folder();
    let file = noise_file(folder.path(), "served.bin", 1_000_003);
    let port = common::free_port();
    let _server = common::Running::start(
        std::process::Command::new("python3")
            .args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string()])
            .current_dir(folder.path())
            .stderr(std::process::Stdio::null()),
    );
    common::wait_for(([127, 0, 0, 1], port).into(), SOON);
    let url = format!("http://127.0.0.1:{port}/served.bin");
    let output = finish(&mut segue_run("--delay 1ms", &["curl", "-sS", &url]), SOON);
    assert_success(&output);
    assert_eq!(sha256(&output.stdout), sha256_file(&file));
}

#[test]
fn a_refused_port_is_refused_inside() {
    need!("curl");
    let url = format!("http://127.0.0.1:{}/", common::free_port());
    let output = finish(&mut segue_run("", &["curl", "-sS", &url]), SOON);
    assert_eq!(output.status.code(), Some(7), "curl: failed to connect");
}

#[test]
fn netcat_half_closes_in_both_directions() {
    need!("nc");
    // -N: shut down the sending side at the end of the input, go on reading.
    let output = finish(
        &mut segue_run(
            "--delay 3ms",
            &["sh", "-c", "seq 1 20000 | nc -N -w 20 segue.test 7 | cksum; seq 1 20000 | cksum"],
        ),
        SOON,
    );
    assert_success(&output);
    let sums = text(&output.stdout);
    let mut lines = sums.lines();
    let echoed = lines.next();
    assert!(echoed.is_some(), "{sums}");
    assert_eq!(echoed, lines.next(), "everything came back after the half-close");

    // The other direction: the server half-closes first and still reads.
    let port = common::free_port();
    let script = format!("sleep 0.3; (sleep 0.5; echo late) | nc -w 20 127.0.0.1 {port}");
    let folder = open_folder();
    let heard = folder.path().join("heard");
    let server = std::process::Command::new("sh")
        .arg("-c")
        .arg(format!("echo early | nc -N -l 127.0.0.1 {port} > {}", heard.display()))
        .spawn()
        .expect("nc starts");
    let output = finish(&mut segue_run("--delay 3ms", &["sh", "-c", &script]), SOON);
    let _ = common::finish_child(server, SOON, "nc -l");
    assert_success(&output);
    assert_eq!(text(&output.stdout), "early\n");
    assert_eq!(std::fs::read_to_string(&heard).expect("what was heard"), "late\n");
}

#[test]
fn a_static_rust_program_is_served_like_a_dynamic_one() {
    need!("rustc");
    let folder = open_folder();
    let source = folder.path().join("get.rs");
    std::fs::write(
        &source,
        r#"use std::io::{Read, Write};
fn main() {
    let mut stream = std::net::TcpStream::connect("198.18.0.10:80").expect("connect");
    stream.write_all(b"GET /1MiB HTTP/1.0\r\nHost: segue.test\r\n\r\n").expect("write");
    let mut all = Vec::new();
    stream.read_to_end(&mut all).expect("read");
    let head = all.windows(4).position(|w| w == b"\r\n\r\n").expect("a head") + 4;
    println!("{}", all.len() - head);
}
"#,
    )
    .expect("the source is written");
    let program = folder.path().join("get");
    let built = finish(
        std::process::Command::new("rustc")
            .args(["-C", "target-feature=+crt-static", "-C", "opt-level=1", "-o"])
            .arg(&program)
            .arg(&source)
            .env_remove("RUSTFLAGS"),
        SOON,
    );
    assert_success(&built);
    let output = finish(&mut segue_run("--delay 1ms", &[program.to_str().expect("a plain path")]), SOON);
    assert_success(&output);
    assert_eq!(text(&output.stdout).trim(), (1 << 20).to_string());
}

#[test]
fn a_go_program_with_many_goroutines_is_served() {
    need!("go");
    let folder = open_folder();
    let source = folder.path().join("get.go");
    std::fs::write(
        &source,
        r#"package main

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

func main() {
	var group sync.WaitGroup
	var total int64
	for i := 0; i < 40; i++ {
		group.Add(1)
		go func(n int) {
			defer group.Done()
			answer, err := http.Get(fmt.Sprintf("http://segue.test/%d", 10000+n))
			if err != nil {
				panic(err)
			}
			body, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if err != nil {
				panic(err)
			}
			atomic.AddInt64(&total, int64(len(body)))
		}(i)
	}
	group.Wait()
	fmt.Println(total)
}
"#,
    )
    .expect("the source is written");
    let program = folder.path().join("get");
    let built = finish(
        std::process::Command::new("go")
            .args(["build", "-o"])
            .arg(&program)
            .arg(&source)
            .env("CGO_ENABLED", "0")
            .env("GO111MODULE", "off")
            .env("GOFLAGS", "")
            .env("HOME", folder.path())
            .env("GOCACHE", folder.path().join("cache")),
        Duration::from_secs(180),
    );
    assert_success(&built);
    let output = finish(&mut segue_run("--delay 1ms --loss 1%", &[program.to_str().expect("a plain path")]), SOON);
    assert_success(&output);
    let expected: u64 = (0..40).map(|n| 10_000 + n).sum();
    assert_eq!(text(&output.stdout).trim(), expected.to_string());
}
