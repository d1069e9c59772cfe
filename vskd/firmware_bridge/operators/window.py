"""The geometry of a window that moves over a picture, as LiteRT computes it (padding.h)."""

from typing import Any

from vskd.firmware_bridge.graph import Operator
from vskd.firmware_bridge.operators.base import refuse

SAME, VALID = 0, 1


def window_fields(operator: Operator, kernel: tuple[int, int]) -> dict[str, int]:
    """Sizes, strides and padding as fields of `vskd_window`.

    Args:
        operator: its first input and its output are (1, height, width, channels).
        kernel: height and width of the window.

    Raises:
        BundleError: a batch of more than one, a dilated window, or an output that does not follow from the input.
    """
    options: Any = operator.options
    given, output = operator.inputs[0].shape, operator.output.shape
    if len(given) != 4 or given[0] != 1 or len(output) != 4:
        raise refuse(operator, f"an input of shape {given}")
    if max(getattr(options, "dilationHFactor", 1), getattr(options, "dilationWFactor", 1)) > 1:
        raise refuse(operator, "dilated windows")
    fields = {"in_h": given[1], "in_w": given[2], "in_c": given[3], "out_h": output[1], "out_w": output[2]}
    fields |= {"out_c": output[3], "k_h": kernel[0], "k_w": kernel[1]}
    fields |= {"stride_h": int(options.strideH), "stride_w": int(options.strideW)}
    for axis, name in ((1, "h"), (2, "w")):
        size, stride, length = given[axis], fields[f"stride_{name}"], fields[f"k_{name}"]
        same = int(options.padding) == SAME
        expected = -(-size // stride) if same else (size - length) // stride + 1
        if expected != output[axis]:
            raise refuse(operator, f"an output of {output[axis]} where {expected} follow")
        fields[f"pad_{name}"] = max(0, ((expected - 1) * stride + length - size) // 2) if same else 0
    return fields
