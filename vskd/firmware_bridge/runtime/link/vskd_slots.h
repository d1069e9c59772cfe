/* Two slots in flash, A and B, for a bundle each: one runs while the other is received. The device always starts a whole
 * bundle whose SHA-256 is right, the old one or the new one, wherever the power was cut; and a transfer goes on where it
 * stopped. The same rules in Python: vskd/firmware_bridge/link/slots.py. Bytes and rules: docs/link.md.
 *
 * A slot is a sector of records, then the sectors of the parcel. Records are only ever appended; one that was torn by a
 * power cut has a wrong CRC, and is none. To activate is to append one record. */
#ifndef VSKD_SLOTS_H
#define VSKD_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include "vskd_link.h"
#include "vskd_messages.h"
#include "vskd_sha256.h"

#define VSKD_RECORD_BYTES 64u
#define VSKD_SLOT_TRIES 3u    /* starts that a new bundle has to confirm itself */
#define VSKD_RECORDS_KEPT 8u  /* that progress does not use */
#define VSKD_NO_SLOT (-1)

enum { VSKD_RECORD_OFFER = 1, VSKD_RECORD_PROGRESS = 2, VSKD_RECORD_ACTIVE = 3, VSKD_RECORD_TRIED = 4,
       VSKD_RECORD_CONFIRMED = 5 };

/* The flash: each call returns 1, or 0 where it failed. Both sizes are multiples of VSKD_PIECE; a sector holds at least
 * 16 records. Pieces that are programmed are 64 or 256 bytes, aligned, and erased before, except where power was cut. */
typedef struct {
    void *context;
    uint32_t sector_bytes;
    uint32_t slot_bytes; /* of one slot, its sector of records included */
    int32_t (*erase)(void *context, uint32_t offset); /* a sector, to 0xff */
    int32_t (*program)(void *context, uint32_t offset, const uint8_t *bytes, uint32_t count);
    int32_t (*read)(void *context, uint32_t offset, uint8_t *bytes, uint32_t count);
} vskd_flash;

/* What the records of a slot say. */
typedef struct {
    uint8_t has_offer, is_active, is_confirmed;
    uint32_t tries;
    uint32_t sequence;
    uint32_t size;
    uint32_t complete; /* bytes that need not be sent again */
    uint32_t next;     /* place of the next record */
    uint8_t sha256[VSKD_SHA256_BYTES];
} vskd_slot;

typedef struct vskd_slots {
    const vskd_flash *flash;
    /* Checks the content of a slot before it is activated, e.g. vskd_parcel_check; NULL: its SHA-256 alone. */
    int32_t (*check)(const struct vskd_slots *slots, int32_t slot, uint32_t size);
    int32_t running;
    int32_t target;
    uint32_t written;
    vskd_slot slot[2];
} vskd_slots;

void vskd_slots_init(vskd_slots *slots, const vskd_flash *flash,
                     int32_t (*check)(const vskd_slots *slots, int32_t slot, uint32_t size));

/* At the start of the device: the slot to run, 0 or 1, or VSKD_NO_SLOT where none holds a whole bundle. Counts the start
 * of a bundle that is not confirmed yet; after VSKD_SLOT_TRIES of them the other one runs again. */
int32_t vskd_slots_boot(vskd_slots *slots);

/* The running bundle works. Returns 1 where it is confirmed in flash now. */
int32_t vskd_slots_confirm(vskd_slots *slots);

/* Whether the bundle that runs is on trial. */
int32_t vskd_slots_on_trial(const vskd_slots *slots);

/* Bytes of the largest parcel. */
uint32_t vskd_slots_capacity(const vskd_slots *slots);

/* An offer: VSKD_WANT_SEND with the offset to go on from, or why not. Never touches the slot that runs. */
vskd_answer vskd_slots_begin(vskd_slots *slots, uint32_t size, const uint8_t *sha256, uint32_t *offset);

/* The next piece of the offered parcel: VSKD_PIECE bytes, or what is left. Returns VSKD_DONE_ACTIVE (0) or what failed. */
vskd_outcome vskd_slots_write(vskd_slots *slots, uint32_t offset, const uint8_t *bytes, uint32_t count);

/* All is there: check it, and make it the one that is started next. */
vskd_outcome vskd_slots_finish(vskd_slots *slots);

/* Bytes of the parcel in a slot. */
int32_t vskd_slots_read(const vskd_slots *slots, int32_t slot, uint32_t offset, uint8_t *bytes, uint32_t count);

/* SHA-256 of a part of it. */
int32_t vskd_slots_hash(const vskd_slots *slots, int32_t slot, uint32_t offset, uint32_t count, uint8_t *digest);

#endif
