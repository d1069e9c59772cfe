/* The bundle's golden vectors: encoding and model must give the bundle's integers, bit for bit. Of a bundle of a sensor
 * also a golden stream, with all that can go wrong: windows, outputs and decisions must be those of Python.
 * Usage: vskd_test [model.tflite]; ends with 0 where all agree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vskd_contract.h"
#include "vskd_golden.h"
#include "vskd_host.h"
#include "vskd_model.h"
static int8_t arena[VSKD_MODEL_ARENA_BYTES];

static int report(const char *what, int number, const int8_t *found, const int8_t *expected, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++) {
        if (found[i] != expected[i]) {
            (void)printf("vector %d: %s %lu is %d instead of %d\n", number, what, (unsigned long)i, found[i],
                         expected[i]);
            return 1;
        }
    }
    return 0;
}

#if VSKD_GOLDEN_SAMPLES > 0
static vskd_stream stream;
static int8_t encoded[VSKD_MODEL_INPUT_BYTES];

static int check_encoding(int number)
{
    vskd_encode(&stream, golden_windows[number], encoded);
    return report("input", number, encoded, golden_inputs[number], VSKD_MODEL_INPUT_BYTES);
}

/* Whether decision number `number` is the golden one. */
static int check_decision(int number, const vskd_decision *d)
{
    const int32_t found[5] = {(int32_t)d->status, d->label, d->window_label, d->margin, (int32_t)d->sample};
    int i;
    for (i = 0; i < 5; i++) {
        if (number >= VSKD_GOLDEN_DECISIONS || found[i] != golden_decisions[number][i]) {
            (void)printf("decision %d: number %d is %ld\n", number, i, (long)found[i]);
            return 1;
        }
    }
    return 0;
}

/* Whether window number `number` was cut, and answered, as the golden one. */
static int check_answer(int number, const vskd_stream *s)
{
#if VSKD_GOLDEN_ANSWERED > 0
    size_t i;
    if (number >= VSKD_GOLDEN_ANSWERED) {
        return 1;
    }
    for (i = 0; i < (size_t)(VSKD_AXES * VSKD_LENGTH); i++) {
        if (s->window[i / VSKD_LENGTH][i % VSKD_LENGTH] != golden_stream_windows[number][i]) {
            (void)printf("window %d: value %lu differs\n", number, (unsigned long)i);
            return 1;
        }
    }
    return report("output of the stream", number, &s->model[VSKD_MODEL_OUTPUT_OFFSET], golden_stream_outputs[number],
                  VSKD_MODEL_CLASSES);
#else
    (void)number;
    (void)s;
    return 1;
#endif
}

static int check_stream(const int8_t *weights)
{
    vskd_stream *s = vskd_init(&stream, sizeof(stream), weights);
    size_t done = 0;
    int failures = 0;
    int number = 0;
    int answered = 0;
    while (s != NULL && done < VSKD_GOLDEN_SAMPLES) {
        vskd_decision decision;
        done += vskd_push(s, golden_samples[done], &golden_times[done], VSKD_GOLDEN_SAMPLES - done);
        if (vskd_poll(s, &decision)) {
            failures += check_decision(number, &decision);
            number++;
            if (decision.status == VSKD_OK) {
                failures += check_answer(answered, s);
                answered++;
            }
        }
    }
    return failures + (number != VSKD_GOLDEN_DECISIONS) + (answered != VSKD_GOLDEN_ANSWERED);
}
#endif

int main(int argc, char **argv)
{
    const int8_t *weights = vskd_load_weights(argc, argv);
    int failures = 0;
    int number;
    if (weights == NULL) {
        return EXIT_FAILURE;
    }
    for (number = 0; number < VSKD_GOLDEN_VECTORS; number++) {
#if VSKD_GOLDEN_SAMPLES > 0
        failures += check_encoding(number);
#endif
        (void)memcpy(&arena[VSKD_MODEL_INPUT_OFFSET], golden_inputs[number], VSKD_MODEL_INPUT_BYTES);
        vskd_model_run(weights, arena);
        failures += report("output", number, &arena[VSKD_MODEL_OUTPUT_OFFSET], golden_outputs[number],
                           VSKD_MODEL_CLASSES);
    }
#if VSKD_GOLDEN_SAMPLES > 0
    failures += check_stream(weights);
#endif
    (void)printf("%d golden vectors, %d decisions, %d differences\n", VSKD_GOLDEN_VECTORS, VSKD_GOLDEN_DECISIONS, failures);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
