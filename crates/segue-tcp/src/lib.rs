//! One TCP connection as a sans-I/O state machine (RFC 9293).
