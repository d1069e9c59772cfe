"""Label a recording with a bundle, as a watch would: needs neither torch nor the converter."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vskd.bundle.bundle import MANIFEST, MODEL, Bundle, load_bundle
from vskd.bundle.contract import SensorContract
from vskd.bundle.encoding import model_input
from vskd.bundle.file_reading import AS_IS, FileReading, check_fits
from vskd.bundle.probabilities import softmax
from vskd.bundle.recorded import Recorded
from vskd.bundle.runtime import LiteRTModel
from vskd.bundle.sensor_checks import converted_rate
from vskd.bundle.sensor_file import read_recording
from vskd.errors import BundleError
from vskd.preprocessing.sensor.resampling import resampled
from vskd.preprocessing.sensor.signals import resample_to_length, resample_to_rate, sliding_windows

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Prediction:
    """The answer for one recording.

    Attributes:
        label: the most probable class.
        probabilities: of every class, most probable first; the mean over the windows.
        latency_ms: encoding and model together, mean per window, after one unmeasured run.
        windows: how many windows the recording gave.
        notes: what was assumed because the file does not say.
        classes: all of them, in order of class number.
        per_window: float64 (windows, classes), probabilities of each window.
        understood: what the file was understood to be, as (what, how) pairs.
    """

    label: str
    probabilities: dict[str, float]
    latency_ms: float
    windows: int
    notes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    per_window: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)), repr=False, compare=False)
    understood: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @property
    def labels(self) -> tuple[str, ...]:
        """The most probable class of each window."""
        return tuple(self.classes[k] for k in self.per_window.argmax(axis=1)) if self.per_window.size else ()


class Predictor:
    """An opened bundle, ready for many recordings.

    Args:
        bundle: opened with `load_bundle`.
        threads: CPU threads of the model.

    Raises:
        BundleError: the bundle is of images.
    """

    def __init__(self, bundle: Bundle, threads: int = 1) -> None:
        self.contract = sensor_contract_of(bundle)
        self.bundle = bundle
        self._model = LiteRTModel(bundle.read(MODEL), threads=threads)

    def logits(self, window: FloatArray) -> FloatArray:
        """float32 (classes,) for one window, float32 (channels, samples) in the contract's unit."""
        x = model_input(window, self.contract)
        (logits,) = self._model.predict(x[np.newaxis])
        return np.asarray(logits, dtype=np.float32)

    def predict(self, recorded: Recorded) -> Prediction:
        """Label a recording that fits the contract."""
        windows = contract_windows(recorded, self.contract)
        labels = self.bundle.manifest.provenance.labels
        answer = predict_samples(self.logits, list(windows), labels, recorded.notes)
        return replace(answer, understood=recorded.understood)


def predict_samples(
    logits_of: Callable[[Any], FloatArray],
    samples: Sequence[Any],
    classes: tuple[str, ...],
    notes: tuple[str, ...] = (),
) -> Prediction:
    """Run a model on windows or images, one after another, and average their probabilities.

    Args:
        logits_of: sample -> float32 (classes,).
        samples: at least one.
        classes: names, in the order of the logits.
        notes: see `Prediction`.
    """
    logits_of(samples[0])
    start = time.perf_counter()
    logits = np.stack([logits_of(sample) for sample in samples])
    latency_ms = 1000 * (time.perf_counter() - start) / len(samples)
    per_window = softmax(logits)
    mean = per_window.mean(axis=0)
    probabilities = {classes[k]: float(mean[k]) for k in np.argsort(-mean, kind="stable")}
    return Prediction(
        next(iter(probabilities)), probabilities, latency_ms, len(samples), notes, classes, per_window=per_window
    )


def sensor_contract_of(bundle: Bundle) -> SensorContract:
    """The bundle's contract.

    Raises:
        BundleError: the bundle is of images.
    """
    contract = bundle.manifest.contract
    if not isinstance(contract, SensorContract):
        raise BundleError(
            f"{bundle.path} takes {'video clips' if contract.kind == 'clip' else 'images'}, not recordings of a sensor",
            "Name a video, or use a bundle of a sensor"
            if contract.kind == "clip"
            else "Name an image (.jpg, .png), a folder of images or a video, or use a bundle of a sensor",
        )
    return contract


def sees_windows(bundle: Path) -> bool:
    """Whether a bundle's model sees sliding windows, so that it has a timeline; False of what cannot be opened."""
    try:
        content = json.loads((bundle / MANIFEST).read_bytes())
        return bool(content["contract"]["window_mode"] == "sliding")
    except (OSError, ValueError, KeyError, TypeError):
        return False


def contract_windows(recorded: Recorded, contract: SensorContract) -> FloatArray:
    """The windows of a recording, float32 (windows, channels, samples), cut as in training; none reaches across a gap.

    Raises:
        BundleError: the recording, or each part of it between gaps, is shorter than one sliding window.
    """
    if contract.window_mode == "whole":
        return resample_to_length(_at_rate(recorded, contract), contract.length)[np.newaxis]
    if contract.window_rate_hz is None or contract.stride is None:  # the contract's own check excludes it
        raise ValueError("a sliding contract has a window rate and a stride")
    parts = [
        resampled(part, recorded.rate_hz, contract.window_rate_hz)
        for part in np.split(recorded.signal, recorded.breaks, axis=1)
    ]
    windows = np.concatenate([sliding_windows(part, contract.length, contract.stride) for part in parts])
    if not len(windows):
        raise BundleError(
            f"The recording is too short: the model asks for {contract.length} samples at "
            f"{contract.window_rate_hz:g} Hz, and it has {max(part.shape[1] for part in parts)}"
            + (f" between its {len(recorded.breaks)} gaps" if recorded.breaks else ""),
            "Record longer",
        )
    return windows


def _at_rate(recorded: Recorded, contract: SensorContract) -> FloatArray:
    """A whole recording at about the contract's rate: another one is filtered against aliasing first."""
    if not converted_rate(recorded.rate_hz, contract):
        return recorded.signal
    return resample_to_rate(recorded.signal, recorded.rate_hz, contract.rate_hz)


def predict_file(bundle: Path, file: Path, reading: FileReading = AS_IS) -> Prediction:
    """Open a bundle and label one file.

    Args:
        bundle: the bundle's folder.
        file: a recording of a sensor.
        reading: what the caller says of it.

    Raises:
        BundleError: the bundle was changed, or the recording's rate, unit, channels or length are not what it asks, or
            what is said does nothing for a recording.
        DataError: the file is missing or damaged.
    """
    predictor = Predictor(load_bundle(bundle))
    check_fits(reading, "sensor", bundle)
    return predictor.predict(read_recording(file, predictor.contract, reading))
