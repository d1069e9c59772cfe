/* Where a program on a host finds the weights. On a device pass vskd_weights, or, where VSKD_WEIGHTS_IN_PLACE is 1, the
 * address at which the bytes of model.tflite lie in flash, aligned to 16 bytes. */
#ifndef VSKD_HOST_H
#define VSKD_HOST_H

#include <stdio.h>

#include "vskd_model.h"

/* The weights, or NULL where model.tflite is needed and cannot be read. */
static const int8_t *vskd_load_weights(int argc, char **argv)
{
#if VSKD_WEIGHTS_IN_PLACE
    static int8_t bytes[VSKD_WEIGHTS_BYTES];
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    if (file != NULL && fread(bytes, 1, VSKD_WEIGHTS_BYTES, file) == VSKD_WEIGHTS_BYTES) {
        (void)fclose(file);
        return bytes;
    }
    (void)fprintf(stderr, "the weights cannot be read: name model.tflite\n");
    return NULL;
#else
    (void)argc;
    (void)argv;
    return vskd_weights;
#endif
}

#endif
