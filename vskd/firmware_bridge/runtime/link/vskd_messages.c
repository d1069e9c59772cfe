/* See vskd_messages.h. */
#include "vskd_messages.h"

#include <string.h>

enum { DIGEST = 32, ABOUT_HEAD = 42, DECISION_HEAD = 29 };

/* Where the next number goes, or comes from. */
typedef struct {
    uint8_t *bytes;
    size_t at;
} writer;

typedef struct {
    const uint8_t *bytes;
    size_t at;
} reader;

static void put(writer *w, uint64_t value, uint32_t count)
{
    uint32_t i;
    for (i = 0; i < count; i++) {
        w->bytes[w->at] = (uint8_t)((value >> (8u * i)) & 0xffu);
        w->at++;
    }
}

static void put_signed(writer *w, int32_t value)
{
    put(w, (uint32_t)value, 4);
}

static void put_float(writer *w, float value)
{
    uint32_t bits;
    (void)memcpy(&bits, &value, sizeof(bits));
    put(w, bits, 4);
}

static void put_bytes(writer *w, const void *bytes, size_t count)
{
    if (count > 0u) {
        (void)memcpy(&w->bytes[w->at], bytes, count);
    }
    w->at += count;
}

static void put_text(writer *w, const vskd_text *text)
{
    put(w, text->count, 1);
    put_bytes(w, text->bytes, text->count);
}

static uint64_t take(reader *r, uint32_t count)
{
    uint64_t value = 0;
    uint32_t i;
    for (i = 0; i < count; i++) {
        value |= (uint64_t)r->bytes[r->at] << (8u * i);
        r->at++;
    }
    return value;
}

static uint8_t take_u8(reader *r)
{
    return (uint8_t)take(r, 1);
}

static uint32_t take_u32(reader *r)
{
    return (uint32_t)take(r, 4);
}

static int32_t take_signed(reader *r)
{
    const uint32_t bits = take_u32(r);
    int32_t value;
    (void)memcpy(&value, &bits, sizeof(value));
    return value;
}

static float take_float(reader *r)
{
    const uint32_t bits = take_u32(r);
    float value;
    (void)memcpy(&value, &bits, sizeof(value));
    return value;
}

/* Returns 0 where the text goes beyond the payload. */
static int32_t take_text(reader *r, size_t count, vskd_text *text)
{
    if (r->at >= count) {
        return 0;
    }
    text->count = take_u8(r);
    text->bytes = (const char *)&r->bytes[r->at];
    r->at += text->count;
    return text->count <= VSKD_LONGEST_TEXT && r->at <= count;
}

vskd_text vskd_text_of(const char *string)
{
    vskd_text text;
    size_t count = strlen(string);
    if (count > VSKD_LONGEST_TEXT) {
        count = VSKD_LONGEST_TEXT;
        while (count > 0u && ((uint32_t)(uint8_t)string[count] & 0xc0u) == 0x80u) {
            count--; /* within a character */
        }
    }
    text.bytes = string;
    text.count = (uint8_t)count;
    return text;
}

size_t vskd_write_about(uint8_t *payload, const vskd_about *about)
{
    writer w = {payload, 0};
    uint32_t axis;
    put_bytes(&w, about->digest, DIGEST);
    put_float(&w, about->rate_hz);
    put(&w, about->capacity, 4);
    put(&w, about->unconfirmed, 1);
    put(&w, about->axes, 1);
    put_text(&w, &about->stream);
    put_text(&w, &about->unit);
    for (axis = 0; axis < about->axes; axis++) {
        if (w.at + 1u + about->names[axis].count > VSKD_LINK_MOST) {
            return 0;
        }
        put_text(&w, &about->names[axis]);
    }
    return w.at;
}

int32_t vskd_read_about(vskd_about *about, const uint8_t *payload, size_t count)
{
    reader r = {payload, 0};
    uint32_t axis;
    if (count < ABOUT_HEAD) {
        return 0;
    }
    about->digest = payload;
    r.at = DIGEST;
    about->rate_hz = take_float(&r);
    about->capacity = take_u32(&r);
    about->unconfirmed = take_u8(&r);
    about->axes = take_u8(&r);
    if (about->unconfirmed > 1u || about->axes > VSKD_MOST_AXES || !(about->rate_hz > 0.0f) ||
        about->rate_hz - about->rate_hz != 0.0f || !take_text(&r, count, &about->stream) ||
        !take_text(&r, count, &about->unit)) {
        return 0;
    }
    for (axis = 0; axis < about->axes; axis++) {
        if (!take_text(&r, count, &about->names[axis])) {
            return 0;
        }
    }
    return r.at == count;
}

int32_t vskd_read_record(uint8_t *wish, const uint8_t *payload, size_t count)
{
    if (count != 1u || payload[0] > (VSKD_WISH_SAMPLES | VSKD_WISH_DECISIONS)) {
        return 0;
    }
    *wish = payload[0];
    return 1;
}

size_t vskd_write_samples(uint8_t *payload, const vskd_samples *head, const uint32_t *offsets, const float *values)
{
    writer w = {payload, 0};
    uint32_t row, axis;
    if (head->axes == 0u || head->axes > VSKD_MOST_AXES || head->count == 0u ||
        head->count > VSKD_MOST_SAMPLES(head->axes)) {
        return 0;
    }
    put(&w, head->number, 8);
    put(&w, head->time_us, 8);
    put(&w, head->count, 1);
    put(&w, head->axes, 1);
    put(&w, head->timed, 1);
    put(&w, 0, 1);
    for (row = 0; row < head->count; row++) {
        put(&w, offsets[row], 4);
        for (axis = 0; axis < head->axes; axis++) {
            put_float(&w, values[row * head->axes + axis]);
        }
    }
    return w.at;
}

int32_t vskd_read_samples(vskd_samples *samples, const uint8_t *payload, size_t count)
{
    reader r = {payload, 0};
    uint8_t zero;
    if (count < VSKD_SAMPLES_HEAD) {
        return 0;
    }
    samples->number = take(&r, 8);
    samples->time_us = take(&r, 8);
    samples->count = take_u8(&r);
    samples->axes = take_u8(&r);
    samples->timed = take_u8(&r);
    zero = take_u8(&r);
    samples->rows = &payload[r.at];
    return samples->axes > 0u && samples->axes <= VSKD_MOST_AXES && samples->count > 0u && samples->timed <= 1u &&
           zero == 0u && count == VSKD_SAMPLES_HEAD + 4u * (size_t)samples->count * (1u + (size_t)samples->axes);
}

uint32_t vskd_sample_offset(const vskd_samples *samples, uint32_t number)
{
    reader r = {samples->rows, 4u * (size_t)number * (1u + (size_t)samples->axes)};
    return take_u32(&r);
}

float vskd_sample_value(const vskd_samples *samples, uint32_t number, uint32_t axis)
{
    reader r = {samples->rows, 4u * ((size_t)number * (1u + (size_t)samples->axes) + 1u + (size_t)axis)};
    return take_float(&r);
}

size_t vskd_write_decision(uint8_t *payload, const vskd_decided *decision)
{
    writer w = {payload, 0};
    put(&w, decision->status, 1);
    put_signed(&w, decision->label);
    put_signed(&w, decision->window_label);
    put_signed(&w, decision->margin);
    put(&w, decision->sample, 8);
    put(&w, decision->time_us, 8);
    put_text(&w, &decision->text);
    return w.at;
}

int32_t vskd_read_decision(vskd_decided *decision, const uint8_t *payload, size_t count)
{
    reader r = {payload, 0};
    if (count < DECISION_HEAD) {
        return 0;
    }
    decision->status = take_u8(&r);
    decision->label = take_signed(&r);
    decision->window_label = take_signed(&r);
    decision->margin = take_signed(&r);
    decision->sample = take(&r, 8);
    decision->time_us = take(&r, 8);
    return take_text(&r, count, &decision->text) && r.at == count;
}

size_t vskd_write_end(uint8_t *payload, const vskd_end *end)
{
    writer w = {payload, 0};
    put(&w, end->reason, 1);
    put(&w, end->samples, 8);
    put(&w, end->lost, 8);
    return w.at;
}

int32_t vskd_read_end(vskd_end *end, const uint8_t *payload, size_t count)
{
    reader r = {payload, 0};
    if (count != 17u) {
        return 0;
    }
    end->reason = take_u8(&r);
    end->samples = take(&r, 8);
    end->lost = take(&r, 8);
    return end->reason <= VSKD_END_SENSOR;
}

size_t vskd_write_offer(uint8_t *payload, const vskd_offer *offer)
{
    writer w = {payload, 0};
    put(&w, offer->size, 4);
    put_bytes(&w, offer->sha256, DIGEST);
    return w.at;
}

int32_t vskd_read_offer(vskd_offer *offer, const uint8_t *payload, size_t count)
{
    reader r = {payload, 0};
    if (count != 4u + DIGEST) {
        return 0;
    }
    offer->size = take_u32(&r);
    offer->sha256 = &payload[4];
    return 1;
}

size_t vskd_write_want(uint8_t *payload, const vskd_want *want)
{
    writer w = {payload, 0};
    put(&w, want->answer, 1);
    put(&w, want->offset, 4);
    put(&w, want->capacity, 4);
    return w.at;
}

int32_t vskd_read_want(vskd_want *want, const uint8_t *payload, size_t count)
{
    reader r = {payload, 0};
    if (count != 9u) {
        return 0;
    }
    want->answer = take_u8(&r);
    want->offset = take_u32(&r);
    want->capacity = take_u32(&r);
    return want->answer <= (uint8_t)VSKD_WANT_FLASH;
}

size_t vskd_write_chunk(uint8_t *payload, const vskd_chunk *chunk)
{
    writer w = {payload, 0};
    if (chunk->count == 0u || chunk->count > VSKD_PIECE) {
        return 0;
    }
    put(&w, chunk->offset, 4);
    put_bytes(&w, chunk->content, chunk->count);
    return w.at;
}

int32_t vskd_read_chunk(vskd_chunk *chunk, const uint8_t *payload, size_t count)
{
    reader r = {payload, 0};
    if (count < 5u || count > 4u + VSKD_PIECE) {
        return 0;
    }
    chunk->offset = take_u32(&r);
    chunk->content = &payload[4];
    chunk->count = (uint16_t)(count - 4u);
    return 1;
}

size_t vskd_write_done(uint8_t *payload, const vskd_done *done)
{
    writer w = {payload, 0};
    put(&w, done->outcome, 1);
    put(&w, done->slot, 1);
    put(&w, done->sequence, 4);
    return w.at;
}

int32_t vskd_read_done(vskd_done *done, const uint8_t *payload, size_t count)
{
    reader r = {payload, 0};
    if (count != 6u) {
        return 0;
    }
    done->outcome = take_u8(&r);
    done->slot = take_u8(&r);
    done->sequence = take_u32(&r);
    return done->outcome <= (uint8_t)VSKD_DONE_OUT_OF_ORDER && done->slot <= 1u;
}
