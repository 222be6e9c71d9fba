//! The extensions of ICMP errors (RFC 4884), as the error queue tells of them.
//!
//! Decides whether they are well-formed. What an object says is the application's affair.
use segue_wire::checksum::Sum;

/// RFC 4884 section 7: version in the upper four bits, checksum in the third and fourth byte.
const HEADER: usize = 4;
const OBJECT_HEADER: usize = 4;
const VERSION: u8 = 2;
/// `SO_EE_RFC4884_FLAG_INVALID`.
const INVALID: u8 = 1;

/// `struct sock_ee_data_rfc4884` as the word that it stands in: where extensions begin in `quote`, and whether they are
/// well-formed; 0 when there is no room for any.
pub(super) fn described(quote: &[u8], at: usize) -> u32 {
    let Ok(offset) = u16::try_from(at) else { return 0 };
    match quote.get(at..) {
        Some(extensions) if extensions.len() >= HEADER => {
            let [low, high] = offset.to_ne_bytes();
            let flags = if is_well_formed(extensions) { 0 } else { INVALID };
            u32::from_ne_bytes([low, high, flags, 0])
        }
        _ => 0,
    }
}

/// As Linux: of another version everything is; a checksum of zero is none.
fn is_well_formed(extensions: &[u8]) -> bool {
    let [version, _, high, low] = extensions[..HEADER] else { return false };
    if version >> 4 != VERSION {
        return true;
    }
    let mut sum = Sum::new();
    sum.add_slice(extensions);
    if (high, low) != (0, 0) && sum.checksum() != 0 {
        return false;
    }
    let mut objects = &extensions[HEADER..];
    while !objects.is_empty() {
        let Some(length) = objects.first_chunk::<OBJECT_HEADER>().map(|front| u16::from_be_bytes([front[0], front[1]]))
        else {
            return false;
        };
        match objects.get(usize::from(length)..) {
            Some(rest) if usize::from(length) >= OBJECT_HEADER => objects = rest,
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: [u8; 4] = [0x20, 0, 0, 0];
    const OBJECT: [u8; 8] = [0, 8, 1, 1, 0xde, 0xad, 0xbe, 0xef];

    fn flags(extensions: &[u8]) -> u8 {
        described(extensions, 0).to_ne_bytes()[2]
    }

    #[test]
    fn extensions_are_well_formed_when_their_objects_end_with_them() {
        assert_eq!(flags(&HEAD), 0);
        assert_eq!(flags(&[&HEAD[..], &OBJECT].concat()), 0);
        assert_eq!(flags(&[&HEAD[..], &OBJECT, &[0]].concat()), INVALID);
        assert_eq!(flags(&[&HEAD[..], &[0, 3, 1, 1]].concat()), INVALID);
        assert_eq!(flags(&[&HEAD[..], &[0, 9, 1, 1, 0]].concat()), INVALID);
        assert_eq!(flags(&[0x10, 0, 0, 0, 9]), 0, "of another version nothing is known");
    }

    #[test]
    fn a_checksum_counts_unless_it_is_zero() {
        let mut extensions = [&HEAD[..], &OBJECT].concat();
        let mut sum = Sum::new();
        sum.add_slice(&extensions);
        extensions[2..4].copy_from_slice(&sum.checksum().to_be_bytes());
        assert_eq!(flags(&extensions), 0);
        extensions[2] ^= 1;
        assert_eq!(flags(&extensions), INVALID);
    }

    #[test]
    fn the_place_is_told_only_where_there_is_room_for_extensions() {
        assert_eq!(described(&[0; 7], 4), 0);
        assert_eq!(described(&[0; 8], 4).to_ne_bytes()[..2], 4u16.to_ne_bytes());
        assert_eq!(described(&[0; 8], 70_000), 0);
    }
}
