//! A ladder of segments: who sent what when, and the state of both sides.
//!
//! One line per packet sent, with the states after sending; an arrival gets a line of its own only when it changes the
//! receiver's state. Decides layout only.
use std::collections::HashMap;
use std::net::SocketAddr;

use segue_stack::Instant;
use segue_wire::format::Relative;
use segue_wire::{IpView, Packet, Protocol, TcpHeader};

use crate::error::{elapsed, state_name};
use crate::lab::{HostId, Lab};
use crate::tap::{Moment, Observer, Sighting};

/// Prints a lab's packets as a ladder, line by line, to whatever takes lines.
///
/// Made for one connection between two hosts; with more, each line shows the states of the connection it belongs to.
pub struct Ladder<F: FnMut(&str)> {
    left: HostId,
    right: HostId,
    sequences: Relative,
    /// The state last shown, by host and by local and remote address.
    shown: HashMap<(HostId, SocketAddr, SocketAddr), &'static str>,
    started: bool,
    print: F,
}

impl<F: FnMut(&str)> Ladder<F> {
    /// A ladder with this host on its left and that one on its right.
    pub fn new(left: HostId, right: HostId, print: F) -> Self {
        Ladder { left, right, sequences: Relative::new(), shown: HashMap::new(), started: false, print }
    }

    fn line(&mut self, now: Instant, left: &str, arrow: &str, right: &str, words: &str) {
        let time = elapsed(now).as_secs_f64();
        let line = format!("{time:>13.6}  {left:<12} {arrow} {right:<12}  {words}");
        (self.print)(line.trim_end());
    }

    /// What the packet says. Its addresses are left out: they stand at the sides of the ladder.
    fn words(&mut self, packet: &Packet) -> String {
        let line = self.sequences.line(packet).to_string();
        match line.split_once(": ") {
            Some((_ends, words)) => words.to_owned(),
            None => line,
        }
    }

    fn title(&mut self, lab: &Lab) {
        if !std::mem::replace(&mut self.started, true) {
            let (left, right) = (lab.name(self.left), lab.name(self.right));
            (self.print)(format!("{:>13}  {left:<12}        {right:<12}", "seconds").trim_end());
        }
    }
}

/// Both ends of a TCP packet; `None` when it carries no readable TCP header.
fn tcp_ends(packet: &Packet) -> Option<(SocketAddr, SocketAddr)> {
    let view = IpView::parse(packet).ok().filter(|view| view.protocol == Protocol::TCP && view.fragment.is_none())?;
    let (header, _, _) = TcpHeader::parse(packet.head().get(view.transport..)?).ok()?;
    Some((SocketAddr::new(view.source, header.source_port), SocketAddr::new(view.destination, header.destination_port)))
}

/// The state of the connection between these ends on this host.
fn state(lab: &Lab, host: HostId, local: SocketAddr, remote: SocketAddr) -> &'static str {
    let sockets = lab.host(host).sockets(lab.now());
    let mut found = "CLOSED";
    for socket in sockets {
        if socket.local == local && socket.peer == Some(remote) {
            found = state_name(socket.state);
            // A socket outlives its connection; the TIME-WAIT entry beside it says more.
            if found != "CLOSED" {
                break;
            }
            continue;
        }
        if socket.peer.is_none() && socket.local.port() == local.port() {
            found = state_name(socket.state);
        }
    }
    found
}

impl<F: FnMut(&str)> Observer for Ladder<F> {
    fn on_packet(&mut self, lab: &Lab, sighting: Sighting<'_>) {
        self.title(lab);
        let Some((from, to)) = tcp_ends(sighting.packet) else {
            if sighting.moment != Moment::Arrived {
                let words = self.words(sighting.packet);
                let arrow = arrow(sighting.from == self.left, sighting.moment);
                self.line(sighting.now, "", arrow, "", &words);
            }
            return;
        };
        let sender = state(lab, sighting.from, from, to);
        let receiver = state(lab, sighting.to, to, from);
        let rightwards = sighting.from == self.left;
        if sighting.moment == Moment::Arrived {
            let changed = self.shown.insert((sighting.to, to, from), receiver) != Some(receiver);
            if changed {
                let (left, right) = if rightwards { ("", receiver) } else { (receiver, "") };
                self.line(sighting.now, left, "      ", right, "");
            }
            return;
        }
        self.shown.insert((sighting.from, from, to), sender);
        self.shown.insert((sighting.to, to, from), receiver);
        let words = self.words(sighting.packet);
        let (left, right) = if rightwards { (sender, receiver) } else { (receiver, sender) };
        self.line(sighting.now, left, arrow(rightwards, sighting.moment), right, &words);
    }
}

fn arrow(rightwards: bool, moment: Moment) -> &'static str {
    match (rightwards, moment) {
        (true, Moment::Lost) => "---X  ",
        (false, Moment::Lost) => "  X---",
        (true, _) => "----->",
        (false, _) => "<-----",
    }
}
