//! What connections decide about loss and congestion, for whoever wants to see it.
//!
//! Decides only what is kept until somebody asks, and that is bounded. Nobody asks by default; then there is
//! one branch for each call on a connection.
use core::fmt::{self, Write};
use core::net::SocketAddr;
use core::time::Duration;
use std::collections::VecDeque;

use segue_tcp::{
    CaState, Connection, ControllerPhase, Decided, Decision, FlowState, LossReason, ReductionReason, UndoReason,
};

use crate::tuple::FourTuple;

/// Decisions that are kept for who does not fetch them; later ones are dropped and counted.
const MOST: usize = 65_536;

/// A decision, and whose it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TcpDecision {
    /// This host's end of the connection.
    pub local: SocketAddr,
    /// The other end.
    pub peer: SocketAddr,
    /// What was decided, and when.
    pub decided: Decided,
}

impl TcpDecision {
    /// One line of JSON, without its end, as `docs/events.md` describes it. `zero`: what time `Instant::ZERO` is told as.
    /// `host`: who decided, if there are several; must need no escaping.
    pub fn json(&self, zero: Duration, host: &str) -> String {
        let mut line = String::with_capacity(192);
        // Writing to a string does not fail.
        let _ = self.write(&mut line, zero, host);
        line
    }

    fn write(&self, out: &mut String, zero: Duration, host: &str) -> fmt::Result {
        let at = seconds(zero, self.decided.at);
        write!(out, r#"{{"time":{at},"host":"{host}","local":"{}","peer":"{}","event":"#, self.local, self.peer)?;
        match self.decided.what {
            Decision::Lost { start, len, why, again } => {
                write!(out, r#""lost","seq":{start},"len":{len},"why":"{}","again":{again}"#, loss(why))
            }
            Decision::Resent { start, len, segments, state } => {
                let state = state_name(state);
                write!(out, r#""retransmit","seq":{start},"len":{len},"segments":{segments},"state":"{state}""#)
            }
            Decision::State { from, to, cwnd, ssthresh, until } => {
                let (from, to) = (state_name(from), state_name(to));
                write!(out, r#""state","from":"{from}","to":"{to}","cwnd":{cwnd},"ssthresh":"#)?;
                bounded(out, ssthresh, UNSET)?;
                write!(out, r#","until":{until}"#)
            }
            Decision::Reduced { why, before, after } => {
                write!(out, r#""reduced","why":"{}""#, reduction(why))?;
                change(out, before, after)
            }
            Decision::Undone { why, before, after } => {
                write!(out, r#""undo","why":"{}""#, undo(why))?;
                change(out, before, after)
            }
            Decision::Controller { from, to, now } => {
                write!(out, r#""controller","from":"{}","to":"{}","now":"#, phase(from), phase(to))?;
                flow(out, now)
            }
            Decision::Probe { start, len, new } => write!(out, r#""probe","seq":{start},"len":{len},"new":{new}"#),
            Decision::ProbeRecovered => out.write_str(r#""probe_repaired""#),
            Decision::Timeout { rto, in_a_row } => {
                write!(out, r#""rto","after":{}.{:06},"in_a_row":{in_a_row}"#, rto.as_secs(), rto.subsec_micros())
            }
            Decision::ReorderWait { until } => write!(out, r#""reorder_wait","until":{}"#, seconds(zero, until)),
            Decision::Reordered { degree, seen } => {
                write!(out, r#""reordering","degree":{degree},"seen":{seen}"#)
            }
            Decision::Duplicate { start, end } => {
                write!(out, r#""dsack","seq":{start},"len":{}"#, end.wrapping_sub(start))
            }
            Decision::Reneged => out.write_str(r#""reneging""#),
            _ => out.write_str(r#""other""#),
        }?;
        out.write_char('}')
    }
}

/// ssthresh before the first reduction.
const UNSET: u32 = 0x7fff_ffff;

fn seconds(zero: Duration, at: segue_tcp::Instant) -> String {
    let at = zero.saturating_add(Duration::from_nanos(at.as_nanos()));
    format!("{}.{:09}", at.as_secs(), at.subsec_nanos())
}

/// The value, or `null` for what stands for "none".
fn bounded<T: PartialEq + fmt::Display>(out: &mut String, value: T, none: T) -> fmt::Result {
    if value == none { out.write_str("null") } else { write!(out, "{value}") }
}

fn flow(out: &mut String, state: FlowState) -> fmt::Result {
    write!(out, r#"{{"cwnd":{},"ssthresh":"#, state.cwnd)?;
    bounded(out, state.ssthresh, UNSET)?;
    out.write_str(r#","pacing_rate":"#)?;
    bounded(out, state.pacing_rate, u64::MAX)?;
    out.write_char('}')
}

fn change(out: &mut String, before: FlowState, after: FlowState) -> fmt::Result {
    out.write_str(r#","before":"#)?;
    flow(out, before)?;
    out.write_str(r#","after":"#)?;
    flow(out, after)
}

fn loss(why: LossReason) -> &'static str {
    match why {
        LossReason::Time => "rack",
        LossReason::Duplicates => "dupthresh",
        LossReason::Probe => "tlp",
        LossReason::Timeout => "rto",
        _ => "other",
    }
}

fn reduction(why: ReductionReason) -> &'static str {
    match why {
        ReductionReason::Loss => "loss",
        ReductionReason::Mark => "ecn",
        ReductionReason::Timeout => "rto",
        ReductionReason::Probe => "tlp",
        ReductionReason::Idle => "idle",
        _ => "other",
    }
}

fn undo(why: UndoReason) -> &'static str {
    match why {
        UndoReason::Duplicates => "dsack",
        UndoReason::Original => "eifel",
        UndoReason::Frto => "frto",
        _ => "other",
    }
}

fn state_name(state: CaState) -> &'static str {
    match state {
        CaState::Open => "open",
        CaState::Disorder => "disorder",
        CaState::Cwr => "cwr",
        CaState::Recovery => "recovery",
        CaState::Loss => "loss",
    }
}

fn phase(phase: ControllerPhase) -> &'static str {
    match phase {
        ControllerPhase::SlowStart => "slow_start",
        ControllerPhase::Avoidance => "congestion_avoidance",
        ControllerPhase::Startup => "startup",
        ControllerPhase::Drain => "drain",
        ControllerPhase::ProbeDown => "probe_bw_down",
        ControllerPhase::ProbeCruise => "probe_bw_cruise",
        ControllerPhase::ProbeRefill => "probe_bw_refill",
        ControllerPhase::ProbeUp => "probe_bw_up",
        ControllerPhase::ProbeRtt => "probe_rtt",
        _ => "other",
    }
}

/// Decisions of all connections, in the order in which they were told.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    queue: VecDeque<TcpDecision>,
    dropped: u64,
}

impl Decisions {
    /// Takes what a connection has decided; one that is new is asked to tell from now on.
    pub(crate) fn collect(&mut self, tuple: &FourTuple, connection: &mut Connection) {
        connection.trace(true);
        let (local, peer) = (tuple.local_addr(), tuple.peer_addr());
        for decided in connection.take_decisions() {
            if self.queue.len() < MOST {
                self.queue.push_back(TcpDecision { local, peer, decided });
            } else {
                self.dropped += 1;
            }
        }
    }

    pub(crate) fn take(&mut self) -> Option<TcpDecision> {
        self.queue.pop_front()
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }
}
