"""A signal over time, with strips below it that say what it shows and what was answered."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from vskd.modalities.figures import GRID, INK, MUTED, blank_figure, house_style, short_name, to_png

Strip = Sequence[tuple[float, float, int]]
"""Start, end and class number of stretches; a negative class is left blank."""

Colour = str | tuple[float, float, float, float]

COLUMNS = 1500
"""Of a long signal the least and greatest value of so many parts is drawn."""
WIDTH, COLUMNS_OF_NAMES = 11, 8
PALETTE = ("tab20", "tab20b", "tab20c")
GAP = 5
"""Usual steps in time from which nothing was measured between two samples."""
TOLD_APART = 7
"""Classes whose colours everyone can tell apart."""
WIDTH_OF_NUMBER = 0.02
"""Of a strip: a shorter stretch has no room for its number."""


def timeline_figure(
    times: npt.NDArray[np.float64],
    signal: npt.NDArray[np.float32],
    strips: Mapping[str, Strip],
    classes: Sequence[str],
    *,
    channels: Sequence[str] = (),
    unit: str = "",
    null_class: str = "",
) -> bytes:
    """PNG of a signal above strips.

    Of more classes than there are colours that everyone can tell apart, the wider stretches bear their number, too.

    Args:
        times: (samples,) seconds.
        signal: (channels, samples).
        strips: name (e.g. `truth`) -> its stretches.
        classes: names, by class number.
        channels: their names, e.g. x, y and z; empty: they are not named.
        unit: of the signal.
        null_class: name of the class that is left grey.
    """
    shorter = [short_name(name) for name in classes]
    columns = max(1, min(COLUMNS_OF_NAMES, int(WIDTH / (0.55 + 0.064 * max(map(len, shorter), default=1)))))
    figure = blank_figure(WIDTH, 2.2 + 0.45 * len(strips) + 0.25 * (len(classes) // columns))
    axes = figure.subplots(1 + len(strips), 1, sharex=True, height_ratios=[4, *([1] * len(strips))], squeeze=False)
    top, *below = axes[:, 0]
    house_style(top)
    lines: list[Line2D] = []
    for row, name in zip(signal, channels or [""] * len(signal), strict=True):
        x, y = broken(*thinned(times, row))
        lines += top.plot(x, y, linewidth=0.6, label=name)
    if channels:
        above: dict[str, Any] = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": min(6, len(channels))}
        legend = top.legend(handles=lines, **above, frameon=False, fontsize=8, labelcolor=INK)
        for line in legend.get_lines():
            line.set_linewidth(2)
    top.margins(x=0)
    top.set_ylabel(unit, color=MUTED)
    colours: dict[int, Colour] = {k: class_colour(k) for k in range(len(classes))}
    if null_class in classes:
        colours[classes.index(null_class)] = GRID
    shown = sorted({label for strip in strips.values() for _, _, label in strip if label >= 0})
    numbered = len(shown) > TOLD_APART
    for ax, (name, strip) in zip(below, strips.items(), strict=True):
        _draw(ax, name, strip, colours)
        if numbered:
            _number(ax, strip)
    names = {k: f"{k + 1}  {shorter[k]}" if numbered else shorter[k] for k in shown}
    handles = [below[0].barh([0], [0], color=colours[k], label=names[k]) for k in shown] if below else []
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False, fontsize=8, labelcolor=INK)
    (below or [top])[-1].set_xlabel("seconds", color=MUTED)
    return to_png(figure)


def class_colour(number: int) -> tuple[float, float, float, float]:
    """Colour of a class by its number; sixty have one of their own."""
    red, green, blue, alpha = colormaps[PALETTE[number // 20 % len(PALETTE)]](number % 20)
    return float(red), float(green), float(blue), float(alpha)


def _draw(ax: Axes, name: str, strip: Strip, colours: Mapping[int, Colour]) -> None:
    house_style(ax)
    for label in sorted({label for _, _, label in strip if label >= 0}):
        ranges = [(start, end - start) for start, end, one in strip if one == label]
        ax.broken_barh(ranges, (0, 1), facecolors=colours[label])
    ax.set_yticks([0.5], [name])
    ax.set_ylim(0, 1)


def _number(ax: Axes, strip: Strip) -> None:
    """Number the stretches in which a number has room."""
    spans = [(start, end) for start, end, label in strip if label >= 0]
    room = WIDTH_OF_NUMBER * (max(end for _, end in spans) - min(start for start, _ in spans)) if spans else 0.0
    for start, end, label in strip:
        if label >= 0 and end - start >= room:
            ax.text((start + end) / 2, 0.5, str(label + 1), ha="center", va="center", fontsize=7, color=INK,
                    path_effects=[withStroke(linewidth=2, foreground="white")], clip_on=True)  # fmt: skip


def thinned(
    times: npt.NDArray[np.float64], values: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    """A line that looks like the whole one: the least and the greatest value of each of `COLUMNS` parts."""
    count = len(values)
    if count <= 4 * COLUMNS:
        return times, values
    starts = np.linspace(0, count, COLUMNS, endpoint=False).astype(int)
    low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    return np.repeat(times[starts], 2), np.stack([low, high], axis=1).reshape(-1)


def broken(
    times: npt.NDArray[np.float64], values: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    """A line that is not drawn across gaps: NaN stands in each of them."""
    steps = np.diff(times)
    forward = steps[steps > 0]
    behind = np.flatnonzero(steps > GAP * np.median(forward)) + 1 if len(forward) else np.empty(0, int)
    return np.insert(times, behind, times[behind]), np.insert(values, behind, np.nan)
