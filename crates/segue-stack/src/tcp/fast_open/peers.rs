//! What is remembered of servers for the next connection to them: cookie, MSS, and how it went (RFC 7413 section 4.1.3).
//!
//! Decides how much is remembered and which is forgotten first: what was not used for longest, in two generations, so that
//! every call costs the same whatever there is. RFC 7413 section 4.1.3.1: that Fast Open failed is remembered, too.
use core::net::IpAddr;
use core::time::Duration;

use hashbrown::HashMap;
use segue_tcp::{FastOpenCookie, Form, Instant};

use crate::secrets::KeyedState;

/// Servers in one generation; there are two.
const GENERATION: usize = 2048;
/// So many lost SYNs in a row switch Fast Open off for a server.
const TOLERATED_LOSSES: u8 = 1;
/// For how long, at first; doubled by every further loss.
const PENALTY: Duration = Duration::from_secs(60);

/// Our address and the server's.
type Pair = (IpAddr, IpAddr);

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known {
    pub(super) cookie: Option<FastOpenCookie>,
    /// Its last MSS.
    pub(super) mss: Option<u16>,
    /// The form in which a cookie was asked for in vain.
    refused: Option<Form>,
    losses: u8,
    last_loss: Instant,
}

impl Known {
    /// Whether the next request for a cookie has the experimental form. As Linux: the forms are tried once each, then the
    /// standard one is used for good.
    pub(super) fn asks_experimentally(&self) -> bool {
        self.refused == Some(Form::Standard)
    }

    /// RFC 7413 section 4.1.3.1: SYNs with data are lost again and again on the way to this server.
    pub(super) fn is_blocked(&self, now: Instant) -> bool {
        self.losses > TOLERATED_LOSSES && now < self.last_loss + PENALTY * (1 << self.losses.min(6))
    }

    /// The option asked in vain.
    pub(super) fn on_refusal(&mut self, form: Form) {
        let is_further = match form {
            Form::Standard => self.refused.is_none(),
            Form::Experimental => self.refused == Some(Form::Standard),
        };
        if is_further && self.cookie.is_none() {
            self.refused = Some(form);
        }
    }

    pub(super) fn on_loss(&mut self, now: Instant) {
        self.losses = self.losses.saturating_add(1);
        self.last_loss = now;
    }

    pub(super) fn on_answer(&mut self) {
        self.losses = 0;
    }
}

#[derive(Debug)]
pub(super) struct Peers {
    young: HashMap<Pair, Known, KeyedState>,
    old: HashMap<Pair, Known, KeyedState>,
}

impl Peers {
    pub(super) fn new(hasher: KeyedState) -> Peers {
        Peers { young: HashMap::with_hasher(hasher.clone()), old: HashMap::with_hasher(hasher) }
    }

    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    pub(super) fn room(&self) -> usize {
        self.young.allocation_size() + self.old.allocation_size()
    }

    /// What is known of a server.
    pub(super) fn get(&self, local: IpAddr, server: IpAddr) -> Known {
        let pair = (local, server);
        self.young.get(&pair).or_else(|| self.old.get(&pair)).copied().unwrap_or_default()
    }

    /// Something was learned of a server.
    pub(super) fn learn(&mut self, local: IpAddr, server: IpAddr, change: impl FnOnce(&mut Known)) {
        let pair = (local, server);
        if !self.young.contains_key(&pair) {
            if self.young.len() >= GENERATION {
                self.old.clear();
                core::mem::swap(&mut self.young, &mut self.old);
            }
            let known = self.old.remove(&pair).unwrap_or_default();
            self.young.insert(pair, known);
        }
        if let Some(known) = self.young.get_mut(&pair) {
            change(known);
        }
    }

    /// Everything is forgotten (`ip tcp_metrics flush`).
    pub(super) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::Secrets;
    use core::net::Ipv4Addr;

    fn address(n: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(n))
    }

    fn peers() -> Peers {
        Peers::new(Secrets::from_seed(&[7; 32]).build_hasher())
    }

    #[test]
    fn no_more_servers_are_remembered_than_two_generations_and_the_used_ones_longest() {
        let mut peers = peers();
        for n in 0..100_000u32 {
            peers.learn(address(1), address(n), |known| known.mss = Some(1000));
            peers.learn(address(1), address(7), |known| known.mss = Some(7));
            assert!(peers.young.len() + peers.old.len() <= 2 * GENERATION);
        }
        assert_eq!(peers.get(address(1), address(7)).mss, Some(7));
        assert_eq!(peers.get(address(1), address(99_999)).mss, Some(1000));
        assert_eq!(peers.get(address(1), address(8)).mss, None);
        assert_eq!(peers.get(address(2), address(7)).mss, None, "another address of ours");
    }

    #[test]
    fn a_server_that_loses_syns_is_left_alone_for_four_minutes_then_eight() {
        let mut known = Known::default();
        let at = Instant::from_secs(1000);
        known.on_loss(at);
        assert!(!known.is_blocked(at), "one may be an accident");
        known.on_loss(at);
        assert!(known.is_blocked(at + Duration::from_secs(239)));
        assert!(!known.is_blocked(at + Duration::from_secs(240)));
        known.on_loss(at);
        assert!(known.is_blocked(at + Duration::from_secs(479)));
        known.on_answer();
        assert!(!known.is_blocked(at));
    }

    #[test]
    fn forms_of_the_request_are_tried_in_turn_once() {
        let mut known = Known::default();
        assert!(!known.asks_experimentally());
        known.on_refusal(Form::Standard);
        assert!(known.asks_experimentally());
        known.on_refusal(Form::Experimental);
        assert!(!known.asks_experimentally());
        known.on_refusal(Form::Standard);
        assert!(!known.asks_experimentally(), "that was tried already");
    }
}
