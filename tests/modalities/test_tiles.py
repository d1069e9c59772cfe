"""Contact sheets of encoded windows and frames."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vskd.errors import DataError
from vskd.modalities import tiles
from vskd.modalities.figures import INK, MUTED
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


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles are given as figures."""
    monkeypatch.setattr(tiles, "to_png", lambda figure: figure)


def shown(figure: Any) -> list[tuple[str, str, list[tuple[np.ndarray, tuple[float, float]]]]]:
    """Title, caption, and images with their range, of each tile."""
    return [
        (ax.get_title(), ax.get_ylabel(), [(np.asarray(i.get_array()), i.get_clim()) for i in ax.get_images()])
        for ax in figure.axes
    ]


@pytest.mark.usefixtures("drawn")
def test_gaf_tiles_show_channel_by_channel_between_minus_one_and_one() -> None:
    images = {f"wave · a{n}": np.full((2, 4, 4), n / 10, np.float32) + np.arange(2)[:, None, None] for n in (1, 2)}
    found = shown(gaf_tiles(images, ("x", "y")))
    assert [title for title, *_ in found] == ["x", "y", "", ""]
    assert [caption for _, caption, _ in found] == ["wave\na1", "", "wave\na2", ""]
    for number, (_, _, ((picture, limits),)) in enumerate(found):
        row, channel = divmod(number, 2)
        np.testing.assert_array_equal(picture, list(images.values())[row][channel])
        assert limits == (-1, 1)
    assert shown(gaf_tiles(images))[1][0] == "channel 1"


@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize("channels", [1, 3])
def test_frame_tiles_show_segment_by_segment(channels: int) -> None:
    clips = {
        f"a{n}": np.full((3, 4, 6, channels), 10 * n, np.uint8) + np.arange(3, dtype=np.uint8)[:, None, None, None]
        for n in (1, 2)
    }
    found = shown(frame_tiles(clips))
    assert [title for title, *_ in found] == ["segment 1", "segment 2", "segment 3", "", "", ""]
    for number, (_, _, ((picture, limits),)) in enumerate(found):
        row, index = divmod(number, 3)
        frame = list(clips.values())[row][index]
        np.testing.assert_array_equal(picture, frame[..., 0] if channels == 1 else frame)
        assert channels == 3 or limits == (0, 255)


@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize(("count", "tiles_drawn"), [(2, 2), (6, 6), (7, 12)])
def test_heat_lies_over_its_image_six_in_a_row(count: int, tiles_drawn: int) -> None:
    images = np.random.default_rng(0).random((count, 4, 4, 3)).astype(np.float32)
    heat = np.random.default_rng(1).random((count, 4, 4)).astype(np.float32)
    found = shown(heat_tiles(images, heat, [f"c{n}" for n in range(count)]))
    assert len(found) == tiles_drawn
    for number, (title, _, ((picture, _), (over, limits))) in enumerate(found[:count]):
        assert title == f"c{number}"
        np.testing.assert_array_equal(picture, images[number])
        np.testing.assert_array_equal(over, heat[number])
        assert limits == (0, 1)
    assert len(shown(heat_tiles(images[:2], heat[:2], ["a", "b"], columns=1))) == 2


def test_no_images_are_refused() -> None:
    with pytest.raises(DataError, match="do not fit images of shape"):
        heat_tiles(np.zeros((0, 8, 8, 3), np.float32), np.zeros((0, 8, 8), np.float32), [])


@pytest.mark.usefixtures("drawn")
def test_tiles_have_their_size_and_no_marks() -> None:
    for figure, size, count in (
        (gaf_tiles({"a": np.zeros((2, 4, 4), np.float32), "b": np.zeros((2, 4, 4), np.float32)}), (4.3, 3.05), 4),
        (frame_tiles({"a": np.zeros((3, 4, 8, 1), np.uint8)}), (5.35, 0.975), 3),
        (heat_tiles(np.zeros((7, 4, 4, 1), np.float32), np.zeros((7, 4, 4), np.float32), ["x"] * 7), (9.3, 3.9), 12),
    ):
        made: Any = figure
        assert made.get_size_inches().tolist() == pytest.approx(size) and len(made.axes) == count
        for ax in made.axes:
            assert not len(ax.get_xticks()) and not len(ax.get_yticks())
            assert not any(spine.get_visible() for spine in ax.spines.values())


@pytest.mark.usefixtures("drawn")
def test_heat_hides_nothing_where_nothing_speaks() -> None:
    images = np.random.default_rng(0).random((1, 4, 4, 1)).astype(np.float32)
    heat = np.linspace(0, 1, 16, dtype=np.float32).reshape(1, 4, 4)
    figure: Any = heat_tiles(images, heat, ["a"])
    below, over = figure.axes[0].get_images()
    np.testing.assert_array_equal(below.get_array(), images[0, ..., 0])
    np.testing.assert_allclose(over.get_alpha(), 0.7 * heat[0])
    assert below.get_clim() == (0, 1)


@pytest.mark.parametrize("images", [{"a": np.zeros((2, 4), np.float32)}, {"a": np.zeros((0, 4, 4), np.float32)}])
def test_encoded_windows_of_other_dimensions_are_refused(images: dict[str, np.ndarray]) -> None:
    with pytest.raises(DataError, match=r"Tiles need arrays of 3 dimensions and equal first size, found: \("):
        gaf_tiles(images)
    with pytest.raises(DataError, match="found: none"):
        gaf_tiles({})


@pytest.mark.usefixtures("drawn")
def test_tiles_are_in_one_style() -> None:
    """Scales of colours, and small quiet words: captions at the left, titles above."""
    windows: Any = gaf_tiles({"a": np.zeros((2, 4, 4), np.float32)})
    frames: Any = frame_tiles({"a": np.zeros((2, 4, 4, 1), np.uint8)})
    heat: Any = heat_tiles(np.zeros((1, 4, 4, 1), np.float32), np.zeros((1, 4, 4), np.float32), ["a"])
    maps = [[image.get_cmap().name for image in figure.axes[0].get_images()] for figure in (windows, frames, heat)]
    assert maps == [["cividis"], ["gray"], ["gray", "inferno"]]
    assert windows.axes[0].get_images()[0].get_interpolation() == "nearest"
    for figure in (windows, frames):
        title, caption = figure.axes[0].title, figure.axes[0].yaxis.label
        assert (title.get_fontsize(), title.get_color()) == (8.5, MUTED)
        assert (caption.get_fontsize(), caption.get_color(), caption.get_rotation()) == (8.5, INK, 0)
        assert (caption.get_ha(), caption.get_va()) == ("right", "center")
    assert (heat.axes[0].title.get_fontsize(), heat.axes[0].title.get_color()) == (7.5, INK)
