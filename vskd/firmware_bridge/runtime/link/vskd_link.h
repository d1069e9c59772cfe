/* The link between a watch and a host: frames that survive a bad line, delivered once and in order. The bytes are
 * specified in docs/link.md; vskd/firmware_bridge/link/endpoint.py is the same machine in Python.
 *
 *     vskd_link link;
 *     vskd_link_init(&link, 0, write_to_the_line, context);
 *     for each byte that arrives:  if (vskd_link_receive(&link, byte, &event) == VSKD_LINK_MESSAGE) { ... }
 *     to send:                     vskd_link_send(&link, type, payload, count, now)
 *     a few times in a second:     vskd_link_tick(&link, now)
 *
 * No heap, no recursion, no clock of its own: `now` counts milliseconds and may wrap. */
#ifndef VSKD_LINK_H
#define VSKD_LINK_H

#include <stddef.h>
#include <stdint.h>

#define VSKD_LINK_VERSION 1u
#define VSKD_LINK_MOST 512u                                   /* bytes of a payload */
#define VSKD_LINK_HEAD 8u                                     /* version, type, session, sequence, length */
#define VSKD_LINK_FRAME (VSKD_LINK_HEAD + VSKD_LINK_MOST + 4u) /* with its CRC */
#define VSKD_LINK_WIRE (VSKD_LINK_FRAME + VSKD_LINK_FRAME / 254u + 1u + 2u) /* stuffed, between two zeros */
#define VSKD_LINK_FIRST_WAIT 250u                             /* ms until a frame is sent again; doubles ... */
#define VSKD_LINK_LONGEST_WAIT 2000u                          /* ... up to this */
#define VSKD_LINK_TRIES 8u

typedef enum {
    VSKD_HELLO = 0x01,
    VSKD_ABOUT = 0x02,
    VSKD_RECORD = 0x03,
    VSKD_SAMPLES = 0x04,
    VSKD_DECISION = 0x05,
    VSKD_END = 0x06,
    VSKD_OFFER = 0x10,
    VSKD_WANT = 0x11,
    VSKD_CHUNK = 0x12,
    VSKD_FINISH = 0x13,
    VSKD_DONE = 0x14,
    VSKD_ACK = 0x7e,
    VSKD_REFUSE = 0x7f
} vskd_type;

/* Why a frame is refused. */
enum { VSKD_REFUSED_VERSION = 1, VSKD_REFUSED_TYPE = 2, VSKD_REFUSED_SESSION = 3 };

typedef enum {
    VSKD_LINK_NOTHING = 0,
    VSKD_LINK_MESSAGE = 1,  /* type, payload and count are set; the payload is good until the next byte */
    VSKD_LINK_REFUSED = 2,  /* the peer does not take what was sent; code and value say why */
    VSKD_LINK_FOREIGN = 3,  /* the peer speaks the version `value` */
    VSKD_LINK_LOST = 4,     /* the peer does not answer */
    VSKD_LINK_BUSY = 5,     /* what was sent before is not acknowledged yet */
    VSKD_LINK_CLOSED = 6,   /* there is no session: nobody said hello */
    VSKD_LINK_TOO_LONG = 7,
    VSKD_LINK_SENT = 8
} vskd_link_status;

typedef struct {
    uint8_t type;
    uint8_t code;
    uint8_t value;
    const uint8_t *payload;
    uint16_t count;
} vskd_event;

/* A frame as it was read. */
typedef struct {
    uint8_t version;
    uint8_t type;
    uint16_t session;
    uint16_t sequence;
    uint16_t count;
    const uint8_t *payload;
} vskd_frame;

/* Its counters may be read; the rest is no part of the interface. */
typedef struct {
    void (*write)(void *context, const uint8_t *bytes, size_t count);
    void *context;
    uint32_t damaged, stale, repeated; /* frames that were left out */
    uint32_t deadline, wait;
    uint16_t session, next_out, expected;
    uint8_t is_host, is_pending, tries, is_overlong;
    size_t in_count, out_count;
    uint8_t in[VSKD_LINK_WIRE];
    uint8_t out[VSKD_LINK_WIRE];
} vskd_link;

/* CRC-32 as zlib has it; `crc` is 0, or that of the bytes before. */
uint32_t vskd_crc32(uint32_t crc, const uint8_t *bytes, size_t count);

/* The bytes of a frame on the line. wire: VSKD_LINK_WIRE bytes. Returns how many; 0 where the payload is too long. */
size_t vskd_frame_write(uint8_t *wire, uint8_t type, uint16_t session, uint16_t sequence, const uint8_t *payload,
                        size_t count);

/* Read what lay between two zeros, in place. Returns 1 with a frame of any version, 0 where it is damaged. Of a frame of
 * another version only the version is set. */
int32_t vskd_frame_read(uint8_t *stuffed, size_t count, vskd_frame *frame);

/* Make an end of a link. is_host: 1 for the one that opens sessions. */
void vskd_link_init(vskd_link *link, uint8_t is_host,
                    void (*write)(void *context, const uint8_t *bytes, size_t count), void *context);

/* Host: open a session, by any number but 0 that was not used lately. */
vskd_link_status vskd_link_open(vskd_link *link, uint16_t session, uint32_t now);

/* Send a message: VSKD_LINK_SENT, or why not. It is sent again until it is acknowledged. */
vskd_link_status vskd_link_send(vskd_link *link, uint8_t type, const uint8_t *payload, size_t count, uint32_t now);

/* Take a byte from the line. */
vskd_link_status vskd_link_receive(vskd_link *link, uint8_t byte, vskd_event *event);

/* Send again what is due: VSKD_LINK_LOST where the peer has not answered VSKD_LINK_TRIES times. */
vskd_link_status vskd_link_tick(vskd_link *link, uint32_t now);

#endif
