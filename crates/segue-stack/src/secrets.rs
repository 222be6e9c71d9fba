//! Everything that must not be guessed from outside, drawn from one 32-byte seed.
//!
//! Decides initial sequence numbers (RFC 9293 3.4.1, RFC 6528), timestamp offsets (RFC 7323 7.1), the keys of hash
//! maps, flow hashes, and random numbers. It reads no randomness of its own: the same seed gives the same stack.
//! Invariants: every use has its own key, so that what one shows (a sequence number on the wire) says nothing about
//! another; every function of a four-tuple is the same at every call.
use core::hash::{BuildHasher, Hasher};
use core::net::{IpAddr, SocketAddr};

use segue_wire::Instant;
use siphasher::sip::{SipHasher13, SipHasher24};

/// What a key is for.
#[derive(Clone, Copy)]
enum Use {
    Sequence = 1,
    TimestampOffset = 2,
    FlowHash = 3,
    Maps = 4,
    Random = 5,
    SynCookie = 6,
    SynCookieMss = 7,
    FlowLabel = 8,
}

/// A 128-bit SipHash key.
#[derive(Clone, Copy)]
struct Key(u64, u64);

impl Key {
    /// One key per use. Both halves depend on the whole seed.
    fn derive(seed: &[u8; 32], purpose: Use) -> Key {
        let (low, high) = seed.split_at(16);
        let half = |key: &[u8], message: &[u8]| {
            let (k0, k1) = (read_u64(key, 0), read_u64(key, 8));
            let mut hasher = SipHasher24::new_with_keys(k0, k1);
            hasher.write(message);
            hasher.write_u64(purpose as u64);
            hasher.finish()
        };
        Key(half(low, high), half(high, low))
    }

    fn hash(self, message: &[u8]) -> u64 {
        SipHasher24::new_with_keys(self.0, self.1).hash(message)
    }
}

fn read_u64(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

/// The keys of one stack.
#[derive(Clone)]
pub(crate) struct Secrets {
    sequence: Key,
    timestamp_offset: Key,
    flow_hash: Key,
    flow_label: Key,
    maps: Key,
    syn_cookie: [Key; 2],
    random: Random,
}

impl core::fmt::Debug for Secrets {
    /// Shows nothing: a key in a log is a key lost.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secrets(..)")
    }
}

impl Secrets {
    /// Keys from a seed; the same seed gives the same keys. For anything that meets a real network the seed must come
    /// from the system's random source.
    pub(crate) fn from_seed(seed: &[u8; 32]) -> Secrets {
        Secrets {
            sequence: Key::derive(seed, Use::Sequence),
            timestamp_offset: Key::derive(seed, Use::TimestampOffset),
            flow_hash: Key::derive(seed, Use::FlowHash),
            flow_label: Key::derive(seed, Use::FlowLabel),
            maps: Key::derive(seed, Use::Maps),
            syn_cookie: [Key::derive(seed, Use::SynCookie), Key::derive(seed, Use::SynCookieMss)],
            random: Random { key: Key::derive(seed, Use::Random), counter: 0 },
        }
    }

    /// The initial sequence number of a connection opened `now`.
    pub(crate) fn initial_sequence(&self, now: Instant, local: SocketAddr, remote: SocketAddr) -> u32 {
        // RFC 9293 3.4.1: ISN = M + F(four-tuple, secret), M a clock that ticks every 4 microseconds.
        // So it grows from one connection of a four-tuple to its next, and tells nothing about any other.
        let clock = (now.as_nanos() / 4_000) as u32;
        clock.wrapping_add(self.sequence.hash(&tuple(local, remote)) as u32)
    }

    /// What this connection's timestamp values are ahead of the stack's clock (`tcp_timestamps` = 1).
    pub(crate) fn timestamp_offset(&self, local: SocketAddr, remote: SocketAddr) -> u32 {
        // RFC 7323 7.1: a random offset per connection hides the up-time. Constant per four-tuple, so that timestamps
        // stay monotone across connections that follow each other (RFC 6191 relies on it).
        self.timestamp_offset.hash(&tuple(local, remote)) as u32
    }

    /// A keyed hash of the four-tuple that spreads flows (listener groups, shards).
    pub(crate) fn flow_hash(&self, local: SocketAddr, remote: SocketAddr) -> u64 {
        self.flow_hash.hash(&tuple(local, remote))
    }

    /// A number for the flow label of a four-tuple (RFC 6437), another one at each of its `turns`.
    pub(crate) fn flow_label(&self, local: SocketAddr, remote: SocketAddr, turns: u16) -> u32 {
        let mut message = [0; 38];
        message[..36].copy_from_slice(&tuple(local, remote));
        message[36..].copy_from_slice(&turns.to_le_bytes());
        self.flow_label.hash(&message) as u32
    }

    /// The secrets of a SYN cookie: a number for the flow, and one for the client's sequence number at a time.
    pub(crate) fn syn_cookie(&self, local: SocketAddr, remote: SocketAddr, sequence: u32, count: u32) -> (u32, u32) {
        let mut message = [0; 44];
        message[..36].copy_from_slice(&tuple(local, remote));
        let flow = self.syn_cookie[0].hash(&message[..36]) as u32;
        message[36..40].copy_from_slice(&sequence.to_le_bytes());
        message[40..].copy_from_slice(&count.to_le_bytes());
        (flow, self.syn_cookie[1].hash(&message) as u32)
    }

    /// The hasher of every map whose keys a stranger can choose.
    pub(crate) fn build_hasher(&self) -> KeyedState {
        KeyedState { key: self.maps }
    }

    /// An unpredictable number, another one at every call.
    pub(crate) fn random_u64(&mut self) -> u64 {
        self.random.next_u64()
    }

    /// A generator of its own for one part of the stack.
    pub(crate) fn fork_random(&mut self) -> Random {
        Random { key: Key(self.random.next_u64(), self.random.next_u64()), counter: 0 }
    }
}

/// Numbers nobody outside can foresee: SipHash-2-4 of a counter under a secret key.
#[derive(Clone)]
pub(crate) struct Random {
    key: Key,
    counter: u64,
}

impl core::fmt::Debug for Random {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Random(..)")
    }
}

impl Random {
    /// The next number.
    pub(crate) fn next_u64(&mut self) -> u64 {
        self.counter = self.counter.wrapping_add(1);
        self.key.hash(&self.counter.to_le_bytes())
    }

    /// The next number below `bound`; 0 when `bound` is 0. Its bias is below 2⁻³².
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        (((self.next_u64() as u128) * u128::from(bound)) >> 64) as u32
    }
}

/// Builds SipHash-1-3 hashers under one of the stack's keys, for hash maps. A map's hash is never shown to anybody,
/// so the shorter variant withstands flooding.
#[derive(Clone)]
pub(crate) struct KeyedState {
    key: Key,
}

impl core::fmt::Debug for KeyedState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("KeyedState(..)")
    }
}

impl BuildHasher for KeyedState {
    type Hasher = SipHasher13;

    #[inline]
    fn build_hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.key.0, self.key.1)
    }
}

/// Addresses and ports as hash input. IPv4 is written as v4-mapped, so both families have one fixed length.
fn tuple(local: SocketAddr, remote: SocketAddr) -> [u8; 36] {
    let mut bytes = [0; 36];
    bytes[..16].copy_from_slice(&address_bytes(local.ip()));
    bytes[16..32].copy_from_slice(&address_bytes(remote.ip()));
    bytes[32..34].copy_from_slice(&local.port().to_be_bytes());
    bytes[34..].copy_from_slice(&remote.port().to_be_bytes());
    bytes
}

fn address_bytes(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(a) => a.to_ipv6_mapped().octets(),
        IpAddr::V6(a) => a.octets(),
    }
}

/// Chooses ephemeral ports by double hashing (RFC 6056 3.3.4, algorithm 4), with Linux's rule of parity: connections
/// take ports of the parity of the range's lower end first, binding to port 0 takes the other parity first, so that
/// neither uses up what the other needs.
pub(crate) struct PortChooser {
    offset: Key,
    index: Key,
    random: Random,
    /// How far the sequence of each group of destinations has got.
    perturb: Box<[u32; PERTURB]>,
}

impl core::fmt::Debug for PortChooser {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("PortChooser(..)")
    }
}

/// Groups of destinations with a sequence of their own. With few groups an observer with many addresses learns which
/// destinations share one, and with that recognises a machine; 4096 cost 16 KiB.
const PERTURB: usize = 4096;

impl PortChooser {
    /// A chooser under the stack's keys.
    pub(crate) fn new(secrets: &mut Secrets) -> PortChooser {
        let mut random = secrets.fork_random();
        let mut perturb = Box::new([0; PERTURB]);
        perturb.fill_with(|| random.next_u64() as u32);
        let offset = Key(random.next_u64(), random.next_u64());
        let index = Key(random.next_u64(), random.next_u64());
        PortChooser { offset, index, random, perturb }
    }

    /// A local port for a connection from `local` to `remote`, out of `range` (both ends included); `usable` says
    /// whether a candidate is free for this connection. `None`: every port of the range is taken (`EADDRNOTAVAIL`),
    /// after asking for each port once. As Linux: in a range that the socket has named itself (`is_own`) ports of both
    /// parities are alike.
    pub(crate) fn for_connect(
        &mut self,
        (range, is_own): ((u16, u16), bool),
        local: IpAddr,
        remote: SocketAddr,
        usable: impl FnMut(u16) -> bool,
    ) -> Option<u16> {
        // The local port is what is looked for, so it is no part of the hashed tuple.
        let key = tuple(SocketAddr::new(local, 0), remote);
        let group = self.index.hash(&key) as usize % PERTURB;
        let start = (self.offset.hash(&key) as u32).wrapping_add(self.perturb[group]);
        let (parity, width) = if is_own { (Parity::Both, 1) } else { (Parity::OfLowEnd, 2) };
        let (port, tried) = search(range, start, parity, usable)?;
        // A random step at least as far as the search went: the next port of this group is not foretold by this one.
        let step = tried.max(self.random.below(8) * width) + width;
        self.perturb[group] = self.perturb[group].wrapping_add(step);
        Some(port)
    }

    /// A port for a socket bound to port 0; `None`: every port of the range is taken (`EADDRINUSE`). `shares`: it has
    /// `SO_REUSEADDR`, and as on Linux such sockets take from the lower half of the range while that lasts.
    pub(crate) fn for_bind(
        &mut self,
        range: (u16, u16),
        shares: bool,
        mut usable: impl FnMut(u16) -> bool,
    ) -> Option<u16> {
        let start = self.random.next_u64() as u32;
        let (low, high) = range;
        // An even number of ports, so that both halves have both parities.
        let half = (u32::from(high).saturating_sub(low.into()) + 1) / 4 * 2;
        let halves = match u16::try_from(half) {
            Ok(half @ 1..) if shares => [Some((low, low + half - 1)), Some((low + half, high))],
            _ => [Some(range), None],
        };
        halves
            .into_iter()
            .flatten()
            .find_map(|half| search(half, start, Parity::Other, &mut usable).map(|(port, _)| port))
    }
}

#[derive(Clone, Copy)]
enum Parity {
    OfLowEnd,
    Other,
    /// No parity comes first.
    Both,
}

/// Goes once round the range from `start`, first over one parity, then over the other. Returns the port and how far
/// from the start it was.
fn search(range: (u16, u16), start: u32, first: Parity, mut usable: impl FnMut(u16) -> bool) -> Option<(u16, u32)> {
    let (low, high) = range;
    let count = u32::from(high).checked_sub(u32::from(low))? + 1;
    if matches!(first, Parity::Both) {
        let mut offsets = (0..count).map(|step| (step, low + ((start % count + step) % count) as u16));
        return offsets.find(|(_, port)| usable(*port)).map(|(step, port)| (port, step));
    }
    let odd_first = u32::from(matches!(first, Parity::Other));
    for parity in [odd_first, 1 - odd_first] {
        // Offsets parity, parity + 2, … below count.
        let of_parity = (count + 1 - parity) / 2;
        for step in 0..of_parity {
            let offset = parity + (start / 2 % of_parity + step) % of_parity * 2;
            let port = low + offset as u16;
            if usable(port) {
                return Some((port, step * 2));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn secrets(byte: u8) -> Secrets {
        Secrets::from_seed(&[byte; 32])
    }

    #[test]
    fn siphash_gives_the_value_its_authors_publish() {
        // The SipHash paper, appendix A: key 00..0f, message 00..0e.
        let key = Key(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
        let message: Vec<u8> = (0..15).collect();
        assert_eq!(key.hash(&message), 0xa129_ca61_49be_45e5);
    }

    #[test]
    fn the_initial_sequence_number_moves_with_the_clock_by_one_every_four_microseconds() {
        let s = secrets(1);
        let (a, b) = (addr("10.0.0.1:40000"), addr("10.0.0.2:80"));
        let first = s.initial_sequence(Instant::ZERO, a, b);
        assert_eq!(s.initial_sequence(Instant::ZERO + Duration::from_nanos(3_999), a, b), first);
        let second_later = s.initial_sequence(Instant::ZERO + Duration::from_secs(1), a, b);
        assert_eq!(second_later.wrapping_sub(first), 250_000);
        // The clock wraps after 4.77 hours and goes on.
        let late = s.initial_sequence(Instant::ZERO + Duration::from_secs(100_000), a, b);
        assert_eq!(late.wrapping_sub(first), (25_000_000_000u64 % (1 << 32)) as u32);
    }

    #[test]
    fn every_part_of_the_four_tuple_and_the_seed_changes_the_numbers() {
        let s = secrets(1);
        let (a, b) = (addr("10.0.0.1:40000"), addr("10.0.0.2:80"));
        let numbers = |s: &Secrets, a, b| {
            [u64::from(s.initial_sequence(Instant::ZERO, a, b)), u64::from(s.timestamp_offset(a, b)), s.flow_hash(a, b)]
        };
        let here = numbers(&s, a, b);
        for other in [
            numbers(&s, addr("10.0.0.3:40000"), b),
            numbers(&s, addr("10.0.0.1:40001"), b),
            numbers(&s, a, addr("10.0.0.3:80")),
            numbers(&s, a, addr("10.0.0.2:81")),
            numbers(&s, b, a),
            numbers(&s, addr("[fd00::1]:40000"), addr("[fd00::2]:80")),
            numbers(&secrets(2), a, b),
        ] {
            assert!(here.iter().zip(other).all(|(x, y)| *x != y));
        }
        assert_eq!(here, numbers(&secrets(1), a, b), "the same seed gives the same stack");
        assert_ne!(here[0], here[1], "uses do not share a key");
        assert_ne!(here[0] as u32, here[2] as u32, "uses do not share a key");
    }

    #[test]
    fn each_half_of_the_seed_matters() {
        let mut seed = [0; 32];
        let base = Secrets::from_seed(&seed).build_hasher().hash_one(1u32);
        seed[31] = 1;
        assert_ne!(Secrets::from_seed(&seed).build_hasher().hash_one(1u32), base);
        seed[31] = 0;
        seed[0] = 1;
        assert_ne!(Secrets::from_seed(&seed).build_hasher().hash_one(1u32), base);
    }

    #[test]
    fn random_numbers_differ_and_stay_below_their_bound() {
        let mut s = secrets(3);
        let numbers: HashSet<u64> = (0..1000).map(|_| s.random_u64()).collect();
        assert_eq!(numbers.len(), 1000);
        let mut random = s.fork_random();
        let dice: Vec<u32> = (0..6000).map(|_| random.below(6)).collect();
        for face in 0..6 {
            let n = dice.iter().filter(|d| **d == face).count();
            assert!((800..1200).contains(&n), "face {face} came {n} times of 6000");
        }
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn a_secret_does_not_show_itself_in_a_log() {
        assert_eq!(format!("{:?}", secrets(7)), "Secrets(..)");
    }

    const LINUX_RANGE: (u16, u16) = (32768, 60999);

    fn chooser() -> PortChooser {
        PortChooser::new(&mut secrets(9))
    }

    #[test]
    fn connections_take_even_ports_and_binds_odd_ones_while_both_last() {
        let mut ports = chooser();
        let local = addr("10.0.0.1:0").ip();
        for n in 0..1000u32 {
            let remote = SocketAddr::new(IpAddr::V4((0x0a00_0200 + n).into()), 443);
            assert_eq!(ports.for_connect((LINUX_RANGE, false), local, remote, |_| true).unwrap() % 2, 0);
            assert_eq!(ports.for_bind(LINUX_RANGE, false, |_| true).unwrap() % 2, 1);
        }
    }

    #[test]
    fn in_a_range_of_its_own_a_socket_takes_ports_of_both_parities() {
        let mut ports = chooser();
        let local = addr("10.0.0.1:0").ip();
        let mut take = |n: u32| {
            let remote = SocketAddr::new(IpAddr::V4((0x0a00_0200 + n).into()), 443);
            ports.for_connect(((40000, 40099), true), local, remote, |_| true).unwrap()
        };
        let odd = (0..1000).filter(|n| take(*n) % 2 == 1).count();
        assert!((400..600).contains(&odd), "{odd} of 1000");
    }

    #[test]
    fn sockets_that_share_take_from_the_lower_half_while_that_lasts() {
        let mut ports = chooser();
        for _ in 0..200 {
            assert!(ports.for_bind((40000, 40099), true, |_| true).unwrap() < 40050);
        }
        assert!(ports.for_bind((40000, 40099), true, |port| port >= 40050).unwrap() >= 40050);
        assert_eq!(ports.for_bind((40000, 40000), true, |_| true), Some(40000));
    }

    #[test]
    fn successive_connections_to_one_place_use_different_ports() {
        let mut ports = chooser();
        let (local, remote) = (addr("10.0.0.1:0").ip(), addr("10.0.0.2:80"));
        let chosen: Vec<u16> =
            (0..1000).map(|_| ports.for_connect((LINUX_RANGE, false), local, remote, |_| true).unwrap()).collect();
        assert!(chosen.windows(2).all(|pair| pair[0] != pair[1]));
        // Steps vary: an observer of one port does not know the next.
        let steps: HashSet<u16> = chosen.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
        assert!(steps.len() >= 4, "steps seen: {steps:?}");
        // Other destinations do not follow on.
        let elsewhere = ports.for_connect((LINUX_RANGE, false), local, addr("10.0.0.3:80"), |_| true).unwrap();
        assert!(elsewhere.abs_diff(*chosen.last().unwrap()) > 16);
    }

    #[test]
    fn the_last_free_port_is_found_and_a_full_range_says_so() {
        let mut ports = chooser();
        let (local, remote) = (addr("10.0.0.1:0").ip(), addr("10.0.0.2:80"));
        for free in [32768, 32769, 60998, 60999, 45001] {
            assert_eq!(ports.for_connect((LINUX_RANGE, false), local, remote, |p| p == free), Some(free));
            assert_eq!(ports.for_bind(LINUX_RANGE, false, |p| p == free), Some(free));
        }
        assert_eq!(ports.for_connect((LINUX_RANGE, false), local, remote, |_| false), None);
        assert_eq!(ports.for_bind(LINUX_RANGE, false, |_| false), None);
    }

    proptest! {
        #[test]
        fn every_port_of_a_range_is_asked_for_exactly_once(low in any::<u16>(), span in 0u16..300, seed in any::<u8>(), is_own in any::<bool>()) {
            let high = low.saturating_add(span);
            let mut ports = PortChooser::new(&mut secrets(seed));
            let mut asked = Vec::new();
            ports.for_connect(((low, high), is_own), addr("[::1]:0").ip(), addr("[::1]:1"), |p| { asked.push(p); false });
            let mut sorted = asked.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (low..=high).collect::<Vec<_>>());
            asked.clear();
            ports.for_bind((low, high), is_own, |p| { asked.push(p); false });
            asked.sort_unstable();
            prop_assert_eq!(asked, (low..=high).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_empty_range_has_no_port() {
        assert_eq!(chooser().for_bind((2000, 1000), false, |_| true), None);
    }
}
