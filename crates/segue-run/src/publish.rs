//! Published ports: a listener of this machine whose connections are dialled
//! from the gateway's host across the path to the program.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use segue::Host;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::config::{Protocol, Publish};
use crate::error::RunError;

/// Clients of a published UDP port that are remembered, and how long.
const UDP_CLIENTS: usize = 1024;
const UDP_IDLE: Duration = Duration::from_secs(60);
const COPY: usize = 64 * 1024;

/// A published port whose socket on this machine is open.
pub(crate) enum Opened {
    Tcp(std::net::TcpListener, u16),
    Udp(std::net::UdpSocket, u16),
}

impl Opened {
    /// The program's port.
    pub(crate) fn guest(&self) -> u16 {
        match self {
            Opened::Tcp(_, guest) | Opened::Udp(_, guest) => *guest,
        }
    }
}

/// Opens every published port, before anything else is started.
pub(crate) fn open(publish: &[Publish]) -> Result<Vec<Opened>, RunError> {
    for (index, one) in publish.iter().enumerate() {
        let same = |other: &Publish| (other.host, other.protocol) == (one.host, one.protocol);
        if publish.iter().take(index).any(same) {
            return Err(RunError::PublishedTwice(*one));
        }
    }
    publish.iter().map(|one| open_one(one).map_err(|error| RunError::Publish(*one, error))).collect()
}

fn open_one(publish: &Publish) -> io::Result<Opened> {
    Ok(match publish.protocol {
        Protocol::Tcp => {
            let listener = std::net::TcpListener::bind(publish.host)?;
            listener.set_nonblocking(true)?;
            Opened::Tcp(listener, publish.guest)
        }
        Protocol::Udp => {
            let socket = std::net::UdpSocket::bind(publish.host)?;
            socket.set_nonblocking(true)?;
            Opened::Udp(socket, publish.guest)
        }
    })
}

/// Serves one published port until it is dropped. `dial` is the gateway's
/// host; `program` the program's addresses, in the order they are tried.
pub(crate) async fn serve(opened: Opened, dial: Host, program: [SocketAddr; 2]) -> io::Result<()> {
    match opened {
        Opened::Tcp(listener, _) => {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let refused = Arc::new(AtomicBool::new(false));
            loop {
                match listener.accept().await {
                    Ok((outside, _)) => {
                        let (dial, refused) = (dial.clone(), refused.clone());
                        tokio::spawn(async move {
                            if !connect(outside, &dial, program).await && !refused.swap(true, Ordering::Relaxed) {
                                mention_refusal(program[0].port());
                            }
                        });
                    }
                    // Out of descriptors: those that end make room.
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        }
        Opened::Udp(socket, _) => datagrams(Arc::new(tokio::net::UdpSocket::from_std(socket)?), dial, program).await,
    }
}

/// Once for a port: from outside, a refusal looks like a reset without a reason.
fn mention_refusal(port: u16) {
    eprintln!(
        "segue: a connection to the published port {port} was reset: nobody inside listens there yet, \
         or only on the loopback; let the program listen on 0.0.0.0 or [::]"
    );
}

/// One connection from outside, to the first address that does not refuse it;
/// `false`: all of them have.
async fn connect(outside: tokio::net::TcpStream, dial: &Host, program: [SocketAddr; 2]) -> bool {
    let _ = outside.set_nodelay(true);
    for address in program {
        match segue::TcpStream::connect(dial, address).await {
            Ok(inside) => {
                let _ = inside.set_nodelay(true);
                join(outside, inside).await;
                return true;
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(_) => {
                reset(outside);
                return true;
            }
        }
    }
    // Nobody listens inside: this is as close to a refusal as an accepted
    // connection can come.
    reset(outside);
    false
}

fn reset(outside: tokio::net::TcpStream) {
    let _ = outside.set_zero_linger();
}

/// Both ways until both have ended; a reset on one side is one on the other.
async fn join(outside: tokio::net::TcpStream, inside: segue::TcpStream) {
    let (mut out_read, mut out_write) = outside.into_split();
    let (mut in_read, mut in_write) = inside.into_split();
    let inward = copy(&mut out_read, &mut in_write);
    let outward = copy(&mut in_read, &mut out_write);
    let result = tokio::try_join!(inward, outward);
    let outside = out_read.reunite(out_write);
    let inside = in_read.reunite(in_write);
    if let (Err(_), Ok(outside), Ok(inside)) = (result, outside, inside) {
        reset(outside);
        let _ = inside.abort();
    }
}

/// Copies until the end of the stream and passes the end on.
async fn copy<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(from: &mut R, to: &mut W) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(COPY);
    loop {
        buffer.clear();
        if from.read_buf(&mut buffer).await? == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer).await?;
    }
}

/// A published UDP port: each client outside has a socket of its own at the
/// gateway's host, so that answers find their way back.
async fn datagrams(outside: Arc<tokio::net::UdpSocket>, dial: Host, program: [SocketAddr; 2]) -> io::Result<()> {
    let mut clients: HashMap<SocketAddr, Client> = HashMap::new();
    let mut buffer = vec![0; 65_535];
    loop {
        // An ICMP error for an earlier answer is no reason to stop.
        let Ok((len, from)) = outside.recv_from(&mut buffer).await else { continue };
        let data = buffer.get(..len).unwrap_or_default();
        clients.retain(|_, client| !client.task.is_finished());
        if !clients.contains_key(&from) {
            if clients.len() >= UDP_CLIENTS {
                continue;
            }
            let Ok(client) = Client::new(&outside, &dial, program[0], from).await else { continue };
            clients.insert(from, client);
        }
        if let Some(client) = clients.get(&from) {
            let _ = client.inside.send(data).await;
        }
    }
}

struct Client {
    inside: Arc<segue::UdpSocket>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Client {
    async fn new(
        outside: &Arc<tokio::net::UdpSocket>,
        dial: &Host,
        program: SocketAddr,
        client: SocketAddr,
    ) -> io::Result<Client> {
        let any: SocketAddr = match program {
            SocketAddr::V4(_) => (std::net::Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (std::net::Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let inside = Arc::new(segue::UdpSocket::bind(dial, any).await?);
        inside.connect(program).await?;
        let (back, outside) = (inside.clone(), outside.clone());
        let task = tokio::spawn(async move {
            let mut buffer = vec![0; 65_535];
            while let Ok(received) = tokio::time::timeout(UDP_IDLE, back.recv(&mut buffer)).await {
                let Ok(len) = received else { continue };
                let _ = outside.send_to(buffer.get(..len).unwrap_or_default(), client).await;
            }
        });
        Ok(Client { inside, task })
    }
}
