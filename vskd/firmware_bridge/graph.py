"""A .tflite file as a small typed graph: what the generator of C reads, and nothing else of the schema."""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vskd.bundle.schema_names import operator_name, type_name
from vskd.errors import BundleError, MissingExtraError

AGAIN = "Export the run again with int8 ends, or use a network whose operators the firmware has"
_DAMAGE = (struct.error, TypeError, ValueError, LookupError, AttributeError, MemoryError, OverflowError)
"""What the generated reader of flatbuffers raises: it follows every offset that the file gives."""
_DTYPES = {"INT8": np.int8, "INT32": np.int32, "INT64": np.int64, "FLOAT32": np.float32}


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor of the graph.

    Attributes:
        index: its number in the file.
        name: its name there.
        shape: all dimensions, the batch of one included.
        kind: `INT8`, `INT32` ...
        scales: steps of its values, float32 as Python numbers; one, or one per channel.
        zero_point: the integer that stands for 0.
        data: values of a constant; None for what is computed.
        file_offset: where a constant's bytes lie in the file.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    kind: str
    scales: tuple[float, ...]
    zero_point: int
    data: npt.NDArray[Any] | None
    file_offset: int

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def scale(self) -> float:
        """The one step of an activation."""
        if len(self.scales) != 1:
            raise BundleError(f"Tensor '{self.name}' has {len(self.scales)} scales instead of one", AGAIN)
        (scale,) = self.scales
        return scale


@dataclass(frozen=True)
class Operator:
    """One operator.

    Attributes:
        name: e.g. `CONV_2D`.
        position: its number in the order of computing.
        inputs: activations and constants; an absent optional one (a bias) is left out.
        output: its only output.
        options: the schema's options object, e.g. `Conv2DOptionsT`; None where it has none.
    """

    name: str
    position: int
    inputs: tuple[Tensor, ...]
    output: Tensor
    options: Any

    @property
    def computed(self) -> tuple[Tensor, ...]:
        """The inputs that are no constants."""
        return tuple(tensor for tensor in self.inputs if tensor.data is None)


@dataclass(frozen=True)
class Graph:
    """A model of one int8 input and one int8 output; `content` is its file."""

    operators: tuple[Operator, ...]
    input: Tensor
    output: Tensor
    content: bytes


def read_graph(content: bytes, source: str = "The model") -> Graph:
    """Read a model.

    Args:
        content: a .tflite file, its weights inside.
        source: names it in a message.

    Raises:
        BundleError: it has several inputs, outputs or subgraphs, ends that are not int8, or weights outside the
            flatbuffer; or is damaged.
        MissingExtraError: ai-edge-litert is not installed.
    """
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError as error:
        raise MissingExtraError("ai-edge-litert", "export") from error
    try:
        return _read(content, schema)
    except _DAMAGE as error:
        raise BundleError(f"{source} is damaged: {' '.join(str(error).split())[:200]}", "Export it again") from error


def _read(content: bytes, schema: Any) -> Graph:
    flat = schema.Model.GetRootAs(content, 0)
    if flat.SubgraphsLength() != 1:
        raise BundleError(f"The model has {flat.SubgraphsLength()} subgraphs instead of one", AGAIN)
    model = schema.ModelT.InitFromObj(flat)
    (subgraph,) = model.subgraphs
    tensors = [_tensor(n, t, type_name(t.type), flat, model) for n, t in enumerate(subgraph.tensors)]
    operators = []
    for position, operator in enumerate(subgraph.operators):
        code = model.operatorCodes[operator.opcodeIndex]
        name = operator_name(code.builtinCode, code.deprecatedBuiltinCode)
        if len(operator.outputs) != 1:
            raise BundleError(f"Operator {position}, {name}, has {len(operator.outputs)} outputs", AGAIN)
        inputs = tuple(tensors[int(i)] for i in operator.inputs if i >= 0)
        (written,) = operator.outputs
        operators.append(Operator(name, position, inputs, tensors[int(written)], operator.builtinOptions))
    given = _end("input", [tensors[int(i)] for i in subgraph.inputs])
    output = _end("output", [tensors[int(i)] for i in subgraph.outputs])
    return Graph(tuple(operators), given, output, content)


def _end(role: str, found: list[Tensor]) -> Tensor:
    """The model's one input or output."""
    kinds = [tensor.kind for tensor in found]
    if kinds != ["INT8"]:
        raise BundleError(f"The model's {role} is {', '.join(kinds)}; one int8 tensor is expected", AGAIN)
    (end,) = found
    return end


def _tensor(index: int, tensor: Any, kind: str, flat: Any, model: Any) -> Tensor:
    shape = () if tensor.shape is None else tuple(int(n) for n in tensor.shape)
    quantization = tensor.quantization
    scales = () if quantization is None or quantization.scale is None else quantization.scale
    zeros = () if quantization is None or quantization.zeroPoint is None else quantization.zeroPoint
    if len({int(z) for z in zeros}) > 1:
        raise BundleError(f"Tensor '{tensor.name.decode()}' has several zero points", AGAIN)
    buffer = model.buffers[tensor.buffer]
    if buffer.offset or buffer.size:
        raise BundleError("The model has weights outside the flatbuffer", "Export the run again")
    data, offset = None, 0
    if buffer.data is not None and len(buffer.data):
        data = np.array(buffer.data, dtype=np.uint8).view(_DTYPES.get(kind, np.uint8)).reshape(shape)
        table = flat.Buffers(tensor.buffer)._tab
        offset = table.Vector(table.Offset(4))  # field 0 of a Buffer, `data`
    name = tensor.name.decode("utf-8", errors="replace")
    steps, zero = tuple(float(s) for s in scales), int(next(iter(zeros), 0))
    return Tensor(index, name, shape, kind, steps, zero, data, offset)
