//! How fast Segue and the kernel talk over a TUN device. Needs root; uses a network namespace of its own (`unshare`).
//!
//!     cargo build --release --example tun_bench -p segue && target/release/examples/tun_bench [seconds per row]
//!
//! The kernel's side uses cubic and plain blocking sockets. Request/response depends on where the two sides run: one CPU
//! (`taskset -c 0 …`) and two give figures that differ by a factor.
use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener as KernelListener, TcpStream as KernelStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_tcp_congestion;
use segue::link::{Prefix, TunConfig, TunLink};
use segue::{Host, TcpListener, TcpStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const INSIDE: &str = "SEGUE_BENCH_NAMESPACE";
const KERNEL: &str = "10.9.0.1";
const SEGUE: &str = "10.9.0.2";

fn main() -> Outcome<()> {
    if std::env::var_os(INSIDE).is_none() {
        let mut again = Command::new("unshare");
        again.arg("--net").arg(std::env::current_exe()?).args(std::env::args_os().skip(1)).env(INSIDE, "1");
        let status = again.status().map_err(|error| format!("unshare (package util-linux): {error}"))?;
        return if status.success() {
            Ok(())
        } else {
            Err(format!("in the namespace: {status}; are you root?").into())
        };
    }
    let seconds: f64 = std::env::args().nth(1).map_or(Ok(3.0), |text| text.parse())?;
    let duration = Duration::from_secs_f64(seconds);
    println!("{:<34}{:>14}{:>12}{:>12}", "", "", "p50 µs", "p99 µs");
    for offload in [true, false] {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // On a task of its own, as applications are: the runtime polls its main future less often.
        runtime.block_on(async { tokio::spawn(rows(offload, duration)).await })??;
    }
    Ok(())
}

async fn rows(offload: bool, duration: Duration) -> Outcome<()> {
    let link = TunLink::create(&TunConfig {
        name: "segue0".into(),
        addresses: vec![Prefix { address: KERNEL.parse()?, length: 24 }],
        offload,
        ..TunConfig::default()
    })?;
    let host = Host::builder().address(format!("{SEGUE}/24").parse()?).link(link).spawn()?;
    let kind = if offload { "offload" } else { "no offload" };
    let bits = kernel_to_segue(&host, duration).await?;
    println!("{:<34}{:>9.2} Gbit/s", format!("kernel → segue, {kind}"), bits / 1e9);
    let bits = segue_to_kernel(&host, duration).await?;
    println!("{:<34}{:>9.2} Gbit/s", format!("segue → kernel, {kind}"), bits / 1e9);
    let mut times = request_response(&host, duration).await?;
    times.sort_unstable();
    let per_second = times.len() as f64 / duration.as_secs_f64();
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).map_or(0.0, |time| time.as_secs_f64() * 1e6);
    println!("{:<34}{per_second:>14.0}/s{:>10.1}{:>12.1}", format!("1 byte there and back, {kind}"), at(0.5), at(0.99));
    host.shutdown(Duration::from_secs(5)).await?;
    Ok(())
}

/// A kernel listener whose connection is served on a thread.
fn kernel(serve: impl FnOnce(KernelStream) -> std::io::Result<()> + Send + 'static) -> Outcome<std::net::SocketAddr> {
    let listener = KernelListener::bind((KERNEL, 0))?;
    set_tcp_congestion(&listener, "cubic")?;
    let address = listener.local_addr()?;
    thread::spawn(move || serve(listener.accept()?.0));
    Ok(address)
}

async fn segue_to_kernel(host: &Host, duration: Duration) -> Outcome<f64> {
    let address = kernel(|mut stream| {
        let mut buffer = vec![0; 1 << 20];
        while stream.read(&mut buffer)? > 0 {}
        Ok(())
    })?;
    let mut stream = TcpStream::connect(host, address).await?;
    let piece = vec![7; 256 << 10];
    let start = Instant::now();
    let mut sent = 0;
    while start.elapsed() < duration {
        stream.write_all(&piece).await?;
        sent += piece.len();
    }
    stream.shutdown().await?;
    stream.read_to_end(&mut Vec::new()).await?;
    Ok(sent as f64 * 8.0 / start.elapsed().as_secs_f64())
}

async fn kernel_to_segue(host: &Host, duration: Duration) -> Outcome<f64> {
    let listener = TcpListener::bind(host, format!("{SEGUE}:9").parse()?).await?;
    thread::spawn(move || -> std::io::Result<()> {
        let mut stream = KernelStream::connect((SEGUE, 9))?;
        set_tcp_congestion(&stream, "cubic")?;
        let piece = vec![7; 256 << 10];
        let start = Instant::now();
        while start.elapsed() < duration {
            stream.write_all(&piece)?;
        }
        Ok(())
    });
    let (stream, _) = listener.accept().await?;
    let start = Instant::now();
    let mut received = 0;
    loop {
        let chunks = stream.recv_bytes(4 << 20).await?;
        if chunks.is_empty() {
            return Ok(received as f64 * 8.0 / start.elapsed().as_secs_f64());
        }
        received += chunks.len();
    }
}

async fn request_response(host: &Host, duration: Duration) -> Outcome<Vec<Duration>> {
    let address = kernel(|mut stream| {
        stream.set_nodelay(true)?;
        let mut byte = [0];
        while stream.read(&mut byte)? > 0 {
            stream.write_all(&byte)?;
        }
        Ok(())
    })?;
    let mut stream = TcpStream::connect(host, address).await?;
    stream.set_nodelay(true)?;
    let start = Instant::now();
    let mut times = Vec::new();
    let mut last = start;
    while last - start < duration {
        stream.write_all(&[1]).await?;
        stream.read_exact(&mut [0]).await?;
        let now = Instant::now();
        times.push(now - last);
        last = now;
    }
    Ok(times)
}
