"""Cut a stream to what all streams of its recording cover."""

import dataclasses
from pathlib import Path

import numpy as np

from vskd.errors import DataError
from vskd.preprocessing.sensor.timed import Timed
from vskd.preprocessing.sync.cut import Cut

EDGE = 1e-2
"""Of a sample's time: so much earlier it belongs to the part, so that rounding of times decides nothing."""


def cut_sensor(timed: Timed, cut: Cut, source: Path | str) -> Timed:
    """The part of a sensor's signal that is kept, its times on the common clock.

    Args:
        timed: samples and clock.
        cut: what is kept.
        source: for messages.

    Raises:
        DataError: fewer than two samples are kept.
    """
    own = timed.times - timed.times[0]
    rounding = EDGE / timed.rate_hz
    kept = np.flatnonzero((own >= cut.start_s - rounding) & (own < cut.end_s - rounding))
    if kept.size < 2:
        raise DataError(
            f"{source}: of its {own[-1]:.2f} s, {cut.start_s:.2f} to {cut.end_s:.2f} s are to be kept",
            "Correct or delete sync.csv",
        )
    first, last = int(kept[0]), int(kept[-1]) + 1
    inside = [k for k, place in enumerate(timed.clock.breaks) if first < place < last]
    clock = dataclasses.replace(
        timed.clock,
        breaks=tuple(timed.clock.breaks[k] - first for k in inside),
        gaps=tuple(timed.clock.gaps[k] for k in inside),
    )
    times = cut.offset_s + cut.scale * own[first:last]
    return Timed(timed.signal[:, first:last], timed.rate_hz / cut.scale, times, True, clock)
