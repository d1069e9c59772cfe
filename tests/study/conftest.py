"""Predictions and results of the small invented experiment of tests/evaluation; a comparison with a forecast."""

import json
from pathlib import Path

import pytest

from tests.conftest import TINY, TINY_STUDENT, made_once
from tests.evaluation.conftest import answers, make_predictions, make_results  # noqa: F401
from vskd.recipe import Recipe, load_recipe


def quick(world: Path, *words: str) -> Recipe:
    """A recipe whose student and teacher are trained in a second."""
    student = load_recipe("demo", (*TINY, *TINY_STUDENT)).student.model_dump(mode="json")
    student["sees"]["streams"] = ["gyroscope"]
    teacher = f"teachers=[{json.dumps(student)}]"
    return load_recipe("demo", (*TINY, *TINY_STUDENT, "distiller=kd", f"dataset.path={world}", teacher, *words))


CARVED = tuple(
    f"{role}.training.{key}" for role in ("student", "teachers.0") for key in ("validation=carve", "select=best")
)


@pytest.fixture(scope="session")
def foretold_comparison(synthetic_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison of a taught recipe and its twin, the taught one named first; and what was said meanwhile."""
    from vskd.study.compare import compare
    from vskd.study.controls import with_controls

    def make(root: Path) -> None:
        said: list[str] = []
        recipes = with_controls([quick(synthetic_root, *CARVED, "labels.trials=[1]")], ["none"])
        compare(recipes, [0], root / "out", say=said.append)
        (root / "said.json").write_text(json.dumps(said), encoding="utf-8")

    return made_once(tmp_path_factory, "foretold", make)
