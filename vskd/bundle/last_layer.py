"""The linear classifier at the end of a LiteRT model: what it is asked, its weights, and the same model with others.

The weights are changed in place, byte for byte: the flatbuffer keeps its layout, and what stands before the classifier
is the same bits. A classifier of each place of a map, whose answers are averaged (SqueezeNet), is one of the mean
place. In an int8 model the new weights get steps of their own for each class, as the quantizer gives them
(https://ai.google.dev/edge/litert/models/quantization_spec), and the output a step with which the new answers fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vskd.bundle.runtime import LiteRTModel
from vskd.bundle.schema_names import operator_name, type_name
from vskd.errors import BundleError

Floats = npt.NDArray[np.float64]

LINEAR = ("CONV_2D", "FULLY_CONNECTED")
KEEPS_VALUES = ("RESHAPE", "SQUEEZE", "DEQUANTIZE", "SUM")
"""Operators between the classifier and the model's output that change no value; a sum, of one place."""
LARGEST_BIAS = 2**29
"""Of a bias in steps of 32 bits: room is left for the sum of products that it is added to."""
WEIGHT_STEPS, OUTPUT_STEPS = 127, 255


@dataclass(frozen=True)
class _Place:
    """Where the classifier lies: tensor numbers.

    Attributes:
        features, weight, bias: what it sees, and its own.
        outputs: those behind it that hold its answers.
        at_places: of answers that are averaged over places, those that hold them before.
        places: how many there are; 1 where nothing is averaged.
    """

    features: int
    weight: int
    bias: int
    outputs: tuple[int, ...]
    at_places: tuple[int, ...]
    places: int


class LastLayer:
    """The classifier of a model with one input and one output.

    Args:
        content: a LiteRT model, float32 or int8.

    Attributes:
        weight: float64 (classes, features), real values.
        bias: float64 (classes,), real values.

    Raises:
        BundleError: the model does not end in a linear layer of one place, or of places that are averaged, with a
            bias and without activation.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._runner = LiteRTModel(content, reference_kernels=True, keep_tensors=True)  # what is no model is refused
        graph, model = _opened(bytearray(content))
        self._place = _find(graph, model)
        self.weight = _values(graph, model, self._place.weight)
        self.bias = _values(graph, model, self._place.bias)[:, 0]

    def asked(self, x: npt.NDArray[np.float32]) -> Floats:
        """What the classifier is asked of each input, (samples, places, features), real values.

        Args:
            x: float32 (samples, ...), the model's inputs.
        """
        features = []
        for sample in x:
            self._runner.predict(sample[np.newaxis])
            features.append(self._runner.tensor(self._place.features).reshape(self._place.places, -1))
        return np.array(features, dtype=np.float64)

    def replaced(self, weight: Floats, bias: Floats, asked: Floats) -> bytes:
        """The model with another classifier.

        Args:
            weight, bias: as the attributes.
            asked: (samples, places, features), see there; an int8 output is made to hold what the new classifier
                answers, and all that the old one held, and so are the answers at places.
        """
        content = bytearray(self._content)
        graph, model = _opened(content)
        place = self._place
        step = _steps(graph, place.features)
        if step is None:
            _buffer(graph, model, place.weight, np.float32)[:] = weight.ravel()
            _buffer(graph, model, place.bias, np.float32)[:] = bias
            return bytes(content)
        weight_steps = np.maximum(np.abs(weight).max(axis=1) / WEIGHT_STEPS, np.abs(bias) / (LARGEST_BIAS * step))
        weight_steps = np.maximum(weight_steps, np.finfo(np.float32).tiny / step)
        if len(_scales(graph, place.weight)) == 1:
            weight_steps = weight_steps.max(keepdims=True)
        _scales(graph, place.weight)[:] = weight_steps
        _scales(graph, place.bias)[:] = weight_steps * step
        whole = np.rint(weight / weight_steps[:, None]).clip(-WEIGHT_STEPS, WEIGHT_STEPS)
        _buffer(graph, model, place.weight, np.int8)[:] = whole.ravel()
        _buffer(graph, model, place.bias, np.int32)[:] = np.rint(bias / (weight_steps * step))
        _widen(graph, place.outputs, asked.mean(axis=1) @ weight.T + bias)
        _widen(graph, place.at_places, asked @ weight.T + bias)
        return bytes(content)


def _widen(graph: Any, outputs: Sequence[int], logits: Floats) -> None:
    """Give int8 outputs a step and a zero with which they hold `logits`, zero and all that they held."""
    for number in outputs:
        quantization = graph.Tensors(number).Quantization()
        scale, zero = quantization.ScaleAsNumpy(), quantization.ZeroPointAsNumpy()
        held = scale[0] * (np.array([-128, 127]) - zero[0])
        low, high = min(held[0], logits.min(initial=0.0)), max(held[1], logits.max(initial=0.0))
        if (low, high) != (held[0], held[1]):
            scale[0] = (high - low) / OUTPUT_STEPS
            zero[0] = round(-128 - low / float(scale[0]))


def _find(graph: Any, model: Any) -> _Place:
    """The classifier's tensors."""
    makers = {int(graph.Operators(i).Outputs(0)): graph.Operators(i) for i in range(graph.OperatorsLength())}
    answers: list[list[int]] = [[]]
    tensor = int(graph.Outputs(0))
    while tensor in makers:
        operator = makers[tensor]
        code = model.OperatorCodes(operator.OpcodeIndex())
        name = operator_name(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        if type_name(graph.Tensors(tensor).Type()) == "INT8":
            answers[-1].append(tensor)
        if name in LINEAR:
            return _linear(graph, operator, name, answers)
        before = int(operator.Inputs(0))
        if name == "MEAN" and len(answers) == 1 and _size(graph, tensor) == _width(graph, before):
            answers.append([])
        elif name not in KEEPS_VALUES or _size(graph, tensor) != _size(graph, before):
            raise _not_linear(f"its last step is {name}")
        tensor = before
    raise _not_linear("nothing is computed in it")


def _linear(graph: Any, operator: Any, name: str, answers: list[list[int]]) -> _Place:
    """The tensors of a linear layer, if it is a classifier.

    Args:
        graph, operator: where it is.
        name: of the operator.
        answers: int8 tensors that hold what is answered; where places are averaged those behind and those before.
    """
    from ai_edge_litert import schema_py_generated as schema

    numbers = [int(n) for n in operator.InputsAsNumpy()]
    if len(numbers) < 3 or numbers[2] < 0:
        raise _not_linear("its last layer has no bias")
    features, weight, bias = numbers
    options = schema.Conv2DOptions() if name == "CONV_2D" else schema.FullyConnectedOptions()
    table = operator.BuiltinOptions()
    options.Init(table.Bytes, table.Pos)
    if options.FusedActivationFunction() != schema.ActivationFunctionType.NONE:
        raise _not_linear("its last layer has an activation")
    places = _size(graph, features) // _width(graph, features)
    own = _size(graph, weight) // int(graph.Tensors(weight).Shape(0))
    outputs, *averaged = answers
    if own != (_width(graph, features) if averaged else _size(graph, features)):
        raise _not_linear("its last layer sees several places")
    return _Place(features, weight, bias, tuple(outputs), tuple(*averaged), places if averaged else 1)


def _width(graph: Any, number: int) -> int:
    """Of a tensor's last dimension: the values of a place."""
    return int(graph.Tensors(number).ShapeAsNumpy()[-1])


def _size(graph: Any, number: int) -> int:
    return int(np.prod(graph.Tensors(number).ShapeAsNumpy()))


def _not_linear(why: str) -> BundleError:
    return BundleError(
        f"The model does not end in a linear classifier whose weights could be replaced: {why}",
        "Use a bundle of a network of vskd's catalog",
    )


def _opened(content: bytearray) -> tuple[Any, Any]:
    """The graph and the model of a flatbuffer; arrays of it are views that can be written to."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(content)
    return model.Subgraphs(0), model


def _scales(graph: Any, number: int) -> Any:
    return graph.Tensors(number).Quantization().ScaleAsNumpy()


def _steps(graph: Any, number: int) -> float | None:
    """The step of an int8 tensor; None of a float one."""
    quantization = graph.Tensors(number).Quantization()
    return float(quantization.Scale(0)) if quantization is not None and quantization.ScaleLength() else None


def _buffer(graph: Any, model: Any, number: int, dtype: type[Any]) -> Any:
    return model.Buffers(graph.Tensors(number).Buffer()).DataAsNumpy().view(dtype)


def _values(graph: Any, model: Any, number: int) -> Floats:
    """Real values of a constant tensor, (channels, values of each)."""
    kinds = {"FLOAT32": np.float32, "INT8": np.int8, "INT32": np.int32}
    tensor = graph.Tensors(number)
    kind, channels = type_name(tensor.Type()), int(tensor.Shape(0))
    values = _buffer(graph, model, number, kinds[kind]).astype(np.float64).reshape(channels, -1)
    if kind == "FLOAT32":
        return np.asarray(values)
    return np.asarray(values * _scales(graph, number).astype(np.float64)[:, None])
