"""One frame of each of several equal parts of a clip."""

import numpy as np
from numpy.typing import NDArray

from vskd.errors import DataError


def segment_indices(num_frames: int, segments: int, generator: np.random.Generator | None) -> NDArray[np.int64]:
    """One frame of each of `segments` equal parts of a clip, in order.

    Segment k covers the frames from floor(k n / K) up to floor((k + 1) n / K). Clips with fewer frames than segments
    repeat frames. Source: Wang et al., Temporal Segment Networks, ECCV 2016.

    Args:
        num_frames: length n of the clip, at least 1.
        segments: number K of parts, at least 1.
        generator: draws one frame per segment at random (training); None takes the middle frame (test).

    Returns:
        int64 (segments,), ascending, each in [0, num_frames).

    Raises:
        DataError: `num_frames` or `segments` is below 1.
    """
    if num_frames < 1 or segments < 1:
        raise DataError(
            f"Cannot take {segments} segments of a clip of {num_frames} frames",
            "Use clips with at least one frame and at least one segment",
        )
    bounds = np.arange(segments + 1, dtype=np.int64) * num_frames // segments
    start, stop = bounds[:-1], np.maximum(bounds[1:], bounds[:-1] + 1)
    if generator is None:
        return (start + stop - 1) // 2
    return generator.integers(start, stop, dtype=np.int64)
