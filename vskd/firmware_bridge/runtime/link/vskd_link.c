/* See vskd_link.h. */
#include "vskd_link.h"

#include <string.h>

static uint16_t read_u16(const uint8_t *bytes)
{
    return (uint16_t)((uint32_t)bytes[0] | ((uint32_t)bytes[1] << 8));
}

static void write_u16(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)(value & 0xffu);
    bytes[1] = (uint8_t)((value >> 8) & 0xffu);
}

static void write_u32(uint8_t *bytes, uint32_t value)
{
    write_u16(bytes, value & 0xffffu);
    write_u16(&bytes[2], value >> 16);
}

uint32_t vskd_crc32(uint32_t crc, const uint8_t *bytes, size_t count)
{
    static const uint32_t table[16] = {0x00000000u, 0x1db71064u, 0x3b6e20c8u, 0x26d930acu, 0x76dc4190u, 0x6b6b51f4u,
                                       0x4db26158u, 0x5005713cu, 0xedb88320u, 0xf00f9344u, 0xd6d6a3e8u, 0xcb61b38cu,
                                       0x9b64c2b0u, 0x86d3d2d4u, 0xa00ae278u, 0xbdbdf21cu};
    size_t i;
    crc = ~crc;
    for (i = 0; i < count; i++) {
        crc ^= (uint32_t)bytes[i];
        crc = (crc >> 4) ^ table[crc & 0xfu];
        crc = (crc >> 4) ^ table[crc & 0xfu];
    }
    return ~crc;
}

/* ---- frames ---- */

/* Consistent overhead byte stuffing (Cheshire and Baker 1999): no zero is left. */
typedef struct {
    uint8_t *wire;
    size_t code; /* where the length of the run stands */
    size_t next;
} stuffing;

static void stuff(stuffing *s, const uint8_t *bytes, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++) {
        if (s->next - s->code == 255u) {
            s->wire[s->code] = 255u;
            s->code = s->next;
            s->next++;
        }
        if (bytes[i] == 0u) {
            s->wire[s->code] = (uint8_t)(s->next - s->code);
            s->code = s->next;
        } else {
            s->wire[s->next] = bytes[i];
        }
        s->next++;
    }
}

size_t vskd_frame_write(uint8_t *wire, uint8_t type, uint16_t session, uint16_t sequence, const uint8_t *payload,
                        size_t count)
{
    uint8_t head[VSKD_LINK_HEAD];
    uint8_t crc[4];
    stuffing s;
    if (count > VSKD_LINK_MOST) {
        return 0;
    }
    head[0] = (uint8_t)VSKD_LINK_VERSION;
    head[1] = type;
    write_u16(&head[2], session);
    write_u16(&head[4], sequence);
    write_u16(&head[6], (uint32_t)count);
    write_u32(crc, vskd_crc32(vskd_crc32(0, head, sizeof(head)), payload, count));
    s.wire = wire;
    wire[0] = 0; /* ends whatever garbage stood before */
    s.code = 1;
    s.next = 2;
    stuff(&s, head, sizeof(head));
    stuff(&s, payload, count);
    stuff(&s, crc, sizeof(crc));
    wire[s.code] = (uint8_t)(s.next - s.code);
    wire[s.next] = 0;
    return s.next + 1u;
}

/* Take the stuffing out, in place: the number of bytes, 0 where a run goes beyond the end. */
static size_t unstuff(uint8_t *bytes, size_t count)
{
    size_t in = 0;
    size_t out = 0;
    while (in < count) {
        const size_t run = bytes[in];
        if (run == 0u || in + run > count) {
            return 0;
        }
        (void)memmove(&bytes[out], &bytes[in + 1u], run - 1u);
        out += run - 1u;
        in += run;
        if (run < 255u && in < count) {
            bytes[out] = 0;
            out++;
        }
    }
    return out;
}

int32_t vskd_frame_read(uint8_t *stuffed, size_t count, vskd_frame *frame)
{
    const size_t size = unstuff(stuffed, count);
    size_t sealed;
    uint8_t crc[4];
    (void)memset(frame, 0, sizeof(*frame));
    if (size < VSKD_LINK_HEAD + 4u) {
        return 0;
    }
    sealed = size - 4u;
    write_u32(crc, vskd_crc32(0, stuffed, sealed));
    if (memcmp(crc, &stuffed[sealed], sizeof(crc)) != 0) {
        return 0;
    }
    frame->version = stuffed[0];
    if (frame->version != VSKD_LINK_VERSION) {
        return 1;
    }
    frame->type = stuffed[1];
    frame->session = read_u16(&stuffed[2]);
    frame->sequence = read_u16(&stuffed[4]);
    frame->count = read_u16(&stuffed[6]);
    frame->payload = &stuffed[VSKD_LINK_HEAD];
    return frame->count <= VSKD_LINK_MOST && frame->count == sealed - VSKD_LINK_HEAD;
}

/* ---- sessions, sequence numbers, acknowledgements ---- */

static int32_t is_known(uint8_t type)
{
    return (type >= VSKD_HELLO && type <= VSKD_END) || (type >= VSKD_OFFER && type <= VSKD_DONE);
}

static void reply(const vskd_link *link, uint8_t type, uint16_t session, uint16_t sequence, const uint8_t *payload,
                  size_t count)
{
    uint8_t wire[VSKD_LINK_HEAD + 2u + 4u + 3u];
    link->write(link->context, wire, vskd_frame_write(wire, type, session, sequence, payload, count));
}

static void refuse(const vskd_link *link, const vskd_frame *frame, uint8_t code, uint8_t value)
{
    uint8_t payload[2];
    payload[0] = code;
    payload[1] = value;
    reply(link, (uint8_t)VSKD_REFUSE, frame->session, frame->sequence, payload, sizeof(payload));
}

void vskd_link_init(vskd_link *link, uint8_t is_host,
                    void (*write)(void *context, const uint8_t *bytes, size_t count), void *context)
{
    (void)memset(link, 0, sizeof(*link));
    link->is_host = is_host;
    link->write = write;
    link->context = context;
}

static void begin_session(vskd_link *link, uint16_t session)
{
    link->session = session;
    link->next_out = 0;
    link->expected = 0;
    link->is_pending = 0;
}

vskd_link_status vskd_link_open(vskd_link *link, uint16_t session, uint32_t now)
{
    begin_session(link, session);
    return vskd_link_send(link, (uint8_t)VSKD_HELLO, NULL, 0, now);
}

vskd_link_status vskd_link_send(vskd_link *link, uint8_t type, const uint8_t *payload, size_t count, uint32_t now)
{
    if (link->session == 0u) {
        return VSKD_LINK_CLOSED;
    }
    if (link->is_pending != 0u) {
        return VSKD_LINK_BUSY;
    }
    link->out_count = vskd_frame_write(link->out, type, link->session, link->next_out, payload, count);
    if (link->out_count == 0u) {
        return VSKD_LINK_TOO_LONG;
    }
    link->is_pending = 1;
    link->tries = 1;
    link->wait = VSKD_LINK_FIRST_WAIT;
    link->deadline = now + link->wait;
    link->write(link->context, link->out, link->out_count);
    return VSKD_LINK_SENT;
}

vskd_link_status vskd_link_tick(vskd_link *link, uint32_t now)
{
    if (link->is_pending == 0u || (int32_t)(now - link->deadline) < 0) {
        return VSKD_LINK_NOTHING;
    }
    if (link->tries == VSKD_LINK_TRIES) {
        link->is_pending = 0;
        link->session = 0;
        return VSKD_LINK_LOST;
    }
    link->tries++;
    link->wait = link->wait * 2u > VSKD_LINK_LONGEST_WAIT ? VSKD_LINK_LONGEST_WAIT : link->wait * 2u;
    link->deadline = now + link->wait;
    link->write(link->context, link->out, link->out_count);
    return VSKD_LINK_NOTHING;
}

/* An answer to what is pending, or a late one to something else. */
static vskd_link_status take_answer(vskd_link *link, const vskd_frame *frame, vskd_event *event)
{
    if (link->is_pending == 0u || frame->session != link->session || frame->sequence != link->next_out ||
        (frame->type == VSKD_REFUSE && frame->count != 2u)) {
        link->stale++;
        return VSKD_LINK_NOTHING;
    }
    link->is_pending = 0;
    link->next_out++;
    if (frame->type == VSKD_ACK) {
        return VSKD_LINK_NOTHING;
    }
    event->code = frame->payload[0];
    event->value = frame->payload[1];
    if (event->code == VSKD_REFUSED_SESSION) {
        link->session = 0;
    }
    return VSKD_LINK_REFUSED;
}

static vskd_link_status take_message(vskd_link *link, const vskd_frame *frame, vskd_event *event)
{
    const int32_t is_new = frame->sequence == link->expected;
    if (!is_new && frame->sequence != (uint16_t)(link->expected - 1u)) {
        link->stale++;
        return VSKD_LINK_NOTHING;
    }
    link->expected = (uint16_t)(frame->sequence + 1u);
    link->repeated += is_new ? 0u : 1u;
    if (!is_known(frame->type)) {
        refuse(link, frame, VSKD_REFUSED_TYPE, frame->type);
        return VSKD_LINK_NOTHING;
    }
    reply(link, (uint8_t)VSKD_ACK, frame->session, frame->sequence, NULL, 0);
    if (!is_new) {
        return VSKD_LINK_NOTHING;
    }
    event->type = frame->type;
    event->payload = frame->payload;
    event->count = frame->count;
    return VSKD_LINK_MESSAGE;
}

static vskd_link_status take_frame(vskd_link *link, const vskd_frame *frame, vskd_event *event)
{
    if (frame->version != VSKD_LINK_VERSION) {
        event->value = frame->version;
        if (link->is_host == 0u) { /* never both, or they would answer each other without end */
            refuse(link, frame, VSKD_REFUSED_VERSION, (uint8_t)VSKD_LINK_VERSION);
        }
        return VSKD_LINK_FOREIGN;
    }
    if (frame->type == VSKD_ACK || frame->type == VSKD_REFUSE) {
        return take_answer(link, frame, event);
    }
    if (frame->session != link->session || frame->session == 0u) {
        if (link->is_host != 0u) {
            link->stale++;
            return VSKD_LINK_NOTHING;
        }
        if (frame->type != VSKD_HELLO || frame->sequence != 0u || frame->session == 0u) {
            refuse(link, frame, VSKD_REFUSED_SESSION, 0);
            return VSKD_LINK_NOTHING;
        }
        begin_session(link, frame->session);
    }
    return take_message(link, frame, event);
}

vskd_link_status vskd_link_receive(vskd_link *link, uint8_t byte, vskd_event *event)
{
    vskd_frame frame;
    const size_t count = link->in_count;
    (void)memset(event, 0, sizeof(*event));
    if (byte != 0u) {
        if (count < sizeof(link->in)) {
            link->in[count] = byte;
            link->in_count++;
        } else {
            link->is_overlong = 1;
        }
        return VSKD_LINK_NOTHING;
    }
    link->in_count = 0;
    if (count == 0u) {
        return VSKD_LINK_NOTHING;
    }
    if (link->is_overlong != 0u || !vskd_frame_read(link->in, count, &frame)) {
        link->is_overlong = 0;
        link->damaged++;
        return VSKD_LINK_NOTHING;
    }
    return take_frame(link, &frame, event);
}
