//! `segue serve`: the test host's services on a real device.

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use segue::Cidr;
use segue_gateway::test_host;
use segue_run::{Network, NetworkConfig, RunError, Running, Tail};
use tokio::signal::unix::{SignalKind, signal};

use crate::fail::Fail;
use crate::path::{PathArgs, SeedArg};
use crate::report;

/// Serve the services of segue.test on a TUN device: echo 7, discard 9, chargen 19, HTTP 80.
///
/// The device is made with the kernel's end configured, and is gone when the command ends (Ctrl-C). Needs
/// CAP_NET_ADMIN. What the path is told to do happens between server and device. GET /64MiB answers with that much content whose SHA-256 is the ETag; PUT / answers with the SHA-256
/// of what arrived.
#[derive(Args)]
#[command(after_help = "\
Example (as root):
  segue serve --tun segue0 --addr 10.7.0.2/24 &
  curl -o /dev/null http://10.7.0.2/1GiB
  segue serve --tun segue0 --addr 10.7.0.2/24 --delay 20ms --rate 50mbit --queue codel --loss burst:0.1%,5")]
pub(crate) struct ServeArgs {
    /// Name of the device to make, at most 15 bytes.
    #[arg(long, value_name = "NAME")]
    tun: String,

    /// Address and prefix of the server, e.g. 10.7.0.2/24 or fd07::2/64. May be given several times.
    #[arg(long, value_name = "CIDR", required = true)]
    addr: Vec<Cidr>,

    /// Address of the kernel's end. Default: the first other host address of the prefix.
    #[arg(long, value_name = "IP")]
    peer: Option<IpAddr>,

    #[command(flatten)]
    path: PathArgs,

    #[command(flatten)]
    seed: SeedArg,

    /// Connections served at a time on each port; the next ones wait in the listener's queue.
    #[arg(long, value_name = "N", default_value_t = test_host::CONNECTIONS, value_parser = at_least_one)]
    connections: usize,

    /// Exchange only packets that fit the MTU, with finished checksums.
    #[arg(long)]
    no_offload: bool,

    /// Set a parameter of the stack by Linux's name, e.g. tcp_timestamps=0.
    #[arg(long, value_name = "NAME=VALUE", value_parser = crate::run::parse_sysctl)]
    sysctl: Vec<(String, String)>,

    /// Bytes of memory that the stack may take in all, e.g. 50MB; at least 1MiB.
    ///
    /// What does not fit is refused by kind, counted, and told at the end. Default: no bound.
    #[arg(long, value_name = "SIZE", value_parser = crate::run::parse_memory)]
    memory: Option<u64>,

    /// Write every packet to a pcapng file.
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,

    /// Write what connections decide about loss and congestion to a file, one line of JSON each (docs/events.md).
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
}

/// How long connections may still finish when the server is told to end.
const FAREWELL: Duration = Duration::from_secs(2);

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "give a number of connections, at least 1".to_owned())
}

/// Serves until it is interrupted.
pub(crate) fn serve(args: ServeArgs) -> Result<ExitCode, Fail> {
    let config = NetworkConfig {
        verbose: false,
        network: Network::Tun {
            name: args.tun,
            addresses: args.addr.clone(),
            peer: args.peer,
            mtu: args.path.mtu(),
            offload: !args.no_offload,
            path: args.path.given(args.seed.value())?,
        },
        seed: None,
        sysctls: args.sysctl,
        memory: args.memory,
        pcap: args.pcap,
        events: args.events,
        comment: "segue serve".to_owned(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Fail::new(125, format!("cannot start: {error}")))?;
    let ended = runtime.block_on(async {
        let network = Running::up(&config).map_err(|error: RunError| Fail::new(error.exit_status(), error))?;
        let services = test_host::serve_up_to(network.host(), args.connections)
            .map_err(|error| Fail::new(125, format!("cannot serve: {error}")))?;
        for address in &args.addr {
            eprintln!("segue: serving http://{}/", host_in_url(address.address()));
        }
        let interrupted =
            interruption().map_err(|error| Fail::new(125, format!("cannot wait for signals: {error}")))?;
        interrupted.await;
        if let Some(path) = network.path_stats() {
            let [up, down] = [&path.a_to_b, &path.b_to_a].map(report::direction);
            eprintln!("segue: path up: {up}; down: {down}; seed {}", args.seed.value());
        }
        for line in report::refused(&network.refused()) {
            eprintln!("segue: {line}");
        }
        drop(services);
        network.down(Instant::now() + FAREWELL, Tail::Streams).await;
        Ok(())
    });
    runtime.shutdown_background();
    ended.map(|()| ExitCode::SUCCESS)
}

fn host_in_url(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

/// Ends at the first SIGINT or SIGTERM from now on.
pub(crate) fn interruption() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
