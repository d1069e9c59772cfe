"""MEAN over any axes: an int32 sum, whose multiplier holds the division."""

from vskd.firmware_bridge.fixed_point import quantize_multiplier
from vskd.firmware_bridge.graph import Operator
from vskd.firmware_bridge.operators.base import OperatorKind, check_kinds, padded, refuse, strides_of
from vskd.firmware_bridge.source import Source

RANK = 4


def emit(operator: Operator, source: Source) -> list[str]:
    """The axes are a constant; whether they are kept with size 1 makes no difference to the bytes."""
    (given, axes), output = operator.inputs, operator.output
    check_kinds(operator, given, output)
    if axes.data is None:
        raise refuse(operator, "axes that are computed")
    rank = len(given.shape)
    reduced = {int(axis) % rank for axis in axes.data.reshape(-1)}
    strides = strides_of(given.shape)
    kept = [axis for axis in range(rank) if axis not in reduced and given.shape[axis] > 1]
    summed = [axis for axis in range(rank) if axis in reduced and given.shape[axis] > 1]
    if max(len(kept), len(summed)) > RANK:
        raise refuse(operator, f"a mean of {rank} axes")
    multiplier, shift = mean_multiplier(given.scale, output.scale, [given.shape[a] for a in reduced])
    fields: dict[str, int | str | list[int]] = {
        "kept_size": padded([given.shape[a] for a in kept], RANK, 1),
        "kept_stride": padded([strides[a] for a in kept], RANK, 0),
        "summed_size": padded([given.shape[a] for a in summed], RANK, 1),
        "summed_stride": padded([strides[a] for a in summed], RANK, 0),
        "input_zero": given.zero_point,
        "output_zero": output.zero_point,
        "multiplier": multiplier,
        "shift": shift,
    }
    constants = source.constants("vskd_mean_axes", f"mean_{operator.position}", fields)
    return [f"vskd_mean({constants}, {source.read(given)}, {source.write(output)});"]


def mean_multiplier(input_scale: float, output_scale: float, sizes: list[int]) -> tuple[int, int]:
    """The multiplier of the rescaling, divided by the number of summands with as many bits as fit (reduce.h)."""
    count = 1
    for size in sizes:
        count *= size
    multiplier, shift = quantize_multiplier(input_scale / output_scale)
    headroom = min(count.bit_length() - 1, 32, 31 + shift)  # 63 - clz64(count)
    return (multiplier << headroom) // count, shift - headroom


MEAN = OperatorKind(emit)
