/* A way round the filter, if it were let through. */
#include "check.h"
#include <sys/syscall.h>
int main(void) {
    char parameters[256] = {0};
    say("%s", err(syscall(SYS_io_uring_setup, 8, parameters)));
    return 0;
}
