//! Who holds which port, and who may join: the bind conflict rules of TCP and of UDP, as Linux has them.
//!
//! Decides whether a socket may take an address and port. It does not find the socket of a packet, but keeps, per port,
//! the few sockets that such a search has to look at (datagram sockets without an entry of their own; TCP's listeners have a
//! table of their own).
//! Sockets that claim the same thing are counted, not listed, so a server's million connections cost one line here.
//! Invariant: every bound socket, connection and TIME-WAIT entry is counted in exactly one claim.
use core::net::IpAddr;

use hashbrown::HashMap;

use crate::IfaceId;
use crate::secrets::KeyedState;

/// Which destinations a bound socket covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scope {
    /// 0.0.0.0.
    AnyV4,
    /// `::` without `IPV6_V6ONLY`: everything.
    AnyDual,
    /// `::` with `IPV6_V6ONLY`.
    AnyV6,
    /// One address. A v4-mapped one is IPv4.
    One(IpAddr),
}

impl Scope {
    /// Whether some packet could belong to both.
    pub(crate) fn overlaps(self, other: Scope) -> bool {
        use Scope::{AnyDual, AnyV4, AnyV6, One};
        match (self, other) {
            (One(a), One(b)) => a == b,
            (AnyDual, _) | (_, AnyDual) => true,
            (AnyV4, AnyV4) | (AnyV6, AnyV6) => true,
            (AnyV4, One(a)) | (One(a), AnyV4) => a.is_ipv4(),
            (AnyV6, One(a)) | (One(a), AnyV6) => a.is_ipv6(),
            (AnyV4, AnyV6) | (AnyV6, AnyV4) => false,
        }
    }

    /// Whether it is this scope, or a wildcard with this in it, as Linux compares who wants to join a group.
    fn takes_in(self, other: Scope) -> bool {
        use Scope::{AnyDual, AnyV4, AnyV6, One};
        match (self, other) {
            (AnyV4 | AnyV6, AnyDual) => true,
            (One(a), One(b)) => a == b,
            (One(_), _) => false,
            _ => self.overlaps(other),
        }
    }

    /// Whether packets to `address` are covered.
    pub(crate) fn covers(self, address: IpAddr) -> bool {
        self.overlaps(Scope::One(address))
    }

    pub(crate) fn is_wildcard(self) -> bool {
        !matches!(self, Scope::One(_))
    }
}

/// Whose a claim is, as far as `SO_REUSEPORT` asks: ports are shared by sockets of one user, so that nobody joins a server's
/// group to take a part of its connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owner {
    /// The stack's own user.
    Own,
    /// This other one.
    User(u32),
    /// A flow in TIME-WAIT: as on Linux, nobody asks whose it was.
    Gone,
}

impl Owner {
    fn shares_with(self, held: Owner) -> bool {
        held == Owner::Gone || self == held
    }
}

/// What a socket holds of a port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Claim {
    pub(crate) scope: Scope,
    pub(crate) reuse_address: bool,
    pub(crate) reuse_port: bool,
    pub(crate) owner: Owner,
    pub(crate) listening: bool,
    /// By bind() or listen(), or inherited from a listener; false: chosen by connect().
    pub(crate) bound: bool,
    /// On this interface alone.
    pub(crate) device: Option<IfaceId>,
    /// One IPv6 address without `IPV6_V6ONLY`, as connections have it that a listener on `::` accepted.
    pub(crate) is_dual: bool,
}

impl Claim {
    /// Whether a new claim is in this one's way: some packet could belong to both, or, as Linux counts, it is for all of
    /// IPv4 beside an IPv6 address that could speak it.
    fn is_met_by(&self, new: &Claim) -> bool {
        let same_device = self.device.is_none() || new.device.is_none() || self.device == new.device;
        same_device && (self.scope.overlaps(new.scope) || (self.is_dual && new.scope == Scope::AnyV4))
    }
}

/// Whose rules apply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rules {
    Tcp,
    Udp,
}

#[derive(Debug, Default)]
struct Port {
    claims: Vec<(Claim, u32)>,
    /// Owner and scope of the latest who took it with `SO_REUSEPORT`, if nobody took it without since: as on Linux, who
    /// is like that joins whatever became of the others, such as connections that another user has accepted.
    group: Option<(Owner, Scope)>,
    /// Sockets a packet to this port may belong to without an exact flow entry; latest first.
    open: Vec<u32>,
}

/// All ports of one protocol.
#[derive(Debug)]
pub(crate) struct PortTable {
    rules: Rules,
    ports: HashMap<u16, Port, KeyedState>,
}

impl PortTable {
    pub(crate) fn new(rules: Rules, hasher: KeyedState) -> Self {
        PortTable { rules, ports: HashMap::with_hasher(hasher) }
    }

    /// Whether a socket that named the port itself may take it beside those who hold it. Its own claim must not be in.
    pub(crate) fn may_bind(&self, port: u16, claim: &Claim) -> bool {
        self.may_join(port, claim)
            || self.claims(port).all(|held| !held.is_met_by(claim) || self.may_share(claim, held))
    }

    fn may_join(&self, port: u16, claim: &Claim) -> bool {
        let group = self.ports.get(&port).and_then(|port| port.group);
        claim.reuse_port && group.is_some_and(|(owner, scope)| owner == claim.owner && scope.takes_in(claim.scope))
    }

    /// A stream socket has taken the port by bind() or listen(), and its claim is in.
    pub(crate) fn note_taken(&mut self, port: u16, claim: &Claim) {
        let joins = self.may_join(port, claim);
        if let Some(port) = self.ports.get_mut(&port)
            && !joins
        {
            port.group = claim.reuse_port.then_some((claim.owner, claim.scope));
        }
    }

    /// Whether a port may be given to a socket that asked for any: sharing is not considered.
    pub(crate) fn is_free_for(&self, port: u16, claim: &Claim) -> bool {
        self.claims(port).all(|held| !held.is_met_by(claim))
    }

    /// Whether a port may be given to a socket that asked for any and shares it by `SO_REUSEADDR` (`ip_autobind_reuse`).
    pub(crate) fn may_share_address(&self, port: u16, claim: &Claim) -> bool {
        // As Linux: those that could share by SO_REUSEPORT do so where they name the port, not by chance.
        let is_group = |held: &Claim| claim.reuse_port && held.reuse_port && claim.owner.shares_with(held.owner);
        let shares = |held: &Claim| claim.reuse_address && held.reuse_address && !held.listening && !is_group(held);
        self.claims(port).all(|held| !held.is_met_by(claim) || shares(held))
    }

    /// Whether connect() may choose the port: sockets that bound themselves keep it for themselves.
    pub(crate) fn may_connect_from(&self, port: u16) -> bool {
        self.claims(port).all(|held| !held.bound)
    }

    fn claims(&self, port: u16) -> impl Iterator<Item = &Claim> {
        self.ports.get(&port).into_iter().flat_map(|port| port.claims.iter().map(|(claim, _)| claim))
    }

    fn may_share(&self, new: &Claim, held: &Claim) -> bool {
        let reuse_address = new.reuse_address && held.reuse_address && !held.listening;
        let reuse_port = new.reuse_port && held.reuse_port && new.owner.shares_with(held.owner);
        match self.rules {
            Rules::Tcp => reuse_address || reuse_port,
            // Datagram sockets never listen; both flags share freely.
            Rules::Udp => (new.reuse_address && held.reuse_address) || reuse_port,
        }
    }

    pub(crate) fn add(&mut self, port: u16, claim: Claim) {
        let claims = &mut self.ports.entry(port).or_default().claims;
        match claims.iter_mut().find(|(held, _)| *held == claim) {
            Some((_, count)) => *count += 1,
            None => {
                // Most ports have one claim, and there may be as many ports as connections.
                if claims.is_empty() {
                    claims.reserve_exact(1);
                }
                claims.push((claim, 1));
            }
        }
    }

    pub(crate) fn remove(&mut self, port: u16, claim: &Claim) {
        let Some(entry) = self.ports.get_mut(&port) else {
            debug_assert!(false, "no claim on port {port}");
            return;
        };
        match entry.claims.iter().position(|(held, _)| held == claim) {
            Some(at) => {
                entry.claims[at].1 -= 1;
                if entry.claims[at].1 == 0 {
                    entry.claims.swap_remove(at);
                }
            }
            None => debug_assert!(false, "claim {claim:?} is not held on port {port}"),
        }
        self.forget_if_empty(port);
    }

    /// Let packets to the port find this socket.
    pub(crate) fn open(&mut self, port: u16, socket: u32) {
        self.ports.entry(port).or_default().open.insert(0, socket);
    }

    /// Undo [`open`](Self::open); nothing happens when it was not open.
    pub(crate) fn close(&mut self, port: u16, socket: u32) {
        if let Some(entry) = self.ports.get_mut(&port) {
            entry.open.retain(|other| *other != socket);
            self.forget_if_empty(port);
        }
    }

    /// The sockets a packet to the port may belong to, latest first.
    pub(crate) fn open_sockets(&self, port: u16) -> &[u32] {
        self.ports.get(&port).map_or(&[], |port| &port.open)
    }

    fn forget_if_empty(&mut self, port: u16) {
        if self.ports.get(&port).is_some_and(|entry| entry.claims.is_empty() && entry.open.is_empty()) {
            self.ports.remove(&port);
        }
    }

    /// Bytes of places that are held.
    pub(crate) fn room(&self) -> usize {
        self.ports.allocation_size()
    }

    /// How many ports are held.
    pub(crate) fn len(&self) -> usize {
        self.ports.len()
    }
}
