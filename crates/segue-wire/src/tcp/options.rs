//! TCP options: what each means on the wire (RFC 9293 section 3.2 and others).
//!
//! Parsing is lenient as Linux's is: unknown kinds are skipped, an option whose
//! length is illegal for its kind is skipped, a length that cannot be true ends
//! the list; both set [`TcpOptions::malformed`]. Nothing behind End-of-List is
//! looked at. Which options count on which segment (MSS, scale, SACK-permitted
//! and Fast Open only with SYN) is the connection's rule, not this module's.

use super::option_values::{AccEcn, AccEcnOrder, AoMac, FastOpenCookie, SackBlocks, TcpAo, Timestamps, UserTimeout};
use crate::bytes_at::{array, be16, be32, byte};

/// Option kind numbers.
pub mod kind {
    /// End of option list.
    pub const END: u8 = 0;
    /// No operation.
    pub const NOP: u8 = 1;
    /// Maximum segment size.
    pub const MSS: u8 = 2;
    /// Window scale (RFC 7323).
    pub const WINDOW_SCALE: u8 = 3;
    /// SACK permitted (RFC 2018).
    pub const SACK_PERMITTED: u8 = 4;
    /// SACK blocks (RFC 2018).
    pub const SACK: u8 = 5;
    /// Timestamps (RFC 7323).
    pub const TIMESTAMPS: u8 = 8;
    /// MD5 signature (RFC 2385).
    pub const MD5: u8 = 19;
    /// User timeout (RFC 5482).
    pub const USER_TIMEOUT: u8 = 28;
    /// TCP-AO (RFC 5925).
    pub const AUTHENTICATION: u8 = 29;
    /// Fast Open cookie (RFC 7413).
    pub const FAST_OPEN: u8 = 34;
    /// Accurate ECN, order 0 (RFC 9768).
    pub const ACCECN0: u8 = 172;
    /// Accurate ECN, order 1 (RFC 9768).
    pub const ACCECN1: u8 = 174;
    /// Shared experimental option (RFC 6994).
    pub const EXPERIMENTAL: u8 = 254;
}

/// Experiment identifier of Fast Open in kind 254 (RFC 6994, RFC 7413 section 4.1.1).
pub(super) const FAST_OPEN_MAGIC: u16 = 0xf989;
/// RFC 7323 section 2.3: a larger shift count is used as 14.
const MAX_WINDOW_SCALE: u8 = 14;

/// Every option of a segment, by kind.
///
/// Of an option that is there twice the last one counts, as in Linux; TCP-AO and
/// MD5 are the exception, see [`TcpOptions::signature_conflict`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TcpOptions {
    /// Maximum segment size, bytes; zero is read as absent.
    pub mss: Option<u16>,
    /// Window shift count 0..=14; a larger one is read as 14.
    pub window_scale: Option<u8>,
    /// Whether SACK blocks are welcome.
    pub sack_permitted: bool,
    /// SACK blocks, in the order of the wire.
    pub sack: SackBlocks,
    /// Timestamps.
    pub timestamps: Option<Timestamps>,
    /// User timeout.
    pub user_timeout: Option<UserTimeout>,
    /// TCP-AO.
    pub authentication: Option<TcpAo>,
    /// MD5 signature.
    pub md5: Option<[u8; 16]>,
    /// Fast Open cookie or the request for one.
    pub fast_open: Option<FastOpenCookie>,
    /// AccECN byte counters.
    pub accecn: Option<AccEcn>,
    /// Something had an illegal length; the rest was parsed. Not emitted.
    pub malformed: bool,
    /// Two signatures, or one of illegal length: such a segment is discarded
    /// (RFC 5925 section 2.2, and Linux for MD5). Not emitted.
    pub signature_conflict: bool,
}

impl TcpOptions {
    /// Reads the raw options of a header. Never fails: what is illegal is skipped.
    pub fn parse(raw: &[u8]) -> TcpOptions {
        let mut options = TcpOptions::default();
        // The layout of almost every segment of a connection with timestamps.
        if raw.len() == 12 && raw[..4] == [kind::NOP, kind::NOP, kind::TIMESTAMPS, 10] {
            options.timestamps = Some(Timestamps { value: be32(raw, 4), echo: be32(raw, 8) });
            return options;
        }
        let mut rest = raw;
        loop {
            match rest {
                // RFC 9293 section 3.2: End-of-List ends it; what follows is padding, whatever it is.
                [] | [kind::END, ..] => break,
                [kind::NOP, tail @ ..] => rest = tail,
                [kind, len, ..] if *len >= 2 && usize::from(*len) <= rest.len() => {
                    let (option, tail) = rest.split_at(usize::from(*len));
                    options.take(*kind, &option[2..]);
                    rest = tail;
                }
                // MUST-7 (RFC 9293 section 3.1): prepared for an illegal length.
                _ => {
                    options.malformed = true;
                    break;
                }
            }
        }
        options
    }

    /// Takes one option in; `data` is what follows kind and length.
    fn take(&mut self, kind: u8, data: &[u8]) {
        let known = match (kind, data.len()) {
            (kind::MSS, 2) => {
                self.mss = Some(be16(data, 0)).filter(|mss| *mss > 0).or(self.mss);
                true
            }
            (kind::WINDOW_SCALE, 1) => {
                self.window_scale = Some(byte(data, 0).min(MAX_WINDOW_SCALE));
                true
            }
            (kind::SACK_PERMITTED, 0) => {
                self.sack_permitted = true;
                true
            }
            (kind::SACK, 8 | 16 | 24 | 32) => {
                self.sack = SackBlocks::new();
                for block in data.as_chunks::<8>().0 {
                    self.sack.push(be32(block, 0), be32(block, 4));
                }
                true
            }
            (kind::TIMESTAMPS, 8) => {
                self.timestamps = Some(Timestamps { value: be32(data, 0), echo: be32(data, 4) });
                true
            }
            (kind::USER_TIMEOUT, 2) => {
                let word = be16(data, 0);
                self.user_timeout = Some(UserTimeout { minutes: word & 0x8000 != 0, value: word & 0x7fff });
                true
            }
            (kind::MD5, 16) => {
                self.signature_conflict |= self.authentication.is_some() || self.md5.is_some();
                self.md5 = Some(array(data, 0));
                true
            }
            (kind::MD5, _) => {
                self.signature_conflict = true;
                false
            }
            (kind::AUTHENTICATION, _) => self.take_authentication(data),
            (kind::FAST_OPEN, _) => self.take_fast_open(data, false),
            (kind::EXPERIMENTAL, 2..) if be16(data, 0) == FAST_OPEN_MAGIC => self.take_fast_open(&data[2..], true),
            (kind::ACCECN0, _) => self.take_accecn(data, AccEcnOrder::Ect0First),
            (kind::ACCECN1, _) => self.take_accecn(data, AccEcnOrder::Ect1First),
            (kind, _) => !is_fixed_length(kind),
        };
        self.malformed |= !known;
    }

    fn take_authentication(&mut self, data: &[u8]) -> bool {
        self.signature_conflict |= self.authentication.is_some() || self.md5.is_some();
        let mac = data.get(2..).and_then(AoMac::new);
        let Some(mac) = mac else {
            self.signature_conflict = true;
            return false;
        };
        self.authentication = Some(TcpAo { key_id: byte(data, 0), rnext_key_id: byte(data, 1), mac });
        true
    }

    fn take_fast_open(&mut self, cookie: &[u8], experimental: bool) -> bool {
        // RFC 7413 section 4.1.1: an option of another length is ignored.
        let Some(mut cookie) = FastOpenCookie::new(cookie) else {
            return false;
        };
        cookie.experimental = experimental;
        self.fast_open = Some(cookie);
        true
    }

    fn take_accecn(&mut self, data: &[u8], order: AccEcnOrder) -> bool {
        // RFC 9768 section 3.2.3: whole fields that fit are used, the rest is ignored.
        let field =
            |n: usize| data.get(n * 3..n * 3 + 3).map(|_| be32(&[0, data[n * 3], data[n * 3 + 1], data[n * 3 + 2]], 0));
        let (ect0, ect1) = match order {
            AccEcnOrder::Ect0First => (field(0), field(2)),
            AccEcnOrder::Ect1First => (field(2), field(0)),
        };
        self.accecn = Some(AccEcn { order, ect0_bytes: ect0, ce_bytes: field(1), ect1_bytes: ect1 });
        true
    }
}

/// Kinds whose length is fixed: with any other they are malformed, not unknown.
fn is_fixed_length(kind: u8) -> bool {
    matches!(
        kind,
        kind::MSS | kind::WINDOW_SCALE | kind::SACK_PERMITTED | kind::SACK | kind::TIMESTAMPS | kind::USER_TIMEOUT
    )
}
