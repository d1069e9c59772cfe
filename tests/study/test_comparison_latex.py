"""The LaTeX table: as many cells in every line, the figures of the rows, and no sign that LaTeX takes for itself."""

import re

import pytest

from vskd.evaluation.results import Bootstrap
from vskd.study.comparison import Comparison, compare
from vskd.study.comparison_latex import escaped, to_latex


@pytest.fixture
def comparison(make_predictions, make_results) -> Comparison:
    runs = []
    for recipe, distiller, skill in (("plain", "none", 1.0), ("a_b & 50%", "dask", 2.0)):
        for seed in (0, 1):
            predictions = make_predictions(seed=seed + 10 * int(skill), skill=skill, subjects=4)
            made = make_results(predictions, distiller=distiller, seed=seed, parameters=1234, model_bytes=5600)
            runs.append((recipe, seed, made, predictions))
    return compare(runs, bootstrap=Bootstrap(resamples=20))


def test_every_line_has_as_many_cells_as_the_table_has_columns(comparison: Comparison) -> None:
    text = to_latex(comparison)
    columns = re.search(r"\\begin\{tabular\}\{(\w+)\}", text)
    assert columns is not None
    lines = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert lines[0].startswith(
        r"recipe & model & accuracy & 95 \% subjects & macro F1 & vs baseline & 95 \% subjects & "
    )
    assert lines[0].endswith(r"& permutation $p$ & parameters & size \\")
    assert len(lines) == 1 + len(comparison.rows)
    assert {len(re.split(r"(?<!\\)&", line)) for line in lines} == {len(columns.group(1))}


def test_the_figures_are_those_of_the_rows(comparison: Comparison) -> None:
    row = comparison.rows[1]
    assert row.versus_baseline is not None and row.versus_baseline.permutation is not None
    (line,) = [line for line in to_latex(comparison).splitlines() if line.startswith(r"a\_b \& 50\%")]
    for expected in (
        rf"{100 * row.accuracy.mean:.1f} $\pm$ {100 * (row.accuracy.std or 0):.1f}~\%",
        f"{100 * row.versus_baseline.difference:+.1f}",
        f"{row.versus_baseline.permutation:.3f}",
        "1,234",
        "5.6 kB",
    ):
        assert expected in line
    assert f"hash {comparison.protocol_hash}" in to_latex(comparison)


@pytest.mark.parametrize(
    ("text", "tex"), [("a_b", r"a\_b"), ("1 % – 2 ± 3", r"1 \% -- 2 $\pm$ 3"), ("\\~^{}", None), ("x\u00a0y", "x~y")]
)
def test_signs_are_escaped(text: str, tex: str | None) -> None:
    assert escaped(text) == (tex or r"\textbackslash{}\textasciitilde{}\textasciicircum{}\{\}")
