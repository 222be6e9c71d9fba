/* close(2) that waits: SO_LINGER with a time. */
#include "check.h"
static long since(struct timespec *from) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - from->tv_sec) * 1000 + (now.tv_nsec - from->tv_nsec) / 1000000;
}
static void linger(int fd, int seconds) {
    struct linger l = {1, seconds};
    need(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l) == 0, "SO_LINGER");
}
/* Closes, and says what came of it and whether that took as long as it was to linger. */
static void timed_close(const char *what, int fd, int seconds) {
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    int result = close(fd);
    long took = since(&start);
    say("%s: close %s, %s", what, err(result),
        took >= seconds * 1000 - 5 ? (took < seconds * 1000 + 900 ? "after the time" : "far too late") : "before the time");
}
/* More than the other side takes unread. */
static void fill(int fd) {
    static char b[65536];
    nonblocking(fd, 1);
    for (int quiet = 0; quiet < 5;) {
        if (write(fd, b, sizeof b) > 0) quiet = 0;
        else quiet++, pause_ms(20);
    }
    nonblocking(fd, 0);
}
static void pair(int s, int port, int *c, int *t) {
    *c = client(port);
    *t = accept(s, NULL, NULL);
    need(*t >= 0, "accept");
}
int main(void) {
    signal(SIGPIPE, SIG_IGN);
    char b[64];
    int s = server(5, 0), port = port_of(s), c, t;

    pair(s, port, &c, &t);
    need(write(c, "all", 3) == 3, "write");
    linger(c, 3);
    timed_close("all is taken", c, 3);
    say("the peer reads %zd", read(t, b, 64));
    say("then %zd", read(t, b, 64));
    close(t);

    pair(s, port, &c, &t);
    linger(c, 1);
    fill(c);
    timed_close("the peer does not read", c, 1);
    close(t);

    pair(s, port, &c, &t);
    linger(c, 1);
    fill(c);
    nonblocking(c, 1);
    timed_close("not blocking", c, 1);
    close(t);

    pair(s, port, &c, &t);
    linger(c, 1);
    fill(c);
    int d = dup(c);
    timed_close("one of two descriptors", c, 1);
    timed_close("the other", d, 1);
    close(t);

    pair(s, port, &c, &t);
    linger(c, 1);
    fill(c);
    int go[2];
    need(pipe(go) == 0, "pipe");
    pid_t child = fork();
    if (child == 0) {
        close(go[1]);
        need(read(go[0], b, 1) == 0, "the parent's close");
        timed_close("the child's", c, 1);
        _exit(0);
    }
    timed_close("a child has it, too", c, 1);
    close(go[0]), close(go[1]);
    child_done(child);
    close(t);

    pair(s, port, &c, &t);
    linger(c, 3);
    need(write(t, "unread", 6) == 6, "write");
    polled(c, POLLIN, 5000);
    timed_close("not all was read", c, 3);
    say("the peer: %s", err(read(t, b, 64)));
    close(t);

    pair(s, port, &c, &t);
    linger(c, 3);
    linger(t, 0);
    close(t);
    polled(c, POLLRDHUP, 5000);
    timed_close("the peer has reset it", c, 3);

    pair(s, port, &c, &t);
    need(shutdown(c, SHUT_WR) == 0, "shutdown");
    say("the peer reads %zd", read(t, b, 64));
    linger(c, 3);
    timed_close("shut before", c, 3);
    close(t);
    return 0;
}
