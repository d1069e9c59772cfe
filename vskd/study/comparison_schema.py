"""comparison.json: the strict schema of a table of runs of one protocol."""

from pathlib import Path
from typing import Literal

from pydantic import Field, FiniteFloat, NonNegativeInt, PositiveInt

from vskd.evaluation.results import Bootstrap, Fraction, Intervals, Kind, NonNegative, StrictModel, read_model


class Summary(StrictModel):
    """A metric over seeds: mean, sample standard deviation (None for one seed), 95 % intervals of the mean."""

    mean: Fraction
    std: NonNegative | None
    per_seed: tuple[Fraction, ...]
    intervals: Intervals


class PairedTest(StrictModel):
    """McNemar's exact test of one seed's run against the baseline's run of the same seed."""

    seed: NonNegativeInt
    n: PositiveInt
    only_candidate: NonNegativeInt
    only_baseline: NonNegativeInt
    p_value: Fraction


class Versus(StrictModel):
    """A row against the baseline, over the seeds that both have: accuracy difference, its 95 % intervals, tests."""

    difference: FiniteFloat
    recordings: tuple[FiniteFloat, FiniteFloat]
    subjects: tuple[FiniteFloat, FiniteFloat]
    tests: tuple[PairedTest, ...]


class Row(StrictModel):
    """One recipe's teacher, float student or int8 bundle.

    `n`: test recordings (per seed). `subjects`: accuracy on each subject, mean over seeds; {} in older files.
    """

    recipe: str
    kind: Kind
    network: str
    distiller: str | None
    is_baseline: bool
    seeds: tuple[NonNegativeInt, ...]
    n: PositiveInt
    accuracy: Summary
    macro_f1: Summary
    teacher_accuracy: Fraction | None
    model_bytes: PositiveInt | None
    versus_baseline: Versus | None
    subjects: dict[str, Fraction] = Field(default_factory=dict)


class Comparison(StrictModel):
    """Content of comparison.json: rows of one data set, protocol and split, never of several.

    `folds` maps each fold's name ("" for a protocol without folds) to the hash of its split.
    """

    schema_version: Literal[1] = Field(default=1, alias="schema")
    dataset: str
    protocol: str
    protocol_hash: str
    split: str
    folds: dict[str, str]
    n: PositiveInt
    baseline: str | None
    bootstrap: Bootstrap
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def read_comparison(path: Path) -> Comparison:
    """Read and check a comparison.json.

    Raises:
        DataError: the file is missing, is not JSON, or does not fit the schema.
    """
    return read_model(path, Comparison, "Run `vskd compare` again")
