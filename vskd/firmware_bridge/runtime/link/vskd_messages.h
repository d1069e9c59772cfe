/* What the frames of the link hold; the bytes are in docs/link.md, and vskd/firmware_bridge/link/messages.py is the same
 * in Python. Each `write` returns the length of the payload; each `read` returns 1, or 0 where the payload does not
 * follow the protocol. What was read points into the payload. */
#ifndef VSKD_MESSAGES_H
#define VSKD_MESSAGES_H

#include <stddef.h>
#include <stdint.h>

#include "vskd_link.h"

#define VSKD_PIECE 256u /* bytes of a bundle in one message; the last may be shorter */
#define VSKD_LONGEST_TEXT 64u
#define VSKD_MOST_AXES 16u
#define VSKD_SAMPLES_HEAD 20u
/* Samples that fit into one message. */
#define VSKD_MOST_SAMPLES(axes) ((VSKD_LINK_MOST - VSKD_SAMPLES_HEAD) / (4u * (1u + (uint32_t)(axes))))

enum { VSKD_WISH_SAMPLES = 1, VSKD_WISH_DECISIONS = 2 };
enum { VSKD_END_ASKED = 0, VSKD_END_SENSOR = 1 };

typedef enum {
    VSKD_WANT_SEND = 0,
    VSKD_WANT_HAVE = 1,
    VSKD_WANT_TOO_LARGE = 2,
    VSKD_WANT_UNCONFIRMED = 3,
    VSKD_WANT_NO_SLOTS = 4,
    VSKD_WANT_FLASH = 5
} vskd_answer;

typedef enum {
    VSKD_DONE_ACTIVE = 0,
    VSKD_DONE_OTHER_HASH = 1,
    VSKD_DONE_OTHER_MANIFEST = 2,
    VSKD_DONE_FLASH = 3,
    VSKD_DONE_OUT_OF_ORDER = 4
} vskd_outcome;

typedef struct {
    const char *bytes; /* UTF-8, without a zero at the end */
    uint8_t count;
} vskd_text;

typedef struct {
    const uint8_t *digest; /* 32 bytes: SHA-256 of the manifest of the bundle that runs */
    float rate_hz;
    uint32_t capacity;
    uint8_t unconfirmed;
    uint8_t axes;
    vskd_text stream;
    vskd_text unit;
    vskd_text names[VSKD_MOST_AXES];
} vskd_about;

typedef struct {
    uint64_t number;
    uint64_t time_us;
    uint8_t count;
    uint8_t axes;
    uint8_t timed;
    const uint8_t *rows;
} vskd_samples;

typedef struct {
    uint8_t status;
    int32_t label;
    int32_t window_label;
    int32_t margin;
    uint64_t sample;
    uint64_t time_us;
    vskd_text text;
} vskd_decided;

typedef struct {
    uint8_t reason;
    uint64_t samples;
    uint64_t lost;
} vskd_end;

typedef struct {
    uint32_t size;
    const uint8_t *sha256; /* of the parcel */
} vskd_offer;

typedef struct {
    uint8_t answer;
    uint32_t offset;
    uint32_t capacity;
} vskd_want;

typedef struct {
    uint32_t offset;
    const uint8_t *content;
    uint16_t count;
} vskd_chunk;

typedef struct {
    uint8_t outcome;
    uint8_t slot;
    uint32_t sequence;
} vskd_done;

/* A text from a string; what is too long is cut after a whole character. */
vskd_text vskd_text_of(const char *string);

size_t vskd_write_about(uint8_t *payload, const vskd_about *about);
/* offsets: count of them, in microseconds from the first; values: count rows of axes. */
size_t vskd_write_samples(uint8_t *payload, const vskd_samples *head, const uint32_t *offsets, const float *values);
size_t vskd_write_decision(uint8_t *payload, const vskd_decided *decision);
size_t vskd_write_end(uint8_t *payload, const vskd_end *end);
size_t vskd_write_offer(uint8_t *payload, const vskd_offer *offer);
size_t vskd_write_want(uint8_t *payload, const vskd_want *want);
size_t vskd_write_chunk(uint8_t *payload, const vskd_chunk *chunk);
size_t vskd_write_done(uint8_t *payload, const vskd_done *done);

int32_t vskd_read_about(vskd_about *about, const uint8_t *payload, size_t count);
int32_t vskd_read_record(uint8_t *wish, const uint8_t *payload, size_t count);
int32_t vskd_read_samples(vskd_samples *samples, const uint8_t *payload, size_t count);
int32_t vskd_read_decision(vskd_decided *decision, const uint8_t *payload, size_t count);
int32_t vskd_read_end(vskd_end *end, const uint8_t *payload, size_t count);
int32_t vskd_read_offer(vskd_offer *offer, const uint8_t *payload, size_t count);
int32_t vskd_read_want(vskd_want *want, const uint8_t *payload, size_t count);
int32_t vskd_read_chunk(vskd_chunk *chunk, const uint8_t *payload, size_t count);
int32_t vskd_read_done(vskd_done *done, const uint8_t *payload, size_t count);

/* One of the samples that were read: its time from the first, and its values. */
uint32_t vskd_sample_offset(const vskd_samples *samples, uint32_t number);
float vskd_sample_value(const vskd_samples *samples, uint32_t number, uint32_t axis);

#endif
