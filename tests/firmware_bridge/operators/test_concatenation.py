"""CONCATENATION against LiteRT's reference kernel."""

import numpy as np
import pytest

from tests.firmware_bridge.conftest import MOVED_SCALE, MOVED_ZERO, HandMade, Step, Value, Workbench, check, moved
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
