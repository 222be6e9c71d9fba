//! TCP Fast Open (RFC 7413) as one connection sees it: data in the SYN, on either side.
//!
//! Decides what an active open puts into its SYN and what the answer means for it, and how long a connection that was
//! opened by a SYN with a good cookie waits for the acknowledgment of its SYN-ACK. Cookies, who may use them and what is
//! remembered of a peer are the stack's affair. Invariant: the option and the data leave once; whatever is repeated is plain.

use alloc::boxed::Box;

use bytes::Bytes;
use segue_wire::tcp::FastOpenCookie;

use crate::state::handshake::{Offer, PeerSyn};

/// What an active open adds to its SYN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FastOpenSyn {
    /// RFC 7413 section 4.1.1: ask for a cookie. No data.
    Request {
        /// In the experimental form, kind 254.
        experimental: bool,
    },
    /// Data, with a cookie or, where both sides were configured so, without.
    Data {
        /// What the server gave last time.
        cookie: Option<FastOpenCookie>,
        /// MSS that the server announced last time; `None`: what the path carries.
        mss: Option<u16>,
        /// Fast Open had been switched off because it seemed to be blocked, and this is the first attempt since.
        probes_black_hole: bool,
    },
}

/// Why data did not travel in the SYN: `tcpi_fastopen_client_fail`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum ClientFail {
    #[default]
    None,
    CookieUnavailable,
    DataNotAcknowledged,
    SynRetransmitted,
}

/// What a connection has learned about Fast Open with its peer; the stack remembers it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FastOpenNews {
    /// A SYN-ACK came.
    Answer {
        /// The cookie in it, or an empty one; `None`: the option was missing or not asked for.
        cookie: Option<FastOpenCookie>,
        /// The server's MSS.
        mss: Option<u16>,
        /// The data of the SYN: whether they were acknowledged; `None` when there were none.
        data_taken: Option<bool>,
        /// The SYN had to be repeated, and neither cookie nor data were acknowledged: its first form was probably lost.
        syn_lost: bool,
        /// The option asked for a cookie in vain: which form it had.
        refused: Option<Form>,
    },
    /// The attempt came to nothing, by silence or an ICMP error.
    Failed,
    /// The path seems to block connections that began so (Linux's black-hole detection).
    BlackHole,
    /// Data have come over a connection that tried Fast Open again after such a time.
    PathWorks,
}

/// The two forms of the option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Kind 34.
    Standard,
    /// Kind 254 with magic number.
    Experimental,
}

/// What a connection keeps that has to do with Fast Open. Boxed: most have nothing.
#[derive(Debug)]
pub(crate) struct FastOpen {
    pub(crate) role: Role,
    /// Data in the SYN were acknowledged with it (`TCPI_OPT_SYN_DATA`).
    pub(crate) data_taken: bool,
    pub(crate) fail: ClientFail,
    pub(crate) news: Option<FastOpenNews>,
}

#[derive(Debug)]
pub(crate) enum Role {
    Client(Client),
    /// Opened by a SYN, its SYN-ACK is not acknowledged yet.
    Opening(SynAckPending),
    /// Opened by a SYN, and past that.
    Server,
}

/// The active side.
#[derive(Debug)]
pub(crate) struct Client {
    /// The option of the first SYN.
    pub(crate) option: Option<FastOpenCookie>,
    /// Data of the first SYN.
    pub(crate) data: Bytes,
    /// The SYN waits for the first write (`TCP_FASTOPEN_CONNECT`, `MSG_FASTOPEN`).
    pub(crate) waits: bool,
    /// The option has left.
    pub(crate) is_sent: bool,
    /// As long as the data may be.
    pub(crate) room: u16,
    pub(crate) probes_black_hole: bool,
}

/// The passive side before its SYN-ACK is acknowledged.
#[derive(Debug)]
pub(crate) struct SynAckPending {
    pub(crate) offer: Offer,
    pub(crate) peer: PeerSyn,
    /// The option of the first SYN-ACK.
    pub(crate) option: Option<FastOpenCookie>,
    /// The application has shut its side down; the FIN follows the acknowledgment, as on Linux.
    pub(crate) fin_queued: bool,
}

impl FastOpen {
    pub(crate) fn new(role: Role) -> Box<FastOpen> {
        Box::new(FastOpen { role, data_taken: false, fail: ClientFail::None, news: None })
    }

    pub(crate) fn client(&self) -> Option<&Client> {
        match &self.role {
            Role::Client(client) => Some(client),
            Role::Opening(_) | Role::Server => None,
        }
    }

    pub(crate) fn client_mut(&mut self) -> Option<&mut Client> {
        match &mut self.role {
            Role::Client(client) => Some(client),
            Role::Opening(_) | Role::Server => None,
        }
    }

    pub(crate) fn opening(&self) -> Option<&SynAckPending> {
        match &self.role {
            Role::Opening(pending) => Some(pending),
            Role::Client(_) | Role::Server => None,
        }
    }

    pub(crate) fn opening_mut(&mut self) -> Option<&mut SynAckPending> {
        match &mut self.role {
            Role::Opening(pending) => Some(pending),
            Role::Client(_) | Role::Server => None,
        }
    }
}
