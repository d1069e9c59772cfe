/* See vskd_device.h. */
#include "vskd_device.h"

#include <string.h>

static const char *const axis_names[VSKD_AXES] = VSKD_AXIS_NAMES;
static const int32_t axis_of[VSKD_AXES] = VSKD_AXIS_OF;
static const float sign_of[VSKD_AXES] = VSKD_SIGN_OF;

int32_t vskd_device_init(vskd_device *device, void *arena, size_t arena_bytes, const int8_t *weights, vskd_slots *slots,
                         void (*write)(void *context, const uint8_t *bytes, size_t count),
                         void (*show)(void *context, const vskd_decided *decision, int32_t is_of_host), void *context)
{
    (void)memset(device, 0, sizeof(*device));
    device->stream = vskd_init(arena, arena_bytes, weights);
    device->slots = slots;
    device->show = show;
    device->context = context;
    vskd_link_init(&device->link, 0, write, context);
    return device->stream != NULL;
}

/* ---- what the host asks ---- */

static uint8_t digit_of(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* The bundle that runs: the one in the slot, or the one that the code was generated from. */
static void digest_of(const vskd_device *device, uint8_t *digest)
{
    const char *text = vskd_info().bundle;
    vskd_file manifest;
    uint32_t i;
    if (device->slots != NULL && device->slots->running != VSKD_NO_SLOT &&
        vskd_parcel_find(device->slots, device->slots->running, "manifest.json", &manifest)) {
        (void)memcpy(digest, manifest.sha256, VSKD_SHA256_BYTES);
        return;
    }
    for (i = 0; i < VSKD_SHA256_BYTES; i++) {
        digest[i] = (uint8_t)(16u * digit_of(text[2u * i]) + digit_of(text[2u * i + 1u]));
    }
}

static void answer(vskd_device *device, uint8_t type, size_t count)
{
    device->reply_type = type;
    device->reply_count = (uint16_t)count;
}

static void answer_hello(vskd_device *device)
{
    uint8_t digest[VSKD_SHA256_BYTES];
    vskd_about about;
    uint32_t axis;
    digest_of(device, digest);
    about.digest = digest;
    about.rate_hz = vskd_info().rate_hz;
    about.capacity = device->slots == NULL ? 0u : vskd_slots_capacity(device->slots);
    about.unconfirmed = (uint8_t)(device->slots != NULL && vskd_slots_on_trial(device->slots));
    about.axes = (uint8_t)VSKD_AXES;
    about.stream = vskd_text_of(VSKD_STREAM);
    about.unit = vskd_text_of(VSKD_UNIT);
    for (axis = 0; axis < VSKD_AXES; axis++) {
        about.names[axis] = vskd_text_of(axis_names[axis]);
    }
    device->wish = 0;
    device->ending = 0;
    answer(device, (uint8_t)VSKD_ABOUT, vskd_write_about(device->reply, &about));
}

static void take_record(vskd_device *device, const vskd_event *event)
{
    uint8_t wish = 0;
    if (!vskd_read_record(&wish, event->payload, event->count)) {
        return;
    }
    if (wish == 0u) {
        device->ending = device->wish != 0u ? (uint8_t)(1u + VSKD_END_ASKED) : 0u;
        return;
    }
    device->wish = wish;
    device->ending = 0;
    device->measured = 0;
    device->lost = 0;
    device->batch_count = 0;
    device->has_decision = 0;
}

void vskd_device_byte(vskd_device *device, uint8_t byte)
{
    vskd_event event;
    vskd_decided decision;
    uint8_t type = 0;
    size_t count;
    if (vskd_link_receive(&device->link, byte, &event) != VSKD_LINK_MESSAGE) {
        return;
    }
    if (event.type == VSKD_HELLO) {
        answer_hello(device);
    } else if (event.type == VSKD_RECORD) {
        take_record(device, &event);
    } else if (event.type == VSKD_DECISION) {
        if (vskd_read_decision(&decision, event.payload, event.count)) {
            device->show(device->context, &decision, 1);
        }
    } else {
        count = vskd_update_handle(device->slots, &event, &type, device->reply);
        if (type != 0u) {
            answer(device, type, count);
        }
    }
}

/* ---- what the sensor measures ---- */

static void note_decision(vskd_device *device, const vskd_decision *decision)
{
    vskd_decided decided;
    decided.status = (uint8_t)decision->status;
    decided.label = decision->label;
    decided.window_label = decision->window_label;
    decided.margin = decision->margin;
    decided.sample = decision->sample;
    decided.time_us = decision->time_us;
    decided.text = vskd_text_of(decision->label == VSKD_NO_LABEL ? "" : vskd_info().labels[decision->label]);
    device->show(device->context, &decided, 0);
    device->decision = decided;
    device->has_decision = 1;
}

/* Keep a sample for the host, in the unit, axes and signs of the contract. */
static void keep_sample(vskd_device *device, const float *sample, uint64_t time_us)
{
    const uint32_t place = device->batch_count;
    uint32_t axis;
    if (place == VSKD_BATCH) {
        device->lost++;
        return;
    }
    if (place == 0u) {
        device->batch_number = device->measured;
        device->batch_time = time_us;
    } else if (device->batch_number + place != device->measured) {
        device->lost++; /* behind a gap: this batch is sent first */
        return;
    }
    device->offsets[place] = (uint32_t)(time_us - device->batch_time);
    for (axis = 0; axis < VSKD_AXES; axis++) {
        device->values[place * VSKD_AXES + axis] = sample[axis_of[axis]] * VSKD_UNIT_FACTOR * sign_of[axis];
    }
    device->batch_count++;
}

void vskd_device_sample(vskd_device *device, const float *sample, uint64_t time_us)
{
    vskd_decision decision;
    (void)vskd_push(device->stream, sample, &time_us, 1);
    if (vskd_poll(device->stream, &decision)) {
        note_decision(device, &decision);
    }
    if (device->ending == 0u) {
        if ((device->wish & VSKD_WISH_SAMPLES) != 0u) {
            keep_sample(device, sample, time_us);
        }
        device->measured++;
    }
}

void vskd_device_end(vskd_device *device)
{
    device->ending = device->wish != 0u ? (uint8_t)(1u + VSKD_END_SENSOR) : 0u;
}

/* ---- what goes up ---- */

static void send_batch(vskd_device *device, uint32_t now_ms)
{
    uint8_t payload[VSKD_LINK_MOST];
    vskd_samples head;
    head.number = device->batch_number;
    head.time_us = device->batch_time;
    head.count = device->batch_count;
    head.axes = (uint8_t)VSKD_AXES;
    head.timed = 1;
    head.rows = NULL;
    (void)vskd_link_send(&device->link, (uint8_t)VSKD_SAMPLES, payload,
                         vskd_write_samples(payload, &head, device->offsets, device->values), now_ms);
    device->batch_count = 0;
}

static void send_end(vskd_device *device, uint32_t now_ms)
{
    uint8_t payload[VSKD_LINK_MOST];
    vskd_end end;
    end.reason = (uint8_t)(device->ending - 1u);
    end.samples = device->measured;
    end.lost = device->lost;
    (void)vskd_link_send(&device->link, (uint8_t)VSKD_END, payload, vskd_write_end(payload, &end), now_ms);
    device->ending = 0;
    device->wish = 0;
}

void vskd_device_tick(vskd_device *device, uint32_t now_ms)
{
    uint8_t payload[VSKD_LINK_MOST];
    (void)vskd_link_tick(&device->link, now_ms);
    if (device->link.session == 0u || device->link.is_pending != 0u) {
        return;
    }
    if (device->reply_type != 0u) {
        (void)vskd_link_send(&device->link, device->reply_type, device->reply, device->reply_count, now_ms);
        device->reply_type = 0;
    } else if (device->has_decision != 0u && (device->wish & VSKD_WISH_DECISIONS) != 0u) {
        (void)vskd_link_send(&device->link, (uint8_t)VSKD_DECISION, payload,
                             vskd_write_decision(payload, &device->decision), now_ms);
        device->has_decision = 0;
    } else if (2u * device->batch_count >= VSKD_BATCH || (device->ending != 0u && device->batch_count > 0u)) {
        send_batch(device, now_ms);
    } else if (device->ending != 0u) {
        send_end(device, now_ms);
    }
}
