//! What a sender keeps once something went wrong, or looked so.
//!
//! Decides nothing itself. A connection on which nothing was ever lost, reordered or late does
//! not have it.

use super::Sender;
use super::frto::Frto;
use super::prr::Prr;
use super::rack::Reordering;
use super::tlp::Probe;
use super::undo::Undo;
use crate::config::Config;
use alloc::boxed::Box;

/// What may leave before something else happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Leave {
    Anything,
    /// New data: what was sent again may not have been needed, and more of it neither.
    New,
    /// What is lost: as on Linux a timer that finds loss lets nothing else out.
    Again,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Repair {
    pub(crate) reordering: Reordering,
    pub(crate) undo: Undo,
    pub(crate) prr: Prr,
    pub(crate) probe: Probe,
    pub(crate) frto: Frto,
    pub(crate) leave: Leave,
    /// The peer has dropped what it said it held, and we are still recovering from that.
    pub(crate) reneging: bool,
    /// Segments that came twice by what D-SACKs say.
    pub(crate) duplicates: u32,
}

impl Repair {
    fn new(config: &Config) -> Repair {
        Repair {
            reordering: Reordering::new(config),
            undo: Undo::default(),
            prr: Prr::default(),
            probe: Probe::default(),
            frto: Frto::Off,
            leave: Leave::Anything,
            reneging: false,
            duplicates: 0,
        }
    }
}

impl Sender {
    /// Made when it is first needed.
    pub(super) fn repair(&mut self, config: &Config) -> &mut Repair {
        self.repair.get_or_insert_with(|| Box::new(Repair::new(config)))
    }

    /// Whether this may leave now.
    pub(super) fn may_leave(&self, what: Leave) -> bool {
        self.repair.as_ref().is_none_or(|repair| repair.leave == Leave::Anything || repair.leave == what)
    }

    /// Something has happened.
    pub(super) fn let_anything_leave(&mut self) {
        if let Some(repair) = &mut self.repair {
            repair.leave = Leave::Anything;
        }
    }

    /// By how many segments one may be overtaken without being lost.
    pub(crate) fn reordering_degree(&self, config: &Config) -> u16 {
        self.repair.as_ref().map_or(config.reordering.into(), |repair| repair.reordering.degree)
    }

    /// How often reordering was seen, and how many segments came twice.
    pub(crate) fn reordering_and_duplicates(&self) -> (u32, u32) {
        self.repair.as_ref().map_or((0, 0), |repair| (repair.reordering.seen, repair.duplicates))
    }
}
