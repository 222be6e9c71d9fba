//! The cookies of Fast Open: a keyed hash of both addresses (RFC 7413 section 4.1.2).
//!
//! Decides how a cookie is computed, exactly as Linux does, so that servers which share a key (and an address) honour each
//! other's cookies: SipHash-2-4 of source and destination address as they stand in the packet, eight bytes, little endian.
//! A second key only checks: cookies of before a change of keys stay good.
use core::fmt;
use core::hash::Hasher;
use core::net::IpAddr;

use segue_tcp::FastOpenCookie;
use siphasher::sip::SipHasher24;

/// Keys of a server's Fast Open cookies: `net.ipv4.tcp_fastopen_key` and `TCP_FASTOPEN_KEY`.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct FastOpenKeys {
    /// Makes cookies, and checks them.
    pub primary: [u8; 16],
    /// Only checks cookies: the primary key of before.
    pub backup: Option<[u8; 16]>,
}

impl fmt::Debug for FastOpenKeys {
    /// Shows nothing: a key in a log is a key lost.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FastOpenKeys(..)")
    }
}

impl fmt::Display for FastOpenKeys {
    /// As the sysctl prints it: four words of hexadecimal, a second key after a comma.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_key(f, &self.primary)?;
        match &self.backup {
            Some(backup) => {
                f.write_str(",")?;
                write_key(f, backup)
            }
            None => Ok(()),
        }
    }
}

fn write_key(f: &mut fmt::Formatter<'_>, key: &[u8; 16]) -> fmt::Result {
    for (at, word) in key.as_chunks::<4>().0.iter().enumerate() {
        let separator = if at == 0 { "" } else { "-" };
        write!(f, "{separator}{:08x}", u32::from_le_bytes(*word))?;
    }
    Ok(())
}

/// Which key a cookie was made with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum MadeWith {
    Primary,
    Backup,
}

impl FastOpenKeys {
    /// Keys that nobody shares. `random`: two numbers nobody can foresee.
    pub(crate) fn from_random(random: [u64; 2]) -> FastOpenKeys {
        let mut primary = [0; 16];
        primary[..8].copy_from_slice(&random[0].to_le_bytes());
        primary[8..].copy_from_slice(&random[1].to_le_bytes());
        FastOpenKeys { primary, backup: None }
    }

    /// Keys as the sysctl takes them: `aaaaaaaa-bbbbbbbb-cccccccc-dddddddd`, with a second one after a comma.
    pub(crate) fn parse(text: &str) -> Option<FastOpenKeys> {
        let mut keys = text.trim().split(',').map(parse_key);
        let primary = keys.next()??;
        let backup = match keys.next() {
            Some(key) => Some(key?),
            None => None,
        };
        keys.next().is_none().then_some(FastOpenKeys { primary, backup })
    }

    /// Keys as `TCP_FASTOPEN_KEY` takes them: 16 bytes, or 32 with the second one.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<FastOpenKeys> {
        match bytes.as_chunks::<16>() {
            ([primary], []) => Some(FastOpenKeys { primary: *primary, backup: None }),
            ([primary, backup], []) => Some(FastOpenKeys { primary: *primary, backup: Some(*backup) }),
            _ => None,
        }
    }

    /// As `getsockopt` gives them.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = self.primary.to_vec();
        bytes.extend(self.backup.into_iter().flatten());
        bytes
    }

    /// The cookie for a client's SYN from `source` to `destination`, in the form that the client used.
    pub(super) fn make(&self, source: IpAddr, destination: IpAddr, experimental: bool) -> Option<FastOpenCookie> {
        let mut cookie = FastOpenCookie::new(&hash(&self.primary, source, destination))?;
        cookie.experimental = experimental;
        Some(cookie)
    }

    /// Whether this server made the cookie for these addresses, and with which key.
    pub(super) fn check(&self, cookie: &FastOpenCookie, source: IpAddr, destination: IpAddr) -> Option<MadeWith> {
        let is_of = |key: &[u8; 16]| is_equal(&hash(key, source, destination), cookie);
        if is_of(&self.primary) {
            return Some(MadeWith::Primary);
        }
        self.backup.as_ref().filter(|key| is_of(key)).map(|_| MadeWith::Backup)
    }
}

fn parse_key(text: &str) -> Option<[u8; 16]> {
    let mut key = [0; 16];
    let mut words = text.split('-');
    for slot in key.as_chunks_mut::<4>().0 {
        let word = words.next().filter(|word| (1..=8).contains(&word.len()))?;
        if !word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        *slot = u32::from_str_radix(word, 16).ok()?.to_le_bytes();
    }
    words.next().is_none().then_some(key)
}

fn hash(key: &[u8; 16], source: IpAddr, destination: IpAddr) -> [u8; 8] {
    let mut hasher = SipHasher24::new_with_key(key);
    for address in [source, destination] {
        match address {
            IpAddr::V4(v4) => hasher.write(&v4.octets()),
            IpAddr::V6(v6) => hasher.write(&v6.octets()),
        }
    }
    hasher.finish().to_le_bytes()
}

/// In a time that does not tell how much was right.
fn is_equal(ours: &[u8; 8], theirs: &[u8]) -> bool {
    ours.len() == theirs.len() && ours.iter().zip(theirs).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn keys_are_read_and_printed_as_linux_does() {
        for text in [
            "00000001-00000002-00000003-0000000a",
            "f0e1d2c3-00000000-12345678-ffffffff,a1b2c3d4-00000000-00000000-00000001",
        ] {
            assert_eq!(FastOpenKeys::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(FastOpenKeys::parse("1-2-3-4").unwrap().to_string(), "00000001-00000002-00000003-00000004");
        for text in ["", "1-2-3", "1-2-3-4-5", "1-2-3-g", "1-2-3-123456789", "1-2-3-4,", "1-2-3-4,1-2-3-4,1-2-3-4"] {
            assert_eq!(FastOpenKeys::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn keys_come_in_16_or_32_bytes_and_go_out_as_they_came() {
        for len in 0..50 {
            let bytes: Vec<u8> = (0..len).collect();
            let keys = FastOpenKeys::from_bytes(&bytes);
            assert_eq!(keys.map(FastOpenKeys::to_bytes), (len == 16 || len == 32).then_some(bytes));
        }
    }

    #[test]
    fn a_cookie_is_good_for_its_addresses_and_its_key_only() {
        let old = FastOpenKeys::parse("1-2-3-4").unwrap();
        let new = FastOpenKeys { primary: [7; 16], backup: Some(old.primary) };
        let (client, server) = (ip("192.0.2.1"), ip("192.168.0.1"));
        let cookie = old.make(client, server, false).unwrap();
        assert_eq!(cookie.len(), 8);
        assert_eq!(old.check(&cookie, client, server), Some(MadeWith::Primary));
        assert_eq!(new.check(&cookie, client, server), Some(MadeWith::Backup));
        assert_eq!(FastOpenKeys { backup: None, ..new }.check(&cookie, client, server), None);
        for (source, destination) in [(ip("192.0.2.2"), server), (client, ip("192.168.0.2")), (server, client)] {
            assert_eq!(old.check(&cookie, source, destination), None);
        }
        let short = FastOpenCookie::new(&cookie[..6]).unwrap();
        assert_eq!(old.check(&short, client, server), None);
    }

    #[test]
    fn a_key_does_not_show_itself_in_a_log() {
        assert_eq!(format!("{:?}", FastOpenKeys::from_random([1, 2])), "FastOpenKeys(..)");
    }
}
