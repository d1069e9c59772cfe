// What the sketch uses of the library, by its documentation.
#pragma once
struct Lsm9ds1 {
  int begin(void);
  int readAcceleration(float &x, float &y, float &z);
};
extern Lsm9ds1 IMU;
