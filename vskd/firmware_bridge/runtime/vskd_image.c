/* See vskd_image.h. */
#include "vskd_image.h"

static const int8_t inputs[256] = VSKD_PIXELS;
static const char *const labels[VSKD_MODEL_CLASSES] = VSKD_LABELS;

int32_t vskd_classify(const uint8_t *pixels, const int8_t *weights, int8_t *arena)
{
    int8_t *input = &arena[VSKD_MODEL_INPUT_OFFSET];
    const int8_t *logits = &arena[VSKD_MODEL_OUTPUT_OFFSET];
    int32_t best = 0;
    int32_t n;
    for (n = 0; n < VSKD_MODEL_INPUT_BYTES; n++) {
        input[n] = inputs[pixels[n]];
    }
    vskd_model_run(weights, arena);
    for (n = 1; n < VSKD_MODEL_CLASSES; n++) {
        best = logits[n] > logits[best] ? n : best;
    }
    return best;
}

const char *vskd_label(int32_t number)
{
    return (number >= 0) && (number < VSKD_MODEL_CLASSES) ? labels[number] : "";
}
