#include <zephyr/device.h>
#ifndef STUB_PARTITION
#define STUB_PARTITION 1
#endif
struct flash_area {
    uint8_t fa_id;
    off_t fa_off;
    size_t fa_size;
};
#define FIXED_PARTITION_EXISTS(label) STUB_PARTITION
#define FIXED_PARTITION_ID(label) 0
int flash_area_open(uint8_t id, const struct flash_area **fa);
int flash_area_erase(const struct flash_area *fa, off_t off, size_t len);
int flash_area_write(const struct flash_area *fa, off_t off, const void *src, size_t len);
int flash_area_read(const struct flash_area *fa, off_t off, void *dst, size_t len);
