"""Facts of a recording against closed forms."""

import numpy as np
import pytest

from vskd.datasets.doctor.measure import SKETCH, nearest_labels, rail_of, sketch_of, still_share
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


def test_neighbours_are_those_of_other_people_by_a_naive_search() -> None:
    random = np.random.default_rng(0)
    sketches = random.normal(size=(40, 7)).astype(np.float32)
    labels, subjects = random.integers(0, 4, 40).tolist(), [str(n % 5) for n in range(40)]
    scaled = (sketches - sketches.mean(axis=0)) / sketches.std(axis=0)
    for n, found in enumerate(nearest_labels(sketches, labels, subjects, 3)):
        others = [k for k in range(40) if subjects[k] != subjects[n]]
        others.sort(key=lambda k: float(((scaled[k] - scaled[n]) ** 2).sum()))
        assert found == [labels[k] for k in others[:3]]
    assert nearest_labels(sketches[:2], [0, 1], ["a", "b"], 5) == [[1], [0]]
