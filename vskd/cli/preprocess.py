"""`vskd preprocess`: the files of a data set become HDF5 stores, once."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from vskd.cli.options import FILE, FOLDER, VskdGroup, json_option
from vskd.cli.output import print_json, print_table

if TYPE_CHECKING:
    from vskd.datasets.recording import Index, Stream
    from vskd.preprocessing.stores.frame_store import FrameSource
    from vskd.preprocessing.stores.gaf_store import GafStore
    from vskd.preprocessing.stores.pose_store import PoseReport
    from vskd.preprocessing.stores.store import StoreReport
    from vskd.preprocessing.video.chosen import ClipCut
    from vskd.preprocessing.video.selected import Check

SHEET_ROWS = 8
F = TypeVar("F", bound=Callable[..., Any])


@click.group(
    cls=VskdGroup,
    examples=(
        "vskd preprocess windows utd-mhad --data UTD-MHAD --out windows.h5",
        "vskd preprocess gaf windows.h5 --out gaf.h5 --contact-sheet gaf.png",
        "vskd preprocess frames utd-mhad --data UTD-MHAD --stream depth --size 112 --out frames.h5",
        "vskd preprocess pose mmact --data MMACT --stream rgb-cam1 --model MEDIAPIPE.whl",
    ),
)
def preprocess() -> None:
    """Store windows, GAF images, frames and poses in HDF5.

    Training does this by itself, but for poses; the other commands are for looking at the data and for using it
    elsewhere. An interrupted command goes on where it stopped when it is given again.
    """


def source_options(default_stream: str) -> Callable[[F], F]:
    """Add what names the input: NAME, `--data`, `--stream`, and how many unreadable recordings are tolerated."""

    def add(function: F) -> F:
        for option in (
            click.option(
                "--max-bad-fraction",
                type=click.FloatRange(0, 1),
                metavar="N",
                default=0.02,
                show_default=True,
                help="Give up when more than this fraction of the recordings is unreadable.",
            ),
            click.option(
                "--stream", default=default_stream, show_default=True, metavar="STREAM", help="Of the data set."
            ),
            click.option("--data", type=FOLDER, required=True, help="Folder of the data set."),
            click.argument("name"),
        ):
            function = option(function)
        return function

    return add


def out_option(function: F) -> F:
    """Add `--out FILE`."""
    return click.option("--out", type=FILE, required=True, help="HDF5 file to write.")(function)


def print_store(report: "StoreReport", as_json: bool) -> None:
    """Print what a build left, and every recording that it had to leave out.

    Raises:
        DamagedCacheError: what was there already is damaged.
    """
    if report.reused:
        from vskd.preprocessing.stores.store_file import check_store

        check_store(report.path)
    if as_json:
        print_json(asdict(report))
        return
    how = "was there already" if report.reused else "written"
    click.echo(f"{report.path}: {report.stored} recordings, {how}")
    if report.failures:
        click.echo(f"{len(report.failures)} left out:")
        print_table(("recording", "problem", "file"), [(f.id, f.problem, f.path) for f in report.failures])


def streams_of(name: str, data: Path, stream: str, max_bad_fraction: float) -> "dict[str, Stream]":
    """See `streams_in`, of the data set `name` in the folder `data`."""
    from vskd.datasets.catalog import get_dataset

    return streams_in(get_dataset(name).index(data).everything, stream, max_bad_fraction)


def streams_in(index: "Index", stream: str, max_bad_fraction: float) -> "dict[str, Stream]":
    """The stream called `stream` of every recording that has it, by id.

    Raises:
        DataError: no recording has it, ids are duplicate or unknown, or too many of its files are corrupt.
    """
    from vskd.datasets.splits.audit import check_problems
    from vskd.errors import DataError

    found = {r.id: r.stream(stream) for r in index.with_streams([stream])}
    # A recording without the other streams, or with a corrupt one among them, is good enough here.
    problems = (
        p for p in index.problems if p.kind != "unpaired" and not (p.kind == "corrupt" and p.recording in found)
    )
    check_problems(replace(index, problems=tuple(problems)), max_bad_fraction)
    if not found:
        have = ", ".join(sorted({s for r in index for s in r.streams})) or "none"
        raise DataError(f"{index.root}: no recording has the stream '{stream}'", f"Choose one of: {have}")
    return found


@preprocess.command(
    "windows",
    examples=(
        "vskd preprocess windows utd-mhad --data UTD-MHAD --length 128 --out windows.h5",
        "vskd preprocess windows utd-mhad --data UTD-MHAD --mode sliding --stride 32 --out windows.h5",
    ),
)
@source_options("accelerometer")
@click.option(
    "--mode",
    type=click.Choice(["whole", "sliding"]),
    default="whole",
    show_default=True,
    help="One window per recording, resampled to --length; or sliding windows.",
)
@click.option(
    "--length", type=click.IntRange(8), metavar="N", default=128, show_default=True, help="Samples of a window."
)
@click.option(
    "--rate",
    "rate_hz",
    type=float,
    metavar="HZ",
    help="Sliding: resample to this rate first; by default the stream's own.",
)
@click.option(
    "--stride",
    type=click.IntRange(1),
    metavar="N",
    help="Sliding: samples from one window to the next; by default half a window.",
)
@out_option
@json_option
def windows(
    name: str,
    data: Path,
    stream: str,
    max_bad_fraction: float,
    mode: Literal["whole", "sliding"],
    length: int,
    rate_hz: float | None,
    stride: int | None,
    out: Path,
    as_json: bool,
) -> None:
    """Store the sensor windows of data set NAME: float32 (windows, channels, samples) in the stream's unit."""
    if mode == "whole" and (rate_hz is not None or stride is not None):
        raise click.UsageError("--rate and --stride only fit --mode sliding")
    from vskd.datasets.sensors.source import window_source
    from vskd.preprocessing.stores.window_store import build_window_store

    sources = [window_source(i, s) for i, s in streams_of(name, data, stream, max_bad_fraction).items()]
    report = build_window_store(
        sources, out, mode=mode, length=length, rate_hz=rate_hz, stride=stride, max_bad_fraction=max_bad_fraction
    )
    print_store(report, as_json)


@preprocess.command(
    "gaf",
    examples=(
        "vskd preprocess gaf windows.h5 --out gaf.h5 --contact-sheet gaf.png",
        "vskd preprocess gaf windows.h5 --method gasf+gadf --scaling fixed --limit 4 --size 64 --out gaf.h5",
        "vskd preprocess gaf windows.h5 --engine pyts --png pictures --out gaf.h5",
    ),
)
@click.argument("windows_file", type=FILE, metavar="WINDOWS")
@click.option(
    "--method",
    type=click.Choice(["gasf", "gadf", "gasf+gadf"]),
    default="gasf",
    show_default=True,
    help="Summation field, difference field, or both.",
)
@click.option(
    "--scaling",
    type=click.Choice(["minmax", "fixed"]),
    default="minmax",
    show_default=True,
    help="minmax: each window to [-1, 1], as published; fixed: by --limit, which keeps amplitude and gravity.",
)
@click.option(
    "--limit",
    type=float,
    metavar="N",
    default=4.0,
    show_default=True,
    help="Range of fixed scaling, in the stream's unit.",
)
@click.option(
    "--size",
    type=click.IntRange(4, 1024),
    metavar="N",
    default=64,
    show_default=True,
    help="Edge of an image in pixels.",
)
@click.option(
    "--engine",
    type=click.Choice(["torch", "pyts"]),
    default="torch",
    show_default=True,
    help="pyts: the reference library, an optional extra.",
)
@click.option("--png", type=FOLDER, help="Folder to write the images to as PNG too.")
@click.option("--contact-sheet", type=FILE, metavar="PNG", help="Picture of a few recordings' images.")
@out_option
@json_option
def gaf(
    windows_file: Path,
    method: str,
    scaling: str,
    limit: float,
    size: int,
    engine: Literal["torch", "pyts"],
    png: Path | None,
    contact_sheet: Path | None,
    out: Path,
    as_json: bool,
) -> None:
    """Store the Gramian angular fields of the windows in WINDOWS (see 'vskd preprocess windows').

    float32 (windows, channels, size, size) in [-1, 1], one channel per axis and field.
    """
    from vskd.preprocessing.stores.gaf_store import GafStore, build_gaf_store

    report = build_gaf_store(
        windows_file, out, method=method, scaling=scaling, limit=limit, image_size=size, engine=engine
    )
    store = GafStore(out)
    if png is not None:
        from vskd.preprocessing.image.picture_files import write_pngs

        write_pngs(store, png)
    if contact_sheet is not None:
        write_contact_sheet(store, contact_sheet)
    print_store(report, as_json)


def write_contact_sheet(store: "GafStore", out: Path) -> None:
    """Write a picture of recordings spread evenly over the store."""
    from vskd.files import write_bytes
    from vskd.modalities.tiles import gaf_tiles

    ids = sorted(store.ids)
    chosen = ids[:: max(1, len(ids) // SHEET_ROWS)][:SHEET_ROWS]
    write_bytes(out, gaf_tiles({i: store.images(i)[0] for i in chosen}, store.channel_names))


@preprocess.command(
    "frames",
    examples=(
        "vskd preprocess frames utd-mhad --data UTD-MHAD --stream depth --size 112 --out frames.h5",
        "vskd preprocess frames synthetic --data WORLD --stream rgb --size 64 --jpeg pictures --out frames.h5",
        "vskd preprocess frames ucf101 --data UCF101 --stream rgb --sequence-length 16 --height 112 --width 112 "
        "--npy arrays --table times --out clips.h5",
    ),
)
@source_options("depth")
@click.option(
    "--size",
    type=click.IntRange(16, 1024),
    metavar="N",
    default=224,
    show_default=True,
    help="Edge of a frame in pixels.",
)
@click.option(
    "--fit",
    type=click.Choice(["centre-crop", "squash", "foreground", "projections"]),
    default="centre-crop",
    show_default=True,
    help="How a clip becomes square; of depth: foreground, the square around the figure, or three projections of it.",
)
@click.option("--jpeg", type=FOLDER, help="Folder to write the frames to as JPEG too.")
@click.option(
    "--sequence-length", type=click.IntRange(1, 256), metavar="L", help="Keep L frames of each clip; by default all."
)
@click.option("--height", type=click.IntRange(16, 1024), metavar="N", help="With --sequence-length; by default --size.")
@click.option("--width", type=click.IntRange(16, 1024), metavar="N", help="With --sequence-length; by default --size.")
@click.option(
    "--sampling",
    type=click.Choice(["spread", "reference"]),
    help="With --sequence-length. spread, the default: the middle frame of equal parts; reference: every "
    "floor(N / L)-th frame as published, which never sees the tail.",
)
@click.option(
    "--workers", type=click.IntRange(1, 64), metavar="N", help="With --sequence-length: clips decoded at a time, 1."
)
@click.option(
    "--check",
    type=click.Choice(["used", "full"]),
    help="With --sequence-length: look for damage in the frames that are used, the default, or decode every frame.",
)
@click.option("--npy", type=FOLDER, help="With --sequence-length: folder for the published features, labels and paths.")
@click.option("--table", type=FOLDER, help="With --sequence-length: folder for time and memory of each class.")
@out_option
@json_option
def frames(
    name: str,
    data: Path,
    stream: str,
    max_bad_fraction: float,
    size: int,
    fit: Literal["centre-crop", "squash", "foreground", "projections"],
    jpeg: Path | None,
    sequence_length: int | None,
    height: int | None,
    width: int | None,
    sampling: Literal["spread", "reference"] | None,
    workers: int | None,
    check: Literal["used", "full"] | None,
    npy: Path | None,
    table: Path | None,
    out: Path,
    as_json: bool,
) -> None:
    """Decode, crop and resize the video of data set NAME once: uint8 (frames, height, width, channels)."""
    shape = {"--height": height, "--width": width, "--sampling": sampling, "--workers": workers}
    given = {**shape, "--check": check, "--npy": npy, "--table": table}
    idle = [word for word, value in given.items() if value is not None]
    if sequence_length is None and idle:
        raise click.UsageError(f"{', '.join(idle)} only fit --sequence-length")
    from vskd.datasets.catalog import get_dataset
    from vskd.preprocessing.stores.frame_store import FrameStore, build_frame_store
    from vskd.preprocessing.video.chosen import ClipCut

    dataset = get_dataset(name)
    if (height or size) != (width or size) and fit in ("foreground", "projections"):
        raise click.UsageError(f"--fit {fit} makes squares: give --height and --width the same")
    sources, labels, classes = _labelled_sources(dataset.index(data), stream, max_bad_fraction)
    if sequence_length is not None:
        cut = ClipCut(sequence_length, height or size, width or size, fit, sampling or "spread")
        report = _clips(sources, labels, classes, cut, max_bad_fraction, workers or 1, check or "used", npy, table, out)
    else:
        report = build_frame_store(sources, out, size=size, fit=fit, max_bad_fraction=max_bad_fraction)
    if jpeg is not None:
        from vskd.preprocessing.image.picture_files import write_jpegs

        write_jpegs(FrameStore(out), jpeg)
    print_store(report, as_json)


def _labelled_sources(
    index: "Index", stream: str, max_bad_fraction: float
) -> "tuple[list[FrameSource], dict[str, int], tuple[str, ...]]":
    """What to read of each clip, its class number by id, and the names of classes.

    While clips are decoded these are in memory, not the index, which takes twice as much.
    """
    from vskd.datasets.video.frame_sources import frame_sources

    found = streams_in(index, stream, max_bad_fraction)
    return frame_sources(found), {r.id: r.label for r in index if r.id in found}, index.labels


def _clips(
    sources: "list[FrameSource]",
    labels: dict[str, int],
    classes: tuple[str, ...],
    cut: "ClipCut",
    max_bad_fraction: float,
    workers: int,
    check: "Check",
    npy: Path | None,
    table: Path | None,
    out: Path,
) -> "StoreReport":
    """A few frames of each clip, and what is written beside the store."""
    from vskd.preprocessing.stores.clip_arrays import LabelledClip, write_clip_arrays
    from vskd.preprocessing.stores.clip_store import build_clip_store
    from vskd.preprocessing.stores.frame_store import FrameStore
    from vskd.preprocessing.video.time_table import TimeTable

    times = TimeTable()
    report = build_clip_store(
        sources,
        out,
        cut,
        max_bad_fraction=max_bad_fraction,
        workers=workers,
        check=check,
        around=lambda source: times.measuring(classes[labels[source.id]], clips=1),
    )
    if npy is not None:
        with times.measuring("arrays"):
            rows = [LabelledClip(s.id, labels[s.id], str(s.path)) for s in sources]
            write_clip_arrays(FrameStore(out), rows, npy)
    if table is not None:
        times.write(table)
    return report


@preprocess.command(
    "pose",
    examples=(
        "vskd preprocess pose mmact --data MMACT --stream rgb-cam1 --model MEDIAPIPE.whl",
        "vskd preprocess pose utd-mhad --data UTD-MHAD --model MODELS --person largest --max-empty 0.2",
    ),
)
@source_options("rgb")
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    required=True,
    metavar="WHEEL|FOLDER",
    help="The wheel of MediaPipe 0.10.21, or a folder with its pose_detection.tflite and pose_landmark_full.tflite.",
)
@click.option(
    "--person",
    type=click.Choice(["nearest", "largest"]),
    default="nearest",
    show_default=True,
    help="Of several people: the one nearest to the last frame's, at first the largest; or in each frame the largest.",
)
@click.option(
    "--max-empty",
    type=click.FloatRange(0, 1),
    metavar="N",
    default=0.5,
    show_default=True,
    help="Leave a video out in more than this fraction of whose frames nobody is found.",
)
@click.option("--threads", type=click.IntRange(1), metavar="N", default=1, show_default=True, help="Of the processor.")
@click.option("--out", type=FOLDER, help="Folder to write to; by default poses/STREAM in the data set's folder.")
@json_option
def pose(
    name: str,
    data: Path,
    stream: str,
    max_bad_fraction: float,
    model: Path,
    person: Literal["nearest", "largest"],
    max_empty: float,
    threads: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Find the joints of a person in every frame of the video of data set NAME.

    33 joints in pixels and in metres, each with a confidence, by the networks of BlazePose. They become the streams
    pose-STREAM and pose-STREAM-world of the data set, which a teacher of the modality skeleton sees.
    """
    from vskd.bundle.native_output import quiet_native_output
    from vskd.datasets.poses import pose_folder
    from vskd.preprocessing.stores.pose_store import PoseSettings, PoseSource, build_poses
    from vskd.preprocessing.video.pose_networks import MODELS, LiteRTPose, read_models

    streams = streams_of(name, data, stream, max_bad_fraction)
    check_are_video(stream, streams)
    with quiet_native_output():
        networks = LiteRTPose(read_models(model), threads)
    report = build_poses(
        [PoseSource(i, s.path, s.rate_hz, s.reading) for i, s in streams.items()],
        out or pose_folder(data, stream),
        networks,
        PoseSettings(dict(MODELS), person),
        max_empty=max_empty,
        max_bad_fraction=max_bad_fraction,
    )
    print_poses(report, as_json)


def check_are_video(name: str, streams: "dict[str, Stream]") -> None:
    """Refuse a stream that is no video.

    Raises:
        SettingError: it is of another kind.
    """
    from vskd.errors import SettingError

    kinds = {stream.kind for stream in streams.values()} - {"video"}
    if kinds:
        raise SettingError(f"Stream '{name}' is of the kind {kinds.pop()}, not video", "Name a stream of a camera")


def print_poses(report: "PoseReport", as_json: bool) -> None:
    """Print what was found, and every recording that is left out."""
    if as_json:
        print_json(asdict(report))
        return
    frames = f"{report.frames} frames, nobody found in {report.empty} of them"
    click.echo(f"{report.path}: {report.stored} recordings ({report.reused} were there already), {frames}")
    if report.failures:
        click.echo(f"{len(report.failures)} left out:")
        print_table(("recording", "problem", "file"), [(f.id, f.problem, f.path) for f in report.failures])
