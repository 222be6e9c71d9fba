//! A path that is cut for good: both sides give up, in the time that `tcp_retries2` or `tcp_syn_retries` mean, and
//! nothing of the connection is left.
//!
//! Decides when it is cut and how long giving up may take. Data are under way in both directions, without end.
use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use segue_stack::{Domain, Errno, MsgFlags, SocketEvent, SocketId, SocketType};

use super::{RTO_MAX, Random, config};
use crate::error::{LabError, StallReason};
use crate::lab::{HostId, Lab};
use crate::transfer::{Family, build};

const PORT: u16 = 5001;
/// Retransmission timeouts of 200 ms, doubled fifteen times up to 120 s: what `tcp_retries2` of 15 means.
const PATIENCE: Duration = Duration::from_millis(924_600);
/// From the cut to the first timeout, and from the last but one to the last, a timeout may take as long as one can.
const MOST: Duration = PATIENCE.saturating_add(RTO_MAX.saturating_mul(2));
/// What a parting may take in all: nobody waits for anything after it.
const LIMIT: Duration = Duration::from_secs(4 * 3600);

/// One side's program: writes and reads what it can until it is told of an error.
struct Side {
    host: HostId,
    socket: Option<SocketId>,
    /// What it was told, and when.
    end: Option<(Errno, Duration)>,
}

impl Side {
    fn pump(&mut self, lab: &mut Lab, piece: &Bytes) {
        let Some(socket) = self.socket.filter(|_| self.end.is_none()) else { return };
        let at = lab.elapsed();
        let (stack, now) = lab.host_mut(self.host);
        let error = loop {
            match stack.recv_bytes(now, socket, 1 << 20) {
                Ok(chunks) if !chunks.is_empty() => {}
                Ok(_) => break None,
                Err(errno) => break Some(errno),
            }
        };
        let error = error.filter(|errno| *errno != Errno::EAGAIN).or_else(|| {
            loop {
                match stack.send_bytes(now, socket, piece.clone(), MsgFlags::empty()) {
                    Ok(_) => {}
                    Err(Errno::EAGAIN) => return None,
                    Err(errno) => return Some(errno),
                }
            }
        });
        // A connection that is not there yet cannot be read.
        let Some(errno) = error.filter(|errno| *errno != Errno::ENOTCONN) else { return };
        self.end = Some((errno, at));
        let _ = stack.close(now, socket);
        self.socket = None;
    }
}

struct Ends {
    client: Side,
    server: Side,
    listener: SocketId,
    piece: Bytes,
}

impl Ends {
    fn open(lab: &mut Lab, client: HostId, server: HostId, family: Family) -> Result<Ends, LabError> {
        let (domain, address) = match family {
            Family::V4 => (Domain::Inet, IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2))),
            Family::V6 => (Domain::Inet6, IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2))),
        };
        let address = SocketAddr::new(address, PORT);
        let cannot = |what: &str, errno: Errno| LabError::Config(format!("{what}: {errno}"));
        let (stack, now) = lab.host_mut(server);
        let listener = stack.socket(domain, SocketType::Stream).map_err(|errno| cannot("socket", errno))?;
        stack.bind(now, listener, address).map_err(|errno| cannot("bind", errno))?;
        stack.listen(listener, 1).map_err(|errno| cannot("listen", errno))?;
        let (stack, now) = lab.host_mut(client);
        let socket = stack.socket(domain, SocketType::Stream).map_err(|errno| cannot("socket", errno))?;
        match stack.connect(now, socket, address) {
            Ok(()) | Err(Errno::EINPROGRESS) => {}
            Err(errno) => return Err(cannot("connect", errno)),
        }
        let side = |host, socket| Side { host, socket, end: None };
        let piece = Bytes::from(vec![7; 1 << 14]);
        Ok(Ends { client: side(client, Some(socket)), server: side(server, None), listener, piece })
    }

    fn on_event(&mut self, lab: &mut Lab, host: HostId, event: SocketEvent) {
        if host == self.client.host {
            return self.client.pump(lab, &self.piece);
        }
        if event.socket == self.listener {
            let (stack, now) = lab.host_mut(host);
            if let Ok((socket, _)) = stack.accept(now, self.listener) {
                self.server.socket = Some(socket);
            }
        }
        self.server.pump(lab, &self.piece);
    }

    fn run_until(&mut self, lab: &mut Lab, end: Duration) -> Result<(), LabError> {
        let to = segue_stack::Instant::ZERO + end;
        loop {
            lab.settle()?;
            while let Some((host, event)) = lab.next_event() {
                self.on_event(lab, host, event);
                lab.settle()?;
            }
            if lab.now() >= to || lab.next_deadline().is_none() {
                return Ok(());
            }
            lab.advance_towards(to)?;
        }
    }

    /// Both have been told that it takes too long, in time; and nobody has anything left.
    fn check(&self, lab: &Lab, cut: Duration) -> Result<(), LabError> {
        for side in [&self.client, &self.server] {
            let wrong = |what: String| {
                Err(lab.stalled(StallReason::NotGivenUp { host: lab.name(side.host).to_owned(), cut, what }))
            };
            match side.end {
                Some((Errno::ETIMEDOUT, at)) if at.saturating_sub(cut) <= MOST => {}
                Some((errno, at)) => return wrong(format!("was told {errno} after {:?}", at.saturating_sub(cut))),
                // Never accepted: its handshake was cut, of which no program is told.
                None if side.socket.is_none() => {}
                None => return wrong("was told nothing".to_owned()),
            }
            let left = lab.host(side.host).sockets(lab.now()).count();
            if left > 0 {
                return wrong(format!("has {left} sockets left"));
            }
        }
        Ok(())
    }
}

/// Cuts the path of a seed, with `tcp_retries2` and `tcp_orphan_retries` as they are by default.
pub(super) fn cut(seed: u64) -> Result<(), LabError> {
    let mut config = config(seed)?;
    config.sysctls.retain(|(name, _)| !name.contains("retries"));
    let mut random = Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) | 1);
    let at = Duration::from_micros(random.below(20_000_000));
    let mut lab = Lab::new(seed);
    let (client, server, _) = build(&mut lab, &config)?;
    let is_cut = Rc::new(Cell::new(false));
    let rule = is_cut.clone();
    lab.drop_when(move |_| rule.get());
    let mut ends = Ends::open(&mut lab, client, server, config.family)?;
    ends.run_until(&mut lab, at)?;
    is_cut.set(true);
    ends.run_until(&mut lab, at + MOST)?;
    let (stack, now) = lab.host_mut(server);
    let _ = stack.close(now, ends.listener);
    // What nobody knows of any more ends by itself: handshakes, orphans.
    ends.run_until(&mut lab, LIMIT)?;
    ends.check(&lab, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_a_cut_path_give_up_with_nothing_left() {
        for seed in 0..40 {
            cut(seed).unwrap_or_else(|error| panic!("seed {seed}: {}\n{error}", super::super::describe(seed)));
        }
    }
}
