"""Pictures of a comparison: every mark is a row's figure, and what has no figure has no mark."""

import itertools
from typing import Any

import pytest

from vskd.evaluation.report.plots import PALETTE
from vskd.evaluation.results import Bootstrap
from vskd.modalities.figures import MUTED
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


def names_of(figure: Any) -> list[str]:
    return [text.get_text().replace("\n", "") for text in figure.legends[0].get_texts()]


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
    assert names_of(pareto_plot(made)) == ["a", "b"]
    line = sizes.lines[0]
    kept = front([(3_000, a), (9_000, b)])
    assert list(zip(line.get_xdata(), line.get_ydata(), strict=True)) == kept
    assert (line.get_drawstyle(), line.get_color()) == ("steps-post", MUTED)
    assert [ax.get_xlabel() for ax in (sizes, latencies)] == ["size of the int8 model", "int8 latency, one sample"]
    assert [ax.get_ylabel() for ax in (sizes, latencies)] == ["accuracy"] * 2
    assert sizes.xaxis.get_major_formatter()(3_049.6, 0) == "3.0 kB"
    assert latencies.xaxis.get_major_formatter()(0.25, 0) == "0.25 ms"
    assert sizes.yaxis.get_major_formatter()(0.1234, 0) == "12.34%"


def test_without_a_latency_there_is_no_panel_of_it_and_without_a_bundle_no_picture(table: Comparison) -> None:
    one = changed(table, a={"kind": "bundle", "model_bytes": 3_000, "latency_ms": None})
    (sizes,) = pareto_plot(one).axes  # type: ignore[union-attr]
    assert sizes.get_xlabel() == "size of the int8 model"
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
    assert names_of(ax.figure) == list(lines)
    assert ax.get_xlabel() == "labelled training recordings" and ax.get_ylabel() == "accuracy"


def bundles(table: Comparison, count: int, name: str = "recipe", **more: Any) -> Comparison:
    """So many bundles, no two of one size."""
    (row, *_) = table.rows
    made = [
        row.model_copy(update={"recipe": f"{name}-{n}", "kind": "bundle", "model_bytes": 3_000 + 100 * n, **more})
        for n in range(count)
    ]
    return table.model_copy(update={"rows": tuple(made)})


@pytest.mark.parametrize("latency", [None, 2.0])
@pytest.mark.parametrize("name", ["a", "a-recipe-whose-name-says-all-that-it-differs-in-from-others"])
@pytest.mark.parametrize("count", [1, 2, 8, 20])
def test_every_bundle_has_its_own_mark_and_its_name_is_inside_the_picture(
    table: Comparison, count: int, name: str, latency: float | None
) -> None:
    figure: Any = pareto_plot(bundles(table, count, name, latency_ms=latency))
    marks = [line for line in figure.axes[0].lines if line.get_linestyle() == "None"]
    assert len({(line.get_color(), line.get_marker()) for line in marks}) == count
    assert names_of(figure) == [f"{name}-{n}" for n in range(count)]
    figure.canvas.draw()
    box, page = figure.legends[0].get_window_extent(), figure.bbox
    assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0
    for ax in figure.axes:
        assert box.y1 < ax.get_tightbbox().y0, "names lie below the axes"
        assert ax.get_window_extent().height > 0.9 * 2.5 * figure.dpi, "and take no room of theirs"


@pytest.mark.parametrize(
    ("costs", "scale", "labels"),
    [
        ((3_000, 9_000), "linear", None),
        ((3_000, 60_000), "log", {"5.0 kB", "10.0 kB", "20.0 kB", "50.0 kB"}),
        ((3_000, 12_000_000), "log", {"10.0 kB", "100.0 kB", "1.0 MB", "10.0 MB"}),
    ],
)
def test_costs_of_several_orders_are_told_apart_and_none_is_negative(
    table: Comparison, costs: tuple[int, int], scale: str, labels: set[str] | None
) -> None:
    a, b = ({"kind": "bundle", "model_bytes": cost, "latency_ms": None} for cost in costs)
    figure: Any = pareto_plot(changed(table, a=a, b=b))
    (ax,) = figure.axes
    figure.canvas.draw()
    assert ax.get_xscale() == scale and ax.get_xlim()[0] > 0
    low, high = ax.get_xlim()
    shown = [t for t in ax.get_xticklabels() if low <= t.get_position()[0] <= high]
    assert labels is None or labels <= {t.get_text() for t in shown}
    boxes = [t.get_window_extent() for t in shown]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))


@pytest.mark.parametrize("count", [1, 2, 8, 20])
def test_no_curve_hides_the_interval_of_another(table: Comparison, count: int) -> None:
    """All have the same figures: they lie beside each other, in order, around the number of labels."""
    (row, *_) = table.rows
    summary = row.accuracy.model_copy(
        update={"intervals": row.accuracy.intervals.model_copy(update={"subjects": (0.4, 0.8)})}
    )
    rows = [
        row.model_copy(update={"recipe": f"r{n}-{slug}", "labels": title, "labelled": labelled, "accuracy": summary})
        for n in range(count)
        for slug, title, labelled in (("50", "50 %", 20), ("all", "all", 40))
    ]
    figure: Any = curve_plot(table.model_copy(update={"rows": tuple(rows)}))
    (ax,) = figure.axes
    figure.canvas.draw()
    bars = [line for line in ax.lines if str(line.get_label()).startswith("_")]
    assert len(bars) == 2 * count
    for labelled in (20, 40):
        own = [line for line in bars if line.get_xdata()[0] == labelled]
        places = [line.get_transform().transform((labelled, 0.5))[0] for line in own]
        assert all(b - a > 1.5 for a, b in itertools.pairwise(places))
        assert sum(places) / count == pytest.approx(ax.transData.transform((labelled, 0.5))[0])
        assert places[-1] - places[0] <= 24 / 72 * figure.dpi + 1e-6
    low, high = ax.get_xlim()
    assert 0 < low < 20 and 40 < high < 60, "the axis is that of the numbers"
    curves = [line for line in ax.lines if line not in bars]
    assert len({(line.get_color(), line.get_marker()) for line in curves}) == count
