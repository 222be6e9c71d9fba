//! The MD5 keys of a socket: one for each network, the longest prefix counts.
use core::net::IpAddr;
use std::sync::Arc;

use crate::{Cidr, Errno};

/// As many as Linux's `net.core.optmem_max` (128 KiB) has room for.
const MOST_KEYS: usize = 960;

/// A key for the peers of a network.
#[derive(Clone, Debug)]
pub(crate) struct Md5Key {
    pub(crate) network: Cidr,
    pub(crate) secret: Arc<[u8]>,
}

impl Md5Key {
    /// The same key for one peer.
    pub(crate) fn for_peer(&self, peer: IpAddr) -> Md5Key {
        Md5Key { network: Cidr::host(peer), secret: Arc::clone(&self.secret) }
    }
}

/// See the module. Longest prefix first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Md5Keys {
    keys: Vec<Md5Key>,
}

impl Md5Keys {
    pub(crate) fn of_one(key: Md5Key) -> Md5Keys {
        Md5Keys { keys: vec![key] }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn networks(&self) -> impl Iterator<Item = Cidr> {
        self.keys.iter().map(|key| key.network)
    }

    /// The key for a peer.
    pub(crate) fn find(&self, peer: IpAddr) -> Option<&Md5Key> {
        self.keys.iter().find(|key| key.network.contains(peer))
    }

    /// Sets the key of a network, or changes it.
    pub(crate) fn set(&mut self, key: Md5Key) -> Result<(), Errno> {
        if let Some(old) = self.keys.iter_mut().find(|old| old.network == key.network) {
            old.secret = key.secret;
            return Ok(());
        }
        if self.keys.len() >= MOST_KEYS {
            return Err(Errno::ENOMEM);
        }
        // As Linux: of two with one prefix length the newer one is looked at first.
        let at = self.keys.partition_point(|old| old.network.prefix() > key.network.prefix());
        self.keys.insert(at, key);
        Ok(())
    }

    /// Takes the key of exactly this network away.
    pub(crate) fn remove(&mut self, network: Cidr) -> Result<(), Errno> {
        let at = self.keys.iter().position(|key| key.network == network).ok_or(Errno::ENOENT)?;
        self.keys.remove(at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(network: &str, secret: &str) -> Md5Key {
        Md5Key { network: network.parse().unwrap(), secret: secret.as_bytes().into() }
    }

    #[test]
    fn the_key_with_the_longest_prefix_counts_whatever_came_first() {
        let mut keys = Md5Keys::default();
        keys.set(key("10.0.0.0/8", "net")).unwrap();
        keys.set(key("10.1.2.3/32", "host")).unwrap();
        keys.set(key("10.1.0.0/16", "site")).unwrap();
        keys.set(key("fd00::/64", "six")).unwrap();
        let found =
            |peer: &str| keys.find(peer.parse().unwrap()).map(|key| String::from_utf8_lossy(&key.secret).into_owned());
        assert_eq!(found("10.1.2.3").as_deref(), Some("host"));
        assert_eq!(found("10.1.2.4").as_deref(), Some("site"));
        assert_eq!(found("10.2.0.1").as_deref(), Some("net"));
        assert_eq!(found("11.0.0.1"), None);
        assert_eq!(found("fd00::7").as_deref(), Some("six"));
        assert_eq!(found("fd00:0:0:1::7"), None);
    }

    #[test]
    fn a_key_is_changed_and_removed_by_exactly_its_network() {
        let mut keys = Md5Keys::default();
        keys.set(key("10.0.0.1/32", "old")).unwrap();
        keys.set(key("10.0.0.1/32", "new")).unwrap();
        assert_eq!(&*keys.find("10.0.0.1".parse().unwrap()).unwrap().secret, b"new");
        assert_eq!(keys.remove("10.0.0.1/24".parse().unwrap()), Err(Errno::ENOENT));
        assert_eq!(keys.remove("10.0.0.1/32".parse().unwrap()), Ok(()));
        assert!(keys.is_empty());
    }

    #[test]
    fn the_list_has_an_end() {
        let mut keys = Md5Keys::default();
        for n in 0..MOST_KEYS as u32 {
            keys.set(Md5Key { network: Cidr::host(core::net::Ipv4Addr::from_bits(n).into()), secret: [1].into() })
                .unwrap();
        }
        assert_eq!(keys.set(key("10.0.0.1/32", "one more")), Err(Errno::ENOMEM));
        assert_eq!(keys.set(key("0.0.0.7/32", "changed")), Ok(()));
    }
}
