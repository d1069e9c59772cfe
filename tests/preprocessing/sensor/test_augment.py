import math

import numpy as np
import pytest
import torch

from vskd.preprocessing.sensor.augment import WindowAugmentation, random_rotations

FULL = WindowAugmentation(rotation_deg=12, scale=0.1, jitter=0.02, time_warp=0.04, crop=0.1)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("shape", [(1, 3, 8), (5, 3, 128), (4, 6, 33)])
def test_shape_stays_and_values_are_finite(shape: tuple[int, int, int]) -> None:
    windows = torch.randn(shape, generator=generator(1))
    changed = FULL(windows, generator())
    assert changed.shape == windows.shape
    assert torch.isfinite(changed).all()
    assert not torch.equal(changed, windows)


def test_all_zero_changes_nothing() -> None:
    windows = torch.randn(4, 3, 50)
    assert torch.equal(WindowAugmentation()(windows, generator()), windows)


def test_same_generator_state_same_result() -> None:
    windows = torch.randn(4, 3, 50)
    assert torch.equal(FULL(windows, generator(7)), FULL(windows, generator(7)))
    assert not torch.equal(FULL(windows, generator(7)), FULL(windows, generator(8)))


def test_rotation_keeps_the_norm_of_every_sample() -> None:
    windows = torch.randn(6, 3, 40)
    turned = WindowAugmentation(rotation_deg=30)(windows, generator())
    torch.testing.assert_close(turned.norm(dim=1), windows.norm(dim=1))


def test_rotation_matrices_are_rotations_and_match_the_matrix_exponential() -> None:
    rotations = random_rotations(50, 0.5, generator(3))
    identity = torch.eye(3).expand(50, 3, 3)
    torch.testing.assert_close(rotations @ rotations.mT, identity, atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.linalg.det(rotations), torch.ones(50))
    axis = torch.nn.functional.normalize(torch.randn(50, 3, generator=generator(3)), dim=1)
    same = generator(3)
    torch.randn(50, 3, generator=same)
    angle = 0.5 * torch.randn(50, generator=same)
    cross = torch.linalg.cross(axis.unsqueeze(1).expand(-1, 3, -1), identity, dim=2).mT
    exponential = torch.linalg.matrix_exp(angle.view(-1, 1, 1) * cross)
    torch.testing.assert_close(rotations, exponential, atol=1e-5, rtol=0)


def test_rotation_angles_have_the_asked_deviation_in_degrees() -> None:
    """The trace of a rotation by an angle is 1 + 2 cos(angle); here the columns of the window are the unit vectors."""
    units = torch.eye(3).expand(4000, 3, 3)
    turned = WindowAugmentation(rotation_deg=20)(units, generator())
    trace = turned.diagonal(dim1=1, dim2=2).sum(dim=1)
    angles = torch.rad2deg(((trace - 1) / 2).clamp(-1, 1).acos())
    assert math.isclose(angles.square().mean().sqrt().item(), 20, rel_tol=0.05)


def test_time_warp_keeps_the_ends_and_the_values_in_range() -> None:
    ramp = torch.linspace(0, 1, 64).expand(8, 3, 64)
    warped = WindowAugmentation(time_warp=0.05)(ramp, generator())
    torch.testing.assert_close(warped[..., 0], ramp[..., 0])
    torch.testing.assert_close(warped[..., -1], ramp[..., -1], atol=1e-5, rtol=0)
    assert warped.min() >= 0
    assert warped.max() <= 1


def test_scale_is_one_gain_per_window() -> None:
    windows = torch.randn(5, 3, 20) + 3
    ratio = WindowAugmentation(scale=0.2)(windows, generator()) / windows
    torch.testing.assert_close(ratio, ratio[:, :1, :1].expand_as(ratio))
    assert ratio.std() > 0.01


def test_jitter_has_the_asked_deviation() -> None:
    noise = WindowAugmentation(jitter=0.3)(torch.zeros(50, 3, 1000), generator())
    assert math.isclose(noise.std().item(), 0.3, rel_tol=0.01)


def read_positions(**settings: float) -> torch.Tensor:
    """Where each of 4000 windows of 101 samples is read, as fractions of the window: (windows, samples)."""
    ramp = torch.linspace(0, 1, 101).expand(4000, 3, 101)
    return WindowAugmentation(**settings)(ramp, generator())[:, 0]


def test_crop_cuts_or_holds_the_asked_fraction_at_either_end() -> None:
    """A start is uniform between -0.3 and 1 times the fraction; what lies before the window is held."""
    found = read_positions(crop=0.2)
    start, end = found[:, 0], 1 - found[:, -1]
    for cut in (start, end):
        assert 0.19 < cut.max() <= 0.2 + 1e-5 and cut.min() == pytest.approx(0, abs=1e-5)
        assert (cut < 1e-5).float().mean().item() == pytest.approx(0.3 / 1.3, abs=0.03)
        assert cut.mean().item() == pytest.approx(0.2 * 0.5 / 1.3, abs=0.003)
    assert abs(torch.corrcoef(torch.stack([start, end]))[0, 1]) < 0.05
    steps = found.diff(dim=1)
    assert (steps > -1e-5).all() and (steps[start > 0.01].std(dim=1) < 0.05).all()


def test_a_warp_has_the_asked_deviation_in_the_middle() -> None:
    """At half of the window the slow wave is 1 and the fast one 0; at a quarter sin(pi/4) and 1/2."""
    found = read_positions(time_warp=0.05)
    assert (found[:, 50] - 0.5).std().item() == pytest.approx(0.05, rel=0.05)
    assert (found[:, 50] - 0.5).mean().item() == pytest.approx(0, abs=0.003)
    assert (found[:, 25] - 0.25).std().item() == pytest.approx(0.05 * (0.5 + 0.25) ** 0.5, rel=0.05)
    both = torch.corrcoef(torch.stack([found[:, 25] - 0.25, found[:, 75] - 0.75]))[0, 1].item()
    assert both == pytest.approx((0.5 - 0.25) / 0.75, abs=0.05)


def test_a_gain_has_the_asked_deviation_about_one() -> None:
    gain = WindowAugmentation(scale=0.2)(torch.ones(4000, 3, 8), generator())[:, 0, 0]
    assert (gain.mean().item(), gain.std().item()) == (pytest.approx(1, abs=0.01), pytest.approx(0.2, rel=0.05))


def test_sensors_of_one_place_turn_together_and_others_by_themselves() -> None:
    window = torch.randn(4, 3, 20)
    windows = torch.cat([window, window, window], dim=1)
    turned = WindowAugmentation(rotation_deg=30)(windows, generator(), ("wrist", "hip", "wrist"))
    first, second, third = turned.chunk(3, dim=1)
    assert torch.equal(first, third) and not torch.allclose(first, second, atol=1e-3)
    torch.testing.assert_close(first.norm(dim=1), window.norm(dim=1))
    alone = WindowAugmentation(rotation_deg=30)(window, generator())
    assert torch.equal(alone, first)


def test_what_is_no_three_axes_is_not_turned() -> None:
    windows = torch.randn(4, 4, 20)
    assert torch.equal(WindowAugmentation(rotation_deg=30)(windows, generator()), windows)
    assert torch.equal(WindowAugmentation(rotation_deg=30)(torch.ones(4, 6, 20), generator()), torch.ones(4, 6, 20))


@pytest.mark.parametrize("field", ["rotation_deg", "scale", "jitter", "time_warp", "crop"])
def test_one_change_is_a_change(field: str) -> None:
    assert WindowAugmentation(**{field: 0.1}).active and not WindowAugmentation().active


def test_between_samples_a_window_is_a_straight_line() -> None:
    """The first axis is a ramp, so it tells where the others were read; some of it is held at the very ends."""
    windows = torch.randn(400, 3, 9, generator=generator(1))
    windows[:, 0] = torch.arange(9)
    found = WindowAugmentation(time_warp=0.1, crop=0.3)(windows, generator()).numpy()
    assert (found[:, 0, 0] == 0).any() and (found[:, 0, -1] == 8).any() and found[:, 0].min() == 0
    for window, changed in zip(windows.numpy(), found, strict=True):
        for axis in (1, 2):
            np.testing.assert_allclose(changed[axis], np.interp(changed[0], np.arange(9), window[axis]), atol=2e-5)


def test_all_is_drawn_in_one_order_so_that_a_seed_says_it() -> None:
    """Pace, ends, a turn of each place in order, gain, noise: a training can be repeated."""
    windows, same = torch.randn(4, 6, 30, generator=generator(2)), generator(5)
    pace, ends = torch.randn(4, 2, 1, generator=same).numpy(), torch.rand(4, 2, generator=same).numpy()
    hip, wrist = random_rotations(4, math.radians(12), same), random_rotations(4, math.radians(12), same)
    gain, noise = torch.randn(4, 1, 1, generator=same), torch.randn(4, 6, 30, generator=same)
    time, expected = np.arange(30) / 29, np.empty((4, 6, 30))
    for number in range(4):
        slow, fast = 0.04 * pace[number, :, 0]
        warped = time + slow * np.sin(np.pi * time) + fast / 2 * np.sin(2 * np.pi * time)
        start, stop = 0.1 * (1.3 * ends[number] - 0.3)
        places = 29 * np.clip(start + (1 - stop - start) * warped, 0, 1)
        for axis in range(6):
            expected[number, axis] = np.interp(places, np.arange(30), windows[number, axis].numpy())
        expected[number, :3] = hip[number].numpy() @ expected[number, :3]
        expected[number, 3:] = wrist[number].numpy() @ expected[number, 3:]
    wanted = torch.from_numpy(expected) * (1 + 0.1 * gain) + 0.02 * noise
    torch.testing.assert_close(FULL(windows, generator(5), ("hip", "wrist")), wanted.float(), atol=1e-4, rtol=0)
