/* SO_RCVLOWAT: from when on a stream is readable, what reads then give, and
   what an accepted socket has of it. */
#include "check.h"

static int get(int fd) {
    int value = -1;
    socklen_t n = sizeof value;
    need(getsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &value, &n) == 0, "get");
    return value;
}
static void set(int fd, int value) {
    need(setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value) == 0, "set");
}
static const char *readable(int fd, int wait) {
    struct pollfd p = {fd, POLLIN, 0};
    int n = poll(&p, 1, wait);
    return n == 0 ? "no" : p.revents == POLLIN ? "yes" : "otherwise";
}
static void give(int fd, int count) {
    static char bytes[1 << 20];
    need(write(fd, bytes, count) == count, "write");
}
struct later { int fd, count, after; };
static void *give_later(void *arg) {
    struct later *l = arg;
    usleep(l->after * 1000);
    give(l->fd, l->count);
    return NULL;
}

int main(void) {
    static char buffer[1 << 20];
    int s = server(5, 0);
    int c = socket(AF_INET, SOCK_STREAM, 0);
    say("at first %d", get(c));
    set(c, 0);
    say("none is %d", get(c));
    set(s, 100);
    struct sockaddr_in a = local(port_of(s));
    need(connect(c, (void *)&a, sizeof a) == 0, "connect");
    int d = accept(s, NULL, NULL);
    say("accepted %d", get(d));

    /* A socket that does not block. */
    fcntl(d, F_SETFL, O_NONBLOCK);
    int e = epoll_create1(0);
    struct epoll_event wanted = {.events = EPOLLIN | EPOLLET}, seen;
    epoll_ctl(e, EPOLL_CTL_ADD, d, &wanted);
    give(c, 60);
    say("60 of 100: %s, epoll %d", readable(d, 200), epoll_wait(e, &seen, 1, 0));
    give(c, 60);
    say("120 of 100: %s, epoll %d", readable(d, 5000), epoll_wait(e, &seen, 1, 5000));
    say("read %zd", read(d, buffer, sizeof buffer));
    say("again %s", err(read(d, buffer, sizeof buffer)));
    give(c, 30);
    say("30 of 100: %s", readable(d, 200));
    set(d, 20);
    say("30 of 20: %s", readable(d, 5000));
    say("read %zd", read(d, buffer, sizeof buffer));
    set(d, 200000);
    say("mark %d", get(d));
    for (int i = 0; i < 10; i++) give(c, 19000);
    say("190000 of 200000: %s", readable(d, 200));
    give(c, 19000);
    say("209000 of 200000: %s", readable(d, 5000));
    int got = 0;
    for (int n = 0; got < 209000; got += n) {
        n = read(d, buffer, sizeof buffer);
        if (n < 0) usleep(1000), n = 0;
    }
    say("read %d", got);

    /* One that does. */
    fcntl(d, F_SETFL, 0);
    set(d, 100);
    give(c, 50);
    usleep(150000);
    say("less than the mark is wanted: %zd", read(d, buffer, 10));
    say("and what is there: %zd", read(d, buffer, 40));
    pthread_t t;
    struct later m = {c, 100, 100};
    pthread_create(&t, NULL, give_later, &m);
    say("at once: %zd", read(d, buffer, sizeof buffer));
    pthread_join(t, NULL);
    struct timeval limit = {0, 300000};
    setsockopt(d, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    give(c, 40);
    say("until its time is over: %zd", read(d, buffer, sizeof buffer));

    /* The end of the stream is readable however little it is. */
    give(c, 5);
    shutdown(c, SHUT_WR);
    say("the end: %s", readable(d, 5000));
    ssize_t first = read(d, buffer, sizeof buffer);
    say("read %zd, then %zd", first, read(d, buffer, sizeof buffer));
    return 0;
}
