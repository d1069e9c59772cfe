"""The clock of a recording: the right rate whatever single stamps do, and every break named."""

import numpy as np
import pytest

from vskd.errors import DataError
from vskd.preprocessing.sensor.clock import Clock, fit_clock

RANDOM = np.random.default_rng(0)


def even(samples: int = 200, rate: float = 50.0) -> np.ndarray:
    return np.arange(samples) / rate


@pytest.mark.parametrize("rate", [12.5, 25.0, 31.25, 50.0, 100.0, 400.0])
@pytest.mark.parametrize("samples", [30, 200, 5000])
def test_an_even_clock(rate: float, samples: int) -> None:
    clock = fit_clock(even(samples, rate), "a.csv")
    assert clock.rate_hz == pytest.approx(rate, rel=5e-3)
    assert (clock.breaks, clock.facts) == ((), ())


def late(stamps: np.ndarray) -> np.ndarray:
    """Single stamps come 10 to 55 ms late, as those of MMAct do; the samples are in order."""
    stamps = stamps.copy()
    where = RANDOM.choice(len(stamps), len(stamps) // 25, replace=False)
    stamps[where] += RANDOM.uniform(0.01, 0.055, len(where))
    return stamps


def bursts(stamps: np.ndarray) -> np.ndarray:
    """A radio link hands over 10 samples at a time."""
    return np.repeat(stamps[9::10], 10) + np.tile(np.arange(10) * 1e-3, len(stamps) // 10)


@pytest.mark.parametrize(
    "change",
    [
        late,
        bursts,
        lambda t: t + RANDOM.normal(0, 0.004, len(t)),
        lambda t: np.round(t, 2),
        lambda t: np.floor(t * 10) / 10,
        lambda t: np.append(t[:-1], 99.0),
        lambda t: np.insert(t[1:], 0, -99.0),
        lambda t: t + 1.7e9,
    ],
)
def test_single_stamps_change_neither_rate_nor_order(change) -> None:
    clock = fit_clock(change(even(500)), "a.csv")
    assert clock.rate_hz == pytest.approx(50, rel=0.02)
    assert clock.breaks == ()


@pytest.mark.parametrize("place", [20, 100, 350])
@pytest.mark.parametrize("gap", [0.2, 1.0, 60.0])
@pytest.mark.parametrize("change", [lambda t: t, late])
def test_a_gap_is_found_where_it_is(place: int, gap: float, change) -> None:
    stamps = even(400)
    stamps[place:] += gap
    clock = fit_clock(change(stamps), "a.csv")
    assert len(clock.breaks) == 1 and abs(clock.breaks[0] - place) <= 1
    assert clock.gaps[0] == pytest.approx(gap + 0.02, abs=0.06)
    assert clock.rate_hz == pytest.approx(50, rel=0.01)


def test_several_gaps() -> None:
    stamps = even(600)
    for place in (150, 300, 450):
        stamps[place:] += 2.0
    clock = fit_clock(stamps, "a.csv")
    assert clock.breaks == (150, 300, 450) and clock.rate_hz == 50 and "3 gaps" in clock.facts


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t[::-1], "run backwards in time"),
        (lambda t: np.concatenate([t[100:], t[:100] - 0.5]), "set back by 4.5 s at data row 101"),
        (lambda t: np.concatenate([t, t]), "starts again at data row 201"),
        (lambda t: np.concatenate([t[:50], t[50:] - 3600]), "set back by 3600 s at data row 51"),
        (lambda t: RANDOM.permutation(t), "not in order of time"),
        (lambda t: np.ravel(np.column_stack([t, t - 0.5])), "not in order of time"),
        (np.zeros_like, "all time stamps are the same"),
    ],
)
def test_a_clock_that_is_not_one_is_refused_by_name(change, told: str) -> None:
    with pytest.raises(DataError, match=r"^a\.csv: ") as caught:
        fit_clock(change(even()), "a.csv")
    assert told in str(caught.value)


def test_missing_samples_are_said() -> None:
    kept = np.sort(RANDOM.choice(600, 500, replace=False))
    clock = fit_clock(even(600)[kept], "a.csv")
    assert clock.rate_hz == pytest.approx(50 * 5 / 6, rel=0.03)
    assert any("samples are missing" in fact for fact in clock.facts)


def test_stamps_in_whole_seconds_give_a_rate_only_over_a_long_time() -> None:
    assert fit_clock(np.floor(even(170)), "a.csv").rate_hz is None
    assert fit_clock(np.floor(even(170)), "a.csv").facts == ("time stamps only every 1 s: too coarse for a rate",)
    assert fit_clock(np.floor(even(50_000)), "a.csv").rate_hz == pytest.approx(50, rel=0.02)


def test_two_stamps_say_no_rate() -> None:
    assert fit_clock(even(2), "a.csv").rate_hz is None


def test_an_even_clock_goes_through_the_stamps_and_is_shifted_at_gaps() -> None:
    stamps = late(np.concatenate([even(100), even(100) + 5.0]))
    clock = fit_clock(stamps, "a.csv")
    assert clock.breaks == (100,)
    times = clock.sample_times(stamps)
    np.testing.assert_allclose(times, np.concatenate([even(100), even(100) + 5.0]), atol=2e-3)


def test_a_device_s_nominal_rate_counts_where_stamps_say_quite_another() -> None:
    hasty = bursts(even(300, 300.0))
    assert fit_clock(hasty, "a.csv").rate_hz == pytest.approx(300.0, rel=0.02)
    assert fit_clock(hasty, "a.csv", 31.0).rate_hz == 31.0
    assert fit_clock(even(90, 40.0), "a.csv", 31.0).rate_hz == 40.0, "another rate of the device is no burst"


def test_a_file_of_many_short_recordings_has_the_rate_of_each() -> None:
    stamps = np.concatenate([60.0 * k + even(150) for k in range(20)])
    clock = fit_clock(stamps, "a.csv")
    assert clock.rate_hz == pytest.approx(50, rel=1e-3)
    assert clock.breaks == tuple(range(150, 3000, 150))


@pytest.mark.parametrize(("samples", "rate"), [(3, None), (4, 50.0)])
def test_four_stamps_say_a_rate(samples: int, rate: float | None) -> None:
    assert fit_clock(even(samples), "a.csv").rate_hz == rate


@pytest.mark.parametrize(("swaps", "refused"), [(10, False), (11, True)])
def test_a_tenth_of_the_steps_may_go_back(swaps: int, refused: bool) -> None:
    stamps = even(101)
    for k in range(swaps):
        stamps[[8 * k + 2, 8 * k + 3]] = stamps[[8 * k + 3, 8 * k + 2]]
    if refused:
        with pytest.raises(DataError, match="11 of 100 rows are older than the row before"):
            fit_clock(stamps, "a.csv")
    else:
        clock = fit_clock(stamps, "a.csv")
        assert (clock.backward, clock.repeated, clock.facts) == (10, 0, ("10 stamps late",))


@pytest.mark.parametrize(("rate", "taken"), [(46.0, 46.0), (47.0, 31.0), (20.9, 20.9), (20.5, 31.0)])
def test_a_nominal_rate_is_believed_of_bursts_beyond_half_as_much_again(rate: float, taken: float) -> None:
    clock = fit_clock(bursts(even(300, rate)), "a.csv", 31.0)
    assert clock.rate_hz == pytest.approx(taken, rel=0.005) and clock.period_s == pytest.approx(1 / taken, rel=0.005)
    told = (f"samples came in bursts: the stamps make {rate:g} Hz, the device's 31 Hz are taken",)
    assert (clock.facts == told) == (taken == 31.0)


@pytest.mark.parametrize("rate", [5.0, 20.5, 47.0, 100.0, 400.0])
@pytest.mark.parametrize("change", [lambda t: t, late, lambda t: np.round(t, 3)])
def test_even_stamps_say_the_rate_of_another_device(rate: float, change) -> None:
    """Two devices in one folder: a recording of 8 s at 100 Hz is none of 16 s at 50 Hz."""
    clock = fit_clock(change(even(int(8 * rate), rate)), "a.csv", 50.0)
    assert clock.rate_hz == pytest.approx(rate, rel=0.02)
    assert not any("bursts" in fact for fact in clock.facts)


@pytest.mark.parametrize(
    ("rate", "gap", "found"),
    [(100.0, 0.095, False), (100.0, 0.105, True), (12.5, 0.235, False), (12.5, 0.245, True)],
)
def test_a_gap_is_a_tenth_of_a_second_and_three_steps(rate: float, gap: float, found: bool) -> None:
    stamps = even(300, rate)
    stamps[150:] += gap
    clock = fit_clock(stamps, "a.csv")
    assert clock.breaks == ((150,) if found else ()) and clock.facts == (("1 gap",) if found else ())
    assert clock.gaps == ((pytest.approx(gap + 1 / rate),) if found else ())


@pytest.mark.parametrize(("place", "found"), [(397, True), (398, False), (3, True), (2, False)])
def test_a_break_has_three_samples_on_either_side(place: int, found: bool) -> None:
    stamps = even(400)
    stamps[place:] += 5.0
    assert fit_clock(stamps, "a.csv").breaks == ((place,) if found else ())


@pytest.mark.parametrize(("every", "told"), [(40, ()), (25, ("about 4 % of the samples are missing",))])
def test_few_missing_samples_are_not_spoken_of(every: int, told: tuple[str, ...]) -> None:
    stamps = even(2000)
    assert fit_clock(np.delete(stamps, slice(10, None, every)), "a.csv").facts == told


def test_jitter_is_that_of_ninety_five_in_a_hundred() -> None:
    stamps = even(1000)
    stamps[::10] += 0.003
    stamps[::50] += 0.5
    clock = fit_clock(stamps, "a.csv")
    assert clock.jitter_s == pytest.approx(0.003, abs=2e-4) and clock.backward == 20
    assert clock.facts == ("20 stamps late",)


def test_rates_have_three_digits_and_periods_all() -> None:
    clock = fit_clock(even(3000, 49.64), "a.csv")
    assert clock.rate_hz == 49.6 and clock.period_s == pytest.approx(1 / 49.64, rel=1e-9)
    assert fit_clock(np.repeat(even(100, 25.0), 2)[:150], "a.csv").repeated == 75


@pytest.mark.parametrize("away", [-9, -4, -3, -2, -1, 1, 2, 3, 4, 8])
@pytest.mark.parametrize("gap", [0.2, 60.0])
def test_a_late_stamp_beside_a_gap_is_no_gap_of_its_own(away: int, gap: float) -> None:
    stamps = even(400)
    stamps[200:] += gap
    stamps[200 + away] += 0.055
    assert fit_clock(stamps, "a.csv").breaks == (200,)


@pytest.mark.parametrize(
    ("steps", "told"), [(2, "starts again at data row 101"), (3, "set back by"), (-2, "starts again")]
)
def test_within_three_steps_of_the_first_stamp_a_file_starts_again(steps: int, told: str) -> None:
    """Stamps a quarter of a second apart, which binary fractions hold exactly."""
    stamps = np.arange(100) / 4
    with pytest.raises(DataError, match=told):
        fit_clock(np.concatenate([stamps, stamps + steps / 4]), "a.csv")


@pytest.mark.parametrize(("samples", "rate"), [(2250, None), (2750, 50.0)])
def test_stamps_in_whole_seconds_need_fifty_of_them(samples: int, rate: float | None) -> None:
    """A rate is said where it is certain to two per cent: of a piece, not of all of them together."""
    assert fit_clock(np.floor(even(samples)), "a.csv").rate_hz == (rate and pytest.approx(rate, rel=0.02))
    gap = np.where(np.arange(4000) < 2000, 0.0, 600.0)
    assert fit_clock(np.floor(even(4000)) + gap, "a.csv").rate_hz is None


@pytest.mark.parametrize(("every", "coarse"), [(13, False), (7, True)])
def test_a_tenth_of_the_stamps_may_be_repeated(every: int, coarse: bool) -> None:
    """Of 40: three, or five and a sixth at the end."""
    stamps = even(40)
    stamps[every::every] = stamps[every - 1 : -1 : every]
    clock = fit_clock(stamps, "a.csv")
    repeated = len(range(every, 40, every))
    told = ("time stamps only every 0.02 s: too coarse for a rate",)
    assert clock.facts == (told if coarse else (f"{repeated} stamps repeated",))
    assert (clock.rate_hz is None) == coarse


@pytest.mark.parametrize(("rate", "pause"), [(50.0, 2.5), (10.0, 6.0)])
def test_a_pause_of_two_seconds_and_fifty_steps_says_nothing_of_the_rate(rate: float, pause: float) -> None:
    one = even(150, rate)
    stamps = np.concatenate([(one[-1] + pause) * k + one for k in range(20)])
    clock = fit_clock(stamps, "a.csv")
    assert clock.rate_hz == pytest.approx(rate, rel=1e-3) and clock.breaks == tuple(range(150, 3000, 150))


def test_gaps_close_to_each_other_are_both_found() -> None:
    stamps = even(400)
    stamps[200:] += 5.0
    stamps[208:] += 5.0
    clock = fit_clock(stamps, "a.csv")
    assert clock.breaks == (200, 208) and clock.facts == ("2 gaps",)


def test_a_gap_stands_out_of_the_noise_sixfold() -> None:
    """Stamps of 5 Hz with a noise of two fifths of a step: about 2.3 steps are six times its median, 4.6 twelve."""
    random = np.random.default_rng(5)
    stamps = even(2000, 5.0) + random.normal(0, 0.08, 2000)
    stamps[1000:] += 3.8 / 5
    clock = fit_clock(stamps, "a.csv")
    assert len(clock.breaks) == 1 and abs(clock.breaks[0] - 1000) <= 2


@pytest.mark.parametrize(
    ("signs", "told"),
    [("bbbbbbbfff", "not in order of time"), ("bbbbbbb00f", "run backwards"), ("bbbbbfffff", "not in order of time")],
)
def test_rows_run_backwards_where_hardly_any_goes_on(signs: str, told: str) -> None:
    steps = np.array([{"b": -0.02, "f": 0.02, "0": 0.0}[sign] for sign in signs * 10])
    with pytest.raises(DataError, match=told):
        fit_clock(np.concatenate([[0.0], np.cumsum(steps)]), "a.csv")


def test_the_first_of_several_steps_back_is_named() -> None:
    stamps = np.concatenate([even(100), even(100) + 0.7, even(100) + 0.2])
    with pytest.raises(DataError, match=r"set back by 1\.3\d? s at data row 101"):
        fit_clock(stamps, "a.csv")


def test_what_a_clock_says_are_plain_numbers() -> None:
    stamps = even(300)
    stamps[100:] += 500.0
    stamps[200:] += 700.0
    for clock in (fit_clock(stamps, "a.csv"), fit_clock(stamps / 6, "a.csv", 50.0)):
        assert clock.gaps[0] < clock.gaps[1] and [type(gap) for gap in clock.gaps] == [float, float]
        assert type(clock.jitter_s) is type(clock.rate_hz) is type(clock.period_s) is float
    few = fit_clock(np.floor(even(170)), "a.csv")
    assert type(few.period_s) is float and few.period_s == 3 / 169


def test_clocks_of_the_same_rate_and_gaps_are_equal_whatever_single_stamps_do() -> None:
    one = Clock(50.0, (3,), (0.5,), ("1 gap",), 0.02, 0.1, 4, 5)
    assert one == Clock(50.0, (3,), (0.5,), ("1 gap",)) != Clock(50.0, (3,), (0.6,), ("1 gap",))
    assert (one.period_s, one.jitter_s, one.backward, one.repeated) == (0.02, 0.1, 4, 5)
    plain = Clock(None)
    assert (plain.breaks, plain.gaps, plain.facts, plain.period_s, plain.jitter_s) == ((), (), (), 0.0, 0.0)
    assert (plain.backward, plain.repeated) == (0, 0)


@pytest.mark.parametrize("rate", [47.0, 53.0, 98.0])
def test_where_many_samples_share_a_stamp_differences_span_twenty_stamps(rate: float) -> None:
    """A difference over 500 samples would be a whole number of seconds, and a tenth off."""
    assert fit_clock(np.floor(even(50_000, rate)), "a.csv").period_s == pytest.approx(1 / rate, rel=5e-3)
