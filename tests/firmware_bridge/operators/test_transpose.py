"""TRANSPOSE against LiteRT's reference kernel."""

import itertools

import numpy as np
import pytest

from tests.firmware_bridge.conftest import HandMade, Step, Value, Workbench, check, constant, moved
from tests.firmware_bridge.operators.each import EACH, check_kinds_of, computed, emitted, fields, operator, tensor
from vskd.errors import BundleError
from vskd.firmware_bridge.operators.transpose import shares_input


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


def test_other_kinds_a_computed_order_and_seven_axes_are_refused() -> None:
    check_kinds_of("TRANSPOSE")
    with pytest.raises(BundleError, match="TRANSPOSE: the firmware does not have a permutation that is computed"):
        emitted(computed("TRANSPOSE", 1))
    order = (6, 5, 4, 3, 2, 1, 0)
    seven = operator("TRANSPOSE", (tensor(0, (2,) * 7), tensor(1, (7,), order, "INT32")), tensor(2, (2,) * 7))
    with pytest.raises(BundleError, match="a transposition of 7 axes"):
        emitted(seven)
    six = operator("TRANSPOSE", (tensor(0, (2,) * 6), tensor(1, (6,), order[1:], "INT32")), tensor(2, (2,) * 6))
    assert len(emitted(six)) == 1


def test_one_that_moves_only_axes_of_one_value_is_a_reshape() -> None:
    """Of any number of axes; its output may take the place of an input that is computed."""
    order = (6, 5, 4, 3, 2, 1, 0)
    still = operator("TRANSPOSE", (tensor(0, (1, 1, 1, 4, 1, 1, 1)), tensor(1, (7,), order, "INT32")), tensor(2, (4,)))
    assert emitted(still) == []
    assert shares_input(still) is still.inputs[0]
    assert shares_input(EACH["TRANSPOSE"]) is None
    data = np.ones((1, 1, 1, 4, 1, 1, 1))
    known = operator("TRANSPOSE", (tensor(0, data.shape, data), still.inputs[1]), tensor(2, (4,)))
    assert shares_input(known) is None


def test_sizes_are_those_of_the_output_and_strides_of_the_input() -> None:
    one = operator("TRANSPOSE", (tensor(0, (2, 3, 4)), tensor(1, (3,), (2, 0, 1), "INT32")), tensor(2, (4, 2, 3)))
    assert fields(one, "vskd_order") == {"size": "{1, 1, 1, 4, 2, 3}", "stride": "{0, 0, 0, 1, 12, 4}"}
