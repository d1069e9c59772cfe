"""Conversion to a float model: same answers, same module afterwards, errors."""

import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.export.conftest import IMAGE, TinySeriesNet, random_inputs, seeded
from vskd.bundle.runtime import LiteRTModel
from vskd.errors import BundleError, MissingExtraError
from vskd.export.convert.litert import LogitsOnly, convert_float
from vskd.export.convert.structure import external_buffers, float_operators
from vskd.export.int8.quantize import quantize_int8
from vskd.export.parity import parity


def reference(network: nn.Module):
    return lambda x: network(torch.from_numpy(x)).logits.detach().numpy()


def test_float_model_computes_what_the_network_computes(tiny_network: nn.Module, tiny_float: bytes):
    report = parity(reference(tiny_network), LiteRTModel(tiny_float).predict, random_inputs(8, IMAGE))
    assert report.argmax_agreement == 1.0
    assert report.max_abs_error < 1e-5
    assert external_buffers(tiny_float) == []


def test_series_network_converts_and_quantizes():
    network = seeded(TinySeriesNet)
    inputs = random_inputs(24, (3, 64))
    content = convert_float(LogitsOnly(network), torch.zeros(1, 3, 64))
    assert parity(reference(network), LiteRTModel(content).predict, inputs).max_abs_error < 1e-5
    quantized = quantize_int8(content, inputs)
    assert float_operators(quantized) == []
    error = parity(reference(network), LiteRTModel(quantized).predict, inputs).max_abs_error
    assert error < 0.004  # measured: 0.0024


def test_every_part_keeps_its_own_mode():
    torch.manual_seed(0)
    last = nn.Sequential(nn.Linear(4 * 14 * 14, 2), nn.Dropout(0.9))
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), last)
    network.train()
    network[1].eval()  # frozen BatchNorm must stay frozen, and the rest must stay in training
    statistics = network[1].running_mean.clone()
    x = torch.randn(1, *IMAGE)
    content = convert_float(network, x)
    assert [part.training for part in network] == [True, False, True, True]
    torch.testing.assert_close(network[1].running_mean, statistics)
    with torch.no_grad():
        expected = network.eval()(x).numpy()
    np.testing.assert_allclose(LiteRTModel(content).predict(x.numpy()), expected, atol=1e-5)


def test_wrapping_an_evaluating_network_does_not_wake_it(tiny_network: nn.Module):
    convert_float(LogitsOnly(tiny_network), torch.zeros(1, *IMAGE))
    assert not any(part.training for part in tiny_network.modules())


class Unconvertible(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if float(x.sum()) > 0 else -x


def test_unconvertible_network_is_one_clear_error():
    with pytest.raises(BundleError, match="cannot be converted"):
        convert_float(Unconvertible(), torch.ones(1, 4))


def test_missing_converter_names_the_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "litert_torch", None)
    with pytest.raises(MissingExtraError, match=r"litert-torch.*vskd\[export\]"):
        convert_float(nn.Linear(2, 2), torch.zeros(1, 2))


def test_converting_prints_nothing(capfd: pytest.CaptureFixture[str]):
    convert_float(nn.Linear(4, 2), torch.zeros(1, 4))
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_resnet18_student_converts_and_quantizes():
    from vskd.models.catalog import build_network, parse_network

    shape = (6, 64, 64)
    torch.manual_seed(0)
    network = build_network(parse_network("resnet18"), shape=shape, classes=27).eval()
    inputs = [np.tanh(x) for x in random_inputs(12, shape)]
    content = convert_float(LogitsOnly(network), torch.zeros(1, *shape))
    assert parity(reference(network), LiteRTModel(content).predict, inputs[:4]).max_abs_error < 1e-4
    quantized = quantize_int8(content, inputs)
    assert len(quantized) < len(content) / 3.8
    assert float_operators(quantized) == [] and external_buffers(quantized) == []
    model = LiteRTModel(quantized, threads=os.cpu_count() or 1)
    expected, answers = (
        np.concatenate([says(x[None]) for x in inputs]) for says in (reference(network), model.predict)
    )
    assert np.ptp(expected) > 1
    assert np.abs(answers - expected).max() < 0.03  # measured: 0.019
    best, second = np.sort(expected, axis=1)[:, [-1, -2]].T
    clear = best - second > 0.03
    assert clear.sum() >= 6  # random weights leave some inputs nearly undecided
    np.testing.assert_array_equal(answers[clear].argmax(axis=1), expected[clear].argmax(axis=1))


@pytest.mark.parametrize(("before", "after"), [(None, "n"), ("y", "y")])
def test_the_converter_is_told_to_be_quiet_unless_somebody_said_otherwise(
    monkeypatch: pytest.MonkeyPatch, before: str | None, after: str
) -> None:
    monkeypatch.setitem(sys.modules, "litert_torch", None)
    monkeypatch.delenv("LITERT_TORCH_SHOW_PROGRESS", raising=False)
    if before is not None:
        monkeypatch.setenv("LITERT_TORCH_SHOW_PROGRESS", before)
    with pytest.raises(MissingExtraError):
        convert_float(nn.Linear(2, 2), torch.zeros(1, 2))
    assert os.environ.pop("LITERT_TORCH_SHOW_PROGRESS") == after


def test_modes_come_back_after_a_refusal_too() -> None:
    network = nn.Sequential(Unconvertible(), nn.Linear(4, 2)).train()
    network[1].eval()
    with pytest.raises(BundleError):
        convert_float(network, torch.ones(1, 4))
    assert [part.training for part in network.modules()] == [True, True, False]


def test_three_hundred_letters_of_why_a_network_cannot_be_converted_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("q" * 1000)

    monkeypatch.setitem(sys.modules, "litert_torch", SimpleNamespace(convert=refuse))
    with pytest.raises(BundleError, match=r"cannot be converted to LiteRT: q{300}\."):
        convert_float(nn.Linear(2, 2), torch.zeros(1, 2))
