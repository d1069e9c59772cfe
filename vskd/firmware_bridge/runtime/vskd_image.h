/* From the pixels of an image to a label. */
#ifndef VSKD_IMAGE_H
#define VSKD_IMAGE_H

#include <stdint.h>

#include "vskd_contract.h"
#include "vskd_model.h"

/* Classify one image.
 * pixels: VSKD_IMAGE_SIZE rows of VSKD_IMAGE_SIZE pixels of VSKD_IMAGE_CHANNELS values 0..255, cropped and resized as
 * the bundle's contract says.
 * weights: vskd_weights, or the bytes of model.tflite where VSKD_WEIGHTS_IN_PLACE is 1.
 * arena: VSKD_MODEL_ARENA_BYTES.
 * Returns the class, the first of the largest; the logits lie at arena + VSKD_MODEL_OUTPUT_OFFSET. */
int32_t vskd_classify(const uint8_t *pixels, const int8_t *weights, int8_t *arena);

/* The class's name. */
const char *vskd_label(int32_t number);

#endif
