/* An echo server on epoll, level- and edge-triggered, for many clients. */
#include "check.h"
enum { CLIENTS = 20, BYTES = 100000 };

struct upload {
    int fd;
    char *data;
};
static void *upload(void *arg) {
    struct upload *u = arg;
    write_all(u->fd, u->data, BYTES);
    shutdown(u->fd, SHUT_WR);
    return NULL;
}
static void *run_client(void *arg) {
    int c = client((int)(long)arg);
    char *out = malloc(BYTES), *in = malloc(BYTES);
    for (int i = 0; i < BYTES; i++) out[i] = (char)(i * 7 + i / 4096 + c);
    struct upload u = {c, out};
    pthread_t thread;
    pthread_create(&thread, NULL, upload, &u);
    read_all(c, in, BYTES);
    long same = memcmp(in, out, BYTES) == 0;
    char end;
    same &= read(c, &end, 1) == 0;
    pthread_join(thread, NULL);
    close(c);
    return (void *)same;
}
struct conn {
    int fd, ended;
    size_t held, at;
    char buffer[65536];
};
static int pump(struct conn *k) { /* 1: done */
    for (;;) {
        if (k->at == k->held) {
            if (k->ended) return 1;
            ssize_t n = read(k->fd, k->buffer, sizeof k->buffer);
            if (n < 0) {
                need(errno == EAGAIN, "read");
                return 0;
            }
            if (n == 0) {
                k->ended = 1;
                continue;
            }
            k->held = n;
            k->at = 0;
        }
        ssize_t n = write(k->fd, k->buffer + k->at, k->held - k->at);
        if (n < 0) {
            need(errno == EAGAIN, "write");
            return 0;
        }
        k->at += n;
    }
}
static void serve(int edge) {
    int s = server(64, SOCK_NONBLOCK), e = epoll_create1(EPOLL_CLOEXEC), done = 0;
    struct epoll_event ev = {.events = EPOLLIN | edge}, got[16];
    epoll_ctl(e, EPOLL_CTL_ADD, s, &ev);
    pthread_t threads[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) pthread_create(&threads[i], NULL, run_client, (void *)(long)port_of(s));
    while (done < CLIENTS) {
        int n = epoll_wait(e, got, 16, 20000);
        need(n > 0, "epoll_wait");
        for (int i = 0; i < n; i++) {
            struct conn *k = got[i].data.ptr;
            if (k) {
                if (pump(k)) {
                    close(k->fd);
                    free(k);
                    done++;
                    continue;
                }
                if (!edge) {
                    ev = (struct epoll_event){.events = EPOLLIN | (k->at < k->held ? EPOLLOUT : 0), .data.ptr = k};
                    epoll_ctl(e, EPOLL_CTL_MOD, k->fd, &ev);
                }
                continue;
            }
            for (;;) {
                int fd = accept4(s, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (fd < 0) {
                    need(errno == EAGAIN, "accept4");
                    break;
                }
                k = calloc(1, sizeof *k);
                k->fd = fd;
                ev = (struct epoll_event){.events = EPOLLIN | edge | (edge ? EPOLLOUT : 0), .data.ptr = k};
                epoll_ctl(e, EPOLL_CTL_ADD, fd, &ev);
            }
        }
    }
    long same = 0;
    for (int i = 0; i < CLIENTS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        same += (long)result;
    }
    say("%s: %ld of %d clients got everything back", edge ? "edge" : "level", same, CLIENTS);
    close(s);
    close(e);
}
int main(void) {
    serve(0);
    serve(EPOLLET);
    return 0;
}
