//! Everything that must not be guessed from outside, drawn from one 32-byte seed.
use core::net::SocketAddr;

use segue_wire::Instant;
use siphasher::sip::SipHasher24;

/// The keys of one stack.
#[derive(Clone)]
pub struct Secrets {}

impl Secrets {
    /// Keys from a seed; the same seed gives the same keys.
    pub fn from_seed(seed: &[u8; 32]) -> Secrets {
        let _ = seed;
        todo!()
    }
    /// The initial sequence number of a connection opened `now`.
    pub fn initial_sequence(&self, now: Instant, local: SocketAddr, remote: SocketAddr) -> u32 {
        let _ = (now, local, remote);
        todo!()
    }
    /// What this connection's timestamp clock is ahead of the stack's clock.
    pub fn timestamp_offset(&self, local: SocketAddr, remote: SocketAddr) -> u32 {
        let _ = (local, remote);
        todo!()
    }
    /// A keyed hash of the four-tuple that spreads flows (listener groups, shards).
    pub fn flow_hash(&self, local: SocketAddr, remote: SocketAddr) -> u64 {
        let _ = (local, remote);
        todo!()
    }
    /// The hasher of every map whose keys a stranger can choose.
    pub fn build_hasher(&self) -> KeyedState {
        todo!()
    }
    /// An unpredictable number, another one at every call.
    pub fn random_u64(&mut self) -> u64 {
        todo!()
    }
}

/// Builds SipHash-2-4 hashers under one of the stack's keys, for hash maps.
#[derive(Clone)]
pub struct KeyedState {}

impl core::hash::BuildHasher for KeyedState {
    type Hasher = SipHasher24;
    fn build_hasher(&self) -> SipHasher24 {
        todo!()
    }
}

/// Chooses ephemeral ports (RFC 6056 algorithm 4, with Linux's parity rule).
pub struct PortChooser {}

impl PortChooser {
    /// A chooser under the stack's keys.
    pub fn new(secrets: &mut Secrets) -> PortChooser {
        let _ = secrets;
        todo!()
    }
    /// A local port for a connection from `local` to `remote` out of `range` (inclusive); `usable` says whether a candidate is free.
    pub fn for_connect(
        &mut self,
        range: (u16, u16),
        local: core::net::IpAddr,
        remote: SocketAddr,
        usable: impl FnMut(u16) -> bool,
    ) -> Option<u16> {
        let _ = (range, local, remote, usable);
        todo!()
    }
    /// A port for `bind` to port 0.
    pub fn for_bind(&mut self, secrets: &mut Secrets, range: (u16, u16), usable: impl FnMut(u16) -> bool) -> Option<u16> {
        let _ = (secrets, range, usable);
        todo!()
    }
}
