//! The algorithms of RFC 5926: what derives traffic keys, and what makes MACs.

use aes::Aes128;
use cmac::Cmac;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Longest output of any of them.
const MAX_OUTPUT: usize = 20;
const AES_KEY: usize = 16;

/// A pair of key derivation function and MAC (RFC 5926 section 2.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum AoAlgorithm {
    /// `hmac(sha1)`: KDF_HMAC_SHA1 and HMAC-SHA-1-96.
    #[default]
    HmacSha1,
    /// `cmac(aes128)`: KDF_AES_128_CMAC and AES-128-CMAC-96.
    Aes128Cmac,
}

/// What an algorithm gives: a traffic key, or a MAC before it is cut.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AoOutput {
    bytes: [u8; MAX_OUTPUT],
    len: u8,
}

impl AoOutput {
    fn of(output: &[u8]) -> AoOutput {
        let mut bytes = [0; MAX_OUTPUT];
        let len = output.len().min(MAX_OUTPUT);
        bytes[..len].copy_from_slice(&output[..len]);
        AoOutput { bytes, len: len as u8 }
    }
}

impl core::ops::Deref for AoOutput {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// Keys are not for logs.
impl core::fmt::Debug for AoOutput {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "AoOutput({} bytes)", self.len)
    }
}

impl AoAlgorithm {
    /// By Linux's name; `None`: there is no such algorithm.
    pub fn from_name(name: &str) -> Option<AoAlgorithm> {
        [AoAlgorithm::HmacSha1, AoAlgorithm::Aes128Cmac].into_iter().find(|known| known.name() == name)
    }

    /// Linux's name.
    pub const fn name(self) -> &'static str {
        match self {
            AoAlgorithm::HmacSha1 => "hmac(sha1)",
            AoAlgorithm::Aes128Cmac => "cmac(aes128)",
        }
    }

    /// Bytes that it gives: the longest MAC.
    pub const fn output_len(self) -> usize {
        match self {
            AoAlgorithm::HmacSha1 => 20,
            AoAlgorithm::Aes128Cmac => 16,
        }
    }

    /// The key with which traffic keys are derived. RFC 5926 section 3.1.1.2: AES wants 16 bytes and makes them of others.
    pub(super) fn derivation_key(self, master: &[u8]) -> AoOutputOrMaster<'_> {
        match self {
            AoAlgorithm::Aes128Cmac if master.len() != AES_KEY => {
                AoOutputOrMaster::Made(self.output(&[0; AES_KEY], |feed| feed(master)))
            }
            _ => AoOutputOrMaster::Master(master),
        }
    }

    /// The pseudo-random function over what `input` feeds.
    pub(super) fn output(self, key: &[u8], input: impl FnOnce(&mut dyn FnMut(&[u8]))) -> AoOutput {
        match self {
            AoAlgorithm::HmacSha1 => run::<Hmac<Sha1>>(key, input),
            AoAlgorithm::Aes128Cmac => run::<Cmac<Aes128>>(key, input),
        }
    }
}

/// Either the master key as it is or what was made of it.
pub(super) enum AoOutputOrMaster<'a> {
    Master(&'a [u8]),
    Made(AoOutput),
}

impl core::ops::Deref for AoOutputOrMaster<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            AoOutputOrMaster::Master(master) => master,
            AoOutputOrMaster::Made(made) => made,
        }
    }
}

fn run<M: Mac + KeyInit>(key: &[u8], input: impl FnOnce(&mut dyn FnMut(&[u8]))) -> AoOutput {
    // HMAC takes a key of any length, and CMAC is only given its own; one of a wrong length would match nothing.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return AoOutput::of(&[]) };
    input(&mut |bytes| mac.update(bytes));
    AoOutput::of(&mac.finalize().into_bytes())
}
