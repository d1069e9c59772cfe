"""int8 throughout, per-channel, calibrated as asked, and errors."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from flatbuffers import Builder
from torch import nn

from tests.export.conftest import IMAGE, random_inputs
from vskd.bundle.runtime import LiteRTModel
from vskd.errors import BundleError, DataError, MissingExtraError
from vskd.export.convert.litert import convert_float
from vskd.export.convert.structure import float_operators, operator_names, read_flatbuffer, weight_scales
from vskd.export.int8 import quantize
from vskd.export.int8.quantize import RANGE_ESTIMATORS, _refuse_stuck, model_signature, quantize_int8
from vskd.export.parity import parity


def test_every_operator_is_integer_and_weights_are_per_channel(tiny_float: bytes, tiny_int8: bytes):
    assert set(float_operators(tiny_float)) >= {"CONV_2D", "FULLY_CONNECTED"}  # the check can see floats
    assert float_operators(tiny_int8) == []
    assert sorted(weight_scales(tiny_int8).values()) == [(4, 4), (8, 8), (16, 16)]
    model = LiteRTModel(tiny_int8)
    assert (model.input_type, model.output_type) == ("int8", "int8")


@pytest.mark.parametrize(
    ("input_type", "output_type", "ends"),
    [
        ("float32", "float32", ["QUANTIZE", "DEQUANTIZE"]),
        ("int8", "float32", ["DEQUANTIZE"]),
        ("float32", "int8", ["QUANTIZE"]),
    ],
)
def test_ends_can_be_float(tiny_float: bytes, input_type: str, output_type: str, ends: list[str]):
    content = quantize_int8(tiny_float, random_inputs(8, IMAGE), input_type=input_type, output_type=output_type)
    model = LiteRTModel(content)
    assert (model.input_type, model.output_type) == (input_type, output_type)
    assert float_operators(content) == ends
    assert [n for n in operator_names(content) if n in ("QUANTIZE", "DEQUANTIZE")] == ends


def test_int8_is_close_to_float(tiny_network: nn.Module, tiny_int8: bytes):
    report = parity(
        lambda x: tiny_network(torch.from_numpy(x)).logits.detach().numpy(),
        LiteRTModel(tiny_int8).predict,
        random_inputs(16, IMAGE),
    )
    assert 0 < report.max_abs_error < 0.002  # measured: 0.0012


def linear_float() -> bytes:
    """y = x with four values: the range of its activation is that of its input."""
    layer = nn.Linear(4, 4, bias=False)
    nn.init.eye_(layer.weight)
    return convert_float(layer, torch.zeros(1, 4))


def outlier_inputs() -> list[np.ndarray]:
    """19 inputs within +-1, then one of +-10."""
    small = [np.array([1, -1, 0.5, 0], dtype=np.float32)] * 19
    return [*small, np.array([10, -10, 0, 0], dtype=np.float32)]


def test_minmax_keeps_the_extremes_and_moving_average_clips_them():
    content = linear_float()
    scales = {}
    for estimator in RANGE_ESTIMATORS:
        model = LiteRTModel(quantize_int8(content, outlier_inputs(), range_estimator=estimator))
        scales[estimator] = float(np.ptp(model.from_raw(np.array([-128, 127], np.int8))))
    assert scales["minmax"] == pytest.approx(20, rel=0.01)
    assert scales["moving-average"] == pytest.approx(2 * (0.95 * 1 + 0.05 * 10), rel=0.01)


def test_calibration_is_read_once_as_a_stream(tiny_float: bytes):
    stream = iter(random_inputs(4, IMAGE))
    from_stream = quantize_int8(tiny_float, stream)
    assert next(stream, None) is None
    assert from_stream == quantize_int8(tiny_float, [x[None] for x in random_inputs(4, IMAGE)])


@pytest.mark.parametrize(
    "calibration",
    [[], [np.zeros((3, 16, 15), np.float32)], [np.full(IMAGE, np.nan, np.float32)]],
    ids=["empty", "shape", "nan"],
)
def test_bad_calibration_is_refused(tiny_float: bytes, calibration: list[np.ndarray]):
    with pytest.raises(DataError, match=r"[Cc]alibrat"):
        quantize_int8(tiny_float, calibration)


def test_an_already_quantized_model_is_refused(tiny_int8: bytes):
    with pytest.raises(BundleError, match="cannot be quantized"):
        quantize_int8(tiny_int8, random_inputs(2, IMAGE))


def test_missing_quantizer_names_the_extra(tiny_float: bytes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ai_edge_quantizer", None)
    with pytest.raises(MissingExtraError, match=r"ai-edge-quantizer.*vskd\[export\]"):
        quantize_int8(tiny_float, random_inputs(2, IMAGE))


@pytest.mark.parametrize(("asked", "stuck"), [(1.0, True), (0.5, True), (1.01, False)])
def test_a_range_that_the_quantizer_does_not_follow_is_named(asked: float, stuck: bool):
    """One that was asked for already and does not grow would be asked for for ever."""
    wider = {"sum": {"max": np.array([asked, 0.0])}, "new": {"max": np.array([9.0])}}
    ranges = {"sum": {"max": np.array([1.0, 0.0])}}
    if not stuck:
        _refuse_stuck(wider, ranges)
        return
    with pytest.raises(BundleError, match="the steps of sum do not hold what is computed with them"):
        _refuse_stuck(wider, ranges)


def test_one_wrong_calibration_input_among_others_is_counted(tiny_float: bytes):
    wrong = np.full(IMAGE, np.inf, np.float32)
    with pytest.raises(DataError, match="Calibration input 2 has values that are not finite"):
        quantize_int8(tiny_float, [*random_inputs(2, IMAGE), wrong])


def test_the_signature_of_a_model(tiny_float: bytes):
    name, given, shape = model_signature(tiny_float)
    assert name == "serving_default" and given and shape == (1, *IMAGE)


def test_a_model_of_which_one_layer_is_quantized_is_refused(tiny_int8: bytes) -> None:
    model = read_flatbuffer(tiny_int8)
    weights = [t for t in model.subgraphs[0].tensors if t.quantization is not None and len(t.shape) > 1]
    scaled = [t for t in weights if t.quantization.scale is not None and len(t.quantization.scale) > 1]
    assert len(scaled) > 1
    for tensor in scaled[1:]:
        tensor.quantization = None
    builder = Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    with pytest.raises(BundleError, match="it already is"):
        quantize_int8(bytes(builder.Output()), random_inputs(2, IMAGE))


class Fake:
    """A quantizer that writes into what it is given, as the real one does."""

    def __init__(self) -> None:
        self.given: list[tuple[dict[str, object], dict[str, object]]] = []

    def quantize(self, ranges: dict[str, dict[str, int]], **options: bool) -> SimpleNamespace:
        self.given.append(({name: dict(value) for name, value in ranges.items()}, options))
        ranges["x"]["max"] = 0
        return SimpleNamespace(quantized_model=bytearray(b"model"))


def test_the_quantizer_shows_no_progress_and_leaves_the_ranges_alone():
    fake, ranges = Fake(), {"x": {"max": 3}}
    assert quantize._quantized(fake, ranges) == b"model"
    assert fake.given == [({"x": {"max": 3}}, {"enable_progress_bar": False, "enable_progress_report": False})]
    assert ranges == {"x": {"max": 3}}


def test_ranges_are_widened_until_nothing_is_left_to_widen(tiny_float: bytes, monkeypatch: pytest.MonkeyPatch):
    """First those of outputs, then those of weights; each time with all that were asked for before."""
    outputs = iter([{"a": {"max": np.array([1.0])}}, {}, {}, {}])
    weights = iter([{"b": {"max": np.array([2.0])}}, {"b": {"max": np.array([3.0])}}, {}])
    tried: list[dict[str, float]] = []

    def quantized(_: object, ranges: dict[str, dict[str, np.ndarray]]) -> bytes:
        tried.append({name: value["max"].item() for name, value in ranges.items()})
        assert len(tried) < 9
        return b"%d" % len(tried)

    monkeypatch.setattr(quantize, "_calibrate", lambda *_: {"x": {"max": np.array([9.0])}})
    monkeypatch.setattr(quantize, "_quantized", quantized)
    monkeypatch.setattr("vskd.export.int8.output_range.output_ranges", lambda *_: next(outputs))
    monkeypatch.setattr("vskd.export.int8.bias_range.weight_ranges", lambda *_: next(weights))
    monkeypatch.setattr("vskd.export.convert.inline_weights.inline_weights", lambda content: b"inside " + content)
    assert quantize_int8(tiny_float, []) == b"inside 4"
    assert tried == [{"x": 9}, {"x": 9, "a": 1}, {"x": 9, "a": 1, "b": 2}, {"x": 9, "a": 1, "b": 3}]


def test_ranges_that_the_quantizer_does_not_follow_end_the_search(tiny_float: bytes, monkeypatch: pytest.MonkeyPatch):
    tried: list[object] = []

    def quantized(*given: object) -> bytes:
        tried.append(given)
        assert len(tried) < 5
        return b""

    monkeypatch.setattr(quantize, "_calibrate", lambda *_: {})
    monkeypatch.setattr(quantize, "_quantized", quantized)
    wider = {"sum": {"max": np.array([1.0])}}
    monkeypatch.setattr("vskd.export.int8.output_range.output_ranges", lambda *_: wider)
    with pytest.raises(BundleError, match="the steps of sum do not hold"):
        quantize_int8(tiny_float, [])
    assert len(tried) == 2


def test_three_hundred_letters_of_why_a_model_cannot_be_quantized_are_told(
    tiny_float: bytes, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object) -> None:
        raise ValueError("q" * 1000)

    monkeypatch.setattr(quantize, "_calibrate", refuse)
    with pytest.raises(BundleError, match=r"cannot be quantized to int8: q{300}\."):
        quantize_int8(tiny_float, [])
