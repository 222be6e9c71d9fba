//! Inbound packets: which connection a packet belongs to, and its numbers.
use segue_wire::TcpFlags;

use super::endpoint::{Endpoint, Role};
use super::inject::{self, Way};
use super::{Interpreter, encapsulation};
use crate::ast::{Body, PacketSpec, TcpSpec};
use crate::icmp_names;
use crate::source::Diagnostic;

impl Interpreter<'_> {
    pub(super) fn inbound(&mut self, packet: &PacketSpec) -> Result<(), Diagnostic> {
        let way = Way { source: self.settings.remote(), destination: self.settings.local() };
        let built = match &packet.body {
            Body::Tcp(spec) => self.inbound_segment(way, packet, spec)?,
            Body::Udp(spec) => {
                let port = self.ephemeral_port();
                let bind_port = self.settings.bind_port;
                let endpoint = self.endpoint_mut(packet.span)?;
                let remote = *endpoint.remote.1.get_or_insert(port);
                let local = *endpoint.local.1.get_or_insert(bind_port);
                inject::datagram(way, (remote, local), &packet.ip, spec)
            }
            Body::Icmp(spec) => {
                let (kind, code) = icmp_names::resolve(spec, self.settings.wire_version(), packet.span)?;
                let inner = Way { source: way.destination, destination: way.source };
                let none = Endpoint::new(way.destination, way.source, false);
                let endpoint = self.current.and_then(|at| self.endpoints.get(at)).unwrap_or(&none);
                let ports = (endpoint.local.1.unwrap_or(0), endpoint.remote.1.unwrap_or(0));
                inject::icmp(way, packet, spec, (kind, code), inner, ports, endpoint)
            }
        };
        let built = encapsulation::wrap(&packet.encapsulations, built);
        self.trace.note(self.host.now(), "<", &built);
        self.host.inject(built).map_err(|error| Diagnostic::at(packet.span, error.0))?;
        self.collect()?;
        self.poll_blocked()
    }

    fn inbound_segment(
        &mut self,
        way: Way,
        packet: &PacketSpec,
        spec: &TcpSpec,
    ) -> Result<segue_wire::Packet, Diagnostic> {
        self.ensure_child();
        let mss = self.settings.mss;
        let echo = self.echo(packet, spec);
        let keys = self.keys();
        let endpoint = self.endpoint_mut(packet.span)?;
        let raw = inject::option_bytes(spec, endpoint, echo)?;
        let is_foreign = spec.ports.is_some();
        if spec.flags.contains(TcpFlags::SYN) && !is_foreign {
            endpoint.on_peer_syn(spec.sequence.first, spec.flags.contains(TcpFlags::ACK));
        }
        let ports = (endpoint.remote.1.unwrap_or(0), endpoint.local.1.unwrap_or(0));
        let built = inject::segment(way, ports, packet, spec, (endpoint, &keys), &raw, mss)?;
        // Whoever acknowledges the listener's SYN makes the connection, which keeps the keys of this moment.
        let is_third = spec.flags.contains(TcpFlags::ACK) && !spec.flags.intersects(TcpFlags::SYN | TcpFlags::RST);
        if is_third && !is_foreign && endpoint.own_isn.is_some() {
            endpoint.inherit(&keys);
        }
        Ok(built)
    }

    /// A packet for a listener, or for nobody, makes a connection which is the one under test from then on.
    fn ensure_child(&mut self) {
        let parent = self.current.and_then(|at| self.endpoints.get(at));
        let is_taken = parent
            .is_some_and(|endpoint| matches!(endpoint.role, Role::Passive | Role::Connecting) && !endpoint.is_datagram);
        if is_taken {
            return;
        }
        let local_port = parent.and_then(|endpoint| endpoint.local.1).unwrap_or(self.settings.bind_port);
        let mut child = Endpoint::new(self.settings.local(), self.settings.remote(), false);
        child.role = Role::Passive;
        child.local.1 = Some(local_port);
        child.remote.1 = Some(self.ephemeral_port());
        child.listener = self.current;
        self.endpoints.push(child);
        self.current = Some(self.endpoints.len() - 1);
    }

    /// How the script's `ecr` values become live ones.
    fn echo(&self, packet: &PacketSpec, _: &TcpSpec) -> impl Fn(u32) -> Result<u32, Diagnostic> + use<> {
        let endpoint = self.current.and_then(|at| self.endpoints.get(at));
        let stamps = endpoint.map(|endpoint| endpoint.stamps.clone()).unwrap_or_default();
        let first = endpoint.and_then(|endpoint| endpoint.first_stamp);
        let is_scaled = self.settings.ts_ecr_scaled;
        let span = packet.span;
        move |script| match (stamps.get(&script), first) {
            (Some(live), _) => Ok(*live),
            (None, Some((first_script, first_live, _))) if is_scaled => {
                Ok(script.wrapping_sub(first_script).wrapping_add(first_live))
            }
            _ => {
                let message = format!("`ecr {script}` echoes a timestamp that no outbound packet before had as `val`");
                Err(Diagnostic::at(span, message))
            }
        }
    }
}
