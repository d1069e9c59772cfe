/* The firmware as a WebAssembly module: what a page or node calls. Buffers are shared by their addresses. */
#include "vskd_contract.h"
#include "vskd_model.h"
#ifdef VSKD_SPAN /* the contract is of a sensor */
#include "vskd_stream.h"

#define VSKD_WASM_MOST 4096

static union {
    double align;
    unsigned char bytes[VSKD_ARENA_BYTES];
} stream_arena;
static vskd_stream *stream;
static vskd_decision decision;
static float samples[VSKD_WASM_MOST * VSKD_DEVICE_AXES];
static uint64_t times[VSKD_WASM_MOST];
#endif

static int8_t arena[VSKD_MODEL_ARENA_BYTES];
#if VSKD_WEIGHTS_IN_PLACE
static int8_t weights[VSKD_WEIGHTS_BYTES];
#else
static const int8_t *const weights = vskd_weights;
#endif

/* Where the bytes of model.tflite are to be put; 0 where the module has its weights. */
int8_t *vskd_wasm_weights(void);
int32_t vskd_wasm_weight_bytes(void);
int8_t *vskd_wasm_input(void);
int32_t vskd_wasm_input_bytes(void);
const int8_t *vskd_wasm_output(void);
int32_t vskd_wasm_classes(void);
void vskd_wasm_run(void);

int8_t *vskd_wasm_weights(void)
{
#if VSKD_WEIGHTS_IN_PLACE
    return weights;
#else
    return (int8_t *)0;
#endif
}

int32_t vskd_wasm_weight_bytes(void)
{
    return VSKD_WEIGHTS_BYTES;
}

int8_t *vskd_wasm_input(void)
{
    return &arena[VSKD_MODEL_INPUT_OFFSET];
}

int32_t vskd_wasm_input_bytes(void)
{
    return VSKD_MODEL_INPUT_BYTES;
}

const int8_t *vskd_wasm_output(void)
{
    return &arena[VSKD_MODEL_OUTPUT_OFFSET];
}

int32_t vskd_wasm_classes(void)
{
    return VSKD_MODEL_CLASSES;
}

void vskd_wasm_run(void)
{
    vskd_model_run(weights, arena);
}

#ifdef VSKD_SPAN /* the contract is of a sensor */
float *vskd_wasm_samples(void);
uint64_t *vskd_wasm_times(void);
void vskd_wasm_reset(void);
int32_t vskd_wasm_push(int32_t start, int32_t count, int32_t has_times);
const vskd_decision *vskd_wasm_poll(void);
float *vskd_wasm_window(void);
const int8_t *vskd_wasm_logits(void);
void vskd_wasm_encode(void);

float *vskd_wasm_samples(void)
{
    return samples;
}

uint64_t *vskd_wasm_times(void)
{
    return times;
}

void vskd_wasm_reset(void)
{
    stream = vskd_init(&stream_arena, sizeof(stream_arena), weights);
}

/* Push count samples from number start on; returns how many were taken. */
int32_t vskd_wasm_push(int32_t start, int32_t count, int32_t has_times)
{
    return (int32_t)vskd_push(stream, &samples[start * VSKD_DEVICE_AXES], has_times ? &times[start] : 0, (size_t)count);
}

/* The decision that is due, or 0. */
const vskd_decision *vskd_wasm_poll(void)
{
    return vskd_poll(stream, &decision) ? &decision : 0;
}

/* The window of the last decision, axis by axis, in the contract's unit; scratch, so that a caller may write into it. */
float *vskd_wasm_window(void)
{
    return &stream->window[0][0];
}

/* The logits of the last decision that has a label of its own. */
const int8_t *vskd_wasm_logits(void)
{
    return &stream->model[VSKD_MODEL_OUTPUT_OFFSET];
}

/* What the model sees of the content of vskd_wasm_window, into vskd_wasm_input. */
void vskd_wasm_encode(void)
{
    vskd_encode(stream, vskd_wasm_window(), &arena[VSKD_MODEL_INPUT_OFFSET]);
}
#endif
