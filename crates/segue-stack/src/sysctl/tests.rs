use super::*;
use proptest::prelude::*;
use std::time::Duration;

fn defaults() -> Settings {
    Settings::default()
}

fn refusal(name: &str, value: &str) -> String {
    let mut settings = defaults();
    settings.set(name, value).expect_err("must be refused").to_string()
}

#[test]
fn the_table_is_sorted_and_every_short_name_is_unambiguous_or_ipv4s() {
    assert!(TABLE.windows(2).all(|pair| pair[0].name < pair[1].name));
    for name in Settings::names() {
        let short = name.rsplit('.').next().unwrap();
        let of_ipv4 = format!("net.ipv4.{short}");
        let expected = Settings::names().find(|other| **other == of_ipv4).unwrap_or(name);
        assert_eq!(find(short).unwrap().name, expected);
    }
}

#[test]
fn all_spellings_of_a_name_mean_the_same_setting() {
    let mut settings = defaults();
    for (n, name) in [
        "net.ipv4.tcp_fin_timeout",
        "tcp_fin_timeout",
        "net/ipv4/tcp_fin_timeout",
        "/proc/sys/net/ipv4/tcp_fin_timeout",
    ]
    .into_iter()
    .enumerate()
    {
        let value = (n + 10).to_string();
        settings.set(name, &value).unwrap();
        assert_eq!(settings.tcp.fin_timeout, Duration::from_secs(n as u64 + 10));
        assert_eq!(settings.get(name).unwrap(), value);
    }
}

#[test]
fn the_defaults_are_those_of_linux() {
    for (name, value) in [
        ("net.ipv4.tcp_rmem", "4096\t131072\t33554432"),
        ("net.ipv4.tcp_wmem", "4096\t16384\t4194304"),
        ("net.ipv4.tcp_ecn", "2"),
        ("net.ipv4.tcp_ecn_fallback", "1"),
        ("net.ipv4.tcp_ecn_option", "2"),
        ("net.ipv4.tcp_ecn_option_beacon", "3"),
        ("net.ipv4.tcp_syn_retries", "6"),
        ("net.ipv4.tcp_syn_linear_timeouts", "4"),
        ("net.ipv4.tcp_synack_retries", "5"),
        ("net.ipv4.tcp_retries1", "3"),
        ("net.ipv4.tcp_retries2", "15"),
        ("net.ipv4.tcp_orphan_retries", "0"),
        ("net.ipv4.tcp_fin_timeout", "60"),
        ("net.ipv4.tcp_keepalive_time", "7200"),
        ("net.ipv4.tcp_keepalive_intvl", "75"),
        ("net.ipv4.tcp_keepalive_probes", "9"),
        ("net.ipv4.tcp_rto_min_us", "200000"),
        ("net.ipv4.tcp_rto_max_ms", "120000"),
        ("net.ipv4.tcp_invalid_ratelimit", "500"),
        ("net.ipv4.tcp_min_snd_mss", "48"),
        ("net.ipv4.tcp_notsent_lowat", "4294967295"),
        ("net.ipv4.tcp_slow_start_after_idle", "1"),
        ("net.ipv4.tcp_timestamps", "1"),
        ("net.ipv4.tcp_window_scaling", "1"),
        ("net.ipv4.tcp_rfc1337", "0"),
        ("net.ipv4.tcp_stdurg", "0"),
        ("net.ipv4.tcp_abort_on_overflow", "0"),
        ("net.ipv4.ip_local_port_range", "32768\t60999"),
        ("net.ipv4.ip_default_ttl", "64"),
        ("net.core.somaxconn", "4096"),
        ("net.core.rmem_default", "212992"),
        ("net.ipv4.icmp_msgs_per_sec", "1000"),
        ("net.ipv4.ipfrag_time", "30"),
        ("net.ipv6.ip6frag_time", "60"),
    ] {
        assert_eq!(defaults().get(name).as_deref(), Ok(value), "{name}");
    }
}

#[test]
fn every_setting_takes_back_what_it_prints_and_nothing_else_changes() {
    let before = format!("{:?}", defaults());
    for name in Settings::names() {
        let mut settings = defaults();
        let value = settings.get(name).unwrap();
        match settings.set(name, &value) {
            Ok(()) | Err(SysctlError::ReadOnly { .. }) => {}
            Err(error) => panic!("{name} = {value}: {error}"),
        }
        assert_eq!(format!("{settings:?}"), before, "{name}");
    }
}

#[test]
fn settings_that_depend_on_each_other_are_checked_together() {
    let mut settings = defaults();
    settings.set("tcp_rto_max_ms", "1000").unwrap();
    let error = settings.set("tcp_rto_min_us", "2000000").unwrap_err().to_string();
    assert!(error.contains("tcp_rto_min_us") && error.contains("tcp_rto_max_ms"), "{error}");
    assert_eq!(settings.get("tcp_rto_min_us").as_deref(), Ok("200000"));
}

#[test]
fn every_setting_keeps_the_ends_of_its_range_and_refuses_what_lies_beyond() {
    for entry in TABLE.iter() {
        let Value::Integer { range, .. } = &entry.value else {
            continue;
        };
        let mut settings = defaults();
        for end in [range.start(), range.end()] {
            settings.set(entry.name, &end.to_string()).unwrap();
            assert_eq!(settings.get(entry.name).unwrap(), end.to_string(), "{}", entry.name);
        }
        let before = format!("{settings:?}");
        let above = (range.end() + 1).to_string();
        for bad in [above.as_str(), "", "-1", "x", "1 2", "1.5", "18446744073709551616", "0x", "+1"] {
            let error = settings.set(entry.name, bad).unwrap_err().to_string();
            assert!(error.contains(entry.name) && error.contains(&range.end().to_string()), "{error}");
        }
        if *range.start() > 0 {
            settings.set(entry.name, &(range.start() - 1).to_string()).unwrap_err();
        }
        assert_eq!(format!("{settings:?}"), before, "{} changed although it refused", entry.name);
    }
}

#[test]
fn a_bad_value_is_answered_with_range_and_unit() {
    assert_eq!(
        refusal("tcp_syn_retries", "200"),
        "net.ipv4.tcp_syn_retries takes a whole number from 1 to 127 (retransmissions), not \"200\""
    );
    assert!(refusal("tcp_rmem", "4096 1024 65536").contains("none smaller than the one before"));
    assert!(refusal("tcp_rmem", "4096").contains("three whole numbers"));
    assert!(refusal("tcp_wmem", "0 1 2").contains("from 1 to"));
    assert!(refusal("ip_local_port_range", "60999 32768").contains("lowest and the highest port"));
    assert!(refusal("ip_local_port_range", "0 10").contains("1 to 65535"));
    assert!(refusal("ip_local_port_range", "1024 70000").contains("1 to 65535"));
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest_one() {
    assert_eq!(refusal("tcp_rmen", "1"), "there is no sysctl \"tcp_rmen\"; did you mean net.ipv4.tcp_rmem?");
    assert!(refusal("net.ipv6.tcp_sak", "1").contains("net.ipv4.tcp_sack"));
    assert!(refusal("keepalive_tim", "1").contains("net.ipv4.tcp_keepalive_time"));
    assert!(refusal("somaxcon", "1").contains("net.core.somaxconn"));
    assert!(!refusal("vm.swappiness", "1").contains("did you mean"));
    assert!(!refusal("", "1").contains("did you mean"));
    assert!(!refusal(&"x".repeat(100_000), "1").contains("did you mean"));
}

#[test]
fn a_name_without_its_feature_takes_the_true_value_and_refuses_any_other_with_the_reason() {
    let mut settings = defaults();
    assert_eq!(settings.set("net.ipv4.ip_forward", "0"), Ok(()));
    assert_eq!(
        refusal("net.ipv4.ip_forward", "1"),
        "net.ipv4.ip_forward cannot be set to \"1\": this stack is a host and forwards nothing; it is \"0\""
    );
}

#[test]
fn congestion_control_is_chosen_by_name() {
    let mut settings = defaults();
    assert_eq!(settings.get("tcp_congestion_control").as_deref(), Ok("cubic"));
    assert_eq!(settings.set("tcp_congestion_control", " reno\n"), Ok(()));
    assert_eq!(settings.get("tcp_congestion_control").as_deref(), Ok("reno"));
    for wrong in ["vegas", "", "reno cubic"] {
        assert!(refusal("tcp_congestion_control", wrong).contains("one of: reno cubic"), "{wrong:?}");
    }
    assert_eq!(settings.set("tcp_allowed_congestion_control", "reno"), Ok(()));
    assert_eq!(settings.get("tcp_allowed_congestion_control").as_deref(), Ok("reno"));
    assert!(refusal("tcp_allowed_congestion_control", "reno vegas").contains("any of: reno cubic"));
    assert!(refusal("tcp_available_congestion_control", "reno").contains("only be read"));
    let all: Vec<_> = CongestionName::ALL.iter().map(|name| name.as_str()).collect();
    assert_eq!(settings.get("tcp_available_congestion_control"), Ok(all.join(" ")));
}

#[test]
fn tw_recycle_is_refused_with_the_reason_it_was_removed_for() {
    let error = refusal("tcp_tw_recycle", "1");
    assert!(error.contains("NAT") && error.contains("4.12") && error.contains("tcp_tw_reuse"), "{error}");
    assert!(defaults().get("tcp_tw_recycle").is_err());
    assert!(Settings::names().all(|name| !name.contains("recycle")));
}

#[test]
fn numbers_may_be_hexadecimal_and_surrounded_by_blanks() {
    let mut settings = defaults();
    settings.set("somaxconn", " 0x80\n").unwrap();
    assert_eq!(settings.core.somaxconn, 128);
    settings.set("tcp_rmem", "1\t2  3").unwrap();
    assert_eq!(settings.tcp.rmem, [1, 2, 3]);
}

#[test]
fn the_edit_distance_counts_insertions_deletions_and_replacements() {
    for (a, b, distance) in [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("ä", "a", 1)]
    {
        assert_eq!(edit_distance(a, b), distance);
        assert_eq!(edit_distance(b, a), distance);
    }
}

#[test]
fn every_name_has_a_meaning_a_default_within_its_range_and_a_reach_that_fits() {
    for name in Settings::names() {
        let about = Settings::describe(name).unwrap();
        assert!(about.meaning.ends_with('.') && about.meaning.len() <= 120, "{name}: {:?}", about.meaning);
        let entry = find(name).unwrap();
        let is_fixed = matches!(entry.value, Value::Fixed { .. } | Value::ReadOnly { .. });
        assert_eq!(about.reach == Reach::Never, is_fixed, "{name}");
        assert_eq!(about.why.is_some(), matches!(entry.value, Value::Fixed { .. }), "{name}");
        if let (Some(low), Some(high)) = (about.lowest, about.highest) {
            let numbers = about.default.split_whitespace().map(|word| word.parse::<u64>().unwrap());
            assert!(numbers.clone().count() > 0 && numbers.clone().all(|n| (low..=high).contains(&n)), "{name}");
        }
    }
    let about = Settings::describe("tcp_rmem").unwrap();
    assert_eq!((about.lowest, about.highest, about.unit), (Some(1), Some(1 << 30), Some("bytes")));
    assert_eq!(about.reach, Reach::NewSockets);
    assert!(matches!(Settings::describe("tcp_tw_recycle"), Err(SysctlError::Removed { .. })));
}

/// docs/sysctls.md, as the table has it.
fn page() -> String {
    let mut page = String::from(include_str!("page_head.md"));
    for name in Settings::names() {
        let about = Settings::describe(name).unwrap();
        let range = match (about.lowest, about.highest) {
            (Some(low), Some(high)) => format!("{low} to {high}"),
            _ => String::new(),
        };
        let default = about.default.replace('\t', " ");
        let default = if default.is_empty() { default } else { format!("`{default}`") };
        let why = about.why.map(|why| format!(" Fixed: {why}.")).unwrap_or_default();
        let unit = about.unit.unwrap_or_default();
        let line = format!("| `{name}` | {}{why} | {default} | {range} | {unit} | {} |\n", about.meaning, about.reach);
        page.push_str(&line);
    }
    page
}

#[test]
fn the_page_about_sysctls_is_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/sysctls.md");
    if std::env::var_os("SEGUE_WRITE_DOCS").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    let page = page();
    let differs = page.lines().zip(written.lines()).find(|(is, was)| is != was);
    assert!(
        page == written,
        "docs/sysctls.md is not what the table says, first at {differs:?}; \
         SEGUE_WRITE_DOCS=1 cargo test -p segue-stack page_about_sysctls writes it anew"
    );
}

proptest! {
    #[test]
    fn no_text_makes_a_name_or_value_panic(name in ".{0,40}", value in ".{0,40}") {
        let mut settings = defaults();
        let _ = settings.get(&name);
        let _ = settings.set(&name, &value);
        for known in Settings::names() {
            let _ = settings.set(known, &value);
        }
    }
}
