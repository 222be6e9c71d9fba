/* Half-close, reset, CLOSE-WAIT, the broken pipe, and coming back on a port. */
#include "check.h"
#define ALL (POLLIN | POLLOUT | POLLRDHUP)
static volatile sig_atomic_t pipes;
static void on_pipe(int signal) {
    (void)signal;
    pipes++;
}
static void linger_zero(int fd) {
    struct linger l = {1, 0};
    need(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l) == 0, "SO_LINGER");
}
int main(void) {
    signal(SIGPIPE, on_pipe);
    char b[64];
    int s = server(5, 0), port = port_of(s), c = client(port), t = accept(s, NULL, NULL);

    need(write(c, "question", 8) == 8, "write");
    need(shutdown(c, SHUT_WR) == 0, "shutdown");
    say("half-closed: server reads %zd", read(t, b, 64));
    say("then %zd", read(t, b, 64));
    pause_ms(20);
    say("still answers %zd", write(t, "answer", 6));
    say("client reads %zd", read(c, b, 64));
    const char *how = err(write(c, "x", 1));
    say("client writes: %s, SIGPIPE %d", how, pipes);
    close(t);
    say("client then reads %zd", read(c, b, 64));
    close(c);

    c = client(port), t = accept(s, NULL, NULL);
    need(write(t, "queued", 6) == 6, "write");
    polled(c, POLLIN, 5000);
    linger_zero(t);
    close(t);
    say("reset polls %s", bits(polled(c, POLLRDHUP, 5000) | polled(c, ALL, 0)));
    say("what was queued %zd", read(c, b, 64));
    ssize_t n = read(c, b, 64);
    say("linger zero: %s", err(n));
    say("then %zd", read(c, b, 64));
    close(c);

    c = client(port), t = accept(s, NULL, NULL);
    linger_zero(t);
    close(t);
    polled(c, POLLRDHUP, 5000);
    say("SO_ERROR %s", name_of(so_error(c)));
    say("SO_ERROR again %s", name_of(so_error(c)));
    say("read %zd", read(c, b, 64));
    close(c);

    c = client(port), t = accept(s, NULL, NULL);
    need(write(c, "last", 4) == 4 && shutdown(c, SHUT_WR) == 0, "shutdown");
    say("half-closed: server reads %zd", read(t, b, 64));
    say("then %zd", read(t, b, 64));
    linger_zero(t);
    close(t);
    n = read(c, b, 64);
    say("reset after the half-close: %s", err(n));
    close(c);

    c = client(port), t = accept(s, NULL, NULL);
    need(write(t, "unread", 6) == 6 && shutdown(t, SHUT_WR) == 0, "write");
    polled(c, POLLIN, 5000);
    need(shutdown(c, SHUT_WR) == 0, "shutdown");
    say("server reads %zd", read(t, b, 64));
    close(c), close(t);

    c = client(port), t = accept(s, NULL, NULL);
    need(write(c, "unread", 6) == 6, "write");
    polled(t, POLLIN, 5000);
    close(t);
    n = read(c, b, 64);
    say("closed with unread data: %s", err(n));
    close(c);

    c = client(port), t = accept(s, NULL, NULL);
    close(c);
    say("CLOSE-WAIT: server reads %zd", read(t, b, 64));
    say("and polls %s", bits(polled(t, ALL, 0)));
    say("first write %zd", write(t, "x", 1));
    pause_ms(300);
    pipes = 0;
    how = err(write(t, "x", 1));
    say("second write: %s, SIGPIPE %d", how, pipes);
    close(t);

    c = client(port), t = accept(s, NULL, NULL);
    say("SHUT_RD %s", err(shutdown(c, SHUT_RD)));
    say("read %zd", read(c, b, 64));
    say("still writes %zd", write(c, "out", 3));
    say("received %zd", read(t, b, 64));
    say("SHUT_RDWR %s", err(shutdown(c, SHUT_RDWR)));
    say("server sees %zd", read(t, b, 64));
    close(c), close(t);

    c = client(port), t = accept(s, NULL, NULL);
    close(t), close(s);
    pause_ms(20);
    s = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = local(port);
    say("bind again: %s", err(bind(s, (void *)&a, sizeof a)));
    close(s);
    s = socket(AF_INET, SOCK_STREAM, 0);
    int one = 1;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    say("with SO_REUSEADDR: %s", err(bind(s, (void *)&a, sizeof a)));
    say("listen: %s", err(listen(s, 5)));
    int d = client(port);
    say("serves %d", accept(s, NULL, NULL) >= 0);
    close(c), close(d);
    close(s);
    c = socket(AF_INET, SOCK_STREAM, 0);
    say("a closed listener refuses: %s", err(connect(c, (void *)&a, sizeof a)));
    return 0;
}
