/* See vskd_update.h. */
#include "vskd_update.h"

static size_t answer_offer(vskd_slots *slots, const vskd_offer *offer, uint8_t *answer)
{
    vskd_want want = {(uint8_t)VSKD_WANT_NO_SLOTS, 0, 0};
    if (slots != NULL) {
        want.answer = (uint8_t)vskd_slots_begin(slots, offer->size, offer->sha256, &want.offset);
        want.capacity = vskd_slots_capacity(slots);
    }
    return vskd_write_want(answer, &want);
}

static size_t answer_done(const vskd_slots *slots, int32_t slot, vskd_outcome outcome, uint8_t *answer)
{
    vskd_done done = {(uint8_t)outcome, 0, 0};
    if (slot != VSKD_NO_SLOT) {
        done.slot = (uint8_t)slot;
        done.sequence = slots->slot[slot].sequence;
    }
    return vskd_write_done(answer, &done);
}

size_t vskd_update_handle(vskd_slots *slots, const vskd_event *event, uint8_t *type, uint8_t *answer)
{
    const int32_t slot = slots == NULL ? VSKD_NO_SLOT : slots->target;
    vskd_offer offer;
    vskd_chunk chunk;
    vskd_outcome outcome = VSKD_DONE_OUT_OF_ORDER;
    *type = 0;
    if (event->type == VSKD_OFFER) {
        if (!vskd_read_offer(&offer, event->payload, event->count)) {
            return 0;
        }
        *type = (uint8_t)VSKD_WANT;
        return answer_offer(slots, &offer, answer);
    }
    if (event->type == VSKD_CHUNK) {
        if (slots != NULL && vskd_read_chunk(&chunk, event->payload, event->count)) {
            outcome = vskd_slots_write(slots, chunk.offset, chunk.content, chunk.count);
        }
        if (outcome == VSKD_DONE_ACTIVE) {
            return 0; /* the acknowledgement is enough */
        }
    } else if (event->type != VSKD_FINISH) {
        return 0;
    } else if (slots != NULL) {
        outcome = vskd_slots_finish(slots);
    }
    *type = (uint8_t)VSKD_DONE;
    return answer_done(slots, slot, outcome, answer);
}
