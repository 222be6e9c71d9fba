//! `ip` of iproute2: routes with their metrics, the device, its addresses, remembered metrics.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::Effect;
use super::evaluate::{Ended, Failure, Shell};
use crate::host::{LinkChange, RouteAction, RouteChange, RouteMetric};

pub(super) fn ip(shell: &mut Shell<'_>, arguments: &[&str]) -> Ended {
    let shown = arguments.join(" ");
    let unknown = || {
        Failure::NotUnderstood(format!(
            "unknown command `ip {shown}`: expected ip route add|append|change|replace|del … [initcwnd N] [mtu N] …, \
             ip link set DEVICE …, ip addr add|del …, ip tcp_metrics flush"
        ))
    };
    let is_v6 = arguments.contains(&"-6") || arguments.windows(2).any(|pair| pair == ["-f", "inet6"]);
    let options = arguments.iter().take_while(|word| word.starts_with('-') || **word == "inet6" || **word == "inet");
    let Some((object, rest)) = arguments[options.count()..].split_first() else { return Err(unknown()) };
    let wrong = |message: String| Failure::NotUnderstood(format!("{message} (command `ip {shown}`)"));
    let effect = match *object {
        "route" | "ro" | "r" | "rout" => match rest {
            [] | ["show" | "list" | "ls" | "get" | "flush" | "save", ..] => return Ok(()),
            [verb, rest @ ..] => {
                let action = match *verb {
                    "add" | "a" | "append" => RouteAction::Add,
                    "change" | "chg" => RouteAction::Change,
                    "replace" | "repl" => RouteAction::Replace,
                    "del" | "delete" => RouteAction::Delete,
                    _ => return Err(unknown()),
                };
                Effect::Route(route(action, rest, is_v6).map_err(wrong)?)
            }
        },
        "link" | "l" => match rest {
            ["set", rest @ ..] => Effect::Link(link(rest).map_err(wrong)?),
            ["show" | "list" | "ls", ..] | [] => return Ok(()),
            _ => return Err(unknown()),
        },
        "address" | "addr" | "a" => match rest {
            ["add" | "del" | "delete" | "replace" | "change", rest @ ..] => {
                let is_added = !arguments.iter().any(|word| word.starts_with("del"));
                let address = rest.iter().find_map(|word| prefix(word));
                let address = address.ok_or_else(|| wrong("expected an address with a prefix".into()))?;
                Effect::Link(LinkChange { address: Some((address, is_added)), ..LinkChange::default() })
            }
            ["show" | "list" | "ls", ..] | [] => return Ok(()),
            _ => return Err(unknown()),
        },
        "tcp_metrics" | "tcpmetrics" => match rest {
            ["flush" | "delete" | "del", ..] => Effect::ForgetPeers,
            _ => return Ok(()),
        },
        "neighbor" | "neighbour" | "neigh" | "n" | "maddr" | "monitor" => return Ok(()),
        _ => return Err(unknown()),
    };
    shell.world.apply(effect).map_err(Failure::Status)
}

/// `10.0.0.0/8`, or an address by itself.
fn prefix(word: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = match word.split_once('/') {
        Some((address, length)) => (address.parse().ok()?, Some(length.parse().ok()?)),
        None => (word.parse().ok()?, None),
    };
    let longest = match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    };
    Some((address, length.unwrap_or(longest)))
}

fn route(action: RouteAction, words: &[&str], is_v6: bool) -> Result<RouteChange, String> {
    let mut words = words.iter().copied().peekable();
    while words.next_if(|word| matches!(*word, "unicast" | "local" | "to")).is_some() {}
    let first = words.next().ok_or("a destination is missing")?;
    let destination = match first {
        "default" | "all" if is_v6 => (Ipv6Addr::UNSPECIFIED.into(), 0),
        "default" | "all" => (Ipv4Addr::UNSPECIFIED.into(), 0),
        word => prefix(word).ok_or_else(|| format!("`{word}` is no destination"))?,
    };
    let mut change = RouteChange { action, destination, via: None, metrics: Vec::new() };
    while let Some(word) = words.next() {
        let mut value = || {
            let is_locked = words.next_if_eq(&"lock").is_some();
            words.next().map(|value| (value, is_locked)).ok_or_else(|| format!("`{word}` needs a value"))
        };
        match word {
            "dev" | "src" | "proto" | "protocol" | "scope" | "table" | "metric" | "preference" | "pref" | "tos"
            | "dsfield" | "type" | "realm" | "realms" | "expires" | "error" => _ = value()?,
            "onlink" | "pervasive" => {}
            "via" => {
                let (mut address, _) = value()?;
                if matches!(address, "inet" | "inet6") {
                    address = value()?.0;
                }
                change.via = Some(address.parse().map_err(|_| format!("`{address}` is no router's address"))?);
            }
            _ => change.metrics.push(metric(word, value()?)?),
        }
    }
    // A route to a v6 router or destination is a v6 route, whatever the options say.
    if change.via.is_some_and(|via| via.is_ipv6()) && change.destination == (Ipv4Addr::UNSPECIFIED.into(), 0) {
        change.destination = (Ipv6Addr::UNSPECIFIED.into(), 0);
    }
    Ok(change)
}

fn metric(name: &str, (value, is_locked): (&str, bool)) -> Result<RouteMetric, String> {
    let number = || value.parse::<u32>().map_err(|_| format!("`{name}` needs a number, not `{value}`"));
    let is_on = || number().map(|number| number != 0);
    Ok(match name {
        "mtu" => RouteMetric::Mtu { bytes: number()?, is_locked },
        "initcwnd" => RouteMetric::InitialWindow(number()?),
        "initrwnd" => RouteMetric::InitialReceiveWindow(number()?),
        "advmss" => RouteMetric::AdvertisedMss(number()?),
        "window" => RouteMetric::WindowClamp(number()?),
        "cwnd" => RouteMetric::WindowLimit(number()?),
        "ssthresh" => RouteMetric::SlowStartThreshold(number()?),
        "reordering" => RouteMetric::Reordering(number()?),
        "hoplimit" => RouteMetric::HopLimit(number()?),
        "rto_min" => RouteMetric::MinimumTimeout(time(name, value)?),
        "rtt" => RouteMetric::RoundTrip(time(name, value)?),
        "rttvar" => RouteMetric::RoundTripVariation(time(name, value)?),
        "quickack" => RouteMetric::QuickAck(is_on()?),
        "fastopen_no_cookie" => RouteMetric::FastOpenWithoutCookie(is_on()?),
        "congctl" => RouteMetric::CongestionControl { name: value.to_owned(), is_locked },
        "features" => match value {
            "ecn" => RouteMetric::Ecn(true),
            "none" | "0" => RouteMetric::Ecn(false),
            "tcp_usec_ts" => RouteMetric::MicrosecondTimestamps,
            other => return Err(format!("`features` must be ecn, tcp_usec_ts or none, not `{other}`")),
        },
        other => return Err(format!("`{other}` is no part of a route")),
    })
}

/// `200ms`, `1s`, `300us`, or bare milliseconds.
fn time(name: &str, value: &str) -> Result<Duration, String> {
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &value[digits.len()..] {
        "s" | "sec" | "secs" => 1.0,
        "" | "ms" | "msec" | "msecs" => 1e-3,
        "us" | "usec" | "usecs" => 1e-6,
        other => return Err(format!("`{name}` has a time in s, ms or us, not in `{other}`")),
    };
    let number: f64 = digits.parse().map_err(|_| format!("`{name}` needs a time, not `{value}`"))?;
    Duration::try_from_secs_f64(number * unit).map_err(|_| format!("`{name}` cannot be {value}"))
}

fn link(words: &[&str]) -> Result<LinkChange, String> {
    let mut change = LinkChange::default();
    let mut words = words.iter().copied();
    let mut is_named = false;
    while let Some(word) = words.next() {
        let mut number = || {
            let value = words.next().ok_or_else(|| format!("`{word}` needs a number"))?;
            value.parse::<u32>().map_err(|_| format!("`{word}` needs a number, not `{value}`"))
        };
        match word {
            "dev" => {}
            "up" => change.is_up = Some(true),
            "down" => change.is_up = Some(false),
            "mtu" => change.mtu = Some(number()?),
            "gso_max_size" | "gso_ipv4_max_size" => change.gso_max_size = Some(number()?),
            "gso_max_segs" => change.gso_max_segs = Some(number()?),
            "txqueuelen" | "qlen" | "gro_max_size" => _ = number()?,
            _ if !is_named => is_named = true,
            other => return Err(format!("`{other}` is no property of a device that can be set")),
        }
    }
    Ok(change)
}
