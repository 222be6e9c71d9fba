//! Forward RTO recovery: whether a timeout was needless, by what arrives next.
//!
//! Owns RFC 5682 section 3.1 (with SACK) and 2.1 (without), as Linux does both. It waits for the
//! first acknowledgment that advances, lets new data out instead of more retransmissions, and looks
//! whether data that were sent once arrive. What follows from it is recovery's.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Frto {
    Off,
    /// Step 1 is done: the first segment was sent again. Or step 2 is, and the next acknowledgment decides.
    Watching,
    /// Step 2: new data leave, and nothing is sent again before the next acknowledgment.
    SendNew,
}
