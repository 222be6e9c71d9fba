//! ICMP and ICMPv6: echo, errors about our packets, errors about others'.
pub(crate) mod errors;
mod extensions;
pub(crate) mod input;
pub(crate) mod limits;
pub(crate) mod ping;
mod refuse;

pub use input::IcmpComplaint;
