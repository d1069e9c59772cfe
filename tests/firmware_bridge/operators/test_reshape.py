"""RESHAPE against LiteRT's reference kernel."""

import dataclasses

import numpy as np
import pytest

from tests.firmware_bridge.conftest import HandMade, Step, Value, Workbench, check, constant, moved
from tests.firmware_bridge.operators.each import check_kinds_of
from vskd.errors import BundleError
from vskd.firmware_bridge.graph import read_graph
from vskd.firmware_bridge.operators.reshape import same_bytes, shares_input
from vskd.firmware_bridge.planner import Plan
from vskd.firmware_bridge.source import Source


def test_a_reshape_whose_input_is_needed_later_is_a_copy(workbench: Workbench) -> None:
    """reshape(x) doubled, concatenated with reshape(x) of x as it was."""
    values = [moved(1, 12), constant((1, 3, 4)), moved(1, 3, 4), moved(1, 3, 4), moved(1, 3, 4), moved(1, 6, 4)]
    steps = [
        Step("RESHAPE", (0, 1), 2, ("ReshapeOptions", {"newShape": [1, 3, 4]})),
        Step("ADD", (2, 2), 3, ("AddOptions", {})),
        Step("RESHAPE", (0, 1), 4, ("ReshapeOptions", {"newShape": [1, 3, 4]})),
        Step("CONCATENATION", (3, 4), 5, ("ConcatenationOptions", {"axis": 1})),
    ]
    check(workbench, HandMade(values, steps), np.random.default_rng(0))


def test_other_scales_are_refused(workbench: Workbench) -> None:
    values = [moved(1, 12), constant((1, 3, 4)), Value((1, 3, 4), (0.06,), -7)]
    model = HandMade(values, [Step("RESHAPE", (0, 1), 2, ("ReshapeOptions", {"newShape": [1, 3, 4]}))])
    with pytest.raises(BundleError, match="RESHAPE: the firmware does not have inputs and output of different"):
        workbench.answers(model.pack(), [])


@pytest.mark.parametrize(
    ("place", "statements"), [(16, []), (32, ["vskd_copy_rows(1, 12, 12, arena + 16, arena + 32);"])]
)
def test_bytes_that_are_in_their_place_are_not_copied(place: int, statements: list[str]) -> None:
    values = [moved(1, 12), constant((1, 3, 4)), moved(1, 3, 4)]
    model = HandMade(values, [Step("RESHAPE", (0, 1), 2, ("ReshapeOptions", {"newShape": [1, 3, 4]}))])
    (operator,) = read_graph(model.pack()).operators
    source = Source(Plan(64, {0: 16, 2: place}), in_place=False)
    assert same_bytes(operator.inputs[0], operator.output, source) == statements


def test_the_place_of_what_is_computed_is_shared_and_that_of_a_constant_is_not() -> None:
    """Its first input decides; the second one is the shape, a constant."""
    options = ("ReshapeOptions", {"newShape": [1, 3, 4]})
    values = [moved(1, 12), constant((1, 3, 4)), moved(1, 3, 4)]
    (operator,) = read_graph(HandMade(values, [Step("RESHAPE", (0, 1), 2, options)]).pack()).operators
    assert shares_input(operator) is operator.inputs[0] and len(operator.inputs) == 2
    turned = dataclasses.replace(operator, inputs=operator.inputs[::-1])
    assert shares_input(turned) is None


def test_other_kinds_are_refused() -> None:
    check_kinds_of("RESHAPE")
