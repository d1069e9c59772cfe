"""Learning curves: recipes along label settings, and the rows of a table that lie on one line."""

import re
from pathlib import Path

import pytest

from vskd.errors import RecipeError
from vskd.evaluation.results import Bootstrap, LabelsStamp
from vskd.recipe import load_recipe
from vskd.study.comparison import Comparison, compare
from vskd.study.comparison_plots import curve_plot, front, pareto_plot
from vskd.study.comparison_tables import to_html
from vskd.study.controls import with_controls
from vskd.study.label_curve import along, curves

SETTINGS = ("{subjects: ['1']}", "{fraction: 0.5}", "{}")


def test_every_recipe_once_for_each_setting() -> None:
    recipe = load_recipe("demo")
    found = along([recipe], SETTINGS)
    assert [r.name for r in found] == ["demo-subject-1", "demo-50", "demo-all"]
    assert [r.labels.title for r in found] == ["subject 1", "50 %", "all"]
    assert all(r.model_copy(update={"name": "demo", "labels": recipe.labels}) == recipe for r in found)
    assert along([recipe], ()) == [recipe]
    with pytest.raises(RecipeError, match="subject"):
        along([recipe], ["{people: [1]}"])


@pytest.mark.parametrize("names", [("日本", "中国"), ("Walk", "walk"), ("a+b", "a&b", "a"), ("Doe, J.", "Doe; J.")])
def test_settings_of_other_people_have_other_names(names: tuple[str, ...]) -> None:
    settings = [f"{{subjects: ['{name}']}}" for name in names]
    found = [recipe.name for recipe in along([load_recipe("demo")], settings)]
    assert len(set(found)) == len(names)
    assert all(re.fullmatch(r"demo-subject(-[a-z0-9.-]+)?", name) for name in found)


@pytest.fixture
def table(make_predictions, make_results) -> Comparison:
    """Recipes and twins along three settings, and the control with all labels, which lies on no line."""
    made = along([load_recipe("demo")], SETTINGS)
    recipes = [*with_controls(made, ["none"]), *with_controls(made[:1], ["all-labels"])[1:]]
    runs = []
    for number, recipe in enumerate(recipes):
        predictions = make_predictions(seed=number, subjects=6)
        count = {"all": 40, "50 %": 20}.get(recipe.labels.title, 5)
        stamp = LabelsStamp(title=recipe.labels.title, hash=str(count), labelled=count, unlabelled=40 - count)
        results = make_results(predictions, recipe=recipe.name, distiller=recipe.distiller.title, labels=stamp)
        runs.append((recipe.name, 0, results, predictions))
    return compare(runs, bootstrap=Bootstrap(resamples=20))


def test_rows_of_a_line_are_in_the_order_of_labels(table: Comparison) -> None:
    found = {name: [(row.recipe, row.labelled) for row in rows] for name, rows in curves(table).items()}
    assert found == {
        "demo": [("demo-subject-1", 5), ("demo-50", 20), ("demo-all", 40)],
        "demo-no-kd": [("demo-subject-1-no-kd", 5), ("demo-50-no-kd", 20), ("demo-all-no-kd", 40)],
    }
    assert curve_plot(table) is not None
    assert "Over the number of labels" in to_html(table)


def test_without_settings_there_is_no_curve(make_predictions, make_results) -> None:
    predictions = make_predictions()
    comparison = compare([("demo", 0, make_results(predictions), predictions)], bootstrap=Bootstrap(resamples=20))
    assert curves(comparison) == {} and curve_plot(comparison) is None and pareto_plot(comparison) is None
    assert "Over the number of labels" not in to_html(comparison)


def test_nobody_on_the_front_is_beaten_in_both() -> None:
    points = [(3.0, 0.9), (1.0, 0.5), (2.0, 0.4), (4.0, 0.9), (3.0, 0.8), (5.0, 0.95)]
    beaten = [p for p in points if any(q != p and q[0] <= p[0] and q[1] >= p[1] for q in points)]
    assert front(points) == sorted(set(points) - set(beaten))


def test_the_words_of_the_command(vskd_compare) -> None:
    names = vskd_compare("--curve", "subjects=1", "--curve", "all", "--controls", "none")
    assert names == ["demo-subject-1", "demo-subject-1-no-kd", "demo-all", "demo-all-no-kd"]


@pytest.fixture
def vskd_compare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Names of the recipes that `vskd compare demo WORDS` compares."""
    from vskd.cli.main import run
    from vskd.study import compare as comparing

    seen: list[str] = []

    def fake(recipes, *_: object, **__: object) -> None:
        seen.extend(recipe.name for recipe in recipes)
        raise RecipeError("enough", "Stop")

    monkeypatch.setattr(comparing, "compare", fake)

    def call(*words: str) -> list[str]:
        run(["compare", "demo", *words, "--out", str(tmp_path)])
        return seen

    return call


@pytest.fixture
def tabled(make_predictions, make_results):
    """A comparison of one run each: recipe, kind, title and count of its labels, None where nobody says it."""

    def make(*rows: tuple[str, str, str, int | None]) -> Comparison:
        runs = []
        for recipe, kind, title, count in rows:
            predictions = make_predictions(subjects=6)
            stamp = None if count is None else LabelsStamp(title=title, hash=title, labelled=count, unlabelled=9)
            results = make_results(predictions, recipe=recipe, kind=kind, labels=stamp, distiller=None)
            runs.append((recipe, 0, results, predictions))
        return compare(runs, bootstrap=Bootstrap(resamples=20))

    return make


def test_a_line_goes_from_few_labels_to_many_whatever_the_order_of_the_table(tabled) -> None:
    table = tabled(
        ("a-all", "student", "all", 40), ("a-50", "student", "50 %", 20), ("a-trial-1", "student", "trial 1", 30)
    )
    assert {name: [row.labelled for row in rows] for name, rows in curves(table).items()} == {"a": [20, 30, 40]}


@pytest.mark.parametrize(
    "other",
    [
        ("a-50", "teacher", "50 %", 20),  # no student
        ("a", "student", "50 %", 20),  # not named by its labels
        ("a-all", "student", "all", None),  # nobody says how many
        ("a-half", "student", "half", 40),  # as many labels
    ],
)
def test_what_lies_on_no_line(tabled, other: tuple[str, str, str, int | None]) -> None:
    first = ("a-trial-1", "student", "trial 1", 40)
    assert curves(tabled(first, other)) == {}
    assert list(curves(tabled(first, other, ("a-9", "student", "9 %", 5)))) == ["a"]


def test_only_the_label_setting_is_taken_off_a_name(tabled) -> None:
    """Also where a recipe is called like its labels, or has one of its own words behind them."""
    rows = [(f"{name}-no-kd", "student", "all", 40) for name in ("x-all-all", "b-all")]
    few = [(f"{name}-no-kd", "student", "trial 1", 6) for name in ("x-all-trial-1", "b-trial-1")]
    assert list(curves(tabled(*rows, *few))) == ["x-all-no-kd", "b-no-kd"]
