//! `struct tcp_info` as Linux 6.18 lays it out (linux/tcp.h, 280 bytes), little fields and all.
//!
//! Decides offsets and the numbers of states. What has no source here is zero, as in a kernel that has just started.
use segue_tcp::{CongestionName, Info, Instant, State};

use crate::tcp::stream::{Role, StreamSocket};

const LEN: usize = 280;

/// Linux's numbers of the states.
const LISTEN: u8 = 10;

fn state_number(state: State) -> u8 {
    match state {
        State::Established => 1,
        State::SynSent => 2,
        State::SynReceived => 3,
        State::FinWait1 => 4,
        State::FinWait2 => 5,
        State::TimeWait => 6,
        State::Closed => 7,
        State::CloseWait => 8,
        State::LastAck => 9,
        State::Closing => 11,
    }
}

/// Writes fields one after the other.
struct Layout(Vec<u8>);

impl Layout {
    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn words(&mut self, words: &[u32]) -> &mut Self {
        words.iter().fold(self, |layout, word| layout.bytes(&word.to_ne_bytes()))
    }

    fn longs(&mut self, longs: &[u64]) -> &mut Self {
        longs.iter().fold(self, |layout, long| layout.bytes(&long.to_ne_bytes()))
    }
}

/// The structure for a socket, whatever its role.
pub(super) fn tcp_info(stream: &StreamSocket, now: Instant) -> Vec<u8> {
    let (state, info) = match &stream.role {
        Role::Idle(idle) => {
            let fresh = || Info::unconnected(&idle.config, &idle.options);
            (state_number(State::Closed), idle.left.as_deref().copied().unwrap_or_else(fresh))
        }
        Role::Listener(listener) => {
            // As Linux: how many wait for accept(), and how many may.
            let info = Info {
                unacked: listener.accept_queue.len() as u32,
                sacked: listener.backlog,
                ..Info::listening(stream.config(), stream.options())
            };
            (LISTEN, info)
        }
        Role::Connected(flow) => (state_number(flow.connection.state()), stream.info(now).unwrap_or_default()),
    };
    lay_out(state, &info)
}

/// What `TCP_CC_INFO` gives: `struct tcp_bbr_info` of linux/inet_diag.h; nothing for the other algorithms.
pub(super) fn cc_info(stream: &StreamSocket, name: CongestionName) -> Vec<u8> {
    if name != CongestionName::Bbr {
        return Vec::new();
    }
    let info = stream.flow().and_then(|flow| flow.connection.bbr_info()).unwrap_or_default();
    let mut layout = Layout(Vec::new());
    layout.words(&[info.bw as u32, (info.bw >> 32) as u32, info.min_rtt, info.pacing_gain, info.cwnd_gain]);
    layout.0
}

/// The structure for a connection that no socket stands for.
pub(crate) fn of_connection(state: State, info: &Info) -> Vec<u8> {
    lay_out(state_number(state), info)
}

fn lay_out(state: u8, info: &Info) -> Vec<u8> {
    let fail = info.fastopen_client_fail & 3;
    let mut layout = Layout(Vec::with_capacity(LEN));
    layout
        .bytes(&[state, info.ca_state, info.retransmits, info.probes, info.backoff, info.options])
        .bytes(&[info.snd_wscale & 15 | info.rcv_wscale << 4, u8::from(info.delivery_rate_app_limited) | fail << 1])
        .words(&[info.rto, info.ato, info.snd_mss, info.rcv_mss])
        // Forward acknowledgement is no more (tcpi_fackets).
        .words(&[info.unacked, info.sacked, info.lost, info.retrans, 0])
        // When an acknowledgement left last, Linux does not remember either.
        .words(&[info.last_data_sent, 0, info.last_data_recv, info.last_ack_recv])
        .words(&[info.pmtu, info.rcv_ssthresh, info.rtt, info.rttvar])
        .words(&[info.snd_ssthresh, info.snd_cwnd, info.advmss, info.reordering])
        .words(&[info.rcv_rtt, info.rcv_space, info.total_retrans])
        .longs(&[info.pacing_rate, info.max_pacing_rate, info.bytes_acked, info.bytes_received])
        .words(&[info.segs_out, info.segs_in, info.notsent_bytes, info.min_rtt])
        .words(&[info.data_segs_in, info.data_segs_out])
        .longs(&[info.delivery_rate, info.busy_time, info.rwnd_limited, info.sndbuf_limited])
        .words(&[info.delivered, info.delivered_ce])
        .longs(&[info.bytes_sent, info.bytes_retrans])
        .words(&[info.dsack_dups, info.reord_seen, info.rcv_ooopack, info.snd_wnd, info.rcv_wnd, info.rehash])
        .bytes(&info.total_rto.to_ne_bytes())
        .bytes(&info.total_rto_recoveries.to_ne_bytes())
        .words(&[info.total_rto_time, info.received_ce])
        .words(&[info.delivered_e1_bytes, info.delivered_e0_bytes, info.delivered_ce_bytes])
        .words(&[info.received_e1_bytes, info.received_e0_bytes, info.received_ce_bytes])
        .bytes(&info.accecn_fail_mode.to_ne_bytes())
        .bytes(&info.accecn_opt_seen.to_ne_bytes());
    debug_assert_eq!(layout.0.len(), LEN);
    layout.0
}
