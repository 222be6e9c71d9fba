#!/usr/bin/env python3
"""Ask this machine's kernel what socket options answer: on a fresh socket, and after each of several values.

One line per kind of socket and option: the value before, then for every value tried the value read back, or the error.
`short` is what a value one byte long gives.

    unshare -n sh -c 'ip link set lo up; sysctl -qw net.ipv4.tcp_rmem="4096 131072 33554432"
        net.ipv4.tcp_wmem="4096 16384 4194304"; python3 sockopts.py' > sockopts.txt
"""
import errno
import socket
import struct

VALUES = [0, 1, 2, 3, 5, 6, 7, 47, 64, 87, 88, 120, 121, 127, 128, 255, 256, 1000, 2000, 32767, 32768, 70000, -1]
KINDS = {
    "tcp4": (socket.AF_INET, socket.SOCK_STREAM),
    "tcp6": (socket.AF_INET6, socket.SOCK_STREAM),
    "udp4": (socket.AF_INET, socket.SOCK_DGRAM),
    "udp6": (socket.AF_INET6, socket.SOCK_DGRAM),
}
SOCKET, IP, TCP, IPV6 = 1, 0, 6, 41
OPTIONS = (
    [(SOCKET, n) for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 18, 19, 29, 30, 38, 39, 999)]
    + [(IP, n) for n in (1, 2, 8, 10, 11, 12, 13, 14, 15, 24, 33, 34, 999)]
    + [(TCP, n) for n in (1, 2, 3, 4, 5, 6, 7, 8, 10, 18, 25, 999)]
    + [(IPV6, n) for n in (16, 18, 19, 23, 24, 25, 26, 49, 51, 66, 67, 999)]
    + [(777, 1)]
)


def name_of(e):
    # Python's table has two names for 95.
    return "EOPNOTSUPP" if e.errno == errno.EOPNOTSUPP else errno.errorcode[e.errno]


def get(s, level, name):
    try:
        return str(s.getsockopt(level, name))
    except OSError as e:
        return name_of(e)


def put(s, level, name, value):
    try:
        s.setsockopt(level, name, value)
        return None
    except OSError as e:
        return name_of(e)


for kind, (family, type_) in KINDS.items():
    for level, name in OPTIONS:
        words = [get(socket.socket(family, type_), level, name)]
        for value in VALUES:
            s = socket.socket(family, type_)
            words.append("%d:%s" % (value, put(s, level, name, value) or get(s, level, name)))
        s = socket.socket(family, type_)
        words.append("short:%s" % (put(s, level, name, b"\x01") or get(s, level, name)))
        print(kind, level, name, *words)
