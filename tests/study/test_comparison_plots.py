"""Pictures of a comparison: every mark is a row's figure, and what has no figure has no mark."""

from typing import Any

import pytest

from vskd.evaluation.report.plots import BLUE, PALETTE
from vskd.evaluation.results import Bootstrap
from vskd.study import comparison_plots
from vskd.study.comparison import Comparison, compare
from vskd.study.comparison_plots import curve_plot, front, pareto_plot


@pytest.fixture(autouse=True)
def _figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots are given as figures."""
    monkeypatch.setattr(comparison_plots, "to_png", lambda figure: figure)


@pytest.fixture
def table(make_predictions, make_results) -> Comparison:
    """Four rows of one seed: students a, b, c and d."""
    runs = []
    for number, name in enumerate("abcd"):
        predictions = make_predictions(seed=number, skill=1.0 + number)
        runs.append((name, 0, make_results(predictions, recipe=name, distiller="none"), predictions))
    return compare(runs, bootstrap=Bootstrap(resamples=20))


def changed(table: Comparison, **rows: dict[str, Any]) -> Comparison:
    """Other values of the rows of these recipes."""
    return table.model_copy(
        update={"rows": tuple(row.model_copy(update=rows.get(row.recipe, {})) for row in table.rows)}
    )


def accuracy_of(table: Comparison, recipe: str) -> float:
    return next(row.accuracy.mean for row in table.rows if row.recipe == recipe)


def points(ax: Any) -> list[tuple[float, float]]:
    """Single marks."""
    return [
        (float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in ax.lines if line.get_marker() == "o"
    ]  # a line of one point


def test_a_front_has_neither_equals_twice_nor_the_dear_ones() -> None:
    assert front([(2, 0.9), (1, 0.8), (3, 0.85), (2, 0.7)]) == [(1, 0.8), (2, 0.9)]
    assert front([(2, 0.5), (2, 0.5), (3, 0.5)]) == [(2, 0.5)]
    assert front([]) == []


def test_bundles_stand_at_their_size_and_latency(table: Comparison) -> None:
    bundle = {"kind": "bundle"}
    made = changed(
        table,
        a=bundle | {"model_bytes": 3_000, "latency_ms": 2.0},
        b=bundle | {"model_bytes": 9_000, "latency_ms": None},
        c={"model_bytes": 5_000, "latency_ms": 1.0},  # no bundle
        d=bundle | {"model_bytes": None, "latency_ms": 3.0},
    )
    sizes, latencies = pareto_plot(made).axes  # type: ignore[union-attr]
    a, b = accuracy_of(made, "a"), accuracy_of(made, "b")
    assert points(sizes) == [(3_000, a), (9_000, b)] and points(latencies) == [(2.0, a)]
    assert [t.get_text() for t in sizes.texts] == ["a", "b"]
    line = sizes.lines[0]
    kept = front([(3_000, a), (9_000, b)])
    assert list(zip(line.get_xdata(), line.get_ydata(), strict=True)) == kept
    assert (line.get_drawstyle(), line.get_color()) == ("steps-post", BLUE)
    assert [ax.get_xlabel() for ax in (sizes, latencies)] == ["int8 model", "int8 latency, one sample"]
    assert [ax.get_ylabel() for ax in (sizes, latencies)] == ["accuracy"] * 2
    assert sizes.xaxis.get_major_formatter()(3_049.6, 0) == "3.0 kB"
    assert latencies.xaxis.get_major_formatter()(0.25, 0) == "0.25 ms"
    assert sizes.yaxis.get_major_formatter()(0.1234, 0) == "12.34%"


def test_without_a_latency_there_is_no_panel_of_it_and_without_a_bundle_no_picture(table: Comparison) -> None:
    one = changed(table, a={"kind": "bundle", "model_bytes": 3_000, "latency_ms": None})
    (sizes,) = pareto_plot(one).axes  # type: ignore[union-attr]
    assert sizes.get_xlabel() == "int8 model"
    assert pareto_plot(table) is None and curve_plot(table) is None
    assert pareto_plot(changed(table, a={"kind": "bundle", "model_bytes": None})) is None


def test_a_line_for_each_recipe_over_the_number_of_labels(table: Comparison) -> None:
    interval = (0.25, 0.75)
    one = next(row for row in table.rows if row.recipe == "a")
    summary = one.accuracy.model_copy(
        update={"intervals": one.accuracy.intervals.model_copy(update={"subjects": interval})}
    )
    bare = one.accuracy.model_copy(update={"intervals": one.accuracy.intervals.model_copy(update={"subjects": None})})
    made = changed(
        table,
        a={"recipe": "kd-all", "labels": "all", "labelled": 40, "accuracy": summary},
        b={"recipe": "kd-50", "labels": "50 %", "labelled": 20, "accuracy": bare},
        c={"recipe": "no-kd-all", "labels": "all", "labelled": 40, "accuracy": bare},
        d={"recipe": "no-kd-50", "labels": "50 %", "labelled": 20, "accuracy": bare},
    )
    (ax,) = curve_plot(made).axes  # type: ignore[union-attr]
    lines = {line.get_label(): line for line in ax.lines if not str(line.get_label()).startswith("_")}
    assert set(lines) == {"kd", "no-kd"}
    for number, name in enumerate(lines):
        assert list(lines[name].get_xdata()) == [20, 40]
        assert list(lines[name].get_ydata()) == [one.accuracy.mean] * 2
        assert lines[name].get_color() == PALETTE[number]
    (bar,) = (line for line in ax.lines if str(line.get_label()).startswith("_"))
    assert (list(bar.get_xdata()), tuple(bar.get_ydata())) == ([40, 40], interval)
    assert bar.get_color() == lines["kd"].get_color()
    assert [t.get_text() for t in ax.get_legend().get_texts()] == list(lines)
    assert ax.get_xlabel() == "labelled training recordings" and ax.get_ylabel() == "accuracy"


def test_names_stand_beside_their_marks_and_pictures_have_room(table: Comparison) -> None:
    made = changed(table, a={"kind": "bundle", "model_bytes": 3_000, "latency_ms": 2.0})
    figure: Any = pareto_plot(made)
    assert figure.get_size_inches().tolist() == pytest.approx([9.2, 3.6])
    (said,) = figure.axes[0].texts
    assert (said.xy, said.xyann, said.anncoords) == ((3_000, accuracy_of(made, "a")), (4, 4), "offset points")
    assert figure.axes[0].margins() == (0.25, 0.15)
    assert figure.axes[0].lines[0].get_zorder() == 0, "the front lies behind the marks"
    alone: Any = pareto_plot(changed(table, a={"kind": "bundle", "model_bytes": 3_000, "latency_ms": None}))
    assert alone.get_size_inches().tolist() == pytest.approx([4.6, 3.6])
    rows = {"a": {"recipe": "kd-all", "labels": "all", "labelled": 40}}
    curve: Any = curve_plot(changed(table, **rows, b={"recipe": "kd-50", "labels": "50 %", "labelled": 20}))
    assert curve.get_size_inches().tolist() == [7.0, 3.8]
    assert curve.axes[0].xaxis.get_gridlines()[0].get_visible()
