"""Layers that never give anything but zero, alone and in a row, leave a model that runs and is right."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.export.conftest import random_inputs
from vskd.bundle.runtime import LiteRTModel
from vskd.export.convert.litert import convert_float
from vskd.export.convert.structure import Accumulation, accumulations
from vskd.export.int8.output_range import output_ranges
from vskd.export.int8.quantize import quantize_int8


class Gated(nn.Module):
    """x times a gate of two layers, the first of which is dead, as squeeze and excite has it; then a last layer."""

    def __init__(self, dead: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.squeeze = nn.Sequential(*(nn.Linear(6, 6) for _ in range(dead)))
        self.excite, self.last = nn.Linear(6, 6), nn.Linear(6, 3)
        with torch.no_grad():
            for layer in self.squeeze:
                layer.bias.fill_(-50.0)

    def forward(self, x: Tensor) -> Tensor:
        gate = x
        for layer in self.squeeze:
            gate = torch.relu(layer(gate))
        output: Tensor = self.last(x * torch.sigmoid(self.excite(gate)))
        return output


class Joined(nn.Module):
    """Two dead layers side by side, as in a fire module: their concatenation has one range for both."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.one, self.other, self.last = nn.Linear(6, 4), nn.Linear(6, 4), nn.Linear(8, 3)
        with torch.no_grad():
            self.one.bias.fill_(-50.0)
            self.other.bias.fill_(-50.0)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.last(torch.cat([torch.relu(self.one(x)), torch.relu(self.other(x))], dim=1))
        return output


@pytest.fixture(scope="module", params=[1, 2, 3])
def gated(request: pytest.FixtureRequest) -> tuple[nn.Module, bytes]:
    """A network with so many dead layers, and its float model."""
    module = Gated(request.param).eval()
    return module, convert_float(module, torch.zeros(1, 6))


@pytest.mark.parametrize("estimator", ["minmax", "moving-average"])
def test_a_model_with_dead_layers_runs_and_is_right(gated: tuple[nn.Module, bytes], estimator: str):
    (module, float_model), inputs = gated, random_inputs(32, (6,))
    model = quantize_int8(float_model, inputs, range_estimator=estimator)
    run = LiteRTModel(model)
    found = np.concatenate([run.predict(x[None]) for x in inputs])
    if estimator == "minmax":  # moving averages clip, here and before
        with torch.no_grad():
            expected = module(torch.from_numpy(np.stack(inputs))).numpy()
        step = float(np.diff(run.from_raw(np.array([0, 1], np.int8)))[0])
        assert np.abs(found - expected).max() < 2 * step  # measured: 1.3 to 1.6; half of one is the output's own
    assert all(a.step <= a.output_step for a in accumulations(model))
    assert output_ranges(float_model, model) == {}


def test_where_nothing_is_dead_nothing_is_changed(tiny_float: bytes, tiny_int8: bytes):
    assert output_ranges(tiny_float, tiny_int8) == {}
    assert max(a.step / a.output_step for a in accumulations(tiny_int8)) < 0.1


def test_the_step_that_is_asked_for_is_that_of_the_sum(tiny_float: bytes, tiny_int8: bytes, monkeypatch):
    """Of a model whose first output is made out to be too fine."""
    first, *others = accumulations(tiny_int8)
    plain = accumulations(tiny_float)
    said = {tiny_float: plain, tiny_int8: [Accumulation(first.output, 3.0, 1e-9), *others]}
    monkeypatch.setattr("vskd.export.int8.output_range.accumulations", said.__getitem__)
    ((name, asked),) = output_ranges(tiny_float, tiny_int8).items()
    assert name == plain[0].output
    assert (asked["min"].item(), asked["max"].item()) == (-384.0, 384.0)


def test_outputs_that_share_a_range_get_one_that_serves_both():
    module, inputs = Joined().eval(), random_inputs(16, (6,))
    float_model = convert_float(module, torch.from_numpy(inputs[0][None]))
    model = quantize_int8(float_model, inputs)
    assert all(a.step <= a.output_step for a in accumulations(model))
    with torch.no_grad():
        expected = module(torch.from_numpy(inputs[0][None])).numpy()
    np.testing.assert_allclose(LiteRTModel(model).predict(inputs[0][None]), expected, atol=0.01)


@pytest.mark.parametrize("order", [(3.0, 5.0), (5.0, 3.0)])
def test_an_output_as_coarse_as_its_sum_is_left_and_a_joined_one_serves_the_coarser(
    monkeypatch: pytest.MonkeyPatch, order: tuple[float, float]
) -> None:
    names = ("equal", "coarser", "one", "other", "alone")
    plain = [Accumulation(name, 0.0, 0.0) for name in names]
    steps = ((2.0, 2.0), (2.0, 3.0), (order[0], 1.0), (order[1], 1.0), (2.0, 1.0))
    rounded = [Accumulation(f"{name}_q", step, own) for name, (step, own) in zip(names, steps, strict=True)]
    place = "vskd.export.int8.output_range"
    monkeypatch.setattr(f"{place}.accumulations", {b"float": plain, b"int8": rounded}.__getitem__)
    monkeypatch.setattr(f"{place}.concatenated", {b"float": {"one": "whole", "other": "whole"}}.__getitem__)
    found = output_ranges(b"float", b"int8")
    assert {name: (asked["min"].tolist(), asked["max"].tolist()) for name, asked in found.items()} == {
        "whole": ([[-640.0]], [[640.0]]),
        "alone": ([[-256.0]], [[256.0]]),
    }
