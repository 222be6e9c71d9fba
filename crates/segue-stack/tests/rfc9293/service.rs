//! Sections 3.9.1.9 and 3.9.2: what IP is told of a connection's segments.

use segue_stack::SocketOption;

use crate::common::*;
use crate::craft::sent_by;

/// MUST-48, MUST-49, SHLD-21, SHLD-22: from the first segment on, and changed while the connection lives.
#[test]
fn the_application_chooses_diffserv_field_and_time_to_live_at_any_time() {
    for v6 in [false, true] {
        let mut w = World::new(Wire::default());
        w.keeps_log = true;
        let to = if v6 { "[fd00::2]:80" } else { "10.0.0.2:80" };
        w.listener(B, to, 1);
        let client = if v6 { w.tcp6(A) } else { w.tcp(A) };
        let fields = |bytes: &[u8]| match v6 {
            false => (bytes[1], bytes[8]),
            true => (bytes[0] << 4 | bytes[1] >> 4, bytes[7]),
        };
        for (step, class, hops) in [(0, 0x28, 7), (1, 0xb8, 33)] {
            let options = match v6 {
                false => [SocketOption::Tos(class), SocketOption::Ttl(hops)],
                true => [SocketOption::TrafficClass(class), SocketOption::HopLimit(hops)],
            };
            for option in options {
                w.stacks[A].set_option(w.now, client, option).unwrap();
            }
            if step == 0 {
                let _ = w.connect(A, client, to);
            } else {
                w.write(A, client, b"hello").unwrap();
            }
            w.settle();
            let sent = sent_by(&mut w, A);
            assert!(!sent.is_empty() && sent.iter().all(|seen| fields(&seen.bytes) == (class, hops)), "{to} {step}");
        }
    }
}
