"""Forecasts for published comparisons that kept no validation recordings: made afterwards, judged by what is published.

`python -m vskd.study.forecast_published results/DATASET/COMPARISON... --data DATA --runs RUNS --out
results/DATASET/forecast`

For each student with a teacher, its teachers and the same student without one are trained once more, of one seed and
without the recordings that the protocol sets aside for validation. Nothing is tested: what came of it is in the
published predictions, of all their seeds.
"""

import argparse
import csv
import logging
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vskd.distillation.run import RunFolder
from vskd.distillation.train import distill
from vskd.errors import DataError, VskdError
from vskd.evaluation.forecast import Forecast, forecast_of_runs
from vskd.evaluation.predictions import Predictions
from vskd.evaluation.statistics import difference_interval, permutation_test
from vskd.files import sha256_json
from vskd.library_logs import quiet_libraries
from vskd.recipe import DECIDING, Recipe, load_recipe
from vskd.study.forecast_check import FORECASTS, Cell, Outcome, read_cells, write_cells


class Published(NamedTuple):
    """A student of a published comparison.

    Attributes:
        folder: of the comparison.
        recipe: by which it was trained, without its data's place.
        answers: seed -> what it said of the test recordings.
    """

    folder: Path
    recipe: Recipe
    answers: Mapping[int, Predictions]


def published_students(folder: Path) -> list[Published]:
    """The float students of a published comparison.

    Raises:
        DataError: its predictions are missing.
        RecipeError: a recipe holds a key of another version.
    """
    columns = _columns(folder / "predictions.csv")
    found = []
    for file in sorted((folder / "recipes").glob("*.yaml")):
        begin = f"{file.stem}-seed"
        seeds = {name.removeprefix(begin): own for name, own in columns.items() if name.startswith(begin)}
        answers = {int(seed): seeds[seed] for seed in sorted(seeds) if seed.isdecimal()}
        found.append(Published(folder, load_recipe(str(file)), answers))
    return found


def _columns(file: Path) -> dict[str, Predictions]:
    """What each column of a published predictions.csv says, all confidence in the predicted class.

    Raises:
        DataError: the file is missing or damaged.
    """
    action = "Name a folder that vskd.study.publish has written"
    if not file.is_file():
        raise DataError(f"{file} is missing", action)
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            header, *rows = csv.reader(lines)
        table = np.array([[int(cell or -1) for cell in row[2:]] for row in rows], dtype=np.int64).reshape(len(rows), -1)
        return {name: _answers(rows, table, number) for number, name in enumerate(header[3:], 1)}
    except (ValueError, IndexError) as error:
        raise DataError(f"{file} is damaged: {error}", action) from error


def _answers(rows: Sequence[Sequence[str]], table: npt.NDArray[np.int64], number: int) -> Predictions:
    """One column.

    Args:
        rows: begin with id and subject.
        table: (rows, columns): the true class, then what each run predicted, -1 of recordings that it did not see.
        number: of the column.
    """
    classes = 1 + int(table.max())
    seen = np.flatnonzero(table[:, number] >= 0)
    return Predictions(
        tuple(rows[row][0] for row in seen.tolist()),
        tuple(rows[row][1] for row in seen.tolist()),
        table[seen, 0],
        np.eye(classes)[table[seen, number]],
        tuple(str(label) for label in range(classes)),
    )


def pairs(students: Sequence[Published]) -> Iterator[tuple[Published, Published]]:
    """Each student with a teacher, and its twin without one, of its own comparison where that has one, or of another.

    Not the controls whose teacher is not heard as it speaks, nor folds, whose predictions are published as one; a
    student that several comparisons have comes once.
    """
    alone: dict[str, list[Published]] = defaultdict(list)
    for one in students:
        if not one.recipe.distiller.needs_teacher:
            alone[_twin(one.recipe)].append(one)
    seen: set[str] = set()
    for one in students:
        distiller, key = one.recipe.distiller, _own(one.recipe)
        if not distiller.needs_teacher or distiller.permuted != "none" or distiller.untrained or key in seen:
            continue
        twins = sorted(alone[_twin(one.recipe)], key=lambda twin: twin.folder != one.folder)
        if twins and one.recipe.dataset.fold is None:
            seen.add(key)
            yield one, twins[0]


def _named(one: Published) -> str:
    return f"{one.recipe.name} ({one.folder.name})"


def _twin(recipe: Recipe) -> str:
    """Equal for a recipe and its twin without a teacher, whatever the seed."""
    return recipe.with_seed(0).undistilled().hash_of(*DECIDING)


def _own(recipe: Recipe) -> str:
    """Equal for recipes whose students and teachers are the same."""
    teachers = [recipe.of_teacher(number).with_seed(0).hash_of(*DECIDING) for number in range(len(recipe.teachers))]
    return sha256_json([recipe.with_seed(0).hash_of(*DECIDING), teachers])


def cell(one: Published, twin: Published, data: Path, runs: Path) -> Cell:
    """Train what the forecast needs, where it is not finished, and set it beside what is published.

    Args:
        one, twin: see `pairs`.
        data: folder of the data set.
        runs: where trainings lie; those of other cells are reused.

    Raises:
        DataError: the two have no seed in common.
        VskdError: a training fails.
    """
    seeds = sorted(one.answers.keys() & twin.answers.keys())
    if not seeds:
        raise DataError(
            f"{one.folder}: {one.recipe.name} and {twin.recipe.name} have no seed in common", "Leave that folder out"
        )
    made, alone = _forecast(one.recipe.with_seed(seeds[0]), data, runs)
    gain, p_value, outcome = outcome_over(*([who.answers[seed] for seed in seeds] for who in (one, twin)))
    facts = RunFolder(alone).facts()
    return Cell(
        dataset=facts["dataset"],
        protocol=facts["protocol"],
        fold=None,
        labels=one.recipe.labels.title,
        recipe=one.recipe.name,
        seed=seeds[0],
        forecast=made,
        n=len(one.answers[seeds[0]]),
        gain=gain,
        p_value=p_value,
        outcome=outcome,
        published=one.folder.name,
        seeds=tuple(seeds),
    )


def _forecast(recipe: Recipe, data: Path, runs: Path) -> tuple[Forecast, Path]:
    """The forecast, and the run of the student without a teacher."""
    roles = ["student", *(f"teachers.{number}" for number in range(len(recipe.teachers)))]
    carved = recipe.updated(f"dataset.path={data}", *(f"{role}.training.validation=carve" for role in roles))
    alone = _trained(carved.undistilled(), runs)
    teachers = [_trained(carved.of_teacher(number), runs) for number in range(len(carved.teachers))]
    return forecast_of_runs(teachers, alone), alone


def _trained(recipe: Recipe, runs: Path) -> Path:
    """The run of a recipe, trained where it is not finished; equal ones share it, whether they teach or learn."""
    run = runs / recipe.hash_of(*DECIDING)[:12]
    distill(recipe.model_copy(update={"teachers": ()}), run, cache=runs / "cache")
    return run


def outcome_over(taught: Sequence[Predictions], alone: Sequence[Predictions]) -> tuple[float, float, Outcome]:
    """Mean gain in accuracy over seeds, the p-value of the permutation test, and what its interval over subjects says.

    Args:
        taught, alone: of one seed each, in one order.

    Raises:
        ProtocolError: they are not of the same recordings.
        DataError: it is not known who the people are, or there is one.
    """
    p_value = permutation_test(taught, alone)
    if p_value is None:
        raise DataError(
            "There are no two test people that are known, so seeds cannot be judged together", "Leave it out"
        )
    gains = [mine.correct.mean() - theirs.correct.mean() for mine, theirs in zip(taught, alone, strict=True)]
    gain = float(np.mean(gains))
    low, high = difference_interval(taught, alone, "accuracy", "subjects") or (gain, gain)  # where all gain the same
    return gain, p_value, "helped" if low > 0 else "hurt" if high < 0 else "no difference"


def with_those_before(cells: Sequence[Cell], out: Path) -> list[Cell]:
    """The cells of `out`, in their places the new ones of the same students, then those that it did not have."""
    before = read_cells(out / FORECASTS) if (out / FORECASTS).is_file() else ()
    known = {
        (one.published, one.protocol, one.fold, one.labels, one.recipe, one.seed): one for one in (*before, *cells)
    }
    return list(known.values())


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: `forecast_published COMPARISON... --data DATA --runs RUNS --out FOLDER`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="forecast_published", description="Forecasts for published comparisons.")
    parser.add_argument("comparisons", type=Path, nargs="+", help="folders that vskd.study.publish wrote")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--runs", type=Path, required=True, help="folder for the trainings; what is there is reused")
    parser.add_argument("--out", type=Path, required=True, help="folder of the table; its other cells stay")
    parser.add_argument("--only", nargs="+", metavar="RECIPE", help="of these alone; all by default")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(levelname)s: %(message)s")
    quiet_libraries()
    try:
        students = [one for folder in options.comparisons for one in published_students(folder)]
        judged = [pair for pair in pairs(students) if options.only is None or pair[0].recipe.name in options.only]
        for one, twin in judged:
            made = cell(one, twin, options.data, options.runs)
            write_cells(with_those_before([made], options.out), options.out)
            sys.stdout.write(f"{_named(one)}: {made.forecast.verdict}; {made.outcome}\n")
        taught = {_named(one) for one in students if one.recipe.distiller.needs_teacher}
        others = sorted(taught - {_named(one) for one, _ in judged})
        sys.stdout.write(f"{len(judged)} forecasts; left out: {', '.join(others) or 'none'}\n")
    except VskdError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
