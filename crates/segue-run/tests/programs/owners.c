/* Whose sockets share a port by SO_REUSEPORT. To be run as root, who may be anybody. */
#include "check.h"

enum { OTHER = 12345 };

static int made(int kind, int port) {
    int s = socket(AF_INET, kind, 0), one = 1;
    need(s >= 0, "socket");
    need(setsockopt(s, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) == 0, "SO_REUSEPORT");
    struct sockaddr_in a = local(port);
    return bind(s, (void *)&a, sizeof a) == 0 ? s : (close(s), -1);
}

/* The answer to a bind of another user's. */
static const char *other(int kind, int port) {
    need(seteuid(OTHER) == 0, "seteuid");
    const char *answer = err(made(kind, port));
    need(seteuid(0) == 0, "seteuid back");
    return answer;
}

int main(void) {
    for (int stream = 0; stream < 2; stream++) {
        int kind = stream ? SOCK_STREAM : SOCK_DGRAM, first = made(kind, 0), port = port_of(first);
        say("%s: another user's %s, the same user's %s", stream ? "stream" : "datagram", other(kind, port), err(made(kind, port)));
    }
    int listener = made(SOCK_STREAM, 0), port = port_of(listener);
    need(listen(listener, 4) == 0, "listen");
    say("beside a listener: another user's %s, the same user's %s", other(SOCK_STREAM, port), err(made(SOCK_STREAM, port)));
    /* A worker that has dropped its privileges takes a connection; its master begins anew. */
    int client = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = local(port);
    need(connect(client, (void *)&a, sizeof a) == 0, "connect");
    int ready[2];
    need(pipe(ready) == 0, "pipe");
    pid_t worker = fork();
    if (worker == 0) {
        need(setuid(OTHER) == 0, "setuid");
        need(accept(listener, NULL, NULL) >= 0, "accept");
        need(write(ready[1], "", 1) == 1, "write");
        pause();
    }
    char byte;
    need(read(ready[0], &byte, 1) == 1, "the worker");
    int next = made(SOCK_STREAM, port);
    say("the next master %s, listens %s; another user's %s", err(next), err(listen(next, 4)), other(SOCK_STREAM, port));
    kill(worker, SIGKILL);
    waitpid(worker, NULL, 0);
    return 0;
}
