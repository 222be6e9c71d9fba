#!/usr/bin/env python3
"""Ask this machine's kernel which two sockets may be bound to one port.

One line per protocol, state of the first socket, and the addresses of both; then sixteen characters, one per
combination of SO_REUSEADDR (a) and SO_REUSEPORT (p) on the first and the second socket, in the order
first in (-, a, p, ap) x second in (-, a, p, ap). `.`: the second bind succeeds (and, for TCP, its listen());
`L`: its bind succeeds, its listen() fails; `X`: its bind fails with EADDRINUSE.

The first socket is bound, or listens, or it was accepted by a listener that has closed since and is now open or in
TIME-WAIT. `bound@lo-` and the like: the first, the second, or both are confined to an interface by SO_BINDTODEVICE.
`bound%other` and the like: the second socket is another user's. `open%taken`: both are the same user's, but another one has
accepted the connection. To be run as root, who may be anybody.

    unshare -n sh -c 'ip link set lo up; ip link add d1 type veth peer name d2; python3 bind_conflicts.py' > bind_conflicts.txt
"""
import contextlib
import errno
import os
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
# Where a client reaches a listener.
CLIENTS = {
    "any4": "127.0.0.1", "lo4": "127.0.0.1", "two4": "127.0.0.2", "any6": "::1", "only6": "::1", "lo6": "::1",
    "map4": "127.0.0.1",
}
DEVICES = ("lo-", "-lo", "lolo", "lod1")
PORT = 20000
OTHER = 12345


@contextlib.contextmanager
def user(uid):
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


def make(kind, name, flags, device=""):
    address, family, only = ADDRESSES[name]
    s = socket.socket(family, kind)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(only))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int("a" in flags))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int("p" in flags))
    if device:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    return s, (address, PORT)


def accepted(listener, name, is_over, uid):
    """What is left of a listener that took one connection."""
    listener.listen(1)
    to = CLIENTS[name]
    client = socket.create_connection((to, PORT))
    with user(uid):
        server, _ = listener.accept()
    listener.close()
    if not is_over:
        return [server, client]
    server.close()
    assert client.recv(1) == b""
    client.close()
    return []


def ask(kind, state, first, second, f1, f2):
    global PORT
    PORT += 1
    devices = {"lo-": ("lo", ""), "-lo": ("", "lo"), "lolo": ("lo", "lo"), "lod1": ("lo", "d1")}
    one, two = devices.get(state.partition("@")[2], ("", ""))
    state, _, users = state.partition("%")
    a, where = make(kind, first, f1, one)
    a.bind(where)
    held = [a]
    if state == "listening":
        a.listen(1)
    elif state in ("open", "timewait"):
        held = accepted(a, first, state == "timewait", OTHER if users == "taken" else 0)
    with user(OTHER if users == "other" else 0):
        b, where = make(kind, second, f2, two)
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
        b.close()
        for s in held:
            s.close()


for proto, kind in (("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)):
    states = ["bound", "listening", "open", "timewait"] if proto == "tcp" else ["bound"]
    users = [state + "%other" for state in states] + ["open%taken"] * (proto == "tcp")
    for state in states + ["bound@" + devices for devices in DEVICES] + users:
        for first in ADDRESSES:
            for second in ADDRESSES:
                if "@" in state and (first, second) not in (("any4", "lo4"), ("lo4", "lo4"), ("any6", "any6"), ("any4", "any6")):
                    continue
                answers = "".join(ask(kind, state, first, second, f1, f2) for f1 in ("", "a", "p", "ap") for f2 in ("", "a", "p", "ap"))
                print(proto, state, first, second, answers)
