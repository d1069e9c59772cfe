"""Contact sheets of encoded windows and frames."""

import io

import numpy as np
import pytest
from PIL import Image

from vskd.errors import DataError
from vskd.evaluation.tiles import frame_tiles, gaf_tiles


def size(png: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(png)).size


def test_gaf_tiles_have_a_row_per_window_and_a_column_per_channel() -> None:
    image = np.zeros((3, 16, 16), np.float32)
    one, two = gaf_tiles({"wave · a1": image}), gaf_tiles({"wave · a1": image, "squat · a2": image})
    six = gaf_tiles({"wave · a1": np.zeros((6, 16, 16), np.float32)}, tuple("abcdef"))
    assert size(two)[1] > 1.6 * size(one)[1]
    assert size(six)[0] > 1.5 * size(one)[0]


@pytest.mark.parametrize("channels", [1, 3])
def test_frames_keep_their_brightness(channels: int) -> None:
    clip = np.full((8, 60, 80, channels), 100, np.uint8)
    picture = np.asarray(Image.open(io.BytesIO(frame_tiles({"wave · a1": clip}))).convert("L"))
    assert (picture == 100).mean() > 0.3  # shown as they are, not stretched to the full range


@pytest.mark.parametrize(
    "frames",
    [
        {},
        {"a": np.zeros((8, 60, 80), np.uint8)},
        {"a": np.zeros((8, 4, 4, 3), np.uint8), "b": np.zeros((4, 4, 4, 3), np.uint8)},
        {"a": np.zeros((0, 4, 4, 3), np.uint8)},
    ],
)
def test_unequal_or_no_frames_are_refused(frames: dict[str, np.ndarray]) -> None:
    with pytest.raises(DataError, match="Tiles need arrays of 4 dimensions"):
        frame_tiles(frames)
