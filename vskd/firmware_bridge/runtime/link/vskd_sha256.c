/* See vskd_sha256.h. */
#include "vskd_sha256.h"

#include <string.h>

static const uint32_t round_constants[64] = {
    0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u, 0x923f82a4u, 0xab1c5ed5u,
    0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu, 0x9bdc06a7u, 0xc19bf174u,
    0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu, 0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau,
    0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u, 0xc6e00bf3u, 0xd5a79147u, 0x06ca6351u, 0x14292967u,
    0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu, 0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u,
    0xa2bfe8a1u, 0xa81a664bu, 0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u,
    0x19a4c116u, 0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu, 0x682e6ff3u,
    0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u, 0x90befffau, 0xa4506cebu, 0xbef9a3f7u, 0xc67178f2u};

static uint32_t rotated(uint32_t value, uint32_t by)
{
    return (value >> by) | (value << (32u - by));
}

static void take_block(vskd_sha256 *sha)
{
    uint32_t w[64];
    uint32_t v[8];
    uint32_t i;
    for (i = 0; i < 16u; i++) {
        const uint8_t *b = &sha->block[4u * i];
        w[i] = ((uint32_t)b[0] << 24) | ((uint32_t)b[1] << 16) | ((uint32_t)b[2] << 8) | (uint32_t)b[3];
    }
    for (i = 16; i < 64u; i++) {
        const uint32_t low = rotated(w[i - 15u], 7) ^ rotated(w[i - 15u], 18) ^ (w[i - 15u] >> 3);
        const uint32_t high = rotated(w[i - 2u], 17) ^ rotated(w[i - 2u], 19) ^ (w[i - 2u] >> 10);
        w[i] = w[i - 16u] + low + w[i - 7u] + high;
    }
    (void)memcpy(v, sha->state, sizeof(v));
    for (i = 0; i < 64u; i++) {
        const uint32_t high = rotated(v[4], 6) ^ rotated(v[4], 11) ^ rotated(v[4], 25);
        const uint32_t chosen = (v[4] & v[5]) ^ (~v[4] & v[6]);
        const uint32_t first = v[7] + high + chosen + round_constants[i] + w[i];
        const uint32_t low = rotated(v[0], 2) ^ rotated(v[0], 13) ^ rotated(v[0], 22);
        const uint32_t most = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        (void)memmove(&v[1], &v[0], 7u * sizeof(v[0]));
        v[4] += first;
        v[0] = first + low + most;
    }
    for (i = 0; i < 8u; i++) {
        sha->state[i] += v[i];
    }
}

void vskd_sha256_begin(vskd_sha256 *sha)
{
    static const uint32_t start[8] = {0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
                                      0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u};
    (void)memcpy(sha->state, start, sizeof(start));
    sha->total = 0;
}

void vskd_sha256_add(vskd_sha256 *sha, const uint8_t *bytes, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++) {
        sha->block[sha->total % 64u] = bytes[i];
        sha->total++;
        if (sha->total % 64u == 0u) {
            take_block(sha);
        }
    }
}

void vskd_sha256_end(vskd_sha256 *sha, uint8_t *digest)
{
    const uint64_t bits = 8u * sha->total;
    uint8_t byte = 0x80u;
    uint32_t i;
    vskd_sha256_add(sha, &byte, 1);
    byte = 0;
    while (sha->total % 64u != 56u) {
        vskd_sha256_add(sha, &byte, 1);
    }
    for (i = 0; i < 8u; i++) {
        byte = (uint8_t)((bits >> (56u - 8u * i)) & 0xffu);
        vskd_sha256_add(sha, &byte, 1);
    }
    for (i = 0; i < 32u; i++) {
        digest[i] = (uint8_t)((sha->state[i / 4u] >> (24u - 8u * (i % 4u))) & 0xffu);
    }
}
