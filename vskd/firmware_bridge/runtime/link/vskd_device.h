/* A whole device: the stream of samples, its decisions, the link to a host, and slots for bundles. Five calls:
 *
 *     vskd_device_init(&device, &arena, sizeof arena, vskd_weights, slots or NULL, write, show, context);
 *     vskd_device_sample(&device, sample, time_us);      for each sample of the sensor
 *     vskd_device_byte(&device, byte);                   for each byte that arrives
 *     vskd_device_tick(&device, now_ms);                 often: sends what is to be sent
 *     vskd_device_end(&device);                          where the sensor ends
 *
 * All from one thread. What cannot be sent in time is counted and said to the host, never lost in silence. Compile with
 * the folder of vskd_stream.h in the path of headers. */
#ifndef VSKD_DEVICE_H
#define VSKD_DEVICE_H

#include "vskd_stream.h"
#include "vskd_parcel.h"
#include "vskd_update.h"

#define VSKD_BATCH VSKD_MOST_SAMPLES(VSKD_AXES)

typedef struct {
    vskd_stream *stream;
    vskd_slots *slots;
    vskd_link link;
    void (*show)(void *context, const vskd_decided *decision, int32_t is_of_host);
    void *context;
    uint8_t wish;
    uint8_t ending; /* 1 + the reason, once no more samples are kept */
    uint8_t reply_type;
    uint8_t has_decision;
    uint8_t batch_count;
    uint16_t reply_count;
    uint64_t measured, lost, batch_number, batch_time;
    vskd_decided decision;
    uint32_t offsets[VSKD_BATCH];
    float values[VSKD_BATCH * VSKD_AXES];
    uint8_t reply[VSKD_LINK_MOST];
} vskd_device;

/* arena, arena_bytes, weights: see vskd_init. slots: booted, or NULL. write: sends bytes to the host. show: is told each
 * decision, of the device and of the host. Returns 0 where the arena is not fit. */
int32_t vskd_device_init(vskd_device *device, void *arena, size_t arena_bytes, const int8_t *weights, vskd_slots *slots,
                         void (*write)(void *context, const uint8_t *bytes, size_t count),
                         void (*show)(void *context, const vskd_decided *decision, int32_t is_of_host), void *context);

/* sample: VSKD_DEVICE_AXES values in the device's own unit. May run the model. */
void vskd_device_sample(vskd_device *device, const float *sample, uint64_t time_us);

void vskd_device_byte(vskd_device *device, uint8_t byte);

/* The sensor ends: what is kept is still sent, then that it has ended. */
void vskd_device_end(vskd_device *device);

void vskd_device_tick(vskd_device *device, uint32_t now_ms);

#endif
