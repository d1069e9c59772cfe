"""Pictures of a comparison beside its forest plots: accuracy over size, over latency, over the number of labels."""

import math
import textwrap
from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from matplotlib.transforms import ScaledTranslation

from vskd.evaluation.report.formatting import size
from vskd.evaluation.report.plots import PALETTE, WRAPPED
from vskd.modalities.figures import GRID, INK, MUTED, new_figure, to_png
from vskd.study.comparison_schema import Comparison, Row
from vskd.study.label_curve import curves

MARKERS = ("o", "s", "^", "D")
"""With more rows than colours, the next ones have another shape."""
DODGE, DODGED = 4.0, 24.0
"""Points between curves at one number of labels, and from the first to the last of them at most."""
WIDE_RANGE, WIDER_RANGE = 10, 50
"""Greatest over least cost from which their axis is logarithmic, and has labels at powers of ten only."""

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
        ("size of the int8 model", lambda row: row.model_bytes, lambda value: size(round(value))),
        ("int8 latency, one sample", lambda row: row.latency_ms, lambda value: f"{value:g} ms"),
    ]
    shown = [panel for panel in panels if any(panel[1](row) is not None for row in bundles)]
    figure, axes = new_figure(4.6 * len(shown), 3.4, 1, len(shown))
    for ax, (title, cost_of, text) in zip(axes, shown, strict=True):
        _costs(ax, [(*mark, row, cost_of(row)) for mark, row in zip(_marks(len(bundles)), bundles, strict=True)])
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _, text=text: text(value)))
        ax.set_xlabel(title, color=MUTED)
    _legend(figure, axes[0])
    return to_png(figure)


def _marks(count: int) -> list[tuple[str, str]]:
    """Colour and shape of so many rows."""
    colours = len(PALETTE)
    return [(PALETTE[n % colours], MARKERS[n // colours % len(MARKERS)]) for n in range(count)]


def _costs(ax: Axes, rows: Sequence[tuple[str, str, Row, float | None]]) -> None:
    known = [(colour, marker, row, cost) for colour, marker, row, cost in rows if cost is not None]
    costs = [cost for *_, cost in known]
    points = [(cost, row.accuracy.mean) for *_, row, cost in known]
    ax.plot(*zip(*front(points), strict=True), color=MUTED, linewidth=1.4, drawstyle="steps-post", zorder=0)
    for colour, marker, row, cost in known:
        ax.plot(cost, row.accuracy.mean, linestyle="none", marker=marker, color=colour, markersize=8,
                markeredgecolor="white", label=row.recipe)  # fmt: skip
    spread = max(costs) / min(costs) if min(costs) > 0 else 1.0
    if spread > WIDE_RANGE:
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0,) if spread > WIDER_RANGE else (1.0, 2.0, 5.0)))
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.tick_params(which="minor", length=0)
    else:
        ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.margins(x=0.1, y=0.15)
    _shares(ax)


def curve_plot(comparison: Comparison) -> bytes | None:
    """Accuracy over the number of labelled training recordings, one line per recipe; None where there is no curve.

    Curves stand a little beside each other, so that no interval hides another one.
    """
    found = curves(comparison)
    if not found:
        return None
    figure, (ax,) = new_figure(7.0, 3.6)
    marks, step = _marks(len(found)), min(DODGE, DODGED / len(found))
    for number, ((name, rows), (colour, marker)) in enumerate(zip(found.items(), marks, strict=True)):
        counts = [row.labelled or 0 for row in rows]
        drawn = ax.plot(counts, [row.accuracy.mean for row in rows], marker=marker, markersize=5, color=colour,
                        linewidth=1.4, label=name)  # fmt: skip
        for count, row in zip(counts, rows, strict=True):
            if (interval := row.accuracy.intervals.subjects) is not None:
                drawn += ax.plot([count, count], interval, color=colour, linewidth=1.6, alpha=0.6)
        points = (number - (len(found) - 1) / 2) * step
        for line in drawn:  # once the axis knows the data
            line.set_transform(ax.transData + ScaledTranslation(points / 72, 0, figure.dpi_scale_trans))
    ax.set_xlabel("labelled training recordings", color=MUTED)
    _legend(figure, ax)
    _shares(ax)
    return to_png(figure)


def _legend(figure: Figure, ax: Axes) -> None:
    """Names in rows below the axes, for which the figure grows."""
    handles, names = ax.get_legend_handles_labels()
    wrapped = [textwrap.fill(name, WRAPPED) for name in names]
    width, height = figure.get_size_inches()
    widest = max(len(line) for name in wrapped for line in name.splitlines())
    columns = max(1, min(len(names), int(width / (0.55 + 0.066 * widest))))
    lines = math.ceil(len(names) / columns) * max(name.count("\n") + 1 for name in wrapped)
    figure.set_size_inches(width, height + 0.18 * lines + 0.1)
    figure.legend(handles, wrapped, loc="outside lower center", ncols=columns, frameon=False, fontsize=8.5,
                  labelcolor=INK)  # fmt: skip


def _shares(ax: Axes) -> None:
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g}%"))
    ax.grid(color=GRID, linewidth=0.8)
    ax.set_ylabel("accuracy", color=MUTED)
