"""`vskd predict`: a recording, an image, a folder of images or a video. Needs neither torch nor the converter."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from vskd.cli.firmware import read_settings, settings_option
from vskd.cli.options import FOLDER, PATH, VskdCommand, check_signature, json_option, signature_option
from vskd.cli.output import print_fields, print_json, print_table
from vskd.cli.reading import Box, reading_options

if TYPE_CHECKING:
    from vskd.bundle.predict_clips import TimedPrediction
    from vskd.bundle.predict_images import ImagesPrediction
    from vskd.bundle.predict_timeline import TimelinePrediction

SHOWN = 5


@click.command(
    cls=VskdCommand,
    examples=(
        "vskd predict BUNDLE recording.csv",
        "vskd predict BUNDLE a1_s1_t1_inertial.mat --json",
        "vskd predict BUNDLE samples.npy --rate 50 --unit g",
        "vskd predict BUNDLE log.csv --columns 1,2,3 --rate 50 --unit g",
        "vskd predict BUNDLE long.csv --smoothing median --min-seconds 2 --out timeline.csv --plot timeline.png",
        "vskd predict BUNDLE long.csv --smoothing hmm --mean-seconds 10",
        "vskd predict BUNDLE long.csv --stream",
        "vskd predict BUNDLE driver.jpg --box 120,40,260,180",
        "vskd predict BUNDLE images --json",
        "vskd predict BUNDLE drive.mp4 --every 10",
        "vskd predict BUNDLE clip.mp4 --piece 2",
    ),
)
@click.argument("bundle", type=FOLDER)
@click.argument("recording", type=PATH, metavar="RECORDING|IMAGE|FOLDER|VIDEO")
@reading_options
@click.option(
    "--piece", type=click.FloatRange(0, min_open=True), metavar="S", help="Of clips: label pieces of so many seconds."
)
@click.option("--out", type=PATH, metavar="FILE", help="Write the timeline of a long recording as CSV.")
@click.option("--plot", type=PATH, metavar="FILE", help="Draw it under the signal, as PNG.")
@click.option(
    "--smoothing",
    type=click.Choice(["none", "median", "majority", "hysteresis", "hmm"]),
    help="Of a timeline: median of probabilities around each window; majority, hysteresis: as the firmware; "
    "hmm: the most likely course.",
)
@click.option("--votes", type=click.IntRange(1, 31), metavar="N", help="Windows that smoothing looks at.  [default: 5]")
@click.option(
    "--mean-seconds", type=click.FloatRange(0, min_open=True), metavar="S", help="Of hmm: how long a label lasts."
)
@click.option("--min-seconds", type=click.FloatRange(0), metavar="S", help="Shorter stretches join their neighbour.")
@click.option(
    "--unknown-below",
    type=click.FloatRange(0, 1),
    metavar="P",
    help="Windows less sure than this are unknown.  [default: the bundle's]",
)
@click.option("--stream", is_flag=True, help="Decide window by window, as the firmware does; for long recordings.")
@settings_option
@signature_option
@json_option
def predict(
    bundle: Path,
    recording: Path,
    rate_hz: float | None,
    unit: str | None,
    columns: tuple[int, ...],
    time_column: int | None,
    variable: str,
    box: Box | Literal["whole"] | None,
    every: int | None,
    piece: float | None,
    out: Path | None,
    plot: Path | None,
    smoothing: str | None,
    votes: int | None,
    mean_seconds: float | None,
    min_seconds: float | None,
    unknown_below: float | None,
    stream: bool,
    stream_settings: Path | None,
    keys: Path | None,
    as_json: bool,
) -> None:
    """Classify with BUNDLE: label, probabilities and latency.

    A bundle of a sensor takes a RECORDING (.csv, .mat or .npy) and says how it was understood; one whose unit,
    channels or length are not what it asks for is refused. A model of whole recordings gives one answer; one of sliding
    windows gives a timeline of a recording of any length: start, end, label, confidence. A bundle of images takes an
    IMAGE (.jpg or .png), a FOLDER of images or a VIDEO. A bundle of clips takes a VIDEO, as one clip or, with --piece,
    piece by piece.

    With --stream a .csv of any length gives one line per window: seconds, label, confidence; with --json one object per
    line, which also has log(p1 / p2) of the two most probable classes.
    """
    from vskd.bundle.bundle import require_bundle_folder
    from vskd.bundle.image_input import is_of_images

    require_bundle_folder(bundle)
    over_time: dict[str, object] = {
        "--out": out,
        "--plot": plot,
        "--smoothing": smoothing,
        "--votes": votes,
        "--mean-seconds": mean_seconds,
        "--min-seconds": min_seconds,
        "--unknown-below": unknown_below,
    }
    of_sensor: dict[str, object] = {"--rate": rate_hz, "--unit": unit, "--columns": columns, "--time": time_column}
    of_sensor |= {"--variable": variable}
    check_signature(bundle, keys)
    if stream_settings is not None and not stream:
        raise click.UsageError("--stream-settings does nothing without --stream")
    of_images: dict[str, object] = {"--box": box, "--every": every, "--piece": piece}
    if stream:
        _refuse(of_sensor | of_images | over_time, "not fit --stream; see --stream-settings")
        _print_stream(bundle, recording, stream_settings, as_json)
        return
    images = is_of_images(recording)
    if images and piece is not None:
        why = "not fit --piece: pieces of a video are no timeline of a sensor; --json has the start and label of each"
        _refuse({"--out": out, "--plot": plot}, why)
    _refuse(
        of_sensor | over_time if images else of_images,
        f"not fit {recording}, which is {'no' if images else 'a'} recording of a sensor",
    )
    if images:
        _predict_pictures(bundle, recording, box, every, piece, as_json)
        return
    reading = _Reading(rate_hz, unit, columns, time_column, variable)
    said = {
        "smoothing": smoothing,
        "votes": votes,
        "mean_seconds": mean_seconds,
        "min_seconds": min_seconds,
        "unknown_below": unknown_below,
    }
    _predict_sensor(bundle, recording, reading, {k: v for k, v in said.items() if v is not None}, out, plot, as_json)


def _refuse(options: dict[str, object], why: str) -> None:
    """Refuse options that were given where they do nothing; `why` goes on after `does`."""
    given = [name for name, value in options.items() if value not in (None, "", ())]
    if given:
        raise click.UsageError(f"{', '.join(given)} {'do' if len(given) > 1 else 'does'} {why}")


def _predict_sensor(
    bundle: Path,
    recording: Path,
    reading: "_Reading",
    settings: dict[str, Any],
    out: Path | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """A timeline with a model of sliding windows, else one answer."""
    from vskd.bundle.predict import predict_file, sees_windows

    if sees_windows(bundle):
        _predict_timeline(bundle, recording, reading, settings, out, plot, as_json)
        return
    flags = {f"--{name.replace('_', '-')}": value for name, value in settings.items()}
    _refuse({**flags, "--out": out, "--plot": plot}, f"nothing: {bundle} answers once for a whole recording")
    answer = predict_file(bundle, recording, **asdict(reading))
    if as_json:
        print_json(
            {
                "label": answer.label,
                "probabilities": answer.probabilities,
                "latency_ms": answer.latency_ms,
                "windows": answer.windows,
                "notes": answer.notes,
                "understood": dict(answer.understood),
            }
        )
        return
    print_fields([("label", answer.label), ("latency", f"{answer.latency_ms:.2f} ms"), ("windows", answer.windows)])
    click.echo("probabilities")
    print_fields([(f"  {name}", f"{value:.3f}") for name, value in list(answer.probabilities.items())[:SHOWN]])
    if len(answer.probabilities) > SHOWN:
        click.echo(f"  and {len(answer.probabilities) - SHOWN} less probable (all of them: --json)")
    print_fields(list(answer.understood))
    for note in answer.notes:
        click.echo(f"note: {note}", err=True)


def _predict_pictures(
    bundle: Path,
    path: Path,
    box: Box | Literal["whole"] | None,
    every: int | None,
    piece: float | None,
    as_json: bool,
) -> None:
    """With a bundle of clips or of images."""
    from vskd.bundle.bundle import load_bundle
    from vskd.bundle.predict_clips import predict_clip
    from vskd.bundle.predict_images import predict_images

    clips = load_bundle(bundle).manifest.contract.kind == "clip"
    idle: dict[str, object] = {"--box": box, "--every": every} if clips else {"--piece": piece}
    _refuse(idle, f"not fit a bundle of {'clips' if clips else 'images'}")
    if clips:
        _print_clip(predict_clip(bundle, path, piece_s=piece), as_json)
    else:
        _print_images(predict_images(bundle, path, box=box, every=every or 1), as_json)


def _print_clip(timed: "TimedPrediction", as_json: bool) -> None:
    """The answer for the whole video, and one line for each piece where there are several."""
    answer = timed.answer
    rows = [
        {"start_s": round(start, 3), "label": label, "probability": float(row.max())}
        for start, label, row in zip(timed.starts_s, answer.labels, answer.per_window, strict=True)
    ]
    if as_json:
        content = {"label": answer.label, "probabilities": answer.probabilities, "latency_ms": answer.latency_ms}
        print_json({**content, "pieces": rows})
        return
    print_fields([("label", answer.label), ("latency", f"{answer.latency_ms:.2f} ms a clip")])
    click.echo("probabilities")
    print_fields([(f"  {name}", f"{value:.3f}") for name, value in list(answer.probabilities.items())[:SHOWN]])
    if len(rows) > 1:
        print_table(
            ("start (s)", "label", "probability"), [(r["start_s"], r["label"], f"{r['probability']:.3f}") for r in rows]
        )


@dataclass(frozen=True)
class _Reading:
    """What the caller says of a file; see `read_recording`."""

    rate_hz: float | None
    unit: str | None
    columns: tuple[int, ...]
    time_column: int | None
    variable: str


def _predict_timeline(
    bundle: Path,
    file: Path,
    reading: _Reading,
    settings: dict[str, Any],
    out: Path | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """The timeline of a recording: printed, written, drawn."""
    from vskd.bundle.predict_timeline import TimelineSettings, predict_timeline, write_timeline

    _check_smoothing(settings)
    answer = predict_timeline(bundle, file, TimelineSettings(**settings), **asdict(reading))
    if out is not None:
        write_timeline(answer, out)
    if plot is not None:
        _draw(answer, plot)
    _print_timeline(answer, as_json)


def _check_smoothing(settings: dict[str, Any]) -> None:
    """What `TimelineSettings` would refuse, in the words of the options."""
    from vskd.bundle.predict_timeline import COUNTS_WITH

    smoothing = settings.get("smoothing", "none")
    for name, (*others, last) in COUNTS_WITH.items():
        if name in settings and smoothing not in (*others, last):
            those = f"{', '.join(others)} or {last}" if others else last
            raise click.UsageError(f"--{name.replace('_', '-')} does nothing without --smoothing {those}")
    if smoothing == "hmm" and "mean_seconds" not in settings:
        raise click.UsageError("--smoothing hmm needs --mean-seconds: how long a label lasts in the mean")


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


def _print_timeline(answer: "TimelinePrediction", as_json: bool) -> None:
    if as_json:
        rows = [dict(zip(("start_s", "end_s", "label", "confidence"), row, strict=True)) for row in answer.rows()]
        facts = {"windows": len(answer.times), "latency_ms": answer.latency_ms, "unknown_below": answer.unknown_below}
        print_json({"timeline": rows, **facts, "notes": answer.notes, "understood": dict(answer.understood)})
        return
    rows_of_text = [
        (f"{round(a, 2) + 0.0:.2f}", f"{b:.2f}", label, f"{sure:.3f}") for a, b, label, sure in answer.rows()
    ]
    print_table(("start s", "end s", "label", "confidence"), rows_of_text)
    click.echo()
    fields: list[tuple[str, object]] = [("windows", len(answer.times)), ("latency", f"{answer.latency_ms:.2f} ms")]
    fields += [("unknown below", f"{answer.unknown_below:.3f}")] if answer.unknown_below else []
    print_fields([*fields, *answer.understood])
    for note in answer.notes:
        click.echo(f"note: {note}", err=True)


def _print_stream(bundle: Path, recording: Path, settings: Path | None, as_json: bool) -> None:
    """One line per decision, as soon as it is made."""
    from vskd.bundle.bundle import load_bundle
    from vskd.bundle.stream.conditions import Condition
    from vskd.firmware_bridge.stream_file import stream_file

    for event in stream_file(load_bundle(bundle), recording, read_settings(settings)):
        if as_json:
            content = {"time_s": event.time_s, "status": event.status.name, "label": event.label or None}
            click.echo(json.dumps(content | {"confidence": event.confidence, "log_odds": event.log_odds}))
        elif event.status is Condition.OK:
            click.echo(f"{event.time_s:10.2f}  {event.label or 'unknown'}  {event.confidence:.3f}")
        else:
            click.echo(f"{event.time_s:10.2f}  {event.status.name}: {event.status.meaning}")


def _print_images(answer: "ImagesPrediction", as_json: bool) -> None:
    """All answers of a folder; of an image and a video the mean, and how many frames got each label."""
    if as_json:
        print_json(
            {
                "kind": answer.kind,
                "label": next(iter(answer.mean), None),
                "probabilities": answer.mean,
                "latency_ms": answer.latency_ms,
                "answers": [
                    {"source": one.source, "label": one.label, "probabilities": one.probabilities}
                    for one in answer.answers
                ],
                "left_out": [{"source": source, "problem": problem} for source, problem in answer.left_out],
            }
        )
        return
    if answer.kind == "folder":
        rows = [(one.source, one.label, f"{one.probabilities[one.label]:.3f}") for one in answer.answers]
        print_table(("image", "label", "probability"), rows)
    else:
        print_fields([("label", next(iter(answer.mean))), ("latency", f"{answer.latency_ms:.2f} ms an image")])
        click.echo("probabilities" if answer.kind == "image" else "mean probabilities, and frames of each label")
        frames = Counter(one.label for one in answer.answers)
        counted = answer.kind == "video"
        print_fields(
            [
                (f"  {name}", f"{value:.3f}" + (f"  {frames[name]} of {len(answer.answers)}" if counted else ""))
                for name, value in list(answer.mean.items())[:SHOWN]
            ]
        )
    for source, problem in answer.left_out:
        click.echo(f"left out: {source}: {problem}", err=True)
