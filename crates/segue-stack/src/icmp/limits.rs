//! How many ICMP messages leave: `icmp_ratelimit`, `icmp_ratemask`, `icmp_msgs_per_sec`, `icmp_msgs_burst` and their kin of
//! IPv6.
//!
//! Decides yes or no for one message to one host, as Linux does (RFC 1812 4.3.2.8, RFC 4443 2.4 (f)): a token bucket per
//! host that is complained to, one for all hosts together. Messages inside this host are not limited. Invariant: the
//! table of hosts is bounded, whoever sends.
use core::net::IpAddr;
use core::time::Duration;

use hashbrown::HashMap;
use segue_wire::Instant;

use crate::ratelimit::TokenBucket;
use crate::secrets::{KeyedState, Secrets};
use crate::{Counter, IpSettings};

/// Linux's `XRLIM_BURST_FACTOR`: messages that may follow each other at once.
const BURST: u32 = 6;
/// Linux's `inet_peer_threshold`; beyond it a host is limited by what holds for all.
const MOST_PEERS: usize = 65_664;
/// The table is not cleared more often than this.
const BETWEEN_SWEEPS: Duration = Duration::from_secs(1);

/// Whether a message may leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub(crate) enum Verdict {
    Send,
    /// Not, and this counts it.
    Hold(Counter),
}

/// A type of ICMP or ICMPv6 message to a host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Kind {
    pub(crate) number: u8,
    pub(crate) to: IpAddr,
    /// It does not leave this host.
    pub(crate) is_inside: bool,
}

/// What has been sent lately.
#[derive(Debug)]
pub(crate) struct IcmpLimits {
    all: TokenBucket,
    peers: HashMap<IpAddr, Allowance, KeyedState>,
    swept: Instant,
}

/// What one host may still be told: time that has been saved up, of which each message costs `icmp_ratelimit`.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    saved: Duration,
    at: Instant,
}

impl Allowance {
    fn at(self, now: Instant, price: Duration) -> Duration {
        (self.saved + now.saturating_duration_since(self.at)).min(price * BURST)
    }
}

impl IcmpLimits {
    /// Hosts that were told something lately.
    pub(crate) fn len(&self) -> usize {
        self.peers.len()
    }

    /// Bytes of places that are held.
    pub(crate) fn room(&self) -> usize {
        self.peers.allocation_size()
    }

    pub(crate) fn new(settings: &IpSettings, hasher: KeyedState, now: Instant) -> IcmpLimits {
        let all = TokenBucket::new(settings.icmp_msgs_per_sec, settings.icmp_msgs_burst, now);
        IcmpLimits { all, peers: HashMap::with_hasher(hasher), swept: now }
    }

    pub(crate) fn configure(&mut self, settings: &IpSettings, now: Instant) {
        self.all.configure(settings.icmp_msgs_per_sec, settings.icmp_msgs_burst, now);
    }

    /// Whether a message of this kind may leave now; if so it is charged for.
    pub(crate) fn take(&mut self, now: Instant, kind: Kind, settings: &IpSettings, secrets: &mut Secrets) -> Verdict {
        let is_v4 = kind.to.is_ipv4();
        let (is_limited, price) = match is_v4 {
            true => (kind.number < 32 && settings.icmp_ratemask & (1 << kind.number) != 0, settings.icmp_ratelimit),
            false => (settings.icmpv6_ratemask.contains(kind.number.into()), settings.icmpv6_ratelimit),
        };
        if !is_limited || kind.is_inside {
            return Verdict::Send;
        }
        if !self.all.has_one(now) {
            return Verdict::Hold(Counter::IcmpOutRateLimitGlobal);
        }
        if !self.take_of_peer(now, kind.to, price) {
            return Verdict::Hold(if is_v4 { Counter::IcmpOutRateLimitHost } else { Counter::Icmp6OutRateLimitHost });
        }
        // As Linux: one on average, so that nobody can count by what is left for him what others were told
        // (CVE-2020-25705).
        self.all.spend((secrets.random_u64() % 3) as u32);
        Verdict::Send
    }

    fn take_of_peer(&mut self, now: Instant, to: IpAddr, price: Duration) -> bool {
        if price.is_zero() {
            return true;
        }
        if self.peers.len() >= MOST_PEERS && !self.peers.contains_key(&to) {
            if now.saturating_duration_since(self.swept) < BETWEEN_SWEEPS {
                return true;
            }
            // Who could have a full burst again is like one never heard of.
            self.swept = now;
            self.peers.retain(|_, allowance| allowance.at(now, price) < price * BURST);
        }
        let fresh = Allowance { saved: price * BURST, at: now };
        let allowance = self.peers.entry(to).or_insert(fresh);
        let saved = allowance.at(now, price);
        let rest = saved.checked_sub(price);
        *allowance = Allowance { saved: rest.unwrap_or(saved), at: allowance.at.max(now) };
        rest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Host {
        limits: IcmpLimits,
        settings: IpSettings,
        secrets: Secrets,
    }

    impl Host {
        fn new(change: impl FnOnce(&mut IpSettings)) -> Host {
            let mut settings = IpSettings::default();
            change(&mut settings);
            let secrets = Secrets::from_seed(&[5; 32]);
            let limits = IcmpLimits::new(&settings, secrets.build_hasher(), Instant::ZERO);
            Host { limits, settings, secrets }
        }

        fn ask(&mut self, millis: u64, number: u8, to: &str) -> Verdict {
            let kind = Kind { number, to: to.parse().unwrap(), is_inside: to == "127.0.0.1" };
            self.limits.take(Instant::from_millis(millis), kind, &self.settings, &mut self.secrets)
        }

        fn sent(&mut self, times: impl IntoIterator<Item = u64>, number: u8, to: &str) -> Vec<u64> {
            times.into_iter().filter(|millis| self.ask(*millis, number, to) == Verdict::Send).collect()
        }
    }

    #[test]
    fn a_host_is_told_six_errors_at_once_and_then_one_a_second_as_linux_tells_it() {
        let mut host = Host::new(|_| ());
        let sent = host.sent((0..4000).step_by(100), 3, "10.0.0.1");
        assert_eq!(sent, [0, 100, 200, 300, 400, 500, 1000, 2000, 3000]);
        assert_eq!(host.ask(3100, 3, "10.0.0.1"), Verdict::Hold(Counter::IcmpOutRateLimitHost));
        assert_eq!(host.ask(3100, 3, "10.0.0.2"), Verdict::Send, "another host has an allowance of its own");
    }

    #[test]
    fn over_ipv6_it_is_one_every_tenth_of_a_second() {
        let mut host = Host::new(|_| ());
        let sent = host.sent((0..1000).step_by(20), 1, "fd00::1");
        assert_eq!(sent, [0, 20, 40, 60, 80, 100, 120, 200, 300, 400, 500, 600, 700, 800, 900]);
        assert_eq!(host.ask(990, 1, "fd00::1"), Verdict::Hold(Counter::Icmp6OutRateLimitHost));
    }

    #[test]
    fn only_the_types_of_the_mask_are_limited() {
        let mut host = Host::new(|_| ());
        assert_eq!(host.sent([0; 200], 0, "10.0.0.1").len(), 200, "echo replies are not");
        assert_eq!(host.sent([0; 200], 129, "fd00::1").len(), 200, "nor those of IPv6");
        assert_eq!(host.sent([0; 200], 2, "fd00::1").len(), 200, "nor what path MTU discovery needs");
        let mut host = Host::new(|settings| settings.icmp_ratemask = 1);
        assert_eq!(host.sent([0; 200], 0, "10.0.0.1").len(), 6);
        assert_eq!(host.sent([0; 200], 3, "10.0.0.1").len(), 200);
    }

    #[test]
    fn inside_the_host_nothing_is_limited() {
        assert_eq!(Host::new(|_| ()).sent([0; 200], 3, "127.0.0.1").len(), 200);
    }

    #[test]
    fn all_hosts_together_share_a_burst_and_a_rate_which_costs_one_on_average() {
        let mut host = Host::new(|settings| settings.icmp_ratelimit = Duration::ZERO);
        let burst = host.sent([0; 1000], 3, "10.0.0.1").len();
        assert!((35..80).contains(&burst), "about icmp_msgs_burst: {burst}");
        let later = host.sent((1..=10_000u64).map(|n| n / 10), 3, "10.0.0.2").len();
        assert!((850..1150).contains(&later), "about icmp_msgs_per_sec: {later}");
        let mut ask_often = |n: usize| (0..n).map(|_| host.ask(1000, 3, "10.0.0.3")).collect::<Vec<_>>();
        assert_eq!(ask_often(100).pop(), Some(Verdict::Hold(Counter::IcmpOutRateLimitGlobal)));
    }

    #[test]
    fn the_table_of_hosts_is_bounded_and_forgets_those_who_have_been_quiet() {
        let mut host = Host::new(|settings| settings.icmp_msgs_burst = i32::MAX as u32);
        for n in 0..MOST_PEERS as u32 + 100 {
            let _ = host.ask(0, 3, &core::net::Ipv4Addr::from(0x0a00_0000 + n).to_string());
        }
        assert_eq!(host.limits.peers.len(), MOST_PEERS);
        assert_eq!(host.ask(2000, 3, "11.0.0.1"), Verdict::Send);
        assert_eq!(host.limits.peers.len(), 1, "after a second each could have its burst again");
    }
}
