"""A small healthy data set, and what makes it ill."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vskd.datasets.doctor.catalog import CHECKS
from vskd.datasets.doctor.finding import Finding
from vskd.datasets.doctor.survey import Survey, survey_of
from vskd.datasets.recording import Index, Recording, Stream
from vskd.datasets.splits.split import Split
from vskd.datasets.splits.split_facts import split_facts

Floats = npt.NDArray[np.float64]
Edit = Callable[[Recording, Floats], Floats]
LABELS = ("rest", "walk", "wave")
SUBJECTS, TRIALS, RATE = 6, 2, 50.0
POSTURES = {"rest": (0.1, 0.2, 0.97), "walk": (0.9, 0.3, 0.3), "wave": (0.2, 0.95, 0.2)}


def movement(recording: Recording, seconds: float = 4.0) -> Floats:
    """A wrist in g, (samples, 3): a posture and a pace of its own for each class, and rest at both ends."""
    random = np.random.default_rng([int(recording.subject), recording.label, int(recording.trial)])
    time = np.arange(int(seconds * RATE))[:, None] / RATE
    swing = np.sin(2 * np.pi * (0.8 + recording.label) * time + 0.2 * int(recording.subject)) * (0.4, 0.3, 0.2)
    gravity = np.array(POSTURES[LABELS[recording.label]]) + random.normal(0, 0.02, 3)
    moves = swing * np.clip(np.minimum(time, seconds - time) - 0.5, 0, 1)
    return np.asarray(gravity / np.linalg.norm(gravity) + moves + random.normal(0, 0.015, (len(time), 3)))


def ward(
    root: Path,
    edit: Edit = lambda _, values: values,
    *,
    clock: Callable[[Recording, Floats], Floats] | None = None,
    subjects: int = SUBJECTS,
    keep: Callable[[Recording], bool] = lambda _: True,
    **stream: object,
) -> Index:
    """Write the data set.

    Args:
        root: an empty folder.
        edit: changes the samples of a recording.
        clock: changes the even time stamps of a recording; with it files are text and have stamps.
        subjects: how many.
        keep: which recordings there are.
        stream: fields of the accelerometer's `Stream`.
    """
    grid = [
        Recording(f"s{s}_{label}_t{t}", str(s), str(t), n, str(s), {})
        for s in range(1, subjects + 1)
        for n, label in enumerate(LABELS)
        for t in range(1, TRIALS + 1)
    ]
    recordings = [_written(root, one, edit, clock, stream) for one in grid if keep(one)]
    return Index("sensor-folder", root, LABELS, tuple(recordings))


def _written(
    root: Path,
    one: Recording,
    edit: Edit,
    clock: Callable[[Recording, Floats], Floats] | None,
    fields: dict[str, object],
) -> Recording:
    values = edit(one, movement(one))
    path = root / f"{one.id}.npy"
    made = Stream("accelerometer", "sensor", path, RATE, "g", ("x", "y", "z"))
    if clock is None:
        np.save(path, values)
    else:
        stamps = clock(one, np.arange(len(values)) / RATE)
        made = dataclasses.replace(made, path=path.with_suffix(".csv"), time_column=3, columns=(0, 1, 2))
        np.savetxt(made.path, np.column_stack([values, 1000.5 + stamps]), fmt="%.6f", delimiter=",")
    made = dataclasses.replace(made, **fields)  # type: ignore[arg-type]
    return dataclasses.replace(one, streams={made.name: made})


def changed(index: Index, **fields: object) -> Index:
    """The index with other recordings or problems."""
    return dataclasses.replace(index, **fields)  # type: ignore[arg-type]


def replaced(index: Index, change: Callable[[Recording], Recording]) -> Index:
    """The index with each recording changed."""
    return changed(index, recordings=tuple(map(change, index)))


def odd_and_even(index: Index, disjoint: str = "subject") -> Split:
    """Odd subjects train, even ones test."""
    parts = [tuple(r.id for r in index if int(r.subject) % 2 == odd) for odd in (1, 0)]
    return Split(parts[0], (), parts[1], "cross-subject", None, "x", "x", disjoint)  # type: ignore[arg-type]


def findings(index: Index, **gathered: object) -> list[Finding]:
    """Of all checks; `gathered` are fields of the survey."""
    survey: Survey = dataclasses.replace(survey_of(index), **gathered)  # type: ignore[arg-type]
    shared = tuple(split_facts(index, split, survey.contents) for split in survey.splits)
    survey = dataclasses.replace(survey, shared=shared)
    return [finding for check in CHECKS.values() for finding in check.find(survey)]


def only(index: Index, name: str, **gathered: object) -> Finding:
    """The one finding of the check `name`, on data that have this illness and no other."""
    found = findings(index, **gathered)
    assert [one.check for one in found] == [name], [f"{one.check}: {one.what}" for one in found]
    return found[0]
