"""comparison.json: the strict schema of a table of runs of one protocol."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from vskd.errors import DataError
from vskd.evaluation.results import ALL_LABELS, Bootstrap, Intervals, Kind
from vskd.schema import Count, Finite, Fraction, NonNegative, Size, Strict, read_json


class Summary(Strict):
    """A metric over seeds: mean, sample standard deviation (None for one seed), 95 % intervals of the mean."""

    mean: Fraction
    std: NonNegative | None
    per_seed: tuple[Fraction, ...]
    intervals: Intervals


class PairedTest(Strict):
    """McNemar's exact test of one seed's run against the baseline's run of the same seed."""

    seed: Size
    n: Count
    only_candidate: Size
    only_baseline: Size
    p_value: Fraction


class Versus(Strict):
    """A row against the baseline, over the seeds that both have: accuracy difference, its 95 % intervals, tests.

    An interval is None where there is no honest one, see `vskd.evaluation.statistics`; so is `permutation`, the p-value
    of the permutation test over subjects, and in older files.
    """

    difference: Finite
    recordings: tuple[Finite, Finite] | None
    subjects: tuple[Finite, Finite] | None
    tests: tuple[PairedTest, ...]
    permutation: Fraction | None = None


class Foretold(Strict):
    """The forecast of one student with a teacher, made of validation recordings before it was trained, and what came.

    Attributes:
        fold, seed: of the student.
        verdict, reason: see `vskd.evaluation.forecast`.
        gain, p_value, outcome: against the twin without a teacher on the split of the comparison; see
            `vskd.study.forecast_check`.
        right: whether it came as foretold; None where the verdict is that nothing can be said.
    """

    fold: str | None
    seed: Size
    verdict: str
    reason: str
    gain: Finite
    p_value: Fraction
    outcome: str
    right: bool | None

    def __str__(self) -> str:
        came = {True: "it came true", False: "it did not come true", None: "what came"}[self.right]
        where = f"fold {self.fold}, " if self.fold else ""
        return f"{where}seed {self.seed}: {self.verdict}; {came} ({self.outcome}, {100 * self.gain:+.1f} points)"


class Row(Strict):
    """One recipe's teacher, float student or int8 bundle.

    `n`: test recordings (per seed). `subjects`: accuracy on each subject, mean over seeds; {} in older files. `labels`:
    which training recordings carried labels, `labels_hash` of which in each fold; `baseline`: the recipe it is tested
    against, where that is not the comparison's one; `labelled`: how many training recordings carried labels.
    `parameters`: of the network; `latency_ms`: of a bundle's int8 model, median over runs, mean over seeds.
    `controls`: the row against the same recipe's twins, by their names. `forecasts`: of a student with a teacher.
    """

    recipe: str
    kind: Kind
    network: str
    distiller: str | None
    is_baseline: bool
    seeds: tuple[Size, ...]
    n: Count
    accuracy: Summary
    macro_f1: Summary
    teacher_accuracy: Fraction | None
    model_bytes: Count | None
    versus_baseline: Versus | None
    subjects: dict[str, Fraction] = Field(default_factory=dict)
    labels: str = ALL_LABELS
    labels_hash: dict[str, str] = Field(default_factory=dict)
    baseline: str | None = None
    labelled: Size | None = None
    parameters: Count | None = None
    latency_ms: NonNegative | None = None
    controls: dict[str, Versus] = Field(default_factory=dict)
    forecasts: tuple[Foretold, ...] = ()


class Comparison(Strict):
    """Content of comparison.json: rows of one data set, protocol and split, never of several.

    `folds` maps each fold's name ("" for a protocol without folds) to the hash of its split. `baseline`: the recipe
    that others are tested against; None where there is none, or several (each row names its own).
    """

    schema_version: Literal[1] = Field(default=1, alias="schema")
    dataset: str
    protocol: str
    protocol_hash: str
    split: str
    folds: dict[str, str]
    n: Count
    baseline: str | None
    bootstrap: Bootstrap
    rows: tuple[Row, ...]
    notes: tuple[str, ...]

    @property
    def says_labels(self) -> bool:
        """Whether tables have a column of label settings: they do unless every row had all labels."""
        return any(row.labels != ALL_LABELS for row in self.rows)


def read_comparison(path: Path) -> Comparison:
    """Read and check a comparison.json.

    Raises:
        DataError: the file is missing, is not JSON, or does not fit the schema.
    """
    comparison: Comparison = read_json(path, Comparison, DataError, "Run `vskd compare` again")
    return comparison
