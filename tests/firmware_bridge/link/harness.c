/* The link in C, for the tests: commands from stdin, what came of them to stdout, one line each.
 * harness endpoint 0|1   a machine of commands, see `CEndpoint` in harness.py
 * harness messages       type, u16 length, payload -> the payload read and written again, or 0 where it is refused */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vskd_link.h"
#include "vskd_messages.h"

static uint8_t buffer[1 << 16];

static int32_t get(size_t count)
{
    return fread(buffer, 1, count, stdin) == count;
}

static uint32_t number(size_t at, uint32_t count)
{
    uint32_t value = 0;
    uint32_t i;
    for (i = 0; i < count; i++) {
        value |= (uint32_t)buffer[at + i] << (8u * i);
    }
    return value;
}

static void print_hex(const uint8_t *bytes, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++) {
        (void)printf("%02x", bytes[i]);
    }
    (void)printf("\n");
}

static void write_line(void *context, const uint8_t *bytes, size_t count)
{
    (void)context;
    (void)printf("W ");
    print_hex(bytes, count);
}

static void print_event(vskd_link_status status, const vskd_event *event)
{
    if (status == VSKD_LINK_NOTHING) {
        return;
    }
    (void)printf("E %d %d %d %d ", (int)status, event->type, event->code, event->value);
    print_hex(event->payload, event->count);
}

static int endpoint(uint8_t is_host)
{
    static vskd_link link;
    vskd_event event;
    int command;
    vskd_link_init(&link, is_host, write_line, NULL);
    while ((command = getchar()) != EOF) {
        uint32_t i, count;
        vskd_link_status status = VSKD_LINK_NOTHING;
        (void)memset(&event, 0, sizeof(event));
        if (command == 'o' && get(6)) {
            status = vskd_link_open(&link, (uint16_t)number(0, 2), number(2, 4));
        } else if (command == 's' && get(7)) {
            const uint32_t now = number(3, 4);
            const uint8_t type = buffer[0];
            count = number(1, 2);
            if (!get(count)) {
                return EXIT_FAILURE;
            }
            status = vskd_link_send(&link, type, buffer, count, now);
        } else if (command == 't' && get(4)) {
            status = vskd_link_tick(&link, number(0, 4));
        } else if (command == 'r' && get(2)) {
            count = number(0, 2);
            if (!get(count)) {
                return EXIT_FAILURE;
            }
            for (i = 0; i < count; i++) {
                print_event(vskd_link_receive(&link, buffer[i], &event), &event);
            }
        } else {
            return EXIT_FAILURE;
        }
        print_event(status, &event);
        (void)printf(". %u %u %d %" PRIu32 " %" PRIu32 " %" PRIu32 "\n", (unsigned)link.session, (unsigned)link.expected,
                     link.is_pending, link.damaged, link.stale, link.repeated);
        (void)fflush(stdout);
    }
    return EXIT_SUCCESS;
}

static size_t again_about(const uint8_t *p, size_t n, uint8_t *out)
{
    vskd_about m;
    return vskd_read_about(&m, p, n) ? vskd_write_about(out, &m) : 0u;
}

static size_t again_samples(const uint8_t *p, size_t n, uint8_t *out)
{
    vskd_samples m;
    uint32_t offsets[256];
    float values[256 * VSKD_MOST_AXES];
    uint32_t i, axis;
    if (!vskd_read_samples(&m, p, n)) {
        return 0;
    }
    for (i = 0; i < m.count; i++) {
        offsets[i] = vskd_sample_offset(&m, i);
        for (axis = 0; axis < m.axes; axis++) {
            values[i * m.axes + axis] = vskd_sample_value(&m, i, axis);
        }
    }
    return vskd_write_samples(out, &m, offsets, values);
}

#define AGAIN(name)                                                       \
    static size_t again_##name(const uint8_t *p, size_t n, uint8_t *out)  \
    {                                                                     \
        vskd_##name##_t m;                                                \
        return vskd_read_##name(&m, p, n) ? vskd_write_##name(out, &m) : 0u; \
    }
typedef vskd_decided vskd_decision_t;
typedef vskd_end vskd_end_t;
typedef vskd_offer vskd_offer_t;
typedef vskd_want vskd_want_t;
typedef vskd_chunk vskd_chunk_t;
typedef vskd_done vskd_done_t;
AGAIN(decision)
AGAIN(end)
AGAIN(offer)
AGAIN(want)
AGAIN(chunk)
AGAIN(done)

static size_t again(uint8_t type, const uint8_t *p, size_t n, uint8_t *out)
{
    switch (type) {
    case VSKD_ABOUT: return again_about(p, n, out);
    case VSKD_RECORD: return vskd_read_record(out, p, n) ? 1u : 0u;
    case VSKD_SAMPLES: return again_samples(p, n, out);
    case VSKD_DECISION: return again_decision(p, n, out);
    case VSKD_END: return again_end(p, n, out);
    case VSKD_OFFER: return again_offer(p, n, out);
    case VSKD_WANT: return again_want(p, n, out);
    case VSKD_CHUNK: return again_chunk(p, n, out);
    case VSKD_DONE: return again_done(p, n, out);
    default: return 0;
    }
}

static int messages(void)
{
    static uint8_t out[1 << 16];
    while (get(3)) {
        const uint8_t type = buffer[0];
        const size_t count = number(1, 2);
        /* its own block, so that the sanitizer sees what is read beyond its end */
        uint8_t *payload = (uint8_t *)malloc(count + (count == 0u));
        if (payload == NULL || !get(count)) {
            return EXIT_FAILURE;
        }
        (void)memcpy(payload, buffer, count);
        print_hex(out, again(type, payload, count, out));
        free(payload);
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "endpoint") == 0) {
        return endpoint((uint8_t)(argv[2][0] == '1'));
    }
    return argc == 2 && strcmp(argv[1], "messages") == 0 ? messages() : EXIT_FAILURE;
}
