//! How exact the emulated path is: the one-way delay of datagrams between two kernels beside the delay that was asked for.
//!
//! Decides what is sent and when: datagrams one at a time, each so long after the one before that none waits for another, so
//! that a datagram's delay is the path's and the time its bytes take at the rate. Both kernels stamp by one clock, when
//! a datagram is handed to the first device and when it comes out of the second: what lies between is the emulator.

use std::collections::BTreeMap;
use std::hint::spin_loop;
use std::io;
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use segue::{Bridge, stop_signal};
use segue_kernel::Tap;
use segue_link::{Impairments, NetNamespace, Path, PathConfig, Prefix, Rate, TunConfig, TunLink};

const LEFT: &str = "10.71.0.1";
const RIGHT: &str = "10.71.0.2";
const PORT: u16 = 7000;
/// Bytes of a datagram with its headers.
const SIZE: usize = 1028;
const HEADERS: usize = 28;
/// What it should be on an idle machine, for 99 of 100 datagrams.
const WANTED: Duration = Duration::from_micros(100);

/// What may be late after the last datagram.
const SETTLE: Duration = Duration::from_millis(100);

/// Delays in milliseconds, and rates in Mbit/s (0: none), of the paths that are measured.
const PATHS: [(u64, u64); 8] = [(0, 0), (1, 0), (10, 0), (60, 0), (0, 10), (10, 10), (10, 100), (10, 1000)];
/// Times between datagrams. The second keeps the emulator's thread busy, the first lets it sleep.
const GAPS: [Duration; 2] = [Duration::from_millis(5), Duration::from_micros(500)];

/// One row: by how much datagrams' delays differ from what was asked for.
struct Row {
    /// Sorted.
    extra: Vec<Duration>,
    lost: u32,
}

impl Row {
    fn quantile(&self, share: f64) -> Duration {
        let at = (self.extra.len().saturating_sub(1) as f64 * share).ceil() as usize;
        self.extra.get(at).copied().unwrap_or_default()
    }
}

/// Measures every path with `count` datagrams each and hands over lines; whether 99 of 100 datagrams were exact everywhere.
pub(crate) fn measure(count: u32, say: &mut dyn FnMut(&str)) -> Result<bool, String> {
    say("|extra delay| in µs from device to device; datagrams of 1028 bytes with their headers");
    say(&format!("{:<34}{:>8}{:>8}{:>8}{:>8}{:>10}", "path", "p50", "p90", "p99", "most", "arrived"));
    let mut all = Vec::new();
    for (delay, mbit) in PATHS {
        for gap in GAPS {
            let takes = Duration::from_nanos((SIZE as u64 * 8_000).checked_div(mbit).unwrap_or(0));
            // Twice what a datagram takes, so that none waits for another.
            let gap = gap.max(takes * 2);
            let row = measure_path(Duration::from_millis(delay), mbit, takes, gap, count)
                .map_err(|error| format!("{delay} ms, {mbit} Mbit/s: {error}"))?;
            let rate = if mbit == 0 { String::new() } else { format!(" {mbit}mbit") };
            let name = format!("{delay}ms{rate}, one each {:.1} ms", gap.as_secs_f64() * 1e3);
            say(&line(&name, &row, count));
            all.extend(row.extra);
        }
    }
    all.sort();
    let all = Row { extra: all, lost: 0 };
    say(&line("all", &all, all.extra.len() as u32));
    let good = all.quantile(0.99) <= WANTED;
    say(&format!("99 of 100 are {} µs exact: {}", WANTED.as_micros(), if good { "yes" } else { "no" }));
    Ok(good)
}

fn line(name: &str, row: &Row, count: u32) -> String {
    let [p50, p90, p99, most] = [0.5, 0.9, 0.99, 1.0].map(|share| row.quantile(share).as_secs_f64() * 1e6);
    format!("{name:<34}{p50:>8.1}{p90:>8.1}{p99:>8.1}{most:>8.1}{:>10}", count - row.lost)
}

fn device(namespace: &NetNamespace, address: &str) -> io::Result<TunLink> {
    let address = address.parse().map_err(io::Error::other)?;
    let addresses = vec![Prefix { address, length: 24 }];
    let config = TunConfig { name: "wire".into(), addresses, ..TunConfig::default() };
    namespace.within(|| TunLink::create(&config))?
}

/// `takes`: what a datagram takes at the rate.
fn measure_path(delay: Duration, mbit: u64, takes: Duration, gap: Duration, count: u32) -> io::Result<Row> {
    let rate: Option<Rate> = match mbit {
        0 => None,
        mbit => Some(format!("{mbit}mbit").parse().map_err(io::Error::other)?),
    };
    let path = Impairments { delay, rate, ..Impairments::default() };
    let path = Path::new(PathConfig::symmetric(path).map_err(io::Error::other)?);
    let (left, right) = (NetNamespace::unnamed()?, NetNamespace::unnamed()?);
    let (a, b) = (device(&left, LEFT)?, device(&right, RIGHT)?);
    let (stop, stopper) = stop_signal()?;
    let mut bridge = Bridge::new(path, a, b)?;
    let carrier = std::thread::spawn(move || bridge.run(None, stop.as_fd()));
    let (mut left_tap, mut right_tap) = (left.within(|| Tap::open("wire"))??, right.within(|| Tap::open("wire"))??);
    // Nobody reads; without it there would be answers.
    let _receiver = right.within(|| UdpSocket::bind((RIGHT, PORT)))??;
    let sender = left.within(|| UdpSocket::bind((LEFT, 0)))??;
    send(&sender, gap, count)?;
    std::thread::sleep(delay + takes + SETTLE);
    // While the devices are there: afterwards there is nothing to be read.
    let (sent, arrived) = (sightings(&mut left_tap, true)?, sightings(&mut right_tap, false)?);
    drop(stopper);
    carrier.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let took = |(index, at): (&u64, &Duration)| Some(at.saturating_sub(*sent.get(index)?));
    let mut extra: Vec<Duration> = arrived.iter().filter_map(took).map(|got| got.abs_diff(delay + takes)).collect();
    extra.sort();
    Ok(Row { lost: count - (extra.len() as u32).min(count), extra })
}

/// Sends datagrams that have numbers.
fn send(sender: &UdpSocket, gap: Duration, count: u32) -> io::Result<()> {
    let start = Instant::now();
    let mut datagram = vec![0; SIZE - HEADERS];
    for index in 0..count {
        let due = gap * index;
        // Asleep while there is time: the emulator may have to share this processor.
        std::thread::sleep(due.saturating_sub(start.elapsed()).saturating_sub(Duration::from_micros(200)));
        while start.elapsed() < due {
            spin_loop();
        }
        datagram[..8].copy_from_slice(&u64::from(index).to_be_bytes());
        sender.send_to(&datagram, (RIGHT, PORT))?;
    }
    Ok(())
}

/// When each of the numbered datagrams crossed a device.
fn sightings(tap: &mut Tap, is_leaving: bool) -> io::Result<BTreeMap<u64, Duration>> {
    let mut seen = BTreeMap::new();
    while let Some(sighting) = tap.sighting()? {
        let number = sighting.bytes.get(HEADERS..).and_then(|payload| payload.first_chunk());
        if let (Some(number), Some(at), true) = (number, sighting.at, sighting.is_leaving == is_leaving)
            && sighting.bytes.len() == SIZE
        {
            seen.insert(u64::from_be_bytes(*number), at);
        }
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_of_the_sorted_figures_and_the_last_is_the_most() {
        let extra: Vec<Duration> = (1..=100).map(Duration::from_micros).collect();
        let row = Row { extra, lost: 0 };
        assert_eq!([0.5, 0.99, 1.0].map(|share| row.quantile(share).as_micros()), [51, 100, 100]);
        assert_eq!(Row { extra: Vec::new(), lost: 3 }.quantile(0.99), Duration::ZERO);
    }
}
