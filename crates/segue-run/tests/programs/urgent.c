/* The out-of-band byte, both as itself and in line. */
#include "check.h"
int main(void) {
    int s = server(5, 0), port = port_of(s), c = client(port), t = accept(s, NULL, NULL);
    char b[64] = {0};
    say("sent %zd", send(c, "abc", 3, 0));
    say("urgent %zd", send(c, "X", 1, MSG_OOB));
    say("polls %s", bits(polled(t, POLLPRI, 5000)));
    say("urgent %zd", recv(t, b, 64, MSG_OOB));
    say("it is %c", b[0]);
    say("before the mark %zd", recv(t, b, 64, 0));
    say("at the mark %d", sockatmark(t));
    say("sent %zd", send(c, "def", 3, 0));
    say("behind the mark %zd", recv(t, b, 64, 0));
    say("first of it %c", b[0]);
    say("no more: %s", err(recv(t, b, 64, MSG_OOB)));
    int one = 1;
    need(setsockopt(t, SOL_SOCKET, SO_OOBINLINE, &one, sizeof one) == 0, "SO_OOBINLINE");
    say("urgent %zd", send(c, "YZ", 2, MSG_OOB));
    int all = 0;
    while (all < 2) {
        ssize_t n = recv(t, b + all, 64, 0);
        need(n > 0, "recv");
        all += n;
    }
    say("in line %.2s", b);
    return 0;
}
