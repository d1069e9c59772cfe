"""Offset and drift of curves whose shift is known, and refusal where nobody can know it."""

import numpy as np
import pytest

from vskd.preprocessing.sync.align import GRID_HZ, align, correlation, on_grid
from vskd.preprocessing.sync.curve import Curve


def bursts(seconds: float, seed: int = 0) -> np.ndarray:
    """Times of strokes at irregular distances, and their heights."""
    random = np.random.default_rng(seed)
    times = np.cumsum(random.uniform(0.4, 1.6, int(seconds)))
    return np.stack([times[times < seconds - 0.5], random.uniform(0.5, 1.5, int((times < seconds - 0.5).sum()))])


def curve(strokes: np.ndarray, seconds: float, rate_hz: float, *, offset: float = 0.0, scale: float = 1.0) -> Curve:
    """Gaussian strokes as seen by a stream whose second t is the second `offset + scale * t` of the world."""
    times = np.arange(int(seconds * rate_hz)) / rate_hz
    world = offset + scale * times
    values = sum(height * np.exp(-(((world - at) / 0.12) ** 2)) for at, height in strokes.T)
    return Curve(times, np.asarray(values) + 0.01, seconds)


@pytest.mark.parametrize("offset", [-0.83, -0.2, 0.0, 0.417, 0.9])
def test_a_known_offset_is_found_to_a_hundredth(offset: float) -> None:
    strokes = bursts(8)
    found = align(curve(strokes, 8.0, 50.0), curve(strokes, 7.0, 30.0, offset=offset))
    assert found.clear and found.drift_ppm == 0
    assert found.offset_s == pytest.approx(offset, abs=0.01)


@pytest.mark.parametrize(("offset", "ppm"), [(1.3, 0.0), (-0.7, 400.0), (0.4, -3000.0)])
def test_a_known_drift_of_a_long_recording_is_found(offset: float, ppm: float) -> None:
    strokes = bursts(330)
    video = curve(strokes, 310.0, 30.0, offset=offset, scale=1 + ppm / 1e6)
    found = align(curve(strokes, 330.0, 50.0), video)
    assert found.clear
    assert found.offset_s == pytest.approx(offset, abs=0.02)
    assert found.drift_ppm == pytest.approx(ppm, abs=60)


def test_wrong_windows_do_not_move_the_line() -> None:
    """A third of the video shows something else."""
    strokes, others = bursts(120), bursts(120, 7)
    sensor = curve(strokes, 120.0, 50.0)
    video, strange = curve(strokes, 120.0, 30.0, offset=-0.5), curve(others, 120.0, 30.0)
    mixed = Curve(video.times, np.where(video.times < 30, strange.values, video.values), 120.0)
    found = align(sensor, mixed)
    assert found.clear and found.confidence == 3.0  # three windows agree, one is elsewhere
    assert found.offset_s == pytest.approx(-0.5, abs=0.01) and found.drift_ppm == 0


def test_a_rate_that_is_known_is_part_of_the_drift() -> None:
    strokes = bursts(6)
    video = curve(strokes, 4.0, 30.0, offset=0.2, scale=1.5)
    found = align(curve(strokes, 6.5, 50.0), video, video_scale=1.5)
    assert found.clear and found.drift_ppm == pytest.approx(500_000)
    assert found.offset_s == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("what", ["periodic", "still", "unrelated"])
def test_what_has_no_one_peak_is_not_clear(what: str) -> None:
    strokes = np.stack([np.arange(0.25, 9, 0.5), np.ones(18)])
    sensor, video = curve(strokes, 9.0, 50.0), curve(strokes, 9.0, 30.0, offset=0.1)
    if what == "still":
        video = Curve(video.times, np.zeros_like(video.times), video.seconds)
    if what == "unrelated":
        sensor, video = curve(bursts(9, 1), 9.0, 50.0), curve(bursts(9, 2), 9.0, 30.0)
    assert not align(sensor, video).clear


def test_a_long_recording_of_something_else_is_not_clear() -> None:
    assert not align(curve(bursts(200, 1), 200.0, 50.0), curve(bursts(200, 2), 200.0, 30.0)).clear


def test_offsets_beyond_the_limit_are_not_looked_for() -> None:
    strokes = bursts(20)
    sensor, video = curve(strokes, 20.0, 50.0), curve(strokes, 16.0, 30.0, offset=3.0)
    assert align(sensor, video).offset_s == pytest.approx(3.0, abs=0.01)
    assert abs(align(sensor, video, max_offset_s=2.0).offset_s) <= 2.0


def test_the_correlation_is_that_of_a_naive_loop() -> None:
    random = np.random.default_rng(0)
    x, y = random.random(23), random.random(17)
    lags, values = correlation(x, y, 0.5)
    for lag, value in zip(lags, values, strict=True):
        pairs = [(x[n + lag], y[n]) for n in range(17) if 0 <= n + lag < 23]
        expected = np.corrcoef(np.array(pairs).T)[0, 1] * len(pairs) / 17 if len(pairs) >= 0.5 * 17 else 0.0
        assert value == pytest.approx(expected, abs=1e-9)


def test_the_grid_spans_the_stream_and_keeps_constants() -> None:
    grid = on_grid(Curve(np.array([0.0, 1.0, 2.0]), np.full(3, 4.0), 2.0), 1.5)
    assert len(grid) == int(3.0 * GRID_HZ)
    np.testing.assert_allclose(grid, 2.0)
