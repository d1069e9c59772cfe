/* Between the link and the slots: what a device answers to an offer, a piece and the end of a parcel. */
#ifndef VSKD_UPDATE_H
#define VSKD_UPDATE_H

#include "vskd_slots.h"

/* Handle a message of the host.
 * slots: NULL where the device has none.
 * answer: VSKD_LINK_MOST bytes for a payload; *type: of the message to send, 0 where there is none.
 * Returns the length of that payload. */
size_t vskd_update_handle(vskd_slots *slots, const vskd_event *event, uint8_t *type, uint8_t *answer);

#endif
