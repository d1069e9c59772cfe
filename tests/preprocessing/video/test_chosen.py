"""The frames of a clip that are chosen, against all of its frames decoded one after the other."""

from pathlib import Path

import numpy as np
import pytest

from tests.datasets.video.clips import write_clip
from vskd.errors import DataError
from vskd.preprocessing.video.chosen import ClipCut, chosen_frames, pieces
from vskd.preprocessing.video.frames import Span, read_frames
from vskd.preprocessing.video.sampling import ClipSampling, clip_indices


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """20 frames at 25 a second."""
    return write_clip(tmp_path / "clip.mp4")


def whole(path: Path, height: int, width: int) -> np.ndarray:
    return np.stack(list(read_frames(path, size=(height, width))))


@pytest.mark.parametrize(("sampling", "choices"), [("spread", 1), ("spread", 3), ("reference", 1)])
def test_they_are_those_of_the_whole_clip(clip: Path, sampling: ClipSampling, choices: int) -> None:
    cut = ClipCut(6, 24, 30, sampling=sampling, choices=choices)
    frames, count = chosen_frames(clip, cut)
    assert count == 20 and frames.shape == (6 * choices, 24, 30, 3)
    np.testing.assert_array_equal(frames, whole(clip, 24, 30)[clip_indices(20, 6, sampling, choices)])


def test_a_span_counts_its_own_frames(clip: Path) -> None:
    frames, count = chosen_frames(clip, ClipCut(3, 16, 16), span=Span(0.2, 0.6, 25.0))
    assert count == 10
    np.testing.assert_array_equal(frames, whole(clip, 16, 16)[5:15][clip_indices(10, 3, "spread", 1)])


def test_a_figure_is_cut_out_of_the_same_frames(clip: Path) -> None:
    frames, count = chosen_frames(clip, ClipCut(4, 16, 16, fit="foreground"))
    assert (count, frames.shape) == (20, (4, 16, 16, 3))


def test_a_short_clip_repeats_frames_or_is_refused_as_published(tmp_path: Path) -> None:
    short = write_clip(tmp_path / "short.mp4", frames=5)
    frames, count = chosen_frames(short, ClipCut(8, 16, 16))
    assert (count, len(frames)) == (5, 8)
    with pytest.raises(DataError, match=r"short\.mp4: 5 frames are fewer than the 8"):
        chosen_frames(short, ClipCut(8, 16, 16, sampling="reference"))


def test_a_long_video_comes_in_pieces_and_the_last_may_be_shorter(clip: Path) -> None:
    found = list(pieces(clip, ClipCut(4, 24, 30), 8, "centre-crop"))
    assert [count for _, count in found] == [8, 8, 4]
    everything = whole(clip, 24, 30)
    for number, (frames, count) in enumerate(found):
        part = everything[8 * number : 8 * number + count]
        np.testing.assert_array_equal(frames, part[clip_indices(count, 4, "spread", 1)])
