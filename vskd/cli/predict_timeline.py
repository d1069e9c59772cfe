"""What `vskd predict` says of a recording over time, and the options of that: printed, written as CSV, drawn."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vskd.bundle.file_reading import FileReading
from vskd.cli.options import PATH, as_one
from vskd.cli.output import print_fields, print_json, print_table

if TYPE_CHECKING:
    from vskd.bundle.predict_timeline import TimelinePrediction

FILES = ("out", "plot")


@dataclass(frozen=True)
class TimelineOptions:
    """What is said of a timeline, each by the option of its name; None: nothing.

    Attributes:
        out, plot: files to write.
        smoothing, votes, mean_seconds, min_seconds, unknown_below: see
            `vskd.bundle.predict_timeline.TimelineSettings`.
    """

    out: Path | None
    plot: Path | None
    smoothing: str | None
    votes: int | None
    mean_seconds: float | None
    min_seconds: float | None
    unknown_below: float | None

    def said(self) -> list[str]:
        """The options that say something."""
        return [_flag(name) for name, value in asdict(self).items() if value is not None]

    def files(self) -> list[str]:
        """Those of them that name a file to write."""
        return [flag for flag in map(_flag, FILES) if flag in self.said()]

    def settings(self) -> dict[str, Any]:
        """What is said of the timeline itself."""
        return {name: value for name, value in asdict(self).items() if value is not None and name not in FILES}


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


timeline_options = as_one(
    "timeline",
    TimelineOptions,
    click.option("--out", type=PATH, metavar="FILE", help="Write the timeline of a long recording as CSV."),
    click.option("--plot", type=PATH, metavar="FILE", help="Draw it under the signal, as PNG."),
    click.option(
        "--smoothing",
        type=click.Choice(["none", "median", "majority", "hysteresis", "hmm"]),
        help="Of a timeline: median of probabilities around each window; majority, hysteresis: as the firmware; "
        "hmm: the most likely course.",
    ),
    click.option(
        "--votes", type=click.IntRange(1, 31), metavar="N", help="Windows that smoothing looks at.  [default: 5]"
    ),
    click.option(
        "--mean-seconds", type=click.FloatRange(0, min_open=True), metavar="S", help="Of hmm: how long a label lasts."
    ),
    click.option(
        "--min-seconds", type=click.FloatRange(0), metavar="S", help="Shorter stretches join their neighbour."
    ),
    click.option(
        "--unknown-below",
        type=click.FloatRange(0, 1),
        metavar="P",
        help="Windows less sure than this are unknown.  [default: the bundle's]",
    ),
)
"""Add the options of a timeline; the command gets them as `timeline`, a `TimelineOptions`."""


def show_timeline(bundle: Path, file: Path, reading: FileReading, options: TimelineOptions, as_json: bool) -> None:
    """Predict, write, draw and print."""
    from vskd.bundle.predict_timeline import TimelineSettings, predict_timeline, write_timeline

    settings = options.settings()
    _check_smoothing(settings)
    _check_not_read(file, options)
    answer = predict_timeline(bundle, file, reading, TimelineSettings(**settings))
    if options.out is not None:
        write_timeline(answer, options.out)
    if options.plot is not None:
        _draw(answer, options.plot)
    _print(answer, as_json)


def _check_smoothing(settings: Mapping[str, Any]) -> None:
    """What `TimelineSettings` would refuse, in the words of the options."""
    from vskd.bundle.predict_timeline import COUNTS_WITH

    smoothing = settings.get("smoothing", "none")
    for name, (*others, last) in COUNTS_WITH.items():
        if name in settings and smoothing not in (*others, last):
            those = f"{', '.join(others)} or {last}" if others else last
            raise click.UsageError(f"{_flag(name)} does nothing without --smoothing {those}")
    if smoothing == "hmm" and "mean_seconds" not in settings:
        raise click.UsageError("--smoothing hmm needs --mean-seconds: how long a label lasts in the mean")


def _check_not_read(file: Path, options: TimelineOptions) -> None:
    """Refuse to write over the recording that is asked about."""
    for name, path in (("--out", options.out), ("--plot", options.plot)):
        if path is not None and path.exists() and file.exists() and path.samefile(file):
            raise click.UsageError(f"{name} names {file} itself, which is read: name another file")


def _draw(answer: "TimelinePrediction", path: Path) -> None:
    from vskd.errors import MissingExtraError
    from vskd.files import write_bytes

    try:
        from vskd.modalities.timeline_figure import timeline_figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "train") from error
    times, signal = answer.outline()
    strips = {"answers": [(s.start_s, s.end_s, s.label) for s in answer.segments]}
    drawn = timeline_figure(times, signal, strips, answer.classes, channels=answer.channels, unit=answer.unit)
    write_bytes(path, drawn)


def _print(answer: "TimelinePrediction", as_json: bool) -> None:
    if as_json:
        rows = [dict(zip(("start_s", "end_s", "label", "confidence"), row, strict=True)) for row in answer.rows()]
        print_json(
            {
                "timeline": rows,
                "windows": len(answer.times),
                "latency_ms": answer.latency_ms,
                "unknown_below": answer.unknown_below,
                "notes": answer.notes,
                "understood": dict(answer.understood),
            }
        )
        return
    rows_of_text = [
        (f"{round(a, 2) + 0.0:.2f}", f"{b:.2f}", label, f"{sure:.3f}") for a, b, label, sure in answer.rows()
    ]
    print_table(("start s", "end s", "label", "confidence"), rows_of_text)
    click.echo()
    facts: list[tuple[str, object]] = [("windows", len(answer.times)), ("latency", f"{answer.latency_ms:.2f} ms")]
    facts += [("unknown below", f"{answer.unknown_below:.3f}")] if answer.unknown_below else []
    print_fields([*facts, *answer.understood])
    for note in answer.notes:
        click.echo(f"note: {note}", err=True)
