"""A comparison as aligned text, CSV, LaTeX and self-contained HTML."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from vskd.evaluation.report import formatting
from vskd.evaluation.report.plots import ForestRow, data_uri, interval_plot
from vskd.files import write_json, write_text
from vskd.study.comparison_latex import to_latex
from vskd.study.comparison_plots import curve_plot, pareto_plot
from vskd.study.comparison_schema import Comparison, Row, Summary
from vskd.study.controls import CONTROLS

HEADER = ("recipe", "model", "seeds", "n", "accuracy", "95% recordings", "95% subjects", "macro F1", "teacher",
          "vs no-KD", "95% subjects", "permutation", "McNemar per seed (only this / only baseline right)")  # fmt: skip


def write_comparison(comparison: Comparison, folder: Path) -> None:
    """Write comparison.json, .txt, .csv, .tex and .html into `folder`, each atomically.

    Raises:
        WriteError: a file cannot be written; earlier files are left untouched.
    """
    write_json(folder / "comparison.json", comparison.model_dump(mode="json", by_alias=True))
    write_text(folder / "comparison.txt", to_text(comparison))
    write_text(folder / "comparison.csv", to_csv(comparison))
    write_text(folder / "comparison.tex", to_latex(comparison))
    write_text(folder / "comparison.html", to_html(comparison))


def headline(comparison: Comparison) -> str:
    """Which recordings the table is about: data set, protocol with hash, split, n."""
    folds = f", {len(comparison.folds)} folds" if len(comparison.folds) > 1 else ""
    return (
        f"{comparison.dataset}, protocol {comparison.protocol} ({comparison.protocol_hash[:12]}{folds}), "
        f"{comparison.split} split, {comparison.n} recordings"
    )


def to_text(comparison: Comparison) -> str:
    """Plain aligned table with a heading and notes, ends with a newline."""
    labels, rows = comparison.says_labels, comparison.rows
    table = [_with_labels(HEADER, "labels", labels), *(_with_labels(_cells(r), r.labels, labels) for r in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    table.insert(1, tuple("-" * width for width in widths))
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table]
    notes = [f"note: {note}" for note in comparison.notes]
    said = [f"forecast: {row.recipe}, {forecast}" for row in rows for forecast in row.forecasts]
    below = [*said, *notes]
    return "\n".join([headline(comparison), "", *lines, *([""] if below else []), *below]) + "\n"


def to_csv(comparison: Comparison) -> str:
    """One line per row with unrounded figures; figures of single seeds have columns of their own."""
    seeds = sorted({seed for row in comparison.rows for seed in row.seeds})
    records = [_record(comparison, row, seeds) for row in comparison.rows]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return buffer.getvalue()


def to_html(comparison: Comparison) -> str:
    """Self-contained page: interval plots (data URIs) and the table."""
    context = {
        "title": f"{comparison.dataset}: {comparison.protocol}",
        "comparison": comparison,
        "headline": headline(comparison),
        "accuracy_plot": data_uri(_accuracy_plot(comparison)),
        "difference_plot": _shown(_difference_plot(comparison)),
        "controls_plot": _shown(_controls_plot(comparison)),
        "pareto_plot": _shown(pareto_plot(comparison)),
        "curve_plot": _shown(curve_plot(comparison)),
    }
    return formatting.render("comparison.html", context)


def _shown(plot: bytes | None) -> str | None:
    return None if plot is None else data_uri(plot)


def _with_labels(cells: tuple[str, ...], labels: str, shown: bool) -> tuple[str, ...]:
    """A line with its label setting behind recipe and model, where the table says them."""
    return (*cells[:2], labels, *cells[2:]) if shown else cells


def _cells(row: Row) -> tuple[str, ...]:
    versus = row.versus_baseline
    tests = versus.tests if versus else ()
    listed = "; ".join(f"{t.seed}: {t.only_candidate}/{t.only_baseline} {formatting.p_value(t.p_value)}" for t in tests)
    return (
        row.recipe + (" (baseline)" if row.is_baseline else ""),
        row.kind,
        ",".join(map(str, row.seeds)),
        str(row.n),
        formatting.percent_spread(row.accuracy.mean, row.accuracy.std),
        formatting.percent_interval(row.accuracy.intervals.recordings),
        formatting.percent_interval(row.accuracy.intervals.subjects),
        formatting.percent_spread(row.macro_f1.mean, row.macro_f1.std),
        formatting.percent(row.teacher_accuracy) if row.teacher_accuracy is not None else "-",
        formatting.points(versus.difference) if versus else "-",
        formatting.points_interval(versus.subjects) if versus else "-",
        formatting.p_value(versus.permutation) if versus and versus.permutation is not None else "-",
        listed or "-",
    )


_Record = dict[str, str | int | float | None]


def _record(comparison: Comparison, row: Row, seeds: Sequence[int]) -> _Record:
    return {
        "dataset": comparison.dataset,
        "protocol": comparison.protocol,
        "protocol_hash": comparison.protocol_hash,
        "split": comparison.split,
        "recipe": row.recipe,
        "kind": row.kind,
        "network": row.network,
        "distiller": row.distiller,
        "labels": row.labels,
        "labels_hash": " ".join(dict.fromkeys(row.labels_hash.values())),
        "baseline": row.baseline or comparison.baseline,
        "seeds": len(row.seeds),
        "n": row.n,
        "teacher_accuracy": row.teacher_accuracy,
        "model_bytes": row.model_bytes,
        "parameters": row.parameters,
        "latency_ms": row.latency_ms,
        "labelled": row.labelled,
        **_metric("accuracy", row.accuracy),
        **_metric("macro_f1", row.macro_f1),
        **_differences(row),
        **_single_seeds(row, seeds),
    }


def _metric(name: str, summary: Summary) -> _Record:
    found: _Record = {f"{name}_mean": summary.mean, f"{name}_std": summary.std}
    for unit in ("recordings", "subjects"):
        found[f"{name}_{unit}_low"], found[f"{name}_{unit}_high"] = getattr(summary.intervals, unit) or (None, None)
    return found


def _differences(row: Row) -> _Record:
    """From the baseline, and from each control."""
    versus = row.versus_baseline
    low, high = (versus.subjects if versus else None) or (None, None)
    found: _Record = {
        "difference": versus.difference if versus else None,
        "difference_subjects_low": low,
        "difference_subjects_high": high,
        "permutation_p": versus.permutation if versus else None,
    }
    for control, (_, suffix) in CONTROLS.items():
        against = row.controls.get(f"{row.recipe}-{suffix}")
        found[f"vs_{control}_difference"] = against.difference if against else None
        found[f"vs_{control}_permutation_p"] = against.permutation if against else None
    return found


def _single_seeds(row: Row, seeds: Sequence[int]) -> _Record:
    accuracies = dict(zip(row.seeds, row.accuracy.per_seed, strict=True))
    tests = {test.seed: test for test in row.versus_baseline.tests} if row.versus_baseline else {}
    found: _Record = {}
    for seed in seeds:
        test = tests.get(seed)
        found[f"seed_{seed}_accuracy"] = accuracies.get(seed)
        found[f"seed_{seed}_only_candidate"] = test.only_candidate if test else None
        found[f"seed_{seed}_only_baseline"] = test.only_baseline if test else None
        found[f"seed_{seed}_mcnemar_p"] = test.p_value if test else None
    return found


def _label(row: Row) -> str:
    return f"{row.recipe} · {row.kind}"


def _accuracy_plot(comparison: Comparison) -> bytes:
    lines = [
        ForestRow(
            _label(row),
            row.accuracy.mean,
            row.accuracy.intervals.subjects,
            formatting.percent_spread(row.accuracy.mean, row.accuracy.std),
            not row.is_baseline and row.kind != "teacher",
        )
        for row in comparison.rows
    ]
    baselines = [row.accuracy.mean for row in comparison.rows if row.is_baseline and row.kind == "student"]
    reference = baselines[0] if len(baselines) == 1 else None  # of several, no line is that of every row
    return interval_plot(lines, "accuracy, 95 % interval over subjects", reference)


def _difference_plot(comparison: Comparison) -> bytes | None:
    lines = [
        ForestRow(
            _label(row) + ("" if comparison.baseline else f" − {row.baseline}"),
            versus.difference,
            versus.subjects,
            formatting.points(versus.difference),
            True,
        )
        for row in comparison.rows
        if (versus := row.versus_baseline)
    ]
    label = "accuracy minus baseline in points, 95 % interval over subjects"
    return interval_plot(lines, label, 0.0, differences=True) if lines else None


def _controls_plot(comparison: Comparison) -> bytes | None:
    """Every recipe against each of its controls; None where there is no other control than the baseline."""
    lines = [
        ForestRow(
            f"{_label(row)} − {name}", versus.difference, versus.subjects, formatting.points(versus.difference), True
        )
        for row in comparison.rows
        for name, versus in row.controls.items()
    ]
    others = any(name != (row.baseline or comparison.baseline) for row in comparison.rows for name in row.controls)
    label = "accuracy minus control in points, 95 % interval over subjects"
    return interval_plot(lines, label, 0.0, differences=True) if others else None
