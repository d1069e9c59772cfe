"""What is foretold in a comparison: said before the training, kept, and judged by the table."""

import json
from pathlib import Path

import pytest

from tests.study.conftest import CARVED, quick
from vskd.errors import DataError
from vskd.evaluation.forecast import Forecast, forecast_of_runs
from vskd.evaluation.predictions import read_csv
from vskd.evaluation.statistics import mcnemar
from vskd.recipe import load_recipe
from vskd.study import foretold as module
from vskd.study.compare import compare
from vskd.study.comparison_schema import Foretold, read_comparison
from vskd.study.comparison_tables import to_html, to_text
from vskd.study.controls import with_controls
from vskd.study.foretold import Foretelling, forecast_file, foretold


def row(foretold_comparison: Path) -> tuple[Foretold, ...]:
    comparison = read_comparison(foretold_comparison / "out" / "comparison.json")
    return {(r.recipe, r.kind): r for r in comparison.rows}["demo", "student"].forecasts


def test_it_is_that_of_the_finished_runs_said_before_and_judged_afterwards(foretold_comparison: Path) -> None:
    run, twin = (foretold_comparison / "out" / "runs" / name / "seed0" for name in ("demo", "demo-no-kd"))
    (teacher,) = (foretold_comparison / "out" / "teachers").iterdir()
    wanted = forecast_of_runs([teacher], twin)
    assert json.loads((foretold_comparison / "said.json").read_text(encoding="utf-8")) == [
        f"forecast for demo, seed 0: {wanted}"
    ]
    assert forecast_file(run).stat().st_mtime_ns <= (run / "recipe.yaml").stat().st_mtime_ns
    (found,) = row(foretold_comparison)
    test = mcnemar(read_csv(run / "predictions.csv"), read_csv(twin / "predictions.csv"))
    assert (found.seed, found.fold, found.verdict, found.reason) == (0, None, wanted.verdict, wanted.reason)
    assert found.gain == pytest.approx((test.only_candidate - test.only_baseline) / test.n)
    assert found.p_value == test.p_value
    helped = {"will help": "helped", "will not help": "no difference", "will hurt": "hurt"}
    assert found.right == (helped[found.verdict] == found.outcome)


def test_the_table_says_it(foretold_comparison: Path) -> None:
    comparison = read_comparison(foretold_comparison / "out" / "comparison.json")
    (found,) = row(foretold_comparison)
    assert f"\nforecast: demo, seed 0: {found.verdict}; it {'came' if found.right else 'did not come'} true" in to_text(
        comparison
    )
    assert found.reason in to_html(comparison) and "<h2>Forecasts</h2>" in to_html(comparison)
    assert [r.recipe for r in comparison.rows if r.forecasts] == ["demo"]


def test_a_second_call_says_nothing_and_keeps_it(
    foretold_comparison: Path, synthetic_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vskd.distillation.lightning_imports.Trainer", None)
    before, said = row(foretold_comparison), []
    recipes = with_controls([quick(synthetic_root, *CARVED, "labels.trials=[1]")], ["none"])
    compare(recipes, [0], foretold_comparison / "out", say=said.append)
    assert said == [] and row(foretold_comparison) == before


def test_without_a_twin_or_without_being_asked_there_is_none(synthetic_root: Path, tmp_path: Path) -> None:
    said: list[str] = []
    table = compare([quick(synthetic_root, *CARVED)], [0], tmp_path, say=said.append)
    assert said == [] and not any(r.forecasts for r in table.rows)
    assert "forecast" not in to_text(table) and "Forecasts" not in to_html(table)


MADE = Forecast(
    verdict="will help", reason="it knows", n=9, teacher_accuracy=0.5, student_accuracy=0.25, disagreement=0.4,
    teaches=0.2, only_teacher=4, only_student=1, p_value=0.05, unlabelled=0.25,
)  # fmt: skip


def test_what_is_said_before_a_training_is_kept_beside_its_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[object, ...]] = []
    said: list[str] = []
    recipe, run = load_recipe("demo", ["seed=4"]), tmp_path / "demo" / "seed4"
    monkeypatch.setattr(module, "forecast_before", lambda *words: asked.append(words) or MADE)
    Foretelling(recipe, run, said.append)([tmp_path / "T"])
    assert asked == [(recipe, run, [tmp_path / "T"])]
    assert said == ["forecast for demo, seed 4: will help: it knows"]
    assert Forecast.model_validate_json((tmp_path / "demo" / "seed4-forecast.json").read_text()) == MADE
    monkeypatch.setattr(module, "forecast_before", lambda *_: None)
    Foretelling(recipe, tmp_path / "other" / "seed0", said.append)([])
    assert len(said) == 1 and not (tmp_path / "other").exists()


@pytest.mark.parametrize(("verdict", "outcome", "right"), [
    ("will help", "helped", True), ("will help", "no difference", False), ("will hurt", "hurt", True),
    ("will not help", "no difference", True), ("will not help", "helped", False),
])  # fmt: skip
def test_it_is_judged_by_what_came(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verdict: str, outcome: str, right: bool
) -> None:
    run, recipe = tmp_path / "seed4", load_recipe("demo", ["seed=4", "dataset.fold='2'"])
    monkeypatch.setattr(module, "finished_twin", lambda *words: tmp_path / "twin" if words == (recipe, run) else None)
    monkeypatch.setattr(module, "read_csv", lambda path: path)
    monkeypatch.setattr(module, "outcome_of", lambda taught, alone: (0.125, 0.25, outcome) if (taught, alone) == (
        run / "predictions.csv", tmp_path / "twin" / "predictions.csv") else None)  # fmt: skip
    assert foretold(recipe, run) is None, "nothing was said"
    forecast_file(run).write_text(MADE.model_copy(update={"verdict": verdict}).model_dump_json())
    found = foretold(recipe, run)
    assert found == Foretold(
        fold="2", seed=4, verdict=verdict, reason="it knows", gain=0.125, p_value=0.25, outcome=outcome, right=right
    )
    came = "came true" if right else "did not come true"
    assert str(found) == f"fold 2, seed 4: {verdict}; it {came} ({outcome}, +12.5 points)"
    assert str(found.model_copy(update={"fold": None})).startswith("seed 4: ")
    monkeypatch.setattr(module, "finished_twin", lambda *_: None)
    assert foretold(recipe, run) is None, "there is nothing to judge it by"
    forecast_file(run).write_text("{}")
    monkeypatch.setattr(module, "finished_twin", lambda *_: tmp_path / "twin")
    with pytest.raises(DataError, match=f"Delete {forecast_file(run)}"):
        foretold(recipe, run)
