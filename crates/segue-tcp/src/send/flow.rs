//! What a sending half keeps once data have left: how fast they arrive, how the window is used, when
//! the next may leave.
//!
//! Decides nothing itself. A connection that never sent data does not have it.

use segue_wire::Instant;

use super::pacer::Pacer;
use super::rate::Rate;
use crate::cc::validation::Usage;
use crate::units::{Local, Seq};

#[derive(Debug)]
pub(crate) struct Flow {
    #[allow(dead_code, reason = "asked once the scoreboard's marks carry snapshots")]
    pub(crate) rate: Rate,
    pub(crate) usage: Usage,
    pub(crate) pacer: Pacer,
}

impl Flow {
    pub(crate) fn new(now: Instant, una: Seq<Local>) -> Flow {
        Flow { rate: Rate::new(now), usage: Usage::new(now, una), pacer: Pacer::new() }
    }
}
