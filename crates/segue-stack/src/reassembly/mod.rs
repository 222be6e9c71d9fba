//! Putting IP fragments together again, within limits (RFC 791 3.2, RFC 8200 4.5, RFC 5722, RFC 6946, RFC 3168 5.3).
//!
//! Decides which fragments belong together, how much may wait and for how long, and what the whole packet looks like.
//! It does not answer anybody: what deserves an ICMP error is in the outcome.
//! Invariants: the bytes held (pieces, and a charge for the bookkeeping of each) never exceed the family's limit; what
//! is held is let go at its deadline at the latest; every fragment is kept, given back or counted as dropped.
use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeMap;

use bytes::Bytes;
use hashbrown::HashMap;
use segue_wire::ipv6::Chain;
use segue_wire::{Chunks, Instant, Ipv4Header, Ipv6Header, Packet};

use crate::counters::{Counter, Counters};
use crate::route::IfaceId;
use crate::secrets::KeyedState;

mod pieces;
mod rebuild;
#[cfg(test)]
mod tests;

use pieces::{Added, Pieces, Repetition};

/// Charged against the limit per datagram, besides its bytes.
const DATAGRAM_CHARGE: usize = 256;
/// Charged against the limit per fragment, besides its bytes: many tiny fragments must not cost more than they count.
const FRAGMENT_CHARGE: usize = 128;
/// Shorter fragments are copied, so that a few kept bytes do not hold a whole receive buffer in memory.
const COPY_BREAK: usize = 2048;

/// Limits of one family of a [`Reassembler`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FamilyLimits {
    /// Bytes that may be held (`ipfrag_high_thresh`, `ip6frag_high_thresh`). Default 4 MiB.
    pub(crate) high_thresh: usize,
    /// Datagrams that may wait. Default 4096.
    pub(crate) max_datagrams: usize,
    /// How long a datagram may wait, from its first fragment on (`ipfrag_time` 30 s, `ip6frag_time` 60 s).
    pub(crate) timeout: Duration,
}

/// Limits of a [`Reassembler`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReassemblyConfig {
    /// For IPv4.
    pub(crate) v4: FamilyLimits,
    /// For IPv6.
    pub(crate) v6: FamilyLimits,
}

impl Default for ReassemblyConfig {
    fn default() -> Self {
        let limits =
            |seconds| FamilyLimits { high_thresh: 4 << 20, max_datagrams: 4096, timeout: Duration::from_secs(seconds) };
        ReassemblyConfig { v4: limits(30), v6: limits(60) }
    }
}

impl From<&crate::sysctl::IpSettings> for ReassemblyConfig {
    fn from(ip: &crate::sysctl::IpSettings) -> Self {
        let mut config = ReassemblyConfig::default();
        config.v4.high_thresh = ip.ipfrag_high_thresh as usize;
        config.v4.timeout = ip.ipfrag_time;
        config.v6.high_thresh = ip.ip6frag_high_thresh as usize;
        config.v6.timeout = ip.ip6frag_time;
        config
    }
}

/// What became of a fragment.
#[must_use]
#[derive(Debug)]
pub(crate) enum Reassembled {
    /// Kept; others are missing. Or it repeated one that is kept.
    Pending,
    /// The last missing piece: the whole packet, without fragment header, lengths and checksum as if never cut; and
    /// bytes of the largest fragment, headers and all.
    Complete { packet: Packet, largest: u32 },
    /// Refused, for this reason; the counters have it.
    Dropped(FragmentDrop),
}

/// Why a fragment was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub(crate) enum FragmentDrop {
    /// It is no fragment, or shorter than its headers say.
    Malformed,
    /// Not the last one, and its length is no multiple of 8. IPv6 answers with a parameter problem.
    Tiny,
    /// The datagram would exceed 65535 bytes. IPv6 answers with a parameter problem.
    TooLong,
    /// It overlaps others, contradicts the end of the datagram, or mixes ECN with none; the whole datagram is given up.
    Contradiction,
    /// No room, even after giving up every other datagram.
    Limit,
}

/// A datagram whose pieces did not all come in time.
#[derive(Debug)]
pub(crate) struct Expired {
    /// Where its fragments came in.
    pub(crate) iface: IfaceId,
    /// The first fragment (offset 0) as it had come, if it had: to be quoted in ICMP time exceeded, code 1
    /// (RFC 792, RFC 4443 3.3). Without it no error is sent.
    pub(crate) first_fragment: Option<Packet>,
}

/// What makes fragments belong together. `iface` keeps datagrams of different links apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    identification: u32,
    /// Part of the key in IPv4 only; in IPv6 it is 0.
    protocol: u8,
    iface: IfaceId,
}

/// What is known of one fragment before its datagram is looked up.
struct Fragment {
    key: Key,
    start: u32,
    last: bool,
    ecn_bits: u8,
    /// Bytes of the headers that the whole packet will have.
    headers_after: usize,
    /// The headers as they came, when this is the first fragment.
    headers: Option<Bytes>,
    data: Chunks,
    /// Bytes of the whole fragment, headers and all.
    size: u32,
}

#[derive(Debug)]
struct Datagram {
    pieces: Pieces,
    /// The headers of the first fragment as they came.
    headers: Option<Bytes>,
    /// One bit per ECN codepoint seen.
    ecn_seen: u8,
    largest: u32,
    charge: usize,
    deadline: Instant,
    serial: u64,
}

/// All half-assembled datagrams of one family.
#[derive(Debug)]
struct Family {
    datagrams: HashMap<Key, Datagram, KeyedState>,
    /// By deadline; the serial number tells equal ones apart.
    order: BTreeMap<(Instant, u64), Key>,
    bytes: usize,
    serial: u64,
    repetition: Repetition,
    limits: FamilyLimits,
}

/// All half-assembled datagrams of a stack.
#[derive(Debug)]
pub(crate) struct Reassembler {
    v4: Family,
    v6: Family,
}

impl Reassembler {
    /// An empty reassembler; `hasher` is keyed with the stack's secret.
    pub(crate) fn new(config: ReassemblyConfig, hasher: KeyedState) -> Self {
        Reassembler {
            v4: Family::new(config.v4, Repetition::Contained, hasher.clone()),
            v6: Family::new(config.v6, Repetition::Exact, hasher),
        }
    }

    /// Bytes of places that are held.
    pub(crate) fn room(&self) -> usize {
        self.v4.datagrams.allocation_size() + self.v6.datagrams.allocation_size()
    }

    /// Changes the limits. What exceeds lower ones goes when the next fragment comes; deadlines given stay.
    pub(crate) fn configure(&mut self, config: ReassemblyConfig) {
        self.v4.limits = config.v4;
        self.v6.limits = config.v6;
    }

    /// Takes an IPv4 fragment: `header` of `header_len` bytes is the parsed front of `packet`.
    pub(crate) fn on_fragment_v4(
        &mut self,
        now: Instant,
        iface: IfaceId,
        header: &Ipv4Header,
        header_len: usize,
        packet: Packet,
        counters: &mut Counters,
    ) -> Reassembled {
        counters.inc(Counter::IpReasmReqds);
        let outcome = match rebuild::fragment_v4(iface, header, header_len, packet) {
            Ok(fragment) => self.v4.add(now, fragment, counters, Counter::IpReasmFails),
            Err(reason) => Outcome::Dropped(reason),
        };
        match outcome {
            Outcome::Pending => Reassembled::Pending,
            Outcome::Whole { headers, ecn, payload, largest } => match rebuild::packet_v4(&headers, ecn, payload) {
                Some(packet) => {
                    counters.inc(Counter::IpReasmOKs);
                    Reassembled::Complete { packet, largest }
                }
                None => self.refuse(FragmentDrop::Malformed, counters, Counter::IpReasmFails),
            },
            Outcome::Dropped(reason) => {
                if reason == FragmentDrop::Contradiction {
                    counters.inc(Counter::IpExtReasmOverlaps);
                }
                self.refuse(reason, counters, Counter::IpReasmFails)
            }
        }
    }

    /// Takes an IPv6 fragment: `header` and `chain` are the parsed headers of `packet`. An atomic fragment (RFC 6946)
    /// is complete at once and does not meet others.
    pub(crate) fn on_fragment_v6(
        &mut self,
        now: Instant,
        iface: IfaceId,
        header: &Ipv6Header,
        chain: &Chain,
        packet: Packet,
        counters: &mut Counters,
    ) -> Reassembled {
        counters.inc(Counter::Ip6ReasmReqds);
        let outcome = match rebuild::fragment_v6(iface, header, chain, packet) {
            Ok(Fragment { start: 0, last: true, headers: Some(headers), data, size, .. }) => {
                Outcome::Whole { headers, ecn: None, payload: data, largest: size }
            }
            Ok(fragment) => self.v6.add(now, fragment, counters, Counter::Ip6ReasmFails),
            Err(reason) => Outcome::Dropped(reason),
        };
        match outcome {
            Outcome::Pending => Reassembled::Pending,
            Outcome::Whole { headers, ecn, payload, largest } => match rebuild::packet_v6(&headers, ecn, payload) {
                Some(packet) => {
                    counters.inc(Counter::Ip6ReasmOKs);
                    Reassembled::Complete { packet, largest }
                }
                None => self.refuse(FragmentDrop::Malformed, counters, Counter::Ip6ReasmFails),
            },
            Outcome::Dropped(reason) => self.refuse(reason, counters, Counter::Ip6ReasmFails),
        }
    }

    fn refuse(&self, reason: FragmentDrop, counters: &mut Counters, fails: Counter) -> Reassembled {
        counters.inc(fails);
        counters.inc(match reason {
            FragmentDrop::Malformed => Counter::SegueFragmentMalformed,
            FragmentDrop::Tiny => Counter::SegueFragmentTiny,
            FragmentDrop::TooLong => Counter::SegueFragmentTooLong,
            FragmentDrop::Contradiction => Counter::SegueFragmentOverlap,
            FragmentDrop::Limit => Counter::SegueFragmentLimit,
        });
        Reassembled::Dropped(reason)
    }

    /// When [`poll_expired`](Self::poll_expired) has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        [&self.v4, &self.v6].into_iter().filter_map(Family::next_deadline).min()
    }

    /// Gives up one datagram whose time is over. Call until `None`.
    pub(crate) fn poll_expired(&mut self, now: Instant, counters: &mut Counters) -> Option<Expired> {
        for (family, timeout, fails) in [
            (&mut self.v4, Counter::IpReasmTimeout, Counter::IpReasmFails),
            (&mut self.v6, Counter::Ip6ReasmTimeout, Counter::Ip6ReasmFails),
        ] {
            if family.next_deadline().is_some_and(|deadline| deadline <= now)
                && let Some((key, datagram)) = family.remove_oldest(None)
            {
                counters.inc(timeout);
                counters.inc(fails);
                let first_fragment = datagram.headers.zip(datagram.pieces.front().cloned());
                let first_fragment = first_fragment.map(|(headers, data)| rebuild::as_it_came(&headers, data));
                return Some(Expired { iface: key.iface, first_fragment });
            }
        }
        None
    }

    /// Bytes held, charges for bookkeeping included.
    pub(crate) fn memory(&self) -> usize {
        self.v4.bytes + self.v6.bytes
    }

    /// Datagrams that wait for fragments.
    pub(crate) fn len(&self) -> usize {
        self.v4.datagrams.len() + self.v6.datagrams.len()
    }

    /// Whether nothing waits.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What a family answers for one fragment.
enum Outcome {
    Pending,
    Whole { headers: Bytes, ecn: Option<u8>, payload: Chunks, largest: u32 },
    Dropped(FragmentDrop),
}

impl Family {
    fn new(limits: FamilyLimits, repetition: Repetition, hasher: KeyedState) -> Self {
        Family {
            datagrams: HashMap::with_hasher(hasher),
            order: BTreeMap::new(),
            bytes: 0,
            serial: 0,
            repetition,
            limits,
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.order.first_key_value().map(|((deadline, _), _)| *deadline)
    }

    fn add(&mut self, now: Instant, fragment: Fragment, counters: &mut Counters, fails: Counter) -> Outcome {
        let key = fragment.key;
        let known = self.datagrams.contains_key(&key);
        // RFC 791 and RFC 8200: the whole packet must fit a 16-bit length.
        if fragment.headers_after + fragment.start as usize + fragment.data.len() > 65_535 {
            self.remove(key);
            return Outcome::Dropped(FragmentDrop::TooLong);
        }
        let charge = fragment.data.len() + FRAGMENT_CHARGE + if known { 0 } else { DATAGRAM_CHARGE };
        if !self.make_room(key, charge, known, counters, fails) {
            return Outcome::Dropped(FragmentDrop::Limit);
        }
        let repetition = self.repetition;
        let data = own_if_short(fragment.data);
        let added = self.datagram(now, key).pieces.add(fragment.start, data, fragment.last, repetition);
        if matches!(added, Added::Incomplete | Added::Complete) {
            self.keep(key, charge, (fragment.ecn_bits, fragment.size), fragment.headers);
        }
        match added {
            Added::Incomplete | Added::Repeated => Outcome::Pending,
            // RFC 5722: an overlap may be an attempt to show a filter other bytes than the host. None of them is used.
            Added::Contradiction => {
                self.remove(key);
                Outcome::Dropped(FragmentDrop::Contradiction)
            }
            Added::Complete => self.finish(key, fragment.headers_after),
        }
    }

    fn datagram(&mut self, now: Instant, key: Key) -> &mut Datagram {
        let Family { datagrams, order, serial, limits, .. } = self;
        datagrams.entry(key).or_insert_with(|| {
            *serial += 1;
            let deadline = now + limits.timeout;
            order.insert((deadline, *serial), key);
            let (ecn_seen, largest, charge) = (0, 0, 0);
            Datagram { pieces: Pieces::default(), headers: None, ecn_seen, largest, charge, deadline, serial: *serial }
        })
    }

    fn keep(&mut self, key: Key, charge: usize, (ecn_bits, size): (u8, u32), headers: Option<Bytes>) {
        if let Some(datagram) = self.datagrams.get_mut(&key) {
            datagram.charge += charge;
            datagram.ecn_seen |= ecn_bits;
            datagram.largest = datagram.largest.max(size);
            datagram.headers = headers.or(datagram.headers.take());
            self.bytes += charge;
        }
    }

    fn finish(&mut self, key: Key, headers_after: usize) -> Outcome {
        let Some(datagram) = self.remove(key) else {
            return Outcome::Dropped(FragmentDrop::Malformed);
        };
        // Every byte is there, so the first fragment is.
        let Some(headers) = datagram.headers else {
            return Outcome::Dropped(FragmentDrop::Malformed);
        };
        // The first fragment's headers may be longer than those of the one that came last.
        let headers_after = headers_after.max(rebuild::headers_after(&headers));
        if headers_after + datagram.pieces.highest() as usize > 65_535 {
            return Outcome::Dropped(FragmentDrop::TooLong);
        }
        match joint_ecn(datagram.ecn_seen) {
            Some(ecn) => {
                let (largest, payload) = (datagram.largest, datagram.pieces.into_payload());
                Outcome::Whole { headers, ecn: Some(ecn), payload, largest }
            }
            None => Outcome::Dropped(FragmentDrop::Contradiction),
        }
    }

    /// Gives up the oldest datagrams until `charge` more bytes fit. To refuse new fragments instead, as Linux does,
    /// would let one burst of a stranger lock everybody out until the time-out.
    fn make_room(&mut self, key: Key, charge: usize, known: bool, counters: &mut Counters, fails: Counter) -> bool {
        let limits = self.limits;
        loop {
            let crowded = !known && self.datagrams.len() >= limits.max_datagrams;
            if self.bytes + charge <= limits.high_thresh && !crowded {
                return true;
            }
            if self.remove_oldest(Some(key)).is_none() {
                return false;
            }
            counters.inc(fails);
        }
    }

    fn remove_oldest(&mut self, except: Option<Key>) -> Option<(Key, Datagram)> {
        let key = *self.order.values().find(|key| Some(**key) != except)?;
        self.remove(key).map(|datagram| (key, datagram))
    }

    fn remove(&mut self, key: Key) -> Option<Datagram> {
        let datagram = self.datagrams.remove(&key)?;
        self.order.remove(&(datagram.deadline, datagram.serial));
        self.bytes -= datagram.charge;
        Some(datagram)
    }
}

fn own_if_short(data: Chunks) -> Chunks {
    if data.len() > COPY_BREAK {
        return data;
    }
    Chunks::from(Bytes::from(data.to_vec()))
}

/// The ECN codepoint of the whole, from the set of those of its fragments (RFC 3168 section 5.3): congestion
/// experienced by one is experienced by all; `None` when ECN-capable fragments are mixed with others, which no honest
/// sender makes. Otherwise that of the first fragment stays (0 here: nothing to add).
fn joint_ecn(seen: u8) -> Option<u8> {
    const NOT_ECT: u8 = 1;
    const CE: u8 = 1 << 3;
    match seen {
        0 | NOT_ECT => Some(0),
        mixed if mixed & NOT_ECT != 0 => None,
        marked if marked & CE != 0 => Some(3),
        _ => Some(0),
    }
}
