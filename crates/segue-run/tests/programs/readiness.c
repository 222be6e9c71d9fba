/* What poll, select and epoll say of listeners and connections. */
#include "check.h"
#define ALL (POLLIN | POLLOUT | POLLRDHUP)
int main(void) {
    int s = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = local(0);
    need(bind(s, (void *)&a, sizeof a) == 0, "bind");
    say("bound polls %s", bits(polled(s, ALL, 0)));
    need(listen(s, 5) == 0, "listen");
    say("idle listener polls %s", bits(polled(s, ALL, 0)));
    int one = client(port_of(s)), two = client(port_of(s));
    say("with two waiting %s", bits(polled(s, POLLIN, 5000)));
    int x = accept(s, NULL, NULL);
    say("with one waiting %s", bits(polled(s, POLLIN, 5000)));
    fd_set set;
    FD_ZERO(&set);
    FD_SET(s, &set);
    struct timeval t = {5, 0};
    say("select %d", select(s + 1, &set, NULL, NULL, &t));
    int y = accept(s, NULL, NULL);
    say("with none %s", bits(polled(s, ALL, 0)));
    nonblocking(s, 1);
    say("accept: %s", err(accept(s, NULL, NULL)));
    int e = epoll_create1(0);
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET}, got;
    epoll_ctl(e, EPOLL_CTL_ADD, s, &ev);
    say("edge before %d", epoll_wait(e, &got, 1, 50));
    int three = client(port_of(s));
    say("edge for a connection %d", epoll_wait(e, &got, 1, 5000));
    say("no second edge %d", epoll_wait(e, &got, 1, 50));
    int z = accept(s, NULL, NULL);
    say("accepted %d", z >= 0);
    say("accept: %s", err(accept(s, NULL, NULL)));

    say("idle connection polls %s", bits(polled(x, ALL, 0)));
    need(write(one, "abc", 3) == 3, "write");
    say("with data %s", bits(polled(x, POLLIN, 5000)));
    int n = 0;
    ioctl(x, FIONREAD, &n);
    say("FIONREAD %d", n);
    char b[8];
    say("peek %zd", recv(x, b, 8, MSG_PEEK));
    say("read %zd", recv(x, b, 8, MSG_DONTWAIT));
    say("read: %s", err(recv(x, b, 8, MSG_DONTWAIT)));
    shutdown(one, SHUT_WR);
    polled(x, POLLRDHUP, 5000);
    say("after the peer's end %s", bits(polled(x, ALL, 5000)));
    pause_ms(300);
    say("settled %s", bits(polled(x, ALL, 0)));
    say("read %zd", read(x, b, 8));
    say("write back %zd", write(x, "def", 3));
    say("received %zd", read(one, b, 8));
    close(x);
    polled(one, POLLRDHUP, 5000);
    say("peer closed, both ended %zd", read(one, b, 8));
    pause_ms(300);
    say("polls %s", bits(polled(one, ALL, 5000)));
    close(two), close(y), close(three), close(z);
    return 0;
}
