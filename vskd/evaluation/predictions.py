"""What a network answered, one row per recording: the file from which every metric can be recomputed.

Rows of sliding windows may follow; they have a number in the column `window`. Of long recordings that show several
classes each labelled stretch is a row as recordings are, with its start and end.

Numpy and the standard library only, so that a deployment that has just the runtime can read and write it too.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vskd.bundle.probabilities import softmax
from vskd.errors import DataError
from vskd.files import atomic_path

FIXED_COLUMNS = ("id", "subject", "label", "label_name", "predicted", "predicted_name")
STAMPS = ("window", "start_s", "end_s", "fold", "seed")
"""Further columns; files of before have none of them."""
SUM_TOLERANCE = 1e-3  # lets through rounded probabilities of other tools, stops logits and percentages


@dataclass(frozen=True, eq=False)
class Predictions:
    """Class probabilities for `n` labelled recordings.

    Attributes:
        ids: recording ids, unique.
        subjects: subject of each recording.
        labels: int64 (n,), the true classes, 0-based.
        probabilities: float64 (n, classes), rows sum to 1.
        class_names: one name per class, unique.

    Raises:
        DataError: on construction, when any of the above does not hold.
    """

    ids: tuple[str, ...]
    subjects: tuple[str, ...]
    labels: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float64]
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", tuple(self.ids))
        object.__setattr__(self, "subjects", tuple(self.subjects))
        object.__setattr__(self, "class_names", tuple(self.class_names))
        object.__setattr__(self, "labels", _whole_numbers(self.labels))
        object.__setattr__(self, "probabilities", np.array(self.probabilities, dtype=np.float64))
        self._check_shapes()
        self._check_names()
        for row, (label, values) in enumerate(zip(self.labels, self.probabilities, strict=True)):
            problem = _row_problem(int(label), values)
            if problem:
                raise _error(f"Predictions of recording {self.ids[row]}: {problem}")
        self.labels.flags.writeable = False
        self.probabilities.flags.writeable = False

    @classmethod
    def from_logits(
        cls,
        ids: Sequence[str],
        subjects: Sequence[str],
        labels: npt.ArrayLike,
        logits: npt.ArrayLike,
        class_names: Sequence[str],
    ) -> "Predictions":
        """Softmax of `logits` (n, classes) in float64.

        Raises:
            DataError: as for the constructor, also for NaN or infinite logits.
        """
        scores = np.asarray(logits, dtype=np.float64)
        if scores.ndim != 2 or not np.isfinite(scores).all():
            raise _error(f"Logits of shape {scores.shape} must be (recordings, classes) and finite")
        return cls(tuple(ids), tuple(subjects), np.asarray(labels), softmax(scores), tuple(class_names))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def predicted(self) -> npt.NDArray[np.int64]:
        """int64 (n,): the most probable class; the first of equals, as numpy and LiteRT users expect of argmax."""
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.int64)

    @property
    def confidence(self) -> npt.NDArray[np.float64]:
        """float64 (n,): the probability of the predicted class."""
        best: npt.NDArray[np.float64] = self.probabilities.max(axis=1)
        return best

    @property
    def correct(self) -> npt.NDArray[np.bool_]:
        """bool (n,): whether the predicted class is the true one."""
        return np.asarray(self.predicted == self.labels)

    def take(self, rows: npt.ArrayLike) -> "Predictions":
        """The rows at integer positions `rows`, in that order."""
        positions = np.asarray(rows, dtype=np.int64)
        return Predictions(
            tuple(self.ids[i] for i in positions),
            tuple(self.subjects[i] for i in positions),
            self.labels[positions],
            self.probabilities[positions],
            self.class_names,
        )

    def sorted_by_id(self) -> "Predictions":
        """The same rows in the order of their ids: the form in which two sets of predictions are joined."""
        return self.take(np.array(sorted(range(len(self)), key=self.ids.__getitem__), dtype=np.int64))

    def _check_shapes(self) -> None:
        n, classes = len(self.ids), len(self.class_names)
        if n == 0:
            raise _error("There are no predictions (0 recordings)")
        if self.labels.shape != (n,) or len(self.subjects) != n or self.probabilities.shape != (n, classes):
            raise _error(
                f"Predictions do not fit together: {n} ids, {len(self.subjects)} subjects, labels {self.labels.shape}, "
                f"probabilities {self.probabilities.shape}, {classes} class names"
            )

    def _check_names(self) -> None:
        for what, names in (("recording id", self.ids), ("class name", self.class_names)):
            twice = [name for name, count in Counter(names).items() if count > 1]
            if twice:
                raise _error(f"Predictions have the {what} '{twice[0]}' more than once")


def pool(parts: Iterable[Predictions]) -> Predictions:
    """Put the predictions of disjoint test sets (the folds of a protocol) together.

    Raises:
        DataError: no parts, other class names, or a recording that is in two of them.
    """
    items = tuple(parts)
    if not items:
        raise _error("There are no predictions to pool")
    if any(item.class_names != items[0].class_names for item in items):
        raise _error("Predictions of different class lists cannot be pooled")
    return Predictions(
        tuple(i for item in items for i in item.ids),
        tuple(s for item in items for s in item.subjects),
        np.concatenate([item.labels for item in items]),
        np.concatenate([item.probabilities for item in items]),
        items[0].class_names,
    )


Cell = str | int | float


@dataclass(frozen=True)
class Stamp:
    """What is written beside the rows of predictions.csv.

    Attributes:
        fold, seed: of the run; a fold of None is left empty.
        times: start and end in seconds of rows that are stretches of recordings; None: they are whole recordings.
        windows: rows of windows as cells, `id` to `end_s` and probabilities.
    """

    fold: str | None
    seed: int
    times: Sequence[tuple[float, float]] | None = None
    windows: Iterable[tuple[Sequence[Cell], Sequence[float]]] = ()


def write_csv(predictions: Predictions, path: Path, stamp: Stamp | None = None) -> None:
    """Write one row per recording, atomically; probabilities in full float64 precision.

    Args:
        predictions: of recordings.
        path: the file.
        stamp: what stands beside them; None: nothing.

    Raises:
        WriteError: the file cannot be written; an earlier file is left untouched.
    """
    names, predicted = predictions.class_names, predictions.predicted.tolist()
    labels, probabilities = predictions.labels.tolist(), predictions.probabilities.tolist()
    run: list[Cell] = [] if stamp is None else [stamp.fold or "", stamp.seed]
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow([*FIXED_COLUMNS, *(STAMPS if stamp else ()), *(f"p_{name}" for name in names)])
        for i, identity in enumerate(predictions.ids):
            label, answer = labels[i], predicted[i]
            head: list[Cell] = [identity, predictions.subjects[i], label, names[label], answer, names[answer]]
            if stamp is not None:
                head += ["", *(stamp.times[i] if stamp.times else ("", "")), *run]
            writer.writerow([*head, *map(repr, probabilities[i])])
        for cells, values in stamp.windows if stamp else ():
            writer.writerow([*cells, *run, *map(repr, values)])


def read_csv(path: Path) -> Predictions:
    """Read the recordings that `write_csv` wrote; everything is checked. Rows of windows are left out.

    Raises:
        DataError: missing or unreadable file, wrong columns, duplicate id, unknown class, NaN, probabilities that do
            not sum to 1, or a `predicted` that is not the most probable class; the message names file and row.
    """
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            rows = csv.reader(handle, strict=True)
            names, stamped = _read_header(path, next(rows, []))
            parsed = list(_read_rows(path, _of_recordings(rows) if stamped else rows, names))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _error(f"{path}: cannot be read as CSV: {error}") from error
    if not parsed:
        raise _error(f"{path}: holds no predictions (0 rows)")
    ids, subjects, labels, probabilities = zip(*parsed, strict=True)
    return Predictions(ids, subjects, np.array(labels), np.array(probabilities), names)


def _of_recordings(rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    """Rows of recordings without their stamps; a row that is too short to tell is kept, and refused."""
    fixed, behind = len(FIXED_COLUMNS), len(FIXED_COLUMNS) + len(STAMPS)
    for row in rows:
        if len(row) < behind or not row[fixed]:
            yield [*row[:fixed], *row[behind:]]


def _read_header(path: Path, header: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    """Names of the classes, and whether the rows are stamped."""
    fixed = len(FIXED_COLUMNS)
    stamped = tuple(header[fixed : fixed + len(STAMPS)]) == STAMPS
    header = [*header[:fixed], *header[fixed + len(STAMPS) :]] if stamped else header
    if tuple(header[:fixed]) != FIXED_COLUMNS or len(header) == fixed:
        expected = ",".join(FIXED_COLUMNS)
        raise _error(f"{path} row 1: the columns must be '{expected},p_<class>...', found '{','.join(header)[:120]}'")
    wrong = [column for column in header[fixed:] if not column.startswith("p_")]
    if wrong:
        raise _error(f"{path} row 1: unknown column '{wrong[0]}', expected p_<class>")
    names = tuple(column.removeprefix("p_") for column in header[fixed:])
    if len(set(names)) != len(names):
        raise _error(f"{path} row 1: two columns have the same class name")
    return names, stamped


def _read_rows(
    path: Path, rows: Iterable[Sequence[str]], names: tuple[str, ...]
) -> Iterator[tuple[str, str, int, npt.NDArray[np.float64]]]:
    seen: set[str] = set()
    for number, row in enumerate(rows, start=2):
        place = f"{path} row {number}"
        if len(row) != len(FIXED_COLUMNS) + len(names):
            raise _error(f"{place}: {len(row)} fields, expected {len(FIXED_COLUMNS) + len(names)}")
        identity, subject, label_text, label_name, predicted_text, predicted_name = row[: len(FIXED_COLUMNS)]
        if not identity or identity in seen:
            raise _error(f"{place}: recording id '{identity}' is {'there twice' if identity else 'empty'}")
        seen.add(identity)
        label = _read_class(place, "label", label_text, label_name, names)
        predicted = _read_class(place, "predicted", predicted_text, predicted_name, names)
        try:
            probabilities = np.array([float(text) for text in row[len(FIXED_COLUMNS) :]])
        except ValueError as error:
            raise _error(f"{place}: a probability is not a number: {error}") from error
        problem = _row_problem(label, probabilities)
        if problem:
            raise _error(f"{place}: {problem}")
        if int(probabilities.argmax()) != predicted:
            raise _error(f"{place}: predicted is {predicted}, but class {int(probabilities.argmax())} is most probable")
        yield identity, subject, label, probabilities


def _read_class(place: str, column: str, number: str, name: str, names: tuple[str, ...]) -> int:
    if not (number.isascii() and number.isdigit() and len(number) < 7 and int(number) < len(names)):
        raise _error(f"{place}: {column} '{number}' is not a class number below {len(names)}")
    if names[int(number)] != name:
        raise _error(f"{place}: unknown class: {column}_name '{name}' is not class {number} ('{names[int(number)]}')")
    return int(number)


def _row_problem(label: int, probabilities: npt.NDArray[np.float64]) -> str:
    if not 0 <= label < len(probabilities):
        return f"label {label} is outside 0..{len(probabilities) - 1}"
    if not np.isfinite(probabilities).all():
        return "a probability is NaN or infinite"
    if (probabilities < 0).any():
        return f"a probability is negative ({probabilities.min():g})"
    total = float(probabilities.sum())
    if abs(total - 1) > SUM_TOLERANCE:
        return f"the probabilities sum to {total:.6g}, not to 1"
    return ""


def _whole_numbers(labels: npt.ArrayLike) -> npt.NDArray[np.int64]:
    values = np.asarray(labels)
    if values.size and not np.issubdtype(values.dtype, np.integer):
        raise _error(f"Labels must be whole class numbers, found {values.dtype}")
    return np.array(values, dtype=np.int64)


def _error(problem: str) -> DataError:
    return DataError(problem, "Make the predictions again with `vskd evaluate`, or correct them")
