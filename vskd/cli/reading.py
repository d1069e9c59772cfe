"""How files are read: the options that `vskd predict` and `vskd bundle personalise` share."""

from typing import Literal

import click

from vskd.bundle.file_reading import FileReading
from vskd.cli.options import as_one

Box = tuple[float, float, float, float]


def parse_columns(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, ...]:
    """Read `0,1,2`.

    Raises:
        click.BadParameter: something else was typed.
    """
    parts = [part.strip() for part in value.split(",")] if value else []
    if not all(part.isdecimal() for part in parts):
        raise click.BadParameter(f"'{value}' is no list of column numbers; write e.g. 0,1,2 (the first is 0)")
    return tuple(int(part) for part in parts)


def parse_box(_: click.Context, __: click.Parameter, value: str | None) -> Box | Literal["whole"] | None:
    """Read `10,20,110,140`, or `whole`.

    Raises:
        click.BadParameter: something else was typed.
    """
    if value is None or value == "whole":
        return value  # type: ignore[return-value]  # the word itself
    try:
        left, top, right, bottom = (float(part) for part in value.split(","))
    except ValueError as error:
        raise click.BadParameter(f"'{value}' is no box; write X1,Y1,X2,Y2 in pixels, or whole") from error
    return left, top, right, bottom


reading_options = as_one(
    "reading",
    FileReading,
    click.option("--rate", "rate_hz", type=float, metavar="HZ", help="Samples per second, if the file does not say."),
    click.option("--unit", metavar="UNIT", help="Unit of the samples, e.g. g or '1/64 g', if the file does not say."),
    click.option(
        "--columns", callback=parse_columns, metavar="N,N,N", help="Columns of the axes, counted from 0 in the file."
    ),
    click.option(
        "--time",
        "time_column",
        type=click.IntRange(0),
        metavar="N",
        help="Column of the clock, counted from 0 in the file.",
    ),
    click.option("--variable", default="", metavar="NAME", help="Array of a .mat file."),
    click.option(
        "--box", callback=parse_box, metavar="X1,Y1,X2,Y2", help="What to cut out of images, in pixels; whole: nothing."
    ),
    click.option("--every", type=click.IntRange(min=1), metavar="N", help="Of a video, one frame of so many."),
)
"""Add the options of sensors and images; the command gets them as `reading`."""
