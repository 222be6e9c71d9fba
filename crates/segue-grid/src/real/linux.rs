//! The kernel's end of a transfer: ordinary blocking sockets in a namespace.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_tcp_congestion;
use rustix::net::{AddressFamily, SocketType, connect, socket};
use segue_kernel::sys::getsockopt;
use segue_link::NetNamespace;

use super::round_trip::{IPPROTO_TCP, Look, TCP_INFO};
use super::{Meter, RIGHT};

/// Receives in the right namespace.
pub(super) struct Receiver {
    namespace: Arc<NetNamespace>,
}

impl Receiver {
    pub(super) fn up(right: &NetNamespace) -> io::Result<Receiver> {
        // A thread inside sees itself there.
        let namespace = right.within(NetNamespace::current)??;
        Ok(Receiver { namespace: Arc::new(namespace) })
    }

    pub(super) fn listen(&self, port: u16, meter: Meter) -> io::Result<SocketAddr> {
        let address = SocketAddr::new(RIGHT.into(), port);
        let listener = self.namespace.within(|| TcpListener::bind(address))??;
        // It gives up when the time is over: a SYN may be lost for good.
        listener.set_nonblocking(true)?;
        std::thread::spawn(move || {
            while !meter.is_over() {
                match listener.accept() {
                    Ok((stream, _)) => return read(stream, &meter),
                    Err(_) => std::thread::sleep(Duration::from_micros(200)),
                }
            }
        });
        Ok(address)
    }
}

fn read(mut stream: TcpStream, meter: &Meter) {
    let patience =
        stream.set_nonblocking(false).and_then(|()| stream.set_read_timeout(Some(Duration::from_millis(100))));
    let mut buffer = vec![0; 1 << 20];
    while patience.is_ok() && !meter.is_over() {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(n) => meter.add(n),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(_) => return,
        }
    }
}

/// Sends from the left namespace until the time is over. What is given back reads the connection's `TCP_INFO`.
pub(super) fn send(left: &NetNamespace, to: SocketAddr, congestion: &str, end: Instant) -> io::Result<Look> {
    let made = left.within(|| -> io::Result<_> {
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
        set_tcp_congestion(&socket, congestion)?;
        Ok(socket)
    })??;
    let watched = made.try_clone()?;
    std::thread::spawn(move || {
        if connect(&made, &to).is_err() {
            return;
        }
        let mut stream = TcpStream::from(made);
        let patience = stream.set_write_timeout(Some(Duration::from_millis(100)));
        let piece = vec![7; 1 << 17];
        while patience.is_ok() && Instant::now() < end {
            match stream.write(&piece) {
                Ok(_) => {}
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(_) => return,
            }
        }
    });
    Ok(Box::new(move |info| getsockopt(watched.as_fd(), IPPROTO_TCP, TCP_INFO, info).ok()))
}

/// A counter of the kernel there: its line ("Tcp:", "TcpExt:") in a table of /proc/net ("snmp", "netstat"), and its name.
pub(super) fn counter(left: &NetNamespace, table: &str, line: &str, name: &str) -> u64 {
    let file = format!("/proc/thread-self/net/{table}");
    let Ok(Ok(text)) = left.within(move || std::fs::read_to_string(file)) else { return 0 };
    let mut lines = text.lines().filter(|candidate| candidate.starts_with(line));
    let (Some(names), Some(values)) = (lines.next(), lines.next()) else { return 0 };
    let at = names.split_whitespace().position(|candidate| candidate == name);
    at.and_then(|at| values.split_whitespace().nth(at)?.parse().ok()).unwrap_or(0)
}
