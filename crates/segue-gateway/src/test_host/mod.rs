//! `segue.test`: a host of well-known answers, so that every command works
//! without a network and every transfer can be checked with a hash.
//!
//! Echo 7, discard 9 and chargen 19 over TCP and UDP, HTTP on port 80. The same
//! services answer behind a gateway and on a real device.
//! A bounded number of connections to each port are served at a time; the next ones
//! wait in the listener's queue.

pub mod content;
mod digest;
mod http;
mod range;
mod simple;
mod size;

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use segue::{Domain, Host, Keepalive, MsgFlags, Socket, SocketType, TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use digest::Tags;

/// Connections served at a time on each port, unless somebody says otherwise.
pub const CONNECTIONS: usize = 4096;
const BACKLOG: i32 = 1024;
/// The largest datagram.
const DATAGRAM: usize = 65_535;

/// What answers on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    Echo,
    Discard,
    Chargen,
    Http,
}

const SERVICES: [(Service, u16); 4] =
    [(Service::Echo, 7), (Service::Discard, 9), (Service::Chargen, 19), (Service::Http, 80)];

/// The running services. Dropping it ends them and their connections.
#[derive(Debug)]
#[must_use = "the services end when this is dropped"]
pub struct TestHost {
    _tasks: JoinSet<()>,
}

/// Serves on every address of `host`, IPv4 and IPv6.
///
/// # Errors
/// As bind(2) and listen(2), naming the port: `EADDRINUSE` when a port is taken.
pub fn serve(host: &Host) -> io::Result<TestHost> {
    serve_up_to(host, CONNECTIONS)
}

/// As [`serve`], with at most so many connections at a time on each port; 0 counts as 1.
///
/// # Errors
/// As [`serve`].
pub fn serve_up_to(host: &Host, connections: usize) -> io::Result<TestHost> {
    // A socket of both families.
    serve_all(host, &[Ipv6Addr::UNSPECIFIED.into()], connections.clamp(1, Semaphore::MAX_PERMITS))
}

/// Serves on those of the given addresses that `host` has.
///
/// # Errors
/// As [`serve`]; `EADDRNOTAVAIL` when the host has none of them. (A host on a
/// link that is too narrow for IPv6 has no IPv6 addresses.)
pub fn serve_at(host: &Host, addresses: &[IpAddr]) -> io::Result<TestHost> {
    serve_all(host, addresses, CONNECTIONS)
}

fn serve_all(host: &Host, addresses: &[IpAddr], connections: usize) -> io::Result<TestHost> {
    let mut tasks = JoinSet::new();
    let tags = Arc::new(Tags::new());
    let mut missing = None;
    for &address in addresses {
        match serve_one(host, address, connections, &tags, &mut tasks) {
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
                missing = Some(error);
            }
            other => other?,
        }
    }
    match missing {
        Some(error) if tasks.is_empty() => Err(error),
        _ => Ok(TestHost { _tasks: tasks }),
    }
}

fn serve_one(
    host: &Host,
    address: IpAddr,
    connections: usize,
    tags: &Arc<Tags>,
    tasks: &mut JoinSet<()>,
) -> io::Result<()> {
    for (service, port) in SERVICES {
        let address = SocketAddr::new(address, port);
        let listener = listen(host, address).map_err(|error| explain(address, &error))?;
        tasks.spawn(accept(listener, service, connections, Arc::clone(tags)));
        if service != Service::Http {
            let socket = bind(host, address).map_err(|error| explain(address, &error))?;
            tasks.spawn(datagrams(socket, service));
        }
    }
    Ok(())
}

fn explain(address: SocketAddr, error: &io::Error) -> io::Error {
    let text = format!("the test host cannot serve on {address}: {error}");
    io::Error::new(error.kind(), text)
}

fn socket(host: &Host, address: SocketAddr, kind: SocketType) -> io::Result<Socket> {
    let domain = match address {
        SocketAddr::V4(_) => Domain::Inet,
        SocketAddr::V6(_) => Domain::Inet6,
    };
    Socket::new(host, domain, kind)
}

fn listen(host: &Host, address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket(host, address, SocketType::Stream)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_socket(socket))
}

fn bind(host: &Host, address: SocketAddr) -> io::Result<Socket> {
    let socket = socket(host, address, SocketType::Datagram)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn accept(listener: TcpListener, service: Service, most: usize, tags: Arc<Tags>) {
    let slots = Arc::new(Semaphore::new(most));
    let mut connections = JoinSet::new();
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // A connection that was gone before it was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            // The host has ended.
            Err(_) => return,
        };
        while connections.try_join_next().is_some() {}
        let tags = Arc::clone(&tags);
        connections.spawn(async move {
            converse(stream, service, tags).await;
            drop(slot);
        });
    }
}

async fn converse(stream: TcpStream, service: Service, tags: Arc<Tags>) {
    // A client that vanished while nobody had anything to say must not keep its
    // place for ever. Fails on a connection that is gone, which reading tells.
    let _ = stream.set_keepalive(Some(Keepalive::default()));
    match service {
        Service::Echo => simple::echo(&stream).await,
        Service::Discard => simple::discard(&stream).await,
        Service::Chargen => simple::chargen(&stream).await,
        // What went wrong is between the client and HTTP.
        Service::Http => drop(http::serve(stream, tags).await),
    }
}

async fn datagrams(socket: Socket, service: Service) {
    let mut buffer = vec![0; DATAGRAM];
    let mut served = 0;
    loop {
        let received = match socket.recv_from(&mut buffer, MsgFlags::empty()).await {
            Ok(received) => received,
            // An ICMP error about an answer is nobody's business here.
            Err(error) if is_about_a_peer(&error) => continue,
            Err(_) => return,
        };
        let answer = match service {
            Service::Echo => buffer[..received.len].to_vec().into(),
            Service::Chargen => simple::chargen_datagram(served),
            Service::Discard | Service::Http => continue,
        };
        served += 1;
        // From the address that was asked. No room: lost, as datagrams may be.
        let from = Some(received.to);
        let _ = socket.try_send_to(&answer, MsgFlags::empty(), received.from, from);
    }
}

fn is_about_a_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
    matches!(error.kind(), ConnectionRefused | HostUnreachable | NetworkUnreachable)
}
