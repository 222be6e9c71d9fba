//! A network simulator in virtual time over the Segue stack.
//!
//! A [`Lab`] holds hosts, each a whole [`Stack`](segue_stack::Stack), and the cables between them, each an emulated
//! [`Path`](segue_link::Path). One clock drives them all, and it is virtual: it jumps from one event to the next, so an
//! hour of keep-alive costs nothing and nothing ever sleeps. The hosts run the code that runs in production.
//!
//! Everything random comes from a seed. The same seed and the same configuration give the same packets, byte for byte,
//! at the same nanoseconds; [`Trace`] is the hash that proves it.
//!
//! [`transfer()`] is a whole experiment in one call: two hosts, bytes over a path as bad as wanted, hashes of what went
//! in and what came out.
//!
//! [`stories()`] are what the books tell about TCP: each [`Story`] narrates, prints its [`Ladder`] and checks itself.

mod error;
mod lab;
mod ladder;
mod plot;
mod story;
mod tap;
mod torture;
mod transfer;

pub use error::{HostState, LabError, StallReason};
pub use lab::{App, CableId, DecisionListener, HostId, Lab};
pub use ladder::Ladder;
pub use plot::{PlotError, Recording};
pub use story::{Story, StoryConfig, play, stories, story};
pub use tap::{Moment, Observer, Sighting, Trace};
pub use torture::{Ordeal, describe, torture};
pub use transfer::{
    Delivery, Direction, Family, LinePrinter, Progress, ProgressListener, TransferConfig, TransferReport, transfer,
};
