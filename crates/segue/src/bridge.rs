//! An emulated path between two links in real time, for ends that are no Segue hosts: two TUN devices of two kernels.
//!
//! Decides when its thread sleeps and when it watches: it sleeps until shortly before the next packet is due and
//! then reads the clock until it is, because a sleeper wakes tens of microseconds late; for as long after something
//! moved it watches for what may follow. What happens to packets is the [`Path`]'s. Invariant: a packet leaves never
//! before its time.
use core::num::NonZeroU64;
use core::time::Duration;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use segue_link::{End, Link, Path, PathStats, SendError, Wait};
use segue_stack::Instant;
use segue_wire::Packet;

/// Packets (or super-segments) taken from a link before what is due is let out.
const BUDGET: usize = 16;

/// How long before a packet is due, and after one has moved, its thread is awake. A timer wakes its sleeper within this on an
/// idle machine.
const DEFAULT_AWAKE: Duration = Duration::from_micros(60);

/// Why [`Bridge::run`] came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BridgePause {
    /// The time to come back was reached.
    TimeIsUp,
    /// Somebody asked it to stop.
    Stopped,
}

/// Two links joined by an emulated path, on the thread that calls [`Bridge::run`].
pub struct Bridge {
    path: Path,
    links: [Box<dyn Link>; 2],
    awake: Duration,
    batch: Vec<Packet>,
    not_taken: u64,
    lateness: Lateness,
}

/// How late packets left, as a histogram whose steps grow by a quarter. From [`Bridge::lateness`].
#[derive(Clone, Debug)]
pub struct Lateness {
    /// Rounds in which the latest packet was about `1.25^n` µs late, for each n.
    steps: [u64; Lateness::STEPS],
    most: Duration,
}

impl Default for Lateness {
    fn default() -> Lateness {
        Lateness { steps: [0; Lateness::STEPS], most: Duration::ZERO }
    }
}

impl Lateness {
    const STEPS: usize = 80;

    fn record(&mut self, late: Duration) {
        self.most = self.most.max(late);
        let mut step = 0;
        let mut bound = 1000_u128;
        while bound < late.as_nanos() && step + 1 < Self::STEPS {
            bound += bound / 4;
            step += 1;
        }
        self.steps[step] += 1;
    }

    /// What a share of all rounds that let packets out was not later than; zero when there were none.
    pub fn quantile(&self, share: f64) -> Duration {
        let all: u64 = self.steps.iter().sum();
        let wanted = (all as f64 * share.clamp(0.0, 1.0)).ceil() as u64;
        let mut bound = 1000_u64;
        let mut seen = 0;
        for count in self.steps {
            seen += count;
            if seen >= wanted {
                break;
            }
            bound += bound / 4;
        }
        if all == 0 { Duration::ZERO } else { Duration::from_nanos(bound).min(self.most) }
    }

    /// The latest of all.
    pub fn most(&self) -> Duration {
        self.most
    }
}

const ENDS: [End; 2] = [End::A, End::B];

impl Bridge {
    /// Joins two links with descriptors, such as TUN devices.
    ///
    /// # Errors
    /// `InvalidInput` for a link without a descriptor: those belong to hosts of this process, which a path joins directly
    /// ([`segue_link::path_pair`]).
    pub fn new(path: Path, a: impl Link + 'static, b: impl Link + 'static) -> io::Result<Bridge> {
        let links: [Box<dyn Link>; 2] = [Box::new(a), Box::new(b)];
        if links.iter().any(|link| !matches!(link.wait(), Wait::Fd(_))) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a bridge joins links with descriptors only"));
        }
        Ok(Bridge {
            path,
            links,
            awake: DEFAULT_AWAKE,
            batch: Vec::with_capacity(BUDGET),
            not_taken: 0,
            lateness: Lateness::default(),
        })
    }

    /// How long before a packet is due the thread stays awake for it, and how long after one has moved for the next: more is
    /// more exact, and more processor time. Default 60 µs. Zero: it only sleeps, and packets are as late as the machine's timers.
    #[must_use]
    pub fn with_awake(mut self, awake: Duration) -> Bridge {
        self.awake = awake;
        self
    }

    /// What the path has done.
    pub fn stats(&self) -> PathStats {
        self.path.stats()
    }

    /// Packets that came out of the path and that the device at their end refused (it was down).
    pub fn not_taken(&self) -> u64 {
        self.not_taken
    }

    /// How late packets left: what this process, not the path, added to their delay.
    pub fn lateness(&self) -> &Lateness {
        &self.lateness
    }

    /// Carries packets until a time, or until `stop` becomes readable. To be called again to go on.
    ///
    /// # Errors
    /// A link has ended; the message says which device and why.
    pub fn run(&mut self, until: Option<Instant>, stop: BorrowedFd<'_>) -> io::Result<BridgePause> {
        // Timers of ordinary threads may be 50 µs late on purpose; where this cannot be changed they stay so.
        let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
        let mut rounds_awake = 0_u32;
        let mut moved_at: Option<Instant> = None;
        loop {
            let now = crate::clock::now();
            if until.is_some_and(|until| until <= now) {
                return Ok(BridgePause::TimeIsUp);
            }
            if self.round(now)? {
                moved_at = Some(now);
            }
            let due = ENDS.iter().filter_map(|&end| self.path.next_deadline(end));
            let due = due.chain(self.links.iter().filter_map(|link| link.next_deadline())).min();
            let near = due.is_some_and(|due| due <= now + self.awake);
            // At least once more after something moved: there may be more of it.
            if near || moved_at.is_some_and(|at| now == at || now < at + self.awake) {
                // A stop must be heard by a thread that never sleeps, too.
                rounds_awake = rounds_awake.wrapping_add(1);
                if rounds_awake.is_multiple_of(256) && self.sleep(Some(Duration::ZERO), stop)? {
                    return Ok(BridgePause::Stopped);
                }
                core::hint::spin_loop();
                continue;
            }
            let wake = due.map(|due| due.saturating_duration_since(now).saturating_sub(self.awake));
            let rest = until.map(|until| until.saturating_duration_since(now));
            let longest = wake.into_iter().chain(rest).min();
            if self.sleep(longest, stop)? {
                return Ok(BridgePause::Stopped);
            }
        }
    }

    /// Takes what has come in and lets out what is due. Whether anything moved.
    fn round(&mut self, now: Instant) -> io::Result<bool> {
        let mut moved = false;
        for (end, link) in ENDS.into_iter().zip(&mut self.links) {
            moved |= link.recv(now, &mut self.batch, BUDGET)? > 0;
            for packet in self.batch.drain(..) {
                self.path.push(now, end, packet);
            }
        }
        for (end, link) in ENDS.into_iter().zip(&mut self.links) {
            let due = self.path.next_deadline(end);
            let mut let_out = false;
            while let Some(packet) = self.path.pop_joined(now, end) {
                let_out = true;
                let wire_packets = packet.wire_packets() as u64;
                match link.send(now, packet) {
                    Ok(()) => {}
                    Err(SendError::Full(_)) => self.not_taken += wire_packets,
                    // A device that is down loses what comes; one that is gone ends the next `recv`.
                    Err(SendError::Io(_)) => self.not_taken += wire_packets,
                }
            }
            if let Some(due) = due.filter(|_| let_out) {
                self.lateness.record(now.saturating_duration_since(due));
            }
            moved |= let_out;
            link.flush(now)?;
        }
        Ok(moved)
    }

    /// Sleeps until a link or `stop` has something. Whether it is `stop`.
    fn sleep(&self, longest: Option<Duration>, stop: BorrowedFd<'_>) -> io::Result<bool> {
        let longest = longest.map(|time| Timespec {
            tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: time.subsec_nanos().into(),
        });
        let [a, b] = &self.links;
        // `new` has refused every other kind.
        let (Wait::Fd(a), Wait::Fd(b)) = (a.wait(), b.wait()) else { return Ok(false) };
        let mut polled = [a, b, stop].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        match poll(&mut polled, longest.as_ref()) {
            Ok(_) => Ok(!polled[2].revents().is_empty()),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// The two ends of a stop signal for [`Bridge::run`]: the first becomes readable when the second is dropped.
///
/// # Errors
/// The process has too many descriptors.
pub fn stop_signal() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?)
}
