//! Which kind of ECN a host grants and asks for (`tcp_ecn`).

/// Which ECN is granted to peers and asked of them (`tcp_ecn`).
///
/// Accurate ECN (RFC 9768) is granted only to who asks for it; who asks for less gets RFC 3168.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(u8)]
pub enum EcnPolicy {
    /// 0: neither granted nor asked.
    Off = 0,
    /// 1: granted and asked (RFC 3168).
    On = 1,
    /// 2: granted to peers that ask (RFC 3168).
    #[default]
    Grant = 2,
    /// 3: accurate ECN granted and asked.
    Accurate = 3,
    /// 4: accurate ECN granted, RFC 3168 asked.
    AccurateGrantClassicAsk = 4,
    /// 5: accurate ECN granted, nothing asked.
    AccurateGrant = 5,
}

/// A kind of ECN.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) enum EcnMode {
    #[default]
    Off,
    /// RFC 3168.
    Classic,
    /// RFC 9768.
    Accurate,
}

impl EcnPolicy {
    /// The policy with this number in `tcp_ecn`.
    pub const fn from_number(number: u8) -> Option<EcnPolicy> {
        Some(match number {
            0 => EcnPolicy::Off,
            1 => EcnPolicy::On,
            2 => EcnPolicy::Grant,
            3 => EcnPolicy::Accurate,
            4 => EcnPolicy::AccurateGrantClassicAsk,
            5 => EcnPolicy::AccurateGrant,
            _ => return None,
        })
    }

    /// The number in `tcp_ecn`.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// This policy towards a destination whose route has the feature `ecn`: RFC 3168 is granted and asked at least.
    pub const fn with_route_feature(self) -> EcnPolicy {
        match self {
            EcnPolicy::Off | EcnPolicy::On | EcnPolicy::Grant => EcnPolicy::On,
            EcnPolicy::Accurate => EcnPolicy::Accurate,
            EcnPolicy::AccurateGrantClassicAsk | EcnPolicy::AccurateGrant => EcnPolicy::AccurateGrantClassicAsk,
        }
    }

    /// The most that a peer is granted.
    pub(crate) fn granted(self) -> EcnMode {
        match self {
            EcnPolicy::Off => EcnMode::Off,
            EcnPolicy::On | EcnPolicy::Grant => EcnMode::Classic,
            EcnPolicy::Accurate | EcnPolicy::AccurateGrantClassicAsk | EcnPolicy::AccurateGrant => EcnMode::Accurate,
        }
    }

    /// What our SYN asks for.
    pub(crate) fn asked(self) -> EcnMode {
        match self {
            EcnPolicy::Off | EcnPolicy::Grant | EcnPolicy::AccurateGrant => EcnMode::Off,
            EcnPolicy::On | EcnPolicy::AccurateGrantClassicAsk => EcnMode::Classic,
            EcnPolicy::Accurate => EcnMode::Accurate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_has_the_number_that_tcp_ecn_gives_it() {
        for number in 0..=u8::MAX {
            assert!(EcnPolicy::from_number(number).is_none_or(|policy| policy.number() == number));
        }
        assert_eq!(EcnPolicy::default().number(), 2);
        assert!(EcnPolicy::from_number(6).is_none());
    }

    #[test]
    fn a_route_with_the_feature_asks_and_takes_nothing_away() {
        for number in 0..=5 {
            let Some(policy) = EcnPolicy::from_number(number) else { continue };
            let with = policy.with_route_feature();
            assert_ne!(with.asked(), EcnMode::Off, "{policy:?}");
            assert!(with.granted() == policy.granted() || policy == EcnPolicy::Off, "{policy:?}");
            assert!(policy.asked() == EcnMode::Off || with.asked() == policy.asked(), "{policy:?}");
        }
    }
}
