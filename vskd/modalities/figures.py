"""What every picture starts from: figures in one style, and their PNG bytes.

Uses matplotlib's Figure objects on the Agg canvas: no window, no global state.
"""

import io

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import LogFormatter

INK, MUTED, GRID = "#1f2933", "#616e7c", "#e4e7eb"
DPI = 120
LONG_NAME, NAME_END = 44, 14
"""Characters of a name in a picture; of a longer one the beginning and so much of its end."""


def new_figure(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A white figure of `width` x `height` inches and its axes, row by row, in the common style."""
    figure = blank_figure(width, height)
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for ax in axes:
        house_style(ax)
    return figure, axes


def blank_figure(width: float, height: float) -> Figure:
    """A white figure of `width` x `height` inches, without axes."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def house_style(ax: Axes) -> None:
    """Quiet axes: no frame at the top and right, no tick marks."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(GRID)
    ax.tick_params(colors=MUTED, labelsize=9, length=0)
    ax.set_axisbelow(True)


def short_name(name: str) -> str:
    """A name as it stands in a picture: one line, and the middle of a long one left out.

    >>> short_name("a" * 40 + "b" * 40)
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaa…bbbbbbbbbbbbbb'
    """
    line = " ".join(name.split())
    return line if len(line) <= LONG_NAME else f"{line[: LONG_NAME - NAME_END - 1]}…{line[-NAME_END:]}"


def plain_logarithms(axis: Axis) -> None:
    """Label a logarithmic axis with numbers; by default it has formulas, which pictures do not show."""
    axis.set_major_formatter(LogFormatter())
    axis.set_minor_formatter(LogFormatter())


def to_png(figure: Figure) -> bytes:
    """Render a figure; the same figure gives the same bytes (no date, no version inside).

    No text is a formula: names of people, classes and files may hold dollars.
    """
    for text in figure.findobj(Text):
        text.set_parse_math(False)
    buffer = io.BytesIO()
    # `Figure.savefig` draws twice, the first time to lay out, which drawing does anyway
    FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()
