"""From labels of windows to a decision: unknown, smoothing, debouncing. Integers alone, so that C does the same.

The firmware and `vskd predict` decide by the same code.
"""

from collections import Counter, deque
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator

from vskd.schema import NonNegative, Size, Strict

NO_LABEL = -1
"""Unknown, or none yet."""
LOOKS_AHEAD = ("median", "hmm")
"""Smoothings of `vskd predict` that no device can do."""
Votes = Annotated[int, Field(ge=1, le=31)]


class DecisionSettings(Strict):
    """From the answers of windows to a decision.

    Attributes:
        smoothing: `none`; `majority` of the last `votes` windows; `hysteresis`: a label counts once `votes` windows in
            a row have it.
        votes: see there.
        hold: windows for which a decision stays at least (debouncing).
        min_log_odds: log(p1 / p2) of the two most probable classes below which a window is unknown. A difference of
            logits, so that it is compared in int8 and needs no exponential function.
    """

    smoothing: Literal["none", "majority", "hysteresis"] = "none"
    votes: Votes = 1
    hold: Size = 0
    min_log_odds: NonNegative = 0.0

    @field_validator("smoothing", mode="before")
    @classmethod
    def _on_the_fly(cls, value: object) -> object:
        if value in LOOKS_AHEAD:
            raise ValueError(
                f"{value} looks at windows that are still to come, so that `vskd predict` alone offers it; "
                "take majority or hysteresis"
            )
        return value


def window_label(logits: npt.NDArray[np.int8], min_margin: int) -> tuple[int, int]:
    """The first of the largest logits, or `NO_LABEL` where the next one is too near.

    Args:
        logits: int8 (classes,), at least two.
        min_margin: least difference.

    Returns:
        (label, difference of the two largest in int8 steps).
    """
    best = int(logits.argmax())
    others = np.delete(logits, best)
    margin = int(logits[best]) - int(others.max())
    return (best if margin >= min_margin else NO_LABEL), margin


class Decider:
    """Smooths the labels of windows.

    Args:
        settings: how.

    Attributes:
        label: the decision so far.
    """

    def __init__(self, settings: DecisionSettings) -> None:
        self.settings = settings
        self._history: deque[int] = deque(maxlen=settings.votes)
        self.reset()

    def reset(self) -> None:
        """Forget everything: the stream was interrupted."""
        self.label, self._since = NO_LABEL, self.settings.hold
        self._history.clear()

    def decide(self, label: int) -> int:
        """The decision after one more window with `label`."""
        self._history.append(label)
        proposed = self._proposed()
        self._since += self._since < self.settings.hold
        if proposed != self.label and self._since >= self.settings.hold:
            self.label, self._since = proposed, 0
        return self.label

    def _proposed(self) -> int:
        if self.settings.smoothing == "none":
            return self._history[-1]
        if self.settings.smoothing == "hysteresis":
            agreed = len(self._history) == self.settings.votes and len(set(self._history)) == 1
            return self._history[-1] if agreed else self.label
        votes = Counter(self._history)
        most = max(votes.values())
        if votes[self.label] == most:
            return self.label
        return next(label for label in reversed(self._history) if votes[label] == most)
