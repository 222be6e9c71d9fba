//! Proportional rate reduction: how the window comes down to ssthresh while recovery goes on.
//!
//! Owns RFC 9937 section 6, in segments as Linux counts. Reduces for loss and for ECN alike. What
//! ssthresh is, is the controller's.

use crate::units::Packets;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Prr {
    /// Segments delivered in this episode, and sent.
    delivered: u32,
    out: u32,
    /// RecoverFS: segments that may be delivered in this episode.
    flight: u32,
}

impl Prr {
    /// Section 6.1. `flight`: what had been sent and was not known to have arrived before the
    /// acknowledgment that began it.
    pub(crate) fn new(flight: Packets) -> Prr {
        Prr { delivered: 0, out: 0, flight: flight.0.max(1) }
    }

    /// Section 6.3.
    pub(crate) fn on_sent(&mut self, segments: u32) {
        self.out = self.out.saturating_add(segments);
    }

    /// Section 6.2: the window after an acknowledgment that delivered `newly`; `None` when it delivered
    /// nothing. `safe`: it advanced SND.UNA and showed nothing new to be lost.
    pub(crate) fn window(&mut self, newly: u32, in_flight: Packets, ssthresh: Packets, safe: bool) -> Option<Packets> {
        if newly == 0 {
            return None;
        }
        self.delivered = self.delivered.saturating_add(newly);
        let count = if in_flight > ssthresh {
            let share = (u64::from(self.delivered) * u64::from(ssthresh.0)).div_ceil(u64::from(self.flight.max(1)));
            u32::try_from(share).unwrap_or(u32::MAX).saturating_sub(self.out)
        } else {
            let conservative = self.delivered.saturating_sub(self.out).max(newly);
            (conservative + u32::from(safe)).min(ssthresh.0 - in_flight.0)
        };
        // The first retransmission leaves whatever the count says.
        let count = if self.out == 0 { count.max(1) } else { count };
        Some(Packets(in_flight.0.saturating_add(count)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9937 section 8, figures 1 and 2: flight and cwnd of 20, ssthresh 10, segment 0 lost.
    #[test]
    fn a_single_loss_brings_the_window_down_as_the_rfc_tabulates() {
        // Acknowledgments 1 and 2 send by limited transmit, 3 begins recovery.
        let mut prr = Prr::new(Packets(20));
        let expected = [19, 18, 18, 17, 17, 16, 16, 15, 15, 14, 14, 13, 13, 12, 12, 11];
        // 22 sent; three sacked and one lost.
        let mut in_flight = 18;
        let mut cwnds = Vec::new();
        for _ in 3..=22 {
            let cwnd = prr.window(1, Packets(in_flight), Packets(10), false).expect("something arrived");
            cwnds.push(cwnd.0);
            let sent = cwnd.0 - in_flight;
            prr.on_sent(sent);
            in_flight = in_flight + sent - 1;
        }
        let (slope, end) = cwnds.split_at(expected.len());
        assert_eq!(slope, expected);
        assert!(end.iter().all(|cwnd| *cwnd == 10), "{end:?}");
    }

    /// The same section: the first fifteen of twenty are lost.
    #[test]
    fn of_a_heavy_loss_as_much_is_sent_as_arrives_until_a_hole_is_filled() {
        let mut prr = Prr::new(Packets(20));
        let mut in_flight = 4;
        let mut cwnds = Vec::new();
        for _ in 0..3 {
            let cwnd = prr.window(1, Packets(in_flight), Packets(10), false).expect("something arrived");
            cwnds.push(cwnd.0);
            let sent = cwnd.0 - in_flight;
            prr.on_sent(sent);
            in_flight = in_flight + sent - 1;
        }
        assert_eq!(cwnds, [5, 5, 5]);
        // A retransmission arrives and fills the first hole: one more than what arrived.
        let cwnd = prr.window(1, Packets(4), Packets(10), true).expect("something arrived");
        assert_eq!(cwnd, Packets(6));
    }

    #[test]
    fn nothing_delivered_changes_nothing_and_the_first_retransmission_leaves_at_once() {
        let mut prr = Prr::new(Packets(100));
        assert_eq!(prr.window(0, Packets(50), Packets(10), false), None);
        // A share of one segment in a hundred is none; the first is sent all the same.
        assert_eq!(prr.window(1, Packets(99), Packets(1), false), Some(Packets(100)));
        prr.on_sent(1);
        assert_eq!(prr.window(1, Packets(99), Packets(1), false), Some(Packets(99)));
    }

    /// Whatever is lost and however acknowledgments are bunched, the window never grows beyond ssthresh
    /// in recovery but by what leaves the network, and ends there.
    #[test]
    fn the_window_comes_to_ssthresh_from_either_side() {
        for (flight, ssthresh, lost) in [(100u32, 50u32, 1u32), (100, 70, 40), (1000, 500, 700), (7, 3, 2)] {
            let mut prr = Prr::new(Packets(flight));
            let mut in_flight = flight - lost;
            let mut window = 0;
            for round in 0..3 * flight {
                if in_flight == 0 {
                    break;
                }
                in_flight -= 1;
                let cwnd = prr.window(1, Packets(in_flight), Packets(ssthresh), round % 2 == 0).expect("one arrived");
                window = cwnd.0;
                prr.on_sent(window - in_flight);
                in_flight = window;
                assert!(in_flight < flight, "{in_flight} of {flight} in flight");
            }
            assert!(window.abs_diff(ssthresh) <= 1, "{flight}, {ssthresh}, {lost}: {window}");
        }
    }
}
