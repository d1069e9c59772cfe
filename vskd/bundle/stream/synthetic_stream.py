"""Synthetic raw streams, in the device's rate and unit, arriving irregularly, with all that can go wrong."""

import numpy as np
import numpy.typing as npt

from vskd.bundle.stream.stream_plan import MICROSECONDS, StreamPlan
from vskd.preprocessing.sensor.units import GRAVITY

Samples = npt.NDArray[np.float32]
Times = npt.NDArray[np.uint64]
Call = tuple[Samples, Times | None]
"""One call of push: (count, device axes), and time stamps; a call without samples is a reset."""

WINDOWS = 4
"""Strides in each stretch, besides a window."""
JITTER = 0.2
"""Of the time stamps, in periods."""
LARGEST_CALL = 50


def golden_calls(plan: StreamPlan, seed: int = 0, windows: int = WINDOWS) -> list[Call]:
    """Movement, a gap, a NaN, a stuck sensor, saturation, a wrong rate, rest, and movement again, in random pieces.

    Args:
        plan: gives rate, unit and axes.
        seed: the same seed gives the same stream (up to the last bit of the processor's sine).
        windows: strides in each stretch, besides a window.
    """
    generator, start, calls = np.random.default_rng(seed), 0.0, []
    for trouble in ("none", "gap", "nan", "stuck", "saturated", "rate", "rest", "none"):
        count = plan.checked + windows * max(1, plan.stride * plan.resampling.down // plan.resampling.up)
        samples = _stretch(plan, count, trouble, generator)
        period = plan.period_us * (1.2 if trouble == "rate" else 1.0)
        start += 20 * plan.gap if trouble == "gap" else period
        times = start + (np.arange(count) + generator.uniform(-JITTER, JITTER, count)) * period + MICROSECONDS
        start += count * period
        calls += _pieces(samples, times.astype(np.uint64), generator)
    return calls


def _stretch(plan: StreamPlan, count: int, trouble: str, generator: np.random.Generator) -> Samples:
    """Samples in the device's unit and order of axes."""
    unit, channels = GRAVITY.get(plan.contract.unit, 0.0), len(plan.axes)
    amplitude = 0.3 * plan.contract.encoding.limit
    time = np.arange(count)[:, np.newaxis] * plan.period_us / MICROSECONDS
    signal = amplitude * np.sin(
        2 * np.pi * generator.uniform(0.3, 4, channels) * time + generator.uniform(0, 6, channels)
    )
    if trouble == "rest":
        signal = generator.normal(0, 0.002 * amplitude, (count, channels))
    signal[:, -1] += unit
    if trouble == "stuck":
        signal[:] = signal[0]
    if trouble == "saturated":
        signal[::3, 0] = plan.contract.range_limit
    if trouble == "nan":
        signal[count // 2] = np.nan
    samples = np.zeros((count, plan.device_axes), dtype=np.float32)
    for channel, (axis, sign) in enumerate(zip(plan.axes, plan.signs, strict=True)):
        samples[:, axis] = signal[:, channel] * sign / plan.factor
    return samples


def _pieces(samples: Samples, times: Times, generator: np.random.Generator) -> list[Call]:
    calls: list[Call] = []
    start = 0
    while start < len(samples):
        stop = start + int(generator.integers(1, LARGEST_CALL))
        calls.append((samples[start:stop], times[start:stop]))
        start = stop
    return calls
