//! SYN cookies: a full SYN queue costs no client its connection (RFC 4987 section 3.6).
//!
//! Decides what a cookie is made of and how long it is good: the client's initial sequence number plus a keyed number of the
//! flow, a counter of minutes in the high byte, the index of the MSS under a keyed number of all that. As Linux lays them out,
//! but that a cookie does not fit a sequence number nearby. What the options of the SYN become is `segue-tcp`'s affair.
use core::net::IpAddr;
use core::time::Duration;

use segue_tcp::{Instant, Open, PassiveOpen, Segment};

use super::auth::{Agreed, SignsAs};
use super::flows::FlowRef;
use super::listener::Listener;
use super::output::{family, mtu_payload};
use super::syn::{OfSyn, without_ecn};
use crate::Counter;
use crate::SocketId;
use crate::budget::Entry;
use crate::ip::input::Arrival;
use crate::ip::output::no_routes;
use crate::stack::Stack;
use crate::tuple::FourTuple;

/// MSS values that a cookie can say, of which the largest is chosen that the client can take.
const MSS_V4: [u16; 4] = [536, 1300, 1440, 1460];
/// Over IPv6: minimum MTU, PPPoE, tunnels and Ethernet, jumbo frames.
const MSS_V6: [u16; 4] = [1220, 1420, 1440, 8940];
/// One tick of the counter.
const TICK: Duration = Duration::from_secs(60);
/// Ticks for which a cookie is good: the one in which it was made, and the next.
const MAX_AGE: u32 = 2;
/// The counter's place; what is below is the MSS.
const COUNT_SHIFT: u32 = 24;
const MSS_MASK: u32 = (1 << COUNT_SHIFT) - 1;
/// So long after the last cookie was sent acknowledgments are looked at for cookies.
const VALID: Duration = Duration::from_secs(120);

/// What an acknowledgment without a flow is to a listener.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CookieVerdict {
    /// A connection was made, or there was no room for it.
    Taken,
    /// It has no cookie of ours.
    Refused,
}

fn mss_table(peer: IpAddr) -> &'static [u16; 4] {
    if peer.is_ipv4() { &MSS_V4 } else { &MSS_V6 }
}

fn count(now: Instant) -> u32 {
    (now.as_nanos() / TICK.as_nanos() as u64) as u32
}

impl Stack {
    /// The cookie for a client's SYN, and the MSS that it says.
    fn make_cookie(&self, now: Instant, tuple: &FourTuple, sequence: u32, mss: u16) -> u32 {
        let table = mss_table(tuple.peer);
        let index = table.iter().rposition(|entry| *entry <= mss).unwrap_or(0) as u32;
        let count = count(now);
        let (flow, timed) = self.secrets.syn_cookie(tuple.local_addr(), tuple.peer_addr(), sequence, count);
        flow.wrapping_add(sequence)
            .wrapping_add(count << COUNT_SHIFT)
            .wrapping_add(timed.wrapping_add(index) & MSS_MASK)
    }

    /// The MSS that a cookie says; `None`: it is not ours, or too old. `sequence` is the client's first number.
    fn check_cookie(&self, now: Instant, tuple: &FourTuple, sequence: u32, cookie: u32) -> Option<u16> {
        let (local, peer) = (tuple.local_addr(), tuple.peer_addr());
        let now = count(now);
        let (flow, timed) = self.secrets.syn_cookie(local, peer, sequence, now);
        let rest = cookie.wrapping_sub(flow).wrapping_sub(sequence);
        let age = now.wrapping_sub(rest >> COUNT_SHIFT) & 0xff;
        let timed = match age {
            0 => timed,
            1..MAX_AGE => self.secrets.syn_cookie(local, peer, sequence, now.wrapping_sub(age)).1,
            _ => return None,
        };
        let index = rest.wrapping_sub(timed) & MSS_MASK;
        mss_table(tuple.peer).get(index as usize).copied()
    }

    /// Answer a SYN without remembering it.
    pub(crate) fn answer_with_cookie(
        &mut self,
        now: Instant,
        index: u32,
        tuple: FourTuple,
        arrival: &Arrival,
        syn: &Segment,
    ) {
        let Ok(way) = self.net.way_without_source(now, tuple.peer, arrival.pinned) else {
            self.counters.inc(no_routes(tuple.peer));
            return;
        };
        let open = Open {
            iss: self.make_cookie(now, &tuple, syn.header.sequence, syn.options.mss.unwrap_or(0)),
            ts_offset: self.secrets.timestamp_offset(tuple.local_addr(), tuple.peer_addr()),
            mtu_payload: mtu_payload(way.mtu, tuple.peer),
            family: family(tuple.peer),
        };
        let Some(kept) = self.listener_at(index).map(Listener::kept) else { return };
        let config = self.config_towards(now, tuple.peer, arrival.pinned, kept);
        let ids = self.ao_ids(index, syn);
        let signs = SignsAs::Handshake(index, Agreed { ids, iss: open.iss, irs: syn.header.sequence });
        let signed = self.signed_options(index, tuple.peer, ids);
        let Some(listener) = self.listener_at(index) else { return };
        let options = signed.as_ref().unwrap_or(&listener.options);
        let syn_ack = PassiveOpen::cookie_syn_ack(now, &config, options, syn, open);
        self.tcp.listeners.note_cookie(tuple.local_port, tuple.local, now);
        self.counters.inc(Counter::TcpExtSyncookiesSent);
        let back = (arrival.pinned, arrival.route.as_ref());
        self.reply_for(now, index, &tuple, back, without_ecn(arrival.tos), (syn_ack, signs));
    }

    /// An acknowledgment for a listener: does it show a cookie of ours?
    pub(crate) fn open_by_cookie(
        &mut self,
        now: Instant,
        index: u32,
        tuple: FourTuple,
        arrival: &Arrival,
        segment: &Segment,
    ) -> CookieVerdict {
        let sent = self.tcp.listeners.cookie_sent(tuple.local_port, tuple.local);
        if self.settings.ip.syncookies == 0 || sent.is_none_or(|sent| now > sent + VALID) {
            return CookieVerdict::Refused;
        }
        let cookie = segment.header.acknowledgment.wrapping_sub(1);
        let Some(mss) = self.check_cookie(now, &tuple, segment.header.sequence.wrapping_sub(1), cookie) else {
            self.counters.inc(Counter::TcpExtSyncookiesFailed);
            return CookieVerdict::Refused;
        };
        self.counters.inc(Counter::TcpExtSyncookiesRecv);
        let Ok(way) = self.net.way_without_source(now, tuple.peer, arrival.pinned) else {
            self.counters.inc(no_routes(tuple.peer));
            return CookieVerdict::Taken;
        };
        let open = Open {
            iss: cookie,
            ts_offset: self.secrets.timestamp_offset(tuple.local_addr(), tuple.peer_addr()),
            mtu_payload: mtu_payload(way.mtu, tuple.peer),
            family: family(tuple.peer),
        };
        let Some(generation) = self.sockets.generation(index) else { return CookieVerdict::Refused };
        let Some(listener) = self.listener_at(index) else { return CookieVerdict::Refused };
        let (kept, is_full) = (listener.kept(), listener.is_full());
        let ids = self.ao_ids(index, segment);
        let agreed = Agreed { ids, iss: cookie, irs: segment.header.sequence.wrapping_sub(1) };
        let options = self.signed_options(index, tuple.peer, ids).unwrap_or_else(|| listener.options.clone());
        let config = self.config_towards(now, tuple.peer, arrival.pinned, kept);
        let Some(passive) = PassiveOpen::from_cookie(now, &config, &options, segment, open, mss) else {
            return CookieVerdict::Refused;
        };
        if is_full || !self.has_room_for(Entry::Socket) {
            self.counters.inc(Counter::TcpExtListenOverflows);
            self.counters.inc(Counter::TcpExtListenDrops);
            return CookieVerdict::Taken;
        }
        let (connection, outcome) = passive.into_connection(now, config, options, segment.clone());
        let listener = SocketId { index, generation };
        // As Linux: the SYN is forgotten, what acknowledges the cookie stands for it; nothing is saved.
        let of_syn = OfSyn { tos: without_ecn(arrival.tos), saved: None };
        if let Some(child) = self.add_child(listener, tuple, arrival.pinned, connection, agreed, of_syn) {
            self.tcp.flows.set(&tuple, FlowRef::Connection(child), &self.sockets, &self.tcp.entries);
            self.settle(now, child, outcome);
        }
        CookieVerdict::Taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StackConfig;

    fn stack() -> Stack {
        Stack::new(StackConfig::new([3; 32]), Instant::ZERO)
    }

    fn tuple(peer: &str) -> FourTuple {
        let local = if peer.contains(':') { "fd00::1" } else { "10.0.0.1" };
        FourTuple { local: local.parse().unwrap(), peer: peer.parse().unwrap(), local_port: 80, peer_port: 40_000 }
    }

    #[test]
    fn a_cookie_says_the_largest_mss_of_its_table_that_the_client_takes() {
        let stack = stack();
        let now = Instant::from_secs(1_000);
        for (peer, announced, said) in [
            ("10.0.0.2", 0, 536),
            ("10.0.0.2", 536, 536),
            ("10.0.0.2", 1_299, 536),
            ("10.0.0.2", 1_300, 1_300),
            ("10.0.0.2", 1_459, 1_440),
            ("10.0.0.2", 1_460, 1_460),
            ("10.0.0.2", 65_535, 1_460),
            ("fd00::2", 0, 1_220),
            ("fd00::2", 1_440, 1_440),
            ("fd00::2", 65_535, 8_940),
        ] {
            for sequence in [0, 1, 0x7fff_ffff, u32::MAX] {
                let cookie = stack.make_cookie(now, &tuple(peer), sequence, announced);
                assert_eq!(stack.check_cookie(now, &tuple(peer), sequence, cookie), Some(said), "{peer} {announced}");
            }
        }
    }

    #[test]
    fn a_cookie_is_good_in_its_minute_and_the_next_also_where_the_counter_wraps() {
        let stack = stack();
        // Eight bits of minutes wrap at 256.
        for minute in [0, 5, 254, 255, 256, 511] {
            let made = Instant::from_secs(minute * 60 + 59);
            let cookie = stack.make_cookie(made, &tuple("10.0.0.2"), 77, 1_460);
            let check =
                |later: u64| stack.check_cookie(made + Duration::from_secs(later), &tuple("10.0.0.2"), 77, cookie);
            assert_eq!(check(0), Some(1_460), "minute {minute}");
            assert_eq!(check(60), Some(1_460), "minute {minute}");
            assert_eq!(check(61), None, "minute {minute}: too old");
            assert_eq!(check(250 * 60), None, "minute {minute}: much too old");
        }
        // Older than the counter can tell: the keyed number of the time refuses it.
        let made = Instant::from_secs(60);
        let cookie = stack.make_cookie(made, &tuple("10.0.0.2"), 77, 1_460);
        assert_eq!(stack.check_cookie(made + Duration::from_secs(256 * 60), &tuple("10.0.0.2"), 77, cookie), None);
    }

    #[test]
    fn a_cookie_is_good_for_its_flow_and_its_sequence_number_only() {
        let stack = stack();
        let now = Instant::from_secs(1_000);
        let flow = tuple("10.0.0.2");
        let cookie = stack.make_cookie(now, &flow, 77, 1_460);
        for other in [
            FourTuple { peer_port: 40_001, ..flow },
            FourTuple { local_port: 81, ..flow },
            FourTuple { peer: "10.0.0.3".parse().unwrap(), ..flow },
        ] {
            assert_eq!(stack.check_cookie(now, &other, 77, cookie), None);
        }
        assert_eq!(stack.check_cookie(now, &flow, 78, cookie), None);
        assert_eq!(stack.check_cookie(now, &flow, 77, cookie.wrapping_add(1 << 24)), None);
        let other = Stack::new(StackConfig::new([4; 32]), Instant::ZERO);
        assert_eq!(other.check_cookie(now, &flow, 77, cookie), None);
    }

    #[test]
    fn guessing_finds_no_cookie_in_a_million_tries() {
        let mut stack = stack();
        let now = Instant::from_secs(1_000);
        let flow = tuple("10.0.0.2");
        // Eight of 2^32 are good: a million tries find one with a probability of 1 : 500.
        let found = (0..1_000_000).filter(|_| {
            let guess = stack.secrets.random_u64() as u32;
            stack.check_cookie(now, &flow, 77, guess).is_some()
        });
        assert!(found.count() <= 1);
    }
}
