"""From a bundle and labelled recordings, images or videos of one person: one for that person.

See `vskd.bundle.classifier_change`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vskd.bundle.bundle import FLOAT_MODEL, MODEL, Bundle, load_bundle, write_bundle
from vskd.bundle.classifier_change import STRENGTH, changed_model
from vskd.bundle.contract import Contract, ImageContract, Personalised
from vskd.bundle.encoding import model_input
from vskd.bundle.file_reading import AS_IS, FileReading, check_fits
from vskd.bundle.file_samples import samples_of
from vskd.bundle.golden import make_golden
from vskd.bundle.golden_samples import synthetic_samples
from vskd.bundle.image_input import region_of
from vskd.bundle.learned import BYTES, LearnedFrom, learned_from
from vskd.bundle.probabilities import softmax
from vskd.errors import BundleError, DataError, nearest
from vskd.files import refuse_existing, sha256_file
from vskd.preprocessing.image.image_header import Box
from vskd.preprocessing.table_file import read_rows

COLUMNS = ("file", "label")
BOX_COLUMNS = ("x1", "y1", "x2", "y2")
BEWARE = "on images of drivers this took accuracy away: try the bundle on labelled images that it was not made from"
"""Of bundles of images; measured, see results/driver-inattention/README.md."""


@dataclass(frozen=True)
class Said:
    """A recording whose label somebody says; `content` is its file's SHA-256, `box` what is cut out of an image."""

    file: Path
    label: str
    content: str
    box: Box | None = None


@dataclass(frozen=True)
class Shown:
    """What recordings show the model, a row for each of their windows or images.

    Attributes:
        x: (windows, ...), inputs of the model.
        labels: class number of each.
        recordings: file of each.
        notes: what was assumed of files, each once.
    """

    x: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    recordings: npt.NDArray[np.str_]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class PersonalReport:
    """What `personalise` did; the figures are those of the int8 model.

    Attributes:
        bundle: the new one.
        notes: what was assumed of files, each once, and what to beware of.
        recordings: how many there were.
        known: of these, how many the model knew before.
        repeated: of labels with several recordings, how many there were.
        repeated_known: of these, how many the model knew before.
        repeated_known_after: of these, how many it would know now had the recording itself not been there.
    """

    bundle: Bundle
    notes: tuple[str, ...]
    recordings: int
    known: int
    repeated: int
    repeated_known: int
    repeated_known_after: int


def read_table(table: Path, labels: Sequence[str]) -> list[Said]:
    """Read which recording shows what.

    Args:
        table: CSV with the columns `file` (from the table's folder on) and `label`; of images also `x1`, `y1`, `x2` and
            `y2`, a box in pixels, where the model sees what lies in one.
        labels: of the model.

    Raises:
        DataError: it cannot be read, lacks a column, names a label that the model does not have, a file that is not
            there or one twice, or fewer than two labels.
    """
    try:
        rows = read_rows(table)
    except DataError as error:
        raise DataError(
            f"{table} cannot be read: {error.problem.removeprefix(f'{table}: ')}",
            "Give a CSV with the columns file,label",
        ) from error
    said = []
    for number, row in enumerate(rows, 2):
        missing = [column for column in COLUMNS if not row.get(column)]
        if missing:
            raise DataError(
                f"{table}, line {number}: holds no {' and '.join(missing)}",
                "Give a CSV with the columns file,label, one recording a line",
            )
        file, label = table.parent / row["file"], row["label"]
        if label not in labels:
            raise DataError(
                f"{table}, line {number}: the model has no class '{label}'; {nearest(label, labels)}",
                "Write a class as `vskd bundle show` lists it",
            )
        if not file.is_file():
            raise DataError(f"{table}, line {number}: there is no file {file}", "Correct the column file")
        said.append(Said(file, label, sha256_file(file), _box(row, f"{table}, line {number}")))
    _check_enough(table, said)
    return said


def _box(row: Mapping[str, str], where: str) -> Box | None:
    """What a row says is cut out of its image."""
    if not any(row.get(column) for column in BOX_COLUMNS):
        return None
    try:
        left, top, right, bottom = (float(row[column]) for column in BOX_COLUMNS)
    except (KeyError, ValueError) as error:
        raise DataError(
            f"{where}: {', '.join(BOX_COLUMNS)} are no box", "Give all four as numbers, in pixels of the image"
        ) from error
    return left, top, right, bottom


def _check_enough(table: Path, said: Sequence[Said]) -> None:
    if len({one.label for one in said}) < 2:
        raise DataError(f"{table} names recordings of fewer than two classes", "Record several classes, each once")
    contents: dict[str, Path] = {}
    for one in said:
        first = contents.setdefault(one.content, one.file)
        if first is not one.file:
            raise DataError(f"{table}: {one.file} has the same content as {first}", "Name each recording once")


def personalise(
    bundle: Path,
    table: Path,
    out: Path,
    *,
    strength: float = STRENGTH,
    reading: FileReading = AS_IS,
) -> PersonalReport:
    """Make a bundle for one person.

    Args:
        bundle: folder of the bundle that is started from; it is not changed.
        table: see `read_table`.
        out: folder of the new bundle; nothing is there.
        strength: how much the shipped classifier counts against the recordings.
        reading: what is said of all files.

    Raises:
        BundleError: the bundle was changed or made for a person already, or does not end in a linear classifier; or a
            recording, or what is said of it, does not fit it.
        DataError: see `read_table`; or a recording is damaged.
        MissingExtraError: files are images or videos, and Pillow or PyAV is not installed.
        WriteError: the folder cannot be written, or something is there.
    """
    refuse_existing(out, "a bundle for one person")
    base = load_bundle(bundle)
    contract, classes = base.manifest.contract, base.manifest.provenance.labels
    check_fits(reading, contract.kind, bundle)
    if base.manifest.personalised is not None:
        raise BundleError(
            f"{bundle} was made for one person already",
            "Start from the bundle that `vskd export` wrote, with all labels",
        )
    said = read_table(table, classes)
    _check_boxes(contract, said, reading)
    shown = _shown(contract, classes, said, reading)
    model, before, change = changed_model(base.read(MODEL), shown.x, shown.labels, shown.recordings, strength)
    float_model, _, _ = changed_model(base.read(FLOAT_MODEL), shown.x, shown.labels, shown.recordings, strength)
    counts = Counter(one.label for one in said)
    personal = Personalised(base=base.digest, recordings=dict(sorted(counts.items())), strength=strength)
    made = write_bundle(
        out,
        model=model,
        float_model=float_model,
        golden=make_golden(
            model, synthetic_samples(contract), partial(model_input, contract=contract), classes, contract
        ),
        manifest=base.manifest.model_copy(update={"personalised": personal}),
        learned=_learned(base, said),
    )
    known, known_after = _known(before, shown), _known(change.without, shown)
    repeated = [str(one.file) for one in said if counts[one.label] > 1]
    return PersonalReport(
        made,
        (*shown.notes, *([BEWARE] if contract.kind == "image" else [])),
        len(said),
        sum(known.values()),
        len(repeated),
        sum(known[file] for file in repeated),
        sum(known_after[file] for file in repeated),
    )


def _check_boxes(contract: Contract, said: Sequence[Said], reading: FileReading) -> None:
    """Refuse, by name, an image that lacks the box that the model needs, or has one that it does not take."""
    if not isinstance(contract, ImageContract):
        return
    for one in said:
        try:
            region_of(contract, one.box or reading.box)
        except BundleError as error:
            columns = ", ".join(BOX_COLUMNS)
            raise BundleError(f"{one.file}: {error.problem}", f"{error.action}; in the table: {columns}") from error


def _shown(contract: Contract, classes: Sequence[str], said: Sequence[Said], reading: FileReading) -> Shown:
    """What recordings hold, as the model takes it."""
    x: list[npt.NDArray[np.float32]] = []
    samples: list[Said] = []
    notes: dict[str, None] = {}
    for one in said:
        own, assumed = samples_of(one.file, contract, reading, one.box)
        x += [model_input(sample, contract) for sample in own]
        samples += [one] * len(own)
        notes |= dict.fromkeys(assumed)
    return Shown(
        np.stack(x),
        np.array([classes.index(one.label) for one in samples]),
        np.array([str(one.file) for one in samples]),
        tuple(notes),
    )


def _learned(base: Bundle, said: Sequence[Said]) -> LearnedFrom | None:
    """What the new bundle learned from: the recordings of the old one, and these."""
    learned = base.learned()
    if learned is None:
        return None
    own = {one.content[: 2 * BYTES] for one in said}
    return learned_from(learned.fingerprints() | own, learned.recordings + len(said))


def _known(logits: npt.NDArray[np.float64], shown: Shown) -> dict[str, bool]:
    """Whether each recording is known, by the mean of its windows' probabilities."""
    probabilities, result = softmax(logits), {}
    for name in np.unique(shown.recordings):
        own = shown.recordings == name
        result[str(name)] = int(probabilities[own].mean(axis=0).argmax()) == int(shown.labels[own][0])
    return result
