"""Pictures of a comparison beside its forest plots: accuracy over size, over latency, over the number of labels."""

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from vskd.evaluation.report.formatting import size
from vskd.evaluation.report.plots import BLUE, PALETTE
from vskd.modalities.figures import GRID, INK, MUTED, new_figure, to_png
from vskd.study.comparison_schema import Comparison, Row
from vskd.study.label_curve import curves

Point = tuple[float, float]


def front(points: Sequence[Point]) -> list[Point]:
    """The (cost, accuracy) that no other beats in both, from cheap to dear (Pareto front).

    >>> front([(2, 0.9), (1, 0.8), (3, 0.85), (2, 0.7)])
    [(1, 0.8), (2, 0.9)]
    """
    best, kept = float("-inf"), []
    for cost, accuracy in sorted(points, key=lambda p: (p[0], -p[1])):
        if accuracy > best:
            best = accuracy
            kept.append((cost, accuracy))
    return kept


def pareto_plot(comparison: Comparison) -> bytes | None:
    """Accuracy of the int8 bundles over their size and their latency, the front drawn as a line; None without any."""
    bundles = [row for row in comparison.rows if row.kind == "bundle" and row.model_bytes is not None]
    if not bundles:
        return None
    panels: list[tuple[str, Callable[[Row], float | None], Callable[[float], str]]] = [
        ("int8 model", lambda row: row.model_bytes, lambda value: size(round(value))),
        ("int8 latency, one sample", lambda row: row.latency_ms, lambda value: f"{value:g} ms"),
    ]
    shown = [panel for panel in panels if any(panel[1](row) is not None for row in bundles)]
    figure, axes = new_figure(4.6 * len(shown), 3.6, 1, len(shown))
    for ax, (title, cost_of, text) in zip(axes, shown, strict=True):
        _costs(ax, [(row, cost) for row in bundles if (cost := cost_of(row)) is not None])
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _, text=text: text(value)))
        ax.set_xlabel(title, color=MUTED)
    return to_png(figure)


def _costs(ax: Axes, rows: Sequence[tuple[Row, float]]) -> None:
    points = [(cost, row.accuracy.mean) for row, cost in rows]
    ax.plot(*zip(*front(points), strict=True), color=BLUE, linewidth=1.4, drawstyle="steps-post", zorder=0)
    for row, cost in rows:
        ax.plot(cost, row.accuracy.mean, marker="o", color=BLUE, markersize=6)
        ax.annotate(row.recipe, (cost, row.accuracy.mean), xytext=(4, 4), textcoords="offset points", fontsize=8)
    ax.margins(x=0.25, y=0.15)
    _shares(ax)


def curve_plot(comparison: Comparison) -> bytes | None:
    """Accuracy over the number of labelled training recordings, one line per recipe; None where there is no curve."""
    found = curves(comparison)
    if not found:
        return None
    figure, (ax,) = new_figure(7.0, 3.8)
    for number, (name, rows) in enumerate(found.items()):
        colour, counts = PALETTE[number % len(PALETTE)], [row.labelled or 0 for row in rows]
        ax.plot(counts, [row.accuracy.mean for row in rows], marker="o", markersize=4, color=colour, label=name)
        drawn = [(count, row.accuracy.intervals.subjects) for count, row in zip(counts, rows, strict=True)]
        for count, interval in drawn:
            if interval is not None:
                ax.plot([count, count], interval, color=colour, linewidth=1.6, alpha=0.4)
    ax.set_xlabel("labelled training recordings", color=MUTED)
    ax.legend(frameon=False, fontsize=8, labelcolor=INK)
    _shares(ax)
    return to_png(figure)


def _shares(ax: Axes) -> None:
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g}%"))
    ax.grid(color=GRID, linewidth=0.8)
    ax.set_ylabel("accuracy", color=MUTED)
