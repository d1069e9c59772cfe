/* Integer kernels of the vskd firmware: C99, no heap, no libm, no recursion.
 *
 * The arithmetic is that of TFLite Micro and of LiteRT's reference kernels, bit for bit: int32 sums, a fixed-point
 * multiplier per channel, two roundings. Tensors are int8 in the order (height, width, channels), the batch is one.
 * All sizes are constants of the generated vskd_model.c. */
#ifndef VSKD_KERNELS_H
#define VSKD_KERNELS_H

#include <stdint.h>

/* A window that moves over a picture. */
typedef struct {
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t k_h, k_w;
    int32_t stride_h, stride_w;
    int32_t pad_h, pad_w;
} vskd_window;

/* Constants of a layer with weights; the tables have one entry per output channel. */
typedef struct {
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *shift;
    int32_t input_zero, output_zero;
    int32_t low, high;
} vskd_layer;

/* Sizes of the output, and strides of both inputs, 0 along axes on which an input is repeated. */
typedef struct {
    int32_t size[4], first[4], second[4];
} vskd_broadcast;

typedef struct {
    int32_t first_multiplier, second_multiplier, output_multiplier;
    int32_t first_shift, second_shift, output_shift;
    int32_t first_zero, second_zero, output_zero;
    int32_t low, high;
} vskd_sum;

typedef struct {
    int32_t first_zero, second_zero, output_zero;
    int32_t multiplier, shift;
    int32_t low, high;
} vskd_product;

typedef struct {
    int32_t kept_size[4], kept_stride[4];
    int32_t summed_size[4], summed_stride[4];
    int32_t input_zero, output_zero;
    int32_t multiplier, shift;
} vskd_mean_axes;

typedef struct {
    int32_t in_size[4], out_size[4], before[4];
    int32_t value;
} vskd_padding;

typedef struct {
    int32_t size[6], stride[6];
} vskd_order;

void vskd_conv_2d(const vskd_window *w, const vskd_layer *layer, const int8_t *weights, const int8_t *in, int8_t *out);
void vskd_depthwise_conv_2d(const vskd_window *w, const vskd_layer *layer, const int8_t *weights, const int8_t *in,
                            int8_t *out);
void vskd_fully_connected(const vskd_layer *layer, int32_t rows, int32_t depth, int32_t channels,
                          const int8_t *weights, const int8_t *in, int8_t *out);
void vskd_add(const vskd_broadcast *b, const vskd_sum *sum, const int8_t *first, const int8_t *second, int8_t *out);
void vskd_sub(const vskd_broadcast *b, const vskd_sum *sum, const int8_t *first, const int8_t *second, int8_t *out);
void vskd_mul(const vskd_broadcast *b, const vskd_product *p, const int8_t *first, const int8_t *second, int8_t *out);
void vskd_max_pool_2d(const vskd_window *w, int32_t low, int32_t high, const int8_t *in, int8_t *out);
void vskd_mean(const vskd_mean_axes *axes, const int8_t *in, int8_t *out);
void vskd_pad(const vskd_padding *p, const int8_t *in, int8_t *out);
void vskd_transpose(const vskd_order *order, const int8_t *in, int8_t *out);
void vskd_copy_rows(int32_t rows, int32_t row_bytes, int32_t out_row_bytes, const int8_t *in, int8_t *out);

#endif
