"""MEAN against LiteRT's reference kernel."""

import numpy as np
import pytest

from tests.firmware_bridge.conftest import HandMade, Step, Value, Workbench, check, random_scale, random_zero
from tests.firmware_bridge.operators.each import CHECKED, check_kinds_of, computed, emitted, fields, operator, tensor
from vskd.errors import BundleError
from vskd.firmware_bridge.operators.mean import mean_multiplier


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


def test_other_kinds_and_computed_axes_are_refused() -> None:
    check_kinds_of("MEAN")
    with pytest.raises(BundleError, match="MEAN: the firmware does not have axes that are computed"):
        emitted(computed("MEAN", 1))


@pytest.mark.parametrize("axes", [(), (0, 1, 2, 3, 4)])
def test_more_than_four_axes_are_refused(axes: tuple[int, ...]) -> None:
    shape = (2, 2, 2, 2, 2)
    one = operator(
        "MEAN", (tensor(0, shape), tensor(1, (len(axes),), axes, "INT32")), tensor(2, (1,) if axes else shape)
    )
    with pytest.raises(BundleError, match="MEAN: the firmware does not have a mean of 5 axes"):
        emitted(one)


@pytest.mark.parametrize(
    ("shape", "axes", "output"),
    [
        (CHECKED, (), CHECKED),
        (CHECKED, (0, 1, 2, 3), (1,)),
        ((1, *CHECKED), (0,), CHECKED),
        ((2,) * 6, (1, 4), (2,) * 4),
    ],
)
def test_four_kept_and_four_summed_axes_are_not_too_many(
    shape: tuple[int, ...], axes: tuple[int, ...], output: tuple[int, ...]
) -> None:
    one = operator("MEAN", (tensor(0, shape), tensor(1, (len(axes),), axes, "INT32")), tensor(2, output))
    assert len(emitted(one)) == 1


def test_sizes_and_strides_stand_at_the_end_and_axes_of_one_value_nowhere() -> None:
    one = operator("MEAN", (tensor(0, (1, 4, 5, 6)), tensor(1, (3,), (2, 0, -1), "INT32")), tensor(2, (4,)))
    found = fields(one, "vskd_mean_axes")
    assert (found["kept_size"], found["kept_stride"]) == ("{1, 1, 1, 4}", "{0, 0, 0, 30}")
    assert (found["summed_size"], found["summed_stride"]) == ("{1, 1, 5, 6}", "{0, 0, 6, 1}")


@pytest.mark.parametrize(
    ("scales", "sizes", "expected"),
    [
        ((0.5, 0.5), [], (2**30, 1)),
        ((0.5, 0.5), [3, 4], ((2**30 << 3) // 12, 1 - 3)),
        ((0.25, 0.5), [16], (2**30, 0 - 4)),
        ((2.0, 0.5), [2**20, 2**14], (2**28, 3 - 32)),  # no more than 32 bits, though 34 would fit
        ((2.0**-28, 0.5), [1000], ((2**30 << 5) // 1000, -26 - 5)),  # no further right than by 31
    ],
)
def test_the_multiplier_holds_the_division_with_as_many_bits_as_fit(
    scales: tuple[float, float], sizes: list[int], expected: tuple[int, int]
) -> None:
    """m / 2^31 * 2^shift = input step / output step / summands."""
    assert mean_multiplier(*scales, sizes) == expected


def test_kept_axes_of_one_value_stand_nowhere_either() -> None:
    one = operator("MEAN", (tensor(0, (1, 4, 1, 6)), tensor(1, (1,), (3,), "INT32")), tensor(2, (1, 4, 1)))
    found = fields(one, "vskd_mean_axes")
    assert (found["kept_size"], found["kept_stride"]) == ("{1, 1, 1, 4}", "{0, 0, 0, 6}")
    assert (found["summed_size"], found["summed_stride"]) == ("{1, 1, 1, 6}", "{0, 0, 0, 1}")
