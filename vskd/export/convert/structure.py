"""Look inside a LiteRT flatbuffer: which tensors are float, which operators compute in float, where the weights lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from vskd.bundle.schema_names import operator_name, type_name

_CHANNEL_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
"""Of the weights of a layer: where its output channels are."""


def read_flatbuffer(content: bytes) -> Any:
    """The whole model as mutable objects (`schema.ModelT`)."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))


def _operators(model: Any) -> list[tuple[str, list[Any]]]:
    """Name and tensors (inputs, then outputs) of every operator of every subgraph."""
    found = []
    for graph in model.subgraphs:
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            name = operator_name(code.builtinCode, code.deprecatedBuiltinCode)
            ids = [
                *(() if operator.inputs is None else operator.inputs),
                *(() if operator.outputs is None else operator.outputs),
            ]
            found.append((name, [graph.tensors[int(i)] for i in ids if i >= 0]))
    return found


def operator_names(content: bytes) -> list[str]:
    """Names of all operators, in order."""
    return [name for name, _ in _operators(read_flatbuffer(content))]


def operator_tensors(content: bytes) -> list[tuple[str, list[tuple[str, tuple[int, ...]]]]]:
    """Name of every operator, in order, and (name, shape) of its tensors: inputs, then its output."""
    operators = _operators(read_flatbuffer(content))
    return [(name, [(t.name.decode("utf-8"), _shape(t)) for t in tensors]) for name, tensors in operators]


def _shape(tensor: Any) -> tuple[int, ...]:
    return () if tensor.shape is None else tuple(int(n) for n in tensor.shape)


def float_operators(content: bytes) -> list[str]:
    """Names of the operators that read or write a float tensor: none in a model that is integer from end to end."""
    operators = _operators(read_flatbuffer(content))
    return [name for name, tensors in operators if any("FLOAT" in type_name(t.type) for t in tensors)]


def weight_scales(content: bytes) -> dict[str, tuple[int, int]]:
    """For the weight of every convolution and fully connected layer: (number of scales, output channels)."""
    result = {}
    for name, tensors in _operators(read_flatbuffer(content)):
        if name in _CHANNEL_AXIS:
            weight = tensors[1]
            result[weight.name.decode("utf-8")] = (len(_scales(weight)), int(weight.shape[_CHANNEL_AXIS[name]]))
    return result


def _scales(tensor: Any) -> Sequence[float]:
    return () if tensor.quantization is None or tensor.quantization.scale is None else tensor.quantization.scale


@dataclass(frozen=True)
class Bias:
    """The bias of a convolution or fully connected layer, beside its weight.

    Attributes:
        weight: the weight's name.
        broadcast: shape in which one value for each output channel stands beside the weight, e.g. (channels, 1, 1, 1).
        values: (channels,), as stored.
        scales, weight_scales: int8 steps of bias and weight, (channels,) or (1,); empty in a float model.
    """

    weight: str
    broadcast: tuple[int, ...]
    values: npt.NDArray[Any]
    scales: npt.NDArray[np.float64]
    weight_scales: npt.NDArray[np.float64]


def biases(content: bytes) -> list[Bias]:
    """The constant biases of all convolutions and fully connected layers, in the order of the operators."""
    model, found = read_flatbuffer(content), []
    for name, tensors in _operators(model):
        if name not in _CHANNEL_AXIS or len(tensors) < 4:  # input, weight, bias, output
            continue
        weight, bias = tensors[1:3]
        dtype = np.float32 if type_name(bias.type) == "FLOAT32" else np.int32
        values = _data(content, model.buffers[bias.buffer]).view(dtype)
        broadcast = [1] * len(weight.shape)
        broadcast[_CHANNEL_AXIS[name]] = len(values)
        steps = (np.array(_scales(tensor), dtype=np.float64) for tensor in (bias, weight))
        found.append(Bias(weight.name.decode("utf-8"), tuple(broadcast), values, *steps))
    return found


@dataclass(frozen=True)
class Accumulation:
    """The sum of products of a convolution or fully connected layer, before it becomes its output.

    Attributes:
        output: the output's name.
        step: of the sum, (input step x weight step), the largest of all output channels; 0 in a float model.
        output_step: of the output; 0 in a float model.
    """

    output: str
    step: float
    output_step: float


def accumulations(content: bytes) -> list[Accumulation]:
    """Those of all convolutions and fully connected layers, in the order of the operators."""
    found = []
    for name, tensors in _operators(read_flatbuffer(content)):
        if name in _CHANNEL_AXIS:
            given, weight, output = (max(_scales(t), default=0.0) for t in (tensors[0], tensors[1], tensors[-1]))
            found.append(Accumulation(tensors[-1].name.decode("utf-8"), float(given) * float(weight), float(output)))
    return found


def concatenated(content: bytes) -> dict[str, str]:
    """Name of a concatenation's output, by the name of each of its inputs."""
    return {
        given.name.decode("utf-8"): tensors[-1].name.decode("utf-8")
        for name, tensors in _operators(read_flatbuffer(content))
        if name == "CONCATENATION"
        for given in tensors[:-1]
    }


def _data(content: bytes, buffer: Any) -> npt.NDArray[np.uint8]:
    """The bytes of a buffer, inside or outside the flatbuffer."""
    if buffer.data is not None:
        return np.array(buffer.data, dtype=np.uint8)
    return np.frombuffer(content, np.uint8, buffer.size, buffer.offset)


def external_buffers(content: bytes) -> list[int]:
    """Indices of the buffers whose data lie outside the flatbuffer (offset and size set)."""
    model = schema.Model.GetRootAs(content, 0)
    return [i for i in range(model.BuffersLength()) if model.Buffers(i).Offset() or model.Buffers(i).Size()]
