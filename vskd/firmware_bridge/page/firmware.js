// The generated C as WebAssembly: samples in, decisions out.
"use strict";
globalThis.vskd = globalThis.vskd || {};

(function (vskd) {
  const MOST = 4096; // samples of one call, VSKD_WASM_MOST

  function bytesOf(base64) {
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  }

  /** Softmax of int8 logits, by the table of exponentials in the contract: bit for bit what Python adds. */
  function probabilitiesOf(logits, powers) {
    const best = Math.max(...logits), parts = Array.from(logits, (logit) => powers[best - logit]);
    const total = parts.reduce((sum, part) => sum + part, 0);
    return parts.map((part) => part / total);
  }

  class Firmware {
    /** Compile the module; `weights` is model.tflite in base64 where the module reads its weights there. */
    static async open(module, weights, contract) {
      const { instance } = await WebAssembly.instantiate(bytesOf(module), {});
      return new Firmware(instance.exports, weights, contract);
    }

    constructor(exports, weights, contract) {
      this.c = exports;
      this.contract = contract;
      this.axes = Math.max(...contract.device.axes) + 1;
      const place = exports.vskd_wasm_weights();
      if (place !== 0) this.array(Uint8Array, place, exports.vskd_wasm_weight_bytes()).set(bytesOf(weights));
      this.reset();
    }

    array(kind, place, length) {
      return new kind(this.c.memory.buffer, place, length);
    }

    reset() {
      this.c.vskd_wasm_reset();
    }

    /** Push rows of the device's axes; `times` in microseconds or null. Returns the decisions that follow. */
    push(samples, times) {
      const count = samples.length / this.axes, decisions = [];
      for (let start = 0; start < count; start += MOST) {
        const size = Math.min(MOST, count - start);
        const rows = samples.subarray(start * this.axes, (start + size) * this.axes);
        this.array(Float32Array, this.c.vskd_wasm_samples(), rows.length).set(rows);
        if (times) this.array(BigUint64Array, this.c.vskd_wasm_times(), size).set(times.subarray(start, start + size));
        for (let done = 0; done < size; ) {
          done += this.c.vskd_wasm_push(done, size - done, times ? 1 : 0);
          const place = this.c.vskd_wasm_poll();
          if (place !== 0) decisions.push(this.decision(place));
        }
      }
      return decisions;
    }

    decision(place) {
      const view = new DataView(this.c.memory.buffer, place);
      const found = {
        status: view.getUint32(0, true),
        label: view.getInt32(4, true),
        windowLabel: view.getInt32(8, true),
        margin: view.getInt32(12, true),
        sample: Number(view.getBigUint64(16, true)),
        timeUs: Number(view.getBigUint64(24, true)),
        logits: null,
        probabilities: null,
        window: null,
      };
      if (found.status !== 0) return found;
      const { axes, length, powers } = this.contract;
      found.logits = this.array(Int8Array, this.c.vskd_wasm_logits(), this.c.vskd_wasm_classes()).slice();
      found.probabilities = probabilitiesOf(found.logits, powers);
      found.window = this.array(Float32Array, this.c.vskd_wasm_window(), axes.length * length).slice();
      return found;
    }

    /** What the model sees of a window: its int8 input. */
    encode(window) {
      this.array(Float32Array, this.c.vskd_wasm_window(), window.length).set(window);
      this.c.vskd_wasm_encode();
      return this.array(Int8Array, this.c.vskd_wasm_input(), this.c.vskd_wasm_input_bytes()).slice();
    }
  }

  Object.assign(vskd, { Firmware, probabilitiesOf });
})(globalThis.vskd);
