//! Pictures of a transfer: what was sent, acknowledged and lost over time, and what the sender made of it.
//!
//! `recording` decides what is remembered, `figure` how it is drawn.
mod figure;
mod recording;

pub use figure::PlotError;
pub use recording::Recording;
