//! ECN: the two low bits of the IPv4 TOS octet and of the IPv6 traffic class.
//!
//! Owns RFC 3168 section 5 (the codepoints); what they mean to a connection is
//! decided elsewhere.

use core::fmt;

/// ECN codepoint of an IP packet (RFC 3168 section 5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(u8)]
pub enum Ecn {
    /// 00: the transport does not take part.
    #[default]
    NotEct = 0,
    /// 01: ECT(1).
    Ect1 = 1,
    /// 10: ECT(0).
    Ect0 = 2,
    /// 11: a router has seen congestion.
    Ce = 3,
}

impl Ecn {
    /// The codepoint in the two low bits of `traffic_class` (TOS in IPv4).
    pub const fn from_traffic_class(traffic_class: u8) -> Ecn {
        match traffic_class & 3 {
            0 => Ecn::NotEct,
            1 => Ecn::Ect1,
            2 => Ecn::Ect0,
            _ => Ecn::Ce,
        }
    }

    /// `traffic_class` with this codepoint in its two low bits.
    pub const fn in_traffic_class(self, traffic_class: u8) -> u8 {
        (traffic_class & !3) | self as u8
    }

    /// Whether the sender said that its transport takes part (ECT or CE).
    pub const fn is_capable(self) -> bool {
        !matches!(self, Ecn::NotEct)
    }
}

impl fmt::Display for Ecn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ecn::NotEct => "Not-ECT",
            Ecn::Ect1 => "ECT(1)",
            Ecn::Ect0 => "ECT(0)",
            Ecn::Ce => "CE",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_codepoint_survives_the_way_through_a_traffic_class() {
        for bits in 0..=255u8 {
            let ecn = Ecn::from_traffic_class(bits);
            assert_eq!(ecn as u8, bits & 3);
            assert_eq!(ecn.in_traffic_class(bits), bits);
            assert_eq!(ecn.in_traffic_class(!bits), (!bits & !3) | (bits & 3));
        }
    }
}
