//! The nameserver at the gateway: whatever server a program inside asks, on
//! port 53 of any address, the gateway answers.
//!
//! Decides who answers a question: the built-in zone; this machine's resolver,
//! for addresses and the names of addresses; this machine's nameserver, for all
//! other records. Formats are `message`'s, limits on look-ups `resolver`'s.

mod message;
mod resolver;
mod stream;
mod upstream;
mod zone;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use simple_dns::rdata::{PTR, RData};
use simple_dns::{Name, RCODE, TYPE};
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub(crate) use message::Transport;
use message::{Answer, Query, Received};
use resolver::Pool;
pub use resolver::{Lookup, Resolver, SystemResolver};
pub(crate) use stream::serve;
use upstream::Upstream;
use zone::Zone;
pub use zone::{GATEWAY_NAME, TEST_HOST_NAME};

use crate::destination::Addresses;
use crate::report::{Report, count};

/// Questions being answered at a time; more are answered SERVFAIL at once.
const QUESTIONS: usize = 512;
/// The types of zone transfers, RFC 1995 and RFC 1035 3.2.3.
const IXFR: u16 = 251;
const AXFR: u16 = 252;
/// Seconds an answer of this machine's resolver may be kept: it does not say
/// how long the records are good for.
const TTL: u32 = 30;

/// How the gateway answers names.
#[derive(Clone)]
pub struct DnsConfig {
    /// Addresses of names and names of addresses. Default: [`SystemResolver`].
    pub resolver: Arc<dyn Resolver>,
    /// Servers for all other kinds of records. Default: none, which means those
    /// of /etc/resolv.conf.
    pub servers: Option<Vec<SocketAddr>>,
    /// How long a question may take before it is answered SERVFAIL. Default: 10 s.
    pub timeout: Duration,
}

impl Default for DnsConfig {
    fn default() -> Self {
        Self { resolver: Arc::new(SystemResolver), servers: None, timeout: Duration::from_secs(10) }
    }
}

impl std::fmt::Debug for DnsConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DnsConfig")
            .field("servers", &self.servers)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// The nameserver, without its sockets.
#[derive(Debug)]
pub(crate) struct Dns {
    zone: Zone,
    pool: Pool,
    upstream: Upstream,
    questions: Semaphore,
    timeout: Duration,
    report: Report,
}

/// Why a question could not be answered.
struct Unanswered;

impl Dns {
    pub(crate) fn new(config: DnsConfig, gateway: Addresses, test_host: Option<Addresses>, report: Report) -> Self {
        Self {
            zone: Zone::new(gateway, test_host),
            pool: Pool::new(config.resolver),
            upstream: Upstream { servers: config.servers },
            questions: Semaphore::new(QUESTIONS),
            timeout: config.timeout,
            report,
        }
    }

    /// The reply to `message`, if it deserves one.
    pub(crate) async fn reply(&self, message: &[u8], transport: Transport) -> Option<Vec<u8>> {
        let query = match Query::parse(message, transport) {
            Received::Query(query) => query,
            Received::Error(reply) => return Some(reply),
            Received::Ignore => return None,
        };
        count(&self.report.counts().dns_answered);
        let Ok(_permit) = self.questions.try_acquire() else {
            return Some(query.error(RCODE::ServerFailure));
        };
        let reply = timeout(self.timeout, self.decide(&query, message, transport));
        Some(match reply.await {
            Ok(Ok(reply)) => reply,
            Ok(Err(Unanswered)) | Err(_) => query.error(RCODE::ServerFailure),
        })
    }

    async fn decide(&self, query: &Query, message: &[u8], transport: Transport) -> Result<Vec<u8>, Unanswered> {
        // Zone transfers are no questions; nobody behind a NAT has them.
        if matches!(query.kind(), IXFR | AXFR) || !query.is_internet() {
            return Ok(query.error(RCODE::Refused));
        }
        if let Some(answer) = self.zone.answer(query) {
            return Ok(query.answer(&answer));
        }
        let answer = match TYPE::from(query.kind()) {
            TYPE::A | TYPE::AAAA => match resolvable(query.name()) {
                Hostname::Plain(name) => self.addresses(query, &name).await?,
                Hostname::Numeric => Answer::no_such_name(),
                Hostname::Odd => return self.forward(message, transport).await,
            },
            TYPE::PTR => match zone::reverse_address(query.name()) {
                Some(address) => self.names(address).await?,
                None => return self.forward(message, transport).await,
            },
            _ => return self.forward(message, transport).await,
        };
        Ok(query.answer(&answer))
    }

    async fn addresses(&self, query: &Query, name: &str) -> Result<Answer, Unanswered> {
        match self.pool.addresses(name).await {
            // A name with addresses of the other family alone gives no records
            // and no error: NODATA (RFC 2308 section 2.2).
            Lookup::Found(addresses) => Ok(Answer { ttl: TTL, ..zone::addresses_for(query, &addresses) }),
            Lookup::NoSuchName => Ok(Answer::no_such_name()),
            Lookup::Failed => Err(Unanswered),
        }
    }

    async fn names(&self, address: std::net::IpAddr) -> Result<Answer, Unanswered> {
        let names = match self.pool.names(address).await {
            Lookup::Found(names) => names,
            Lookup::NoSuchName => return Ok(Answer::no_such_name()),
            Lookup::Failed => return Err(Unanswered),
        };
        let records = names.iter().filter_map(|name| {
            let name = Name::new(name).ok()?.into_owned();
            Some(RData::PTR(PTR(name)))
        });
        Ok(Answer { records: records.collect(), ttl: TTL, ..Answer::no_data() })
    }

    async fn forward(&self, message: &[u8], transport: Transport) -> Result<Vec<u8>, Unanswered> {
        self.upstream.ask(message, transport).await.ok_or(Unanswered)
    }
}

/// What a name is to the resolver of this machine.
enum Hostname {
    /// A name it can be asked for.
    Plain(String),
    /// An address in the place of a name; the resolver would take it for one,
    /// but no such name exists in the DNS.
    Numeric,
    /// Not writable as plain text (or the root): only a nameserver knows it.
    Odd,
}

fn resolvable(name: &Name<'_>) -> Hostname {
    let mut text = String::new();
    let mut last: &[u8] = &[];
    for label in name.as_bytes() {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !label.iter().all(plain) {
            return Hostname::Odd;
        }
        if !text.is_empty() {
            text.push('.');
        }
        text.extend(label.iter().map(|&byte| char::from(byte)));
        last = label;
    }
    match last {
        [] => Hostname::Odd,
        [b'0', b'x' | b'X', hex @ ..] if hex.iter().all(u8::is_ascii_hexdigit) => Hostname::Numeric,
        digits if digits.iter().all(u8::is_ascii_digit) => Hostname::Numeric,
        _ => Hostname::Plain(text),
    }
}

#[cfg(test)]
mod tests;
