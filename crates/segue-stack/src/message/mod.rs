//! Messages with control data: what recvmsg(2) gives and sendmsg(2) takes beside the bytes.
//!
//! Decides how control messages look as types and as bytes (cmsg(3), x86_64), what stands in an error queue and in which
//! order. When a message is made is decided where its cause is known: arrival, transmission, acknowledgement, ICMP.
mod buffer;
mod control;
mod extended_error;

use core::net::SocketAddr;

pub use buffer::{ControlError, decode_control, encode_control};
pub use control::{ControlMessage, PacketInfo};
pub use extended_error::{ErrorOrigin, ExtendedError};

use crate::MsgFlags;

/// What [`recv_message`](crate::Stack::recv_message) received.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReceivedMessage {
    /// Bytes put into the buffer (or thrown away, on a stream with `MSG_TRUNC`).
    pub len: usize,
    /// Bytes the datagram had; more than `len` when it was cut.
    pub full_len: usize,
    /// `msg_name`: who sent a datagram, or where the packet went that an error is about. `None` on a stream.
    /// On an `AF_INET6` socket an IPv4 address is v4-mapped.
    pub from: Option<SocketAddr>,
    /// Control messages in Linux's order. [`encode_control`] makes them bytes.
    pub control: Vec<ControlMessage>,
    /// `msg_flags`: `TRUNC`, `OOB`, `ERRQUEUE`. `CTRUNC` depends on the room for control bytes and comes from
    /// [`encode_control`].
    pub flags: MsgFlags,
}
