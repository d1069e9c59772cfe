"""A recording's clock, fitted to its time stamps: rate, order, gaps.

Stamps are made where samples arrive, so single ones come late, in bursts or rounded, while the samples themselves are
evenly spaced and in order. The rows are therefore kept in the order of the file, and an even clock is fitted to them
robustly; only where it breaks for good (a gap, a clock that was set, a file that starts again) is the recording in
pieces.
"""

import itertools
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vskd.errors import DataError, rounded

Seconds = npt.NDArray[np.float64]

GAP_S = 0.1
"""A shorter pause is no gap: radio links hold samples back for so long."""
GAP_STEPS = 3
PAUSE_S, PAUSE_STEPS = 2.0, 50
"""A step that is longer than both says nothing about the rate."""
NOISE = 6.0
SIDE = 9
"""Stamps on each side of a break that must agree on it, so that single late ones make none."""
FEWEST_AFTER = 3
LEAST_OF_SHIFT = 0.5
"""Of a break's shift its own step makes at least so much."""
MOST_BACKWARD = 0.1
"""A larger fraction of steps back in time is no jitter, but rows out of order."""
WITHIN_JITTER = 0.95
LAG = 0.1
MOST_LAG = 500
REPEATED = 0.1
"""If a larger fraction of stamps is repeated, they are rounded, or samples come in bursts."""
COARSE = 0.02
"""A rate that is less certain than so is not known."""
MISSING = 0.03
BELIEVED = 1.5
"""Where uneven stamps make a rate that differs by a larger factor from the nominal one, samples came in bursts."""
EVEN = 0.5
"""Stamps are even where more than this share of their steps is off by less than this share of the period. Of Berkeley
MHAD's bursts at most 0.3 are."""


@dataclass(frozen=True)
class Clock:
    """What time stamps say.

    Attributes:
        rate_hz: samples per second, to three digits; None where the stamps are too coarse to say.
        breaks: the samples before which there is a gap.
        gaps: their lengths, in seconds.
        facts: what else was noticed, for people.
        period_s: seconds from one sample to the next, with all its digits; 0 where there are too few samples.
        jitter_s: 95 of 100 stamps are so near to the even clock, or nearer.
        backward, repeated: stamps before, or at, that of the sample before.
    """

    rate_hz: float | None
    breaks: tuple[int, ...] = ()
    gaps: tuple[float, ...] = ()
    facts: tuple[str, ...] = ()
    period_s: float = field(default=0.0, compare=False)
    jitter_s: float = field(default=0.0, compare=False)
    backward: int = field(default=0, compare=False)
    repeated: int = field(default=0, compare=False)

    def sample_times(self, stamps: Seconds) -> Seconds:
        """When the samples were taken: an even clock through the stamps, shifted at each break.

        Args:
            stamps: (samples,) those that the clock was fitted to.

        Returns:
            (samples,) in the stamps' own seconds; their steps are all `period_s`, but at breaks.
        """
        times = self.period_s * np.arange(len(stamps))
        bounds = [0, *self.breaks, len(stamps)]
        for first, last in itertools.pairwise(bounds):
            times[first:last] += np.median(stamps[first:last] - times[first:last])
        return np.asarray(times, dtype=np.float64)


def fit_clock(stamps: Seconds, source: Path | str, nominal_hz: float = 0.0) -> Clock:
    """Fit an even clock to time stamps in the order of the file.

    Args:
        stamps: (samples,) seconds.
        source: for messages.
        nominal_hz: rate of the device, where it is known: it is taken where uneven stamps say something quite
            different, because then they were made when a radio link handed over what it had held back.

    Raises:
        DataError: the stamps do not advance, run backwards, are out of order, were set back or start again.
    """
    if len(stamps) < FEWEST_AFTER + 1:
        return Clock(None)
    _check_order(stamps, source)
    period = _period(stamps)
    breaks, shifts = _breaks(stamps, period)
    if nominal_hz and not 1 / BELIEVED <= period * nominal_hz <= BELIEVED and not _even(stamps, period):
        return _nominal(stamps, period, nominal_hz)
    back = np.flatnonzero(shifts < 0)
    if back.size:
        _refuse_set_back(stamps, int(breaks[back[0]]), -shifts[back[0]], period, source)
    rate, facts = _rate(stamps, period, breaks)
    gaps = tuple(float(stamps[b] - stamps[b - 1]) for b in breaks)
    return _measured(Clock(rate, tuple(int(b) for b in breaks), gaps, facts, period), stamps)


def _even(stamps: Seconds, period: float) -> bool:
    """Whether most samples came when they were taken: then the stamps say the rate, whatever is said of the device."""
    return bool((np.abs(np.diff(stamps) - period) < EVEN * period).mean() > EVEN)


def _nominal(stamps: Seconds, period: float, nominal_hz: float) -> Clock:
    """The device's own clock, where stamps of a radio link say only when samples arrived."""
    breaks, shifts = _breaks(stamps, 1 / nominal_hz)
    breaks = breaks[shifts > 0]
    fact = f"samples came in bursts: the stamps make {rounded(1 / period)} Hz, the device's {nominal_hz:g} Hz are taken"
    gaps = tuple(float(stamps[b] - stamps[b - 1]) for b in breaks)
    return _measured(Clock(nominal_hz, tuple(int(b) for b in breaks), gaps, (fact,), 1 / nominal_hz), stamps)


def _measured(clock: Clock, stamps: Seconds) -> Clock:
    """A clock with what single stamps do."""
    steps = np.diff(stamps)
    off = float(np.quantile(np.abs(stamps - clock.sample_times(stamps)), WITHIN_JITTER))
    return replace(clock, jitter_s=off, backward=int((steps < 0).sum()), repeated=int((steps == 0).sum()))


def _check_order(stamps: Seconds, source: Path | str) -> None:
    steps = np.diff(stamps)
    backward = (steps < 0).mean()
    if not steps.any():
        raise DataError(f"{source}: all time stamps are the same", "Leave the column out and give --rate")
    if backward > 0.5 and not (steps > 0).mean() > 0.25:
        raise DataError(
            f"{source}: the rows run backwards in time: the newest comes first", "Sort the rows, oldest first"
        )
    if backward > MOST_BACKWARD:
        raise DataError(
            f"{source}: {int((steps < 0).sum())} of {len(steps)} rows are older than the row before: "
            "the rows are not in order of time",
            "Sort the rows by time; if they are of several sensors or recordings, give a file of one",
        )


def _period(stamps: Seconds) -> float:
    """Seconds a sample, by the median of differences over many samples: neither a gap nor late stamps move it."""
    samples = len(stamps)
    stamps = _without_pauses(stamps)
    steps = np.diff(stamps)
    forward = steps[steps > 0]
    mean = forward.sum() / (samples - 1)
    resolution = np.median(forward)
    lag = int(np.clip(LAG * samples, 1, MOST_LAG))
    if (steps == 0).mean() > REPEATED:  # many samples share a stamp: a lag that spans many different ones
        lag = min(samples - 1, max(lag, int(20 * resolution / mean)))
    if lag > samples // 2:
        return float(mean)
    return float(max(np.median(stamps[lag:] - stamps[:-lag]) / lag, 1e-9))


def _without_pauses(stamps: Seconds) -> Seconds:
    """Stamps with each pause as short as a usual step: in a file of many recordings no other difference is without."""
    steps = np.diff(stamps)
    usual = np.median(steps[steps > 0])
    long = steps > max(PAUSE_S, PAUSE_STEPS * usual)
    if not long.any():
        return stamps
    return np.asarray(stamps - np.concatenate([[0.0], np.cumsum(np.where(long, steps - usual, 0.0))]), dtype=np.float64)


def _breaks(stamps: Seconds, period: float) -> tuple[npt.NDArray[np.int64], Seconds]:
    """Where the line through the stamps is shifted for good, and by how much."""
    samples = len(stamps)
    off = stamps - period * np.arange(samples)
    even = _without_pauses(stamps) - period * np.arange(samples)
    lag = int(np.clip(LAG * samples, 1, MOST_LAG))
    # Several lags, since bursts do not show at a lag that is a multiple of theirs.
    lags = {max(1, lag * part // 10 - part % 3) for part in (10, 9, 8, 7, 6, 5)}
    noise = max(np.median(np.abs(even[k:] - even[:-k])) for k in lags)
    steps = np.diff(stamps)
    rounding = np.median(steps[steps > 0]) if (steps == 0).mean() > REPEATED else 0.0
    least = max(GAP_S, GAP_STEPS * period, NOISE * noise, 2 * rounding)
    found, shifts = [], []
    for place in np.flatnonzero(np.abs(np.diff(off)) > least / 2) + 1:
        before, after = off[max(0, place - SIDE) : place], off[place : place + SIDE]
        if min(len(before), len(after)) < FEWEST_AFTER:
            continue
        shift, jump = np.median(after) - np.median(before), off[place] - off[place - 1]
        # A late stamp beside a break is seen with that break's shift, of which it makes little itself.
        if abs(shift) > least and jump / shift > LEAST_OF_SHIFT:
            found.append(int(place))
            shifts.append(shift)
    return np.array(found, dtype=np.int64), np.array(shifts)


def _refuse_set_back(stamps: Seconds, place: int, by: float, period: float, source: Path | str) -> None:
    if abs(stamps[place] - stamps[0]) < GAP_STEPS * period:
        raise DataError(
            f"{source}: the time starts again at data row {place + 1}: the recording is in the file twice, or two are",
            "Give a file of one recording",
        )
    raise DataError(
        f"{source}: the clock was set back by {rounded(by)} s at data row {place + 1}",
        "Cut the file there, and give the parts one by one",
    )


def _rate(stamps: Seconds, period: float, breaks: npt.NDArray[np.int64]) -> tuple[float | None, tuple[str, ...]]:
    """The rate, to three digits, and what was noticed about single stamps."""
    steps = np.diff(stamps)
    pieces = np.diff(np.concatenate([[0], breaks, [len(stamps)]]))
    resolution = np.median(steps[steps > 0]) if (steps > 0).any() else 0.0
    repeated = int((steps == 0).sum())
    if repeated > REPEATED * len(steps) and resolution > COARSE * period * int(pieces.max()):
        return None, (f"time stamps only every {rounded(resolution)} s: too coarse for a rate",)
    facts = [f"{int((steps < 0).sum())} stamps late"] if (steps < 0).any() else []
    facts += [f"{repeated} stamps repeated"] if repeated else []
    typical = np.median(steps)
    if typical > 0 and not repeated and period > (1 + MISSING) * typical:
        facts.append(f"about {100 * (1 - typical / period):.0f} % of the samples are missing")
    facts += [f"{len(breaks)} gaps" if len(breaks) > 1 else "1 gap"] if len(breaks) else []
    return float(f"{1 / period:.3g}"), tuple(facts)
