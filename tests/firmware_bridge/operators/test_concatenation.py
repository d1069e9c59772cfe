"""CONCATENATION against LiteRT's reference kernel."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tests.firmware_bridge.conftest import MOVED_SCALE, MOVED_ZERO, HandMade, Step, Value, Workbench, check, moved
from tests.firmware_bridge.operators.each import EACH, check_kinds_of, emitted, operator, tensor
from vskd.errors import BundleError


@pytest.mark.parametrize("axis", [1, 2, 3, -1])
def test_concatenation_with_a_constant_and_itself(workbench: Workbench, axis: int) -> None:
    other, shape = [1, 3, 4, 5], [1, 3, 4, 5]
    other[axis] = 2
    shape[axis] = 2 * shape[axis] + 2
    data = np.random.default_rng(0).integers(-128, 128, other).astype(np.int8)
    values = [moved(1, 3, 4, 5), Value(tuple(other), MOVED_SCALE, MOVED_ZERO, data), moved(*shape)]
    step = Step("CONCATENATION", (0, 1, 0), 2, ("ConcatenationOptions", {"axis": axis}))
    check(workbench, HandMade(values, [step]), np.random.default_rng(0))


def test_rescaling_in_a_concatenation_is_refused(workbench: Workbench) -> None:
    values = [moved(1, 4), Value((1, 8), (0.1,), MOVED_ZERO)]
    model = HandMade(values, [Step("CONCATENATION", (0, 0), 1, ("ConcatenationOptions", {"axis": 1}))])
    with pytest.raises(BundleError, match="CONCATENATION: the firmware does not have inputs and output of different"):
        workbench.answers(model.pack(), [])


def test_other_kinds_and_a_fused_activation_are_refused() -> None:
    check_kinds_of("CONCATENATION")
    fused = replace(EACH["CONCATENATION"], options=SimpleNamespace(fusedActivationFunction=1, axis=1))
    with pytest.raises(BundleError, match="CONCATENATION: the firmware does not have a fused activation"):
        emitted(fused)


@pytest.mark.parametrize(("axis", "rows"), [(0, [(1, 8, 16, 0), (1, 8, 16, 8)]), (1, [(2, 4, 8, 0), (2, 4, 8, 4)])])
def test_each_input_is_copied_behind_those_before_it(axis: int, rows: list[tuple[int, int, int, int]]) -> None:
    """Rows, values of a row of the input and of the output, and where the first of them goes."""
    shape = (4, 4) if axis == 0 else (2, 8)
    one = operator("CONCATENATION", (tensor(0, (2, 4)), tensor(1, (2, 4))), tensor(2, shape), axis=axis)
    statements = [f"vskd_copy_rows({r}, {own}, {width}, arena + 0, arena + 0 + {at});" for r, own, width, at in rows]
    assert emitted(one) == statements
