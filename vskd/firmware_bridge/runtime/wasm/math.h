/* What the firmware needs of math.h where there is no C library: WebAssembly's own instructions. */
#ifndef VSKD_WASM_MATH_H
#define VSKD_WASM_MATH_H
#define sqrt __builtin_sqrt
#define fabs __builtin_fabs
#endif
