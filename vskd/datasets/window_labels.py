"""The labels of windows that are cut from a recording with a timeline."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from vskd.datasets.timeline import ROUNDING_S, UNLABELLED, Timeline

LabelRule = Literal["majority", "centre"]
Seconds = npt.NDArray[np.float64]


def window_labels(timeline: Timeline, times: Seconds, rule: LabelRule) -> tuple[npt.NDArray[np.int64], Seconds]:
    """The label of each window, and how much of the window has it.

    Args:
        timeline: of the recording.
        times: (windows, 2), start and end in seconds.
        rule: `majority`: the label of most of the window's time, of equal ones the lower class, and a class before
            none; `centre`: that of its middle.

    Returns:
        int64 (windows,), `UNLABELLED` where nobody knows it; and float64 (windows,), 0 to 1.
    """
    seconds = class_seconds(timeline, times)
    if rule == "centre":
        columns = _at(timeline, times.mean(axis=1))
    else:
        columns = (seconds >= seconds.max(axis=1, keepdims=True) - ROUNDING_S).argmax(axis=1)
    unknown = seconds.shape[1] - 1
    labels = np.where(columns == unknown, UNLABELLED, columns)
    shares = seconds[np.arange(len(times)), columns] / np.maximum(times[:, 1] - times[:, 0], ROUNDING_S)
    return labels, shares


def class_seconds(timeline: Timeline, times: Seconds) -> Seconds:
    """How long each window shows each class: (windows, classes + 1); the last column is time without a label."""
    count = max(timeline.classes, default=-1) + 1
    seconds = np.zeros((len(times), count + 1))
    for label in {label for _, _, label in timeline.spans}:
        bounds = np.array([edge for start, end, one in timeline.spans if one == label for edge in (start, end)])
        lengths = bounds[1::2] - bounds[::2]
        passed = np.repeat(np.cumsum(lengths), 2)  # at each bound: seconds of this class up to there
        passed[::2] -= lengths
        until = np.interp(times, bounds, passed)  # (windows, 2)
        seconds[:, label] = until[:, 1] - until[:, 0]
    rest = times[:, 1] - times[:, 0] - seconds.sum(axis=1)
    seconds[:, timeline.elsewhere] += rest  # UNLABELLED is the last column
    return seconds


def _at(timeline: Timeline, moments: Seconds) -> npt.NDArray[np.int64]:
    """The column of `class_seconds` that each moment belongs to."""
    nothing = timeline.elsewhere if timeline.elsewhere != UNLABELLED else max(timeline.classes, default=-1) + 1
    if not timeline.spans:
        return np.full(len(moments), nothing, dtype=np.int64)
    starts, ends, labels = (np.array(values) for values in zip(*timeline.spans, strict=True))
    place = np.searchsorted(starts, moments, side="right") - 1
    inside = (place >= 0) & (moments < ends[place])
    return np.where(inside, labels[place], nothing).astype(np.int64)
