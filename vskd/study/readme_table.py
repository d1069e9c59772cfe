"""The documents' figures, made from the committed files in results/ so that no figure is typed by hand.

README.md gets a short table, which says of each comparison named in results/headline.json whether distillation helped;
results/README.md gets the full tables. Each stands between two markers.

`python -m vskd.study.readme_table README.md results` rewrites both; with `--check` it only says whether they are up to
date (exit code 1 if not). `--picture docs/gain.png` draws the short table's gains, too.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vskd.datasets.splits.protocol import load_protocol
from vskd.errors import DataError, VskdError
from vskd.evaluation.report import formatting
from vskd.evaluation.report.plots import ForestRow, interval_plot
from vskd.evaluation.results import ALL_LABELS, Results, read_results
from vskd.files import write_bytes, write_text
from vskd.schema import read_json
from vskd.study.audit_file import AUDIT, AuditScores, read_audit
from vskd.study.comparison_schema import Comparison, Row, Versus, read_comparison
from vskd.study.controls import is_control

BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
HEADLINE = "headline.json"
"""In the results folder: a list of the folders whose comparisons the short table shows, in its order."""
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
SHORT_HEADER = (
    "data set, protocol",
    "tested on",
    "recipe",
    "without learning",
    "teacher",
    "student alone",
    "student with teacher",
    "gain in points (95 % over subjects)",
)
EMPTY = "No results are committed yet."


def results_table(results_root: Path) -> str:
    """Markdown of every comparison.json under `results_root`, and of every results.json that no comparison is above.

    One table per protocol and split: figures of different protocols do not share one. Links are relative to
    `results_root`.

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


@dataclass(frozen=True)
class Answer:
    """Whether distillation helped in one comparison: the shipped model with a teacher beside the one without.

    Attributes:
        comparison: the whole of it.
        student: the row of the student with a teacher; its int8 bundle where there is one.
        alone: the row of the same kind without a teacher.
        versus: the first against the second.
        baseline: the best accuracy without learning; None where it was not measured.
    """

    comparison: Comparison
    student: Row
    alone: Row
    versus: Versus
    baseline: float | None

    @property
    def new_people(self) -> bool:
        """Whether nobody who is tested was seen in training."""
        return load_protocol(self.comparison.dataset, self.comparison.protocol).disjoint == "subject"

    @property
    def helped(self) -> bool:
        """Whether the interval of the gain lies above zero."""
        return self.versus.subjects is not None and self.versus.subjects[0] > 0


def answers(results_root: Path) -> list[Answer]:
    """One for every student with a teacher in the comparisons of headline.json.

    Raises:
        DataError: headline.json names a comparison that is not there, or a file does not fit its schema.
    """
    file = results_root / HEADLINE
    if not file.is_file():
        return []
    folders: tuple[str, ...] = read_json(
        file, tuple[str, ...], DataError, "Write a list of folders below it, whose comparison.json is shown"
    )
    return [answer for folder in folders for answer in _answers_of(results_root / folder)]


def _answers_of(folder: Path) -> list[Answer]:
    comparison = read_comparison(folder / "comparison.json")
    kinds = {row.kind for row in comparison.rows}
    shipped = "bundle" if "bundle" in kinds else "student"
    rows = [row for row in comparison.rows if row.kind == shipped]
    by_recipe = {row.recipe: row for row in rows}
    found = _baselines(folder / AUDIT)
    best = max((figures.accuracy for figures in found.values()), default=None)
    return [
        Answer(comparison, row, alone, row.versus_baseline, best)
        for row in rows
        if row.versus_baseline is not None
        and (alone := by_recipe.get(row.baseline or comparison.baseline or "")) is not None
        and not is_control(row.recipe, by_recipe)
    ]


def headline_table(results_root: Path) -> str:
    """The short table, one line for every answer, and how many of them are yes."""
    found = answers(results_root)
    if not found:
        return EMPTY
    helped = sum(answer.helped for answer in found)
    verdict = f"The teacher helped, its interval above zero, in {helped} of these {len(found)} comparisons."
    return f"{_table(SHORT_HEADER, [_answer_cells(answer) for answer in found])}\n\n{verdict}"


def _answer_cells(answer: Answer) -> tuple[str, ...]:
    comparison, student, versus = answer.comparison, answer.student, answer.versus
    return (
        f"{comparison.dataset}, {comparison.protocol}",
        "new people" if answer.new_people else "people seen in training",
        student.recipe + (f" (labels: {student.labels})" if student.labels != ALL_LABELS else ""),
        "–" if answer.baseline is None else formatting.percent(answer.baseline),
        "–" if student.teacher_accuracy is None else formatting.percent(student.teacher_accuracy),
        formatting.percent_spread(answer.alone.accuracy.mean, answer.alone.accuracy.std),
        formatting.percent_spread(student.accuracy.mean, student.accuracy.std),
        f"{formatting.points(versus.difference)} ({formatting.points_interval(versus.subjects)})",
    )


def headline_picture(results_root: Path) -> bytes:
    """The gains of the short table with their intervals, as PNG."""
    rows = [
        ForestRow(
            f"{answer.comparison.dataset}, {answer.comparison.protocol}: {answer.student.recipe}",
            answer.versus.difference,
            answer.versus.subjects,
            note=formatting.points(answer.versus.difference),
            emphasis=answer.new_people,
        )
        for answer in answers(results_root)
    ]
    label = "accuracy with teacher minus without in points, 95 % over subjects"
    return interval_plot(rows, label, reference=0.0, differences=True)


def update_document(document: Path, section: str, *, check: bool = False) -> bool:
    """Put `section` between the markers of `document`; with `check`, change nothing.

    Returns:
        Whether the document was up to date already.

    Raises:
        DataError: the document cannot be read or lacks the markers.
        WriteError: the document cannot be written.
    """
    try:
        text = document.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{document}: cannot be read: {error}", "Name the README file") from error
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise DataError(f"{document}: the markers {BEGIN} and {END} are missing", "Put them where the table belongs")
    wanted = f"{before}{BEGIN}\n{section}\n{END}{after}"
    if wanted != text and not check:
        write_text(document, wanted)
    return wanted == text


def out_of_date(readme: Path, results_root: Path, *, check: bool = False) -> list[Path]:
    """The documents whose tables were not those of the results; without `check`, they are rewritten.

    Raises:
        DataError: a document cannot be read or lacks the markers, or a results file does not fit its schema.
        WriteError: a document cannot be written.
    """
    sections = {readme: headline_table(results_root), results_root / "README.md": results_table(results_root)}
    return [document for document, section in sections.items() if not update_document(document, section, check=check)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: `readme_table [--check] [--picture PNG] README RESULTS`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="readme_table", description="Render the tables of README and results.")
    parser.add_argument("readme", type=Path)
    parser.add_argument("results", type=Path, help="holds the results and a README.md of its own")
    parser.add_argument("--check", action="store_true", help="change nothing, exit with 1 when out of date")
    parser.add_argument("--picture", type=Path, metavar="PNG", help="draw the short table's gains into this file")
    options = parser.parse_args(arguments)
    try:
        changed = out_of_date(options.readme, options.results, check=options.check)
        if options.picture is not None and not options.check:
            write_bytes(options.picture, headline_picture(options.results))
    except VskdError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if options.check and changed:
        named = ", ".join(map(str, changed))
        sys.stderr.write(f"error: the results table of {named} is out of date. Run this without --check.\n")
        return 1
    return 0


def _comparison_part(comparison: Comparison, source: str) -> str:
    folds = f", {len(comparison.folds)} folds" if len(comparison.folds) > 1 else ""
    caption = (
        f"**{comparison.dataset}, {comparison.protocol}** ({comparison.split} split, n = {comparison.n}{folds}, "
        f"protocol `{comparison.protocol_hash[:12]}`, from [{source}]({source}))"
    )
    rows = [_comparison_cells(row) for row in comparison.rows]
    return f"{caption}\n\n{_labelled_table(HEADER, rows, [row.labels for row in comparison.rows])}"


def _baselines(audit: Path) -> Mapping[str, AuditScores]:
    """What needs no learning -> its figures, of a protocol's audit; empty where there is none."""
    if not audit.is_file():
        return {}
    return read_audit(audit).pooled


def _without_learning(audit: Path) -> str:
    """A line with the baselines of the protocol's audit, where there is one."""
    shown = [
        f"{name} {formatting.percent(figures.accuracy)} (macro F1 {formatting.percent(figures.macro_f1)})"
        for name, figures in _baselines(audit).items()
    ]
    return f"\n\nWithout learning, on the same recordings: {', '.join(shown)}." if shown else ""


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
    return f"{caption}\n\n{_labelled_table(header, rows, [results.labels_title for results, _ in group])}"


def _labelled_table(header: Sequence[str], rows: Sequence[tuple[str, ...]], labels: Sequence[str]) -> str:
    """A table with the label setting of each row behind recipe and model, unless every row had all labels."""
    if set(labels) <= {ALL_LABELS}:
        return _table(header, rows)
    lines = [(*row[:2], said, *row[2:]) for row, said in zip(rows, labels, strict=True)]
    return _table((*header[:2], "labels", *header[2:]), lines)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (header, *rows)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    lines.insert(1, "|" + " --- |" * len(header))
    return "\n".join(lines)


def _shown(path: Path, results_root: Path) -> str:
    """Path of a results file as a link from the README that lies in `results_root`."""
    return path.relative_to(results_root).as_posix()


if __name__ == "__main__":
    sys.exit(main())
