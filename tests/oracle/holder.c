/* A process that waits, made what its environment says: by its name, its title, a thread, a zombie, its user. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void *wait_as(void *name) {
    prctl(PR_SET_NAME, name);
    for (;;) pause();
}

int main(int argc, char **argv) {
    char *text;
    pthread_t thread;
    if ((text = getenv("HOLD_COMM"))) prctl(PR_SET_NAME, text);
    if ((text = getenv("HOLD_TITLE"))) {
        size_t room = argv[argc - 1] + strlen(argv[argc - 1]) - argv[0];
        memset(argv[0], 0, room);
        strncpy(argv[0], text, room);
    }
    if ((text = getenv("HOLD_THREAD"))) pthread_create(&thread, NULL, wait_as, text);
    if ((text = getenv("HOLD_ZOMBIE")) && fork() == 0) {
        prctl(PR_SET_NAME, text);
        _exit(0);
    }
    if ((text = getenv("HOLD_EUID")) && seteuid(atoi(text)) != 0) return 1;
    if ((text = getenv("HOLD_BYTES"))) memset(malloc(atol(text)), 1, atol(text));
    write(1, ".", 1);
    for (;;) pause();
}
