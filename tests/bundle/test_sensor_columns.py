"""Which columns are taken: as they are counted, as they are named, and never otherwise."""

from pathlib import Path

import numpy as np
import pytest

from tests.export.conftest import sensor_contract
from tests.preprocessing.sensor.recordings import wrist
from vskd.bundle.file_reading import FileReading
from vskd.bundle.recorded import Recorded
from vskd.bundle.sensor_file import read_recording
from vskd.errors import BundleError, DataError, VskdError

VALUES = np.round(wrist(), 5)
TIME = np.arange(len(VALUES)) / 50


def write(tmp_path: Path, head: str, *columns: np.ndarray, name: str = "a.csv") -> Path:
    path = tmp_path / name
    rows = zip(*(np.atleast_2d(c).T if c.ndim == 1 else c for c in columns), strict=True)
    lines = [",".join(f"{float(v):.5f}" for part in row for v in part) for row in rows]
    path.write_text((head + "\n" if head else "") + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def read(path: Path, **options: object) -> Recorded:
    return read_recording(path, sensor_contract(), FileReading(**options))


def taken(recorded: Recorded) -> None:
    np.testing.assert_allclose(recorded.signal, VALUES.T, atol=1e-5)


@pytest.mark.parametrize("head", ["time,x,y,z,temperature", "time,a,b,c,d", "", "x,y,z,other,more"])
def test_columns_are_counted_as_they_are_in_the_file(tmp_path: Path, head: str) -> None:
    path = write(tmp_path, head, TIME, VALUES, 20 + 0 * TIME)
    if head.startswith("x"):  # then the file calls something else x, y and z, and the caller's word counts
        recorded = read(path, columns=(1, 2, 3), rate_hz=50)
        assert "column 'y' is taken as x, as --columns says" in recorded.notes
    else:
        recorded = read(path, columns=(1, 2, 3), rate_hz=None if head.startswith("time") else 50)
    taken(recorded)
    np.testing.assert_allclose(read(path, columns=(3, 1, 2), rate_hz=50).signal, VALUES[:, [2, 0, 1]].T, atol=1e-5)


@pytest.mark.parametrize(
    ("head", "columns", "told"),
    [
        ("time,x,y,z", (0, 1, 2), "column 0 is called 'time', which is a time"),
        ("gyro_x,ax,ay,az", (0, 1, 2), "'gyro_x', which is gyroscope"),
        ("time,x,y,z", (1, 1, 2), "named twice: 1, 1, 2"),
        ("time,x,y,z", (1, 2, 4), "at least 5 columns"),
        ("time,x,y,z", (1, 2), "2 columns were named"),
        ("t,x (rad/s),y (rad/s),z (rad/s)", (1, 2, 3), "asks for g, the file says rad/s"),
        ("t,x (g),y (mg),z (g)", (1, 2, 3), "several units: g, mg"),
    ],
)
def test_columns_that_cannot_be_meant(tmp_path: Path, head: str, columns: tuple[int, ...], told: str) -> None:
    with pytest.raises(VskdError) as caught:
        read(write(tmp_path, head, TIME, VALUES), columns=columns, rate_hz=50)
    assert told in str(caught.value) and "a.csv" in str(caught.value)


def test_the_unit_of_the_chosen_columns_counts(tmp_path: Path) -> None:
    path = write(tmp_path, "t,x (mg),y (mg),z (mg),bx (g),by (g),bz (g)", TIME, 1000 * VALUES, 5 * VALUES)
    taken(read(path, columns=(1, 2, 3)))
    assert "mg (the file)" in dict(read(path, columns=(1, 2, 3)).understood)["unit"]


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("scale", [1, 1000, 1e6])
def test_a_nameless_clock_is_the_first_or_the_last_column(tmp_path: Path, last: bool, scale: float) -> None:
    clock = 1.7e9 * scale + TIME * scale if scale == 1000 else TIME * scale
    columns = (VALUES, clock) if last else (clock, VALUES)
    recorded = read(write(tmp_path, "", *columns))
    taken(recorded)
    assert recorded.rate_hz == 50 and f"number {3 if last else 0} is the clock" in dict(recorded.understood)["columns"]


@pytest.mark.parametrize("columns", [(VALUES, VALUES[:, 0]), (VALUES[:, :1], VALUES), (VALUES, VALUES)])
def test_other_nameless_columns_must_be_named(tmp_path: Path, columns: tuple[np.ndarray, ...]) -> None:
    with pytest.raises(VskdError, match=r"expected 3 columns \(x, y, z\), and no names.*--columns"):
        read(write(tmp_path, "", *columns), rate_hz=50)


@pytest.mark.parametrize("counter", [np.arange(len(VALUES)), TIME, TIME[::-1], 1.7e9 + TIME])
def test_a_nameless_counter_is_no_axis(tmp_path: Path, counter: np.ndarray) -> None:
    with pytest.raises(VskdError, match="column 0 has no name and counts on"):
        read(write(tmp_path, "", counter, VALUES[:, :2]), rate_hz=50)
    np.save(tmp_path / "a.npy", np.column_stack([counter, VALUES[:, :2]]))
    with pytest.raises(VskdError, match="counts on"):
        read(tmp_path / "a.npy", rate_hz=50)


def test_an_array_may_have_a_clock_too(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.column_stack([TIME, VALUES]))
    taken(read(tmp_path / "a.npy"))


@pytest.mark.parametrize("name", ["Gyroscope.csv", "Linear Acceleration.csv", "Gravity.csv"])
def test_the_file_s_own_name_counts_where_names_do_not_say_more(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, "time,z,y,x", TIME, VALUES[:, ::-1], name=name)
    with pytest.raises(VskdError, match="its name says"):
        read(path)
    taken(read(path, columns=(3, 2, 1)))
    taken(read(write(tmp_path, "time,ax,ay,az", TIME, VALUES, name=name)))


def test_a_remark_may_name_another_sensor(tmp_path: Path) -> None:
    with pytest.raises(VskdError, match="it says that it is gyroscope"):
        read(write(tmp_path, "# sensor: gyroscope\nx,y,z", VALUES), rate_hz=50)


def test_two_clocks_must_agree(tmp_path: Path) -> None:
    taken(read(write(tmp_path, "epoch (ms),elapsed (s),x,y,z", 1000 * TIME, TIME, VALUES)))
    with pytest.raises(VskdError, match=r"two clocks disagree.*'epoch', in ms: 100 Hz; .*'elapsed', in s: 50 Hz"):
        read(write(tmp_path, "epoch (ms),elapsed (s),x,y,z", 500 * TIME, TIME, VALUES))


def test_a_clock_that_cannot_be_read_is_said_when_the_rate_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path, "time,x,y,z", np.arange(len(VALUES)), VALUES)
    path.write_text(path.read_text().replace(".00000,", ",", 0), encoding="utf-8")
    with pytest.raises(VskdError, match=r"does not say its rate \(column 'time' cannot be read as a clock\).*--rate"):
        read(path)
    assert "column 'time' cannot be read as a clock" in read(path, rate_hz=50).notes


def test_a_remark_and_a_clock_that_disagree_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "# rate_hz: 50 Hz\ntime,x,y,z", 2 * TIME, VALUES)
    with pytest.raises(VskdError, match=r"the file says 50 Hz, the file's clock .* says 25 Hz"):
        read(path)


def test_a_wristband_says_rate_and_unit_in_its_first_rows(tmp_path: Path) -> None:
    counts = np.round(64 * VALUES)
    path = write(tmp_path, "1700000000.0,1700000000.0,1700000000.0\n32.0,32.0,32.0", counts)
    found = read(path)
    assert found.rate_hz == 32 and dict(found.understood)["unit"] == "1/64 g (the file)"
    np.testing.assert_allclose(found.signal, counts.T / 64, atol=1e-6)
    with pytest.raises(VskdError, match=r"--rate says 50 Hz|says 32 Hz"):
        read(path, rate_hz=50)


@pytest.mark.parametrize(("other", "agree"), [(1.02, True), (1.04, False), (0.98, True), (0.96, False)])
def test_clocks_agree_within_three_percent_and_the_first_counts(tmp_path: Path, other: float, agree: bool) -> None:
    path = write(tmp_path, "elapsed (s),epoch (ms),x (g),y (g),z (g)", TIME, 1000 * TIME * other, VALUES)
    if agree:
        assert dict(read(path).understood)["rate"] == "50 Hz (column 'elapsed', in s)"
    else:
        with pytest.raises(VskdError, match=r"two clocks disagree: column 'elapsed', in s: 50 Hz; column 'epoch'"):
            read(path)


def test_a_clock_that_cannot_be_read_gives_way_to_one_that_can(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [f"{'early' if n % 2 else 'late'},{t:.3f},{x:.5f},{y:.5f},{z:.5f}" for n, (t, (x, y, z)) in enumerate(
        zip(TIME, VALUES, strict=True))]  # fmt: skip
    path.write_text("timestamp,time (s),x (g),y (g),z (g)\n" + "\n".join(rows))
    recorded = read(path)
    taken(recorded)
    assert dict(recorded.understood)["rate"] == "50 Hz (column 'time', in s)"
    assert "column 'timestamp' cannot be read as a clock" in recorded.notes


def test_columns_without_names_are_told_by_number_and_by_axis(tmp_path: Path) -> None:
    path = write(tmp_path, "", VALUES)
    assert dict(read(path, rate_hz=50).understood)["columns"] == "x, y, z, by their order: they have no names"
    assert dict(read(path, rate_hz=50, columns=(2, 0, 1)).understood)["columns"] == "number 2, number 0, number 1"
    clocked = dict(read(write(tmp_path, "", VALUES, TIME)).understood)
    assert clocked["columns"] == "x, y, z, by their order: they have no names; number 3 is the clock"
    assert clocked["rate"] == "50 Hz (column 'number 3', in s)"


@pytest.mark.parametrize(
    "columns", [(VALUES[:, :1], TIME, VALUES[:, 1:]), (TIME, VALUES, TIME), (TIME, VALUES[:, :2], TIME)]
)
def test_a_counter_elsewhere_or_twice_is_no_clock(tmp_path: Path, columns: tuple[np.ndarray, ...]) -> None:
    with pytest.raises(VskdError, match=r"has \d columns, expected 3 columns"):
        read(write(tmp_path, "", *columns), rate_hz=50)


def test_a_single_axis_may_count_on(tmp_path: Path) -> None:
    """A ramp of a sensor of one axis is its signal; with a clock beside it there are two columns."""
    contract = sensor_contract(axes=("x",), stream="gyroscope", unit="deg/s", range_limit=500.0)
    ramp = np.linspace(0, 90, len(TIME))
    recorded = read_recording(write(tmp_path, "", ramp), contract, FileReading(rate_hz=50, unit="deg/s"))
    np.testing.assert_allclose(recorded.signal, ramp[None], atol=1e-4)
    with pytest.raises(VskdError, match="has 2 columns, expected 1 columns"):  # which of them is the clock?
        read_recording(write(tmp_path, "", TIME, ramp), contract, FileReading(unit="deg/s"))


def test_axes_that_are_named_otherwise_are_noted_one_by_one(tmp_path: Path) -> None:
    path = write(tmp_path, "time,X,Y,Z", TIME, VALUES)
    assert read(path, columns=(1, 2, 3)).notes == read(path).notes, "capitals are the same axes"
    notes = read(path, columns=(2, 1, 3)).notes
    assert [note for note in notes if "is taken as" in note] == [
        "column 'Y' is taken as x, as --columns says",
        "column 'X' is taken as y, as --columns says",
    ]


def test_a_clock_among_the_named_columns_is_no_clock(tmp_path: Path) -> None:
    """A column that the caller takes for an axis is not asked for the time, too."""
    path = write(tmp_path, "", TIME, VALUES)
    with pytest.raises(VskdError, match="does not say its rate"):
        read(path, columns=(1, 2, 3))
    taken(read(path, columns=(1, 2, 3), rate_hz=50))


def test_a_sensor_is_named_by_remark_or_file_and_the_header_is_stronger_than_the_file(tmp_path: Path) -> None:
    with pytest.raises(VskdError, match="it says that it is gyroscope") as caught:
        read(write(tmp_path, "# sensor: gyroscope\nax,ay,az", VALUES), rate_hz=50, columns=(0, 1, 2))
    assert "or name the columns" in str(caught.value)
    taken(read(write(tmp_path, "# sensor: accelerometer\nx,y,z", VALUES, name="a.csv"), rate_hz=50))
    with pytest.raises(VskdError, match="its name says gyroscope"):
        read(write(tmp_path, "", VALUES, name="gyroscope.csv"), rate_hz=50)


@pytest.mark.parametrize(
    ("head", "told"), [("time,x,y,activity", "the accelerometer; "), ("time,ch1,ch2,ch3", "the accelerometer; ")]
)
def test_a_header_without_the_axes_is_refused_and_columns_are_asked_for(tmp_path: Path, head: str, told: str) -> None:
    with pytest.raises(BundleError, match=rf"a\.csv: the model asks for 3 channels \(x, y, z\) of {told}") as caught:
        read(write(tmp_path, head, TIME, VALUES))
    assert caught.value.action.startswith("Name the columns of the axes with --columns")


def test_of_columns_whose_names_are_no_axes_nothing_is_said(tmp_path: Path) -> None:
    path = write(tmp_path, "time,a,b,c,d", TIME, VALUES, 20 + 0 * TIME)
    assert read(path, columns=(1, 2, 3)).notes == read(write(tmp_path, "time,x,y,z", TIME, VALUES)).notes


def test_a_clock_too_coarse_for_a_rate_gives_way_to_one_that_says_it(tmp_path: Path) -> None:
    path = write(tmp_path, "time (s),elapsed (ms),x (g),y (g),z (g)", np.floor(TIME), 1000 * TIME, VALUES)
    recorded = read(path)
    taken(recorded)
    assert dict(recorded.understood)["rate"] == "50 Hz (column 'elapsed', in ms)"
    with pytest.raises(VskdError, match=r"does not say its rate \(time stamps only every 1 s: too coarse for a rate\)"):
        read(write(tmp_path, "time (s),x (g),y (g),z (g)", np.floor(TIME), VALUES))


SENSOR_LOG = (
    "loggingTime (txt),loggingSample (N),accelerometerTimestamp_sinceReboot(s),accelerometerAccelerationX(G),"
    "accelerometerAccelerationY(G),accelerometerAccelerationZ(G),motionTimestamp_sinceReboot(s),motionUserAccelerationX(G)"
)


def test_of_a_log_of_several_sensors_the_clock_of_this_one_is_taken(tmp_path: Path) -> None:
    columns = (1.7e9 + TIME * 1.1, np.arange(len(TIME)), 9e3 + TIME, VALUES, 9e3 + TIME * 1.2, VALUES[:, 0])
    recorded = read(write(tmp_path, SENSOR_LOG, *columns))
    taken(recorded)
    assert dict(recorded.understood)["rate"] == "50 Hz (column 'accelerometerTimestamp_sinceReboot', in s)"


@pytest.mark.parametrize("head", ["logged,tick,charge,x,y,z,when", ""])
def test_columns_that_may_be_the_clock_are_named_with_the_option_that_chooses(tmp_path: Path, head: str) -> None:
    charge = 100 - np.arange(len(TIME)) // 40
    path = write(tmp_path, head, 2 * TIME, np.arange(len(TIME)), charge, VALUES, 9e3 + TIME)
    options = {} if head else {"columns": (3, 4, 5)}
    with pytest.raises(BundleError) as caught:
        read(path, **options)
    named = "0 'logged', 1 'tick', 6 'when'" if head else "0, 1, 6"
    assert f"no column is called a clock, and these count on as one does: {named}" in caught.value.problem
    assert "--time" in caught.value.action and "--rate" in caught.value.action
    recorded = read(path, time_column=6, **options)
    taken(recorded)
    assert recorded.rate_hz == 50 and ("'when'" if head else "'number 6'") in dict(recorded.understood)["rate"]


def test_of_clocks_that_disagree_one_is_chosen_with_the_unit_that_it_says(tmp_path: Path) -> None:
    path = write(tmp_path, "epoch (ms),elapsed (s),x,y,z", 500 * TIME, TIME, VALUES)
    with pytest.raises(DataError) as caught:
        read(path)
    assert "--time" in caught.value.action
    assert read(path, time_column=1).rate_hz == 50
    with pytest.raises(BundleError, match="column 'epoch', in ms"):  # 100 Hz, and the recording is too short at it
        read(path, time_column=0, rate_hz=50)


@pytest.mark.parametrize(
    ("column", "told"),
    [(2, "column 2, named as its clock, is an axis"), (5, "column 5, named as its clock, is not there: it has 4")],
)
def test_what_is_no_clock_is_not_chosen(tmp_path: Path, column: int, told: str) -> None:
    with pytest.raises(DataError, match=told) as caught:
        read(write(tmp_path, "time,x,y,z", TIME, VALUES), time_column=column, rate_hz=50)
    assert "--time" in caught.value.action
