"""MEAN against LiteRT's reference kernel."""

import numpy as np
import pytest

from tests.firmware_bridge.conftest import HandMade, Step, Value, Workbench, check, random_scale, random_zero


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((1, 4, 5, 6), (1, 2)),
        ((1, 1, 16, 8), (1, 2)),
        ((1, 7, 9), (2,)),
        ((1, 7, 9), (1,)),
        ((1, 4, 5, 6), (2, 3)),
        ((1, 4, 5, 6), (-1,)),
        ((1, 3, 3, 2), (1, 3)),
        ((1, 31, 33, 2), (1, 2)),
    ],
)
def test_axes(workbench: Workbench, shape: tuple[int, ...], axes: tuple[int, ...], keep: bool) -> None:
    generator = np.random.default_rng(len(shape) + sum(axes) + keep)
    given = random_scale(generator)
    output = float(np.float32(given * generator.uniform(0.2, 1.5)))
    reduced = {axis % len(shape) for axis in axes}
    kept = tuple(1 if axis in reduced else n for axis, n in enumerate(shape) if keep or axis not in reduced)
    model = HandMade(
        [
            Value(shape, (given,), random_zero(generator)),
            Value((len(axes),), (), 0, np.array(axes, np.int32)),
            Value(kept, (output,), random_zero(generator)),
        ],
        [Step("MEAN", (0, 1), 2, ("ReducerOptions", {"keepDims": keep}))],
    )
    check(workbench, model, generator)
