//! What is kept of a flow once data have left: the algorithm's memory, how fast segments arrive, how
//! the window is used, when the next segment may leave.
//!
//! Decides nothing itself. A connection that never sent data does not have it.

use segue_wire::Instant;

use super::controller::Controller;
use super::cubic::Cubic;
use super::reno::Reno;
use super::validation::Usage;
use crate::options::CongestionName;
use crate::send::pacer::Pacer;
use crate::send::rate::Rate;

/// The chosen algorithm.
#[derive(Debug)]
pub(super) enum Algorithm {
    Reno(Reno),
    Cubic(Cubic),
}

impl Algorithm {
    pub(super) fn new(name: CongestionName) -> Algorithm {
        match name {
            CongestionName::Reno => Algorithm::Reno(Reno::default()),
            CongestionName::Cubic => Algorithm::Cubic(Cubic::default()),
        }
    }

    pub(super) fn get(&self) -> &dyn Controller {
        match self {
            Algorithm::Reno(reno) => reno,
            Algorithm::Cubic(cubic) => cubic,
        }
    }

    pub(super) fn get_mut(&mut self) -> &mut dyn Controller {
        match self {
            Algorithm::Reno(reno) => reno,
            Algorithm::Cubic(cubic) => cubic,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Flow {
    pub(super) algorithm: Algorithm,
    pub(super) usage: Usage,
    #[allow(dead_code, reason = "asked once the scoreboard's marks carry snapshots")]
    pub(crate) rate: Rate,
    pub(crate) pacer: Pacer,
}

impl Flow {
    pub(super) fn new(now: Instant, name: CongestionName) -> Flow {
        Flow { algorithm: Algorithm::new(name), usage: Usage::new(now), rate: Rate::new(now), pacer: Pacer::new() }
    }
}
