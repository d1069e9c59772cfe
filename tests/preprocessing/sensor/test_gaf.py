"""Gramian angular fields against pyts (stored values), against trigonometry, and in their gradients."""

import io
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from vskd.errors import DataError, SettingError
from vskd.preprocessing.sensor import gaf
from vskd.preprocessing.sensor.gaf import GramianAngularField, segment_bounds, segment_members

FIXTURE = Path(__file__).parents[2] / "preprocessing" / "fixtures" / "gaf_pyts.npz"
SHAPES = ("128_64", "64_64", "100_32", "37_16", "16_16", "9_2")
METHODS = {"gasf": "summation", "gadf": "difference"}


def windows(batch: int, axes: int, samples: int, scale: float = 2.0) -> torch.Tensor:
    return scale * torch.randn(batch, axes, samples, generator=torch.Generator().manual_seed(samples))


def naive(window: np.ndarray, method: str, scaling: str, limit: float, size: int) -> np.ndarray:
    """Segment means, scaling, arccos, cos and sin, one pixel at a time."""
    samples = window.shape[1]
    fields: dict[str, list[list[list[float]]]] = {"gasf": [], "gadf": []}
    for axis in window.astype(np.float64):
        bounds = [int(k * samples / size) for k in range(size + 1)]
        means = [axis[a:b].mean() for a, b in itertools.pairwise(bounds)]
        low, high = min(means), max(means)
        if scaling == "fixed":
            scaled = [max(-1.0, min(1.0, m / limit)) for m in means]
        else:
            scaled = [-1.0 if high == low else 2 * (m - low) / (high - low) - 1 for m in means]
        phi = [math.acos(max(-1.0, min(1.0, y))) for y in scaled]
        fields["gasf"].append([[math.cos(a + b) for b in phi] for a in phi])
        fields["gadf"].append([[math.sin(a - b) for b in phi] for a in phi])
    return np.concatenate([np.array(fields[part]) for part in method.split("+")])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("method", METHODS)
def test_agrees_with_pyts(shape: str, method: str) -> None:
    """Noise, rest under gravity, saturated motion and a constant; sizes that divide, are equal, do not divide."""
    stored = np.load(FIXTURE)
    series, wanted = stored[f"{shape}_series"], stored[f"{shape}_{METHODS[method]}"]
    module = GramianAngularField(method, "minmax", image_size=int(shape.split("_")[1]))
    for batched in (torch.from_numpy(series)[None], torch.from_numpy(series)[:, None]):  # as axes, and as windows
        images = module(batched).reshape(wanted.shape)
        np.testing.assert_allclose(images.numpy(), wanted, atol=1e-6, rtol=0)


@pytest.mark.parametrize("scaling", gaf.SCALINGS)
@pytest.mark.parametrize("method", gaf.METHODS)
@pytest.mark.parametrize(("samples", "size"), [(24, 12), (12, 12), (25, 12), (13, 12), (5, 1), (40, 7)])
def test_agrees_with_trigonometry(method: str, scaling: str, samples: int, size: int) -> None:
    batch = windows(3, 2, samples)
    batch[1, 0] = 0.7  # a constant axis
    batch[2, 1] = batch[2, 1].sign() * 9  # beyond the limit, everywhere at an end
    images = GramianAngularField(method, scaling, 4.0, size)(batch)
    assert images.shape == (3, 2 * len(method.split("+")), size, size)
    assert images.dtype == torch.float32
    for window, image in zip(batch, images, strict=True):
        wanted = naive(window.numpy(), method, scaling, 4.0, size)
        np.testing.assert_allclose(image.numpy(), wanted, atol=1e-6)


@pytest.mark.parametrize("samples", [64, 128, 100])
def test_symmetries(samples: int) -> None:
    images = GramianAngularField("gasf+gadf", "minmax", image_size=32)(windows(4, 3, samples))
    summation, difference = images[:, :3], images[:, 3:]
    torch.testing.assert_close(summation, summation.mT, atol=1e-6, rtol=0)
    torch.testing.assert_close(difference, -difference.mT, atol=1e-6, rtol=0)
    assert images.abs().max() <= 1 + 1e-6


@pytest.mark.parametrize("precision", gaf.PRECISIONS)
@pytest.mark.parametrize(("samples", "size"), [(128, 64), (100, 32), (37, 16), (64, 64)])
def test_a_constant_axis_stays_constant_whatever_its_value(samples: int, size: int, precision: str) -> None:
    """The means of segments of different length differ by rounding, which min-max scaling would blow up to [-1, 1]."""
    values = torch.cat([windows(200, 1, 1), torch.tensor([0.0, 1e-30, 1e8, -3e30]).view(-1, 1, 1)])
    module = GramianAngularField("gasf+gadf", "minmax", image_size=size, precision=precision)
    images = module(values.expand(-1, 1, samples))
    tolerance = 1e-6 if precision == "exact" else 1e-3  # the root of float32's rounding
    torch.testing.assert_close(images[:, 0], torch.ones(204, size, size), atol=tolerance, rtol=0)
    torch.testing.assert_close(images[:, 1], torch.zeros(204, size, size), atol=tolerance, rtol=0)


def test_fixed_scaling_keeps_what_minmax_removes() -> None:
    batch = windows(1, 1, 32, scale=0.3)
    for scaling, same in (("minmax", True), ("fixed", False)):
        module = GramianAngularField("gasf", scaling, 4.0, 16)
        changed = torch.allclose(module(batch), module(2 * batch + 0.5), atol=1e-5)
        assert changed is same


@pytest.mark.parametrize("scaling", gaf.SCALINGS)
@pytest.mark.parametrize("method", gaf.METHODS)
def test_single_precision_is_close(method: str, scaling: str) -> None:
    batch = windows(5, 3, 100)
    exact = GramianAngularField(method, scaling, 4.0, 32)(batch)
    single = GramianAngularField(method, scaling, 4.0, 32, precision="float32")(batch)
    torch.testing.assert_close(single, exact, atol=1e-4, rtol=0)


@pytest.mark.parametrize("scaling", gaf.SCALINGS)
@pytest.mark.parametrize("method", gaf.METHODS)
@pytest.mark.parametrize(("samples", "size"), [(32, 16), (16, 16), (33, 16)])
def test_the_fast_way_is_the_plain_way(
    method: str, scaling: str, samples: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without gradients images are made in blocks and in place; blocks of 3 windows and of 2 images must not show."""
    monkeypatch.setattr(gaf, "ANGLE_BLOCK", 3)
    monkeypatch.setattr(gaf, "FIELD_BYTES", 2 * 2 * len(method.split("+")) * size * size * 4)
    module = GramianAngularField(method, scaling, 2.0, size)
    batch = windows(8, 2, samples)
    batch[4, 1] = -0.3
    plain = module(batch.clone().requires_grad_()).detach()
    before = batch.clone()
    fast = module(batch)
    torch.testing.assert_close(fast, plain, atol=2e-7, rtol=0)
    assert torch.equal(batch, before)
    out = torch.full_like(fast, torch.nan)
    assert module(batch, out=out) is out
    assert torch.equal(out, fast)
    assert torch.equal(module(batch.double()), fast)
    assert torch.equal(torch.stack([module(window[None])[0] for window in batch]), fast)


def test_autocast_does_not_reach_the_encoding() -> None:
    module = GramianAngularField("gasf+gadf", "minmax", image_size=32)
    batch = windows(2, 3, 64)
    plain = module(batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(module(batch), plain, atol=1e-6, rtol=0)
        torch.testing.assert_close(module(batch.clone().requires_grad_()).float(), plain, atol=1e-6, rtol=0)


@pytest.mark.parametrize("scaling", gaf.SCALINGS)
@pytest.mark.parametrize("precision", gaf.PRECISIONS)
def test_gradients_are_finite_at_the_ends(scaling: str, precision: str) -> None:
    """The root's derivative is infinite where a sample is at the limit, and the smallest and largest always are."""
    ends = torch.tensor([4.0, -4.0, 5.0, -5.0, 0.0, 1.0, 4.0, 3.9999998])
    batch = torch.stack([ends, torch.full((8,), 4.0), torch.zeros(8)])[None].requires_grad_()
    GramianAngularField("gasf+gadf", scaling, 4.0, 8, precision=precision)(batch).square().sum().backward()
    assert batch.grad is not None
    assert torch.isfinite(batch.grad).all()


@pytest.mark.parametrize("scaling", gaf.SCALINGS)
def test_gradients_against_finite_differences(scaling: str) -> None:
    module = GramianAngularField("gasf+gadf", scaling, 4.0, 5)
    batch = windows(1, 2, 10, scale=1.0)
    weights = torch.randn(1, 4, 5, 5, generator=torch.Generator().manual_seed(1))
    inside = batch.clone().requires_grad_()
    (module(inside) * weights).sum().backward()
    assert inside.grad is not None
    step = 1e-2
    # a sample that decides the minimum or maximum has a kink; the others' derivative is smooth
    means = batch.unflatten(-1, (5, 2)).mean(-1)
    smooth = (means != means.amin(-1, keepdim=True)) & (means != means.amax(-1, keepdim=True))
    for axis, segment in smooth[0].nonzero().tolist():
        shift = torch.zeros_like(batch)
        shift[0, axis, 2 * segment] = step
        wanted = ((module(batch + shift) - module(batch - shift)) * weights).sum() / (2 * step)
        assert inside.grad[0, axis, 2 * segment].item() == pytest.approx(wanted.item(), rel=0.05, abs=0.02)


@pytest.mark.parametrize("scaling", gaf.SCALINGS)
def test_the_encoding_can_be_exported(scaling: str) -> None:
    """A program without Python gives the same images; it holds the plain formulas, not the blocks of the fast way."""
    module = GramianAngularField("gasf+gadf", scaling, 4.0, 16, precision="float32").eval()
    example = windows(1, 3, 40)
    program = torch.export.export(module, (example,))
    assert "addcmul" not in str(program.graph)
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    buffer.seek(0)
    other = windows(1, 3, 40).flip(-1) * 0.7
    torch.testing.assert_close(torch.export.load(buffer).module()(other), module(other), atol=1e-6, rtol=0)


@pytest.mark.parametrize(("samples", "segments"), [(128, 64), (100, 32), (37, 16), (5, 5), (9, 1)])
def test_segments_cover_every_sample_once(samples: int, segments: int) -> None:
    bounds = segment_bounds(samples, segments)
    assert (bounds[0], bounds[-1], len(bounds)) == (0, samples, segments + 1)
    assert set(np.diff(bounds)) <= {samples // segments, -(-samples // segments)}
    members, counts = segment_members(samples, segments)
    np.testing.assert_array_equal(members.sum(axis=1), np.ones(samples))
    np.testing.assert_array_equal(members.sum(axis=0), counts)


def test_a_window_shorter_than_the_image_is_refused() -> None:
    for batch in (windows(1, 3, 15), windows(1, 3, 15).requires_grad_()):
        with pytest.raises(DataError, match="15 samples cannot become an image of size 16"):
            GramianAngularField("gasf", "minmax", image_size=16)(batch)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"method": "gosf"}, "encoding.method"),
        ({"scaling": "max"}, "encoding.scaling"),
        ({"precision": "half"}, "encoding.precision"),
        ({"limit": 0.0}, "encoding.limit"),
        ({"limit": -1.0}, "encoding.limit"),
        ({"limit": float("nan")}, "encoding.limit"),
        ({"limit": float("inf")}, "encoding.limit"),
        ({"image_size": 0}, "encoding.image_size"),
    ],
)
def test_bad_settings_are_named(settings: dict[str, object], field: str) -> None:
    with pytest.raises(SettingError, match=field):
        GramianAngularField(**settings)  # type: ignore[arg-type]


def test_the_fixture_is_small_and_of_the_version_we_name() -> None:
    assert FIXTURE.stat().st_size < 300 * 1024
    assert str(np.load(FIXTURE)["pyts_version"]) == "0.14.1"


def test_what_holds_where_nothing_is_said() -> None:
    plain = GramianAngularField()
    assert (plain.method, plain.scaling, plain.limit, plain.image_size) == ("gasf", "minmax", 4.0, 64)
    assert (plain.precision, plain.kind, GramianAngularField("gasf+gadf").out_channels(5)) == ("exact", "image", 10)
    assert GramianAngularField(image_size=1).image_size == 1


@pytest.mark.parametrize(("span", "constant"), [(0.7e-6, True), (1.5e-6, False)])
def test_means_that_differ_by_a_millionth_are_rounding_in_single_precision(span: float, constant: bool) -> None:
    window = torch.tensor([[[1.0, 1.0, 1 + span, 1 + span]]])
    image = GramianAngularField("gasf", image_size=2, precision="float32")(window)
    assert torch.allclose(image, torch.ones_like(image)) == constant
    exact = GramianAngularField("gasf", image_size=2)(window)
    assert exact[0, 0].tolist() == [pytest.approx([1, -1]), pytest.approx([-1, 1])]


def test_the_sine_of_an_end_is_a_ten_millionth() -> None:
    """So that its derivative is finite: between both ends the difference field is twice that, not 0."""
    for batch in (torch.tensor([[[4.0, -4.0]]]), torch.tensor([[[4.0, -4.0]]], requires_grad=True)):
        image = GramianAngularField("gadf", "fixed", 4.0, 2)(batch).detach()
        assert image[0, 0, 0, 1].item() == pytest.approx(-2e-7, rel=0.01)


@pytest.mark.parametrize("scaling", gaf.SCALINGS)
@pytest.mark.parametrize("precision", gaf.PRECISIONS)
@pytest.mark.parametrize("samples", [16, 21])
def test_images_are_made_where_the_windows_are(samples: int, precision: str, scaling: str) -> None:
    """Nothing that the module makes itself stays behind on the processor."""
    module = GramianAngularField("gasf+gadf", scaling, 2.0, 16, precision)
    images = module(torch.empty(2, 3, samples, device="meta"))
    assert (images.device.type, images.shape, images.dtype) == ("meta", (2, 6, 16, 16), torch.float32)
