"""The generated model: its figures, and weights as an array or in the file."""

import re

import numpy as np
import pytest

from tests.firmware_bridge.bundles import linear_model
from tests.firmware_bridge.conftest import Workbench, full_range, reference
from vskd.firmware_bridge.graph import read_graph
from vskd.firmware_bridge.model_source import c_float, model_source


def test_the_figures_are_in_the_header() -> None:
    content = linear_model((6, 8, 8))
    source = model_source(read_graph(content), in_place=False)
    numbers = {name: int(value) for name, value in re.findall(r"#define VSKD_(\w+) (\d+)\n", source.header)}
    assert numbers["MODEL_INPUT_BYTES"] == 384 and numbers["MODEL_CLASSES"] == 4
    assert numbers["MODEL_ARENA_BYTES"] == source.plan.arena_bytes == 400  # the reshapes take nothing
    assert source.macs == 384 * 4
    assert source.weight_bytes == numbers["WEIGHTS_BYTES"] == 384 * 4


@pytest.mark.parametrize("in_place", [False, True])
def test_weights_as_an_array_or_in_the_file(workbench: Workbench, in_place: bool) -> None:
    content = linear_model((3, 7))
    inputs = full_range((1, 3, 7), np.random.default_rng(0))
    np.testing.assert_array_equal(workbench.answers(content, inputs, in_place=in_place), reference(content, inputs))


def test_floats_are_exact() -> None:
    for value in np.random.default_rng(0).normal(size=50).astype(np.float32):
        assert np.float32(float.fromhex(c_float(float(value))[:-1])) == value
