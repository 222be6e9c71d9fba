//! TCP/IP in your process: tokio sockets over the Segue stack.
