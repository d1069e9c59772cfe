/* Host tool: a stream from stdin, decisions to stdout, one per line. For the tests alone.
 * Records on stdin: an int32 count, an int32 that says whether time stamps follow, count * VSKD_DEVICE_AXES float32,
 * then count uint64 if they do. Each record is one call of push; count 0 is a reset.
 * Usage: vskd_stream_run [model.tflite] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "vskd_host.h"
#include "vskd_stream.h"

enum { MOST = 65536 };

static union {
    double align;
    unsigned char bytes[VSKD_ARENA_BYTES];
} arena;
static float samples[MOST * VSKD_DEVICE_AXES];
static uint64_t times[MOST];

static void feed(vskd_stream *stream, size_t count, int32_t has_times)
{
    size_t done = 0;
    while (done < count) {
        vskd_decision d;
        done += vskd_push(stream, &samples[done * VSKD_DEVICE_AXES], has_times ? &times[done] : NULL, count - done);
        if (vskd_poll(stream, &d)) {
            (void)printf("%d %" PRId32 " %" PRId32 " %" PRId32 " %" PRIu64 " %" PRIu64 "\n", (int)d.status, d.label,
                         d.window_label, d.margin, d.sample, d.time_us);
        }
    }
}

int main(int argc, char **argv)
{
    vskd_stream *stream = vskd_init(&arena, sizeof(arena), vskd_load_weights(argc, argv));
    int32_t head[2];
    if (stream == NULL) {
        return EXIT_FAILURE;
    }
    while (fread(head, sizeof(head), 1, stdin) == 1) {
        const size_t count = head[0] >= 0 && head[0] <= MOST ? (size_t)head[0] : 0;
        if (count == 0) {
            vskd_reset(stream);
        } else if (fread(samples, sizeof(float) * VSKD_DEVICE_AXES, count, stdin) != count ||
                   (head[1] && fread(times, sizeof(uint64_t), count, stdin) != count)) {
            return EXIT_FAILURE;
        } else {
            feed(stream, count, head[1]);
        }
    }
    return EXIT_SUCCESS;
}
