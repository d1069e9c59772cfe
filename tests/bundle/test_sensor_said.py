"""Rate and unit: who says them, and who contradicts whom."""

from pathlib import Path

import numpy as np
import pytest

from tests.bundle.sensor_recordings import csv_file, read, refuses, signal
from tests.export.conftest import sensor_contract
from vskd.errors import BundleError, DataError


def test_a_rate_that_nobody_says_is_asked_for(tmp_path: Path):
    refuses(csv_file(tmp_path, signal()), "does not say its rate", "50 Hz", "--rate", rate_hz=None)
    said = read(csv_file(tmp_path, signal(), "# rate_hz: 50\n"), rate_hz=None)
    assert said.rate_hz == 50 and dict(said.understood)["rate"] == "50 Hz (the file)"


def test_a_unit_is_assumed_only_where_gravity_fits_and_that_is_said(tmp_path: Path):
    path = csv_file(tmp_path, signal())
    assert "g is assumed, which gravity fits" in " ".join(read(path).notes)
    assert read(path, unit="g").notes == ()
    assert read(csv_file(tmp_path, signal(), "# rate_hz: 50\n# unit: g\n"), rate_hz=None).notes == ()
    turning = sensor_contract(stream="gyroscope", unit="deg/s", range_limit=1000.0)
    refuses(csv_file(tmp_path, signal()), "does not say its unit", "deg/s", "--unit", contract=turning)


@pytest.mark.parametrize("rate", [48.6, 49.0, 51.0, 51.4])
def test_a_clock_that_is_a_little_off_is_accepted(tmp_path: Path, rate: float):
    assert read(csv_file(tmp_path, signal()), rate_hz=rate).rate_hz == rate


@pytest.mark.parametrize("rate", [24.9, 0.0, -50.0, float("nan"), float("inf")])
def test_wrong_rate_by_option(tmp_path: Path, rate: float):
    refuses(csv_file(tmp_path, signal()), "asks for 50 Hz", f"{rate:g} Hz", rate_hz=rate)


def test_a_rate_declared_by_the_file_is_not_overridden(tmp_path: Path):
    path = csv_file(tmp_path, signal(), "# rate_hz: 100\n")
    assert read(path, rate_hz=None).rate_hz == 100
    refuses(path, "the option says 50 Hz, the file says 100 Hz", rate_hz=50)


def test_the_rate_of_its_time_column_counts(tmp_path: Path):
    values = np.column_stack([np.arange(60) / 30, signal()])
    recorded = read(csv_file(tmp_path, values, "t,x,y,z\n"), rate_hz=None)
    assert recorded.rate_hz == 30 and "resampled from 30 to 50 Hz" in " ".join(recorded.notes)
    refuses(csv_file(tmp_path, values, "t,x,y,z\n"), "the option says 50 Hz, the file's clock", "30 Hz", rate_hz=50)


@pytest.mark.parametrize("unit", ["m/s^2", "m/s2", "deg/s", "furlong"])
def test_wrong_unit_by_option(tmp_path: Path, unit: str):
    refuses(csv_file(tmp_path, signal()), "asks for g", unit, unit=unit)


def test_a_unit_declared_by_the_file_is_converted(tmp_path: Path):
    for head, factor in (
        ("x [m/s^2],y [m/s^2],z [m/s^2]\n", 9.80665),
        ("# unit: m/s^2 (SI)\n", 9.80665),
        ("x (mg),y (mg),z (mg)\n", 1000.0),
        ("# unit: 1/64 g\n", 64.0),
    ):
        recorded = read(csv_file(tmp_path, factor * signal(), head))
        np.testing.assert_allclose(recorded.signal, signal().T, atol=1e-5)
        assert any("converted from" in note for note in recorded.notes)


@pytest.mark.parametrize("unit", ["deg/s", "furlong"])
def test_a_declared_unit_of_something_else_is_refused(tmp_path: Path, unit: str):
    refuses(csv_file(tmp_path, signal(), f"x [{unit}],y [{unit}],z [{unit}]\n"), "asks for g", unit)


@pytest.mark.parametrize(
    "remark", ["# rate_hz: 100 Hz", "# Sampling rate: 0.1 kHz", "# fs = 100", "# rate: 100 (nominal)"]
)
def test_a_rate_in_a_remark(tmp_path: Path, remark: str):
    assert read(csv_file(tmp_path, signal(), remark + "\n"), rate_hz=None).rate_hz == 100


@pytest.mark.parametrize("rate", ["fast", "0", "-50", "nan", "inf", "50 furlongs"])
def test_a_remark_of_no_rate_is_refused(tmp_path: Path, rate: str):
    with pytest.raises(DataError, match=r"recording\.csv: rate_hz is .*no positive number"):
        read(csv_file(tmp_path, signal(), f"# rate_hz: {rate}\n"))


@pytest.mark.parametrize(
    ("said", "rate"),
    [
        *(("50", 50.0), ("50,5", 50.5), ("5e1", 50.0), ("+50 samples/s", 50.0), ("50 sample/sec", 50.0)),
        *((".05 kHz", None), ("0.05 KHZ", 50.0), ("50 sps", 50.0), ("50/s (device)", 50.0), ("50 hz (a) b", None)),
    ],
)
def test_ways_to_declare_a_rate(tmp_path: Path, said: str, rate: float | None):
    path = csv_file(tmp_path, signal(), f"# rate_hz: {said}\n")
    if rate is None:
        with pytest.raises(DataError, match="no positive number"):
            read(path, rate_hz=None)
    else:
        assert read(path, rate_hz=None).rate_hz == rate


@pytest.mark.parametrize(("given", "agree"), [(51.4, True), (51.6, False), (48.6, True), (48.4, False)])
def test_who_says_the_rate_must_agree_within_three_percent(tmp_path: Path, given: float, agree: bool):
    path = csv_file(tmp_path, signal(), "# rate_hz: 50\n")
    if agree:
        found = read(path, rate_hz=given)
        assert found.rate_hz == given and dict(found.understood)["rate"] == f"{given:g} Hz (the option)"
    else:
        with pytest.raises(BundleError, match=rf"the option says {given:g} Hz, the file says 50 Hz\. Leave the wrong"):
            read(path, rate_hz=given)


def test_the_file_s_word_and_its_clock_must_agree_too_and_a_small_difference_is_rounding(tmp_path: Path):
    time = np.arange(60) / 50.2
    path = csv_file(tmp_path, np.column_stack([time, signal()]), "time (s),x [g],y [g],z [g]\n")
    assert read(path, rate_hz=None).rate_hz == 50
    for said, agree in ((51.0, True), (53.0, False)):
        path = csv_file(tmp_path, np.column_stack([time, signal()]), f"# rate_hz: {said}\ntime (s),x,y,z\n")
        if agree:
            assert dict(read(path, rate_hz=None, unit="g").understood)["rate"] == "51 Hz (the file)"
        else:
            with pytest.raises(BundleError, match=r"file says 53 Hz, the file's clock \(column 'time', in s\) says"):
                read(path, rate_hz=None, unit="g")


def test_units_of_header_remark_and_caller_are_one(tmp_path: Path):
    twice = csv_file(tmp_path, signal(), "# unit: g\nx [g],y [G],z [g]\n")
    assert dict(read(twice, unit="g").understood)["unit"] == "g (the option)"
    with pytest.raises(DataError, match=r"declares several units: g, mg\. Give all axes in one unit"):
        read(csv_file(tmp_path, signal(), "# unit: mg\nx [g],y [g],z [g]\n"))
    with pytest.raises(DataError, match="declares several units: g, mg"):
        read(csv_file(tmp_path, signal(), "x [mg],y [g],z [g]\n"), unit="g")
    partly = read(csv_file(tmp_path, 1000 * signal(), "x,y [mg],z\n"))
    np.testing.assert_allclose(partly.signal, signal().T, atol=1e-5)
    planar = sensor_contract(axes=("x", "y"))
    with pytest.raises(BundleError, match="does not say its unit"):  # two axes do not show gravity
        read(csv_file(tmp_path, signal(channels=2), "x,y\n"), contract=planar)
