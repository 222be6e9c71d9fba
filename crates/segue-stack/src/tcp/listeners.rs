//! Which listener a SYN is for: by port and address, and among several that share both by the flow (`SO_REUSEPORT`).
//!
//! Decides the order of preference, Linux's: one's own address before any, IPv4 sockets before dual ones, later before
//! earlier. Sockets that listen on the same address with `SO_REUSEPORT` are one group, in which the choice costs the same
//! whatever its size. Invariant: a listener is in exactly one group, an empty group does not exist.
use core::net::IpAddr;

use hashbrown::HashMap;
use segue_tcp::Instant;

use crate::ports::Scope;
use crate::secrets::KeyedState;
use crate::socket::common::{Common, Flags};
use crate::{Domain, IfaceId};

/// What the members of a group have in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) scope: Scope,
    pub(crate) domain: Domain,
    /// Others may join.
    pub(crate) is_shared: bool,
    /// SYNs that come by this interface only (`SO_BINDTODEVICE`).
    pub(crate) device: Option<IfaceId>,
}

impl Place {
    /// Where a socket would listen.
    pub(crate) fn of(common: &Common) -> Place {
        Place {
            scope: common.scope(),
            domain: common.domain,
            is_shared: common.has(Flags::REUSE_PORT),
            device: common.rare().device,
        }
    }

    /// How well a place fits an address and the interface that a SYN came by (`None`: any); `None`: not at all.
    fn fit(&self, local: IpAddr, iface: Option<IfaceId>) -> Option<u8> {
        let confined = u8::from(self.device.is_some()) * 2;
        let own = u8::from(!self.scope.is_wildcard()) * 4 + confined + u8::from(self.domain == Domain::Inet);
        let hears = self.device.is_none() || iface.is_none() || self.device == iface;
        (hears && self.scope.covers(local)).then_some(own)
    }
}

#[derive(Debug)]
struct Group {
    place: Place,
    members: Vec<u32>,
    /// When one of them last answered with a SYN cookie.
    cookie_sent: Option<Instant>,
}

/// All listeners.
#[derive(Debug)]
pub(crate) struct Listeners {
    /// Per port, latest first.
    ports: HashMap<u16, Vec<Group>, KeyedState>,
}

impl Listeners {
    pub(crate) fn new(hasher: KeyedState) -> Listeners {
        Listeners { ports: HashMap::with_hasher(hasher) }
    }

    pub(crate) fn add(&mut self, port: u16, place: Place, index: u32) {
        let groups = self.ports.entry(port).or_default();
        match groups.iter_mut().find(|group| place.is_shared && group.place == place) {
            Some(group) => group.members.push(index),
            None => groups.insert(0, Group { place, members: vec![index], cookie_sent: None }),
        }
    }

    /// Nothing happens when it is not there.
    pub(crate) fn remove(&mut self, port: u16, index: u32) {
        let Some(groups) = self.ports.get_mut(&port) else { return };
        for group in groups.iter_mut() {
            if let Some(at) = group.members.iter().position(|member| *member == index) {
                // As Linux: the last one takes its place, so that most flows stay where they are.
                group.members.swap_remove(at);
            }
        }
        groups.retain(|group| !group.members.is_empty());
        if groups.is_empty() {
            self.ports.remove(&port);
        }
    }

    /// The listener for a flow to this address; `hash` spreads flows over a group.
    pub(crate) fn find(
        &self,
        port: u16,
        local: IpAddr,
        iface: Option<IfaceId>,
        hash: impl FnOnce() -> u64,
    ) -> Option<u32> {
        let group = &self.ports.get(&port)?[self.best(port, local, iface)?];
        match group.members.as_slice() {
            [only] => Some(*only),
            members => {
                let chosen = ((hash() >> 32) * members.len() as u64) >> 32;
                members.get(chosen as usize).copied()
            }
        }
    }

    fn best(&self, port: u16, local: IpAddr, iface: Option<IfaceId>) -> Option<usize> {
        let mut best: Option<(u8, usize)> = None;
        for (at, group) in self.ports.get(&port)?.iter().enumerate() {
            if let Some(fit) = group.place.fit(local, iface)
                && best.is_none_or(|(better, _)| fit > better)
            {
                best = Some((fit, at));
            }
        }
        best.map(|(_, at)| at)
    }

    /// Whether the listener for this address shares it with others.
    pub(crate) fn is_shared(&self, port: u16, local: IpAddr) -> bool {
        self.group(port, local).is_some_and(|group| group.place.is_shared)
    }

    /// Whether anybody listens there.
    pub(crate) fn covers(&self, port: u16, local: IpAddr) -> bool {
        self.best(port, local, None).is_some()
    }

    fn group(&self, port: u16, local: IpAddr) -> Option<&Group> {
        self.ports.get(&port)?.get(self.best(port, local, None)?)
    }

    /// A SYN to this address has been answered with a cookie.
    pub(crate) fn note_cookie(&mut self, port: u16, local: IpAddr, now: Instant) {
        if let Some(at) = self.best(port, local, None)
            && let Some(group) = self.ports.get_mut(&port).and_then(|groups| groups.get_mut(at))
        {
            group.cookie_sent = Some(now);
        }
    }

    /// When that was last, whichever listener of the group did it.
    pub(crate) fn cookie_sent(&self, port: u16, local: IpAddr) -> Option<Instant> {
        self.group(port, local)?.cookie_sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Secrets;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn table() -> Listeners {
        Listeners::new(Secrets::from_seed(&[7; 32]).build_hasher())
    }

    fn place(scope: Scope, domain: Domain, is_shared: bool) -> Place {
        Place { scope, domain, is_shared, device: None }
    }

    #[test]
    fn the_nearest_place_wins_whatever_the_order_of_listening() {
        let places = [
            (1, place(Scope::AnyDual, Domain::Inet6, false)),
            (2, place(Scope::AnyV4, Domain::Inet, false)),
            (3, place(Scope::One(ip("10.0.0.1")), Domain::Inet6, false)),
            (4, place(Scope::One(ip("10.0.0.1")), Domain::Inet, false)),
        ];
        for rotation in 0..4 {
            let mut table = table();
            for n in 0..4 {
                let (index, place) = places[(n + rotation) % 4];
                table.add(80, place, index);
            }
            let find = |table: &Listeners, address| table.find(80, ip(address), None, || 0);
            assert_eq!(find(&table, "10.0.0.1"), Some(4));
            table.remove(80, 4);
            assert_eq!(find(&table, "10.0.0.1"), Some(3));
            table.remove(80, 3);
            assert_eq!(find(&table, "10.0.0.1"), Some(2));
            table.remove(80, 2);
            assert_eq!(find(&table, "10.0.0.1"), Some(1));
            assert_eq!(find(&table, "fd00::1"), Some(1));
            table.remove(80, 1);
            assert_eq!(find(&table, "10.0.0.1"), None);
            assert!(table.ports.is_empty());
        }
    }

    #[test]
    fn flows_spread_evenly_over_a_group_and_stay_when_another_member_leaves() {
        let mut table = table();
        for index in 0..8 {
            table.add(80, place(Scope::AnyV4, Domain::Inet, true), index);
        }
        let chosen = |table: &Listeners, n: u64| table.find(80, ip("10.0.0.1"), None, || n << 52).unwrap();
        let mut counts = [0; 8];
        let before: Vec<u32> = (0..4096).map(|n| chosen(&table, n)).collect();
        for index in &before {
            counts[*index as usize] += 1;
        }
        assert_eq!(counts, [512; 8]);
        table.remove(80, 7);
        assert!((0..4096).all(|n| chosen(&table, n) != 7));
    }

    #[test]
    fn sockets_that_do_not_share_are_no_group() {
        let mut table = table();
        table.add(80, place(Scope::AnyV4, Domain::Inet, false), 1);
        table.add(80, place(Scope::AnyV4, Domain::Inet, false), 2);
        assert_eq!(table.find(80, ip("10.0.0.1"), None, || u64::MAX), Some(2), "the later one");
        assert!(!table.is_shared(80, ip("10.0.0.1")));
    }

    #[test]
    fn a_cookie_of_one_member_is_the_group_s() {
        let mut table = table();
        for index in 0..3 {
            table.add(80, place(Scope::AnyV4, Domain::Inet, true), index);
        }
        table.add(80, place(Scope::One(ip("10.0.0.9")), Domain::Inet, false), 9);
        table.note_cookie(80, ip("10.0.0.1"), Instant::from_secs(5));
        assert_eq!(table.cookie_sent(80, ip("10.0.0.2")), Some(Instant::from_secs(5)));
        assert_eq!(table.cookie_sent(80, ip("10.0.0.9")), None, "another listener");
    }
}
