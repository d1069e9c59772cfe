"""The canon: the stream's windows, in int8, through LiteRT's reference kernels."""

from pathlib import Path

import numpy as np
import pytest

from tests.firmware_bridge.bundles import make_bundle, movement, sensor_contract
from vskd.bundle.bundle import MODEL
from vskd.bundle.encoding import model_input
from vskd.bundle.runtime import LiteRTModel
from vskd.bundle.stream.stream_plan import plan_stream
from vskd.bundle.stream.stream_settings import StreamSettings
from vskd.firmware_bridge import reference
from vskd.firmware_bridge.graph import read_graph
from vskd.firmware_bridge.reference import reference_stream


def test_a_decision_is_the_models_own(tmp_path: Path) -> None:
    contract = sensor_contract()
    bundle = make_bundle(tmp_path / "bundle", contract)
    graph = read_graph(bundle.read(MODEL))
    samples = movement(16, np.random.default_rng(0))
    stream = reference_stream(graph, plan_stream(contract, StreamSettings(), graph.output.scale))
    (decision,) = stream.feed(samples)
    model = LiteRTModel(graph.content, reference_kernels=True)
    raw = model.raw(model.to_raw(model_input(samples.T, contract)[np.newaxis]))[0].astype(int)
    largest, second = sorted(raw, reverse=True)[:2]
    assert (decision.window_label, decision.margin) == (int(raw.argmax()), largest - second)
    assert decision.margin > 0


def test_the_kernels_are_the_reference_ones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[object] = []

    def model(content: bytes, *, reference_kernels: bool = False) -> object:
        asked.extend((content, reference_kernels))
        return object()

    graph = read_graph(make_bundle(tmp_path / "bundle", sensor_contract()).read(MODEL))
    monkeypatch.setattr(reference, "LiteRTModel", model)
    stream = reference_stream(graph, plan_stream(sensor_contract(), StreamSettings(), 0.1))
    assert asked == [graph.content, True]
    zeros = stream.quantized(np.zeros((3, 16), np.float32))
    assert np.unique(zeros).tolist() == [graph.input.zero_point] == [3]
    ones = stream.quantized(np.full((3, 16), 4.0 / 127 * 10, np.float32))  # ten steps of 1/127 at a limit of 4
    assert np.unique(ones).tolist() == [13]
