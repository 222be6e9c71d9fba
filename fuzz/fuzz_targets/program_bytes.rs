//! What a program under `segue run` hands over: netlink requests, addresses, control messages, ioctls, paths. Answers are
//! well-formed, no larger than what was asked for allows, and what is read is shown as it was given.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_run::untrusted;
use segue_stack::{Domain, decode_control, encode_control};

const HEADER: usize = 16;
/// The least that a netlink request takes, and the most that answers to one take (the lists of a small host).
const MOST_ANSWERED: usize = 4096;

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// Every datagram is a row of whole messages, addressed to whoever asked.
fn check_netlink(requests: &[u8], replies: &[Vec<u8>], port: u32) {
    let asked = requests.len() / HEADER;
    let whole: usize = replies.iter().map(Vec::len).sum();
    assert!(whole <= asked * MOST_ANSWERED + 2 * requests.len(), "{whole} bytes of answer to {}", requests.len());
    for reply in replies {
        let mut rest = reply.as_slice();
        assert!(!rest.is_empty());
        while !rest.is_empty() {
            let len = u32_at(rest, 0) as usize;
            assert!(len >= HEADER && len <= rest.len(), "a message of {len} in {}", rest.len());
            assert_eq!(u32_at(rest, 12), port);
            rest = &rest[len.next_multiple_of(4).min(rest.len())..];
        }
    }
}

fn check_address(raw: &[u8], domain: Domain) {
    let Ok(Some(address)) = untrusted::address(raw, domain) else { return };
    let shown = untrusted::shown(address, domain);
    let again = untrusted::address(&shown, domain).expect("what is shown is an address").expect("of the internet");
    assert_eq!((again.ip().to_canonical(), again.port()), (address.ip().to_canonical(), address.port()));
    assert_eq!(untrusted::shown(again, domain), shown);
}

fuzz_target!(|input: &[u8]| {
    let Some((&what, bytes)) = input.split_first() else { return };
    match what % 6 {
        0 => check_netlink(bytes, &untrusted::rtnetlink(bytes, 4711), 4711),
        1 => check_netlink(bytes, &untrusted::sock_diag(bytes, 4711), 4711),
        2 => {
            let Some((request, raw)) = bytes.split_first_chunk::<2>() else { return };
            let request = 0x8900 | u32::from(u16::from_ne_bytes(*request) & 0xff);
            if let Ok((at, value)) = untrusted::interface_request(request, raw) {
                assert!(at + value.len() <= untrusted::INTERFACE_REQUEST, "written past the end of the structure");
            }
        }
        3 => {
            check_address(bytes, Domain::Inet);
            check_address(bytes, Domain::Inet6);
        }
        4 => {
            let Some((&room, control)) = bytes.split_first() else { return };
            let Ok(messages) = decode_control(control) else { return };
            assert!(messages.len() <= control.len() / HEADER);
            let (written, _) = encode_control(&messages, room.into());
            assert!(written.len() <= usize::from(room), "{} bytes into room for {room}", written.len());
        }
        _ => {
            let Ok(path) = core::str::from_utf8(bytes) else { return };
            if let Some(name) = untrusted::proc_net(path) {
                assert!(path.starts_with("/proc/") && path.ends_with(&format!("net/{name}")));
            }
        }
    }
});
