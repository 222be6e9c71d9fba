//! `segue ss`: the sockets of running hosts, in the columns and with the letters of ss(8).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;

use clap::Args;
use segue::control::{Answer, Endpoint, Request, SocketLine, Summary};
use serde_json::json;

use super::{Which, ask, failed, strange, title};
use crate::fail::Fail;

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
  segue ss -tn sport = :80

Filter: state NAME | exclude NAME (established, syn-sent, syn-recv, fin-wait-1, fin-wait-2, time-wait, closed, close-wait,
last-ack, listening, closing, all, connected, synchronized, bucket, big); sport | dport [=] :PORT; src | dst [=] ADDRESS[:PORT]")]
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

    /// Numbers as numbers. Names are not looked up in any case; kept for habit.
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

    /// The socket's number in its host, and its process.
    #[arg(short, long)]
    extended: bool,

    /// How many of what.
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
        endpoint.sockets(take).map_err(|error| failed(endpoint, &error))?;
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
        print_summary(&summary);
    }
    Ok(ExitCode::SUCCESS)
}

fn print_summary(summary: &Summary) {
    let count = |state: &str| summary.tcp_states.get(state).copied().unwrap_or(0);
    let tcp = summary.tcp[0] + summary.tcp[1];
    println!("Total: {}", tcp + summary.udp.iter().sum::<usize>() + summary.icmp.iter().sum::<usize>());
    println!(
        "TCP:   {tcp} (estab {}, closed {}, orphaned {}, synrecv {}, timewait {})",
        count("ESTAB"),
        count("UNCONN"),
        summary.orphans,
        summary.opening,
        summary.time_wait,
    );
    let states: Vec<String> = summary.tcp_states.iter().map(|(state, n)| format!("{state} {n}")).collect();
    println!("       {}", states.join(", "));
    println!("       {} bytes queued, {} timers\n", summary.queued_bytes, summary.timers);
    println!("Transport Total     IP        IPv6");
    for (name, [v4, v6]) in [("TCP", summary.tcp), ("UDP", summary.udp), ("ICMP", summary.icmp)] {
        println!("{name:<10}{:<10}{v4:<10}{v6:<10}", v4 + v6);
    }
}

/// ss's names of states, with what the column shows.
const STATES: [(&str, &str); 11] = [
    ("established", "ESTAB"),
    ("syn-sent", "SYN-SENT"),
    ("syn-recv", "SYN-RECV"),
    ("fin-wait-1", "FIN-WAIT-1"),
    ("fin-wait-2", "FIN-WAIT-2"),
    ("time-wait", "TIME-WAIT"),
    ("closed", "UNCONN"),
    ("close-wait", "CLOSE-WAIT"),
    ("last-ack", "LAST-ACK"),
    ("listening", "LISTEN"),
    ("closing", "CLOSING"),
];

/// The states that a name stands for, as the column shows them.
fn states_of(name: &str) -> Option<Vec<&'static str>> {
    let but = |out: &[&str]| STATES.iter().map(|(_, shown)| *shown).filter(|shown| !out.contains(shown)).collect();
    Some(match name {
        "all" => but(&[]),
        "connected" => but(&["UNCONN", "LISTEN"]),
        "synchronized" => but(&["UNCONN", "LISTEN", "SYN-SENT"]),
        "bucket" => vec!["TIME-WAIT", "SYN-RECV"],
        "big" => but(&["TIME-WAIT", "SYN-RECV"]),
        "estab" => vec!["ESTAB"],
        "listen" => vec!["LISTEN"],
        name => vec![STATES.iter().find(|(known, _)| *known == name)?.1],
    })
}

/// An address, a port or both that a socket must have at one end.
struct EndRule {
    local: bool,
    address: Option<IpAddr>,
    port: Option<u16>,
}

struct Filter {
    netids: Vec<&'static str>,
    states: Vec<&'static str>,
    family: Option<&'static str>,
    ends: Vec<EndRule>,
}

impl Filter {
    fn read(args: &SsArgs) -> Result<Filter, Fail> {
        let mut netids = Vec::new();
        if args.tcp {
            netids.push("tcp");
        }
        if args.udp {
            netids.push("udp");
        }
        if netids.is_empty() {
            netids = vec!["tcp", "udp", "icmp"];
        }
        let mut filter = Filter { netids, states: Vec::new(), family: None, ends: Vec::new() };
        filter.family = match (args.ipv4, args.ipv6) {
            (true, false) => Some("v4"),
            (false, true) => Some("v6"),
            _ => None,
        };
        filter.read_words(&args.filter)?;
        if filter.states.is_empty() {
            filter.states = match (args.all, args.listening) {
                (true, _) => states_of("all").unwrap_or_default(),
                // A UDP socket that is not connected is what listens there.
                (_, true) => vec!["LISTEN", "UNCONN"],
                _ => {
                    let hidden = ["LISTEN", "UNCONN", "TIME-WAIT", "SYN-RECV"];
                    STATES.iter().map(|(_, shown)| *shown).filter(|shown| !hidden.contains(shown)).collect()
                }
            };
        }
        Ok(filter)
    }

    fn read_words(&mut self, words: &[String]) -> Result<(), Fail> {
        let mut excluded = Vec::new();
        let mut words = words.iter().map(String::as_str).filter(|word| !matches!(*word, "=" | "==" | "eq" | "and"));
        while let Some(word) = words.next() {
            let mut operand = || words.next().ok_or_else(|| Fail::usage(format!("{word} needs a word behind it")));
            match word {
                "state" | "exclude" => {
                    let name = operand()?;
                    let states = states_of(name).ok_or_else(|| unknown_state(name))?;
                    if word == "state" { self.states.extend(states) } else { excluded.extend(states) }
                }
                "sport" | "dport" => {
                    let text = operand()?;
                    let port = text.strip_prefix(':').unwrap_or(text).parse();
                    let port = port.map_err(|_| Fail::usage(format!("{text:?} is not a port: write {word} = :80")))?;
                    self.ends.push(EndRule { local: word == "sport", address: None, port: Some(port) });
                }
                "src" | "dst" => {
                    let text = operand()?;
                    let (address, port) = match (text.parse::<IpAddr>(), text.parse::<SocketAddr>()) {
                        (Ok(address), _) => (address, None),
                        (_, Ok(both)) => (both.ip(), Some(both.port())),
                        _ => return Err(Fail::usage(format!("{text:?} is neither ADDRESS nor ADDRESS:PORT"))),
                    };
                    self.ends.push(EndRule { local: word == "src", address: Some(address), port });
                }
                other => {
                    let message = format!("a filter has no word {other:?}: segue ss --help names them");
                    return Err(Fail::usage(message));
                }
            }
        }
        if !excluded.is_empty() {
            if self.states.is_empty() {
                self.states = states_of("all").unwrap_or_default();
            }
            self.states.retain(|state| !excluded.contains(state));
        }
        Ok(())
    }

    fn takes(&self, line: &SocketLine) -> bool {
        let ends = self.ends.iter().all(|rule| {
            let end = if rule.local { Some(line.local) } else { line.peer };
            end.is_some_and(|end| {
                rule.address.is_none_or(|address| address == end.ip())
                    && rule.port.is_none_or(|port| port == end.port())
            })
        });
        self.netids.contains(&line.netid.as_str())
            && self.states.contains(&line.state.as_str())
            && self.family.is_none_or(|family| family == line.family)
            && ends
            // What was made and neither bound nor connected is nobody's business but its program's.
            && (line.netid != "tcp" || line.state != "UNCONN" || line.local.port() != 0)
    }
}

fn unknown_state(name: &str) -> Fail {
    let names: Vec<&str> = STATES.iter().map(|(known, _)| *known).collect();
    Fail::usage(format!("there is no state {name:?}; there are {}", names.join(", ")))
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
            let number = line.socket.map_or_else(|| "-".to_owned(), |socket| socket.to_string());
            let _ = write!(text, " pid:{} sk:{number}", endpoint.pid);
        }
        let break_line = if self.args.oneline { " " } else { "\n\t" };
        if let (true, Some([r, rb, w, tb])) = (self.args.memory, line.memory) {
            let _ = write!(text, "{break_line} skmem:(r{r},rb{rb},t0,tb{tb},f0,w{w},o0,bl0,d0)");
        }
        if let (true, Some(info)) = (self.args.info, &line.info) {
            text.push_str(break_line);
            text.push_str(&measures(line, info));
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

/// The second line of `ss -i`.
fn measures(line: &SocketLine, info: &BTreeMap<String, u64>) -> String {
    let get = |name: &str| info.get(name).copied().unwrap_or(0);
    let mut words = Vec::new();
    let options = get("options");
    for (bit, word) in [(1, "ts"), (2, "sack"), (8, "ecn"), (16, "ecnseen"), (32, "fastopen")] {
        if options & bit != 0 {
            words.push(word.to_owned());
        }
    }
    words.extend(line.congestion.clone());
    if options & 4 != 0 {
        words.push(format!("wscale:{},{}", get("snd_wscale"), get("rcv_wscale")));
    }
    let ms = |us: u64| trimmed(us as f64 / 1000.0);
    words.push(format!("rto:{}", ms(get("rto"))));
    if get("backoff") > 0 {
        words.push(format!("backoff:{}", get("backoff")));
    }
    if get("rtt") > 0 {
        words.push(format!("rtt:{}/{}", ms(get("rtt")), ms(get("rttvar"))));
    }
    if get("ato") > 0 {
        words.push(format!("ato:{}", ms(get("ato"))));
    }
    let plain = |words: &mut Vec<String>, pairs: &[(&str, &str)]| {
        for (label, name) in pairs.iter().filter(|(_, name)| get(name) > 0) {
            words.push(format!("{label}:{}", get(name)));
        }
    };
    plain(
        &mut words,
        &[("mss", "snd_mss"), ("pmtu", "pmtu"), ("rcvmss", "rcv_mss"), ("advmss", "advmss"), ("cwnd", "snd_cwnd")],
    );
    if get("snd_ssthresh") < 0x7fff_ffff {
        words.push(format!("ssthresh:{}", get("snd_ssthresh")));
    }
    let counts = [
        "bytes_sent",
        "bytes_retrans",
        "bytes_acked",
        "bytes_received",
        "segs_out",
        "segs_in",
        "data_segs_out",
        "data_segs_in",
    ];
    plain(&mut words, &counts.map(|name| (name, name)));
    if get("rtt") > 0 {
        let rate = get("snd_cwnd") as f64 * get("snd_mss") as f64 * 8e6 / get("rtt") as f64;
        words.push(format!("send {}bps", trimmed(rate)));
    }
    plain(&mut words, &[("lastsnd", "last_data_sent"), ("lastrcv", "last_data_recv"), ("lastack", "last_ack_recv")]);
    for name in ["pacing_rate", "delivery_rate"] {
        if get(name) > 0 && get(name) != u64::MAX {
            words.push(format!("{name} {}bps", get(name) * 8));
        }
    }
    plain(&mut words, &[("delivered", "delivered"), ("delivered_ce", "delivered_ce")]);
    if get("delivery_rate_app_limited") > 0 {
        words.push("app_limited".to_owned());
    }
    for name in ["busy_time", "rwnd_limited", "sndbuf_limited"] {
        if get(name) > 0 {
            words.push(format!("{}:{}ms", name.trim_end_matches("_time"), get(name) / 1000));
        }
    }
    plain(&mut words, &[("unacked", "unacked")]);
    if get("retrans") + get("total_retrans") > 0 {
        words.push(format!("retrans:{}/{}", get("retrans"), get("total_retrans")));
    }
    plain(&mut words, &[("lost", "lost"), ("sacked", "sacked"), ("dsack_dups", "dsack_dups")]);
    if get("reordering") != 3 {
        plain(&mut words, &[("reordering", "reordering")]);
    }
    plain(&mut words, &[("reord_seen", "reord_seen")]);
    if get("rcv_rtt") > 0 {
        words.push(format!("rcv_rtt:{}", ms(get("rcv_rtt"))));
    }
    plain(&mut words, &[("rcv_space", "rcv_space"), ("rcv_ssthresh", "rcv_ssthresh"), ("notsent", "notsent_bytes")]);
    if get("min_rtt") > 0 && get("min_rtt") != u64::from(u32::MAX) {
        words.push(format!("minrtt:{}", ms(get("min_rtt"))));
    }
    plain(&mut words, &[("rcv_ooopack", "rcv_ooopack"), ("snd_wnd", "snd_wnd"), ("rcv_wnd", "rcv_wnd")]);
    format!(" {}", words.join(" "))
}

/// At most three decimals, and no zeros at the end.
fn trimmed(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_numbers_are_written_as_ss_writes_them() {
        for (ms, text) in
            [(7, "7ms"), (45_000, "45sec"), (1_204, "1.204ms"), (7_140_000, "119min"), (119_000, "1min59sec")]
        {
            assert_eq!(span(ms), text);
        }
        assert_eq!([trimmed(204.0), trimmed(0.05), trimmed(1.2345)], ["204", "0.05", "1.234"]);
    }

    #[test]
    fn every_state_of_a_group_is_a_state() {
        for group in ["all", "connected", "synchronized", "bucket", "big", "established", "listening"] {
            let states = states_of(group).expect("known");
            assert!(!states.is_empty() && states.iter().all(|state| STATES.iter().any(|(_, shown)| shown == state)));
        }
        assert_eq!(states_of("estabished"), None);
    }
}
