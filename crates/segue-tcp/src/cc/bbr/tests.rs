//! Formulas against floating point, states against the draft's text.

use super::super::path::{MSS, Path, World};
use super::super::tests::acked;
use super::super::{Algorithm, Congestion};
use super::*;
use crate::options::CongestionName;
use crate::send::rate::{Delivered, RateSample};
use crate::units::Seq;

const SECOND: Duration = Duration::from_secs(1);
const RTT: Duration = Duration::from_millis(40);
/// 10 Mbit/s, 40 ms: 50 packets.
const PATH: Path =
    Path { rate: 1_250_000, rtt: RTT, queue: 500, mark: u64::MAX, loss: 0, every: 0, bunch: Duration::ZERO };

fn bbr(cc: &Congestion) -> &Bbr {
    match cc.flow().map(|flow| &flow.algorithm) {
        Some(Algorithm::Bbr(bbr)) => bbr,
        _ => panic!("another algorithm"),
    }
}

fn bbr_mut(cc: &mut Congestion, now: Instant) -> &mut Bbr {
    match &mut cc.flow_mut(now).algorithm {
        Algorithm::Bbr(bbr) => bbr,
        _ => panic!("another algorithm"),
    }
}

fn world() -> World {
    let mut world = World::new(PATH, 1);
    world.start(CongestionName::Bbr);
    world
}

/// States in the order in which they are entered, with the time of entry.
fn states(world: &mut World, time: Duration) -> Vec<(Instant, State)> {
    let mut seen: Vec<(Instant, State)> = Vec::new();
    let end = world.now + time;
    while world.now < end {
        world.run(Duration::from_micros(500));
        let state = match bbr(&world.flows[0].cc).state {
            State::Drain { .. } => State::Drain { since: 0 },
            state => state,
        };
        if seen.last().is_none_or(|(_, last)| *last != state) {
            seen.push((world.now, state));
        }
    }
    seen
}

#[test]
fn a_flow_finds_its_rate_drains_its_queue_and_cycles() {
    let mut world = world();
    world.run(Duration::from_millis(1));
    let seen = states(&mut world, SECOND * 12);
    let order: Vec<State> = seen.iter().map(|(_, state)| *state).collect();
    assert_eq!(order[..2], [State::Startup, State::Drain { since: 0 }]);
    // An acknowledgment that ends Drain may end Down, too.
    assert!(matches!(order[2], State::Down | State::Cruise));
    // 10, 20, 40, 80 segments: full after three rounds and three more without growth.
    assert!(seen[1].0 - seen[0].0 < RTT * 14, "{:?}", seen[1].0);
    assert!(seen[2].0 - seen[1].0 < RTT * 4, "Drain takes a few rounds at most");
    for pair in order[2..].windows(2) {
        let follows = match pair[0] {
            State::Down => matches!(pair[1], State::Cruise | State::Refill | State::ProbeRtt),
            State::Cruise => matches!(pair[1], State::Refill | State::ProbeRtt),
            State::Refill => matches!(pair[1], State::Up | State::ProbeRtt),
            State::Up => matches!(pair[1], State::Down | State::ProbeRtt),
            State::ProbeRtt => matches!(pair[1], State::Cruise | State::Down),
            State::Startup | State::Drain { .. } => false,
        };
        assert!(follows, "{pair:?}");
    }
    // Section 5.3.3.8: 2 to 3 s, or as many rounds as Reno needs for this window: 50.
    let ups: Vec<Instant> = seen.iter().filter(|(_, state)| *state == State::Up).map(|(at, _)| *at).collect();
    assert!(ups.len() >= 3, "{seen:?}");
    for pair in ups.windows(2) {
        let gap = pair[1] - pair[0];
        assert!(gap >= Duration::from_millis(1_800) && gap < SECOND * 5, "{gap:?}");
    }
    let model = &bbr(&world.flows[0].cc).model;
    let rate = model.bw.bytes(MSS) as f64 / PATH.rate as f64;
    assert!((0.97..1.03).contains(&rate), "{rate}");
    assert!(model.min_rtt.is_some_and(|rtt| rtt >= RTT && rtt < RTT + Duration::from_millis(2)));
}

// Section 5.3.4: every 5 s unless a lower round trip is seen; half of a BDP for 200 ms and a round.
#[test]
fn the_round_trip_is_probed_every_five_seconds_for_a_fifth_of_one() {
    let mut world = world();
    let seen = states(&mut world, SECOND * 32);
    let probes: Vec<usize> = (0..seen.len()).filter(|i| seen[*i].1 == State::ProbeRtt).collect();
    assert!((4..=6).contains(&probes.len()), "{}", probes.len());
    for i in probes.iter().filter(|i| **i + 1 < seen.len()) {
        let took = seen[i + 1].0 - seen[*i].0;
        assert!(took >= Duration::from_millis(200) && took < Duration::from_millis(400), "{took:?}");
        assert_eq!(seen[i + 1].1, State::Cruise, "the queue is empty already");
    }
    for pair in probes.windows(2) {
        let gap = seen[pair[1]].0 - seen[pair[0]].0;
        assert!(gap >= SECOND * 5 && gap < Duration::from_millis(5_600), "{gap:?}");
    }
}

// Section 5.6.2.
#[test]
fn the_first_pacing_rate_is_2_77_initial_windows_per_round_trip() {
    let mut cc = Congestion::new(CongestionName::Bbr, Packets(10));
    let restart = Restart { now: Instant::ZERO, app_limited: false, srtt: None, mss: MSS };
    cc.on_restart(&restart);
    // A millisecond is assumed; the quantum is a millisecond's worth: 27 kB.
    assert_eq!(cc.pacing_rate(), Some(27_700_000));
    assert_eq!(cc.send_quantum(), Some(27_700));
    cc.on_restart(&Restart { srtt: Some(RTT), ..restart });
    assert_eq!(cc.pacing_rate(), Some(2_770 * 10 * 1000 / 40));
    assert_eq!(cc.send_quantum(), Some(2 * MSS));
    cc.on_restart(&Restart { srtt: Some(SECOND), ..restart });
    assert_eq!(cc.pacing_rate(), Some(2_770 * 10 * 1000 / 40), "what was measured once is not guessed again");
}

fn with_model(bandwidth: u32, min_rtt: Duration) -> (Congestion, Instant) {
    let now = Instant::from_secs(5);
    let mut cc = Congestion::new(CongestionName::Bbr, Packets(10));
    let bbr = bbr_mut(&mut cc, now);
    bbr.mss = MSS;
    bbr.full.by = Some(startup::FullBy::Rate);
    bbr.model.max_bw.update(Bandwidth::of(bandwidth, SECOND));
    bbr.model.bound_bandwidth();
    bbr.model.min_rtt = Some(min_rtt);
    (cc, now)
}

// Sections 5.6.1, 5.6.2, 5.6.4.2: in floating point.
#[test]
fn rate_and_volume_are_gains_of_the_model() {
    for (bandwidth, ms) in [(1_000, 40), (83_333, 100), (50, 300), (3, 1_000), (800_000, 20)] {
        let (mut cc, now) = with_model(bandwidth, Duration::from_millis(ms));
        let bbr = bbr_mut(&mut cc, now);
        let bdp = f64::from(bandwidth) * ms as f64 / 1e3;
        for (state, pacing, volume) in [
            (State::Startup, 2.77, 2.0),
            (State::Drain { since: 0 }, 0.5, 2.0),
            (State::Down, 0.9, 2.0),
            (State::Cruise, 1.0, 2.0),
            (State::Refill, 1.0, 2.0),
            (State::Up, 1.25, 2.25),
            (State::ProbeRtt, 1.0, 0.5),
        ] {
            bbr.state = state;
            bbr.set_pacing_rate(state.pacing_gain());
            let expected = pacing * 0.99 * f64::from(bandwidth) * f64::from(MSS);
            let got = bbr.pacing_rate.unwrap_or(0) as f64;
            assert!((got - expected).abs() <= expected * 1e-4 + 2.0, "{state:?}: {got} for {expected}");
            bbr.set_send_quantum();
            let quantum = (got / 1000.0).min(65_536.0).max(2.0 * f64::from(MSS));
            assert!((f64::from(bbr.send_quantum) - quantum).abs() <= 1.0);
            let budget = (bdp * volume).max(3.0 * (quantum / f64::from(MSS)).ceil()).max(4.0);
            let budget = if state == State::Up { budget + 2.0 } else { budget };
            let got = f64::from(bbr.quantized(bbr.bdp_multiple(bbr.model.bw, state.cwnd_gain())));
            assert!(got >= budget - 0.01 && got <= budget + volume + 1.0, "{state:?}: {got} for {budget}");
        }
    }
}

// Section 5.5.10.3: max(latest, 0.7 of before), from max_bw and cwnd.
#[test]
fn loss_outside_probing_brings_the_bounds_down_to_what_was_delivered() {
    let (mut cc, now) = with_model(1_000, RTT);
    let bbr = bbr_mut(&mut cc, now);
    bbr.state = State::Cruise;
    let mut window = Window { cwnd: Packets(80), ssthresh: super::super::INFINITE };
    let round = |rate: u32, lost: u32, delivered: u32| Sample {
        now,
        total_delivered: 1_000 + delivered,
        prior_delivered: 1_000,
        delivered,
        newly: 1,
        rate: Bandwidth::of(rate, SECOND),
        app_limited: false,
        tx_in_flight: 50,
        lost,
        finds_loss: true,
        rtt: Some(RTT),
        in_flight: 40,
        cwnd_limited: true,
        peer_limited: false,
        recovering: false,
        sack: true,
    };
    bbr.note_loss(&window);
    bbr.model.loss_round_delivered = 1_000;
    let sample = round(850, 10, 34);
    bbr.update_latest_delivery(&sample);
    bbr.update_congestion_signals(&window, &sample);
    bbr.model.bound_bandwidth();
    assert_eq!(bbr.model.bw, Bandwidth::of(850, SECOND));
    assert_eq!(bbr.model.inflight_shortterm, 56, "0.7 of 80");
    bbr.bound_cwnd(&mut window);
    assert_eq!(window.cwnd, Packets(56));
    // The next probe forgets it.
    bbr.start_refill();
    bbr.model.bound_bandwidth();
    assert_eq!(bbr.model.bw, Bandwidth::of(1_000, SECOND));
}

#[test]
fn a_probe_that_meets_loss_ends_bounds_the_volume_and_a_mistake_takes_it_back() {
    let (mut cc, now) = with_model(1_000, RTT);
    let flow_rate = &mut cc.flow_mut(now).rate;
    // The first delivery ends the application's being the limit.
    let mut delivered = Delivered::default();
    delivered.note(1, now, Seq::new(0), &flow_rate.on_send(now, true, Packets(1)));
    assert!(flow_rate.sample(now, &delivered, None).is_some());
    let sent = flow_rate.on_send(now, true, Packets(60));
    let before = cc.on_loss(&LossSample { now, in_flight: Packets(59) });
    let bbr = bbr_mut(&mut cc, now);
    bbr.state = State::Up;
    bbr.cycle.probe_sample = true;
    for lost in 1..=3 {
        cc.on_segment_lost(now, &LostSegment { sent, lost: Packets(lost) });
        assert_eq!(self::bbr(&cc).state, State::Up, "{lost} of 60 may be chance");
    }
    cc.on_segment_lost(now, &LostSegment { sent, lost: Packets(4) });
    let bbr = self::bbr(&cc);
    assert_eq!((bbr.state, bbr.model.inflight_longterm), (State::Down, 59));
    assert_eq!(bbr.model.inflight_with_headroom(), 50, "15 % of 59 are left free");
    cc.undo(now, &before);
    let bbr = self::bbr(&cc);
    assert_eq!((bbr.state, bbr.model.inflight_longterm), (State::Refill, UNBOUNDED));
}

/// An acknowledgment that ends a round in Startup, at this rate.
fn startup_round(rate: u32, peer_limited: bool) -> Sample {
    Sample {
        now: Instant::from_secs(5),
        total_delivered: 2_000,
        prior_delivered: 1_000,
        delivered: 1_000,
        newly: 1,
        rate: Bandwidth::of(rate, SECOND),
        app_limited: false,
        tx_in_flight: 50,
        lost: 0,
        finds_loss: false,
        rtt: Some(RTT),
        in_flight: 40,
        cwnd_limited: false,
        peer_limited,
        recovering: true,
        sack: true,
    }
}

// Section 5.3.1.2, and what it does not say: a rate that the peer's window holds down says nothing of the path.
#[test]
fn a_window_that_what_is_missing_keeps_shut_does_not_mean_a_full_pipe() {
    let mut full = FullPipe::default();
    full.check(&startup_round(1_000, false), true, true);
    for _ in 0..3 {
        full.check(&startup_round(1_000, true), false, true);
        full.check(&startup_round(1_000, false), true, true);
    }
    assert!(!full.was_reached(), "the peer's window was the limit");
    // What left while it was shut is delivered in the round after it has opened.
    full.check(&startup_round(1_000, false), true, true);
    for round in 1..=3 {
        assert!(!full.was_reached(), "{round}");
        full.check(&startup_round(1_000, false), true, true);
    }
    assert!(full.was_reached());
    // A queue stands: the path is full, whatever the window is.
    let mut full = FullPipe::default();
    full.check(&startup_round(1_000, true), true, false);
    for _ in 0..3 {
        assert!(!full.was_reached());
        full.check(&startup_round(1_000, true), true, false);
    }
    assert!(full.was_reached());
    // A window that never opens is all there is.
    let mut full = FullPipe::default();
    full.check(&startup_round(1_000, true), true, true);
    let rounds = (1..100).find(|_| {
        full.check(&startup_round(1_000, true), true, true);
        full.was_reached()
    });
    assert_eq!(rounds, Some(11));
}

// Section 5.5.11.2, for loss that was none of ours instead of none at all.
#[test]
fn startup_that_loss_has_ended_goes_on_when_the_loss_proves_to_be_the_paths() {
    let (mut cc, now) = with_model(1_000, RTT);
    let lifted = |bbr: &mut Bbr, by, state| {
        bbr.full.by = Some(by);
        bbr.state = state;
        bbr.lift_bounds();
        bbr.state
    };
    let bbr = bbr_mut(&mut cc, now);
    assert_eq!(lifted(bbr, startup::FullBy::Loss, State::Cruise), State::Startup);
    assert!(!bbr.full.was_reached());
    assert_eq!(lifted(bbr, startup::FullBy::Loss, State::ProbeRtt), State::ProbeRtt, "Startup follows");
    assert!(!bbr.full.was_reached());
    assert_eq!(lifted(bbr, startup::FullBy::Rate, State::Cruise), State::Refill);
    // Once the rate has been searched for from there, that is known.
    bbr.full.by = Some(startup::FullBy::Loss);
    bbr.state = State::Up;
    bbr.start_down(now);
    assert_eq!(lifted(bbr, bbr.full.by.expect("full"), State::Cruise), State::Refill);
}

// Section 5.4.1: the window stays, the rate is the bandwidth.
#[test]
fn after_idling_the_flow_goes_on_where_it_was() {
    let mut world = world();
    world.run(SECOND * 4);
    world.supply(0, Some(1));
    world.run(SECOND * 60);
    let cwnd = world.flows[0].cc.cwnd();
    assert!(cwnd.0 >= 50, "{cwnd:?}");
    assert!(!matches!(bbr(&world.flows[0].cc).state, State::ProbeRtt), "silence has drained the queue already");
    world.supply(0, None);
    let got = world.measure(SECOND)[0] / PATH.rate as f64;
    assert!(got > 0.9, "{got}");
}

#[test]
fn a_timeout_leaves_one_segment_and_recovery_brings_the_window_back() {
    let (mut cc, now) = with_model(1_000, RTT);
    bbr_mut(&mut cc, now).state = State::Cruise;
    cc.window.cwnd = Packets(80);
    let _ = cc.on_rto(&LossSample { now, in_flight: Packets(0) }, true);
    assert_eq!(cc.cwnd(), Packets(1));
    let rate = RateSample {
        delivered: Packets(1),
        interval: Some(RTT),
        prior_delivered: 5,
        tx_in_flight: Packets(1),
        lost: Packets(0),
        app_limited: false,
    };
    cc.on_ack(&AckSample { now, rate: Some(rate), ..acked(1) });
    assert_eq!(cc.cwnd(), Packets(4), "never less than four once acknowledgments come");
    cc.on_recovered(now);
    assert_eq!(cc.cwnd(), Packets(80));
}

#[test]
fn marks_end_startup_and_lower_the_bounds_as_loss_does() {
    let mut cc = Congestion::new(CongestionName::Bbr, Packets(10));
    let now = Instant::from_secs(1);
    let _ = cc.on_ecn(&LossSample { now, in_flight: Packets(9) });
    assert!(bbr(&cc).full.was_reached() && bbr(&cc).model.loss_in_round);
    let (mut cc, now) = with_model(1_000, RTT);
    let up = bbr_mut(&mut cc, now);
    up.state = State::Up;
    up.cycle.probe_sample = true;
    let _ = cc.on_ecn(&LossSample { now, in_flight: Packets(62) });
    assert_eq!((bbr(&cc).state, bbr(&cc).model.inflight_longterm), (State::Down, 62));
}

#[test]
fn waits_between_probes_are_random_within_their_bounds() {
    let mut waits = std::collections::BTreeSet::new();
    for n in 0..200u32 {
        let mut cycle = Cycle::new(Instant::ZERO);
        cycle.stir(n);
        let (wait, rounds) = cycle.picked();
        assert!(wait >= SECOND * 2 && wait < SECOND * 3 && rounds <= 1, "{wait:?}");
        waits.insert(wait.as_millis());
    }
    assert!(waits.len() > 100, "{} different", waits.len());
}
