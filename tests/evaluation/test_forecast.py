"""The forecast: its rule at its thresholds, and finished runs that it is made of; test recordings play no part."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import numpy as np
import pytest

from vskd.distillation.run import RunFolder
from vskd.distillation.teacher import outputs
from vskd.distillation.train import distill
from vskd.errors import ProtocolError, RunError
from vskd.evaluation import forecast as module
from vskd.evaluation.forecast import (
    LEVEL,
    TEACHES,
    Forecast,
    finished_twin,
    forecast,
    forecast_before,
    forecast_of_runs,
)
from vskd.evaluation.predictions import Predictions, read_csv
from vskd.recipe import DECIDING, Recipe, load_recipe


def answers(right: Sequence[bool], other: int = 1) -> Predictions:
    """Recordings of class 0; wrong answers are class `other`."""
    logits = np.zeros((len(right), 3))
    logits[np.arange(len(right)), [0 if r else other for r in right]] = 5
    ids = [f"r{i:02d}" for i in range(len(right))]
    return Predictions.from_logits(ids, ["s"] * len(right), np.zeros(len(right), dtype=int), logits, ("a", "b", "c"))


def of_counts(both: int, only_teacher: int, only_student: int, neither: int, unlabelled: float = 0.5) -> Forecast:
    """A forecast of so many recordings that both, one or none of the two is right on."""
    teacher = [True] * both + [True] * only_teacher + [False] * only_student + [False] * neither
    student = [True] * both + [False] * only_teacher + [True] * only_student + [False] * neither
    return forecast(answers(teacher), answers(student, other=2), unlabelled)


def test_the_figures_by_hand() -> None:
    found = of_counts(both=10, only_teacher=7, only_student=1, neither=2)
    assert (found.n, found.only_teacher, found.only_student) == (20, 7, 1)
    assert (found.teacher_accuracy, found.student_accuracy) == (17 / 20, 11 / 20)
    assert found.teaches == 7 / 9
    assert found.disagreement == 10 / 20  # where neither is right they name different classes
    assert found.p_value == pytest.approx((1 + 8) / 2**8)  # 7 or 8 heads of 8
    assert found.verdict == "will help"


@pytest.mark.parametrize(
    ("counts", "unlabelled", "verdict", "why"),
    [
        ((9, 5, 0, 0), 0.5, "will help", "knows better what the 50 % of recordings without a label are"),
        ((9, 4, 0, 0), 0.5, "will not help", "within chance"),  # p = 1/16
        ((9, 5, 0, 5), 0.5, "will help", "knows better"),  # right on half of the mistakes
        ((9, 5, 0, 6), 0.5, "will not help", "makes most of the student's mistakes too"),
        ((9, 5, 0, 0), 0.0, "will not help", "every training recording has a label"),
        ((9, 0, 5, 0), 0.5, "will hurt", "more mistakes than it corrects"),
        ((9, 0, 5, 0), 0.0, "will hurt", "more mistakes than it corrects"),
        ((9, 0, 4, 0), 0.5, "will not help", "within chance"),
        ((9, 3, 3, 3), 0.5, "will not help", "within chance"),
        ((9, 0, 0, 0), 0.5, "will not help", "within chance"),
    ],
)
def test_the_rule_at_its_thresholds(counts: tuple[int, ...], unlabelled: float, verdict: str, why: str) -> None:
    found = of_counts(*counts, unlabelled=unlabelled)
    assert found.verdict == verdict
    assert why in found.reason
    assert str(found) == f"{verdict}: {found.reason}"


@pytest.mark.parametrize(
    ("counts", "unlabelled", "verdict"),
    [
        ((9, 5, 0, 0), 0.5, "cannot say"),
        ((9, 4, 0, 0), 0.5, "cannot say"),
        ((9, 0, 5, 0), 0.5, "cannot say"),
        ((9, 0, 0, 0), 0.5, "cannot say"),
        ((9, 0, 5, 0), 0.0, "cannot say"),
        ((9, 5, 0, 0), 0.0, "will not help"),  # by the labels, not by validation
    ],
)
def test_of_new_people_nothing_is_said_where_nobody_like_them_is_validated_on(
    counts: tuple[int, ...], unlabelled: float, verdict: str
) -> None:
    both, teacher, student, neither = counts
    right = [True] * both + [True] * teacher + [False] * student + [False] * neither
    alone = [True] * both + [False] * teacher + [True] * student + [False] * neither
    found = forecast(answers(right), answers(alone, other=2), unlabelled, ("2", "4", "6", "8", "10"))
    assert found.verdict == verdict
    if verdict == "cannot say":
        assert "new people: of 2, 4, 6, 8 and 1 more, who test, no label is trained on" in found.reason
        assert "validate on a person with labels" in found.reason
    else:
        assert found == forecast(answers(right), answers(alone, other=2), unlabelled)


def test_the_p_value_is_the_tail_of_a_coin() -> None:
    for ahead, behind in ((5, 0), (8, 2), (9, 2), (20, 10)):
        tail = sum(math.comb(ahead + behind, k) for k in range(ahead, ahead + behind + 1)) / 2 ** (ahead + behind)
        found = of_counts(3, ahead, behind, 0)
        assert found.p_value == pytest.approx(tail)
        assert (found.verdict == "will help") == (tail <= LEVEL and ahead / ahead >= TEACHES)


def test_a_student_that_is_always_right_has_nothing_to_learn() -> None:
    assert of_counts(9, 0, 0, 0).teaches is None


def test_other_recordings_are_refused() -> None:
    with pytest.raises(ProtocolError, match="different recordings"):
        forecast(answers([True] * 3), answers([True] * 4), 0.5)


QUICK = (
    *("student.sees.encoding=raw", "student.network=cnn1d", "student.network.embedding_size=12"),
    *("student.training.epochs=1", "student.training.batch_size=4", "distiller=kd", "labels.trials=[1]"),
)


@pytest.fixture(scope="module")
def recipe(synthetic_root: Path) -> Recipe:
    made = load_recipe("demo", (*QUICK, f"dataset.path={synthetic_root}"))
    teacher = made.student.model_dump(mode="json")
    teacher["sees"]["streams"] = ["gyroscope"]
    return made.updated(f"teachers=[{json.dumps(teacher)}]")


@pytest.fixture(scope="module")
def place(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished teacher and a student without it."""
    folder = tmp_path_factory.mktemp("forecast")
    distill(recipe.of_teacher(), folder / "teacher", role="teacher")
    distill(recipe.undistilled(), folder / "alone")
    return folder


def test_finished_runs(place: Path) -> None:
    found = forecast_of_runs([place / "teacher"], place / "alone")
    validation = RunFolder(place / "alone").training()["validation"]
    assert (found.n, found.unlabelled) == (len(validation), 0.5)
    predicted = read_csv(place / "alone" / "validation" / "predictions.csv")
    assert found.student_accuracy == predicted.correct.mean()
    assert set(predicted.ids) == set(validation)
    assert not (place / "alone" / "predictions.csv").exists()


def test_the_teacher_is_shown_validation_recordings_alone(place: Path) -> None:
    forecast_of_runs([place / "teacher"], place / "alone")
    (cache,) = (place / "cache").glob("teacher-*.h5")
    with h5py.File(cache, "r") as file:
        shown = {i.decode() for i in file["ids"][:]}
    assert shown == set(RunFolder(place / "alone").training()["validation"])


ENROLMENT = """
name: camera-session
version: 1
dataset: synthetic
split_by: subject-trial
disjoint: none
validation_unit: trial
parts:
"""


@pytest.mark.parametrize(
    ("parts", "blind"),
    [
        ("{train: [1-1, 1-2, 3-1, 3-2, 2-1, 4-1], test: [2-2, 4-2]}", True),
        ("{train: [1-1, 1-2, 2-1, 4-1], validation: [3-1, 3-2], test: [2-2, 4-2]}", False),
        ("{train: [1-1, 3-1, 2-1, 4-1], validation: [1-2, 3-2], test: [2-2, 4-2]}", True),
        ("{train: [1-1, 3-1, 2-1, 4-1], validation: [1-2, 2-2], test: [4-2]}", False),
        ("{train: [1-1, 2-1, 3-1, 4-1], validation: [1-2], test: [3-2]}", False),
    ],
    ids=["carved of known people", "a person held out", "known people", "a new person too", "known people test"],
)
def test_who_validates_decides_whether_anything_is_said_of_new_people(
    recipe: Recipe, tmp_path: Path, parts: str, blind: bool
) -> None:
    protocol = tmp_path / "camera-session.yaml"
    protocol.write_text(ENROLMENT.rstrip() + f" {parts}\n", encoding="utf-8")
    people = "['1']" if "validation: [3-1, 3-2]" in parts else "['1', '3']"
    mine = recipe.updated(f"dataset.protocol={protocol}", "labels.trials=null", f"labels.subjects={people}")
    distill(mine.of_teacher(), tmp_path / "teacher", role="teacher")
    distill(mine.undistilled(), tmp_path / "alone")
    found = forecast_of_runs([tmp_path / "teacher"], tmp_path / "alone")
    assert (found.verdict == "cannot say") == blind
    assert ("say nothing of new people: of 2, 4, who test" in found.reason) == blind


def test_nothing_is_trained(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vskd.distillation.lightning_imports.Trainer", None)
    assert forecast_of_runs([place / "teacher"], place / "alone").n > 0


def test_of_two_teachers_the_probabilities_are_averaged(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    once = forecast_of_runs([place / "teacher"], place / "alone")
    assert forecast_of_runs([place / "teacher"] * 2, place / "alone") == once
    second = place / "second"
    if not second.exists():
        distill(RunFolder(place / "teacher").recipe().with_seed(5), second, role="teacher")
    said = [outputs_of(place, run) for run in ("teacher", "second")]
    both = forecast_of_runs([place / "teacher", second], place / "alone")
    labels = read_csv(place / "alone" / "validation" / "predictions.csv").labels
    assert both.teacher_accuracy == np.mean((said[0] + said[1]).argmax(axis=1) == labels)


def outputs_of(place: Path, run: str) -> np.ndarray:
    """Probabilities of a teacher for the validation recordings, in the order of the student's predictions."""
    from vskd.distillation.experiment import prepare

    folder = RunFolder(place / run)
    experiment = prepare(folder.recipe(), place / "cache")
    ids = read_csv(place / "alone" / "validation" / "predictions.csv").ids
    said, _, _ = outputs.FinishedTeacher(folder, experiment).cache(ids).outputs(ids)
    return said.logits.double().softmax(dim=1).numpy()


def test_runs_that_foretell_nothing(place: Path, recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="had a teacher already"):
        distill(recipe, place / "taught", [place / "teacher"])
        forecast_of_runs([place / "teacher"], place / "taught")
    everybody = recipe.undistilled().updated("student.training.validation=none", "student.training.select=last")
    distill(everybody, tmp_path / "everybody", cache=place / "cache")
    with pytest.raises(RunError, match="without validation recordings"):
        forecast_of_runs([place / "teacher"], tmp_path / "everybody")
    distill(everybody, tmp_path / "learned-from-all", cache=place / "cache", role="teacher")
    with pytest.raises(ProtocolError, match="recordings that the teacher was trained on"):
        forecast_of_runs([tmp_path / "learned-from-all"], place / "alone")


def test_the_twin_is_found_beside_the_run_and_in_a_comparison(place: Path, recipe: Recipe, tmp_path: Path) -> None:
    assert finished_twin(recipe, place / "new") == place / "alone"
    assert finished_twin(recipe.with_seed(1), place / "new") is None
    assert finished_twin(recipe.updated("student.training.epochs=2"), place / "new") is None
    runs = tmp_path / "runs"
    (runs / "demo-no-kd").mkdir(parents=True)
    (runs / "demo-no-kd" / "seed0").symlink_to(place / "alone")
    assert finished_twin(recipe, runs / "demo" / "seed0") == runs / "demo-no-kd" / "seed0"


def test_it_is_said_after_the_teachers_and_before_the_student(
    place: Path, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    real: Callable[..., object] = distill.__globals__["fit"]
    monkeypatch.setitem(distill.__globals__, "fit", lambda *a: order.append("student") or real(*a))

    def ready(teachers: Sequence[Path]) -> None:
        found = forecast_before(recipe, place / "said", teachers)
        assert found == forecast_of_runs([place / "teacher"], place / "alone")
        order.append("forecast")

    distill(recipe, place / "said", [place / "teacher"], ready=ready)
    distill(recipe, place / "said", [place / "teacher"], ready=ready)  # finished: there is nothing to foretell
    assert order == ["forecast", "student"]
    assert forecast_before(recipe.undistilled(), place / "x", []) is None


def test_words_of_a_forecast() -> None:
    found = of_counts(both=10, only_teacher=7, only_student=1, neither=2, unlabelled=0.25)
    assert found.reason == (
        "the teacher is right on 85.0 % of 20 validation recordings, and on 78 % of what the student gets wrong, "
        "the student without it on 55.0 %; it knows better what the 25 % of recordings without a label are"
    )
    right = of_counts(both=9, only_teacher=0, only_student=0, neither=0)
    assert right.reason.startswith(
        "the teacher is right on 100.0 % of 9 validation recordings, the student without it on 100.0 %; "
    )
    assert (right.p_value, right.disagreement, right.unlabelled) == (1.0, 0.0, 0.5)


def test_recordings_are_compared_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    teacher, student = answers([True, False, False]), answers([False, True, False], other=2)
    turned = student.take([2, 0, 1])
    assert forecast(teacher, turned, 0.5) == forecast(teacher, student, 0.5)
    assert forecast(teacher.take([1, 2, 0]), student, 0.5) == forecast(teacher, student, 0.5)


@pytest.mark.parametrize(
    ("run", "twin"),
    [
        ("mine", "alone"),
        ("runs/demo/seed0", "runs/demo-no-kd/seed0"),
        ("runs/demo/fold-1/seed0", "runs/demo-no-kd/fold-1/seed0"),
    ],
)
def test_where_a_twin_is_looked_for(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: str, twin: str
) -> None:
    """Of the same fold and seed; it is never the run itself, and it is finished and of the same settings."""
    others = (run, twin, "runs/demo-no-kd/seed1", "runs/demo-no-kd/fold-2/seed0", "deep/er/still/more")
    for name in others:
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / name / "recipe.yaml").touch()
    looked: list[Path] = []

    def is_twin(folder: RunFolder, wanted: str) -> bool:
        assert wanted == recipe.undistilled().hash_of(*DECIDING)
        looked.append(folder.path)
        return folder.path == tmp_path / twin

    monkeypatch.setattr(module, "_is_twin", is_twin)
    assert finished_twin(recipe, tmp_path / run) == tmp_path / twin
    assert tmp_path / run not in looked
    assert {path.name for path in looked} == {Path(twin).name} or run == "mine"
    monkeypatch.setattr(module, "_is_twin", lambda *_: False)
    assert finished_twin(recipe, tmp_path / run) is None


def test_of_several_twins_the_first_by_name_is_taken(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "hgfedcba":
        (tmp_path / "runs" / name / "seed0").mkdir(parents=True)
        (tmp_path / "runs" / name / "seed0" / "recipe.yaml").touch()
    monkeypatch.setattr(module, "_is_twin", lambda *_: True)
    assert finished_twin(recipe, tmp_path / "runs" / "a" / "seed0") == tmp_path / "runs" / "b" / "seed0"
    assert finished_twin(recipe, tmp_path / "runs" / "z" / "seed0") == tmp_path / "runs" / "a" / "seed0"


def test_without_a_twin_or_with_a_broken_one_nothing_is_foretold(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> Forecast:
        raise RunError("it has no validation part", "Take one")

    with caplog.at_level("INFO", logger="vskd"):
        assert forecast_before(recipe, tmp_path / "run", []) is None
        assert "no finished run of the same student without a teacher is near" in caplog.text
        asked: list[tuple[object, ...]] = []
        monkeypatch.setattr(module, "finished_twin", lambda *words: asked.append(words) or tmp_path / "twin")
        monkeypatch.setattr(module, "forecast_of_runs", refuse)
        assert forecast_before(recipe, tmp_path / "run", []) is None
        assert f"no forecast for {tmp_path / 'run'}: it has no validation part" in caplog.text
        assert forecast_before(recipe.undistilled(), tmp_path / "run", []) is None
        assert asked == [(recipe, tmp_path / "run")], "who has no teacher has no twin"
    monkeypatch.setattr(module, "forecast_of_runs", lambda teachers, twin: (teachers, twin))
    assert forecast_before(recipe, tmp_path / "run", ["T"]) == (["T"], tmp_path / "twin")  # type: ignore[list-item]
