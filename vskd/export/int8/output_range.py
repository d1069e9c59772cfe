"""Give every int8 layer an output step that its sum of products can be rounded to.

A layer that gives zero for everything in calibration, as trained networks with ReLU have them, gets the smallest step
that the quantizer knows. Its sums are then many output steps apart: XNNPACK refuses the whole model from 256 on, and
the next layer's biases overflow (see `bias_range`). An output step as large as that of the sum loses nothing.
"""

import logging

import numpy as np
import numpy.typing as npt

from vskd.export.convert.structure import accumulations, concatenated

logger = logging.getLogger(__name__)

Range = dict[str, npt.NDArray[np.float32]]


def output_ranges(float_model: bytes, int8_model: bytes) -> dict[str, Range]:
    """What the quantizer must take for the ranges of outputs, so that no output step is finer than that of its sum.

    Args:
        float_model: the model before quantization.
        int8_model: quantized from it; its steps are read, of its values none.

    Returns:
        By the name of an output, in the form of calibrated ranges: `min` and `max`. Other outputs are not in it. Where
        outputs are concatenated, the quantizer takes the range of the whole, which is given instead. Ranges of later
        layers may follow from these, so ask again of the model that is quantized with them.
    """
    ranges: dict[str, Range] = {}
    whole = concatenated(float_model)
    for before, after in zip(accumulations(float_model), accumulations(int8_model), strict=True):
        if after.step <= after.output_step:
            continue
        logger.info("the layer of %s gives hardly anything but zero in calibration", before.output)
        name = whole.get(before.output, before.output)
        bound = np.array([[128 * after.step]], dtype=np.float32)
        if name in ranges:
            bound = np.maximum(bound, ranges[name]["max"])
        ranges[name] = {"min": -bound, "max": bound}
    return ranges
