"""Offset and drift between two energy curves of the same movement, by normalised cross-correlation.

Method: both curves are read at `GRID_HZ`, their square roots smoothed, and Pearson's correlation of what overlaps is
taken at every lag, times the share that overlaps: a short overlap is alike by chance. The confidence is the ratio of
the highest peak to the highest value anywhere else: a movement that repeats itself (walking) has several peaks of one
height, and nobody can tell which is the right one. Long recordings are compared in windows. The line on which most of
the windows' offsets lie is fitted by the median of all slopes (Theil, 1950; Sen, 1968); its confidence is the number of
windows on it over that on the best line elsewhere.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d
from scipy.signal import correlate
from scipy.stats import theilslopes

from vskd.preprocessing.sync.curve import Curve

Floats = npt.NDArray[np.float64]

GRID_HZ = 100.0
SMOOTHING_S = 0.1
"""Deviation of the Gaussian: a stroke of an arm is one hump, whose place in time is known to a tenth of its width."""
APART_S = 0.3
"""Lags nearer than this are the same peak."""
LEAST_OVERLAP = 0.3
"""Of the shorter curve."""
CLEAR = 1.5
"""Least ratio of the highest peak to what is next. Measured on UTD-MHAD: of the peaks above it, one in twenty is wrong
by more than half a second; of all peaks, one in nine."""
LEAST_CORRELATION = 0.4
FLOOR = 0.05
"""Second values below this count as this: what is never alike makes no infinite confidence."""
WINDOW_S = 30.0
FEWEST_WINDOWS = 3
MOST_WINDOWS = 60
"""Evenly spread over a longer recording: a line needs no more."""
AGREE_S = 0.25
"""Windows so near to a line agree on it."""
DRIFT_SHOWS_S = 300.0
"""In shorter recordings the drift of two working clocks is smaller than the error of its measurement. Measured on pairs
of UTD-MHAD one behind the other: 150 s give it to 1700 ppm, 390 s to 120 ppm (medians)."""
MOST_DRIFT = 0.01
"""Seconds a second; clocks of devices differ by less than a hundredth of that."""


@dataclass(frozen=True)
class Alignment:
    """Where a video lies on a sensor's clock: at `offset_s + (1 + drift_ppm / 1e6) * t` for its second `t`.

    Attributes:
        offset_s: positive where the sensor began earlier.
        drift_ppm: 0 where the recording is too short to show any.
        confidence: ratio of the highest peak to what is next; of windows, see `_agreement`.
        correlation: at the peak, times the share that overlaps there.
    """

    offset_s: float
    drift_ppm: float
    confidence: float
    correlation: float

    @property
    def clear(self) -> bool:
        """Whether the peak stands out."""
        return self.confidence >= CLEAR and self.correlation >= LEAST_CORRELATION


def align(sensor: Curve, video: Curve, *, max_offset_s: float = 10.0, video_scale: float = 1.0) -> Alignment:
    """Find a video on a sensor's clock.

    Videos of three windows (90 s) and more are compared in windows; drift is looked for in those of 300 s and more.

    Args:
        sensor, video: of the same movement.
        max_offset_s: offsets beyond are not looked for.
        video_scale: seconds of the sensor's clock in a second of the video's, as far as it is known already; the drift
            that is returned holds it.
    """
    x = on_grid(sensor, 1.0)
    y = on_grid(video, video_scale)
    if len(y) >= FEWEST_WINDOWS * WINDOW_S * GRID_HZ:
        found = _by_windows(x, y, max_offset_s)
    else:
        found = _peak(x, y, -max_offset_s, max_offset_s, LEAST_OVERLAP)
    scale = video_scale * (1 + found.drift_ppm / 1e6)
    return Alignment(found.offset_s, (scale - 1) * 1e6, found.confidence, found.correlation)


def on_grid(curve: Curve, scale: float) -> Floats:
    """The curve's smoothed square root at `GRID_HZ`, from the stream's beginning to its end."""
    grid = np.arange(max(2, int(curve.seconds * scale * GRID_HZ))) / GRID_HZ
    values = np.sqrt(np.interp(grid, curve.times * scale, curve.values))
    return np.asarray(gaussian_filter1d(values, SMOOTHING_S * GRID_HZ))


def correlation(x: Floats, y: Floats, least_overlap: float) -> tuple[npt.NDArray[np.int64], Floats]:
    """Pearson's correlation of `x[n + lag]` and `y[n]` over what overlaps, times the share that overlaps, at all lags.

    Args:
        x, y: (n,), (m,).
        least_overlap: as a fraction of the shorter one; lags with less have the correlation 0.

    Returns:
        Lags, from 1 - m to n - 1, and their values.
    """
    x, y = x - x.mean(), y - y.mean()

    def sums(a: Floats, b: Floats) -> Floats:
        return np.asarray(correlate(a, b, mode="full", method="fft"))

    ones = np.ones(len(x)), np.ones(len(y))
    count = np.rint(sums(*ones))
    of_x, of_y = sums(x, ones[1]), sums(ones[0], y)
    covariance = sums(x, y) - of_x * of_y / count
    spread = (sums(x * x, ones[1]) - of_x**2 / count) * (sums(ones[0], y * y) - of_y**2 / count)
    least = 1e-9 * (x @ x) * (y @ y)  # of a curve that stands still there is rounding left, and no correlation
    known = (count >= least_overlap * min(len(x), len(y))) & (spread > least)
    result = np.zeros(len(count))
    result[known] = covariance[known] / np.sqrt(spread[known]) * count[known] / min(len(x), len(y))
    return np.arange(1 - len(y), len(x)), result


def _peak(x: Floats, y: Floats, least_s: float, most_s: float, least_overlap: float) -> Alignment:
    """The highest peak between two lags, in seconds."""
    lags, values = correlation(x, y, least_overlap)
    values = np.where((lags >= least_s * GRID_HZ) & (lags <= most_s * GRID_HZ), values, 0.0)
    inner = np.zeros(len(values), dtype=bool)  # a value at the border of what is looked for is no peak
    inner[1:-1] = (values[1:-1] >= values[:-2]) & (values[1:-1] >= values[2:])
    best = int(np.where(inner, values, -1.0).argmax())
    others = values[np.abs(lags - lags[best]) > APART_S * GRID_HZ]
    second = max(float(others.max(initial=0.0)), FLOOR)
    lag = float(lags[best]) + _between(values, best)
    return Alignment(lag / GRID_HZ, 0.0, float(values[best]) / second, float(values[best]))


def _between(values: Floats, best: int) -> float:
    """Where the parabola through the peak and its neighbours is highest, in samples from the peak."""
    if not 0 < best < len(values) - 1:
        return 0.0
    left, middle, right = values[best - 1 : best + 2]
    bend = left - 2 * middle + right
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < 0 else 0.0


def _by_windows(x: Floats, y: Floats, max_offset_s: float) -> Alignment:
    """Windows of the video, each looked for on the sensor's curve around its own time; the line that most agree on."""
    width, margin = int(WINDOW_S * GRID_HZ), int(max_offset_s * GRID_HZ)
    windows = (len(y) - width) // width + 1
    found = []
    for number in np.unique(np.linspace(0, windows - 1, min(windows, MOST_WINDOWS)).astype(int)):
        start = int(number) * width
        first = max(0, start - margin)
        part = x[first : start + width + margin]
        if len(part) < width:
            break
        shift = (first - start) / GRID_HZ
        peak = _peak(part, y[start : start + width], -max_offset_s - shift, max_offset_s - shift, 1.0)
        found.append(((start + width / 2) / GRID_HZ, peak.offset_s + shift, peak.correlation))
    if len(found) < FEWEST_WINDOWS:
        return _NOTHING
    return _agreement(*np.array(found).T, drift=len(y) >= DRIFT_SHOWS_S * GRID_HZ)


_NOTHING = Alignment(0.0, 0.0, 1.0, 0.0)


def _agreement(times: Floats, offsets: Floats, strengths: Floats, *, drift: bool) -> Alignment:
    """The line on which most windows lie, a level one without drift; see the module's text."""
    starts, slopes = _lines(times, offsets) if drift else (offsets, np.zeros_like(offsets))
    if not slopes.size:
        return _NOTHING
    on_line = np.abs(starts[:, None] + slopes[:, None] * times - offsets) <= AGREE_S  # (lines, windows)
    inside = on_line[int(on_line.sum(axis=1).argmax())]
    elsewhere = int((on_line & ~inside).sum(axis=1).max())
    if inside.sum() < FEWEST_WINDOWS:
        return _NOTHING
    slope, offset = 0.0, np.median(offsets[inside])
    if drift:
        slope, offset, *_ = theilslopes(offsets[inside], times[inside])
    confidence = float(inside.sum()) / max(1, elsewhere)
    return Alignment(float(offset), float(slope) * 1e6, confidence, float(np.median(strengths[inside])))


def _lines(times: Floats, offsets: Floats) -> tuple[Floats, Floats]:
    """Start and slope of the line through each two windows, where clocks can differ so much."""
    one, other = np.triu_indices(len(times), 1)
    slopes = (offsets[other] - offsets[one]) / (times[other] - times[one])
    possible = np.abs(slopes) <= MOST_DRIFT
    return offsets[one][possible] - slopes[possible] * times[one][possible], slopes[possible]
