"""Label images with a bundle, as a device beside a camera would: needs neither torch nor the converter."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from vskd.bundle.bundle import MODEL, Bundle, load_bundle
from vskd.bundle.contract import ImageContract
from vskd.bundle.encoding import model_input
from vskd.bundle.file_reading import AS_IS, FileReading, check_fits
from vskd.bundle.image_input import Picture, is_video_name, read_pictures
from vskd.bundle.probabilities import softmax
from vskd.bundle.runtime import LiteRTModel
from vskd.errors import BundleError, DataError, first_few

FloatArray = npt.NDArray[np.float32]
Kind = Literal["image", "folder", "video"]


@dataclass(frozen=True)
class ImageAnswer:
    """The answer for one image or frame; `probabilities` of every class, most probable first."""

    source: str
    label: str
    probabilities: dict[str, float]


@dataclass(frozen=True)
class ImagesPrediction:
    """The answers for an image, a folder or a video.

    Attributes:
        kind: which of the three.
        answers: one for each image or frame, in order.
        left_out: file and problem of what could not be read; of a folder also files that are no images.
        mean: mean probabilities over all frames of a video, most probable first; of an image its own; of a folder,
            whose images need not belong together, empty.
        latency_ms: scaling and model together, mean per image, after one unmeasured run; reading is not in it.
    """

    kind: Kind
    answers: tuple[ImageAnswer, ...]
    left_out: tuple[tuple[str, str], ...]
    mean: dict[str, float]
    latency_ms: float


class ImagePredictor:
    """An opened bundle of images, ready for many of them.

    Args:
        bundle: opened with `load_bundle`.
        threads: CPU threads of the model.

    Raises:
        BundleError: the bundle is of a sensor.
    """

    def __init__(self, bundle: Bundle, threads: int = 1) -> None:
        self.contract = image_contract_of(bundle)
        self.bundle = bundle
        self._model = LiteRTModel(bundle.read(MODEL), threads=threads)

    def logits(self, picture: Picture) -> FloatArray:
        """float32 (classes,) for one picture, uint8 (channels, size, size)."""
        x = model_input(picture, self.contract)
        (logits,) = self._model.predict(x[np.newaxis])
        return np.asarray(logits, dtype=np.float32)

    def sorted_probabilities(self, probabilities: npt.NDArray[np.float64]) -> dict[str, float]:
        """Class -> probability, most probable first."""
        labels = self.bundle.manifest.provenance.labels
        return {labels[k]: float(probabilities[k]) for k in np.argsort(-probabilities, kind="stable")}


def image_contract_of(bundle: Bundle) -> ImageContract:
    """The bundle's contract.

    Raises:
        BundleError: the bundle is of a sensor.
    """
    contract = bundle.manifest.contract
    if contract.kind == "clip":
        raise BundleError(f"{bundle.path} takes video clips, not images", "Name a video, or use a bundle of images")
    if not isinstance(contract, ImageContract):
        raise BundleError(
            f"{bundle.path} takes recordings of a sensor ({contract.stream}), not images",
            "Name a recording (.csv, .mat, .npy), or use a bundle of images",
        )
    return contract


def _refuse_folder_of_recordings(bundle: Bundle, path: Path) -> None:
    contract = bundle.manifest.contract
    if contract.kind == "sensor" and path.is_dir():
        raise BundleError(
            f"{path} is a folder, and {bundle.path} takes one recording of a sensor ({contract.stream}) at a time",
            "Name a file in it (.csv, .mat, .npy)",
        )


def predict_images(bundle: Path, path: Path, reading: FileReading = AS_IS) -> ImagesPrediction:
    """Open a bundle and label an image, every image of a folder, or the frames of a video.

    Args:
        bundle: the bundle's folder.
        path: image, folder or video.
        reading: what the caller says of it.

    Raises:
        BundleError: the bundle was changed or is of a sensor, or an image is not what it asks for, or what
            is said does nothing for images.
        DataError: the file cannot be read, or no image of a folder can.
    """
    opened = load_bundle(bundle)
    _refuse_folder_of_recordings(opened, path)
    predictor = ImagePredictor(opened)
    check_fits(reading, "image", bundle)
    answers: list[ImageAnswer] = []
    left_out: list[tuple[str, str]] = []
    rows: list[npt.NDArray[np.float64]] = []
    seconds = 0.0
    for shown in read_pictures(path, predictor.contract, box=reading.box, every=reading.every or 1):
        if shown.picture is None:
            left_out.append((shown.source, shown.problem))
            continue
        if not rows:
            predictor.logits(shown.picture)
        start = time.perf_counter()
        logits = predictor.logits(shown.picture)
        seconds += time.perf_counter() - start
        rows.append(softmax(logits))
        probabilities = predictor.sorted_probabilities(rows[-1])
        answers.append(ImageAnswer(shown.source, next(iter(probabilities)), probabilities))
    if not rows:
        problems = first_few([problem for _, problem in left_out], 3)
        raise DataError(f"{path}: none of {len(left_out)} images can be read: {problems}", "Repair or replace them")
    kind: Kind = "folder" if path.is_dir() else "video" if is_video_name(path) else "image"
    mean = {} if kind == "folder" else predictor.sorted_probabilities(np.mean(rows, axis=0))
    return ImagesPrediction(kind, tuple(answers), tuple(left_out), mean, 1000 * seconds / len(rows))
