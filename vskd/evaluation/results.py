"""results.json: the strict schema of one evaluated run, and how it is made from predictions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from vskd.errors import DataError
from vskd.evaluation import statistics
from vskd.evaluation.events import EventFigures
from vskd.evaluation.metrics import Metrics, evaluate_predictions
from vskd.evaluation.predictions import Predictions
from vskd.evaluation.windows import WindowFigures
from vskd.files import write_json
from vskd.schema import Count, Fraction, NonNegative, Sha256, Size, Strict, read_json

Kind = Literal["teacher", "student", "bundle"]
SplitName = Literal["test", "validation"]
IntervalOf = tuple[Fraction, Fraction]
WITH_INTERVAL = ("accuracy", "macro_f1")


class ProtocolStamp(Strict):
    """Which protocol (`hash`: of its rule), fold and split a figure belongs to.

    Figures of different protocols are not comparable; those of the folds of one can be pooled.
    """

    name: str
    hash: str
    fold: str | None
    split_hash: str


ALL_LABELS = "all"


class LabelsStamp(Strict):
    """Which training recordings carried labels: `hash` is that of their ids, equal for exactly the same ones.

    `labelled` and `unlabelled` count what was trained on; figures of different settings share a table only where a
    column tells them apart.
    """

    title: str
    hash: str
    labelled: Size
    unlabelled: Size


class DataStamp(Strict):
    """Which data a figure is of, by content: `hash` of all that the run used, `parts` of its labels and streams.

    Runs that see the same stream of the same recordings have the same hash there; see `vskd.modalities.base.data_rows`.
    """

    hash: Sha256
    parts: dict[str, Sha256]


class TeacherFigures(Strict):
    """The teacher on the same split, to stand beside the student."""

    accuracy: Fraction
    macro_f1: Fraction
    n: Count


class Intervals(Strict):
    """95 % interval [low, high] over recordings and over subjects; None where there is no honest one.

    See `vskd.evaluation.statistics` for what it is, and when.
    """

    recordings: IntervalOf | None
    subjects: IntervalOf | None


class ClassRow(Strict):
    """One row of the per-class table."""

    name: str
    precision: Fraction
    recall: Fraction
    f1: Fraction
    support: Size


class SubjectRow(Strict):
    """One row of the per-subject table; `accuracy_interval`: Wilson interval over the subject's recordings."""

    subject: str
    accuracy: Fraction
    accuracy_interval: IntervalOf
    macro_f1: Fraction
    n: Count


class Bootstrap(Strict):
    """How the intervals were made."""

    level: Fraction = statistics.LEVEL
    resamples: Count = statistics.RESAMPLES
    seed: Size = 0
    note: str = ""


class LatencyRow(Strict):
    """Batch-1 latency of one deployed model: warm-up and measured runs one after another, on this machine."""

    model: str
    p50_ms: NonNegative
    p95_ms: NonNegative
    min_ms: NonNegative
    images_per_s: NonNegative
    threads: Count
    warmup: Size
    runs: Count


class OverTime(Strict):
    """Figures of models that see several windows of a recording: of windows, and of events in long recordings."""

    windows: WindowFigures | None = None
    events: EventFigures | None = None


class Results(Strict):
    """Content of results.json.

    Attributes:
        kind: which model was evaluated: the teacher, the float student, or the int8 bundle.
        distiller: e.g. `dask`, `kd`, `none`; None for a teacher.
        data: None in files of before it was stamped.
        labels: None in files of before it was stamped, when all training recordings carried labels.
        timings: stage -> seconds.
        mean_average_precision: None in files of before it was computed.
        parameters: of the network; None of a bundle, and in files of before it was counted.
        windows, events: see `OverTime`; None where a recording is seen as one.
        latency: of the deployed models; of a bundle only.
        left_out: recordings of the split that could not be read, by id, and why; no figure counts them.
        notes: remarks for the reader, see `remarks`.
        environment: short facts such as versions; the full record is in the run's environment.json.
        Others: see `vskd.evaluation.metrics.Metrics`.
    """

    schema_version: Literal[1] = Field(default=1, alias="schema")
    kind: Kind
    recipe: str
    dataset: str
    network: str
    distiller: str | None
    protocol: ProtocolStamp
    data: DataStamp | None = None
    labels: LabelsStamp | None = None
    split: SplitName
    seed: Size
    n: Count
    accuracy: Fraction
    macro_f1: Fraction
    balanced_accuracy: Fraction
    top3_accuracy: Fraction
    ece: Fraction
    nll: NonNegative
    mean_average_precision: Fraction | None = None
    windows: WindowFigures | None = None
    events: EventFigures | None = None
    intervals: dict[str, Intervals]
    bootstrap: Bootstrap
    per_class: tuple[ClassRow, ...]
    per_subject: tuple[SubjectRow, ...]
    confusion: tuple[tuple[Size, ...], ...]
    teacher: TeacherFigures | None
    timings: dict[str, NonNegative]
    latency: tuple[LatencyRow, ...] = ()
    left_out: dict[str, str] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    model_bytes: Count | None
    parameters: Count | None = None
    environment: dict[str, str]

    @property
    def labels_title(self) -> str:
        """The label setting, for tables."""
        return ALL_LABELS if self.labels is None else self.labels.title

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader has to know beside the figures: what was left out, the notes, how good the intervals are."""
        named = "; ".join(f"{recording} ({problem})" for recording, problem in self.left_out.items())
        both = self.intervals.values()
        people = [row.subject for row in self.per_subject]
        width = statistics.width_note((i.recordings for i in both), (i.subjects for i in both), people)
        lost = f"{len(self.left_out)} recording(s) could not be read and are in no figure: {named}."
        return (
            *([lost] if self.left_out else []),
            *self.notes,
            *([self.bootstrap.note] if self.bootstrap.note else []),
            *([width] if width else []),
        )


def build_results(
    predictions: Predictions,
    *,
    kind: Kind,
    recipe: str,
    dataset: str,
    network: str,
    distiller: str | None,
    protocol: ProtocolStamp,
    split: SplitName,
    seed: int,
    data: DataStamp | None = None,
    labels: LabelsStamp | None = None,
    teacher: TeacherFigures | None = None,
    timings: Mapping[str, float] | None = None,
    model_bytes: int | None = None,
    parameters: int | None = None,
    environment: Mapping[str, str] | None = None,
    latency: Sequence[LatencyRow] = (),
    left_out: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    bootstrap: Bootstrap | None = None,
    over_time: OverTime | None = None,
) -> Results:
    """Compute every figure of `predictions` and stamp it with where it comes from.

    Args:
        predictions: the evaluated recordings.
        teacher: the teacher's figures on the same split; see `teacher_figures`.
        bootstrap: resamples, seed and level of the intervals; its note is filled in here.
        over_time: figures of windows and events, where there are any.
        kind, recipe, dataset, network, distiller, protocol, data, labels, split, seed, timings, model_bytes,
            environment, latency, left_out, notes: written to the results as they are, see `Results`.
    """
    metrics = evaluate_predictions(predictions)
    setting = bootstrap or Bootstrap()
    return Results(
        kind=kind,
        recipe=recipe,
        dataset=dataset,
        network=network,
        distiller=distiller,
        protocol=protocol,
        data=data,
        labels=labels,
        split=split,
        seed=seed,
        n=metrics.n,
        accuracy=metrics.accuracy,
        macro_f1=metrics.macro_f1,
        balanced_accuracy=metrics.balanced_accuracy,
        top3_accuracy=metrics.top3_accuracy,
        ece=metrics.ece,
        nll=metrics.nll,
        mean_average_precision=metrics.mean_average_precision,
        windows=over_time.windows if over_time else None,
        events=over_time.events if over_time else None,
        intervals={name: _intervals(predictions, name, setting) for name in WITH_INTERVAL},
        bootstrap=setting.model_copy(update={"note": statistics.subjects_note(predictions)}),
        per_class=_class_rows(metrics),
        per_subject=_subject_rows(metrics, setting.level),
        confusion=tuple(tuple(row) for row in metrics.confusion.tolist()),
        teacher=teacher,
        timings=dict(timings or {}),
        latency=tuple(latency),
        left_out=dict(left_out or {}),
        notes=tuple(notes),
        model_bytes=model_bytes,
        parameters=parameters,
        environment=dict(environment or {}),
    )


def teacher_figures(predictions: Predictions) -> TeacherFigures:
    """The teacher's figures from its own predictions on the split."""
    metrics = evaluate_predictions(predictions)
    return TeacherFigures(accuracy=metrics.accuracy, macro_f1=metrics.macro_f1, n=metrics.n)


def write_results(results: Results, path: Path) -> None:
    """Write results.json atomically.

    Raises:
        WriteError: the file cannot be written; an earlier file is left untouched.
    """
    write_json(path, results.model_dump(mode="json", by_alias=True))


def read_results(path: Path) -> Results:
    """Read and check a results.json.

    Raises:
        DataError: the file is missing, is not JSON, or does not fit the schema; every misfit is named.
    """
    results: Results = read_json(path, Results, DataError, "Run `vskd evaluate` on the run folder again")
    return results


def _intervals(predictions: Predictions, metric: str, setting: Bootstrap) -> Intervals:
    def interval(unit: statistics.Unit) -> statistics.Interval | None:
        return statistics.bootstrap_interval(
            predictions, metric, unit, resamples=setting.resamples, seed=setting.seed, level=setting.level
        )

    return Intervals(recordings=interval("recordings"), subjects=interval("subjects"))


def _class_rows(metrics: Metrics) -> tuple[ClassRow, ...]:
    return tuple(
        ClassRow(name=row.name, precision=row.precision, recall=row.recall, f1=row.f1, support=row.support)
        for row in metrics.per_class
    )


def _subject_rows(metrics: Metrics, level: float) -> tuple[SubjectRow, ...]:
    return tuple(
        SubjectRow(
            subject=row.subject,
            accuracy=row.accuracy,
            accuracy_interval=statistics.wilson_interval(round(row.accuracy * row.n), row.n, level),
            macro_f1=row.macro_f1,
            n=row.n,
        )
        for row in metrics.per_subject
    )
