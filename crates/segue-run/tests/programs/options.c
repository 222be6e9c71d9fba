/* A tour of socket options. */
#include "check.h"
static void get(const char *name, int fd, int level, int option) {
    int v = -1;
    socklen_t n = sizeof v;
    int r = getsockopt(fd, level, option, &v, &n);
    if (r) say("%s: %s", name, err(r));
    else say("%s %d (%u bytes)", name, v, n);
}
static void set(const char *name, int fd, int level, int option, int v) {
    say("set %s: %s", name, err(setsockopt(fd, level, option, &v, sizeof v)));
    get(name, fd, level, option);
}
#define GET(fd, level, option) get(#option, fd, level, option)
#define SET(fd, level, option, v) set(#option, fd, level, option, v)
int main(void) {
    int s = server(5, 0), c = client(port_of(s)), u = socket(AF_INET, SOCK_DGRAM, 0), x = socket(AF_INET6, SOCK_STREAM, 0);
    GET(s, SOL_SOCKET, SO_ACCEPTCONN);
    GET(c, SOL_SOCKET, SO_ACCEPTCONN);
    GET(c, SOL_SOCKET, SO_TYPE);
    GET(u, SOL_SOCKET, SO_TYPE);
    GET(c, SOL_SOCKET, SO_DOMAIN);
    GET(x, SOL_SOCKET, SO_DOMAIN);
    GET(c, SOL_SOCKET, SO_PROTOCOL);
    GET(u, SOL_SOCKET, SO_PROTOCOL);
    SET(c, SOL_SOCKET, SO_KEEPALIVE, 1);
    SET(c, SOL_SOCKET, SO_REUSEADDR, 1);
    SET(c, SOL_SOCKET, SO_RCVBUF, 65536);
    SET(c, SOL_SOCKET, SO_SNDBUF, 65536);
    SET(c, IPPROTO_TCP, TCP_NODELAY, 1);
    SET(c, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    SET(c, IPPROTO_TCP, TCP_KEEPINTVL, 10);
    SET(c, IPPROTO_TCP, TCP_KEEPCNT, 4);
    SET(c, IPPROTO_TCP, TCP_USER_TIMEOUT, 30000);
    SET(c, IPPROTO_TCP, TCP_SYNCNT, 4);
    SET(c, IPPROTO_IP, IP_TTL, 33);
    SET(x, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    SET(u, SOL_SOCKET, SO_BROADCAST, 1);
    GET(c, SOL_SOCKET, SO_ERROR);
    get("unknown", c, IPPROTO_TCP, 250);
    say("short value: %s", err(setsockopt(c, IPPROTO_TCP, TCP_NODELAY, "x", 1)));
    struct timeval t = {1, 500000}, back = {0};
    socklen_t n = sizeof back;
    say("set SO_RCVTIMEO: %s", err(setsockopt(c, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t)));
    getsockopt(c, SOL_SOCKET, SO_RCVTIMEO, &back, &n);
    say("SO_RCVTIMEO %ld.%06ld", (long)back.tv_sec, (long)back.tv_usec);
    struct linger l = {1, 5}, lb = {0};
    n = sizeof lb;
    say("set SO_LINGER: %s", err(setsockopt(c, SOL_SOCKET, SO_LINGER, &l, sizeof l)));
    getsockopt(c, SOL_SOCKET, SO_LINGER, &lb, &n);
    say("SO_LINGER %d %d", lb.l_onoff, lb.l_linger);
    struct tcp_info info = {0};
    n = sizeof info;
    say("TCP_INFO: %s", err(getsockopt(c, IPPROTO_TCP, TCP_INFO, &info, &n)));
    say("state %d", info.tcpi_state);
    say("unknown protocol: %s", err(socket(AF_INET, SOCK_STREAM, 200)));
    say("listen on datagrams: %s", err(listen(u, 5)));
    struct sockaddr_in far = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr("203.0.113.77")};
    say("bind to a foreign address: %s", err(bind(socket(AF_INET, SOCK_STREAM, 0), (void *)&far, sizeof far)));
    struct sockaddr_in taken = local(port_of(s));
    say("bind to a taken port: %s", err(bind(socket(AF_INET, SOCK_STREAM, 0), (void *)&taken, sizeof taken)));
    return 0;
}
