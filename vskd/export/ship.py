"""From a trained student to a bundle: convert, quantize, choose, measure, and refuse what lost too much."""

import copy
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from vskd import __version__
from vskd.bundle.bundle import Bundle, write_bundle
from vskd.bundle.contract import (
    Accuracy,
    Contract,
    Manifest,
    NetworkCost,
    ParityNumbers,
    Provenance,
    Quantization,
    RangeEstimator,
    SensorContract,
    UnknownContract,
)
from vskd.bundle.contract import TensorKind as TensorKind
from vskd.bundle.encoding import Sample, model_input, student_input
from vskd.bundle.golden import make_golden
from vskd.bundle.golden_samples import synthetic_samples
from vskd.bundle.learned import LearnedFrom
from vskd.distillation.model import Model
from vskd.errors import SettingError
from vskd.export.candidates import Candidate as Candidate
from vskd.export.candidates import FineTuning, Inspect
from vskd.export.checks import (
    check_budget,
    check_conversion,
    check_integer_only,
    check_labels,
    check_recordings,
)
from vskd.export.convert.deployed_part import convert_part, deployed_part
from vskd.export.int8.quantize import RANGE_ESTIMATORS, quantize_int8
from vskd.export.scoring import Checker, LabelledWindow, Measurement
from vskd.models.complexity import complexity
from vskd.models.weights.state import refuse_not_finite

logger = logging.getLogger(__name__)

FloatArray = npt.NDArray[np.float32]
ROUNDING = 1e-9
KEEPS = 0.95
"""Share of the right answers that the threshold of unknown ones keeps."""


@dataclass(frozen=True)
class ExportReport:
    """What was shipped, and the figures of the candidates it was chosen from, by range estimator."""

    bundle: Bundle
    candidates: Mapping[str, Measurement]
    model_bytes: int
    float_model_bytes: int

    @property
    def accuracy(self) -> Accuracy:
        """Accuracy of the trained network and of the int8 model."""
        return self.bundle.manifest.accuracy

    @property
    def parity(self) -> ParityNumbers:
        """Closeness of the int8 model to the trained network."""
        return self.bundle.manifest.parity_int8


def export_model(
    *,
    model: Model,
    calibration: Sequence[tuple[str, Sample]],
    validation: Sequence[LabelledWindow],
    contract: Contract,
    provenance: Provenance,
    max_accuracy_drop: float,
    out: Path,
    trained: Model | None = None,
    input_type: TensorKind = "int8",
    output_type: TensorKind = "int8",
    validation_split: Literal["validation", "train"] = "validation",
    fine_tuning: FineTuning | None = None,
    inspect: Inspect | None = None,
    learned: LearnedFrom | None = None,
    fits: Callable[[bytes], None] | None = None,
) -> ExportReport:
    """Ship a trained student as a bundle of int8 and float LiteRT models.

    Both ways of estimating activation ranges are tried; the one whose int8 model agrees best with the network on the
    validation windows is kept.

    Args:
        model: the student; it is not changed.
        calibration: (recording id, window or image) of TRAINING recordings.
        validation: windows or images of recordings that are in no calibration; several windows of one id are averaged.
        contract: what the model asks of a recording.
        provenance: where the network comes from; its `labels` are in the order of the logits.
        max_accuracy_drop: largest loss of accuracy that may be shipped, as a fraction (0.01 is one point).
        out: folder of the bundle.
        trained: where `model` is what was left of another by pruning: that one, with which the models are compared,
            so that the bundle's figures hold the whole cost of export.
        input_type, output_type: types of the int8 model's ends.
        validation_split: `train` where the protocol leaves no validation recordings; the bundle says so.
        fine_tuning: what to try where quantization alone loses more than the budget; for images only.
        inspect: sees the chosen pair of models before the budget is checked, e.g. to look for what loses.
        learned: what the student learned from, where that is known; the bundle is not tested on it.
        fits: refuses an int8 model that needs more than its hardware has.

    Raises:
        BundleError: export loses more than the budget, or calibration and validation share recordings, or the network
            cannot be converted or quantized in full. Nothing is written then.
        CheckpointError: the student's weights are not finite.
        MissingExtraError: the converter or the quantizer is not installed.
        WriteError: the folder cannot be written.
    """
    refuse_not_finite(model.state_dict(), "The student")
    check_recordings(calibration, validation, contract, validation_split)
    converter = _converter(model, trained, contract, calibration, validation, (input_type, output_type))
    check_labels(provenance, converter.check.expected)
    float_model, float_measured = converter.converted()
    best, tried = _chosen(converter, float_model, max_accuracy_drop, fine_tuning)
    if fits is not None:
        fits(best.content)
    if inspect is not None:
        inspect(best.float_model, best.content)
    accuracy = Accuracy(
        split=validation_split,
        recordings=len({w.id for w in validation}),
        float32=converter.check.accuracy,
        int8=best.measured.accuracy,
        max_drop=max_accuracy_drop,
    )
    check_budget(accuracy)
    contract = _with_threshold(contract, best.measured.sure, validation_split)
    manifest = _manifest(converter, best, accuracy, float_measured, provenance, contract)
    golden = make_golden(best.content, synthetic_samples(contract), converter.encode, provenance.labels, contract)
    bundle = write_bundle(
        out, model=best.content, float_model=float_model, golden=golden, manifest=manifest, learned=learned
    )
    measured = {candidate.name: candidate.measured for candidate in tried}
    return ExportReport(bundle, measured, len(best.content), len(float_model))


@dataclass(frozen=True)
class _Converter:
    """Converts and quantizes one student, and measures every model that comes of it.

    Attributes:
        reference: the student, a copy on the CPU in evaluation mode.
        contract: what the models ask of a recording.
        encode: window or image -> input of the models.
        calibration: (recording id, window or image).
        check: measures models against the trained network.
        converter_check: measures them against `reference`; the same as `check` where nothing was pruned.
        ends: types of the int8 models' input and output.
    """

    reference: Model
    contract: Contract
    encode: Callable[[Sample], FloatArray]
    calibration: Sequence[tuple[str, Sample]]
    check: Checker
    converter_check: Checker
    ends: tuple[TensorKind, TensorKind]

    def converted(self) -> tuple[bytes, Measurement]:
        """The float model and its figures."""
        content = convert_part(deployed_part(self.reference, self.contract), self.contract)
        measured = self.converter_check.measure(content, "Checking the float model")
        check_conversion(measured.parity, self.converter_check.expected)
        if self.converter_check is not self.check:
            measured = self.check.measure(content, "Checking what pruning changed")
        return content, measured

    def quantized(
        self, float_model: bytes, estimators: Sequence[RangeEstimator], *, fine_tuned: bool = False
    ) -> list[Candidate]:
        """One candidate for each way of estimating ranges."""
        candidates = []
        for estimator in estimators:
            content = quantize_int8(
                float_model,
                (self.encode(sample) for _, sample in self.calibration),
                input_type=self.ends[0],
                output_type=self.ends[1],
                range_estimator=estimator,
            )
            check_integer_only(content)
            measured = self.check.measure(content, f"Checking int8 ({estimator} ranges)")
            candidates.append(Candidate(content, estimator, measured, float_model, fine_tuned))
            logger.info("int8 with %s ranges: %s", candidates[-1].name, measured)
        return candidates

    def fine_tuned(self, fine_tuning: FineTuning) -> list[Candidate]:
        """One candidate for each way of estimating ranges, each trained on under its own."""
        module, candidates = deployed_part(self.reference, self.contract), []
        for estimator in RANGE_ESTIMATORS:
            tuned = convert_part(fine_tuning.train(module, estimator), self.contract)
            candidates += self.quantized(tuned, (estimator,), fine_tuned=True)
        return candidates


def _converter(
    model: Model,
    trained: Model | None,
    contract: Contract,
    calibration: Sequence[tuple[str, Sample]],
    validation: Sequence[LabelledWindow],
    ends: tuple[TensorKind, TensorKind],
) -> _Converter:
    encode, prepare = partial(model_input, contract=contract), partial(student_input, contract=contract)
    reference = _reference(model)
    check = own = Checker(reference, validation, encode, prepare)
    if trained is not None and trained is not model:
        check = Checker(_reference(trained), validation, encode, prepare)
    return _Converter(reference, contract, encode, calibration, check, own, ends)


def _reference(model: Model) -> Model:
    """A copy on the CPU in evaluation mode."""
    return copy.deepcopy(model).cpu().float().eval()


def _chosen(
    converter: _Converter,
    float_model: bytes,
    max_accuracy_drop: float,
    fine_tuning: FineTuning | None,
) -> tuple[Candidate, list[Candidate]]:
    """The candidate to ship, and all that were tried.

    Quantization alone goes by agreement with the network. Training on changes a network's answers, so that accuracy
    chooses there, and it has to be greater than without.

    Args:
        converter: makes the candidates.
        float_model: what is quantized.
        max_accuracy_drop: the budget.
        fine_tuning: tried where more is lost without it.
    """
    candidates = converter.quantized(float_model, RANGE_ESTIMATORS)
    best = max(candidates, key=lambda candidate: candidate.rank)
    lost = converter.check.accuracy - best.measured.accuracy
    if fine_tuning is None or not (fine_tuning.always or lost > max_accuracy_drop + ROUNDING):
        return best, candidates
    logger.info("int8 loses %.2f points: training on under simulated int8", 100 * lost)
    tuned = converter.fine_tuned(fine_tuning)
    best_tuned = max(tuned, key=lambda candidate: (candidate.measured.accuracy, *candidate.rank))
    gains = best_tuned.measured.accuracy > best.measured.accuracy
    return best_tuned if gains else best, candidates + tuned


def _manifest(
    converter: _Converter,
    best: Candidate,
    accuracy: Accuracy,
    float_measured: Measurement,
    provenance: Provenance,
    contract: Contract,
) -> Manifest:
    quantization = Quantization(
        input_type=converter.ends[0],
        output_type=converter.ends[1],
        range_estimator=best.range_estimator,
        calibration_ids=tuple(sorted({recording for recording, _ in converter.calibration})),
        fine_tuned=best.fine_tuned,
    )
    return Manifest(
        vskd_version=__version__,
        created_utc=_made_at(),
        provenance=provenance,
        contract=contract,
        network=_cost(converter),
        quantization=quantization,
        accuracy=accuracy,
        parity_int8=best.measured.parity,
        parity_float32=float_measured.parity,
        files={},
    )


def _made_at() -> datetime:
    """Now, or the second that SOURCE_DATE_EPOCH names, so that the same export gives the same bytes.

    See https://reproducible-builds.org/specs/source-date-epoch/.

    Raises:
        SettingError: the variable is no number of seconds.
    """
    said = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not said:
        return datetime.now(UTC).replace(microsecond=0)
    if not said.isdecimal() or int(said) > datetime(9999, 1, 1, tzinfo=UTC).timestamp():
        raise SettingError(f"SOURCE_DATE_EPOCH is '{said}'", "Set it to seconds since 1970, or leave it out")
    return datetime.fromtimestamp(int(said), UTC)


def _with_threshold(contract: Contract, sure: Sequence[float], split: Literal["validation", "train"]) -> Contract:
    """The contract of a sensor with the threshold of unknown answers: nearly all right answers are surer.

    Args:
        contract: what the model asks for.
        sure: probabilities of the right answers about windows that served to check the model.
        split: the part that these are of.
    """
    if not isinstance(contract, SensorContract) or not sure:
        return contract
    below = float(np.quantile(sure, 1 - KEEPS, method="lower"))
    unknown = UnknownContract(below=round(below, 6), keeps=KEEPS, windows=len(sure), split=split)
    return contract.model_copy(update={"unknown": unknown})


def _cost(converter: _Converter) -> NetworkCost:
    counted = complexity(converter.reference, converter.contract.sample_shape)
    return NetworkCost(parameters=counted.parameters, macs=counted.macs, ptflops_macs=counted.ptflops_macs)
