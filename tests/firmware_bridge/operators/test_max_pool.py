"""MAX_POOL_2D against LiteRT's reference kernel."""

import numpy as np
import pytest

from tests.firmware_bridge.conftest import HandMade, Step, Value, Workbench, check
from tests.firmware_bridge.operators.each import check_kinds_of
from vskd.errors import BundleError


def pooling(window: tuple[int, int], stride: tuple[int, int], padding: int, activation: int = 0) -> HandMade:
    size = (7, 8)
    sizes = [-(-n // s) if padding == 0 else (n - k) // s + 1 for n, k, s in zip(size, window, stride, strict=True)]
    options = {
        "padding": padding,
        "strideH": stride[0],
        "strideW": stride[1],
        "filterHeight": window[0],
        "filterWidth": window[1],
        "fusedActivationFunction": activation,
    }
    return HandMade(
        [Value((1, *size, 3), (0.05,), -7), Value((1, *sizes, 3), (0.05,), -7)],
        [Step("MAX_POOL_2D", (0,), 1, ("Pool2DOptions", options))],
    )


@pytest.mark.parametrize("activation", [0, 1, 3])
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize(("window", "stride"), [((2, 2), (2, 2)), ((3, 3), (2, 2)), ((1, 2), (1, 2)), ((3, 2), (1, 1))])
def test_windows(
    workbench: Workbench, window: tuple[int, int], stride: tuple[int, int], padding: int, activation: int
) -> None:
    check(workbench, pooling(window, stride, padding, activation), np.random.default_rng(0))


def test_other_scales_are_refused(workbench: Workbench) -> None:
    model = pooling((2, 2), (2, 2), 1)
    model.values[1] = Value(model.values[1].shape, (0.06,), -7)
    with pytest.raises(BundleError, match=r"MAX_POOL_2D: the firmware does not have inputs and output of different"):
        workbench.answers(model.pack(), [])


def test_other_kinds_are_refused() -> None:
    check_kinds_of("MAX_POOL_2D")
