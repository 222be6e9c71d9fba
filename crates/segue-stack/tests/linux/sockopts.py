#!/usr/bin/env python3
"""Ask this machine's kernel what every socket option answers: before, and after each of several values was set.

The first line has the numbers that are set, in hexadecimal. Each further line is about one option of which the kernel knows
more than ENOPROTOOPT, for all kinds of sockets that answer alike:

    KIND,KIND... LEVEL NAME BEFORE ANSWER[*COUNT]... VALUE:ANSWER... roomN:ANSWER...

A kind is tcp4, tcp6, udp4, udp6, icmp4 or icmp6 for a fresh socket, with `-listen` or `-open` behind it for a listener and
for a connection. BEFORE and ANSWER are what getsockopt() gives with room for 64 bytes, in hexadecimal (`-` nothing), or the
errno's name; ANSWER is the errno of setsockopt() where that fails, `ok` where only getsockopt() does, `=` what was set. First come the answers to the numbers
of the first line, in turn, then other values with theirs. `roomN` is what getsockopt() gives with room for N bytes.
Options that hold more than 64 bytes or change by themselves are left out.

    unshare -n sh -c 'ip link set lo up; sysctl -qw net.ipv4.ping_group_range="0 100"
        net.ipv4.tcp_rmem="4096 131072 33554432" net.ipv4.tcp_wmem="4096 16384 4194304"
        net.ipv4.tcp_congestion_control=reno; python3 sockopts.py' > sockopts.txt
"""
import errno
import itertools
import socket
import struct

INTS = [0, 1, 2, 3, 5, 6, 7, 47, 64, 87, 88, 120, 121, 127, 128, 255, 256, 536, 1000, 1280, 2000, 4000, 8000, 32767]
INTS += [32768, 65535, 65536, 70000, 120000, 120001, 200000, 1 << 20, 0x7FFFFFFF, -2, -1, -(1 << 31)]
KINDS = {
    "tcp4": (socket.AF_INET, socket.SOCK_STREAM, 0),
    "tcp6": (socket.AF_INET6, socket.SOCK_STREAM, 0),
    "udp4": (socket.AF_INET, socket.SOCK_DGRAM, 0),
    "udp6": (socket.AF_INET6, socket.SOCK_DGRAM, 0),
    "icmp4": (socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP),
    "icmp6": (socket.AF_INET6, socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6),
}
SOCKET, IP, TCP, UDP, IPV6 = 1, 0, 6, 17, 41
# SO_PEERNAME, SO_PEERSEC; SO_COOKIE, SO_MEMINFO and SO_NETNS_COOKIE; IP_PROTOCOL (a port); TCP_INFO, TCP_TIMESTAMP: differ each time.
SKIPPED = {(SOCKET, 28), (SOCKET, 31), (SOCKET, 55), (SOCKET, 57), (SOCKET, 71), (IP, 52), (TCP, 11), (TCP, 24), (TCP, 26)}
# Netfilter's.
SKIPPED |= {(IPV6, 64), (IPV6, 65), (IPV6, 68), (IPV6, 69)}
# Values beside numbers: for structures, addresses, names.
v4 = socket.inet_aton
v6 = lambda text: socket.inet_pton(socket.AF_INET6, text)
long = lambda *n: struct.pack("%dq" % len(n), *n)
words = lambda *n: struct.pack("%di" % len(n), *n)
STRUCTURES = {
    (SOCKET, 13): [words(0, 0), words(1, 0), words(1, 7), words(5, 1 << 20)],
    (SOCKET, 20): [long(0, 0), long(3, 500000), long(3, 1000000), long(3, -1), long(-1, 0), long(1 << 40, 0)],
    (SOCKET, 21): [long(0, 0), long(3, 500000), long(3, 1000000), long(3, -1), long(-1, 0)],
    (SOCKET, 66): [long(0, 0), long(3, 500000), long(3, 1000000)],
    (SOCKET, 67): [long(0, 0), long(3, 500000), long(3, 1000000)],
    (SOCKET, 25): [b"", b"lo", b"lo\0", b"nonesuch0", b"lo\0rubbish", b"0123456789abcdef"],
    (SOCKET, 37): [words(0x10, 0), words(0x8000, 0), words(0x8000, 7)],
    (SOCKET, 47): [struct.pack("Q", n) for n in (0, 1, 1 << 33, (1 << 64) - 1)],
    (SOCKET, 61): [words(1, 0), words(1, 1), words(1, 3), words(1, 4), words(0, 0), words(11, 0), words(2, 0)],
    (IP, 8): [words(1, 0, 0)],
    (IP, 32): [b"", v4("0.0.0.0"), v4("127.0.0.1"), v4("10.9.9.9"), v4("0.0.0.0") * 2, v4("0.0.0.0") + v4("127.0.0.1")]
    + [v4("0.0.0.0") * 2 + words(n) for n in (0, 1, 99)] + [v4("0.0.0.0") + v4("127.0.0.1") + words(0)],
    (IP, 35): [v4("224.1.2.3") + v4("127.0.0.1"), v4("224.1.2.3") + v4("10.9.9.9"), v4("10.1.2.3") + v4("127.0.0.1")]
    + [v4("224.1.2.3") + v4("0.0.0.0") + words(n) for n in (0, 1, 99)] + [v4("224.1.2.3")],
    (IP, 36): [v4("224.1.2.3") + v4("127.0.0.1"), v4("10.1.2.3") + v4("127.0.0.1"), v4("224.1.2.3")],
    (IP, 37): [v4("224.1.2.3") + v4("127.0.0.1") + v4("10.0.0.1")],
    (IP, 38): [v4("224.1.2.3") + v4("127.0.0.1") + v4("10.0.0.1")],
    (IP, 39): [v4("232.1.2.3") + v4("127.0.0.1") + v4("10.0.0.1"), v4("10.1.2.3") + v4("127.0.0.1") + v4("10.0.0.1")],
    (IP, 40): [v4("232.1.2.3") + v4("127.0.0.1") + v4("10.0.0.1")],
    (IP, 50): [struct.pack("!i", n) for n in (0, 1, 99)],
    (IP, 51): [struct.pack("I", n) for n in (40000 | 50000 << 16, 50000 | 40000 << 16, 40000, 50000 << 16)],
    (IPV6, 20): [v6("ff02::99") + words(n) for n in (0, 1, 99)] + [v6("fd00::1") + words(1), v6("ff02::99")],
    (IPV6, 21): [v6("ff02::99") + words(n) for n in (0, 1, 99)] + [v6("fd00::1") + words(1), v6("ff02::99")],
    (IPV6, 50): [v6("::") + words(0), v6("::1") + words(0), v6("::") + words(1), v6("fd99::9") + words(0), v6("::") + words(99)],
    (IPV6, 76): [struct.pack("!i", n) for n in (0, 1, 99)],
    (TCP, 13): [b"reno", b"reno\0", b"cubic", b"nonesuch", b"", b"\0", b"0123456789abcdefghijk"],
    (TCP, 31): [b"nonesuch", b""],
}
SHORT = [b"", b"\x01", b"\x01\0", b"\x01\0\0", words(1, 0), b"\x01\0\0\0\0"]


def name_of(e):
    # Python's table has two names for 95.
    return "EOPNOTSUPP" if e.errno == errno.EOPNOTSUPP else errno.errorcode[e.errno]


def get(s, level, name, room=64):
    try:
        return s.getsockopt(level, name, room).hex() or "-" if room else str(s.getsockopt(level, name, 0))
    except OSError as e:
        return name_of(e)


def put(s, level, name, value):
    try:
        s.setsockopt(level, name, value)
        return None
    except OSError as e:
        return name_of(e)


def make(kind):
    """A socket of a kind, and what must not be collected while it is used."""
    base, _, state = kind.partition("-")
    family = KINDS[base][0]
    s = socket.socket(*KINDS[base])
    home = "127.0.0.1" if family == socket.AF_INET else "::1"
    if state == "listen":
        s.bind((home, 0))
        s.listen(3)
    elif state == "open" and base.startswith("tcp"):
        other = socket.socket(family, socket.SOCK_STREAM)
        other.bind((home, 0))
        other.listen(3)
        s.connect(other.getsockname())
        return s, (other, other.accept())
    elif state == "open":
        s.connect((home, 9))
    return s, None


def answer(s, level, name, value):
    error = put(s, level, name, value)
    if error:
        return error
    after = get(s, level, name)
    return "ok" if after.startswith("E") else "=" if after == value.hex() else after


def line(kind, level, name):
    """What is known of one option; None: nothing."""

    def fresh(ask):
        s, kept = make(kind)
        result = ask(s)
        s.close()
        del kept
        return result

    before = fresh(lambda s: get(s, level, name))
    numbers = [fresh(lambda s: answer(s, level, name, words(n))) for n in INTS]
    others = [(v, fresh(lambda s: answer(s, level, name, v))) for v in STRUCTURES.get((level, name), []) + SHORT]
    rooms = ["room%d:%s" % (room, fresh(lambda s: get(s, level, name, room))) for room in (1, 3, 4, 8, 11)]
    known = {before, *numbers, *(a for _, a in others), *(room.split(":")[1] for room in rooms)}
    if not known - {"ENOPROTOOPT"} or not known - {"EOPNOTSUPP", "ENOPROTOOPT"}:
        return None
    counted = []
    for a, group in itertools.groupby(numbers):
        count = len(list(group))
        counted.append(a if count == 1 else "%s*%d" % (a, count))
    return " ".join([before] + counted + ["%s:%s" % (v.hex() or "-", a) for v, a in others] + rooms)


def ranges():
    yield from ((SOCKET, n) for n in range(1, 84))
    yield from ((IP, n) for n in list(range(1, 53)))
    yield from ((TCP, n) for n in range(1, 48))
    yield from ((UDP, n) for n in list(range(1, 12)) + list(range(100, 106)))
    yield from ((IPV6, n) for n in range(1, 80))


def kinds():
    for kind in KINDS:
        yield kind
        if kind.startswith("tcp"):
            yield kind + "-listen"
        if not kind.startswith("icmp"):
            yield kind + "-open"


print("numbers", *(words(n).hex() for n in INTS))
for option in ranges():
    if option in SKIPPED:
        continue
    alike = {}
    for kind in kinds():
        alike.setdefault(line(kind, *option), []).append(kind)
    for rest, names in alike.items():
        if rest is not None:
            print(",".join(names), *option, rest)
