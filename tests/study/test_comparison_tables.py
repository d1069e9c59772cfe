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

    def draw(lines: list[ForestRow], label: str, reference: float | None = None, *, differences: bool = False) -> bytes:
        assert differences == ("in points" in label)
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
    assert '<th scope="col">labels</th>' in page and "subject 1 &lt;&amp;&gt;" in page and f"{2:064}" in page
    rows = list(csv.DictReader(io.StringIO(to_csv(comparison))))
    assert [row["labels"] for row in rows] == ["subject 1 <&>", "all"]
    assert [row["labels_hash"] for row in rows] == [f"{2:064}", f"{13:064}"]


def test_tables_of_all_labels_have_no_such_column(comparison: Comparison) -> None:
    assert "labels" not in to_text(comparison)
    assert '<th scope="col">labels</th>' not in to_html(comparison)
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


def test_every_column_of_the_csv_is_the_rows_own(comparison: Comparison) -> None:
    """By name, so that no two can be exchanged; what a row lacks is an empty cell."""
    row = comparison.rows[1].model_copy(
        update={
            "model_bytes": 11,
            "parameters": 22,
            "latency_ms": 3.5,
            "labelled": 44,
            "teacher_accuracy": 0.625,
            "controls": {f"{comparison.rows[1].recipe}-permuted": comparison.rows[1].versus_baseline},
        }
    )
    first = comparison.rows[0].model_copy(update={"seeds": (1,), "accuracy": comparison.rows[0].accuracy.model_copy(
        update={"per_seed": (0.5,)})})  # fmt: skip
    changed = comparison.model_copy(update={"rows": (first, row)})
    bare, record = csv.DictReader(io.StringIO(to_csv(changed)))
    versus = row.versus_baseline
    assert versus is not None and versus.subjects is not None
    expected = {
        "dataset": "synthetic", "protocol": "cross-subject", "split": "test", "recipe": "dask <fast>",
        "kind": "student", "network": "resnet18", "distiller": "dask", "baseline": "plain", "seeds": 2, "n": 60,
        "teacher_accuracy": 0.625, "model_bytes": 11, "parameters": 22, "latency_ms": 3.5, "labelled": 44,
        "difference": versus.difference, "permutation_p": versus.permutation,
        "difference_subjects_low": versus.subjects[0], "difference_subjects_high": versus.subjects[1],
        "vs_permuted_difference": versus.difference, "vs_permuted_permutation_p": versus.permutation,
        "vs_self_difference": "", "vs_self_permutation_p": "",
    }  # fmt: skip
    for name, summary in (("accuracy", row.accuracy), ("macro_f1", row.macro_f1)):
        expected |= {f"{name}_mean": summary.mean, f"{name}_std": summary.std}
        for unit, interval in (("recordings", summary.intervals.recordings), ("subjects", summary.intervals.subjects)):
            assert interval is not None
            expected |= {f"{name}_{unit}_low": interval[0], f"{name}_{unit}_high": interval[1]}
    for test, accuracy in zip(versus.tests, row.accuracy.per_seed, strict=True):
        expected |= {
            f"seed_{test.seed}_accuracy": accuracy,
            f"seed_{test.seed}_only_candidate": test.only_candidate,
            f"seed_{test.seed}_only_baseline": test.only_baseline,
            f"seed_{test.seed}_mcnemar_p": test.p_value,
        }
    assert {name: record[name] for name in expected} == {name: str(value) for name, value in expected.items()}
    assert (bare["seed_0_accuracy"], bare["seed_1_accuracy"], bare["difference"]) == ("", "0.5", "")
    assert bare["vs_permuted_difference"] == bare["permutation_p"] == bare["seed_1_only_candidate"] == ""


def test_every_cell_of_the_text_is_the_rows_own(comparison: Comparison) -> None:
    row = comparison.rows[1].model_copy(update={"teacher_accuracy": 0.625})
    versus = row.versus_baseline
    assert versus is not None
    text = to_text(comparison.model_copy(update={"rows": (comparison.rows[0], row)})).replace("\u00a0", " ")
    header, _, plain, line = text.splitlines()[2:6]
    accuracy, f1 = row.accuracy, row.macro_f1

    def percents(pair: tuple[float, float] | None) -> str:
        assert pair is not None
        return f"{100 * pair[0]:.1f}–{100 * pair[1]:.1f} %"

    assert versus.subjects is not None and f1.std is not None and accuracy.std is not None
    assert re.split(r"  +", line)[1:] == [
        *("student", "0,1", "60", f"{100 * accuracy.mean:.1f} ± {100 * accuracy.std:.1f} %"),
        *(percents(accuracy.intervals.recordings), percents(accuracy.intervals.subjects)),
        *(f"{100 * f1.mean:.1f} ± {100 * f1.std:.1f} %", "62.5 %", f"{100 * versus.difference:+.1f}"),
        f"{100 * versus.subjects[0]:+.1f} to {100 * versus.subjects[1]:+.1f}",
        "p < 0.001" if (versus.permutation or 0) < 0.001 else f"p = {versus.permutation:.3f}",
        "; ".join(
            f"{t.seed}: {t.only_candidate}/{t.only_baseline} "
            + ("p < 0.001" if t.p_value < 0.001 else f"p = {t.p_value:.3f}")
            for t in versus.tests
        ),
    ]
    assert re.split(r"  +", plain)[-4:] == ["-"] * 4
    assert len(re.split(r"  +", header)) == 13


def test_folds_are_counted_in_the_heading(comparison: Comparison) -> None:
    several = comparison.model_copy(update={"folds": {"1": "a", "2": "b", "3": "c"}})
    assert to_text(several).startswith("synthetic, protocol cross-subject (abababababab, 3 folds), test split, 60 ")
    alone = to_text(comparison.model_copy(update={"notes": ()}))
    assert "note" not in alone and not alone.endswith("\n\n")


def test_controls_have_a_picture_of_their_own_where_there_are_others_than_the_baseline(
    comparison: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = comparison.rows[1]
    versus = row.versus_baseline
    assert versus is not None
    other = versus.model_copy(update={"difference": 0.25})
    for controls, drawn in (({"plain": versus}, 2), ({"plain": versus, "dask <fast>-self": other}, 3)):
        changed = row.model_copy(update={"controls": controls})
        plots = drawn_plots(comparison.model_copy(update={"rows": (comparison.rows[0], changed)}), monkeypatch)
        assert len(plots) == drawn
        assert drawn == 2 or plots[2] == ([versus.difference, 0.25], 0.0)


def test_lines_of_the_plots_are_named_and_marked(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    """Baselines and teachers are grey."""
    lines: list[list[ForestRow]] = []
    monkeypatch.setattr(
        "vskd.study.comparison_tables.interval_plot", lambda rows, *_, **__: lines.append(list(rows)) or b"png"
    )
    teacher = comparison.rows[1].model_copy(update={"kind": "teacher", "versus_baseline": None})
    to_html(comparison.model_copy(update={"rows": (*comparison.rows, teacher)}))
    accuracies, differences = lines
    assert [(line.label, line.emphasis) for line in accuracies] == [
        *(("plain · student", False), ("dask <fast> · student", True), ("dask <fast> · teacher", False)),
    ]
    row = comparison.rows[1]
    assert [line.interval for line in accuracies] == [
        *(r.accuracy.intervals.subjects for r in comparison.rows),
        row.accuracy.intervals.subjects,
    ]
    assert row.versus_baseline is not None
    (line,) = differences
    assert (line.interval, line.emphasis) == (row.versus_baseline.subjects, True)
    assert line.note == f"{100 * row.versus_baseline.difference:+.1f}"


def test_a_row_names_its_own_baseline_or_else_that_of_the_table(comparison: Comparison) -> None:
    own, others = (comparison.rows[1].model_copy(update={"baseline": name}) for name in ("own", None))
    for of_table in ("plain", None):
        table = comparison.model_copy(update={"rows": (own, others), "baseline": of_table})
        rows = list(csv.DictReader(io.StringIO(to_csv(table))))
        assert [row["baseline"] for row in rows] == ["own", of_table or ""]
