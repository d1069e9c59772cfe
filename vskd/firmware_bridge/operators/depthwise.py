"""DEPTHWISE_CONV_2D: any multiplier of channels."""

from vskd.firmware_bridge.graph import Operator
from vskd.firmware_bridge.operators.base import OperatorKind, check_kinds, refuse
from vskd.firmware_bridge.operators.convolution import layer_constants, layer_places
from vskd.firmware_bridge.operators.window import window_fields
from vskd.firmware_bridge.source import Source


def emit(operator: Operator, source: Source) -> list[str]:
    """Weights are (1, height, width, out), as the file has them; out is a multiple of in."""
    given, weight = operator.inputs[0], operator.inputs[1]
    check_kinds(operator, given, weight, operator.output)
    _, height, width, channels = weight.shape
    if channels % given.shape[3] or weight.data is None:
        raise refuse(operator, "weights that do not fit the channels, or are computed")
    window = source.constants("vskd_window", f"window_{operator.position}", window_fields(operator, (height, width)))
    layer = layer_constants(operator, source, channels)
    return [f"vskd_depthwise_conv_2d({window}, {layer}, {layer_places(operator, source)});"]


DEPTHWISE = OperatorKind(emit)
