#!/usr/bin/env python3
"""Ask this machine's kernel what poll(2) says about a stream socket in each state, and what calls answer there.

One line per situation: its name, the poll bits, then the answers of further calls on the same socket.

    unshare -n sh -c 'ip link set lo up; python3 readiness.py' > readiness.txt

A TUN device that nobody reads stands for a peer that never answers.
"""
import errno
import fcntl
import os
import select
import subprocess
import socket
import struct
import time

BITS = [("IN", 1), ("PRI", 2), ("OUT", 4), ("ERR", 8), ("HUP", 16), ("RDHUP", 0x2000)]


def poll(s):
    p = select.poll()
    p.register(s, 1 | 2 | 4 | 0x2000)
    got = p.poll(0)
    mask = got[0][1] if got else 0
    return "|".join(name for name, bit in BITS if mask & bit) or "-"


def say(f, *a):
    try:
        r = f(*a)
        if isinstance(r, bytes):
            return "%d" % len(r)
        if isinstance(r, tuple):
            return "addr"
        return "ok" if r is None else str(r)
    except OSError as e:
        return errno.errorcode[e.errno]


def tcp():
    s = socket.socket()
    s.setblocking(False)
    return s


def so_error(s):
    n = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    return errno.errorcode[n] if n else "0"


CALLS = {
    "poll": poll,
    "recv": lambda s: say(s.recv, 100),
    "send": lambda s: say(s.send, b"x", socket.MSG_NOSIGNAL),
    "so_error": so_error,
    "peername": lambda s: say(s.getpeername),
    "accept": lambda s: say(s.accept),
    "listen": lambda s: say(s.listen, 1),
    "connect": lambda s: say(s.connect, ("127.0.0.1", 1)),
    "again": lambda s: say(s.connect, PEER[0]),
    "rd": lambda s: say(s.shutdown, socket.SHUT_RD),
    "wr": lambda s: say(s.shutdown, socket.SHUT_WR),
    "rdwr": lambda s: say(s.shutdown, socket.SHUT_RDWR),
    "oob": lambda s: say(s.recv, 1, socket.MSG_OOB),
    "peek": lambda s: say(s.recv, 100, socket.MSG_PEEK),
    "unspec": lambda s: UNSPEC(s),
    "bindagain": lambda s: say(s.bind, ("127.0.0.1", 0)),
}
PEER = [None]
KEEP = []

import ctypes

libc = ctypes.CDLL(None, use_errno=True)


def UNSPEC(s):
    r = libc.connect(s.fileno(), struct.pack("H14s", 0, b""), 16)
    return "ok" if r == 0 else errno.errorcode[ctypes.get_errno()]


def pair():
    l = socket.socket()
    l.bind(("127.0.0.1", 0))
    l.listen(8)
    a = tcp()
    PEER[0] = l.getsockname()
    a.connect_ex(PEER[0])
    b, _ = l.accept()
    b.setblocking(False)
    l.close()
    time.sleep(0.01)
    # The first connect() after success answers 0 once.
    assert a.connect_ex(PEER[0]) == 0
    KEEP.append(b)
    return a, b


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def show(name, s, *calls):
    time.sleep(0.02)
    print(name, *["%s=%s" % (c, CALLS[c](s)) for c in calls])


SILENT = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(SILENT, 0x400454CA, struct.pack("16sH", b"d0", 0x1001))
for command in ("ip addr add 10.9.0.1/24 dev d0", "ip link set d0 up"):
    subprocess.run(command.split(), check=True)

show("fresh", tcp(), "poll", "recv", "send", "accept", "peername", "so_error")
s = tcp(); s.bind(("127.0.0.1", 0))
show("bound", s, "poll", "recv", "send", "bindagain")
show("fresh-shut", tcp(), "rdwr", "poll", "recv", "send")
s = tcp(); s.listen(1)
show("listening", s, "poll", "recv", "send", "accept", "peername", "connect", "listen", "wr", "poll", "rd", "poll", "accept")
s = tcp(); s.bind(("127.0.0.1", 0)); s.listen(1)
c = tcp(); c.connect_ex(s.getsockname())
show("listening-waiting", s, "poll", "accept", "poll")
s = tcp(); s.connect_ex(("10.9.0.2", 9)); PEER[0] = ("10.9.0.2", 9)
show("connecting", s, "poll", "recv", "send", "again", "peername", "so_error", "listen", "bindagain")
s = tcp(); s.connect_ex(("10.9.0.2", 9))
show("connecting-unspec", s, "unspec", "poll", "so_error")
s = tcp(); s.connect_ex(("10.9.0.2", 9))
show("connecting-shut", s, "rdwr", "poll", "so_error", "poll")
s = tcp(); s.connect_ex(("127.0.0.1", 1)); PEER[0] = ("127.0.0.1", 1)
show("refused", s, "poll", "peername", "so_error", "poll", "recv", "send", "again", "again")
s = tcp(); s.connect_ex(("127.0.0.1", 1))
show("refused-recv", s, "recv", "recv", "poll")
s = tcp(); s.connect_ex(("127.0.0.1", 1))
show("refused-send", s, "send", "send", "poll")
s = tcp(); s.connect_ex(("127.0.0.1", 1))
show("refused-again", s, "again", "again")
a, b = pair()
show("connected", a, "poll", "recv", "again", "listen", "bindagain", "peername", "send")
a, b = pair(); b.send(b"12345")
show("data", a, "poll", "peek", "recv", "poll", "recv")
a, b = pair(); b.send(b"123"); b.close()
show("peer-closed-data", a, "poll", "recv", "poll", "recv", "recv", "peername")
a, b = pair(); b.close()
show("peer-closed", a, "poll", "recv", "send", "so_error")
a, b = pair(); b.shutdown(socket.SHUT_WR)
show("peer-half-closed", a, "poll", "recv", "send", "wr", "poll", "send", "peername")
a, b = pair(); a.shutdown(socket.SHUT_WR)
show("shut-wr", a, "poll", "recv", "send", "wr", "peername")
a, b = pair(); a.shutdown(socket.SHUT_RD)
show("shut-rd", a, "poll", "recv", "send")
a, b = pair(); a.shutdown(socket.SHUT_RD); b.send(b"123")
show("shut-rd-data", a, "poll", "recv", "recv")
a, b = pair(); a.shutdown(socket.SHUT_RDWR)
show("shut-rdwr", a, "poll", "recv", "send", "peername")
a, b = pair(); a.shutdown(socket.SHUT_RDWR); b.close()
show("shut-rdwr-peer-closed", a, "poll", "recv", "send", "peername", "rdwr")
a, b = pair(); a.shutdown(socket.SHUT_WR); b.close()
show("shut-wr-peer-closed", a, "poll", "recv", "send", "peername", "wr", "again")
a, b = pair(); b.send(b"123"); b.shutdown(socket.SHUT_WR); a.shutdown(socket.SHUT_WR)
show("both-half-closed-data", a, "poll", "recv", "recv", "send")
a, b = pair(); reset(b)
show("reset", a, "poll", "recv", "recv", "send", "poll", "peername", "again")
a, b = pair(); reset(b)
show("reset-send", a, "send", "send", "recv", "poll")
a, b = pair(); reset(b)
show("reset-so-error", a, "so_error", "so_error", "poll", "recv", "send", "rdwr")
a, b = pair(); b.send(b"123"); time.sleep(0.01); reset(b)
show("reset-data", a, "poll", "recv", "recv", "recv")
a, b = pair(); b.close(); time.sleep(0.01); a.send(b"1")
show("peer-closed-then-reset", a, "poll", "recv", "send")
a, b = pair(); b.send(b"xyz", socket.MSG_OOB)
show("urgent", a, "poll", "oob", "oob", "poll", "recv", "poll")
a, b = pair()
show("no-urgent", a, "oob")
a, b = pair()
try:
    while True:
        a.send(b"x" * 65536)
except BlockingIOError:
    pass
show("full", a, "poll", "send")
a, b = pair()
show("unspec", a, "unspec", "poll", "recv", "peername")
show("unspec-peer", b, "poll", "recv")
