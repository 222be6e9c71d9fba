/* Signals while accept, connect and recvfrom wait. */
#include "check.h"
static volatile sig_atomic_t rang;
static void on_alarm(int signal) {
    (void)signal;
    rang++;
}
static void arm(int restart, int ms) {
    struct sigaction a = {.sa_handler = on_alarm, .sa_flags = restart ? SA_RESTART : 0};
    sigaction(SIGALRM, &a, NULL);
    struct itimerval t = {.it_value = {0, ms * 1000}};
    rang = 0;
    setitimer(ITIMER_REAL, &t, NULL);
}
static void late_client(int port) {
    if (fork() == 0) {
        pause_ms(300);
        int c = client(port);
        pause_ms(100);
        close(c);
        _exit(0);
    }
}
int main(void) {
    int s = server(5, 0), port = port_of(s);
    arm(0, 100);
    const char *how = err(accept(s, NULL, NULL));
    say("accept without SA_RESTART: %s, rang %d", how, rang);
    late_client(port);
    arm(1, 100);
    struct sockaddr_in a;
    socklen_t n = sizeof a;
    int t = accept(s, (void *)&a, &n);
    say("accept with SA_RESTART: %s, rang %d, named %d", err(t), rang, n == sizeof a);
    wait(NULL);
    struct timeval limit = {0, 100000};
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    say("accept with a time-out: %s", err(accept(s, NULL, NULL)));
    int u = socket(AF_INET, SOCK_DGRAM, 0);
    a = local(0);
    bind(u, (void *)&a, sizeof a);
    char b[8];
    arm(0, 100);
    n = sizeof a;
    how = err(recvfrom(u, b, 8, 0, (void *)&a, &n));
    say("recvfrom without SA_RESTART: %s, rang %d", how, rang);
    pid_t pid = fork();
    if (pid == 0) {
        accept(socket(AF_INET, SOCK_STREAM, 0), NULL, NULL);
        limit.tv_usec = 0;
        setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        accept(s, NULL, NULL);
        _exit(0);
    }
    pause_ms(100);
    kill(pid, SIGTERM);
    int status;
    waitpid(pid, &status, 0);
    say("a waiting process dies of SIGTERM %d", WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    int good = 0, high = 0;
    struct itimerval storm = {{0, 200}, {0, 200}}, quiet = {0};
    struct sigaction act = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &act, NULL);
    setitimer(ITIMER_REAL, &storm, NULL);
    for (int i = 0; i < 500; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        good += fd >= 0;
        if (fd > high) high = fd;
        close(fd);
    }
    setitimer(ITIMER_REAL, &quiet, NULL);
    say("sockets under a storm of signals %d, none leaked %d", good, high < 20);
    return 0;
}
