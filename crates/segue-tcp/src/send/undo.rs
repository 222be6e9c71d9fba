//! Whether a reduction was a mistake: what would show it.
//!
//! Owns RFC 3708 (all retransmissions came twice, as D-SACKs say) and RFC 3522 (an echo from before the
//! first retransmission), as Linux counts them. What to take back is recovery's.

use segue_wire::Instant;

use crate::cc::Before;
use crate::units::{Local, Packets, Seq};

/// The current reduction, as long as it may be taken back.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Undo {
    /// SND.UNA when it began.
    marker: Option<Seq<Local>>,
    /// Retransmissions that were not shown to be needless; `None` before the first.
    unproven: Option<u32>,
    /// The window before. `None`: it is not given back (the network marked congestion, too).
    pub(crate) before: Option<Before>,
    /// When the first retransmission of this episode left.
    pub(crate) first_resent: Option<Instant>,
}

impl Undo {
    /// A reduction begins; retransmissions that are still under way may be shown to be needless, too.
    pub(crate) fn begin(&mut self, una: Seq<Local>, resent: Packets) {
        self.marker = Some(una);
        self.unproven = (resent.0 > 0).then_some(resent.0);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.marker.is_some()
    }

    pub(crate) fn marker(&self) -> Option<Seq<Local>> {
        self.marker
    }

    /// The reduction stays, or has been taken back.
    pub(crate) fn end(&mut self) {
        self.marker = None;
    }

    /// Retransmissions leave.
    pub(crate) fn on_resent(&mut self, now: Instant, segments: u32) {
        self.first_resent.get_or_insert(now);
        self.unproven = Some(self.unproven.unwrap_or(0).saturating_add(segments));
    }

    /// A D-SACK tells that segments up to `end` came twice.
    pub(crate) fn on_duplicate(&mut self, segments: u32, end: Seq<Local>) {
        if self.marker.is_some_and(|marker| end.after(marker))
            && let Some(unproven) = &mut self.unproven
        {
            *unproven = unproven.saturating_sub(segments);
        }
    }

    /// RFC 3708: nothing that was sent again was needed.
    pub(crate) fn all_needless(&self) -> bool {
        self.is_open() && self.unproven == Some(0)
    }

    /// RFC 3522 section 3.2: the echo is of a segment that left before the first retransmission. When none
    /// has left yet, whatever arrives did.
    pub(crate) fn came_before(&self, echo: Option<u64>) -> bool {
        self.first_resent.is_none_or(|first| echo.is_some_and(|echo| echo < first.as_millis()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_duplicates_as_retransmissions_show_that_none_was_needed() {
        let una = Seq::new(u32::MAX - 3);
        let mut undo = Undo::default();
        undo.on_resent(Instant::from_secs(1), 2);
        assert!(!undo.all_needless(), "nothing was reduced");
        undo.begin(una, Packets(0));
        assert!(!undo.all_needless());
        undo.on_resent(Instant::from_secs(1), 3);
        undo.on_duplicate(2, una + 10);
        undo.on_duplicate(5, una);
        assert!(!undo.all_needless(), "what came twice before does not count");
        undo.on_duplicate(1, una + 20);
        assert!(undo.all_needless());
        undo.end();
        assert!(!undo.all_needless());
    }

    #[test]
    fn an_echo_from_before_the_first_retransmission_shows_that_the_original_arrived() {
        let mut undo = Undo::default();
        undo.on_resent(Instant::from_millis(700), 1);
        undo.on_resent(Instant::from_millis(900), 1);
        assert!(undo.came_before(Some(699)));
        assert!(!undo.came_before(Some(700)));
        assert!(!undo.came_before(None));
    }
}
