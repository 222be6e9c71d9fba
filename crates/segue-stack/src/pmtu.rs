//! What was learned about the largest packet on the way to a destination.
//!
//! Decides how long such knowledge is kept (10 minutes, RFC 8201 section 4, Linux's `mtu_expires`) and how much of it. A
//! stranger can at most replace old entries. Invariant: entries expire in the order in which they were learned, so both
//! expiry and eviction look at the front of one queue.
use core::net::IpAddr;
use core::time::Duration;
use std::collections::VecDeque;

use hashbrown::HashMap;
use segue_wire::Instant;

use crate::secrets::KeyedState;

const LIFETIME: Duration = Duration::from_secs(600);
/// How many destinations are remembered; the oldest go first.
const CAPACITY: usize = 4096;
/// Linux's `min_pmtu`: no real IPv4 path is narrower, smaller claims are an attack on the sender's efficiency.
const MIN_V4: usize = 552;
/// RFC 8200 section 5.
const MIN_V6: usize = 1280;

#[derive(Debug)]
pub(crate) struct PmtuCache {
    entries: HashMap<IpAddr, Entry, KeyedState>,
    /// In the order of expiry. An address that was learned again is in here twice; its older place is recognised.
    order: VecDeque<(Instant, IpAddr)>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    mtu: usize,
    expires: Instant,
}

impl PmtuCache {
    pub(crate) fn new(hasher: KeyedState) -> Self {
        PmtuCache { entries: HashMap::with_hasher(hasher), order: VecDeque::new() }
    }

    /// How many are known.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes of places that are held.
    pub(crate) fn room(&self) -> usize {
        self.entries.allocation_size() + self.order.capacity() * size_of::<(Instant, IpAddr)>()
    }

    /// The path MTU in bytes, if something smaller than the link's was learned and is still believed, and until when it is.
    pub(crate) fn get(&self, now: Instant, destination: IpAddr) -> Option<(usize, Instant)> {
        if self.entries.is_empty() {
            return None;
        }
        self.entries.get(&destination).filter(|entry| now < entry.expires).map(|entry| (entry.mtu, entry.expires))
    }

    /// A router said that packets to `destination` may have at most `mtu` bytes. Gives what is now believed.
    pub(crate) fn learn(&mut self, now: Instant, destination: IpAddr, mtu: usize) -> usize {
        self.expire(now);
        let mtu = mtu.max(if destination.is_ipv4() { MIN_V4 } else { MIN_V6 });
        // RFC 8201 section 4: a too-big message never raises the estimate.
        let mtu = self.get(now, destination).map_or(mtu, |(known, _)| known.min(mtu));
        // The queue holds an old place of each entry that was learned again, so it is bounded by itself.
        while self.order.len() >= CAPACITY {
            self.forget_oldest();
        }
        let expires = now + LIFETIME;
        self.entries.insert(destination, Entry { mtu, expires });
        self.order.push_back((expires, destination));
        mtu
    }

    fn expire(&mut self, now: Instant) {
        while self.order.front().is_some_and(|(expires, _)| *expires <= now) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((expires, address)) = self.order.pop_front()
            && self.entries.get(&address).is_some_and(|entry| entry.expires == expires)
        {
            self.entries.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Secrets;
    use core::net::Ipv4Addr;

    fn cache() -> PmtuCache {
        PmtuCache::new(Secrets::from_seed(&[7; 32]).build_hasher())
    }

    fn address(n: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(n))
    }

    #[test]
    fn what_was_learned_is_forgotten_after_ten_minutes() {
        let mut cache = cache();
        assert_eq!(cache.learn(Instant::ZERO, address(1), 1400), 1400);
        assert_eq!(cache.get(Instant::from_secs(599), address(1)).map(|(mtu, _)| mtu), Some(1400));
        assert_eq!(cache.get(Instant::from_secs(600), address(1)), None);
    }

    #[test]
    fn a_path_never_grows_by_a_message_and_never_shrinks_below_the_floor() {
        let mut cache = cache();
        cache.learn(Instant::ZERO, address(1), 1000);
        assert_eq!(cache.learn(Instant::ZERO, address(1), 1400), 1000);
        assert_eq!(cache.learn(Instant::ZERO, address(1), 68), 552);
        assert_eq!(cache.learn(Instant::ZERO, "fd00::1".parse().unwrap(), 100), 1280);
    }

    #[test]
    fn a_flood_of_destinations_only_pushes_out_the_oldest() {
        let mut cache = cache();
        for n in 0..3 * CAPACITY as u32 {
            cache.learn(Instant::from_millis(u64::from(n)), address(n), 1400);
        }
        assert!(cache.entries.len() <= CAPACITY && cache.order.len() <= CAPACITY);
        let now = Instant::from_secs(20);
        assert_eq!(cache.get(now, address(3 * CAPACITY as u32 - 1)).map(|(mtu, _)| mtu), Some(1400));
        assert_eq!(cache.get(now, address(0)), None);
    }

    #[test]
    fn one_destination_learned_over_and_over_stays_known() {
        let mut cache = cache();
        for n in 0..3 * CAPACITY as u64 {
            cache.learn(Instant::from_millis(n), address(1), 1400);
        }
        assert_eq!(cache.get(Instant::from_secs(500), address(1)).map(|(mtu, _)| mtu), Some(1400));
        assert!(cache.order.len() <= CAPACITY);
    }
}
