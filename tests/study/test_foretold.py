"""What is foretold in a comparison: said before the training, kept, and judged by the table."""

import json
from pathlib import Path

import pytest

from tests.conftest import made_once
from tests.study.test_compare import quick
from vskd.evaluation.forecast import forecast_of_runs
from vskd.evaluation.predictions import read_csv
from vskd.evaluation.statistics import mcnemar
from vskd.study.compare import compare
from vskd.study.comparison_schema import Foretold, read_comparison
from vskd.study.comparison_tables import to_html, to_text
from vskd.study.controls import with_controls
from vskd.study.foretold import forecast_file

CARVED = tuple(
    f"{role}.training.{key}" for role in ("student", "teachers.0") for key in ("validation=carve", "select=best")
)


@pytest.fixture(scope="module")
def place(synthetic_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison of a taught recipe and its twin, the taught one named first; and what was said meanwhile."""

    def make(root: Path) -> None:
        said: list[str] = []
        recipes = with_controls([quick(synthetic_root, *CARVED, "labels.trials=[1]")], ["none"])
        compare(recipes, [0], root / "out", say=said.append)
        (root / "said.json").write_text(json.dumps(said), encoding="utf-8")

    return made_once(tmp_path_factory, "foretold", make)


def row(place: Path) -> tuple[Foretold, ...]:
    comparison = read_comparison(place / "out" / "comparison.json")
    return {(r.recipe, r.kind): r for r in comparison.rows}["demo", "student"].forecasts


def test_it_is_that_of_the_finished_runs_said_before_and_judged_afterwards(place: Path) -> None:
    run, twin = (place / "out" / "runs" / name / "seed0" for name in ("demo", "demo-no-kd"))
    (teacher,) = (place / "out" / "teachers").iterdir()
    wanted = forecast_of_runs([teacher], twin)
    assert json.loads((place / "said.json").read_text(encoding="utf-8")) == [f"forecast for demo, seed 0: {wanted}"]
    assert forecast_file(run).stat().st_mtime_ns <= (run / "recipe.yaml").stat().st_mtime_ns
    (found,) = row(place)
    test = mcnemar(read_csv(run / "predictions.csv"), read_csv(twin / "predictions.csv"))
    assert (found.seed, found.fold, found.verdict, found.reason) == (0, None, wanted.verdict, wanted.reason)
    assert found.gain == pytest.approx((test.only_candidate - test.only_baseline) / test.n)
    assert found.p_value == test.p_value
    helped = {"will help": "helped", "will not help": "no difference", "will hurt": "hurt"}
    assert found.right == (helped[found.verdict] == found.outcome)


def test_the_table_says_it(place: Path) -> None:
    comparison = read_comparison(place / "out" / "comparison.json")
    (found,) = row(place)
    assert f"\nforecast: demo, seed 0: {found.verdict}; it {'came' if found.right else 'did not come'} true" in to_text(
        comparison
    )
    assert found.reason in to_html(comparison) and "<h2>Forecasts</h2>" in to_html(comparison)
    assert [r.recipe for r in comparison.rows if r.forecasts] == ["demo"]


def test_a_second_call_says_nothing_and_keeps_it(
    place: Path, synthetic_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vskd.distillation.fitting.Trainer", None)
    before, said = row(place), []
    recipes = with_controls([quick(synthetic_root, *CARVED, "labels.trials=[1]")], ["none"])
    compare(recipes, [0], place / "out", say=said.append)
    assert said == [] and row(place) == before


def test_without_a_twin_or_without_being_asked_there_is_none(synthetic_root: Path, tmp_path: Path) -> None:
    said: list[str] = []
    table = compare([quick(synthetic_root, *CARVED)], [0], tmp_path, say=said.append)
    assert said == [] and not any(r.forecasts for r in table.rows)
    assert "forecast" not in to_text(table) and "Forecasts" not in to_html(table)
