"""Forecasts judged afterwards: outcomes by hand, the table, and the committed one that is made of its figures."""

from pathlib import Path

import numpy as np
import pytest

from vskd.evaluation.forecast import Forecast
from vskd.evaluation.predictions import Predictions
from vskd.study.forecast_check import Cell, Outcome, outcome_of, read_cells, to_markdown

RESULTS = Path(__file__).parents[2] / "results"


def answers(right: list[bool]) -> Predictions:
    logits = np.zeros((len(right), 2))
    logits[np.arange(len(right)), [0 if r else 1 for r in right]] = 5
    ids = [f"r{i:02d}" for i in range(len(right))]
    return Predictions.from_logits(ids, ["s"] * len(right), np.zeros(len(right), dtype=int), logits, ("a", "b"))


@pytest.mark.parametrize(
    ("taught", "alone", "expected"),
    [
        (6, 0, (0.6, 2 / 2**6, "helped")),
        (5, 0, (0.5, 2 / 2**5, "no difference")),  # p = 0.0625
        (0, 6, (-0.6, 2 / 2**6, "hurt")),
        (4, 4, (0.0, 1.0, "no difference")),
    ],
)
def test_what_came_of_it(taught: int, alone: int, expected: tuple[float, float, Outcome]) -> None:
    both = 10 - taught - alone
    found = outcome_of(
        answers([True] * both + [True] * taught + [False] * alone),
        answers([True] * both + [False] * taught + [True] * alone),
    )
    assert found == pytest.approx(expected[:2] + expected[2:])


def cell(verdict: str, outcome: str) -> Cell:
    forecast = Forecast(
        verdict=verdict,
        reason="so",
        n=10,
        teacher_accuracy=0.5,
        student_accuracy=0.75,
        disagreement=0.4,
        teaches=None,
        only_teacher=2,
        only_student=3,
        p_value=0.5,
        unlabelled=0.25,
    )
    return Cell(
        dataset="d", protocol="p", fold="1", labels="trial 1", recipe="r", seed=0, forecast=forecast, n=10,
        gain=0.1, p_value=0.2, outcome=outcome,
    )  # fmt: skip


def test_the_table_counts_what_came_true() -> None:
    made = [
        cell("will help", "helped"),
        cell("will help", "no difference"),
        cell("will help", "hurt"),
        cell("will hurt", "hurt"),
        cell("will not help", "no difference"),
        cell("will not help", "helped"),
    ]
    assert [one.right for one in made] == [True, False, False, True, True, False]
    assert [one.opposite for one in made] == [False, False, True, False, False, False]
    text = to_markdown(made)
    assert "came true in 3 of 6 cells; in 1 the opposite happened" in text
    assert {line.count("|") for line in text.splitlines() if line.startswith("|")} == {12}


def test_committed_tables_are_those_of_their_figures() -> None:
    files = sorted(RESULTS.rglob("forecast.json"))
    assert files
    for file in files:
        assert to_markdown(read_cells(file)) == file.with_name("README.md").read_text(encoding="utf-8")
