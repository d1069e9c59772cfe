/* See vskd_parcel.h. */
#include "vskd_parcel.h"

#include <string.h>

static const char magic[8] = {'V', 'S', 'K', 'D', 'P', 'R', 'C', '1'};
static const char manifest[] = "manifest.json";
static const char signature[] = "manifest.json.sig";

static uint32_t get_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | ((uint32_t)bytes[1] << 8) | ((uint32_t)bytes[2] << 16) | ((uint32_t)bytes[3] << 24);
}

/* The number of files; 0 where it is no parcel. */
static uint32_t files_of(const vskd_slots *slots, int32_t slot)
{
    uint8_t head[VSKD_PARCEL_HEAD];
    uint32_t count;
    if (!vskd_slots_read(slots, slot, 0, head, sizeof(head)) || memcmp(head, magic, sizeof(magic)) != 0) {
        return 0;
    }
    count = get_u32(&head[8]);
    return count <= VSKD_PARCEL_MOST ? count : 0u;
}

static int32_t read_entry(const vskd_slots *slots, int32_t slot, uint32_t number, char *name, vskd_file *file)
{
    uint8_t entry[VSKD_PARCEL_ENTRY];
    if (!vskd_slots_read(slots, slot, VSKD_PARCEL_HEAD + number * VSKD_PARCEL_ENTRY, entry, sizeof(entry))) {
        return 0;
    }
    (void)memcpy(name, entry, VSKD_PARCEL_NAME);
    file->offset = get_u32(&entry[VSKD_PARCEL_NAME]);
    file->size = get_u32(&entry[VSKD_PARCEL_NAME + 4u]);
    (void)memcpy(file->sha256, &entry[VSKD_PARCEL_NAME + 8u], VSKD_SHA256_BYTES);
    return name[VSKD_PARCEL_NAME - 1u] == '\0';
}

int32_t vskd_parcel_find(const vskd_slots *slots, int32_t slot, const char *name, vskd_file *file)
{
    char found[VSKD_PARCEL_NAME];
    const uint32_t count = files_of(slots, slot);
    uint32_t i;
    for (i = 0; i < count; i++) {
        if (read_entry(slots, slot, i, found, file) && strcmp(found, name) == 0) {
            return 1;
        }
    }
    return 0;
}

static int32_t is_intact(const vskd_slots *slots, int32_t slot, uint32_t size, const vskd_file *file)
{
    uint8_t digest[VSKD_SHA256_BYTES];
    return file->offset % 16u == 0u && file->offset <= size && file->size <= size - file->offset &&
           vskd_slots_hash(slots, slot, file->offset, file->size, digest) &&
           memcmp(digest, file->sha256, sizeof(digest)) == 0;
}

/* The line of the manifest that seals a file: "NAME": "SHA-256 in hexadecimal". Returns its length. */
static uint32_t sealing_line(uint8_t *line, const char *name, const uint8_t *sha256)
{
    static const char digits[] = "0123456789abcdef";
    static const char between[4] = {'"', ':', ' ', '"'};
    const uint32_t length = (uint32_t)strlen(name);
    uint32_t at = 0;
    uint32_t i;
    line[at++] = (uint8_t)'"';
    (void)memcpy(&line[at], name, length);
    at += length;
    (void)memcpy(&line[at], between, sizeof(between));
    at += (uint32_t)sizeof(between);
    for (i = 0; i < VSKD_SHA256_BYTES; i++) {
        line[at++] = (uint8_t)digits[sha256[i] >> 4];
        line[at++] = (uint8_t)digits[sha256[i] & 15u];
    }
    line[at++] = (uint8_t)'"';
    return at;
}

/* Whether the manifest has that line anywhere. */
static int32_t is_sealed(const vskd_slots *slots, int32_t slot, const vskd_file *text, const char *name,
                         const vskd_file *file)
{
    uint8_t line[VSKD_PARCEL_NAME + 6u + 2u * VSKD_SHA256_BYTES];
    uint8_t piece[2u * VSKD_PIECE];
    const uint32_t length = sealing_line(line, name, file->sha256);
    uint32_t at, i;
    for (at = 0; at + length <= text->size; at += VSKD_PIECE) { /* pieces overlap by a piece, more than a line */
        const uint32_t rest = text->size - at;
        const uint32_t part = rest < sizeof(piece) ? rest : (uint32_t)sizeof(piece);
        if (!vskd_slots_read(slots, slot, text->offset + at, piece, part)) {
            return 0;
        }
        for (i = 0; i + length <= part; i++) {
            if (memcmp(&piece[i], line, length) == 0) {
                return 1;
            }
        }
    }
    return 0;
}

int32_t vskd_parcel_check(const vskd_slots *slots, int32_t slot, uint32_t size)
{
    const uint32_t count = files_of(slots, slot);
    char name[VSKD_PARCEL_NAME];
    vskd_file text, file;
    uint32_t i;
    if (count < 2u || !read_entry(slots, slot, 0, name, &text) || strcmp(name, manifest) != 0 ||
        !is_intact(slots, slot, size, &text)) {
        return 0;
    }
    for (i = 1; i < count; i++) {
        if (!read_entry(slots, slot, i, name, &file) || !is_intact(slots, slot, size, &file) ||
            (strcmp(name, signature) != 0 && !is_sealed(slots, slot, &text, name, &file))) {
            return 0;
        }
    }
    return 1;
}
