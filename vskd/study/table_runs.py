"""Which finished runs a comparison's table is of: its folder may hold others, of a call with other recipes or seeds."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from vskd.distillation.run import RunFolder
from vskd.errors import DataError, first_few
from vskd.evaluation.finished import FILES, RESULTS
from vskd.evaluation.results import Results, read_results
from vskd.files import sha256_json
from vskd.study.comparison_schema import Comparison, Row
from vskd.sums import Sums
from vskd.yaml_text import read_yaml

NAMED = 5


class EvaluatedFolder(NamedTuple):
    """A folder of results.

    Attributes:
        name: short; what belongs to a fold names it.
        path: of the folder.
        results: its own.
    """

    name: str
    path: Path
    results: Results


@dataclass(frozen=True)
class TableRuns:
    """The folders of results of a comparison.

    Attributes:
        of_table: those that its table is of: students and their int8 models, then teachers.
        left_out: the others in its folder.
    """

    of_table: tuple[EvaluatedFolder, ...]
    left_out: tuple[Path, ...]


def table_runs(comparison: Path, table: Comparison) -> TableRuns:
    """Tell the runs of a comparison's table from what else lies in its folder.

    Args:
        comparison: output folder of `vskd compare`. Teachers, which may lie in a folder that comparisons share, are
            found by their students.
        table: what its comparison.json holds.

    Raises:
        DataError: a run of the table is no longer there, was evaluated anew since, or its results were changed.
    """
    models = [own for row in table.rows if row.kind != "teacher" for own in _of_row(comparison, row, list(table.folds))]
    models.sort(key=lambda own: own.path / RESULTS)
    students = [own for own in models if own.results.kind == "student"]
    runs = {own.path for own in students}
    teachers = {run: heard for run, heard in _teachers(comparison, students).items() if run not in runs}
    of_table = (*models, *_named_teachers(comparison, teachers))
    known = {own.path.resolve() for own in of_table}
    found = sorted(file.parent for file in comparison.glob("*/**/results.json"))
    others = [folder for folder in found if "cache" not in folder.relative_to(comparison).parts]
    return TableRuns(of_table, tuple(folder for folder in others if folder.resolve() not in known))


def run_recipe(run: Path) -> dict[str, Any]:
    """The recipe of a run as it stands in its file, which may have keys of another version.

    Raises:
        DataError: the file is missing or damaged.
    """
    file, action = run / "recipe.yaml", f"Restore it from a copy, or delete {run} and run the same `vskd compare` again"
    content = read_yaml(file, DataError, action)
    if not isinstance(content, dict) or not isinstance(content.get("name"), str):
        raise DataError(f"{file} is no recipe: it has no key 'name'", action)
    return content


def _of_row(comparison: Path, row: Row, folds: Sequence[str]) -> Iterator[EvaluatedFolder]:
    """The runs of a student's row, or their int8 models, of each seed and fold.

    Raises:
        DataError: see `table_runs`.
    """
    for seed, accuracy in zip(row.seeds, row.accuracy.per_seed, strict=True):
        run = comparison / "runs" / row.recipe
        places = [run / f"fold-{fold}" / f"seed{seed}" for fold in folds] if len(folds) > 1 else [run / f"seed{seed}"]
        places = [place / "int8" for place in places] if row.kind == "bundle" else places
        lost = [str(place / RESULTS) for place in places if not (place / RESULTS).is_file()]
        if lost:
            raise DataError(
                f"{first_few(lost, NAMED)}: missing, and {comparison / 'comparison.json'} is of it",
                "Put it back, or run the same `vskd compare` again",
            )
        own = [(place, _unchanged(place)) for place in places]
        tested = sum(results.n for _, results in own)
        if not math.isclose(sum(results.accuracy * results.n for _, results in own) / tested, accuracy):
            raise DataError(
                f"{comparison / 'comparison.json'} says of {row.recipe} ({row.kind}, seed {seed}) another accuracy "
                f"than {own[0][0] / RESULTS}: it was evaluated anew since",
                "Run the same `vskd compare` again",
            )
        for place, results in own:
            yield EvaluatedFolder("-".join(place.relative_to(comparison / "runs").parts), place, results)


def _unchanged(folder: Path) -> Results:
    """The results of a run, which has their hashes on record.

    Raises:
        DataError: they, or what they are computed from, were changed since.
    """
    sums = Sums(folder)
    known = sums.recorded()
    changed = sums.damaged(name for name in FILES if name in known)
    if changed:
        named = ", ".join(str(folder / name) for name in changed)
        raise DataError(f"Changed since they were written: {named}", "Run the same `vskd compare` again")
    return read_results(folder / RESULTS)


def _teachers(comparison: Path, students: Sequence[EvaluatedFolder]) -> dict[Path, Path]:
    """The students' teachers, each with the first student that listens to it, or else is compared with it.

    Those in the comparison's own folder come first, in the order of their names.

    Raises:
        DataError: one is no longer there.
    """
    found: dict[Path, Path] = {}
    for student in (own.path for own in sorted(students, key=lambda own: own.results.distiller == "none")):
        for run in RunFolder(student).teacher_runs():
            if not (run / RESULTS).is_file():
                raise DataError(
                    f"{run / RESULTS} is missing: it is of a teacher of {student}",
                    "Put the folder of the teachers back, or run the same `vskd compare` again",
                )
            found.setdefault(run, student)
    own = sorted(run for run in found if run.resolve().is_relative_to(comparison.resolve()))
    return {run: found[run] for run in (*own, *(run for run in found if run not in own))}


def _named_teachers(comparison: Path, teachers: Mapping[Path, Path]) -> Iterator[EvaluatedFolder]:
    """Teachers by the recipe whose student listens to them: their folders are named by hashes, and the recipe in them
    may be of whoever shared them last.

    The second one of a recipe, in every fold and seed, is `teacher-of-NAME-2`.
    """
    known: dict[str, list[str]] = defaultdict(list)
    for folder, student in teachers.items():
        results = _unchanged(folder)
        _, recipe, *folds, _ = student.relative_to(comparison).parts
        own, of_name = sha256_json(run_recipe(folder).get("student")), known[recipe]
        if own not in of_name:
            of_name.append(own)
        number = of_name.index(own) + 1
        name = f"teacher-of-{recipe}" + (f"-{number}" if number > 1 else "")
        yield EvaluatedFolder("-".join((name, *folds, f"seed{results.seed}")), folder, results)
