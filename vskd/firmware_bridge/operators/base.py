"""What the generators of single operators share."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vskd.errors import BundleError
from vskd.firmware_bridge.fixed_point import quantize_multiplier
from vskd.firmware_bridge.graph import Operator, Tensor
from vskd.firmware_bridge.source import Source

Emit = Callable[[Operator, Source], list[str]]
"""Writes an operator's constants into the source; returns the C statements that compute it."""
Shares = Callable[[Operator], Tensor | None]
"""The input whose bytes the output may take, or None."""


def shares_nothing(_operator: Operator) -> Tensor | None:
    """For operators that read an input after they have written a part of the output."""
    return None


@dataclass(frozen=True)
class OperatorKind:
    """One operator of the catalog: how it is written, and which input's bytes its output may take."""

    emit: Emit
    shares: Shares = shares_nothing


def refuse(operator: Operator, problem: str) -> BundleError:
    """The error for a form of an operator that the kernels do not have."""
    return BundleError(
        f"Operator {operator.position}, {operator.name}: the firmware does not have {problem}",
        "Use another network, or run the bundle with LiteRT or TFLite Micro",
    )


def check_kinds(operator: Operator, *tensors: Tensor) -> None:
    """Refuse tensors that are not int8."""
    for tensor in tensors:
        if tensor.kind != "INT8":
            raise refuse(operator, f"{tensor.kind} tensors ('{tensor.name}')")


def check_same_steps(operator: Operator, *tensors: Tensor) -> None:
    """Refuse where an operator that only moves values would have to rescale them."""
    check_kinds(operator, *tensors)
    if len({(tensor.scale, tensor.zero_point) for tensor in tensors}) > 1:
        raise refuse(operator, "inputs and output of different scales here")


def channel_multipliers(operator: Operator, channels: int) -> tuple[list[int], list[int]]:
    """Fixed-point multipliers and shifts of a layer's output channels: input step x weight step / output step."""
    given, weight, output = operator.inputs[0], operator.inputs[1], operator.output
    scales = weight.scales if len(weight.scales) > 1 else weight.scales * channels
    if len(scales) != channels or weight.zero_point != 0:
        raise refuse(operator, f"weights with {len(weight.scales)} scales for {channels} channels, or a zero point")
    pairs = [quantize_multiplier(given.scale * scale / output.scale) for scale in scales]
    return [m for m, _ in pairs], [s for _, s in pairs]


def bias_of(operator: Operator, channels: int) -> list[int]:
    """int32 biases of a layer, zeros where it has none."""
    if len(operator.inputs) < 3:
        return [0] * channels
    bias = operator.inputs[2]
    if bias.data is None or bias.kind != "INT32":
        raise refuse(operator, f"a bias that is {bias.kind}, or computed")
    return [int(v) for v in bias.data.reshape(-1)]


def strides_of(shape: tuple[int, ...]) -> list[int]:
    """Distance of neighbours along each axis, in values."""
    return [int(np.prod(shape[axis + 1 :], dtype=np.int64)) for axis in range(len(shape))]


def padded(values: list[int], length: int, fill: int) -> list[int]:
    """`values` with `fill` in front, so that there are `length`."""
    return [fill] * (length - len(values)) + values
