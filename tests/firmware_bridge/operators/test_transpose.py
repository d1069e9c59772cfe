"""TRANSPOSE against LiteRT's reference kernel."""

import itertools

import numpy as np
import pytest

from tests.firmware_bridge.conftest import HandMade, Step, Workbench, check, constant, moved


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_transposition(workbench: Workbench, order: tuple[int, ...]) -> None:
    shape = (1, 3, 4, 5)
    values = [moved(*shape), constant(order), moved(*(shape[axis] for axis in order))]
    check(workbench, HandMade(values, [Step("TRANSPOSE", (0, 1), 2)]), np.random.default_rng(0))


def test_transposition_of_six_axes(workbench: Workbench) -> None:
    shape, order = (1, 2, 3, 2, 3, 2), (0, 4, 2, 5, 1, 3)
    values = [moved(*shape), constant(order), moved(*(shape[axis] for axis in order))]
    check(workbench, HandMade(values, [Step("TRANSPOSE", (0, 1), 2)]), np.random.default_rng(0))
