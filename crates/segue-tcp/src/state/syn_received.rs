//! SYN-RECEIVED of an active open: both sides sent a SYN at the same time.
//!
//! Owns RFC 9293 section 3.10.7.4 for SYN-RECEIVED reached from SYN-SENT (figure 8).

use crate::state::handshake::{Offer, PeerSyn};
use crate::state::syn_sent::Heard;

#[derive(Debug)]
pub(crate) struct SynReceived {
    pub(crate) offer: Offer,
    pub(crate) peer: PeerSyn,
    /// SEG.WND of the peer's SYN, in bytes.
    pub(crate) window: u32,
    pub(crate) heard: Heard,
    /// The application has closed its side already: a FIN follows the handshake.
    pub(crate) fin_queued: bool,
}
