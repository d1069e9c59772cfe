"""What must hold before a model is shipped: at the border it passes, a step beyond it is refused with both numbers."""

import numpy as np
import pytest

from tests.export.conftest import LABELS, provenance, random_inputs, sensor_contract, windows
from vskd.bundle.contract import Accuracy, ParityNumbers
from vskd.errors import BundleError
from vskd.export import checks
from vskd.export.checks import (
    MAX_CONVERSION_ERROR,
    check_budget,
    check_conversion,
    check_integer_only,
    check_labels,
    check_recordings,
)
from vskd.export.int8.quantize import quantize_int8
from vskd.export.scoring import LabelledWindow

CALIBRATION = [(f"train{n}", w) for n, w in enumerate(windows(3))]
VALIDATION = [LabelledWindow(f"val{n}", w, 0) for n, w in enumerate(windows(3, seed=1))]


def test_disjoint_recordings_of_the_contract_pass():
    check_recordings(CALIBRATION, VALIDATION, sensor_contract(), "validation")


@pytest.mark.parametrize(("calibration", "validation"), [([], VALIDATION), (CALIBRATION, []), ([], [])])
def test_an_empty_part_is_refused(calibration: list, validation: list):
    with pytest.raises(BundleError, match="one of them is empty"):
        check_recordings(calibration, validation, sensor_contract(), "validation")


def test_every_shared_recording_is_counted_and_the_first_named():
    shared = [*CALIBRATION, ("val2", windows(1)[0]), ("val1", windows(1)[0]), ("val1", windows(1)[0])]
    with pytest.raises(BundleError, match=r"2 recordings .* both, e\.g\. val1"):
        check_recordings(shared, VALIDATION, sensor_contract(), "validation")


def test_where_there_is_no_validation_part_training_recordings_may_be_used_twice():
    """The bundle then says `train`, so that nobody takes the figure for one of unseen recordings."""
    shared = [("val0", windows(1)[0])]
    check_recordings(shared, VALIDATION, sensor_contract(), "train")


@pytest.mark.parametrize("part", ["calibration", "validation"])
@pytest.mark.parametrize("shape", [(3, 31), (2, 32), (32, 3)])
def test_a_window_of_another_shape_is_named(part: str, shape: tuple[int, int]):
    odd = np.zeros(shape, np.float32)
    calibration = [*CALIBRATION, ("odd", odd)] if part == "calibration" else CALIBRATION
    validation = [*VALIDATION, LabelledWindow("odd", odd, 0)] if part == "validation" else VALIDATION
    with pytest.raises(BundleError, match="Recording odd") as caught:
        check_recordings(calibration, validation, sensor_contract(), "validation")
    assert str(shape) in str(caught.value) and "(3, 32)" in str(caught.value)


def test_as_many_labels_as_logits():
    check_labels(provenance(), np.zeros((5, len(LABELS)), np.float32))
    for classes in (len(LABELS) - 1, len(LABELS) + 1):
        with pytest.raises(BundleError, match=f"{classes} outputs, and there are {len(LABELS)} class labels"):
            check_labels(provenance(), np.zeros((5, classes), np.float32))


def parity(max_abs_error: float) -> ParityNumbers:
    return ParityNumbers(max_abs_error=max_abs_error, mean_abs_error=0.0, argmax_agreement=1.0, n=1)


@pytest.mark.parametrize(("largest", "allowed"), [(0.0, 1.0), (0.5, 1.0), (1.0, 1.0), (-40.0, 40.0)])
def test_conversion_may_round_in_proportion_to_the_largest_logit(largest: float, allowed: float):
    """Of either sign; small logits are measured against 1, or a network of zeros could never be shipped."""
    expected = np.array([[0.0, largest]], np.float32)
    border = MAX_CONVERSION_ERROR * allowed
    check_conversion(parity(border), expected)
    with pytest.raises(BundleError, match=f"at most {border:.3g}"):
        check_conversion(parity(border * 1.001), expected)


def test_a_model_that_is_integer_throughout_passes(tiny_int8: bytes):
    check_integer_only(tiny_int8)


def test_a_float_model_is_refused_by_the_names_of_its_operators(tiny_float: bytes):
    with pytest.raises(BundleError, match=r"CONV_2D.* still compute in float") as caught:
        check_integer_only(tiny_float)
    assert str(caught.value).count("CONV_2D") == 1


def test_float_ends_that_were_asked_for_pass(tiny_float: bytes):
    inputs = random_inputs(8, (3, 16, 16))
    check_integer_only(quantize_int8(tiny_float, inputs, input_type="float32", output_type="float32"))


def accuracy(float32: float, int8: float, max_drop: float) -> Accuracy:
    return Accuracy(split="validation", recordings=40, float32=float32, int8=int8, max_drop=max_drop)


@pytest.mark.parametrize(
    ("float32", "int8", "budget"),
    [(0.9, 0.9, 0.0), (0.9, 0.95, 0.0), (0.9, 0.8, 0.1), (0.3, 0.2, 0.1), (1.0, 0.99, 0.01), (1.0, 0.0, 1.0)],
)
def test_a_drop_within_the_budget_passes(float32: float, int8: float, budget: float):
    """Also a drop of exactly the budget, whatever binary fractions make of 0.9 - 0.8."""
    check_budget(accuracy(float32, int8, budget))


@pytest.mark.parametrize(("float32", "int8", "budget"), [(0.9, 0.875, 0.0), (0.9, 0.875, 0.024), (1.0, 0.0, 0.99)])
def test_a_drop_beyond_the_budget_gives_all_figures(float32: float, int8: float, budget: float):
    with pytest.raises(BundleError, match="nothing was written") as caught:
        check_budget(accuracy(float32, int8, budget))
    for number in (float32 - int8, float32, int8, budget):
        assert f"{100 * number:.2f}" in str(caught.value)
    assert "40 validation recordings" in str(caught.value)


def test_of_many_shared_recordings_the_first_by_name_is_named() -> None:
    names = [f"r{n:02}" for n in range(30, 0, -1)]
    calibration = [(name, windows(1)[0]) for name in names]
    validation = [LabelledWindow(name, windows(1)[0], 0) for name in names]
    with pytest.raises(BundleError, match=r"30 recordings .* both, e\.g\. r01"):
        check_recordings(calibration, validation, sensor_contract(), "validation")


def test_operators_that_stay_float_are_named_once_and_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    found = ["QUANTIZE", *(f"OP_{letter}" for letter in "HGFEDCBAH"), "DEQUANTIZE"]
    monkeypatch.setattr(checks, "float_operators", lambda content: found)
    named = ", ".join(f"OP_{letter}" for letter in "ABCDEFGH")
    with pytest.raises(BundleError, match=f"throughout: {named} still compute in float"):
        check_integer_only(b"")
