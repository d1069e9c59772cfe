"""MUL: the multiplier comes from float32 products of the steps."""

import numpy as np

from vskd.firmware_bridge.fixed_point import activation_range, quantize_multiplier
from vskd.firmware_bridge.graph import Operator
from vskd.firmware_bridge.operators.base import OperatorKind, check_kinds
from vskd.firmware_bridge.operators.elementwise import broadcast_constants, places, shares_input
from vskd.firmware_bridge.source import Source


def emit(operator: Operator, source: Source) -> list[str]:
    """Any broadcast of two axes-aligned inputs."""
    first, second, output = *operator.inputs, operator.output
    check_kinds(operator, first, second, output)
    real = np.float32(first.scale) * np.float32(second.scale) / np.float32(output.scale)
    multiplier, shift = quantize_multiplier(real.item())
    low, high = activation_range(int(operator.options.fusedActivationFunction), output.scale, output.zero_point)
    fields = {
        "first_zero": first.zero_point,
        "second_zero": second.zero_point,
        "output_zero": output.zero_point,
        "multiplier": multiplier,
        "shift": shift,
        "low": low,
        "high": high,
    }
    constants = source.constants("vskd_product", f"product_{operator.position}", fields)
    return [f"vskd_mul({broadcast_constants(operator, source)}, {constants}, {places(operator, source)});"]


MULTIPLY = OperatorKind(emit, shares_input)
