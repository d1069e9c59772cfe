"""What synchronisation found, for the eye: both curves before and after, and one HTML page of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from vskd.datasets.sync.estimate import Measured, Pair, curves_of
from vskd.datasets.sync.table import SyncRow
from vskd.evaluation.report.formatting import render
from vskd.evaluation.report.plots import BLUE, ORANGE, data_uri
from vskd.files import write_bytes, write_text
from vskd.modalities.figures import INK, MUTED, new_figure, plain_logarithms, short_name, to_png
from vskd.preprocessing.sync.align import CLEAR
from vskd.preprocessing.sync.curve import Curve

SHOWN = 6
LARGEST = 0.99
"""Quantile of a curve that is drawn as 1."""


def curves_plot(sensor: Curve, video: Curve, offset_s: float, drift_ppm: float, caption: str) -> bytes:
    """PNG: both curves on their own clocks, and below it on the sensor's by the correction."""
    figure, (before, after) = new_figure(8, 3.4, rows=2)
    corrected = offset_s + (1 + drift_ppm / 1e6) * video.times
    for ax, times, what in ((before, video.times, "before"), (after, corrected, "after")):
        _draw(ax, sensor.times, sensor, BLUE, "sensor")
        _draw(ax, times, video, ORANGE, "video")
        ax.set_ylabel(what, color=MUTED, fontsize=9)
        ax.set_yticks([])
    before.set_title(caption, fontsize=9, color=INK, loc="left")
    before.legend(loc="upper right", frameon=False, fontsize=8, ncols=2)
    after.set_xlabel("seconds", color=MUTED, fontsize=9)
    after.set_xlim(before.get_xlim())
    return to_png(figure)


def _draw(ax: Axes, times: "np.typing.NDArray[np.float64]", curve: Curve, colour: str, name: str) -> None:
    top = float(np.quantile(curve.values, LARGEST)) or 1.0
    ax.plot(times, np.sqrt(np.clip(curve.values / top, 0, 1)), color=colour, linewidth=1, label=name)


def sync_plots(measured: Measured, rows: Sequence[SyncRow]) -> dict[str, bytes]:
    """Recording -> PNG, of some recordings: spread over all, from the least clear to the clearest.

    Args:
        measured: what was found; files are read again.
        rows: what was decided of it; recordings without a line are drawn with what was found.
    """
    decided = {row.recording: row for row in rows}
    ordered = sorted(measured.pairs, key=lambda pair: pair.alignment.confidence)
    chosen = [ordered[k] for k in np.unique(np.linspace(0, len(ordered) - 1, min(SHOWN, len(ordered))).astype(int))]
    return {pair.recording.id: _plot(measured, pair, decided.get(pair.recording.id)) for pair in chosen}


def _plot(measured: Measured, pair: Pair, row: SyncRow | None) -> bytes:
    found = row or pair.alignment
    sensor, video = curves_of(pair.recording, measured.sensor, measured.video)
    who = row.by if row else "not written"
    name = short_name(pair.recording.id)
    caption = f"{name}   {found.offset_s:+.3f} s ({who})   peak ratio {pair.alignment.confidence:.2f}"
    return curves_plot(sensor, video, found.offset_s, found.drift_ppm, caption)


def offsets_plot(measured: Measured) -> bytes:
    """PNG: every recording's offset against its confidence."""
    figure, (ax,) = new_figure(8, 3)
    for clear, colour in ((True, BLUE), (False, ORANGE)):
        own = [p.alignment for p in measured.pairs if p.alignment.clear == clear]
        name = "clear peak" if clear else "not clear"
        ax.scatter([a.confidence for a in own], [a.offset_s for a in own], s=9, color=colour, label=name)
    ax.set_xscale("log")
    plain_logarithms(ax.xaxis)
    ax.axvline(CLEAR, color=MUTED, linewidth=0.8, linestyle="--")
    ax.set_xlabel("highest peak over second peak", color=MUTED, fontsize=9)
    ax.set_ylabel("offset (s)", color=MUTED, fontsize=9)
    ax.legend(loc="upper right", frameon=False, fontsize=8)
    return to_png(figure)


def write_sync_page(
    path: Path, measured: Measured, rows: Sequence[SyncRow], facts: Mapping[str, str], plots: Mapping[str, bytes]
) -> None:
    """Write the page; it loads nothing.

    Args:
        path: of the HTML file.
        measured, rows: what was found and decided.
        facts: figures to show, by name.
        plots: of `sync_plots`.

    Raises:
        WriteError: it cannot be written.
    """
    decided = {row.recording: row for row in rows}
    context = {
        "title": f"Synchronisation of {measured.sensor} and {measured.video}",
        "facts": facts,
        "offsets": data_uri(offsets_plot(measured)),
        "plots": {name: data_uri(png) for name, png in plots.items()},
        "pairs": [(p.recording.id, p.alignment, decided.get(p.recording.id)) for p in measured.pairs],
        "unreadable": measured.unreadable,
    }
    write_text(path, render("sync.html", context))


def write_plots(folder: Path, plots: Mapping[str, bytes]) -> None:
    """Write each as a PNG file named by its recording.

    Raises:
        WriteError: it cannot be written.
    """
    for name, png in plots.items():
        write_bytes(folder / f"{name.replace('/', '-')}.png", png)
