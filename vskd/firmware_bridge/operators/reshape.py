"""RESHAPE: the same bytes; a copy only where the input is needed afterwards."""

from vskd.firmware_bridge.graph import Operator, Tensor
from vskd.firmware_bridge.operators.base import OperatorKind, check_same_steps
from vskd.firmware_bridge.source import Source


def emit(operator: Operator, source: Source) -> list[str]:
    """Nothing, if the output has the input's place."""
    given, output = operator.inputs[0], operator.output
    check_same_steps(operator, given, output)
    return same_bytes(given, output, source)


def same_bytes(given: Tensor, output: Tensor, source: Source) -> list[str]:
    """The statement that brings unchanged bytes to their place."""
    if source.read(given) == source.write(output):
        return []
    return [f"vskd_copy_rows(1, {output.size}, {output.size}, {source.read(given)}, {source.write(output)});"]


def shares_input(operator: Operator) -> Tensor | None:
    """The input, if it is computed."""
    return operator.inputs[0] if operator.inputs[0].data is None else None


RESHAPE = OperatorKind(emit, shares_input)
