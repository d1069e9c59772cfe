"""The encodings in plain numpy, without torch: what `vskd predict` runs beside LiteRT on a small machine.

The same formulas as gaf.py, mtf.py and raw.py; a test holds both to the same values.
"""

from typing import get_args

import numpy as np
import numpy.typing as npt

from vskd.bundle.contract import EncodingMethod
from vskd.errors import DataError

Array = npt.NDArray[np.floating]

SMALLEST_SQUARE = 1e-14
"""Floor of the squared sine; see gaf.py."""
BINS = 8
"""Of a Markov transition field; see mtf.py."""


def encode(window: Array, method: str, scaling: str, limit: float, image_size: int) -> npt.NDArray[np.float32]:
    """Encode one window.

    Args:
        window: (axes, samples).
        method: see `EncodingMethod`.
        scaling: minmax or fixed.
        limit: physical range for fixed scaling, in the window's unit.
        image_size: edge of the image.

    Returns:
        float32 (axes, samples) for raw, else (axes * (1 or 2), image_size, image_size).

    Raises:
        DataError: unknown method or scaling, or a window shorter than the image.
    """
    if scaling not in ("minmax", "fixed") or method not in get_args(EncodingMethod):
        raise DataError(
            f"Unknown encoding '{method}' with scaling '{scaling}'", "Update vskd, or export the model again"
        )
    x: Array = window.astype(np.float64)
    if method == "mtf":
        return _transition_field(x, scaling, limit, image_size)
    if method != "raw":
        x = _averaged(x, image_size)
    cosine, sine = _angles(x, scaling, limit)
    if method == "raw":
        return cosine
    summation = cosine[:, :, None] * cosine[:, None, :] - sine[:, :, None] * sine[:, None, :]
    if method == "gasf":
        return summation
    difference = sine[:, :, None] * cosine[:, None, :] - cosine[:, :, None] * sine[:, None, :]
    return difference if method == "gadf" else np.concatenate([summation, difference])


def _averaged(x: Array, size: int) -> Array:
    """Piecewise means, (axes, samples) -> (axes, size)."""
    bounds = _bounds(x.shape[1], size)
    sums = np.add.reduceat(x, bounds[:-1], axis=1)
    return np.asarray(sums / np.diff(bounds))


def _bounds(samples: int, size: int) -> npt.NDArray[np.int64]:
    """Where `samples` are cut into `size` segments."""
    if samples < size:
        raise DataError(f"A window of {samples} samples cannot become an image of size {size}", "Use longer windows")
    return np.linspace(0, samples, size + 1).astype(np.int64)


def _transition_field(x: Array, scaling: str, limit: float, size: int) -> npt.NDArray[np.float32]:
    """Markov transition fields, (axes, samples) -> (axes, size, size)."""
    bounds, (low, high) = _bounds(x.shape[1], size), _range(x)
    above = np.clip(x / limit, -1, 1) + 1 if scaling == "fixed" else x - low
    span = 2.0 if scaling == "fixed" else high - low
    bins = np.clip(np.ceil(above / span * BINS) - 1, 0, BINS - 1).astype(np.int64)
    inside = np.eye(BINS)[bins]  # (axes, samples, bins)
    followed = inside[:, :-1].transpose(0, 2, 1) @ inside[:, 1:]
    transitions = followed / np.maximum(followed.sum(axis=2, keepdims=True), 1)
    shares = np.add.reduceat(inside, bounds[:-1], axis=1) / np.diff(bounds)[:, None]
    return np.asarray(shares @ transitions @ shares.transpose(0, 2, 1), dtype=np.float32)


def _range(x: Array) -> tuple[Array, Array]:
    """Smallest and largest sample of each axis; a constant axis lies at the bottom of its range, as in pyts."""
    low, high = x.min(axis=1, keepdims=True), x.max(axis=1, keepdims=True)
    return low, np.where(high > low, high, low + 1 + np.abs(low))


def _angles(x: Array, scaling: str, limit: float) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    if scaling == "fixed":
        cosine = np.clip(x / limit, -1, 1)
        square = (1 - cosine) * (1 + cosine)
    else:
        low, high = _range(x)  # a constant axis becomes -1
        span = high - low
        cosine = ((x - low) - (high - x)) / span
        square = 4 * ((x - low) / span) * ((high - x) / span)
    return cosine.astype(np.float32), np.sqrt(np.maximum(square, SMALLEST_SQUARE)).astype(np.float32)
