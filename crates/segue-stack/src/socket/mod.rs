//! Sockets with Linux's semantics.
mod types;

pub use types::{
    Domain, Held, HeldId, MsgFlags, Received, Reject, Shutdown, SocketEvent, SocketId, SocketType, Unreachable,
};
