/* What a stream tells of its bytes, and what its error queue says of those it has sent. */
#include "check.h"
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>

static char space[512];
static ssize_t receive(int fd, char *into, size_t room, int flags, struct msghdr *m) {
    static struct iovec v;
    v = (struct iovec){into, room};
    for (int i = 0;; i++) {
        *m = (struct msghdr){.msg_iov = &v, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
        ssize_t n = recvmsg(fd, m, flags);
        if (n >= 0 || errno != EAGAIN || i == 500) return n;
        usleep(10000);
    }
}
static const char *age(struct timespec *then) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec - then->tv_sec >= 0 && now.tv_sec - then->tv_sec < 20 ? "just now" : "another time";
}
static void tell(struct msghdr *m) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        int value;
        memcpy(&value, CMSG_DATA(c), sizeof value);
        if (c->cmsg_level == SOL_TCP && c->cmsg_type == TCP_INQ) {
            say("  inq %d", value);
        } else if (c->cmsg_level == SOL_SOCKET && (c->cmsg_type == SCM_TIMESTAMPNS || c->cmsg_type == SCM_TIMESTAMPING)) {
            say("  time %s, %s", c->cmsg_type == SCM_TIMESTAMPNS ? "ns" : "stamping", age((void *)CMSG_DATA(c)));
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) {
            struct sock_extended_err *e = (void *)CMSG_DATA(c);
            say("  errno %s origin %d type %d code %d info %d data %d", name_of(e->ee_errno), e->ee_origin, e->ee_type,
                e->ee_code, e->ee_info, e->ee_data);
        } else {
            say("  level %d type %d of %zu", c->cmsg_level, c->cmsg_type, (size_t)c->cmsg_len);
        }
    }
}
static void set(int fd, int level, int name, int value) { need(setsockopt(fd, level, name, &value, sizeof value) == 0, "setsockopt"); }
static ssize_t send_with(int fd, const char *text, int level, int type, int value, int flags, int malformed) {
    char room[CMSG_SPACE(sizeof value)] = {0};
    struct iovec v = {(char *)text, strlen(text)};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){.cmsg_level = level, .cmsg_type = type, .cmsg_len = malformed ? 3 : CMSG_LEN(sizeof value)};
    memcpy(CMSG_DATA(c), &value, sizeof value);
    return sendmsg(fd, &m, flags);
}
static void queue(int fd, int entries) {
    struct msghdr m;
    char b[64];
    while (entries--) {
        ssize_t n = receive(fd, b, sizeof b, MSG_ERRQUEUE, &m);
        say("error queue %zd %s, flags %s", n, err(n), m.msg_flags & MSG_ERRQUEUE ? "ERRQUEUE" : "none");
        tell(&m);
    }
    struct iovec v = {b, sizeof b};
    m = (struct msghdr){.msg_iov = &v, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    say("then %s", err(recvmsg(fd, &m, MSG_ERRQUEUE)));
}
static void *later(void *fd) {
    pause_ms(150);
    write_all(*(int *)fd, "late", 4);
    return NULL;
}
int main(void) {
    struct msghdr m;
    char b[64];
    int s = server(5, 0), c = client(port_of(s)), a = accept(s, NULL, NULL);
    write_all(c, "0123456789", 10);
    need(polled(a, POLLIN, 5000) & POLLIN, "readable");
    say("nothing asked %zd", receive(a, b, 2, 0, &m));
    say("control %zu", (size_t)m.msg_controllen);
    set(a, SOL_TCP, TCP_INQ, 1);
    say("peek %zd", receive(a, b, 3, MSG_PEEK, &m));
    tell(&m);
    say("recvmsg %zd", receive(a, b, 3, 0, &m));
    tell(&m);
    say("native %zd", read(a, b, 2));
    say("recvmsg %zd", receive(a, b, 64, 0, &m));
    tell(&m);
    say("empty %s", err(recv(a, b, 64, MSG_DONTWAIT)));
    set(a, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    pthread_t thread;
    need(pthread_create(&thread, NULL, later, &c) == 0, "a thread");
    say("waited for %zd", receive(a, b, 64, 0, &m));
    tell(&m);
    pthread_join(thread, NULL);
    write_all(c, "abcdef", 6);
    need(polled(a, POLLIN, 5000) & POLLIN, "readable");
    say("peek %zd", receive(a, b, 2, MSG_PEEK, &m));
    tell(&m);
    say("native %zd", read(a, b, 2));
    say("recvmsg %zd", receive(a, b, 2, 0, &m));
    tell(&m);
    struct timeval limit = {0, 50000};
    setsockopt(a, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    say("recvmsg %zd", receive(a, b, 2, 0, &m));
    struct iovec v = {b, sizeof b};
    m = (struct msghdr){.msg_iov = &v, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    say("in vain %s", err(recvmsg(a, &m, 0)));
    set(a, SOL_SOCKET, SO_TIMESTAMPNS, 0);

    say("error queue %s", err(recvmsg(c, &m, MSG_ERRQUEUE)));
    set(c, SOL_SOCKET, SO_TIMESTAMPING,
        SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY);
    write_all(c, "hello", 5);
    queue(c, 1);
    write_all(c, "world!", 6);
    queue(c, 1);
    set(c, SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY);
    say("asked for one %zd", send_with(c, "once", SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_TX_ACK, 0, 0));
    queue(c, 1);
    say("for none %zd", send_with(c, "none", IPPROTO_IP, IP_TTL, 7, 0, 0));
    say("malformed %s", err(send_with(c, "bad", SOL_SOCKET, SO_TIMESTAMPING, 1, 0, 1)));
    say("unknown %s", err(send_with(c, "bad", SOL_SOCKET, 999, 1, 0, 0)));
    queue(c, 0);
    set(c, SOL_SOCKET, SO_TIMESTAMPING, 0);

    say("lent unasked %zd", send(c, "unasked", 7, MSG_ZEROCOPY));
    set(c, SOL_SOCKET, SO_ZEROCOPY, 1);
    for (int i = 0; i < 3; i++) say("lent %zd", send(c, "zero", 4, MSG_ZEROCOPY));
    read_all(a, b, 5 + 6 + 4 + 4 + 7 + 12);
    pause_ms(300);
    queue(c, 1);
    struct iovec w = {"last", 4};
    struct msghdr o = {.msg_iov = &w, .msg_iovlen = 1};
    say("lent by sendmsg %zd", sendmsg(c, &o, MSG_ZEROCOPY));
    read_all(a, b, 4);
    pause_ms(300);
    queue(c, 1);
    write_all(c, "end", 3);
    shutdown(c, SHUT_WR);
    say("after shutdown %s", err(send(c, "x", 1, MSG_ZEROCOPY | MSG_NOSIGNAL)));
    pause_ms(200);
    say("recvmsg %zd", receive(a, b, 2, 0, &m));
    tell(&m);
    say("recvmsg %zd", receive(a, b, 2, 0, &m));
    tell(&m);
    say("recvmsg %zd", receive(a, b, 2, 0, &m));
    tell(&m);
    return 0;
}
