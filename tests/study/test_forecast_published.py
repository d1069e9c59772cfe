"""Forecasts that are made after a comparison was published: of the right students, judged by the published answers."""

import runpy
import sys
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from tests.study.conftest import CARVED, quick
from tests.study.test_forecast_check import cell as made_cell
from vskd.distillation.run import RunFolder
from vskd.errors import DataError
from vskd.evaluation.forecast import forecast_of_runs
from vskd.evaluation.predictions import Predictions, read_csv
from vskd.evaluation.statistics import permutation_test
from vskd.files import write_text
from vskd.recipe import Recipe
from vskd.study import forecast_published as module
from vskd.study.controls import with_controls
from vskd.study.forecast_check import Cell, read_cells, to_markdown
from vskd.study.forecast_published import (
    Published,
    cell,
    main,
    outcome_over,
    pairs,
    published_students,
    with_those_before,
)
from vskd.study.publish import publish


def answers(right: str, people: str = "aabb") -> Predictions:
    """`+` for every recording that is right, `-` for every other."""
    ids = tuple(f"r{number}" for number in range(len(right)))
    said = np.eye(2)[[0 if sign == "+" else 1 for sign in right]]
    return Predictions(ids, tuple(people), np.zeros(len(right), dtype=int), said, ("0", "1"))


@pytest.fixture
def published(foretold_comparison: Path, tmp_path: Path) -> Path:
    """A recipe and its twin without a teacher, one seed; both kept validation recordings."""
    publish(foretold_comparison / "out", tmp_path / "published")
    return tmp_path / "published"


def test_students_are_read_with_what_they_answered(published: Path, foretold_comparison: Path) -> None:
    found = published_students(published)
    assert [(one.folder, one.recipe.name, list(one.answers)) for one in found] == [
        (published, "demo-no-kd", [0]), (published, "demo", [0])
    ]  # fmt: skip
    for one in found:
        own = read_csv(foretold_comparison / "out" / "runs" / one.recipe.name / "seed0" / "predictions.csv")
        own, read = own.sorted_by_id(), one.answers[0].sorted_by_id()
        assert (read.ids, read.subjects) == (own.ids, own.subjects)
        assert (read.labels == own.labels).all() and (read.predicted == own.predicted).all()


def test_a_recording_that_a_run_did_not_see_is_none_of_its_answers(published: Path) -> None:
    lines = [
        "id,subject,label,demo-seed3,demo-seed1,demo-no-kd-seed1,demo-seed1-int8",
        "r0,a,0,2,0,,1",
        "r1,b,1,1,0,1,1",
    ]
    write_text(published / "predictions.csv", "\n".join(lines) + "\n")
    alone, taught = published_students(published)
    assert [(seed, list(own.predicted)) for seed, own in taught.answers.items()] == [(1, [0, 0]), (3, [2, 1])]
    assert {seed: (own.ids, list(own.labels)) for seed, own in alone.answers.items()} == {1: (("r1",), [1])}


@pytest.mark.parametrize(
    "text", ["id,subject,label,demo-seed0\nr0,a,x,1\n", "id,subject,label,demo-seed0\nr0,a,0\n", ""]
)
def test_damaged_predictions_are_named(published: Path, text: str) -> None:
    write_text(published / "predictions.csv", text)
    with pytest.raises(DataError, match=r"predictions\.csv is damaged"):
        published_students(published)
    (published / "predictions.csv").unlink()
    with pytest.raises(DataError, match=r"predictions\.csv is missing"):
        published_students(published)


def of(folder: str, recipes: list[Recipe]) -> list[Published]:
    return [Published(Path(folder), recipe, {}) for recipe in recipes]


def test_who_is_foretold(synthetic_root: Path) -> None:
    """Not whose teacher is not heard as it speaks, nor folds, nor who has no twin; who is in two comparisons, once."""
    recipe = quick(synthetic_root)
    own = of("a", with_controls([recipe], ["none", "self", "permuted", "random-teacher", "label-smoothing"]))
    again = of("b", with_controls([recipe.updated("name=again", "seed=4")], ["none"]))
    other = of("c", [recipe.updated("name=other", "teachers.0.training.epochs=2")])
    fold = of(
        "d", with_controls([recipe.updated("dataset.protocol=leave-one-subject-out", "dataset.fold='1'")], ["none"])
    )
    lonely = of("e", [recipe.updated("labels.trials=[1]")])
    found = [(one.recipe.name, str(one.folder), twin.recipe.name, str(twin.folder))
             for one, twin in pairs([*again, *own, *other, *fold, *lonely])]  # fmt: skip
    assert found == [
        ("again", "b", "again-no-kd", "b"),
        ("demo-self", "a", "demo-no-kd", "a"),
        ("other", "c", "again-no-kd", "b"),
    ]


@pytest.mark.parametrize(("taught", "alone", "gain", "p_value", "outcome"), [
    (["++++", "++++", "++++"], ["----", "----", "----"], 1.0, 0.5, "helped"),
    (["----", "----", "----"], ["++++", "++++", "++++"], -1.0, 0.5, "hurt"),
    (["++++", "++++"], ["-+-+", "----"], 0.75, 0.5, "helped"),
    (["++++", "+-+-"], ["-+-+", "+-+-"], 0.25, 0.5, "no difference"),
    (["+-+-", "++++"], ["-+-+", "++++"], 0.0, 1.0, "no difference"),
])  # fmt: skip
def test_an_outcome_is_over_all_seeds_and_both_people(
    taught: list[str], alone: list[str], gain: float, p_value: float, outcome: str
) -> None:
    found = outcome_over(*([answers(one) for one in side] for side in (taught, alone)))
    assert found == pytest.approx((gain, p_value, outcome))


@pytest.mark.parametrize("people", [("unknown", "unknown"), ("1", "1")])
def test_seeds_of_unknown_people_or_one_are_not_judged_together(people: tuple[str, str]) -> None:
    with pytest.raises(DataError, match="no two test people that are known"):
        outcome_over([answers("++", people)], [answers("--", people)])


def test_a_cell_is_the_forecast_of_new_runs_beside_the_published_outcome(
    published: Path, foretold_comparison: Path, synthetic_root: Path, tmp_path: Path
) -> None:
    """The comparison itself kept validation recordings, so that its runs say what must come out; nothing is tested."""
    (pair,) = pairs(published_students(published))
    made = cell(*pair, synthetic_root, tmp_path / "runs")
    run, twin = (foretold_comparison / "out" / "runs" / name / "seed0" for name in ("demo", "demo-no-kd"))
    assert made.forecast == forecast_of_runs(RunFolder(run).teacher_runs(), twin)
    taught, alone = ([read_csv(one / "predictions.csv")] for one in (run, twin))
    gain = float(taught[0].correct.mean() - alone[0].correct.mean())
    assert (made.gain, made.p_value) == pytest.approx((gain, permutation_test(taught, alone)))
    assert (made.dataset, made.protocol, made.labels, made.recipe) == ("synthetic", "cross-subject", "trial 1", "demo")
    assert (made.published, made.seed, made.seeds, made.n) == ("published", 0, (0,), len(taught[0]))
    assert len([path for path in (tmp_path / "runs").iterdir() if (path / "recipe.yaml").is_file()]) == 2
    assert not list((tmp_path / "runs").glob("*/results.json"))


def test_what_validated_nothing_is_trained_without_the_recordings_that_are_set_aside(
    synthetic_root: Path, tmp_path: Path
) -> None:
    """A teacher that is the student's twin is trained once."""
    whole = tuple(word.replace("carve", "none").replace("best", "last") for word in CARVED)
    recipes = with_controls([quick(synthetic_root, *whole)], ["none", "self"])
    _, twin, own = (Published(tmp_path, recipe, {seed: answers("+-+-") for seed in (2, 5)}) for recipe in recipes)
    made = cell(own, twin, synthetic_root, tmp_path / "runs")
    (run,) = (path.parent for path in (tmp_path / "runs").glob("*/recipe.yaml"))
    recipe = RunFolder(run).recipe()
    assert (recipe.seed, recipe.student.training.validation, recipe.student.training.select) == (2, "carve", "last")
    assert len(RunFolder(run).training()["validation"]) == made.forecast.n > 0
    assert (made.forecast.disagreement, made.seeds, made.right) == (0, (2, 5), True)
    with pytest.raises(DataError, match="demo-self and demo-no-kd have no seed in common"):
        cell(own._replace(answers={}), twin, synthetic_root, tmp_path / "runs")


def test_other_cells_of_a_table_stay_in_their_places(tmp_path: Path) -> None:
    first, second = (made_cell("will help", "helped").model_copy(update={"recipe": name}) for name in ("a", "b"))
    assert with_those_before([first, second], tmp_path) == [first, second]
    module.write_cells([first, second], tmp_path)
    anew, third = first.model_copy(update={"gain": 0.5}), first.model_copy(update={"published": "c"})
    assert with_those_before([third, anew], tmp_path) == [anew, second, third]
    text = to_markdown([anew, third]).replace("\u00a0", " ")
    assert "| a |" in text and "| a (c) |" in text and "A name in brackets is" in text
    assert "A name in brackets is" not in to_markdown([anew])


def test_the_program_makes_the_cells_it_is_asked_for(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[Path, Path]] = []

    def made(one: Published, twin: Published, data: Path, runs: Path) -> Cell:
        asked.append((data, runs))
        return made_cell("will help", "helped").model_copy(update={"recipe": one.recipe.name})

    monkeypatch.setattr(module, "cell", made)
    quiet = Mock()
    monkeypatch.setattr(module, "quiet_libraries", quiet)
    words = [str(published), "--data", "D", "--runs", "R", "--out", str(tmp_path / "out")]
    assert main(words) == 0 and asked == [(Path("D"), Path("R"))] and quiet.call_args_list == [()]
    assert [one.recipe for one in read_cells(tmp_path / "out" / "forecast.json")] == ["demo"]
    assert capsys.readouterr().out == "demo (published): will help; helped\n1 forecasts; left out: none\n"
    assert main([*words, "--only", "other"]) == 0
    assert capsys.readouterr().out == "0 forecasts; left out: demo (published)\n"
    assert main([str(tmp_path / "absent"), *words[1:]]) == 1
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'absent' / 'predictions.csv'} is missing")


def test_the_program_needs_data_and_folders(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["x", "a"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(Path(module.__file__)), run_name="__main__")
    assert caught.value.code == 2 and capsys.readouterr().err.startswith("usage: forecast_published ")
