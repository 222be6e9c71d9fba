//! TCP for threads.
use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, IoSlice, Read, Write};
use std::sync::Arc;

use bytes::Bytes;
use segue_stack::{Chunks, Errno, Instant, MsgFlags, Ready, Shutdown, SocketId, Stack};

use super::wait::{Timeout, block, block_on};
use crate::tcp::{Closed, TcpListener as AsyncListener, TcpStream as AsyncStream};

/// A TCP connection, with the methods of `std::net::TcpStream`. `Read` and `Write` are there for `&TcpStream`, too, so two
/// threads may share one.
#[derive(Clone, Debug)]
pub struct TcpStream {
    stream: Arc<AsyncStream>,
    timeouts: Arc<Timeouts>,
}

#[derive(Debug, Default)]
struct Timeouts {
    read: Timeout,
    write: Timeout,
}

impl TcpStream {
    /// Connects to an address.
    ///
    /// # Errors
    /// As [`segue::TcpStream::connect`](crate::TcpStream::connect).
    pub fn connect(host: impl AsRef<crate::Host>, address: SocketAddr) -> io::Result<TcpStream> {
        block(AsyncStream::connect(host.as_ref(), address)).map(TcpStream::from)
    }

    /// Connects within a time limit.
    ///
    /// # Errors
    /// As `connect`; `ETIMEDOUT` when the limit passes.
    pub fn connect_timeout(
        host: impl AsRef<crate::Host>,
        address: SocketAddr,
        timeout: Duration,
    ) -> io::Result<TcpStream> {
        let connect = AsyncStream::connect(host.as_ref(), address);
        match block_on(connect, Some(timeout)) {
            Some(result) => result.map(TcpStream::from),
            None => Err(crate::io_error(Errno::ETIMEDOUT)),
        }
    }

    /// The stream underneath: options, addresses, `TCP_INFO`.
    pub fn get_ref(&self) -> &AsyncStream {
        &self.stream
    }

    /// The peer's address.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }

    /// This side's address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    /// Closes it as close(2) does: see [`TcpStream::close`](AsyncStream::close). While clones of it exist it waits for
    /// nothing and closes nothing, as with duplicates of a descriptor.
    ///
    /// # Errors
    /// `EBADF`: its host has been shut down.
    pub fn close(self) -> io::Result<Closed> {
        let Some(stream) = Arc::into_inner(self.stream) else { return Ok(Closed::AtOnce) };
        let Some(time) = stream.start_close()? else { return Ok(Closed::AtOnce) };
        match block_on(stream.is_closed(), Some(time)) {
            Some(closed) => closed.map(|()| Closed::Acknowledged),
            None => Ok(Closed::TimedOut),
        }
    }

    /// Ends a direction. `Write`: the peer reads the end of the stream after all that was written.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.stream.shutdown_now(how)
    }

    /// Reads without taking.
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.timeouts.read.run(self.stream.peek(buffer))
    }

    /// Reads without a copy: what has arrived, at most `max` bytes. Empty: the end of the stream.
    pub fn recv_bytes(&self, max: usize) -> io::Result<Chunks> {
        self.timeouts.read.run(self.stream.recv_bytes(max))
    }

    /// Writes without a copy, all of it. A time limit ends it after an unknown part, as with `write_all`.
    pub fn send_bytes(&self, data: Bytes) -> io::Result<()> {
        self.timeouts.write.run(self.stream.send_bytes(data))
    }

    /// How long a read may wait. `None`, the default: for ever. When it passes, reads fail with `WouldBlock`.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.timeouts.read.set(timeout)
    }

    /// How long a write may wait for room. `None`, the default: for ever. When it passes, writes fail with `WouldBlock`.
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.timeouts.write.set(timeout)
    }

    /// `TCP_NODELAY`.
    pub fn set_nodelay(&self, yes: bool) -> io::Result<()> {
        self.stream.set_nodelay(yes)
    }
}

impl From<AsyncStream> for TcpStream {
    fn from(stream: AsyncStream) -> TcpStream {
        TcpStream { stream: Arc::new(stream), timeouts: Arc::default() }
    }
}

impl Read for &TcpStream {
    /// As read(2) where it may block: waits for `SO_RCVLOWAT` bytes, or as many as there is room for. An end, an error or
    /// the time limit ends it with what there is.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut got = 0;
        let enough = self.stream.socket().until(Ready::IN, |stack, now, id| {
            loop {
                let rest = buffer.get_mut(got..).unwrap_or_default();
                match stack.recv(now, id, rest, MsgFlags::empty()) {
                    Ok(0) => return Ok(()),
                    Ok(more) => got += more,
                    Err(error) if error != Errno::EAGAIN && got > 0 => return Ok(()),
                    Err(error) => return Err(error),
                }
                // Once more otherwise: what follows may be the end, of which nobody would be told again.
                if got >= low_mark(stack, now, id).min(buffer.len()) {
                    return Ok(());
                }
            }
        });
        match self.timeouts.read.run(enough) {
            Err(error) if got == 0 => Err(error),
            _ => Ok(got),
        }
    }
}

/// `SO_RCVLOWAT`.
fn low_mark(stack: &mut Stack, now: Instant, id: SocketId) -> usize {
    const SOL_SOCKET: i32 = 1;
    const SO_RCVLOWAT: i32 = 18;
    let mut value = [0; 4];
    match stack.getsockopt(now, id, SOL_SOCKET, SO_RCVLOWAT, &mut value) {
        Ok(4) => usize::try_from(i32::from_ne_bytes(value)).unwrap_or(1),
        _ => 1,
    }
}

impl Write for &TcpStream {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.timeouts.write.run(self.stream.socket().send(data, MsgFlags::NOSIGNAL))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.timeouts.write.run(std::future::poll_fn(|cx| self.stream.poll_write_vectored_shared(cx, slices)))
    }

    /// Nothing is kept back: a write is sent before it returns.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for TcpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }
}

impl Write for TcpStream {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        (&*self).write(data)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A listening TCP socket, with the methods of `std::net::TcpListener`.
#[derive(Debug)]
pub struct TcpListener {
    listener: AsyncListener,
}

impl TcpListener {
    /// Listens on an address.
    ///
    /// # Errors
    /// As [`segue::TcpListener::bind`](crate::TcpListener::bind).
    pub fn bind(host: impl AsRef<crate::Host>, address: SocketAddr) -> io::Result<TcpListener> {
        AsyncListener::bind_now(host.as_ref(), address).map(TcpListener::from)
    }

    /// The next connection and who made it.
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        block(self.listener.accept()).map(|(stream, peer)| (stream.into(), peer))
    }

    /// All connections to come.
    pub fn incoming(&self) -> Accepted<'_> {
        Accepted(self)
    }

    /// This side's address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The listener underneath.
    pub fn get_ref(&self) -> &AsyncListener {
        &self.listener
    }
}

impl From<AsyncListener> for TcpListener {
    fn from(listener: AsyncListener) -> TcpListener {
        TcpListener { listener }
    }
}

/// The connections of a listener, without end. Made by [`TcpListener::incoming`].
#[derive(Debug)]
pub struct Accepted<'a>(&'a TcpListener);

impl Iterator for Accepted<'_> {
    type Item = io::Result<TcpStream>;

    fn next(&mut self) -> Option<io::Result<TcpStream>> {
        Some(self.0.accept().map(|(stream, _)| stream))
    }
}
