"""The README's figures come from results/ and from nowhere else."""

from pathlib import Path

import pytest

from vskd.errors import DataError
from vskd.evaluation.results import Bootstrap, write_results
from vskd.study.comparison import compare
from vskd.study.comparison_tables import write_comparison
from vskd.study.readme_table import BEGIN, EMPTY, END, main, results_table, update_readme

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
    return root


def cells(table: str) -> list[list[str]]:
    lines = [line for line in table.replace("\\|", "/").splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_one_table_per_protocol(results_root: Path) -> None:
    text = results_table(results_root).replace("\u00a0", " ")
    first, second = text.split("**synthetic, subject-specific**")
    assert "**synthetic, cross-subject** (test split, n = 60, protocol `abababababab`" in first
    assert "[results/a/comparison.json](results/a/comparison.json)" in first
    assert "[results/b/results.json](results/b/results.json)" in second
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
    assert update_readme(readme, results_root)
    readme.write_text(text.replace("dask", "DASK", 1))
    assert not update_readme(readme, results_root, check=True)


def test_no_results(tmp_path: Path) -> None:
    assert results_table(tmp_path) == EMPTY
    assert results_table(tmp_path / "nothing") == EMPTY


def test_bad_input(results_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    readme = tmp_path / "README.md"
    with pytest.raises(DataError, match=r"README\.md: cannot be read"):
        update_readme(readme, results_root)
    readme.write_text(f"{END} {BEGIN}")
    with pytest.raises(DataError, match="markers"):
        update_readme(readme, results_root)
    (results_root / "a" / "comparison.json").write_text("{")
    readme.write_text(f"{BEGIN}{END}")
    assert main([str(readme), str(results_root)]) == 1
    assert "comparison.json" in capsys.readouterr().err
    assert readme.read_text() == f"{BEGIN}{END}"


def test_the_readme_of_this_repository_is_current() -> None:
    if not any((REPOSITORY / "results").rglob("*.json")):
        pytest.skip("no results are committed yet")
    assert update_readme(REPOSITORY / "README.md", REPOSITORY / "results", check=True), (
        "Run: python -m vskd.study.readme_table README.md results"
    )
