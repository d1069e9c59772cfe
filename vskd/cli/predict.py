"""`vskd predict`: a recording, an image, a folder of images or a video. Needs neither torch nor the converter."""

from collections.abc import Sequence
from pathlib import Path

import click

from vskd.bundle.file_reading import OPTIONS, TAKES, FileReading, idle
from vskd.cli.firmware import settings_option
from vskd.cli.options import FOLDER, PATH, VskdCommand, check_signature, json_option, signature_option
from vskd.cli.predict_clips import show_clip
from vskd.cli.predict_images import show_images
from vskd.cli.predict_recording import show_recording
from vskd.cli.predict_stream import show_stream
from vskd.cli.predict_timeline import TimelineOptions, show_timeline, timeline_options
from vskd.cli.reading import reading_options


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
@timeline_options
@click.option("--stream", is_flag=True, help="Decide window by window, as the firmware does; for long recordings.")
@settings_option
@signature_option
@json_option
def predict(
    bundle: Path,
    recording: Path,
    reading: FileReading,
    piece: float | None,
    timeline: TimelineOptions,
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
    check_signature(bundle, keys)
    if stream_settings is not None and not stream:
        raise click.UsageError("--stream-settings does nothing without --stream")
    pieces = [] if piece is None else ["--piece"]
    if stream:
        _refuse([*reading.said(*OPTIONS), *pieces, *timeline.said()], "not fit --stream; see --stream-settings")
        show_stream(bundle, recording, stream_settings, as_json)
    elif is_of_images(recording):
        if piece is not None:
            why = "pieces of a video are no timeline of a sensor; --json has the start and label of each"
            _refuse(timeline.files(), f"not fit --piece: {why}")
        _refuse([*reading.said("sensor"), *timeline.said()], f"not fit {recording}, which is no recording of a sensor")
        _predict_pictures(bundle, recording, reading, piece, as_json)
    else:
        _refuse([*reading.said("image", "clip"), *pieces], f"not fit {recording}, which is a recording of a sensor")
        _predict_sensor(bundle, recording, reading, timeline, as_json)


def _refuse(options: Sequence[str], why: str) -> None:
    """Refuse options that were given where they do nothing; see `idle`."""
    if options:
        raise click.UsageError(idle(options, why))


def _predict_pictures(bundle: Path, path: Path, reading: FileReading, piece: float | None, as_json: bool) -> None:
    """With a bundle of clips or of images."""
    from vskd.bundle.bundle import load_bundle

    kind = load_bundle(bundle).manifest.contract.kind
    others = reading.said("image") if kind == "clip" else [] if piece is None else ["--piece"]
    _refuse(others, f"not fit {bundle}, which takes {TAKES[kind]}")
    if kind == "clip":
        show_clip(bundle, path, piece, as_json)
    else:
        show_images(bundle, path, reading, as_json)


def _predict_sensor(bundle: Path, file: Path, reading: FileReading, timeline: TimelineOptions, as_json: bool) -> None:
    """A timeline with a model of sliding windows, else one answer."""
    from vskd.bundle.predict import sees_windows

    if sees_windows(bundle):
        show_timeline(bundle, file, reading, timeline, as_json)
        return
    _refuse(timeline.said(), f"nothing: {bundle} answers once for a whole recording")
    show_recording(bundle, file, reading, as_json)
