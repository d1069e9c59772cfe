"""Of equal logits the first class wins: in golden vectors, in `predict`, in the stream in Python and in C."""

from pathlib import Path

import numpy as np
import pytest

from tests.firmware_bridge import bundles
from tests.firmware_bridge.bundles import LABELS, Pair, movement, sensor_contract
from tests.firmware_bridge.conftest import HandMade, Step, Value
from vskd.bundle.bundle import load_bundle, read_golden, verify_bundle
from vskd.bundle.predict import predict_file

WINNER = 1
"""Classes 1 and 3 have the same weights, and the others a bias that no window makes up for."""


def tied_model(shape: tuple[int, ...], seed: int = 0) -> bytes:
    """int8 input of `shape` -> logits of four classes, two of them equal whatever the input is."""
    size = int(np.prod(shape))
    weight = np.zeros((4, 1, 1, size), np.int8)
    weight[1] = weight[3] = np.random.default_rng(seed).integers(-20, 20, (1, 1, size)).astype(np.int8)
    bias = np.array([-(10**6), 0, -(10**6), 0], np.int32)
    values = [
        *(Value((1, *shape), (1 / 127.0,), 3), Value((1, 1, 1, size), (1 / 127.0,), 3)),
        *(Value(weight.shape, (0.01,) * 4, 0, weight), Value((1, 1, 1, 4), (0.2,), 0)),
        *(Value((1, 4), (0.2,), 0), Value((4,), (0.01 / 127,) * 4, 0, bias)),
    ]
    steps = [
        Step("RESHAPE", (0,), 1, ("ReshapeOptions", {"newShape": [1, 1, 1, size]})),
        Step("CONV_2D", (1, 2, 5), 3, ("Conv2DOptions", {"strideH": 1, "strideW": 1})),
        Step("RESHAPE", (3,), 4, ("ReshapeOptions", {"newShape": [1, 4]})),
    ]
    return HandMade(values, steps).pack()


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    monkeypatch.setattr(bundles, "linear_model", tied_model)
    return Pair.of(tmp_path, sensor_contract())


def test_the_first_of_equals_everywhere(pair: Pair, tmp_path: Path) -> None:
    bundle = load_bundle(tmp_path / "bundle")
    for vector in read_golden(bundle).vectors:
        assert vector.output[1] == vector.output[3] == max(vector.output)
        assert vector.label == LABELS[WINNER]
    verify_bundle(bundle.path)
    samples = movement(60, np.random.default_rng(1))
    header = "# rate_hz: 50\n# unit: g\nx,y,z"
    np.savetxt(tmp_path / "recording.csv", samples, delimiter=",", header=header, comments="")
    answer = predict_file(bundle.path, tmp_path / "recording.csv")
    assert answer.label == LABELS[WINNER]
    assert answer.probabilities[LABELS[1]] == answer.probabilities[LABELS[3]]
    calls = [(samples, None)]
    decisions = pair.in_python(calls)
    assert {(d.window_label, d.margin) for d in decisions if d.label >= 0} == {(WINNER, 0)}
    if bundles.HOST.missing:
        pytest.skip(bundles.HOST.missing)
    assert pair.in_c(calls) == decisions
