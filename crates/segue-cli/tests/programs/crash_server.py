"""A server that is killed without warning, and the next one, which binds the same port at once.

Each line on standard input kills the server (SIGKILL) and starts another. The first byte that a client sends says how it is
served: `i` idle, `u` nothing more is read, `h` half-closed by the server, `w` written to without end.
"""
import os
import signal
import socket
import sys
import threading

PORT = 8080


def written_to(client):
    while True:
        client.sendall(bytes(65536))


def serve():
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("0.0.0.0", PORT))
        server.listen(1024)
        held = []
        while True:
            client, _ = server.accept()
            kind = client.recv(1)
            client.sendall(b"!")
            held.append(client)
            if kind == b"h":
                client.shutdown(socket.SHUT_WR)
            elif kind == b"w":
                threading.Thread(target=written_to, args=(client,), daemon=True).start()


def start():
    child = os.fork()
    if child == 0:
        serve()
    return child


child = start()
for _ in sys.stdin:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    child = start()
