//! The paths of a soak and the settings of its epochs, drawn by seed.
//!
//! Decides how bad a path may be: every conversation must be able to come to its end by the retries that the stack has.
use std::net::IpAddr;
use std::time::Duration;

use segue_lab::{HostId, Lab};
use segue_link::{Impairments, LossModel, PathConfig};
use segue_stack::{Cidr, Domain, IfaceConfig, StackConfig};

use crate::error::PerfError;
use crate::random::Random;

/// How many there are; each is an interface of both hosts.
pub(super) const PATHS: usize = 12;
const MTU: usize = 1500;

/// Where a path leads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    pub(super) domain: Domain,
    pub(super) server: IpAddr,
}

/// Two hosts and all paths between them.
pub(super) fn build(lab: &mut Lab, random: &mut Random) -> Result<([HostId; 2], Vec<Site>), PerfError> {
    let client = lab.add_host("client", StackConfig::new(lab.host_seed(1)));
    let server = lab.add_host("server", StackConfig::new(lab.host_seed(2)));
    let mut sites = Vec::new();
    for number in 0..PATHS {
        let is_v6 = number % 3 == 2;
        let ends = [1, 2].map(|end| match is_v6 {
            true => (format!("fd00:{number}::{end}/64"), Domain::Inet6),
            false => (format!("10.{number}.0.{end}/24"), Domain::Inet),
        });
        let iface = |end: usize| -> Result<IfaceConfig, PerfError> {
            let address: Cidr = ends[end].0.parse().map_err(|_| bad("address"))?;
            Ok(IfaceConfig { addresses: vec![address], ..IfaceConfig::new(format!("eth{number}"), MTU) })
        };
        let path = PathConfig::new(impairments(random)?, impairments(random)?).map_err(|_| bad("impairment"))?;
        lab.connect((client, iface(0)?), (server, iface(1)?), path.with_seed(random.next()));
        let address: Cidr = ends[1].0.parse().map_err(|_| bad("address"))?;
        sites.push(Site { domain: ends[1].1, server: address.address() });
    }
    Ok(([client, server], sites))
}

fn bad(what: &str) -> PerfError {
    PerfError::Unexpected(format!("an {what} of the soak was refused"))
}

/// One direction of a path: anything from perfect to bad.
fn impairments(random: &mut Random) -> Result<Impairments, PerfError> {
    let mut per_mille = |most: u64| format!("{}%", random.below(most + 1) as f64 / 10.0);
    let [loss, duplicate, reorder, corrupt] = [80, 30, 100, 20].map(&mut per_mille);
    let loss: LossModel = loss.parse().map_err(|_| bad("impairment"))?;
    let share = |text: String| text.parse().map_err(|_| bad("impairment"));
    let delay = Duration::from_micros(random.below(60_000));
    let rate = match random.below(3) {
        0 => None,
        _ => Some(format!("{}mbit", 2 + random.below(100)).parse().map_err(|_| bad("rate"))?),
    };
    Ok(Impairments {
        delay,
        jitter: delay / 8,
        loss,
        duplicate: share(duplicate)?,
        reorder: share(reorder)?,
        corrupt: share(corrupt)?,
        rate,
        ..Impairments::default()
    })
}

/// Settings of a host in an epoch, by Linux's names.
pub(super) fn settings(random: &mut Random) -> Vec<(&'static str, &'static str)> {
    let choices: [(&str, &[&str]); 7] = [
        ("tcp_sack", &["1", "1", "0"]),
        ("tcp_timestamps", &["1", "1", "0", "2"]),
        ("tcp_window_scaling", &["1", "1", "0"]),
        ("tcp_ecn", &["0", "1", "2"]),
        ("tcp_congestion_control", &["cubic", "reno", "bbr"]),
        ("tcp_rmem", &["4096 131072 6291456", "4096 16384 65536"]),
        ("tcp_wmem", &["4096 16384 4194304", "4096 16384 32768"]),
    ];
    let mut chosen = vec![("tcp_keepalive_time", "60"), ("tcp_keepalive_intvl", "10")];
    for (name, values) in choices {
        chosen.push((name, values[random.below(values.len() as u64) as usize]));
    }
    chosen
}
