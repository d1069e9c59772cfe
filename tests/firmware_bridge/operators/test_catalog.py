"""An operator that the firmware lacks is refused by name, before anything is written."""

import pytest

from tests.firmware_bridge.conftest import HandMade, Step, Value
from vskd.errors import BundleError
from vskd.firmware_bridge.graph import read_graph
from vskd.firmware_bridge.model_source import model_source
from vskd.firmware_bridge.operators.catalog import OPERATORS


def test_a_missing_operator_is_named() -> None:
    steps = [Step("LOGISTIC", (0,), 1), Step("HARD_SWISH", (1,), 2)]
    content = HandMade([Value((1, 4)), Value((1, 4)), Value((1, 4))], steps).pack()
    with pytest.raises(BundleError, match="no operator HARD_SWISH, LOGISTIC") as caught:
        model_source(read_graph(content), in_place=False)
    assert all(name in caught.value.action for name in OPERATORS)
