//! What a run's network did, in a few lines on standard error.

use std::path::Path;
use std::time::Duration;

use segue_link::DirectionStats;
use segue_run::{Loss, Place, Refusal, Summary};

/// Prints the summary; nothing when the program did not use the network.
pub(crate) fn print(summary: &Summary, elapsed: Duration, seed: u64, pcap: Option<&Path>) {
    for line in lines(summary, elapsed, seed, pcap) {
        eprintln!("segue: {line}");
    }
}

fn lines(summary: &Summary, elapsed: Duration, seed: u64, pcap: Option<&Path>) -> Vec<String> {
    if summary.connections == 0 && summary.datagrams_out == 0 && summary.datagrams_in == 0 {
        return Vec::new();
    }
    let seconds = elapsed.as_secs_f64().max(1e-9);
    let rate = (summary.bytes_out + summary.bytes_in) as f64 * 8.0 / seconds / 1e6;
    let mut lines = vec![format!(
        "{} in {seconds:.3} s: {} bytes out, {} in ({rate:.3} Mbit/s), {} sent again; datagrams: {} out, {} in",
        counted(summary.connections, "connection"),
        summary.bytes_out,
        summary.bytes_in,
        counted(summary.retransmits, "segment"),
        summary.datagrams_out,
        summary.datagrams_in,
    )];
    if let Some(path) = &summary.path {
        lines.push(format!("path up: {}; down: {}", direction(&path.a_to_b), direction(&path.b_to_a)));
    }
    // Without datagrams of its own, what the machine counts is not the program's.
    if summary.datagrams_out > 0 || summary.datagrams_in > 0 {
        lines.extend(summary.losses.iter().map(lost));
    }
    lines.extend(refused(&summary.refused));
    let capture = pcap.map(|file| format!("; packets in {}", file.display())).unwrap_or_default();
    lines.push(format!("seed {seed}{capture}"));
    lines
}

/// Datagrams that a full socket has cost.
fn lost(loss: &Loss) -> String {
    let (count, name) = (counted(loss.count, "datagram"), loss.name);
    let place = match loss.place {
        Place::Program => "sockets of the program were full",
        Place::Gateway => "the gateway's socket was full",
        Place::Machine => {
            "sockets of this machine were full: their readers had no processor in time, or read too slowly"
        }
    };
    format!("{count} lost because {place} ({name})")
}

/// What found no memory.
pub(crate) fn refused(refusals: &[Refusal]) -> Vec<String> {
    let line = |refusal: &Refusal| {
        format!("out of memory: {} {} ({})", refusal.name, refusal.count, refusal.words.trim_end_matches('.'))
    };
    refusals.iter().map(line).collect()
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Packets of one direction, and what befell them, leaving out what did not happen.
pub(crate) fn direction(stats: &DirectionStats) -> String {
    let fates = [
        (stats.lost, "lost"),
        (stats.duplicated, "duplicated"),
        (stats.reordered, "reordered"),
        (stats.corrupted, "corrupted"),
        (stats.marked, "marked CE"),
        (stats.queue_dropped, "dropped by the queue"),
        (stats.codel_dropped, "dropped by CoDel"),
        (stats.too_big, "too big"),
        (stats.overflow, "beyond the path's memory"),
    ];
    let mut words = counted(stats.packets_in, "packet");
    for (count, fate) in fates {
        if count > 0 {
            words.push_str(&format!(", {count} {fate}"));
        }
    }
    words
}

/// One direction's counters under the names they have in the library.
pub(crate) fn direction_as_json(stats: &DirectionStats) -> serde_json::Value {
    serde_json::json!({
        "packets_in": stats.packets_in,
        "bytes_in": stats.bytes_in,
        "packets_out": stats.packets_out,
        "bytes_out": stats.bytes_out,
        "lost": stats.lost,
        "duplicated": stats.duplicated,
        "reordered": stats.reordered,
        "corrupted": stats.corrupted,
        "marked": stats.marked,
        "queue_dropped": stats.queue_dropped,
        "codel_dropped": stats.codel_dropped,
        "too_big": stats.too_big,
        "fragmented": stats.fragmented,
        "overflow": stats.overflow,
        "inside": stats.inside,
        "queue_bytes": stats.queue_bytes,
    })
}

#[cfg(test)]
mod tests {
    use segue_link::PathStats;

    use super::*;

    fn summary() -> Summary {
        Summary {
            losses: Vec::new(),
            refused: Vec::new(),
            connections: 1,
            bytes_out: 100,
            bytes_in: 1_249_900,
            retransmits: 2,
            datagrams_out: 2,
            datagrams_in: 2,
            path: Some(PathStats {
                a_to_b: DirectionStats { packets_in: 10, lost: 1, ..DirectionStats::default() },
                b_to_a: DirectionStats { packets_in: 1, ..DirectionStats::default() },
            }),
            calls: 9,
        }
    }

    #[test]
    fn a_summary_says_what_happened_and_leaves_out_what_did_not() {
        let lines = lines(&summary(), Duration::from_secs(1), 7, Some(Path::new("run.pcapng")));
        assert_eq!(
            lines,
            [
                "1 connection in 1.000 s: 100 bytes out, 1249900 in (10.000 Mbit/s), 2 segments sent again; \
                 datagrams: 2 out, 2 in",
                "path up: 10 packets, 1 lost; down: 1 packet",
                "seed 7; packets in run.pcapng",
            ]
        );
    }

    #[test]
    fn datagrams_that_full_sockets_have_cost_are_told_to_who_sent_any() {
        let loss = |place, count| Loss { place, name: "UdpRcvbufErrors", count };
        let with = Summary { losses: vec![loss(Place::Program, 1), loss(Place::Machine, 12)], ..summary() };
        let told = |summary: &Summary| {
            let lines = lines(summary, Duration::from_secs(1), 7, None);
            lines.into_iter().filter(|line| line.contains("lost because")).collect::<Vec<_>>()
        };
        assert_eq!(
            told(&with),
            [
                "1 datagram lost because sockets of the program were full (UdpRcvbufErrors)",
                "12 datagrams lost because sockets of this machine were full: their readers had no processor in time, \
                 or read too slowly (UdpRcvbufErrors)",
            ]
        );
        assert!(told(&Summary { datagrams_out: 0, datagrams_in: 0, ..with }).is_empty());
    }

    #[test]
    fn a_program_without_network_leaves_no_words() {
        assert!(lines(&Summary::default(), Duration::from_secs(1), 7, None).is_empty());
    }
}
