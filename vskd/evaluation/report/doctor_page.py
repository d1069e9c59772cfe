"""The page of `vskd doctor`: findings, and what the data look like."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from matplotlib.lines import Line2D

from vskd.datasets.doctor.catalog import CHECKS
from vskd.datasets.doctor.diagnose import Diagnosis
from vskd.datasets.doctor.finding import Finding
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.recording import Stream
from vskd.datasets.sensors.read import read_stream
from vskd.errors import DataError
from vskd.evaluation.report.formatting import render
from vskd.evaluation.report.plots import BLUE, ORANGE, PALETTE, data_uri, readable
from vskd.files import write_text
from vskd.modalities.figures import INK, MUTED, new_figure, short_name, to_png

MOST_BARS = 60
"""With more there is no room for names."""
BINS = 40
NAMED = 30
"""Recordings of a finding that the page names."""


def bars_plot(counts: Mapping[str, int], touched: Mapping[str, int], title: str) -> bytes:
    """PNG: a bar for each name, and how much of it findings touch."""
    names = list(counts)[:MOST_BARS]
    figure, (ax,) = new_figure(8, 1.2 + 0.16 * len(names))
    places = np.arange(len(names))[::-1]
    ax.barh(places, [counts[n] for n in names], color=BLUE, label="recordings")
    ax.barh(places, [touched.get(n, 0) for n in names], color=ORANGE, height=0.35, label="touched by a finding")
    ax.set_yticks(places, [readable(n) for n in names])
    ax.tick_params(axis="y", labelsize=7)
    ax.set_title(title, fontsize=9, color=INK, loc="left")
    figure.legend(loc="outside lower center", frameon=False, fontsize=7, ncols=2)
    return to_png(figure)


def facts_plot(survey: Survey, stream: str) -> bytes:
    """PNG: lengths, rates and gravity at rest of a sensor's recordings."""
    facts = [f.signal for f in survey.sensors[stream].values()]
    unit = survey.stream(next(iter(survey.sensors[stream])), stream).unit
    named = [("length (s)", [f.seconds for f in facts]), ("samples per second", [f.rate_hz for f in facts])]
    if any(f.rest for f in facts):
        named.append((f"at rest ({unit})", [f.rest for f in facts]))
    figure, axes = new_figure(3 * len(named), 2.2, columns=len(named))
    for ax, (name, values) in zip(axes, named, strict=True):
        ax.hist(values, bins=BINS, color=BLUE)
        ax.set_xlabel(name, color=MUTED, fontsize=8)
        ax.tick_params(labelsize=7)
    axes[0].set_title(stream, fontsize=9, color=INK, loc="left")
    return to_png(figure)


def signal_plot(stream: Stream, recording: str) -> bytes | None:
    """PNG: the axes of a recording over time; None where it cannot be read."""
    try:
        timed = read_stream(stream)
    except DataError:
        return None
    figure, (ax,) = new_figure(8, 1.8)
    lines: list[Line2D] = []
    for name, row, colour in zip(stream.axes, timed.signal, PALETTE, strict=False):
        lines += ax.plot(timed.times - timed.times[0], row, color=colour, linewidth=0.8, label=name)
    ax.set_title(f"{short_name(recording)}   {stream.name} ({stream.unit})", fontsize=8, color=INK, loc="left")
    ax.legend(handles=lines, loc="upper right", frameon=False, fontsize=7, ncols=3)
    ax.tick_params(labelsize=7)
    return to_png(figure)


def _example(survey: Survey, finding: Finding) -> bytes | None:
    """A recording of a finding that is about some sensor; the stream is what the finding begins with."""
    name = finding.what.partition(":")[0]
    known = [i for i in finding.recordings if i in survey.sensors.get(name, {})]
    return signal_plot(survey.stream(known[0], name), known[0]) if known else None


def _counts(survey: Survey, ids: Iterable[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Recordings among `ids` by class and by subject."""
    chosen = [survey.by_id[i] for i in ids if i in survey.by_id]
    labels = Counter(survey.index.labels[r.label] for r in chosen)
    subjects = Counter(r.subject for r in chosen)
    return (
        {label: labels[label] for label in survey.index.labels},
        {subject: subjects[subject] for subject in survey.index.subjects},
    )


def write_doctor_page(path: Path, found: Diagnosis) -> None:
    """Write the page; it loads nothing.

    Args:
        path: of the HTML file.
        found: what was found; a recording of each finding is read again for its plot.

    Raises:
        WriteError: it cannot be written.
    """
    survey = found.survey
    every = _counts(survey, [r.id for r in survey.index])
    few = {i for f in found.findings if f.share < 1 for i in f.recordings}  # what touches all tells nothing apart
    touched = _counts(survey, few)
    overview = {
        title: bars_plot(counts, some, title)
        for title, counts, some in zip(("Classes", "Subjects"), every, touched, strict=True)
    }
    overview |= {name: facts_plot(survey, name) for name in survey.sensors}
    rows = []
    for finding in found.findings:
        picture = _example(survey, finding)
        rows.append((finding, CHECKS[finding.check].reason, data_uri(picture) if picture else None))
    context = {
        "title": f"{survey.index.dataset}: {len(found.findings)} findings",
        "survey": survey,
        "rows": rows,
        "named": NAMED,
        "trustworthy": found.trustworthy,
        "overview": {name: data_uri(png) for name, png in overview.items()},
        "quiet": [name for name in CHECKS if name not in {f.check for f in found.findings}],
    }
    write_text(path, render("doctor.html", context))
