//! TCP options: what each means on the wire (RFC 9293 section 3.2 and others).
//!
//! Parsing is lenient as Linux's is: unknown kinds are skipped, an option whose
//! length is illegal for its kind is skipped, a length that cannot be true ends
//! the list; both set [`TcpOptions::malformed`]. Nothing behind End-of-List is
//! looked at. Which options count on which segment (MSS, scale, SACK-permitted
//! and Fast Open only with SYN) is the connection's rule, not this module's.

use crate::bytes_at::{array, be16, be32, byte};
use core::fmt;
use core::ops::{Deref, DerefMut};
use core::time::Duration;

/// Most option bytes a header can carry.
pub const MAX_OPTIONS_LEN: usize = 40;

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

/// Timestamps option (RFC 7323 section 3.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Timestamps {
    /// TSval: the sender's clock.
    pub value: u32,
    /// TSecr: echo of the peer's clock, valid when ACK is set.
    pub echo: u32,
}

/// User timeout option (RFC 5482 section 3): 15 bits of seconds or minutes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct UserTimeout {
    /// Whether `value` counts minutes; seconds otherwise.
    pub minutes: bool,
    /// The time-out, 0..=32767.
    pub value: u16,
}

impl UserTimeout {
    /// The longest time that can be said: 32767 minutes.
    pub const MAX: Duration = Duration::from_secs(32767 * 60);

    /// The option that says `time`, rounded up to what it can express, at most [`UserTimeout::MAX`].
    pub fn from_duration(time: Duration) -> UserTimeout {
        let seconds = time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0));
        if seconds <= 0x7fff {
            UserTimeout { minutes: false, value: seconds as u16 }
        } else {
            UserTimeout { minutes: true, value: seconds.div_ceil(60).min(0x7fff) as u16 }
        }
    }

    /// The time-out as a duration.
    pub fn duration(self) -> Duration {
        let unit = if self.minutes { 60 } else { 1 };
        Duration::from_secs(u64::from(self.value & 0x7fff) * unit)
    }
}

/// SACK blocks: at most four half-open ranges `(left, right)` of sequence numbers (RFC 2018).
#[derive(Clone, Copy, Default)]
pub struct SackBlocks {
    blocks: [(u32, u32); SackBlocks::MAX],
    len: u8,
}

impl SackBlocks {
    /// Most blocks that fit in the option space.
    pub const MAX: usize = 4;

    /// No blocks.
    pub const fn new() -> SackBlocks {
        SackBlocks { blocks: [(0, 0); SackBlocks::MAX], len: 0 }
    }

    /// Appends a block; `false` when there are four already.
    pub fn push(&mut self, left: u32, right: u32) -> bool {
        let Some(slot) = self.blocks.get_mut(usize::from(self.len)) else {
            return false;
        };
        *slot = (left, right);
        self.len += 1;
        true
    }

    /// Keeps the first `n` blocks.
    pub fn truncate(&mut self, n: usize) {
        self.len = self.len.min(n.min(SackBlocks::MAX) as u8);
    }
}

impl Deref for SackBlocks {
    type Target = [(u32, u32)];

    fn deref(&self) -> &[(u32, u32)] {
        &self.blocks[..usize::from(self.len).min(SackBlocks::MAX)]
    }
}

impl<'a> IntoIterator for &'a SackBlocks {
    type Item = &'a (u32, u32);
    type IntoIter = core::slice::Iter<'a, (u32, u32)>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialEq for SackBlocks {
    fn eq(&self, other: &SackBlocks) -> bool {
        **self == **other
    }
}

impl Eq for SackBlocks {}

impl fmt::Debug for SackBlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// MAC of a TCP-AO option: 0..=36 bytes, 12 with the mandatory algorithms (RFC 5926).
#[derive(Clone, Copy)]
pub struct AoMac {
    len: u8,
    bytes: [u8; AoMac::MAX],
}

impl AoMac {
    /// Longest MAC that fits in the option space.
    pub const MAX: usize = MAX_OPTIONS_LEN - 4;

    /// A MAC from its bytes; `None` when there are more than [`AoMac::MAX`].
    pub fn new(mac: &[u8]) -> Option<AoMac> {
        let mut bytes = [0; AoMac::MAX];
        bytes.get_mut(..mac.len())?.copy_from_slice(mac);
        Some(AoMac { len: mac.len() as u8, bytes })
    }
}

impl Deref for AoMac {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len).min(AoMac::MAX)]
    }
}

impl PartialEq for AoMac {
    fn eq(&self, other: &AoMac) -> bool {
        **self == **other
    }
}

impl Eq for AoMac {}

impl fmt::Debug for AoMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.iter() {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// TCP-AO option (RFC 5925 section 2.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpAo {
    /// Which key signed this segment.
    pub key_id: u8,
    /// Which key the sender would like to receive.
    pub rnext_key_id: u8,
    /// The signature.
    pub mac: AoMac,
}

/// Fast Open option: a cookie of 4..=16 bytes, or the request for one (RFC 7413 section 4.1.1).
#[derive(Clone, Copy)]
pub struct FastOpenCookie {
    /// Whether it came (or shall go) as experimental kind 254 with magic 0xF989.
    pub experimental: bool,
    len: u8,
    bytes: [u8; FastOpenCookie::MAX],
}

impl FastOpenCookie {
    /// Shortest cookie.
    pub const MIN: usize = 4;
    /// Longest cookie.
    pub const MAX: usize = 16;

    /// The request for a cookie: an option without one.
    pub const REQUEST: FastOpenCookie = FastOpenCookie { experimental: false, len: 0, bytes: [0; FastOpenCookie::MAX] };

    /// A cookie; `None` unless it has an even number of bytes, 4..=16 (or none: a request).
    pub fn new(cookie: &[u8]) -> Option<FastOpenCookie> {
        let n = cookie.len();
        if n != 0 && !(n.is_multiple_of(2) && (FastOpenCookie::MIN..=FastOpenCookie::MAX).contains(&n)) {
            return None;
        }
        let mut bytes = [0; FastOpenCookie::MAX];
        bytes[..n].copy_from_slice(cookie);
        Some(FastOpenCookie { experimental: false, len: n as u8, bytes })
    }

    /// Whether this asks for a cookie instead of showing one.
    pub fn is_request(&self) -> bool {
        self.len == 0
    }
}

impl Deref for FastOpenCookie {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len).min(FastOpenCookie::MAX)]
    }
}

impl PartialEq for FastOpenCookie {
    fn eq(&self, other: &FastOpenCookie) -> bool {
        self.experimental == other.experimental && **self == **other
    }
}

impl Eq for FastOpenCookie {}

impl fmt::Debug for FastOpenCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_request() {
            return f.write_str("request");
        }
        for byte in self.iter() {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// Order of the fields of an AccECN option (RFC 9768 section 3.2.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum AccEcnOrder {
    /// Kind 172: ECT(0), CE, ECT(1).
    #[default]
    Ect0First,
    /// Kind 174: ECT(1), CE, ECT(0).
    Ect1First,
}

/// AccECN option: 24-bit counters of bytes by codepoint (RFC 9768 section 3.2.3).
///
/// Fields are there from the front of the order: the second never without the
/// first. What is missing in the middle ends what is emitted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct AccEcn {
    /// Which of the two forms.
    pub order: AccEcnOrder,
    /// Low 24 bits of the count of bytes that came as ECT(0).
    pub ect0_bytes: Option<u32>,
    /// Low 24 bits of the count of bytes that came as CE.
    pub ce_bytes: Option<u32>,
    /// Low 24 bits of the count of bytes that came as ECT(1).
    pub ect1_bytes: Option<u32>,
}

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
    /// TCP-AO twice, TCP-AO of illegal length, or TCP-AO beside MD5: such a
    /// segment is discarded (RFC 5925 section 2.2). Not emitted.
    pub signature_conflict: bool,
}

/// Options as they go on the wire: at most 40 bytes, a multiple of four.
#[derive(Clone, Copy)]
pub struct OptionBytes {
    len: u8,
    bytes: [u8; MAX_OPTIONS_LEN],
}

impl OptionBytes {
    /// No options.
    pub const EMPTY: OptionBytes = OptionBytes { len: 0, bytes: [0; MAX_OPTIONS_LEN] };

    /// `len` bytes of options that are aligned already.
    pub(super) fn aligned(bytes: [u8; MAX_OPTIONS_LEN], len: usize) -> OptionBytes {
        debug_assert!(len <= MAX_OPTIONS_LEN && len.is_multiple_of(4));
        OptionBytes { len: len as u8, bytes }
    }

    /// Raw option bytes, padded with zeroes to a multiple of four; `None` beyond 40 bytes.
    pub fn from_slice(raw: &[u8]) -> Option<OptionBytes> {
        let mut options = OptionBytes::EMPTY;
        options.bytes.get_mut(..raw.len())?.copy_from_slice(raw);
        options.len = raw.len().next_multiple_of(4) as u8;
        Some(options)
    }
}

impl Default for OptionBytes {
    fn default() -> OptionBytes {
        OptionBytes::EMPTY
    }
}

impl Deref for OptionBytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len).min(MAX_OPTIONS_LEN)]
    }
}

/// For whoever signs: the MAC is written over its place once the rest is final.
impl DerefMut for OptionBytes {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..usize::from(self.len).min(MAX_OPTIONS_LEN)]
    }
}

impl PartialEq for OptionBytes {
    fn eq(&self, other: &OptionBytes) -> bool {
        **self == **other
    }
}

impl Eq for OptionBytes {}

impl fmt::Debug for OptionBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
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
        kind::MSS
            | kind::WINDOW_SCALE
            | kind::SACK_PERMITTED
            | kind::SACK
            | kind::TIMESTAMPS
            | kind::USER_TIMEOUT
            | kind::MD5
    )
}
