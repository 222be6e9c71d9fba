//! The second line of `segue ss -i`: what a connection measures, in ss(8)'s words, units and order.

use std::collections::BTreeMap;

use segue::control::SocketLine;

/// Linux's `TCP_INFINITE_SSTHRESH`.
const NO_THRESHOLD: u64 = 0x7fff_ffff;

/// The whole line.
pub(super) fn measures(line: &SocketLine, info: &BTreeMap<String, u64>, in_full: bool) -> String {
    let mut words = Words { info, words: Vec::new(), in_full };
    words.handshake(line);
    words.windows();
    words.counts();
    words.bbr();
    words.rates();
    words.recovery();
    words.receiver();
    format!(" {}", words.words.join(" "))
}

struct Words<'a> {
    info: &'a BTreeMap<String, u64>,
    words: Vec<String>,
    in_full: bool,
}

impl Words<'_> {
    fn get(&self, name: &str) -> u64 {
        self.info.get(name).copied().unwrap_or(0)
    }

    fn say(&mut self, word: impl Into<String>) {
        self.words.push(word.into());
    }

    /// `label:value` for each that is not zero.
    fn plain(&mut self, pairs: &[(&str, &str)]) {
        for (label, name) in pairs {
            let value = self.get(name);
            if value > 0 {
                self.say(format!("{label}:{value}"));
            }
        }
    }

    /// A rate in bytes per second.
    fn rate(&self, bytes: f64) -> String {
        let bits = bytes * 8.0;
        if self.in_full { format!("{bits:.0}bps") } else { format!("{}bps", shortened(bits)) }
    }

    fn handshake(&mut self, line: &SocketLine) {
        let options = self.get("options");
        for (bit, word) in [(1, "ts"), (2, "sack"), (8, "ecn"), (16, "ecnseen"), (32, "fastopen")] {
            if options & bit != 0 {
                self.say(word);
            }
        }
        self.words.extend(line.congestion.clone());
        if options & 4 != 0 {
            self.say(format!("wscale:{},{}", self.get("snd_wscale"), self.get("rcv_wscale")));
        }
    }

    fn windows(&mut self) {
        if self.get("rto") > 0 {
            self.say(format!("rto:{}", millis(self.get("rto"))));
        }
        self.plain(&[("backoff", "backoff")]);
        if self.get("rtt") > 0 {
            self.say(format!("rtt:{}/{}", millis(self.get("rtt")), millis(self.get("rttvar"))));
        }
        if self.get("ato") > 0 {
            self.say(format!("ato:{}", millis(self.get("ato"))));
        }
        self.plain(&[("mss", "snd_mss"), ("pmtu", "pmtu"), ("rcvmss", "rcv_mss"), ("advmss", "advmss")]);
        self.plain(&[("cwnd", "snd_cwnd")]);
        if self.get("snd_ssthresh") < NO_THRESHOLD {
            self.plain(&[("ssthresh", "snd_ssthresh")]);
        }
    }

    fn counts(&mut self) {
        let names = ["bytes_sent", "bytes_retrans", "bytes_acked", "bytes_received", "segs_out", "segs_in"];
        self.plain(&names.map(|name| (name, name)));
        self.plain(&["data_segs_out", "data_segs_in"].map(|name| (name, name)));
    }

    /// What BBR knows of the path, under bbr alone.
    fn bbr(&mut self) {
        if !self.info.contains_key("bbr_bw") {
            return;
        }
        let mut known = format!("bw:{},mrtt:{}", self.rate(self.get("bbr_bw") as f64), millis(self.get("bbr_min_rtt")));
        for gain in ["pacing_gain", "cwnd_gain"] {
            let times_256 = self.get(&format!("bbr_{gain}"));
            if times_256 > 0 {
                known.push_str(&format!(",{gain}:{}", six_digits(times_256 as f64 / 256.0)));
            }
        }
        self.say(format!("bbr:({known})"));
    }

    fn rates(&mut self) {
        if self.get("rtt") > 0 {
            let in_a_round_trip = self.get("snd_cwnd") as f64 * self.get("snd_mss") as f64;
            let rate = self.rate(in_a_round_trip * 1e6 / self.get("rtt") as f64);
            self.say(format!("send {rate}"));
        }
        self.plain(&[("lastsnd", "last_data_sent"), ("lastrcv", "last_data_recv"), ("lastack", "last_ack_recv")]);
        let (pacing, most) = (self.get("pacing_rate"), self.get("max_pacing_rate"));
        if pacing > 0 && pacing != u64::MAX {
            let limit =
                if most > 0 && most != u64::MAX { format!("/{}", self.rate(most as f64)) } else { String::new() };
            self.say(format!("pacing_rate {}{limit}", self.rate(pacing as f64)));
        }
        if self.get("delivery_rate") > 0 {
            self.say(format!("delivery_rate {}", self.rate(self.get("delivery_rate") as f64)));
        }
        self.plain(&[("delivered", "delivered"), ("delivered_ce", "delivered_ce")]);
        if self.get("delivery_rate_app_limited") > 0 {
            self.say("app_limited");
        }
        let busy = self.get("busy_time");
        if busy > 0 {
            self.say(format!("busy:{}ms", busy / 1000));
            for name in ["rwnd_limited", "sndbuf_limited"] {
                let time = self.get(name);
                if time > 0 {
                    let share = 100.0 * time as f64 / busy as f64;
                    self.say(format!("{name}:{}ms({share:.1}%)", time / 1000));
                }
            }
        }
    }

    fn recovery(&mut self) {
        self.plain(&[("unacked", "unacked")]);
        if self.get("retrans") + self.get("total_retrans") > 0 {
            self.say(format!("retrans:{}/{}", self.get("retrans"), self.get("total_retrans")));
        }
        self.plain(&[("lost", "lost"), ("sacked", "sacked"), ("dsack_dups", "dsack_dups")]);
        if self.get("reordering") != 3 {
            self.plain(&[("reordering", "reordering")]);
        }
        self.plain(&[("reord_seen", "reord_seen")]);
    }

    fn receiver(&mut self) {
        if self.get("rcv_rtt") > 0 {
            self.say(format!("rcv_rtt:{}", millis(self.get("rcv_rtt"))));
        }
        self.plain(&[("rcv_space", "rcv_space"), ("rcv_ssthresh", "rcv_ssthresh"), ("notsent", "notsent_bytes")]);
        if self.get("min_rtt") > 0 && self.get("min_rtt") != u64::from(u32::MAX) {
            self.say(format!("minrtt:{}", millis(self.get("min_rtt"))));
        }
        self.plain(&[("rcv_ooopack", "rcv_ooopack"), ("snd_wnd", "snd_wnd"), ("rcv_wnd", "rcv_wnd")]);
        self.plain(&[("rehash", "rehash")]);
    }
}

/// Microseconds as milliseconds.
fn millis(micros: u64) -> String {
    trimmed(micros as f64 / 1000.0)
}

/// Six digits in all for a small number, and no zeros at the end: C's `%g`.
fn six_digits(number: f64) -> String {
    let decimals = if number < 1.0 { 6 } else { 5 };
    let text = format!("{number:.decimals$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// At most three decimals, and no zeros at the end.
fn trimmed(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Three digits and a letter: 9.04G, 131M.
fn shortened(number: f64) -> String {
    let letters = ["", "k", "M", "G", "T", "P"];
    let mut scaled = number;
    let mut at = 0;
    // What would be written with four digits gets the next letter.
    while scaled >= 999.5 && at + 1 < letters.len() {
        scaled /= 1000.0;
        at += 1;
    }
    let decimals = match scaled {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    let text = format!("{scaled:.decimals$}");
    let text = if decimals > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{}", letters[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_ss_writes_them() {
        assert_eq!([trimmed(204.0), trimmed(0.05), trimmed(1.2345)], ["204", "0.05", "1.234"]);
        for (bits, text) in [
            (131_072_000_000.0, "131G"),
            (9_039_448_272.0, "9.04G"),
            (356_746_950_160.0, "357G"),
            (46_720_000.0, "46.7M"),
            (999_600.0, "1M"),
            (1_200_000.0, "1.2M"),
            (64_000.0, "64k"),
            (800.0, "800"),
        ] {
            assert_eq!(shortened(bits), text);
        }
    }

    /// What ss 6.1 showed of a connection of this machine's kernel, from the values it was made of.
    #[test]
    fn a_connection_is_described_as_ss_describes_it() {
        let values = [
            ("options", 7),
            ("snd_wscale", 10),
            ("rcv_wscale", 10),
            ("rto", 204_000),
            ("rtt", 22),
            ("rttvar", 10),
            ("ato", 40_000),
            ("snd_mss", 32_768),
            ("pmtu", 65_535),
            ("rcv_mss", 34_518),
            ("advmss", 65_483),
            ("snd_cwnd", 11),
            ("snd_ssthresh", NO_THRESHOLD),
            ("bytes_sent", 2),
            ("bytes_acked", 2),
            ("bytes_received", 100_000),
            ("segs_out", 3),
            ("segs_in", 6),
            ("data_segs_out", 1),
            ("data_segs_in", 3),
            ("last_data_sent", 472),
            ("last_data_recv", 572),
            ("last_ack_recv", 472),
            ("pacing_rate", 44_593_368_770),
            ("delivery_rate", 1_129_931_034),
            ("delivered", 2),
            ("delivery_rate_app_limited", 1),
            ("reordering", 3),
            ("rcv_rtt", 32),
            ("rcv_space", 65_483),
            ("rcv_ssthresh", 94_833),
            ("min_rtt", 21),
            ("snd_wnd", 65_536),
            ("max_pacing_rate", u64::MAX),
            ("bbr_bw", 1_129_931_034),
            ("bbr_min_rtt", 21),
            ("bbr_pacing_gain", 739),
            ("bbr_cwnd_gain", 512),
        ];
        let info: BTreeMap<String, u64> = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let line: SocketLine = serde_json::from_value(serde_json::json!({
            "netid": "tcp", "family": "v4", "state": "ESTAB", "recv_q": 0, "send_q": 0, "local": "127.0.0.1:5555",
            "peer": "127.0.0.1:55852", "socket": 1, "congestion": "bbr",
        }))
        .expect("a line");
        assert_eq!(
            measures(&line, &info, false),
            " ts sack bbr wscale:10,10 rto:204 rtt:0.022/0.01 ato:40 mss:32768 pmtu:65535 rcvmss:34518 advmss:65483 cwnd:11 \
             bytes_sent:2 bytes_acked:2 bytes_received:100000 segs_out:3 segs_in:6 data_segs_out:1 data_segs_in:3 \
             bbr:(bw:9.04Gbps,mrtt:0.021,pacing_gain:2.88672,cwnd_gain:2) send 131Gbps lastsnd:472 lastrcv:572 lastack:472 pacing_rate 357Gbps delivery_rate 9.04Gbps delivered:2 \
             app_limited rcv_rtt:0.032 rcv_space:65483 rcv_ssthresh:94833 minrtt:0.021 snd_wnd:65536"
        );
        assert!(measures(&line, &info, true).contains("pacing_rate 356746950160bps"));
    }
}
