//! What is kept of a flow once data have left: the algorithm's memory, how fast segments arrive, how
//! the window is used, when the next segment may leave.
//!
//! Decides nothing itself. A connection that never sent data does not have it.

use alloc::boxed::Box;

use segue_wire::Instant;

use super::Window;
use super::bbr::Bbr;
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
    Bbr(Box<Bbr>),
}

impl Algorithm {
    pub(super) fn new(now: Instant, name: CongestionName, window: &Window) -> Algorithm {
        match name {
            CongestionName::Reno => Algorithm::Reno(Reno::default()),
            CongestionName::Cubic => Algorithm::Cubic(Cubic::default()),
            CongestionName::Bbr => Algorithm::Bbr(Box::new(Bbr::new(now, window))),
        }
    }

    pub(super) fn get(&self) -> &dyn Controller {
        match self {
            Algorithm::Reno(reno) => reno,
            Algorithm::Cubic(cubic) => cubic,
            Algorithm::Bbr(bbr) => &**bbr,
        }
    }

    pub(super) fn get_mut(&mut self) -> &mut dyn Controller {
        match self {
            Algorithm::Reno(reno) => reno,
            Algorithm::Cubic(cubic) => cubic,
            Algorithm::Bbr(bbr) => &mut **bbr,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Flow {
    pub(super) algorithm: Algorithm,
    pub(super) usage: Usage,
    pub(crate) rate: Rate,
    pub(crate) pacer: Pacer,
}

impl Flow {
    pub(super) fn new(now: Instant, name: CongestionName, window: &Window) -> Flow {
        let algorithm = Algorithm::new(now, name, window);
        Flow { algorithm, usage: Usage::new(now), rate: Rate::new(now), pacer: Pacer::new() }
    }
}
