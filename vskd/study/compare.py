"""Run what is missing of recipes x folds x seeds, then put everything into one table."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from vskd.datasets.catalog import get_dataset
from vskd.datasets.splits.protocol import load_protocol
from vskd.distillation.train import distill, fixed_threads, teach
from vskd.errors import ProtocolError, RecipeError
from vskd.evaluation.evaluate import evaluate_run
from vskd.evaluation.predictions import read_csv
from vskd.evaluation.results import read_results
from vskd.locks import LOCK, lock_of, only_writer
from vskd.recipe import DECIDING, Recipe
from vskd.study.comparison import Comparison, EvaluatedRun
from vskd.study.comparison import compare as compare_runs
from vskd.study.comparison_tables import write_comparison
from vskd.study.foretold import Foretelling, with_forecasts
from vskd.study.jobs import Job, run_jobs

ALL_FOLDS = "all"
"""As `dataset.fold` of a recipe to compare: every fold of its protocol, in one table."""

AfterRun = Callable[[Path], Path]
"""Something done with every finished student run that leaves a further results folder, e.g. export and evaluate
int8."""


def teacher_key(recipe: Recipe, number: int = 0) -> str:
    """Recipes with the same key share one teacher, and so one training and one cache."""
    return recipe.of_teacher(number).hash_of(*DECIDING)[:12]


def in_folds(recipe: Recipe) -> dict[Path, Recipe]:
    """The recipe once per fold that it asks for, and the folder under which the runs of each belong.

    Raises:
        ProtocolError: it asks for all folds of a protocol that has none.
        RecipeError: it asks for all folds, but names no data.
    """
    dataset = recipe.dataset
    if dataset.fold != ALL_FOLDS:
        return {Path(): recipe}
    if dataset.path is None:
        raise RecipeError("dataset.path is not set", "Say where the data set is with --data PATH")
    index = get_dataset(dataset.name).index(Path(dataset.path))
    names = load_protocol(dataset.name, dataset.protocol).fold_names(index)
    if not names:
        raise ProtocolError(f"Protocol {dataset.protocol} has no folds", "Leave --fold out")
    folds = {Path(f"fold-{name}"): dataset.model_copy(update={"fold": name}) for name in names}
    return {folder: recipe.model_copy(update={"dataset": section}) for folder, section in folds.items()}


def compare(
    recipes: Sequence[Recipe],
    seeds: Sequence[int],
    out: Path,
    *,
    cache: Path | None = None,
    after_run: AfterRun | None = None,
    workers: int = 1,
    teachers: Path | None = None,
    say: Callable[[str], None] | None = None,
) -> Comparison:
    """Teach, distil and evaluate every recipe with every seed, and compare.

    A teacher is trained where a recipe listens to it. A recipe that listens to none has the teacher's figures beside
    its own, and is trained on the same recordings, where its teachers are those of one that does. What is finished is
    not run again, what was interrupted is resumed.

    Args:
        recipes: their names must differ. One with `dataset.fold: all` is run on every fold of its protocol; the folds
            are pooled, each recording being tested once per seed.
        seeds: of the students, and of teachers whose recipe has no seed of its own.
        out: folder of runs, stores and the table (comparison.json, .csv, .html, .txt).
        cache: where windows, frames and teacher outputs are stored; `out`/cache by default.
        after_run: see `AfterRun`; with several workers, one that can be pickled.
        workers: how many trainings are run at a time, each in a process of its own and with as many threads as it would
            have alone; their log is compare.log in `out`. The figures are the same for any number.
        teachers: where teachers' runs lie; `out`/teachers by default. Comparisons may share it, also at the same time.
        say: gets the forecast of each student with a teacher before it is trained, where its twin without one is
            compared, too, and had validation recordings; with several workers, one that can be pickled. None makes no
            forecast. Whether it came true is in the comparison.

    Raises:
        RecipeError: two recipes have one name.
        ProtocolError: the recipes use different protocols, or want all folds of one that has none.
        LockedError: another process writes a comparison into `out`.
        VskdError: a run fails; finished ones stay.
    """
    names = [recipe.name for recipe in recipes]
    if len(set(names)) < len(names):
        raise RecipeError(f"Recipes to compare share a name: {', '.join(names)}", "Give each recipe a name of its own")
    protocols = sorted({f"{r.dataset.name}, {r.dataset.protocol}" for r in recipes})
    if len(protocols) > 1:
        raise ProtocolError(
            f"Recipes to compare are of several protocols ({'; '.join(protocols)}), which never share a table",
            "Compare those of one protocol",
        )
    with only_writer(out / LOCK, out):
        students = _students(recipes, seeds, out, teachers or out / "teachers")
        jobs = _jobs(students, cache or out / "cache", after_run, say)
        results = run_jobs(jobs, workers, out / "compare.log")
        runs: dict[Path, str] = {}
        for student in students:
            for path, name in student.rows(results[student.run]):
                runs.setdefault(path, name)  # a shared teacher has the name of the first that listens to it
        comparison = compare_runs([_evaluated(path, name) for path, name in runs.items()])
        comparison = with_forecasts(comparison, [(s.recipe.name, s.recipe, s.run) for s in students])
        write_comparison(comparison, out)
        return comparison


@dataclass(frozen=True)
class _Student:
    """One recipe, fold and seed.

    Attributes:
        recipe: with its seed.
        run: the student's folder.
        teachers: folders of the recipe's teachers, in its order; those that the student has, or is compared with.
    """

    recipe: Recipe
    run: Path
    teachers: tuple[Path, ...]

    def rows(self, further: Path | None) -> list[tuple[Path, str]]:
        """Folders of results, each with the name of its row: teachers, student, and what `after_run` added.

        All have the recipe's name but further teachers.
        """
        first = [*self.teachers[:1], self.run, *([further] if further is not None else [])]
        return [
            *((path, self.recipe.name) for path in first),
            *((path, f"{self.recipe.name}, teacher {number}") for number, path in enumerate(self.teachers[1:], 1)),
        ]


def _students(recipes: Sequence[Recipe], seeds: Sequence[int], out: Path, teachers: Path) -> list[_Student]:
    """All that are trained; those that listen to nobody keep only teachers that another one listens to."""
    by_recipe = [in_folds(recipe) for recipe in recipes]
    students = [
        _Student(
            seeded := recipe.with_seed(seed),
            out / "runs" / recipe.name / fold / f"seed{seed}",
            tuple(_teacher_run(seeded, number, teachers, fold) for number in range(len(recipe.teachers))),
        )
        for seed in seeds
        for folds in by_recipe
        for fold, recipe in folds.items()
    ]
    heard = {run for s in students if s.recipe.distiller.needs_teacher for run in s.teachers}
    return [s if heard.issuperset(s.teachers) else dataclasses.replace(s, teachers=()) for s in students]


def _teacher_run(recipe: Recipe, number: int, teachers: Path, fold: Path) -> Path:
    """Where one of a recipe's teachers lies."""
    return teachers / fold / f"{teacher_key(recipe, number)}-seed{recipe.of_teacher(number).seed}"


def _jobs(
    students: Sequence[_Student], cache: Path, after_run: AfterRun | None, say: Callable[[str], None] | None
) -> list[Job]:
    """The trainings: every teacher once, before the first student that has it.

    Students that listen to nobody come first, so that those that do can be foretold from them.
    """
    jobs: dict[Path, Job] = {}
    threads = torch.get_num_threads()
    alone = {s.recipe.hash_of(*DECIDING): s.run for s in students if not s.recipe.distiller.needs_teacher}
    for student in sorted(students, key=lambda s: s.recipe.distiller.needs_teacher):
        name = f"{student.recipe.name}, {student.run.parent.name} seed {student.recipe.seed}"
        for number, run in enumerate(student.teachers):
            teaching = partial(_teach, student.recipe, number, run, cache, threads)
            jobs.setdefault(run, Job(run, f"{name}: teacher {number}", teaching))
        learning = partial(_distill, student, cache, after_run, threads, say)
        after = list(student.teachers)
        if say is not None and student.recipe.distiller.needs_teacher:
            after += [run for key, run in alone.items() if key == student.recipe.undistilled().hash_of(*DECIDING)]
        jobs[student.run] = Job(student.run, f"{name}: student", learning, tuple(after))
    return list(jobs.values())


def _teach(recipe: Recipe, number: int, run: Path, cache: Path, threads: int) -> None:
    """Train and evaluate a teacher; where another comparison does so now, wait until it has."""
    with only_writer(lock_of(run), run, wait=True), fixed_threads(threads):
        teach(recipe, run, number=number, cache=cache)
        evaluate_run(run)


def _distill(
    student: _Student, cache: Path, after_run: AfterRun | None, threads: int, say: Callable[[str], None] | None
) -> Path | None:
    """Train and evaluate a student; the further folder of results, where there is one."""
    ready = None if say is None else Foretelling(student.recipe, student.run, say)
    with fixed_threads(threads):
        distill(student.recipe, student.run, student.teachers, cache=cache, ready=ready)
        evaluate_run(student.run)
        return after_run(student.run) if after_run else None


def _evaluated(path: Path, name: str) -> EvaluatedRun:
    results = read_results(path / "results.json")
    return EvaluatedRun(name, results.seed, results, read_csv(path / "predictions.csv"))
