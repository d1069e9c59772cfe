"""The documents' figures come from results/ and from nowhere else."""

import json
import re
import runpy
import sys
from pathlib import Path

import pytest

from vskd.errors import DataError
from vskd.evaluation.results import Bootstrap, LabelsStamp, write_results
from vskd.study.comparison import compare
from vskd.study.comparison_tables import write_comparison
from vskd.study.readme_table import (
    BEGIN,
    EMPTY,
    END,
    HEADLINE,
    answers,
    headline_picture,
    headline_table,
    main,
    out_of_date,
    results_table,
    update_document,
)

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def results_root(make_predictions, make_results, tmp_path: Path) -> Path:
    root = tmp_path / "results"
    runs = []
    for recipe, distiller, skill in (("plain", "none", 1.0), ("dask", "dask", 2.0)):
        for seed in (0, 1):
            predictions = make_predictions(seed=seed + 10 * int(skill), skill=skill)
            results = make_results(predictions, recipe=recipe, distiller=distiller, seed=seed)
            runs.append((recipe, seed, results, predictions))
            write_results(results, root / "a" / recipe / str(seed) / "results.json")  # covered by the comparison
    write_comparison(compare(runs, bootstrap=Bootstrap(resamples=50)), root / "a")
    predictions = make_predictions(seed=5)
    write_results(make_results(predictions, name="subject-specific", recipe="x|y"), root / "b" / "results.json")
    (root / HEADLINE).write_text('["a"]')
    (root / "README.md").write_text(f"# Results\n\n{BEGIN}\n{END}\n")
    return root


def cells(table: str) -> list[list[str]]:
    lines = [line for line in table.replace("\\|", "/").splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_one_table_per_protocol(results_root: Path) -> None:
    text = results_table(results_root).replace("\u00a0", " ")
    first, second = text.split("**synthetic, subject-specific**")
    assert "**synthetic, cross-subject** (test split, n = 60, protocol `abababababab`" in first
    assert "[a/comparison.json](a/comparison.json)" in first
    assert "[b/results.json](b/results.json)" in second
    assert [row[0] for row in cells(first)] == ["recipe", "---", "plain", "dask"]
    assert [row[0] for row in cells(second)] == ["recipe", "---", "x/y"]  # not the covered single results
    assert all(len({len(row) for row in cells(part)}) == 1 for part in (first, second))


def test_figures_are_those_of_the_file(results_root: Path) -> None:
    from vskd.study.comparison import read_comparison

    row = read_comparison(results_root / "a" / "comparison.json").rows[1]
    shown = cells(results_table(results_root).replace("\u00a0", " "))[3]
    assert shown[2] == f"{100 * row.accuracy.mean:.1f} ± {100 * row.accuracy.std:.1f} %"
    assert shown[6].startswith(f"{100 * row.versus_baseline.difference:+.1f} (")
    assert shown[8] == "0, 1"


def test_the_short_table_answers_for_the_student_with_a_teacher(results_root: Path) -> None:
    (answer,) = answers(results_root)
    assert (answer.student.recipe, answer.alone.recipe) == ("dask", "plain")
    assert answer.student.kind == answer.alone.kind == "student"  # there are no bundles
    assert answer.new_people and answer.baseline is None
    assert answer.helped == (answer.versus.subjects[0] > 0)
    *_, row = cells(headline_table(results_root).replace("\u00a0", " "))
    accuracy, alone = answer.student.accuracy, answer.alone.accuracy
    assert row[:3] == ["synthetic, cross-subject", "new people", "dask"]
    assert row[5] == f"{100 * alone.mean:.1f} ± {100 * alone.std:.1f} %"
    assert row[6] == f"{100 * accuracy.mean:.1f} ± {100 * accuracy.std:.1f} %"
    assert row[7].startswith(f"{100 * (accuracy.mean - alone.mean):+.1f} (")
    assert headline_table(results_root).endswith(f"above zero, in {int(answer.helped)} of these 1 comparisons.")


def test_the_short_table_shows_the_best_that_needs_no_learning(results_root: Path) -> None:
    pooled = {name: {"accuracy": a, "macro_f1": 0.1} for name, a in (("majority", 0.2), ("nearest", 0.4), ("x", 0.3))}
    (results_root / "a" / "audit.json").write_text(json.dumps({"dataset": "d", "folds": [], "pooled": pooled}))
    assert cells(headline_table(results_root).replace("\u00a0", " "))[-1][3] == "40.0 %"
    assert "nearest 40.0 % (macro F1 10.0 %)" in results_table(results_root).replace("\u00a0", " ")


def test_the_picture_is_a_png(results_root: Path, tmp_path: Path) -> None:
    readme, picture = tmp_path / "README.md", tmp_path / "gain.png"
    readme.write_text(f"{BEGIN}{END}")
    assert main([str(readme), str(results_root), "--picture", str(picture)]) == 0
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(headline_picture(results_root)) < 200_000


def test_a_comparison_that_is_not_there_is_named(results_root: Path) -> None:
    (results_root / HEADLINE).write_text('["nowhere"]')
    with pytest.raises(DataError, match="nowhere"):
        headline_table(results_root)


def test_update_and_check(results_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"# Title\n\n{BEGIN}\nold figures\n{END}\n\nThe end.\n")
    before = readme.read_text()
    assert main([str(readme), str(results_root), "--check"]) == 1
    assert "out of date" in capsys.readouterr().err
    assert readme.read_text() == before
    assert main([str(readme), str(results_root)]) == 0
    text = readme.read_text()
    assert "old figures" not in text
    assert text.startswith("# Title\n\n")
    assert text.endswith(f"{END}\n\nThe end.\n")
    assert main([str(readme), str(results_root), "--check"]) == 0
    assert out_of_date(readme, results_root) == []
    readme.write_text(text.replace("dask", "DASK", 1))
    assert out_of_date(readme, results_root, check=True) == [readme]
    table = results_root / "README.md"
    assert results_table(results_root) in table.read_text()
    table.write_text(table.read_text().replace("dask", "DASK", 1))
    assert out_of_date(readme, results_root, check=True) == [readme, table]


def test_no_results(tmp_path: Path) -> None:
    assert results_table(tmp_path) == headline_table(tmp_path) == EMPTY
    assert results_table(tmp_path / "nothing") == EMPTY


def test_bad_input(results_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    readme = tmp_path / "README.md"
    with pytest.raises(DataError, match=r"README\.md: cannot be read"):
        update_document(readme, "")
    readme.write_text(f"{END} {BEGIN}")
    with pytest.raises(DataError, match="markers"):
        update_document(readme, "")
    (results_root / "a" / "comparison.json").write_text("{")
    readme.write_text(f"{BEGIN}{END}")
    assert main([str(readme), str(results_root)]) == 1
    assert "comparison.json" in capsys.readouterr().err
    assert readme.read_text() == f"{BEGIN}{END}"


def test_the_tables_of_this_repository_are_current() -> None:
    """Byte for byte."""
    assert out_of_date(REPOSITORY / "README.md", REPOSITORY / "results", check=True) == [], (
        "Run: python -m vskd.study.readme_table README.md results --picture docs/gain.png"
    )


def test_the_short_table_of_this_repository_fits_a_screen() -> None:
    assert 4 <= len(answers(REPOSITORY / "results")) <= 8
    picture = REPOSITORY / "docs" / "gain.png"
    assert f"]({picture.relative_to(REPOSITORY)})" in (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert picture.stat().st_size < 200_000


def test_links_from_the_results_lead_somewhere() -> None:
    page = REPOSITORY / "results" / "README.md"
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    assert targets
    assert [t for t in targets if not (page.parent / t).exists()] == []


@pytest.fixture
def few_labels(make_predictions, make_results, tmp_path: Path) -> Path:
    """One comparison with few labels and controls, and one result that no comparison is above."""
    root, runs = tmp_path / "few", []
    few = LabelsStamp(title="subject 1", hash="aa" * 32, labelled=4, unlabelled=8)
    everybody = LabelsStamp(title="all", hash="bb" * 32, labelled=12, unlabelled=0)
    rows = {"mine": ("kd", few), "mine-no-kd": ("none", few), "mine-self": ("kd", few)}
    for k, (recipe, (distiller, labels)) in enumerate({**rows, "mine-all-labels": ("none", everybody)}.items()):
        predictions = make_predictions(seed=k)
        results = make_results(predictions, recipe=recipe, distiller=distiller, labels=labels)
        runs.append((recipe, 0, results, predictions))
    write_comparison(compare(runs, bootstrap=Bootstrap(resamples=50)), root / "few")
    predictions = make_predictions(seed=5)
    single = make_results(predictions, name="subject-specific", recipe="lone", labels=few)
    write_results(single, root / "b" / "results.json")
    (root / HEADLINE).write_text('["few"]')
    return root


def test_label_settings_have_a_column_where_not_all_rows_have_all(few_labels: Path, results_root: Path) -> None:
    first, second = results_table(few_labels).split("**synthetic, subject-specific**")
    assert [row[2] for row in cells(first)] == ["labels", "---", "subject 1", "subject 1", "subject 1", "all"]
    assert [row[2] for row in cells(second)] == ["labels", "---", "subject 1"]
    assert "labels" not in headline_table(results_root)


def test_the_short_table_asks_of_recipes_and_not_of_their_controls(few_labels: Path) -> None:
    """Neither self-training nor more labels is a teacher that helped."""
    (answer,) = answers(few_labels)
    assert (answer.student.recipe, answer.alone.recipe) == ("mine", "mine-no-kd")
    assert "mine (labels: subject 1)" in headline_table(few_labels)


def test_a_single_result_says_its_fold_and_figures(make_predictions, make_results, tmp_path: Path) -> None:
    predictions = make_predictions(seed=5)
    lone = make_results(predictions, fold="3", teacher=None, seed=2)
    write_results(lone, tmp_path / "b" / "results.json")
    taught = make_results(predictions, fold=None, seed=1)
    write_results(taught, tmp_path / "c" / "results.json")
    *_, first, second = cells(results_table(tmp_path).replace("\u00a0", " "))
    interval = lone.intervals["accuracy"].subjects
    assert interval is not None
    assert first == [
        *("demo", "student", "2, fold 3", "60", f"{100 * lone.accuracy:.1f} %"),
        *(f"{100 * interval[0]:.1f}–{100 * interval[1]:.1f} %", f"{100 * lone.macro_f1:.1f} %", "–"),
        "[b/results.json](b/results.json)",
    ]
    assert (second[2], second[7]) == ("1", "75.0 %")


def test_protocols_and_splits_have_tables_of_their_own(make_predictions, make_results, tmp_path: Path) -> None:
    predictions = make_predictions(seed=5)
    for number, change in enumerate(({}, {"split": "validation"}, {"hash": "ee" * 32}, {"dataset": "utd-mhad"})):
        write_results(make_results(predictions, **change), tmp_path / str(number) / "results.json")
    assert results_table(tmp_path).count("**synthetic, cross-subject** (") == 3
    assert results_table(tmp_path).count("**utd-mhad, cross-subject** (") == 1


def test_every_figure_of_a_row(results_root: Path) -> None:
    from vskd.study.comparison import read_comparison

    plain, row = read_comparison(results_root / "a" / "comparison.json").rows
    shown = [line for line in cells(results_table(results_root).replace("\u00a0", " ")) if line[0] in ("plain", "dask")]
    assert [line[6:8] for line in shown[:1]] == [["–", "–"]] and shown[0][5] == "75.0 %"
    versus, low_high = row.versus_baseline, row.accuracy.intervals.subjects
    assert versus is not None and versus.subjects is not None and low_high is not None and row.macro_f1.std is not None
    assert shown[1][3] == f"{100 * low_high[0]:.1f}–{100 * low_high[1]:.1f} %"
    assert shown[1][4] == f"{100 * row.macro_f1.mean:.1f} ± {100 * row.macro_f1.std:.1f} %"
    gain = f"{100 * versus.difference:+.1f} ({100 * versus.subjects[0]:+.1f} to {100 * versus.subjects[1]:+.1f})"
    assert shown[1][6:8] == [gain, ", ".join(f"{test.p_value:.2g}" for test in versus.tests)]
    assert plain.versus_baseline is None


def test_the_picture_has_a_line_for_every_answer(results_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[object, ...]] = []
    monkeypatch.setattr(
        "vskd.study.readme_table.interval_plot",
        lambda rows, label, *, reference, differences: drawn.append((rows, label, reference, differences)) or b"png",
    )
    assert headline_picture(results_root) == b"png"
    (((line,), label, reference, differences),) = drawn
    (answer,) = answers(results_root)
    assert line.label == "synthetic, cross-subject: dask"
    assert (line.value, line.interval) == (answer.versus.difference, answer.versus.subjects)
    assert (line.note, line.emphasis) == (f"{100 * answer.versus.difference:+.1f}", True)
    assert label == "accuracy with teacher minus without in points, 95 % over subjects"
    assert (reference, differences) == (0.0, True)


def test_a_check_draws_nothing(results_root: Path, tmp_path: Path) -> None:
    readme, picture = tmp_path / "README.md", tmp_path / "gain.png"
    readme.write_text(f"{BEGIN}{END}")
    assert main([str(readme), str(results_root), "--picture", str(picture), "--check"]) == 1
    assert not picture.exists()


def test_the_shipped_model_is_the_bundle_where_there_is_one(make_predictions, make_results, tmp_path: Path) -> None:
    """On a protocol whose people were seen in training, without a measured teacher, and without a helpful one."""
    runs = []
    for kind in ("student", "bundle"):
        for recipe, distiller in (("plain", "none"), ("dask", "dask")):
            predictions = make_predictions(seed=len(recipe) + 10 * (kind == "bundle"), skill=1.0)
            words = {"recipe": recipe, "distiller": distiller, "kind": kind, "name": "subject-specific"}
            runs.append((recipe, 0, make_results(predictions, teacher=None, **words), predictions))
    write_comparison(compare(runs, bootstrap=Bootstrap(resamples=50)), tmp_path / "a")
    (tmp_path / HEADLINE).write_text('["a"]')
    (answer,) = answers(tmp_path)
    assert (answer.student.kind, answer.alone.kind, answer.alone.recipe) == ("bundle", "bundle", "plain")
    assert not answer.new_people
    row = cells(headline_table(tmp_path))[-1]
    assert row[1] == "people seen in training" and row[3:5] == ["–", "–"]


@pytest.mark.parametrize(
    ("interval", "helped"), [((0.01, 0.1), True), ((0.0, 0.1), False), ((-0.1, 0.1), False), (None, False)]
)
def test_a_teacher_helped_where_the_interval_lies_above_zero(
    results_root: Path, interval: tuple[float, float] | None, helped: bool
) -> None:
    path = results_root / "a" / "comparison.json"
    content = json.loads(path.read_text())
    content["rows"][1]["versus_baseline"]["subjects"] = interval
    path.write_text(json.dumps(content))
    assert [answer.helped for answer in answers(results_root)] == [helped]
    assert headline_table(results_root).endswith(f"above zero, in {int(helped)} of these 1 comparisons.")


def test_folds_are_counted_above_the_table(results_root: Path) -> None:
    path = results_root / "a" / "comparison.json"
    assert "folds" not in results_table(results_root)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"folds": {"1": "a", "2": "b", "3": "c"}}))
    assert "(test split, n = 60, 3 folds, protocol `abababababab`" in results_table(results_root)


def test_a_document_is_written_only_where_it_changes(tmp_path: Path) -> None:
    page = tmp_path / "p.md"
    page.write_text(f"a{BEGIN}old{END}b")
    assert update_document(page, "new", check=True) is False and "old" in page.read_text()
    assert update_document(page, "new") is False
    assert page.read_text() == f"a{BEGIN}\nnew\n{END}b"
    before = page.stat().st_mtime_ns
    assert update_document(page, "new") is True and page.stat().st_mtime_ns == before
    for text in (f"{BEGIN} only", f"only {END}", "neither"):
        page.write_text(text)
        with pytest.raises(DataError, match="are missing"):
            update_document(page, "new")


def test_the_program_says_what_is_wrong(results_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"{BEGIN}{END}")
    assert main([str(readme), str(results_root), "--check"]) == 1
    table = results_root / "README.md"
    assert capsys.readouterr().err == (
        f"error: the results table of {readme}, {table} is out of date. Run this without --check.\n"
    )
    assert main([str(readme), str(results_root)]) == 0 and not (tmp_path / "gain.png").exists()
    assert main([str(tmp_path / "none.md"), str(results_root)]) == 1
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'none.md'}: cannot be read")


@pytest.mark.parametrize("words", [[], ["README.md"]])
def test_the_program_needs_a_document_and_results(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["x", *words])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(REPOSITORY / "vskd" / "study" / "readme_table.py"), run_name="__main__")
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: readme_table ")
