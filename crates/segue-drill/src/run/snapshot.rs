//! What `%{ }%` sees: `TCP_INFO` of the socket under test, as it was at that time.
use std::net::SocketAddr;

use segue_stack::{Info, State};

use super::Interpreter;
use crate::ast::Command;
use crate::code::{Scope, Value};
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
    ("TCPI_OPT_ECN_SEEN", 16), ("TCPI_OPT_SYN_DATA", 32),
];

/// Offset of the state in `struct tcp_info`.
const STATE: usize = 0;

impl Interpreter<'_> {
    pub(super) fn take_snapshot(&mut self, code: &Command) {
        let (state, info) = self.tcp_info().unwrap_or((7, Info::default()));
        self.snapshots.push(Snapshot { code: code.clone(), variables: variables(state, &info) });
    }

    /// State and information of the socket under test; `None` when the stack has forgotten it.
    fn tcp_info(&mut self) -> Option<(i128, Info)> {
        let now = self.machine.now;
        let endpoint = self.endpoints.get(self.current?)?;
        if let Some(id) = endpoint.socket {
            let info = self.machine.stack.tcp_info(now, id).ok()?;
            let mut raw = [0; 256];
            self.machine.stack.getsockopt(now, id, 6, 11, &mut raw).ok()?;
            return Some((raw[STATE].into(), info));
        }
        let local = SocketAddr::new(endpoint.local.0, endpoint.local.1?);
        let peer = SocketAddr::new(endpoint.remote.0, endpoint.remote.1?);
        let found = self.machine.stack.sockets(now).find(|info| info.local == local && info.peer == Some(peer))?;
        Some((state_number(found.state?), found.info.unwrap_or_default()))
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

fn state_number(state: State) -> i128 {
    let name = match state {
        State::Listen => "Listen".to_owned(),
        State::Connection(state) => format!("{state:?}"),
    };
    let names = [
        "Established",
        "SynSent",
        "SynReceived",
        "FinWait1",
        "FinWait2",
        "TimeWait",
        "Closed",
        "CloseWait",
        "LastAck",
        "Listen",
        "Closing",
    ];
    names.iter().position(|known| *known == name).map_or(7, |at| at as i128 + 1)
}

macro_rules! fields {
    ($info:expr; $($field:ident),* $(,)?) => {
        vec![$((concat!("tcpi_", stringify!($field)), i128::from($info.$field))),*]
    };
}

fn variables(state: i128, info: &Info) -> Vec<(&'static str, i128)> {
    let mut variables = fields!(info;
        ca_state, retransmits, probes, backoff, options, snd_wscale, rcv_wscale, delivery_rate_app_limited, rto, ato,
        snd_mss, rcv_mss, unacked, sacked, lost, retrans, last_data_sent, last_data_recv, last_ack_recv, pmtu,
        rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering, rcv_rtt, rcv_space, total_retrans,
        pacing_rate, bytes_acked, bytes_received, segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out,
        bytes_sent, rcv_ooopack, snd_wnd, rcv_wnd, total_rto,
    );
    // These two have other names in the structure.
    variables.push(("tcpi_bytes_retrans", info.bytes_retrans.into()));
    variables.push(("tcpi_fackets", 0));
    variables.push(("tcpi_state", state));
    variables
}
