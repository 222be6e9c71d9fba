//! An IP host without I/O: routes, ICMP, UDP, TCP sockets with Linux semantics, sysctls.
mod cidr;
mod config;
mod counters;
mod errno;
mod info;
mod ratelimit;
mod reassembly;
mod route;
mod secrets;
mod socket;
mod sockopt;
mod stack;
mod sysctl;
mod wheel;

pub use cidr::{Cidr, CidrError};
pub use config::{IfaceConfig, StackConfig};
pub use counters::{Counter, Counters};
pub use errno::Errno;
pub use info::{SocketInfo, State};
pub use route::{IfaceId, Route, RouteError};
pub use segue_tcp::{Chunks, Info, Instant, Ready};
pub use segue_wire::packet::Packet;
pub use socket::*;
pub use sockopt::SocketOption;
pub use stack::{Result, Stack};
pub use sysctl::{CoreSettings, IpSettings, Settings, SysctlError};
