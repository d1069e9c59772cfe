"""An operator that the firmware lacks is refused by name, before anything is written."""

import pytest

from tests.firmware_bridge.conftest import HandMade, Step, Value
from tests.firmware_bridge.operators.each import EACH, check_kinds_of
from vskd.errors import BundleError
from vskd.firmware_bridge.graph import read_graph
from vskd.firmware_bridge.model_source import model_source
from vskd.firmware_bridge.operators.catalog import OPERATORS, check_operators


def test_a_missing_operator_is_named() -> None:
    steps = [Step("LOGISTIC", (0,), 1), Step("HARD_SWISH", (1,), 2)]
    content = HandMade([Value((1, 4)), Value((1, 4)), Value((1, 4))], steps).pack()
    with pytest.raises(BundleError, match="no operator HARD_SWISH, LOGISTIC") as caught:
        model_source(read_graph(content), in_place=False)
    assert all(name in caught.value.action for name in OPERATORS)


def test_each_kind_is_tried() -> None:
    assert set(EACH) == set(OPERATORS)


@pytest.mark.parametrize("name", EACH)
def test_every_int8_tensor_of_another_kind_is_refused(name: str) -> None:
    check_kinds_of(name)


def test_what_is_missing_is_named_once_in_order_and_five_of_them() -> None:
    """Operators that are there are not named."""
    missing = ["TANH", "ABS", "LOGISTIC", "EXP", "HARD_SWISH", "NEG", "RSQRT"]
    names = ["RESHAPE", *missing[:3], "PAD", *missing, "ADD"]
    steps = [Step(name, (n,), n + 1) for n, name in enumerate(names)]
    content = HandMade([Value((1, 4))] * (len(names) + 1), steps).pack()
    with pytest.raises(BundleError, match=r"no operator ABS, EXP, HARD_SWISH, LOGISTIC, NEG and 2 more\."):
        check_operators(read_graph(content))


def test_a_model_of_the_catalogs_operators_passes() -> None:
    steps = [Step(name, (n,), n + 1) for n, name in enumerate(OPERATORS)]
    check_operators(read_graph(HandMade([Value((1, 4))] * (len(steps) + 1), steps).pack()))
