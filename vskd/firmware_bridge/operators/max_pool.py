"""MAX_POOL_2D: values pass as they are, so that input and output have one scale."""

from vskd.firmware_bridge.fixed_point import activation_range
from vskd.firmware_bridge.graph import Operator
from vskd.firmware_bridge.operators.base import OperatorKind, check_same_steps
from vskd.firmware_bridge.operators.window import window_fields
from vskd.firmware_bridge.source import Source


def emit(operator: Operator, source: Source) -> list[str]:
    """What lies in the padding does not take part."""
    (given,), output, options = operator.inputs, operator.output, operator.options
    check_same_steps(operator, given, output)
    fields = window_fields(operator, (int(options.filterHeight), int(options.filterWidth)))
    window = source.constants("vskd_window", f"window_{operator.position}", fields)
    low, high = activation_range(int(options.fusedActivationFunction), output.scale, output.zero_point)
    return [f"vskd_max_pool_2d({window}, {low}, {high}, {source.read(given)}, {source.write(output)});"]


MAX_POOL = OperatorKind(emit)
