"""Models of single operators, made by hand, and what LiteRT and the generated C say of them."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flatbuffers
import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert import schema_py_generated as schema

from vskd.bundle.runtime import LiteRTModel
from vskd.firmware_bridge.generate import RUNTIME
from vskd.firmware_bridge.graph import read_graph
from vskd.firmware_bridge.model_source import model_source
from vskd.firmware_bridge.toolchain import STRICT, Build, build_program, run_program
from vskd.firmware_bridge.wasm import missing_tools

if TYPE_CHECKING:
    from tests.firmware_bridge.pages import Site

VERSIONS = {"RESHAPE": 1, "CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 4}
"""Of the operators' int8 kernels; those not named are at 2."""
HOST = Build("C, gcc", "gcc", ("-O0", "-fsanitize=undefined", "-fno-sanitize-recover=all"))
Int8 = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Value:
    """A tensor of a hand-made model; with `data` a constant."""

    shape: tuple[int, ...]
    scales: tuple[float, ...] = (0.1,)
    zero_point: int = 0
    data: npt.NDArray[Any] | None = None
    axis: int = 0


@dataclass(frozen=True)
class Step:
    """An operator: numbers of its tensors, and its options as (name, fields)."""

    name: str
    inputs: tuple[int, ...]
    output: int
    options: tuple[str, Mapping[str, Any]] | None = None


@dataclass
class HandMade:
    """Tensors and operators; tensor 0 is the input, the last operator's output the output."""

    values: list[Value] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def pack(self) -> bytes:
        """The .tflite file."""
        model, graph = schema.ModelT(), schema.SubGraphT()
        model.version, model.subgraphs, model.buffers = 3, [graph], [schema.BufferT()]
        model.operatorCodes, graph.tensors, graph.operators = [], [], []
        for number, value in enumerate(self.values):
            graph.tensors.append(self._tensor(number, value, model))
        for step in self.steps:
            code, operator = schema.OperatorCodeT(), schema.OperatorT()
            code.builtinCode = getattr(schema.BuiltinOperator, step.name)
            code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), VERSIONS.get(step.name, 2)
            operator.opcodeIndex = len(model.operatorCodes)
            model.operatorCodes.append(code)
            operator.inputs, operator.outputs = list(step.inputs), [step.output]
            if step.options is not None:
                kind, fields = step.options
                operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
                operator.builtinOptions = getattr(schema, kind + "T")()
                for name, content in fields.items():
                    assert hasattr(operator.builtinOptions, name), name
                    setattr(operator.builtinOptions, name, content)
            graph.operators.append(operator)
        graph.inputs, graph.outputs = [0], [self.steps[-1].output]
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())

    @staticmethod
    def _tensor(number: int, value: Value, model: Any) -> Any:
        tensor, quantization = schema.TensorT(), schema.QuantizationParametersT()
        tensor.name, tensor.shape = f"t{number}".encode(), list(value.shape)
        kind = np.int8 if value.data is None else value.data.dtype
        tensor.type = getattr(schema.TensorType, str(np.dtype(kind)).upper())
        if value.scales:
            quantization.scale = list(value.scales)
            quantization.zeroPoint = [value.zero_point] * len(value.scales)
            quantization.quantizedDimension = value.axis
            tensor.quantization = quantization
        if value.data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(value.data).tobytes(), np.uint8)
            tensor.buffer = len(model.buffers)
            model.buffers.append(buffer)
        return tensor


@dataclass
class Workbench:
    """Builds generated models in a folder of its own."""

    folder: Path

    def answers(self, content: bytes, inputs: Sequence[Int8], *, in_place: bool = False) -> Int8:
        """What the generated C gives, (inputs, values)."""
        source = model_source(read_graph(content), in_place=in_place)
        for name, text in (("vskd_model.h", source.header), ("vskd_model.c", source.code)):
            (self.folder / name).write_text(text, encoding="utf-8")
        sources = ["vskd_model.c", "vskd_run.c", "vskd_kernels.o"]
        arguments = []
        if in_place:
            (self.folder / "model.tflite").write_bytes(content)
            arguments = [str(self.folder / "model.tflite")]
        else:
            (self.folder / "vskd_weights.c").write_text(source.weights, encoding="utf-8")
            sources.append("vskd_weights.c")
        program = build_program(HOST, self.folder, sources, self.folder / "program")
        output = run_program(program, b"".join(x.tobytes() for x in inputs), *arguments)
        return np.frombuffer(output, np.int8).reshape(len(inputs), -1)


@pytest.fixture(scope="session")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """The kernels, ready for any generated model."""
    if HOST.missing:
        pytest.skip(HOST.missing)
    folder = tmp_path_factory.mktemp("workbench")
    for name in ("vskd_kernels.h", "vskd_kernels.c", "vskd_host.h", "vskd_run.c"):
        shutil.copy(RUNTIME / name, folder)
    command = [HOST.compiler, *STRICT, *HOST.flags, "-c", "vskd_kernels.c"]  # once, for all the models
    subprocess.run(command, cwd=folder, check=True)
    return Workbench(folder)


def full_range(shape: tuple[int, ...], generator: np.random.Generator, count: int = 6) -> list[Int8]:
    """Inputs over the whole range, both extremes among them."""
    random = [generator.integers(-128, 128, shape).astype(np.int8) for _ in range(count - 2)]
    return [*random, np.full(shape, -128, np.int8), np.full(shape, 127, np.int8)]


def reference(content: bytes, inputs: Sequence[Int8]) -> Int8:
    """What LiteRT's reference kernels give, (inputs, values)."""
    model = LiteRTModel(content, reference_kernels=True)
    return np.stack([model.raw(x).reshape(-1).copy() for x in inputs])


def check(workbench: Workbench, model: HandMade, generator: np.random.Generator, *, in_place: bool = False) -> Int8:
    """C and LiteRT's reference kernels agree bit for bit; their answers."""
    content, inputs = model.pack(), full_range(model.values[0].shape, generator)
    expected = reference(content, inputs)
    np.testing.assert_array_equal(workbench.answers(content, inputs, in_place=in_place), expected)
    return expected


def random_scale(generator: np.random.Generator) -> float:
    """A step between 0.0005 and 0.5, as float32."""
    return float(np.float32(np.exp(generator.uniform(np.log(5e-4), np.log(0.5)))))


def random_zero(generator: np.random.Generator) -> int:
    """A zero point, extremes among them."""
    return int(generator.choice([-128, 127, 0, int(generator.integers(-128, 128))]))


MOVED_SCALE, MOVED_ZERO = (0.07,), 11


def moved(*shape: int) -> Value:
    """A tensor of operators that move values and change none."""
    return Value(shape, MOVED_SCALE, MOVED_ZERO)


def constant(content: object) -> Value:
    """Integers that are known when the model is made."""
    data = np.array(content, np.int32)
    return Value(data.shape, (), 0, data)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> "Site":
    """The page of a small bundle; read it, never change it."""
    from tests.firmware_bridge.pages import make_site  # it reads this file

    missing = missing_tools(("clang", "wasm-ld"))
    if missing:
        pytest.skip(missing)
    return make_site(tmp_path_factory)
