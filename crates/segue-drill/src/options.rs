//! How scripts are run: what is examined, what its machine is like, which options hold.
//!
//! Decides the form of a file of settings, and what wins: the command line over the script, the script over the file.
use std::path::Path;

use crate::parse::{Defines, parse_command_line_define};
use crate::settings::Settings;

/// Which host the scripts examine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Against {
    /// Segue's stack, in virtual time.
    #[default]
    Segue,
    /// This machine's kernel, in a network namespace of each script's own and in real time. Needs root, or a user namespace
    /// ([`segue_kernel::become_namespace_root`]).
    Linux,
}

/// What the machine under test is like before a script begins.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Machine {
    /// Sysctls by their dotted names, set in this order: buffer sizes, memory, congestion control and all the rest.
    pub sysctls: Vec<(String, String)>,
    /// Initial congestion window of the route to the peer, in segments. Default: the host's own (10).
    pub initcwnd: Option<u32>,
    /// Timer ticks per second, 1 to 1000000: what the stack wants to do happens at the next tick, as in a kernel that was built
    /// with this HZ. Default: at the exact time. Against Linux it has no effect: its HZ is its own.
    pub hz: Option<u32>,
}

/// How scripts are run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Options of the language that hold where a script does not say otherwise, `name` and value.
    pub defaults: Vec<(String, Option<String>)>,
    /// Options of the language as on a packetdrill command line: they win over those in a script.
    pub settings: Vec<(String, Option<String>)>,
    /// Defines, `NAME=value`, as after `-D`.
    pub defines: Vec<String>,
    /// What the machine under test is like.
    pub machine: Machine,
    /// The seed of the stack's secrets. Default: 32 times 7. The same seed gives the same packets.
    pub seed: [u8; 32],
    /// What is examined. Default: Segue.
    pub against: Against,
    /// Scripts played at the same time; 0, the default: one per processor, and sixteen against Linux, where they mostly wait.
    pub jobs: usize,
    /// How often a script that fails against Linux is played again if it was not told in time, because this machine was busy.
    /// One that was told in time has failed. Default 0.
    pub retries: u32,
    /// Keep every packet of a run for its report, and not only the last few hundred. Default false.
    pub verbose: bool,
    /// Only read the scripts, play nothing. Default false.
    pub dry_run: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            defaults: Vec::new(),
            settings: Vec::new(),
            defines: Vec::new(),
            machine: Machine::default(),
            seed: [7; 32],
            against: Against::Segue,
            jobs: 0,
            retries: 0,
            verbose: false,
            dry_run: false,
        }
    }
}

impl Options {
    /// Take settings from a text: `name = value` in each line, `#` begins a comment.
    ///
    /// A name is an option of the language (`tolerance_usecs`, `ip_version`, …), a sysctl (with a dot in it), `hz`, `initcwnd`,
    /// or `congestion_control`.
    ///
    /// # Errors
    /// Which line is wrong, and what it should be.
    pub fn read(&mut self, text: &str) -> Result<(), String> {
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            self.read_line(line).map_err(|message| format!("line {}: {message}", index + 1))?;
        }
        Ok(())
    }

    /// [`read`](Options::read) of a file.
    ///
    /// # Errors
    /// It cannot be read, or a line is wrong.
    pub fn read_file(&mut self, path: &Path) -> Result<(), String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        self.read(&text).map_err(|message| format!("{}: {message}", path.display()))
    }

    fn read_line(&mut self, line: &str) -> Result<(), String> {
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
            None => (line, None),
        };
        let needed = || value.ok_or_else(|| format!("`{name}` needs a value: {name} = …"));
        let number = |least: u32, most: u32| {
            let number: Option<u32> = needed()?.parse().ok();
            let wrong = || format!("`{name}` is a number from {least} to {most}");
            number.filter(|number| (least..=most).contains(number)).ok_or_else(wrong)
        };
        match name {
            "hz" => self.machine.hz = Some(number(1, 1_000_000)?),
            "initcwnd" => self.machine.initcwnd = Some(number(1, u32::MAX)?),
            "congestion_control" => {
                self.machine.sysctls.push(("net.ipv4.tcp_congestion_control".into(), needed()?.into()));
            }
            name if name.contains('.') => self.machine.sysctls.push((name.to_owned(), needed()?.to_owned())),
            name => {
                let name = name.trim_start_matches('-');
                Settings::default().apply(name, value)?;
                self.defaults.push((name.to_owned(), value.map(str::to_owned)));
            }
        }
        Ok(())
    }

    pub(crate) fn defines(&self) -> Result<Defines, String> {
        self.defines.iter().map(|text| parse_command_line_define(text)).collect()
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        let mut settings = Settings::default();
        self.defines()?;
        let all = self.defaults.iter().chain(&self.settings);
        all.into_iter().try_for_each(|(name, value)| settings.apply(name, value.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn a_file_of_settings_is_read_line_by_line() {
        let mut options = Options::default();
        let text = "# a slow machine\nhz = 250\ninitcwnd=4\ncongestion_control = reno\n\n\
                    net.ipv4.tcp_rmem = \"4096 131072 6291456\"  # bytes\ntolerance_usecs = 9000\nstrict_segments\n";
        options.read(text).unwrap();
        assert_eq!((options.machine.hz, options.machine.initcwnd), (Some(250), Some(4)));
        let sysctls = [
            ("net.ipv4.tcp_congestion_control".to_owned(), "reno".to_owned()),
            ("net.ipv4.tcp_rmem".to_owned(), "4096 131072 6291456".to_owned()),
        ];
        assert_eq!(options.machine.sysctls, sysctls);
        let defaults = [("tolerance_usecs".to_owned(), Some("9000".to_owned())), ("strict_segments".to_owned(), None)];
        assert_eq!(options.defaults, defaults);
    }

    #[test]
    fn a_wrong_line_is_named_with_what_it_should_be() {
        for (text, words) in [
            ("\nhz = 0", "line 2: `hz` is a number from 1 to 1000000"),
            ("hz", "line 1: `hz` needs a value"),
            ("wibble = 1", "line 1: unknown option --wibble"),
            ("mtu = many", "line 1: --mtu is bytes"),
            ("net.ipv4.tcp_ecn", "needs a value"),
        ] {
            let error = Options::default().read(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
