"""Run what is missing of recipes x seeds, then put everything into one table."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from vskd.distillation.train import distill, teach
from vskd.errors import RecipeError
from vskd.evaluation.comparison import Comparison, EvaluatedRun
from vskd.evaluation.comparison import compare as compare_runs
from vskd.evaluation.comparison_tables import write_comparison
from vskd.evaluation.evaluate import evaluate_run
from vskd.evaluation.predictions import read_csv
from vskd.evaluation.results import read_results
from vskd.recipe import Recipe

logger = logging.getLogger(__name__)

AfterRun = Callable[[Path], Path]
"""Something done with every finished student run that leaves a further results folder, e.g. export and evaluate
int8."""


def teacher_key(recipe: Recipe) -> str:
    """Recipes with the same key share one teacher, and so one training and one cache."""
    shared = recipe.model_copy(update={"seed": recipe.teacher_seed})
    seen = {"video": "frames", "image": "images"}[recipe.teacher.input]
    return shared.hash_of("seed", "dataset", seen, "teacher")[:12]


def compare(
    recipes: Sequence[Recipe],
    seeds: Sequence[int],
    out: Path,
    *,
    cache: Path | None = None,
    after_run: AfterRun | None = None,
) -> Comparison:
    """Teach, distil and evaluate every recipe with every seed, and compare.

    All recipes get the teacher's figures beside theirs, and the same recordings, whether their distiller listens to the
    teacher or not. What is finished in `out` is not run again, what was interrupted is resumed.

    Args:
        recipes: their names must differ.
        seeds: of the students, and of teachers whose recipe has no seed of its own.
        out: folder of runs, stores and the table (comparison.json, .csv, .html, .txt).
        cache: where windows, frames and teacher outputs are stored; `out`/cache by default.
        after_run: see `AfterRun`.

    Raises:
        RecipeError: two recipes have one name.
        ProtocolError: the recipes use different protocols.
        VskdError: a run fails; finished ones stay.
    """
    names = [recipe.name for recipe in recipes]
    if len(set(names)) < len(names):
        raise RecipeError(f"Recipes to compare share a name: {', '.join(names)}", "Give each recipe a name of its own")
    runs: dict[Path, str] = {}
    for seed in seeds:
        for recipe in recipes:
            for results in _run(recipe.model_copy(update={"seed": seed}), out, cache or out / "cache", after_run):
                runs.setdefault(results, recipe.name)
    comparison = compare_runs([_evaluated(path, name) for path, name in runs.items()])
    write_comparison(comparison, out)
    return comparison


def _run(recipe: Recipe, out: Path, cache: Path, after_run: AfterRun | None) -> list[Path]:
    """Folders of results of one recipe and seed: teacher, student, and what `after_run` adds."""
    teacher_recipe = recipe.model_copy(update={"seed": recipe.teacher_seed})
    teacher_run = out / "teachers" / f"{teacher_key(recipe)}-seed{teacher_recipe.seed}"
    run = out / "runs" / recipe.name / f"seed{recipe.seed}"
    logger.info("%s, seed %d: teacher", recipe.name, recipe.seed)
    teach(teacher_recipe, teacher_run, cache=cache)
    evaluate_run(teacher_run)
    logger.info("%s, seed %d: student", recipe.name, recipe.seed)
    distill(recipe, run, teacher_run, cache=cache)
    evaluate_run(run)
    return [teacher_run, run, *([after_run(run)] if after_run else [])]


def _evaluated(path: Path, name: str) -> EvaluatedRun:
    results = read_results(path / "results.json")
    return EvaluatedRun(name, results.seed, results, read_csv(path / "predictions.csv"))
