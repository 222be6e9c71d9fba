//! `segue ss`: the sockets of running hosts, in the columns and with the letters of ss(8).

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use segue::control::{Answer, Endpoint, Request, SocketLine, Summary};
use serde_json::json;

use super::{Which, ask, failed, strange, title};
use crate::fail::Fail;

mod filter;
mod measures;

use filter::Filter;
use measures::measures;

/// Show the sockets of running hosts, as ss shows the kernel's.
///
/// Without -a or -l: those that are connected. For a listener, Recv-Q counts the connections that wait to be accepted and
/// Send-Q is the longest that queue may be.
#[derive(Args)]
#[command(after_help = "\
Examples:
  segue ss -tan                                # every TCP socket, numbers as numbers
  segue ss -ti state established               # what each connection measures
  segue ss -tlno
  segue ss -s                                  # how many of what
  segue ss -tn '( sport = :80 or sport = :443 ) and dst 10.0.0.0/8'

Filter: state NAME | exclude NAME (established, syn-sent, syn-recv, fin-wait-1, fin-wait-2, time-wait, closed, close-wait,
last-ack, listening, closing, all, connected, synchronized, bucket, big); sport | dport [= != >= <= > <] :PORT;
src | dst [= !=] ADDRESS[/LENGTH][:PORT]; joined by and, or, not, ( )")]
pub(crate) struct SsArgs {
    #[command(flatten)]
    which: Which,

    /// TCP sockets.
    #[arg(short, long)]
    tcp: bool,

    /// UDP sockets.
    #[arg(short, long)]
    udp: bool,

    /// Listening sockets only.
    #[arg(short, long)]
    listening: bool,

    /// Listening sockets, too.
    #[arg(short, long)]
    all: bool,

    /// Rates in full: bits per second, not Mbps. Names are not looked up in any case.
    #[arg(short, long)]
    numeric: bool,

    /// Timers.
    #[arg(short, long)]
    options: bool,

    /// What the connection measures: congestion control, RTT, windows, retransmissions, rates.
    #[arg(short, long)]
    info: bool,

    /// Memory.
    #[arg(short, long)]
    memory: bool,

    /// The user, the socket's number in its host, and its process.
    #[arg(short, long)]
    extended: bool,

    /// How many of what, as ss -s; with -e also states, memory and timers.
    #[arg(short, long)]
    summary: bool,

    /// IPv4 sockets only.
    #[arg(short = '4', long)]
    ipv4: bool,

    /// IPv6 sockets only.
    #[arg(short = '6', long)]
    ipv6: bool,

    /// No title line.
    #[arg(short = 'H', long)]
    no_header: bool,

    /// One line per socket, whatever is shown.
    #[arg(short = 'O', long)]
    oneline: bool,

    /// One line of JSON per socket.
    #[arg(long)]
    json: bool,

    /// Which sockets: see below.
    #[arg(value_name = "FILTER")]
    filter: Vec<String>,
}

pub(crate) fn ss(args: &SsArgs) -> Result<ExitCode, Fail> {
    let filter = Filter::read(args)?;
    let endpoints = args.which.find()?;
    if args.summary {
        return summaries(args, &endpoints);
    }
    let mut table = Table::new(args, endpoints.len() > 1);
    for endpoint in &endpoints {
        let take = |line: SocketLine| {
            if filter.takes(&line) {
                table.take(endpoint, line);
            }
        };
        let brief = !(args.info || args.memory || args.json);
        endpoint.sockets(brief, take).map_err(|error| failed(endpoint, &error))?;
    }
    table.flush();
    Ok(ExitCode::SUCCESS)
}

fn summaries(args: &SsArgs, endpoints: &[Endpoint]) -> Result<ExitCode, Fail> {
    for endpoint in endpoints {
        let Answer::Summary(summary) = ask(endpoint, &Request::Summary)? else { return Err(strange(endpoint)) };
        if args.json {
            println!("{}", json!({ "pid": endpoint.pid, "host": endpoint.name, "summary": summary }));
            continue;
        }
        if endpoints.len() > 1 {
            println!("# {}", title(endpoint));
        }
        print_summary(&summary, args.extended);
    }
    Ok(ExitCode::SUCCESS)
}

/// In the layout of ss, which counts as `/proc/net/sockstat` does: entries of TIME-WAIT are among the closed.
fn print_summary(summary: &Summary, with_more: bool) {
    let count = |state: &str| summary.tcp_states.get(state).copied().unwrap_or(0);
    // Half-open connections and TIME-WAIT are listed, but are no sockets.
    let entries = summary.opening + summary.time_wait;
    let listed: usize = summary.tcp.iter().sum();
    let allocated = listed.saturating_sub(entries);
    let [v4, v6] = summary.tcp_in_use;
    let udp: usize = summary.udp.iter().sum();
    println!("Total: {}", allocated + udp + summary.icmp.iter().sum::<usize>());
    println!(
        "TCP:   {} (estab {}, closed {}, orphaned {}, timewait {})\n",
        allocated + summary.time_wait,
        count("ESTAB"),
        (allocated + summary.time_wait).saturating_sub(v4 + v6),
        summary.orphans,
        summary.time_wait,
    );
    if with_more {
        let states: Vec<String> = summary.tcp_states.iter().map(|(state, n)| format!("{state} {n}")).collect();
        let short = if summary.is_pressed { ", short" } else { "" };
        println!("States: {}", states.join(", "));
        println!(
            "Memory: {} bytes queued, mem {}{short}; {} timers, {} half-open\n",
            summary.queued_bytes, summary.tcp_pages, summary.timers, summary.opening
        );
    }
    println!("Transport Total     IP        IPv6");
    let inet = [summary.udp[0] + v4, summary.udp[1] + v6];
    let fragments = [summary.fragmented, 0];
    for (name, [v4, v6]) in
        [("RAW", [0, 0]), ("UDP", summary.udp), ("TCP", [v4, v6]), ("INET", inet), ("FRAG", fragments)]
    {
        println!("{name}\t  {:<9} {v4:<9} {v6:<9}", v4 + v6);
    }
    println!("");
}

/// Lines are held back until the columns' widths are known from the first of them.
struct Table<'a> {
    args: &'a SsArgs,
    several: bool,
    widths: [usize; 6],
    held: Option<Vec<(&'a Endpoint, SocketLine)>>,
}

/// Lines that decide the widths.
const SAMPLE: usize = 1000;

impl<'a> Table<'a> {
    fn new(args: &'a SsArgs, several: bool) -> Table<'a> {
        Table { args, several, widths: [5, 6, 6, 6, 18, 17], held: Some(Vec::new()) }
    }

    fn take(&mut self, endpoint: &'a Endpoint, line: SocketLine) {
        match &mut self.held {
            Some(held) if held.len() < SAMPLE && !self.args.json => held.push((endpoint, line)),
            _ => {
                self.flush();
                self.print(endpoint, &line);
            }
        }
    }

    fn flush(&mut self) {
        let Some(held) = self.held.take() else { return };
        for (_, line) in &held {
            for (width, cell) in self.widths.iter_mut().zip(cells(line)) {
                *width = (*width).max(cell.len());
            }
        }
        if !self.args.json && !self.args.no_header {
            println!("{}", self.title());
        }
        for (endpoint, line) in &held {
            self.print(endpoint, line);
        }
    }

    fn title(&self) -> String {
        let names = ["Netid", "State", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port"];
        let mut line = self.row(names.map(str::to_owned));
        if self.several {
            line.push_str(" Host");
        }
        line
    }

    fn row(&self, cells: [String; 6]) -> String {
        let [netid, state, recv, send, local, peer] = &self.widths;
        let [a, b, c, d, e, f] = cells;
        format!("{a:<netid$} {b:<state$} {c:<recv$} {d:<send$} {e:>local$} {f:>peer$}")
    }

    fn print(&self, endpoint: &Endpoint, line: &SocketLine) {
        if self.args.json {
            let mut value = json!(line);
            if let Some(object) = value.as_object_mut() {
                object.insert("pid".to_owned(), endpoint.pid.into());
                object.insert("host".to_owned(), endpoint.name.clone().into());
            }
            println!("{value}");
            return;
        }
        let mut text = self.row(cells(line));
        if self.several {
            let _ = write!(text, " {}/{}", endpoint.pid, endpoint.name);
        }
        self.print_more(endpoint, line, &mut text);
        println!("{}", text.trim_end());
    }

    fn print_more(&self, endpoint: &Endpoint, line: &SocketLine, text: &mut String) {
        if let (true, Some(timer)) = (self.args.options, &line.timer) {
            let _ = write!(text, " timer:({},{},{})", timer.name, span(timer.expires_ms), timer.retransmits);
        }
        if self.args.extended {
            // As ss: root is not told.
            if line.uid != 0 {
                let _ = write!(text, " uid:{}", line.uid);
            }
            // What no program holds has no number, as on Linux.
            let number = line.socket.unwrap_or(0);
            let _ = write!(text, " ino:{number} sk:{number:x} pid:{}", endpoint.pid);
        }
        let break_line = if self.args.oneline { " " } else { "\n\t" };
        if let (true, Some([r, rb, t, tb, f, w, o, bl, d])) = (self.args.memory, line.memory) {
            let _ = write!(text, "{break_line} skmem:(r{r},rb{rb},t{t},tb{tb},f{f},w{w},o{o},bl{bl},d{d})");
        }
        if let (true, Some(info)) = (self.args.info, &line.info) {
            text.push_str(break_line);
            text.push_str(&measures(line, info, self.args.numeric));
        }
        if self.args.info && !line.signing.is_empty() {
            let _ = write!(text, "{break_line} {}", line.signing.join(" "));
        }
    }
}

fn cells(line: &SocketLine) -> [String; 6] {
    let peer = line.peer.map_or_else(|| unconnected(line), |peer| peer.to_string());
    let (recv, send) = (line.recv_q.to_string(), line.send_q.to_string());
    [line.netid.clone(), line.state.clone(), recv, send, local_name(line), peer]
}

fn unconnected(line: &SocketLine) -> String {
    if line.local.is_ipv4() { "0.0.0.0:*" } else { "[::]:*" }.to_owned()
}

/// A v6 socket that takes both families has no address of either.
fn local_name(line: &SocketLine) -> String {
    let both = line.family == "v6" && line.local.ip().is_unspecified() && line.local.is_ipv4();
    if both { format!("*:{}", line.local.port()) } else { line.local.to_string() }
}

/// A time as ss writes one: 1.2ms … 45sec, 119min.
fn span(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms}ms"),
        1000..60_000 => match (ms / 1000, ms % 1000) {
            (s, 0) => format!("{s}sec"),
            (s, rest) => format!("{s}.{rest:03}ms"),
        },
        _ => match (ms / 60_000, ms / 1000 % 60) {
            (min, 0) => format!("{min}min"),
            (min, s) => format!("{min}min{s}sec"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_as_ss_writes_them() {
        for (ms, text) in
            [(7, "7ms"), (45_000, "45sec"), (1_204, "1.204ms"), (7_140_000, "119min"), (119_000, "1min59sec")]
        {
            assert_eq!(span(ms), text);
        }
    }
}
