"""The README's results section, made from the committed files in results/ so that no figure is typed by hand.

`python -m vskd.study.readme_table README.md results` rewrites the section; with `--check` it only says whether it
is up to date (exit code 1 if not).
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from vskd.errors import DataError, VskdError
from vskd.evaluation.report import formatting
from vskd.evaluation.results import Results, read_results
from vskd.files import write_text
from vskd.study.comparison_schema import Comparison, Row, read_comparison
from vskd.study.publish import AUDIT

BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
HEADER = (
    "recipe",
    "model",
    "accuracy",
    "95 % over subjects",
    "macro F1",
    "teacher",
    "vs no-KD",
    "McNemar p per seed",
    "seeds",
)
EMPTY = "No results are committed yet."


def results_table(results_root: Path) -> str:
    """Markdown of every comparison.json under `results_root`, and of every results.json that no comparison is above.

    One table per protocol and split: figures of different protocols do not share one.

    Raises:
        DataError: a file does not fit its schema.
    """
    comparisons = sorted(results_root.rglob("comparison.json"))
    covered = {path.parent for path in comparisons}
    single = [path for path in sorted(results_root.rglob("results.json")) if not covered & set(path.parents)]
    parts = [
        _comparison_part(read_comparison(path), _shown(path, results_root)) + _without_learning(path.with_name(AUDIT))
        for path in comparisons
    ]
    groups: dict[tuple[str, str, str, str], list[tuple[Results, str]]] = defaultdict(list)
    for path in single:
        results = read_results(path)
        key = (results.dataset, results.protocol.name, results.protocol.hash, results.split)
        groups[key].append((results, _shown(path, results_root)))
    parts += [_single_part(key, groups[key]) for key in sorted(groups)]
    return "\n\n".join(parts) if parts else EMPTY


def update_readme(readme: Path, results_root: Path, *, check: bool = False) -> bool:
    """Put the table between the markers of `readme`; with `check`, change nothing.

    Returns:
        Whether the README was up to date already.

    Raises:
        DataError: the README cannot be read or lacks the markers, or a results file does not fit its schema.
        WriteError: the README cannot be written.
    """
    try:
        text = readme.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{readme}: cannot be read: {error}", "Name the README file") from error
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise DataError(f"{readme}: the markers {BEGIN} and {END} are missing", "Put them where the table belongs")
    wanted = f"{before}{BEGIN}\n{results_table(results_root)}\n{END}{after}"
    if wanted != text and not check:
        write_text(readme, wanted)
    return wanted == text


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: `readme_table [--check] README RESULTS`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="readme_table", description="Render the README's results table.")
    parser.add_argument("readme", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--check", action="store_true", help="change nothing, exit with 1 when out of date")
    options = parser.parse_args(arguments)
    try:
        current = update_readme(options.readme, options.results, check=options.check)
    except VskdError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if options.check and not current:
        sys.stderr.write(f"error: the results table of {options.readme} is out of date. Run this without --check.\n")
        return 1
    return 0


def _comparison_part(comparison: Comparison, source: str) -> str:
    folds = f", {len(comparison.folds)} folds" if len(comparison.folds) > 1 else ""
    caption = (
        f"**{comparison.dataset}, {comparison.protocol}** ({comparison.split} split, n = {comparison.n}{folds}, "
        f"protocol `{comparison.protocol_hash[:12]}`, from [{source}]({source}))"
    )
    return f"{caption}\n\n{_table(HEADER, [_comparison_cells(row) for row in comparison.rows])}"


def _without_learning(audit: Path) -> str:
    """A line with the baselines of the protocol's audit, where there is one."""
    if not audit.is_file():
        return ""
    pooled = json.loads(audit.read_text(encoding="utf-8"))["pooled"]
    shown = (
        f"{name} {formatting.percent(figures['accuracy'])} (macro F1 {formatting.percent(figures['macro_f1'])})"
        for name, figures in pooled.items()
    )
    return f"\n\nWithout learning, on the same recordings: {', '.join(shown)}."


def _comparison_cells(row: Row) -> tuple[str, ...]:
    versus = row.versus_baseline
    return (
        row.recipe,
        row.kind,
        formatting.percent_spread(row.accuracy.mean, row.accuracy.std),
        formatting.percent_interval(row.accuracy.intervals.subjects),
        formatting.percent_spread(row.macro_f1.mean, row.macro_f1.std),
        "–" if row.teacher_accuracy is None else formatting.percent(row.teacher_accuracy),
        f"{formatting.points(versus.difference)} ({formatting.points_interval(versus.subjects)})" if versus else "–",
        ", ".join(f"{test.p_value:.2g}" for test in versus.tests) if versus else "–",
        ", ".join(map(str, row.seeds)),
    )


def _single_part(key: tuple[str, str, str, str], group: Sequence[tuple[Results, str]]) -> str:
    dataset, protocol, protocol_hash, split = key
    caption = f"**{dataset}, {protocol}** ({split} split, protocol `{protocol_hash[:12]}`)"
    header = ("recipe", "model", "seed", "n", "accuracy", "95 % over subjects", "macro F1", "teacher", "from")
    rows = [
        (
            results.recipe,
            results.kind,
            str(results.seed) + (f", fold {results.protocol.fold}" if results.protocol.fold else ""),
            str(results.n),
            formatting.percent(results.accuracy),
            formatting.percent_interval(results.intervals["accuracy"].subjects),
            formatting.percent(results.macro_f1),
            formatting.percent(results.teacher.accuracy) if results.teacher else "–",
            f"[{source}]({source})",
        )
        for results, source in group
    ]
    return f"{caption}\n\n{_table(header, rows)}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (header, *rows)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    lines.insert(1, "|" + " --- |" * len(header))
    return "\n".join(lines)


def _shown(path: Path, results_root: Path) -> str:
    """Path of a results file as a link relative to the README, which lies beside `results_root`."""
    return (Path(results_root.name) / path.relative_to(results_root)).as_posix()


if __name__ == "__main__":
    sys.exit(main())
