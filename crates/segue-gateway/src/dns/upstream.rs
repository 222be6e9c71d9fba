//! Questions that are for a nameserver: asked as they came, answered as it
//! answers. The servers are those of /etc/resolv.conf, read anew each time, so
//! that a change of network needs no restart; or those configured.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::message::{self, Transport};
use crate::datagram;

/// How long one server is waited for before the next is asked.
const PATIENCE: Duration = Duration::from_secs(3);
/// As many as resolv.conf(5) allows.
const MAX_SERVERS: usize = 3;
const PORT: u16 = 53;
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// The nameservers to ask.
#[derive(Debug, Clone, Default)]
pub(super) struct Upstream {
    /// None: those of this machine.
    pub(super) servers: Option<Vec<SocketAddr>>,
}

impl Upstream {
    /// The answer to `query` of the first server that gives one.
    pub(super) async fn ask(&self, query: &[u8], transport: Transport) -> Option<Vec<u8>> {
        let servers = match &self.servers {
            Some(servers) => servers.clone(),
            None => system_servers(),
        };
        for server in servers.into_iter().take(MAX_SERVERS) {
            let answer = async {
                match transport {
                    Transport::Udp => over_udp(server, query).await,
                    Transport::Tcp => over_tcp(server, query).await,
                }
            };
            if let Ok(Ok(answer)) = timeout(PATIENCE, answer).await {
                return Some(answer);
            }
        }
        None
    }
}

async fn over_udp(server: SocketAddr, query: &[u8]) -> io::Result<Vec<u8>> {
    let socket = datagram::connect(server)?;
    SockRef::from(&socket).send(query)?;
    let mut answer = Vec::with_capacity(usize::from(u16::MAX));
    loop {
        if let Some(error) = datagram::arrival(&socket).await? {
            return Err(error);
        }
        answer.clear();
        match socket.try_recv_buf(&mut answer) {
            Ok(_) if message::answers(&answer, query) => return Ok(answer),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

async fn over_tcp(server: SocketAddr, query: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(query.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut framed = Vec::with_capacity(query.len() + 2);
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(query);
    stream.write_all(&framed).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    if message::answers(&answer, query) { Ok(answer) } else { Err(io::ErrorKind::InvalidData.into()) }
}

fn system_servers() -> Vec<SocketAddr> {
    match std::fs::read_to_string(RESOLV_CONF) {
        Ok(text) => servers_of(&text),
        // resolv.conf(5): without the file, the server of this machine.
        Err(_) => vec![SocketAddr::new(Ipv4Addr::LOCALHOST.into(), PORT)],
    }
}

fn servers_of(text: &str) -> Vec<SocketAddr> {
    let servers = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        if words.next()? != "nameserver" {
            return None;
        }
        let address: IpAddr = words.next()?.parse().ok()?;
        Some(SocketAddr::new(address, PORT))
    });
    servers.take(MAX_SERVERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nameserver_lines_of_resolv_conf_are_the_servers_in_order() {
        let text = "# nameserver 192.0.2.9\nsearch example.org\nnameserver 192.0.2.1\n\
                    options ndots:2\nnameserver\t2001:db8::53 \nnameserver nonsense\n";
        let expected: Vec<SocketAddr> =
            ["192.0.2.1:53", "[2001:db8::53]:53"].map(|server| server.parse().unwrap()).to_vec();
        assert_eq!(servers_of(text), expected);
    }
}
