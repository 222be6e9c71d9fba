//! An IP host without I/O: routes, ICMP, UDP, TCP sockets with Linux semantics, sysctls.

pub mod cidr;
pub mod counters;
pub mod errno;
pub mod ratelimit;
pub mod reassembly;
pub mod route;
pub mod secrets;
pub mod sysctl;
pub mod wheel;
