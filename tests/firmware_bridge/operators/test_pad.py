"""PAD and PADV2 against LiteRT's reference kernel."""

import numpy as np
import pytest

from tests.firmware_bridge.conftest import (
    MOVED_SCALE,
    MOVED_ZERO,
    HandMade,
    Step,
    Value,
    Workbench,
    check,
    constant,
    moved,
)
from vskd.firmware_bridge.graph import read_graph
from vskd.firmware_bridge.model_source import model_source


@pytest.mark.parametrize("paddings", [((0, 0), (1, 2), (3, 0), (0, 0)), ((0, 0), (0, 1), (0, 0), (2, 1))])
@pytest.mark.parametrize("fill", [None, -100])
def test_padding(workbench: Workbench, paddings: tuple[tuple[int, int], ...], fill: int | None) -> None:
    shape = (1, 3, 4, 2)
    padded = tuple(n + before + after for n, (before, after) in zip(shape, paddings, strict=True))
    values = [moved(*shape), constant(paddings), moved(*padded)]
    step = Step("PAD", (0, 1), 2, ("PadOptions", {}))
    if fill is not None:
        values.append(Value((1,), MOVED_SCALE, MOVED_ZERO, np.array([fill], np.int8)))
        step = Step("PADV2", (0, 1, 3), 2, ("PadV2Options", {}))
    check(workbench, HandMade(values, [step]), np.random.default_rng(0))


def test_padding_of_three_axes(workbench: Workbench) -> None:
    values = [moved(1, 3, 4), constant(((0, 0), (2, 1), (1, 0))), moved(1, 6, 5)]
    check(workbench, HandMade(values, [Step("PAD", (0, 1), 2, ("PadOptions", {}))]), np.random.default_rng(0))


def test_axes_that_a_tensor_does_not_have_are_of_one_value() -> None:
    values = [moved(3, 4), constant(((2, 1), (1, 0))), moved(6, 5)]
    model = HandMade(values, [Step("PAD", (0, 1), 2, ("PadOptions", {}))])
    code = "".join(model_source(read_graph(model.pack()), in_place=False).code.split())
    assert "{1,1,3,4}" in code
    assert "{1,1,6,5}" in code
    assert "{0,0,2,1}" in code
