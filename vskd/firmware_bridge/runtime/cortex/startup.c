/* The least that a Cortex-M needs before main, for the boards of qemu's mps2; printing goes through semihosting. */
#include <stdint.h>

extern uint32_t stack_top;
void _start(void); /* newlib's: clears memory, calls main, ends the emulation */
void fault(void);

void fault(void)
{
    for (;;) {
    }
}

typedef union {
    const void *address;
    void (*handler)(void);
} vector;

__attribute__((section(".vectors"), used)) static const vector vectors[16] = {
    {.address = &stack_top}, {.handler = _start}, {.handler = fault}, {.handler = fault},
    {.handler = fault},      {.handler = fault},  {.handler = fault},
};
