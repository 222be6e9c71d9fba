//! `segue ping`: echo requests from a Segue host, across an emulated path or a
//! real device.

use std::net::{IpAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use segue::{Cidr, PingError, PingOptions};
use segue_gateway::{GATEWAY_NAME, GatewayConfig, TEST_HOST_NAME};
use segue_link::units::parse_duration;
use segue_run::{Network, NetworkConfig, RunError, Running, Tail};

use crate::fail::Fail;
use crate::path::{PathArgs, SeedArg};

/// Send echo requests across an emulated path, or over a TUN device with --tun.
///
/// Exit status: 0 when at least one answer came, 1 when none did, 2 for a wrong command line or an unknown name.
#[derive(Args)]
#[command(after_help = "\
Examples:
  segue ping --delay 30ms --loss 5% segue.test
  segue ping -c 1 -t 1 198.51.100.1
  segue ping --tun segue0 --addr 10.7.0.2/24 10.7.0.1")]
pub(crate) struct PingArgs {
    #[command(flatten)]
    path: PathArgs,

    #[command(flatten)]
    seed: SeedArg,

    /// How many requests.
    #[arg(short, long, value_name = "N", default_value_t = 4, value_parser = crate::number::whole::<u16>(1..=65_535))]
    count: u16,

    /// Time between two requests.
    #[arg(short, long, value_name = "TIME", default_value = "1s", value_parser = parse_duration)]
    interval: Duration,

    /// How long to wait for each answer.
    #[arg(short = 'W', long, value_name = "TIME", default_value = "2s", value_parser = parse_duration)]
    timeout: Duration,

    /// Payload in bytes.
    #[arg(short, long, value_name = "BYTES", default_value_t = 56, value_parser = crate::number::whole::<u16>(0..=65_507))]
    size: u16,

    /// Time to live or hop limit.
    #[arg(short, long, value_name = "HOPS", value_parser = crate::number::whole::<u8>(1..=255))]
    ttl: Option<u8>,

    /// Be on a real TUN device of this name, behind the emulated path if there is one (needs CAP_NET_ADMIN).
    #[arg(long, value_name = "NAME", requires = "addr")]
    tun: Option<String>,

    /// With --tun: address and prefix of Segue's end.
    #[arg(long, value_name = "CIDR", requires = "tun")]
    addr: Vec<Cidr>,

    /// Name or address.
    host: String,
}

/// What came back.
#[derive(Default)]
struct Tally {
    sent: u32,
    rtts: Vec<Duration>,
}

/// Pings and sums up.
pub(crate) fn ping(args: PingArgs) -> Result<ExitCode, Fail> {
    let to = resolve(&args.host)?;
    let network = match &args.tun {
        None => Network::Embedded { path: args.path.config(args.seed.value())? },
        Some(name) => Network::Tun {
            name: name.clone(),
            addresses: args.addr.clone(),
            peer: None,
            mtu: args.path.mtu(),
            offload: true,
            path: args.path.given(args.seed.value())?,
        },
    };
    let config = NetworkConfig {
        memory: None,
        verbose: false,
        network,
        seed: args.seed.chosen(),
        sysctls: Vec::new(),
        pcap: None,
        events: None,
        comment: String::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fail::new(125, format!("cannot start: {error}")))?;
    let tally = runtime.block_on(async {
        let network = Running::up(&config).map_err(|error: RunError| Fail::new(error.exit_status(), error))?;
        let tally = exchange(&network, &args, to).await;
        network.down(Instant::now(), Tail::Streams).await;
        Ok(tally)
    });
    runtime.shutdown_background();
    let tally: Tally = tally?;
    summary(&args.host, &tally);
    Ok(if tally.rtts.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The built-in names without asking anybody, all others by this machine's resolver.
fn resolve(host: &str) -> Result<IpAddr, Fail> {
    let built_in = GatewayConfig::default();
    if host.eq_ignore_ascii_case(TEST_HOST_NAME)
        && let Some(addresses) = built_in.test_host
    {
        return Ok(addresses.v4.into());
    }
    if host.eq_ignore_ascii_case(GATEWAY_NAME) {
        return Ok(built_in.addresses.v4.into());
    }
    if let Ok(address) = host.parse() {
        return Ok(address);
    }
    let mut found = (host, 0).to_socket_addrs().map_err(|error| {
        Fail::usage(format!("{host}: {error}; give an address, or a name this machine can resolve"))
    })?;
    found.next().map(|address| address.ip()).ok_or_else(|| Fail::usage(format!("{host} has no address")))
}

async fn exchange(network: &Running, args: &PingArgs, to: IpAddr) -> Tally {
    let mut tally = Tally::default();
    for sequence in 1..=args.count {
        let options = PingOptions { size: usize::from(args.size), sequence, ttl: args.ttl, timeout: args.timeout };
        let started = Instant::now();
        tally.sent += 1;
        match network.host().ping(to, options).await {
            Ok(reply) => {
                println!(
                    "{} bytes from {}: icmp_seq={sequence} ttl={} time={:.3} ms",
                    reply.bytes,
                    reply.from,
                    reply.ttl,
                    reply.rtt.as_secs_f64() * 1e3
                );
                tally.rtts.push(reply.rtt);
            }
            Err(error @ PingError::Io(_)) => println!("icmp_seq={sequence}: cannot be sent: {error}"),
            Err(error) => println!("icmp_seq={sequence}: {error}"),
        }
        if sequence < args.count {
            tokio::time::sleep(args.interval.saturating_sub(started.elapsed())).await;
        }
    }
    tally
}

fn summary(host: &str, tally: &Tally) {
    let received = tally.rtts.len();
    let lost = 100.0 * f64::from(tally.sent - received as u32) / f64::from(tally.sent.max(1));
    println!("--- {host} ---");
    println!("{} sent, {received} received, {lost:.0}% loss", tally.sent);
    let (Some(least), Some(most)) = (tally.rtts.iter().min(), tally.rtts.iter().max()) else { return };
    let mean = tally.rtts.iter().sum::<Duration>() / received as u32;
    let [least, mean, most] = [*least, mean, *most].map(|rtt| rtt.as_secs_f64() * 1e3);
    println!("rtt min/avg/max = {least:.3}/{mean:.3}/{most:.3} ms");
}
