#ifndef STUB_KERNEL_H
#define STUB_KERNEL_H
#include <stdint.h>
typedef struct {
    int64_t ticks;
} k_timeout_t;
struct k_timer {
    uint32_t status;
};
typedef void (*k_timer_expiry_t)(struct k_timer *timer);
typedef void (*k_timer_stop_t)(struct k_timer *timer);
#define K_USEC(us) ((k_timeout_t){(us)})
void k_timer_init(struct k_timer *timer, k_timer_expiry_t expiry, k_timer_stop_t stop);
void k_timer_start(struct k_timer *timer, k_timeout_t duration, k_timeout_t period);
uint32_t k_timer_status_get(struct k_timer *timer);
int64_t k_uptime_ticks(void);
uint64_t k_ticks_to_us_floor64(uint64_t t);
uint32_t k_uptime_get_32(void);
void k_yield(void);
#endif
