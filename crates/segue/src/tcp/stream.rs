//! A TCP connection.
use core::net::SocketAddr;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io::{self, IoSlice};
use std::sync::Arc;

use bytes::Bytes;
use segue_stack::{Chunks, Errno, Info, Instant, MsgFlags, Ready, Shutdown, SocketId, Stack};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::TcpSocket;
use super::options::socket_options;
use super::split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};
use crate::host::{Host, Place};
use crate::socket::Socket;

/// How a write is told that a broken pipe is an error, not a signal.
const FLAGS: MsgFlags = MsgFlags::NOSIGNAL;

/// How a close ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Closed {
    /// There was nothing to wait for, or nothing was asked for: what was written is delivered in the background.
    AtOnce,
    /// The peer has acknowledged everything, the FIN included; or it has reset the connection.
    Acknowledged,
    /// The time of `SO_LINGER` is over; the rest is delivered in the background.
    TimedOut,
}

/// A TCP connection, with the methods of tokio's `TcpStream`.
///
/// Reading gives `Ok(0)` when the peer has ended its direction, `ConnectionReset` when it has reset the connection.
/// `shutdown` ends this side's direction only; reading goes on. Dropping it closes it as Linux does: what was written is
/// still delivered and followed by a FIN, unless data was left unread or [`set_linger`](TcpStream::set_linger) says
/// zero — then the peer sees a reset.
#[derive(Debug)]
pub struct TcpStream {
    socket: Socket,
}

socket_options!(TcpStream, socket);

impl TcpStream {
    /// Connects to an address. Dropping the future gives the attempt up.
    ///
    /// # Errors
    /// As connect(2): `ECONNREFUSED`, `ETIMEDOUT`, `EHOSTUNREACH`, `ENETUNREACH`, ….
    pub async fn connect(host: &Host, address: SocketAddr) -> io::Result<TcpStream> {
        TcpSocket::new_for(host, address)?.connect(address).await
    }

    /// Takes a low-level socket that is connected.
    pub fn from_socket(socket: Socket) -> TcpStream {
        TcpStream { socket }
    }

    /// The low-level socket.
    pub fn into_socket(self) -> Socket {
        self.socket
    }

    /// The peer's address.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.peer_addr()
    }

    /// `TCP_INFO`: state, round-trip time, windows, counts.
    pub fn info(&self) -> io::Result<Info> {
        self.socket.tcp_info()
    }

    /// Waits until a read would not wait: data, the end of the stream or an error is there.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.ready(Ready::IN).await.map(drop)
    }

    /// Waits until a write would not wait.
    pub async fn writable(&self) -> io::Result<()> {
        self.socket.ready(Ready::OUT).await.map(drop)
    }

    /// Waits for any of `interest`; returns all the stream is ready for.
    pub async fn ready(&self, interest: Ready) -> io::Result<Ready> {
        self.socket.ready(interest).await
    }

    /// Reads if something is there, else `WouldBlock`.
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.try_recv(buffer, MsgFlags::empty())
    }

    /// Writes if there is room, else `WouldBlock`.
    pub fn try_write(&self, data: &[u8]) -> io::Result<usize> {
        self.socket.try_send(data, FLAGS)
    }

    /// Reads without taking.
    pub async fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.recv(buffer, MsgFlags::PEEK).await
    }

    /// [`peek`](TcpStream::peek) for hand-written futures. Only the task that polled last for reading is woken.
    pub fn poll_peek(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<usize>> {
        let room = buffer.initialize_unfilled();
        let count =
            std::task::ready!(self.socket.poll_call(cx, Place::Reader, Ready::IN, |stack, now, id| stack.recv(
                now,
                id,
                room,
                MsgFlags::PEEK
            )))?;
        buffer.advance(count);
        Poll::Ready(Ok(count))
    }

    /// Reads without a copy: what has arrived, at most `max` bytes, as it came. Empty: the peer has ended its direction.
    pub async fn recv_bytes(&self, max: usize) -> io::Result<Chunks> {
        self.socket.recv_bytes(max).await
    }

    /// Writes without a copy, all of it: the bytes are referred to until the peer has acknowledged them.
    ///
    /// Dropping the future loses count of how much was written, as with `write_all`.
    pub async fn send_bytes(&self, mut data: Bytes) -> io::Result<()> {
        while !data.is_empty() {
            let count = self.socket.send_bytes(data.clone(), FLAGS).await?;
            drop(data.split_to(count.min(data.len())));
        }
        Ok(())
    }

    /// shutdown(2), not waiting. Already shut is fine.
    pub fn shutdown_now(&self, how: Shutdown) -> io::Result<()> {
        match self.socket.shutdown(how) {
            // The peer has reset it: there is nothing left to end.
            Err(error) if error.raw_os_error() == Some(Errno::ENOTCONN.0) => Ok(()),
            other => other,
        }
    }

    /// Closes it as close(2) does, which waits if [`set_linger`](TcpStream::set_linger) named a time: until the peer has
    /// acknowledged everything, or until the time is over. Without a time it waits for nothing, like dropping the stream.
    ///
    /// What is left then is delivered in the background. Must be called in a tokio runtime with timers.
    ///
    /// # Errors
    /// `EBADF`: its host has been shut down.
    pub async fn close(self) -> io::Result<Closed> {
        let Some(time) = self.start_close()? else { return Ok(Closed::AtOnce) };
        match tokio::time::timeout(time, self.is_closed()).await {
            Ok(closed) => closed.map(|()| Closed::Acknowledged),
            Err(_) => Ok(Closed::TimedOut),
        }
    }

    /// The first half of a close that waits: the FIN is on its way; for how long it may be waited for.
    pub(crate) fn start_close(&self) -> io::Result<Option<Duration>> {
        let waits = self.socket.call(|stack, _, id| stack.close_waits(id))?;
        if waits.is_some() {
            self.shutdown_now(Shutdown::Write)?;
        }
        Ok(waits)
    }

    /// Waits until the peer has acknowledged the FIN, or the connection is over.
    pub(crate) async fn is_closed(&self) -> io::Result<()> {
        let closed = |stack: &mut Stack, _, id| if stack.is_closing(id)? { Err(Errno::EAGAIN) } else { Ok(()) };
        self.socket.until(Ready::OUT, closed).await
    }

    /// Resets the connection: the peer sees `ConnectionReset`; nothing that was not delivered will be.
    pub fn abort(self) -> io::Result<()> {
        self.socket.abort()
    }

    /// A reading and a writing half that borrow the stream.
    pub fn split(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        (ReadHalf::new(self), WriteHalf::new(self))
    }

    /// A reading and a writing half for different tasks. Dropping the writing half ends this side's direction.
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        let stream = Arc::new(self);
        (OwnedReadHalf::new(stream.clone()), OwnedWriteHalf::new(stream))
    }

    pub(super) fn poll_read_shared(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        if buffer.initialized().len() == buffer.capacity() {
            let room = buffer.initialize_unfilled();
            let call = |stack: &mut Stack, now: Instant, id: SocketId| stack.recv(now, id, room, MsgFlags::empty());
            let count = std::task::ready!(self.socket.poll_call(cx, Place::Reader, Ready::IN, call))?;
            buffer.advance(count);
        } else {
            // Memory that nobody has written to yet: taking the pieces and copying them here saves zeroing it first.
            let max = buffer.remaining();
            let call = |stack: &mut Stack, now: Instant, id: SocketId| stack.recv_bytes(now, id, max);
            let chunks = std::task::ready!(self.socket.poll_call(cx, Place::Reader, Ready::IN, call))?;
            chunks.iter().for_each(|chunk| buffer.put_slice(chunk));
        }
        Poll::Ready(Ok(()))
    }

    pub(super) fn poll_write_shared(&self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.socket.poll_call(cx, Place::Writer, Ready::OUT, |stack, now, id| stack.send(now, id, data, FLAGS))
    }

    pub(crate) fn poll_write_vectored_shared(
        &self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.socket.poll_call(cx, Place::Writer, Ready::OUT, |stack, now, id| send_all(stack, now, id, slices))
    }

    pub(super) fn poll_shutdown_shared(&self) -> Poll<io::Result<()>> {
        Poll::Ready(self.shutdown_now(Shutdown::Write))
    }
}

/// One send of several slices: all but the last say that more is coming, so that they share segments.
fn send_all(stack: &mut Stack, now: Instant, id: SocketId, slices: &[IoSlice<'_>]) -> Result<usize, Errno> {
    let last = slices.iter().rposition(|slice| !slice.is_empty()).unwrap_or(0);
    let mut sent = 0;
    for (index, slice) in slices.iter().enumerate().take(last + 1).filter(|(_, slice)| !slice.is_empty()) {
        let flags = if index == last { FLAGS } else { FLAGS | MsgFlags::MORE };
        match stack.send(now, id, slice, flags) {
            Ok(count) => {
                sent += count;
                if count < slice.len() {
                    break;
                }
            }
            // What was taken is taken; the error is told by the next call.
            Err(_) if sent > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(sent)
}

impl AsyncRead for TcpStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_read_shared(cx, buffer)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_shared(cx, data)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored_shared(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Nothing is kept back here: a write is sent before it returns.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Half-close: the peer reads the end of the stream after all that was written; this side may go on reading.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_shutdown_shared()
    }
}
