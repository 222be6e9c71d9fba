//! `TCP_INFO`: what can be said about a connection, in Linux's names and units.

use segue_wire::Instant;

use crate::config::Config;
use crate::conn::Family;
use crate::options::SocketOptions;
use crate::recv::ack::SIZE_MIN;
use crate::send::rtt::INITIAL_RTO;
use crate::state::State;

/// The fields of Linux's `struct tcp_info` that have a source here. Times in
/// microseconds unless the name says milliseconds; counts of segments where Linux counts them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(missing_docs)] // The names are Linux's; tcp(7) and linux/tcp.h say what they mean.
pub struct Info {
    /// State by its RFC name.
    pub state: State,
    /// Loss recovery: 0 open, 1 disorder, 2 CWR, 3 recovery, 4 loss.
    pub ca_state: u8,
    pub retransmits: u8,
    pub probes: u8,
    pub backoff: u8,
    /// `TCPI_OPT_*` bits: 1 timestamps, 2 SACK, 4 window scaling, 8 ECN, 16 marks seen, 32 data in the SYN were
    /// acknowledged.
    pub options: u8,
    pub snd_wscale: u8,
    pub rcv_wscale: u8,
    pub delivery_rate_app_limited: bool,
    /// Why Fast Open came to nothing: 0 unknown or it did not, 1 no cookie, 2 data not acknowledged, 3 SYN sent again.
    pub fastopen_client_fail: u8,
    pub rto: u32,
    pub ato: u32,
    pub snd_mss: u32,
    pub rcv_mss: u32,
    pub unacked: u32,
    pub sacked: u32,
    pub lost: u32,
    pub retrans: u32,
    /// Milliseconds since data were last sent.
    pub last_data_sent: u32,
    /// Milliseconds since data last arrived.
    pub last_data_recv: u32,
    /// Milliseconds since an acknowledgment last arrived.
    pub last_ack_recv: u32,
    pub pmtu: u32,
    pub rcv_ssthresh: u32,
    pub rtt: u32,
    pub rttvar: u32,
    pub snd_ssthresh: u32,
    pub snd_cwnd: u32,
    pub advmss: u32,
    pub reordering: u32,
    pub rcv_rtt: u32,
    pub rcv_space: u32,
    pub total_retrans: u32,
    /// Bytes per second; `u64::MAX` when not paced.
    pub pacing_rate: u64,
    /// `SO_MAX_PACING_RATE`, bytes per second; `u64::MAX` when there is no such limit.
    pub max_pacing_rate: u64,
    pub bytes_acked: u64,
    pub bytes_received: u64,
    pub segs_out: u32,
    pub segs_in: u32,
    pub notsent_bytes: u32,
    pub min_rtt: u32,
    pub data_segs_in: u32,
    pub data_segs_out: u32,
    pub bytes_sent: u64,
    pub bytes_retrans: u64,
    pub rcv_ooopack: u32,
    /// The peer's window in bytes, scaled.
    pub snd_wnd: u32,
    /// Our advertised window in bytes.
    pub rcv_wnd: u32,
    /// Bytes per second.
    pub delivery_rate: u64,
    /// Microseconds during which there was something to send.
    pub busy_time: u64,
    /// Microseconds during which the peer's window held the sender up.
    pub rwnd_limited: u64,
    /// Microseconds during which the send buffer held the sender up.
    pub sndbuf_limited: u64,
    /// Segments delivered, also those with a congestion mark.
    pub delivered: u32,
    /// Segments delivered with a congestion mark.
    pub delivered_ce: u32,
    /// Segments that arrived twice, as D-SACKs tell.
    pub dsack_dups: u32,
    /// Reordering events seen.
    pub reord_seen: u32,
    /// Times that another path was tried.
    pub rehash: u32,
    pub total_rto: u16,
    /// Recoveries after timeouts, and milliseconds spent in them.
    pub total_rto_recoveries: u16,
    pub total_rto_time: u32,
    /// Congestion marks received.
    pub received_ce: u32,
    pub delivered_e1_bytes: u32,
    pub delivered_e0_bytes: u32,
    pub delivered_ce_bytes: u32,
    pub received_e1_bytes: u32,
    pub received_e0_bytes: u32,
    pub received_ce_bytes: u32,
    pub accecn_fail_mode: u16,
    pub accecn_opt_seen: u16,
    /// Times that a timeout made the sender try another path.
    pub timeout_rehash: u16,
}

impl Info {
    /// What Linux says of a socket that is not connected: what a connection would begin with.
    pub fn unconnected(config: &Config, options: &SocketOptions) -> Info {
        Info {
            rto: INITIAL_RTO.as_micros() as u32,
            snd_mss: Family::V4.default_mss().into(),
            rttvar: INITIAL_RTO.as_micros() as u32 / 4,
            snd_ssthresh: u32::MAX >> 1,
            min_rtt: u32::MAX,
            ..Info::listening(config, options)
        }
    }

    /// What Linux says of a listener beside its queue.
    pub fn listening(config: &Config, options: &SocketOptions) -> Info {
        Info {
            snd_cwnd: config.initial_cwnd,
            reordering: config.reordering.into(),
            pacing_rate: u64::MAX,
            max_pacing_rate: options.max_pacing_rate.unwrap_or(u64::MAX),
            ..Info::default()
        }
    }

    /// What is left of this, that of a connection under way, when it was given up by shutdown(2) or connect(2): the sizes that
    /// were found for it. As Linux has it two numbers count as not sent.
    pub fn given_up(&self, config: &Config, options: &SocketOptions) -> Info {
        Info {
            retransmits: self.retransmits,
            snd_mss: self.snd_mss,
            rcv_mss: SIZE_MIN.into(),
            pmtu: self.pmtu,
            advmss: self.advmss,
            rcv_ssthresh: self.rcv_ssthresh,
            notsent_bytes: 2,
            ..Info::unconnected(config, options)
        }
    }
}

/// Which timer of a connection runs, as `ss -o` tells them apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TimerKind {
    /// Something is sent again, or looked for, when it expires.
    Retransmission,
    /// Keep-alive, or an orphan's wait for the peer's FIN.
    KeepAlive,
    /// TIME-WAIT ends.
    TimeWait,
    /// The peer's closed window is asked for.
    Persist,
}

/// A running timer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timer {
    /// Which.
    pub kind: TimerKind,
    /// When it expires.
    pub at: Instant,
    /// How often it has expired without an answer.
    pub expired: u8,
}

/// What BBR knows of the path: Linux's `struct tcp_bbr_info`, which `TCP_CC_INFO` gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BbrInfo {
    /// Bandwidth in bytes per second.
    pub bw: u64,
    /// Least round-trip time in microseconds; `u32::MAX` before the first.
    pub min_rtt: u32,
    /// Pacing gain, times 256.
    pub pacing_gain: u32,
    /// Window gain, times 256.
    pub cwnd_gain: u32,
}
