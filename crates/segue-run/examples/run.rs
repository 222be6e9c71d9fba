//! Runs a program on Segue's sockets: `cargo run -p segue-run --example run -- [OPTIONS] -- PROGRAM ARGS…`.
//!
//! A small front for this crate alone: `-p HOST:GUEST`, `--delay TIME`,
//! `--loss PERCENT`, `--seed N`, `--sysctl NAME=VALUE`, `--pcap FILE`,
//! `--tun NAME`, `--addr CIDR`, `--end` (descendants end with the program),
//! `--wait-on-close`, `--proc-net`, `--summary`.

use std::ffi::OsString;
use std::process::ExitCode;

use segue_link::{Impairments, PathConfig, parse_duration};
use segue_run::{Closing, Descendants, Network, ProcNet, RunConfig, run_with_summary};

fn main() -> ExitCode {
    match configured(std::env::args_os().skip(1)) {
        Ok((config, summary)) => match run_with_summary(config) {
            Ok(finished) => {
                if summary {
                    eprintln!("{:?}", finished.summary);
                }
                ExitCode::from(finished.exit.status())
            }
            Err(error) => {
                eprintln!("segue: {error}");
                ExitCode::from(error.exit_status())
            }
        },
        Err(message) => {
            eprintln!("segue: {message}");
            ExitCode::from(2)
        }
    }
}

fn configured(mut arguments: impl Iterator<Item = OsString>) -> Result<(RunConfig, bool), Box<dyn std::error::Error>> {
    let mut config = RunConfig::new(Vec::new());
    let mut impairments = Impairments::default();
    let mut seed = 0;
    let mut tun = None;
    let mut addresses = Vec::new();
    let mut summary = false;
    while let Some(option) = arguments.next() {
        let option = option.to_string_lossy().into_owned();
        let mut value = || {
            let value = arguments.next().map(|value| value.to_string_lossy().into_owned());
            value.ok_or_else(|| format!("{option} needs a value"))
        };
        match option.as_str() {
            "--" => break,
            "--end" => config.descendants = Descendants::End,
            "--wait-on-close" => config.closing = Closing::Lingering,
            "--proc-net" => config.proc_net = ProcNet::Host,
            "--summary" => summary = true,
            "-p" => config.publish.push(value()?.parse()?),
            "--delay" => impairments.delay = parse_duration(&value()?)?,
            "--loss" => impairments.loss = value()?.parse()?,
            "--seed" => seed = value()?.parse()?,
            "--pcap" => config.network.pcap = Some(value()?.into()),
            "--tun" => tun = Some(value()?),
            "--addr" => addresses.push(value()?.parse()?),
            "--sysctl" => {
                let value = value()?;
                let (name, value) = value.split_once('=').ok_or("--sysctl wants NAME=VALUE")?;
                config.network.sysctls.push((name.to_owned(), value.to_owned()));
            }
            _ => return Err(format!("unknown option {option}").into()),
        }
    }
    config.program = arguments.collect();
    config.network.seed = Some(seed);
    config.network.network = match tun {
        Some(name) => Network::Tun { name, addresses, peer: None, mtu: 1500, offload: true, path: None },
        None => Network::Embedded { path: PathConfig::symmetric(impairments)?.with_seed(seed) },
    };
    Ok((config, summary))
}
