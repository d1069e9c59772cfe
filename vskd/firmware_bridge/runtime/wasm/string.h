/* What the firmware needs of string.h where there is no C library: WebAssembly's own instructions. */
#ifndef VSKD_WASM_STRING_H
#define VSKD_WASM_STRING_H
#include <stddef.h>
#define memcpy __builtin_memcpy
#define memset __builtin_memset
#endif
