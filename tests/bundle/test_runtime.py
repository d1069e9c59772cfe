"""The LiteRT runner: conversions at its ends, batches, refusals, and that it needs no torch."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.export.conftest import IMAGE, random_inputs
from vskd.bundle.runtime import LiteRTModel, _scale_and_zero, dequantize, quantize
from vskd.errors import BundleError, DataError, MissingExtraError


def test_quantize_rounds_halves_away_from_zero_and_clips():
    values = np.array([0.25, -0.25, 0.24, 0.75, 100.0, -100.0], dtype=np.float32)
    assert quantize(values, 0.5, 3).tolist() == [4, 2, 3, 5, 127, -128]


def test_quantize_agrees_with_the_quantize_operator_of_litert(tiny_float: bytes):
    from vskd.export.int8.quantize import quantize_int8

    inputs = random_inputs(16, IMAGE)
    integer = LiteRTModel(quantize_int8(tiny_float, inputs), reference_kernels=True)
    floating = LiteRTModel(quantize_int8(tiny_float, inputs, input_type="float32"), reference_kernels=True)
    assert floating.input_type == "float32"
    for x in random_inputs(8, IMAGE, seed=9):
        np.testing.assert_array_equal(integer.raw(integer.to_raw(x[None])), floating.raw(x[None]))


def test_dequantize_inverts_quantize_within_half_a_step():
    values = np.linspace(-3, 3, 101, dtype=np.float32)
    back = dequantize(quantize(values, 0.025, -7), 0.025, -7)
    assert np.abs(back - values).max() <= 0.0125 + 1e-6


def test_predict_runs_a_batch_window_by_window(tiny_int8: bytes):
    model = LiteRTModel(tiny_int8)
    batch = np.stack(random_inputs(5, IMAGE))
    together = model.predict(batch)
    assert together.shape == (5, model.classes) and together.dtype == np.float32
    for row, x in zip(together, batch, strict=True):
        np.testing.assert_array_equal(row, model.predict(x[None])[0])


def test_reference_and_default_kernels_differ_by_few_steps_only(tiny_int8: bytes):
    default, reference = LiteRTModel(tiny_int8), LiteRTModel(tiny_int8, reference_kernels=True)
    for x in random_inputs(8, IMAGE):
        a, b = (m.raw(m.to_raw(x[None])).astype(int) for m in (default, reference))
        assert np.abs(a - b).max() <= 8


@pytest.mark.parametrize("shape", [(1, 3, 16, 15), (3, 16, 16), (1, 4, 16, 16)])
def test_wrong_shape_is_refused_with_both_shapes(tiny_int8: bytes, shape: tuple[int, ...]):
    with pytest.raises(DataError) as caught:
        LiteRTModel(tiny_int8).predict(np.zeros(shape, dtype=np.float32))
    assert "(3, 16, 16)" in str(caught.value) and str(shape) in str(caught.value)


def test_raw_refuses_another_type(tiny_int8: bytes):
    with pytest.raises(DataError, match="int8"):
        LiteRTModel(tiny_int8).raw(np.zeros((1, *IMAGE), dtype=np.float32))


def test_nan_is_refused_not_cast(tiny_int8: bytes):
    x = np.zeros((1, *IMAGE), dtype=np.float32)
    x[0, 0, 0, 0] = np.nan
    with pytest.raises(DataError, match="finite"):
        LiteRTModel(tiny_int8).predict(x)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x1c\x00\x00\x00TFL3" + b"\x00" * 64])
def test_a_broken_model_is_one_clear_error(tmp_path: Path, content: bytes):
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=r"model\.tflite"):
        LiteRTModel(path)


@pytest.mark.parametrize(("inputs", "outputs"), [(1, 2), (2, 1), (1, 0)])
def test_a_model_of_several_inputs_or_outputs_is_refused(
    tiny_int8: bytes, monkeypatch: pytest.MonkeyPatch, inputs: int, outputs: int
):
    class Several:
        def get_input_details(self) -> list[dict[str, object]]:
            return [{}] * inputs

        def get_output_details(self) -> list[dict[str, object]]:
            return [{}] * outputs

    monkeypatch.setattr("vskd.bundle.runtime._build_interpreter", lambda *_: Several())
    with pytest.raises(BundleError, match=f"has {inputs} inputs and {outputs} outputs"):
        LiteRTModel(tiny_int8)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(BundleError, match=r"gone\.tflite"):
        LiteRTModel(tmp_path / "gone.tflite")


def test_missing_package_names_the_extra(tiny_int8: bytes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(MissingExtraError, match=r"vskd\[export\]"):
        LiteRTModel(tiny_int8)


def test_runs_without_torch_and_prints_nothing(tiny_int8: bytes, tmp_path: Path):
    path = tmp_path / "model.tflite"
    path.write_bytes(tiny_int8)
    program = (
        "import sys, numpy as np; from pathlib import Path; from vskd.bundle.runtime import LiteRTModel\n"
        f"LiteRTModel(Path({str(path)!r})).predict(np.zeros((1, 3, 16, 16), dtype=np.float32))\n"
        "sys.exit(' '.join(m for m in ('torch', 'litert_torch', 'ai_edge_quantizer') if m in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_ends_of_a_float_model_are_passed_on(tiny_float: bytes):
    model = LiteRTModel(tiny_float)
    x = np.array([1.5, -2.0], dtype=np.float32)
    assert (model.input_type, model.output_type) == ("float32", "float32")
    assert model.input_shape == (1, *IMAGE) and model.output_shape == (1, model.classes)
    assert model.to_raw(x).tolist() == model.from_raw(x).tolist() == [1.5, -2.0]
    assert model.to_raw(x.astype(np.float64)).dtype == np.float32


def test_threads_and_kernels_are_those_that_are_asked_for(tiny_int8: bytes, monkeypatch: pytest.MonkeyPatch):
    from ai_edge_litert import interpreter

    asked: list[tuple[int, str]] = []
    real = interpreter.Interpreter

    def recording(**options: object) -> object:
        asked.append((options["num_threads"], options["experimental_op_resolver_type"].name))
        return real(**options)

    monkeypatch.setattr(interpreter, "Interpreter", recording)
    LiteRTModel(tiny_int8)
    LiteRTModel(tiny_int8, threads=2, reference_kernels=True)
    assert asked == [(1, "AUTO"), (2, "BUILTIN_REF")]


@pytest.mark.parametrize(
    ("kind", "scales", "said"),
    [("int8", [], "int8 with 0 scales"), ("int8", [0.1, 0.2], "int8 with 2 scales"), ("int8", [0.0], "int8 with 1")],
)
def test_ends_without_one_step_are_refused(kind: str, scales: list[float], said: str):
    tensor = {"dtype": np.dtype(kind), "quantization_parameters": {"scales": scales, "zero_points": [3] * len(scales)}}
    with pytest.raises(BundleError, match=f"The model's input is {said}"):
        _scale_and_zero(tensor, "input")
    steps, zeros = np.array([0.5], np.float32), np.array([3], np.int32)
    tensor["quantization_parameters"] = {"scales": steps, "zero_points": zeros}
    found = _scale_and_zero(tensor, "input")
    assert found == (0.5, 3) and [type(number) for number in found] == [float, int]
    with pytest.raises(BundleError, match="is int16"):
        _scale_and_zero(tensor | {"dtype": np.dtype("int16")}, "output")


def test_a_model_of_a_larger_batch_takes_no_windows(tiny_float: bytes):
    model = LiteRTModel(tiny_float)
    model.input_shape = (2, *IMAGE)
    with pytest.raises(DataError, match="was given a batch of shape"):
        model.predict(np.zeros((2, *IMAGE), dtype=np.float32))


def test_two_hundred_letters_of_what_litert_says_are_told(tiny_int8: bytes, monkeypatch: pytest.MonkeyPatch):
    from ai_edge_litert import interpreter

    model = LiteRTModel(tiny_int8)

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("q" * 1000)

    monkeypatch.setattr(model, "_interpreter", SimpleNamespace(set_tensor=refuse))
    with pytest.raises(BundleError, match=r"cannot be run: q{200}\."):
        model.raw(np.zeros((1, *IMAGE), np.int8))
    monkeypatch.setattr(interpreter, "Interpreter", refuse)
    with pytest.raises(BundleError, match=r"can run here: q{200}\."):
        LiteRTModel(tiny_int8)
