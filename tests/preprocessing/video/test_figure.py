"""Whole clips cut to their figure: from files, and what is refused with the file's name."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from tests.preprocessing.stores.test_frame_store import pictures, write_video
from vskd.errors import DataError
from vskd.preprocessing.video.chosen import ClipCut, chosen_frames
from vskd.preprocessing.video.depth import depth_to_grey
from vskd.preprocessing.video.figure import figure_frames
from vskd.preprocessing.video.foreground import crop_to_foreground
from vskd.preprocessing.video.frames import Span, read_frames
from vskd.preprocessing.video.projections import project
from vskd.preprocessing.video.sampling import clip_indices


def test_frames_are_those_of_the_whole_clip(tmp_path: Path) -> None:
    path = write_video(tmp_path / "grey.mp4", pictures(6, colour=False))
    whole = np.stack(list(read_frames(path, size=None)))
    np.testing.assert_array_equal(figure_frames(path, 24, "foreground"), crop_to_foreground(whole, 24))
    np.testing.assert_array_equal(figure_frames(path, 24, "projections"), project(whole, 24))
    frames, count = chosen_frames(path, ClipCut(3, 24, 24, "projections"))
    assert count == 6
    np.testing.assert_array_equal(frames, project(whole, 24)[[0, 2, 4]])


def test_a_video_with_colours_has_no_projections(tmp_path: Path) -> None:
    path = write_video(tmp_path / "colours.mp4", pictures(6, colour=True))
    with pytest.raises(DataError, match=r"colours\.mp4: Views from the side.*choose the depth stream"):
        figure_frames(path, 24, "projections")


def test_the_array_and_the_part_that_are_named(tmp_path: Path) -> None:
    depth = np.zeros((20, 30, 6), np.uint16)
    for number in range(6):
        depth[5:15, 4 + 2 * number : 12 + 2 * number, number] = 2000 + 100 * number
    savemat(tmp_path / "clip.mat", {"other": np.full((20, 30, 6), 3000, np.uint16), "d_depth": depth})
    whole = np.repeat(depth_to_grey(depth).transpose(2, 0, 1)[..., None], 3, axis=3)
    found = figure_frames(tmp_path / "clip.mat", 16, "foreground", "d_depth")
    np.testing.assert_array_equal(found, crop_to_foreground(whole, 16))
    part = Span(0.2, 0.5, 10.0)
    for fit, view in (("foreground", crop_to_foreground), ("projections", project)):
        found = figure_frames(tmp_path / "clip.mat", 16, fit, "d_depth", part)  # type: ignore[arg-type]
        np.testing.assert_array_equal(found, view(whole[2:5], 16))
        cut = ClipCut(2, 16, 16, fit)  # type: ignore[arg-type]
        frames, count = chosen_frames(tmp_path / "clip.mat", cut, "d_depth", part)
        assert count == 3
        np.testing.assert_array_equal(frames, found[clip_indices(3, 2, "spread", 1)])
