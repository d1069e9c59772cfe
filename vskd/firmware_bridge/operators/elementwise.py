"""What ADD, SUB and MUL share: broadcasting, and an output that may take an input's place."""

from vskd.firmware_bridge.graph import Operator, Tensor
from vskd.firmware_bridge.operators.base import padded, refuse, strides_of
from vskd.firmware_bridge.source import Source

RANK = 4


def shares_input(operator: Operator) -> Tensor | None:
    """The first computed input of the output's shape: each value is read before its place is written."""
    return next((tensor for tensor in operator.computed if tensor.shape == operator.output.shape), None)


def broadcast_constants(operator: Operator, source: Source) -> str:
    """Declare sizes and strides; the address of the `vskd_broadcast` that holds them."""
    first, second = (_strides(operator, tensor) for tensor in operator.inputs)
    sizes = _merged(list(operator.output.shape), first, second)
    if len(sizes) > RANK:
        raise refuse(operator, f"broadcasting over {len(sizes)} axes")
    fields = {
        "size": padded([size for size, _, _ in sizes], RANK, 1),
        "first": padded([one for _, one, _ in sizes], RANK, 0),
        "second": padded([two for _, _, two in sizes], RANK, 0),
    }
    return source.constants("vskd_broadcast", f"broadcast_{operator.position}", fields)


def _strides(operator: Operator, tensor: Tensor) -> list[int]:
    """Strides along the output's axes, 0 where the tensor is repeated."""
    shape = (1,) * (len(operator.output.shape) - len(tensor.shape)) + tensor.shape
    strides = strides_of(shape)
    for axis, (own, all_of_them) in enumerate(zip(shape, operator.output.shape, strict=True)):
        if own not in (1, all_of_them):
            raise refuse(operator, f"shapes {tensor.shape} and {operator.output.shape}")
        strides[axis] = strides[axis] if own > 1 else 0
    return strides


def _merged(sizes: list[int], first: list[int], second: list[int]) -> list[tuple[int, int, int]]:
    """(size, stride, stride) of the fewest axes: neighbours along which both tensors lie in one piece become one."""
    merged: list[tuple[int, int, int]] = []
    for size, one, two in zip(sizes, first, second, strict=True):
        if size == 1:
            continue
        if merged and merged[-1][1:] == (one * size, two * size):
            merged[-1] = (merged[-1][0] * size, one, two)
        else:
            merged.append((size, one, two))
    return merged


def places(operator: Operator, source: Source) -> str:
    """Both inputs and the output, as arguments."""
    first, second = operator.inputs
    return f"{source.read(first)}, {source.read(second)}, {source.write(operator.output)}"
