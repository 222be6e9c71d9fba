use super::*;

/// Short, with fewer samples of processor time than a measurement needs: what is asserted holds however slow the machine is.
fn short(attacks: &[Attack]) -> FloodReport {
    let config = FloodConfig {
        attacks: attacks.to_vec(),
        rate: Rate::Max { overload_percent: 0 },
        duration: Duration::from_millis(400),
        sysctls: Vec::new(),
        seed: 1,
    };
    flood(&config).unwrap()
}

#[test]
fn clients_are_served_under_every_attack_alone_and_all_together() {
    for attacks in Attack::ALL.map(|attack| vec![attack]).into_iter().chain([Attack::ALL.to_vec()]) {
        let report = short(&attacks);
        assert_eq!(report.clients_failed, Vec::<String>::new(), "{attacks:?}");
        assert!(report.clients_served > 0 && report.attack_packets > 0, "{attacks:?}");
        assert!(report.usage.opening <= 4097, "{attacks:?}: {:?}", report.usage);
        assert!(report.usage.fragment_bytes <= 4 << 20, "{attacks:?}: {:?}", report.usage);
    }
}

#[test]
fn without_cookies_and_with_a_short_queue_a_flood_of_syns_keeps_clients_out() {
    let config = FloodConfig {
        attacks: vec![Attack::Syn],
        rate: Rate::Max { overload_percent: 0 },
        duration: Duration::from_millis(400),
        sysctls: vec![("tcp_syncookies".to_owned(), "0".to_owned()), ("somaxconn".to_owned(), "64".to_owned())],
        seed: 1,
    };
    let mut field = Field::new(&config, Stopwatch::start()).unwrap();
    // In steps of virtual time: no client gets in while the queue is full of strangers.
    for step in 0..2000 {
        field.round(Duration::from_micros(step * 100), true).unwrap();
    }
    let drops = field.server.stack.counters().by_name("TcpExtTCPReqQFullDrop").unwrap();
    assert!(drops > 1000, "{drops}");
    assert!(field.clients.served < 16, "{} clients got in", field.clients.served);
}

#[test]
fn more_packets_than_may_wait_are_dropped_and_counted() {
    let config = FloodConfig {
        attacks: vec![Attack::Ack],
        rate: Rate::Max { overload_percent: 100 },
        duration: Duration::ZERO,
        sysctls: vec![("netdev_max_backlog".to_owned(), "400".to_owned())],
        seed: 1,
    };
    let mut field = Field::new(&config, Stopwatch::start()).unwrap();
    for step in 0..100 {
        field.round(Duration::from_micros(step * 100), false).unwrap();
        assert!(field.server.stack.usage().backlog <= 400);
    }
    let counter = |name| field.server.stack.counters().by_name(name).unwrap();
    // Of 600 in each round 300 are served; 400 wait.
    assert_eq!(counter("SegueSoftnetDropped"), 100 * 300 - 100 - 300 + 100);
    assert_eq!(counter("SegueSoftnetTimeSqueeze"), 100);
}
