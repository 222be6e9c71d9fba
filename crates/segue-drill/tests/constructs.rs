//! The language, construct by construct: each is read and does what its description says.
//!
//! What is refused, and where, is `parse::tests` and `interpreter`; here is what must be taken.
use segue_drill::{Options, Verdict, run_script};

/// A listener, a handshake, an accepted connection 4.
const OPEN: &str = "
   0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
  +0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
  +0 bind(3, ..., ...) = 0
  +0 listen(3, 5) = 0
  +0 < S 0:0(0) win 65535 <mss 1000,sackOK,nop,nop>
  +0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK>
+.05 < . 1:1(0) ack 1 win 65535
  +0 accept(3, ..., ...) = 4
";

/// What a construct is, and what comes behind the opening.
#[rustfmt::skip]
const AFTER_OPENING: &[(&str, &str)] = &[
    ("line breaks mean nothing", "+0 write(4,\n ...,\n 10) = 10 +0 > P. 1:11(10) ack 1"),
    ("comments of both kinds", "+0 `true` // to the end\n/* or\n between */ +0 `true`"),
    ("absolute times", "1 `true`\n1.25 write(4, ..., 10) = 10\n1.25 > P. 1:11(10) ack 1"),
    ("floats without a leading digit", "+.01 `true`"),
    ("any time", "+0 write(4, ..., 10) = 10\n* > P. 1:11(10) ack 1"),
    ("an absolute window", "0.1 write(4, ..., 10) = 10\n0.1~0.2 > P. 1:11(10) ack 1"),
    ("a relative window", "+0 write(4, ..., 10) = 10\n* > P. 1:11(10) ack 1\n+.15~+.40 > P. 1:11(10) ack 1"),
    ("a call that blocks, relative", "+0...0.1 read(4, ..., 100) = 10\n+.1 < P. 1:11(10) ack 1 win 100"),
    ("a call that blocks, absolute", "1...1.1 read(4, ..., 100) = 10\n1.1 < P. 1:11(10) ack 1 win 100"),
    ("ports in front of the flags", "+0 < 5555 > 9999 . 1:1(0) ack 1 win 100"),
    ("an IP field in brackets", "+0 write(4, ..., 10) = 10\n+0 > [noecn] P. 1:11(10) ack 1"),
    ("IP fields in parentheses", "+0 write(4, ..., 10) = 10\n+0 > (ttl 64) P. 1:11(10) ack 1"),
    ("a type of service", "+0 setsockopt(4, SOL_IP, IP_TOS, [16], 4) = 0\n+0 write(4, ..., 1) = 1\n+0 > (tos 0x10) P. 1:2(1) ack 1"),
    ("flags without ACK, and none", "+0 < - 1:1(0) win 100\n+0 < P 1:2(1) win 100"),
    ("the ACE field as a digit", "+0 < .0 1:1(0) ack 1 win 100"),
    ("an urgent pointer", "+0 send(4, ..., 5, MSG_OOB) = 5\n+0 > PU. 1:6(5) ack 1 urg 5"),
    ("SACK blocks", "+0 < . 1001:2001(1000) ack 1 win 100\n+0 > . 1:1(0) ack 1 <nop,nop,sack 1001:2001>"),
    ("options that are not looked at", "+0 < . 1001:2001(1000) ack 1 win 100\n+0 > . 1:1(0) ack 1 <...>"),
    ("broken MD5 and end of list", "+0 < . 1:1(0) ack 1 win 100 <md5 0102,nop,nop,nop,eol>"),
    ("an MD5 digest of another key", "+0 < . 1:1(0) ack 1 win 100 <nop,nop,md5 key \"secret\">"),
    ("a TCP-AO option", "+0 < . 1:1(0) ack 1 win 100 <ao keyid 1 rnextkeyid 2 mac 0102030405060708090a0b0c>"),
    ("an AccECN option", "+0 < . 1:1(0) ack 1 win 100 <ECN e0b 1 ceb 2 e1b 3,nop>"),
    ("a Fast Open option", "+0 < . 1:1(0) ack 1 win 100 <FO a1b2,FOEXP a1b2,nop,nop>"),
    ("segments that are put together", "+0 `ethtool -K tun0 tso off gso off`\n+0 write(4, ..., 2500) = 2500\n+0 > P. 1:2501(2500) ack 1"),
    ("an ICMP error by names", "+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n+0 < icmp unreachable host_unreachable [1:11(10)]"),
    ("an ICMP error by numbers", "+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n+0 < icmp type_3 code_1 [1:11(10)]"),
    ("an ICMP error that quotes nothing", "+0 < icmp unreachable net_unreachable [raw (64)]"),
    ("a smaller MTU", "+0 write(4, ..., 1000) = 1000\n+0 > P. 1:1001(1000) ack 1\n+0 < icmp unreachable frag_needed mtu 540 [1:1001(1000)]\n+0 > P. 1:1001(1000) ack 1"),
    ("a result with a note", "+0 fcntl(4, F_GETFL) = 0x2 (flags O_RDWR)"),
    ("an errno with its note", "+0 recv(4, ..., 9, MSG_DONTWAIT) = -1 EAGAIN (nothing yet)"),
    ("flags joined by bars", "+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0"),
    ("an ioctl with what it gives", "+0 < P. 1:11(10) ack 1 win 100\n+0 ioctl(4, SIOCINQ, [10]) = 0"),
    ("a linger structure", "+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=2}, 8) = 0\n+0 getsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=2}, [8]) = 0"),
    ("strings that stand side by side", "+0 setsockopt(4, SOL_TCP, TCP_CONGESTION, \"re\" \"no\", 4) = 0"),
    ("vectors", "+0 writev(4, [{..., 3}, {..., 4}], 2) = 7\n+0 > P. 1:8(7) ack 1\n+0 < P. 1:51(50) ack 8 win 100\n+0 readv(4, [{..., 25}, {..., 25}], 2) = 50"),
    ("messages", "+0 sendmsg(4, {msg_name(...)=..., msg_iov(2)=[{..., 30}, {..., 12}], msg_flags=0}, MSG_DONTWAIT) = 42\n+0 > P. 1:43(42) ack 1"),
    ("control messages", "+0 setsockopt(4, SOL_TCP, TCP_INQ, [1], 4) = 0\n+0 < P. 1:101(100) ack 1 win 100\n+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 60}], msg_flags=0, msg_control=[{cmsg_level=SOL_TCP, cmsg_type=TCP_CM_INQ, cmsg_data=40}]}, 0) = 60"),
    ("poll", "+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLOUT}], 1, 1000) = 1"),
    ("epoll with ptr, u32 and u64", "+0 epoll_create(1) = 9\n+0 epoll_ctl(9, EPOLL_CTL_ADD, 4, {events=EPOLLOUT, u32=7}) = 0\n+0 epoll_wait(9, {events=EPOLLOUT, u32=7}, 1, 0) = 1"),
    ("pipes and splice", "+0 pipe([6, 7]) = 0\n+0 < P. 1:11(10) ack 1 win 100\n+0 splice(4, NULL, 7, NULL, 10, 0) = 10"),
    ("files and sendfile", "+0 `truncate -s 100 /tmp/constructs`\n+0 open(\"/tmp/constructs\", O_RDONLY) = 6\n+0 sendfile(4, 6, [0], 50) = 50\n+0 > P. 1:51(50) ack 1"),
    ("shutdown and close", "+0 shutdown(4, SHUT_WR) = 0\n+0 > F. 1:1(0) ack 1\n+0 close(4) = 0"),
    ("disconnecting", "+0 connect(4, AF_UNSPEC, ...) = 0\n+0 > R. 1:1(0) ack 1"),
    ("commands", "+0 `sysctl -q net.ipv4.tcp_fin_timeout=5`\n+0 `echo 7 > /proc/sys/net/ipv4/tcp_fin_timeout`\n+0 `true; sleep 0.01 && true || false`"),
    ("code with names, chains and formats", "+0 %{ assert 0 < tcpi_snd_cwnd <= 10 and not tcpi_lost, 'cwnd %d' % tcpi_snd_cwnd }%"),
    ("code with blocks", "+0 %{\nfor state in [TCP_ESTABLISHED]:\n    if tcpi_state != state:\n        assert False, f'{tcpi_state}'\n}%"),
    ("code that prints and remembers", "+0 %{ before = tcpi_segs_in; print('in', before) }%\n+0 %{ assert tcpi_segs_in == before }%"),
    ("memory of the socket", "+0 %{ assert SK_MEMINFO_RCVBUF > 0 and SK_MEMINFO_RMEM_ALLOC == 0 and SK_MEMINFO_DROPS == 0 }%"),
    ("bbr's own figures", "+0 setsockopt(4, SOL_TCP, TCP_CONGESTION, \"bbr\", 3) = 0\n+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n+0 %{ assert bbr_pacing_gain > 256 and bbr_cwnd_gain > 256 and bbr_bw == bbr_bw_lo + (bbr_bw_hi << 32) }%"),
    ("a second socket becomes the one under test", "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 5\n+0 fcntl(5, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n+0 connect(5, ..., ...) = -1 EINPROGRESS (in progress)\n+0 > S 0:0(0) <...>"),
    ("a cleanup command", "+0 `true`\n`true`"),
];

/// What a construct is, and a whole script.
#[rustfmt::skip]
const WHOLE: &[(&str, &str)] = &[
    ("options, defines and an init command",
     "--ip_version=ipv4\n--tolerance_usecs=9000\n--mtu=1400\n--define=KIND=SOCK_STREAM\n--define=CC=\"reno\"\n--tcp_ts_tick_usecs=0\n`true`\n\
      0 socket(..., KIND, IPPROTO_TCP) = 3\n+0 setsockopt(3, SOL_TCP, TCP_CONGESTION, CC, 4) = 0"),
    ("addresses and ports of one's own",
     "--local_ip=192.168.77.1\n--remote_ip=192.0.2.33\n--connect_port=99\n0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3\n\
      +0 connect(3, ..., ...) = -1 EINPROGRESS (in progress)\n+0 > S 0:0(0) <...>"),
    ("a timestamp that is echoed",
     "0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3\n+0 connect(3, ..., ...) = -1 EINPROGRESS (in progress)\n\
      +0 > S 0:0(0) <mss 1460,sackOK,TS val 500 ecr 0,nop,wscale 10>\n\
      +.04 < S. 9000:9000(0) ack 1 win 30000 <mss 1200,sackOK,TS val 77 ecr 500,nop,wscale 3>\n+0 > . 1:1(0) ack 1 <nop,nop,TS val 540 ecr 77>"),
    ("UDP", "0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3\n+0 bind(3, ..., ...) = 0\n+0 connect(3, ..., ...) = 0\n+0 write(3, ..., 100) = 100\n\
             +0 > udp (100)\n+.01 < udp (60)\n+0 recvfrom(3, ..., 200, 0, ..., ...) = 60"),
    ("IPv6 with a flow label that is bound",
     "--ip_version=ipv6\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 5) = 0\n\
      +0 < S 0:0(0) win 65535 <mss 1000>\n+0 > (flowlabel 0x1) S. 0:0(0) ack 1 <...>"),
    ("mapped addresses", "--ip_version=ipv4-mapped-ipv6\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 5) = 0"),
    ("mismatches that are no failure",
     "--non_fatal=packet,syscall\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 listen(3, 5) = 7"),
];

fn play(name: &str, text: &str) -> Option<String> {
    let report = run_script(name, text, &Options::default());
    (report.verdict != Verdict::Passed).then(|| format!("{name}:\n{}\n", report.message))
}

#[test]
fn every_construct_of_the_language_is_taken_and_does_what_it_says() {
    let after = AFTER_OPENING.iter().map(|(name, rest)| (*name, format!("{OPEN}{rest}")));
    let whole = WHOLE.iter().map(|(name, text)| (*name, (*text).to_owned()));
    let wrong: String = after.chain(whole).filter_map(|(name, text)| play(name, &text)).collect();
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_script_played_again_is_played_the_same_whatever_was_played_between() {
    let text = |rest: &str| format!("{OPEN}{rest}");
    let first = run_script(
        "first.pkt",
        &text("+0 write(4, ..., 3000) = 3000\n+0 > P. 1:3001(3000) ack 1"),
        &Options::default(),
    );
    for (name, rest) in AFTER_OPENING {
        _ = play(name, &text(rest));
    }
    let again = run_script(
        "first.pkt",
        &text("+0 write(4, ..., 3000) = 3000\n+0 > P. 1:3001(3000) ack 1"),
        &Options::default(),
    );
    assert_eq!((first.verdict, &first.trace), (Verdict::Passed, &again.trace));
}
