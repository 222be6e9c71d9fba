//! Addresses and names as this machine resolves them: its hosts file, its name
//! services, its nameservers, in the order it is configured for.
//!
//! The system's resolver blocks, so each look-up takes a thread of the blocking
//! pool, at most [`LOOKUPS`] at a time. A look-up that someone waits for is shared
//! by all who ask the same, and its result is kept for [`KEEP`]: the question
//! for IPv6 addresses costs nothing beside the one for IPv4. A look-up goes on
//! when everybody who asked has given up, so that asking again finds it done.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dns_lookup::{AddrInfoHints, LookupErrorKind, SockType};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

/// Look-ups at a time.
const LOOKUPS: usize = 32;
/// Look-ups running, waiting or remembered.
const CAPACITY: usize = 1024;
/// How long a result is used again.
const KEEP: Duration = Duration::from_secs(5);

/// What a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup<T> {
    /// It exists; the list may be empty (the name exists, but has no address).
    Found(Vec<T>),
    /// There is no such name.
    NoSuchName,
    /// It could not be found out, now.
    Failed,
}

/// How the gateway turns names into addresses and back. The default is
/// [`SystemResolver`]; another one can give a network names of its own.
/// Both calls may block; they are made on threads that are for that.
pub trait Resolver: Send + Sync + 'static {
    /// The addresses of a host name (no trailing dot), of both families.
    fn addresses(&self, name: &str) -> Lookup<IpAddr>;
    /// The names of an address.
    fn names(&self, address: IpAddr) -> Lookup<String>;
}

/// The resolver of this machine: `getaddrinfo` and `getnameinfo`.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn addresses(&self, name: &str) -> Lookup<IpAddr> {
        let hints = AddrInfoHints {
            // One entry for each address, not one for each kind of socket.
            socktype: SockType::Stream.into(),
            // A machine without IPv6 does not even ask for IPv6 addresses.
            flags: libc::AI_ADDRCONFIG,
            ..AddrInfoHints::default()
        };
        match dns_lookup::getaddrinfo(Some(name), None, Some(hints)) {
            Ok(found) => {
                let mut addresses = Vec::new();
                for entry in found.flatten() {
                    if let Some(address) = expressible(entry.sockaddr)
                        && !addresses.contains(&address)
                    {
                        addresses.push(address);
                    }
                }
                Lookup::Found(addresses)
            }
            Err(error) => failure(error.kind()),
        }
    }

    fn names(&self, address: IpAddr) -> Lookup<String> {
        let address = SocketAddr::new(address, 0);
        let flags = libc::NI_NAMEREQD | libc::NI_NUMERICSERV;
        match dns_lookup::getnameinfo(&address, flags) {
            Ok((name, _)) => Lookup::Found(vec![name]),
            Err(error) => failure(error.kind()),
        }
    }
}

/// A link-local address with a zone cannot be said in DNS.
fn expressible(address: SocketAddr) -> Option<IpAddr> {
    match address {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => None,
        address => Some(address.ip()),
    }
}

fn failure<T>(kind: LookupErrorKind) -> Lookup<T> {
    match kind {
        LookupErrorKind::NoName => Lookup::NoSuchName,
        LookupErrorKind::NoData => Lookup::Found(Vec::new()),
        _ => Lookup::Failed,
    }
}

/// What is looked up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Name(String),
    Address(IpAddr),
}

#[derive(Debug, Clone)]
enum Found {
    Addresses(Lookup<IpAddr>),
    Names(Lookup<String>),
}

/// Empty while the look-up is under way; then when it ended, and with what.
type Progress = watch::Receiver<Option<(Instant, Found)>>;

/// A resolver with shared, bounded, remembered look-ups.
pub(super) struct Pool {
    resolver: Arc<dyn Resolver>,
    running: Arc<Semaphore>,
    lookups: Mutex<HashMap<Key, Progress>>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("running", &self.running).finish_non_exhaustive()
    }
}

impl Pool {
    pub(super) fn new(resolver: Arc<dyn Resolver>) -> Self {
        Self { resolver, running: Arc::new(Semaphore::new(LOOKUPS)), lookups: Mutex::new(HashMap::new()) }
    }

    /// The addresses of `name`, without a trailing dot.
    pub(super) async fn addresses(&self, name: &str) -> Lookup<IpAddr> {
        match self.find(Key::Name(name.to_ascii_lowercase())).await {
            Some(Found::Addresses(found)) => found,
            _ => Lookup::Failed,
        }
    }

    /// The names of `address`.
    pub(super) async fn names(&self, address: IpAddr) -> Lookup<String> {
        match self.find(Key::Address(address)).await {
            Some(Found::Names(found)) => found,
            _ => Lookup::Failed,
        }
    }

    /// None when too much is being looked up already.
    async fn find(&self, key: Key) -> Option<Found> {
        let mut progress = self.progress(key)?;
        let done = progress.wait_for(Option::is_some).await.ok()?;
        done.as_ref().map(|(_, found)| found.clone())
    }

    fn progress(&self, key: Key) -> Option<Progress> {
        let now = Instant::now();
        let fresh = |progress: &Progress| match &*progress.borrow() {
            Some((since, _)) => now.saturating_duration_since(*since) < KEEP,
            // Its task is gone without a result when the runtime ends only.
            None => progress.has_changed().is_ok(),
        };
        let mut lookups = self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(progress) = lookups.get(&key).filter(|progress| fresh(progress)) {
            return Some(progress.clone());
        }
        if lookups.len() >= CAPACITY {
            lookups.retain(|_, progress| fresh(progress));
        }
        if lookups.len() >= CAPACITY {
            lookups.retain(|_, progress| progress.borrow().is_none());
        }
        if lookups.len() >= CAPACITY {
            return None;
        }
        let progress = self.start(key.clone());
        lookups.insert(key, progress.clone());
        Some(progress)
    }

    fn start(&self, key: Key) -> Progress {
        let (done, progress) = watch::channel(None);
        let resolver = Arc::clone(&self.resolver);
        let running = Arc::clone(&self.running);
        tokio::spawn(async move {
            let permit = running.acquire_owned().await;
            let job = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                match key {
                    Key::Name(name) => Found::Addresses(resolver.addresses(&name)),
                    Key::Address(address) => Found::Names(resolver.names(address)),
                }
            });
            if let Ok(found) = job.await {
                done.send_replace(Some((Instant::now(), found)));
            }
        });
        progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    /// Answers when told to, and counts.
    struct Slow {
        calls: AtomicUsize,
        gate: Mutex<mpsc::Receiver<()>>,
    }

    impl Resolver for Slow {
        fn addresses(&self, _: &str) -> Lookup<IpAddr> {
            self.calls.fetch_add(1, Ordering::SeqCst);
            // A gate whose sender is gone is open.
            let _ = self.gate.lock().unwrap().recv();
            Lookup::Found(vec!["192.0.2.1".parse().unwrap()])
        }
        fn names(&self, _: IpAddr) -> Lookup<String> {
            Lookup::NoSuchName
        }
    }

    fn slow() -> (Arc<Slow>, mpsc::Sender<()>) {
        let (open, gate) = mpsc::channel();
        let slow = Slow { calls: AtomicUsize::new(0), gate: Mutex::new(gate) };
        (Arc::new(slow), open)
    }

    #[tokio::test]
    async fn all_who_ask_the_same_share_one_look_up() {
        let (slow, open) = slow();
        let pool = Arc::new(Pool::new(slow.clone()));
        let asking: Vec<_> = (0..10)
            .map(|i| {
                let pool = Arc::clone(&pool);
                let name = if i % 2 == 0 { "host.example" } else { "HOST.example" };
                tokio::spawn(async move { pool.addresses(name).await })
            })
            .collect();
        tokio::task::yield_now().await;
        open.send(()).unwrap();
        for answer in asking {
            assert!(matches!(answer.await.unwrap(), Lookup::Found(a) if a.len() == 1));
        }
        assert_eq!(slow.calls.load(Ordering::SeqCst), 1);
        assert!(matches!(pool.addresses("host.example").await, Lookup::Found(_)));
        assert_eq!(slow.calls.load(Ordering::SeqCst), 1, "kept");
        open.send(()).unwrap();
        assert!(matches!(pool.addresses("other.example").await, Lookup::Found(_)));
        assert_eq!(slow.calls.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_look_up_goes_on_when_the_one_who_asked_gives_up() {
        let (slow, open) = slow();
        let pool = Pool::new(slow.clone());
        let asked = tokio::time::timeout(Duration::from_millis(1), pool.addresses("a.example"));
        assert!(asked.await.is_err(), "the gate is shut");
        open.send(()).unwrap();
        assert!(matches!(pool.addresses("a.example").await, Lookup::Found(_)));
        assert_eq!(slow.calls.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn more_names_than_the_pool_holds_fail_at_once_instead_of_piling_up() {
        let (slow, open) = slow();
        let pool = Pool::new(slow.clone());
        let asking: Vec<_> = (0..CAPACITY).map(|i| pool.progress(Key::Name(format!("{i}.example")))).collect();
        assert!(asking.iter().all(Option::is_some));
        assert_eq!(pool.addresses("one.more").await, Lookup::Failed);
        assert!(slow.calls.load(Ordering::SeqCst) <= LOOKUPS);
        drop(open);
        for progress in asking.into_iter().flatten() {
            let mut progress = progress;
            progress.wait_for(Option::is_some).await.unwrap();
        }
        assert!(matches!(pool.addresses("one.more").await, Lookup::Found(_)), "room again");
    }

    #[test]
    fn the_system_resolver_knows_localhost_both_ways() {
        let Lookup::Found(addresses) = SystemResolver.addresses("localhost") else {
            panic!("every machine knows localhost");
        };
        assert!(addresses.iter().any(|address| address.is_loopback()));
        assert_eq!(SystemResolver.names("127.0.0.1".parse().unwrap()), Lookup::Found(vec!["localhost".to_owned()]));
    }
}
