"""Logits to probabilities, torch-free."""

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

STEPS = 256
"""Differences of two int8 logits, 0 among them."""


def softmax(logits: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Probabilities over the last axis, float64, safe for logits of any size."""
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), dtype=np.float64)


@lru_cache(maxsize=16)
def powers(scale: float) -> tuple[float, ...]:
    """exp(-n * scale) for every difference n of two int8 logits of this step."""
    return tuple(math.exp(-n * scale) for n in range(STEPS))


def softmax_of_int8(logits: npt.NDArray[np.int8], scale: float) -> list[float]:
    """Probabilities of int8 logits, float64, by a table of powers and one order of adding.

    The page does the same with the same table, so that both agree bit for bit: exponential functions of two systems
    differ in their last bit.

    Args:
        logits: (classes,).
        scale: of a step.
    """
    table, best = powers(scale), int(logits.max())
    parts = [table[best - int(logit)] for logit in logits]
    total = 0.0
    for part in parts:  # in this order, which `sum` does not promise
        total += part
    return [part / total for part in parts]
