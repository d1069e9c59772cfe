"""Forecasts judged afterwards: outcomes by hand, the table, and the committed one that is made of its figures."""

import json
import runpy
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from vskd.distillation.run import RunFolder
from vskd.errors import DataError
from vskd.evaluation.forecast import Forecast, forecast_of_runs
from vskd.evaluation.predictions import Predictions, read_csv
from vskd.evaluation.results import read_results
from vskd.evaluation.statistics import mcnemar
from vskd.study import forecast_check
from vskd.study.forecast_check import Cell, Outcome, cells_of, main, outcome_of, read_cells, to_markdown

RESULTS = Path(__file__).parents[2] / "results"


def answers(right: list[bool]) -> Predictions:
    logits = np.zeros((len(right), 2))
    logits[np.arange(len(right)), [0 if r else 1 for r in right]] = 5
    ids = [f"r{i:02d}" for i in range(len(right))]
    return Predictions.from_logits(ids, ["s"] * len(right), np.zeros(len(right), dtype=int), logits, ("a", "b"))


@pytest.mark.parametrize(
    ("taught", "alone", "expected"),
    [
        (6, 0, (0.6, 2 / 2**6, "helped")),
        (5, 0, (0.5, 2 / 2**5, "no difference")),  # p = 0.0625
        (0, 6, (-0.6, 2 / 2**6, "hurt")),
        (4, 4, (0.0, 1.0, "no difference")),
    ],
)
def test_what_came_of_it(taught: int, alone: int, expected: tuple[float, float, Outcome]) -> None:
    both = 10 - taught - alone
    found = outcome_of(
        answers([True] * both + [True] * taught + [False] * alone),
        answers([True] * both + [False] * taught + [True] * alone),
    )
    assert found == pytest.approx(expected[:2] + expected[2:])


def cell(verdict: str, outcome: str) -> Cell:
    forecast = Forecast(
        verdict=verdict,
        reason="so",
        n=10,
        teacher_accuracy=0.5,
        student_accuracy=0.75,
        disagreement=0.4,
        teaches=None,
        only_teacher=2,
        only_student=3,
        p_value=0.5,
        unlabelled=0.25,
    )
    return Cell(
        dataset="d", protocol="p", fold="1", labels="trial 1", recipe="r", seed=0, forecast=forecast, n=10,
        gain=0.1, p_value=0.2, outcome=outcome,
    )  # fmt: skip


def test_where_nothing_can_be_said_nothing_came_true_or_false() -> None:
    made = [cell("will help", "helped"), cell("cannot say", "helped"), cell("cannot say", "hurt")]
    assert [one.right for one in made] == [True, None, None] and not any(one.opposite for one in made)
    text = to_markdown(made)
    assert "came true in 1 of 1 cells" in text and "Of 2 further cells the forecast cannot say anything." in text
    assert [line.split(" | ")[-1] for line in text.splitlines() if "cannot say |" in line] == ["– |", "– |"]


def test_the_table_counts_what_came_true() -> None:
    made = [
        cell("will help", "helped"),
        cell("will help", "no difference"),
        cell("will help", "hurt"),
        cell("will hurt", "hurt"),
        cell("will not help", "no difference"),
        cell("will not help", "helped"),
    ]
    assert [one.right for one in made] == [True, False, False, True, True, False]
    assert [one.opposite for one in made] == [False, False, True, False, False, False]
    text = to_markdown(made)
    assert "came true in 3 of 6 cells; in 1 the opposite happened" in text
    by_verdict = "will help: 1 of 3 (helped); will not help: 1 of 2 (no difference); will hurt: 1 of 1 (hurt)"
    assert f"By what was said: {by_verdict}." in text
    assert {line.count("|") for line in text.splitlines() if line.startswith("|")} == {13}


def test_committed_tables_are_those_of_their_figures() -> None:
    files = sorted(RESULTS.rglob("forecast.json"))
    assert files
    for file in files:
        assert to_markdown(read_cells(file)) == file.with_name("README.md").read_text(encoding="utf-8")


def test_a_line_says_which_student_and_how_it_came() -> None:
    one = cell("will help", "hurt")
    bare = one.model_copy(update={"fold": None, "forecast": one.forecast.model_copy(update={"teaches": 0.125})})
    lines = [
        line.replace("\u00a0", " ")
        for line in to_markdown([one, bare, cell("will help", "no difference")]).splitlines()
    ]
    head, rule, first, second, third = (line for line in lines if line.startswith("|"))
    assert [c.strip() for c in head.split("|")[1:-1]][:4] == ["protocol", "labels", "teacher of", "seeds"]
    assert set(rule) == set("| -")
    assert [c.strip() for c in first.split("|")[1:-1]] == [
        *("p, fold 1", "trial 1", "r", "0", "10", "50.0 %", "75.0 %", "–", "will help", "+10.0", "p = 0.200"),
        "no, the opposite",
    ]
    cells = [c.strip() for c in second.split("|")[1:-1]]
    assert (cells[0], cells[7]) == ("p", "12.5 %")
    assert third.split("|")[-2].strip() == "no: no difference"
    assert "at 5 %" in lines[-1]


def test_the_program_writes_what_comparisons_hold_or_says_why_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = {"a": [cell("will help", "helped")], "b": [cell("will hurt", "helped")]}
    monkeypatch.setattr(forecast_check, "cells_of", lambda folder: made[folder.name])
    assert main(["a", "b", "--out", str(tmp_path)]) == 0
    assert read_cells(tmp_path / "forecast.json") == (*made["a"], *made["b"])
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == to_markdown([*made["a"], *made["b"]])
    assert json.loads((tmp_path / "forecast.json").read_text())[0]["outcome"] == "helped"

    def broken(_: Path) -> list[Cell]:
        raise DataError("no validation part", "Take one")

    monkeypatch.setattr(forecast_check, "cells_of", broken)
    assert main(["a", "--out", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err == "error: no validation part. Take one.\n" and not (tmp_path / "none").exists()
    with pytest.raises(DataError, match="forecast_check again"):
        read_cells(tmp_path / "absent.json")


def test_students_with_a_finished_twin_are_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not those without a teacher, those that are not finished, and those whose twin is not there."""
    from types import SimpleNamespace

    for name in ("b", "a", "alone", "unfinished", "lonely"):
        (tmp_path / "runs" / name / "seed0").mkdir(parents=True)
        (tmp_path / "runs" / name / "seed0" / "recipe.yaml").touch()

    class Folder:
        def __init__(self, path: Path) -> None:
            self.name, self.complete = path.parent.name, path.parent.name != "unfinished"

        def recipe(self) -> SimpleNamespace:
            return SimpleNamespace(name=self.name, distiller=SimpleNamespace(needs_teacher=self.name != "alone"))

    monkeypatch.setattr(forecast_check, "RunFolder", Folder)
    monkeypatch.setattr(
        forecast_check, "finished_twin", lambda recipe, run: None if recipe.name == "lonely" else run / "twin"
    )
    monkeypatch.setattr(forecast_check, "_cell", lambda run, twin: (run.parent.name, twin.name))
    assert cells_of(tmp_path) == [("a", "twin"), ("b", "twin")]


def test_a_real_student_is_judged_by_its_own_runs(foretold_comparison: Path, tmp_path: Path) -> None:
    """Also where the twin was not evaluated yet."""
    out = tmp_path / "out"
    shutil.copytree(foretold_comparison / "out", out)
    run, twin = (out / "runs" / name / "seed0" for name in ("demo", "demo-no-kd"))
    results, (teacher,) = read_results(run / "results.json"), RunFolder(run).teacher_runs()
    test = mcnemar(*(read_csv(one / "predictions.csv") for one in (run, twin)))
    for name in ("results.json", "predictions.csv"):
        (twin / name).unlink()
    assert cells_of(out) == [
        Cell(
            dataset=results.dataset, protocol=results.protocol.name, fold=None, labels="trial 1", recipe="demo",
            seed=0, forecast=forecast_of_runs([teacher], twin), n=test.n,
            gain=(test.only_candidate - test.only_baseline) / test.n, p_value=test.p_value, outcome="no difference",
        )
    ]  # fmt: skip
    assert results.dataset == "synthetic" and results.protocol.name == "cross-subject"


@pytest.mark.parametrize("words", [[], ["a"], ["--out", "b"]])
def test_the_program_needs_comparisons_and_a_folder(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["x", *words])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(Path(forecast_check.__file__)), run_name="__main__")
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: forecast_check ")
