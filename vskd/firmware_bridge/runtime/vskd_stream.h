/* From raw samples of a sensor to labels. Five calls; all memory is one arena that the caller gives.
 *
 *     static union { double align; unsigned char bytes[VSKD_ARENA_BYTES]; } arena;
 *     vskd_stream *stream = vskd_init(&arena, sizeof arena, vskd_weights);
 *     ...
 *     while (count > 0) {
 *         size_t taken = vskd_push(stream, samples, times, count);
 *         samples += taken * VSKD_DEVICE_AXES; times += taken; count -= taken;
 *         if (vskd_poll(stream, &decision)) { ... }
 *     }
 *
 * How the samples are cut into calls makes no difference to the decisions. Not reentrant for one stream; any number of
 * streams may run side by side. */
#ifndef VSKD_STREAM_H
#define VSKD_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "vskd_contract.h"
#include "vskd_model.h"

#define VSKD_NO_LABEL (-1)

/* What is wrong; a decision has a label only where nothing is. */
typedef enum {
    VSKD_OK = 0,
    VSKD_WRONG_RATE = 1,    /* the time stamps say another rate than the contract's, by more than 3 % */
    VSKD_GAP = 2,           /* samples are missing, or time went back; the window starts anew */
    VSKD_NOT_FINITE = 3,    /* a sample is not a finite number; the window starts anew */
    VSKD_SATURATED = 4,     /* too many samples lie at the limit of the sensor's range */
    VSKD_WRONG_GRAVITY = 5, /* at rest the sensor shows gravity with the opposite sign */
    VSKD_WRONG_UNIT = 6,    /* at rest the vector is not 1 g long */
    VSKD_CONSTANT = 7       /* no axis changes at all */
} vskd_status;

typedef struct {
    vskd_status status;
    int32_t label;        /* the smoothed decision: an index of class, or VSKD_NO_LABEL */
    int32_t window_label; /* this window's own label, or VSKD_NO_LABEL where it is unknown */
    int32_t margin;       /* between its two largest logits, in steps of VSKD_MODEL_OUTPUT_SCALE */
    uint64_t sample;      /* samples up to the newest that it depends on, since init or reset */
    uint64_t time_us;     /* time stamp of that sample; 0 without time stamps */
} vskd_decision;

typedef struct {
    const char *bundle;        /* SHA-256 of the bundle's manifest */
    const char *const *labels; /* names of the classes */
    int32_t classes;
    int32_t device_axes;
    float rate_hz;             /* of the samples that are pushed */
    size_t arena_bytes;
    int32_t delay_samples;     /* a decision is later than the end of its window by so many samples */
} vskd_description;

/* The arena's content; its members are no part of the interface. */
typedef struct {
    const int8_t *weights;
    uint64_t total, decision_time, last_time;
    uint64_t times[VSKD_RING];
    float ring[VSKD_RING][VSKD_AXES];
    float first[VSKD_AXES];
    float window[VSKD_AXES][VSKD_LENGTH];
    float cosine[VSKD_AXES][VSKD_SIDE];
    float sine[VSKD_AXES][VSKD_SIDE];
    int64_t count, next;
    int32_t history[VSKD_VOTES];
    int32_t history_count, label, since;
    int32_t pending, has_times, is_confirmed, is_bad;
    vskd_status event;
    int8_t model[VSKD_MODEL_ARENA_BYTES];
} vskd_stream;

#define VSKD_ARENA_BYTES (sizeof(vskd_stream))

/* Make a stream in the caller's arena.
 * arena: at least VSKD_ARENA_BYTES, aligned for a double and a 64-bit integer.
 * weights: vskd_weights, or the bytes of model.tflite where VSKD_WEIGHTS_IN_PLACE is 1.
 * Returns NULL where the arena is absent, too small or not aligned. */
vskd_stream *vskd_init(void *arena, size_t arena_bytes, const int8_t *weights);

/* Take samples until one completes a window or interrupts the stream.
 * samples: count rows of VSKD_DEVICE_AXES values in the device's own unit.
 * times_us: one time stamp per sample, or NULL: then rate and gaps are not checked. The same for a whole stream.
 * Returns how many were taken; poll, then push the others. 0 where a decision was not polled yet. */
size_t vskd_push(vskd_stream *stream, const float *samples, const uint64_t *times_us, size_t count);

/* Compute the decision that is due, which runs the model. Returns 1 with a decision, 0 where none is due. */
int32_t vskd_poll(vskd_stream *stream, vskd_decision *decision);

/* Forget all samples, the decision, and whether gravity was right. */
void vskd_reset(vskd_stream *stream);

/* What the stream was generated from. */
vskd_description vskd_info(void);

/* For tests: int8 input of the model from a window of float32 in the contract's unit, axis by axis. */
void vskd_encode(vskd_stream *stream, const float *window, int8_t *input);

#endif
