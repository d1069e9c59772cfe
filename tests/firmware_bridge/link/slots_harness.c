/* The slot store in C, for the tests: flash in memory, power that is cut at a chosen write.
 * Commands from stdin, answers to stdout, one line each; see `CSlots` in slot_rules.py.
 * slots_harness SECTOR SLOT CHECK(0|1) */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vskd_parcel.h"
#include "vskd_update.h"

static uint8_t flash[1 << 20];
static uint8_t content[1 << 19];
static vskd_flash driver;
static vskd_slots slots;
static int32_t until_cut = -1; /* operations that still work; -1: all */
static uint32_t tearing;       /* how the cut one is torn */
static uint32_t operations;

static uint32_t chance(void)
{
    tearing = tearing * 1664525u + 1013904223u;
    return tearing >> 8;
}

/* Whether an operation of `count` bytes works. Torn: a part is done, byte by byte or bit by bit, or nothing. */
static int32_t works(uint32_t offset, const uint8_t *bytes, uint32_t count)
{
    uint32_t i;
    const uint32_t manner = tearing % 4u;
    operations++;
    if (until_cut < 0 || until_cut > 0) {
        until_cut -= until_cut > 0 ? 1 : 0;
        return 1;
    }
    if (until_cut == 0) {
        const uint32_t part = chance() % (count + 1u);
        until_cut = INT32_MIN;
        for (i = 0; i < count && manner != 3u; i++) {
            const uint8_t wanted = bytes == NULL ? (uint8_t)0xff : bytes[i];
            const uint8_t mask = (uint8_t)(chance() & 0xffu);
            if (manner == 0u && i < part) {
                flash[offset + i] = wanted;
            } else if (manner == 1u && chance() % 2u == 0u) {
                flash[offset + i] = wanted;
            } else if (manner == 2u) {
                flash[offset + i] = (uint8_t)((flash[offset + i] & (uint8_t)~mask) | (wanted & mask));
            }
        }
    }
    return 0;
}

static int32_t is_off(void)
{
    return until_cut == INT32_MIN;
}

static int32_t erase(void *context, uint32_t offset)
{
    (void)context;
    if (is_off() || offset % driver.sector_bytes != 0u || !works(offset, NULL, driver.sector_bytes)) {
        return 0;
    }
    (void)memset(&flash[offset], 0xff, driver.sector_bytes);
    return 1;
}

static int32_t program(void *context, uint32_t offset, const uint8_t *bytes, uint32_t count)
{
    uint32_t i;
    (void)context;
    for (i = 0; i < count && !is_off(); i++) {
        if (flash[offset + i] != 0xffu) {
            (void)fprintf(stderr, "programmed twice at %lu\n", (unsigned long)(offset + i));
            exit(3);
        }
    }
    if (is_off() || !works(offset, bytes, count)) {
        return 0;
    }
    (void)memcpy(&flash[offset], bytes, count);
    return 1;
}

static int32_t read_flash(void *context, uint32_t offset, uint8_t *bytes, uint32_t count)
{
    (void)context;
    if (is_off()) {
        return 0;
    }
    (void)memcpy(bytes, &flash[offset], count);
    return 1;
}

static uint32_t argument(void)
{
    unsigned long value = 0;
    if (scanf("%lu", &value) != 1) {
        exit(2);
    }
    return (uint32_t)value;
}

static void read_content(uint32_t count)
{
    (void)getchar();
    if (count > sizeof(content) || fread(content, 1, count, stdin) != count) {
        exit(2);
    }
}

/* Offer and send what is in `content`; an outcome of the transfer, or 100 + an answer. */
static int send_all(uint32_t size, uint32_t *from)
{
    uint8_t digest[VSKD_SHA256_BYTES];
    vskd_sha256 sha;
    uint32_t at;
    vskd_answer answer;
    vskd_sha256_begin(&sha);
    vskd_sha256_add(&sha, content, size);
    vskd_sha256_end(&sha, digest);
    answer = vskd_slots_begin(&slots, size, digest, from);
    if (answer != VSKD_WANT_SEND) {
        return 100 + (int)answer;
    }
    for (at = *from; at < size; at += VSKD_PIECE) {
        const uint32_t rest = size - at;
        const vskd_outcome outcome = vskd_slots_write(&slots, at, &content[at], rest < VSKD_PIECE ? rest : VSKD_PIECE);
        if (outcome != VSKD_DONE_ACTIVE) {
            return (int)outcome;
        }
    }
    return (int)vskd_slots_finish(&slots);
}

int main(int argc, char **argv)
{
    char command[8];
    const int32_t checked = argc == 4 && argv[3][0] == '1';
    if (argc != 4) {
        return 2;
    }
    driver.sector_bytes = (uint32_t)strtoul(argv[1], NULL, 10);
    driver.slot_bytes = (uint32_t)strtoul(argv[2], NULL, 10);
    driver.erase = erase;
    driver.program = program;
    driver.read = read_flash;
    (void)memset(flash, 0xff, sizeof(flash));
    while (scanf("%7s", command) == 1) {
        if (strcmp(command, "cut") == 0) { /* operations that work, how the next is torn */
            until_cut = (int32_t)argument();
            tearing = argument();
        } else if (strcmp(command, "boot") == 0) {
            until_cut = is_off() ? -1 : until_cut;
            vskd_slots_init(&slots, &driver, checked ? vskd_parcel_check : NULL);
            (void)printf("%d\n", (int)vskd_slots_boot(&slots));
        } else if (strcmp(command, "confirm") == 0) {
            (void)printf("%d\n", (int)vskd_slots_confirm(&slots));
        } else if (strcmp(command, "send") == 0) {
            const uint32_t size = argument();
            uint32_t from = 0;
            int outcome;
            read_content(size);
            outcome = send_all(size, &from);
            (void)printf("%d %lu\n", outcome, (unsigned long)from);
        } else if (strcmp(command, "state") == 0) { /* operations so far, a CRC of the flash */
            (void)printf("%lu %lu\n", (unsigned long)operations,
                         (unsigned long)vskd_crc32(0, flash, 2u * driver.slot_bytes));
        } else if (strcmp(command, "load") == 0) { /* the flash as it is to be */
            read_content(2u * driver.slot_bytes);
            (void)memcpy(flash, content, 2u * driver.slot_bytes);
            operations = 0;
            until_cut = -1;
        } else if (strcmp(command, "dump") == 0) {
            (void)fwrite(flash, 1, 2u * driver.slot_bytes, stdout);
        }
        (void)fflush(stdout);
    }
    return 0;
}
