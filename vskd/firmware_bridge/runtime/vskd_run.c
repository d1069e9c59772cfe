/* Host tool: int8 inputs from stdin, int8 outputs to stdout, until the end of the input. For the tests alone: it is the
 * only file here that allocates, and only where the weights are read in place. Usage: vskd_run [model.tflite] */
#include <stdio.h>
#include <stdlib.h>

#include "vskd_model.h"

static int8_t arena[VSKD_MODEL_ARENA_BYTES];

static const int8_t *load_weights(const char *path)
{
#if VSKD_WEIGHTS_IN_PLACE
    int8_t *bytes = malloc(VSKD_WEIGHTS_BYTES);
    FILE *file = path != NULL ? fopen(path, "rb") : NULL;
    if (bytes != NULL && file != NULL && fread(bytes, 1, VSKD_WEIGHTS_BYTES, file) == VSKD_WEIGHTS_BYTES) {
        (void)fclose(file);
        return bytes;
    }
    return NULL;
#else
    (void)path;
    return vskd_weights;
#endif
}

int main(int argc, char **argv)
{
    const int8_t *weights = load_weights(argc > 1 ? argv[1] : NULL);
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
