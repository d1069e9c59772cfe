"""From a trained student to a bundle: convert, quantize, choose, measure, and refuse what lost too much."""

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from vskd import __version__
from vskd.distillation.student import SensorStudent
from vskd.export.bundle import Bundle, write_bundle
from vskd.export.checks import (
    check_budget,
    check_conversion,
    check_integer_only,
    check_labels,
    check_recordings,
)
from vskd.export.contract import (
    Accuracy,
    Manifest,
    ParityNumbers,
    Provenance,
    Quantization,
    RangeEstimator,
    SensorContract,
)
from vskd.export.contract import TensorKind as TensorKind
from vskd.export.encoding import model_input
from vskd.export.golden import make_golden
from vskd.export.litert import LogitsOnly, convert_float
from vskd.export.quantize import RANGE_ESTIMATORS, quantize_int8
from vskd.export.scoring import LabelledWindow, Measurement, Referee
from vskd.preprocessing.gaf import GramianAngularField

logger = logging.getLogger(__name__)

FloatArray = npt.NDArray[np.float32]
GOLDEN_VECTORS = 4


@dataclass(frozen=True)
class Candidate:
    """A quantized model and its figures."""

    content: bytes
    range_estimator: RangeEstimator
    measured: Measurement

    @property
    def rank(self) -> tuple[float, float, float]:
        """Greater is better: same class as the float network, then accuracy, then closeness of the logits."""
        parity = self.measured.parity
        return parity.argmax_agreement, self.measured.accuracy, -parity.mean_abs_error


@dataclass(frozen=True)
class ExportReport:
    """What was shipped, and the figures of the candidates it was chosen from, by range estimator."""

    bundle: Bundle
    candidates: Mapping[str, Measurement]
    model_bytes: int
    float_model_bytes: int

    @property
    def accuracy(self) -> Accuracy:
        """Accuracy before and after quantization."""
        return self.bundle.manifest.accuracy

    @property
    def parity(self) -> ParityNumbers:
        """Closeness of the int8 model to the trained network."""
        return self.bundle.manifest.parity_int8


def export_model(
    *,
    network: SensorStudent,
    calibration: Sequence[tuple[str, FloatArray]],
    validation: Sequence[LabelledWindow],
    contract: SensorContract,
    provenance: Provenance,
    max_accuracy_drop: float,
    out: Path,
    input_type: TensorKind = "int8",
    output_type: TensorKind = "int8",
    validation_split: Literal["validation", "train"] = "validation",
) -> ExportReport:
    """Ship a trained student as a bundle of int8 and float LiteRT models.

    Both ways of estimating activation ranges are tried; the one whose int8 model agrees best with the network on the
    validation windows is kept.

    With `contract.encoding_inside` the model takes the window itself, and the image is made of int8 products and roots.
    On UTD-MHAD (small CNN, GASF+GADF 32x32, 108 validation recordings, 4 seeds) int8 is then 0.9 to 2.8 points
    below int8 behind a floating-point encoding, which is therefore the default, and the error of the logits is 1.5 to
    2.2 times as large. Min-max scaling cannot be inside, because its REDUCE_MAX stays float.

    Args:
        network: encoding and network; it is not changed.
        calibration: (recording id, float32 (channels, samples)) of TRAINING recordings.
        validation: windows of recordings that are in no calibration; several windows of one id are averaged.
        contract: what the model asks of a recording.
        provenance: where the network comes from; its `labels` are in the order of the logits.
        max_accuracy_drop: largest loss of accuracy that may be shipped, as a fraction (0.01 is one point).
        out: folder of the bundle.
        input_type, output_type: types of the int8 model's ends.
        validation_split: `train` where the protocol leaves no validation recordings; the bundle says so.

    Raises:
        BundleError: int8 loses more than the budget, or calibration and validation share recordings, or the network
            cannot be converted or quantized in full. Nothing is written then.
        MissingExtraError: the converter or the quantizer is not installed.
        WriteError: the folder cannot be written.
    """
    check_recordings(calibration, validation, contract, validation_split)
    encode = partial(model_input, contract=contract)
    reference = copy.deepcopy(network).cpu().float().eval()
    referee = Referee(reference, validation, encode)
    check_labels(provenance, referee.expected)
    float_model = _convert(reference, contract, encode)
    float_measured = referee.measure(float_model, "Checking the float model")
    check_conversion(float_measured.parity, referee.expected)
    candidates = _quantize(float_model, calibration, encode, referee, (input_type, output_type))
    best = max(candidates, key=lambda candidate: candidate.rank)
    accuracy = Accuracy(
        split=validation_split,
        recordings=len({w.id for w in validation}),
        float32=float_measured.accuracy,
        int8=best.measured.accuracy,
        max_drop=max_accuracy_drop,
    )
    check_budget(accuracy)
    manifest = Manifest(
        vskd_version=__version__,
        created_utc=datetime.now(UTC).replace(microsecond=0),
        provenance=provenance,
        contract=contract,
        quantization=Quantization(
            input_type=input_type,
            output_type=output_type,
            range_estimator=best.range_estimator,
            calibration_ids=tuple(sorted({recording for recording, _ in calibration})),
        ),
        accuracy=accuracy,
        parity_int8=best.measured.parity,
        parity_float32=float_measured.parity,
        files={},
    )
    golden = make_golden(best.content, _golden_windows(validation), encode, provenance.labels)
    bundle = write_bundle(out, model=best.content, float_model=float_model, golden=golden, manifest=manifest)
    measured: dict[str, Measurement] = {candidate.range_estimator: candidate.measured for candidate in candidates}
    return ExportReport(bundle, measured, len(best.content), len(float_model))


def _convert(reference: SensorStudent, contract: SensorContract, encode: Callable[[FloatArray], FloatArray]) -> bytes:
    """The float LiteRT model: of the whole student, or of the network behind the encoding."""
    part = _single_precision(reference) if contract.encoding_inside else copy.deepcopy(reference.network)
    example = torch.from_numpy(encode(_example_window(contract))[np.newaxis])
    # channels_last weights are a matter of torch's speed alone, and would only add transposes to the graph
    plain = {name: value.contiguous() for name, value in part.state_dict().items()}
    part.load_state_dict(plain, assign=True)
    return convert_float(LogitsOnly(part), example)


def _single_precision(student: SensorStudent) -> SensorStudent:
    """A copy whose encoding computes in float32 throughout, because LiteRT has no float64 kernels."""
    result = copy.deepcopy(student)
    if isinstance(result.encoding, GramianAngularField):
        result.encoding.precision = "float32"
    return result


def _example_window(contract: SensorContract) -> FloatArray:
    """Any window that is not constant: min-max scaling has no meaning for a constant one."""
    return np.random.default_rng(0).standard_normal(contract.window_shape).astype(np.float32)


def _quantize(
    float_model: bytes,
    calibration: Sequence[tuple[str, FloatArray]],
    encode: Callable[[FloatArray], FloatArray],
    referee: Referee,
    ends: tuple[TensorKind, TensorKind],
) -> list[Candidate]:
    """One candidate for each way of estimating ranges."""
    candidates = []
    for estimator in RANGE_ESTIMATORS:
        content = quantize_int8(
            float_model,
            (encode(window) for _, window in calibration),
            input_type=ends[0],
            output_type=ends[1],
            range_estimator=estimator,
        )
        check_integer_only(content)
        measured = referee.measure(content, f"Checking int8 ({estimator} ranges)")
        logger.info("int8 with %s ranges: %s", estimator, measured)
        candidates.append(Candidate(content, estimator, measured))
    return candidates


def _golden_windows(validation: Sequence[LabelledWindow]) -> list[tuple[str, FloatArray]]:
    """A few windows, spread evenly, so that a sorted list gives several classes or people."""
    positions = np.unique(np.linspace(0, len(validation) - 1, GOLDEN_VECTORS).round().astype(int))
    return [(validation[p].id, validation[p].window) for p in positions]
