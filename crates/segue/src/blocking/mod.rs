//! Sockets for threads: the same host and sockets, waiting by blocking the calling thread. No runtime needed.
//!
//! A [`Host`] here runs its driver on a thread of its own. Sockets have the methods of their namesakes in `std::net`.
//! They also work on a [`segue::Host`](crate::Host) that lives on a tokio runtime, as long as the calling thread is not
//! one that the runtime needs.
//!
//! ```no_run
//! use std::io::{Read, Write};
//! use segue::blocking::{Host, TcpStream};
//!
//! # fn example(tun: impl segue::link::Link + 'static) -> std::io::Result<()> {
//! let host = Host::spawn(segue::Host::builder().address("10.0.0.2/24".parse().unwrap()).link(tun))?;
//! let mut stream = TcpStream::connect(&host, "10.0.0.1:80".parse().unwrap())?;
//! stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
//! let mut answer = String::new();
//! stream.read_to_string(&mut answer)?;
//! # Ok(())
//! # }
//! ```
mod host;
mod tcp;
mod udp;
mod wait;

pub use host::Host;
pub use tcp::{Accepted, TcpListener, TcpStream};
pub use udp::UdpSocket;
