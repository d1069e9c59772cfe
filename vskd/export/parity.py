"""How far a deployed model's answers are from those of the network it was made from."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vskd.errors import DataError

FloatArray = npt.NDArray[np.float32]
Logits = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class ParityReport:
    """Differences of the logits over `n` inputs.

    Attributes:
        max_abs_error: the largest difference of any logit of any input.
        mean_abs_error: the mean over all logits of all inputs.
        argmax_agreement: fraction of inputs for which both choose the same class.
        n: number of inputs.
    """

    max_abs_error: float
    mean_abs_error: float
    argmax_agreement: float
    n: int


def compare_logits(expected: FloatArray, actual: FloatArray) -> ParityReport:
    """Compare two sets of logits.

    Args:
        expected: float (inputs, classes).
        actual: the same shape.

    Raises:
        DataError: there are no inputs, or the shapes differ.
    """
    if expected.shape != actual.shape or expected.ndim != 2 or not expected.size:
        raise DataError(
            f"Cannot compare logits of shape {expected.shape} with logits of shape {actual.shape}",
            "Compare the same, non-empty set of windows",
        )
    difference = np.abs(expected.astype(np.float64) - actual.astype(np.float64))
    agreement = np.mean(expected.argmax(axis=1) == actual.argmax(axis=1))
    return ParityReport(float(difference.max()), float(difference.mean()), float(agreement), len(expected))


def parity(float_fn: Logits, model: Logits, inputs: Iterable[FloatArray]) -> ParityReport:
    """Run both on every input and compare.

    Args:
        float_fn: the reference: float32 (1, ...) -> logits (1, classes).
        model: what is deployed, e.g. `LiteRTModel(...).predict`; same signature.
        inputs: float32 inputs without the batch dimension; read once, one at a time.

    Raises:
        DataError: there are no inputs, or the two return different shapes.
    """
    expected, actual = [], []
    for x in inputs:
        batch = np.asarray(x, dtype=np.float32)[np.newaxis]
        (one,), (other,) = float_fn(batch), model(batch)
        expected.append(one)
        actual.append(other)
    return compare_logits(np.array(expected, dtype=np.float32), np.array(actual, dtype=np.float32))
