"""A thousand clients of a published port, in every state, of a server that is killed and started again.

Arguments: the port. Says where it is in lines on standard output and is told to go on by a line on standard input; the last
line is what became of whom, as JSON.
"""
import errno
import json
import resource
import socket
import sys
import time
from collections import Counter

PORT = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def visit(kind):
    client = socket.socket()
    if kind == b"w":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(60)
    client.connect(("127.0.0.1", PORT))
    client.sendall(kind)
    assert client.recv(1) == b"!", "the server does not answer"
    return client


def end_of(client):
    """What a reader sees in the end."""
    try:
        while True:
            if not client.recv(65536):
                return "EOF"
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))


def refused(client):
    """What a writer sees in the end."""
    for _ in range(600):
        try:
            client.sendall(b"x")
        except OSError as error:
            return errno.errorcode.get(error.errno, str(error))
        time.sleep(0.01)
    return "written"


groups = {
    "idle": [visit(b"i") for _ in range(450)],
    "bytes not read": [visit(b"u") for _ in range(150)],
    "closed by the client": [visit(b"i") for _ in range(150)],
    "closed by the server": [visit(b"h") for _ in range(150)],
    "window shut": [visit(b"w") for _ in range(100)],
}
for client in groups["bytes not read"]:
    client.sendall(b"never read")
for client in groups["closed by the client"]:
    client.shutdown(socket.SHUT_WR)
for client in groups["closed by the server"]:
    assert client.recv(1) == b"", "the server closed its direction"
print("waiting", flush=True)
sys.stdin.readline()
for client in groups["window shut"]:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
ends = {name: dict(Counter(map(end_of, clients))) for name, clients in groups.items() if name != "closed by the server"}
ends["closed by the server"] = dict(Counter(map(refused, groups["closed by the server"])))
print(json.dumps(ends), flush=True)
