//! Outbound packets: which one is compared with a line, pieces put together, and whether it came in time.
use std::time::Duration;

use segue_wire::{Instant, TcpFlags};

use super::compare::differences;
use super::keys::Keys;
use super::live::{Live, LiveBody, split_options};
use super::signature::{self, Signing};
use super::{Interpreter, Window, encapsulation};
use crate::ast::{Body, OptionSpec, OptionsSpec, PacketSpec, TcpSpec};
use crate::host::Woken;
use crate::source::Diagnostic;

/// How long after the latest permitted time a packet is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

impl Interpreter<'_> {
    /// Wait for the packet of a `>` line and compare it. The answer is when it was sent.
    pub(super) fn expect(&mut self, packet: &PacketSpec, window: Option<Window>) -> Result<Instant, Diagnostic> {
        let limit = match window {
            Some(window) => window.latest + PATIENCE,
            None => self.host.now() + self.host.patience().packet,
        };
        let Some(mut live) = self.next_packet(packet, limit)? else {
            let message = match window {
                Some(_) => "timed out waiting for this packet".to_owned(),
                None => {
                    let waited = self.host.patience().packet.as_secs();
                    format!("timed out waiting for this packet: nothing was sent within {waited} s")
                }
            };
            return Err(self.packet_error(packet, &message, &[]));
        };
        if let Body::Tcp(spec) = &packet.body {
            self.learn(spec, &live);
            let keys = self.keys();
            self.verify(packet, spec, &live, &keys)?;
            if !self.settings.strict_segments {
                live = self.merge(packet, spec, live, &keys, limit)?;
            }
        }
        let version = self.settings.wire_version();
        let endpoint = self.endpoint_mut(packet.span)?;
        let found = differences(packet, &live, endpoint, version)?;
        if !found.is_empty() {
            let message = format!("the packet that came is another one: {}", found.join("; "));
            return Err(self.packet_error(packet, &message, &[&live]));
        }
        self.check_time(packet, window, &live)?;
        self.check_timestamp(packet, &live)?;
        Ok(live.time)
    }

    fn packet_error(&self, packet: &PacketSpec, message: &str, live: &[&Live]) -> Diagnostic {
        let mut error = Diagnostic::at(packet.span, message);
        if let Some(endpoint) = self.current.and_then(|at| self.endpoints.get(at)) {
            for live in live {
                let at = self.seconds(live.time);
                error = error.note(format!("expected: {}", self.source_of(packet.span)));
                error = error.note(format!("got:      {} at {at:.6} s", live.describe(endpoint)));
            }
        }
        error
    }

    /// The next captured packet of the connection under test; those of others are dropped.
    fn next_packet(&mut self, packet: &PacketSpec, limit: Instant) -> Result<Option<Live>, Diagnostic> {
        let headers = &packet.encapsulations;
        loop {
            while let Some(live) = self.captured.pop_front() {
                if headers.is_empty() {
                    if self.belongs(&live) {
                        return Ok(Some(live));
                    }
                    continue;
                }
                // With headers around it, it is the connection's if what is inside is.
                match encapsulation::unwrap(headers, &live) {
                    Ok(inside) if self.belongs(&inside) => return Ok(Some(inside)),
                    Ok(_) => {}
                    Err(_) if !self.belongs(&live) => {}
                    Err(message) => return Err(self.packet_error(packet, &message, &[&live])),
                }
            }
            if self.pass(limit)? == Woken::ByTime {
                return Ok(None);
            }
        }
    }

    fn belongs(&mut self, live: &Live) -> bool {
        let Some(endpoint) = self.current.and_then(|at| self.endpoints.get_mut(at)) else { return false };
        let is_way = live.view.source == endpoint.local.0 && live.view.destination == endpoint.remote.0;
        is_way
            && match &live.body {
                LiveBody::Tcp { header, .. } => {
                    !endpoint.is_datagram
                        && endpoint.takes(Some(header.flags), (header.source_port, header.destination_port))
                }
                LiveBody::Udp { ports, .. } => endpoint.is_datagram && endpoint.takes(None, *ports),
                LiveBody::Icmp { .. } => true,
                LiveBody::Other => false,
            }
    }

    /// A SYN of the stack tells its initial sequence number.
    fn learn(&mut self, spec: &TcpSpec, live: &Live) {
        let Some(endpoint) = self.current.and_then(|at| self.endpoints.get_mut(at)) else { return };
        if let LiveBody::Tcp { header, .. } = &live.body
            && header.flags.contains(TcpFlags::SYN)
        {
            endpoint.on_own_syn(header, spec.sequence.first);
        }
    }

    /// Put pieces together until the expected length is reached. All but the last are equally long and contiguous.
    fn merge(
        &mut self,
        packet: &PacketSpec,
        spec: &TcpSpec,
        first: Live,
        keys: &Keys,
        limit: Instant,
    ) -> Result<Live, Diagnostic> {
        let expected = usize::from(spec.sequence.length);
        let LiveBody::Tcp { header: head, options: head_options, payload } = &first.body else { return Ok(first) };
        let size = payload.len();
        if size == 0 || size >= expected {
            return Ok(first);
        }
        let mut payload = payload.clone();
        let mut last = first.clone();
        let mut last_size = size;
        while payload.len() < expected {
            let sequence = head.sequence.wrapping_add(payload.len() as u32);
            let Some(next) = self.next_packet(packet, limit)? else {
                let message = format!("timed out waiting for the rest: {} of {expected} bytes came", payload.len());
                return Err(self.packet_error(packet, &message, &[&last]));
            };
            let LiveBody::Tcp { header, options, payload: more } = &next.body else {
                return Err(self.packet_error(packet, "another kind of packet came in the middle", &[&first, &next]));
            };
            let ignored = TcpFlags::FIN | TcpFlags::PSH | TcpFlags::CWR;
            let is_alike = header.flags - ignored == head.flags - ignored
                && header.acknowledgment == head.acknowledgment
                && header.window == head.window
                && header.urgent == head.urgent
                && same_option_kinds(options, head_options)
                && next.view.traffic_class == first.view.traffic_class;
            if more.is_empty() || header.sequence != sequence || last_size != size || more.len() > size || !is_alike {
                let message = format!("the pieces do not belong together after {} of {expected} bytes", payload.len());
                return Err(self.packet_error(packet, &message, &[&last, &next]));
            }
            self.verify(packet, spec, &next, keys)?;
            last_size = more.len();
            payload.extend_from_slice(more);
            last = next;
        }
        let cwr = head.flags & TcpFlags::CWR;
        let first_sequence = head.sequence;
        if let LiveBody::Tcp { header, payload: merged, .. } = &mut last.body {
            header.sequence = first_sequence;
            header.flags = (header.flags - TcpFlags::CWR) | cwr;
            *merged = payload;
        }
        Ok(last)
    }

    /// Each piece is signed by itself.
    fn verify(&self, packet: &PacketSpec, spec: &TcpSpec, live: &Live, keys: &Keys) -> Result<(), Diagnostic> {
        let Some(endpoint) = self.current.and_then(|at| self.endpoints.get(at)) else { return Ok(()) };
        match signature::fault(Signing { endpoint, keys }, spec, live) {
            Some(fault) => Err(self.packet_error(packet, &fault, &[live])),
            None => Ok(()),
        }
    }

    fn check_time(&self, packet: &PacketSpec, window: Option<Window>, live: &Live) -> Result<(), Diagnostic> {
        let Some(window) = window else { return Ok(()) };
        if live.time >= window.earliest && live.time <= window.latest {
            return Ok(());
        }
        let seconds = |at| self.seconds(at);
        let word = if live.time < window.earliest { "too early" } else { "too late" };
        let expected = if window.first == window.last {
            format!("{:.6} s", seconds(window.first))
        } else {
            format!("{:.6} to {:.6} s", seconds(window.first), seconds(window.last))
        };
        let tolerance = window.tolerance.as_secs_f64();
        let got = seconds(live.time);
        let message =
            format!("this packet came {word}: expected at {expected} (± {tolerance:.6} s), got at {got:.6} s");
        Err(self.packet_error(packet, &message, &[live]))
    }

    /// `--tcp_ts_tick_usecs`: timestamps must run as the script's do, counted from the first one.
    fn check_timestamp(&self, packet: &PacketSpec, live: &Live) -> Result<(), Diagnostic> {
        let tick = self.settings.ts_tick_usecs;
        let (Body::Tcp(TcpSpec { options: OptionsSpec::List(options), .. }), true) = (&packet.body, tick != 0) else {
            return Ok(());
        };
        let stamp = options.iter().find_map(|option| match option {
            OptionSpec::Timestamps { value, .. } => Some(*value),
            _ => None,
        });
        let endpoint = self.current.and_then(|at| self.endpoints.get(at));
        let (Some(script), Some(endpoint)) = (stamp, endpoint) else { return Ok(()) };
        let (Some((first_script, first_live, _)), Some(value)) = (endpoint.first_stamp, endpoint.stamps.get(&script))
        else {
            return Ok(());
        };
        let expected = script.wrapping_sub(first_script);
        let got = value.wrapping_sub(first_live);
        let drift = u64::from(expected.abs_diff(got)) * tick;
        let elapsed = live.time.saturating_duration_since(self.start);
        if drift <= self.tolerance(elapsed).as_micros() as u64 {
            return Ok(());
        }
        let message = format!("timestamp: expected {expected} ticks of {tick} µs after the first one, got {got}");
        Err(self.packet_error(packet, &message, &[live]))
    }
}

/// The same but for signatures, which differ from piece to piece, and for timestamps, which may go on.
fn same_option_kinds(a: &[u8], b: &[u8]) -> bool {
    let fixed = |raw| {
        let options = split_options(raw).into_iter();
        options.map(|(kind, body)| (kind, body.len(), if matches!(kind, 8 | 19 | 29) { &[][..] } else { body }))
    };
    fixed(a).eq(fixed(b))
}
