"""`vskd datasets sync`: where the videos lie on the clocks of the sensors."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vskd.cli.options import FILE, FOLDER, VskdCommand, data_set_arguments, json_option
from vskd.cli.output import print_fields, print_json, print_notes

if TYPE_CHECKING:
    from vskd.datasets.sync.estimate import Measured
    from vskd.datasets.sync.table import SyncRow


@click.command(
    "sync",
    cls=VskdCommand,
    examples=(
        "vskd datasets sync utd-mhad --data UTD-MHAD --sensor accelerometer --video depth",
        "vskd datasets sync utd-mhad --data UTD-MHAD --video-rate 19.6 --median subject --html sync.html",
        "vskd datasets sync synthetic --data WORLD --dry-run --png PLOTS",
    ),
)
@data_set_arguments
@click.option("--sensor", metavar="STREAM", help="Sensor to compare.  [default: the only accelerometer]")
@click.option("--video", metavar="STREAM", help="Video to compare.  [default: the only one]")
@click.option(
    "--video-rate", type=click.FloatRange(0, min_open=True), metavar="HZ", help="True frames per second of the videos."
)
@click.option(
    "--max-offset",
    type=click.FloatRange(0, min_open=True),
    default=10.0,
    show_default=True,
    metavar="S",
    help="Largest offset to look for.",
)
@click.option("--median", metavar="WHO", help="Share medians: all, subject, or a factor such as session or device.")
@click.option("--clear-only", is_flag=True, help="Write the clear recordings, and leave the others as they are.")
@click.option("--dry-run", is_flag=True, help="Write no sync.csv.")
@click.option("--html", type=FILE, help="Page with both curves before and after.")
@click.option("--png", type=FOLDER, help="Folder for the same curves as PNG files.")
@json_option
def sync_command(
    name: str,
    data: Path | None,
    sensor: str | None,
    video: str | None,
    video_rate: float | None,
    max_offset: float,
    median: str | None,
    clear_only: bool,
    dry_run: bool,
    html: Path | None,
    png: Path | None,
    as_json: bool,
) -> None:
    """Find where each video of data set NAME lies on its sensor's clock, and write sync.csv into the folder.

    The movement in the video and the accelerometer's energy are compared by cross-correlation. Whoever opens the data
    set then sees only what sensor and video have in common. Where no peak is clear nothing is written; delete sync.csv
    to undo it.
    """
    from vskd.datasets.catalog import entry_and_root
    from vskd.datasets.sync.estimate import chosen_stream, measure, rows_of, true_rate, uncut
    from vskd.errors import DataError

    entry, root = entry_and_root(name, data)
    index = uncut(entry.index(root))
    streams = chosen_stream(index, "sensor", sensor), chosen_stream(index, "video", video)
    measured = measure(index, *streams, max_offset_s=max_offset, video_rate_hz=video_rate)
    rate = None if video_rate else true_rate(measured)
    refusal: DataError | None = None
    rows: Sequence[SyncRow] = ()
    try:
        if rate:
            raise DataError(
                f"{root}: by the lengths of {len(measured.pairs)} recordings, {streams[1]} has about {rate:.1f} frames "
                "per second, and its files say another rate",
                f"Pass --video-rate {rate:.1f}, or the rate that you know to be right",
            )
        rows = rows_of(measured, median=median, clear_only=clear_only)
    except DataError as error:
        refusal = error
    _draw(measured, rows, html, png)
    if refusal is not None:
        raise refusal
    written = None if dry_run else _write(root, rows)
    _print(measured, rows, written, as_json)


def _draw(measured: "Measured", rows: "Sequence[SyncRow]", html: Path | None, png: Path | None) -> None:
    """Pages are drawn of what is refused, too: they show why."""
    if html is None and png is None:
        return
    from vskd.evaluation.report.sync_page import sync_plots, write_plots, write_sync_page

    plots = sync_plots(measured, rows)
    if html is not None:
        write_sync_page(html, measured, rows, dict(_facts(measured, rows)), plots)
    if png is not None:
        write_plots(png, plots)


def _write(data: Path, rows: "Sequence[SyncRow]") -> Path:
    """Lines of other sensors stay."""
    from vskd.datasets.sync.table import FILE, read_sync, write_sync

    path = data / FILE
    others = [r for r in (read_sync(path) if path.is_file() else ()) if r.sensor not in {row.sensor for row in rows}]
    write_sync(path, sorted([*others, *rows], key=lambda row: (row.recording, row.sensor)))
    return path


def _facts(measured: "Measured", rows: "Sequence[SyncRow]") -> list[tuple[str, str]]:
    import numpy as np

    offsets = [row.offset_s for row in rows] or [pair.alignment.offset_s for pair in measured.pairs]
    low, middle, high = np.quantile(offsets, (0.1, 0.5, 0.9)) if offsets else (0.0, 0.0, 0.0)
    drift = float(np.median([row.drift_ppm for row in rows])) if rows else 0.0
    return [
        ("streams", f"{measured.sensor} and {measured.video}"),
        ("recordings", f"{len(measured.pairs)}, {len(measured.pairs) - len(measured.unclear)} with a clear peak"),
        ("offset", f"{middle:+.3f} s ({low:+.3f} to {high:+.3f} s hold eight of ten)"),
        ("drift", f"{drift:+.1f} ppm"),
        ("lines", str(len(rows))),
        ("without a partner", str(len(measured.unpaired))),
        ("unreadable", str(len(measured.unreadable))),
    ]


def _print(measured: "Measured", rows: "Sequence[SyncRow]", written: Path | None, as_json: bool) -> None:
    if as_json:
        print_json(_summary(measured, rows, written))
        return
    print_fields([*_facts(measured, rows), ("written", written or "nothing (--dry-run)")])
    without = [name for name in measured.unclear if name not in {row.recording for row in rows}]
    print_notes([f"{name}: {problem}" for name, problem in measured.unreadable.items()])
    print_notes([f"no clear peak, not corrected: {', '.join(without)}"] if without else [])


def _summary(measured: "Measured", rows: "Sequence[SyncRow]", written: Path | None) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "written": written,
        "rows": [asdict(row) for row in rows],
        "found": {pair.recording.id: asdict(pair.alignment) for pair in measured.pairs},
        "unclear": measured.unclear,
        "unpaired": measured.unpaired,
        "unreadable": measured.unreadable,
    }
