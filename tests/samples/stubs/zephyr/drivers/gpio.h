#include <zephyr/device.h>
#define GPIO_OUTPUT_INACTIVE 1u
struct gpio_dt_spec {
    const struct device *port;
    uint8_t pin;
    uint16_t dt_flags;
};
extern const struct device stub_gpio;
#define GPIO_DT_SPEC_GET(node, property) {&stub_gpio, 0, 0}
int gpio_pin_configure_dt(const struct gpio_dt_spec *spec, uint32_t extra_flags);
int gpio_pin_set_dt(const struct gpio_dt_spec *spec, int value);
