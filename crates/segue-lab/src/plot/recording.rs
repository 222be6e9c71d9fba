//! What a picture of a transfer needs, remembered as it happens.
//!
//! One flow per sending host: its data segments, what the other side acknowledged and allowed, and the sender's view of
//! the path (`TCP_INFO`) at each packet. Memory is bounded: neighbours are joined or thinned when there are too many.
use std::cell::RefCell;
use std::rc::Rc;

use segue_wire::tcp::TcpOptions;
use segue_wire::{IpView, Packet, TcpFlags, TcpHeader};

use crate::error::elapsed;
use crate::lab::{HostId, Lab};
use crate::tap::{Moment, Observer, Sighting};

/// Entries of one kind that are kept; beyond, every second one is dropped and fewer are taken from then on.
const MOST: usize = 200_000;

/// A stretch of sequence numbers at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stretch {
    pub(crate) seconds: f64,
    /// Bytes since the first one.
    pub(crate) from: u64,
    pub(crate) to: u64,
}

/// Something with a value at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) seconds: f64,
    pub(crate) value: f64,
}

/// A series that thins itself.
#[derive(Clone, Debug)]
pub(crate) struct Series<T> {
    pub(crate) entries: Vec<T>,
    /// Of how many entries one is kept.
    every: usize,
    seen: usize,
}

impl<T> Default for Series<T> {
    fn default() -> Self {
        Series { entries: Vec::new(), every: 1, seen: 0 }
    }
}

impl<T> Series<T> {
    fn push(&mut self, entry: T) {
        self.seen += 1;
        if !self.seen.is_multiple_of(self.every) {
            return;
        }
        if self.entries.len() >= MOST {
            let mut keep = false;
            self.entries.retain(|_| {
                keep = !keep;
                keep
            });
            self.every *= 2;
        }
        self.entries.push(entry);
    }
}

/// One direction of a connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flow {
    /// The sending host's name.
    pub(crate) from: String,
    pub(crate) sent: Series<Stretch>,
    pub(crate) resent: Series<Stretch>,
    /// Sent and lost on the path.
    pub(crate) lost: Series<Stretch>,
    pub(crate) sacked: Series<Stretch>,
    pub(crate) acknowledged: Series<Point>,
    /// The right edge of the window that the peer offers.
    pub(crate) edge: Series<Point>,
    pub(crate) cwnd: Series<Point>,
    pub(crate) ssthresh: Series<Point>,
    pub(crate) in_flight: Series<Point>,
    /// Mbit/s.
    pub(crate) pacing: Series<Point>,
    /// Milliseconds.
    pub(crate) srtt: Series<Point>,
    pub(crate) rto: Series<Point>,
    /// The sender's first sequence number, and how far it has sent, in bytes since then.
    first: Option<u32>,
    reached: u64,
    scale: u8,
}

impl Flow {
    /// Bytes since the first one; sequence numbers wrap, but never by more than half the space between neighbours.
    fn place(&self, sequence: u32) -> u64 {
        let low = self.first.unwrap_or(sequence).wrapping_add(self.reached as u32);
        let step = i64::from(sequence.wrapping_sub(low) as i32);
        self.reached.saturating_add_signed(step)
    }
}

#[derive(Default)]
struct Flows {
    flows: Vec<(HostId, Flow)>,
}

impl Flows {
    fn of(&mut self, lab: &Lab, host: HostId) -> &mut Flow {
        let at = match self.flows.iter().position(|(known, _)| *known == host) {
            Some(at) => at,
            None => {
                self.flows.push((host, Flow { from: lab.name(host).to_owned(), ..Flow::default() }));
                self.flows.len() - 1
            }
        };
        &mut self.flows[at].1
    }
}

/// Remembers a transfer for [`Recording::save`]. Clones are handles to the same recording.
#[derive(Clone, Default)]
pub struct Recording(Rc<RefCell<Flows>>);

impl Recording {
    /// An empty recording.
    pub fn new() -> Recording {
        Recording::default()
    }

    /// The flows that carried data, biggest first.
    pub(crate) fn flows(&self) -> Vec<Flow> {
        let mut flows: Vec<Flow> =
            self.0.borrow().flows.iter().map(|(_, flow)| flow).filter(|flow| flow.reached > 1).cloned().collect();
        flows.sort_by_key(|flow| std::cmp::Reverse(flow.reached));
        flows
    }
}

/// What is read of a packet.
struct Seen {
    header: TcpHeader,
    options: TcpOptions,
    payload: usize,
}

fn read(packet: &Packet) -> Option<Seen> {
    let view = IpView::parse(packet).ok()?;
    let segment = packet.head().get(view.transport..)?;
    let (header, options, front) = TcpHeader::parse(segment).ok()?;
    let payload = packet.len().checked_sub(view.transport + front)?;
    Some(Seen { header, options: TcpOptions::parse(options), payload })
}

impl Observer for Recording {
    fn on_packet(&mut self, lab: &Lab, sighting: Sighting<'_>) {
        let Some(seen) = read(sighting.packet) else { return };
        let seconds = elapsed(sighting.now).as_secs_f64();
        let mut flows = self.0.borrow_mut();
        match sighting.moment {
            Moment::Sent | Moment::Lost => {
                let lost = sighting.moment == Moment::Lost;
                on_sent(flows.of(lab, sighting.from), seconds, &seen, lost);
                note_sender(flows.of(lab, sighting.from), lab, sighting.from, seconds);
            }
            Moment::Arrived => {
                on_answer(flows.of(lab, sighting.to), seconds, &seen);
                note_sender(flows.of(lab, sighting.to), lab, sighting.to, seconds);
                if seen.header.flags.contains(TcpFlags::SYN) {
                    flows.of(lab, sighting.to).scale = seen.options.window_scale.unwrap_or(0);
                }
            }
        }
    }
}

fn on_sent(flow: &mut Flow, seconds: f64, seen: &Seen, lost: bool) {
    flow.first.get_or_insert(seen.header.sequence);
    if seen.payload == 0 {
        return;
    }
    let from = flow.place(seen.header.sequence);
    let stretch = Stretch { seconds, from, to: from + seen.payload as u64 };
    let again = from < flow.reached;
    flow.reached = flow.reached.max(stretch.to);
    let series = if again { &mut flow.resent } else { &mut flow.sent };
    series.push(stretch);
    if lost {
        flow.lost.push(stretch);
    }
}

/// A segment of the other side reaches the sender of `flow`.
fn on_answer(flow: &mut Flow, seconds: f64, seen: &Seen) {
    if flow.first.is_none() || !seen.header.flags.contains(TcpFlags::ACK) {
        return;
    }
    let place = flow.place(seen.header.acknowledgment);
    let scale = if seen.header.flags.contains(TcpFlags::SYN) { 0 } else { flow.scale };
    flow.acknowledged.push(Point { seconds, value: place as f64 });
    flow.edge.push(Point { seconds, value: (place + (u64::from(seen.header.window) << scale)) as f64 });
    for &(left, right) in seen.options.sack.iter() {
        flow.sacked.push(Stretch { seconds, from: flow.place(left), to: flow.place(right) });
    }
}

/// What the sender makes of the path.
fn note_sender(flow: &mut Flow, lab: &Lab, host: HostId, seconds: f64) {
    let Some(info) = lab.host(host).sockets(lab.now()).find_map(|socket| socket.info).filter(|info| info.rto > 0)
    else {
        return;
    };
    let point = |value: f64| Point { seconds, value };
    flow.cwnd.push(point(info.snd_cwnd.into()));
    if info.snd_ssthresh < 0x7fff_ffff {
        flow.ssthresh.push(point(info.snd_ssthresh.into()));
    }
    let out = info.unacked.saturating_sub(info.sacked + info.lost) + info.retrans;
    flow.in_flight.push(point(out.into()));
    if info.pacing_rate != u64::MAX {
        flow.pacing.push(point(info.pacing_rate as f64 * 8.0 / 1e6));
    }
    if info.rtt > 0 {
        flow.srtt.push(point(f64::from(info.rtt) / 1e3));
    }
    flow.rto.push(point(f64::from(info.rto) / 1e3));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_the_sequence_numbers_across_the_wrap() {
        let mut flow = Flow { first: Some(u32::MAX - 10), ..Flow::default() };
        for (sequence, place) in [(u32::MAX - 10, 0), (u32::MAX, 10), (5, 16), (u32::MAX, 10), (1_000_000, 1_000_011)] {
            assert_eq!(flow.place(sequence), place);
            flow.reached = flow.reached.max(place);
        }
    }

    #[test]
    fn a_series_stays_within_its_bound_and_keeps_both_ends() {
        let mut series = Series::default();
        for n in 0..10 * MOST {
            series.push(n);
        }
        assert!(series.entries.len() <= MOST && series.entries.len() > MOST / 4);
        assert!(series.entries.is_sorted());
        assert!(series.entries[0] < 100 && *series.entries.last().unwrap() > 9 * MOST);
    }
}
