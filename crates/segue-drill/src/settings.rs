//! The options of a run: from a file's head, from the command line, and what they are without either.
//!
//! Decides names, ranges and defaults; what an option does is decided where it is used.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use segue_wire::IpVersion;

/// Which sockets a script makes, and what is on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Family {
    V4,
    V6,
    /// `AF_INET6` sockets that speak IPv4.
    Mapped,
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) family: Family,
    pub(crate) local_ip: Option<IpAddr>,
    pub(crate) remote_ip: Option<IpAddr>,
    pub(crate) bind_port: u16,
    pub(crate) connect_port: u16,
    pub(crate) mtu: u16,
    /// Segment size of injected super-segments; 0: packets are injected as they are.
    pub(crate) mss: u16,
    pub(crate) tolerance_usecs: u64,
    pub(crate) tolerance_percent: f64,
    pub(crate) ts_tick_usecs: u64,
    pub(crate) ts_ecr_scaled: bool,
    pub(crate) strict_segments: bool,
    pub(crate) non_fatal_packet: bool,
    pub(crate) non_fatal_call: bool,
    pub(crate) init_scripts: Vec<String>,
    pub(crate) dry_run: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            family: Family::V4,
            local_ip: None,
            remote_ip: None,
            bind_port: 8080,
            connect_port: 8080,
            mtu: 1500,
            mss: 0,
            tolerance_usecs: 4000,
            tolerance_percent: 12.5,
            ts_tick_usecs: 0,
            ts_ecr_scaled: false,
            strict_segments: false,
            non_fatal_packet: false,
            non_fatal_call: false,
            init_scripts: Vec::new(),
            dry_run: false,
        }
    }
}

/// Options of the reference tool that choose how it reaches a kernel; a stack in this process has no such thing.
const WITHOUT_MEANING: &[&str] = &[
    "speed",
    "verbose",
    "v",
    "debug",
    "send_omit_free",
    "is_anyip",
    "code_format",
    "code_sockopt",
    "define",
    "netmask_ip",
    "gateway_ip",
];

/// The options of the language by name, as a command line may give them.
pub fn option_names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().chain(WITHOUT_MEANING).copied()
}

const NAMES: &[&str] = &[
    "ip_version",
    "local_ip",
    "remote_ip",
    "bind_port",
    "connect_port",
    "mtu",
    "mss",
    "tolerance_usecs",
    "tolerance_percent",
    "tcp_ts_tick_usecs",
    "tcp_ts_ecr_scaled",
    "strict_segments",
    "non_fatal",
    "init_scripts",
    "dry_run",
    "code_command",
];

impl Settings {
    pub(crate) fn wire_version(&self) -> IpVersion {
        if self.family == Family::V6 { IpVersion::V6 } else { IpVersion::V4 }
    }

    /// The address of the stack under test.
    pub(crate) fn local(&self) -> IpAddr {
        self.local_ip.unwrap_or(match self.wire_version() {
            IpVersion::V4 => Ipv4Addr::new(192, 168, 0, 1).into(),
            IpVersion::V6 => Ipv6Addr::new(0xfd3d, 0xfa7b, 0xd17d, 0, 0, 0, 0, 0).into(),
        })
    }

    /// The address of the peer that the script plays.
    pub(crate) fn remote(&self) -> IpAddr {
        self.remote_ip.unwrap_or(match self.wire_version() {
            IpVersion::V4 => Ipv4Addr::new(192, 0, 2, 1).into(),
            IpVersion::V6 => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
        })
    }

    /// Take one `--name[=value]`.
    pub(crate) fn apply(&mut self, name: &str, value: Option<&str>) -> Result<(), String> {
        let needed = || value.ok_or_else(|| format!("--{name} needs a value: --{name}=…"));
        match name {
            "ip_version" => {
                self.family = match needed()? {
                    "ipv4" => Family::V4,
                    "ipv6" => Family::V6,
                    "ipv4-mapped-ipv6" => Family::Mapped,
                    other => return Err(format!("--ip_version is ipv4, ipv6 or ipv4-mapped-ipv6, not `{other}`")),
                }
            }
            "local_ip" => self.local_ip = Some(parse(name, needed()?, "an IP address")?),
            "remote_ip" => self.remote_ip = Some(parse(name, needed()?, "an IP address")?),
            "bind_port" => self.bind_port = parse(name, needed()?, "a port from 0 to 65535")?,
            "connect_port" => self.connect_port = parse(name, needed()?, "a port from 0 to 65535")?,
            "mtu" => {
                self.mtu = parse(name, needed()?, "bytes from 68 to 65535")?;
                if self.mtu < 68 {
                    return Err(format!("--mtu is at least 68 bytes, not {}", self.mtu));
                }
            }
            "mss" => self.mss = parse(name, needed()?, "bytes from 0 to 65535")?,
            "tolerance_usecs" => self.tolerance_usecs = parse(name, needed()?, "microseconds")?,
            "tolerance_percent" => {
                self.tolerance_percent = parse(name, needed()?, "a percentage")?;
                if !(0.0..=100_000.0).contains(&self.tolerance_percent) {
                    return Err(format!("--tolerance_percent cannot be {}", self.tolerance_percent));
                }
            }
            "tcp_ts_tick_usecs" => self.ts_tick_usecs = parse(name, needed()?, "microseconds")?,
            "tcp_ts_ecr_scaled" => self.ts_ecr_scaled = true,
            "strict_segments" => self.strict_segments = true,
            "non_fatal" => {
                for part in needed()?.split(',') {
                    match part {
                        "packet" => self.non_fatal_packet = true,
                        "syscall" => self.non_fatal_call = true,
                        other => return Err(format!("--non_fatal takes packet and syscall, not `{other}`")),
                    }
                }
            }
            "init_scripts" => self.init_scripts = needed()?.split(',').map(str::to_owned).collect(),
            "dry_run" => self.dry_run = true,
            "code_command" if needed()?.contains("python") => {}
            "code_command" => {
                return Err("code is evaluated here, as Python; no other --code_command is possible".into());
            }
            _ if WITHOUT_MEANING.contains(&name) => {}
            _ if name.starts_with("wire_") || name.starts_with("so_") || name.starts_with("psp_") => {
                return Err(format!("--{name} is not available: the stack under test is the one in this process"));
            }
            _ => return Err(format!("unknown option --{name}: expected one of {}", NAMES.join(", "))),
        }
        Ok(())
    }

    /// What can only be said when all options are known.
    pub(crate) fn check(&self) -> Result<(), String> {
        let version = self.wire_version();
        for address in [self.local(), self.remote()] {
            if address.is_ipv4() != (version == IpVersion::V4) {
                return Err(format!("{address} does not fit --ip_version: the wire carries {version:?} packets"));
            }
        }
        Ok(())
    }
}

fn parse<T: std::str::FromStr>(name: &str, value: &str, what: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("--{name} is {what}, not `{value}`"))
}
