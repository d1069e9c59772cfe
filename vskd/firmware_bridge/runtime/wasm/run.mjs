// Run the module in node, as vskd_run and vskd_stream_run do on a host.
//   node run.mjs model vskd.wasm [model.tflite]   int8 inputs on stdin, int8 outputs on stdout
//   node run.mjs stream vskd.wasm [model.tflite]  records of vskd_stream_run on stdin, decisions on stdout
import { readFileSync, writeFileSync } from "node:fs";

const [kind, path, weightsPath] = process.argv.slice(2);
const { instance } = await WebAssembly.instantiate(readFileSync(path), {});
const vskd = instance.exports;
const bytes = () => new Uint8Array(vskd.memory.buffer);
if (vskd.vskd_wasm_weights() !== 0) bytes().set(readFileSync(weightsPath), vskd.vskd_wasm_weights());
const given = readFileSync(0);

function runModel() {
  const width = vskd.vskd_wasm_input_bytes(), classes = vskd.vskd_wasm_classes();
  const count = Math.floor(given.length / width), output = new Uint8Array(count * classes);
  for (let n = 0; n < count; n++) {
    bytes().set(given.subarray(n * width, (n + 1) * width), vskd.vskd_wasm_input());
    vskd.vskd_wasm_run();
    const place = vskd.vskd_wasm_output();
    output.set(bytes().subarray(place, place + classes), n * classes);
  }
  writeFileSync(1, output);
}

function decisionLine() {
  const place = vskd.vskd_wasm_poll();
  if (place === 0) return null;
  const view = new DataView(vskd.memory.buffer, place);
  const words = [view.getUint32(0, true), view.getInt32(4, true), view.getInt32(8, true), view.getInt32(12, true)];
  return [...words, view.getBigUint64(16, true), view.getBigUint64(24, true)].join(" ");
}

function runStream() {
  const axes = Number(process.env.VSKD_DEVICE_AXES), most = 4096, lines = [];
  vskd.vskd_wasm_reset();
  let at = 0;
  while (at < given.length) {
    const count = given.readInt32LE(at), hasTimes = given.readInt32LE(at + 4);
    const samples = at + 8, times = samples + 4 * axes * count;
    at = times + (hasTimes ? 8 * count : 0);
    if (count === 0) vskd.vskd_wasm_reset();
    for (let start = 0; start < count; start += most) {
      const size = Math.min(most, count - start);
      bytes().set(given.subarray(samples + 4 * axes * start, samples + 4 * axes * (start + size)), vskd.vskd_wasm_samples());
      if (hasTimes) bytes().set(given.subarray(times + 8 * start, times + 8 * (start + size)), vskd.vskd_wasm_times());
      for (let done = 0; done < size; ) {
        done += vskd.vskd_wasm_push(done, size - done, hasTimes);
        const line = decisionLine();
        if (line !== null) lines.push(line);
      }
    }
  }
  writeFileSync(1, lines.map((line) => line + "\n").join(""));
}

if (kind === "model") runModel();
else runStream();
