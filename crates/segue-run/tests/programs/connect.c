/* connect(2), blocking and not, to ports that listen and ports that do not. */
#include "check.h"
#define ALL (POLLIN | POLLOUT | POLLRDHUP)

static int again(int fd, int port) {
    struct sockaddr_in a = local(port);
    return connect(fd, (void *)&a, sizeof a);
}
int main(void) {
    int s = server(5, 0), port = port_of(s), closed = closed_port();
    int c = socket(AF_INET, SOCK_STREAM, 0);
    say("fresh polls %s", bits(polled(c, ALL, 0)));
    say("refused: %s", err(again(c, closed)));
    say("the same descriptor then: %s", err(again(c, port)));
    say("again: %s", err(again(c, port)));
    say("connected polls %s", bits(polled(c, ALL, 0)));
    struct sockaddr_in a;
    socklen_t n = sizeof a;
    say("peer is the server %d", getpeername(c, (void *)&a, &n) == 0 && ntohs(a.sin_port) == port);
    int t = accept(s, (void *)&a, &n);
    say("the server sees the client %d", t >= 0 && ntohs(a.sin_port) == port_of(c));
    close(c);
    close(t);

    c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    say("not blocking: %s", err(again(c, port)));
    say("becomes %s", bits(polled(c, POLLOUT, 5000)));
    say("SO_ERROR %s", name_of(so_error(c)));
    say("first connect after: %s", err(again(c, port)));
    say("second connect after: %s", err(again(c, port)));
    t = accept(s, NULL, NULL);
    need(t >= 0, "accept");
    say("write %zd", write(c, "hello", 5));
    char buffer[16];
    say("read %zd", read(t, buffer, sizeof buffer));
    close(c);
    say("end %zd", read(t, buffer, sizeof buffer));
    close(t);

    c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    say("not blocking, closed port: %s", err(again(c, closed)));
    int e = epoll_create1(0);
    struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
    epoll_ctl(e, EPOLL_CTL_ADD, c, &ev);
    need(epoll_wait(e, &ev, 1, 5000) == 1, "epoll");
    say("becomes %s", bits(polled(c, ALL, 5000)));
    say("SO_ERROR %s", name_of(so_error(c)));
    say("SO_ERROR again %s", name_of(so_error(c)));
    say("read %zd %s", read(c, buffer, 1), "");
    signal(SIGPIPE, SIG_IGN);
    say("write: %s", err(write(c, "x", 1)));
    say("first connect after: %s", err(again(c, port)));
    say("second connect after: %s", err(again(c, port)));
    say("becomes %d", polled(c, POLLOUT, 5000) & POLLOUT);
    say("SO_ERROR %s", name_of(so_error(c)));
    t = accept(s, NULL, NULL);
    say("write %zd", write(c, "again", 5));
    say("read %zd", read(t, buffer, sizeof buffer));
    say("shutdown of a fresh socket: %s", err(shutdown(socket(AF_INET, SOCK_STREAM, 0), SHUT_RDWR)));
    n = sizeof a;
    say("peer of a fresh socket: %s", err(getpeername(socket(AF_INET, SOCK_STREAM, 0), (void *)&a, &n)));
    say("accept without listen: %s", err(accept(socket(AF_INET, SOCK_STREAM, 0), NULL, NULL)));
    say("short address: %s", err(connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&a, 3)));
    a.sin_family = AF_INET6;
    say("other family: %s", err(connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&a, sizeof a)));
    return 0;
}
