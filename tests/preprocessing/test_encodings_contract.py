"""What every encoding must do. An encoding that is added to the catalog is tested here by itself."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from vskd.bundle.contract import EncodingContract
from vskd.bundle.encode_numpy import encode
from vskd.errors import SettingError
from vskd.preprocessing.sensor.encodings import ENCODINGS, Encoding, build_encoding
from vskd.preprocessing.sensor.gaf import GramianAngularField
from vskd.preprocessing.sensor.mtf import MarkovTransitionField
from vskd.preprocessing.sensor.raw import RawWindow

LIMIT, SIZE = 4.0, 16
SCALINGS = ("minmax", "fixed")
CASES = list(itertools.product(ENCODINGS, SCALINGS))


def hard_windows(batch: int, axes: int = 3, samples: int = 40) -> torch.Tensor:
    """Noise, with axes that are constant, zero, at the limit and beyond it."""
    windows = 2 * torch.randn(batch, axes, samples, generator=torch.Generator().manual_seed(batch))
    windows[0, 0] = 0.7
    windows[-1, 1] = LIMIT * windows[-1, 1].sign()
    windows[-1, -1] *= 10
    return windows


@pytest.fixture(params=CASES, ids=["-".join(case) for case in CASES])
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    return request.param


@pytest.fixture
def encoding(case: tuple[str, str]) -> Encoding:
    return build_encoding(*case, LIMIT, SIZE)


@pytest.mark.parametrize(("batch", "axes"), [(1, 3), (5, 3), (2, 1), (2, 6)])
@pytest.mark.parametrize("samples", [SIZE, 40, 2 * SIZE])
def test_shape_type_and_range(encoding: Encoding, batch: int, axes: int, samples: int) -> None:
    encoded = encoding(hard_windows(batch, axes, samples) if axes > 1 else torch.randn(batch, axes, samples))
    assert encoding.kind in ("image", "series")
    inner = (SIZE, SIZE) if encoding.kind == "image" else (samples,)
    assert encoded.shape == (batch, encoding.out_channels(axes), *inner)
    assert encoded.dtype == torch.float32
    assert encoded.abs().max() <= 1 + 1e-6  # finite, too


def test_is_deterministic_and_leaves_its_input_alone(encoding: Encoding) -> None:
    windows = hard_windows(4)
    before = windows.clone()
    assert torch.equal(encoding(windows), encoding(windows))
    assert torch.equal(windows, before)


def test_windows_do_not_touch_each_other(encoding: Encoding) -> None:
    windows = hard_windows(4)
    alone = torch.cat([encoding(window[None]) for window in windows])
    torch.testing.assert_close(encoding(windows), alone, atol=1e-6, rtol=0)


STEPWISE = {"mtf"}
"""Which bin a sample falls into changes in steps: such an encoding has no gradient."""


def test_gradient_passes_and_is_finite(encoding: Encoding, case: tuple[str, str]) -> None:
    windows = hard_windows(4).requires_grad_()
    encoded = encoding(windows)
    assert encoded.requires_grad == (case[0] not in STEPWISE)
    if case[0] in STEPWISE:
        return
    encoded.square().sum().backward()
    assert windows.grad is not None
    assert torch.isfinite(windows.grad).all()
    assert windows.grad[1:3].abs().sum() > 0


def test_the_same_with_and_without_gradient(encoding: Encoding) -> None:
    windows = hard_windows(4)
    with torch.inference_mode():
        without = encoding(windows).clone()
    torch.testing.assert_close(encoding(windows.requires_grad_()).detach(), without, atol=1e-6, rtol=0)


def test_has_nothing_to_train_or_to_save(encoding: Encoding) -> None:
    assert isinstance(encoding, nn.Module)
    assert not list(encoding.parameters())
    assert not encoding.state_dict()


@pytest.mark.parametrize("samples", [SIZE, 40, 2 * SIZE])
def test_numpy_twin_gives_the_same(case: tuple[str, str], encoding: Encoding, samples: int) -> None:
    windows = hard_windows(5, 3, samples)
    for window, image in zip(windows.numpy(), encoding(windows).numpy(), strict=True):
        twin = encode(window, *case, LIMIT, SIZE)
        assert twin.dtype == np.float32
        assert twin.shape == image.shape
        np.testing.assert_allclose(twin, image, atol=1e-6)


def test_a_bundle_can_state_it(case: tuple[str, str]) -> None:
    """Else its first export would fail, after the training."""
    method, scaling = case
    stated = ENCODINGS[method].model_validate({"method": method, "scaling": scaling}).stated()
    assert EncodingContract(**stated).method == method


MODULES = (GramianAngularField, MarkovTransitionField, RawWindow)


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("limit", [0.0, -4.0, float("nan"), float("inf")])
def test_a_range_that_is_no_positive_number_is_refused(module: type[Encoding], limit: float) -> None:
    for scaling in SCALINGS:
        with pytest.raises(SettingError, match=r"encoding\.limit is"):
            module(scaling=scaling, limit=limit)
    with pytest.raises(SettingError, match=r"encoding\.scaling is 'max'"):
        module(scaling="max")


@pytest.mark.parametrize("module", MODULES)
def test_four_g_and_sixty_four_pixels_hold_where_nothing_is_said(module: type[Encoding]) -> None:
    plain = module()
    assert plain.limit == 4.0 and getattr(plain, "image_size", 64) == 64
