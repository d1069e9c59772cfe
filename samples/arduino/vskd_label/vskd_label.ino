// Labels on an Arduino Nano 33 BLE: its LED shines while the label is LABEL, and the link of docs/link.md runs on Serial.
// The generated firmware lies in src/vskd, see README.md.
#include <Arduino.h>
#include <Arduino_LSM9DS1.h>

extern "C" {
#include "src/vskd/link/vskd_device.h"
}

static const char LABEL[] = "wave";
static const uint32_t PERIOD_US = 20000;  // 50 Hz, as device.yaml says

static union {
  double align;
  unsigned char bytes[VSKD_ARENA_BYTES];
} arena;
static vskd_device device;

static void write_serial(void *, const uint8_t *bytes, size_t count) {
  Serial.write(bytes, count);
}

static void show(void *, const vskd_decided *decision, int32_t) {
  const bool is_it = decision->text.count == strlen(LABEL) && memcmp(decision->text.bytes, LABEL, strlen(LABEL)) == 0;
  digitalWrite(LED_BUILTIN, is_it ? HIGH : LOW);
}

// The period of the timer, without what a wrapping counter of microseconds would do after 71 minutes.
static uint64_t now_us() {
  static uint32_t last = 0;
  static uint64_t high = 0;
  const uint32_t now = micros();
  high += now < last ? (uint64_t)1 << 32 : 0;
  last = now;
  return high + now;
}

void setup() {
  pinMode(LED_BUILTIN, OUTPUT);
  Serial.begin(115200);
  if (!IMU.begin() || !vskd_device_init(&device, &arena, sizeof arena, vskd_weights, NULL, write_serial, show, NULL)) {
    while (true) {  // no sensor, or an arena that does not fit: blink quickly
      digitalWrite(LED_BUILTIN, (millis() / 100) % 2 ? HIGH : LOW);
    }
  }
}

void loop() {
  static uint64_t next = 0;
  const uint64_t now = now_us();
  if (now >= next) {
    float sample[3];
    next = now - next > PERIOD_US ? now + PERIOD_US : next + PERIOD_US;
    if (IMU.readAcceleration(sample[0], sample[1], sample[2])) {  // in g, the newest sample
      vskd_device_sample(&device, sample, now);
    }
  }
  while (Serial.available() > 0) {
    vskd_device_byte(&device, (uint8_t)Serial.read());
  }
  vskd_device_tick(&device, millis());
}
