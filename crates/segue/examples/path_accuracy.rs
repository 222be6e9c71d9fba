//! How exact the emulated path between two TUN devices is: the one-way delay of datagrams between two kernels, measured by
//! the same clock at both ends, less the delay that was asked for. Needs root; makes two unnamed network namespaces.
//!
//!     cargo build --release --example path_accuracy -p segue && target/release/examples/path_accuracy [datagrams]
//!
//! The figures contain the way through both kernels. The last row shows what a rate does: how far arrivals are from where
//! the rate puts them.
use std::error::Error;
use std::net::UdpSocket;
use std::thread;
use std::time::{Duration, Instant};

use segue::link::{Impairments, NetNamespace, Path, PathConfig, Prefix, TunConfig, TunLink, parse_duration};
use segue::{Bridge, stop_signal};
use std::os::fd::AsFd;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const LEFT: &str = "10.55.1.1";
const RIGHT: &str = "10.55.1.2";

fn main() -> Outcome<()> {
    // As `segue path` does; the two programs at the ends are to be as quick.
    if let Err(error) = segue::link::run_before_others() {
        println!("ordinary priority ({error}): figures depend on what else this machine does");
    }
    let count: u32 = std::env::args().nth(1).map_or(Ok(2000), |text| text.parse())?;
    println!("{:<42}{:>9}{:>9}{:>9}{:>9}  µs beyond the delay", "", "p1", "p50", "p99", "most");
    for delay in ["0", "1ms", "20ms"] {
        for (gap, awake) in [("2ms", "60us"), ("100us", "60us"), ("2ms", "0")] {
            let wanted = parse_duration(delay)?;
            let path = Impairments { delay: wanted, ..Impairments::default() };
            let lags = measure(path, parse_duration(awake)?, parse_duration(gap)?, 100, count)?;
            let late = lags.iter().map(|lag| *lag - wanted.as_secs_f64()).collect();
            row(&format!("delay {delay}, a datagram every {gap}, awake {awake}"), late);
        }
    }
    // Back to back behind 10 Mbit/s: 1028 bytes with headers take 822.4 µs each.
    let path = Impairments { rate: Some("10mbit".parse()?), queue: Some("100MB".parse()?), ..Impairments::default() };
    let lags = measure(path, parse_duration("60us")?, Duration::ZERO, 1000, count.min(1000))?;
    let mut sorted = lags.clone();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
    row("10mbit, back to back, around the median", lags.iter().map(|lag| lag - middle).collect());
    Ok(())
}

fn row(what: &str, mut lags: Vec<f64>) {
    lags.sort_by(f64::total_cmp);
    let at = |share: f64| lags.get(((lags.len() - 1) as f64 * share) as usize).copied().unwrap_or_default() * 1e6;
    println!("{what:<42}{:>9.1}{:>9.1}{:>9.1}{:>9.1}  ({} arrived)", at(0.01), at(0.5), at(0.99), at(1.0), lags.len());
}

/// Seconds each datagram was under way; with a gap of zero, seconds beyond the time at which the rate lets it out.
fn measure(path: Impairments, awake: Duration, gap: Duration, size: usize, count: u32) -> Outcome<Vec<f64>> {
    let (left, right) = (NetNamespace::unnamed()?, NetNamespace::unnamed()?);
    let device = |address: &str| -> Outcome<TunConfig> {
        let addresses = vec![Prefix { address: address.parse()?, length: 24 }];
        Ok(TunConfig { name: "sg0".into(), addresses, ..TunConfig::default() })
    };
    let (a, b) = (device(LEFT)?, device(RIGHT)?);
    let (a, b) = (left.within(|| TunLink::create(&a))??, right.within(|| TunLink::create(&b))??);
    let (stop, stopper) = stop_signal()?;
    let rate = path.rate;
    let mut bridge = Bridge::new(Path::new(PathConfig::symmetric(path)?), a, b)?.with_awake(awake);
    let carrier = thread::spawn(move || bridge.run(None, stop.as_fd()));
    let receiver = right.within(|| UdpSocket::bind((RIGHT, 7000)))??;
    let sender = left.within(|| UdpSocket::bind((LEFT, 0)))??;
    receiver.set_read_timeout(Some(Duration::from_secs(1)))?;
    let start = Instant::now();
    let reader = thread::spawn(move || read(&receiver, count, start));
    let mut datagram = vec![0; size];
    for index in 0..count {
        while start.elapsed() < gap * index {
            std::hint::spin_loop();
        }
        datagram[..8].copy_from_slice(&(start.elapsed().as_nanos() as u64).to_be_bytes());
        sender.send_to(&datagram, (RIGHT, 7000))?;
    }
    let arrivals = reader.join().map_err(|_| "the reader panicked")?;
    drop(stopper);
    carrier.join().map_err(|_| "the bridge panicked")??;
    let out = |(index, (sent, arrived)): (usize, (u64, u64))| match rate.filter(|_| gap.is_zero()) {
        None => (arrived - sent) as f64 / 1e9,
        Some(rate) => arrived as f64 / 1e9 - ((index + 1) * (size + 28) * 8) as f64 / rate.bits_per_second() as f64,
    };
    Ok(arrivals.into_iter().enumerate().map(out).collect())
}

/// When each datagram was sent and when it arrived, in nanoseconds.
fn read(socket: &UdpSocket, count: u32, start: Instant) -> Vec<(u64, u64)> {
    let mut arrivals = Vec::new();
    let mut bytes = [0; 2000];
    while arrivals.len() < count as usize {
        let Ok(len) = socket.recv(&mut bytes) else { break };
        let arrived = start.elapsed().as_nanos() as u64;
        if let Some(sent) = bytes[..len].first_chunk() {
            arrivals.push((u64::from_be_bytes(*sent), arrived));
        }
    }
    arrivals
}
