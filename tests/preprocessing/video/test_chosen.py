"""The frames of a clip that are chosen, against all of its frames decoded one after the other."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from tests.datasets.video.clips import write_clip
from vskd.errors import DataError
from vskd.preprocessing.video import chosen as module
from vskd.preprocessing.video.chosen import ClipCut, chosen_frames, pieces
from vskd.preprocessing.video.figure import figure_frames
from vskd.preprocessing.video.frames import Span, read_frames
from vskd.preprocessing.video.picture import Fit
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


@pytest.mark.parametrize("fit", ["centre-crop", "squash", "foreground", "projections"])
def test_every_fit_is_that_of_the_whole_clip(tmp_path: Path, fit: Fit) -> None:
    depth = np.zeros((20, 30, 7), np.uint16)
    depth[5:15, 4:12] = 2000 + 100 * np.arange(7)
    savemat(tmp_path / "clip.mat", {"other": np.full((20, 30, 7), 3000, np.uint16), "d_depth": depth})
    span = Span(0.1, 0.6, 10.0)
    if fit == "foreground" or fit == "projections":
        everything = figure_frames(tmp_path / "clip.mat", 16, fit, "d_depth", span)
    else:
        reader = read_frames(tmp_path / "clip.mat", size=16, variable="d_depth", fit=fit, span=span)
        everything = np.stack(list(reader))
    for sampling in ("spread", "reference"):
        cut = ClipCut(2, 16, 16, fit, sampling)
        frames, count = chosen_frames(tmp_path / "clip.mat", cut, "d_depth", span)
        assert count == 5
        np.testing.assert_array_equal(frames, everything[clip_indices(5, 2, sampling, 1)])
    with pytest.raises(DataError, match=r"clip\.mat: 5 frames are fewer than the 6"):
        chosen_frames(tmp_path / "clip.mat", ClipCut(6, 16, 16, fit, "reference"), "d_depth", span)


def test_what_is_checked_is_handed_on(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[object, object]] = []

    def spy(*args: object, threads: int, check: str, **named: object) -> tuple[np.ndarray, int]:
        seen.append((threads, check))
        return np.zeros((4, 8, 8, 3), np.uint8), 20

    monkeypatch.setattr(module, "read_chosen_frames", spy)
    chosen_frames(clip, ClipCut(4, 8, 8), threads=3, check="full")
    chosen_frames(clip, ClipCut(4, 8, 8))
    assert seen == [(3, "full"), (0, "used")]


def test_pieces_are_cut_as_they_are_told(clip: Path) -> None:
    """Squashed; three frames of each part; by the published sampling, whose last piece is too short."""
    squashed = np.stack(list(read_frames(clip, size=(24, 30), fit="squash")))
    for cut in (ClipCut(2, 24, 30, choices=3), ClipCut(6, 24, 30, sampling="reference")):
        found = list(pieces(clip, cut, 18, "squash"))
        assert [count for _, count in found] == [18, 2]
        for (frames, count), first in zip(found, (0, 18), strict=True):
            indices = np.minimum(clip_indices(count, cut.length, cut.sampling, cut.choices), count - 1)
            np.testing.assert_array_equal(frames, squashed[first : first + count][indices])
