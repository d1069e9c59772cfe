"""What `sync.csv` cuts off is seen by no modality."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.modalities.conftest import inputs
from vskd.modalities.base import Source
from vskd.preprocessing.sync.cut import Cut

HALF_S = Cut(0.2, 0.7)


def one_cut(source: Source, stream: str, cache: Path) -> tuple[Source, str, str]:
    """Two recordings of the source, the first cut to half a second, and their names."""
    first, second, *_ = source.recordings
    recording = source.recordings[first]
    streams = {**recording.streams, stream: replace(recording.streams[stream], cut=HALF_S)}
    cut = {first: replace(recording, streams=streams), second: source.recordings[second]}
    return replace(source, recordings=cut, cache=cache), first, second


def test_frames_and_skeletons_and_windows(world: Source, bodies: Source, tmp_path: Path) -> None:
    def made(source: Source, modality: str, stream: str, **settings: Any) -> tuple[Any, Any, str, str]:
        cut, first, second = one_cut(source, stream, tmp_path / modality)
        return inputs(source, modality, stream, **settings), inputs(cut, modality, stream, **settings), first, second

    whole, cut, first, second = made(world, "frames", "rgb", size=32, segments=3)
    rate = cut.store.rate_hz(first)
    assert abs(cut.store.num_frames(first) - 0.5 * rate) <= 1 < whole.store.num_frames(first) - 0.5 * rate
    assert cut.store.num_frames(second) == whole.store.num_frames(second)
    assert cut.hash != whole.hash

    whole, cut, first, second = made(bodies, "skeleton", "skeleton", length=16)
    np.testing.assert_array_equal(cut.store.joints(second), whole.store.joints(second))
    assert not np.allclose(cut.store.joints(first), whole.store.joints(first))

    whole, cut, first, second = made(world, "window", "accelerometer", length=32)
    assert cut.store.num_samples(first) == pytest.approx(25, abs=1) and whole.store.num_samples(first) > 26
    assert cut.store.num_samples(second) == whole.store.num_samples(second)
