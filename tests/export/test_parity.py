"""Parity numbers against hand-made cases."""

import numpy as np
import pytest

from vskd.errors import DataError
from vskd.export.parity import ParityReport, compare_logits, parity


def test_closed_form():
    expected = np.array([[0, 1], [2, 0], [0, 3], [1, 0]], dtype=np.float32)
    actual = np.array([[0, 1.5], [2, 0], [4, 3], [1, 0]], dtype=np.float32)
    assert compare_logits(expected, actual) == ParityReport(
        max_abs_error=4.0, mean_abs_error=4.5 / 8, argmax_agreement=0.75, n=4
    )


def test_runs_both_functions_with_a_batch_of_one():
    seen = []

    def model(x):
        seen.append(x.shape)
        return x[:, :2] + np.array([[0.0, 0.25]], dtype=np.float32)

    report = parity(lambda x: x[:, :2], model, iter(np.eye(3, dtype=np.float32)))
    assert seen == [(1, 3)] * 3
    assert report == ParityReport(
        0.25, 0.125, 2 / 3, 3
    )  # a tie of (0, 0) goes to the first class, (0, 0.25) to the second


@pytest.mark.parametrize(("a", "b"), [((0, 2), (0, 2)), ((2, 2), (2, 3)), ((2,), (2,))])
def test_empty_or_unequal_sets_are_refused(a: tuple[int, ...], b: tuple[int, ...]):
    with pytest.raises(DataError, match="Cannot compare"):
        compare_logits(np.zeros(a, np.float32), np.zeros(b, np.float32))


def test_figures_are_plain_numbers() -> None:
    """They are written as JSON."""
    report = compare_logits(np.array([[0.0, 1.0]], np.float32), np.array([[0.5, 1.0]], np.float32))
    assert [type(n) for n in (report.max_abs_error, report.mean_abs_error, report.argmax_agreement)] == [float] * 3
