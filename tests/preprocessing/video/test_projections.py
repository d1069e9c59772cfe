"""Views from the front, the side and above, against loops over single pixels."""

import numpy as np
import pytest

from vskd.errors import DataError
from vskd.preprocessing.video.foreground import THRESHOLD, crop_to_foreground
from vskd.preprocessing.video.projections import _halved, project

AHEAD, SPAN, FULL = 110, 160, 0.25

Grey = np.ndarray


def figure(frames: int = 3, distance: int = 120) -> Grey:
    """A body that stays and an arm that moves towards the camera; (frames, 30, 40, 1)."""
    clip = np.zeros((frames, 30, 40, 1), np.uint8)
    clip[:, 4:26, 16:24] = distance
    for number in range(frames):
        clip[number, 10:13, 24:28] = distance - 20 * number
    return clip


def naive(clip: Grey, size: int) -> Grey:
    edge = 2 * size
    depth = crop_to_foreground(clip, edge)[..., 0].astype(float)
    share = crop_to_foreground(np.where(clip > THRESHOLD, 255, 0).astype(np.uint8), edge)[..., 0] / 255
    for place in np.ndindex(depth.shape):
        depth[place] = np.rint(depth[place] / share[place]) if share[place] >= 0.5 else 0
    middle = float(np.median([d for d in depth.ravel() if d > 0]))
    fine = np.zeros((len(clip), edge, edge, 3))
    fine[..., 0] = depth
    for f, y, x in np.ndindex(depth.shape):
        if depth[f, y, x] > 0:
            away = int(min(max((depth[f, y, x] - middle + AHEAD) * edge // SPAN, 0), edge - 1))
            fine[f, y, away, 1] += 255 / (FULL * edge)
            fine[f, away, x, 2] += 255 / (FULL * edge)
    fine = np.minimum(fine, 255)
    small = (fine[:, ::2, ::2] + fine[:, 1::2, ::2] + fine[:, ::2, 1::2] + fine[:, 1::2, 1::2]) / 4
    return np.rint(small).astype(np.uint8)


def test_views_are_those_of_a_loop_over_pixels() -> None:
    clip = figure()
    made = project(clip, 12)
    assert made.shape == (3, 12, 12, 3) and made.dtype == np.uint8
    np.testing.assert_allclose(made.astype(int), naive(clip, 12).astype(int), atol=1)


def test_who_stands_farther_away_looks_the_same_from_the_side_and_above() -> None:
    near, far = project(figure(distance=100), 16), project(figure(distance=160), 16)
    assert (near[..., 0] != far[..., 0]).any()
    assert np.abs(near[..., 1:].astype(int) - far[..., 1:].astype(int)).mean() < 1  # depth is rounded


def test_an_arm_that_comes_nearer_moves_from_the_side() -> None:
    """20 grey values a frame, of 160 on 16 pixels: two pixels."""
    side = project(figure(), 16)[..., 1].astype(int)
    nearest = [int(np.flatnonzero(view.sum(axis=0))[0]) for view in side]
    assert nearest[0] > nearest[1] == nearest[2] + 2


def test_grey_in_three_channels_is_the_same_and_nothing_stays_nothing() -> None:
    clip = figure()
    assert np.array_equal(project(np.repeat(clip, 3, axis=3), 8), project(clip, 8))
    assert not project(np.zeros((2, 20, 20, 1), np.uint8), 8).any()


def test_colours_are_refused() -> None:
    clip = np.random.default_rng(0).integers(0, 255, (2, 20, 20, 3)).astype(np.uint8)
    with pytest.raises(DataError, match=r"need depth video, and this one has colours\. Set fit to 'centre-crop'"):
        project(clip, 8)


def test_noise_is_nothing_and_no_view_overflows() -> None:
    """Codec noise about the figure is cut away; a place that more of the figure falls on than it shows is white."""
    clean, noisy = figure(), figure()
    noisy[noisy == 0] = THRESHOLD
    np.testing.assert_array_equal(project(noisy, 12), project(clean, 12))
    for distance in (60, 160, 255):
        np.testing.assert_array_equal(project(figure(distance=distance), 12), naive(figure(distance=distance), 12))


@pytest.mark.parametrize("edge", [14, 64, 224])
def test_half_the_size_is_the_mean_of_four_to_the_last_bit(edge: int) -> None:
    """Stores of before are stores of today."""
    counts = np.random.default_rng(edge).integers(0, 30, (3, edge, edge))
    view = np.minimum(255, counts * (255 / (FULL * edge))).astype(np.float32)
    mean = view.reshape(3, edge // 2, 2, edge // 2, 2, 1).mean(axis=(2, 4))[..., 0]
    assert np.array_equal(_halved(view), np.rint(mean).astype(np.uint8))
