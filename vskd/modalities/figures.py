"""What every picture starts from: figures in one style, and their PNG bytes.

Uses matplotlib's Figure objects on the Agg canvas: no window, no global state.
"""

import io

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK, MUTED, GRID = "#1f2933", "#616e7c", "#e4e7eb"
DPI = 120


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


def to_png(figure: Figure) -> bytes:
    """Render a figure; the same figure gives the same bytes (no date, no version inside)."""
    buffer = io.BytesIO()
    # `Figure.savefig` draws twice, the first time to lay out, which drawing does anyway
    FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()
