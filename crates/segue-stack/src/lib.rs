//! An IP host without I/O: routes, ICMP, UDP, TCP sockets with Linux semantics, sysctls.
//!
//! [`Stack`] takes packets and calls on sockets, and gives packets and events. It reads no clock and no randomness, so the
//! same calls at the same times with the same seed give the same packets. What is inside a TCP connection is `segue-tcp`'s;
//! how packets travel is somebody else's.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used))]

mod backlog;
mod budget;
mod chunked;
mod cidr;
mod config;
mod counters;
mod departures;
mod errno;
mod icmp;
mod info;
mod ip;
mod message;
mod net;
mod outbox;
mod pmtu;
mod ports;
mod proc_net;
mod ratelimit;
mod reassembly;
mod rooms;
mod route;
mod secrets;
mod slab;
mod socket;
mod sockopt;
mod stack;
mod sysctl;
mod tcp;
mod timers;
mod tuple;
mod udp;
mod wheel;

pub use backlog::{Arrived, WorkLimits};
pub use cidr::{Cidr, CidrError};
pub use config::{IfaceConfig, StackConfig};
pub use counters::{Counter, Counters};
pub use errno::Errno;
pub use icmp::IcmpComplaint;
pub use info::{ListPosition, SigningInfo, SocketInfo, State, Usage};
pub use message::{
    ControlError, ControlMessage, ErrorOrigin, ExtendedError, PacketInfo, ReceivedMessage, decode_control,
    encode_control,
};
pub use net::IfaceTraffic;
pub use rooms::TableRoom;
pub use route::{IfaceId, Route, RouteError};
pub use segue_tcp::{AoAlgorithm, AoKey, BbrInfo, Chunks, Info, Instant, Ready};
pub use segue_wire::Packet;
pub use socket::{
    Domain, Held, HeldId, MsgFlags, Received, Reject, Shutdown, SocketEvent, SocketId, SocketType, Unreachable,
};
pub use sockopt::SocketOption;
pub use stack::{Result, Stack};
pub use sysctl::{CoreSettings, IpSettings, Ranges, Reach, Settings, SysctlDescription, SysctlError};
pub use tcp::decisions::TcpDecision;
pub use tcp::fast_open::FastOpenKeys;
