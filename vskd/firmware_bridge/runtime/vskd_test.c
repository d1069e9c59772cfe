/* The bundle's golden vectors: encoding and model must give the bundle's integers, bit for bit.
 * Usage: vskd_test [model.tflite]; ends with 0 where all agree. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vskd_contract.h"
#include "vskd_golden.h"
#include "vskd_host.h"
#include "vskd_model.h"
#if VSKD_GOLDEN_HAS_WINDOWS
#include "vskd_stream.h"
#endif

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

#if VSKD_GOLDEN_HAS_WINDOWS
static vskd_stream stream;
static int8_t encoded[VSKD_MODEL_INPUT_BYTES];

static int check_encoding(int number)
{
    vskd_encode(&stream, golden_windows[number], encoded);
    return report("input", number, encoded, golden_inputs[number], VSKD_MODEL_INPUT_BYTES);
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
#if VSKD_GOLDEN_HAS_WINDOWS
        failures += check_encoding(number);
#endif
        (void)memcpy(&arena[VSKD_MODEL_INPUT_OFFSET], golden_inputs[number], VSKD_MODEL_INPUT_BYTES);
        vskd_model_run(weights, arena);
        failures += report("output", number, &arena[VSKD_MODEL_OUTPUT_OFFSET], golden_outputs[number],
                           VSKD_MODEL_CLASSES);
    }
    (void)printf("%d golden vectors, %d differences\n", VSKD_GOLDEN_VECTORS, failures);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
