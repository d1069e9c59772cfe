/* What the sample uses of Zephyr 3.7, by its documentation. */
#ifndef STUB_DEVICE_H
#define STUB_DEVICE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
struct device {
    const char *name;
};
extern const struct device stub_accel0, stub_uart;
#define DT_ALIAS(alias) alias
#define DT_CHOSEN(chosen) chosen
#define vskd_uart uart
#define STUB_DEVICE(node) (&stub_##node)
#define DEVICE_DT_GET(node) STUB_DEVICE(node)
bool device_is_ready(const struct device *dev);
#endif
