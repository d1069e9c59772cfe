/* A bundle as one run of bytes, a parcel: a table of files, then their contents, each aligned to 16 bytes, so that
 * model.tflite can be used in place. See docs/link.md. */
#ifndef VSKD_PARCEL_H
#define VSKD_PARCEL_H

#include "vskd_slots.h"

#define VSKD_PARCEL_HEAD 16u
#define VSKD_PARCEL_ENTRY 72u
#define VSKD_PARCEL_NAME 32u
#define VSKD_PARCEL_MOST 8u

typedef struct {
    uint32_t offset;
    uint32_t size;
    uint8_t sha256[VSKD_SHA256_BYTES];
} vskd_file;

/* Whether a slot holds a parcel all of whose files have the hashes that its table and the bundle's manifest say. */
int32_t vskd_parcel_check(const vskd_slots *slots, int32_t slot, uint32_t size);

/* Where a file lies in the parcel, or 0. */
int32_t vskd_parcel_find(const vskd_slots *slots, int32_t slot, const char *name, vskd_file *file);

#endif
