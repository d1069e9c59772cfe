"""Whole clips cut to their figure: from files, and what is refused with the file's name."""

from pathlib import Path

import numpy as np
import pytest

from tests.preprocessing.stores.test_frame_store import pictures, write_video
from vskd.errors import DataError
from vskd.preprocessing.video.chosen import ClipCut, chosen_frames
from vskd.preprocessing.video.figure import figure_frames
from vskd.preprocessing.video.foreground import crop_to_foreground
from vskd.preprocessing.video.frames import read_frames
from vskd.preprocessing.video.projections import project


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
