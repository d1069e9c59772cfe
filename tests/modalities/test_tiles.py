"""Contact sheets of encoded windows and frames."""

import io

import numpy as np
import pytest
from PIL import Image

from vskd.errors import DataError
from vskd.modalities.tiles import frame_tiles, gaf_tiles, heat_tiles


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


def test_heat_tiles_brighten_only_where_something_speaks() -> None:
    images = np.full((3, 8, 8, 1), 0.5, dtype=np.float32)
    heat = np.zeros((3, 8, 8), dtype=np.float32)
    cold = heat_tiles(images, heat, ["a", "b", "c"])
    heat[1, :4] = 1
    warm = heat_tiles(images, heat, ["a", "b", "c"])
    first, second = (np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int) for png in (cold, warm))
    changed = np.abs(first - second).sum(axis=2) > 0
    assert 0 < changed.mean() < 0.25
    third = changed.shape[1] // 3
    assert not changed[:, :third].any() and not changed[:, -third:].any()


@pytest.mark.parametrize(("heat", "captions"), [((2, 8, 8), 3), ((3, 8, 9), 3), ((3, 8, 8), 2)])
def test_heat_tiles_that_do_not_fit_are_refused(heat: tuple[int, ...], captions: int) -> None:
    with pytest.raises(DataError, match="do not fit images of shape"):
        heat_tiles(np.zeros((3, 8, 8, 3), np.float32), np.zeros(heat, np.float32), ["x"] * captions)
