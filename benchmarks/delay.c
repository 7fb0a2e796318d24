/* A link with a delay: carries IP packets between two network namespaces, each held back by the same time.
 *
 *   delay NEAR FAR MICROSECONDS
 *
 * NEAR and FAR are files of network namespaces (/run/netns/...). In each a TUN device `link0` is made, "ready" is
 * printed, and packets are carried until standard input ends. A line on standard input is a new delay, one way, in
 * microseconds. Order is kept: a packet never overtakes another of its direction. Nothing is lost unless SLOTS packets
 * are under way at once.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 16384
#define LARGEST 1600

struct packet {
    int64_t due;
    int length;
    unsigned char bytes[LARGEST];
};

struct direction {
    int from, to;
    unsigned head, tail; /* head: oldest under way; tail: next free; counted on without end */
    struct packet *packets;
};

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int tun_in(const char *namespace) {
    int space = open(namespace, O_RDONLY | O_CLOEXEC);
    if (space < 0 || setns(space, CLONE_NEWNET) < 0)
        fail(namespace);
    close(space);
    int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tun < 0)
        fail("/dev/net/tun");
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strcpy(request.ifr_name, "link0");
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    if (ioctl(tun, TUNSETIFF, &request) < 0)
        fail("TUNSETIFF link0");
    return tun;
}

/* Take in what has arrived. */
static void take(struct direction *way, int64_t delay) {
    while (way->tail - way->head < SLOTS) {
        struct packet *packet = &way->packets[way->tail % SLOTS];
        packet->length = (int)read(way->from, packet->bytes, LARGEST);
        if (packet->length <= 0)
            return; /* EAGAIN: no more; EIO: the device is not up yet */
        packet->due = now() + delay;
        way->tail++;
    }
}

/* Hand out what is due; return when the next one is, or -1. */
static int64_t give(struct direction *way) {
    while (way->head != way->tail) {
        struct packet *packet = &way->packets[way->head % SLOTS];
        if (packet->due > now())
            return packet->due;
        if (write(way->to, packet->bytes, packet->length) < 0 && errno != EIO && errno != EINVAL)
            fail("write");
        way->head++;
    }
    return -1;
}

int main(int count, char **words) {
    if (count != 4) {
        fprintf(stderr, "usage: delay NEAR FAR MICROSECONDS\n");
        return 2;
    }
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    int near = tun_in(words[1]), far = tun_in(words[2]);
    int64_t delay = atoll(words[3]) * 1000;
    struct direction ways[2] = {{near, far, 0, 0, NULL}, {far, near, 0, 0, NULL}};
    for (int i = 0; i < 2; i++)
        if (!(ways[i].packets = calloc(SLOTS, sizeof(struct packet))))
            fail("calloc");
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        int64_t first = give(&ways[0]), second = give(&ways[1]);
        int64_t next = first < 0 || (second >= 0 && second < first) ? second : first;
        int64_t left = next < 0 ? 0 : next - now();
        if (left < 0)
            left = 0;
        struct timespec wait = {left / 1000000000, left % 1000000000};
        struct pollfd files[3] = {{near, POLLIN, 0}, {far, POLLIN, 0}, {0, POLLIN, 0}};
        if (ppoll(files, 3, next < 0 ? NULL : &wait, NULL) < 0 && errno != EINTR)
            fail("ppoll");
        if (files[2].revents) {
            char line[32];
            ssize_t got = read(0, line, sizeof line - 1);
            if (got <= 0)
                return 0;
            line[got] = 0;
            delay = atoll(line) * 1000;
            printf("ready\n");
            fflush(stdout);
        }
        take(&ways[0], delay);
        take(&ways[1], delay);
    }
}
