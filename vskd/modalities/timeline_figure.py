"""A signal over time, with strips below it that say what it shows and what was answered."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes

from vskd.modalities.figures import GRID, INK, MUTED, blank_figure, house_style, to_png

Strip = Sequence[tuple[float, float, int]]
"""Start, end and class number of stretches; a negative class is left blank."""

Colour = str | tuple[float, float, float, float]

COLUMNS = 1500
"""Of a long signal the least and greatest value of so many parts is drawn."""
WIDTH, COLUMNS_OF_NAMES = 11, 8
PALETTE = ("tab20", "tab20b", "tab20c")


def timeline_figure(
    times: npt.NDArray[np.float64],
    signal: npt.NDArray[np.float32],
    strips: Mapping[str, Strip],
    classes: Sequence[str],
    *,
    unit: str = "",
    null_class: str = "",
) -> bytes:
    """PNG of a signal above strips.

    Args:
        times: (samples,) seconds.
        signal: (channels, samples).
        strips: name (e.g. `truth`) -> its stretches.
        classes: names, by class number.
        unit: of the signal.
        null_class: name of the class that is left grey.
    """
    columns = max(1, min(COLUMNS_OF_NAMES, int(WIDTH / (0.55 + 0.064 * max(map(len, classes), default=1)))))
    figure = blank_figure(WIDTH, 2.2 + 0.45 * len(strips) + 0.25 * (len(classes) // columns))
    axes = figure.subplots(1 + len(strips), 1, sharex=True, height_ratios=[4, *([1] * len(strips))], squeeze=False)
    top, *below = axes[:, 0]
    house_style(top)
    for row in signal:
        x, y = thinned(times, row)
        top.plot(x, y, linewidth=0.6)
    top.margins(x=0)
    top.set_ylabel(unit, color=MUTED)
    colours: dict[int, Colour] = {k: class_colour(k) for k in range(len(classes))}
    if null_class in classes:
        colours[classes.index(null_class)] = GRID
    for ax, (name, strip) in zip(below, strips.items(), strict=True):
        _draw(ax, name, strip, colours)
    shown = sorted({label for strip in strips.values() for _, _, label in strip if label >= 0})
    handles = [below[0].barh([0], [0], color=colours[k], label=classes[k]) for k in shown] if below else []
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
