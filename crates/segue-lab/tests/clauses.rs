//! Everything that opening, resets, closing and keeping alive are to show has its story.
use segue_lab::stories;

/// What shows a clause.
#[derive(Clone, Copy)]
enum Shown {
    /// A story of this name.
    Story(&'static str),
    /// No story can: a file of the workspace, and a test in it.
    Test(&'static str, &'static str),
}

use Shown::{Story, Test};

/// Row, clause, what shows it.
const CLAUSES: &[(&str, &str, Shown)] = &[
    ("B1", "three segments, active and passive; a SYN takes one sequence number, a bare ACK none", Story("handshake")),
    ("B1", "a SYN is lost", Story("lost-syn")),
    ("B1", "a SYN-ACK is lost", Story("lost-syn-ack")),
    ("B1", "the third segment carries data", Story("third-segment-data")),
    ("B1", "the third segment is lost: the first data complete the handshake", Story("lost-third-ack")),
    ("B2", "simultaneous open: SYN-SENT, SYN-RECEIVED, ESTABLISHED, one connection", Story("simultaneous-open")),
    (
        "B3",
        "an old duplicate SYN: reset by the initiator, the listener listens on, the real SYN succeeds",
        Story("old-duplicate-syn"),
    ),
    ("B4", "the crashed side connects again: challenge ACK, RST, clean open", Story("half-open-reconnect")),
    ("B4", "the side that lives sends, and is reset", Story("half-open-send")),
    ("B4", "neither sends: keep-alive finds it", Story("half-open-silent")),
    ("B5", "group 1: nobody listens", Story("refused")),
    ("B5", "group 1: a segment for no connection", Story("stray-segment")),
    (
        "B5",
        "group 2: an acknowledgment of what was not sent, before the connection is synchronised",
        Story("old-duplicate-syn"),
    ),
    ("B5", "group 3: synchronised, a bare ACK", Story("blind-data")),
    ("B5", "a RST inside the window is challenged", Story("blind-reset")),
    ("B5", "a SYN is challenged", Story("blind-syn")),
    ("B5", "challenges are limited", Story("challenges-limited")),
    ("B6", "SYNs one second apart, then doubling, ETIMEDOUT", Story("nobody-answers")),
    ("B6", "SYNs that double from the start: 63 s", Story("syns-that-double")),
    ("B6", "SYN-ACKs: five repetitions, given up after 63 s", Story("nobody-confirms")),
    ("B6", "ENETUNREACH", Story("unreachable")),
    ("B6", "EHOSTUNREACH", Story("host-unreachable")),
    ("B6", "ECONNREFUSED", Story("refused")),
    ("F1", "four segments: FIN-WAIT-1, FIN-WAIT-2, CLOSE-WAIT, LAST-ACK, TIME-WAIT", Story("four-segments")),
    ("F1", "three segments: FIN and ACK join", Story("three-segments")),
    ("F1", "a FIN that is lost", Story("lost-fin")),
    ("F1", "the last ACK is lost", Story("lost-last-ack")),
    ("F2", "simultaneous close: CLOSING, TIME-WAIT", Story("simultaneous-close")),
    ("F2", "FIN with ACK in FIN-WAIT-1: TIME-WAIT directly", Story("three-segments")),
    ("F3", "shutdown(SHUT_WR) goes on reading", Story("half-close")),
    ("F3", "shutdown(SHUT_RD) sends nothing", Story("shut-read")),
    ("F3", "shutdown(SHUT_RDWR)", Story("shut-both")),
    ("F3", "every queued byte before the end", Story("drain-before-end")),
    ("F4", "60 s, started again by a repeated FIN, which is acknowledged", Story("time-wait")),
    ("F4", "the four-tuple is blocked, and tcp_tw_reuse lets it go", Story("time-wait-reused")),
    ("F4", "a newer SYN opens it again", Story("time-wait-reopened")),
    ("F4", "assassination, and tcp_rfc1337", Story("time-wait-protected")),
    ("F4", "an entry is small", Test("segue-stack/src/tcp/flows.rs", "size_of::<TimeWaitEntry>() <= 88")),
    ("F4", "tcp_max_tw_buckets", Story("time-wait-full")),
    (
        "F4",
        "tcp_tw_recycle is refused with the reason",
        Test("segue-stack/src/sysctl/tests.rs", "tw_recycle_is_refused_with_the_reason_it_was_removed_for"),
    ),
    ("F5", "tcp_fin_timeout ends an orphan in FIN-WAIT-2", Story("close-wait")),
    ("F5", "tcp_orphan_retries", Story("orphan")),
    ("F6", "linger off: close() returns, the rest is delivered", Story("four-segments")),
    ("F6", "linger with a time", Story("linger-time")),
    ("F6", "linger with zero", Story("linger-zero")),
    ("F6", "close() with unread data", Story("unread-data")),
    ("F7", "end of file against ECONNRESET", Story("close-or-reset")),
    ("F7", "writing after it: EPIPE", Story("broken-pipe")),
    (
        "F7",
        "SIGPIPE for programs",
        Test("segue-run/tests/programs.rs", "half_close_reset_close_wait_broken_pipe_and_reuse_are_as_in_the_kernel"),
    ),
    ("G1", "off by default, per socket", Story("keep-alive-off")),
    ("G1", "the peer is alive: the timer starts again", Story("keep-alive-answered")),
    ("G1", "the peer was rebooted: ECONNRESET", Story("keep-alive-rebooted")),
    ("G1", "the peer is gone: ETIMEDOUT after 2 h 11 min 15 s", Story("keep-alive-gone")),
];

#[test]
fn every_clause_has_its_story() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    for (row, clause, shown) in CLAUSES {
        let is_there = match shown {
            Story(name) => stories().any(|story| story.name == *name),
            Test(file, words) => {
                std::fs::read_to_string(format!("{root}/{file}")).is_ok_and(|text| text.contains(words))
            }
        };
        assert!(is_there, "{row}: nothing shows: {clause}");
    }
}

#[test]
fn every_row_of_opening_closing_and_keeping_alive_is_there() {
    for row in ["B1", "B2", "B3", "B4", "B5", "B6", "F1", "F2", "F3", "F4", "F5", "F6", "F7", "G1"] {
        assert!(CLAUSES.iter().any(|(of, ..)| *of == row), "{row} has no clause");
    }
}

#[test]
fn stories_of_opening_resets_closing_and_keeping_alive_belong_to_a_clause() {
    // What other rows than these tell.
    let others = [
        "negotiation",
        "fast-open",
        "fast-open-refused",
        "defer-accept",
        "signed-session",
        "time-wait-assassinated",
        "user-timeout",
        "user-timeout-option",
        "retries-exhausted",
    ];
    for story in stories() {
        let is_told = CLAUSES.iter().any(|(_, _, shown)| matches!(shown, Story(name) if *name == story.name));
        let is_ours = ["opening", "resets", "closing", "keeping alive"].contains(&story.chapter);
        assert!(!is_ours || is_told || others.contains(&story.name), "which clause does {} show?", story.name);
    }
}
