"""Real multipliers as the fixed-point numbers with which LiteRT's reference kernels and TFLite Micro compute.

Source: tensorflow/lite/kernels/internal/quantization_util.cc and kernel_util.cc (LiteRT 2.3). These are computed when
the code is generated; the device sees integers alone.
"""

import math

import numpy as np

from vskd.errors import BundleError

ACTIVATIONS: dict[int, tuple[str, float | None, float | None]] = {
    0: ("NONE", None, None),
    1: ("RELU", 0.0, None),
    2: ("RELU_N1_TO_1", -1.0, 1.0),
    3: ("RELU6", 0.0, 6.0),
}
"""Fused activations by the schema's number: name, lower and upper end in real numbers."""


def quantize_multiplier(real: float) -> tuple[int, int]:
    """`real` = m / 2^31 * 2^shift with m in 2^30 .. 2^31 - 1; numbers too small for that are 0.

    Returns:
        (m, shift).

    >>> quantize_multiplier(0.5)
    (1073741824, 0)
    """
    fraction, shift = math.frexp(real)
    multiplier = math.floor(fraction * 2**31 + 0.5)
    if multiplier == 2**31:
        multiplier, shift = 2**30, shift + 1
    return (0, 0) if shift < -31 else (multiplier, shift)


def activation_range(activation: int, scale: float, zero_point: int) -> tuple[int, int]:
    """The int8 values between which a fused activation clamps; the quotient is float32, halves go away from zero.

    Raises:
        BundleError: an activation that integer kernels do not have.
    """
    if activation not in ACTIVATIONS:
        raise BundleError(f"There is no fused activation {activation} in int8", "Use ReLU or ReLU6")
    _, low, high = ACTIVATIONS[activation]
    least = -128 if low is None else max(-128, zero_point + _rounded(low, scale))
    most = 127 if high is None else min(127, zero_point + _rounded(high, scale))
    return least, most


def _rounded(value: float, scale: float) -> int:
    quotient = float(np.float32(value) / np.float32(scale))
    return int(math.copysign(math.floor(abs(quotient) + 0.5), quotient))
