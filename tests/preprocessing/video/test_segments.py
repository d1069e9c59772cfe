"""Which frames a segment takes."""

import numpy as np
import pytest

from vskd.errors import DataError
from vskd.preprocessing.video.segments import segment_indices


@pytest.mark.parametrize("segments", [1, 3, 8])
@pytest.mark.parametrize("frames", [1, 5, 8, 9, 76, 1000])
def test_segments_random_and_middle(frames: int, segments: int) -> None:
    edges = [k * frames // segments for k in range(segments + 1)]
    middle = segment_indices(frames, segments, None)
    assert middle.dtype == np.int64
    assert np.array_equal(middle, segment_indices(frames, segments, None))
    generator = np.random.default_rng(0)
    drawn = np.stack([segment_indices(frames, segments, generator) for _ in range(200)])
    for k in range(segments):
        inside = set(range(edges[k], max(edges[k + 1], edges[k] + 1)))
        assert middle[k] in inside
        assert set(drawn[:, k]) <= inside
        if len(inside) <= 10:
            assert set(drawn[:, k]) == inside  # every frame has its turn
        assert abs(int(middle[k]) - (min(inside) + max(inside)) / 2) <= 0.5
    assert (np.diff(drawn, axis=1) >= 0).all()


@pytest.mark.parametrize(
    ("frames", "segments", "expected"),
    [(12, 3, [1, 5, 9]), (15, 3, [2, 7, 12]), (9, 5, [0, 1, 3, 5, 7]), (2, 4, [0, 0, 1, 1])],
)
def test_of_two_middle_frames_the_earlier_is_taken(frames: int, segments: int, expected: list[int]) -> None:
    assert segment_indices(frames, segments, None).tolist() == expected


def test_segments_are_those_of_the_seed() -> None:
    first = segment_indices(76, 8, np.random.default_rng(3))
    assert np.array_equal(first, segment_indices(76, 8, np.random.default_rng(3)))
    assert not np.array_equal(first, segment_indices(76, 8, np.random.default_rng(4)))


@pytest.mark.parametrize(("frames", "segments"), [(0, 8), (5, 0), (-1, 1)])
def test_no_frames_or_segments(frames: int, segments: int) -> None:
    with pytest.raises(DataError, match=f"{segments} segments of a clip of {frames} frames"):
        segment_indices(frames, segments, None)
