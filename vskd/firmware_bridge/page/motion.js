// A phone's motion sensor: unit, sign and rate, put on the even clock that the module was made for.
"use strict";
globalThis.vskd = globalThis.vskd || {};

(function (vskd) {
  const LEAST_RATE = 0.9; // of the rate of the model's windows
  const RATE_WINDOW_MS = 2000, LEAST_EVENTS = 20;

  /** Apple's browsers show gravity with the opposite sign of the standard's. */
  const signOf = (vendor) => (/apple/i.test(vendor) ? -1 : 1);

  /** m/s^2 along x, y, z -> the contract's axes, in its unit. */
  function contractSample(acceleration, motion, sign) {
    const given = [acceleration.x, acceleration.y, acceleration.z];
    return motion.axes.map((axis) => sign * given[axis] * motion.factor);
  }

  /** The contract's axes -> those of the device that the module was made for, so that it maps them back. */
  function deviceSample(values, device) {
    const sample = new Array(Math.max(...device.axes) + 1).fill(0);
    device.axes.forEach((axis, k) => (sample[axis] = (values[k] * device.signs[k]) / device.factor));
    return sample;
  }

  /** Rate of the last two seconds; null before there are enough events. */
  class RateMeter {
    constructor() {
      this.times = [];
    }

    add(timeMs) {
      this.times.push(timeMs);
      while (timeMs - this.times[0] > RATE_WINDOW_MS) this.times.shift();
    }

    get hz() {
      const { times } = this, elapsed = times[times.length - 1] - times[0];
      return times.length < LEAST_EVENTS || elapsed <= 0 ? null : (1000 * (times.length - 1)) / elapsed;
    }
  }

  /** Linear interpolation by time stamps onto an even clock; silences longer than the module's gap are left as they are. */
  class EvenClock {
    constructor(rateHz, gapUs) {
      this.stepMs = 1000 / rateHz;
      this.gapMs = gapUs / 1000;
      this.last = null;
    }

    /** Samples that are due once there is one of `timeMs`: an array of {timeMs, values}. */
    add(timeMs, values) {
      const last = this.last;
      if (last && timeMs <= last.timeMs) return [];
      this.last = { timeMs, values };
      if (!last || timeMs - last.timeMs > this.gapMs) {
        this.start = timeMs;
        this.made = 1;
        return [this.last];
      }
      const due = [];
      for (let at = this.start + this.made * this.stepMs; at <= timeMs; at = this.start + this.made * this.stepMs) {
        const weight = (at - last.timeMs) / (timeMs - last.timeMs);
        due.push({ timeMs: at, values: values.map((value, k) => last.values[k] + weight * (value - last.values[k])) });
        this.made += 1;
      }
      return due;
    }
  }

  /** Ask for the sensor; a text where it is refused, else null. To be called from a click. */
  async function askForMotion(page) {
    if (!page.isSecureContext) return "Browsers give the motion sensor to pages on https or 127.0.0.1 alone. Serve the folder there.";
    const kind = page.DeviceMotionEvent;
    if (!kind) return "This browser knows no motion sensor.";
    if (typeof kind.requestPermission !== "function") return null;
    try {
      return (await kind.requestPermission()) === "granted" ? null : "The motion sensor was not allowed. Allow it in the browser's settings of this page.";
    } catch (error) {
      return `The motion sensor was not allowed (${error.message}).`;
    }
  }

  /** From events of the sensor to pieces of a stream. */
  class MotionStream {
    constructor(contract, sign) {
      this.contract = contract;
      this.sign = sign;
      this.meter = new RateMeter();
      this.clock = new EvenClock(contract.device.rate_hz, contract.device.gap_us);
    }

    /** Whether the sensor is slower than the model's windows; null where that is not known yet. */
    get isSlow() {
      const { hz } = this.meter;
      return hz === null ? null : hz < LEAST_RATE * this.contract.device.window_rate_hz;
    }

    /** Samples and times that follow from one event; null where the event holds no reading. */
    add(timeMs, acceleration) {
      if (!acceleration || [acceleration.x, acceleration.y, acceleration.z].some((value) => typeof value !== "number")) return null;
      this.meter.add(timeMs);
      this.newest = contractSample(acceleration, this.contract.motion, this.sign);
      const due = this.clock.add(timeMs, this.newest);
      const rows = due.flatMap(({ values }) => deviceSample(values, this.contract.device));
      const times = due.map(({ timeMs: at }) => BigInt(Math.round(1000 * at)));
      return { samples: Float32Array.from(rows), times: BigUint64Array.from(times) };
    }
  }

  Object.assign(vskd, { askForMotion, signOf, RateMeter, EvenClock, MotionStream });
})(globalThis.vskd);
