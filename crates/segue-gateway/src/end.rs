//! One end of a flow, as the relay sees it: a byte stream that can be read and
//! written at the same time, half-closed, reset, and watched for a reset.
//!
//! Bytes travel as [`Chunks`]: what one stack received is what the other sends,
//! without a copy in between where the end allows it. Two kinds of ends exist,
//! a socket of this machine and a socket of the inside stack.

use std::future::Future;
use std::io::{self, IoSlice};
use std::net::Shutdown;

use bytes::{Bytes, BytesMut};
use segue_wire::Chunks;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;

/// Bytes taken from a socket at a time; with what the sockets themselves
/// buffer, this bounds the memory of a flow in each direction.
pub(crate) const READ: usize = 64 * 1024;
/// Below this, what was read is copied out, so that a few bytes on their way do
/// not hold on to a buffer of [`READ`] bytes.
const COPY_BREAK: usize = 8 * 1024;
/// Slices given to one gathering write.
const GATHER: usize = 64;

pub(crate) trait End: Send + Sync {
    /// The next bytes; none means that the peer has finished sending.
    fn receive(&self) -> impl Future<Output = io::Result<Chunks>> + Send;
    /// Gives all of `data` to the end, waiting while it has no room.
    fn send(&self, data: Chunks) -> impl Future<Output = io::Result<()>> + Send;
    /// Nothing more will be written: FIN after what was.
    fn finish(&self) -> io::Result<()>;
    /// Resolves when the connection has failed, whatever is still unread.
    fn failed(&self) -> impl Future<Output = ()> + Send;
    /// Resolves when the peer has everything that was written, as far as the
    /// end can tell.
    fn delivered(&self) -> impl Future<Output = ()> + Send;
    /// Ends the connection with a reset.
    fn abort(self);
}

impl End for TcpStream {
    async fn receive(&self) -> io::Result<Chunks> {
        loop {
            // No buffer while there is nothing to read: an idle flow has none.
            self.readable().await?;
            let mut buffer = BytesMut::with_capacity(READ);
            match self.try_read_buf(&mut buffer) {
                Ok(n) if n < COPY_BREAK => {
                    return Ok(Chunks::from(Bytes::copy_from_slice(&buffer)));
                }
                Ok(_) => return Ok(Chunks::from(buffer.freeze())),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn send(&self, mut data: Chunks) -> io::Result<()> {
        while !data.is_empty() {
            self.writable().await?;
            let written = {
                let mut slices = [IoSlice::new(&[]); GATHER];
                let mut count = 0;
                for (slot, chunk) in slices.iter_mut().zip(data.iter()) {
                    *slot = IoSlice::new(chunk);
                    count += 1;
                }
                self.try_write_vectored(&slices[..count])
            };
            match written {
                Ok(n) => data.advance(n),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn finish(&self) -> io::Result<()> {
        SockRef::from(self).shutdown(Shutdown::Write)
    }

    async fn failed(&self) {
        // An error here is the failure asked for.
        let _ = self.ready(Interest::ERROR).await;
    }

    async fn delivered(&self) {}

    fn abort(self) {
        // Linger of zero makes the close that follows a reset. It cannot fail
        // on a TCP socket; if it does, the peer sees an end instead of a reset.
        let _ = SockRef::from(&self).set_linger(Some(std::time::Duration::ZERO));
    }
}

/// Which end of a direction failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The one that was read.
    Source,
    /// The one that was written.
    Sink,
}

/// One direction: everything that comes from `source` goes to `sink`, and its
/// end, too. What was read is written before more is read.
pub(crate) async fn pump(source: &impl End, sink: &impl End) -> Result<(), Broken> {
    loop {
        let data = source.receive().await.map_err(|_| Broken::Source)?;
        if data.is_empty() {
            return sink.finish().map_err(|_| Broken::Sink);
        }
        sink.send(data).await.map_err(|_| Broken::Sink)?;
    }
}
