//! The low-level socket: the stack's calls, made to wait. Everything that waits in this crate is made of [`Socket::until`].
use core::fmt;
use core::future::Future;
use core::net::SocketAddr;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;

use bytes::Bytes;
use segue_stack::{
    Chunks, ControlMessage, Domain, Errno, Info, Instant, MsgFlags, Ready, Received, ReceivedMessage, Shutdown,
    SocketId, SocketOption, SocketType, Stack,
};

use crate::error::{IntoIo, io_error};
use crate::host::{Host, Place};

/// A socket of a [`Host`], with the calls and the meaning of Linux's: any kind, any option by number.
///
/// What [`TcpStream`](crate::TcpStream) and [`UdpSocket`](crate::UdpSocket) are made of, and what one uses to put another
/// API on top. All methods take `&self`; several tasks may wait on one socket, each is woken. Every `async` method may be
/// dropped at any point and has then taken nothing. `try_*` methods answer `WouldBlock` (`EAGAIN`) where the others wait.
///
/// Dropping it closes it as `close(2)` would: what was written is still delivered.
pub struct Socket {
    host: Host,
    id: SocketId,
    /// False once the name was given away.
    owned: bool,
}

impl Socket {
    /// socket(2).
    pub fn new(host: &Host, domain: Domain, kind: SocketType) -> io::Result<Socket> {
        host.with_core(|core, _, _| {
            core.check_alive()?;
            core.stack.socket(domain, kind).into_io()
        })
        .map(|id| Socket::from_id(host, id))
    }

    /// As [`new`](Self::new), for a user who is not this process's: ports are shared by `SO_REUSEPORT` among sockets of one user.
    pub fn of_user(host: &Host, domain: Domain, kind: SocketType, uid: u32) -> io::Result<Socket> {
        host.with_core(|core, _, _| {
            core.check_alive()?;
            core.stack.socket_of(domain, kind, uid).into_io()
        })
        .map(|id| Socket::from_id(host, id))
    }

    /// fchown(2): another user owns it from now on.
    pub fn fchown(&self, uid: u32) -> io::Result<()> {
        self.call(|stack, _, id| stack.fchown(id, uid))
    }

    /// Takes over a socket that was made with [`Host::with_stack`]. It is closed when the `Socket` is dropped.
    pub fn from_id(host: &Host, id: SocketId) -> Socket {
        Socket { host: host.clone(), id, owned: true }
    }

    /// Gives up the handle without closing the socket.
    pub fn into_id(mut self) -> SocketId {
        self.owned = false;
        self.id
    }

    /// The stack's name for this socket.
    pub fn id(&self) -> SocketId {
        self.id
    }

    /// The host it belongs to.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// One call into the stack, with its errno as an `io::Error`.
    pub(crate) fn call<T>(
        &self,
        call: impl FnOnce(&mut Stack, Instant, SocketId) -> Result<T, Errno>,
    ) -> io::Result<T> {
        self.host.with_core(|core, now, _| call(&mut core.stack, now, self.id)).into_io()
    }

    /// One call into the stack; when it would block, the task waits in `place` for `interest`.
    pub(crate) fn poll_call<T>(
        &self,
        cx: &mut Context<'_>,
        place: Place,
        interest: Ready,
        call: impl FnOnce(&mut Stack, Instant, SocketId) -> Result<T, Errno>,
    ) -> Poll<io::Result<T>> {
        let budget = std::task::ready!(tokio::task::coop::poll_proceed(cx));
        let result = self.host.with_core(|core, now, _| match call(&mut core.stack, now, self.id) {
            Err(Errno::EAGAIN) => match core.wait(self.id, place, interest, cx.waker()) {
                Ok(()) => Poll::Pending,
                Err(ended) => Poll::Ready(Err(ended)),
            },
            result => Poll::Ready(result.into_io()),
        });
        if result.is_ready() {
            budget.made_progress();
        }
        result
    }

    /// Repeats a call until it no longer would block, woken when the socket becomes ready for `interest` (or has an error).
    ///
    /// The building block of every `async` method here. The closure runs under the host's lock.
    pub fn until<T, F>(&self, interest: Ready, call: F) -> Until<'_, F>
    where
        F: FnMut(&mut Stack, Instant, SocketId) -> Result<T, Errno>,
    {
        Until { socket: self, interest, key: None, call }
    }

    /// `TCP_MD5SIG`: see [`Stack::set_md5_key`].
    pub fn set_md5_key(&self, network: crate::Cidr, key: &[u8]) -> io::Result<()> {
        self.call(|stack, now, id| stack.set_md5_key(now, id, network, key))
    }

    /// `TCP_AO_ADD_KEY`: see [`Stack::add_ao_key`].
    pub fn add_ao_key(&self, network: crate::Cidr, key: crate::AoKey) -> io::Result<()> {
        self.call(|stack, now, id| stack.add_ao_key(now, id, network, key))
    }

    /// bind(2).
    pub fn bind(&self, address: SocketAddr) -> io::Result<()> {
        self.call(|stack, now, id| stack.bind(now, id, address))
    }

    /// listen(2). The backlog is limited by `net.core.somaxconn`.
    pub fn listen(&self, backlog: i32) -> io::Result<()> {
        self.call(|stack, _, id| stack.listen(id, backlog))
    }

    /// connect(2) on a non-blocking socket: a stream answers `EINPROGRESS` and becomes writable when it is decided;
    /// [`take_error`](Socket::take_error) then says how.
    pub fn start_connect(&self, address: SocketAddr) -> io::Result<()> {
        self.call(|stack, now, id| stack.connect(now, id, address))
    }

    /// connect(2), waiting for the outcome.
    pub async fn connect(&self, address: SocketAddr) -> io::Result<()> {
        match self.start_connect(address) {
            Err(error) if error.raw_os_error() == Some(Errno::EINPROGRESS.0) => {}
            decided => return decided,
        }
        self.until(Ready::OUT, |stack, now, id| {
            ready_now(stack, id, Ready::OUT)?;
            match stack.take_error(now, id)? {
                Some(error) => Err(error),
                None => Ok(()),
            }
        })
        .await
    }

    /// connect(2) with `AF_UNSPEC`: a datagram socket forgets its peer.
    pub fn disconnect(&self) -> io::Result<()> {
        self.call(|stack, now, id| stack.disconnect(now, id))
    }

    /// accept(2), not waiting.
    pub fn try_accept(&self) -> io::Result<(Socket, SocketAddr)> {
        let (id, peer) = self.call(|stack, now, id| stack.accept(now, id))?;
        Ok((Socket::from_id(&self.host, id), peer))
    }

    /// accept(2).
    pub async fn accept(&self) -> io::Result<(Socket, SocketAddr)> {
        let (id, peer) = self.until(Ready::IN, |stack, now, id| stack.accept(now, id)).await?;
        Ok((Socket::from_id(&self.host, id), peer))
    }

    /// accept(2) for hand-written futures. Only the task that polled last is woken.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Socket, SocketAddr)>> {
        self.poll_call(cx, Place::Reader, Ready::IN, |stack, now, id| stack.accept(now, id))
            .map_ok(|(id, peer)| (Socket::from_id(&self.host, id), peer))
    }

    /// send(2), not waiting. May take less than the whole buffer (a stream).
    pub fn try_send(&self, data: &[u8], flags: MsgFlags) -> io::Result<usize> {
        self.call(|stack, now, id| stack.send(now, id, data, flags))
    }

    /// send(2). May take less than the whole buffer (a stream).
    pub async fn send(&self, data: &[u8], flags: MsgFlags) -> io::Result<usize> {
        self.until(Ready::OUT, |stack, now, id| stack.send(now, id, data, flags)).await
    }

    /// send(2) without a copy, not waiting. Takes as much as fits; says how much.
    pub fn try_send_bytes(&self, data: Bytes, flags: MsgFlags) -> io::Result<usize> {
        self.call(|stack, now, id| stack.send_bytes(now, id, data, flags))
    }

    /// send(2) without a copy. Takes as much as fits; says how much.
    pub async fn send_bytes(&self, data: Bytes, flags: MsgFlags) -> io::Result<usize> {
        self.until(Ready::OUT, |stack, now, id| stack.send_bytes(now, id, data.clone(), flags)).await
    }

    /// recv(2), not waiting. `Ok(0)` on a stream: the peer has ended it.
    pub fn try_recv(&self, buffer: &mut [u8], flags: MsgFlags) -> io::Result<usize> {
        self.call(|stack, now, id| stack.recv(now, id, buffer, flags))
    }

    /// recv(2). `Ok(0)` on a stream: the peer has ended it.
    pub async fn recv(&self, buffer: &mut [u8], flags: MsgFlags) -> io::Result<usize> {
        self.until(Ready::IN, |stack, now, id| stack.recv(now, id, buffer, flags)).await
    }

    /// recv(2) without a copy, not waiting: at most `max` bytes of a stream, or one datagram. Empty: end of the stream.
    pub fn try_recv_bytes(&self, max: usize) -> io::Result<Chunks> {
        self.call(|stack, now, id| stack.recv_bytes(now, id, max))
    }

    /// recv(2) without a copy: at most `max` bytes of a stream, or one datagram. Empty: end of the stream.
    pub async fn recv_bytes(&self, max: usize) -> io::Result<Chunks> {
        self.until(Ready::IN, |stack, now, id| stack.recv_bytes(now, id, max)).await
    }

    /// sendto(2), not waiting. `from` overrides the source address where the socket may choose it.
    pub fn try_send_to(
        &self,
        data: &[u8],
        flags: MsgFlags,
        to: SocketAddr,
        from: Option<SocketAddr>,
    ) -> io::Result<usize> {
        self.call(|stack, now, id| stack.send_to(now, id, data, flags, to, from))
    }

    /// sendto(2). `from` overrides the source address where the socket may choose it.
    pub async fn send_to(
        &self,
        data: &[u8],
        flags: MsgFlags,
        to: SocketAddr,
        from: Option<SocketAddr>,
    ) -> io::Result<usize> {
        self.until(Ready::OUT, |stack, now, id| stack.send_to(now, id, data, flags, to, from)).await
    }

    /// recvfrom(2), not waiting.
    pub fn try_recv_from(&self, buffer: &mut [u8], flags: MsgFlags) -> io::Result<Received> {
        self.call(|stack, now, id| stack.recv_from(now, id, buffer, flags))
    }

    /// recvfrom(2).
    pub async fn recv_from(&self, buffer: &mut [u8], flags: MsgFlags) -> io::Result<Received> {
        self.until(Ready::IN, |stack, now, id| stack.recv_from(now, id, buffer, flags)).await
    }

    /// recvmsg(2), not waiting: bytes with their control messages; with [`MsgFlags::ERRQUEUE`] the next entry of the error
    /// queue.
    pub fn try_recv_message(&self, buffer: &mut [u8], flags: MsgFlags) -> io::Result<ReceivedMessage> {
        self.call(|stack, now, id| stack.recv_message(now, id, buffer, flags))
    }

    /// recvmsg(2): bytes with their control messages. With [`MsgFlags::ERRQUEUE`] it waits for nothing.
    pub async fn recv_message(&self, buffer: &mut [u8], flags: MsgFlags) -> io::Result<ReceivedMessage> {
        if flags.contains(MsgFlags::ERRQUEUE) {
            return self.try_recv_message(buffer, flags);
        }
        self.until(Ready::IN, |stack, now, id| stack.recv_message(now, id, buffer, flags)).await
    }

    /// sendmsg(2), not waiting: control messages hold for this call alone.
    pub fn try_send_message(
        &self,
        data: &[u8],
        flags: MsgFlags,
        to: Option<SocketAddr>,
        control: &[ControlMessage],
    ) -> io::Result<usize> {
        self.call(|stack, now, id| stack.send_message(now, id, data, flags, to, control))
    }

    /// poll(2): all the socket is ready for now.
    pub fn readiness(&self) -> Ready {
        self.host.with_core(|core, _, _| core.stack.readiness(self.id))
    }

    /// Waits until the socket is ready for something in `interest`; errors and hang-ups count always, as in poll(2).
    /// Returns all it is ready for.
    pub async fn ready(&self, interest: Ready) -> io::Result<Ready> {
        self.until(interest, |stack, _, id| ready_now(stack, id, interest)).await
    }

    /// [`ready`](Socket::ready) for hand-written futures. Only the task that polled last with `Ready::OUT` in its
    /// interest, and the one that polled last without, are woken.
    pub fn poll_ready(&self, cx: &mut Context<'_>, interest: Ready) -> Poll<io::Result<Ready>> {
        let place = if interest.contains(Ready::OUT) { Place::Writer } else { Place::Reader };
        let result = self.poll_call(cx, place, interest, |stack, _, id| ready_now(stack, id, interest));
        if result.is_pending() && place == Place::Writer && interest != Ready::OUT {
            // Both ways at once: wait in the reader's place, too.
            return self.poll_call(cx, Place::Reader, interest, |stack, _, id| ready_now(stack, id, interest));
        }
        result
    }

    /// Waits until the peer has acknowledged the FIN of a stream whose sending direction was shut, or there is no connection
    /// any more; at once where nothing was shut. For hand-written futures; woken like [`poll_ready`](Socket::poll_ready) with
    /// `Ready::OUT`.
    pub fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_call(
            cx,
            Place::Writer,
            Ready::OUT,
            |stack, _, id| {
                if stack.is_closing(id)? { Err(Errno::EAGAIN) } else { Ok(()) }
            },
        )
    }

    /// shutdown(2).
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.call(|stack, now, id| stack.shutdown(now, id, how))
    }

    /// Resets the connection and closes the socket.
    pub fn abort(self) -> io::Result<()> {
        self.call(|stack, now, id| stack.abort(now, id))
    }

    /// getsockname(2).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.call(|stack, _, id| stack.local_addr(id))
    }

    /// getpeername(2).
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.call(|stack, _, id| stack.peer_addr(id))
    }

    /// `SO_ERROR`: the pending error, which is thereby taken.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(self.call(|stack, now, id| stack.take_error(now, id))?.map(io_error))
    }

    /// setsockopt(2), by Linux's numbers and layouts.
    pub fn setsockopt(&self, level: i32, name: i32, value: &[u8]) -> io::Result<()> {
        self.call(|stack, now, id| stack.setsockopt(now, id, level, name, value))
    }

    /// getsockopt(2), by Linux's numbers and layouts. Returns the length of the value.
    pub fn getsockopt(&self, level: i32, name: i32, value: &mut [u8]) -> io::Result<usize> {
        self.call(|stack, now, id| stack.getsockopt(now, id, level, name, value))
    }

    /// A socket option whose value is an `int`.
    pub fn getsockopt_int(&self, level: i32, name: i32) -> io::Result<i32> {
        let mut value = [0; 4];
        let length = self.getsockopt(level, name, &mut value)?;
        // Linux gives some of them as a single byte.
        Ok(if length == 1 { i32::from(value[0]) } else { i32::from_ne_bytes(value) })
    }

    /// setsockopt(2), with types.
    pub fn set_option(&self, option: SocketOption) -> io::Result<()> {
        self.call(|stack, now, id| stack.set_option(now, id, option))
    }

    /// `TCP_INFO`.
    pub fn tcp_info(&self) -> io::Result<Info> {
        self.call(|stack, now, id| stack.tcp_info(now, id))
    }
}

/// poll(2) for one socket; a closed one is told apart from one that is not ready.
fn ready_now(stack: &mut Stack, id: SocketId, interest: Ready) -> Result<Ready, Errno> {
    let ready = stack.readiness(id);
    if ready.intersects(interest | Ready::ERR | Ready::HUP) {
        return Ok(ready);
    }
    stack.local_addr(id)?;
    Err(Errno::EAGAIN)
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.owned {
            self.host.with_core(|core, now, wakes| {
                // EBADF: aborted, or closed by the end of the host.
                let _ = core.stack.close(now, self.id);
                core.waiters.close(self.id, wakes);
            });
        }
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Socket");
        out.field("id", &self.id);
        if let Ok(local) = self.local_addr() {
            out.field("local", &local);
        }
        if let Ok(peer) = self.peer_addr() {
            out.field("peer", &peer);
        }
        out.finish()
    }
}

/// Made by [`Socket::until`].
#[must_use = "it does nothing unless it is awaited"]
pub struct Until<'a, F> {
    socket: &'a Socket,
    interest: Ready,
    /// Set while it stands in the table of waiters.
    key: Option<u64>,
    call: F,
}

impl<F> Unpin for Until<'_, F> {}

impl<F, T> Future for Until<'_, F>
where
    F: FnMut(&mut Stack, Instant, SocketId) -> Result<T, Errno>,
{
    type Output = io::Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let Until { socket, interest, key, call } = &mut *self;
        let budget = std::task::ready!(tokio::task::coop::poll_proceed(cx));
        let result = socket.host.with_core(|core, now, _| match call(&mut core.stack, now, socket.id) {
            Err(Errno::EAGAIN) => {
                let place = Place::Own(*key.get_or_insert_with(|| core.waiters.key()));
                match core.wait(socket.id, place, *interest, cx.waker()) {
                    Ok(()) => Poll::Pending,
                    Err(ended) => Poll::Ready(Err(ended)),
                }
            }
            result => {
                key.take().into_iter().for_each(|key| core.waiters.leave(socket.id, key));
                Poll::Ready(result.into_io())
            }
        });
        if result.is_ready() {
            budget.made_progress();
        }
        result
    }
}

impl<F> Drop for Until<'_, F> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.socket.host.with_core(|core, _, _| core.waiters.leave(self.socket.id, key));
        }
    }
}

impl<F> fmt::Debug for Until<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Until").field("socket", &self.socket.id).field("interest", &self.interest).finish()
    }
}
