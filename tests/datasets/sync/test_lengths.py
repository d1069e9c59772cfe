"""Growth of lengths, where it is known."""

import warnings

import numpy as np
import pytest
from scipy.stats import theilslopes

from vskd.datasets.sync import lengths
from vskd.datasets.sync.lengths import FEWEST, length_ratio

VIDEO = np.arange(2.0, 5.0, 0.1)


def test_the_growth_is_found_whatever_the_delay_and_in_spite_of_outliers() -> None:
    sensor = 1.5 * VIDEO + 0.3
    sensor[[3, 9]] = 40.0
    assert length_ratio(sensor.tolist(), VIDEO.tolist()) == pytest.approx(1.5)


@pytest.mark.parametrize("what", ["agree", "few", "unrelated", "all alike"])
def test_nothing_is_said_where_nothing_is_known(what: str) -> None:
    sensor, video = 1.5 * VIDEO, VIDEO
    if what == "agree":
        sensor = 1.04 * VIDEO + 2
    if what == "few":
        sensor, video = sensor[: FEWEST - 1], video[: FEWEST - 1]
    if what == "unrelated":
        sensor = np.random.default_rng(0).uniform(2, 5, len(VIDEO))
    if what == "all alike":
        video = np.full(len(sensor), 3.0)
    assert length_ratio(sensor.tolist(), video.tolist()) is None


@pytest.mark.parametrize(("count", "known"), [(20, True), (19, False)])
def test_twenty_recordings_say_something(count: int, known: bool) -> None:
    sensor, video = (1.5 * VIDEO[:count]).tolist(), VIDEO[:count].tolist()
    assert (length_ratio(sensor, video) is not None) == known


@pytest.mark.parametrize(("growth", "told"), [(1.049, False), (1.051, True), (0.951, False), (0.949, True)])
def test_lengths_agree_to_a_twentieth(growth: float, told: bool) -> None:
    found = length_ratio((growth * VIDEO + 1).tolist(), VIDEO.tolist())
    assert found == (pytest.approx(growth) if told else None)


def test_videos_of_one_length_are_not_compared() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert length_ratio((1.5 * VIDEO).tolist(), [3.0] * len(VIDEO)) is None


@pytest.mark.parametrize(("noise", "known"), [(0.02, True), (0.3, False)])
def test_a_growth_is_known_where_its_bounds_are_a_tenth_apart(noise: float, known: bool) -> None:
    sensor = 1.5 * VIDEO + np.random.default_rng(0).normal(0, noise, len(VIDEO))
    _, _, low, high = theilslopes(sensor, VIDEO)
    assert 1 < high / low < 1.9 and (high / low <= 1.1) == known
    assert (length_ratio(sensor.tolist(), VIDEO.tolist()) is not None) == known


def test_bounds_at_the_limit_are_near_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    sensor = 1.5 * VIDEO + np.random.default_rng(0).normal(0, 0.3, len(VIDEO))
    _, _, low, high = theilslopes(sensor, VIDEO)
    for limit, known in ((high / low, True), (0.999 * high / low, False)):
        monkeypatch.setattr(lengths, "SURE", limit)
        assert (length_ratio(sensor.tolist(), VIDEO.tolist()) is not None) == known
