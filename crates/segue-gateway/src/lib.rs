//! User-mode NAT: flows that reach the stack leave as host sockets.
