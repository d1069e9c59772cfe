/* Host tool: a device on standard input and output, for `vskd link simulate`. It replays a recording through the
 * generated stream, and keeps its two slots in a file. A process is one start of the device.
 * Usage: vskd_link_run SAMPLES FLASH SECTOR_BYTES SLOT_BYTES [model.tflite]
 * SAMPLES: for each sample its time in microseconds (uint64), then VSKD_DEVICE_AXES float32. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vskd_device.h"
#include "vskd_host.h"

enum { WAIT_MS = 20 };

static union {
    double align;
    unsigned char bytes[VSKD_ARENA_BYTES];
} arena;
static FILE *recording;
static FILE *flash_file;
static vskd_flash flash;
static vskd_slots slots;
static vskd_device device;

static uint32_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u);
}

static void write_line(void *context, const uint8_t *bytes, size_t count)
{
    (void)context;
    while (count > 0u) {
        const ssize_t done = write(STDOUT_FILENO, bytes, count);
        if (done <= 0) {
            exit(EXIT_SUCCESS); /* the host is gone */
        }
        bytes += done;
        count -= (size_t)done;
    }
}

/* ---- flash in a file ---- */

static int32_t program(void *context, uint32_t offset, const uint8_t *bytes, uint32_t count)
{
    (void)context;
    return fseek(flash_file, (long)offset, SEEK_SET) == 0 && fwrite(bytes, 1, count, flash_file) == count &&
           fflush(flash_file) == 0;
}

static int32_t erase(void *context, uint32_t offset)
{
    uint8_t blank[VSKD_PIECE];
    uint32_t at;
    (void)memset(blank, 0xff, sizeof(blank));
    for (at = 0; at < flash.sector_bytes; at += VSKD_PIECE) {
        if (!program(context, offset + at, blank, VSKD_PIECE)) {
            return 0;
        }
    }
    return 1;
}

static int32_t read_flash(void *context, uint32_t offset, uint8_t *bytes, uint32_t count)
{
    (void)context;
    return fseek(flash_file, (long)offset, SEEK_SET) == 0 && fread(bytes, 1, count, flash_file) == count;
}

static void show(void *context, const vskd_decided *decision, int32_t is_of_host)
{
    (void)context;
    if (is_of_host) { /* blink here */
        (void)fprintf(stderr, "shown: status %d label %" PRId32 " sample %" PRIu64 " %.*s\n", decision->status,
                      decision->label, decision->sample, (int)decision->text.count, decision->text.bytes);
    }
}

/* The next sample, where the link has room for what it gives; a real sensor would not wait. */
static void next_sample(void)
{
    uint64_t time_us;
    float sample[VSKD_DEVICE_AXES];
    const int32_t is_full = device.batch_count == VSKD_BATCH ||
                            (device.has_decision != 0u && (device.wish & VSKD_WISH_DECISIONS) != 0u);
    if (device.wish == 0u || device.ending != 0u || is_full) {
        return;
    }
    if (device.measured == 0u) { /* a new recording */
        rewind(recording);
        vskd_reset(device.stream);
    }
    if (fread(&time_us, sizeof(time_us), 1, recording) == 1 &&
        fread(sample, sizeof(float), VSKD_DEVICE_AXES, recording) == VSKD_DEVICE_AXES) {
        vskd_device_sample(&device, sample, time_us);
    } else {
        vskd_device_end(&device);
    }
}

static void serve(void)
{
    struct pollfd line = {STDIN_FILENO, POLLIN, 0};
    uint8_t received[256];
    for (;;) {
        const int is_busy = device.link.is_pending == 0u && (device.wish != 0u || device.reply_type != 0u);
        if (poll(&line, 1, is_busy ? 0 : WAIT_MS) > 0) {
            const ssize_t count = read(STDIN_FILENO, received, sizeof(received));
            ssize_t i;
            if (count <= 0) {
                return; /* the host is gone */
            }
            for (i = 0; i < count; i++) {
                vskd_device_byte(&device, received[i]);
            }
            if (device.link.session != 0u && slots.running != VSKD_NO_SLOT && device.reply_type == 0u) {
                (void)vskd_slots_confirm(&slots); /* a device that was reached works */
            }
        }
        next_sample();
        vskd_device_tick(&device, now_ms());
    }
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        (void)fprintf(stderr, "usage: vskd_link_run SAMPLES FLASH SECTOR_BYTES SLOT_BYTES [model.tflite]\n");
        return EXIT_FAILURE;
    }
    recording = fopen(argv[1], "rb");
    flash_file = fopen(argv[2], "r+b");
    flash.sector_bytes = (uint32_t)strtoul(argv[3], NULL, 10);
    flash.slot_bytes = (uint32_t)strtoul(argv[4], NULL, 10);
    flash.erase = erase;
    flash.program = program;
    flash.read = read_flash;
    if (recording == NULL || flash_file == NULL ||
        !vskd_device_init(&device, &arena, sizeof(arena), vskd_load_weights(argc - 4, &argv[4]), &slots, write_line, show,
                          NULL)) {
        (void)fprintf(stderr, "the recording, the flash or the weights cannot be opened\n");
        return EXIT_FAILURE;
    }
    vskd_slots_init(&slots, &flash, vskd_parcel_check);
    (void)fprintf(stderr, "started: slot %d\n", (int)vskd_slots_boot(&slots));
    serve();
    return EXIT_SUCCESS;
}
