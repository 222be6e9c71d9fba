//! Any text as a script: it is refused with a place and a reason, or played to an end. Nothing panics, nothing hangs.
#![no_main]
use libfuzzer_sys::fuzz_target;
use segue_drill::{Options, Verdict, check_script, run_script};

/// A listener and an open connection: most of what a script can say comes after that.
const OPEN: &str = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
+0 bind(3, ..., ...) = 0
+0 listen(3, 5) = 0
+0 < S 0:0(0) win 65535 <mss 1000,sackOK,nop,nop,nop,wscale 7>
+0 > S. 0:0(0) ack 1 <...>
+.02 < . 1:1(0) ack 1 win 500
+0 accept(3, ..., ...) = 4
";

fuzz_target!(|data: &[u8]| {
    let Some((&kind, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let text = if kind & 1 == 0 { text.to_owned() } else { format!("{OPEN}{text}") };
    let options = Options::default();
    let report = run_script("fuzz.pkt", &text, &options);
    match check_script(&text, &options) {
        // What cannot be read is said so, with the reason.
        Err(error) => {
            assert_eq!(report.verdict, Verdict::Malformed);
            assert!(!error.message.is_empty());
        }
        Ok(()) => assert_ne!(report.verdict, Verdict::Unplayed),
    }
    if report.verdict != Verdict::Passed {
        assert!(report.message.contains("error: "), "{}", report.message);
    }
});
