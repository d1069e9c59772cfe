"""Facts of a recording against closed forms."""

import numpy as np
import pytest

from vskd.datasets.doctor.measure import SKETCH, in_one_scale, nearest_labels, rail_of, sketch_of, still_share
from vskd.preprocessing.sensor.timed import Timed


def timed(signal: np.ndarray) -> Timed:
    return Timed(signal.astype(np.float32), 50.0, np.arange(signal.shape[1]) / 50)


@pytest.mark.parametrize(("unit", "expected"), [("g", 0.5), ("m/s^2", 0.75), ("deg/s", 0.0)])
def test_still_seconds_are_counted_in_the_unit(unit: str, expected: float) -> None:
    """Four seconds whose deviations are 0, 0.01, 0.1 and 1 of the unit."""
    wave = np.tile([1.0, -1.0], 25)
    signal = np.concatenate([size * wave for size in (0.0, 0.01, 0.1, 1.0)])
    assert still_share(timed(np.stack([signal, 0 * signal, 0 * signal])), unit) == expected


def test_a_rail_is_where_many_samples_are_equal() -> None:
    signal = np.random.default_rng(0).uniform(-1, 1, (3, 200)).astype(np.float32)
    assert rail_of(signal) == 0
    signal[1, [3, 9, 80, 81]] = -2.0
    assert rail_of(signal) == 2.0


def test_a_sketch_is_short() -> None:
    assert sketch_of(np.random.default_rng(0).normal(size=(3, 500)).astype(np.float32)).shape == (3 * SKETCH + 6,)


def test_the_unit_does_not_matter() -> None:
    random = np.random.default_rng(0)
    signals = [random.normal(size=(3, 90)).astype(np.float32) for _ in range(4)]
    in_g = in_one_scale({str(n): sketch_of(s) for n, s in enumerate(signals)}, 3)
    in_mg = in_one_scale({str(n): sketch_of(1000 * s) for n, s in enumerate(signals)}, 3)
    for name, sketch in in_g.items():
        np.testing.assert_allclose(in_mg[name][:-3], sketch[:-3], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(in_mg[name][-3:] - sketch[-3:], np.log(1000) * np.sqrt(SKETCH), rtol=1e-4)
    samples = np.concatenate([sketch[:-3] for sketch in in_g.values()])
    assert samples.std() == pytest.approx(1, rel=1e-4)


def test_neighbours_are_those_of_other_people_by_a_naive_search() -> None:
    random = np.random.default_rng(0)
    sketches = random.normal(size=(40, 7)).astype(np.float32)
    labels, subjects = random.integers(0, 4, 40).tolist(), [str(n % 5) for n in range(40)]
    for n, found in enumerate(nearest_labels(sketches, labels, subjects, 3)):
        others = [k for k in range(40) if subjects[k] != subjects[n]]
        others.sort(key=lambda k: float(((sketches[k] - sketches[n]) ** 2).sum()))
        assert found == [labels[k] for k in others[:3]]
    assert nearest_labels(sketches[:2], [0, 1], ["a", "b"], 5) == [[1], [0]]
