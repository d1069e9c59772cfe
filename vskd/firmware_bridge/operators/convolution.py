"""CONV_2D: one group, any stride, SAME or VALID, one scale per output channel."""

from vskd.firmware_bridge.fixed_point import activation_range
from vskd.firmware_bridge.graph import Operator
from vskd.firmware_bridge.operators.base import (
    OperatorKind,
    bias_of,
    channel_multipliers,
    check_kinds,
    refuse,
)
from vskd.firmware_bridge.operators.window import window_fields
from vskd.firmware_bridge.source import Source


def emit(operator: Operator, source: Source) -> list[str]:
    """Weights are (out, height, width, in), as the file has them."""
    given, weight, output = operator.inputs[0], operator.inputs[1], operator.output
    check_kinds(operator, given, weight, output)
    channels, height, width, depth = weight.shape
    if depth != given.shape[3] or weight.data is None:
        raise refuse(operator, "groups of channels, or weights that are computed")
    window = source.constants("vskd_window", f"window_{operator.position}", window_fields(operator, (height, width)))
    return [f"vskd_conv_2d({window}, {layer_constants(operator, source, channels)}, {layer_places(operator, source)});"]


def layer_constants(operator: Operator, source: Source, channels: int) -> str:
    """Declare biases, multipliers and clamps; the address of the `vskd_layer` that holds them."""
    position, given, output = operator.position, operator.inputs[0], operator.output
    multipliers, shifts = channel_multipliers(operator, channels)
    low, high = activation_range(int(operator.options.fusedActivationFunction), output.scale, output.zero_point)
    fields: dict[str, int | str | list[int]] = {
        "bias": source.table("int32_t", f"bias_{position}", bias_of(operator, channels)),
        "multiplier": source.table("int32_t", f"multiplier_{position}", multipliers),
        "shift": source.table("int8_t", f"shift_{position}", shifts),
        "input_zero": given.zero_point,
        "output_zero": output.zero_point,
        "low": low,
        "high": high,
    }
    return source.constants("vskd_layer", f"layer_{position}", fields)


def layer_places(operator: Operator, source: Source) -> str:
    """Weights, input and output, as arguments."""
    return f"{source.read(operator.inputs[1])}, {source.read(operator.inputs[0])}, {source.write(operator.output)}"


CONVOLUTION = OperatorKind(emit)
