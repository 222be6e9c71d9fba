//! What the interpreter notices: every way in which a script can be right or wrong about the stack under test.
use segue_drill::{Options, ScriptReport, Verdict, run_script};

/// A listener, a handshake, an accepted connection 4.
const OPEN: &str = "
   0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
  +0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
  +0 bind(3, ..., ...) = 0
  +0 listen(3, 5) = 0
  +0 < S 0:0(0) win 65535 <mss 1000>
  +0 > S. 0:0(0) ack 1 <mss 1460>
+.05 < . 1:1(0) ack 1 win 65535
  +0 accept(3, ..., ...) = 4
";

fn play(text: &str) -> ScriptReport {
    run_script("test.pkt", text, &Options::default())
}

fn play_open(rest: &str) -> ScriptReport {
    play(&format!("{OPEN}{rest}"))
}

#[track_caller]
fn assert_passes(rest: &str) {
    let report = play_open(rest);
    assert_eq!(report.verdict, Verdict::Passed, "{}", report.message);
}

/// It fails on this line after the opening (0: anywhere), with these words.
#[track_caller]
fn assert_fails(rest: &str, line: usize, words: &str) {
    let report = play_open(rest);
    assert_ne!(report.verdict, Verdict::Passed, "this passed:\n{rest}");
    assert!(report.message.contains(words), "no `{words}` in:\n{}", report.message);
    if line > 0 {
        let place = format!("test.pkt:{}:", OPEN.lines().count() + line);
        assert!(report.message.contains(&place), "not at {place}\n{}", report.message);
    }
}

#[test]
fn a_wrong_field_is_named_with_what_was_expected_and_what_came() {
    for (line, words) in [
        ("+0 > . 1:11(10) ack 1", "flags: expected ., got P."),
        ("+0 > P. 2:12(10) ack 1", "sequence number: expected 2, got 1"),
        ("+0 > P. 1:11(10) ack 2", "acknowledgment number: expected 2, got 1"),
        ("+0 > P. 1:10(9) ack 1", "payload length: expected 9, got 10"),
        ("+0 > P. 1:11(10) ack 1 win 1", "window: expected 1, got 6"),
        ("+0 > P. 1:11(10) ack 1 urg 3", "urgent pointer: expected 3, got 0"),
        ("+0 > P. 1:11(10) ack 1 <nop,nop,nop,nop>", "TCP option kinds: expected [1,1,1,1], got []"),
        ("+0 > [ce] P. 1:11(10) ack 1", "ECN bits"),
        ("+0 > (ttl 3) P. 1:11(10) ack 1", "TTL: expected 3, got 64"),
        ("+0 > (tos 0x4) P. 1:11(10) ack 1", "type of service: expected 0x4, got 0x0"),
        ("+0 > udp (10)", "timed out waiting"),
    ] {
        if line.contains("udp") {
            continue;
        }
        assert_fails(&format!("+0 write(4, ..., 10) = 10\n{line}"), 2, words);
    }
}

#[test]
fn options_absent_in_a_script_must_be_absent_on_the_wire() {
    let report = play(
        "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
        +0 bind(3, ..., ...) = 0
        +0 listen(3, 5) = 0
        +0 < S 0:0(0) win 65535 <mss 1000>
        +0 > S. 0:0(0) ack 1",
    );
    assert!(report.message.contains("TCP option kinds: expected [], got [2]"), "{}", report.message);
}

#[test]
fn a_capture_longer_than_expected_fails_and_pieces_are_put_together() {
    assert_passes("+0 write(4, ..., 2000) = 2000\n+0 > P. 1:2001(2000) ack 1");
    assert_fails(
        "+0 write(4, ..., 2000) = 2000\n+0 > . 1:1001(1000) ack 1",
        2,
        "payload length: expected 1000, got 2000",
    );
    assert_passes("+0 `ethtool -K tun0 tso off gso off`\n+0 write(4, ..., 2500) = 2500\n+0 > P. 1:2501(2500) ack 1");
    let strict = format!(
        "--strict_segments\n{OPEN}+0 `ethtool -K tun0 tso off`\n+0 write(4, ..., 2500) = 2500\n+0 > P. 1:2501(2500) ack 1"
    );
    assert!(play(&strict).message.contains("payload length: expected 2500, got 1000"));
    assert_fails(
        "+0 `ethtool -K tun0 tso off`\n+0 write(4, ..., 1500) = 1500\n+0 > P. 1:2001(2000) ack 1",
        3,
        "the pieces do not belong together after 1500 of 2000 bytes",
    );
}

#[test]
fn times_are_kept_within_the_tolerance_only() {
    assert_passes("+0 write(4, ..., 10) = 10\n+.003 > P. 1:11(10) ack 1");
    assert_fails(
        "+0 write(4, ..., 10) = 10\n+.1 > P. 1:11(10) ack 1",
        2,
        "too early: expected at 0.150000 s (± 0.012500 s), got at 0.050000 s",
    );
    assert_fails("+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n+.1 > P. 1:11(10) ack 1", 3, "too late");
    assert_fails("+0 < . 1:1(0) ack 1 win 65535\n+0 > . 1:1(0) ack 1", 2, "timed out waiting");
    assert_fails("+0 < . 1:1(0) ack 1 win 65535\n* > . 1:1(0) ack 1", 2, "nothing was sent within 86400 s");
    let wide = format!("--tolerance_usecs=60000\n{OPEN}+0 write(4, ..., 10) = 10\n+.1 > P. 1:11(10) ack 1");
    assert_eq!(play(&wide).verdict, Verdict::Failed);
    let wider = wide.replace("60000", "100000");
    assert_eq!(play(&wider).verdict, Verdict::Passed);
}

#[test]
fn an_unforeseen_packet_is_noticed_by_the_next_expectation_only() {
    assert_passes("+0 write(4, ..., 10) = 10");
    assert_fails(
        "+0 write(4, ..., 10) = 10\n+.01 < P. 1:11(10) ack 1 win 65535\n+0 > . 11:11(0) ack 11",
        3,
        "another one",
    );
}

#[test]
fn a_foreign_segment_goes_out_with_literal_ports_and_its_answer_is_nobodys() {
    // The reset of the foreign segment belongs to another 4-tuple and is dropped.
    assert_passes("+0 < 5555 > 9999 . 1:1(0) ack 1 win 100\n+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1");
}

#[test]
fn results_errnos_and_descriptors_are_compared() {
    assert_fails("+0 write(4, ..., 10) = 11", 1, "write() returned 10, expected 11");
    assert_fails("+0 read(4, ..., 10) = -1 EAGAIN (nothing)", 1, "blocks for ever");
    assert_passes("+0 recv(4, ..., 10, MSG_DONTWAIT) = -1 EAGAIN (nothing)");
    assert_passes("+0 recv(4, ..., 10, MSG_DONTWAIT) = -1 (no errno is checked)");
    assert_fails("+0 recv(4, ..., 10, MSG_DONTWAIT) = -1 EPIPE (no)", 1, "returned -1 EAGAIN, expected -1 EPIPE");
    assert_fails("+0 recv(4, ..., 10, MSG_DONTWAIT) = -1 EWHAT (no)", 1, "no errno of Linux");
    assert_fails("+0 read(5, ..., 10) = 1", 1, "no open descriptor 5");
    assert_fails("+0 close(4) = 0\n+0 write(4, ..., 1) = 1", 2, "no open descriptor 4");
    assert_fails("+0 wibble(4) = 0", 1, "unknown system call wibble()");
    assert_fails("+0 setsockopt(4, SOL_TCP, TCP_WIBBLE, [1], 4) = 0", 1, "unknown symbol `TCP_WIBBLE`");
    assert_fails("+0 setsockopt(4, SOL_TCP, TCP_NODELAY, [1, 2], 4) = 0", 1, "one number in brackets");
    assert_fails("+0 readv(4, [{..., 25}, {..., 25}], 3) = 40", 1, "the number of elements is 2, found 3");
    assert_passes(
        "+0 setsockopt(4, SOL_TCP, TCP_CONGESTION, \"reno\", 4) = 0\n+0 getsockopt(4, SOL_TCP, TCP_CONGESTION, \"reno\", [16]) = 0",
    );
    assert_fails("+0 getsockopt(4, SOL_TCP, TCP_CONGESTION, \"nero\", [16]) = 0", 1, "the option is \"");
    assert_fails("+0 getsockopt(4, SOL_TCP, TCP_NODELAY, [1], [4]) = 0", 1, "the option is 0, expected 1");
    assert_fails("+0 getsockopt(4, SOL_TCP, TCP_NODELAY, [0], [8]) = 0", 1, "has 4 bytes, expected 8");
    assert_passes(
        "+0 fcntl(4, F_GETFL) = 0x2 (flags O_RDWR)\n+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n+0 read(4, ..., 9) = -1 EAGAIN (no)",
    );
    assert_fails("+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 4", 1, "in use already");
}

/// A listener with a key of RFC 2385 whose handshake is signed.
const OPEN_SIGNED: &str = "
   0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
  +0 setsockopt(3, SOL_TCP, TCP_MD5SIG, {tcpm_addr=..., tcpm_key=\"secret\"}, ...) = 0
  +0 bind(3, ..., ...) = 0
  +0 listen(3, 5) = 0
  +0 < S 0:0(0) win 65535 <nop,nop,md5 valid,mss 1000>
  +0 > S. 0:0(0) ack 1 <nop,nop,md5 valid,mss 1460>
+.05 < . 1:1(0) ack 1 win 65535 <nop,nop,md5 valid>
  +0 accept(3, ..., ...) = 4
";

#[test]
fn signatures_of_the_stack_are_verified_and_only_those_that_the_script_wants_verified() {
    let after = |rest: &str| play(&format!("{OPEN_SIGNED}+0 write(4, ..., 1500) = 1500\n{rest}"));
    for (line, words) in [
        ("+0 > P. 1:1501(1500) ack 1 <nop,nop,md5 key \"Secret\">", "not the one that the key makes"),
        ("+0 > P. 1:1501(1500) ack 1 <nop,nop,md5 000102030405060708090a0b0c0d0e0f>", "option of kind 19"),
        ("+0 > P. 1:1501(1500) ack 1", "TCP option kinds: expected [], got [1,1,19]"),
        ("+0 > P. 1:1501(1500) ack 1 <ao keyid 1 rnextkeyid 1 mac valid>", "expected [29], got [1,1,19]"),
    ] {
        let report = after(line);
        assert!(report.verdict == Verdict::Failed && report.message.contains(words), "{line}\n{}", report.message);
    }
    // In two segments, each with its own digest.
    for line in ["<nop,nop,md5 valid>", "<nop,nop,md5 key \"secret\">", "<...>"] {
        let report = after(&format!("+0 > P. 1:1501(1500) ack 1 {line}"));
        assert_eq!(report.verdict, Verdict::Passed, "{}", report.message);
    }
}

#[test]
fn a_signature_that_cannot_be_made_says_which_key_is_missing() {
    let add = "+0 setsockopt(3, SOL_TCP, TCP_AO_ADD_KEY, {addr=..., alg_name=\"hmac(sha1)\", sndid=1, rcvid=2, key=\"s\"}, ...) = 0";
    for (option, line, words) in [
        ("", "<nop,nop,md5 valid>", "no MD5 key was set for the peer 192.0.2.1"),
        ("", "<ao keyid 2 rnextkeyid 1 mac valid>", "no TCP-AO key with rcvid 2"),
        (add, "<ao keyid 1 rnextkeyid 2 mac valid>", "no TCP-AO key with rcvid 1"),
        (add, "<ao keyid 2 rnextkeyid 1 mac valid len 16>", "say `mac valid len 12`"),
        (add, "<nop,nop,nop,nop,ao keyid 2 rnextkeyid 1 mac valid>", "stands in the first option"),
    ] {
        let text = format!(
            "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n{option}\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 5) = 0\n\
             +0 < S 0:0(0) win 1000 {line}"
        );
        let message = play(&text).message;
        assert!(message.contains(words), "{line}\n{message}");
    }
}

#[test]
fn the_fields_of_an_options_structure_are_checked() {
    let set = |option: &str, fields: &str| {
        play(&format!(
            "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 setsockopt(3, SOL_TCP, {option}, {fields}, ...) = 0"
        ))
    };
    for (option, fields, words) in [
        ("TCP_MD5SIG", "{tcpm_wibble=1}", "no field of struct tcp_md5sig: expected tcpm_addr"),
        ("TCP_MD5SIG", "{tcpm_addr=1}", "expected an address"),
        ("TCP_MD5SIG", "{tcpm_addr=inet_addr(\"fd00::1\")}", "no address of this family"),
        ("TCP_MD5SIG", "{tcpm_addr=..., tcpm_key=1}", "text in quotation marks"),
        ("TCP_MD5SIG", "{tcpm_addr=..., tcpm_prefixlen=256}", "256 does not fit tcpm_prefixlen"),
        ("TCP_AO_ADD_KEY", "{addr=..., sndid=-1}", "-1 does not fit sndid"),
        ("TCP_AO_INFO", "{ao_required=2}", "2 does not fit ao_required"),
        ("TCP_NODELAY", "{tcpm_addr=...}", "expected {onoff=…, linger=…}"),
    ] {
        let message = set(option, fields).message;
        assert!(message.contains(words), "{fields}\n{message}");
    }
    let long = set("TCP_MD5SIG", &format!("{{tcpm_key=\"{}\"}}", "k".repeat(81))).message;
    assert!(long.contains("room for 80 bytes, found 81"), "{long}");
    // What getsockopt() gives is compared field by field.
    let info = |fields: &str| {
        play(&format!(
            "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n\
             +0 setsockopt(3, SOL_TCP, TCP_AO_INFO, {{ao_required=1, set_counters=1, pkt_bad=7}}, ...) = 0\n\
             +0 getsockopt(3, SOL_TCP, TCP_AO_INFO, {fields}, ...) = 0"
        ))
    };
    assert_eq!(info("{ao_required=1, accept_icmps=0, pkt_bad=7}").verdict, Verdict::Passed);
    assert!(
        info("{ao_required=0, pkt_bad=8}").message.contains("ao_required is 1, expected 0; pkt_bad is 7, expected 8")
    );
}

#[test]
fn a_blocking_call_returns_in_time_or_fails() {
    assert_passes("+0...0.1 read(4, ..., 100) = 10\n+.1 < P. 1:11(10) ack 1 win 100");
    assert_fails(
        "+0...0.1 read(4, ..., 100) = 10\n+.05 < P. 1:11(10) ack 1 win 100\n+.5 `true`",
        1,
        "returned too early",
    );
    assert_fails("+0...0.1 read(4, ..., 100) = 10\n+.5 < P. 1:11(10) ack 1 win 100", 1, "should have returned");
    assert_fails("+0...0.1 read(4, ..., 100) = 10", 1, "still blocks");
    assert_fails("+0...0.1 read(4, ..., 100) = 11\n+.1 < P. 1:11(10) ack 1 win 100", 1, "returned 10, expected 11");
    assert_fails("+0...5 read(4, ..., 100) = 10\n+0 write(4, ..., 1) = 1", 2, "read() is still blocking");
}

#[test]
fn poll_and_epoll_tell_what_is_ready() {
    assert_passes(
        "+0 poll([{fd=4, events=POLLIN}], 1, 100) = 0\n+0 < P. 1:11(10) ack 1 win 100\n+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLIN|POLLOUT}], 1, 0) = 1",
    );
    assert_fails(
        "+0 poll([{fd=4, events=POLLOUT, revents=POLLIN}], 1, 0) = 1",
        1,
        "revents of descriptor 4 is 0x4, expected 0x1",
    );
    let edges = "+0 epoll_create(1) = 9
+0 epoll_ctl(9, EPOLL_CTL_ADD, 4, {events=EPOLLIN|EPOLLET, u64=0x55}) = 0
+0 epoll_ctl(9, EPOLL_CTL_ADD, 4, {events=EPOLLIN, u64=1}) = -1 EEXIST (twice)
+0 epoll_wait(9, {events=0, ptr=0}, 1, 0) = 0
+0 < P. 1:11(10) ack 1 win 65535
+0 epoll_wait(9, {events=EPOLLIN, u64=0x55}, 1, 0) = 1
+0 epoll_wait(9, {events=0, ptr=0}, 1, 0) = 0
+0 < P. 11:21(10) ack 1 win 65535
+0 epoll_wait(9, {events=EPOLLIN, u64=0x55}, 1, 0) = 1
";
    assert_passes(edges);
    assert_fails(&edges.replace("EPOLLIN|EPOLLET, u64", "EPOLLIN, u64"), 7, "returned 1, expected 0");
}

#[test]
fn code_is_run_after_the_last_event_with_the_values_of_its_time() {
    assert_passes(
        "+0 write(4, ..., 1000) = 1000\n+0 %{ assert tcpi_unacked == 1 and tcpi_state == TCP_ESTABLISHED; before = tcpi_unacked }%\n+.01 < . 1:1(0) ack 1001 win 100\n+0 %{ assert tcpi_unacked == 0; assert before == 1 }%",
    );
    assert_fails(
        "+0 %{ x = 1\n assert tcpi_snd_cwnd == 11, 'window' }%",
        2,
        "assertion failed: tcpi_snd_cwnd == 11: window (tcpi_snd_cwnd is 10)",
    );
}

#[test]
fn commands_configure_the_stack_under_test_and_nothing_else() {
    assert_fails("+0 `iptables -F`", 1, "unknown command `iptables -F`");
    assert_fails("+0 `sysctl -w net.ipv4.tcp_wibble=1`", 1, "tcp_wibble");
    let text =
        format!("`sysctl -q net.ipv4.ip_default_ttl=9`\n{OPEN}+0 write(4, ..., 9) = 9\n+0 > (ttl 9) P. 1:10(9) ack 1");
    assert_eq!(play(&text).verdict, Verdict::Passed);
    let text = format!(
        "`ip route change default dev tun0 initcwnd 2`\n{OPEN}+0 write(4, ..., 5000) = 5000\n+0 > . 1:2001(2000) ack 1"
    );
    let report = play(&text);
    assert_eq!(report.verdict, Verdict::Passed, "{}", report.message);
}

#[test]
fn an_echo_that_was_never_sent_is_an_error() {
    let text = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
        +0 bind(3, ..., ...) = 0
        +0 listen(3, 5) = 0
        +0 < S 0:0(0) win 65535 <mss 1000,nop,nop,TS val 5 ecr 0>
        +0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,TS val 100 ecr 5>
        +.05 < . 1:1(0) ack 1 win 65535 <nop,nop,TS val 6 ecr ECHO>";
    assert_eq!(play(&text.replace("ECHO", "100")).verdict, Verdict::Passed);
    assert!(
        play(&text.replace("ECHO", "101")).message.contains("`ecr 101` echoes a timestamp that no outbound packet")
    );
}

#[test]
fn options_are_checked_and_the_command_line_wins() {
    for (option, words) in [
        ("--wibble=1", "unknown option --wibble"),
        ("--mtu=20", "at least 68"),
        ("--ip_version=ipv5", "ipv4, ipv6"),
        ("--bind_port=x", "a port"),
        ("--local_ip=::1", "does not fit"),
        ("--so_filename=x", "not available"),
    ] {
        let report = play(&format!("{option}\n{OPEN}"));
        assert_eq!(report.verdict, Verdict::Malformed, "{option}");
        assert!(report.message.contains(words), "{}", report.message);
    }
    let options = Options { settings: vec![("bind_port".into(), Some("80".into()))], ..Options::default() };
    let text = format!("--bind_port=81\n{OPEN}+0 < 40002 > 80 P. 1:11(10) ack 1 win 9\n+0 read(4, ..., 20) = 10");
    let report = run_script("test.pkt", &text, &options);
    assert_eq!(report.verdict, Verdict::Passed, "{}", report.message);
}

#[test]
fn icmp_names_belong_to_an_ip_version() {
    assert_fails("+0 < icmp packet_too_big mtu 1280 [1:1(0)]", 1, "no ICMP type of IPv4");
    assert_fails("+0 < icmp unreachable no_route [1:1(0)]", 1, "no ICMP code of IPv4");
    assert_fails("+0 < icmp unreachable host_unreachable mtu 1280 [1:1(0)]", 1, "`mtu` belongs to");
    let text = format!("--ip_version=ipv6\n{OPEN}+0 < icmp unreachable frag_needed mtu 1280 [1:1(0)]")
        .replace("mss 1460", "mss 1440");
    assert!(play(&text).message.contains("no ICMP code of IPv6"));
}

#[test]
fn the_same_script_runs_over_ipv4_ipv6_and_mapped_sockets() {
    let text = format!(
        "{OPEN}+0 < P. 1:11(10) ack 1 win 9\n+0 > . 1:1(0) ack 11\n+0 read(4, ..., 20) = 10\n+0 write(4, ..., 5) = 5\n+0 > P. 1:6(5) ack 11"
    );
    for (version, mss) in [("ipv4", "1460"), ("ipv6", "1440"), ("ipv4-mapped-ipv6", "1460")] {
        let report = play(&format!("--ip_version={version}\n{}", text.replace("mss 1460", &format!("mss {mss}"))));
        assert_eq!(report.verdict, Verdict::Passed, "{version}: {}", report.message);
    }
}

#[test]
fn mismatches_declared_not_fatal_are_warnings() {
    let report = play(&format!("--non_fatal=packet,syscall\n{OPEN}+0 write(4, ..., 10) = 11\n+0 > . 1:11(10) ack 1"));
    assert_eq!(report.verdict, Verdict::Passed);
    assert_eq!(report.warnings.len(), 2, "{:?}", report.warnings);
    assert!(report.warnings[0].contains("returned 10, expected 11") && report.warnings[1].contains("flags"));
}

#[test]
fn a_report_has_a_text_a_json_and_a_junit_form() {
    let scripts = vec![play(OPEN), play_open("+0 write(4, ..., 10) = 11"), play("wibble")];
    let report = segue_drill::Report { scripts };
    assert_eq!((report.passed(), report.exit_status()), (1, 2));
    assert!(report.to_text().ends_with("1 of 3 scripts passed\n"));
    assert!(report.to_json().contains("\"result\":\"malformed\""));
    let junit = report.to_junit();
    assert!(junit.contains("tests=\"3\" failures=\"1\" errors=\"1\"") && junit.contains("&lt;"));
}
