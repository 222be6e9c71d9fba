//! Types that keep unlike quantities apart: sequence numbers by direction,
//! windows as they stand on the wire, bytes and segments.

mod deadline;
mod seq;
mod window;

pub(crate) use deadline::Deadline;
pub(crate) use seq::{Local, Peer, Seq};
pub(crate) use window::{Packets, WindowScale, WireWindow};
