"""What one sensor recording shows, in a few numbers: its samples are not kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vskd.datasets.recording import Stream
from vskd.datasets.sensors.read import read_stream
from vskd.preprocessing.sensor.gravity import dead_fault, measures_gravity
from vskd.preprocessing.sensor.signal_facts import SignalFacts, signal_facts
from vskd.preprocessing.sensor.signals import Signal, resample_to_length
from vskd.preprocessing.sensor.timed import Timed
from vskd.preprocessing.sensor.units import parse_unit
from vskd.preprocessing.stores.store_parts import array_hash

Floats = npt.NDArray[np.float32]

STILL_G = 0.013
"""Deviation of an axis, in g, below which a sensor is worn by nobody (van Hees et al., PLoS ONE 2011: 13 mg)."""
STILL_S = 1.0
RAIL_SAMPLES = 4
"""So many samples at the very same largest value make a rail: noise never repeats."""
RAIL_WIDTH = 5e-4
SKETCH = 24
"""Points of a recording's sketch."""


@dataclass(frozen=True)
class SensorFacts:
    """Facts of one stream of a recording.

    Attributes:
        signal: see `SignalFacts`.
        stated_hz: the stream's rate by its description.
        clocked: whether the file has time stamps that the rate was fitted to.
        clock: what was noticed about single stamps.
        dead: why an axis or all of it is dead; empty where it lives.
        direction: unit vector of the mean sample, of an accelerometer; zeros of others.
        still: share of seconds in which nobody seems to wear the sensor; 0 of other units than acceleration.
        rail: largest value where many samples share it, in the stream's unit; else 0.
        sketch: what the movement looks like: (axes * SKETCH + axes * 2,); see `sketch_of`.
        content: hash of the samples.
    """

    signal: SignalFacts
    stated_hz: float
    clocked: bool
    clock: tuple[str, ...]
    dead: str
    direction: tuple[float, ...]
    still: float
    rail: float
    sketch: Floats
    content: str


def sensor_facts(stream: Stream) -> SensorFacts:
    """Read a stream once and measure it.

    Raises:
        DataError: see `read_stream`.
    """
    timed = read_stream(stream)
    dead = dead_fault(timed.signal, stream.axes)
    return SensorFacts(
        signal=signal_facts(timed, stream=stream.name, unit=stream.unit, range_limit=stream.range_limit),
        stated_hz=stream.rate_hz,
        clocked=timed.clock.rate_hz is not None,
        clock=timed.clock.facts,
        dead=dead.problem if dead else "",
        direction=_direction(timed.signal) if measures_gravity(stream.name, stream.unit) else (0.0,) * len(stream.axes),
        still=still_share(timed, stream.unit),
        rail=rail_of(timed.signal),
        sketch=sketch_of(timed.signal),
        content=array_hash(timed.signal),
    )


def _direction(signal: Signal) -> tuple[float, ...]:
    mean = signal.astype(np.float64).mean(axis=1)
    return tuple(float(v) for v in mean / max(float(np.linalg.norm(mean)), 1e-12))


def still_share(timed: Timed, unit: str) -> float:
    """Share of whole seconds in which no axis of an accelerometer moves."""
    known = parse_unit(unit)
    width = max(2, round(STILL_S * timed.rate_hz))
    seconds = timed.signal.shape[1] // width
    if known is None or known.quantity != "acceleration" or not seconds:
        return 0.0
    pieces = timed.signal[:, : seconds * width].reshape(len(timed.signal), seconds, width).astype(np.float64)
    return float((pieces.std(axis=2).max(axis=0) * known.factor < STILL_G).mean())


def rail_of(signal: Signal) -> float:
    """The largest absolute value, where at least `RAIL_SAMPLES` samples are there; else 0."""
    largest = np.abs(signal).max(axis=0)
    top = float(largest.max())
    return top if (largest >= (1 - RAIL_WIDTH) * top).sum() >= RAIL_SAMPLES else 0.0


def sketch_of(signal: Signal) -> Floats:
    """The movement in a few numbers: each axis at `SKETCH` times, its mean, and the logarithm of its deviation."""
    small = resample_to_length(signal, SKETCH)
    mean, deviation = signal.mean(axis=1), np.log(signal.std(axis=1) + 1e-6)
    return np.concatenate([small.ravel(), mean * np.sqrt(SKETCH), deviation * np.sqrt(SKETCH)]).astype(np.float32)


def in_one_scale(sketches: Mapping[str, Floats], axes: int) -> dict[str, Floats]:
    """Sketches whose samples are divided by their deviation over all recordings, so that the unit does not matter.

    Args:
        sketches: of recordings; see `sketch_of`.
        axes: of the stream; so many columns at the end are logarithms already.
    """
    columns = len(next(iter(sketches.values()))) - axes
    total = sum(float((s[:columns].astype(np.float64) ** 2).sum()) for s in sketches.values())
    mean = sum(float(s[:columns].sum(dtype=np.float64)) for s in sketches.values()) / (columns * len(sketches))
    scale = np.sqrt(max(total / (columns * len(sketches)) - mean**2, 1e-12))
    factors = np.concatenate([np.full(columns, 1 / scale), np.ones(axes)]).astype(np.float32)
    return {recording: sketch * factors for recording, sketch in sketches.items()}


def nearest_labels(
    sketches: Floats, labels: Sequence[int], subjects: Sequence[str], neighbours: int
) -> list[list[int]]:
    """Labels of each recording's nearest ones among other subjects.

    Args:
        sketches: (recordings, width); columns that deviate more count for more.
        labels, subjects: of each.
        neighbours: how many.

    Returns:
        For each recording as many labels, fewer where other subjects have fewer recordings.
    """
    centred = sketches - sketches.mean(axis=0)
    norms, people = (centred**2).sum(axis=1), np.asarray(subjects)
    found: list[list[int]] = []
    for row in range(0, len(centred), 256):
        block = centred[row : row + 256]
        gaps = norms - 2 * block @ centred.T
        gaps[people[row : row + 256, None] == people] = np.inf
        order = np.argsort(gaps, axis=1, kind="stable")[:, :neighbours]
        found += [[labels[k] for k in line if np.isfinite(gaps[n, k])] for n, line in enumerate(order)]
    return found
