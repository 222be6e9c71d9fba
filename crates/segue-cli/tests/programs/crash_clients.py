"""A thousand clients of the kernel's, in every state, of a server that is stopped, killed and started again.

Arguments: the server's address. Says where it is in lines on standard output and is told to go on by lines on standard
input; the last line is what became of whom, as JSON.
"""
import errno
import json
import resource
import select
import socket
import sys
import time
from collections import Counter

HOST = sys.argv[1]
ECHO, CHARGEN = 7, 19
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def connect(port, window=None):
    client = socket.socket()
    if window:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    client.settimeout(30)
    client.connect((HOST, port))
    return client


def keep_alive(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)


def say(word):
    print(word, flush=True)


def end_of(client):
    """What a reader sees in the end."""
    try:
        while True:
            if not client.recv(65536):
                return "EOF"
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))


groups = {
    "idle, keep-alive": [connect(ECHO) for _ in range(150)],
    "idle": [connect(ECHO) for _ in range(200)],
    "window shut": [connect(CHARGEN, 4096) for _ in range(100)],
    "FIN-WAIT-2": [connect(CHARGEN, 4096) for _ in range(100)],
    "user timeout": [connect(ECHO) for _ in range(100)],
    "in flight": [connect(ECHO) for _ in range(150)],
    "FIN-WAIT-1": [connect(ECHO) for _ in range(100)],
}
for name in ("idle, keep-alive", "window shut", "FIN-WAIT-2"):
    for client in groups[name]:
        keep_alive(client)
for client in groups["FIN-WAIT-2"]:
    client.shutdown(socket.SHUT_WR)
for client in groups["user timeout"]:
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1500)
say("open")

sys.stdin.readline()  # The server has stopped.
for name in ("user timeout", "in flight"):
    for client in groups[name]:
        client.send(b"nobody reads this")
for client in groups["FIN-WAIT-1"]:
    client.shutdown(socket.SHUT_WR)
connecting = []
for _ in range(100):
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex((HOST, ECHO))
    connecting.append(client)
ends = {"user timeout": Counter(end_of(client) for client in groups["user timeout"])}
say("waiting")

sys.stdin.readline()  # Another server listens in its place.
for client in groups["idle"]:
    client.send(b"who are you?")
for name, clients in groups.items():
    if name not in ends:
        ends[name] = Counter(end_of(client) for client in clients)
ends["SYN-SENT"] = Counter()
for client in connecting:
    select.select([], [client], [], 60)
    error = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error == 0:
        client.setblocking(True)
        client.settimeout(30)
        client.sendall(b"hello")
        error = "connected" if client.recv(16) == b"hello" else "wrong answer"
    ends["SYN-SENT"][error] += 1
say(json.dumps(ends))
