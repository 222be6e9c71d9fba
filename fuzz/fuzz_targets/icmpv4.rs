//! ICMPv4: a message that was read is written, and read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_wire::Icmpv4Message;

fuzz_target!(|bytes: &[u8]| {
    let _ = Icmpv4Message::parse(bytes);
    let Ok(message) = Icmpv4Message::parse_unverified(bytes) else { return };
    assert!(message.message_len() <= bytes.len());
    if message.quoted().is_some() {
        assert!(message.is_error());
    }
    let mut out = vec![0; message.message_len()];
    assert_eq!(message.emit(&mut out), out.len());
    assert_eq!(Icmpv4Message::parse(&out), Ok(message));
});
