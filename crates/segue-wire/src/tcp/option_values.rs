//! The values that TCP options carry, and options as raw bytes.
//!
//! Decides which values can exist: no list longer than the wire allows, no
//! cookie or MAC of a length that cannot be written. How they are found among
//! other options is decided by the parser, how they are laid out by the writer.

use core::fmt;
use core::ops::{Deref, DerefMut};
use core::time::Duration;

/// Most option bytes a header can carry.
pub const MAX_OPTIONS_LEN: usize = 40;

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
