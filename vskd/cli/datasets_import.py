"""`vskd datasets import`: a data set of a folder of sensor files."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vskd.cli.options import FOLDER, VskdCommand, json_option
from vskd.cli.output import print_fields, print_json, print_next, print_notes, print_table

if TYPE_CHECKING:
    from vskd.datasets.importing.importer import Imported

T = TypeVar("T")

_META = "vskd.import_stated"
_SEPARATORS = click.Choice(["tab", "semicolon", "bar", "comma", "space"])
_PAIRS = click.Choice(["name", "time", "none"])
_UNITS_OF_TIME = click.Choice(["s", "ms", "us", "ns", "text", "samples"])


def _list(text: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in text.split(","))


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    pairs = [cell.partition("=") for cell in _list(text)]
    if not all(kind and equals and name for kind, equals, name in pairs):
        raise click.BadParameter("give what a column stands for and its name, e.g. file=path,label=activity")
    return tuple((kind.strip(), name.strip().lower()) for kind, _, name in pairs)


def _signs(text: str) -> tuple[int, ...]:
    if not set(_list(text)) <= {"1", "+1", "-1"}:
        raise click.BadParameter("give 1 or -1 for each axis, e.g. 1,-1,1")
    return tuple(map(int, _list(text)))


def _zone(text: str) -> str:
    from vskd.preprocessing.sensor.time_zone import check_zone

    return _checked(check_zone, text)


def _codes(text: str) -> str:
    from vskd.preprocessing.sensor.codes import parse_codes

    _checked(parse_codes, text)
    return text


def _checked(check: Callable[[str], T], text: str) -> T:
    try:
        return check(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _stating(flag: str, name: str, **settings: Any) -> Callable[[Any], Any]:
    """An option that states one field of `Stated`; `read` makes it of the text."""
    read = settings.pop("read", lambda value: value)

    def remember(context: click.Context, _: click.Parameter, value: Any) -> None:
        if value not in (None, False):
            context.meta.setdefault(_META, {})[name] = read(value)

    return click.option(flag, name, expose_value=False, callback=remember, **settings)


@click.command(
    "import",
    cls=VskdCommand,
    examples=(
        "vskd datasets import FOLDER --out DATASET",
        "vskd datasets import FOLDER --out DATASET --pattern 's{subject}/{label}_{trial}.csv' --unit mg --rate 50",
        "vskd datasets import FOLDER --out DATASET --columns 1,2,3 --time 0 --time-unit ms --position 'left wrist'",
        "vskd datasets import FOLDER --out DATASET --label-column activity --subject-column user",
        "vskd datasets import FOLDER --out DATASET --label-column activity --whole-files --null-class none",
        "vskd datasets import FOLDER --out DATASET --unlabelled unknown",
    ),
)
@click.argument("folder", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, help="Folder for dataset.yaml, protocols and the preview.")
@_stating("--pattern", "pattern", metavar="PATTERN", help="Names of files, e.g. 's{subject}/{label}_*.csv'.")
@_stating("--table", "table", metavar="FILE", help="CSV table in FOLDER: file, subject, label[, start, end...].")
@_stating(
    "--table-columns",
    "table_columns",
    read=_pairs,
    metavar="file=NAME,...",
    help="What the table calls file, subject, label, trial, start, end.",
)
@_stating("--stream", "stream", metavar="NAME", help="Sensor to read.  [default: accelerometer]")
@_stating("--columns", "columns", read=_list, metavar="A,B,C", help="Columns of x, y, z: names, or numbers from 0.")
@_stating("--signs", "signs", read=_signs, metavar="1,-1,1", help="-1 for an axis that points the other way.")
@_stating("--axes", "axes", read=_list, metavar="-y,x,z", help="Which of the file's axes are x, y, z, and where to.")
@_stating("--time", "time", metavar="COLUMN", help="Column of time stamps; none: do not use any.")
@_stating("--time-unit", "time_unit", type=_UNITS_OF_TIME, help="What time stamps count.")
@_stating("--time-zone", "time_zone", read=_zone, metavar="ZONE", help="Of local times, e.g. Europe/Berlin.")
@_stating("--rate", "rate_hz", type=click.FloatRange(0, min_open=True), metavar="HZ", help="Samples per second.")
@_stating("--unit", "unit", metavar="UNIT", help="g, mg, m/s^2, deg/s, rad/s; counts with their factor: '1/64 g'.")
@_stating("--offset", "offset", type=float, metavar="X", help="What the device writes for zero.")
@_stating("--codes", "codes", read=_codes, metavar="CODES", help="What numbers stand for: '0..63 = -1.5..1.5'.")
@_stating(
    "--range",
    "range_limit",
    type=click.FloatRange(0, min_open=True),
    metavar="X",
    help="Largest value of the device, in the files' unit.",
)
@_stating("--clip", "clip", is_flag=True, help="Set samples beyond the range, glitches, to the range.")
@_stating("--position", "position", metavar="PLACE", help="Where it is worn, e.g. 'right wrist'.")
@_stating("--uncalibrated", "uncalibrated", is_flag=True, help="The device need not show 1 g at rest.")
@_stating("--separator", "separator", type=_SEPARATORS, help="Between the cells of text files.")
@_stating("--label-column", "label_column", metavar="COLUMN", help="Labels of rows: equal ones are a recording.")
@_stating("--subject-column", "subject_column", metavar="COLUMN", help="Subjects of rows, beside --label-column.")
@_stating("--factor-columns", "factor_columns", read=_list, metavar="A,B", help="Factors of rows: session, device...")
@_stating("--unlabelled", "unlabelled", metavar="WORD", help="Stands for a label where nobody knows it.")
@_stating("--null-class", "null_class", metavar="NAME", help="Class of what nobody labelled; else it is left out.")
@_stating("--whole-files", "whole_files", is_flag=True, help="A file is one recording whose windows have labels.")
@_stating("--pair-videos", "pair_videos", type=_PAIRS, help="How to find the video of a recording.  [default: name]")
@_stating(
    "--video-pattern", "video_pattern", metavar="PATTERN", help="Names of videos, e.g. 'v/s{subject}_{label}.mp4'."
)
@_stating("--video-table", "video_table", metavar="FILE", help="CSV table in FOLDER: video, and recording or file.")
@_stating("--video-zone", "video_zone", read=_zone, metavar="ZONE", help="Of times in names of videos.")
@_stating("--variable", "variable", metavar="NAME", help="Array in .mat, .npz or .h5 files that hold several.")
@json_option
@click.pass_context
def import_command(context: click.Context, folder: Path, out: Path, as_json: bool) -> None:
    """Make a data set of a FOLDER of sensor files: nothing is copied, nothing is asked.

    Columns, clock, rate, unit, subjects and labels are found out, and printed with who says so and the flag that
    changes it; preview.png shows the signals. What cannot be told, or what gravity contradicts, is refused. The result
    is the data set `sensor-folder` in DATASET; correct its dataset.yaml as you like.
    """
    from vskd.datasets.importing.importer import import_folder
    from vskd.datasets.importing.stated import Stated

    done = import_folder(folder, out, Stated(**context.meta.get(_META, {})))
    _print_json(done) if as_json else _print(done, out)


def _print_json(done: "Imported") -> None:
    from dataclasses import asdict

    from vskd.datasets.summary import index_summary

    written = {"preview": done.preview, "protocols": done.protocols, "notes": done.notes}
    print_json({"guesses": [asdict(g) for g in done.guesses], **written, "index": index_summary(done.index)})


def _print(done: "Imported", out: Path) -> None:
    rows = [(g.what, g.value, g.source, g.flag) for g in done.guesses]
    print_table(("what", "understood as", "by", "change with"), rows)
    click.echo()
    factors = sorted({name for r in done.index for name in r.factors})
    named = [f"leave-one-{f}-out" for f in factors if len({r.factors.get(f) for r in done.index}) > 1]
    protocols = ", ".join([*map(str, done.protocols), "leave-one-subject-out", *named])
    print_fields(
        [("data set", out), ("recordings", len(done.index)), ("preview", done.preview), ("protocols", protocols)]
    )
    print_notes(done.notes)
    print_next("doctor", out)
