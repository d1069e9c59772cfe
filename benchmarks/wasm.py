"""Generated C as WebAssembly against LiteRT.js, in one headless Chromium: milliseconds of one answer, and their ratio.

    npm install --prefix NPM @litertjs/core
    python benchmarks/wasm.py BUNDLE ... --litert NPM/node_modules/@litertjs

One thread, one window or image at a time, both in one page and in turns, so that other work on the machine meets both
alike; the fastest round counts. LiteRT.js refuses int8 ends: it gets the same int8 model with QUANTIZE and DEQUANTIZE
put around it. Both times hold the copies in and out. Inputs are random.
"""

import argparse
import json
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.firmware_bridge.browser import browser
from vskd.bundle.bundle import MODEL, load_bundle
from vskd.bundle.runtime import LiteRTModel
from vskd.firmware_bridge.generate import RUNTIME, library_sources, read_firmware, write_firmware
from vskd.firmware_bridge.page_server import HEADERS, PageServer
from vskd.firmware_bridge.wasm import build_module

ROUNDS, INPUTS = 60, 8
ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
"""The clock of an isolated page goes in steps of 5 us, that of others in 100."""
HEAD = "| bundle | module ms | LiteRT.js ms | ratio | label and largest step against LiteRT.js |\n|---|---|---|---|---|"
PAGE = """<!doctype html><meta charset="utf-8"><title>benchmark</title><link rel="icon" href="data:,">
<script type="importmap">{"imports": {"@litertjs/wasm-utils": "./litertjs/wasm-utils/dist/index.js"}}</script>
<script type="module">
import { loadLiteRt, loadAndCompile, Tensor } from "./litertjs/core/dist/index.js";
const bytes = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());

async function ours() {
  const { instance } = await WebAssembly.instantiate(await bytes("vskd.wasm"), {}), c = instance.exports;
  const memory = () => new Uint8Array(c.memory.buffer), place = c.vskd_wasm_weights();
  if (place !== 0) memory().set(await bytes("model.tflite"), place);
  return (input) => {
    memory().set(new Uint8Array(input.buffer, input.byteOffset, input.length), c.vskd_wasm_input());
    c.vskd_wasm_run();
    return new Int8Array(c.memory.buffer.slice(c.vskd_wasm_output(), c.vskd_wasm_output() + c.vskd_wasm_classes()));
  };
}

async function theirs(shape) {
  await loadLiteRt("./litertjs/core/wasm/", { threads: false });
  const model = await loadAndCompile("float_ends.tflite", { accelerator: "wasm" });
  return async (input) => {
    const given = new Tensor(input, shape), [result] = await model.run(given), found = (await result.data()).slice();
    given.delete();
    result.delete();
    return found;
  };
}

async function measure({ rounds, shape, scale, zero, inputs }) {
  const ints = inputs.map((one) => Int8Array.from(one));
  const floats = ints.map((one) => Float32Array.from(one, (value) => Math.fround(scale * (value - zero))));
  const first = await ours(), second = await theirs(shape), times = [[], []], found = [[], []];
  for (let n = 0; n < ints.length; n += 1) {
    found[0].push([...first(ints[n])]);
    found[1].push([...(await second(floats[n]))]);
  }
  for (let n = 0; n < rounds; n += 1) {
    const k = n % ints.length;
    await new Promise((done) => setTimeout(done));
    const start = performance.now();
    first(ints[k]);
    const middle = performance.now();
    await second(floats[k]);
    times[0].push(middle - start);
    times[1].push(performance.now() - middle);
  }
  return { times: times.map((all) => Math.min(...all)), found };
}
window.measure = measure;
</script>"""


def float_ends(content: bytes) -> bytes:
    """The same model behind QUANTIZE and before DEQUANTIZE."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    graph = model.subgraphs[0]
    first = _float_twin(graph, int(graph.inputs[0]))
    last = _float_twin(graph, int(graph.outputs[0]))
    quantize = _operator(model, "QUANTIZE", first, int(graph.inputs[0]))
    dequantize = _operator(model, "DEQUANTIZE", int(graph.outputs[0]), last)
    graph.operators = [quantize, *graph.operators, dequantize]
    graph.inputs, graph.outputs, model.signatureDefs = [first], [last], []
    builder = flatbuffers.Builder(len(content) + 4096)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _float_twin(graph: Any, index: int) -> int:
    tensor = schema.TensorT()
    tensor.name, tensor.shape = f"float_{index}".encode(), list(graph.tensors[index].shape)
    tensor.type = schema.TensorType.FLOAT32
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _operator(model: Any, name: str, given: int, result: int) -> Any:
    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, name)
    code.version = 1 if name == "QUANTIZE" else 2
    operator.opcodeIndex, operator.inputs, operator.outputs = len(model.operatorCodes), [given], [result]
    model.operatorCodes.append(code)
    return operator


def row(path: Path, litert: Path) -> str:
    """One bundle's row."""
    firmware = read_firmware(load_bundle(path))
    content, given = firmware.bundle.read(MODEL), firmware.graph.input
    inputs = np.random.default_rng(0).integers(-128, 128, (INPUTS, *given.shape)).astype(np.int8)
    asked = {
        "rounds": ROUNDS,
        "shape": [int(n) for n in given.shape],
        "scale": given.scale,
        "zero": given.zero_point,
    }
    asked["inputs"] = inputs.reshape(INPUTS, -1).tolist()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_firmware(firmware, folder)
        stream = firmware.plan is not None
        build_module(folder, RUNTIME, library_sources(firmware), folder / "vskd.wasm", stream=stream)
        (folder / MODEL).write_bytes(content)
        (folder / "float_ends.tflite").write_bytes(float_ends(content))
        (folder / "index.html").write_text(PAGE, encoding="utf-8")
        shutil.copytree(litert, folder / "litertjs")
        answer = in_browser(folder, asked)
    reference = LiteRTModel(content, reference_kernels=True)
    expected = np.stack([reference.raw(x).reshape(-1).copy() for x in inputs])
    ours, theirs = (np.array(found) for found in answer["found"])
    exact = int((ours == expected).all(axis=1).sum())
    steps = np.abs(theirs / firmware.graph.output.scale - (ours - firmware.graph.output.zero_point)).max()
    same = int((ours.argmax(axis=1) == theirs.argmax(axis=1)).sum())
    module_ms, litert_ms = answer["times"]
    if exact != INPUTS:
        raise SystemExit(f"{path}: the module differs from the reference kernels")
    return (
        f"| {path.name} | {module_ms:.2f} | {litert_ms:.2f} | {module_ms / litert_ms:.1f} "
        f"| {same} / {INPUTS}, {steps:.0f} |"
    )


def in_browser(folder: Path, asked: dict[str, Any]) -> Any:
    """What `measure` of the page answers."""
    HEADERS.update(ISOLATED)
    with PageServer(folder, 0) as server, browser() as window:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        window.visit(server.address)
        window.wait("typeof window.measure === 'function'")
        window.run(
            "window.answer = null; const done = (answer) => { window.answer = answer; };"
            "measure(arguments[0]).then(done, (error) => done(String(error)));",
            asked,
        )
        answer = window.wait("window.answer", 600)
        server.shutdown()
    if isinstance(answer, str):
        raise SystemExit(answer)
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs="+", type=Path)
    parser.add_argument("--litert", type=Path, required=True, help="folder @litertjs that npm made")
    arguments = parser.parse_args()
    package = json.loads((arguments.litert / "core" / "package.json").read_text(encoding="utf-8"))
    print(f"LiteRT.js {package['version']}")
    print(HEAD)
    for path in arguments.bundles:
        print(row(path, arguments.litert), flush=True)


if __name__ == "__main__":
    main()
