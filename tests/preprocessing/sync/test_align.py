"""Offset and drift of curves whose shift is known, and refusal where nobody can know it."""

import numpy as np
import pytest

from vskd.preprocessing.sync import align as align_module
from vskd.preprocessing.sync.align import Alignment, align, correlation, on_grid
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


@pytest.mark.parametrize(("offset", "found"), [(9.5, True), (-9.5, True), (12.0, False)])
def test_ten_seconds_are_looked_at_unless_told(offset: float, found: bool) -> None:
    strokes = bursts(50)
    sensor, video = curve(strokes, 50.0, 50.0), curve(strokes, 25.0, 30.0, offset=offset)
    assert (abs(align(sensor, video).offset_s - offset) < 0.1) is found
    assert align(sensor, video, max_offset_s=15.0).offset_s == pytest.approx(offset, abs=0.01)


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
    assert len(grid) == 300
    np.testing.assert_allclose(grid, 2.0)


@pytest.mark.parametrize(("confidence", "height", "clear"), [(1.5, 0.4, True), (1.49, 0.9, False), (9.0, 0.39, False)])
def test_a_clear_peak_is_high_and_alone(confidence: float, height: float, clear: bool) -> None:
    assert Alignment(0.0, 0.0, confidence, height).clear == clear


def test_the_grid_is_smoothed_by_a_gaussian_of_a_tenth_of_a_second() -> None:
    times = np.arange(200) / 100
    grid = on_grid(Curve(times, (times == 1.0).astype(float), 2.0), 1.0)
    assert int(grid.argmax()) == 100
    np.testing.assert_allclose(grid[[90, 110, 120]] / grid[100], [np.exp(-0.5), np.exp(-0.5), np.exp(-2)], rtol=1e-6)
    assert len(on_grid(Curve(np.array([0.0]), np.ones(1), 0.005), 1.0)) == 2


def test_a_peak_that_nothing_is_like_counts_twenty_times_at_most() -> None:
    one = np.array([[2.0], [1.0]])
    found = align(curve(one, 4.0, 50.0), curve(one, 4.0, 30.0), max_offset_s=0.3)
    assert found.confidence == pytest.approx(found.correlation / 0.05) and found.correlation > 0.9


@pytest.mark.parametrize("seconds", [89.9, 90.0])
def test_from_ninety_seconds_on_windows_are_counted(seconds: float) -> None:
    """Three windows that agree, and none elsewhere, are a confidence of three."""
    strokes = bursts(100)
    found = align(curve(strokes, 100.0, 50.0), curve(strokes, seconds, 30.0, offset=0.3))
    assert (found.confidence == 3.0) == (seconds == 90.0) and found.offset_s == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize("seconds", [299.0, 300.0])
def test_from_five_minutes_on_drift_is_looked_for(seconds: float) -> None:
    strokes = bursts(320)
    found = align(curve(strokes, 320.0, 50.0), curve(strokes, seconds, 30.0, offset=0.1, scale=1.0005))
    assert found.drift_ppm == (0.0 if seconds == 299.0 else pytest.approx(500, abs=60))


@pytest.mark.parametrize(("away", "confidence"), [(0.249, 5.0), (0.251, 4.0)])
def test_windows_agree_within_a_quarter_of_a_second(away: float, confidence: float) -> None:
    times, offsets = 15.0 + 30 * np.arange(5), np.array([1.0, 1.0, 1.0, 1.0, 1.0 + away])
    found = align_module._agreement(times, offsets, np.array([0.5, 0.6, 0.7, 0.8, 0.9]), drift=False)
    assert (found.confidence, found.offset_s, found.drift_ppm) == (confidence, 1.0, 0.0)
    assert found.correlation == pytest.approx(0.7 if confidence == 5 else 0.65)


def test_two_windows_are_no_line_and_a_clock_is_not_off_by_more_than_a_hundredth() -> None:
    times = 15.0 + 30 * np.arange(3)
    nothing = align_module._agreement(times, np.array([0.0, 0.0, 5.0]), np.ones(3), drift=False)
    assert nothing == Alignment(0.0, 0.0, 1.0, 0.0)
    for slope, ppm in ((0.0099, 9900), (0.0101, 0)):
        found = align_module._agreement(times, 1 + slope * times, np.ones(3), drift=True)
        assert found.drift_ppm == pytest.approx(ppm) and found.offset_s == pytest.approx(1.0 if ppm else 0.0)


def test_a_peak_lies_between_samples_where_a_parabola_says() -> None:
    assert align_module._between(np.array([0.0, 1.0, 3.0, 2.0]), 2) == pytest.approx(1 / 6)
    assert (
        align_module._between(np.array([3.0, 1.0]), 0) == 0.0 and align_module._between(np.array([1.0, 3.0]), 1) == 0.0
    )
    assert align_module._between(np.array([2.0, 2.0, 2.0]), 1) == 0.0


def test_an_alignment_is_of_plain_numbers() -> None:
    strokes = bursts(320)
    sensor = curve(strokes, 320.0, 50.0)
    for seconds in (8.0, 120.0, 310.0):
        found = align(sensor, curve(strokes, seconds, 30.0, offset=0.3))
        numbers = (found.offset_s, found.drift_ppm, found.confidence, found.correlation)
        assert {type(number) for number in numbers} == {float}


def test_curves_shorter_than_a_peak_have_nothing_beside_it() -> None:
    one = np.array([[0.1], [1.0]])
    found = align(curve(one, 0.15, 100.0), curve(one, 0.15, 100.0))
    assert found.confidence == pytest.approx(found.correlation / 0.05)


def test_of_a_long_recording_sixty_windows_are_compared() -> None:
    """They all agree; each has thirty seconds of a hundred values."""
    same = np.random.default_rng(0).random(3000 * 61)
    for values, confidence in ((same, 60), (same[: 3000 * 4 - 1], 3), (same[: 3000 * 3], 3), (same[: 3000 * 3 - 1], 1)):
        found = align_module._by_windows(same[: len(values)], values, 0.5)
        assert found.confidence == confidence and found.offset_s == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("offset", "found"), [(6.5, True), (-6.5, True), (7.5, False), (-7.5, False)])
def test_three_tenths_of_the_shorter_curve_must_overlap(offset: float, found: bool) -> None:
    x, y = np.random.default_rng(1).random((2, 1000))
    lag = round(100 * offset)
    if lag > 0:
        y[: 1000 - lag] = x[lag:]
    else:
        y[-lag:] = x[: 1000 + lag]
    lags, values = correlation(x, y, align_module.LEAST_OVERLAP)
    assert (values[lags == lag].item() == pytest.approx(0.35, abs=1e-3)) == found
    assert (values != 0).sum() == 1000 + 1000 - 2 * 300 + 1
