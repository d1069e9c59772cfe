"""The comparison as text, CSV and HTML says the same as its JSON."""

import csv
import io
import re
from itertools import product
from pathlib import Path

import pytest

from vskd.evaluation.report.plots import ForestRow
from vskd.evaluation.results import Bootstrap, LabelsStamp
from vskd.study.comparison import Comparison, compare
from vskd.study.comparison_tables import to_csv, to_html, to_text, write_comparison


@pytest.fixture
def comparison(make_predictions, make_results) -> Comparison:
    runs = []
    for recipe, distiller, skill in (("plain", "none", 1.0), ("dask <fast>", "dask", 2.0)):
        for seed in (0, 1):
            predictions = make_predictions(seed=seed + 10 * int(skill), skill=skill, subjects=4)
            runs.append((recipe, seed, make_results(predictions, distiller=distiller, seed=seed), predictions))
    return compare(runs, bootstrap=Bootstrap(resamples=50))


def test_text_is_aligned_and_complete(comparison: Comparison) -> None:
    lines = to_text(comparison).splitlines()
    assert lines[0] == "synthetic, protocol cross-subject (abababababab), test split, 60 recordings"
    header, rule, *rows = lines[2:6]
    starts = [match.start() for match in re.finditer(r"-+", rule)]
    for line in (header, *rows):
        assert all(start == 0 or line[start - 2 : start] == "  " for start in starts)
    row = comparison.rows[1]
    assert f"{100 * row.accuracy.mean:.1f} ± {100 * row.accuracy.std:.1f}" in rows[1]
    for test in row.versus_baseline.tests:
        assert f"{test.seed}: {test.only_candidate}/{test.only_baseline} p" in rows[1]
    assert "plain (baseline)" in rows[0]
    assert any("4 subjects" in line for line in lines)


def test_csv_holds_unrounded_figures(comparison: Comparison) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(comparison))))
    assert len(rows) == 2
    for record, row in zip(rows, comparison.rows, strict=True):
        assert record["protocol_hash"] == "ab" * 32
        assert float(record["accuracy_mean"]) == row.accuracy.mean
        assert float(record["accuracy_subjects_low"]) == row.accuracy.intervals.subjects[0]
        assert float(record["macro_f1_std"]) == row.macro_f1.std
        assert float(record["seed_1_accuracy"]) == row.accuracy.per_seed[1]
    assert rows[0]["seed_0_mcnemar_p"] == ""
    assert float(rows[1]["seed_0_mcnemar_p"]) == comparison.rows[1].versus_baseline.tests[0].p_value


def test_html_is_self_contained_and_escaped(comparison: Comparison) -> None:
    page = to_html(comparison)
    assert not re.search(r"https?://|<script|<link|@import|url\(", page)
    assert all(source.startswith("data:image/png;base64,") for source in re.findall(r'src="([^"]*)"', page))
    assert page.count("<img") == 2
    assert "dask &lt;fast&gt;" in page
    assert "<fast>" not in page
    assert "ab" * 32 in page


def drawn_plots(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[float], float | None]]:
    """Values of the lines of each plot, and where its reference line is."""
    drawn: list[tuple[list[float], float | None]] = []

    def draw(lines: list[ForestRow], _: str, reference: float | None = None) -> bytes:
        drawn.append(([line.value for line in lines], reference))
        return b""

    monkeypatch.setattr("vskd.study.comparison_tables.interval_plot", draw)
    to_html(comparison)
    return drawn


@pytest.mark.parametrize("order", [("plain", "dask"), ("dask", "plain")])
def test_the_reference_line_is_the_accuracy_of_the_float_baseline(
    make_predictions, make_results, monkeypatch: pytest.MonkeyPatch, order: tuple[str, str]
) -> None:
    """Not that of its int8 model, of a teacher, or of whatever row comes first."""
    skills = {("plain", "student"): 1.0, ("plain", "bundle"): 0.2, ("dask", "student"): 2.0, ("dask", "teacher"): 4.0}
    runs = []
    for (recipe, kind), skill in sorted(skills.items(), key=lambda item: order.index(item[0][0])):
        predictions = make_predictions(seed=3, n=200, skill=skill)
        distiller = {"plain": "none", "dask": "dask"}[recipe] if kind != "teacher" else None
        runs.append((recipe, 0, make_results(predictions, kind=kind, distiller=distiller), predictions))
    comparison = compare(runs, bootstrap=Bootstrap(resamples=20))
    accuracies = {(row.recipe, row.kind): row.accuracy.mean for row in comparison.rows}
    assert len(set(accuracies.values())) == len(skills)
    (rows, reference), (differences, zero) = drawn_plots(comparison, monkeypatch)
    assert rows == [row.accuracy.mean for row in comparison.rows]
    assert reference == accuracies["plain", "student"]
    assert differences == [row.versus_baseline.difference for row in comparison.rows if row.versus_baseline]
    assert (len(differences), zero) == (1, 0.0)


def test_where_each_label_setting_has_its_baseline_there_is_no_reference_line(
    make_predictions, make_results, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any line would be that of another row's baseline."""
    runs = []
    for number, (title, distiller) in enumerate(product(("all", "subject 1"), ("none", "kd"))):
        predictions = make_predictions(seed=number, n=200, skill=0.5 + number)
        labels = LabelsStamp(title=title, hash=f"{len(title):064}", labelled=4, unlabelled=8)
        recipe = f"{distiller}-{title}"
        runs.append(
            (recipe, 0, make_results(predictions, recipe=recipe, labels=labels, distiller=distiller), predictions)
        )
    comparison = compare(runs, bootstrap=Bootstrap(resamples=20))
    assert [row.is_baseline for row in comparison.rows] == [True, False, True, False]
    (_, reference), (differences, zero) = drawn_plots(comparison, monkeypatch)
    assert reference is None
    assert (len(differences), zero) == (2, 0.0)


def test_html_without_baseline_has_no_difference_plot(make_predictions, make_results) -> None:
    predictions = make_predictions()
    page = to_html(compare([("dask", 0, make_results(predictions), predictions)], bootstrap=Bootstrap(resamples=20)))
    assert page.count("<img") == 1
    assert "Against the baseline" not in page


def test_all_forms_are_written(comparison: Comparison, tmp_path: Path) -> None:
    write_comparison(comparison, tmp_path / "out")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"comparison.{end}" for end in ("csv", "html", "json", "tex", "txt")]


def two_settings(make_predictions, make_results) -> Comparison:
    """A student with few labels and one with all."""
    runs = []
    for recipe, title in (("kd", "subject 1 <&>"), ("kd-all-labels", "all")):
        predictions = make_predictions(seed=len(recipe))
        labels = LabelsStamp(title=title, hash=f"{len(recipe):064}", labelled=4, unlabelled=8)
        distiller = "none" if title == "all" else "kd"
        results = make_results(predictions, recipe=recipe, labels=labels, distiller=distiller)
        runs.append((recipe, 0, results, predictions))
    return compare(runs, bootstrap=Bootstrap(resamples=20))


def test_tables_have_a_column_of_labels_where_not_all_rows_have_all(make_predictions, make_results) -> None:
    comparison = two_settings(make_predictions, make_results)
    header, _, first, second = to_text(comparison).splitlines()[2:6]
    assert header.split()[:3] == ["recipe", "model", "labels"]
    place = header.index("labels")
    assert first[place:].startswith("subject 1 <&>  0") and second[place:].startswith("all ")
    page = to_html(comparison)
    assert "<th>labels</th>" in page and "subject 1 &lt;&amp;&gt;" in page and f"{2:064}" in page
    rows = list(csv.DictReader(io.StringIO(to_csv(comparison))))
    assert [row["labels"] for row in rows] == ["subject 1 <&>", "all"]
    assert [row["labels_hash"] for row in rows] == [f"{2:064}", f"{13:064}"]


def test_tables_of_all_labels_have_no_such_column(comparison: Comparison) -> None:
    assert "labels" not in to_text(comparison)
    assert "<th>labels</th>" not in to_html(comparison)
    rows = list(csv.DictReader(io.StringIO(to_csv(comparison))))
    assert {(row["labels"], row["labels_hash"]) for row in rows} == {("all", "")}


def test_intervals_that_are_not_there_are_dashes_and_empty_cells(make_predictions, make_results) -> None:
    runs = []
    for recipe, distiller in (("plain", "none"), ("dask", "dask")):
        found = make_predictions(subjects=1)
        runs.append((recipe, 0, make_results(found, distiller=distiller), found))
    comparison = compare(runs, bootstrap=Bootstrap(resamples=20))
    assert comparison.rows[0].accuracy.intervals.subjects is None
    assert comparison.rows[1].versus_baseline.recordings is None  # both answer alike
    (_, row) = csv.DictReader(io.StringIO(to_csv(comparison)))
    assert row["accuracy_subjects_low"] == row["difference_subjects_high"] == "" != row["accuracy_recordings_low"]
    assert "–" in to_text(comparison) and "of one subject" in to_text(comparison)
    assert "–" in to_html(comparison)
