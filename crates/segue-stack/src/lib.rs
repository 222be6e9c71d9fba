//! An IP host without I/O: routes, ICMP, UDP, TCP sockets with Linux semantics, sysctls.
