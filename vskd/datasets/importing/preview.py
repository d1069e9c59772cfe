"""A plot of a few recordings, by which a person sees in a moment whether axes, unit and time are right."""

import io
import textwrap
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from vskd.datasets.recording import Index, Recording
from vskd.datasets.sensors.read import read_stream
from vskd.errors import DataError
from vskd.files import atomic_path

SHOWN = 6
"""Recordings in the plot, of different classes."""
TITLE = 120
"""Characters in a line above a recording."""


def draw_preview(found: Index, stream: str, path: Path) -> None:
    """Plot one recording of each of the first classes.

    Args:
        found: the data set.
        stream: of a sensor.
        path: of the PNG file.

    Raises:
        WriteError: it cannot be written.
    """
    chosen = _one_of_each(found, stream)
    figure = Figure(figsize=(9, 1.7 * max(1, len(chosen))), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, recording in zip(figure.subplots(max(1, len(chosen)), 1, squeeze=False).flat, chosen, strict=False):
        one = recording.stream(stream)
        title = textwrap.fill(f"{found.labels[recording.label]}   {recording.id}   {one.path.name}", TITLE)
        axes.set_title(title, fontsize=8, loc="left")
        axes.set_ylabel(one.unit)
        try:
            timed = read_stream(one)
        except DataError as error:
            axes.text(0.01, 0.5, error.problem, fontsize=7, transform=axes.transAxes, wrap=True)
            continue
        lines: list[Line2D] = []
        for name, row in zip(one.axes, timed.signal, strict=True):
            lines += axes.plot(timed.times - timed.times[0], row, linewidth=0.8, label=name)
        axes.legend(handles=lines, loc="upper right", fontsize=7, ncols=3)
        axes.tick_params(labelsize=7)
    figure.supxlabel("seconds", fontsize=8)
    for text in figure.findobj(Text):
        text.set_parse_math(False)  # names may hold dollars
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    with atomic_path(path) as temporary:
        temporary.write_bytes(buffer.getvalue())


def _one_of_each(found: Index, stream: str) -> list[Recording]:
    first: dict[int, Recording] = {}
    for recording in found.with_streams([stream]):
        first.setdefault(recording.label, recording)
    return [first[label] for label in sorted(first)[:SHOWN]]
