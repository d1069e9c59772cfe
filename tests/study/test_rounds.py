"""Rounds: who learns from whom, each once, and what is finished is not trained again."""

import json
from pathlib import Path

import pytest

from tests.conftest import TINY, TINY_STUDENT
from vskd.distillation.run import RunFolder
from vskd.errors import RecipeError
from vskd.recipe import Recipe, load_recipe
from vskd.study.rounds import distill_in_rounds, taught_teacher

FIXED = "student.network={name: rocket1d-fixed, kernels: 20}"
HINT = "distiller={terms: [{loss: cross_entropy}, {loss: similarity_preserving, student_layer: %s, teacher_layer: %s}]}"


@pytest.fixture
def recipe(synthetic_root: Path) -> Recipe:
    made = load_recipe("demo", (*TINY, *TINY_STUDENT, "distiller=kd", f"dataset.path={synthetic_root}"))
    whole = ("student.training.validation=none", "student.training.select=last", "labels.trials=[1]")
    student = made.updated(*whole).student.model_dump(mode="json")
    student["sees"]["streams"] = ["gyroscope"]
    return made.updated(*whole, f"teachers=[{json.dumps(student)}]")


def test_each_learns_from_the_other(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    foretold: list[object] = []
    distill_in_rounds(recipe, tmp_path / "run", rounds=2, cache=tmp_path / "cache", ready=foretold.append)
    runs = {path.parent.name: RunFolder(path.parent) for path in tmp_path.glob("*/recipe.yaml")}
    taught_by = {name: [run.name for run in folder.teacher_runs()] for name, folder in runs.items()}
    assert taught_by == {
        "run-teacher": [],
        "run-round-1": ["run-teacher"],
        "run-teacher-round-2": ["run-round-1"],
        "run": ["run-teacher-round-2"],
    }
    assert {name for name, folder in runs.items() if folder.role == "teacher"} == {"run-teacher", "run-teacher-round-2"}
    assert runs["run-teacher-round-2"].recipe().student == runs["run-teacher"].recipe().student
    assert runs["run"].recipe().student == runs["run-round-1"].recipe().student == recipe.student
    assert len(foretold) == 1
    monkeypatch.setattr("vskd.distillation.lightning_imports.Trainer", None)
    distill_in_rounds(recipe, tmp_path / "run", rounds=2, cache=tmp_path / "cache")


def test_the_taught_teacher_is_the_teacher_with_the_students_help(recipe: Recipe) -> None:
    made = taught_teacher(recipe)
    assert made.student == recipe.of_teacher().student
    assert made.distiller == recipe.distiller and made.labels == recipe.labels
    (student,) = made.teachers
    assert (student.sees, student.network, student.training) == (
        recipe.student.sees,
        recipe.student.network,
        recipe.student.training,
    )


@pytest.mark.parametrize(
    ("word", "what"), [("distiller=none", "no teacher"), ("teachers.0.cross_fit=subject", "a cross-fitted teacher")]
)
def test_who_cannot_take_turns(recipe: Recipe, tmp_path: Path, word: str, what: str) -> None:
    with pytest.raises(RecipeError, match=f"which has {what}"):
        distill_in_rounds(recipe.updated(word), tmp_path / "run", rounds=2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("student.training.ridge=0.1", FIXED, "labels={}"), "distiller 'kd' does nothing here"),
        ((HINT % ("dilation1", "embedding"), FIXED), "In round 2 the teacher learns from the student.*dilation1"),
        (("teachers.0.training.sampling=balanced",), "'balanced' needs the class of every training recording"),
    ],
)
@pytest.mark.parametrize("given", [True, False])
def test_what_a_later_round_could_not_train_is_refused_before_the_first(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], problem: str, given: bool
) -> None:
    """Of the teacher, too, which learns from the student by the same terms, and so by layers of its own."""
    monkeypatch.setattr("vskd.study.rounds.teach", None)
    monkeypatch.setattr("vskd.study.rounds.distill", None)
    teachers = [tmp_path / "mine"] if given else []
    with pytest.raises(RecipeError, match=problem):
        distill_in_rounds(recipe.updated(*words), tmp_path / "run", teachers, rounds=2, cache=tmp_path / "cache")


def test_a_given_teacher_is_not_trained_and_more_rounds_go_back_and_forth(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, ...]] = []

    def distill(made: Recipe, run: Path, teachers: list[Path], *, cache: Path, ready=None, role="student") -> str:
        calls.append((role, run.name, *(path.name for path in teachers), cache.name, *(["ready"] if ready else [])))
        return f"result of {run.name}"

    monkeypatch.setattr("vskd.study.rounds.distill", distill)
    monkeypatch.setattr("vskd.study.rounds.teach", None)
    given = [tmp_path / "mine"]
    said = distill_in_rounds(recipe, tmp_path / "run", given, rounds=3, cache=tmp_path / "cache", ready=print)
    assert said == "result of run"
    assert calls == [
        ("student", "run-round-1", "mine", "cache", "ready"),
        ("teacher", "run-teacher-round-2", "run-round-1", "cache"),
        ("student", "run-round-2", "run-teacher-round-2", "cache"),
        ("teacher", "run-teacher-round-3", "run-round-2", "cache"),
        ("student", "run", "run-teacher-round-3", "cache"),
    ]


def test_the_taught_teacher_listens_to_whatever_the_student_says(recipe: Recipe) -> None:
    asked = recipe.updated("distiller.teacher_outputs=cached")
    assert taught_teacher(asked).distiller.teacher_outputs == "auto"
    assert taught_teacher(asked).teachers[0].weights == asked.student.weights


def test_several_teachers_cannot_take_turns(recipe: Recipe, tmp_path: Path) -> None:
    two = recipe.model_copy(update={"teachers": recipe.teachers * 2})
    with pytest.raises(RecipeError, match="which has several teachers"):
        distill_in_rounds(two, tmp_path / "run", rounds=2)


def test_the_first_teacher_is_stored_where_all_is(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[object, ...]] = []
    monkeypatch.setattr("vskd.study.rounds.teach", lambda made, run, *, cache: calls.append((made, run, cache)))
    monkeypatch.setattr("vskd.study.rounds.distill", lambda *_, **words: calls.append((words["cache"],)))
    distill_in_rounds(recipe, tmp_path / "run", rounds=2, cache=tmp_path / "stores")
    assert calls == [(recipe, tmp_path / "run-teacher", tmp_path / "stores"), *[(tmp_path / "stores",)] * 3]


def test_a_teacher_whose_classifier_is_reused_cannot_take_turns(recipe: Recipe, tmp_path: Path) -> None:
    reusing = recipe.updated("distiller=simkd", "student.head.width=12")
    with pytest.raises(RecipeError, match="would have to take over the classifier"):
        distill_in_rounds(reusing, tmp_path / "run", rounds=2)
    assert list(tmp_path.iterdir()) == []
