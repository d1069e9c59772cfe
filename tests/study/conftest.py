"""Predictions and results of the small invented experiment of tests/evaluation."""

from tests.evaluation.conftest import answers, make_predictions, make_results  # noqa: F401
