"""Look inside a LiteRT flatbuffer: which tensors are float, which operators compute in float, where the weights lie."""

from typing import Any

from ai_edge_litert import schema_py_generated as schema

_OPERATOR_NAMES = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
_TENSOR_TYPES = {value: name for name, value in vars(schema.TensorType).items() if isinstance(value, int)}


def read_flatbuffer(content: bytes) -> Any:
    """The whole model as mutable objects (`schema.ModelT`)."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))


def _operators(model: Any) -> list[tuple[str, list[Any]]]:
    """Name and tensors (inputs, then outputs) of every operator of every subgraph."""
    found = []
    for graph in model.subgraphs:
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            name = _OPERATOR_NAMES.get(max(code.builtinCode, code.deprecatedBuiltinCode), "CUSTOM")
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
    floating = {"FLOAT16", "FLOAT32", "FLOAT64", "BFLOAT16"}
    operators = _operators(read_flatbuffer(content))
    return [name for name, tensors in operators if any(_TENSOR_TYPES[t.type] in floating for t in tensors)]


def weight_scales(content: bytes) -> dict[str, tuple[int, int]]:
    """For the weight of every convolution and fully connected layer: (number of scales, output channels)."""
    axis = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
    result = {}
    for name, tensors in _operators(read_flatbuffer(content)):
        if name in axis:
            weight = tensors[1]
            scales = (
                0
                if weight.quantization is None or weight.quantization.scale is None
                else len(weight.quantization.scale)
            )
            result[weight.name.decode("utf-8")] = (scales, int(weight.shape[axis[name]]))
    return result


def external_buffers(content: bytes) -> list[int]:
    """Indices of the buffers whose data lie outside the flatbuffer (offset and size set)."""
    model = schema.Model.GetRootAs(content, 0)
    return [i for i in range(model.BuffersLength()) if model.Buffers(i).Offset() or model.Buffers(i).Size()]
