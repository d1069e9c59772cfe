"""TRANSPOSE of up to six axes; one that moves only axes of size 1 is a reshape."""

from vskd.firmware_bridge.graph import Operator, Tensor
from vskd.firmware_bridge.operators.base import OperatorKind, check_same_steps, padded, refuse, strides_of
from vskd.firmware_bridge.operators.reshape import same_bytes
from vskd.firmware_bridge.source import Source

RANK = 6


def emit(operator: Operator, source: Source) -> list[str]:
    """The permutation is a constant."""
    (given, _), output = operator.inputs, operator.output
    check_same_steps(operator, given, output)
    order = _order(operator)
    if _moves_nothing(given, order):
        return same_bytes(given, output, source)
    if len(order) > RANK:
        raise refuse(operator, f"a transposition of {len(order)} axes")
    strides = strides_of(given.shape)
    fields = {
        "size": padded(list(output.shape), RANK, 1),
        "stride": padded([strides[axis] for axis in order], RANK, 0),
    }
    constants = source.constants("vskd_order", f"order_{operator.position}", fields)
    return [f"vskd_transpose({constants}, {source.read(given)}, {source.write(output)});"]


def shares_input(operator: Operator) -> Tensor | None:
    """The input, where no byte moves."""
    given = operator.inputs[0]
    return given if given.data is None and _moves_nothing(given, _order(operator)) else None


def _order(operator: Operator) -> list[int]:
    data = operator.inputs[1].data
    if data is None:
        raise refuse(operator, "a permutation that is computed")
    return [int(axis) for axis in data.reshape(-1)]


def _moves_nothing(given: Tensor, order: list[int]) -> bool:
    moving = [axis for axis in order if given.shape[axis] > 1]
    return moving == sorted(moving)


TRANSPOSE = OperatorKind(emit, shares_input)
