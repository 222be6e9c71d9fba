//! Opens connections between two stacks in memory and prints what one idle end of one costs.
//!
//! ```text
//! cargo run --release -p segue-lab --example idle_connections -- 10000
//! ```
//! Memory is the growth of the process's resident set (`/proc/self/statm`), so it includes what the allocator wastes.
//! Both ends live in this process: a connection is two ends.
use std::process::ExitCode;
use std::time::Duration;

use segue_lab::{HostId, Lab};
use segue_link::{Impairments, PathConfig};
use segue_stack::{Domain, Errno, IfaceConfig, SocketId, SocketType, StackConfig, State};

/// Connections opened at once: fewer than a listener's backlog.
const BATCH: usize = 1000;
/// Connections per listening port: fewer than there are ephemeral ports.
const PER_PORT: usize = 20_000;

fn main() -> ExitCode {
    let count = std::env::args().nth(1).unwrap_or_else(|| "10000".to_owned());
    let result =
        count.parse().map_err(|error| format!("{count:?} is not a number of connections: {error}")).and_then(run);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("idle_connections: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(count: usize) -> Result<(), String> {
    let mut lab = Lab::new(1);
    let client = lab.add_host("client", StackConfig::new(lab.host_seed(1)));
    let server = lab.add_host("server", StackConfig::new(lab.host_seed(2)));
    let iface = |address: &str| {
        let address = address.parse().map_err(|error| format!("{address}: {error}"))?;
        Ok::<_, String>(IfaceConfig { addresses: vec![address], ..IfaceConfig::new("eth0", 1500) })
    };
    let path = PathConfig::symmetric(Impairments { delay: Duration::from_millis(1), ..Impairments::default() });
    let path = path.map_err(|error| error.to_string())?;
    lab.connect((client, iface("10.0.0.1/8")?), (server, iface("10.0.0.2/8")?), path);

    // The first connection brings the tables and buffers that are there once.
    let mut sockets = Vec::with_capacity(2 * count + 2);
    open(&mut lab, client, server, 1, 7, &mut sockets)?;
    let before = resident()?;
    for (number, first) in (0..count).step_by(PER_PORT).enumerate() {
        open(&mut lab, client, server, PER_PORT.min(count - first), 1000 + number as u16, &mut sockets)?;
    }
    // Timers of the handshake run out, queues empty themselves.
    lab.run_for(Duration::from_secs(10)).map_err(|error| error.to_string())?;
    let after = resident()?;

    for host in [client, server] {
        let established = lab
            .host(host)
            .sockets(lab.now())
            .filter(|socket| matches!(socket.state, Some(State::Connection(segue_tcp::State::Established))));
        let established = established.count();
        if established != count + 1 {
            return Err(format!("{} has {established} connections instead of {}", lab.name(host), count + 1));
        }
    }
    let per_end = after.saturating_sub(before) as f64 / (2 * count) as f64;
    println!("connections {count} ends {} resident_bytes {}", 2 * count, after.saturating_sub(before));
    println!("bytes_per_end {per_end:.0} bytes_per_connection {:.0}", 2.0 * per_end);
    Ok(())
}

/// Opens `count` connections to a new listener and accepts them.
fn open(
    lab: &mut Lab,
    client: HostId,
    server: HostId,
    count: usize,
    port: u16,
    sockets: &mut Vec<SocketId>,
) -> Result<(), String> {
    let address = std::net::SocketAddr::from(([10, 0, 0, 2], port));
    let error = |what: &'static str| move |errno: Errno| format!("{what}: {errno}");
    let (stack, now) = lab.host_mut(server);
    let listener = stack.socket(Domain::Inet, SocketType::Stream).map_err(error("socket"))?;
    stack.bind(now, listener, address).map_err(error("bind"))?;
    stack.listen(listener, BATCH as i32).map_err(error("listen"))?;
    let mut opened = 0;
    while opened < count {
        let batch = BATCH.min(count - opened);
        let (stack, now) = lab.host_mut(client);
        for _ in 0..batch {
            let socket = stack.socket(Domain::Inet, SocketType::Stream).map_err(error("socket"))?;
            match stack.connect(now, socket, address) {
                Ok(()) | Err(Errno::EINPROGRESS) => sockets.push(socket),
                Err(errno) => return Err(error("connect")(errno)),
            }
        }
        lab.run_for(Duration::from_millis(5)).map_err(|error| error.to_string())?;
        let (stack, now) = lab.host_mut(server);
        for _ in 0..batch {
            sockets.push(stack.accept(now, listener).map_err(error("accept"))?.0);
        }
        while lab.next_event().is_some() {}
        opened += batch;
    }
    Ok(())
}

/// Resident set of this process in bytes.
fn resident() -> Result<usize, String> {
    let statm = std::fs::read_to_string("/proc/self/statm").map_err(|error| format!("/proc/self/statm: {error}"))?;
    let pages: usize = statm
        .split_whitespace()
        .nth(1)
        .and_then(|field| field.parse().ok())
        .ok_or("/proc/self/statm has no second field")?;
    // Pages are 4096 bytes on every machine this is compared on.
    Ok(pages * 4096)
}
