//! Back-quoted commands: shell text read as the configuration of the stack under test.
//!
//! Decides which commands are known and what they mean; nothing of it ever reaches a shell or a file of this machine.
//! An unknown command is an error that names it.

use crate::host::RouteChange;

/// What a command does to the stack under test.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Effect {
    /// Set a sysctl by its dotted name.
    Sysctl { name: String, value: String },
    /// Set a sysctl where the stack has it; where not, say so in the report.
    Preferred { name: String, value: String },
    /// Bring back the sysctls of before the script.
    Restore,
    /// Parameters of the route to the peer.
    Route(RouteChange),
    /// Forget what was learned of peers.
    ForgetPeers,
    /// Whether super-segments are captured whole.
    Offload(bool),
    /// Let time pass, in microseconds.
    Sleep(u64),
    /// Text for the report.
    Say(String),
}

/// The settings that public suites begin with: 540000 bytes of receive buffer (window scale 8), no ECN, cubic.
const DEFAULTS: &[(&str, &str)] = &[
    ("net.ipv4.tcp_rmem", "4096 540000 15728640"),
    ("net.ipv4.tcp_wmem", "4096 262144 4194304"),
    ("net.ipv4.tcp_ecn", "0"),
    ("net.ipv4.tcp_congestion_control", "cubic"),
    ("net.ipv4.tcp_timestamps", "1"),
    ("net.ipv4.tcp_sack", "1"),
    ("net.ipv4.tcp_recovery", "1"),
    ("net.ipv4.tcp_early_retrans", "3"),
    ("net.ipv4.tcp_fastopen", "0x70403"),
    ("net.ipv4.tcp_fastopen_key", "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4"),
    ("net.ipv4.tcp_no_metrics_save", "1"),
    ("net.ipv4.tcp_notsent_lowat", "4294967295"),
];

/// What the text of a command does, in order.
pub(crate) fn effects(text: &str) -> Result<Vec<Effect>, String> {
    let mut effects = Vec::new();
    for words in split(text)? {
        simple(&words, &mut effects)?;
    }
    Ok(effects)
}

/// Commands (between `;`, `&&`, newlines) as words; quotes removed.
fn split(text: &str) -> Result<Vec<Vec<String>>, String> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' => {
                let word = word.get_or_insert_with(String::new);
                loop {
                    match chars.next() {
                        Some(end) if end == c => break,
                        Some(inner) => word.push(inner),
                        None => return Err(format!("the quote {c} has no end in the command `{}`", text.trim())),
                    }
                }
            }
            '\\' if chars.peek() == Some(&'\n') => _ = chars.next(),
            '#' if word.is_none() => while chars.next_if(|c| *c != '\n').is_some() {},
            '|' => return Err(format!("pipes and `||` are not understood in the command `{}`", text.trim())),
            '$' if chars.peek() == Some(&'(') => {
                return Err(format!("`$(…)` is not understood in the command `{}`", text.trim()));
            }
            '>' => {
                // `2>`, `&>` and `1>` are one word with what they redirect.
                let prefix = word.take_if(|word| matches!(word.as_str(), "1" | "2" | "&")).unwrap_or_default();
                commands.last_mut().into_iter().for_each(|words: &mut Vec<String>| words.extend(word.take()));
                while chars.next_if_eq(&'>').is_some() || chars.next_if_eq(&'|').is_some() {}
                if chars.next_if_eq(&'&').is_some() {
                    // `2>&1`
                    while chars.next_if(char::is_ascii_digit).is_some() {}
                } else {
                    commands.last_mut().into_iter().for_each(|words| words.push(format!("{prefix}>")));
                }
            }
            '&' if chars.peek() == Some(&'>') => word = Some("&".into()),
            ';' | '\n' | '&' => {
                commands.last_mut().into_iter().for_each(|words| words.extend(word.take()));
                commands.push(Vec::new());
            }
            c if c.is_whitespace() => {
                commands.last_mut().into_iter().for_each(|words| words.extend(word.take()));
            }
            c => word.get_or_insert_with(String::new).push(c),
        }
    }
    commands.last_mut().into_iter().for_each(|words| words.extend(word.take()));
    commands.retain(|words| !words.is_empty());
    Ok(commands)
}

fn simple(words: &[String], out: &mut Vec<Effect>) -> Result<(), String> {
    let (words, target) = redirect(words)?;
    let Some((program, arguments)) = words.split_first() else { return Ok(()) };
    let name = program.rsplit('/').next().unwrap_or(program);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let Some(path) = target {
        let name = sysctl_of_path(&path).ok_or_else(|| format!("`{path}` cannot be written: only /proc/sys/… can"))?;
        if !matches!(program.as_str(), "echo" | "printf") {
            return Err(format!("only echo can write to /proc/sys/…, not `{program}`"));
        }
        let value = arguments.iter().filter(|word| **word != "-n").copied().collect::<Vec<_>>().join(" ");
        out.push(Effect::Sysctl { name, value });
        return Ok(());
    }
    match name {
        "true" | ":" | "sync" | "set" => {}
        "echo" | "printf" => out.push(Effect::Say(arguments.join(" "))),
        "sysctl" => sysctl(&arguments, out)?,
        "sleep" => {
            let seconds: Option<f64> = arguments.first().and_then(|word| word.trim_end_matches('s').parse().ok());
            let seconds = seconds.filter(|seconds| (0.0..=86_400.0).contains(seconds));
            out.push(Effect::Sleep((seconds.ok_or("sleep needs a number of seconds, at most a day")? * 1e6) as u64));
        }
        "set_sysctls.py" => assignments(&arguments, out)?,
        "defaults.sh" => out.extend(
            DEFAULTS
                .iter()
                .map(|(name, value)| Effect::Preferred { name: (*name).to_owned(), value: (*value).to_owned() }),
        ),
        _ if program.starts_with("/tmp/sysctl_restore") => out.push(Effect::Restore),
        "ip" if arguments.first() == Some(&"tcp_metrics") && arguments.contains(&"flush") => {
            out.push(Effect::ForgetPeers);
        }
        "ip" => ip(&arguments, out)?,
        "ethtool" => ethtool(&arguments, out)?,
        "tc" if arguments.first() == Some(&"qdisc") => {
            out.push(Effect::Say("tc qdisc: the stack under test has no queueing discipline below it".into()));
        }
        "nstat" if arguments.iter().all(|word| word.starts_with('-')) => {}
        _ if !arguments.is_empty()
            && arguments.iter().all(|word| word.contains('=') && word.starts_with("/proc/sys/")) =>
        {
            assignments(&arguments, out)?;
        }
        _ => {
            return Err(format!(
                "unknown command `{}`: expected sysctl, echo … > /proc/sys/…, a script with /proc/sys/…=value arguments, \
                 ip route, ethtool, sleep or true",
                words.join(" ")
            ));
        }
    }
    Ok(())
}

/// The words without redirections, and where the output goes, if not nowhere.
fn redirect(words: &[String]) -> Result<(Vec<String>, Option<String>), String> {
    let mut kept = Vec::new();
    let mut target = None;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if !word.ends_with('>') {
            kept.push(word.clone());
            continue;
        }
        let path = words.next().ok_or("expected a file after `>`")?;
        if path != "/dev/null" {
            target = Some(path.clone());
        }
    }
    Ok((kept, target))
}

fn sysctl_of_path(path: &str) -> Option<String> {
    path.strip_prefix("/proc/sys/").map(|rest| rest.replace('/', "."))
}

fn sysctl(arguments: &[&str], out: &mut Vec<Effect>) -> Result<(), String> {
    let words: Vec<&str> = arguments.iter().filter(|word| !word.starts_with('-')).copied().collect();
    let is_spaced = words.len() >= 3 && words[1] == "=";
    if is_spaced {
        out.push(Effect::Sysctl { name: words[0].replace('/', "."), value: words[2..].join(" ") });
        return Ok(());
    }
    for word in words {
        // Without `=` sysctl only shows the value.
        let Some((name, value)) = word.split_once('=') else { continue };
        out.push(Effect::Sysctl { name: name.trim().replace('/', "."), value: value.trim().to_owned() });
    }
    Ok(())
}

fn assignments(arguments: &[&str], out: &mut Vec<Effect>) -> Result<(), String> {
    for word in arguments {
        let (path, value) =
            word.split_once('=').ok_or_else(|| format!("expected /proc/sys/…=value, found `{word}`"))?;
        let name = sysctl_of_path(path).ok_or_else(|| format!("expected a path in /proc/sys/, found `{path}`"))?;
        out.push(Effect::Sysctl { name, value: value.to_owned() });
    }
    Ok(())
}

fn ip(arguments: &[&str], out: &mut Vec<Effect>) -> Result<(), String> {
    let arguments: Vec<&str> = arguments.iter().filter(|word| !word.starts_with('-')).copied().collect();
    let shown = arguments.join(" ");
    let unknown = || {
        format!(
            "unknown command `ip {shown}`: expected ip route add|change|replace … [initcwnd N] [mtu N] [features ecn]"
        )
    };
    let [object, verb, rest @ ..] = arguments.as_slice() else { return Err(unknown()) };
    if !matches!(*object, "route" | "ro" | "r") || !matches!(*verb, "add" | "change" | "replace") {
        return Err(unknown());
    }
    let number = |name: &str| -> Result<Option<u32>, String> {
        let Some(at) = rest.iter().position(|word| *word == name) else { return Ok(None) };
        let value = rest.get(at + 1).filter(|word| **word != "lock").or(rest.get(at + 2));
        let value = value.and_then(|word| word.parse().ok());
        value.map(Some).ok_or_else(|| format!("`{name}` needs a number in the command `ip {shown}`"))
    };
    let unsupported = ["initrwnd", "rto_min", "quickack", "cwnd", "ssthresh", "advmss", "congctl", "window"];
    if let Some(word) = rest.iter().find(|word| unsupported.contains(word)) {
        return Err(format!("`{word}` is not available on a route of the stack under test (command `ip {shown}`)"));
    }
    let ecn = match rest.iter().position(|word| *word == "features").map(|at| rest.get(at + 1)) {
        None => None,
        Some(Some(&"ecn")) => Some(true),
        Some(Some(&"none")) => Some(false),
        Some(_) => return Err(format!("`features` must be ecn or none in the command `ip {shown}`")),
    };
    out.push(Effect::Route(RouteChange { initcwnd: number("initcwnd")?, mtu: number("mtu")?, ecn }));
    Ok(())
}

fn ethtool(arguments: &[&str], out: &mut Vec<Effect>) -> Result<(), String> {
    if !matches!(arguments.first(), Some(&("-K" | "--offload"))) {
        return Err(format!(
            "unknown command `ethtool {}`: expected ethtool -K DEVICE tso on|off …",
            arguments.join(" ")
        ));
    }
    for pair in arguments[1..].windows(2) {
        if matches!(pair[0], "tso" | "gso") && matches!(pair[1], "on" | "off") {
            out.push(Effect::Offload(pair[1] == "on"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Effect, effects};
    use crate::host::RouteChange;

    fn set(name: &str, value: &str) -> Effect {
        Effect::Sysctl { name: name.into(), value: value.into() }
    }

    #[test]
    fn the_known_ways_of_setting_a_sysctl_mean_the_same() {
        for text in [
            "sysctl -q net.ipv4.tcp_rmem=\"4096 131072 6291456\"",
            "sysctl -w net.ipv4.tcp_rmem='4096 131072 6291456' > /dev/null 2>&1",
            "/sbin/sysctl -q -w net/ipv4/tcp_rmem=\"4096 131072 6291456\" &> /dev/null",
            "echo 4096 131072 6291456 > /proc/sys/net/ipv4/tcp_rmem",
            "echo \"4096 131072 6291456\">/proc/sys/net/ipv4/tcp_rmem",
            "../common/set_sysctls.py \"/proc/sys/net/ipv4/tcp_rmem=4096 131072 6291456\"",
            "./tune.sh \"/proc/sys/net/ipv4/tcp_rmem=4096 131072 6291456\"",
        ] {
            assert_eq!(effects(text), Ok(vec![set("net.ipv4.tcp_rmem", "4096 131072 6291456")]), "{text}");
        }
    }

    #[test]
    fn several_commands_act_in_order() {
        let text = "sysctl -q net.ipv4.tcp_ecn=0; # no ECN\n ethtool -K tun0 tso off && sleep 0.5\nip route change default dev tun0 initcwnd 4";
        let expected = vec![
            set("net.ipv4.tcp_ecn", "0"),
            Effect::Offload(false),
            Effect::Sleep(500_000),
            Effect::Route(RouteChange { initcwnd: Some(4), ..RouteChange::default() }),
        ];
        assert_eq!(effects(text), Ok(expected));
    }

    #[test]
    fn what_has_nothing_to_act_on_does_nothing() {
        assert_eq!(effects("ip tcp_metrics flush all > /dev/null 2>&1; nstat -n; true"), Ok(vec![Effect::ForgetPeers]));
    }

    #[test]
    fn an_unknown_command_is_an_error_that_names_it() {
        for (text, word) in [
            ("rm -rf /", "rm -rf /"),
            ("iptables -F", "iptables"),
            ("echo 1 > /etc/passwd", "/etc/passwd"),
            ("cat x | sh", "pipes"),
            ("echo 'x", "quote"),
            ("ip link set lo down", "ip link"),
            ("echo $(id)", "$("),
        ] {
            let error = effects(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
