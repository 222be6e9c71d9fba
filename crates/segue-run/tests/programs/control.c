/* Control messages of datagrams, and the error queue. */
#include "check.h"
#include <linux/errqueue.h>

static char space[512];
static ssize_t receive(int fd, char *into, size_t room, int flags, struct msghdr *m, struct sockaddr_in *from) {
    static struct iovec v;
    v = (struct iovec){into, room};
    *m = (struct msghdr){.msg_name = from, .msg_namelen = sizeof *from, .msg_iov = &v, .msg_iovlen = 1};
    m->msg_control = space;
    m->msg_controllen = sizeof space;
    for (int i = 0;; i++) {
        ssize_t n = recvmsg(fd, m, flags);
        if (n >= 0 || errno != EAGAIN || i == 500) return n;
        usleep(10000);
    }
}
static void tell(struct msghdr *m) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        int value;
        memcpy(&value, CMSG_DATA(c), sizeof value);
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo *p = (void *)CMSG_DATA(c);
            say("  pktinfo to %s, own %s", inet_ntoa(p->ipi_addr), p->ipi_spec_dst.s_addr == p->ipi_addr.s_addr ? "the same" : "another");
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) {
            say("  ttl %d", value);
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
            say("  tos %d", *(unsigned char *)CMSG_DATA(c));
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMP) {
            struct timeval now, *then = (void *)CMSG_DATA(c);
            gettimeofday(&now, NULL);
            say("  timestamp %s", now.tv_sec - then->tv_sec >= 0 && now.tv_sec - then->tv_sec < 20 ? "of just now" : "of another time");
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) {
            struct sock_extended_err *e = (void *)CMSG_DATA(c);
            struct sockaddr_in *by = (void *)SO_EE_OFFENDER(e);
            say("  error %s origin %d type %d code %d from %s", strerrorname_np(e->ee_errno), e->ee_origin, e->ee_type,
                e->ee_code, inet_ntoa(by->sin_addr));
        } else {
            say("  level %d type %d of %zu", c->cmsg_level, c->cmsg_type, (size_t)c->cmsg_len);
        }
    }
}
static void send_with(int fd, struct sockaddr_in *to, const char *text, int type, int value) {
    char room[CMSG_SPACE(sizeof value)] = {0};
    struct iovec v = {(char *)text, strlen(text)};
    struct msghdr m = {.msg_name = to, .msg_namelen = sizeof *to, .msg_iov = &v, .msg_iovlen = 1};
    m.msg_control = room;
    m.msg_controllen = sizeof room;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){.cmsg_level = IPPROTO_IP, .cmsg_type = type, .cmsg_len = CMSG_LEN(sizeof value)};
    memcpy(CMSG_DATA(c), &value, sizeof value);
    say("sendmsg %zd", sendmsg(fd, &m, 0));
}
int main(void) {
    struct sockaddr_in a = local(0), from;
    struct msghdr m;
    char b[64];
    int one = 1, s = socket(AF_INET, SOCK_DGRAM, 0), c = socket(AF_INET, SOCK_DGRAM, 0);
    need(bind(s, (void *)&a, sizeof a) == 0, "bind");
    struct sockaddr_in to = local(port_of(s));
    say("nothing asked %zd", sendto(c, "hello", 5, 0, (void *)&to, sizeof to));
    say("recvmsg %zd", receive(s, b, sizeof b, 0, &m, &from));
    say("control %zu flags %d", (size_t)m.msg_controllen, m.msg_flags);
    setsockopt(s, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
    setsockopt(s, IPPROTO_IP, IP_RECVTTL, &one, sizeof one);
    setsockopt(s, IPPROTO_IP, IP_RECVTOS, &one, sizeof one);
    setsockopt(s, SOL_SOCKET, SO_TIMESTAMP, &one, sizeof one);
    send_with(c, &to, "ttl", IP_TTL, 17);
    say("peek %zd", receive(s, b, sizeof b, MSG_PEEK, &m, &from));
    tell(&m);
    say("recvmsg %zd", receive(s, b, sizeof b, 0, &m, &from));
    say("from the client %d", ntohs(from.sin_port) == port_of(c));
    tell(&m);
    send_with(c, &to, "tos", IP_TOS, 0x28);
    send_with(c, &to, "more", IP_TTL, 5);
    say("native recv %zd", recv(s, b, sizeof b, 0));
    say("recvmsg %zd", receive(s, b, sizeof b, 0, &m, &from));
    tell(&m);
    send_with(c, &to, "tos", IP_TOS, 0x28);
    say("recvmsg %zd", receive(s, b, sizeof b, 0, &m, &from));
    tell(&m);
    send_with(c, &to, "bad", IP_TTL, 300);
    say("is %s", err(-1));
    struct sockaddr_in gone = local(closed_port());
    int e = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(e, IPPROTO_IP, IP_RECVERR, &one, sizeof one);
    say("to nobody %zd", sendto(e, "lost", 4, 0, (void *)&gone, sizeof gone));
    /* How much of the datagram comes back is a matter of who sends the error: RFC 792 asks for its headers alone. */
    say("error queue %s", receive(e, b, sizeof b, MSG_ERRQUEUE, &m, &from) < 0 ? err(-1) : "has one");
    say("to the same %d, flags %s", from.sin_port == gone.sin_port, m.msg_flags & MSG_ERRQUEUE ? "ERRQUEUE" : "none");
    tell(&m);
    say("then empty: %s", err(recvmsg(e, &m, MSG_ERRQUEUE)));
    /* A connected socket, some of whose datagrams are read natively. */
    int d = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in any = local(0), dest, ca = local(port_of(c));
    need(bind(d, (void *)&any, sizeof any) == 0, "bind");
    setsockopt(d, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
    setsockopt(d, IPPROTO_IP, IP_RECVTTL, &one, sizeof one);
    setsockopt(d, SOL_SOCKET, SO_TIMESTAMP, &one, sizeof one);
    ca = local(port_of(c));
    need(connect(d, (void *)&ca, sizeof ca) == 0, "connect");
    dest = local(port_of(d));
    for (int ttl = 21; ttl < 26; ttl++) send_with(c, &dest, "many", IP_TTL, ttl);
    pause_ms(200);
    say("peek %zd", receive(d, b, sizeof b, MSG_PEEK, &m, &from));
    tell(&m);
    say("connected recvmsg %zd", receive(d, b, sizeof b, 0, &m, &from));
    say("from the peer %d, flags %d", ntohs(from.sin_port) == port_of(c), m.msg_flags);
    tell(&m);
    say("native recv %zd", recv(d, b, sizeof b, 0));
    say("native read %zd", read(d, b, sizeof b));
    say("connected recvmsg, cut %zd", receive(d, b, 2, 0, &m, &from));
    say("flags %s", m.msg_flags & MSG_TRUNC ? "TRUNC" : "none");
    tell(&m);
    say("connected recvmsg %zd", receive(d, b, sizeof b, 0, &m, &from));
    tell(&m);
    char narrow[CMSG_SPACE(4)];
    send_with(c, &dest, "narrow", IP_TTL, 30);
    receive(d, b, sizeof b, MSG_PEEK, &m, &from);
    m.msg_control = narrow;
    m.msg_controllen = sizeof narrow;
    say("little room %zd", recvmsg(d, &m, 0));
    say("flags %s", m.msg_flags & MSG_CTRUNC ? "CTRUNC" : "none");
    send_with(d, &ca, "back", IP_TOS, 0x10);
    setsockopt(c, IPPROTO_IP, IP_RECVTOS, &one, sizeof one);
    say("at the other end %zd", receive(c, b, sizeof b, 0, &m, &from));
    gone = local(closed_port());
    int f = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(f, IPPROTO_IP, IP_RECVERR, &one, sizeof one);
    need(connect(f, (void *)&gone, sizeof gone) == 0, "connect");
    say("to nobody %zd", send(f, "lost", 4, 0));
    say("error queue %s", receive(f, b, sizeof b, MSG_ERRQUEUE, &m, &from) < 0 ? err(-1) : "has one");
    say("to the same %d, flags %s", from.sin_port == gone.sin_port, m.msg_flags & MSG_ERRQUEUE ? "ERRQUEUE" : "none");
    tell(&m);
    say("then empty: %s", err(recvmsg(f, &m, MSG_ERRQUEUE)));
    return 0;
}
