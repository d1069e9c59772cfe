/* Labels on a board with Zephyr: led0 shines while the label is LABEL, and the link of docs/link.md runs on the UART
 * vskd,uart. Bundles are received into the flash partition vskd_partition, where the board has one. See README.md. */
#include <string.h>

#include <zephyr/device.h>
#include <zephyr/drivers/gpio.h>
#include <zephyr/drivers/sensor.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/kernel.h>
#include <zephyr/storage/flash_map.h>

#include "vskd_device.h"

#define LABEL "wave"
#define PERIOD_US 20000 /* 50 Hz, as device.yaml says */

static const struct device *const accelerometer = DEVICE_DT_GET(DT_ALIAS(accel0));
static const struct device *const line = DEVICE_DT_GET(DT_CHOSEN(vskd_uart));
static const struct gpio_dt_spec led = GPIO_DT_SPEC_GET(DT_ALIAS(led0), gpios);

static union {
    double align;
    unsigned char bytes[VSKD_ARENA_BYTES];
} arena;
static vskd_device device;

static void write_line(void *context, const uint8_t *bytes, size_t count)
{
    size_t i;
    (void)context;
    for (i = 0; i < count; i++) {
        uart_poll_out(line, bytes[i]);
    }
}

static void show(void *context, const vskd_decided *decision, int32_t is_of_host)
{
    const size_t length = sizeof(LABEL) - 1u;
    (void)context;
    (void)is_of_host;
    (void)gpio_pin_set_dt(&led, decision->text.count == length && memcmp(decision->text.bytes, LABEL, length) == 0);
}

#if FIXED_PARTITION_EXISTS(vskd_partition)
static const struct flash_area *area;
static vskd_flash flash;
static vskd_slots slots;

static int32_t erase(void *context, uint32_t offset)
{
    (void)context;
    return flash_area_erase(area, (off_t)offset, flash.sector_bytes) == 0;
}

static int32_t program(void *context, uint32_t offset, const uint8_t *bytes, uint32_t count)
{
    (void)context;
    return flash_area_write(area, (off_t)offset, bytes, count) == 0;
}

static int32_t read_flash(void *context, uint32_t offset, uint8_t *bytes, uint32_t count)
{
    (void)context;
    return flash_area_read(area, (off_t)offset, bytes, count) == 0;
}

static vskd_slots *open_slots(void)
{
    if (flash_area_open(FIXED_PARTITION_ID(vskd_partition), &area) != 0) {
        return NULL;
    }
    flash.sector_bytes = 4096;
    flash.slot_bytes = (uint32_t)(area->fa_size / 2u) / 4096u * 4096u;
    flash.erase = erase;
    flash.program = program;
    flash.read = read_flash;
    vskd_slots_init(&slots, &flash, vskd_parcel_check);
    (void)vskd_slots_boot(&slots);
    return &slots;
}
#else
static vskd_slots *open_slots(void)
{
    return NULL;
}
#endif

static void take_sample(void)
{
    struct sensor_value values[3];
    float sample[3];
    int32_t axis;
    if (sensor_sample_fetch(accelerometer) != 0 ||
        sensor_channel_get(accelerometer, SENSOR_CHAN_ACCEL_XYZ, values) != 0) {
        return; /* the stream sees a gap */
    }
    for (axis = 0; axis < 3; axis++) {
        sample[axis] = sensor_value_to_float(&values[axis]); /* m/s^2 */
    }
    vskd_device_sample(&device, sample, k_ticks_to_us_floor64((uint64_t)k_uptime_ticks()));
}

int main(void)
{
    struct k_timer timer;
    vskd_slots *found = open_slots();
    if (!device_is_ready(accelerometer) || !device_is_ready(line) ||
        gpio_pin_configure_dt(&led, GPIO_OUTPUT_INACTIVE) != 0 ||
        !vskd_device_init(&device, &arena, sizeof(arena), vskd_weights, found, write_line, show, NULL)) {
        return 1;
    }
    k_timer_init(&timer, NULL, NULL);
    k_timer_start(&timer, K_USEC(PERIOD_US), K_USEC(PERIOD_US));
    for (;;) {
        unsigned char byte;
        if (k_timer_status_get(&timer) > 0u) {
            take_sample();
            if (found != NULL && vskd_slots_on_trial(found) && device.measured > 500u) {
                (void)vskd_slots_confirm(found); /* ten seconds without a fault: the new bundle works */
            }
        }
        while (uart_poll_in(line, &byte) == 0) {
            vskd_device_byte(&device, byte);
        }
        vskd_device_tick(&device, k_uptime_get_32());
        k_yield();
    }
}
