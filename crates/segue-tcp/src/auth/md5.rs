//! The digest of TCP MD5 (RFC 2385), for peers that know nothing better.

use md5::{Digest, Md5};
use segue_wire::tcp::kind;

use super::{Covered, is_same};

/// Bytes that the option takes: two NOPs, kind, length, digest.
pub const MD5_OPTION_LEN: usize = 20;
const DIGEST_LEN: usize = 16;

/// RFC 2385 section 2.0: pseudo-header, TCP header without options and with a checksum of zero, text, key.
pub fn md5_digest(segment: &Covered<'_>, key: &[u8]) -> [u8; DIGEST_LEN] {
    let mut digest = Md5::new();
    segment.pseudo_header(|bytes| digest.update(bytes));
    digest.update(segment.fixed_header());
    segment.text(|bytes| digest.update(bytes));
    digest.update(key);
    digest.finalize().into()
}

/// Whether a segment that arrived has the digest that the key gives it.
pub fn md5_matches(segment: &Covered<'_>, key: &[u8], digest: &[u8; DIGEST_LEN]) -> bool {
    is_same(&md5_digest(segment, key), digest)
}

/// Writes the option's frame to the front of a header's options; gives the place of the digest, which is still zero.
/// `None`: there is no room.
pub fn put_md5_option(options: &mut [u8]) -> Option<&mut [u8; DIGEST_LEN]> {
    let (frame, digest) = options.get_mut(..MD5_OPTION_LEN)?.split_at_mut(MD5_OPTION_LEN - DIGEST_LEN);
    frame.copy_from_slice(&[kind::NOP, kind::NOP, kind::MD5, 2 + DIGEST_LEN as u8]);
    digest.fill(0);
    digest.try_into().ok()
}

#[cfg(test)]
mod tests {
    use core::net::IpAddr;

    use bytes::Bytes;
    use segue_wire::Chunks;

    use super::*;

    /// Computed with another implementation of MD5 from the words of RFC 2385.
    #[test]
    fn the_digest_covers_pseudo_header_fixed_header_text_and_key_but_neither_options_nor_checksum() {
        let mut header = [0; 40];
        let fixed = [0, 179, 156, 64, 1, 2, 3, 4, 5, 6, 7, 8, 0xa0, 0x18, 3, 232, 0xbe, 0xef, 0, 0];
        header[..20].copy_from_slice(&fixed);
        put_md5_option(&mut header[20..]).unwrap();
        let rest: Chunks = [Bytes::from_static(b"al"), Bytes::from_static(b"ive")].into_iter().collect();
        let digest = |source: &str, destination: &str, header: &[u8]| {
            let address = |text: &str| text.parse::<IpAddr>().unwrap();
            let (source, destination) = (address(source), address(destination));
            md5_digest(&Covered { source, destination, header, front: b"keep", rest: &rest }, b"secret")
        };
        let v4 = 0x9703_533b_8ea9_a3bd_3db5_6873_5c2f_e350_u128.to_be_bytes();
        assert_eq!(digest("10.0.0.1", "10.0.0.2", &header), v4);
        assert_eq!(digest("fd00::1", "fd00::2", &header), 0xc186_530c_8c2d_2f77_38e5_dceb_42ba_0b3a_u128.to_be_bytes());
        header[39] ^= 1;
        header[16] ^= 1;
        assert_eq!(digest("10.0.0.1", "10.0.0.2", &header), v4);
        header[4] ^= 1;
        assert_ne!(digest("10.0.0.1", "10.0.0.2", &header), v4);
        assert_ne!(digest("10.0.0.1", "10.0.0.3", &header), v4);
    }
}
