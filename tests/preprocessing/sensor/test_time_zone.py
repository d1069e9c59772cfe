"""Local times to UTC, against the standard library's own arithmetic; and the hours that come twice or never."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from vskd.errors import DataError
from vskd.preprocessing.sensor.time_zone import check_zone, utc_offsets

BERLIN = ZoneInfo("Europe/Berlin")


def local_of(utc: list[datetime], zone: ZoneInfo = BERLIN) -> np.ndarray:
    """What the clock shows, as seconds since 1970."""
    return np.array([m.astimezone(zone).replace(tzinfo=UTC).timestamp() for m in utc])


def every(start: datetime, seconds: float, count: int) -> list[datetime]:
    return [start + timedelta(seconds=seconds * n) for n in range(count)]


@pytest.mark.parametrize(
    "start",
    [
        datetime(2024, 6, 1, 10, tzinfo=UTC),
        datetime(2024, 3, 31, 0, 59, 50, tzinfo=UTC),  # over the hour that never was
        datetime(2024, 10, 27, 0, 30, tzinfo=UTC),  # over the hour that came twice, its first time and its second
        datetime(2024, 10, 26, 23, 59, 50, tzinfo=UTC),  # into it
        datetime(2024, 10, 27, 1, 59, 50, tzinfo=UTC),  # out of it
    ],
)
def test_local_times_become_the_moments_that_they_were(start: datetime) -> None:
    utc = every(start, 2.0 if start.minute == 30 else 0.02, 2000)
    local = local_of(utc)
    found = local - utc_offsets(local, "Europe/Berlin", "a.csv")
    np.testing.assert_allclose(found, [m.timestamp() for m in utc], atol=1e-6)


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe"])
def test_offsets_need_not_be_whole_hours(zone: str) -> None:
    utc = every(datetime(2024, 1, 31, tzinfo=UTC), 3600.0, 1000)
    local = local_of(utc, ZoneInfo(zone))
    np.testing.assert_allclose(local - utc_offsets(local, zone, "a.csv"), [m.timestamp() for m in utc])


def test_an_hour_that_never_was_is_refused() -> None:
    local = np.array([datetime(2024, 3, 31, 2, 30, tzinfo=UTC).timestamp()])
    with pytest.raises(DataError, match=r"a\.csv: 2024-03-31 02:30 does not exist in Europe/Berlin"):
        utc_offsets(local, "Europe/Berlin", "a.csv")


def test_an_hour_that_came_twice_is_refused_where_nothing_tells_which() -> None:
    local = datetime(2024, 10, 27, 2, 30, tzinfo=UTC).timestamp() + np.arange(100) * 2.0  # the first is named
    with pytest.raises(DataError, match=r"showed 2024-10-27 02:30 twice.*nothing tells which.*offset from UTC"):
        utc_offsets(local, "Europe/Berlin", "a.csv")


@pytest.mark.parametrize("name", ["Berlin", "", "../etc/passwd", "Europe/berlin "])
def test_what_is_no_zone_is_refused(name: str) -> None:
    assert check_zone("Asia/Tokyo") == "Asia/Tokyo"
    with pytest.raises(ValueError, match="no IANA time zone"):
        check_zone(name)


@pytest.mark.parametrize(("apart", "told"), [(59.0, True), (61.0, False)])
@pytest.mark.parametrize("side", ["before", "behind"])
def test_samples_that_are_less_than_a_minute_apart_follow_each_other(apart: float, told: bool, side: str) -> None:
    """One sample outside of the hour that came twice says which of the two it was."""
    first = datetime(2024, 10, 27, 2, 0, tzinfo=UTC).timestamp()
    if side == "before":
        local, offsets = np.array([first + 10 - apart, first + 10, first + 11]), [7200.0] * 3
    else:
        local, offsets = np.array([first + 3589, first + 3590, first + 3590 + apart]), [3600.0] * 3
    if told:
        assert utc_offsets(local, "Europe/Berlin", "a.csv").tolist() == offsets
    else:
        with pytest.raises(DataError, match="nothing tells which"):
            utc_offsets(local, "Europe/Berlin", "a.csv")


@pytest.mark.parametrize(("back", "told"), [(899.0, False), (901.0, True)])
def test_a_step_back_of_a_quarter_of_an_hour_is_the_clock_s(back: float, told: bool) -> None:
    first = datetime(2024, 10, 27, 2, 30, tzinfo=UTC).timestamp()
    local = np.array([first, first + 1, first + 1 - back])
    if told:
        assert utc_offsets(local, "Europe/Berlin", "a.csv").tolist() == [7200.0, 7200.0, 3600.0]
    else:
        with pytest.raises(DataError, match="nothing tells which"):
            utc_offsets(local, "Europe/Berlin", "a.csv")


def test_a_skipped_time_is_named_where_it_is() -> None:
    first = datetime(2024, 3, 31, 1, 59, 59, tzinfo=UTC).timestamp()
    with pytest.raises(DataError, match=r"2024-03-31 02:00 does not exist"):
        utc_offsets(first + np.arange(3.0), "Europe/Berlin", "a.csv")
