"""report.html: one self-contained page about one evaluated run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vskd.errors import DataError
from vskd.evaluation.metrics import METRICS
from vskd.evaluation.predictions import Predictions
from vskd.evaluation.report import formatting, plots
from vskd.evaluation.results import Results
from vskd.files import write_text

KIND_NAMES = {"teacher": "Teacher", "student": "Student, float", "bundle": "Bundle, int8"}
CONFUSED_PAIRS = 8


def write_report(
    path: Path,
    results: Results,
    predictions: Predictions,
    training_rows: Sequence[Mapping[str, Any]] = (),
    pictures: Mapping[str, bytes] | None = None,
    *,
    reproduce: Sequence[str] = (),
) -> None:
    """Write the report atomically; all pictures are inside it, it loads nothing.

    Args:
        path: the HTML file.
        results: the figures, and the remarks.
        predictions: what the figures were computed from.
        training_rows: rows of metrics.jsonl (`epoch`, `train/...`, `validation/...`); none, no curves.
        pictures: caption -> PNG, e.g. of `vskd.modalities.tiles`.
        reproduce: shell commands that make this result again.

    Raises:
        DataError: `results` are not of `predictions`.
        WriteError: the file cannot be written; an earlier one is left untouched.
    """
    if (results.n, results.accuracy) != (len(predictions), METRICS["accuracy"](predictions)):
        raise DataError(
            f"{path}: the results (n={results.n}, accuracy={results.accuracy:.4f}) are not of these predictions "
            f"(n={len(predictions)})",
            "Compute the results from the same predictions",
        )
    curves = plots.training_curves(training_rows)
    context = {
        "title": f"{results.recipe}: {formatting.percent(results.accuracy)}",
        "results": results,
        "kind": KIND_NAMES[results.kind],
        "hardest": _confused_pairs(results, predictions.class_names),
        "confusion": plots.data_uri(plots.confusion_matrix(results.confusion, predictions.class_names)),
        "subjects": plots.data_uri(plots.subject_bars(results)),
        "reliability": plots.data_uri(plots.reliability_diagram(predictions, results.ece)),
        "curves": plots.data_uri(curves) if curves else None,
        "pictures": {caption: plots.data_uri(png) for caption, png in (pictures or {}).items()},
        "notes": results.remarks,
        "reproduce": reproduce,
    }
    write_text(path, formatting.render("report.html", context))


def _confused_pairs(results: Results, names: Sequence[str]) -> list[tuple[str, str, int, int]]:
    """The most frequent errors: (true class, predicted class, recordings, recordings of the true class)."""
    pairs = [
        (names[true], names[answer], count, sum(row))
        for true, row in enumerate(results.confusion)
        for answer, count in enumerate(row)
        if count and true != answer
    ]
    return sorted(pairs, key=lambda pair: (-pair[2], -pair[2] / pair[3], pair[:2]))[:CONFUSED_PAIRS]
