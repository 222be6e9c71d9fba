/* Four processes and four threads accept on one listener; nothing is lost. */
#include "check.h"
enum { CONNECTIONS = 24, WORKERS = 4 };
static void work(int s) {
    for (;;) {
        struct sockaddr_in a;
        socklen_t n = sizeof a;
        int fd = accept(s, (void *)&a, &n);
        if (fd < 0) return;
        char c;
        if (read(fd, &c, 1) != 1) return;
        if (c == 'q') {
            close(fd);
            return;
        }
        c++;
        write_all(fd, &c, 1);
        close(fd);
    }
}
static void *thread(void *arg) {
    work((int)(long)arg);
    return NULL;
}
static int ask(int port, char c) {
    int fd = client(port);
    write_all(fd, &c, 1);
    char back = 0;
    ssize_t n = read(fd, &back, 1);
    close(fd);
    return n == 1 && back == c + 1;
}
int main(void) {
    int s = server(64, 0), good = 0;
    for (int i = 0; i < WORKERS; i++)
        if (fork() == 0) {
            work(s);
            _exit(0);
        }
    for (int i = 0; i < CONNECTIONS; i++) good += ask(port_of(s), 'a' + i % 10);
    say("processes: %d of %d", good, CONNECTIONS);
    for (int i = 0; i < WORKERS; i++) ask(port_of(s), 'q');
    for (int i = 0; i < WORKERS; i++) wait(NULL);
    pthread_t threads[WORKERS];
    for (int i = 0; i < WORKERS; i++) pthread_create(&threads[i], NULL, thread, (void *)(long)s);
    good = 0;
    for (int i = 0; i < CONNECTIONS; i++) good += ask(port_of(s), 'a' + i % 10);
    say("threads: %d of %d", good, CONNECTIONS);
    for (int i = 0; i < WORKERS; i++) ask(port_of(s), 'q');
    for (int i = 0; i < WORKERS; i++) pthread_join(threads[i], NULL);
    return 0;
}
