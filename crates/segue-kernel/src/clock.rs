//! One clock for what is done here and what the kernel stamps.
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use segue_wire::Instant;

/// Real time as [`Instant`]s; also says when a packet was sent that the kernel stamped with its wall clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    base: std::time::Instant,
    /// The wall clock at `base`.
    wall: Duration,
}

/// What the clock shows when it is made: room for what was before.
const START: Duration = Duration::from_secs(1000);

impl Clock {
    /// A clock that shows 1000 seconds now.
    pub fn new() -> Clock {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock { base: std::time::Instant::now(), wall }
    }

    /// The time now.
    pub fn now(&self) -> Instant {
        Instant::ZERO + START + self.base.elapsed()
    }

    /// What the wall clock says at a time, since 1970.
    pub fn wall(&self, at: Instant) -> Duration {
        (self.wall + at.saturating_duration_since(Instant::ZERO)).saturating_sub(START)
    }

    /// A time of the wall clock, counted from 1970.
    pub(crate) fn at_wall(&self, wall: Duration) -> Instant {
        match wall.checked_sub(self.wall) {
            Some(later) => Instant::ZERO + START + later,
            None => Instant::ZERO + START.saturating_sub(self.wall.saturating_sub(wall)),
        }
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::new()
    }
}
