"""Rejection, smoothing and debouncing, by examples that can be followed by hand."""

import numpy as np
import pytest
from pydantic import ValidationError

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


def naive(labels: list[int], smoothing: str, votes: int, hold: int) -> list[int]:
    """The same, looked up anew in all that was seen."""
    made: list[int] = []
    changed_at = -(10**9)
    for n, label in enumerate(labels):
        before = made[-1] if made else NO_LABEL
        last = labels[max(0, n + 1 - votes) : n + 1]
        proposed = label
        if smoothing == "hysteresis":
            proposed = label if len(last) == votes and set(last) == {label} else before
        if smoothing == "majority":
            most = max(last.count(one) for one in last)
            proposed = before if last.count(before) == most else [k for k in last if last.count(k) == most][-1]
        if proposed != before and n - changed_at >= hold:
            changed_at = n
            made.append(proposed)
        else:
            made.append(before)
    return made


@pytest.mark.parametrize("smoothing", ["none", "majority", "hysteresis"])
@pytest.mark.parametrize(("votes", "hold"), [(1, 0), (2, 1), (3, 2), (4, 5)])
def test_decisions_are_those_of_a_naive_search(smoothing: str, votes: int, hold: int) -> None:
    labels = np.random.default_rng(votes).integers(-1, 3, 200).tolist()
    assert decisions(labels, smoothing=smoothing, votes=votes, hold=hold) == naive(labels, smoothing, votes, hold)


def test_what_holds_where_nothing_is_said_and_what_may_be() -> None:
    plain = DecisionSettings()
    assert (plain.smoothing, plain.votes, plain.hold, plain.min_log_odds) == ("none", 1, 0, 0.0)
    assert DecisionSettings(votes=31, hold=0).votes == 31
    for wrong in ({"votes": 0}, {"votes": 32}, {"hold": -1}, {"min_log_odds": -0.1}):
        with pytest.raises(ValidationError):
            DecisionSettings(**wrong)  # type: ignore[arg-type]
    for smoothing in ("median", "hmm"):
        with pytest.raises(ValidationError, match=f"{smoothing} looks at windows that are still to come"):
            DecisionSettings(smoothing=smoothing)  # type: ignore[arg-type]
