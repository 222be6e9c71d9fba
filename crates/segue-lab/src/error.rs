//! How an experiment fails, with everything needed to run it again.
use std::fmt;
use std::time::Duration;

use segue_link::PathConfigError;
use segue_stack::{Errno, Instant, SocketInfo, State, SysctlError};

/// Why an experiment ended without a result.
#[derive(Debug)]
#[non_exhaustive]
pub enum LabError {
    /// The path cannot be built.
    Path(PathConfigError),
    /// A setting was refused.
    Sysctl(SysctlError),
    /// An option that makes no experiment.
    Config(String),
    /// The capture could not be written to its end. What was measured is lost with it.
    Capture(std::io::Error),
    /// A socket call failed where it must not, or a connection broke.
    Socket {
        /// Name of the host.
        host: String,
        /// What was done.
        call: &'static str,
        /// What the call answered.
        errno: Errno,
        /// Virtual time since the beginning.
        at: Duration,
        /// Seed of the run.
        seed: u64,
        /// Both ends at that time.
        hosts: Vec<HostState>,
    },
    /// A story did not go as it is told.
    Story {
        /// What was told and what was seen.
        what: String,
        /// Virtual time since the beginning.
        at: Duration,
        /// Seed of the run.
        seed: u64,
        /// Both ends at that time.
        hosts: Vec<HostState>,
    },
    /// Nothing goes on.
    Stalled {
        /// In what way.
        reason: StallReason,
        /// Virtual time since the beginning.
        at: Duration,
        /// Seed of the run.
        seed: u64,
        /// All hosts at that time.
        hosts: Vec<HostState>,
    },
}

/// In what way nothing goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StallReason {
    /// The bound on virtual time was reached.
    TimeIsUp {
        /// The bound.
        limit: Duration,
    },
    /// No packet is under way and no timer runs, yet the experiment is not done.
    NothingScheduled,
    /// A direction delivered nothing for longer than what the path lost explains.
    Unexplained {
        /// For how long.
        gap: Duration,
        /// How long it might have been.
        explained: Duration,
        /// Packets that the path had lost or damaged meanwhile.
        lost: u64,
    },
    /// The path was cut for good, and a host did not give up as it should.
    NotGivenUp {
        /// Name of the host.
        host: String,
        /// When the path was cut.
        cut: Duration,
        /// What it did instead.
        what: String,
    },
    /// A host keeps asking to be called at a time that has come, and time does not move.
    Busy {
        /// Name of the host.
        host: String,
    },
}

/// What a host's sockets look like at one moment.
#[derive(Clone, Debug)]
pub struct HostState {
    /// Name of the host.
    pub name: String,
    /// Its next deadline, as virtual time since the beginning.
    pub next_deadline: Option<Duration>,
    /// Its sockets.
    pub sockets: Vec<SocketInfo>,
}

/// The name of a socket's state, as `ss` readers know it.
pub(crate) fn state_name(state: Option<State>) -> &'static str {
    match state {
        Some(State::Connection(state)) => state.name(),
        Some(State::Listen) => "LISTEN",
        None => "UNCONN",
    }
}

/// Time since the beginning of a lab.
pub(crate) fn elapsed(now: Instant) -> Duration {
    Duration::from_nanos(now.as_nanos())
}

impl fmt::Display for HostState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.next_deadline {
            Some(at) => write!(f, "{} (next timer at {:.6} s)", self.name, at.as_secs_f64())?,
            None => write!(f, "{} (no timer runs)", self.name)?,
        }
        for socket in &self.sockets {
            let name = state_name(socket.state);
            let (unread, unsent) = (socket.receive_queue, socket.send_queue);
            write!(f, "\n    {name:<12} recv-q {unread} send-q {unsent} {}", socket.local)?;
            if let Some(peer) = socket.peer {
                write!(f, " > {peer}")?;
            }
            if let Some(info) = &socket.info {
                write!(
                    f,
                    " cwnd {} ssthresh {} unacked {} rto {} us rtt {} us backoff {} retrans {} snd_wnd {} rcv_wnd {}",
                    info.snd_cwnd,
                    info.snd_ssthresh,
                    info.unacked,
                    info.rto,
                    info.rtt,
                    info.backoff,
                    info.total_retrans,
                    info.snd_wnd,
                    info.rcv_wnd,
                )?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for StallReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StallReason::TimeIsUp { limit } => {
                write!(f, "not done within the limit of {} s of virtual time", limit.as_secs_f64())
            }
            StallReason::NothingScheduled => f.write_str("not done, but no packet is under way and no timer runs"),
            StallReason::NotGivenUp { host, cut, what } => {
                write!(f, "the path was cut after {:.3} s, and {host} {what}", cut.as_secs_f64())
            }
            StallReason::Unexplained { gap, explained, lost } => {
                let (gap, explained) = (gap.as_secs_f64(), explained.as_secs_f64());
                write!(f, "nothing was delivered for {gap:.3} s; {lost} lost packets explain {explained:.3} s")
            }
            StallReason::Busy { host } => {
                write!(f, "{host} asks to be called again and again without letting time move")
            }
        }
    }
}

fn write_hosts(f: &mut fmt::Formatter<'_>, at: &Duration, seed: u64, hosts: &[HostState]) -> fmt::Result {
    write!(f, "\n  at {:.9} s, seed {seed}", at.as_secs_f64())?;
    hosts.iter().try_for_each(|host| write!(f, "\n  {host}"))
}

impl fmt::Display for LabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LabError::Path(error) => write!(f, "{error}"),
            LabError::Sysctl(error) => write!(f, "{error}"),
            LabError::Config(message) => f.write_str(message),
            LabError::Capture(error) => write!(f, "the capture could not be written: {error}"),
            LabError::Socket { host, call, errno, at, seed, hosts } => {
                write!(f, "{call} on {host} failed: {errno}")?;
                write_hosts(f, at, *seed, hosts)
            }
            LabError::Story { what, at, seed, hosts } => {
                write!(f, "the story went another way: {what}")?;
                write_hosts(f, at, *seed, hosts)
            }
            LabError::Stalled { reason, at, seed, hosts } => {
                write!(f, "the experiment has stalled: {reason}")?;
                write_hosts(f, at, *seed, hosts)
            }
        }
    }
}

impl std::error::Error for LabError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LabError::Path(error) => Some(error),
            LabError::Sysctl(error) => Some(error),
            LabError::Socket { errno, .. } => Some(errno),
            LabError::Capture(error) => Some(error),
            LabError::Config(_) | LabError::Story { .. } | LabError::Stalled { .. } => None,
        }
    }
}

impl From<PathConfigError> for LabError {
    fn from(error: PathConfigError) -> Self {
        LabError::Path(error)
    }
}

impl From<SysctlError> for LabError {
    fn from(error: SysctlError) -> Self {
        LabError::Sysctl(error)
    }
}
