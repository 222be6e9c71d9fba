//! Small C programs see on Segue's sockets what they see on the kernel's.

mod common;

use std::os::unix::process::CommandExt;
use std::process::Command;

use common::{finish, inside, printed, program, same_as_native, text};

#[test]
fn connecting_blocking_and_not_is_as_in_the_kernel() {
    same_as_native("connect", &[]);
}

#[test]
fn an_epoll_server_gives_every_client_everything_back_level_and_edge_triggered() {
    same_as_native("epoll_server", &[]);
}

#[test]
fn listeners_and_connections_poll_as_in_the_kernel() {
    same_as_native("readiness", &[]);
}

#[test]
fn processes_and_threads_share_a_listener_and_lose_nothing() {
    same_as_native("prefork", &[]);
}

#[test]
fn a_socket_is_itself_after_dup_fork_exec_and_passing() {
    same_as_native("inherit", &[]);
}

#[test]
fn half_close_reset_close_wait_broken_pipe_and_reuse_are_as_in_the_kernel() {
    same_as_native("closing", &[]);
}

#[test]
fn a_close_that_lingers_waits_as_in_the_kernel() {
    let file = program("lingering", &[]);
    let native = printed(&mut Command::new(&file));
    assert_eq!(printed(&mut inside(&["--wait-on-close"], &[&file])), native, "inside, then on the kernel");
}

#[test]
fn a_close_that_lingers_waits_for_the_path() {
    // The FIN's acknowledgment takes a round trip.
    let client = "import socket, struct, time\n\
        s = socket.create_connection(('segue.test', 7))\n\
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 5))\n\
        start = time.monotonic(); s.close(); print(time.monotonic() - start)";
    let took =
        |options: &[&str]| printed(&mut inside(options, &["python3", "-c", client])).trim().parse::<f64>().unwrap();
    let waited = took(&["--wait-on-close", "--delay", "500ms"]);
    assert!((1.0..5.0).contains(&waited), "{waited}");
    assert!(took(&["--delay", "500ms"]) < 1.0);
}

#[test]
fn a_port_is_shared_by_the_sockets_of_one_user_as_in_the_kernel() {
    let file = program("owners", &[]);
    let native = Command::new(&file).output().expect("the program runs");
    if text(&native.stdout).contains("FAILED seteuid: EPERM") {
        return eprintln!("skipped: only root may be anybody");
    }
    assert_eq!(printed(inside(&[], &[&file]).uid(0).gid(0)), text(&native.stdout), "inside, then on the kernel");
}

#[test]
fn datagrams_are_as_in_the_kernel() {
    same_as_native("udp", &[]);
}

#[test]
fn control_messages_and_the_error_queue_are_as_in_the_kernel() {
    same_as_native("control", &[]);
}

#[test]
fn a_stream_tells_of_its_bytes_and_its_error_queue_of_those_it_sent_as_in_the_kernel() {
    same_as_native("stream_control", &[]);
}

#[test]
fn a_stream_is_readable_from_its_low_mark_on_as_in_the_kernel() {
    same_as_native("low_mark", &[]);
}

#[test]
fn signals_interrupt_and_restart_waiting_calls() {
    same_as_native("signals", &[]);
}

#[test]
fn socket_options_are_as_in_the_kernel() {
    same_as_native("options", &[]);
}

#[test]
fn the_out_of_band_byte_is_as_in_the_kernel() {
    same_as_native("urgent", &[]);
}

#[test]
fn a_static_program_is_served_too() {
    let file = program("connect", &["-static"]);
    let dynamic = program("connect", &[]);
    assert_eq!(printed(&mut inside(&[], &[file])), printed(&mut inside(&[], &[dynamic])));
}

#[test]
fn an_interrupted_connect_goes_on_and_a_restarted_one_waits_for_it() {
    let file = program("connect_signals", &[]);
    let words = [file.to_str().expect("a plain path"), "198.18.0.10", "9"];
    let seen = printed(&mut inside(&["--delay", "150ms"], &words));
    assert_eq!(
        seen.lines().map(str::trim).collect::<Vec<_>>(),
        [
            "restart 0: EINTR, rang 1",
            "goes on by itself OUT",
            "SO_ERROR none",
            "connect again: ok",
            "and again: EISCONN",
            "writes 1",
            "restart 1: ok, rang 1",
            "writes 1",
        ]
    );
}

#[test]
fn the_exit_status_and_the_death_by_signal_are_passed_on() {
    assert_eq!(finish(&mut inside(&[], &["sh", "-c", "exit 43"])).status.code(), Some(43));
    assert_eq!(finish(&mut inside(&[], &["sh", "-c", "kill -TERM $$"])).status.code(), Some(143));
}

#[test]
fn a_program_that_is_not_there_or_not_executable_is_told_apart() {
    let missing = finish(&mut inside(&[], &["no-such-program-anywhere"]));
    assert_eq!(missing.status.code(), Some(127), "{}", text(&missing.stderr));
    assert!(text(&missing.stderr).contains("no-such-program-anywhere"));
    let data = finish(&mut inside(&[], &["/etc/passwd"]));
    assert_eq!(data.status.code(), Some(126), "{}", text(&data.stderr));
}

#[test]
fn io_uring_is_refused() {
    let file = program("io_uring", &[]);
    assert_eq!(printed(&mut inside(&[], &[file])).trim(), "ENOSYS");
}
