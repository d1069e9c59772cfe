"""Synthetic golden pictures: whole grey values of the contract's shape that use the range, and are nobody's."""

import numpy as np
import pytest

from vskd.bundle.contract import ImageContract
from vskd.bundle.golden_images import CONTRASTS, synthetic_images


def contract(channels: int = 3, size: int = 24) -> ImageContract:
    return ImageContract(stream="image", size=size, channels=channels, crop="full")


@pytest.mark.parametrize("channels", [1, 3])
def test_shape_values_and_range(channels: int) -> None:
    pictures = synthetic_images(contract(channels))
    assert [name for name, _ in pictures] == [f"synthetic-{n}" for n in range(len(CONTRASTS))]
    for contrast, (_, pixels) in zip(CONTRASTS, pictures, strict=True):
        assert pixels.shape == contract(channels).window_shape == (channels, 576)
        assert pixels.dtype == np.float32
        assert (pixels == pixels.round()).all()
        assert np.ptp(pixels, axis=1) == pytest.approx([255 * contrast] * channels, abs=1.1)
        assert pixels.min() >= 0 and pixels.max() <= 255


def test_smooth_and_not_the_same_in_every_channel() -> None:
    picture = synthetic_images(contract(size=64))[-1][1].reshape(3, 64, 64)
    assert np.abs(np.diff(picture, axis=1)).max() < 130
    assert not np.array_equal(picture[0], picture[1])


def test_the_pictures_stay_what_they_are() -> None:
    """Two bundles of one contract have the same pictures, whatever version made them."""
    dull, full = (pixels[0, :8] for _, pixels in synthetic_images(contract(channels=1, size=8)))
    np.testing.assert_allclose(dull, [105, 130, 134, 121, 107, 129, 99, 117], atol=1)
    np.testing.assert_allclose(full, [138, 153, 191, 134, 123, 62, 140, 127], atol=1)


def test_seeded() -> None:
    one, two, other = (synthetic_images(contract(), seed)[0][1] for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)
