"""Which of several quantized models is the better one."""

import itertools

import pytest

from vskd.bundle.contract import ParityNumbers
from vskd.export.candidates import Candidate, FineTuning
from vskd.export.scoring import Measurement


def candidate(agreement: float, accuracy: float, error: float, **changes: object) -> Candidate:
    parity = ParityNumbers(n=100, argmax_agreement=agreement, mean_abs_error=error, max_abs_error=1.0)
    return Candidate(b"", "minmax", Measurement(accuracy, parity), **changes)


WORST_TO_BEST = (
    candidate(0.90, 1.0, 0.0),
    candidate(0.95, 0.7, 0.2),
    candidate(0.95, 0.8, 0.3),
    candidate(0.95, 0.8, 0.1),
    candidate(1.00, 0.1, 0.9),
)


@pytest.mark.parametrize(("worse", "better"), itertools.pairwise(WORST_TO_BEST))
def test_agreement_decides_then_accuracy_then_closeness(worse: Candidate, better: Candidate) -> None:
    assert better.rank > worse.rank


def test_a_fine_tuned_model_is_named_apart_from_the_plain_one() -> None:
    assert candidate(1.0, 1.0, 0.0).name == "minmax"
    assert candidate(1.0, 1.0, 0.0, fine_tuned=True).name == "minmax, fine-tuned"


def test_training_on_is_tried_only_where_it_is_needed_unless_asked_for() -> None:
    tuning = FineTuning(lambda module, _: module)
    assert tuning.always is False
    plain = candidate(1.0, 1.0, 0.0)
    assert (plain.fine_tuned, plain.float_model) == (False, b"")
