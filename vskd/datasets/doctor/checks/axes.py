"""People whose gravity points elsewhere than that of the others: axes in another order, another sign, another hand.

Directions are compared within each class, because postures differ between classes, and averaged over classes.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from vskd.datasets.doctor.finding import Check, Finding
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.recording import Recording

Floats = npt.NDArray[np.float64]

FEWEST_PEOPLE = 4
WORN = ("hand", "side", "position", "device")
"""Factors that say how somebody wears the sensor: each value counts as a wearer of its own."""
ALIKE = 0.5
"""Least mean cosine with the others: 60 degrees."""
FITS = 0.85
"""Mean cosine that turned axes must reach to be named."""
AGREEING = 0.3
"""Least length of the others' mean direction in a class: below, they do not agree on any."""


class Axes(Check):
    """See `reason`."""

    name: ClassVar[str] = "axes"
    severity: ClassVar[float] = 0.7
    reason: ClassVar[str] = (
        "The same movement comes by other channels: the model learns both, and on the device only one of them is right."
    )

    def find(self, survey: Survey) -> Iterator[Finding]:
        """See `Check`."""
        for name, recordings in survey.sensors.items():
            found = _directions(survey, {i: f.direction for i, f in recordings.items() if any(f.direction)})
            if len(found) < FEWEST_PEOPLE:
                continue
            for who in found:
                own, others = _against_others(found, who)
                if not len(own) or _cosine(own, others) >= ALIKE:
                    continue
                ids = [i for i in recordings if _wearer(survey.by_id[i]) == who]
                how = _turn(own, others, survey.stream(ids[0], name).axes)
                what = f"{name}: gravity of subject {who} points elsewhere than that of the others{how}"
                yield self.finding(
                    survey, what, ids, "Correct the order or signs: of its columns, or describe a stream"
                )


def _wearer(recording: Recording) -> str:
    """Who wears the sensor, and how, where factors say it."""
    return ", ".join([recording.subject, *(recording.factors[w] for w in WORN if w in recording.factors)])


def _directions(survey: Survey, directions: Mapping[str, tuple[float, ...]]) -> dict[str, dict[int, Floats]]:
    """Mean direction by wearer and class, from directions of recordings with three axes."""
    found: dict[str, dict[int, list[Floats]]] = {}
    for recording, direction in directions.items():
        if len(direction) == 3:
            one = survey.by_id[recording]
            found.setdefault(_wearer(one), {}).setdefault(one.label, []).append(np.array(direction))
    return {who: {label: np.mean(d, axis=0) for label, d in of.items()} for who, of in found.items()}


def _against_others(found: Mapping[str, Mapping[int, Floats]], wearer: str) -> tuple[Floats, Floats]:
    """Unit vectors of the wearer and of the others' median, (classes, 3) each, in classes where the others agree."""
    pairs = []
    for label, own in found[wearer].items():
        others = [of[label] for who, of in found.items() if who != wearer and label in of]
        if len(others) >= FEWEST_PEOPLE - 1:
            middle = np.median(others, axis=0)
            if np.linalg.norm(middle) >= AGREEING and np.linalg.norm(own) > 0:
                pairs.append((own / np.linalg.norm(own), middle / np.linalg.norm(middle)))
    stacked = np.array(pairs, dtype=np.float64).reshape(-1, 2, 3)
    return stacked[:, 0], stacked[:, 1]


def _cosine(own: Floats, others: Floats) -> float:
    return float((own * others).sum(axis=1).mean())


def _turn(own: Floats, others: Floats, axes: tuple[str, ...]) -> str:
    """Which order and signs of the axes fit the others best, in words; empty where none fits."""
    best, words = FITS, ""
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            cosine = _cosine(own[:, order] * signs, others)
            if cosine > best + 1e-6:
                names = [("-" if sign < 0 else "") + axes[k] for k, sign in zip(order, signs, strict=True)]
                best, words = cosine, f"; read as {', '.join(names)} it fits"
    return words
