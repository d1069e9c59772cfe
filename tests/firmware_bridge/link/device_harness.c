/* A device whose host is slow, for the tests: samples come while nothing is acknowledged.
 * device_harness STALLED: of 400 samples that many come before the line works again. Prints `first count` of each
 * message of samples, then `end samples lost`, then `shown DEVICE HOST`: decisions that were shown. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vskd_device.h"

enum { ALL = 400, LINE = 1 << 16 };

typedef struct {
    uint8_t bytes[LINE];
    size_t count;
} line;

static union {
    double align;
    unsigned char bytes[VSKD_ARENA_BYTES];
} arena;
static vskd_device device;
static vskd_link host;
static line up, down;
static int shown[2];
static int is_over;

static void put(void *context, const uint8_t *bytes, size_t count)
{
    line *to = (line *)context;
    if (to->count + count <= LINE) {
        (void)memcpy(&to->bytes[to->count], bytes, count);
        to->count += count;
    }
}

static void show(void *context, const vskd_decided *decision, int32_t is_of_host)
{
    (void)context;
    (void)decision;
    shown[is_of_host ? 1 : 0]++;
}

static void hear(const vskd_event *event)
{
    vskd_samples samples;
    vskd_end end;
    if (event->type == VSKD_SAMPLES && vskd_read_samples(&samples, event->payload, event->count)) {
        (void)printf("%" PRIu64 " %d\n", samples.number, samples.count);
    } else if (event->type == VSKD_END && vskd_read_end(&end, event->payload, event->count)) {
        (void)printf("end %" PRIu64 " %" PRIu64 "\n", end.samples, end.lost);
        is_over = 1;
    }
}

/* Carry what is on the line, both ways. */
static void pump(uint32_t now)
{
    vskd_event event;
    size_t i;
    vskd_device_tick(&device, now);
    for (i = 0; i < up.count; i++) {
        if (vskd_link_receive(&host, up.bytes[i], &event) == VSKD_LINK_MESSAGE) {
            hear(&event);
        }
    }
    up.count = 0;
    for (i = 0; i < down.count; i++) {
        vskd_device_byte(&device, down.bytes[i]);
    }
    down.count = 0;
}

static void send(uint8_t type, const uint8_t *payload, size_t count)
{
    (void)vskd_link_send(&host, type, payload, count, 0);
    pump(0);
    pump(0);
}

int main(int argc, char **argv)
{
    const int stalled = argc > 1 ? atoi(argv[1]) : 0;
    const uint8_t ask = VSKD_WISH_SAMPLES;
    const uint8_t stop = 0;
    uint8_t payload[VSKD_LINK_MOST];
    vskd_decided decision = {0, 1, 1, 0, 0, 0, {"", 0}};
    int i;
    if (!vskd_device_init(&device, &arena, sizeof(arena), vskd_weights, NULL, put, show, &up)) {
        return EXIT_FAILURE;
    }
    vskd_link_init(&host, 1, put, &down);
    (void)vskd_link_open(&host, 5, 0);
    pump(0);
    pump(0);
    send((uint8_t)VSKD_DECISION, payload, vskd_write_decision(payload, &decision));
    send((uint8_t)VSKD_RECORD, &ask, 1);
    for (i = 0; i < ALL; i++) {
        float sample[VSKD_DEVICE_AXES];
        int axis;
        for (axis = 0; axis < VSKD_DEVICE_AXES; axis++) {
            sample[axis] = (float)((i * (axis + 3)) % 64) / 64.0f;
        }
        vskd_device_sample(&device, sample, (uint64_t)i * 20000u);
        if (i < stalled) {
            vskd_device_tick(&device, 0); /* sends, and nobody hears */
        } else {
            pump(0);
        }
    }
    send((uint8_t)VSKD_RECORD, &stop, 1);
    for (i = 0; i < 10 && !is_over; i++) {
        pump(0);
    }
    (void)printf("shown %d %d\n", shown[0], shown[1]);
    return EXIT_SUCCESS;
}
