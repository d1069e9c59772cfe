"""The networks made for watches: converted to int8, the generated C gives their answers bit for bit."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.export.conftest import random_inputs, seeded
from tests.firmware_bridge.conftest import Workbench, full_range, reference
from vskd.export.convert.integer_form import integer_form
from vskd.export.convert.litert import LogitsOnly, convert_float
from vskd.export.convert.structure import operator_names
from vskd.export.int8.quantize import quantize_int8
from vskd.firmware_bridge.operators.catalog import OPERATORS
from vskd.models.catalog import build_network, parse_network
from vskd.models.rocket1d import Rocket1d


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("separable-resnet1d-050", (3, 32)),
        ("separable-resnet2d", (2, 16, 16)),
        ("cnn1d", (3, 32)),
        ({"name": "rocket1d-050", "embedding_size": 24}, (3, 32)),
        ({"name": "rocket1d-fixed", "kernels": 24, "axis_share": 0.6}, (3, 40)),
    ],
    ids=["1d", "2d", "cnn1d", "rocket", "rocket with parts"],
)
def test_generated_c_is_bit_exact(name: str | dict[str, object], shape: tuple[int, ...], workbench: Workbench) -> None:
    network = seeded(lambda: build_network(parse_network(name), shape=shape, classes=5))
    if isinstance(network, Rocket1d):
        nn.init.normal_(network.classifier.weight)  # it begins at zero
    model = LogitsOnly(integer_form(network))
    content = quantize_int8(convert_float(model, torch.zeros(1, *shape)), random_inputs(16, shape))
    assert set(operator_names(content)) <= set(OPERATORS)
    inputs = full_range((1, *shape), np.random.default_rng(0))
    expected = reference(content, inputs)
    np.testing.assert_array_equal(workbench.answers(content, inputs), expected)
    micro = pytest.importorskip("tflite_micro.python.tflite_micro.runtime", reason="needs the package 'tflite-micro'")
    interpreter = micro.Interpreter.from_bytes(content)
    for given, answer in zip(inputs, expected, strict=True):
        interpreter.set_input(given, 0)
        interpreter.invoke()
        np.testing.assert_array_equal(interpreter.get_output(0).reshape(-1), answer)
