/* What the programs share. They print what they see, one fact a line, so that
   a run on the kernel's TCP and one on another can be compared. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

__attribute__((unused)) static void say(const char *format, ...) {
    char line[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    line[n++] = '\n';
    if (write(1, line, n) != n) _exit(9);
}
__attribute__((unused)) static void need(int ok, const char *what) {
    if (!ok) {
        say("FAILED %s: %s", what, strerrorname_np(errno));
        _exit(1);
    }
}
__attribute__((unused)) static const char *err(long result) {
    return result < 0 ? strerrorname_np(errno) : "ok";
}
__attribute__((unused)) static struct sockaddr_in local(int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}
__attribute__((unused)) static int port_of(int fd) {
    struct sockaddr_in a;
    socklen_t n = sizeof a;
    need(getsockname(fd, (void *)&a, &n) == 0, "getsockname");
    return ntohs(a.sin_port);
}
__attribute__((unused)) static int server(int backlog, int flags) {
    int s = socket(AF_INET, SOCK_STREAM | flags, 0);
    need(s >= 0, "socket");
    struct sockaddr_in a = local(0);
    int one = 1;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    need(bind(s, (void *)&a, sizeof a) == 0, "bind");
    need(listen(s, backlog) == 0, "listen");
    return s;
}
__attribute__((unused)) static int client(int port) {
    int c = socket(AF_INET, SOCK_STREAM, 0);
    need(c >= 0, "socket");
    struct sockaddr_in a = local(port);
    need(connect(c, (void *)&a, sizeof a) == 0, "connect");
    return c;
}
/* A port of the loopback that nobody listens on, inside or outside. */
__attribute__((unused)) static int closed_port(void) {
    int s = server(1, 0), port = port_of(s);
    close(s);
    return port;
}
__attribute__((unused)) static int so_error(int fd) {
    int e = -1;
    socklen_t n = sizeof e;
    need(getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n) == 0, "SO_ERROR");
    return e;
}
__attribute__((unused)) static const char *name_of(int e) { return e ? strerrorname_np(e) : "none"; }
__attribute__((unused)) static const char *bits(int events) {
    static char text[64];
    snprintf(text, sizeof text, "%s%s%s%s%s%s", events & POLLIN ? "IN " : "", events & POLLOUT ? "OUT " : "",
             events & POLLPRI ? "PRI " : "", events & POLLERR ? "ERR " : "", events & POLLHUP ? "HUP " : "",
             events & POLLRDHUP ? "RDHUP " : "");
    return text;
}
/* poll(2) until something is there or the time is over. */
__attribute__((unused)) static int polled(int fd, int events, int timeout) {
    struct pollfd p = {.fd = fd, .events = events};
    need(poll(&p, 1, timeout) >= 0, "poll");
    return p.revents;
}
__attribute__((unused)) static void nonblocking(int fd, int on) {
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}
__attribute__((unused)) static void pause_ms(int ms) { usleep(ms * 1000); }
__attribute__((unused)) static void read_all(int fd, char *to, size_t n) {
    while (n) {
        ssize_t r = read(fd, to, n);
        need(r > 0, "read_all");
        to += r;
        n -= r;
    }
}
__attribute__((unused)) static void write_all(int fd, const char *from, size_t n) {
    while (n) {
        ssize_t r = write(fd, from, n);
        need(r > 0, "write_all");
        from += r;
        n -= r;
    }
}
__attribute__((unused)) static void child_done(pid_t pid) {
    int status;
    need(waitpid(pid, &status, 0) == pid, "waitpid");
    if (status) say("child status %x", status);
}
