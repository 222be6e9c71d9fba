//! ICMP errors about segments of ours, handed to the connection they are about.
//!
//! Decides which connection that is; whether it believes the error is the connection's own affair (RFC 5927: the quoted
//! sequence number must be under way), asked before anything is learned from it. Half-open connections and TIME-WAIT entries take no notice: a stranger who guesses
//! ports must not be able to end them, and they end by themselves.
use segue_tcp::{ConnError, IcmpSignal, Instant, State};

use super::flows::FlowRef;
use crate::icmp::input::{IcmpError, Report};
use crate::ip::output::header_len;
use crate::socket::Socket;
use crate::socket::common::MtuDiscovery;
use crate::stack::Stack;
use crate::tuple::FourTuple;
use crate::{Counter, Errno};

/// The connection's word for an errno that an ICMP error stands for.
fn error_of(errno: Errno) -> ConnError {
    match errno {
        Errno::ECONNREFUSED => ConnError::Refused,
        Errno::ENETUNREACH => ConnError::NetUnreachable,
        Errno::ENOPROTOOPT => ConnError::ProtocolUnreachable,
        Errno::EPROTO => ConnError::Protocol,
        Errno::EACCES => ConnError::Prohibited,
        Errno::EHOSTDOWN => ConnError::HostDown,
        Errno::ENONET => ConnError::Isolated,
        Errno::EOPNOTSUPP => ConnError::NoSourceRoute,
        _ => ConnError::HostUnreachable,
    }
}

impl Stack {
    /// An ICMP error that quotes a TCP segment with this four-tuple and sequence number.
    pub(crate) fn tcp_report(&mut self, now: Instant, tuple: &FourTuple, sequence: u32, error: &IcmpError) {
        let found = self.tcp.flows.find(tuple, &self.sockets, &self.tcp.entries);
        let Some(FlowRef::Connection(index)) = found else {
            self.counters.inc(Counter::TcpExtOutOfWindowIcmps);
            return;
        };
        if self.is_ignored_by_ao(index, error) {
            return self.counters.inc(Counter::TcpExtTCPAODroppedIcmps);
        }
        // Before the path's MTU is learned: it is every connection's to this peer.
        let (believed, discovery) = match self.sockets.at(index) {
            Some(Socket::Stream(stream)) => (
                stream.flow().is_some_and(|flow| flow.connection.is_under_way(sequence)),
                stream.common.discovery_for(tuple.peer),
            ),
            _ => (false, MtuDiscovery::Dont),
        };
        if !believed {
            self.counters.inc(Counter::TcpExtOutOfWindowIcmps);
            return;
        }
        let signal = match error.report {
            Report::TooBig { mtu } => {
                let mtu = self.net.learn_mtu(now, tuple.peer, mtu);
                if discovery == MtuDiscovery::Dont || !discovery.learns() {
                    // As Linux: nothing is sent again for it; what is sent next is as short as the path is known to be.
                    return;
                }
                let mtu_payload = u16::try_from(mtu.saturating_sub(header_len(tuple.peer))).unwrap_or(u16::MAX);
                IcmpSignal::PacketTooBig { mtu_payload }
            }
            Report::Unreachable { errno, .. } if error.complaint.is_disruption() => {
                IcmpSignal::Disrupted { error: error_of(errno) }
            }
            // RFC 9293 section 3.9.2.2: to TCP a parameter problem is a soft error.
            Report::Unreachable { errno, is_hard } => {
                IcmpSignal::Unreachable { hard: is_hard && errno != Errno::EPROTO, error: error_of(errno) }
            }
        };
        self.queue_tcp_error(index, tuple, error);
        if let Some(Socket::Stream(stream)) = self.sockets.at_mut(index)
            && let Some(flow) = stream.flow_mut()
        {
            let outcome = flow.connection.on_icmp(now, signal, sequence);
            self.settle(now, index, outcome);
        }
    }

    /// RFC 5925 section 7.8: hard errors about a synchronised connection that is signed are ignored, for they are not.
    fn is_ignored_by_ao(&mut self, index: u32, error: &IcmpError) -> bool {
        let complaint = &error.complaint;
        let is_hard =
            matches!((complaint.from.is_ipv4(), complaint.kind, complaint.code), (true, 3, 2..=4) | (false, 1, 1 | 4));
        let Some(Socket::Stream(stream)) = self.sockets.at_mut(index) else { return false };
        let is_synchronised =
            stream.flow().is_some_and(|flow| !matches!(flow.connection.state(), State::SynSent | State::SynReceived));
        let Some(ao) = stream.common.rare.as_mut().and_then(|rare| rare.keys.as_mut()?.ao.as_mut()) else {
            return false;
        };
        let is_ignored = is_hard && is_synchronised && !ao.accept_icmps;
        ao.counters.dropped_icmps += u64::from(is_ignored);
        is_ignored
    }

    /// As Linux: what ends an attempt to connect goes into the error queue, what happens later does not.
    fn queue_tcp_error(&mut self, index: u32, tuple: &FourTuple, error: &IcmpError) {
        let Some(Socket::Stream(stream)) = self.sockets.at(index) else { return };
        let is_opening =
            stream.flow().is_some_and(|flow| matches!(flow.connection.state(), State::SynSent | State::SynReceived));
        if is_opening && matches!(error.report, Report::Unreachable { .. }) {
            let names = self.names_extensions(index, tuple.peer);
            self.queue_error(index, error.entry(tuple.peer_addr(), 0, names));
        }
    }
}
