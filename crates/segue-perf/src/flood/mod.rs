//! A server under attack, with real clients meanwhile: do they all get what they ask for, how late, in how much memory?
//!
//! Decides how a round goes (attackers, clients, server, each bounded), what is measured, and the bars. Time is the
//! processor time of this thread, so that what else the machine does is neither measured nor makes timers late.
mod attack;
mod bots;
mod clients;
mod crowd;
mod service;

use std::time::Duration;

use segue_kernel::{allocation, process};
use segue_link::{Link, MemoryLink};
use segue_stack::{Instant, Packet};

pub use attack::Attack;

use crate::error::PerfError;
use crate::processor::Stopwatch;
use crate::server::{QUEUE, Server};
use attack::Attackers;
use clients::Clients;
use service::Service;

/// How fast attackers send.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Rate {
    /// As many packets as the server takes, and so many per cent more, which are dropped before the stack sees them: clients
    /// lose the same share of theirs.
    Max {
        /// 0 to 100.
        overload_percent: u32,
    },
    /// Packets per second of processor time, of all attacks together.
    PerSecond(u64),
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct FloodConfig {
    /// All of these at once.
    pub attacks: Vec<Attack>,
    /// How fast.
    pub rate: Rate,
    /// How long, in processor time. Clients that are under way then are waited for, with the attack going on.
    pub duration: Duration,
    /// Settings of the server.
    pub sysctls: Vec<(String, String)>,
    /// What the server's stack may take in all, in bytes (`StackConfig::memory`): a bar, too.
    pub memory: Option<u64>,
    /// Seed of everything that is random.
    pub seed: u64,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct FloodReport {
    /// Packets that attackers sent.
    pub attack_packets: u64,
    /// Processor time it took.
    pub time: Duration,
    /// Real clients that got what they asked for.
    pub clients_served: u64,
    /// Those that did not, each with the reason.
    pub clients_failed: Vec<String>,
    /// Newcomers that were not let in while idle connections had all the room there is for connections.
    pub clients_refused: u64,
    /// Time from connect() to the last byte of the answer: median, 99th percentile, longest.
    pub latency: [Duration; 3],
    /// Bytes in use on the heap, at even distances; empty where the program's allocator does not count.
    pub heap: Vec<u64>,
    /// The resident set of the process, at the same times.
    pub resident: Vec<u64>,
    /// Growth of the heap and of the resident set since the server and all others were made, at most, in bytes: the server's,
    /// and what the others have under way.
    pub grown: Grown,
    /// The server's counters that are not zero.
    pub counters: Vec<(&'static str, u64)>,
    /// Entries in the server's tables in the end.
    pub usage: segue_stack::Usage,
    /// Each bar that was missed, as a sentence; none: all is well.
    pub failures: Vec<String>,
}

/// The most that memory grew by.
#[derive(Clone, Copy, Default, Debug)]
pub struct Grown {
    /// Bytes in use, looked at after each round; `None`: the program's allocator does not count.
    pub heap: Option<u64>,
    /// The resident set.
    pub resident: u64,
}

/// How often memory is looked at.
const SAMPLES: u32 = 20;
/// Bar: how much more memory may be in use in the second half of the attack than in the first, in per cent and bytes.
const GROWTH_PERCENT: u64 = 10;
const GROWTH_BYTES: u64 = 4 << 20;
/// Clients that have not got their answer so long after the last was started have failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// Packets of attackers at a time when the rate is limited.
const BURST: u64 = 64;

/// Attacks, measures and judges.
///
/// # Errors
/// A setting that is refused; the machine does not tell what is asked of it.
pub fn flood(config: &FloodConfig) -> Result<FloodReport, PerfError> {
    if config.attacks.is_empty() {
        return Err(PerfError::Usage("no attack is named: name one, or all".to_owned()));
    }
    if let (Some(attack), None) = (config.attacks.iter().find(|attack| attack.needs_budget()), config.memory) {
        return Err(PerfError::Usage(format!(
            "{attack}: connections without number need a bound: give --memory, e.g. 50MB"
        )));
    }
    let mut field = Field::new(config)?;
    let before = (allocation::heap_in_use(), process::resident()?);
    let mut grown = Grown::default();
    let watch = Stopwatch::start();
    let mut heap = Vec::with_capacity(SAMPLES as usize + 1);
    let mut resident = Vec::with_capacity(SAMPLES as usize + 1);
    let mut next_sample = Duration::ZERO;
    loop {
        let elapsed = watch.elapsed();
        let is_on = elapsed < config.duration;
        let is_over = field.clients.are_done() || elapsed > config.duration + PATIENCE;
        if !is_on && is_over {
            break;
        }
        if is_on && elapsed >= next_sample {
            next_sample += config.duration / SAMPLES;
            heap.extend(allocation::heap_in_use());
            resident.push(process::resident()?);
        }
        field.round(elapsed, is_on)?;
        let more = before.0.zip(allocation::heap_in_use()).map(|(before, now)| now.saturating_sub(before));
        grown.heap = grown.heap.max(more);
    }
    let most = resident.iter().copied().chain([process::resident()?]).max().unwrap_or_default();
    grown.resident = most.saturating_sub(before.1);
    field.clients.give_up();
    let mut report = report(field, [heap, resident], watch.elapsed());
    report.grown = grown;
    judge(&mut report, config);
    Ok(report)
}

fn report(mut field: Field, [heap, resident]: [Vec<u64>; 2], time: Duration) -> FloodReport {
    let latency = field.clients.latency();
    let stack = &field.server.stack;
    FloodReport {
        attack_packets: field.attackers.sent,
        time,
        clients_served: field.clients.served,
        clients_failed: std::mem::take(&mut field.clients.failed),
        clients_refused: field.clients.refused,
        latency,
        heap,
        resident,
        grown: Grown::default(),
        counters: stack.counters().nonzero().collect(),
        usage: stack.usage(),
        failures: Vec::new(),
    }
}

/// The bars.
fn judge(report: &mut FloodReport, config: &FloodConfig) {
    if let Some(first) = report.clients_failed.first() {
        let all = report.clients_failed.len();
        report.failures.push(format!("{all} of {} clients failed: {first}", report.clients_served + all as u64));
    }
    if report.clients_served == 0 {
        report.failures.push("no client was served".to_owned());
    }
    // What the tables take when they fill up for the first time is taken in the first half.
    for (what, samples) in [("heap", &report.heap), ("resident set", &report.resident)] {
        let (first, second) = samples.split_at(samples.len() / 2);
        if let (Some(first), Some(second)) = (first.iter().max(), second.iter().max())
            && *second > first * (100 + GROWTH_PERCENT) / 100 + GROWTH_BYTES
        {
            report.failures.push(format!("the {what} grew from {first} to {second} bytes while the attack went on"));
        }
    }
    let Some(memory) = config.memory else { return };
    for (what, grown) in [("heap", report.grown.heap), ("resident set", Some(report.grown.resident))] {
        if let Some(grown) = grown.filter(|grown| *grown > memory) {
            report.failures.push(format!("the {what} grew by {grown} bytes; the stack may take {memory}"));
        }
    }
}

/// Everybody.
struct Field {
    server: Server,
    service: Service,
    clients: Clients,
    attackers: Attackers,
    /// The other end of the server's link, and what is on its way over it.
    link: MemoryLink,
    from_server: Vec<Packet>,
    rate: Rate,
    /// Packets that clients sent in the round before.
    from_clients: u64,
}

impl Field {
    fn new(config: &FloodConfig) -> Result<Field, PerfError> {
        let now = time(Duration::ZERO);
        let sysctls: Vec<(&str, String)> =
            config.sysctls.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let (mut server, link) = Server::new(&sysctls, config.memory, now)?;
        let listener = server.listen(now, 4096)?;
        let may_refuse = config.attacks.iter().any(|attack| attack.crowds_out());
        Ok(Field {
            server,
            service: Service::new(listener),
            clients: Clients::new(now, config.seed, may_refuse)?,
            attackers: Attackers::new(&config.attacks, config.seed),
            link,
            from_server: Vec::with_capacity(QUEUE),
            rate: config.rate,
            from_clients: 0,
        })
    }

    /// Everybody has a turn. `is_on`: clients still begin anew.
    fn round(&mut self, elapsed: Duration, is_on: bool) -> Result<(), PerfError> {
        let now = time(elapsed);
        let budget = self.server.stack.work_limits().packets as u64;
        let attack = match self.rate {
            _ if !self.clients.have_settled() => 0,
            // What clients send is served, too.
            Rate::Max { overload_percent } => {
                (budget * u64::from(100 + overload_percent) / 100).saturating_sub(self.from_clients)
            }
            Rate::PerSecond(rate) => {
                let due = (elapsed.as_secs_f64() * rate as f64) as u64;
                due.saturating_sub(self.attackers.sent).min(BURST)
            }
        };
        // Clients' packets stand somewhere among the attackers', as on a wire that both share.
        let before = self.attackers.random.below(attack + 1);
        self.attackers.send(now, &mut self.link, before);
        self.from_clients = self.clients.round(now, &mut self.link, is_on)?;
        self.attackers.send(now, &mut self.link, attack - before);
        self.server.limited_round(now)?;
        self.service.serve(&mut self.server.stack, now)?;
        self.server.transmit_within(now);
        self.link.recv(now, &mut self.from_server, QUEUE)?;
        for packet in self.from_server.drain(..) {
            if Clients::is_for(&packet) {
                self.clients.receive(now, packet);
            } else {
                self.attackers.receive(now, &packet);
            }
        }
        Ok(())
    }
}

/// The time of all stacks. It does not begin at zero, which some clocks take for "never".
fn time(elapsed: Duration) -> Instant {
    Instant::from_secs(1000) + elapsed
}

#[cfg(test)]
mod tests;
