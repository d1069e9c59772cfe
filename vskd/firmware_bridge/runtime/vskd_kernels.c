/* See vskd_kernels.h. Source of the arithmetic: LiteRT 2.3, tflite/kernels/internal/common.h and reference/. */
#include "vskd_kernels.h"

#include <string.h>

static int32_t clamp(int32_t value, int32_t low, int32_t high)
{
    if (value < low) {
        return low;
    }
    return value > high ? high : value;
}

/* (a * b) / 2^31, rounded; the only product that does not fit is that of the two smallest numbers. */
static int32_t high_multiply(int32_t a, int32_t b)
{
    const int64_t product = (int64_t)a * (int64_t)b;
    const int64_t nudge = product >= 0 ? ((int64_t)1 << 30) : (1 - ((int64_t)1 << 30));
    if ((a == b) && (a == INT32_MIN)) {
        return INT32_MAX;
    }
    return (int32_t)((product + nudge) / ((int64_t)1 << 31));
}

/* value / 2^exponent, halves away from zero; no shift of a negative number. */
static int32_t rounding_divide(int32_t value, int32_t exponent)
{
    const int64_t half = exponent > 0 ? ((int64_t)1 << (exponent - 1)) : 0;
    const int64_t wide = value;
    if (wide < 0) {
        return (int32_t)(-((half - wide) >> exponent));
    }
    return (int32_t)((wide + half) >> exponent);
}

/* value * multiplier / 2^31 * 2^shift with both roundings. */
static int32_t rescale(int32_t value, int32_t multiplier, int32_t shift)
{
    if (shift > 0) {
        const int64_t wide = (int64_t)value * ((int64_t)1 << shift);
        const int64_t held = wide > INT32_MAX ? INT32_MAX : (wide < INT32_MIN ? INT32_MIN : wide);
        return high_multiply((int32_t)held, multiplier);
    }
    return rounding_divide(high_multiply(value, multiplier), -shift);
}

/* Sum of weight * (value - zero) over one piece of memory. */
static int32_t dot(const int8_t *weights, const int8_t *in, int32_t zero, int32_t count)
{
    int32_t sum = 0;
    int32_t i;
    for (i = 0; i < count; i++) {
        sum += (int32_t)weights[i] * ((int32_t)in[i] - zero);
    }
    return sum;
}

/* The same for four output channels, whose weights lie `step` apart: every value is read once for all of them, which
 * makes convolutions twice as fast where the compiler does not vectorize. */
static void dot_four(const int8_t *weights, int32_t step, const int8_t *in, int32_t zero, int32_t count, int32_t *sums)
{
    const int8_t *const w1 = &weights[step];
    const int8_t *const w2 = &w1[step];
    const int8_t *const w3 = &w2[step];
    int32_t s0 = sums[0], s1 = sums[1], s2 = sums[2], s3 = sums[3];
    int32_t i;
    for (i = 0; i < count; i++) {
        const int32_t value = (int32_t)in[i] - zero;
        s0 += (int32_t)weights[i] * value;
        s1 += (int32_t)w1[i] * value;
        s2 += (int32_t)w2[i] * value;
        s3 += (int32_t)w3[i] * value;
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

static int8_t finish(const vskd_layer *layer, int32_t channel, int32_t sum)
{
    const int32_t scaled = rescale(sum + layer->bias[channel], layer->multiplier[channel], layer->shift[channel]);
    return (int8_t)clamp(scaled + layer->output_zero, layer->low, layer->high);
}

/* The part of a window that lies inside the picture: first .. last - 1 of its `size` places. */
typedef struct {
    int32_t start; /* of the window, in the picture */
    int32_t first, last;
} inside;

static inside clip(int32_t position, int32_t stride, int32_t pad, int32_t size, int32_t length)
{
    inside found;
    found.start = position * stride - pad;
    found.first = found.start < 0 ? -found.start : 0;
    found.last = found.start + size > length ? length - found.start : size;
    return found;
}

/* Sums of up to four output channels, from c on, at one place of the picture. */
static void convolve(const vskd_window *w, const int8_t *weights, const int8_t *in, int32_t zero, const inside *rows,
                     const inside *columns, int32_t c, int32_t channels, int32_t *sums)
{
    const int32_t step = w->k_h * w->k_w * w->in_c; /* weights of one output channel */
    const int32_t run = (columns->last - columns->first) * w->in_c; /* neighbours in input and weights alike */
    const int32_t start = (columns->start + columns->first) * w->in_c;
    int32_t k, n;
    for (k = rows->first; k < rows->last; k++) {
        const int8_t *const from = &in[(rows->start + k) * w->in_w * w->in_c + start];
        const int8_t *const weight = &weights[c * step + (k * w->k_w + columns->first) * w->in_c];
        if (channels == 4) {
            dot_four(weight, step, from, zero, run, sums);
        } else {
            for (n = 0; n < channels; n++) {
                sums[n] += dot(&weight[n * step], from, zero, run);
            }
        }
    }
}

void vskd_conv_2d(const vskd_window *w, const vskd_layer *layer, const int8_t *weights, const int8_t *in, int8_t *out)
{
    int32_t y, x, c, n;
    for (y = 0; y < w->out_h; y++) {
        const inside rows = clip(y, w->stride_h, w->pad_h, w->k_h, w->in_h);
        for (x = 0; x < w->out_w; x++) {
            const inside columns = clip(x, w->stride_w, w->pad_w, w->k_w, w->in_w);
            for (c = 0; c < w->out_c; c += 4) {
                const int32_t channels = w->out_c - c < 4 ? w->out_c - c : 4;
                int32_t sums[4] = {0, 0, 0, 0};
                convolve(w, weights, in, layer->input_zero, &rows, &columns, c, channels, sums);
                for (n = 0; n < channels; n++) {
                    *out = finish(layer, c + n, sums[n]);
                    out++;
                }
            }
        }
    }
}

void vskd_depthwise_conv_2d(const vskd_window *w, const vskd_layer *layer, const int8_t *weights, const int8_t *in,
                            int8_t *out)
{
    const int32_t multiple = w->out_c / w->in_c;
    int32_t y, x, c, i, j;
    for (y = 0; y < w->out_h; y++) {
        const inside rows = clip(y, w->stride_h, w->pad_h, w->k_h, w->in_h);
        for (x = 0; x < w->out_w; x++) {
            const inside columns = clip(x, w->stride_w, w->pad_w, w->k_w, w->in_w);
            for (c = 0; c < w->out_c; c++) {
                int32_t sum = 0;
                for (i = rows.first; i < rows.last; i++) {
                    for (j = columns.first; j < columns.last; j++) {
                        const int32_t from = ((rows.start + i) * w->in_w + columns.start + j) * w->in_c + c / multiple;
                        const int32_t weight = (i * w->k_w + j) * w->out_c + c;
                        sum += (int32_t)weights[weight] * ((int32_t)in[from] - layer->input_zero);
                    }
                }
                *out = finish(layer, c, sum);
                out++;
            }
        }
    }
}

void vskd_fully_connected(const vskd_layer *layer, int32_t rows, int32_t depth, int32_t channels,
                          const int8_t *weights, const int8_t *in, int8_t *out)
{
    int32_t row, c;
    for (row = 0; row < rows; row++) {
        for (c = 0; c < channels; c++) {
            *out = finish(layer, c, dot(&weights[c * depth], &in[row * depth], layer->input_zero, depth));
            out++;
        }
    }
}

/* Where both inputs of value number (i, j, k, l) lie. */
static int32_t place(const int32_t *stride, int32_t i, int32_t j, int32_t k)
{
    return i * stride[0] + j * stride[1] + k * stride[2];
}

static void add_or_subtract(const vskd_broadcast *b, const vskd_sum *s, int32_t sign, const int8_t *first,
                            const int8_t *second, int8_t *out)
{
    const int32_t left = (int32_t)1 << 20;
    int32_t i, j, k, l;
    for (i = 0; i < b->size[0]; i++) {
        for (j = 0; j < b->size[1]; j++) {
            for (k = 0; k < b->size[2]; k++) {
                const int8_t *one = &first[place(b->first, i, j, k)];
                const int8_t *two = &second[place(b->second, i, j, k)];
                for (l = 0; l < b->size[3]; l++) {
                    const int32_t a = ((int32_t)one[l * b->first[3]] - s->first_zero) * left;
                    const int32_t c = ((int32_t)two[l * b->second[3]] - s->second_zero) * left;
                    const int32_t sum = rescale(a, s->first_multiplier, s->first_shift) +
                                        sign * rescale(c, s->second_multiplier, s->second_shift);
                    const int32_t scaled = rescale(sum, s->output_multiplier, s->output_shift);
                    *out = (int8_t)clamp(scaled + s->output_zero, s->low, s->high);
                    out++;
                }
            }
        }
    }
}

void vskd_add(const vskd_broadcast *b, const vskd_sum *sum, const int8_t *first, const int8_t *second, int8_t *out)
{
    add_or_subtract(b, sum, 1, first, second, out);
}

void vskd_sub(const vskd_broadcast *b, const vskd_sum *sum, const int8_t *first, const int8_t *second, int8_t *out)
{
    add_or_subtract(b, sum, -1, first, second, out);
}

void vskd_mul(const vskd_broadcast *b, const vskd_product *p, const int8_t *first, const int8_t *second, int8_t *out)
{
    int32_t i, j, k, l;
    for (i = 0; i < b->size[0]; i++) {
        for (j = 0; j < b->size[1]; j++) {
            for (k = 0; k < b->size[2]; k++) {
                const int8_t *one = &first[place(b->first, i, j, k)];
                const int8_t *two = &second[place(b->second, i, j, k)];
                for (l = 0; l < b->size[3]; l++) {
                    const int32_t product = ((int32_t)one[l * b->first[3]] - p->first_zero) *
                                            ((int32_t)two[l * b->second[3]] - p->second_zero);
                    const int32_t scaled = rescale(product, p->multiplier, p->shift);
                    *out = (int8_t)clamp(scaled + p->output_zero, p->low, p->high);
                    out++;
                }
            }
        }
    }
}

void vskd_max_pool_2d(const vskd_window *w, int32_t low, int32_t high, const int8_t *in, int8_t *out)
{
    int32_t y, x, c, i, j;
    for (y = 0; y < w->out_h; y++) {
        const inside rows = clip(y, w->stride_h, w->pad_h, w->k_h, w->in_h);
        for (x = 0; x < w->out_w; x++) {
            const inside columns = clip(x, w->stride_w, w->pad_w, w->k_w, w->in_w);
            for (c = 0; c < w->in_c; c++) {
                int32_t largest = INT8_MIN;
                for (i = rows.first; i < rows.last; i++) {
                    for (j = columns.first; j < columns.last; j++) {
                        const int32_t value = in[((rows.start + i) * w->in_w + columns.start + j) * w->in_c + c];
                        largest = value > largest ? value : largest;
                    }
                }
                *out = (int8_t)clamp(largest, low, high);
                out++;
            }
        }
    }
}

static int32_t sum_of(const vskd_mean_axes *a, const int8_t *in)
{
    int32_t sum = 0;
    int32_t i, j, k, l;
    for (i = 0; i < a->summed_size[0]; i++) {
        for (j = 0; j < a->summed_size[1]; j++) {
            for (k = 0; k < a->summed_size[2]; k++) {
                const int8_t *row = &in[place(a->summed_stride, i, j, k)];
                for (l = 0; l < a->summed_size[3]; l++) {
                    sum += (int32_t)row[l * a->summed_stride[3]] - a->input_zero;
                }
            }
        }
    }
    return sum;
}

void vskd_mean(const vskd_mean_axes *axes, const int8_t *in, int8_t *out)
{
    int32_t i, j, k, l;
    for (i = 0; i < axes->kept_size[0]; i++) {
        for (j = 0; j < axes->kept_size[1]; j++) {
            for (k = 0; k < axes->kept_size[2]; k++) {
                for (l = 0; l < axes->kept_size[3]; l++) {
                    const int32_t from = place(axes->kept_stride, i, j, k) + l * axes->kept_stride[3];
                    const int32_t scaled = rescale(sum_of(axes, &in[from]), axes->multiplier, axes->shift);
                    *out = (int8_t)clamp(scaled + axes->output_zero, INT8_MIN, INT8_MAX);
                    out++;
                }
            }
        }
    }
}

void vskd_pad(const vskd_padding *p, const int8_t *in, int8_t *out)
{
    int32_t at[4];
    for (at[0] = 0; at[0] < p->out_size[0]; at[0]++) {
        for (at[1] = 0; at[1] < p->out_size[1]; at[1]++) {
            for (at[2] = 0; at[2] < p->out_size[2]; at[2]++) {
                for (at[3] = 0; at[3] < p->out_size[3]; at[3]++) {
                    int32_t from = 0;
                    int32_t is_inside = 1;
                    int32_t axis;
                    for (axis = 0; axis < 4; axis++) {
                        const int32_t own = at[axis] - p->before[axis];
                        is_inside = is_inside && (own >= 0) && (own < p->in_size[axis]);
                        from = from * p->in_size[axis] + own;
                    }
                    *out = is_inside ? in[from] : (int8_t)p->value;
                    out++;
                }
            }
        }
    }
}

void vskd_transpose(const vskd_order *order, const int8_t *in, int8_t *out)
{
    int32_t at[6] = {0, 0, 0, 0, 0, 0};
    int32_t axis = 0;
    while (axis >= 0) {
        int32_t from = 0;
        for (axis = 0; axis < 6; axis++) {
            from += at[axis] * order->stride[axis];
        }
        *out = in[from];
        out++;
        for (axis = 5; axis >= 0; axis--) { /* count up, the last axis fastest */
            at[axis]++;
            if (at[axis] < order->size[axis]) {
                break;
            }
            at[axis] = 0;
        }
    }
}

void vskd_copy_rows(int32_t rows, int32_t row_bytes, int32_t out_row_bytes, const int8_t *in, int8_t *out)
{
    int32_t row;
    for (row = 0; row < rows; row++) {
        (void)memcpy(&out[row * out_row_bytes], &in[row * row_bytes], (size_t)row_bytes);
    }
}
