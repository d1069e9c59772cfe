"""`vskd predict`: one recording, one answer. Needs the LiteRT runtime, neither torch nor the converter."""

from pathlib import Path

import click

from vskd.cli.options import FILE, FOLDER, VskdCommand, json_option
from vskd.cli.output import print_fields, print_json

SHOWN = 5


def parse_columns(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, ...]:
    """Read `0,1,2`.

    Raises:
        click.BadParameter: something else was typed.
    """
    parts = [part.strip() for part in value.split(",")] if value else []
    if not all(part.isdecimal() for part in parts):
        raise click.BadParameter(f"'{value}' is no list of column numbers; write e.g. 0,1,2 (the first is 0)")
    return tuple(int(part) for part in parts)


@click.command(
    cls=VskdCommand,
    examples=(
        "vskd predict BUNDLE recording.csv",
        "vskd predict BUNDLE a1_s1_t1_inertial.mat --json",
        "vskd predict BUNDLE samples.npy --rate 50 --unit g",
        "vskd predict BUNDLE log.csv --columns 1,2,3 --rate 50 --unit g",
    ),
)
@click.argument("bundle", type=FOLDER)
@click.argument("recording", type=FILE)
@click.option("--rate", "rate_hz", type=float, metavar="HZ", help="Samples per second, if the file does not say.")
@click.option("--unit", metavar="UNIT", help="Unit of the samples, e.g. g, if the file does not say.")
@click.option("--columns", callback=parse_columns, metavar="N,N,N", help="Columns of the axes, counted from 0.")
@click.option("--variable", default="", metavar="NAME", help="Array of a .mat file.")
@json_option
def predict(
    bundle: Path,
    recording: Path,
    rate_hz: float | None,
    unit: str | None,
    columns: tuple[int, ...],
    variable: str,
    as_json: bool,
) -> None:
    """Classify RECORDING (.csv, .mat or .npy) with BUNDLE: label, probabilities and latency.

    A recording whose rate, unit, channels or length are not what the bundle asks for is refused.
    """
    from vskd.export.predict import predict_file

    answer = predict_file(bundle, recording, rate_hz=rate_hz, unit=unit, columns=columns, variable=variable)
    if as_json:
        print_json(
            {
                "label": answer.label,
                "probabilities": answer.probabilities,
                "latency_ms": answer.latency_ms,
                "windows": answer.windows,
                "notes": answer.notes,
            }
        )
        return
    print_fields([("label", answer.label), ("latency", f"{answer.latency_ms:.2f} ms"), ("windows", answer.windows)])
    click.echo("probabilities")
    print_fields([(f"  {name}", f"{value:.3f}") for name, value in list(answer.probabilities.items())[:SHOWN]])
    if len(answer.probabilities) > SHOWN:
        click.echo(f"  and {len(answer.probabilities) - SHOWN} less probable (all of them: --json)")
    for note in answer.notes:
        click.echo(f"note: {note}", err=True)
