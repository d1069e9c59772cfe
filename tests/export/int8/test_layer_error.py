"""The table agrees with a comparison of our own, is in the graph's order, and finds the layer that was spoiled."""

import sys

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.export.conftest import IMAGE, random_inputs
from vskd.bundle.runtime import LiteRTModel
from vskd.errors import BundleError, DataError, MissingExtraError
from vskd.export.convert.litert import convert_float
from vskd.export.convert.structure import operator_tensors
from vskd.export.int8.layer_error import (
    MAX_DB,
    LayerError,
    _in_graph_order,
    layer_errors,
    render_layer_errors,
    signal_to_noise_db,
    worst_layers,
)
from vskd.export.int8.quantize import quantize_int8


@pytest.fixture(scope="module")
def errors(tiny_float: bytes, tiny_int8: bytes) -> tuple[LayerError, ...]:
    return layer_errors(tiny_float, tiny_int8, random_inputs(4, IMAGE, seed=5))


def test_decibels_are_the_closed_form():
    clean = np.array([3.0, -4.0])
    assert signal_to_noise_db(clean * 1.1, clean) == pytest.approx(20)
    assert signal_to_noise_db(clean * 2, clean) == pytest.approx(0)
    assert signal_to_noise_db(clean, clean) == MAX_DB
    assert signal_to_noise_db([0.1], [0.0]) == 0.0


def test_table_is_in_the_order_of_the_graph(errors: tuple[LayerError, ...]):
    assert [layer.position for layer in errors] == sorted({layer.position for layer in errors})
    assert [n.operator for n in errors if n.operator.startswith(("CONV", "FULLY"))] == [
        "CONV_2D",
        "CONV_2D",
        "FULLY_CONNECTED",
    ]
    assert errors[-1].shape == (1, 4)
    assert all(15 < layer.sqnr_db < MAX_DB for layer in errors)


def test_last_row_is_the_error_of_the_logits(errors: tuple[LayerError, ...], tiny_float: bytes, tiny_int8: bytes):
    inputs = random_inputs(4, IMAGE, seed=5)
    clean = LiteRTModel(tiny_float).predict(np.stack(inputs)).astype(np.float64)
    noisy = LiteRTModel(tiny_int8).predict(np.stack(inputs)).astype(np.float64)
    power, noise = (clean**2).mean(axis=1), ((noisy - clean) ** 2).mean(axis=1)
    assert errors[-1].sqnr_db == pytest.approx(float(np.mean(10 * np.log10(power / noise))), abs=0.001)


def test_the_layer_with_one_huge_channel_is_found():
    torch.manual_seed(0)
    first, second, third = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3), nn.Conv2d(8, 4, 3)
    with torch.no_grad():
        second.weight[0] *= 3000  # its range leaves the other seven channels a step or two
        third.weight[:, 0] = 0
    content = convert_float(
        nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), third, nn.Flatten()), torch.zeros(1, *IMAGE)
    )
    inputs = random_inputs(4, IMAGE)
    table = layer_errors(content, quantize_int8(content, inputs), inputs)
    convolutions = [layer for layer in table if layer.operator == "CONV_2D"]
    assert worst_layers(table, 1)[0] == convolutions[2]  # where the crushed channels are read
    assert convolutions[2].added_db > 10 > convolutions[1].added_db


class TwoBranches(nn.Module):
    """The sum of a branch that int8 renders well and one whose channels it crushes."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.fine, self.crushed = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)
        with torch.no_grad():
            self.crushed.weight[0] *= 300

    def forward(self, x: Tensor) -> Tensor:
        crushed: Tensor = torch.relu(self.crushed(x)) / torch.tensor([300.0, 1, 1, 1]).view(1, 4, 1, 1)
        return (torch.relu(self.fine(x)) + crushed).flatten(1)


def test_an_operator_of_two_inputs_loses_against_the_worse_one():
    """What it adds follows from the rows of its inputs, worked out here from the graph."""
    content = convert_float(TwoBranches(), torch.zeros(1, *IMAGE))
    inputs = random_inputs(4, IMAGE)
    rows = {row.tensor: row for row in layer_errors(content, quantize_int8(content, inputs), inputs)}
    joined = 0
    for _, tensors in operator_tensors(content):
        *before, (output, _) = tensors
        own = [rows[name].sqnr_db for name, _ in before if name in rows]
        if output in rows and own:
            assert rows[output].added_db == pytest.approx(min(own) - rows[output].sqnr_db)
            joined += len(own) > 1 and max(own) - min(own) > 3
    assert joined == 1


def test_rendering_marks_the_worst(errors: tuple[LayerError, ...]):
    lines = render_layer_errors(errors).splitlines()
    assert len(lines) == len(errors) + 2
    assert sum("**" in line for line in lines) == min(5, len(errors))
    assert {line.count("|") for line in lines} == {7}


@pytest.mark.parametrize("samples", [[], [np.zeros((3, 16, 15), np.float32)], [np.full(IMAGE, np.nan, np.float32)]])
def test_bad_samples_are_refused(tiny_float: bytes, tiny_int8: bytes, samples: list[np.ndarray]):
    with pytest.raises(DataError, match=r"[Ss]ample"):
        layer_errors(tiny_float, tiny_int8, samples)


def test_unrelated_models_are_refused(tiny_int8: bytes):
    other = convert_float(nn.Linear(4, 2), torch.zeros(1, 4))
    with pytest.raises(BundleError, match="cannot be compared"):
        layer_errors(other, tiny_int8, random_inputs(1, (4,)))


def test_missing_quantizer_names_the_extra(tiny_float: bytes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ai_edge_quantizer", None)
    with pytest.raises(MissingExtraError, match=r"ai-edge-quantizer.*vskd\[export\]"):
        layer_errors(tiny_float, tiny_float, random_inputs(1, IMAGE))


def layer(position: int, added: float, tensor: str = "t") -> LayerError:
    return LayerError(position, "CONV_2D", tensor, (1, 4, 2), 31.26, added)


def test_the_worst_are_those_that_add_most():
    rows = [layer(n, added) for n, added in enumerate((1.0, -2.0, 5.0, 3.0, 4.0, 2.0, 0.5))]
    assert [row.position for row in worst_layers(rows)] == [2, 4, 3, 5, 0]
    assert [row.position for row in worst_layers(rows, 2)] == [2, 4]


def test_a_line_says_what_where_and_how_much():
    """Long names lose their beginning; a bar would end the cell."""
    rows = [layer(0, 1.25, "a|b"), *(layer(n, 2.0, "x" * 70 + str(n)) for n in range(1, 6)), layer(6, -0.04)]
    _, _, first, second, *_, last = render_layer_errors(rows).splitlines()
    assert first == "| 0 | CONV_2D | a\\|b | 1x4x2 | 31.3 | +1.2 |"
    assert second == f"| 1 | CONV_2D | {'x' * 59}1 | 1x4x2 | 31.3 | +2.0 ** |"
    assert last == "| 6 | CONV_2D | t | 1x4x2 | 31.3 | -0.0 |"


def test_decibels_end_at_what_float32_carries():
    clean = np.ones(4)
    for level, expected in ((1e-5, 100.0), (1.01e-6, 119.91), (1e-6, MAX_DB), (1e-9, MAX_DB)):
        assert signal_to_noise_db(clean + level, clean) == pytest.approx(expected, abs=0.01)
    assert signal_to_noise_db(np.zeros(3), np.zeros(3)) == MAX_DB
    assert signal_to_noise_db(clean + 10, clean) == pytest.approx(-20)


def test_the_second_of_two_samples_may_be_the_wrong_one(tiny_float: bytes, tiny_int8: bytes):
    wrong = np.full(IMAGE, np.inf, np.float32)
    with pytest.raises(DataError, match="Sample 1 has values that are not finite"):
        layer_errors(tiny_float, tiny_int8, [*random_inputs(1, IMAGE), wrong])


def test_what_was_not_measured_is_no_row_and_no_loss_is_taken_from_it(tiny_float: bytes):
    """The first row's input has no error of its own; a weight that was measured is no input that was computed."""
    operators = operator_tensors(tiny_float)
    outputs = [tensors[-1][0] for _, tensors in operators]
    weights = {name for _, tensors in operators for name, _ in tensors[1:-1]} - set(outputs)
    measured = dict.fromkeys(weights, 1.0) | {outputs[-2]: 50.0, outputs[-1]: 30.0}
    first, second = _in_graph_order(tiny_float, measured)
    assert (first.position, first.tensor, first.sqnr_db, first.added_db) == (len(outputs) - 2, outputs[-2], 50.0, 70.0)
    assert (second.tensor, second.added_db) == (outputs[-1], 20.0)
    assert _in_graph_order(tiny_float, dict.fromkeys(weights, 1.0)) == ()


def test_figures_are_plain_numbers(errors: tuple[LayerError, ...]):
    assert {type(figure) for row in errors for figure in (row.sqnr_db, row.added_db)} == {float}
    clean = np.ones(4, np.float32)
    noisy = (clean, clean + 1, clean * 0)
    assert [type(signal_to_noise_db(x, clean)) for x in noisy] == [float] * 3
