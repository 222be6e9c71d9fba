//! Runs unmodified programs on Segue sockets (seccomp supervisor).
