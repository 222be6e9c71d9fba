#!/usr/bin/env python3
"""Ask this machine's kernel which two sockets may be bound to one port.

One line per protocol, state of the first socket, and the addresses of both; then sixteen characters, one per
combination of SO_REUSEADDR (a) and SO_REUSEPORT (p) on the first and the second socket, in the order
first in (-, a, p, ap) x second in (-, a, p, ap). `.`: the second bind succeeds (and, for TCP, its listen());
`L`: its bind succeeds, its listen() fails; `X`: its bind fails with EADDRINUSE.

    unshare -n sh -c 'ip link set lo up; python3 bind_conflicts.py' > bind_conflicts.txt
"""
import errno
import socket

ADDRESSES = {
    "any4": ("0.0.0.0", socket.AF_INET, False),
    "lo4": ("127.0.0.1", socket.AF_INET, False),
    "two4": ("127.0.0.2", socket.AF_INET, False),
    "any6": ("::", socket.AF_INET6, False),
    "only6": ("::", socket.AF_INET6, True),
    "lo6": ("::1", socket.AF_INET6, False),
    "map4": ("::ffff:127.0.0.1", socket.AF_INET6, False),
}
PORT = 20000


def make(kind, name, flags):
    address, family, only = ADDRESSES[name]
    s = socket.socket(family, kind)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(only))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int("a" in flags))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int("p" in flags))
    return s, (address, PORT)


def ask(kind, listening, first, second, f1, f2):
    a, where = make(kind, first, f1)
    a.bind(where)
    if listening:
        a.listen(1)
    b, where = make(kind, second, f2)
    try:
        try:
            b.bind(where)
        except OSError as e:
            assert e.errno == errno.EADDRINUSE, e
            return "X"
        if kind == socket.SOCK_STREAM:
            try:
                b.listen(1)
            except OSError as e:
                assert e.errno == errno.EADDRINUSE, e
                return "L"
        return "."
    finally:
        a.close()
        b.close()


for proto, kind in (("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)):
    for listening in (False, True) if proto == "tcp" else (False,):
        for first in ADDRESSES:
            for second in ADDRESSES:
                answers = "".join(
                    ask(kind, listening, first, second, f1, f2) for f1 in ("", "a", "p", "ap") for f2 in ("", "a", "p", "ap")
                )
                print(proto, "listening" if listening else "bound", first, second, answers)
