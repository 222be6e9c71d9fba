//! What commands do, shown by what they ask of a world that only remembers.
use std::collections::BTreeMap;
use std::time::Duration;

use super::{Effect, World, run};
use crate::host::{LinkChange, OffloadChange, RouteAction, RouteChange, RouteMetric};

#[derive(Default)]
struct Memory {
    effects: Vec<Effect>,
    notes: Vec<String>,
    sysctls: BTreeMap<String, String>,
    scripts: BTreeMap<String, String>,
}

impl World for Memory {
    fn apply(&mut self, effect: Effect) -> Result<(), String> {
        if let Effect::Sysctl { name, value } = &effect {
            if name.contains("wibble") {
                return Err(format!("{name}: no such sysctl"));
            }
            self.sysctls.insert(name.clone(), value.clone());
        }
        self.effects.push(effect);
        Ok(())
    }

    fn sysctl(&mut self, name: &str) -> Result<String, String> {
        self.sysctls.get(name).cloned().ok_or_else(|| format!("{name}: no such sysctl"))
    }

    fn script(&self, path: &str) -> Option<String> {
        self.scripts.get(path).cloned()
    }

    fn note(&mut self, text: String) {
        self.notes.push(text);
    }
}

#[track_caller]
fn effects(text: &str) -> Vec<Effect> {
    let mut memory = Memory::default();
    run(text, &mut memory).unwrap_or_else(|error| panic!("{text}: {error}"));
    memory.effects
}

fn failure(text: &str) -> String {
    run(text, &mut Memory::default()).unwrap_err()
}

fn set(name: &str, value: &str) -> Effect {
    Effect::Sysctl { name: name.into(), value: value.into() }
}

#[test]
fn the_known_ways_of_setting_a_sysctl_mean_the_same() {
    for text in [
        "sysctl -q net.ipv4.tcp_rmem=\"4096 131072 6291456\"",
        "sysctl -w net.ipv4.tcp_rmem='4096 131072 6291456' > /dev/null 2>&1",
        "sysctl net.ipv4.tcp_rmem = 4096 131072 6291456",
        "/sbin/sysctl -q -w net/ipv4/tcp_rmem=\"4096 131072 6291456\" &> /dev/null",
        "sudo sysctl -qw \"net.ipv4.tcp_rmem=4096 131072 6291456\" 2>/dev/null",
        "sysctl -w net.ipv4.tcp_rmem=\"4096 $((128 * 1024)) $((6<<20))\"",
        "echo 4096 131072 6291456 > /proc/sys/net/ipv4/tcp_rmem",
        "echo \"4096 131072 6291456\">/proc/sys/net/ipv4/tcp_rmem",
        "echo 4096 131072 6291456 | sudo tee /proc/sys/net/ipv4/tcp_rmem >/dev/null",
        "bash -c 'echo 4096 131072 6291456 > /proc/sys/net/ipv4/tcp_rmem'",
        "RMEM=\"4096 131072 6291456\"; sysctl -q net.ipv4.tcp_rmem=\"$RMEM\"",
        "../common/set_sysctls.py \"/proc/sys/net/ipv4/tcp_rmem=4096 131072 6291456\"",
        "./tune.sh '/proc/sys/net/ipv4/tcp_rmem=4096 131072 6291456'",
        "python3 any/name.py /proc/sys/net/ipv4/tcp_rmem=\"4096 131072 6291456\"",
    ] {
        assert_eq!(effects(text), [set("net.ipv4.tcp_rmem", "4096 131072 6291456")], "{text}");
    }
}

#[test]
fn several_settings_in_one_line_act_in_order() {
    let text = "sysctl -q net.ipv4.tcp_ecn=0 net.ipv4.tcp_sack=1; # no ECN
        ethtool -K tun0 tso off gso off gro off && sleep 0.5
        sysctl -w net.ipv4.tcp_dsack=0 \\
               net.ipv4.tcp_fack=1";
    let off = OffloadChange { tso: Some(false), gso: Some(false) };
    let expected = [
        set("net.ipv4.tcp_ecn", "0"),
        set("net.ipv4.tcp_sack", "1"),
        Effect::Offload(off),
        Effect::Sleep(500_000),
        set("net.ipv4.tcp_dsack", "0"),
        set("net.ipv4.tcp_fack", "1"),
    ];
    assert_eq!(effects(text), expected);
}

#[test]
fn what_fails_decides_what_runs_next_and_the_last_decides_the_whole() {
    assert_eq!(effects("sysctl -w net.wibble=1 || sysctl -w net.a=1"), [set("net.a", "1")]);
    assert_eq!(effects("sysctl -w net.wibble=1 && sysctl -w net.a=1 || true"), []);
    assert_eq!(effects("true && sysctl -w net.a=1 || sysctl -w net.b=1"), [set("net.a", "1")]);
    assert_eq!(effects("! false"), []);
    assert_eq!(effects("sysctl -e -w net.wibble=1"), []);
    assert!(failure("sysctl -w net.wibble=1").contains("net.wibble"));
    assert!(failure("true; false").contains("`false` fails"));
    // A failure in the middle is the script's own business; the report says it.
    let mut memory = Memory::default();
    run("sysctl -w net.wibble=1\nsysctl -w net.a=1", &mut memory).unwrap();
    assert_eq!((memory.effects, memory.notes), (vec![set("net.a", "1")], vec!["net.wibble: no such sysctl".into()]));
}

#[test]
fn what_a_command_says_can_be_used_by_another() {
    let text = "sysctl -w net.a=7; sysctl -w net.b=$(sysctl -n net.a) net.c=\"$(cat /proc/sys/net/a)\"
        [ -f /proc/sys/net/a ] && sysctl -w net.d=$(( $(sysctl -n net.a) + 1 ))";
    let expected = [set("net.a", "7"), set("net.b", "7"), set("net.c", "7"), set("net.d", "8")];
    assert_eq!(effects(text), expected);
}

#[test]
fn routes_carry_their_metrics() {
    let text = "ip route change default dev tun0 initcwnd 4 initrwnd 20 mtu lock 1400 rto_min 5ms features ecn congctl reno \
                quickack 1 fastopen_no_cookie 1 advmss 700 > /dev/null 2>&1";
    let metrics = vec![
        RouteMetric::InitialWindow(4),
        RouteMetric::InitialReceiveWindow(20),
        RouteMetric::Mtu { bytes: 1400, is_locked: true },
        RouteMetric::MinimumTimeout(Duration::from_millis(5)),
        RouteMetric::Ecn(true),
        RouteMetric::CongestionControl { name: "reno".into(), is_locked: false },
        RouteMetric::QuickAck(true),
        RouteMetric::FastOpenWithoutCookie(true),
        RouteMetric::AdvertisedMss(700),
    ];
    let destination = ([0, 0, 0, 0].into(), 0);
    assert_eq!(
        effects(text),
        [Effect::Route(RouteChange { action: RouteAction::Change, destination, via: None, metrics })]
    );
    let text = "ip -6 ro replace 2001:db8::/32 via fd00::1 dev tun0 proto static scope link";
    let destination = (std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0).into(), 32);
    let via = Some(std::net::Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1).into());
    let change = RouteChange { action: RouteAction::Replace, destination, via, metrics: Vec::new() };
    assert_eq!(effects(text), [Effect::Route(change)]);
    for (text, words) in [
        ("ip route add default initcwnd", "needs a value"),
        ("ip route add default initcwnd x", "needs a number"),
        ("ip route add default wibble 1", "`wibble` is no part of a route"),
        ("ip route add", "a destination is missing"),
        ("ip route add default rto_min 3weeks", "in s, ms or us"),
    ] {
        assert!(failure(text).contains(words), "{text}: {}", failure(text));
    }
}

#[test]
fn the_device_can_be_changed() {
    let change = LinkChange { mtu: Some(1300), is_up: Some(true), ..LinkChange::default() };
    assert_eq!(effects("ip link set dev tun0 mtu 1300 up"), [Effect::Link(change)]);
    let change = LinkChange { address: Some((([10, 0, 0, 1].into(), 24), true)), ..LinkChange::default() };
    assert_eq!(effects("ip addr add 10.0.0.1/24 dev tun0"), [Effect::Link(change)]);
    assert_eq!(effects("tc qdisc replace dev tun0 root pfifo limit 5").len(), 1);
    assert_eq!(effects("ip tcp_metrics flush all > /dev/null 2>&1"), [Effect::ForgetPeers]);
}

#[test]
fn files_of_zeros_are_made_without_touching_any_file() {
    let file = |length| vec![Effect::File { path: "/tmp/x".into(), length }];
    assert_eq!(effects("truncate -s 10000 /tmp/x"), file(10_000));
    assert_eq!(effects("fallocate -l 4K /tmp/x"), file(4096));
    assert_eq!(effects("dd if=/dev/zero of=/tmp/x bs=1k count=5 2> /dev/null"), file(5120));
    assert!(failure("truncate /tmp/x").contains("not clear"));
}

#[test]
fn what_has_nothing_to_act_on_does_nothing() {
    let text = "nstat -n; true; rm -f /tmp/x; cat /proc/net/netstat >/dev/null; date; ss -tin; ip route show; modprobe tcp_bbr";
    assert_eq!(effects(text), []);
}

#[test]
fn other_scripts_are_read_when_they_are_there_and_known_by_name_when_not() {
    let mut memory = Memory::default();
    memory.scripts.insert("./settings.sh".into(), "#!/bin/bash\nsysctl -q net.a=$((2+3))\n".into());
    run(". ./settings.sh && source ./settings.sh; ./settings.sh; bash ./settings.sh", &mut memory).unwrap();
    assert_eq!(memory.effects, vec![set("net.a", "5"); 4]);
    assert!(effects(". ../../common/defaults.sh").contains(&set("net.ipv4.tcp_rmem", "4096 540000 15728640")));
    memory.scripts.insert("./again.sh".into(), "./again.sh".into());
    assert!(run("./again.sh", &mut memory).unwrap_err().contains("inside each other"));
    assert_eq!(effects("/tmp/sysctl_restore_123.sh"), [Effect::Restore]);
}

#[test]
fn what_is_not_understood_is_an_error_that_names_it() {
    for (text, word) in [
        ("iptables -F", "unknown command `iptables -F`"),
        ("echo 1 > /etc/passwd", "`/etc/passwd` cannot be written"),
        ("echo 'x", "quote"),
        ("if true; then true; fi", "`if`"),
        ("echo $(id", "no end"),
        ("true &&", "expected after `&&`"),
        ("sleep forever", "number of seconds"),
        ("ethtool -K tun0 tso maybe", "on|off"),
        ("sysctl -p /etc/sysctl.conf", "reads a file"),
        ("ip rule add", "ip rule add"),
        ("./unknown.sh 5", "./unknown.sh 5"),
        ("echo $((1 +))", "$((1 +))"),
        ("unknown || true", "unknown command `unknown`"),
        // Unicode calls it white space; the shell does not. Found by fuzzing: it ended words and began none.
        ("echo 1;\u{b}x", "unknown command"),
        ("\u{2028}", "unknown command"),
    ] {
        let error = failure(text);
        assert!(error.contains(word), "{text}: {error}");
    }
}
