//! What `%{ }%` sees: `TCP_INFO` of the socket under test, and what its congestion control tells, as it was at that time.
//!
//! Decides the names and places in Linux's structures, which every host gives as bytes.
use std::net::SocketAddr;

use super::Interpreter;
use crate::ast::Command;
use crate::code::{Scope, Value};
use crate::host::{Call, Output};
use crate::source::{Diagnostic, Span};

pub(super) struct Snapshot {
    code: Command,
    variables: Vec<(&'static str, i128)>,
}

/// Linux's numbers of the states, of congestion states and of option bits.
#[rustfmt::skip]
const CONSTANTS: &[(&str, i128)] = &[
    ("TCP_ESTABLISHED", 1), ("TCP_SYN_SENT", 2), ("TCP_SYN_RECV", 3), ("TCP_FIN_WAIT1", 4), ("TCP_FIN_WAIT2", 5),
    ("TCP_TIME_WAIT", 6), ("TCP_CLOSE", 7), ("TCP_CLOSE_WAIT", 8), ("TCP_LAST_ACK", 9), ("TCP_LISTEN", 10),
    ("TCP_CLOSING", 11), ("TCP_NEW_SYN_RECV", 12),
    ("TCP_CA_Open", 0), ("TCP_CA_Disorder", 1), ("TCP_CA_CWR", 2), ("TCP_CA_Recovery", 3), ("TCP_CA_Loss", 4),
    ("TCPI_OPT_TIMESTAMPS", 1), ("TCPI_OPT_SACK", 2), ("TCPI_OPT_WSCALE", 4), ("TCPI_OPT_ECN", 8),
    ("TCPI_OPT_ECN_SEEN", 16), ("TCPI_OPT_SYN_DATA", 32), ("TCPI_OPT_USEC_TS", 64), ("TCPI_OPT_TFO_CHILD", 128),
];

/// Fields of `struct tcp_info` (linux/tcp.h): name, offset and size in bytes. Those of a few bits are taken apart below.
#[rustfmt::skip]
const FIELDS: &[(&str, usize, usize)] = &[
    ("tcpi_state", 0, 1), ("tcpi_ca_state", 1, 1), ("tcpi_retransmits", 2, 1), ("tcpi_probes", 3, 1),
    ("tcpi_backoff", 4, 1), ("tcpi_options", 5, 1),
    ("tcpi_rto", 8, 4), ("tcpi_ato", 12, 4), ("tcpi_snd_mss", 16, 4), ("tcpi_rcv_mss", 20, 4),
    ("tcpi_unacked", 24, 4), ("tcpi_sacked", 28, 4), ("tcpi_lost", 32, 4), ("tcpi_retrans", 36, 4),
    ("tcpi_fackets", 40, 4),
    ("tcpi_last_data_sent", 44, 4), ("tcpi_last_ack_sent", 48, 4), ("tcpi_last_data_recv", 52, 4),
    ("tcpi_last_ack_recv", 56, 4),
    ("tcpi_pmtu", 60, 4), ("tcpi_rcv_ssthresh", 64, 4), ("tcpi_rtt", 68, 4), ("tcpi_rttvar", 72, 4),
    ("tcpi_snd_ssthresh", 76, 4), ("tcpi_snd_cwnd", 80, 4), ("tcpi_advmss", 84, 4), ("tcpi_reordering", 88, 4),
    ("tcpi_rcv_rtt", 92, 4), ("tcpi_rcv_space", 96, 4), ("tcpi_total_retrans", 100, 4),
    ("tcpi_pacing_rate", 104, 8), ("tcpi_max_pacing_rate", 112, 8), ("tcpi_bytes_acked", 120, 8),
    ("tcpi_bytes_received", 128, 8), ("tcpi_segs_out", 136, 4), ("tcpi_segs_in", 140, 4),
    ("tcpi_notsent_bytes", 144, 4), ("tcpi_min_rtt", 148, 4), ("tcpi_data_segs_in", 152, 4),
    ("tcpi_data_segs_out", 156, 4), ("tcpi_delivery_rate", 160, 8), ("tcpi_busy_time", 168, 8),
    ("tcpi_rwnd_limited", 176, 8), ("tcpi_sndbuf_limited", 184, 8), ("tcpi_delivered", 192, 4),
    ("tcpi_delivered_ce", 196, 4), ("tcpi_bytes_sent", 200, 8), ("tcpi_bytes_retrans", 208, 8),
    ("tcpi_dsack_dups", 216, 4), ("tcpi_reord_seen", 220, 4), ("tcpi_rcv_ooopack", 224, 4), ("tcpi_snd_wnd", 228, 4),
    ("tcpi_rcv_wnd", 232, 4), ("tcpi_rehash", 236, 4), ("tcpi_total_rto", 240, 2),
    ("tcpi_total_rto_recoveries", 242, 2), ("tcpi_total_rto_time", 244, 4),
    ("tcpi_received_ce", 248, 4), ("tcpi_delivered_e1_bytes", 252, 4), ("tcpi_delivered_e0_bytes", 256, 4),
    ("tcpi_delivered_ce_bytes", 260, 4), ("tcpi_received_e1_bytes", 264, 4), ("tcpi_received_e0_bytes", 268, 4),
    ("tcpi_received_ce_bytes", 272, 4), ("tcpi_accecn_fail_mode", 276, 2), ("tcpi_accecn_opt_seen", 278, 2),
];

/// Fields of `struct tcp_bbr_info` (linux/inet_diag.h), which `TCP_CC_INFO` gives when BBR is the algorithm.
const BBR_FIELDS: &[(&str, usize, usize)] = &[
    ("bbr_bw", 0, 8),
    ("bbr_bw_lo", 0, 4),
    ("bbr_bw_hi", 4, 4),
    ("bbr_min_rtt", 8, 4),
    ("bbr_pacing_gain", 12, 4),
    ("bbr_cwnd_gain", 16, 4),
];
/// `struct tcp_dctcp_info` and `struct tcpvegas_info`, of algorithms that a kernel may have.
const DCTCP_FIELDS: &[(&str, usize, usize)] = &[
    ("dctcp_enabled", 0, 2),
    ("dctcp_ce_state", 2, 2),
    ("dctcp_alpha", 4, 4),
    ("dctcp_ab_ecn", 8, 4),
    ("dctcp_ab_tot", 12, 4),
];
const VEGAS_FIELDS: &[(&str, usize, usize)] =
    &[("tcpv_enabled", 0, 4), ("tcpv_rttcnt", 4, 4), ("tcpv_rtt", 8, 4), ("tcpv_minrtt", 12, 4)];

/// What `SO_MEMINFO` gives.
const MEMORY_FIELDS: &[(&str, usize, usize)] = &[
    ("SK_MEMINFO_RMEM_ALLOC", 0, 4),
    ("SK_MEMINFO_RCVBUF", 4, 4),
    ("SK_MEMINFO_WMEM_ALLOC", 8, 4),
    ("SK_MEMINFO_SNDBUF", 12, 4),
    ("SK_MEMINFO_FWD_ALLOC", 16, 4),
    ("SK_MEMINFO_WMEM_QUEUED", 20, 4),
    ("SK_MEMINFO_OPTMEM", 24, 4),
    ("SK_MEMINFO_BACKLOG", 28, 4),
    ("SK_MEMINFO_DROPS", 32, 4),
];

/// Room for the structures as any kernel knows them.
const ROOM: usize = 512;
const SOL_TCP: i32 = 6;
const TCP_INFO: i32 = 11;
const TCP_CONGESTION: i32 = 13;
const TCP_CC_INFO: i32 = 26;
const SOL_SOCKET: i32 = 1;
const SO_MEMINFO: i32 = 55;
const CLOSED: u8 = 7;

impl Interpreter<'_> {
    pub(super) fn take_snapshot(&mut self, code: &Command) {
        // What is gone is closed, and nothing else is known of it.
        let raw = self.tcp_info().unwrap_or_else(|| vec![CLOSED]);
        let mut variables = variables(&raw);
        variables.extend(self.congestion_info());
        let memory = self.option_of_current(SOL_SOCKET, SO_MEMINFO).unwrap_or_default();
        variables.extend(fields(MEMORY_FIELDS, &memory));
        self.snapshots.push(Snapshot { code: code.clone(), variables });
    }

    /// What the algorithm of the socket under test says of itself.
    fn congestion_info(&mut self) -> Vec<(&'static str, i128)> {
        let name = self.option_of_current(SOL_TCP, TCP_CONGESTION).unwrap_or_default();
        let table = match name.split(|byte| *byte == 0).next().unwrap_or_default() {
            b"bbr" => BBR_FIELDS,
            b"dctcp" => DCTCP_FIELDS,
            b"vegas" => VEGAS_FIELDS,
            _ => return Vec::new(),
        };
        fields(table, &self.option_of_current(SOL_TCP, TCP_CC_INFO).unwrap_or_default())
    }

    /// An option of the socket under test, as bytes; `None` when it has no descriptor or the host refuses.
    fn option_of_current(&mut self, level: i32, name: i32) -> Option<Vec<u8>> {
        let fd = self.endpoints.get(self.current?)?.socket?;
        let call = Call::GetOption { fd, level, name, value: vec![0; ROOM] };
        match self.host.ask(call).output {
            Output::Bytes(raw) => Some(raw),
            _ => None,
        }
    }

    /// `struct tcp_info` of the socket under test; `None` when the host has forgotten it.
    fn tcp_info(&mut self) -> Option<Vec<u8>> {
        let endpoint = self.endpoints.get(self.current?)?;
        if endpoint.socket.is_some() {
            return self.option_of_current(SOL_TCP, TCP_INFO);
        }
        let local = SocketAddr::new(endpoint.local.0, endpoint.local.1?);
        let peer = SocketAddr::new(endpoint.remote.0, endpoint.remote.1?);
        self.host.tcp_info_of(local, peer)
    }

    /// Run all code, in order, each block with its snapshot.
    pub(super) fn evaluate(&mut self, scope: &mut Scope) -> Result<(), Diagnostic> {
        let constants = CONSTANTS.iter().map(|(name, number)| ((*name).to_owned(), Value::Integer(*number)));
        scope.variables.extend(constants);
        for Snapshot { code, variables } in &self.snapshots {
            let values = variables.iter().map(|(name, number)| ((*name).to_owned(), Value::Integer(*number)));
            scope.variables.extend(values);
            scope.run(&code.text).map_err(|fault| {
                let start = code.span.start + fault.at;
                let line = self.text.get(start..code.span.end).and_then(|rest| rest.lines().next()).unwrap_or("");
                Diagnostic::at(Span { start, end: start + line.len().max(1) }, fault.message)
            })?;
        }
        Ok(())
    }
}

/// The fields by name; what the structure is too short for is zero.
fn fields(table: &[(&'static str, usize, usize)], raw: &[u8]) -> Vec<(&'static str, i128)> {
    table.iter().map(|(name, at, size)| (*name, number(raw, *at, *size))).collect()
}

fn number(raw: &[u8], at: usize, size: usize) -> i128 {
    let bytes = raw.get(at..at + size).unwrap_or_default();
    bytes.iter().rev().fold(0i128, |number, byte| number << 8 | i128::from(*byte))
}

/// The fields of `struct tcp_info`, those of a few bits taken apart.
fn variables(raw: &[u8]) -> Vec<(&'static str, i128)> {
    let mut variables = fields(FIELDS, raw);
    let (scales, bits) = (number(raw, 6, 1), number(raw, 7, 1));
    variables.extend([
        ("tcpi_snd_wscale", scales & 15),
        ("tcpi_rcv_wscale", scales >> 4),
        ("tcpi_delivery_rate_app_limited", bits & 1),
        ("tcpi_fastopen_client_fail", bits >> 1 & 3),
    ]);
    variables
}
