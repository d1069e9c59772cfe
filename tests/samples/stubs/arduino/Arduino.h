// What the sketch uses of the Arduino core, by its documentation.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>
enum { LOW = 0, HIGH = 1, OUTPUT = 1, LED_BUILTIN = 13 };
void pinMode(int pin, int mode);
void digitalWrite(int pin, int value);
unsigned long micros(void);
unsigned long millis(void);
struct SerialPort {
  void begin(unsigned long baud);
  size_t write(const uint8_t *bytes, size_t count);
  int available(void);
  int read(void);
};
extern SerialPort Serial;
