"""CONCATENATION along any axis, of tensors with one scale."""

import numpy as np

from vskd.firmware_bridge.graph import Operator
from vskd.firmware_bridge.operators.base import OperatorKind, check_same_steps, refuse
from vskd.firmware_bridge.source import Source


def emit(operator: Operator, source: Source) -> list[str]:
    """One copy of rows for each input."""
    output = operator.output
    check_same_steps(operator, *operator.inputs, output)
    if int(operator.options.fusedActivationFunction) != 0:
        raise refuse(operator, "a fused activation")
    axis = int(operator.options.axis) % len(output.shape)
    rows = int(np.prod(output.shape[:axis], dtype=np.int64))
    width, start, statements = output.size // rows, 0, []
    for tensor in operator.inputs:
        own = tensor.size // rows
        place = f"{source.write(output)} + {start}"
        statements.append(f"vskd_copy_rows({rows}, {own}, {width}, {source.read(tensor)}, {place});")
        start += own
    return statements


CONCATENATION = OperatorKind(emit)
