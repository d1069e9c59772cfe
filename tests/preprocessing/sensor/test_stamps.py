"""Time stamps of every kind: seconds since the first, to the resolution of what is written."""

import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from vskd.preprocessing.sensor.stamps import counts_from_1970, is_local, parse_stamps, scale_counts, start_of

AT = np.arange(100) * 0.02
START = datetime(2024, 5, 6, 23, 59, 59, 300_000, tzinfo=UTC)
MOMENTS = [START + timedelta(microseconds=20_000 * n) for n in range(100)]


@pytest.mark.parametrize(
    ("scale", "first", "unit", "how"),
    [
        (1, 0, None, "in s"),
        (1e3, 0, None, "in ms"),
        (1e6, 5, None, "in us"),
        (1e9, 7, None, "in ns"),
        (1, 1_700_000_000, None, "in s"),
        (1e3, 1_700_000_000_000, None, "in ms"),
        (1e6, 1_700_000_000_000_000, None, "in us"),
        (1e9, 1_700_000_000_000_000_000, None, "in ns"),
        (1e3, 0, 1e-3, "in ms"),
        (1, 0, 1.0, "in s"),
    ],
)
def test_numbers(scale: float, first: int, unit: float | None, how: str) -> None:
    cells = [f"{first + t:.3f}" if scale == 1 else str(first + round(t * scale)) for t in AT]
    seconds, said = parse_stamps(cells, unit)
    np.testing.assert_allclose(seconds, AT, atol=1e-6)
    assert said == how


@pytest.mark.parametrize(
    "write",
    [
        lambda m: m.isoformat(),
        lambda m: m.isoformat().replace("+00:00", "Z"),
        lambda m: m.strftime("%Y-%m-%d %H:%M:%S.%f"),
        lambda m: m.strftime("%Y-%m-%d %H:%M:%S,%f"),
        lambda m: m.strftime("%Y%m%d_%H:%M:%S.%f"),
        lambda m: m.strftime("%d/%m/%Y %H:%M:%S.%f"),
        lambda m: m.strftime("%m/%d/%Y %I:%M:%S.%f %p"),
        lambda m: m.strftime("%Y-%m-%d %H-%M-%S_") + f"{m.microsecond // 1000:03d}",
        lambda m: m.strftime("%H:%M:%S.%f"),
    ],
)
def test_dates_and_times_over_midnight(write) -> None:
    cells = [write(moment) for moment in MOMENTS]
    seconds, _ = parse_stamps(cells)
    np.testing.assert_allclose(seconds, AT, atol=1e-6)


@pytest.mark.parametrize(
    "cells",
    [
        [str(n) for n in range(50)],  # a number of the row
        ["0.000001", "0.000002", "0.000003"],  # no rate of a movement in any unit
        ["a", "b", "c"],
        ["1", "nan", "3"],
        ["12:00:01", "x", "12:00:02"],
        ["5"],
        [],
    ],
)
def test_what_is_no_clock(cells: list[str]) -> None:
    assert parse_stamps(cells) is None


def test_a_stated_unit_is_not_guessed_at() -> None:
    seconds, how = scale_counts(np.arange(5.0), 0.0, 1.0)
    assert seconds.tolist() == [0, 1, 2, 3, 4] and how == "in s"


def test_whole_numbers_keep_every_digit() -> None:
    seconds, _ = parse_stamps([str(1_700_000_000_123_456_789 + 20_000_001 * n) for n in range(50)])
    np.testing.assert_allclose(np.diff(seconds), 0.020000001, rtol=1e-9)


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("20181016_13:37:28.612000", 1539697048.612),
        ("20181016_13:37:28", 1539697048.0),
        ("2018-10-16 13:37:28.5", 1539697048.5),
        ("2018-10-16T13:37:28+09:00", 1539697048.0 - 9 * 3600),
        ("1539697048612", 1539697048.612),
        ("1539697048.612", 1539697048.612),
        ("12.5", None),
        ("13:37:28", None),
        ("03/04/2021 10:00:00", None),
        ("noon", None),
    ],
)
def test_a_stamp_that_says_its_day_is_a_time_since_1970(cell: str, seconds: float | None) -> None:
    assert start_of(cell) == (None if seconds is None else pytest.approx(seconds, abs=1e-4))


@pytest.mark.parametrize(("step", "how"), [(-20.0, "in ms"), (-0.02, "in s"), (20_000.0, "in us")])
def test_a_clock_that_runs_backwards_has_a_unit_too(step: float, how: str) -> None:
    counts = step * np.arange(50.0)
    seconds, said = scale_counts(counts, 5.0)
    assert said == how
    np.testing.assert_allclose(np.abs(seconds), np.arange(50) / 50, rtol=1e-9)


@pytest.mark.parametrize(("step", "how"), [(0.1999, "in s"), (5.01e-4, "in s"), (0.21, None), (4.9e-4, None)])
def test_steps_of_five_to_two_thousand_hertz_have_a_unit(step: float, how: str | None) -> None:
    """0.21 of a second is 4.8 Hz; as milliseconds it would be 4,762 Hz."""
    found = scale_counts(step * np.arange(50.0), 5.0)
    assert (found and found[1]) == how


@pytest.mark.parametrize(
    ("first", "how"),
    [(1e8, "in s"), (4e9, "in s"), (1e11, "in ms"), (4e12, "in ms"), (1e14, "in us"), (4e15, "in us"), (1e17, "in ns")],
)
def test_counts_since_1970_have_the_unit_of_their_size_whatever_their_step(first: float, how: str) -> None:
    found = scale_counts(np.array([0.0, 3.0, 9000.0]), first)
    assert found is not None and found[1] == how


def test_afternoons_and_noon() -> None:
    cells = ["11:59:59.5 AM", "12:00:00.0 PM", "12:59:59.0 PM", "01:00:00.0 PM", "11:59:59.0 PM"]
    seconds, how = parse_stamps(cells)
    assert (seconds.tolist(), how) == ([0.0, 0.5, 3599.5, 3600.5, 43199.5], "times of day")
    midnight, _ = parse_stamps(["11:59:59.0 pm", "12:00:01.0 am"])
    assert midnight.tolist() == [0.0, 2.0]


def test_a_time_of_day_that_goes_back_a_little_is_no_midnight() -> None:
    seconds, _ = parse_stamps(["10:00:01.0", "10:00:00.5", "10:00:02.0"])
    assert seconds.tolist() == [0.0, -0.5, 1.0]


def test_a_unit_of_its_own_is_named() -> None:
    seconds, how = scale_counts(np.arange(3.0), 0.0, 0.25)
    assert (seconds.tolist(), how) == ([0.0, 0.25, 0.5], "in 0.25 s")
    assert parse_stamps(["0,5", "1,5"], 1.0)[0].tolist() == [0.0, 1.0]


def test_days_between_dates_are_counted_where_they_are_written_with_the_year_first() -> None:
    cells = [f"{day}_10:00:{n:02d}.5" for day in ("20240228", "20240301") for n in range(5)]
    seconds, _ = parse_stamps(cells)
    np.testing.assert_allclose(seconds, [*range(5), *(2 * 86400.0 + n for n in range(5))])


@pytest.mark.parametrize(
    ("cell", "local"),
    [
        ("2024-03-01T10:00:00", True),
        ("2024-03-01 10:00:00,250", True),
        ("2024-03-01T10:00:00Z", False),
        ("2024-03-01T10:00:00.5+01:00", False),
        ("1709287200000", False),
        ("10:00:00", False),
        ("03/04/2024 10:00:00", False),
    ],
)
def test_what_says_a_day_and_no_offset_is_local(cell: str, local: bool) -> None:
    assert is_local(cell) == local


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        *(("100000000", 1e8), ("99999999", None), ("4e9", 4e9), ("4000000001", None), ("5e9", None)),
        *(("1e11", 1e8), ("4e12", 4e9), ("1e14", 1e8), ("4e15", 4e9), ("1e17", 1e8), ("4e18", 4e9)),
        ("1539697048,5", 1539697048.5),
        ("2018-10-16 01:37:28 PM", 1539697048.0),
        ("2018-10-16T13:37", 1539697020.0),
        ("2018.10.16 13:37:28", 1539697048.0),
    ],
)
def test_when_a_count_is_one_since_1970(cell: str, seconds: float | None) -> None:
    assert start_of(cell) == (seconds and pytest.approx(seconds, rel=1e-12))


@pytest.mark.parametrize(
    ("values", "since"),
    [((1e8, 4e9), True), ((1e8 - 1, 2e9), False), ((2e9, 4e9 + 1), False), ((1e11, 4e12), True), ((1e9, 1e12), False)],
)
def test_all_numbers_count_since_1970_in_one_unit(values: tuple[float, float], since: bool) -> None:
    assert counts_from_1970(np.array(values)) is since


def test_rows_are_no_clock_unless_they_are_few_or_step_otherwise() -> None:
    assert parse_stamps(["7", "8", "9"]) is None and parse_stamps(["0", "2", "4"]) == (
        pytest.approx([0, 2e-3, 4e-3]),
        "in ms",
    )
    assert parse_stamps(["7", "8"]) == (pytest.approx([0, 1e-3]), "in ms")
    assert parse_stamps(["7", "7", "7"]) is None


def test_repeated_and_late_counts_are_of_the_usual_step() -> None:
    """Half of them repeated, and one pause of an hour: as ms, not as the mean step says."""
    counts = np.repeat(20.0 * np.arange(30), 2)
    counts[40:] += 3.6e6
    found = scale_counts(counts, 5.0)
    assert found is not None and found[1] == "in ms"


def test_several_midnights_and_dates_of_any_order() -> None:
    seconds, _ = parse_stamps(["23:00:00", "01:00:00", "23:30:00", "00:30:00"])
    assert seconds.tolist() == [0, 2 * 3600, 24.5 * 3600, 25.5 * 3600]
    seconds, _ = parse_stamps(
        ["03/04/2021 10:00:00", "04/04/2021 10:00:00", "03/04/2021 11:00:00", "05/04/2021 10:00:00"]
    )
    assert seconds.tolist() == [0, 86400, 3600, 2 * 86400]
    seconds, _ = parse_stamps(["20210302_10:00:00", "20210301_10:00:00"])
    assert seconds.tolist() == [0, -86400]
    half = parse_stamps(["12:00:00", "00:00:00"])
    assert half is not None and half[0].tolist() == [0, -43200]


def test_the_first_count_says_the_unit_and_the_last_none() -> None:
    """From the last seconds of what counts since 1970 on; and numbers that come to lie there by and by."""
    within = [str(4_000_000_000 - 1), str(4_000_000_000), str(4_000_000_001)]
    assert parse_stamps(within) == (pytest.approx([0, 1, 2]), "in s")
    assert parse_stamps(["99999998", "99999999", "100000000"]) is None


@pytest.mark.parametrize("cell", ["20181016_13:37:28", "2018-10-16 13:37", "2018-10-16T13:37:28"])
def test_a_time_without_a_zone_is_universal_wherever_the_computer_is(
    monkeypatch: pytest.MonkeyPatch, cell: str
) -> None:
    expected = start_of(cell)
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert start_of(cell) == expected == (1539697020.0 if cell.endswith("13:37") else 1539697048.0)
    finally:
        monkeypatch.undo()
        time.tzset()
