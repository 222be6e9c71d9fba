//! What our SYNs carry beyond the plain handshake, and what their answers teach (RFC 7413 section 4.2.1).
//!
//! Decides whether an active open shows a cookie, asks for one or does neither, and what `MSG_FASTOPEN` and
//! `TCP_FASTOPEN_CONNECT` answer, as Linux does. RFC 7413 section 4.1.3.1: bad experience is remembered.
use core::net::{IpAddr, SocketAddr};

use segue_tcp::{FastOpenNews, FastOpenSyn, Instant, State};

use super::bits;
use super::black_hole::Verdict;
use crate::socket::Socket;
use crate::stack::{Result, Stack};
use crate::tcp::Sending;
use crate::tcp::stream::{Call, Role};
use crate::{Counter, Errno, SocketId};

/// What an application wants of Fast Open when it opens a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wish {
    /// connect().
    Connect,
    /// Data with `MSG_FASTOPEN`.
    Send,
}

impl Stack {
    /// What a SYN from `local` to `server` carries; `None`: it is plain.
    pub(crate) fn fast_syn(
        &mut self,
        now: Instant,
        id: SocketId,
        wish: Wish,
        local: IpAddr,
        server: IpAddr,
    ) -> Option<FastOpenSyn> {
        let options = self.live(id).ok()?.common().rare().fast_open;
        let enabled = self.settings.ip.fast_open;
        if wish == Wish::Connect && !options.connect {
            return None;
        }
        let verdict = self.tcp.fast_open.black_hole.verdict(now, self.settings.ip.fast_open_blackhole_timeout);
        let known = self.tcp.fast_open.peers.get(local, server);
        if verdict == Verdict::Paused || known.is_blocked(now) {
            return None;
        }
        let probes_black_hole = verdict == Verdict::Probing;
        let mss = known.mss;
        if enabled & bits::CLIENT_WITHOUT_COOKIE != 0 || options.no_cookie {
            return Some(FastOpenSyn::Data { cookie: None, mss, probes_black_hole });
        }
        Some(match known.cookie {
            Some(cookie) => FastOpenSyn::Data { cookie: Some(cookie), mss, probes_black_hole },
            None => FastOpenSyn::Request { experimental: known.asks_experimentally() },
        })
    }

    /// sendto() with `MSG_FASTOPEN`, or the first write after connect() with `TCP_FASTOPEN_CONNECT`. `None`: the socket is
    /// connected by now, and the data go the ordinary way.
    pub(crate) fn send_in_syn(
        &mut self,
        now: Instant,
        id: SocketId,
        data: &Sending<'_>,
        to: Option<SocketAddr>,
    ) -> Result<Option<usize>> {
        if self.settings.ip.fast_open & bits::CLIENT == 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        let stream = self.stream_mut(id)?;
        match &mut stream.role {
            Role::Idle(_) => {
                let to = stream.common.take_address(to.ok_or(Errno::EINVAL)?)?;
                match self.open_actively(now, id, to, Wish::Send) {
                    Ok(()) | Err(Errno::EINPROGRESS) => {}
                    Err(error) => return Err(error),
                }
            }
            Role::Connected(flow) => match (flow.call, flow.connection.state()) {
                (Call::Connecting, State::SynSent) if flow.connection.syn_waits() => {}
                (Call::Connecting, State::SynSent | State::SynReceived) => return Err(Errno::EALREADY),
                (Call::Connecting, State::Closed) => return Ok(None),
                (Call::Connecting, _) => {
                    flow.call = Call::Connected;
                    return Ok(None);
                }
                (Call::Connected, _) => return Err(Errno::EISCONN),
            },
            Role::Listener(_) => return Err(Errno::EISCONN),
        }
        let flow = self.stream_mut(id)?.flow_mut().filter(|flow| flow.connection.syn_waits());
        let Some(flow) = flow else { return Err(Errno::EINPROGRESS) };
        let sent = flow.connection.send(now, data.bytes(), segue_tcp::SendFlags::empty());
        self.settle_call(now, id.index);
        // Nothing of it fitted into the SYN, which is on its way.
        sent.map(Some).map_err(|_| Errno::EINPROGRESS)
    }

    /// Whether the next write decides what the SYN carries.
    pub(crate) fn syn_waits(&self, id: SocketId) -> bool {
        match self.live(id) {
            Ok(Socket::Stream(stream)) => stream.flow().is_some_and(|flow| flow.connection.syn_waits()),
            _ => false,
        }
    }

    /// A connection of ours has learned something about Fast Open with its server.
    pub(crate) fn on_fast_open_news(&mut self, now: Instant, local: IpAddr, server: IpAddr, news: FastOpenNews) {
        let fast_open = &mut self.tcp.fast_open;
        match news {
            FastOpenNews::Answer { cookie, mss, data_taken, syn_lost, refused } => {
                fast_open.peers.learn(local, server, |known| {
                    known.mss = mss.or(known.mss);
                    if let Some(cookie) = cookie.filter(|cookie| !cookie.is_request()) {
                        known.cookie = Some(cookie);
                    }
                    if let Some(form) = refused {
                        known.on_refusal(form);
                    }
                    if syn_lost {
                        known.on_loss(now);
                    } else {
                        known.on_answer();
                    }
                });
                match data_taken {
                    Some(true) => self.counters.inc(Counter::TcpExtTCPFastOpenActive),
                    Some(false) => self.counters.inc(Counter::TcpExtTCPFastOpenActiveFail),
                    None => {}
                }
            }
            FastOpenNews::Failed => fast_open.peers.learn(local, server, |known| known.on_loss(now)),
            FastOpenNews::BlackHole => {
                if fast_open.black_hole.on_detection(now, self.settings.ip.fast_open_blackhole_timeout) {
                    self.counters.inc(Counter::TcpExtTCPFastOpenBlackhole);
                }
            }
            FastOpenNews::PathWorks => {
                if !local.is_loopback() && !self.net.is_own(server) {
                    fast_open.black_hole.on_success();
                }
            }
        }
    }
}
