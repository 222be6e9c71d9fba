/* A socket under other numbers and in other processes is still itself. */
#include "check.h"
static void tell(const char *how, int fd, int port) {
    struct sockaddr_in a;
    socklen_t n = sizeof a;
    int ok = getpeername(fd, (void *)&a, &n) == 0 && ntohs(a.sin_port) == port;
    int one = 1;
    ok &= setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0;
    ok &= write(fd, "x", 1) == 1;
    say("%s %d", how, ok);
}
int main(int argc, char **argv) {
    if (argc == 3) {
        tell("after exec", atoi(argv[1]), atoi(argv[2]));
        return 0;
    }
    int s = server(5, 0), port = port_of(s), c = client(port), t = accept(s, NULL, NULL);
    tell("dup", dup(c), port);
    tell("dup2", dup2(c, 700), port);
    pid_t pid = fork();
    if (pid == 0) {
        tell("fork", c, port);
        _exit(0);
    }
    child_done(pid);
    int pair[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    if ((pid = fork()) == 0) {
        close(c), close(700);
        char data, control[CMSG_SPACE(sizeof(int))];
        struct iovec v = {&data, 1};
        struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        need(recvmsg(pair[1], &m, 0) == 1, "recvmsg");
        tell("SCM_RIGHTS", *(int *)CMSG_DATA(CMSG_FIRSTHDR(&m)), port);
        _exit(0);
    }
    char data = 0, control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec v = {&data, 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    h->cmsg_level = SOL_SOCKET, h->cmsg_type = SCM_RIGHTS, h->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(h), &c, sizeof c);
    need(sendmsg(pair[0], &m, 0) == 1, "sendmsg");
    child_done(pid);
    if ((pid = fork()) == 0) {
        char number[8], wanted[8];
        sprintf(number, "%d", c), sprintf(wanted, "%d", port);
        execl("/proc/self/exe", argv[0], number, wanted, NULL);
        _exit(9);
    }
    child_done(pid);
    close(c);
    char b[16];
    polled(t, POLLIN, 5000);
    say("still open elsewhere %zd", recv(t, b, sizeof b, MSG_DONTWAIT));
    say("not ended: %s", err(recv(t, b, sizeof b, MSG_DONTWAIT)));
    close(pair[0]), close(pair[1]);
    for (int fd = 3; fd <= 700; fd++)
        if (fd != t) close(fd);
    say("ended after the last close %zd", read(t, b, sizeof b));
    return 0;
}
