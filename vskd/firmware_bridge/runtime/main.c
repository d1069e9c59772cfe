/* Example: a made-up sensor, and what a device does with the decisions. Replace `read_sensor` by yours. */
#include <stdio.h>

#include "vskd_host.h"
#include "vskd_stream.h"

static union {
    double align;
    unsigned char bytes[VSKD_ARENA_BYTES];
} arena;

/* One sample in the device's own unit and order of axes: here a sawtooth on each. */
static void read_sensor(uint32_t number, float *sample)
{
    int32_t axis;
    for (axis = 0; axis < VSKD_DEVICE_AXES; axis++) {
        sample[axis] = (float)((number * (uint32_t)(axis + 3)) % 64u) / (32.0f * VSKD_UNIT_FACTOR) - 1.0f;
    }
}

int main(int argc, char **argv)
{
    vskd_stream *stream = vskd_init(&arena, sizeof(arena), vskd_load_weights(argc, argv));
    const vskd_description about = vskd_info();
    uint32_t number;
    if (stream == NULL) {
        return 1;
    }
    (void)printf("bundle %.12s, arena %lu bytes\n", about.bundle, (unsigned long)about.arena_bytes);
    for (number = 0; number < 1000u; number++) {
        float sample[VSKD_DEVICE_AXES];
        vskd_decision decision;
        read_sensor(number, sample);
        (void)vskd_push(stream, sample, NULL, 1);
        if (vskd_poll(stream, &decision)) {
            if (decision.status != VSKD_OK) {
                (void)printf("status %d\n", (int)decision.status);
            } else if (decision.label != VSKD_NO_LABEL) {
                (void)printf("%s\n", about.labels[decision.label]); /* blink here */
            } else {
                (void)printf("unknown\n");
            }
        }
    }
    return 0;
}
