/* See vskd_slots.h. */
#include "vskd_slots.h"

#include <string.h>

enum { KIND = 0, SEQUENCE = 4, VALUE = 8, SIZE = 12, SHA256 = 16, CRC = 60 };

static uint32_t get_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | ((uint32_t)bytes[1] << 8) | ((uint32_t)bytes[2] << 16) | ((uint32_t)bytes[3] << 24);
}

static void put_u32(uint8_t *bytes, uint32_t value)
{
    uint32_t i;
    for (i = 0; i < 4u; i++) {
        bytes[i] = (uint8_t)((value >> (8u * i)) & 0xffu);
    }
}

static uint32_t base_of(const vskd_slots *slots, int32_t slot)
{
    return (uint32_t)slot * slots->flash->slot_bytes;
}

static uint32_t content_of(const vskd_slots *slots, int32_t slot)
{
    return base_of(slots, slot) + slots->flash->sector_bytes;
}

static uint32_t records_of(const vskd_slots *slots)
{
    return slots->flash->sector_bytes / VSKD_RECORD_BYTES;
}

uint32_t vskd_slots_capacity(const vskd_slots *slots)
{
    return slots->flash->slot_bytes - slots->flash->sector_bytes;
}

int32_t vskd_slots_read(const vskd_slots *slots, int32_t slot, uint32_t offset, uint8_t *bytes, uint32_t count)
{
    const vskd_flash *flash = slots->flash;
    return offset <= vskd_slots_capacity(slots) && count <= vskd_slots_capacity(slots) - offset &&
           flash->read(flash->context, content_of(slots, slot) + offset, bytes, count);
}

int32_t vskd_slots_hash(const vskd_slots *slots, int32_t slot, uint32_t offset, uint32_t count, uint8_t *digest)
{
    uint8_t piece[VSKD_PIECE];
    vskd_sha256 sha;
    vskd_sha256_begin(&sha);
    while (count > 0u) {
        const uint32_t part = count < VSKD_PIECE ? count : VSKD_PIECE;
        if (!vskd_slots_read(slots, slot, offset, piece, part)) {
            return 0;
        }
        vskd_sha256_add(&sha, piece, part);
        offset += part;
        count -= part;
    }
    vskd_sha256_end(&sha, digest);
    return 1;
}

/* ---- records ---- */

static int32_t is_blank(const uint8_t *record)
{
    uint32_t i;
    for (i = 0; i < VSKD_RECORD_BYTES; i++) {
        if (record[i] != 0xffu) {
            return 0;
        }
    }
    return 1;
}

static void take_record(vskd_slot *found, const uint8_t *record)
{
    switch (get_u32(&record[KIND])) {
    case VSKD_RECORD_OFFER:
        found->has_offer = 1;
        found->sequence = get_u32(&record[SEQUENCE]);
        found->size = get_u32(&record[SIZE]);
        (void)memcpy(found->sha256, &record[SHA256], VSKD_SHA256_BYTES);
        break;
    case VSKD_RECORD_PROGRESS:
        found->complete = get_u32(&record[VALUE]);
        break;
    case VSKD_RECORD_ACTIVE:
        found->is_active = 1;
        break;
    case VSKD_RECORD_TRIED:
        found->tries++;
        break;
    case VSKD_RECORD_CONFIRMED:
        found->is_confirmed = 1;
        break;
    default:
        break;
    }
}

/* Read the records of a slot. One that is torn is left out; those behind it count. */
static void scan(vskd_slots *slots, int32_t slot)
{
    vskd_slot *found = &slots->slot[slot];
    uint8_t record[VSKD_RECORD_BYTES];
    uint32_t i;
    (void)memset(found, 0, sizeof(*found));
    for (i = 0; i < records_of(slots); i++) {
        if (!slots->flash->read(slots->flash->context, base_of(slots, slot) + i * VSKD_RECORD_BYTES, record,
                                VSKD_RECORD_BYTES)) {
            (void)memset(found, 0, sizeof(*found));
            return;
        }
        if (is_blank(record)) {
            continue;
        }
        found->next = i + 1u;
        if (get_u32(&record[CRC]) == vskd_crc32(0, record, CRC) &&
            (found->has_offer || get_u32(&record[KIND]) == VSKD_RECORD_OFFER)) {
            take_record(found, record);
        }
    }
    if (found->size == 0u || found->size > vskd_slots_capacity(slots) || found->complete > found->size) {
        found->has_offer = 0;
        found->is_active = 0;
    }
}

/* Append a record, and see that it is there. */
static int32_t append(vskd_slots *slots, int32_t slot, uint32_t kind, uint32_t value)
{
    const vskd_flash *flash = slots->flash;
    vskd_slot *found = &slots->slot[slot];
    const uint32_t at = base_of(slots, slot) + found->next * VSKD_RECORD_BYTES;
    uint8_t record[VSKD_RECORD_BYTES];
    uint8_t again[VSKD_RECORD_BYTES];
    if (found->next >= records_of(slots)) {
        return 0;
    }
    (void)memset(record, 0, sizeof(record));
    put_u32(&record[KIND], kind);
    put_u32(&record[SEQUENCE], found->sequence);
    put_u32(&record[VALUE], value);
    put_u32(&record[SIZE], found->size);
    (void)memcpy(&record[SHA256], found->sha256, VSKD_SHA256_BYTES);
    put_u32(&record[CRC], vskd_crc32(0, record, CRC));
    found->next++;
    if (!flash->program(flash->context, at, record, sizeof(record)) ||
        !flash->read(flash->context, at, again, sizeof(again)) || memcmp(record, again, sizeof(record)) != 0) {
        return 0;
    }
    take_record(found, record);
    return 1;
}

void vskd_slots_init(vskd_slots *slots, const vskd_flash *flash,
                     int32_t (*check)(const vskd_slots *slots, int32_t slot, uint32_t size))
{
    (void)memset(slots, 0, sizeof(*slots));
    slots->flash = flash;
    slots->check = check;
    slots->running = VSKD_NO_SLOT;
    slots->target = VSKD_NO_SLOT;
    scan(slots, 0);
    scan(slots, 1);
}

/* ---- starting ---- */

static int32_t is_whole(const vskd_slots *slots, int32_t slot)
{
    const vskd_slot *found = &slots->slot[slot];
    uint8_t digest[VSKD_SHA256_BYTES];
    return found->is_active && vskd_slots_hash(slots, slot, 0, found->size, digest) &&
           memcmp(digest, found->sha256, sizeof(digest)) == 0;
}

/* Whether a slot may run: it is confirmed, or has a try left, which is used up now. */
static int32_t may_run(vskd_slots *slots, int32_t slot)
{
    const vskd_slot *found = &slots->slot[slot];
    return found->is_confirmed ||
           (found->tries < VSKD_SLOT_TRIES && append(slots, slot, VSKD_RECORD_TRIED, found->tries + 1u));
}

int32_t vskd_slots_boot(vskd_slots *slots)
{
    const int32_t newer = slots->slot[1].sequence > slots->slot[0].sequence ? 1 : 0;
    int32_t i;
    slots->running = VSKD_NO_SLOT;
    slots->target = VSKD_NO_SLOT;
    for (i = 0; i < 2 && slots->running == VSKD_NO_SLOT; i++) {
        const int32_t slot = i == 0 ? newer : 1 - newer;
        if (is_whole(slots, slot) && may_run(slots, slot)) {
            slots->running = slot;
        }
    }
    for (i = 0; i < 2 && slots->running == VSKD_NO_SLOT; i++) { /* better one that did not confirm itself than none */
        const int32_t slot = i == 0 ? newer : 1 - newer;
        if (is_whole(slots, slot)) {
            slots->running = slot;
        }
    }
    return slots->running;
}

int32_t vskd_slots_on_trial(const vskd_slots *slots)
{
    return slots->running != VSKD_NO_SLOT && !slots->slot[slots->running].is_confirmed;
}

int32_t vskd_slots_confirm(vskd_slots *slots)
{
    if (slots->running == VSKD_NO_SLOT) {
        return 0;
    }
    return slots->slot[slots->running].is_confirmed || append(slots, slots->running, VSKD_RECORD_CONFIRMED, 0);
}

/* ---- receiving ---- */

static int32_t is_same(const vskd_slot *found, uint32_t size, const uint8_t *sha256)
{
    return found->has_offer && found->size == size && memcmp(found->sha256, sha256, VSKD_SHA256_BYTES) == 0;
}

/* Empty the records of a slot and note the offer. */
static int32_t note_offer(vskd_slots *slots, int32_t slot, uint32_t size, const uint8_t *sha256)
{
    const uint32_t a = slots->slot[0].sequence;
    const uint32_t b = slots->slot[1].sequence;
    vskd_slot *found = &slots->slot[slot];
    if (!slots->flash->erase(slots->flash->context, base_of(slots, slot))) {
        return 0;
    }
    (void)memset(found, 0, sizeof(*found));
    found->sequence = (a > b ? a : b) + 1u;
    found->size = size;
    (void)memcpy(found->sha256, sha256, VSKD_SHA256_BYTES);
    return append(slots, slot, VSKD_RECORD_OFFER, 0);
}

vskd_answer vskd_slots_begin(vskd_slots *slots, uint32_t size, const uint8_t *sha256, uint32_t *offset)
{
    int32_t target;
    vskd_slot *found;
    *offset = 0;
    slots->target = VSKD_NO_SLOT;
    if (size == 0u || size > vskd_slots_capacity(slots)) {
        return VSKD_WANT_TOO_LARGE;
    }
    if (slots->running != VSKD_NO_SLOT && is_same(&slots->slot[slots->running], size, sha256)) {
        return VSKD_WANT_HAVE;
    }
    if (vskd_slots_on_trial(slots)) {
        return VSKD_WANT_UNCONFIRMED; /* the other slot is what it falls back to */
    }
    target = slots->running == 0 || (slots->running == VSKD_NO_SLOT && is_same(&slots->slot[1], size, sha256)) ? 1 : 0;
    found = &slots->slot[target];
    if (is_same(found, size, sha256) && found->is_active && found->tries < VSKD_SLOT_TRIES && is_whole(slots, target)) {
        return VSKD_WANT_HAVE;
    }
    if (!is_same(found, size, sha256) || found->is_active) {
        if (!note_offer(slots, target, size, sha256)) {
            return VSKD_WANT_FLASH;
        }
    }
    slots->target = target;
    slots->written = found->complete;
    *offset = found->complete;
    return VSKD_WANT_SEND;
}

/* Note how far the transfer is, every so many sectors: half of the records are for that. */
static void note_progress(vskd_slots *slots)
{
    const vskd_slot *found = &slots->slot[slots->target];
    const uint32_t sector = slots->flash->sector_bytes;
    const uint32_t sectors = (found->size + sector - 1u) / sector;
    const uint32_t marks = records_of(slots) / 2u;
    const uint32_t each = (sectors + marks - 1u) / marks;
    const int32_t is_due = slots->written == found->size || slots->written % (each * sector) == 0u;
    if (is_due && found->next + VSKD_RECORDS_KEPT < records_of(slots)) {
        (void)append(slots, slots->target, VSKD_RECORD_PROGRESS, slots->written);
    }
}

vskd_outcome vskd_slots_write(vskd_slots *slots, uint32_t offset, const uint8_t *bytes, uint32_t count)
{
    const vskd_flash *flash = slots->flash;
    uint8_t piece[VSKD_PIECE];
    uint8_t again[VSKD_PIECE];
    uint32_t at;
    if (slots->target == VSKD_NO_SLOT || offset != slots->written || count == 0u || count > VSKD_PIECE ||
        count > slots->slot[slots->target].size - offset ||
        (count != VSKD_PIECE && offset + count != slots->slot[slots->target].size)) {
        return VSKD_DONE_OUT_OF_ORDER;
    }
    at = content_of(slots, slots->target) + offset;
    (void)memset(piece, 0xff, sizeof(piece));
    (void)memcpy(piece, bytes, count);
    if ((offset % flash->sector_bytes == 0u && !flash->erase(flash->context, at)) ||
        !flash->program(flash->context, at, piece, sizeof(piece)) ||
        !flash->read(flash->context, at, again, sizeof(again)) || memcmp(piece, again, sizeof(piece)) != 0) {
        slots->target = VSKD_NO_SLOT;
        return VSKD_DONE_FLASH;
    }
    slots->written += count;
    if (slots->written % flash->sector_bytes == 0u || slots->written == slots->slot[slots->target].size) {
        note_progress(slots);
    }
    return VSKD_DONE_ACTIVE;
}

vskd_outcome vskd_slots_finish(vskd_slots *slots)
{
    const int32_t target = slots->target;
    uint8_t digest[VSKD_SHA256_BYTES];
    vskd_outcome outcome = VSKD_DONE_ACTIVE;
    if (target == VSKD_NO_SLOT || slots->written != slots->slot[target].size) {
        return VSKD_DONE_OUT_OF_ORDER;
    }
    slots->target = VSKD_NO_SLOT;
    if (!vskd_slots_hash(slots, target, 0, slots->written, digest)) {
        return VSKD_DONE_FLASH;
    }
    if (memcmp(digest, slots->slot[target].sha256, sizeof(digest)) != 0) {
        outcome = VSKD_DONE_OTHER_HASH;
    } else if (slots->check != NULL && !slots->check(slots, target, slots->written)) {
        outcome = VSKD_DONE_OTHER_MANIFEST;
    } else if (!append(slots, target, VSKD_RECORD_ACTIVE, 0)) {
        outcome = VSKD_DONE_FLASH;
    }
    if (outcome != VSKD_DONE_ACTIVE) { /* what is wrong is not gone on with: the next offer begins anew */
        const int32_t is_erased = slots->flash->erase(slots->flash->context, base_of(slots, target));
        (void)is_erased;
        scan(slots, target);
    }
    return outcome;
}
