"""TRANSPOSE against LiteRT's reference kernel."""

import itertools

import numpy as np
import pytest

from tests.firmware_bridge.conftest import HandMade, Step, Value, Workbench, check, constant, moved
from vskd.errors import BundleError


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_transposition(workbench: Workbench, order: tuple[int, ...]) -> None:
    shape = (1, 3, 4, 5)
    values = [moved(*shape), constant(order), moved(*(shape[axis] for axis in order))]
    check(workbench, HandMade(values, [Step("TRANSPOSE", (0, 1), 2)]), np.random.default_rng(0))


def test_transposition_of_six_axes(workbench: Workbench) -> None:
    shape, order = (1, 2, 3, 2, 3, 2), (0, 4, 2, 5, 1, 3)
    values = [moved(*shape), constant(order), moved(*(shape[axis] for axis in order))]
    check(workbench, HandMade(values, [Step("TRANSPOSE", (0, 1), 2)]), np.random.default_rng(0))


def test_other_scales_are_refused(workbench: Workbench) -> None:
    values = [moved(2, 3), constant((1, 0)), Value((3, 2), (0.06,), -7)]
    with pytest.raises(BundleError, match="TRANSPOSE: the firmware does not have inputs and output of different"):
        workbench.answers(HandMade(values, [Step("TRANSPOSE", (0, 1), 2)]).pack(), [])


@pytest.mark.parametrize(("shape", "order"), [((1, 2, 3, 4), (0, 2, 1, 3)), ((2, 2, 1, 1), (1, 0, 2, 3))])
def test_an_axis_of_two_moves_too(workbench: Workbench, shape: tuple[int, ...], order: tuple[int, ...]) -> None:
    values = [moved(*shape), constant(order), moved(*(shape[axis] for axis in order))]
    check(workbench, HandMade(values, [Step("TRANSPOSE", (0, 1), 2)]), np.random.default_rng(0))
