"""Random changes of images: each switched on alone and compared with what it says it does."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from vskd.preprocessing.image.augment import ImageAugmentation, _grid

SWAP = (0, 2, 1)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(batch: int = 64, channels: int = 3, height: int = 24, width: int = 32) -> Tensor:
    return torch.rand(batch, channels, height, width, generator=generator(7))


def labels(batch: int = 64) -> Tensor:
    return torch.arange(batch) % 3


def test_all_zero_changes_nothing() -> None:
    images, classes = noise(), labels()
    source = generator()
    before = source.get_state()
    changed, same = ImageAugmentation()(images, classes, source)
    assert changed is images and same is classes
    assert torch.equal(source.get_state(), before)


EACH = [
    {"contrast": 0.4},
    {"gamma": 0.5},
    {"brightness": 0.3},
    {"crop": 0.3},
    {"rotation_deg": 15.0},
    {"flip": 0.5, "label_swap": SWAP},
    {"erase": 0.5},
    {"contrast": 0.2, "gamma": 0.2, "brightness": 0.1, "crop": 0.2, "rotation_deg": 8.0, "erase": 0.3},
]


@pytest.mark.parametrize("settings", EACH, ids=str)
def test_every_change_is_seeded_keeps_shape_range_and_input(settings: dict[str, float]) -> None:
    images, classes = noise(), labels()
    kept = images.clone()
    change = ImageAugmentation(**settings)  # type: ignore[arg-type]
    first, one = change(images, classes, generator(1))
    again, two = change(images, classes, generator(1))
    other, _ = change(images, classes, generator(2))
    assert torch.equal(first, again) and torch.equal(one, two)
    assert not torch.equal(first, other) and not torch.equal(first, images)
    assert torch.equal(images, kept) and torch.equal(classes, labels())
    assert first.shape == images.shape and first.dtype == torch.float32
    assert first.min() >= 0 and first.max() <= 1


@pytest.mark.parametrize("settings", EACH, ids=str)
def test_bytes_stay_bytes(settings: dict[str, float]) -> None:
    pixels = (noise() * 255).to(torch.uint8)
    change = ImageAugmentation(**settings)  # type: ignore[arg-type]
    changed, _ = change(pixels, labels(), generator())
    expected, _ = change(pixels.float() / 255, labels(), generator())
    assert changed.dtype == torch.uint8
    assert (changed.float() / 255 - expected).abs().max() <= 0.5 / 255 + 1e-6


def test_mirroring_swaps_the_label_of_the_mirrored_image_only() -> None:
    images, classes = noise(300), labels(300)
    changed, swapped = ImageAugmentation(flip=0.5, label_swap=SWAP)(images, classes, generator())
    mirrored = 0
    for before, after, label, now in zip(images, changed, classes, swapped, strict=True):
        if torch.equal(after, before):
            assert now == label
        else:
            assert torch.equal(after, before.flip(-1))
            assert now == SWAP[label]
            mirrored += 1
    assert 110 < mirrored < 190
    always, all_swapped = ImageAugmentation(flip=1.0, label_swap=SWAP)(images, classes, generator())
    assert torch.equal(always, images.flip(-1))
    assert all_swapped.tolist() == [SWAP[label] for label in classes]


def test_the_mirror_image_of_a_sample_without_a_label_has_none() -> None:
    """-1 counts from the end of a list of classes, and would become the class of another."""
    images, none = torch.rand(20, 3, 8, 8), torch.full((20,), -1)
    _, labels = ImageAugmentation(flip=1.0, label_swap=SWAP)(images, none, generator())
    assert torch.equal(labels, none)
    mixed = torch.tensor([0, -1, 1, -1])
    _, labels = ImageAugmentation(flip=1.0, label_swap=SWAP)(images[:4], mixed, generator())
    assert labels.tolist() == [SWAP[0], -1, SWAP[1], -1]


def test_mirroring_without_knowing_what_it_means_is_refused() -> None:
    with pytest.raises(ValueError, match="flip needs label_swap"):
        ImageAugmentation(flip=0.5)
    ImageAugmentation(flip=0.5, label_swap=(0, 1))


def test_brightness_shifts_all_pixels_alike() -> None:
    images = 0.4 + 0.2 * noise()
    changed, _ = ImageAugmentation(brightness=0.3)(images, labels(), generator())
    shift = (changed - images).flatten(1)
    torch.testing.assert_close(shift, shift[:, :1].expand_as(shift), atol=1e-6, rtol=0)
    assert shift.max() <= 0.3 and shift.min() >= -0.3
    assert shift[:, 0].std() == pytest.approx(0.3 / 3**0.5, rel=0.2), "uniform between the two ends"


def test_contrast_stretches_about_the_image_s_mean() -> None:
    images = 0.4 + 0.2 * noise()
    changed, _ = ImageAugmentation(contrast=0.5)(images, labels(), generator())
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    torch.testing.assert_close(changed.mean(dim=(1, 2, 3), keepdim=True), mean, atol=1e-5, rtol=0)
    gain = ((changed - mean) / (images - mean)).flatten(1).median(dim=1).values
    torch.testing.assert_close(changed, mean + gain.view(-1, 1, 1, 1) * (images - mean), atol=1e-5, rtol=0)
    assert 0.5 <= gain.min() < 0.7 and 1.3 < gain.max() <= 1.5


def test_gamma_is_a_power() -> None:
    images = 0.1 + 0.8 * noise()
    changed, _ = ImageAugmentation(gamma=0.6)(images, labels(), generator())
    power = (changed.log() / images.log()).flatten(1)
    torch.testing.assert_close(power, power[:, :1].expand_as(power), atol=1e-4, rtol=1e-4)
    assert power.min() >= np.exp(-0.6) - 1e-4 and power.max() <= np.exp(0.6) + 1e-4
    black = torch.zeros(4, 1, 8, 8)
    assert torch.equal(ImageAugmentation(gamma=0.6)(black, labels(4), generator())[0], black)


def ramp(height: int, width: int) -> Tensor:
    """Two channels that hold each pixel's own centre: x / width and y / height."""
    x = (torch.arange(width) + 0.5) / width
    y = (torch.arange(height) + 0.5) / height
    return torch.stack([x.expand(height, width), y.unsqueeze(1).expand(height, width)]).unsqueeze(0)


def test_cropping_shows_a_part_of_the_image_resized() -> None:
    images = ramp(40, 60).expand(200, -1, -1, -1)
    changed, _ = ImageAugmentation(crop=0.4)(images, labels(200), generator())
    inner = changed[:, :, 1:-1, 1:-1]  # bilinear interpolation repeats the outermost half pixel
    slope_x = (inner[:, 0, :, -1] - inner[:, 0, :, 0]) * 60 / 57
    slope_y = (inner[:, 1, -1] - inner[:, 1, 0]) * 40 / 37
    for slope in (slope_x, slope_y):
        torch.testing.assert_close(slope, slope[:, :1].expand_as(slope), atol=1e-4, rtol=0)
        assert slope.min() > 0.59 and 0.95 < slope.max() < 1.01
    places = inner[:, 0, 0].mean(dim=1)
    assert places.min() < 0.4 and places.max() > 0.6, "not only the middle"
    assert torch.equal(changed.clamp(0.5 / 60, 1), changed), "nothing from outside"


def test_rotation_keeps_angles_in_pixels() -> None:
    height, width = 40, 80
    images = ramp(height, width).expand(200, -1, -1, -1)
    changed, _ = ImageAugmentation(rotation_deg=20)(images, labels(200), generator())
    middle = changed[:, :, height // 2 - 5 : height // 2 + 5, width // 2 - 5 : width // 2 + 5]
    across = torch.stack([middle[:, 0, 5, 9] - middle[:, 0, 5, 0], middle[:, 1, 5, 9] - middle[:, 1, 5, 0]], dim=1)
    down = torch.stack([middle[:, 0, 9, 5] - middle[:, 0, 0, 5], middle[:, 1, 9, 5] - middle[:, 1, 0, 5]], dim=1)
    pixels = torch.tensor([width, height]) / 9
    across, down = across * pixels, down * pixels
    for steps in (across, down):
        torch.testing.assert_close(steps.norm(dim=1), torch.ones(200), atol=1e-3, rtol=0)
    torch.testing.assert_close((across * down).sum(dim=1), torch.zeros(200), atol=1e-3, rtol=0)
    angle = torch.rad2deg(torch.atan2(across[:, 1], across[:, 0]))
    assert -20.1 < angle.min() < -17 and 17 < angle.max() < 20.1


def test_erasing_fills_one_rectangle_with_the_mean() -> None:
    images = noise(200, 3, 60, 60)
    changed, _ = ImageAugmentation(erase=0.5)(images, labels(200), generator())
    touched = 0
    for before, after in zip(images, changed, strict=True):
        different = (before != after).all(dim=0)
        if not different.any():
            assert torch.equal(before, after)
            continue
        touched += 1
        rows, columns = different.any(dim=1), different.any(dim=0)
        assert torch.equal(different, rows.unsqueeze(1) & columns.unsqueeze(0))
        assert np.diff(np.flatnonzero(rows)).max(initial=1) == np.diff(np.flatnonzero(columns)).max(initial=1) == 1
        assert 0.015 < different.float().mean() < 0.21
        torch.testing.assert_close(after[:, different], before.mean().expand(3, int(different.sum())))
    assert 70 < touched < 130


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (2, 3, 9, 300)])
def test_any_shape(shape: tuple[int, ...]) -> None:
    change = ImageAugmentation(
        contrast=0.3, gamma=0.3, brightness=0.3, crop=0.3, rotation_deg=10, flip=0.5, erase=0.9, label_swap=SWAP
    )
    changed, _ = change(torch.rand(shape, generator=generator()), labels(shape[0]), generator())
    assert changed.shape == shape and torch.isfinite(changed).all()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 8), (32, 32)])
def test_grid_of_places_is_torch_s(height: int, width: int) -> None:
    affine = torch.randn(3, 2, 3, generator=generator())
    expected = functional.affine_grid(affine, [3, 1, height, width], align_corners=False)
    assert torch.allclose(_grid(affine, height, width), expected, atol=1e-5)


def test_erased_areas_are_two_to_twenty_per_cent() -> None:
    """Each is drawn: hardly a small one is missing, nor a large one; and rectangles are high or wide."""
    images = noise(400, 1, 60, 60)
    changed, _ = ImageAugmentation(erase=1.0)(images, labels(400), generator())
    covered = (images != changed)[:, 0]
    areas = covered.float().mean(dim=(1, 2))
    assert 0.015 < areas.min() < 0.03 and 0.18 < areas.max() < 0.21
    assert areas.mean().item() == pytest.approx(0.11, abs=0.01)
    heights, widths = covered.any(dim=2).sum(dim=1).float(), covered.any(dim=1).sum(dim=1).float()
    ratios = (heights / widths).log()
    assert 0.9 < -ratios.min() / np.log(3.3) < 1.3 and 0.9 < ratios.max() / np.log(3.3) < 1.2


def test_what_holds_where_nothing_is_said() -> None:
    assert ImageAugmentation().model_dump() == {
        **dict.fromkeys(("contrast", "gamma", "brightness", "crop", "rotation_deg", "flip", "erase"), 0.0),
        "label_swap": None,
    }
    assert not ImageAugmentation().active and not ImageAugmentation(label_swap=(1, 0)).active
    for settings in EACH:
        assert ImageAugmentation(**settings).active  # type: ignore[arg-type]


@pytest.mark.parametrize("swap", [(1, 0, 2), (2, 1, 0), (1, 2, 0)])
def test_every_class_becomes_that_of_its_mirror_image(swap: tuple[int, ...]) -> None:
    classes = torch.tensor([0, 1, 2, -1, 2, 0])
    _, found = ImageAugmentation(flip=1.0, label_swap=swap)(noise(6), classes, generator())
    assert found.tolist() == [swap[0], swap[1], swap[2], -1, swap[2], swap[0]] and found.dtype == torch.int64


def test_light_is_drawn_in_one_order_so_that_a_seed_says_it() -> None:
    """Exponent, distance to the mean, shift: each image has its own three numbers, uniform between the two ends."""
    images, same = 0.2 + 0.6 * noise(6), generator(3)
    change = ImageAugmentation(gamma=0.3, contrast=0.2, brightness=0.05)
    gamma, contrast, shift = (torch.rand(6, generator=same).double().numpy() * 2 - 1 for _ in range(3))
    for number, (before, after) in enumerate(zip(images, change(images, labels(6), generator(3))[0], strict=True)):
        expected = before.double().numpy() ** np.exp(0.3 * gamma[number])
        mean = expected.mean()
        expected = mean + (1 + 0.2 * contrast[number]) * (expected - mean) + 0.05 * shift[number]
        np.testing.assert_allclose(after.numpy(), np.clip(expected, 0, 1), atol=2e-6)


def test_the_camera_is_moved_in_one_order_so_that_a_seed_says_it() -> None:
    """Sizes, places, angles; the two channels tell where each pixel was read."""
    height, width, same = 40, 60, generator(4)
    found, _ = ImageAugmentation(crop=0.4, rotation_deg=20)(
        ramp(height, width).expand(8, -1, -1, -1), labels(8), generator(4)
    )
    sizes, places = 1 - 0.4 * torch.rand(8, 2, generator=same).numpy(), torch.rand(8, 2, generator=same).numpy()
    angles = np.radians(20) * (2 * torch.rand(8, generator=same).numpy() - 1)
    y, x = np.mgrid[:height, :width]
    # in pixels from the middle, where a rotation is one
    x, y = x + 0.5 - width / 2, y + 0.5 - height / 2
    for image, size, place, angle in zip(found.numpy(), sizes, places, angles, strict=True):
        middle = (1 - size) * (2 * place - 1) * (width / 2, height / 2)
        across = size[0] * np.cos(angle) * x - size[1] * np.sin(angle) * y + middle[0]
        down = size[0] * np.sin(angle) * x + size[1] * np.cos(angle) * y + middle[1]
        for channel, pixels, length in ((0, across, width), (1, down, height)):
            expected = np.clip(pixels / length + 0.5, 0.5 / length, 1 - 0.5 / length)
            np.testing.assert_allclose(image[channel], expected, atol=1e-4)


def test_what_is_in_the_way_is_drawn_in_one_order_so_that_a_seed_says_it() -> None:
    images, height, width = noise(40, 2, 30, 50), 30, 50
    found, _ = ImageAugmentation(erase=0.6)(images, labels(40), generator(6))
    chance, area, aspect, top, left = torch.rand(5, 40, 1, generator=generator(6)).double().numpy()[..., 0]
    expected = images.clone()
    for number in np.flatnonzero(chance < 0.6):
        share, ratio = 0.02 + 0.18 * area[number], 0.3 * 11 ** aspect[number]
        rows = min(max(round(np.sqrt(share * ratio) * height), 1), height)
        columns = min(max(round(np.sqrt(share / ratio) * width), 1), width)
        first, start = round(top[number] * (height - rows)), round(left[number] * (width - columns))
        expected[number, :, first : first + rows, start : start + columns] = images[number].mean()
    torch.testing.assert_close(found, expected)


def test_a_rectangle_fits_into_the_smallest_image() -> None:
    images = torch.rand(50, 3, 1, 2, generator=generator(1))
    found, _ = ImageAugmentation(erase=1.0)(images, labels(50), generator())
    changed = (found != images).all(dim=1).sum(dim=(1, 2))
    assert set(changed.tolist()) == {1, 2}
