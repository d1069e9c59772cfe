"""The change of rate of sliding windows: number by number, against scipy's filter, in pieces, and from a stream."""

import numpy as np
import pytest
from scipy.signal import firwin, resample_poly

from vskd.errors import DataError
from vskd.preprocessing.sensor.resampling import Resampling, plan_resampling, resampled, resampled_pieces

RATES = {
    (50.0, 50.0): (1, 1, 1),
    (100.0, 50.0): (1, 2, 41),
    (60.0, 50.0): (5, 6, 121),
    (104.0, 50.0): (25, 52, 1041),
    (25.0, 50.0): (2, 1, 41),
    (20.0, 50.0): (5, 2, 101),
    (31.25, 50.0): (8, 5, 161),
    (49.6, 50.0): (125, 124, 2501),
    (31.047618, 30.0): (315, 326, 6521),
}


def wrist(samples: int, axes: int = 3) -> np.ndarray:
    random = np.random.default_rng(samples)
    return (random.normal(size=(axes, samples)).cumsum(axis=1) / 9 + np.arange(axes)[:, None]).astype(np.float32)


def number_by_number(signal: np.ndarray, made: Resampling) -> np.ndarray:
    """What the firmware computes, in Python's own floats: ends are held, sums are in the order of the samples."""
    taps, reach = made.taps.tolist(), made.half // made.up + 1
    found = np.empty((len(signal), made.count(signal.shape[1])), dtype=np.float32)
    for axis, row in enumerate(signal.tolist()):
        for output in range(found.shape[1]):
            total, around = 0.0, output * made.down // made.up
            for place in range(around - reach, around + reach + 1):
                tap = made.half + output * made.down - place * made.up
                if 0 <= tap < len(taps):
                    total += (row[min(max(place, 0), len(row) - 1)] - row[0]) * taps[tap]
            found[axis, output] = row[0] + total
    return found


@pytest.mark.parametrize(("rates", "ratio"), RATES.items())
def test_every_output_is_the_sum_in_the_order_of_the_samples(
    rates: tuple[float, float], ratio: tuple[int, int, int]
) -> None:
    made = plan_resampling(*rates)
    assert (made.up, made.down, len(made.taps)) == ratio
    for samples in (1, 2, 17, 90):
        signal = wrist(samples)
        found = resampled(signal, *rates)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, number_by_number(signal, made) if made.half else signal)


@pytest.mark.parametrize("rates", [(100.0, 50.0), (104.0, 50.0), (20.0, 50.0)])
def test_the_order_of_the_sum_counts_where_it_cancels(rates: tuple[float, float]) -> None:
    """Nearly always float32 rounds the order away. Here an output is chosen to be next to nothing."""
    made, signal = plan_resampling(*rates), (1e6 * wrist(200, 1)).astype(np.float32)
    output = made.count(100) + 1  # of which no tap but one would be 0
    places = np.arange(max(0, made.first_needed(output)), made.last_needed(output) + 1)
    taps = made.taps[made.half + output * made.down - places * made.up]
    signal[0, 0] = 0
    for tap in (np.abs(taps).max(), np.sort(np.abs(taps))[len(taps) // 4]):  # coarsely, then finely
        place = int(np.flatnonzero(np.abs(taps) == tap)[0])
        signal[0, places[place]] -= np.float32((signal[0, places].astype(np.float64) * taps).sum() / taps[place])
    terms = (signal[0, places].astype(np.float64) * taps).tolist()
    forward, backward = (np.float32(np.add.accumulate(np.array(order))[-1]) for order in (terms, terms[::-1]))
    assert forward != backward
    assert resampled(signal, *rates)[0, output] == forward == number_by_number(signal, made)[0, output]


@pytest.mark.parametrize("rates", [r for r in RATES if r[0] != r[1]])
def test_the_filter_is_scipys(rates: tuple[float, float]) -> None:
    made, signal = plan_resampling(*rates), wrist(900)
    taps = made.up * firwin(2 * made.half + 1, 1 / max(made.up, made.down), window=("kaiser", 5.0))
    np.testing.assert_allclose(made.taps, taps, rtol=1e-12, atol=1e-15)
    held = signal[:, :1].astype(np.float64)
    expected = held + resample_poly(signal.astype(np.float64) - held, made.up, made.down, axis=1)
    near_the_end = made.half // made.down + 2  # there scipy takes zero
    found = resampled(signal, *rates)
    assert 0 <= expected.shape[1] - found.shape[1] <= 1
    shared = found.shape[1] - near_the_end
    np.testing.assert_allclose(found[:, :shared], expected[:, :shared], rtol=0, atol=1e-6)


@pytest.mark.parametrize("rate", [25.0, 60.0, 100.0])
def test_a_wave_keeps_its_frequency_and_a_constant_its_value(rate: float) -> None:
    time = np.arange(int(8 * rate)) / rate
    found = resampled(np.stack([np.sin(4 * np.pi * time), np.full(len(time), 3.25)]).astype(np.float32), rate, 50.0)
    now = np.arange(found.shape[1]) / 50
    np.testing.assert_allclose(found[0, 25:-25], np.sin(4 * np.pi * now[25:-25]), atol=2e-3)
    np.testing.assert_array_equal(found[1], np.float32(3.25))


def test_what_the_new_rate_cannot_hold_is_gone() -> None:
    """18 Hz at 25 Hz would appear as 7 Hz."""
    signal = np.sin(2 * np.pi * 18 * np.arange(400) / 50)[np.newaxis].astype(np.float32)
    assert np.abs(resampled(signal, 50.0, 25.0)[0, 20:-20]).max() < 0.05


@pytest.mark.parametrize("rates", RATES)
@pytest.mark.parametrize("piece", [1, 64, 1000, 10**6])
def test_pieces_are_those_of_the_whole(rates: tuple[float, float], piece: int) -> None:
    signal, made = wrist(40 if piece == 1 else 3001), plan_resampling(*rates)
    pieces = list(resampled_pieces(lambda a, b: signal[:, a:b], signal.shape[1], made, piece))
    assert all(part.shape[1] <= piece and part.dtype == np.float32 for part in pieces)
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), resampled(signal, *rates))


def test_only_a_piece_is_read() -> None:
    asked: list[int] = []

    def read(first: int, behind: int) -> np.ndarray:
        asked.append(behind - first)
        return np.ones((1, behind - first), dtype=np.float32)

    for _ in resampled_pieces(read, 100_000, plan_resampling(50.0, 25.0), 200):
        pass
    assert max(asked) < 500


@pytest.mark.parametrize("rates", RATES)
def test_nothing_depends_on_what_follows_beyond_the_delay(rates: tuple[float, float]) -> None:
    made, signal = plan_resampling(*rates), wrist(300)
    there = sum(made.last_needed(n) < 200 for n in range(made.count(300)))
    np.testing.assert_array_equal(resampled(signal, *rates)[:, :there], resampled(signal[:, :200], *rates)[:, :there])
    assert there < made.count(200) or made.half == 0


@pytest.mark.parametrize("rates", [*RATES, (50.0, 40.0), (50.0, 33.0), (62.5, 50.0)])
def test_a_recording_has_the_outputs_that_a_stream_gives_when_the_end_is_held_for_the_delay(
    rates: tuple[float, float],
) -> None:
    made = plan_resampling(*rates)
    for samples in range(1, 120):
        newest = samples - 1 + made.delay
        count = made.count(samples)
        assert made.last_needed(count - 1) <= newest < made.last_needed(count)
        assert resampled(np.zeros((1, samples), np.float32), *rates).shape[1] == count
        assert made.count(made.fewest(samples)) >= samples > made.count(made.fewest(samples) - 1)


def test_no_samples_give_none_and_rates_that_are_none_are_refused() -> None:
    assert resampled(np.zeros((3, 0), np.float32), 100.0, 50.0).shape == (3, 0)
    for rates in ((0.0, 50.0), (50.0, 0.0), (50.0, -1.0)):
        with pytest.raises(DataError, match="Cannot resample"):
            plan_resampling(*rates)


def test_a_filter_that_is_shared_cannot_be_changed() -> None:
    taps = plan_resampling(100.0, 50.0).taps
    with pytest.raises(ValueError, match="read-only"):
        taps[0] = 1.0
