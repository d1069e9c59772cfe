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

#include "vskd_host.h"
#include "vskd_parcel.h"
#include "vskd_stream.h"
#include "vskd_update.h"

enum { MOST = VSKD_MOST_SAMPLES(VSKD_DEVICE_AXES), WAIT_MS = 20 };

static union {
    double align;
    unsigned char bytes[VSKD_ARENA_BYTES];
} arena;
static vskd_stream *stream;
static FILE *recording;
static FILE *flash_file;
static vskd_flash flash;
static vskd_slots slots;
static vskd_link link_;
static uint8_t reply[VSKD_LINK_MOST];
static size_t reply_count;
static uint8_t reply_type;
static uint8_t wish;
static uint64_t measured;
static uint8_t batch[VSKD_LINK_MOST];
static size_t batch_count;
static vskd_decision decisions[MOST + 1];
static size_t decided, told;

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

/* ---- messages ---- */

static void hex_digest(uint8_t *digest, const char *text)
{
    uint32_t i;
    for (i = 0; i < VSKD_SHA256_BYTES; i++) {
        unsigned value = 0;
        (void)sscanf(&text[2u * i], "%2x", &value);
        digest[i] = (uint8_t)value;
    }
}

/* Tell what the device is, and confirm its bundle: one that can be reached works. */
static void answer_hello(void)
{
    static const char *const names[VSKD_AXES] = VSKD_AXIS_NAMES;
    uint8_t digest[VSKD_SHA256_BYTES];
    vskd_file manifest;
    vskd_about about;
    uint32_t axis;
    hex_digest(digest, vskd_info().bundle);
    if (slots.running != VSKD_NO_SLOT && vskd_parcel_find(&slots, slots.running, "manifest.json", &manifest)) {
        (void)memcpy(digest, manifest.sha256, sizeof(digest));
    }
    about.digest = digest;
    about.rate_hz = vskd_info().rate_hz;
    about.capacity = vskd_slots_capacity(&slots);
    about.unconfirmed = (uint8_t)(vskd_slots_on_trial(&slots) != 0);
    about.axes = (uint8_t)VSKD_AXES;
    about.stream = vskd_text_of(VSKD_STREAM);
    about.unit = vskd_text_of(VSKD_UNIT);
    for (axis = 0; axis < VSKD_AXES; axis++) {
        about.names[axis] = vskd_text_of(names[axis]);
    }
    reply_count = vskd_write_about(reply, &about);
    reply_type = (uint8_t)VSKD_ABOUT;
    wish = 0;
    (void)vskd_slots_confirm(&slots);
}

static void end_recording(uint8_t reason)
{
    vskd_end end = {0, 0, 0};
    end.reason = reason;
    end.samples = measured;
    reply_count = vskd_write_end(reply, &end);
    reply_type = (uint8_t)VSKD_END;
    wish = 0;
}

static void take_record(const vskd_event *event)
{
    uint8_t asked = 0;
    if (!vskd_read_record(&asked, event->payload, event->count)) {
        return;
    }
    if (asked == 0u) {
        if (wish != 0u) {
            end_recording(VSKD_END_ASKED);
        }
        return;
    }
    wish = asked;
    measured = 0;
    batch_count = 0;
    decided = 0;
    told = 0;
    vskd_reset(stream);
    rewind(recording);
}

static void take_message(const vskd_event *event)
{
    vskd_decided decision;
    if (event->type == VSKD_HELLO) {
        answer_hello();
    } else if (event->type == VSKD_RECORD) {
        take_record(event);
    } else if (event->type == VSKD_DECISION) {
        if (vskd_read_decision(&decision, event->payload, event->count)) { /* blink here */
            (void)fprintf(stderr, "shown: status %d label %" PRId32 " sample %" PRIu64 " %.*s\n", decision.status,
                          decision.label, decision.sample, (int)decision.text.count, decision.text.bytes);
        }
    } else {
        reply_count = vskd_update_handle(&slots, event, &reply_type, reply);
    }
}

/* ---- recording ---- */

/* Read the next samples, push them into the stream, and make a message of them. */
static void next_batch(void)
{
    float values[MOST * VSKD_DEVICE_AXES];
    uint64_t times[MOST];
    uint32_t offsets[MOST];
    vskd_samples head = {0, 0, 0, (uint8_t)VSKD_DEVICE_AXES, 1, NULL};
    size_t count = 0;
    size_t done = 0;
    while (count < MOST && fread(&times[count], sizeof(times[0]), 1, recording) == 1 &&
           fread(&values[count * VSKD_DEVICE_AXES], sizeof(float), VSKD_DEVICE_AXES, recording) == VSKD_DEVICE_AXES) {
        offsets[count] = (uint32_t)(times[count] - times[0]);
        count++;
    }
    if (count == 0u) {
        end_recording(VSKD_END_SENSOR);
        return;
    }
    head.number = measured;
    head.time_us = times[0];
    head.count = (uint8_t)count;
    batch_count = vskd_write_samples(batch, &head, offsets, values);
    measured += count;
    decided = 0;
    told = 0;
    while (done < count) {
        done += vskd_push(stream, &values[done * VSKD_DEVICE_AXES], &times[done], count - done);
        decided += vskd_poll(stream, &decisions[decided]) ? 1u : 0u;
    }
}

static void send_decision(const vskd_decision *d, uint32_t now)
{
    uint8_t payload[VSKD_LINK_MOST];
    vskd_decided decision;
    decision.status = (uint8_t)d->status;
    decision.label = d->label;
    decision.window_label = d->window_label;
    decision.margin = d->margin;
    decision.sample = d->sample;
    decision.time_us = d->time_us;
    decision.text = vskd_text_of(d->label == VSKD_NO_LABEL ? "" : vskd_info().labels[d->label]);
    (void)vskd_link_send(&link_, (uint8_t)VSKD_DECISION, payload, vskd_write_decision(payload, &decision), now);
}

/* Send the next thing, if the last one has arrived. */
static void send_next(uint32_t now)
{
    if (link_.session == 0u || link_.is_pending != 0u) {
        return;
    }
    if (reply_type != 0u) {
        (void)vskd_link_send(&link_, reply_type, reply, reply_count, now);
        reply_type = 0;
    } else if (wish == 0u) {
        return;
    } else if (batch_count > 0u && (wish & VSKD_WISH_SAMPLES) != 0u) {
        (void)vskd_link_send(&link_, (uint8_t)VSKD_SAMPLES, batch, batch_count, now);
        batch_count = 0;
    } else if (told < decided && (wish & VSKD_WISH_DECISIONS) != 0u) {
        send_decision(&decisions[told], now);
        told++;
    } else {
        next_batch();
    }
}

static void serve(void)
{
    struct pollfd line = {STDIN_FILENO, POLLIN, 0};
    uint8_t received[256];
    for (;;) {
        const int is_busy = link_.session != 0u && link_.is_pending == 0u && (wish != 0u || reply_type != 0u);
        vskd_event event;
        ssize_t count, i;
        if (poll(&line, 1, is_busy ? 0 : WAIT_MS) > 0) {
            count = read(STDIN_FILENO, received, sizeof(received));
            if (count <= 0) {
                return; /* the host is gone */
            }
            for (i = 0; i < count; i++) {
                if (vskd_link_receive(&link_, received[i], &event) == VSKD_LINK_MESSAGE) {
                    take_message(&event);
                }
            }
        }
        (void)vskd_link_tick(&link_, now_ms());
        send_next(now_ms());
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
    stream = vskd_init(&arena, sizeof(arena), vskd_load_weights(argc - 4, &argv[4]));
    if (recording == NULL || flash_file == NULL || stream == NULL) {
        (void)fprintf(stderr, "the recording, the flash or the weights cannot be opened\n");
        return EXIT_FAILURE;
    }
    vskd_slots_init(&slots, &flash, vskd_parcel_check);
    (void)fprintf(stderr, "started: slot %d\n", (int)vskd_slots_boot(&slots));
    vskd_link_init(&link_, 0, write_line, NULL);
    serve();
    return EXIT_SUCCESS;
}
