/* SHA-256 (FIPS 180-4), in pieces of any size. */
#ifndef VSKD_SHA256_H
#define VSKD_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define VSKD_SHA256_BYTES 32u

typedef struct {
    uint32_t state[8];
    uint64_t total;
    uint8_t block[64];
} vskd_sha256;

void vskd_sha256_begin(vskd_sha256 *sha);
void vskd_sha256_add(vskd_sha256 *sha, const uint8_t *bytes, size_t count);
void vskd_sha256_end(vskd_sha256 *sha, uint8_t *digest);

#endif
