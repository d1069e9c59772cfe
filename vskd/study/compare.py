"""Run what is missing of recipes x folds x seeds, then put everything into one table."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from vskd.datasets.catalog import get_dataset
from vskd.datasets.splits.protocol import load_protocol
from vskd.distillation.train import distill, teach
from vskd.errors import ProtocolError, RecipeError
from vskd.evaluation.evaluate import evaluate_run
from vskd.evaluation.predictions import read_csv
from vskd.evaluation.results import read_results
from vskd.locks import LOCK, only_writer
from vskd.recipe import DECIDING, Recipe
from vskd.study.comparison import Comparison, EvaluatedRun
from vskd.study.comparison import compare as compare_runs
from vskd.study.comparison_tables import write_comparison

logger = logging.getLogger(__name__)

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
) -> Comparison:
    """Teach, distil and evaluate every recipe with every seed, and compare.

    All recipes get the teacher's figures beside theirs, and the same recordings, whether their distiller needs the
    teacher or not; where none does, no teacher is trained, and its streams need not be there. What is finished in `out`
    is not run again, what was interrupted is resumed.

    Args:
        recipes: their names must differ. One with `dataset.fold: all` is run on every fold of its protocol; the folds
            are pooled, each recording being tested once per seed.
        seeds: of the students, and of teachers whose recipe has no seed of its own.
        out: folder of runs, stores and the table (comparison.json, .csv, .html, .txt).
        cache: where windows, frames and teacher outputs are stored; `out`/cache by default.
        after_run: see `AfterRun`.

    Raises:
        RecipeError: two recipes have one name.
        ProtocolError: the recipes use different protocols, or want all folds of one that has none.
        LockedError: another process writes a comparison into `out`.
        VskdError: a run fails; finished ones stay.
    """
    names = [recipe.name for recipe in recipes]
    if len(set(names)) < len(names):
        raise RecipeError(f"Recipes to compare share a name: {', '.join(names)}", "Give each recipe a name of its own")
    with only_writer(out / LOCK, out):
        return _compare(recipes, seeds, out, cache or out / "cache", after_run)


def _compare(
    recipes: Sequence[Recipe], seeds: Sequence[int], out: Path, cache: Path, after_run: AfterRun | None
) -> Comparison:
    taught = any(recipe.distiller.needs_teacher for recipe in recipes)
    by_recipe = [in_folds(recipe) for recipe in recipes]
    runs: dict[Path, str] = {}
    for seed in seeds:
        for folds in by_recipe:
            for folder, recipe in folds.items():
                seeded = recipe.with_seed(seed)
                for results, name in _run(seeded, out, folder, cache, after_run, taught=taught):
                    runs.setdefault(results, name)
    comparison = compare_runs([_evaluated(path, name) for path, name in runs.items()])
    write_comparison(comparison, out)
    return comparison


def _run(
    recipe: Recipe, out: Path, fold: Path, cache: Path, after_run: AfterRun | None, *, taught: bool
) -> list[tuple[Path, str]]:
    """Folders of results of one recipe, fold and seed, each with the name of its row.

    These are its teachers, the student, and what `after_run` adds. All have the recipe's name but further teachers.
    """
    teachers = [_teacher(recipe, number, out, fold, cache) for number in range(len(recipe.teachers) if taught else 0)]
    run = out / "runs" / recipe.name / fold / f"seed{recipe.seed}"
    logger.info("%s, %s seed %d: student", recipe.name, fold.name, recipe.seed)
    distill(recipe, run, teachers, cache=cache)
    evaluate_run(run)
    first, others = [*teachers[:1], run, *([after_run(run)] if after_run else [])], teachers[1:]
    return [
        *((path, recipe.name) for path in first),
        *((path, f"{recipe.name}, teacher {number}") for number, path in enumerate(others, start=1)),
    ]


def _teacher(recipe: Recipe, number: int, out: Path, fold: Path, cache: Path) -> Path:
    """The run of one of the recipe's teachers, trained and evaluated."""
    seed = recipe.of_teacher(number).seed
    run = out / "teachers" / fold / f"{teacher_key(recipe, number)}-seed{seed}"
    logger.info("%s, %s seed %d: teacher %d", recipe.name, fold.name, seed, number)
    teach(recipe, run, number=number, cache=cache)
    evaluate_run(run)
    return run


def _evaluated(path: Path, name: str) -> EvaluatedRun:
    results = read_results(path / "results.json")
    return EvaluatedRun(name, results.seed, results, read_csv(path / "predictions.csv"))
