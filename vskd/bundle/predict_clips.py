"""Label video clips with a bundle: needs neither torch nor the converter, only PyAV to read the video."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vskd.bundle.bundle import MODEL, Bundle, load_bundle
from vskd.bundle.contract import ClipContract
from vskd.bundle.encoding import model_input
from vskd.bundle.predict import Prediction, predict_samples
from vskd.bundle.runtime import LiteRTModel
from vskd.errors import BundleError

if TYPE_CHECKING:
    from vskd.preprocessing.video.chosen import ClipCut

FloatArray = npt.NDArray[np.float32]
Clip = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class TimedPrediction:
    """The answer for a video, or for each piece of it.

    Attributes:
        starts_s: where each piece begins, in seconds; one 0.0 for a whole clip.
        answer: its `per_window` has a row for each piece, and its probabilities are the mean of them.
    """

    starts_s: tuple[float, ...]
    answer: Prediction


class ClipPredictor:
    """An opened bundle of clips, ready for many of them.

    Args:
        bundle: opened with `load_bundle`.
        threads: CPU threads of the model.

    Raises:
        BundleError: the bundle is of something else.
    """

    def __init__(self, bundle: Bundle, threads: int = 1) -> None:
        contract = bundle.manifest.contract
        if not isinstance(contract, ClipContract):
            raise BundleError(f"{bundle.path} does not take video clips", "Use a bundle of clips")
        self.contract, self.bundle = contract, bundle
        self._model = LiteRTModel(bundle.read(MODEL), threads=threads)

    def logits(self, clip: Clip) -> FloatArray:
        """float32 (classes,) for one clip, uint8 (3, length, height, width)."""
        x = model_input(clip, self.contract)
        (logits,) = self._model.predict(x[np.newaxis])
        return np.asarray(logits, dtype=np.float32)

    def clip_of(self, array: npt.NDArray[np.generic]) -> Clip:
        """The sample of an array of frames.

        Raises:
            BundleError: it is not uint8 (length, height, width, 3), as the contract says.
        """
        c = self.contract
        wanted = (c.length, c.height, c.width, c.channels)
        if array.dtype != np.uint8 or array.shape != wanted:
            raise BundleError(
                f"array: is {array.dtype} {array.shape}; the model asks for uint8 {wanted}",
                "Give as many frames, as large; `predict_clip` takes video files of any size",
            )
        return np.ascontiguousarray(array.transpose(3, 0, 1, 2), dtype=np.uint8)


def predict_clip(bundle: Path, path: Path, *, piece_s: float | None = None) -> TimedPrediction:
    """Open a bundle and label a video: as one clip, or piece by piece.

    Args:
        bundle: the bundle's folder.
        path: video file.
        piece_s: length of a piece in seconds, by the file's own rate; None labels the whole video at once.

    Raises:
        BundleError: the bundle was changed or is not of clips; `path` is a folder; or pieces are asked for where they
            cannot be cut.
        DataError: the video cannot be read.
        MissingExtraError: PyAV is not installed.
    """
    predictor = ClipPredictor(load_bundle(bundle))
    if path.is_dir():
        raise BundleError(f"{path} is a folder, and {bundle} takes one video at a time", "Name a video in it")
    if piece_s is None:
        samples, starts = [whole_clip(path, predictor.contract)], [0.0]
    else:
        samples, starts = _pieces(path, cut_of(predictor.contract), piece_s)
    labels = predictor.bundle.manifest.provenance.labels
    return TimedPrediction(tuple(starts), predict_samples(predictor.logits, samples, labels))


def whole_clip(path: Path, contract: ClipContract) -> Clip:
    """A video as one clip, uint8 (3, length, height, width).

    Raises:
        DataError: the video cannot be read.
        MissingExtraError: PyAV is not installed.
    """
    from vskd.preprocessing.video.chosen import chosen_frames

    return _sample(chosen_frames(path, cut_of(contract))[0])


def _pieces(path: Path, cut: "ClipCut", piece_s: float) -> tuple[list[Clip], list[float]]:
    from vskd.preprocessing.video.chosen import pieces
    from vskd.preprocessing.video.probe import probe_video

    if cut.fit == "foreground" or cut.fit == "projections":
        raise BundleError(f"{path}: the model cuts out the figure of a whole clip", "Leave out the length of pieces")
    rate = probe_video(path).rate_hz
    if not rate:
        raise BundleError(f"{path} does not say how many frames a second it has", "Leave out the length of pieces")
    samples, starts, seen = [], [], 0
    for frames, count in pieces(path, cut, max(1, round(piece_s * rate)), cut.fit):
        samples.append(_sample(frames))
        starts.append(seen / rate)
        seen += count
    return samples, starts


def cut_of(contract: ClipContract) -> "ClipCut":
    """How the contract's clips are cut."""
    from vskd.preprocessing.video.chosen import ClipCut

    c = contract
    return ClipCut(c.length, c.height, c.width, c.fit, c.sampling)


def _sample(frames: Clip) -> Clip:
    """Frames as a sample, uint8 (3, length, height, width); grey becomes three equal channels."""
    return np.ascontiguousarray(np.broadcast_to(frames, (*frames.shape[:3], 3)).transpose(3, 0, 1, 2))
