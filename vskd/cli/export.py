"""`vskd export`: run -> bundle."""

from pathlib import Path
from typing import Literal

import click

from vskd.cli.options import FILE, FOLDER, VskdCommand, json_option
from vskd.cli.output import print_fields, print_json, print_next

TYPES = click.Choice(["int8", "float32"])


@click.command(
    cls=VskdCommand,
    examples=(
        "vskd export RUN --out BUNDLE",
        "vskd export RUN --out BUNDLE --input-type float32 --json",
        "vskd export RUN --out BUNDLE --layers layers.md",
        "vskd export RUN --out BUNDLE --set export.fine_tuning=always",
        "vskd export RUN --out BUNDLE --set export.prune_stem=0.001",
        "vskd export RUN --out BUNDLE --set export.budget.part=cortex-m4-256k",
    ),
)
@click.argument("run", type=FOLDER)
@click.option(
    "--out", type=FOLDER, required=True, metavar="BUNDLE", help="Bundle folder; an earlier bundle is replaced."
)
@click.option("--input-type", type=TYPES, help="Type of the int8 model's input; the recipe's by default.")
@click.option("--output-type", type=TYPES, help="Type of the int8 model's output; the recipe's by default.")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="export.KEY=VALUE",
    help="Change a setting of export in the run's recipe; may be repeated.",
)
@click.option("--layers", type=FILE, metavar="FILE.md", help="Write the error of each operator of the int8 model.")
@json_option
def export(
    run: Path,
    out: Path,
    input_type: Literal["int8", "float32"] | None,
    output_type: Literal["int8", "float32"] | None,
    assignments: tuple[str, ...],
    layers: Path | None,
    as_json: bool,
) -> None:
    """Convert the student of RUN to float and full-integer int8 LiteRT and write a bundle.

    Calibration sees training recordings only; accuracy and parity are measured on validation recordings or, where the
    run kept none (student.training.validation: none), on training recordings outside the calibration (where these are
    fewer than 30, on all). A model that loses more accuracy there than the recipe allows is refused, and so is one that
    needs more flash, RAM, multiply-accumulates or time than the recipe's hardware budget (export.budget). Needs the
    extra 'export'.
    """
    from vskd.export.run_export import export_run
    from vskd.firmware_bridge.footprint import measure_needs

    ends = {"export.input_type": input_type, "export.output_type": output_type}
    settings = [*(f"{key}={kind}" for key, kind in ends.items() if kind is not None), *assignments]
    report = export_run(run, out, settings=settings, layers=layers, measure=measure_needs)
    accuracy, parity = report.accuracy, report.parity
    if as_json:
        print_json(
            {
                "bundle": report.bundle.path,
                "digest": report.bundle.digest,
                "accuracy": accuracy.model_dump(mode="json"),
                "parity": parity.model_dump(mode="json"),
                "model_bytes": report.model_bytes,
                "float_model_bytes": report.float_model_bytes,
            }
        )
        return
    from vskd.evaluation.report.formatting import percent, size

    print_fields(
        [
            ("bundle", report.bundle.path),
            (f"accuracy, {accuracy.recordings} {accuracy.split} recordings", ""),
            ("  float32", percent(accuracy.float32)),
            ("  int8", percent(accuracy.int8)),
            ("int8 against float32", ""),
            ("  same class", percent(parity.argmax_agreement)),
            ("  largest error of a logit", f"{parity.max_abs_error:.4g}"),
            ("size of the int8 model", f"{size(report.model_bytes)} (float32 {size(report.float_model_bytes)})"),
        ]
    )
    print_next("bundle", "verify", report.bundle.path)
