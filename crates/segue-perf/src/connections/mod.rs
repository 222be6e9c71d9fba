//! How many connections a stack holds, what each costs in memory, how fast they open, and whether a segment costs more when
//! there are many.
//!
//! Decides what is measured and which bar it must pass. Time is virtual, so that no timer is late on a slow machine; rates
//! are made of processor time.
mod capacity;
mod rounds;

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use segue_kernel::{allocation, process};
use segue_stack::{Errno, Instant, ListPosition, MsgFlags, SocketId};

use crate::error::PerfError;
use crate::peer::{MOST, Manner, Peers};
use crate::processor::Stopwatch;
use crate::random::Random;
use crate::server::Server;
pub use capacity::{CapacityConfig, CapacityReport, capacity};
pub use rounds::Round;
use rounds::Rounds;

/// Handshakes that are under way at once.
const BATCH: u32 = 256;
/// Bytes of a request, and of the answer to it.
const MESSAGE: usize = 100;
/// What the cost of a segment among few connections is measured with.
pub const FEW: u32 = 10;
/// Bar: bytes of the resident set for one established connection.
pub const BYTES_PER_CONNECTION: u64 = 1200;
/// Bar: how many times the instructions for a segment may be among all connections, of those among few.
pub const SEGMENT_RATIO: f64 = 1.2;
/// Bar: connections below this number do not tell the cost of one from that of the tables.
pub const ENOUGH: u32 = 10_000;

/// Bytes of an entry in the table beside: about what a connection is.
pub const ENTRY: usize = 800;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionsConfig {
    /// How many connections, 10 to 100 million.
    pub count: u32,
    /// Every connection moves a request and its answer before it rests.
    pub is_active: bool,
    /// Requests by which the cost of a segment is measured, over random connections; 0: it is not.
    pub requests: u32,
    /// Whether half-open connections and TIME-WAIT entries are measured as well.
    pub all_kinds: bool,
    /// How often connections are opened anew, on a stack of their own, to tell what a round does from what the machine does.
    pub repeat: u32,
    /// Whether a bare hash table with as many entries of [`ENTRY`] bytes is filled beside, to tell what memory costs.
    pub beside_table: bool,
}

/// What so many of a kind have cost together.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// How many.
    pub count: u32,
    /// Bytes in use; `None`: the program's allocator does not count.
    pub heap: Option<u64>,
    /// Growth of the process's resident set.
    pub resident: u64,
}

impl Cost {
    /// Bytes of the resident set for one.
    pub fn each(&self) -> u64 {
        self.resident / u64::from(self.count.max(1))
    }
}

/// How fast connections opened while there were so many already.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// How many there were in the end.
    pub connections: u32,
    /// Per second of processor time, both ends together, while the last ninth tenths came up to this number.
    pub per_second: f64,
    /// The longest round: a part of 256 handshakes that kept the server from everything else.
    pub longest: Round,
    /// The same of the times that each round took at least in all repetitions: the same round does the same each time, so what
    /// the machine was busy with is not in it. `None`: nothing was repeated.
    pub longest_repeated: Option<Round>,
    /// Entries put into a bare hash table per second, over the same numbers; `None`: it was not asked for.
    pub table_per_second: Option<f64>,
}

/// What a segment costs while there are so many connections.
#[derive(Clone, Copy, Debug)]
pub struct SegmentCost {
    /// How many connections there are.
    pub connections: u32,
    /// Segments in and out of the server.
    pub segments: u64,
    /// Processor time of the server for all of them.
    pub time: Duration,
}

/// Looking at every socket in parts of [`PART`] places.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    /// Sockets that were seen.
    pub sockets: u64,
    /// Processor time of all parts.
    pub time: Duration,
    /// The longest part: so long nothing else goes on.
    pub longest: Duration,
}

/// Places of the tables in a part: as many as the control socket takes.
pub const PART: u32 = 1024;

/// What came of it.
#[derive(Clone, Debug)]
pub struct ConnectionsReport {
    /// Established connections.
    pub established: Cost,
    /// Connections in SYN-RECEIVED.
    pub syn_received: Option<Cost>,
    /// TIME-WAIT entries.
    pub time_wait: Option<Cost>,
    /// How fast they opened, from few to many.
    pub opening: Vec<Opening>,
    /// Cost of a segment, among few and among all.
    pub segments: Vec<SegmentCost>,
    /// What it costs to look at all sockets, as `ss` does, in parts between which packets have their turn.
    pub listing: Listing,
    /// Each bar that was missed, as a sentence; none: all is well.
    pub failures: Vec<String>,
}

/// Measures.
///
/// # Errors
/// A count that cannot be; the machine does not tell what is asked of it.
pub fn connections(config: &ConnectionsConfig) -> Result<ConnectionsReport, PerfError> {
    check_count(config.count)?;
    let mut held = Held::new(config.count, None)?;
    let mut opening = Vec::new();
    let mut segments = Vec::new();
    let before = Reading::take()?;
    let mut goal = FEW.max(config.count.min(1000));
    if config.requests > 0 {
        held.open_up_to(FEW, config.is_active)?;
        segments.push(held.exchange(config.requests)?);
    }
    let mut ends = vec![held.rounds.len()];
    loop {
        opening.push(held.open_up_to(goal, config.is_active)?);
        ends.push(held.rounds.len());
        if goal == config.count {
            break;
        }
        goal = goal.saturating_mul(10).min(config.count);
    }
    held.rest()?;
    let established = before.grown(config.count)?;
    if config.requests > 0 {
        segments.push(held.exchange(config.requests)?);
    }
    held.check(config.count)?;
    let listing = held.list();
    // Each stack stays until all are measured: what an allocator keeps of one would hide what the next one takes.
    let (half_open, waiting) = match config.all_kinds {
        true => (Some(half_open(config.count)?), Some(waiting(config.count)?)),
        false => (None, None),
    };
    let cost = |kind: &Option<(Cost, Held)>| kind.as_ref().map(|(cost, _)| *cost);
    let (syn_received, time_wait) = (cost(&half_open), cost(&waiting));
    drop(half_open);
    drop(waiting);
    if config.repeat > 0 {
        repeat(config, held, (&mut opening, &ends))?;
    }
    let mut table = Table::new();
    for opening in opening.iter_mut().filter(|_| config.beside_table) {
        opening.table_per_second = Some(table.fill_up_to(opening.connections));
    }
    let mut report =
        ConnectionsReport { established, syn_received, time_wait, opening, segments, listing, failures: Vec::new() };
    report.failures = judge(&report);
    Ok(report)
}

/// Opens as many connections again and again, and takes of each round the shortest time.
fn repeat(config: &ConnectionsConfig, held: Held, found: (&mut [Opening], &[usize])) -> Result<(), PerfError> {
    let mut least = held.rounds;
    drop((held.server, held.peers, held.accepted));
    for _ in 0..config.repeat {
        let mut held = Held::new(config.count, None)?;
        if config.requests > 0 {
            held.open_up_to(FEW, config.is_active)?;
        }
        for opening in found.0.iter() {
            held.open_up_to(opening.connections, config.is_active)?;
        }
        least.take_least(&held.rounds)?;
    }
    for (opening, ends) in found.0.iter_mut().zip(found.1.windows(2)) {
        opening.longest_repeated = Some(least.longest(ends[0]..ends[1]));
    }
    Ok(())
}

fn check_count(count: u32) -> Result<(), PerfError> {
    if (FEW..=MOST).contains(&count) {
        return Ok(());
    }
    Err(PerfError::Usage(format!("{count} connections: give a number from {FEW} to {MOST}")))
}

/// The bars.
fn judge(report: &ConnectionsReport) -> Vec<String> {
    let mut failures = Vec::new();
    let each = report.established.each();
    if report.established.count >= ENOUGH && each > BYTES_PER_CONNECTION {
        failures.push(format!("a connection costs {each} bytes; the bar is {BYTES_PER_CONNECTION}"));
    }
    failures
}

/// A hash table and nothing else: how much longer it takes to put an entry into one of a million is what fresh memory and
/// waiting for it cost anybody on this machine.
struct Table {
    entries: HashMap<u64, [u8; ENTRY]>,
    random: Random,
}

impl Table {
    fn new() -> Table {
        Table { entries: HashMap::new(), random: Random::new(1) }
    }

    /// Entries per second of processor time.
    fn fill_up_to(&mut self, goal: u32) -> f64 {
        let (first, watch) = (self.entries.len(), Stopwatch::start());
        while self.entries.len() < goal as usize {
            let number = self.random.next();
            self.entries.insert(number, [number as u8; ENTRY]);
        }
        (goal as usize - first) as f64 / watch.elapsed().as_secs_f64().max(1e-9)
    }
}

/// Memory of this process at a time.
struct Reading {
    heap: Option<u64>,
    resident: u64,
}

impl Reading {
    fn take() -> Result<Reading, PerfError> {
        Ok(Reading { heap: allocation::heap_in_use(), resident: process::resident()? })
    }

    /// What `count` of a kind have cost since.
    fn grown(&self, count: u32) -> Result<Cost, PerfError> {
        let now = Reading::take()?;
        let heap = self.heap.zip(now.heap).map(|(before, now)| now.saturating_sub(before));
        Ok(Cost { count, heap, resident: now.resident.saturating_sub(self.resident) })
    }
}

fn sysctls(count: u32) -> [(&'static str, String); 3] {
    let many = count.max(4096).to_string();
    [("somaxconn", many.clone()), ("tcp_max_syn_backlog", many.clone()), ("tcp_max_tw_buckets", many)]
}

/// A server that answers every message with as many bytes, and its peers.
struct Held {
    server: Server,
    listener: SocketId,
    peers: Peers,
    accepted: Vec<SocketId>,
    count: u32,
    now: Instant,
    request: Bytes,
    random: Random,
    rounds: Rounds,
}

impl Held {
    fn new(count: u32, memory: Option<u64>) -> Result<Held, PerfError> {
        let now = Instant::from_secs(1);
        let (mut server, link) = Server::new(&sysctls(count), memory, now)?;
        let listener = server.listen(now, i32::MAX)?;
        let mut accepted = vec![listener; count as usize];
        accepted.clear();
        let request = Bytes::from_static(&[7; MESSAGE]);
        Ok(Held {
            server,
            listener,
            peers: Peers::new(link, count),
            accepted,
            count: 0,
            now,
            request,
            random: Random::new(1),
            rounds: Rounds::for_connections(count),
        })
    }

    /// Everything that is under way arrives and is answered. Gives segments in and out, and the server's time for them.
    fn settle(&mut self) -> Result<(u64, Duration), PerfError> {
        let (mut segments, mut time) = (0, Duration::ZERO);
        loop {
            self.rounds.begin();
            let watch = Stopwatch::start();
            let came = self.server.round(self.now)?;
            self.serve()?;
            self.server.transmit(self.now);
            let round = watch.elapsed();
            self.rounds.end(round);
            time += round;
            let went = self.peers.answer(self.now)?;
            segments += (came + went) as u64;
            if came + went == 0 {
                return Ok((segments, time));
            }
        }
    }

    /// The program on the server: takes connections, sends back what it reads, closes when the peer does.
    fn serve(&mut self) -> Result<(), PerfError> {
        let mut buffer = [0; 2 * MESSAGE];
        while let Some(event) = self.server.stack.poll_event() {
            if event.socket == self.listener {
                while let Ok((socket, _)) = self.server.stack.accept(self.now, self.listener) {
                    self.accepted.push(socket);
                }
                continue;
            }
            loop {
                match self.server.stack.recv(self.now, event.socket, &mut buffer, MsgFlags::empty()) {
                    Ok(0) => {
                        self.server.stack.close(self.now, event.socket).map_err(call("close"))?;
                        break;
                    }
                    Ok(len) => {
                        let sent = self.server.stack.send(self.now, event.socket, &buffer[..len], MsgFlags::empty());
                        sent.map_err(call("send"))?;
                    }
                    Err(Errno::EAGAIN) => break,
                    Err(errno) => return Err(PerfError::Call("recv", errno)),
                }
            }
        }
        Ok(())
    }

    fn open_up_to(&mut self, goal: u32, is_active: bool) -> Result<Opening, PerfError> {
        let (first, watch) = (self.count, Stopwatch::start());
        let from = self.rounds.len();
        self.rounds.are_kept = true;
        while self.count < goal {
            let batch = BATCH.min(goal - self.count);
            for number in self.count..self.count + batch {
                self.peers.open(self.now, number);
            }
            self.settle()?;
            if is_active {
                for number in self.count..self.count + batch {
                    self.peers.write(self.now, number, &self.request);
                }
                self.settle()?;
            }
            self.count += batch;
            self.pass(Duration::from_millis(1));
        }
        let per_second = f64::from(goal - first) / watch.elapsed().as_secs_f64().max(1e-9);
        self.rounds.are_kept = false;
        let longest = self.rounds.longest(from..self.rounds.len());
        Ok(Opening { connections: goal, per_second, longest, longest_repeated: None, table_per_second: None })
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    /// Delayed acknowledgments leave, timers of the handshake run out.
    fn rest(&mut self) -> Result<(), PerfError> {
        for _ in 0..100 {
            self.pass(Duration::from_millis(100));
            self.settle()?;
        }
        Ok(())
    }

    /// Requests on connections drawn at random, each answered before it is asked again.
    fn exchange(&mut self, requests: u32) -> Result<SegmentCost, PerfError> {
        let (mut segments, mut time) = (0, Duration::ZERO);
        let mut left = requests;
        while left > 0 {
            // As many at once as there are few connections, whatever their number: the same work in both measurements.
            for _ in 0..FEW.min(left) {
                let number = self.random.below(self.count.into());
                self.peers.write(self.now, number as u32, &self.request);
            }
            left -= FEW.min(left);
            let (moved, spent) = self.settle()?;
            (segments, time) = (segments + moved, time + spent);
            self.pass(Duration::from_millis(1));
        }
        Ok(SegmentCost { connections: self.count, segments, time })
    }

    fn list(&self) -> Listing {
        let mut listing = Listing { sockets: 0, time: Duration::ZERO, longest: Duration::ZERO };
        let mut from = Some(ListPosition::default());
        while let Some(position) = from {
            let watch = Stopwatch::start();
            from = self.server.stack.sockets_part(self.now, position, PART, &mut |info| {
                listing.sockets += u64::from(info.peer.is_some());
            });
            let part = watch.elapsed();
            (listing.time, listing.longest) = (listing.time + part, listing.longest.max(part));
        }
        listing
    }

    /// The experiment was one: all connections are there and have moved what they should.
    fn check(&self, count: u32) -> Result<(), PerfError> {
        let usage = self.server.stack.usage();
        if self.accepted.len() != count as usize || usage.flows != count as usize || self.peers.resets > 0 {
            return Err(PerfError::Unexpected(format!(
                "{} of {count} connections were accepted, {} are there, {} resets came",
                self.accepted.len(),
                usage.flows,
                self.peers.resets
            )));
        }
        Ok(())
    }
}

/// Connections whose peers never acknowledge the SYN-ACK.
fn half_open(count: u32) -> Result<(Cost, Held), PerfError> {
    let mut held = Held::new(count, None)?;
    held.peers.manner = Manner::Silent;
    let before = Reading::take()?;
    held.open_up_to(count, false)?;
    let cost = before.grown(count)?;
    expect("half-open connections", held.server.stack.usage().opening, count)?;
    Ok((cost, held))
}

/// Connections that the server closed first.
fn waiting(count: u32) -> Result<(Cost, Held), PerfError> {
    let mut held = Held::new(count, None)?;
    // What a handful of live connections needs is there before.
    held.open_and_close(BATCH.min(count))?;
    held.pass(Duration::from_secs(120));
    held.settle()?;
    held.count = 0;
    let before = Reading::take()?;
    while held.count < count {
        held.open_and_close(BATCH.min(count - held.count))?;
    }
    let cost = before.grown(count)?;
    expect("TIME-WAIT entries", held.server.stack.usage().time_wait, count)?;
    Ok((cost, held))
}

impl Held {
    fn open_and_close(&mut self, batch: u32) -> Result<(), PerfError> {
        self.open_up_to(self.count + batch, false)?;
        for socket in self.accepted.drain(..) {
            self.server.stack.close(self.now, socket).map_err(call("close"))?;
        }
        self.settle()?;
        Ok(())
    }
}

fn expect(what: &str, there: usize, count: u32) -> Result<(), PerfError> {
    if there == count as usize {
        return Ok(());
    }
    Err(PerfError::Unexpected(format!("{there} {what} instead of {count}")))
}

fn call(name: &'static str) -> impl Fn(Errno) -> PerfError {
    move |errno| PerfError::Call(name, errno)
}
