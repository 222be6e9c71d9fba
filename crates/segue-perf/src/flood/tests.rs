use super::*;
use crate::connections::{CapacityConfig, capacity};

fn config(attacks: &[Attack], overload_percent: u32, sysctls: &[(&str, &str)]) -> FloodConfig {
    FloodConfig {
        attacks: attacks.to_vec(),
        rate: Rate::Max { overload_percent },
        duration: Duration::ZERO,
        sysctls: sysctls.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        memory: None,
        seed: 1,
    }
}

/// Virtual time: a round each millisecond, so many with clients that begin anew, then until all have their answer.
fn play(config: &FloodConfig, rounds: u64) -> Field {
    const MOST: u64 = 30_000;
    let mut field = Field::new(config).unwrap();
    for round in 0..rounds + MOST {
        if round >= rounds && field.clients.are_done() {
            break;
        }
        field.round(Duration::from_millis(round), round < rounds).unwrap();
    }
    field.clients.give_up();
    field
}

fn counter(field: &Field, name: &str) -> u64 {
    field.server.stack.counters().by_name(name).unwrap()
}

#[test]
fn clients_are_served_under_every_attack_alone_and_all_together() {
    for attacks in Attack::all(false).into_iter().map(|attack| vec![attack]).chain([Attack::all(false)]) {
        let field = play(&config(&attacks, 0, &[]), 200);
        assert_eq!(field.clients.failed, Vec::<String>::new(), "{attacks:?}");
        assert!(field.clients.served >= 16, "{attacks:?}: {} served", field.clients.served);
        // Clients have the rest of what is served.
        assert!(field.attackers.sent >= 200 * 150, "{attacks:?}: {} sent", field.attackers.sent);
        let usage = field.server.stack.usage();
        assert!(usage.opening <= 4097 && usage.fragment_bytes <= 4 << 20, "{attacks:?}: {usage:?}");
    }
}

#[test]
fn a_flood_of_syns_keeps_clients_out_only_without_cookies() {
    let served = |cookies| {
        let settings = [("tcp_syncookies", cookies), ("somaxconn", "64")];
        let mut field = Field::new(&config(&[Attack::Syn], 0, &settings)).unwrap();
        for round in 0..400 {
            field.round(Duration::from_micros(round * 100), true).unwrap();
        }
        assert_eq!(counter(&field, "TcpExtTCPReqQFullDrop") > 1000, cookies == "0");
        field.clients.served
    };
    // Those that came before the queue was full.
    assert!(served("0") <= 16);
    assert!(served("1") > 100);
}

#[test]
fn clients_whose_packets_are_dropped_with_the_attackers_are_late_and_served() {
    let field = play(&config(&[Attack::Syn, Attack::Ack], 25, &[]), 200);
    assert_eq!(field.clients.failed, Vec::<String>::new());
    assert!(counter(&field, "SegueSoftnetDropped") > 1000);
    assert!(field.clients.served >= 16, "{} served", field.clients.served);
}

#[test]
fn no_client_waits_for_a_retransmission_when_thousands_of_syn_acks_are_due_again_at_once() {
    // SYN-ACKs are sent again after one second and after three.
    let mut field = Field::new(&config(&[Attack::Syn], 0, &[])).unwrap();
    for round in 0..3_300 {
        field.round(Duration::from_millis(round), true).unwrap();
    }
    assert!(counter(&field, "TcpExtTCPSynRetrans") > 4_096);
    assert_eq!((counter(&field, "IpOutDiscards"), counter(&field, "SegueSoftnetDropped")), (0, 0));
    let [.., longest] = field.clients.latency();
    assert!(longest < Duration::from_millis(500), "a client waited {longest:?}");
    assert_eq!(field.clients.failed, Vec::<String>::new());
}

#[test]
fn more_packets_than_may_wait_are_dropped_and_counted() {
    let mut field = Field::new(&config(&[Attack::Ack], 100, &[("netdev_max_backlog", "400")])).unwrap();
    for round in 0..100 {
        field.round(Duration::from_micros(round * 100), false).unwrap();
        assert!(field.server.stack.usage().backlog <= 400);
    }
    // Of 600 in each round 300 are served; 100 wait from the first to the last.
    assert_eq!(counter(&field, "SegueSoftnetDropped"), 100 * 300 - 100);
    assert_eq!(counter(&field, "SegueSoftnetTimeSqueeze"), 100);
}

/// As [`play`], on a stack that may take so many bytes: it must not take more at any time.
fn play_within(memory: u64, attacks: Vec<Attack>, rounds: u64) -> Field {
    let config = FloodConfig { memory: Some(memory), ..config(&attacks, 0, &[]) };
    let mut field = Field::new(&config).unwrap();
    let before = allocation::heap_in_use().unwrap();
    for round in 0..rounds + 30_000 {
        if round >= rounds && field.clients.are_done() {
            break;
        }
        field.round(Duration::from_millis(round), round < rounds).unwrap();
        let grown = allocation::heap_in_use().unwrap().saturating_sub(before);
        assert!(grown <= memory, "{attacks:?}, round {round}: {grown} bytes, {:?}", field.server.stack.usage());
    }
    field.clients.give_up();
    field
}

/// What found no memory: by counter.
fn refused(field: &Field) -> Vec<(&'static str, u64)> {
    let is_memory = |(name, _): &(&'static str, u64)| name.starts_with("SegueMemory") || name.contains("OnMemory");
    field.server.stack.counters().nonzero().filter(is_memory).collect()
}

#[test]
fn a_server_lives_in_its_budget_under_every_attack_and_clients_are_served() {
    const BUDGET: u64 = 24 << 20;
    for attacks in Attack::all(true).into_iter().map(|attack| vec![attack]).chain([Attack::all(true)]) {
        let field = play_within(BUDGET, attacks.clone(), 300);
        assert_eq!(field.clients.failed, Vec::<String>::new(), "{attacks:?}");
        assert!(field.clients.served >= 16, "{attacks:?}: {} served", field.clients.served);
    }
    let field = play_within(BUDGET, vec![Attack::HalfClosed], 300);
    assert!(counter(&field, "TcpExtTCPAbortOnMemory") > 1000, "{:?}: nothing had to be refused", refused(&field));
}

#[test]
fn connections_that_are_there_are_served_while_idle_ones_keep_newcomers_out() {
    const BUDGET: u64 = 24 << 20;
    for attacks in [vec![Attack::Idle], [Attack::all(true), vec![Attack::Idle]].concat()] {
        let field = play_within(BUDGET, attacks.clone(), 1000);
        assert_eq!(field.clients.failed, Vec::<String>::new(), "{attacks:?}");
        assert!(counter(&field, "SegueMemorySockets") > 1000, "{attacks:?}: {:?}", refused(&field));
        assert!(field.clients.refused > 0, "{attacks:?}");
        let sockets = field.server.stack.usage().sockets as u64;
        // Half of the budget is for connections, where others do not hold it for their queues already.
        let least = if attacks.len() == 1 { BUDGET * 3 / 8 / 896 } else { BUDGET / 8 / 5888 };
        assert!((least..BUDGET / 2 / 896).contains(&sockets), "{attacks:?}: {sockets} connections");
        // Those that stay go on to the end, sixteen for a second. Where memory is used up an answer leaves page by page, and a
        // page may wait for a delayed acknowledgment (40 ms).
        assert!(field.clients.served > 16 * 25, "{attacks:?}: {} served", field.clients.served);
    }
}

#[test]
fn a_budget_lets_in_what_it_holds_and_those_go_on_while_others_are_refused() {
    let config = CapacityConfig { count: 20_000, memory: 8 << 20, is_active: true, requests: 1_000 };
    let report = capacity(&config).unwrap();
    assert!(report.failures.iter().all(|failure| failure.contains("resident")), "{:?}", report.failures);
    // Half of the budget, but for what is kept back for those at work.
    let most = (8 << 20) / 2 / 896;
    assert!((most * 3 / 4..=most).contains(&report.established.count), "{} let in", report.established.count);
    assert!(report.refused.iter().any(|(name, _)| *name == "SegueMemorySockets"), "{:?}", report.refused);
}

#[test]
fn peers_that_flood_their_own_connections_take_from_others_no_more_than_they_leave() {
    let served = |rate| {
        let field = play(&FloodConfig { rate, ..config(&[Attack::Tiny], 0, &[]) }, 1_000);
        assert_eq!(field.clients.failed, Vec::<String>::new());
        field.clients.served
    };
    let quiet = served(Rate::PerSecond(1));
    // Four connections send a byte each as often as the server takes packets; sixteen others do what they did.
    let flooded = served(Rate::Max { overload_percent: 0 });
    assert!(flooded * 10 >= quiet * 9, "{flooded} of {quiet}");
}
