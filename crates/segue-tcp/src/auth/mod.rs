//! Segment authentication: TCP MD5 (RFC 2385) and TCP-AO (RFC 5925).
//!
//! Decides what a signature covers, what it is, and how much room it takes in a header. Does not decide whose keys count,
//! when a segment is signed or what becomes of one that fails: addresses, and with them those decisions, are the stack's.

mod ao;
mod covered;
mod md5;

pub use ao::{AoAlgorithm, AoContext, AoKey, AoOutput, AoSession, Extension, find_ao_mac};
pub use covered::Covered;
pub use md5::{MD5_OPTION_LEN, md5_digest, md5_matches, put_md5_option};

/// What every segment of a connection carries beside the options that the connection itself writes.
///
/// It takes room from the text and from SACK blocks, and it displaces options, as on Linux: no timestamps in a SYN with an
/// MD5 digest, and in a SYN-ACK none beside SACK.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Signature {
    /// Segments are not signed.
    #[default]
    None,
    /// A digest of RFC 2385.
    Md5,
    /// TCP-AO, whose option takes so many bytes, padding included.
    Ao {
        /// At most 20.
        option_len: u8,
    },
}

impl Signature {
    /// Bytes of options that it takes, padding included.
    pub const fn len(self) -> u16 {
        match self {
            Signature::None => 0,
            Signature::Md5 => MD5_OPTION_LEN as u16,
            Signature::Ao { option_len } => option_len as u16,
        }
    }

    /// Whether segments are not signed.
    pub const fn is_empty(self) -> bool {
        matches!(self, Signature::None)
    }
}

/// Whether two MACs are the same, in a time that does not tell where they differ.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let differs = one.iter().zip(other).fold(0, |differs, (a, b)| differs | (a ^ b));
    one.len() == other.len() && core::hint::black_box(differs) == 0
}
