"""Rejection, smoothing and debouncing, by examples that can be followed by hand."""

import numpy as np
import pytest

from vskd.bundle.decision import NO_LABEL, Decider, DecisionSettings, window_label


def decisions(labels: list[int], **settings: object) -> list[int]:
    decider = Decider(DecisionSettings(**settings))  # type: ignore[arg-type]
    return [decider.decide(label) for label in labels]


@pytest.mark.parametrize(
    ("logits", "margin", "expected"),
    [
        ([3, 9, 4], 0, (1, 5)),
        ([3, 9, 9], 0, (1, 0)),
        ([3, 9, 9], 1, (NO_LABEL, 0)),
        ([-128, 127], 255, (1, 255)),
        ([-128, 127], 256, (NO_LABEL, 255)),
    ],
)
def test_the_first_of_the_largest_if_the_next_is_far_enough(
    logits: list[int], margin: int, expected: tuple[int, int]
) -> None:
    assert window_label(np.array(logits, np.int8), margin) == expected


def test_without_smoothing_the_window_decides() -> None:
    assert decisions([0, 1, -1, 1]) == [0, 1, -1, 1]


def test_the_majority_of_the_last_windows() -> None:
    assert decisions([0, 1, 1, 2, 2, 2], smoothing="majority", votes=3) == [0, 0, 1, 1, 2, 2]
    # of equals the present decision stays; where it is not among them, the most recent
    assert decisions([0, 0, 1, 2, 3], smoothing="majority", votes=3) == [0, 0, 0, 0, 3]


def test_hysteresis_waits_for_agreement() -> None:
    assert decisions([0, 0, 1, 0, 1, 1, -1, -1], smoothing="hysteresis", votes=2) == [-1, 0, 0, 0, 0, 1, 1, -1]


def test_a_decision_is_held() -> None:
    assert decisions([0, 1, 2, 2, 0], hold=3) == [0, 0, 0, 2, 2]


def test_an_interruption_forgets_all() -> None:
    decider = Decider(DecisionSettings(smoothing="hysteresis", votes=2, hold=9))
    assert [decider.decide(1), decider.decide(1)] == [-1, 1]
    decider.reset()
    assert decider.label == NO_LABEL
    assert [decider.decide(2), decider.decide(2)] == [-1, 2]  # the hold is over, too
