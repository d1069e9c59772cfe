/* See vskd_stream.h. The same arithmetic in the same order as vskd/bundle/stream/stream.py and
 * vskd/bundle/encode_numpy.py: float64 inside, float32 where they have it. Compile without -ffast-math and with
 * -ffp-contract=off: a fused product and sum rounds once instead of twice. */
#include "vskd_stream.h"

#include <float.h>
#include <math.h>
#include <string.h>

#if defined(__FAST_MATH__)
#error "vskd_stream.c must not be compiled with -ffast-math"
#endif
#if FLT_EVAL_METHOD != 0
#error "vskd_stream.c needs float arithmetic that is not wider than its type (on x86: -msse2 -mfpmath=sse)"
#endif
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif

enum { NOTHING = 0, WINDOW = 1, EVENT = 2 };

static const int32_t axis_of[VSKD_AXES] = VSKD_AXIS_OF;
static const float sign_of[VSKD_AXES] = VSKD_SIGN_OF;
static const char *const labels[VSKD_MODEL_CLASSES] = VSKD_LABELS;

/* ---- resampling ---- */

#if VSKD_HALF > 0
static const double taps[2 * VSKD_HALF + 1] = VSKD_TAPS;
#endif

static int64_t last_needed(int64_t output)
{
    return (output * VSKD_DOWN + VSKD_HALF) / VSKD_UP;
}

/* The value of one axis at the windows' rate. */
static float output_of(const vskd_stream *s, int64_t output, int32_t axis)
{
#if VSKD_HALF > 0
    const int64_t before = VSKD_HALF - output * VSKD_DOWN;
    const int64_t low = before > 0 ? 0 : (-before + VSKD_UP - 1) / VSKD_UP;
    const int64_t high = last_needed(output);
    const double held = (double)s->first[axis];
    double sum = 0.0;
    int64_t i;
    for (i = low; i <= high; i++) {
        const double part = (double)s->ring[i % VSKD_RING][axis] - held;
        sum += part * taps[VSKD_HALF + output * VSKD_DOWN - i * VSKD_UP];
    }
    return (float)(held + sum);
#else
    return s->ring[output % VSKD_RING][axis];
#endif
}

static void cut_window(vskd_stream *s, int64_t start)
{
    int32_t axis, n;
    for (axis = 0; axis < VSKD_AXES; axis++) {
        for (n = 0; n < VSKD_LENGTH; n++) {
#if VSKD_SPAN == VSKD_LENGTH
            s->window[axis][n] = output_of(s, start + n, axis);
#else
            const double position = n == VSKD_LENGTH - 1 ? (double)(VSKD_SPAN - 1) : (double)n * VSKD_STEP;
            const int32_t whole = (int32_t)position;
            const int32_t left = whole < VSKD_SPAN - 2 ? whole : VSKD_SPAN - 2;
            const double weight = position - (double)left;
            const double low = (double)output_of(s, start + left, axis) * (1.0 - weight);
            const double high = (double)output_of(s, start + left + 1, axis) * weight;
            s->window[axis][n] = (float)(low + high);
#endif
        }
    }
}

/* ---- encoding and quantization ---- */

static int8_t quantized(float value)
{
    double quotient = (double)(value / VSKD_MODEL_INPUT_SCALE);
    int32_t rounded;
    quotient = quotient > 1000.0 ? 1000.0 : (quotient < -1000.0 ? -1000.0 : quotient);
    rounded = quotient < 0.0 ? -(int32_t)(0.5 - quotient) : (int32_t)(quotient + 0.5);
    rounded += VSKD_MODEL_INPUT_ZERO;
    return (int8_t)(rounded > INT8_MAX ? INT8_MAX : (rounded < INT8_MIN ? INT8_MIN : rounded));
}

#if VSKD_ENCODING != VSKD_ENCODING_WINDOW

#if VSKD_ENCODING == VSKD_ENCODING_RAW
static double value_of(const float *row, int32_t n)
{
    return (double)row[n];
}
#else
static const int32_t bounds[VSKD_SIDE + 1] = VSKD_BOUNDS;

/* Mean of one segment of a row. */
static double value_of(const float *row, int32_t n)
{
    double sum = 0.0;
    int32_t i;
    for (i = bounds[n]; i < bounds[n + 1]; i++) {
        sum += (double)row[i];
    }
    return sum / (double)(bounds[n + 1] - bounds[n]);
}
#endif

static void store_angle(vskd_stream *s, int32_t axis, int32_t n, double cosine, double square)
{
    s->cosine[axis][n] = (float)cosine;
    s->sine[axis][n] = (float)sqrt(square > VSKD_SMALLEST_SQUARE ? square : VSKD_SMALLEST_SQUARE);
}

/* cos(phi) and sin(phi) of every value of an axis. */
static void angles_of(vskd_stream *s, const float *row, int32_t axis)
{
    int32_t n;
#if VSKD_FIXED_SCALING
    for (n = 0; n < VSKD_SIDE; n++) {
        double cosine = value_of(row, n) / VSKD_LIMIT;
        cosine = cosine > 1.0 ? 1.0 : (cosine < -1.0 ? -1.0 : cosine);
        store_angle(s, axis, n, cosine, (1.0 - cosine) * (1.0 + cosine));
    }
#else
    double low = value_of(row, 0);
    double high = low;
    double span;
    for (n = 1; n < VSKD_SIDE; n++) {
        const double value = value_of(row, n);
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    high = high > low ? high : low + 1.0 + fabs(low);
    span = high - low;
    for (n = 0; n < VSKD_SIDE; n++) {
        const double above = value_of(row, n) - low;
        const double below = high - value_of(row, n);
        store_angle(s, axis, n, (above - below) / span, 4.0 * (above / span) * (below / span));
    }
#endif
}

#if VSKD_ENCODING != VSKD_ENCODING_RAW
/* One field of every axis: a_i * b_j - c_i * d_j. */
static int8_t *write_fields(int8_t *input, const float (*a)[VSKD_SIDE], const float (*b)[VSKD_SIDE],
                            const float (*c)[VSKD_SIDE], const float (*d)[VSKD_SIDE])
{
    int32_t axis, i, j;
    for (axis = 0; axis < VSKD_AXES; axis++) {
        for (i = 0; i < VSKD_SIDE; i++) {
            for (j = 0; j < VSKD_SIDE; j++) {
                const float first = a[axis][i] * b[axis][j];
                const float second = c[axis][i] * d[axis][j];
                *input = quantized(first - second);
                input++;
            }
        }
    }
    return input;
}
#endif
#endif

void vskd_encode(vskd_stream *s, const float *window, int8_t *input)
{
    int32_t axis;
#if VSKD_ENCODING == VSKD_ENCODING_WINDOW
    (void)s;
    for (axis = 0; axis < VSKD_AXES * VSKD_LENGTH; axis++) {
        input[axis] = quantized(window[axis]);
    }
#else
    for (axis = 0; axis < VSKD_AXES; axis++) {
        angles_of(s, &window[axis * VSKD_LENGTH], axis);
    }
#if VSKD_ENCODING == VSKD_ENCODING_RAW
    for (axis = 0; axis < VSKD_AXES; axis++) {
        int32_t n;
        for (n = 0; n < VSKD_LENGTH; n++) {
            *input = quantized(s->cosine[axis][n]);
            input++;
        }
    }
#else
    {
        const float(*cosine)[VSKD_SIDE] = (const float(*)[VSKD_SIDE])s->cosine;
        const float(*sine)[VSKD_SIDE] = (const float(*)[VSKD_SIDE])s->sine;
#if VSKD_ENCODING == VSKD_ENCODING_GASF || VSKD_ENCODING == VSKD_ENCODING_BOTH
        input = write_fields(input, cosine, cosine, sine, sine);
#endif
#if VSKD_ENCODING == VSKD_ENCODING_GADF || VSKD_ENCODING == VSKD_ENCODING_BOTH
        input = write_fields(input, sine, cosine, cosine, sine);
#endif
        (void)input;
    }
#endif
#endif
}

/* ---- conditions ---- */

static float kept(const vskd_stream *s, int64_t number, int32_t axis)
{
    return s->ring[number % VSKD_RING][axis];
}

static int32_t is_saturated(const vskd_stream *s, int64_t oldest)
{
    int32_t found = 0;
    int32_t n, axis;
    for (n = 0; n < VSKD_CHECKED; n++) {
        int32_t at_limit = 0;
        for (axis = 0; axis < VSKD_AXES; axis++) {
            const float value = kept(s, oldest + n, axis);
            at_limit = at_limit || (value >= VSKD_RANGE_LIMIT) || (value <= -VSKD_RANGE_LIMIT);
        }
        found += at_limit;
    }
    return found > VSKD_MAX_SATURATED;
}

/* Range of an axis over the samples that are checked. */
static float range_of(const vskd_stream *s, int64_t oldest, int32_t axis)
{
    float low = kept(s, oldest, axis);
    float high = low;
    int32_t n;
    for (n = 1; n < VSKD_CHECKED; n++) {
        const float value = kept(s, oldest + n, axis);
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    return high - low;
}

#if VSKD_HAS_GRAVITY
static vskd_status check_gravity(vskd_stream *s, int64_t oldest)
{
    double mean[3];
    double square;
    int32_t axis, n;
    for (axis = 0; axis < 3; axis++) {
        double sum = 0.0;
        for (n = 0; n < VSKD_CHECKED; n++) {
            sum += (double)kept(s, oldest + n, axis);
        }
        mean[axis] = sum / ((double)VSKD_CHECKED * VSKD_GRAVITY);
    }
    square = mean[0] * mean[0] + mean[1] * mean[1] + mean[2] * mean[2];
    if (!((square >= 0.75 * 0.75) && (square <= 1.25 * 1.25))) {
        return VSKD_WRONG_UNIT;
    }
#if VSKD_HAS_REST
    if (!s->is_confirmed) {
        static const double rest[3] = VSKD_REST;
        const double along = mean[0] * rest[0] + mean[1] * rest[1] + mean[2] * rest[2];
        if (along < -0.8) {
            return VSKD_WRONG_GRAVITY;
        }
        s->is_confirmed = along > 0.8;
    }
#endif
    return VSKD_OK;
}
#endif

static vskd_status check_window(vskd_stream *s)
{
    const int64_t newest = s->count - 1;
    const int64_t oldest = newest - VSKD_CHECKED + 1;
    int32_t moving = 0;
    int32_t changing = 0;
    int32_t axis;
    if (s->has_times) {
        const uint64_t elapsed = s->last_time - s->times[oldest % VSKD_RING];
        if ((elapsed < VSKD_MIN_ELAPSED_US) || (elapsed > VSKD_MAX_ELAPSED_US)) {
            return VSKD_WRONG_RATE;
        }
    }
    if (is_saturated(s, oldest)) {
        return VSKD_SATURATED;
    }
    for (axis = 0; axis < VSKD_AXES; axis++) {
        const float range = range_of(s, oldest, axis);
        changing = changing || (range > 0.0f);
        moving = moving || (range > VSKD_STILL);
    }
    if (!changing) {
        return VSKD_CONSTANT;
    }
#if VSKD_HAS_GRAVITY
    if (!moving) {
        return check_gravity(s, oldest);
    }
#else
    (void)moving;
#endif
    return VSKD_OK;
}

/* ---- decision ---- */

static void forget_labels(vskd_stream *s)
{
    s->history_count = 0;
    s->label = VSKD_NO_LABEL;
    s->since = VSKD_HOLD;
}

#if VSKD_SMOOTHING == VSKD_SMOOTHING_MAJORITY
static int32_t votes_for(const vskd_stream *s, int32_t label)
{
    int32_t votes = 0;
    int32_t n;
    for (n = 0; n < s->history_count; n++) {
        votes += s->history[n] == label;
    }
    return votes;
}
#endif

/* The newest label is history[history_count - 1]. */
static int32_t proposed_label(const vskd_stream *s)
{
#if VSKD_SMOOTHING == VSKD_SMOOTHING_MAJORITY
    int32_t best = s->label;
    int32_t most = votes_for(s, best);
    int32_t n;
    for (n = s->history_count - 1; n >= 0; n--) { /* of equals, the present label, then the most recent */
        const int32_t votes = votes_for(s, s->history[n]);
        if (votes > most) {
            most = votes;
            best = s->history[n];
        }
    }
    return best;
#elif VSKD_SMOOTHING == VSKD_SMOOTHING_HYSTERESIS
    int32_t n;
    for (n = 0; n < s->history_count; n++) {
        if (s->history[n] != s->history[0]) {
            return s->label;
        }
    }
    return s->history_count == VSKD_VOTES ? s->history[0] : s->label;
#else
    return s->history[s->history_count - 1];
#endif
}

static int32_t decide(vskd_stream *s, int32_t label)
{
    int32_t proposed;
    int32_t n;
    if (s->history_count == VSKD_VOTES) {
        for (n = 1; n < VSKD_VOTES; n++) {
            s->history[n - 1] = s->history[n];
        }
        s->history_count--;
    }
    s->history[s->history_count] = label;
    s->history_count++;
    proposed = proposed_label(s);
    s->since += s->since < VSKD_HOLD;
    if ((proposed != s->label) && (s->since >= VSKD_HOLD)) {
        s->label = proposed;
        s->since = 0;
    }
    return s->label;
}

/* The first of the largest logits, and how far the next one is. */
static int32_t label_of(const int8_t *logits, int32_t *margin)
{
    int32_t best = 0;
    int32_t next = INT8_MIN;
    int32_t n;
    for (n = 1; n < VSKD_MODEL_CLASSES; n++) {
        best = logits[n] > logits[best] ? n : best;
    }
    for (n = 0; n < VSKD_MODEL_CLASSES; n++) {
        next = (n != best) && (logits[n] > next) ? logits[n] : next;
    }
    *margin = logits[best] - next;
    return *margin >= VSKD_MIN_MARGIN ? best : VSKD_NO_LABEL;
}

/* ---- the five calls ---- */

static void restart(vskd_stream *s)
{
    s->count = 0;
    s->next = 0;
    s->last_time = 0;
    forget_labels(s);
}

vskd_stream *vskd_init(void *arena, size_t arena_bytes, const int8_t *weights)
{
    vskd_stream *s = arena;
    if ((s == NULL) || (weights == NULL) || (arena_bytes < VSKD_ARENA_BYTES) ||
        ((uintptr_t)arena % sizeof(uint64_t) != 0)) {
        return NULL;
    }
    (void)memset(s, 0, sizeof(*s));
    s->weights = weights;
    vskd_reset(s);
    return s;
}

void vskd_reset(vskd_stream *s)
{
    s->total = 0;
    s->decision_time = 0;
    s->pending = NOTHING;
    s->event = VSKD_OK;
    s->has_times = 0;
    s->is_confirmed = 0;
    s->is_bad = 0;
    restart(s);
}

static void raise_event(vskd_stream *s, vskd_status status)
{
    s->pending = EVENT;
    s->event = status;
}

/* The device's sample on the contract's axes, in its unit. Returns 0 where a value is not finite. */
static int32_t map_sample(const float *sample, float *mapped)
{
    int32_t is_finite = 1;
    int32_t axis;
    for (axis = 0; axis < VSKD_AXES; axis++) {
        const float scaled = sample[axis_of[axis]] * VSKD_UNIT_FACTOR;
        mapped[axis] = scaled * sign_of[axis];
        is_finite = is_finite && (mapped[axis] <= FLT_MAX) && (mapped[axis] >= -FLT_MAX);
    }
    return is_finite;
}

static void take_sample(vskd_stream *s, const float *sample, const uint64_t *time)
{
    float mapped[VSKD_AXES];
    const int32_t is_finite = map_sample(sample, mapped);
    int32_t is_gap = 0;
    s->total++;
    s->decision_time = time != NULL ? *time : 0;
    if (!is_finite) {
        restart(s);
        if (!s->is_bad) {
            raise_event(s, VSKD_NOT_FINITE);
        }
        s->is_bad = 1;
        return;
    }
    s->is_bad = 0;
    if ((time != NULL) && (s->count > 0)) {
        is_gap = (*time < s->last_time) || (*time - s->last_time > VSKD_MAX_GAP_US);
    }
    if (is_gap) {
        restart(s);
    }
    if (s->count == 0) {
        (void)memcpy(s->first, mapped, sizeof(mapped));
    }
    (void)memcpy(s->ring[s->count % VSKD_RING], mapped, sizeof(mapped));
    s->times[s->count % VSKD_RING] = s->decision_time;
    s->last_time = s->decision_time;
    s->has_times = time != NULL;
    s->count++;
    if (is_gap) {
        raise_event(s, VSKD_GAP);
    } else if (s->count - 1 >= last_needed(s->next + VSKD_SPAN - 1)) {
        s->pending = WINDOW;
    }
}

size_t vskd_push(vskd_stream *s, const float *samples, const uint64_t *times_us, size_t count)
{
    size_t taken = 0;
    while ((taken < count) && (s->pending == NOTHING)) {
        take_sample(s, &samples[taken * VSKD_DEVICE_AXES], times_us != NULL ? &times_us[taken] : NULL);
        taken++;
    }
    return taken;
}

static void answer(vskd_stream *s, vskd_decision *decision)
{
    const int64_t start = s->next;
    decision->status = check_window(s);
    s->next += VSKD_STRIDE;
    if (decision->status != VSKD_OK) {
        forget_labels(s);
        return;
    }
    cut_window(s, start);
    vskd_encode(s, &s->window[0][0], &s->model[VSKD_MODEL_INPUT_OFFSET]);
    vskd_model_run(s->weights, s->model);
    decision->window_label = label_of(&s->model[VSKD_MODEL_OUTPUT_OFFSET], &decision->margin);
    decision->label = decide(s, decision->window_label);
}

int32_t vskd_poll(vskd_stream *s, vskd_decision *decision)
{
    const int32_t pending = s->pending;
    if (pending == NOTHING) {
        return 0;
    }
    s->pending = NOTHING;
    decision->status = s->event;
    decision->label = VSKD_NO_LABEL;
    decision->window_label = VSKD_NO_LABEL;
    decision->margin = 0;
    decision->sample = s->total;
    decision->time_us = s->decision_time;
    if (pending == WINDOW) {
        answer(s, decision);
    }
    return 1;
}

vskd_description vskd_info(void)
{
    vskd_description found;
    found.bundle = VSKD_BUNDLE_SHA256;
    found.labels = labels;
    found.classes = VSKD_MODEL_CLASSES;
    found.device_axes = VSKD_DEVICE_AXES;
    found.rate_hz = VSKD_DEVICE_RATE_HZ;
    found.arena_bytes = VSKD_ARENA_BYTES;
    found.delay_samples = VSKD_HALF / VSKD_UP;
    return found;
}
