"""PAD with the zero point, PADV2 with a constant."""

from vskd.firmware_bridge.graph import Operator
from vskd.firmware_bridge.operators.base import OperatorKind, check_same_steps, padded, refuse
from vskd.firmware_bridge.source import Source

RANK = 4


def emit(operator: Operator, source: Source) -> list[str]:
    """Up to four axes."""
    given, paddings, output = operator.inputs[0], operator.inputs[1], operator.output
    check_same_steps(operator, given, output)
    if paddings.data is None or len(given.shape) > RANK:
        raise refuse(operator, f"padding of {len(given.shape)} axes, or by sizes that are computed")
    value = output.zero_point
    if operator.name == "PADV2":
        fill = operator.inputs[2]
        check_same_steps(operator, fill, output)
        if fill.data is None:
            raise refuse(operator, "a value of padding that is computed")
        value = int(fill.data.item())
    before = [int(row[0]) for row in paddings.data.reshape(-1, 2)]
    fields: dict[str, int | str | list[int]] = {
        "in_size": padded(list(given.shape), RANK, 1),
        "out_size": padded(list(output.shape), RANK, 1),
        "before": padded(before, RANK, 0),
        "value": value,
    }
    constants = source.constants("vskd_padding", f"padding_{operator.position}", fields)
    return [f"vskd_pad({constants}, {source.read(given)}, {source.write(output)});"]


PAD = OperatorKind(emit)
