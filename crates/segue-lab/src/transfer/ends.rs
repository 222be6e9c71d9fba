//! The two programs of a transfer: one connects, one accepts; each sends what it has and reads to the end.
//!
//! Decides when a side shuts down: after its last byte if it is to send, otherwise when it has read end of file; and
//! closes when both have happened. They only act on events, so a readiness that is never told of stalls them.
use std::net::SocketAddr;
use std::time::Duration;

use segue_stack::{Domain, Errno, MsgFlags, Shutdown, SocketEvent, SocketId, SocketType, State};

use super::source::{Sink, Source};
use super::{Delivery, Direction, Progress, ProgressListener, TransferConfig, View, Watcher};
use crate::error::LabError;
use crate::lab::{App, CableId, HostId, Lab};

/// Bytes read at once.
const READ: usize = 1 << 20;

/// One side's program.
struct Side {
    host: HostId,
    socket: Option<SocketId>,
    source: Source,
    sink: Sink,
    /// Whether this side is there to send; the other kind waits for end of file before it ends its own stream.
    sends: bool,
    shut: bool,
    end_of_file: Option<Duration>,
    closed: bool,
}

pub(super) struct Ends {
    client: Side,
    server: Side,
    listener: Option<SocketId>,
    total: u64,
    progress: Option<ProgressListener>,
    pub(super) watcher: Option<(CableId, Watcher)>,
}

impl Ends {
    pub(super) fn new(client: HostId, server: HostId, config: &mut TransferConfig) -> Self {
        let side = |host, sends: bool, stream: u64| Side {
            host,
            socket: None,
            // Different data each way: bytes that come back to their sender must not pass for the other's.
            source: Source::new(config.seed.rotate_left(17) ^ stream, if sends { config.bytes } else { 0 }),
            sink: Sink::default(),
            sends,
            shut: false,
            end_of_file: None,
            closed: false,
        };
        let upload = config.direction != Direction::Download;
        let download = config.direction != Direction::Upload;
        Ends {
            client: side(client, upload, 0x7570),
            server: side(server, download, 0x646f_776e),
            listener: None,
            total: config.bytes * (u64::from(upload) + u64::from(download)),
            progress: config.progress.take(),
            watcher: None,
        }
    }

    pub(super) fn client(&self) -> HostId {
        self.client.host
    }

    pub(super) fn server(&self) -> HostId {
        self.server.host
    }

    /// The server listens, the client's SYN is on its way.
    pub(super) fn open(&mut self, lab: &mut Lab, address: SocketAddr) -> Result<(), LabError> {
        let domain = if address.is_ipv4() { Domain::Inet } else { Domain::Inet6 };
        let server = self.server.host;
        let (stack, now) = lab.host_mut(server);
        let listen = stack.socket(domain, SocketType::Stream).and_then(|listener| {
            stack.bind(now, listener, address)?;
            stack.listen(listener, 1)?;
            Ok(listener)
        });
        self.listener = Some(listen.map_err(|errno| failed(lab, server, "listen", errno))?);

        let client = self.client.host;
        let (stack, now) = lab.host_mut(client);
        let connect =
            stack.socket(domain, SocketType::Stream).and_then(|socket| match stack.connect(now, socket, address) {
                Ok(()) | Err(Errno::EINPROGRESS) => Ok(socket),
                Err(errno) => Err(errno),
            });
        self.client.socket = Some(connect.map_err(|errno| failed(lab, client, "connect", errno))?);
        Ok(())
    }

    fn accept(&mut self, lab: &mut Lab) -> Result<(), LabError> {
        let (Some(listener), None) = (self.listener, self.server.socket) else { return Ok(()) };
        let host = self.server.host;
        let (stack, now) = lab.host_mut(host);
        match stack.accept(now, listener) {
            Ok((socket, _)) => {
                self.server.socket = Some(socket);
                self.server.pump(lab)
            }
            Err(Errno::EAGAIN) => Ok(()),
            Err(errno) => Err(failed(lab, host, "accept", errno)),
        }
    }

    /// What each direction delivered.
    pub(super) fn deliveries(&self) -> (Option<Delivery>, Option<Delivery>) {
        let delivery = |from: &Side, to: &Side| {
            from.sends.then(|| Delivery {
                sent: from.source.sent(),
                received: to.sink.received(),
                sha256_sent: from.source.sha256(),
                sha256_received: to.sink.sha256(),
                duration: to.end_of_file.unwrap_or_default(),
            })
        };
        (delivery(&self.client, &self.server), delivery(&self.server, &self.client))
    }

    fn tell_progress(&mut self, lab: &Lab) {
        if let Some(progress) = &mut self.progress {
            let received = self.client.sink.received() + self.server.sink.received();
            progress(Progress { elapsed: lab.elapsed(), received, total: self.total });
        }
    }
}

impl Ends {
    fn show(&mut self, lab: &Lab) -> Result<(), LabError> {
        let Some((cable, watcher)) = &mut self.watcher else { return Ok(()) };
        let (client, server) = (&self.client, &self.server);
        let view = View {
            cable: *cable,
            senders: [client.host, server.host],
            received: [server.sink.received(), client.sink.received()],
            is_done: [server.end_of_file.is_some(), client.end_of_file.is_some()],
        };
        watcher(lab, &view)
    }
}

impl App for Ends {
    fn on_event(&mut self, lab: &mut Lab, host: HostId, event: SocketEvent) -> Result<(), LabError> {
        if host == self.server.host && Some(event.socket) == self.listener {
            self.accept(lab)?;
        } else {
            let side = if host == self.client.host { &mut self.client } else { &mut self.server };
            if Some(event.socket) != side.socket {
                return Ok(());
            }
            side.pump(lab)?;
        }
        self.tell_progress(lab);
        self.show(lab)
    }

    fn is_done(&self, lab: &Lab) -> bool {
        // The close of both programs comes first; then the last FIN and its acknowledgement must have crossed.
        let closed = self.client.closed && self.server.closed;
        closed && [&self.client, &self.server].iter().all(|side| only_time_wait_left(lab, side.host))
    }
}

fn only_time_wait_left(lab: &Lab, host: HostId) -> bool {
    lab.host(host).sockets(lab.now()).all(|socket| match socket.state {
        Some(State::Connection(state)) => {
            matches!(state, segue_tcp::State::TimeWait | segue_tcp::State::Closed)
        }
        _ => true,
    })
}

impl Side {
    /// Reads and writes what can be read and written.
    fn pump(&mut self, lab: &mut Lab) -> Result<(), LabError> {
        let Some(socket) = self.socket.filter(|_| !self.closed) else { return Ok(()) };
        self.read(lab, socket)?;
        self.write(lab, socket)?;
        if self.shut && self.end_of_file.is_some() {
            self.call(lab, "close", |stack, now| stack.close(now, socket))?;
            self.closed = true;
        }
        Ok(())
    }

    fn read(&mut self, lab: &mut Lab, socket: SocketId) -> Result<(), LabError> {
        while self.end_of_file.is_none() {
            match self.call(lab, "recv", |stack, now| stack.recv_bytes(now, socket, READ))? {
                Some(chunks) if chunks.is_empty() => self.end_of_file = Some(lab.elapsed()),
                Some(chunks) => self.sink.take(&chunks),
                None => break,
            }
        }
        Ok(())
    }

    fn write(&mut self, lab: &mut Lab, socket: SocketId) -> Result<(), LabError> {
        while !self.shut {
            let bytes = self.source.next();
            if bytes.is_empty() {
                if self.sends || self.end_of_file.is_some() {
                    // Not before the handshake is over: a client with nothing to say must not give up its connection.
                    let shut = |stack: &mut segue_stack::Stack, now| stack.shutdown(now, socket, Shutdown::Write);
                    self.shut = self.connected(lab, socket) && self.call(lab, "shutdown", shut)?.is_some();
                }
                break;
            }
            let sent = self.call(lab, "send", |stack, now| stack.send_bytes(now, socket, bytes, MsgFlags::empty()))?;
            match sent {
                Some(n) => self.source.took(n),
                None => break,
            }
        }
        Ok(())
    }

    fn connected(&self, lab: &Lab, socket: SocketId) -> bool {
        lab.host(self.host).readiness(socket).contains(segue_stack::Ready::OUT)
    }

    /// A socket call; `None` when it would block.
    fn call<T>(
        &self,
        lab: &mut Lab,
        name: &'static str,
        call: impl FnOnce(&mut segue_stack::Stack, segue_stack::Instant) -> segue_stack::Result<T>,
    ) -> Result<Option<T>, LabError> {
        let (stack, now) = lab.host_mut(self.host);
        match call(stack, now) {
            Ok(value) => Ok(Some(value)),
            Err(Errno::EAGAIN) => Ok(None),
            Err(errno) => Err(failed(lab, self.host, name, errno)),
        }
    }
}

fn failed(lab: &Lab, host: HostId, call: &'static str, errno: Errno) -> LabError {
    LabError::Socket {
        host: lab.name(host).to_owned(),
        call,
        errno,
        at: lab.elapsed(),
        seed: lab.seed(),
        hosts: lab.host_states(),
    }
}
