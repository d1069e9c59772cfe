"""Which frames of a clip a network sees: L of N, spread over the whole clip, or as the published code takes them."""

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vskd.errors import DataError
from vskd.preprocessing.video.segments import segment_indices

ClipSampling = Literal["spread", "reference"]


def clip_indices(count: int, length: int, sampling: ClipSampling, choices: int) -> NDArray[np.int64]:
    """The frames that are kept of a clip.

    Args:
        count: its frames, N.
        length: frames of a sample, L.
        sampling: `spread` cuts the clip into L equal parts and takes the middle frame of each, so that every part of it
            is seen; clips with fewer frames repeat some. `reference` is the published k * max(floor(N / L), 1), k =
            0..L-1, which never sees the tail (of 31 frames the first 16); see `refuse_short`.
        choices: with `spread`, frames that are kept of each part: the middle one, and others evenly spaced about it.

    Returns:
        int64 (length * choices,), ascending; those of a part stand together.
    """
    if sampling == "spread":
        kept = segment_indices(count, length * choices, None).reshape(length, choices)
        kept[:, _middle(choices)] = segment_indices(count, length, None)  # what is shown does not depend on the choices
        return kept.ravel()
    return np.arange(length, dtype=np.int64) * max(count // length, 1)


def refuse_short(count: int, length: int, path: Path) -> None:
    """Refuse what the published code leaves out.

    Raises:
        DataError: the clip has fewer frames than a sample.
    """
    if count < length:
        raise DataError(
            f"{path}: {count} frames are fewer than the {length} of a sample, which the published code leaves out",
            "Use the sampling that covers the whole clip, or shorter samples",
        )


def shown_indices(length: int, choices: int, generator: np.random.Generator | None) -> NDArray[np.int64]:
    """Positions, among the frames that were kept, of one frame of each part: at random, or the middle one.

    Args:
        length, choices: as in `clip_indices`.
        generator: draws one of the `choices` of each part (training); None takes the middle one.

    Returns:
        int64 (length,), ascending.
    """
    start = choices * np.arange(length, dtype=np.int64)
    if generator is None or choices == 1:
        return start + _middle(choices)
    return start + generator.integers(choices, size=length)


def _middle(choices: int) -> int:
    """Which of the frames that are kept of a part is its middle one."""
    return (choices - 1) // 2
