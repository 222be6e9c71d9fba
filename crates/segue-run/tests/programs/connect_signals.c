/* Signals while connect waits for a server that is a while away. Only under a
   network with a delay of some hundred milliseconds. */
#include "check.h"
static volatile sig_atomic_t rang;
static void on_alarm(int signal) {
    (void)signal;
    rang++;
}
int main(int argc, char **argv) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
    need(argc == 3 && inet_pton(AF_INET, argv[1], &a.sin_addr) == 1, "arguments");
    for (int restart = 0; restart < 2; restart++) {
        struct sigaction act = {.sa_handler = on_alarm, .sa_flags = restart ? SA_RESTART : 0};
        sigaction(SIGALRM, &act, NULL);
        struct itimerval t = {.it_value = {0, 100000}};
        rang = 0;
        int c = socket(AF_INET, SOCK_STREAM, 0);
        setitimer(ITIMER_REAL, &t, NULL);
        const char *how = err(connect(c, (void *)&a, sizeof a));
        say("restart %d: %s, rang %d", restart, how, rang);
        if (!restart) {
            say("goes on by itself %s", bits(polled(c, POLLOUT, 5000)));
            say("SO_ERROR %s", name_of(so_error(c)));
            say("connect again: %s", err(connect(c, (void *)&a, sizeof a)));
            say("and again: %s", err(connect(c, (void *)&a, sizeof a)));
        }
        say("writes %zd", write(c, "x", 1));
        close(c);
    }
    return 0;
}
