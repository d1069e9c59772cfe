/* The generated firmware for Kotlin: org.vskd.sample.VskdNative. One stream for the process. */
#include <jni.h>
#include <string.h>

#include "vskd_stream.h"

enum { NUMBERS = 6, MOST = 64 };

static union {
    double align;
    unsigned char bytes[VSKD_ARENA_BYTES];
} arena;
static vskd_stream *stream;
#if VSKD_WEIGHTS_IN_PLACE
static union {
    uint64_t align[2];
    jbyte bytes[VSKD_WEIGHTS_BYTES];
} weights;
#endif

/* Open the stream. model: the bytes of model.tflite where the firmware reads its weights there, else ignored. */
JNIEXPORT jboolean JNICALL Java_org_vskd_sample_VskdNative_open(JNIEnv *env, jobject self, jbyteArray model)
{
    (void)self;
#if VSKD_WEIGHTS_IN_PLACE
    if (model == NULL || (*env)->GetArrayLength(env, model) != VSKD_WEIGHTS_BYTES) {
        return JNI_FALSE;
    }
    (*env)->GetByteArrayRegion(env, model, 0, VSKD_WEIGHTS_BYTES, weights.bytes);
    stream = vskd_init(&arena, sizeof(arena), weights.bytes);
#else
    (void)env;
    (void)model;
    stream = vskd_init(&arena, sizeof(arena), vskd_weights);
#endif
    return stream == NULL ? JNI_FALSE : JNI_TRUE;
}

/* Push samples, row after row, with a time stamp each, until one decision is due or all are taken.
 * Returns {taken} or {taken, status, label, window label, margin, sample, time in microseconds}; null where the arrays do
 * not fit together. */
JNIEXPORT jlongArray JNICALL Java_org_vskd_sample_VskdNative_push(JNIEnv *env, jobject self, jfloatArray samples,
                                                                  jlongArray times, jint from)
{
    const jsize count = (*env)->GetArrayLength(env, times);
    jfloat values[MOST * VSKD_DEVICE_AXES];
    jlong stamps[MOST];
    uint64_t times_us[MOST];
    jlong found[1 + NUMBERS];
    jlongArray answer;
    vskd_decision decision;
    jsize part, i;
    jsize size = 1;
    (void)self;
    if (stream == NULL || from < 0 || from >= count ||
        (*env)->GetArrayLength(env, samples) != count * VSKD_DEVICE_AXES) {
        return NULL;
    }
    part = count - from < MOST ? count - from : MOST;
    (*env)->GetFloatArrayRegion(env, samples, from * VSKD_DEVICE_AXES, part * VSKD_DEVICE_AXES, values);
    (*env)->GetLongArrayRegion(env, times, from, part, stamps);
    for (i = 0; i < part; i++) {
        times_us[i] = (uint64_t)stamps[i];
    }
    found[0] = (jlong)vskd_push(stream, values, times_us, (size_t)part);
    if (vskd_poll(stream, &decision)) {
        found[1] = (jlong)decision.status;
        found[2] = decision.label;
        found[3] = decision.window_label;
        found[4] = decision.margin;
        found[5] = (jlong)decision.sample;
        found[6] = (jlong)decision.time_us;
        size = 1 + NUMBERS;
    }
    answer = (*env)->NewLongArray(env, size);
    if (answer != NULL) {
        (*env)->SetLongArrayRegion(env, answer, 0, size, found);
    }
    return answer;
}

/* The name of a class in UTF-8; null where there is none of that number. */
JNIEXPORT jbyteArray JNICALL Java_org_vskd_sample_VskdNative_label(JNIEnv *env, jobject self, jint number)
{
    const vskd_description about = vskd_info();
    jbyteArray answer;
    jsize length;
    (void)self;
    if (number < 0 || number >= about.classes) {
        return NULL;
    }
    length = (jsize)strlen(about.labels[number]);
    answer = (*env)->NewByteArray(env, length);
    if (answer != NULL) {
        (*env)->SetByteArrayRegion(env, answer, 0, length, (const jbyte *)about.labels[number]);
    }
    return answer;
}

/* What the stream asks of the sensor: samples per second. */
JNIEXPORT jfloat JNICALL Java_org_vskd_sample_VskdNative_rate(JNIEnv *env, jobject self)
{
    (void)env;
    (void)self;
    return vskd_info().rate_hz;
}

/* Forget all samples. */
JNIEXPORT void JNICALL Java_org_vskd_sample_VskdNative_reset(JNIEnv *env, jobject self)
{
    (void)env;
    (void)self;
    if (stream != NULL) {
        vskd_reset(stream);
    }
}
