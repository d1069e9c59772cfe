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
from torch import nn

from vskd import __version__
from vskd.distillation.student import SensorStudent, Student
from vskd.export.bundle import Bundle, write_bundle
from vskd.export.candidates import Candidate as Candidate
from vskd.export.candidates import FineTuning, Inspect
from vskd.export.checks import (
    check_budget,
    check_conversion,
    check_integer_only,
    check_labels,
    check_recordings,
)
from vskd.export.contract import (
    Accuracy,
    Contract,
    ImageContract,
    Manifest,
    ParityNumbers,
    Provenance,
    Quantization,
    RangeEstimator,
)
from vskd.export.contract import TensorKind as TensorKind
from vskd.export.deploy_form import deploy_form
from vskd.export.encoding import Sample, model_input, student_input
from vskd.export.golden import make_golden, synthetic_windows
from vskd.export.golden_images import synthetic_images
from vskd.export.litert import LogitsOnly, convert_float
from vskd.export.quantize import RANGE_ESTIMATORS, quantize_int8
from vskd.export.scoring import LabelledWindow, Measurement, Referee
from vskd.preprocessing.gaf import GramianAngularField

logger = logging.getLogger(__name__)

FloatArray = npt.NDArray[np.float32]
ROUNDING = 1e-9


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
    network: Student,
    calibration: Sequence[tuple[str, Sample]],
    validation: Sequence[LabelledWindow],
    contract: Contract,
    provenance: Provenance,
    max_accuracy_drop: float,
    out: Path,
    input_type: TensorKind = "int8",
    output_type: TensorKind = "int8",
    validation_split: Literal["validation", "train"] = "validation",
    fine_tuning: FineTuning | None = None,
    inspect: Inspect | None = None,
) -> ExportReport:
    """Ship a trained student as a bundle of int8 and float LiteRT models.

    Both ways of estimating activation ranges are tried; the one whose int8 model agrees best with the network on the
    validation windows is kept.

    With `contract.encoding_inside` the model takes the window itself, and the image is made of int8 products and roots.
    On UTD-MHAD (small CNN, GASF+GADF 32x32, 108 validation recordings, 4 seeds) int8 is then 0.9 to 2.8 points
    below int8 behind a floating-point encoding, which is therefore the default, and the error of the logits is 1.5 to
    2.2 times as large. Min-max scaling cannot be inside, because its REDUCE_MAX stays float.

    Args:
        network: the student; it is not changed.
        calibration: (recording id, window or image) of TRAINING recordings.
        validation: windows or images of recordings that are in no calibration; several windows of one id are averaged.
        contract: what the model asks of a recording.
        provenance: where the network comes from; its `labels` are in the order of the logits.
        max_accuracy_drop: largest loss of accuracy that may be shipped, as a fraction (0.01 is one point).
        out: folder of the bundle.
        input_type, output_type: types of the int8 model's ends.
        validation_split: `train` where the protocol leaves no validation recordings; the bundle says so.
        fine_tuning: what to try where quantization alone loses more than the budget; for images only.
        inspect: sees the chosen pair of models before the budget is checked, e.g. to look for what loses.

    Raises:
        BundleError: int8 loses more than the budget, or calibration and validation share recordings, or the network
            cannot be converted or quantized in full. Nothing is written then.
        MissingExtraError: the converter or the quantizer is not installed.
        WriteError: the folder cannot be written.
    """
    check_recordings(calibration, validation, contract, validation_split)
    encode = partial(model_input, contract=contract)
    reference = copy.deepcopy(network).cpu().float().eval()
    referee = Referee(reference, validation, encode, partial(student_input, contract=contract))
    check_labels(provenance, referee.expected)
    float_model = _convert(reference, contract, encode)
    float_measured = referee.measure(float_model, "Checking the float model")
    check_conversion(float_measured.parity, referee.expected)
    ends = (input_type, output_type)
    quantize = partial(_quantize, calibration=calibration, encode=encode, referee=referee, ends=ends)
    candidates = quantize(float_model)
    best = max(candidates, key=lambda candidate: candidate.rank)
    lost = float_measured.accuracy - best.measured.accuracy
    if fine_tuning is not None and (fine_tuning.always or lost > max_accuracy_drop + ROUNDING):
        logger.info("quantization alone loses %.2f points: training on under simulated int8", 100 * lost)
        candidates += _fine_tuned(fine_tuning, _deployed_part(reference, contract), contract, encode, quantize)
        best = max(candidates, key=lambda candidate: (candidate.measured.accuracy, *candidate.rank))
    if inspect is not None:
        inspect(best.float_model, best.content)
    accuracy = Accuracy(
        split=validation_split,
        recordings=len({w.id for w in validation}),
        float32=float_measured.accuracy,
        int8=best.measured.accuracy,
        max_drop=max_accuracy_drop,
    )
    check_budget(accuracy)
    calibrated = tuple(sorted({recording for recording, _ in calibration}))
    manifest = _manifest(best, accuracy, float_measured, contract, provenance, ends, calibrated)
    golden = make_golden(best.content, _golden_samples(contract), encode, provenance.labels)
    bundle = write_bundle(out, model=best.content, float_model=float_model, golden=golden, manifest=manifest)
    measured = {candidate.name: candidate.measured for candidate in candidates}
    return ExportReport(bundle, measured, len(best.content), len(float_model))


def _manifest(
    best: Candidate,
    accuracy: Accuracy,
    float_measured: Measurement,
    contract: Contract,
    provenance: Provenance,
    ends: tuple[TensorKind, TensorKind],
    calibrated: tuple[str, ...],
) -> Manifest:
    quantization = Quantization(
        input_type=ends[0],
        output_type=ends[1],
        range_estimator=best.range_estimator,
        calibration_ids=calibrated,
        fine_tuned=best.fine_tuned,
    )
    return Manifest(
        vskd_version=__version__,
        created_utc=datetime.now(UTC).replace(microsecond=0),
        provenance=provenance,
        contract=contract,
        quantization=quantization,
        accuracy=accuracy,
        parity_int8=best.measured.parity,
        parity_float32=float_measured.parity,
        files={},
    )


def _fine_tuned(
    fine_tuning: FineTuning,
    module: nn.Module,
    contract: Contract,
    encode: Callable[[Sample], FloatArray],
    quantize: Callable[..., list[Candidate]],
) -> list[Candidate]:
    """One candidate for each way of estimating ranges, each trained on under its own."""
    result = []
    for estimator in RANGE_ESTIMATORS:
        tuned = _convert_part(fine_tuning.train(module, estimator), contract, encode)
        result += quantize(tuned, estimators=(estimator,), fine_tuned=True)
    return result


def _golden_samples(contract: Contract) -> list[tuple[str, FloatArray]]:
    """Synthetic windows or images, in the contract's window shape."""
    return synthetic_images(contract) if isinstance(contract, ImageContract) else synthetic_windows(contract)


def _convert(reference: Student, contract: Contract, encode: Callable[[Sample], FloatArray]) -> bytes:
    """The float LiteRT model: of the whole student, or of the network behind the encoding."""
    return _convert_part(_deployed_part(reference, contract), contract, encode)


def _convert_part(part: nn.Module, contract: Contract, encode: Callable[[Sample], FloatArray]) -> bytes:
    example = torch.from_numpy(encode(_example(contract))[np.newaxis])
    # channels_last weights are a matter of torch's speed alone, and would only add transposes to the graph
    plain = {name: value.contiguous() for name, value in part.state_dict().items()}
    part.load_state_dict(plain, assign=True)
    return convert_float(part, example)


def _deployed_part(reference: Student, contract: Contract) -> nn.Module:
    """What is converted: gives the logits alone; a network of images is rewritten to be fast in int8."""
    if isinstance(contract, ImageContract):
        return deploy_form(reference.network, channels_last_width=contract.size)
    if isinstance(reference, SensorStudent) and contract.encoding_inside:
        return LogitsOnly(_single_precision(reference))
    return LogitsOnly(copy.deepcopy(reference.network))


def _single_precision(student: SensorStudent) -> SensorStudent:
    """A copy whose encoding computes in float32 throughout, because LiteRT has no float64 kernels."""
    result = copy.deepcopy(student)
    if isinstance(result.encoding, GramianAngularField):
        result.encoding.precision = "float32"
    return result


def _example(contract: Contract) -> FloatArray:
    """Any sample that is not constant: min-max scaling has no meaning for a constant one."""
    return np.random.default_rng(0).standard_normal(contract.sample_shape).astype(np.float32)


def _quantize(
    float_model: bytes,
    *,
    calibration: Sequence[tuple[str, Sample]],
    encode: Callable[[Sample], FloatArray],
    referee: Referee,
    ends: tuple[TensorKind, TensorKind],
    estimators: Sequence[RangeEstimator] | None = None,
    fine_tuned: bool = False,
) -> list[Candidate]:
    """One candidate for each way of estimating ranges."""
    candidates = []
    for estimator in estimators or RANGE_ESTIMATORS:
        content = quantize_int8(
            float_model,
            (encode(window) for _, window in calibration),
            input_type=ends[0],
            output_type=ends[1],
            range_estimator=estimator,
        )
        check_integer_only(content)
        measured = referee.measure(content, f"Checking int8 ({estimator} ranges)")
        candidates.append(Candidate(content, estimator, measured, float_model, fine_tuned))
        logger.info("int8 with %s ranges: %s", candidates[-1].name, measured)
    return candidates
