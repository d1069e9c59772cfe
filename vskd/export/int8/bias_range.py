"""Give every int8 layer weight steps that are coarse enough for its biases.

A bias is held in 32 bits, in steps of (input step x weight step of its channel). The quantizer takes the weight step
from the channel's largest weight alone; a filter of almost no norm, as trained networks have them, or an input that is
almost always zero then makes steps so fine that the bias overflows, which even changes its sign. The quantizer does
not tell.

Such a channel gets a coarser weight step, with which its bias is 2**29 steps; the quantizer takes it like any other
calibrated range. So the bias is right to one part in 2**30, and each weight of the channel is off by at most half a
step: over n weights and all inputs, by less than n / 2**22 of the bias.
"""

import logging

import numpy as np
import numpy.typing as npt

from vskd.export.convert.structure import biases

logger = logging.getLogger(__name__)

LARGEST = 2**30
"""Of a bias in steps that is left alone: half of what 32 bits hold, because the sum of products is added to it."""
WEIGHT_STEPS = 127

Range = dict[str, npt.NDArray[np.float32]]


def weight_ranges(float_model: bytes, int8_model: bytes) -> dict[str, Range]:
    """What the quantizer must take for the ranges of weights, so that all biases fit.

    Args:
        float_model: the model before quantization.
        int8_model: quantized from it; its steps are read, of its values none.

    Returns:
        By the name of a weight, in the form of calibrated ranges: `min` and `max` for each output channel. Weights
        whose biases fit are not in it.
    """
    ranges: dict[str, Range] = {}
    for before, after in zip(biases(float_model), biases(int8_model), strict=True):
        steps = np.abs(before.values.astype(np.float64)) / after.scales
        tight = steps > LARGEST
        if not tight.any():
            continue
        logger.info("%d channels have too small weights for their bias: %s", tight.sum(), before.weight)
        factor = np.where(tight, 2 * steps / LARGEST, 1)
        bound = (WEIGHT_STEPS * after.weight_scales * factor).astype(np.float32).reshape(before.broadcast)
        if before.weight in ranges:  # of two layers
            bound = np.maximum(bound, ranges[before.weight]["max"])
        ranges[before.weight] = {"min": -bound, "max": bound}
    return ranges
