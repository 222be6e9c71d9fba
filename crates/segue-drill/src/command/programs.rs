//! The programs that commands call, and what they do to the host under test.
use super::evaluate::{Ended, Failure, Shell, shorten, sysctl_of_path};
use super::{DEFAULTS, Effect, ip};
use crate::host::OffloadChange;

/// Programs that look at the machine or tidy it up: they do nothing here, and a test does not depend on them.
const WITHOUT_EFFECT: &[&str] = &[
    "true",
    ":",
    "sync",
    "rm",
    "mkdir",
    "touch",
    "chmod",
    "nstat",
    "ss",
    "netstat",
    "date",
    "uname",
    "id",
    "ls",
    "whoami",
    "modprobe",
    "dmesg",
    "ulimit",
    "umask",
    "shopt",
    "trap",
    "wait",
    "logger",
    "tcpdump",
    "conntrack",
];

/// Programs that run the rest of their words.
const PREFIXES: &[&str] = &["sudo", "command", "exec", "builtin", "nohup", "env", "nice", "time"];

const KNOWN: &str = "sysctl, echo … > /proc/sys/…, a script with /proc/sys/…=value arguments, ip route, ip link, ip addr, ethtool, \
                     tc, sleep or true";

pub(super) fn program(shell: &mut Shell<'_>, words: &[String], input: &str) -> Ended {
    let Some((first, rest)) = words.split_first() else { return Ok(()) };
    let name = first.rsplit('/').next().unwrap_or(first);
    let arguments: Vec<&str> = rest.iter().map(String::as_str).collect();
    if PREFIXES.contains(&name) {
        let skipped =
            rest.iter().take_while(|word| word.starts_with('-') || (name == "env" && word.contains('='))).count();
        return program(shell, &rest[skipped..], input);
    }
    match name {
        _ if WITHOUT_EFFECT.contains(&name) => Ok(()),
        "false" => Err(Failure::Status("`false` fails, as it always does".into())),
        "set" | "unset" => Ok(()),
        "exit" | "return" => match arguments.first() {
            None | Some(&"0") => Ok(()),
            Some(status) => Err(Failure::Status(format!("the command ends with exit {status}"))),
        },
        "export" | "local" | "readonly" | "declare" => {
            let pairs = arguments.iter().filter_map(|word| word.split_once('='));
            shell.variables.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
            Ok(())
        }
        "echo" | "printf" => {
            say(shell, &arguments);
            Ok(())
        }
        "cat" => cat(shell, &arguments, input),
        "tee" => arguments.iter().filter(|word| !word.starts_with('-')).try_for_each(|path| shell.write(path, input)),
        "sysctl" => sysctl(shell, &arguments),
        "sleep" | "usleep" => sleep(shell, name, &arguments),
        "timeout" => program(shell, rest.get(1..).unwrap_or_default(), input),
        "truncate" | "fallocate" | "dd" => file(shell, name, &arguments),
        "test" | "[" => test(shell, &arguments),
        "ip" => ip::ip(shell, &arguments),
        "ethtool" => ethtool(shell, &arguments),
        "tc" => shell.world.apply(Effect::Qdisc(rest.to_vec())).map_err(Failure::Status),
        "sh" | "bash" | "dash" if arguments.first() == Some(&"-c") => {
            shell.list(arguments.get(1).copied().unwrap_or_default())
        }
        "." | "source" | "sh" | "bash" | "dash" | "python" | "python3" | "python2" => {
            let skipped = arguments.iter().take_while(|word| word.starts_with('-')).count();
            script(shell, &rest[skipped..], &shorten(&words.join(" ")))
        }
        _ => script(shell, words, &shorten(&words.join(" "))),
    }
}

/// Another script: known by its arguments, by its name, or by its text.
fn script(shell: &mut Shell<'_>, words: &[String], shown: &str) -> Ended {
    let unknown = || Failure::NotUnderstood(format!("unknown command `{shown}`: expected {KNOWN}"));
    let (path, arguments) = words.split_first().ok_or_else(unknown)?;
    let is_setter = |word: &String| word.starts_with("/proc/sys/") && word.contains('=');
    if !arguments.is_empty() && arguments.iter().all(is_setter) {
        return assignments(shell, arguments);
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.contains("restore") && arguments.is_empty() {
        return shell.world.apply(Effect::Restore).map_err(Failure::Status);
    }
    let is_defaults = name == "defaults.sh";
    let text =
        shell.world.script(path).filter(|text| !text.starts_with("#!") || text.lines().next().is_some_and(is_shell));
    match text.map(|text| shell.list(&text)) {
        Some(Err(Failure::NotUnderstood(message))) if is_defaults => {
            shell.world.note(format!("{path} is not understood ({message}): the built-in defaults stand for it"));
            defaults(shell);
            Ok(())
        }
        Some(ended) => ended,
        None if is_defaults => {
            defaults(shell);
            Ok(())
        }
        None => Err(unknown()),
    }
}

fn is_shell(line: &str) -> bool {
    line.trim_end().ends_with("sh")
}

/// What the stack under test does not have is said in the report.
fn defaults(shell: &mut Shell<'_>) {
    for (name, value) in DEFAULTS {
        let effect = Effect::Sysctl { name: (*name).to_owned(), value: (*value).to_owned() };
        if let Err(error) = shell.world.apply(effect) {
            shell.world.note(error);
        }
    }
}

fn assignments(shell: &mut Shell<'_>, arguments: &[String]) -> Ended {
    for word in arguments {
        let wrong = || Failure::NotUnderstood(format!("expected /proc/sys/…=value, found `{word}`"));
        let (path, value) = word.split_once('=').ok_or_else(wrong)?;
        shell.write(path, value)?;
    }
    Ok(())
}

fn say(shell: &mut Shell<'_>, arguments: &[&str]) {
    let (options, words): (Vec<&str>, Vec<&str>) =
        arguments.iter().partition(|word| matches!(**word, "-n" | "-e" | "-ne" | "-en"));
    shell.output.push_str(&words.join(" "));
    if !options.iter().any(|option| option.contains('n')) {
        shell.output.push('\n');
    }
}

fn cat(shell: &mut Shell<'_>, arguments: &[&str], input: &str) -> Ended {
    if arguments.iter().all(|word| word.starts_with('-')) {
        shell.output.push_str(input);
    }
    for path in arguments.iter().filter(|word| !word.starts_with('-')) {
        // Other files say nothing that a host under test could depend on.
        if let Some(name) = sysctl_of_path(path) {
            let value = shell.world.sysctl(&name).map_err(Failure::Status)?;
            shell.output.push_str(&value);
            shell.output.push('\n');
        }
    }
    Ok(())
}

fn sysctl(shell: &mut Shell<'_>, arguments: &[&str]) -> Ended {
    let (options, words): (Vec<&str>, Vec<&str>) = arguments.iter().partition(|word| word.starts_with('-'));
    let has = |short: char, long: &str| {
        options.iter().any(|option| *option == long || (!option.starts_with("--") && option.contains(short)))
    };
    let (is_quiet, is_plain, is_lenient) = (has('q', "--quiet"), has('n', "--values"), has('e', "--ignore"));
    if has('p', "--load") || has('a', "--all") {
        return if has('p', "--load") {
            Err(Failure::NotUnderstood("sysctl -p reads a file: write its settings as name=value".into()))
        } else {
            Ok(())
        };
    }
    // `name = value` in three words.
    let joined = match words.as_slice() {
        [name, "=", value @ ..] => vec![format!("{name}={}", value.join(" "))],
        words => words.iter().map(|word| (*word).to_owned()).collect(),
    };
    let mut ended = Ok(());
    for word in joined {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim().to_owned())),
            None => (word.trim(), None),
        };
        // In a path dots stay, as in names of devices.
        let name =
            if name.contains('/') { name.trim_start_matches("/proc/sys/").replace('/', ".") } else { name.to_owned() };
        let result = match value {
            Some(value) => {
                shell.world.apply(Effect::Sysctl { name: name.clone(), value: value.clone() }).map(|()| value)
            }
            None => shell.world.sysctl(&name),
        };
        match result {
            Ok(value) if !is_quiet => {
                let line = if is_plain { format!("{value}\n") } else { format!("{name} = {value}\n") };
                // What is set is said by no test; what is asked for may be used.
                if !word.contains('=') {
                    shell.output.push_str(&line);
                }
            }
            Err(error) if !is_lenient => ended = Err(Failure::Status(error)),
            _ => {}
        }
    }
    ended
}

fn sleep(shell: &mut Shell<'_>, name: &str, arguments: &[&str]) -> Ended {
    let unit = |word: &str| match word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.') {
        "" if name == "usleep" => Some(1e-6),
        "" | "s" => Some(1.0),
        "m" => Some(60.0),
        "h" => Some(3600.0),
        _ => None,
    };
    let time = |word: &&str| {
        let number: f64 = word.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse().ok()?;
        Some(number * unit(word)?)
    };
    let total: Option<f64> = arguments.iter().map(time).sum();
    let total = total.filter(|seconds| !arguments.is_empty() && (0.0..=86_400.0).contains(seconds));
    let seconds = total.ok_or_else(|| {
        Failure::NotUnderstood(format!("{name} needs a number of seconds, at most a day: `{}`", arguments.join(" ")))
    })?;
    shell.world.apply(Effect::Sleep((seconds * 1e6).round() as u64)).map_err(Failure::Status)
}

/// `truncate -s N FILE`, `fallocate -l N FILE`, `dd if=/dev/zero of=FILE bs=N count=N`: files of zeros.
fn file(shell: &mut Shell<'_>, name: &str, arguments: &[&str]) -> Ended {
    let size = |word: &str| {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match &word[digits.len()..] {
            "" => 1,
            "k" | "K" | "KiB" => 1 << 10,
            "M" | "MiB" => 1 << 20,
            "G" | "GiB" => 1 << 30,
            _ => return None,
        };
        digits.parse::<u64>().ok()?.checked_mul(unit)
    };
    let after = |option: &str| arguments.iter().position(|word| *word == option).and_then(|at| arguments.get(at + 1));
    let valued = |option: &str| arguments.iter().find_map(|word| word.strip_prefix(option));
    let (path, length) = match name {
        "truncate" => (arguments.last().copied(), after("-s").copied().or(valued("--size=")).and_then(size)),
        "fallocate" => (arguments.last().copied(), after("-l").copied().or(valued("--length=")).and_then(size)),
        _ => {
            let block = valued("bs=").map_or(Some(512), size);
            let count = valued("count=").and_then(size);
            (valued("of="), block.zip(count).and_then(|(block, count)| block.checked_mul(count)))
        }
    };
    let unclear =
        || Failure::NotUnderstood(format!("a file's path and length are not clear: `{name} {}`", arguments.join(" ")));
    let (path, length) = path.zip(length).ok_or_else(unclear)?;
    shell.world.apply(Effect::File { path: path.to_owned(), length }).map_err(Failure::Status)
}

/// `[ … ]` over strings, integers and the existence of settings.
fn test(shell: &mut Shell<'_>, arguments: &[&str]) -> Ended {
    let arguments: Vec<&str> = arguments.iter().filter(|word| **word != "]").copied().collect();
    let (is_negated, arguments) = match arguments.as_slice() {
        ["!", rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let number = |word: &str| word.trim().parse::<i64>().unwrap_or(0);
    let holds = match *arguments {
        ["-e" | "-f" | "-r" | "-w" | "-d", path] => match sysctl_of_path(path) {
            Some(name) => shell.world.sysctl(&name).is_ok(),
            None => shell.world.script(path).is_some(),
        },
        ["-z", word] => word.is_empty(),
        ["-n", word] | [word] => !word.is_empty(),
        [a, "=" | "==", b] => a == b,
        [a, "!=", b] => a != b,
        [a, "-eq", b] => number(a) == number(b),
        [a, "-ne", b] => number(a) != number(b),
        [a, "-lt", b] => number(a) < number(b),
        [a, "-le", b] => number(a) <= number(b),
        [a, "-gt", b] => number(a) > number(b),
        [a, "-ge", b] => number(a) >= number(b),
        _ => {
            let shown = arguments.join(" ");
            return Err(Failure::NotUnderstood(format!("the condition `[ {shown} ]` is not understood")));
        }
    };
    if holds != is_negated {
        Ok(())
    } else {
        Err(Failure::Status(format!("`[ {} ]` does not hold", arguments.join(" "))))
    }
}

fn ethtool(shell: &mut Shell<'_>, arguments: &[&str]) -> Ended {
    let Some((option, rest)) = arguments.split_first() else { return Ok(()) };
    if !matches!(*option, "-K" | "--offload" | "--features") {
        // Rings, channels, coalescing, and all that only shows: a device without hardware has none of it.
        return Ok(());
    }
    let mut change = OffloadChange::default();
    for pair in rest.get(1..).unwrap_or_default().chunks(2) {
        let is_on = match pair {
            [_, "on"] => true,
            [_, "off"] => false,
            _ => {
                let shown = arguments.join(" ");
                return Err(Failure::NotUnderstood(format!(
                    "expected ethtool -K DEVICE tso on|off …, found `ethtool {shown}`"
                )));
            }
        };
        match pair[0] {
            "tso" | "tcp-segmentation-offload" | "tx-tcp-segmentation" => change.tso = Some(is_on),
            "gso" | "generic-segmentation-offload" | "tx-generic-segmentation" => change.gso = Some(is_on),
            // The way in, checksums and the like change no packet that a script can see.
            _ => {}
        }
    }
    if change == OffloadChange::default() {
        Ok(())
    } else {
        shell.world.apply(Effect::Offload(change)).map_err(Failure::Status)
    }
}
