"""Baselines that need no learning: they show how much of a protocol's figure is memory of the training part.

A network that does not beat them has learnt nothing that copying would not give.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from vskd.datasets.recording import Recording
from vskd.errors import DataError
from vskd.preprocessing.image.image_file import open_image
from vskd.progress import track

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

WIDTH, HEIGHT = 32, 18
_BLOCK, _TRAIN_BLOCK = 512, 512
"""Tiny pictures of the test and of the training part that are compared at a time."""
_FLAT = 1e-3
"""Deviation in grey levels below which a picture is one colour, and what is left of it rounding."""


@dataclass(frozen=True)
class Scores:
    """How well predictions agree with labels, as fractions, by scikit-learn's default definitions."""

    accuracy: float
    macro_f1: float
    macro_recall: float


def score(labels: Ints, predictions: Ints) -> Scores:
    """Accuracy, and F1 and recall averaged over the classes that occur as label or prediction (`average="macro"`)."""
    classes = int(max(labels.max(), predictions.max())) + 1
    counts = np.bincount(labels * classes + predictions, minlength=classes * classes).reshape(classes, classes)
    hits, real, said = np.diag(counts).astype(np.float64), counts.sum(axis=1), counts.sum(axis=0)
    occurs = real + said > 0
    recall = hits[occurs] / real[occurs].clip(min=1)  # 0 of a class that is only predicted
    f1 = 2 * hits[occurs] / (real[occurs] + said[occurs])
    return Scores(float(hits.sum() / len(labels)), float(f1.mean()), float(recall.mean()))


def majority(train_labels: Ints, tests: int) -> Ints:
    """The most frequent class of the training part, for every test recording; of equals the first."""
    return np.full(tests, np.bincount(train_labels).argmax(), dtype=np.int64)


def labels_of(recordings: Sequence[Recording]) -> Ints:
    """Class numbers."""
    return np.array([r.label for r in recordings], dtype=np.int64)


@dataclass(frozen=True)
class Nearest:
    """For each test frame: how far in frames the nearest training frame of the same clip is, and which one that is.

    Attributes:
        distance: frames; -1 where the clip has no training frame, or clip or frame number is not known.
        index: number of that training recording; -1 likewise. Of two equally near the earlier.
    """

    distance: Ints
    index: Ints

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Which test frames have a training frame of the same clip."""
        return self.index >= 0

    def share_within(self, frames: int) -> float:
        """Fraction of ALL test frames with a training frame of the same clip at most so far away."""
        return float((self.known & (self.distance <= frames)).mean())


def nearest_frames(train: Sequence[Recording], test: Sequence[Recording]) -> Nearest:
    """Compare positions within each clip."""
    distance, index = np.full(len(test), -1, dtype=np.int64), np.full(len(test), -1, dtype=np.int64)
    trained, tested = _by_clip(train), _by_clip(test)
    for clip in trained.keys() & tested.keys():
        positions, numbers = trained[clip]
        wanted, rows = tested[clip]
        right = np.searchsorted(positions, wanted).clip(max=len(positions) - 1)
        left = (right - 1).clip(min=0)
        chosen = np.where(np.abs(wanted - positions[left]) <= np.abs(positions[right] - wanted), left, right)
        distance[rows] = np.abs(positions[chosen] - wanted)
        index[rows] = numbers[chosen]
    return Nearest(distance, index)


def _by_clip(recordings: Sequence[Recording]) -> Mapping[str, tuple[Ints, Ints]]:
    """Positions, ascending, and numbers of the recordings of each clip."""
    rows: dict[str, list[tuple[int, int]]] = {}
    for number, recording in enumerate(recordings):
        if recording.clip and recording.position is not None:
            rows.setdefault(recording.clip, []).append((recording.position, number))
    arrays = {clip: np.array(sorted(pairs), dtype=np.int64) for clip, pairs in rows.items()}
    return {clip: (pairs[:, 0], pairs[:, 1]) for clip, pairs in arrays.items()}


class Rows(Protocol):
    """Tiny pictures one behind the other, in memory (an array) or read as they are asked for."""

    def __len__(self) -> int:
        """How many."""

    def __getitem__(self, rows: slice, /) -> Floats:
        """Some of them: float32 (n, ..., height, width), standardised."""


class Pictures(Protocol):
    """Tiny pictures by recording: of images (`Thumbnails`) or of clips."""

    @property
    def ids(self) -> Container[str]:
        """Recordings that have one."""

    @property
    def unreadable(self) -> Mapping[str, str]:
        """What was wrong with the others, by id."""

    def of(self, recordings: Sequence[Recording], /) -> Rows:
        """The pictures of some recordings."""


@dataclass(frozen=True)
class Thumbnails:
    """Tiny pictures of recordings, in memory.

    Attributes:
        row: row of each readable recording, by id.
        pixels: float32 (recordings, 18, 32), each with mean 0 and deviation 1.
        unreadable: what was wrong with the others, by id.
    """

    row: Mapping[str, int]
    pixels: Floats
    unreadable: Mapping[str, str]

    @property
    def ids(self) -> Container[str]:
        """Readable recordings."""
        return self.row.keys()

    def of(self, recordings: Sequence[Recording]) -> Floats:
        """The pictures of some recordings, (n, 18, 32)."""
        return self.pixels[[self.row[r.id] for r in recordings]]


def thumbnails(recordings: Sequence[Recording], stream: str = "image") -> Thumbnails:
    """Decode every image to 32 x 18 grey pixels, each the mean of those it covers, and standardise each picture.

    A recording without the stream, or whose image cannot be decoded, is named in the result.
    """
    row: dict[str, int] = {}
    unreadable: dict[str, str] = {}
    pixels = np.empty((len(recordings), HEIGHT, WIDTH), dtype=np.float32)
    for recording in track(recordings, "Reading images"):
        try:
            image, turn = open_image(recording.stream(stream).path, grey=True)
        except DataError as error:
            unreadable[recording.id] = error.problem
            continue
        upright = image if turn is None else image.transpose(turn)
        tiny = upright.convert("F").resize((WIDTH, HEIGHT), Image.Resampling.BOX)  # means that are not rounded
        pixels[len(row)] = standardised(np.asarray(tiny))
        row[recording.id] = len(row)
    return Thumbnails(row, pixels[: len(row)], unreadable)


def standardised(picture: Floats) -> Floats:
    """A picture with mean 0 and deviation 1; one of a single colour becomes 0."""
    values: Floats = picture - picture.mean()
    deviation = values.std()
    return values / deviation if deviation > _FLAT else np.zeros_like(values)


def nearest_picture(train: Rows, train_labels: Ints, test: Rows, label_swap: Sequence[int] | None = None) -> Ints:
    """1-nearest-neighbour classification by Euclidean distance; of equals the first, unmirrored before mirrored.

    Args:
        train, test: pictures (n, height, width), or clips (n, frames, height, width); a few are in memory at a time.
        train_labels: (n,).
        label_swap: class of the mirror image of each class; with it the mirrored training pictures count too.

    Returns:
        Predicted classes of `test`.
    """
    result = np.empty(len(test), dtype=np.int64)
    for start in track(range(0, len(test), _BLOCK), "Comparing pixels"):
        block = test[start : start + _BLOCK]
        nearest, distance = _nearest(train, block)
        labels = train_labels[nearest]
        if label_swap is not None:
            # a test picture is as far from a mirrored training picture as its own mirror image is from the original
            mirrored, mirrored_distance = _nearest(train, block[..., ::-1])
            swapped = np.asarray(label_swap, dtype=np.int64)[train_labels[mirrored]]
            labels = np.where(mirrored_distance < distance, swapped, labels)
        result[start : start + _BLOCK] = labels
    return result


def _nearest(train: Rows, block: Floats) -> tuple[Ints, Floats]:
    """Number of the nearest row of `train`, and half its squared distance less a constant of the test picture."""
    shown = block.reshape(len(block), -1)
    nearest, distance = np.zeros(len(block), dtype=np.int64), np.full(len(block), np.inf, dtype=np.float32)
    for start in range(0, len(train), _TRAIN_BLOCK):
        part = train[start : start + _TRAIN_BLOCK]
        flat = part.reshape(len(part), -1)
        gaps = (flat**2).sum(axis=1) / 2 - shown @ flat.T
        best = gaps.argmin(axis=1)
        least = gaps[np.arange(len(block)), best]
        nearest = np.where(least < distance, start + best, nearest)
        distance = np.minimum(least, distance)
    return nearest, distance
