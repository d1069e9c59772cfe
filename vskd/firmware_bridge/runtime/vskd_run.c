/* Host tool: int8 inputs from stdin, int8 outputs to stdout, until the end of the input. For the tests alone.
 * Usage: vskd_run [model.tflite] */
#include <stdio.h>
#include <stdlib.h>

#include "vskd_host.h"
#include "vskd_model.h"

static int8_t arena[VSKD_MODEL_ARENA_BYTES];

int main(int argc, char **argv)
{
    const int8_t *weights = vskd_load_weights(argc, argv);
    if (weights == NULL) {
        return EXIT_FAILURE;
    }
    while (fread(&arena[VSKD_MODEL_INPUT_OFFSET], 1, VSKD_MODEL_INPUT_BYTES, stdin) == VSKD_MODEL_INPUT_BYTES) {
        vskd_model_run(weights, arena);
        if (fwrite(&arena[VSKD_MODEL_OUTPUT_OFFSET], 1, VSKD_MODEL_CLASSES, stdout) != VSKD_MODEL_CLASSES) {
            return EXIT_FAILURE;
        }
    }
    return EXIT_SUCCESS;
}
