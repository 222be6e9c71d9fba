/* Datagrams: connected and not, peeked, cut, empty, with and without address. */
#include "check.h"
static int any(void) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in a = local(0);
    need(fd >= 0 && bind(fd, (void *)&a, sizeof a) == 0, "udp");
    return fd;
}
int main(void) {
    char b[64], big[20000];
    struct sockaddr_in from, to;
    socklen_t n = sizeof from;
    int s = any(), c = socket(AF_INET, SOCK_DGRAM, 0);
    to = local(port_of(s));
    say("sendto %zd", sendto(c, "hello", 5, 0, (void *)&to, sizeof to));
    say("poll %s", bits(polled(s, POLLIN, 5000)));
    say("peek %zd", recvfrom(s, b, 64, MSG_PEEK, (void *)&from, &n));
    say("recvfrom %zd", recvfrom(s, b, 64, 0, (void *)&from, &n));
    say("from the client %d", ntohs(from.sin_port) == port_of(c));
    say("answer %zd", sendto(s, b, 5, 0, (void *)&from, n));
    say("recv %zd", recv(c, b, 64, 0));
    say("send without a peer: %d", send(c, "x", 1, MSG_NOSIGNAL) < 0);

    say("connect %s", err(connect(c, (void *)&to, sizeof to)));
    n = sizeof from;
    say("peer %d", getpeername(c, (void *)&from, &n) == 0 && from.sin_port == to.sin_port);
    say("send %zd", send(c, "abc", 3, 0));
    say("write %zd", write(c, "defg", 4));
    n = sizeof from;
    say("recvfrom %zd", recvfrom(s, b, 64, 0, (void *)&from, &n));
    say("read %zd", read(s, b, 64));
    sendto(s, "to you", 6, 0, (void *)&from, n);
    n = sizeof to;
    say("connected recvfrom %zd", recvfrom(c, b, 64, 0, (void *)&to, &n));
    say("from the server %d", ntohs(to.sin_port) == port_of(s));
    int other = any();
    struct sockaddr_in me = local(port_of(c));
    sendto(other, "stranger", 8, 0, (void *)&me, sizeof me);
    pause_ms(300);
    say("a stranger is not heard: %s", err(recv(c, b, 64, MSG_DONTWAIT)));

    for (int i = 0; i < 20000; i++) big[i] = (char)(i % 251);
    say("large %zd", send(c, big, 20000, 0));
    say("cut %zd", recv(s, b, 64, 0));
    say("large %zd", send(c, big, 20000, 0));
    struct iovec v[2] = {{b, 10}, {big, 100}};
    struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = v, .msg_iovlen = 2};
    say("recvmsg %zd", recvmsg(s, &m, 0));
    say("cut %d named %d", !!(m.msg_flags & MSG_TRUNC), m.msg_namelen == sizeof from);
    say("bytes %d", b[9] == 9 && big[0] == 10);
    send(c, big, 300, 0);
    say("MSG_TRUNC %zd", recv(s, b, 64, MSG_TRUNC));
    say("empty %zd", send(c, b, 0, 0));
    say("empty %zd", recv(s, b, 64, 0));
    say("nothing: %s", err(recv(s, b, 64, MSG_DONTWAIT)));
    struct timeval t = {0, 50000};
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    n = sizeof from;
    say("time-out: %s", err(recvfrom(s, b, 64, 0, (void *)&from, &n)));

    struct mmsghdr out[3] = {0}, in[4] = {0};
    char buffers[4][8];
    struct iovec ov[3], iv[4];
    for (int i = 0; i < 3; i++) {
        ov[i] = (struct iovec){"012345", i + 1};
        out[i].msg_hdr.msg_iov = &ov[i], out[i].msg_hdr.msg_iovlen = 1;
    }
    for (int i = 0; i < 4; i++) {
        iv[i] = (struct iovec){buffers[i], 8};
        in[i].msg_hdr.msg_iov = &iv[i], in[i].msg_hdr.msg_iovlen = 1;
    }
    say("sendmmsg %d", sendmmsg(c, out, 3, 0));
    pause_ms(300);
    say("recvmmsg %d", recvmmsg(s, in, 4, MSG_DONTWAIT, NULL));
    say("lengths %u %u %u", in[0].msg_len, in[1].msg_len, in[2].msg_len);

    int got = 0;
    for (int i = 0; i < 60; i++) need(send(c, &i, sizeof i, 0) == sizeof i, "send");
    for (int i = 0; i < 60; i++) {
        int x;
        if (recv(s, &x, sizeof x, 0) == sizeof x && x == i) got++;
    }
    say("in order %d of 60", got);
    static char huge[65600];
    int w = socket(AF_INET, SOCK_DGRAM, 0);
    to = local(port_of(s));
    need(connect(w, (void *)&to, sizeof to) == 0, "connect");
    say("the largest %zd", send(w, huge, 65507, 0));
    say("arrives as %zd", recv(s, huge, sizeof huge, 0));
    say("larger: %s", err(send(w, huge, 65510, 0)));
    say("usable after that %zd", send(w, "x", 1, 0));
    say("recv %zd", recv(s, b, 64, 0));
    close(w);
    struct sockaddr_in gone = local(closed_port());
    int r = socket(AF_INET, SOCK_DGRAM, 0);
    need(connect(r, (void *)&gone, sizeof gone) == 0, "connect");
    say("to a closed port %zd", send(r, "x", 1, 0));
    say("polls %s", bits(polled(r, POLLIN, 5000)));
    n = sizeof from;
    say("recvfrom: %s", err(recvfrom(r, b, 64, 0, (void *)&from, &n)));
    say("then nothing: %s", err(recv(r, b, 64, MSG_DONTWAIT)));
    say("to a closed port %zd", send(r, "x", 1, 0));
    polled(r, POLLIN, 5000);
    say("SO_ERROR %s", name_of(so_error(r)));
    say("SO_ERROR %s", name_of(so_error(r)));
    say("usable again %s", bits(polled(r, POLLIN | POLLOUT, 0)));
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    say("disconnect %s", err(connect(c, &none, sizeof none)));
    n = sizeof from;
    say("peer: %s", err(getpeername(c, (void *)&from, &n)));
    to = local(port_of(s));
    say("sendto %zd", sendto(c, "again", 5, 0, (void *)&to, sizeof to));
    say("recv %zd", recv(s, b, 64, 0));
    return 0;
}
