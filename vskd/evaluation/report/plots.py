"""Pictures of results as PNG bytes.

Colours are Okabe and Ito's ("Color Universal Design", 2008), which people with any common colour blindness can tell
apart; matrices use one hue from light to dark, readable in grey.
"""

import base64
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from vskd.evaluation.metrics import reliability_bins
from vskd.evaluation.predictions import Predictions
from vskd.evaluation.results import Results
from vskd.modalities.figures import (
    GRID,
    INK,
    MUTED,
    blank_figure,
    house_style,
    new_figure,
    plain_logarithms,
    short_name,
    to_png,
)

BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
PALETTE = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, "#000000")
SEQUENTIAL = LinearSegmentedColormap.from_list("vskd", ["#ffffff", "#c6dbef", "#6baed6", BLUE, "#08306b"])
CURVE_COLOURS = {"train": BLUE, "validation": ORANGE}
FEW_CLASSES = 12  # with more, there is no room for percentages in a confusion matrix
LONG_SUBJECT = 5  # characters of a name that has no room under its bar
WRAPPED = 44
"""Characters of a name that stand on one line beside a plot."""


def data_uri(png: bytes) -> str:
    """A PNG as `data:` URI, to put it inside an HTML file."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def readable(name: str) -> str:
    """A class name for human eyes: `swipe_left` -> `swipe left`."""
    return short_name(name.replace("_", " "))


def confusion_matrix(confusion: npt.ArrayLike, class_names: Sequence[str]) -> bytes:
    """Confusion matrix (classes, classes): rows = truth, shade = share of the true class, digits = recordings; of few
    classes, the share in percent stands above them."""
    counts = np.asarray(confusion, dtype=np.int64)
    classes = len(class_names)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    labels = [readable(name) for name in class_names]
    longest = max(map(len, labels))
    few = classes <= FEW_CLASSES
    side = max(3.2, (0.6 if few else 0.36) * classes)
    figure, (ax,) = new_figure(side + 0.075 * longest + 0.9, side + 0.06 * longest + 0.5)
    image = ax.imshow(shares, cmap=SEQUENTIAL, vmin=0, vmax=1, aspect="equal")
    ax.set_xticks(range(classes), labels, rotation=45 if longest > 3 else 0, ha="right" if longest > 3 else "center",
                  rotation_mode="anchor")  # fmt: skip
    ax.set_yticks(range(classes), labels)
    ax.tick_params(labelsize=8.5, colors=INK)
    ax.set_xticks(np.arange(-0.5, classes), minor=True)
    ax.set_yticks(np.arange(-0.5, classes), minor=True)
    ax.grid(which="minor", color=GRID, linewidth=0.6)
    ax.tick_params(which="minor", length=0)
    ax.set_xlabel("predicted", color=MUTED)
    ax.set_ylabel("true", color=MUTED)
    for row, column in zip(*np.nonzero(counts), strict=True):
        shade = "white" if shares[row, column] > 0.55 else INK
        weight = "bold" if row == column else "normal"
        count = str(counts[row, column])
        text = f"{100 * shares[row, column]:.1f} %\n{count}" if few else count
        ax.text(column, row, text, ha="center", va="center", fontsize=8, color=shade, weight=weight)
    bar = figure.colorbar(image, ax=ax, shrink=0.5, pad=0.02, format=PercentFormatter(1, decimals=0))
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, colors=MUTED, length=0)
    bar.set_label("share of the true class", color=MUTED, fontsize=8.5)
    return to_png(figure)


def subject_bars(results: Results) -> bytes:
    """Accuracy per subject with its 95 % Wilson interval, and the overall accuracy as a line."""
    rows = results.per_subject
    figure, (ax,) = new_figure(max(4.5, 0.62 * len(rows) + 1.6), 3.2)
    x = np.arange(len(rows))
    accuracy = np.array([row.accuracy for row in rows])
    bounds = np.array([row.accuracy_interval for row in rows]).T  # (2, subjects)
    ax.bar(x, accuracy, width=0.62, color=SKY)
    errors = np.maximum(np.stack([accuracy - bounds[0], bounds[1] - accuracy]), 0)
    ax.errorbar(x, accuracy, yerr=errors, fmt="none", ecolor=INK, elinewidth=1.2, capsize=3)
    ax.axhline(results.accuracy, color=VERMILION, linewidth=1.3, linestyle=(0, (4, 3)))
    ax.text(1.01, results.accuracy, f"all {results.accuracy:.1%}", color=VERMILION, fontsize=9, va="center",
            transform=ax.get_yaxis_transform())  # fmt: skip
    for position, row in enumerate(rows):
        ax.text(position, 0.02, f"{row.accuracy:.0%}\nn={row.n}", ha="center", va="bottom", fontsize=8, color=INK)
    names = [short_name(row.subject) for row in rows]
    slanted = max(map(len, names)) > LONG_SUBJECT
    ax.set_xticks(x, names, rotation=45 if slanted else 0, ha="right" if slanted else "center", rotation_mode="anchor")
    middle, half = (len(rows) - 1) / 2, max(len(rows), 3) / 2 + 0.2  # one bar is no wall
    ax.set_xlim(middle - half, middle + half)
    ax.set_ylim(0, 1.03)
    _percent_axis(ax)
    ax.set_xlabel("subject", color=MUTED)
    ax.set_ylabel("accuracy", color=MUTED)
    return to_png(figure)


def reliability_diagram(predictions: Predictions, ece: float) -> bytes:
    """Accuracy against confidence in 15 bins, the gap between them, and how many recordings each bin holds."""
    bins = reliability_bins(predictions)
    width = float(bins.edges[1])
    centres = bins.edges[:-1] + width / 2
    used = bins.count > 0
    figure = blank_figure(4.6, 4.9)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3.2, 1])
    for ax in (top, bottom):
        house_style(ax)
    bars = top.bar(centres[used], bins.accuracy[used], width=width * 0.9, color=SKY)
    (diagonal,) = top.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    gaps = top.vlines(centres[used], bins.accuracy[used], bins.confidence[used], color=VERMILION, linewidth=2.2)
    (dots,) = top.plot(centres[used], bins.confidence[used], "o", color=VERMILION, markersize=4)
    handles, labels = [bars, (gaps, dots), diagonal], ["accuracy", "gap to mean confidence", "perfect"]
    figure.legend(handles, labels, loc="outside upper left", ncols=3, frameon=False, fontsize=8.5, labelcolor=INK)
    top.set_title(f"expected calibration error {ece:.3f}", fontsize=9.5, color=INK, loc="left")
    top.set(xlim=(0, 1), ylim=(0, 1.02))
    _percent_axis(top)
    top.set_ylabel("accuracy", color=MUTED)
    bottom.bar(centres, bins.count, width=width * 0.9, color=MUTED)
    bottom.set_xlabel("confidence", color=MUTED)
    bottom.set_ylabel("recordings", color=MUTED)
    bottom.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return to_png(figure)


def training_curves(rows: Sequence[Mapping[str, Any]]) -> bytes | None:
    """Curves from the rows of metrics.jsonl, one panel per quantity; None if the rows hold fewer than one figure.

    Keys are `train/<term>` and `validation/<term>`. Panels: accuracies, the total loss, and the loss terms.
    """
    series = _series(rows)
    panels = [(title, group) for title, group in _panels(series) if group]
    if not panels:
        return None
    figure, axes = new_figure(4.4 * len(panels), 3.1, 1, len(panels))
    for ax, (title, names) in zip(axes, panels, strict=True):
        values = [value for name in names for value in series[name][1]]
        for index, name in enumerate(names):
            epochs, points = series[name]
            part, term = name.split("/", 1)
            is_term = title == "loss terms"
            colour = PALETTE[index % len(PALETTE)] if is_term else CURVE_COLOURS[part]
            label = (
                readable(term)
                if is_term
                else (part if term in ("accuracy", "loss") else f"{part} {readable(term).replace('f1', 'F1')}")
            )
            style = "-" if term in ("accuracy", "loss") or is_term else (0, (4, 2))
            ax.plot(epochs, points, linestyle=style, color=colour, linewidth=1.6, label=label,
                    marker="o" if len(points) == 1 else None, markersize=4)  # fmt: skip
        if title == "accuracy":
            ax.set_ylim(0, 1.02)
            _percent_axis(ax)
        elif min(values) > 0 and max(values) > 50 * min(values):
            ax.set_yscale("log")
            plain_logarithms(ax.yaxis)
        ax.grid(axis="y", color=GRID, linewidth=0.8)
        ax.set_title(title, fontsize=10, color=INK, loc="left")
        ax.set_xlabel("epoch", color=MUTED)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        ax.legend(frameon=False, fontsize=8, labelcolor=INK)
    return to_png(figure)


def _series(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[list[float], list[float]]]:
    """Name -> (epochs from 1 on, values); a row may lack a name, and what is not finite is left out."""
    series: dict[str, tuple[list[float], list[float]]] = {}
    for row in rows:
        for name, value in row.items():
            if name.startswith(("train/", "validation/")) and isinstance(value, int | float) and math.isfinite(value):
                epochs, values = series.setdefault(name, ([], []))
                epochs.append(float(row["epoch"]) + 1)
                values.append(float(value))
    return series


def _panels(names: Mapping[str, object]) -> list[tuple[str, list[str]]]:
    shares = [n for n in names if n.endswith(("accuracy", "macro_f1"))]
    losses = [n for n in names if n.endswith("/loss")]
    terms = [n for n in names if n.startswith("train/") and n not in shares and n not in losses]
    return [("accuracy", shares), ("loss", losses), ("loss terms", terms)]


@dataclass(frozen=True)
class ForestRow:
    """One line of an interval plot: a label, its value, its interval where there is one, and the text at the right."""

    label: str
    value: float
    interval: tuple[float, float] | None
    note: str = ""
    emphasis: bool = False


def interval_plot(
    rows: Sequence[ForestRow], axis_label: str, reference: float | None = None, *, differences: bool = False
) -> bytes:
    """Forest plot: one line per row with point and interval, on one axis; `reference` draws a vertical line.

    Shares are in percent, `differences` of shares in percentage points.
    """
    labels = [textwrap.fill(row.label, WRAPPED) for row in rows]
    lines = max((label.count("\n") + 1 for label in labels), default=1)
    figure, (ax,) = new_figure(8.2, (0.26 + 0.16 * lines) * len(rows) + 1.0)
    for y, row in enumerate(rows):
        colour = BLUE if row.emphasis else MUTED
        if row.interval is not None:
            ax.plot(row.interval, [y, y], color=colour, linewidth=2.4, solid_capstyle="butt", alpha=0.75)
        ax.plot(row.value, y, marker="o", markersize=7.5, color=colour, markeredgecolor="white", markeredgewidth=1)
        ax.text(1.02, y, row.note, transform=ax.get_yaxis_transform(), va="center", fontsize=9, color=INK)
    if reference is not None:
        ax.axvline(reference, color=VERMILION, linewidth=1.4, linestyle=(0, (4, 3)), zorder=0)
    ax.set_yticks(range(len(rows)), labels)
    ax.tick_params(axis="y", labelcolor=INK, labelsize=9.5)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.grid(axis="x", color=GRID, linewidth=0.8)
    ax.spines["left"].set_visible(False)
    ax.margins(x=0.06)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:+.4g}" if differences else f"{100 * v:.4g}%"))
    ax.set_xlabel(axis_label, color=MUTED)
    return to_png(figure)


def _percent_axis(ax: Axes) -> None:
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.grid(axis="y", color=GRID, linewidth=0.8)
