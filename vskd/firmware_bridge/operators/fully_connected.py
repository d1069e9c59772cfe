"""FULLY_CONNECTED, which bundles have that were exported before their linear layers became convolutions.

The arithmetic is TFLite Micro's: int32 with two roundings. LiteRT's reference kernel scales in float64 here, and
differs by one step now and then; it is the only operator of the catalog of which that is so.
"""

from vskd.firmware_bridge.graph import Operator
from vskd.firmware_bridge.operators.base import OperatorKind, check_kinds, refuse
from vskd.firmware_bridge.operators.convolution import layer_constants, layer_places
from vskd.firmware_bridge.source import Source


def emit(operator: Operator, source: Source) -> list[str]:
    """Weights are (out, in)."""
    given, weight = operator.inputs[0], operator.inputs[1]
    check_kinds(operator, given, weight, operator.output)
    channels, depth = weight.shape
    if given.size % depth or weight.data is None or int(operator.options.weightsFormat) != 0:
        raise refuse(operator, "shuffled or computed weights")
    layer = layer_constants(operator, source, channels)
    sizes = f"{given.size // depth}, {depth}, {channels}"
    return [f"vskd_fully_connected({layer}, {sizes}, {layer_places(operator, source)});"]


FULLY_CONNECTED = OperatorKind(emit)
