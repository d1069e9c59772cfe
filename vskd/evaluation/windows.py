"""Answers about sliding windows: what the figures of windows and events are computed from."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vskd.datasets.timeline import UNLABELLED, Timeline
from vskd.errors import DataError
from vskd.evaluation.metrics import METRICS, confusion_matrix
from vskd.evaluation.predictions import FIXED_COLUMNS, STAMPS, Predictions, read_csv
from vskd.schema import Count, Fraction, Size, Strict


@dataclass(frozen=True, eq=False)
class WindowPredictions:
    """Class probabilities of windows, recording by recording, in the order of time.

    Attributes:
        ids: recording of each window.
        subjects: the person of each window.
        times: float64 (n, 2), start and end in seconds since the recording's first row.
        labels: int64 (n,), the true classes; `UNLABELLED` where nobody knows it.
        probabilities: float64 (n, classes).
        class_names: one name per class.
    """

    ids: tuple[str, ...]
    subjects: tuple[str, ...]
    times: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float64]
    class_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def predicted(self) -> npt.NDArray[np.int64]:
        """int64 (n,): the most probable class."""
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.int64)

    @cached_property
    def recordings(self) -> dict[str, slice]:
        """The windows of each recording."""
        if not self.ids:
            return {}
        ids = np.array(self.ids)
        starts = np.flatnonzero(np.append(True, ids[1:] != ids[:-1])).tolist()
        return {self.ids[a]: slice(a, b) for a, b in zip(starts, [*starts[1:], len(ids)], strict=True)}

    def labelled(self) -> Predictions:
        """The windows that have a label, as predictions: their id is the recording's with their number behind."""
        rows = np.flatnonzero(self.labels != UNLABELLED)
        return Predictions(
            tuple(f"{self.ids[r]}#{r}" for r in rows),
            tuple(self.subjects[r] for r in rows),
            self.labels[rows],
            self.probabilities[rows],
            self.class_names,
        )


def window_rows(windows: WindowPredictions) -> Iterator[tuple[list[str | int | float], list[float]]]:
    """The rows of predictions.csv; windows without a label have empty cells there."""
    names, predicted = windows.class_names, windows.predicted.tolist()
    for recording, part in windows.recordings.items():
        for k in range(part.start, part.stop):
            label, answer = int(windows.labels[k]), predicted[k]
            truth: list[str | int] = ["", ""] if label == UNLABELLED else [label, names[label]]
            head = [recording, windows.subjects[k], *truth, answer, names[answer], k - part.start]
            head += windows.times[k].tolist()
            yield head, windows.probabilities[k].tolist()


def read_windows(path: Path) -> WindowPredictions | None:
    """The windows in a predictions.csv; None where it has none.

    Raises:
        DataError: the file is missing, or is none that `write_csv` wrote.
    """
    read_csv(path)  # checks the file
    fixed = len(FIXED_COLUMNS)
    with path.open(newline="", encoding="utf-8") as handle:
        rows = csv.reader(handle)
        header = next(rows)
        if header[fixed] != STAMPS[0]:
            return None
        found = [row for row in rows if row[fixed]]
    if not found:
        return None
    names = tuple(column.removeprefix("p_") for column in header[fixed + len(STAMPS) :])
    return WindowPredictions(
        tuple(row[0] for row in found),
        tuple(row[1] for row in found),
        np.array([[float(row[fixed + 1]), float(row[fixed + 2])] for row in found]),
        np.array([int(row[2]) if row[2] else UNLABELLED for row in found]),
        np.array([[float(cell) for cell in row[fixed + len(STAMPS) :]] for row in found]),
        names,
    )


def stretch_predictions(
    windows: WindowPredictions, timelines: Mapping[str, Timeline]
) -> tuple[Predictions, list[tuple[float, float]]]:
    """One row for each labelled stretch of long recordings: the mean over the windows whose middle lies within.

    A stretch between the middles of two windows is spoken for by the window nearest to its own middle. Its id is that
    of the recording with its beginning behind, in seconds.

    Args:
        windows: of recordings with a timeline.
        timelines: of each recording.

    Returns:
        The rows, and start and end of each stretch.
    """
    ids, subjects, labels, rows, places = [], [], [], [], []
    for recording, part in windows.recordings.items():
        middles = windows.times[part].mean(axis=1)
        for start, end, label in timelines[recording].stretches(float(windows.times[part][-1, 1])):
            if label == UNLABELLED:
                continue
            inside = (middles >= start) & (middles < end)
            if not inside.any():
                inside = np.arange(len(middles)) == np.abs(middles - (start + end) / 2).argmin()
            ids.append(f"{recording}@{start:.2f}")
            places.append((start, end))
            subjects.append(windows.subjects[part.start])
            labels.append(label)
            rows.append(windows.probabilities[part][inside].mean(axis=0))
    if not ids:
        raise DataError("No stretch of the recordings has a label", "Evaluate recordings that somebody labelled")
    return Predictions(tuple(ids), tuple(subjects), np.array(labels), np.stack(rows), windows.class_names), places


class WindowFigures(Strict):
    """Figures of sliding windows.

    Attributes:
        n: windows with a label; they are not independent of each other, so that there are no intervals.
        unlabelled: windows of which nobody knows the label; no figure counts them.
        accuracy, macro_f1, balanced_accuracy, confusion: see `vskd.evaluation.metrics`.
        null_answered: share of the windows of the null class that are called something; None without a null class.
        null_missed: share of the other windows that are called the null class.
    """

    n: Count
    unlabelled: Size
    accuracy: Fraction
    macro_f1: Fraction
    balanced_accuracy: Fraction
    confusion: tuple[tuple[Size, ...], ...]
    null_answered: Fraction | None = None
    null_missed: Fraction | None = None


def window_figures(windows: WindowPredictions, null_class: str) -> WindowFigures:
    """Figures of the windows that have a label.

    Args:
        windows: at least one has a label.
        null_class: its name; empty where there is none.
    """
    known = windows.labelled()
    confusion = confusion_matrix(known)
    answered = missed = None
    if null_class in windows.class_names:
        null = windows.class_names.index(null_class)
        of_null, others = confusion[null], np.delete(confusion, null, axis=0)
        answered = 1 - float(of_null[null] / of_null.sum()) if of_null.sum() else None
        missed = float(others[:, null].sum() / others.sum()) if others.sum() else None
    return WindowFigures(
        n=len(known),
        unlabelled=len(windows) - len(known),
        accuracy=METRICS["accuracy"](known),
        macro_f1=METRICS["macro_f1"](known),
        balanced_accuracy=METRICS["balanced_accuracy"](known),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        null_answered=answered,
        null_missed=missed,
    )
