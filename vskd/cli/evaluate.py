"""`vskd evaluate`: measure a run or a bundle."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from vskd.cli.options import FOLDER, VskdCommand, json_option
from vskd.cli.output import print_fields, print_json, print_next, print_notes

if TYPE_CHECKING:
    from vskd.evaluation.results import LatencyRow, Results

BUNDLE_FILES = ("manifest.json", "model.tflite")  # either: a bundle that lost one must be refused as a bundle


@click.command(
    cls=VskdCommand,
    examples=(
        "vskd evaluate RUN",
        "vskd evaluate RUN --split validation --json",
        "vskd evaluate BUNDLE --data UTD-MHAD --protocol cross-subject --out int8-results",
    ),
)
@click.argument("target", type=FOLDER, metavar="RUN|BUNDLE")
@click.option("--data", type=FOLDER, help="Folder of the data set (bundles only: a run knows its own).")
@click.option("--dataset", metavar="NAME", help="Data set (bundles only); by default the bundle's own.")
@click.option("--protocol", metavar="NAME", help="Protocol (bundles only); by default the bundle's own.")
@click.option("--fold", metavar="FOLD", help="Fold of a protocol that has folds (bundles only).")
@click.option("--out", type=FOLDER, help="Folder for the results (bundles only).  [default: BUNDLE-results]")
@click.option(
    "--split",
    type=click.Choice(["test", "validation"]),
    default="test",
    show_default=True,
    help="Part to measure a run on: choose settings on validation, report on test.",
)
@json_option
def evaluate(
    target: Path,
    data: Path | None,
    dataset: str | None,
    protocol: str | None,
    fold: str | None,
    out: Path | None,
    split: Literal["test", "validation"],
    as_json: bool,
) -> None:
    """Measure a run or a bundle on the test recordings of its protocol.

    A run folder gets predictions.csv, results.json and report.html. A bundle is run by LiteRT: the figures are those of
    the int8 model itself, and its latency on this machine comes with them.
    """
    is_bundle = any((target / name).exists() for name in BUNDLE_FILES)
    bundle_options = {"--data": data, "--dataset": dataset, "--protocol": protocol, "--fold": fold, "--out": out}
    if is_bundle:
        if data is None:
            raise click.UsageError("A bundle needs --data to be evaluated")
        if split != "test":
            raise click.UsageError("--split only fits a run: a bundle is measured on test recordings")
        from vskd.export.evaluate import evaluate_bundle

        results = evaluate_bundle(target, data, dataset, protocol, fold, out)
    else:
        given = [name for name, value in bundle_options.items() if value is not None]
        if given:
            raise click.UsageError(
                f"{', '.join(given)} only fits a bundle, and {target} is none; a run knows its own recipe"
            )
        from vskd.evaluation.evaluate import evaluate_run

        results = evaluate_run(target, split=split)
    if as_json:
        print_json(results.model_dump(mode="json", by_alias=True))
    else:
        _print_results(results, _samples(target) if is_bundle else "")
        if results.kind == "student" and split == "test":
            print_next("export", target, "--out", "BUNDLE")


def _samples(bundle: Path) -> str:
    """What the bundle's model takes one at a time."""
    from vskd.bundle.bundle import load_bundle

    return {"image": "images", "clip": "clips"}.get(load_bundle(bundle).manifest.contract.kind, "windows")


def _print_results(results: "Results", samples: str) -> None:
    """The figures that decide, with their intervals; everything else is in results.json and report.html.

    Args:
        results: of a run or a bundle.
        samples: `images` or `windows`, of which a bundle takes so many per second; not used for a run.
    """
    from vskd.evaluation.report.formatting import percent, percent_interval

    protocol = results.protocol
    fold = f", fold {protocol.fold}" if protocol.fold else ""
    fields: list[tuple[str, object]] = [
        ("model", f"{results.kind}, {results.network}, distiller {results.distiller or '-'}, seed {results.seed}"),
        ("protocol", f"{protocol.name}{fold}, {results.n} {results.split} recordings (hash {protocol.hash[:12]})"),
    ]
    if results.data is not None:
        fields.append(("data", f"hash {results.data.hash[:12]}"))
    for name in ("accuracy", "macro_f1"):
        fields.append((name.replace("_", " "), percent(getattr(results, name))))
        interval = results.intervals.get(name)
        if interval is not None:
            fields.append(("  95 % over recordings", percent_interval(interval.recordings)))
            fields.append(("  95 % over subjects", percent_interval(interval.subjects)))
    if results.mean_average_precision is not None:
        fields.append(("mean average precision", percent(results.mean_average_precision)))
    fields.append(("calibration error", percent(results.ece)))
    fields += _over_time(results)
    if results.teacher is not None:
        fields.append(("teacher's accuracy", percent(results.teacher.accuracy)))
    fields += [(f"latency, {row.model}", _latency(row, samples)) for row in results.latency]
    print_fields(fields)
    print_notes(results.remarks)


def _over_time(results: "Results") -> list[tuple[str, object]]:
    """Figures of windows and of events, where there are any."""
    from vskd.evaluation.report.formatting import percent

    windows, events = results.windows, results.events
    fields: list[tuple[str, object]] = []
    if windows is not None:
        shares = f"accuracy {percent(windows.accuracy)}, macro F1 {percent(windows.macro_f1)}"
        fields.append((f"{windows.n} windows", shares))
    if events is not None:
        f1 = f"F1 {percent(events.segment_f1['0.5'])} at half overlap, {percent(events.onset_f1)} by onset"
        alarms = f"{events.false_alarms_per_hour:.1f} false alarms an hour"
        latency = "" if events.latency_s is None else f", median latency {events.latency_s:.2f} s"
        fields.append((f"{events.n} events", f"{f1}, {alarms}, {percent(events.found)} found{latency}"))
    return fields


def _latency(row: "LatencyRow", samples: str) -> str:
    """`p50 1.200 ms, p95 1.500 ms, 800 images/s (batch 1, 1 thread, 10 warm-up and 100 measured runs)`."""
    threads = "1 thread" if row.threads == 1 else f"{row.threads} threads"
    times = f"p50 {row.p50_ms:.3f} ms, p95 {row.p95_ms:.3f} ms, {row.images_per_s:.0f} {samples}/s"
    return f"{times} (batch 1, {threads}, {row.warmup} warm-up and {row.runs} measured runs)"
