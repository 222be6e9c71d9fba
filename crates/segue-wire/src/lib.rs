//! Packet formats and checksums: Ethernet, ARP, IPv4, IPv6, ICMP, UDP, TCP.
