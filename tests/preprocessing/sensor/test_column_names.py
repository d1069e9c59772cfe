"""Names of columns of loggers that exist: understood where they say it exactly, refused otherwise."""

import json

import pytest

from vskd.preprocessing.sensor.column_names import (
    Meaning,
    columns_by_name,
    meaning,
    other_sensor,
    quantity_of,
    time_columns,
    vocabulary,
    words_of,
)

XYZ = ("x", "y", "z")
UNHEARD = ("linear acceleration", "position or velocity")
"""Whose words in a file's name are no sensor."""


@pytest.mark.parametrize(
    ("names", "columns"),
    [
        ("x y z", (0, 1, 2)),
        ("Z Y X", (2, 1, 0)),
        ("t|accY|accX|accZ", (2, 1, 3)),
        ("Accelerometer Y|Accelerometer X|Accelerometer Z", (1, 0, 2)),
        ("accelerometerAccelerationX|accelerometerAccelerationY|accelerometerAccelerationZ", (0, 1, 2)),
        ("ax ay az gx gy gz", (0, 1, 2)),
        ("gyro_x gyro_y gyro_z accel_x accel_y accel_z", (3, 4, 5)),
        ("ACCELEROMETER X|ACCELEROMETER Y|ACCELEROMETER Z|GRAVITY X|GRAVITY Y|GRAVITY Z", (0, 1, 2)),
        (
            "Linear Acceleration x|Linear Acceleration y|Linear Acceleration z|"
            "Acceleration x|Acceleration y|Acceleration z",
            (3, 4, 5),
        ),
        ("epoc|elapsed|x-axis|y-axis|z-axis", (2, 3, 4)),
        ("accelerationIncludingGravity.x|accelerationIncludingGravity.y|accelerationIncludingGravity.z", (0, 1, 2)),
        ("x_acc|y_acc|z_acc|activity", (0, 1, 2)),
        ("label|X|Y|Z|temperature", (1, 2, 3)),
        ("xacc yacc zacc", (0, 1, 2)),
    ],
)
def test_an_accelerometer_is_found(names: str, columns: tuple[int, ...]) -> None:
    cells = names.split("|" if "|" in names else " ")
    assert columns_by_name(cells, XYZ, "accelerometer").columns == columns


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ("gyro_x gyro_y gyro_z", "gyroscope, not accelerometer"),
        ("wx wy wz", "gyroscope"),
        (
            "userAccelerationX|userAccelerationY|userAccelerationZ|gravityX|gravityY|gravityZ",
            "not accelerometer; the sum of gravity and linear acceleration is what it measures",
        ),
        ("Angular velocity x|Angular velocity y|Angular velocity z", "gyroscope"),
        ("mag_x mag_y mag_z", "magnetometer"),
        ("roll pitch yaw", "orientation"),
        ("userAcceleration.x|userAcceleration.y|userAcceleration.z", "linear acceleration"),
        ("gravityX|gravityY|gravityZ", "gravity"),
        ("accWithoutGravityX|accWithoutGravityY|accWithoutGravityZ", "gravity"),
        ("x y activity", "accelerometer z"),
        ("index x y", "accelerometer z"),
        ("a b c", "'a', 'b', 'c'"),
        ("vx vy vz", "'vx'"),
        ("pos_x pos_y pos_z", "position or velocity"),
        ("x x y z", "several columns may be one axis: x (number 0), x (number 1)"),
        ("x y z acc_x acc_y acc_z", "several columns"),
        ("x acc_y acc_z", "not named alike"),
        ("ankle_acc_x ankle_acc_y ankle_acc_z", "accelerometer x"),
        ("acc_x1 acc_y1 acc_z1", "accelerometer x"),
        ("0 1 2", "'0', '1', '2'"),
        ("max may maz", "'max'"),
    ],
)
def test_another_sensor_or_axis_is_refused_by_name(names: str, told: str) -> None:
    choice = columns_by_name(names.split("|" if "|" in names else " "), XYZ, "accelerometer")
    assert choice.columns == () and told in choice.problem


def test_the_same_names_belong_to_the_stream_that_is_asked() -> None:
    names = ["ax", "ay", "az", "gx", "gy", "gz"]
    assert columns_by_name(names, XYZ, "gyroscope").columns == (3, 4, 5)
    assert columns_by_name(["rotationRate.x", "rotationRate.y", "rotationRate.z"], XYZ, "gyroscope").columns == (
        0,
        1,
        2,
    )
    assert columns_by_name(names, XYZ, "magnetometer").columns == ()


def test_a_stream_may_have_a_name_of_its_own() -> None:
    assert columns_by_name(["pressure", "time"], ("pressure",), "barometer").columns == (0,)
    assert columns_by_name(["ankle_acc_x", "ankle_acc_y"], ("x", "y"), "ankle accelerometer").columns == (0, 1)


def test_meaning_keeps_what_it_does_not_know() -> None:
    assert meaning("left_acc_x", XYZ) == Meaning("x", "accelerometer", ("left",))


@pytest.mark.parametrize(
    ("name", "unit", "seconds"),
    [
        ("time", "", None),
        ("time", "s", 1.0),
        ("Time", "ms", 1e-3),
        ("time_ms", "", 1e-3),
        ("timestamp_us", "", 1e-6),
        ("Timestamp", "ns", 1e-9),
        ("seconds_elapsed", "", 1.0),
        ("elapsed", "s", 1.0),
        ("epoc", "ms", 1e-3),
        ("Time since start in ms", "", 1e-3),
        ("t", "", None),
        ("unix_timestamp", "", None),
        ("millis", "", 1e-3),
        ("datetime", "", None),
    ],
)
def test_time_columns(name: str, unit: str, seconds: float | None) -> None:
    (found,) = time_columns(["x", name, "y"], ["", unit, ""], "accelerometer")
    assert (found.index, found.seconds) == (1, seconds)


@pytest.mark.parametrize("name", ["x", "temperature", "tick", "index", "timezone", "sample time zone", "s", "label"])
def test_what_is_no_time(name: str) -> None:
    assert time_columns([name], [""], "accelerometer") == ()


SENSOR_CLOCKS = "accelerometerTimestamp_sinceReboot|gyroTimestamp_sinceReboot|motionTimestamp_sinceReboot|timestamp"


@pytest.mark.parametrize(
    ("stream", "found"),
    [("accelerometer", (0,)), ("accelerometer-left wrist", (0,)), ("gyroscope", (1,)), ("magnetometer", (3,))],
)
def test_a_clock_that_is_named_after_the_sensor_is_its_own(stream: str, found: tuple[int, ...]) -> None:
    names = SENSOR_CLOCKS.split("|")
    assert tuple(c.index for c in time_columns(names, ["s"] * 4, stream)) == found
    assert time_columns(["a_time", "g_time"], [], stream) == (), "a single letter names no sensor's clock"


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Gyroscope", "gyroscope"),
        ("Linear Acceleration", "linear acceleration"),
        ("Gravity", "gravity"),
        ("acc_gyro_log", ""),
        ("user3_session1", ""),
        ("a1_s2_t1_inertial", ""),
        ("Accelerometer", ""),
        ("recording", ""),
    ],
)
def test_a_file_s_name_may_name_another_sensor(text: str, other: str) -> None:
    assert other_sensor(text, "accelerometer") == other


def test_the_words_of_a_stream_of_its_own_may_be_all_that_a_column_has() -> None:
    assert columns_by_name(["ankle_x", "ankle_y"], ("x", "y"), "ankle").columns == (0, 1)
    assert columns_by_name(["left_ankle_x", "left_ankle_y"], ("x", "y"), "ankle").columns == ()
    assert columns_by_name(["left_ankle_x", "left_ankle_y"], ("x", "y"), "left ankle").columns == (0, 1)


def test_names_may_be_more_than_units() -> None:
    assert [(c.index, c.seconds) for c in time_columns(["x", "time", "t"], ["", "ms"], "accelerometer")] == [
        (1, 1e-3),
        (2, None),
    ]
    assert time_columns(["time"], [], "accelerometer")[0].seconds is None


@pytest.mark.parametrize(
    ("stream", "quantity"),
    [
        ("accelerometer", "accelerometer"),
        ("wrist acc", "accelerometer"),
        ("watch gyroscope", "gyroscope"),
        ("linear acceleration", "linear acceleration"),
        ("Gravity accelerometer", "gravity"),
        ("magnetic", "magnetometer"),
        ("Barometer", "barometer"),
    ],
)
def test_the_quantity_of_a_stream(stream: str, quantity: str) -> None:
    assert quantity_of(stream) == quantity


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("accelerometerAccelerationX", ["accelerometer", "acceleration", "x"]),
        ("Linear Accel_y", ["linear", "accel", "y"]),
        ("ACC X (with gravity)", ["acc", "x"]),
        ("acc_incl_g_z", ["acc", "z"]),
        ("with_glove", ["with", "glove"]),
        ("time [μs]", ["time", "µs"]),
        ("acc2X", ["acc", "2", "x"]),
    ],
)
def test_words_of_a_name(name: str, words: list[str]) -> None:
    assert words_of(name) == words


@pytest.mark.parametrize(
    ("text", "stream", "other"),
    [
        ("Accelerometer", "gyroscope", "accelerometer"),
        ("Gyroscope", "gyroscope", ""),
        ("gyro and mag", "accelerometer", "gyroscope and magnetometer"),
        ("linear acceleration", "linear acceleration", ""),
        ("user acceleration", "accelerometer", "linear acceleration"),
        ("user", "accelerometer", ""),
        ("a g m", "accelerometer", ""),
        ("speed", "accelerometer", ""),
    ],
)
def test_another_sensor_of_another_stream(text: str, stream: str, other: str) -> None:
    assert other_sensor(text, stream) == other


def test_of_many_names_twelve_are_shown() -> None:
    names = [f"c{n}" for n in range(13)]
    problem = columns_by_name(names, XYZ, "accelerometer").problem
    assert "'c11'" in problem and "'c12'" not in problem
    problem = columns_by_name(["x"] * 13 + ["y", "z"], XYZ, "accelerometer").problem
    assert problem.count("x, ") + problem.count("x ") == 12


def test_axes_in_capitals_are_the_same() -> None:
    assert columns_by_name(["acc_x", "acc_y"], ("X", "Y"), "accelerometer").columns == (0, 1)
    assert "accelerometer Z" in columns_by_name(["acc_x", "acc_y"], ("X", "Y", "Z"), "accelerometer").problem


def test_the_vocabulary_is_what_names_are_read_by() -> None:
    """As JSON, with every word in small letters; a unit of time that is told twice is none."""
    words = json.loads(json.dumps(vocabulary()))
    for word, quantity in words["quantities"].items():
        assert quantity_of(word) == quantity
        if word not in words["single"]:
            assert other_sensor(word, "barometer") == ("" if quantity in UNHEARD else quantity)
    assert (
        words["single"] == sorted(word for word in words["quantities"] if len(word) == 1) == ["a", "g", "m", "q", "w"]
    )
    for word, factor in words["seconds"].items():
        assert time_columns(["time"], [word], "accelerometer")[0].seconds == factor
        found = time_columns([word], [], "accelerometer")
        assert bool(found) == (word not in words["names_no_clock"])
    for word in (*words["time"], *(f"time {word}" for word in words["of_time"])):
        assert len(time_columns([word], [], "accelerometer")) == 1
    assert not any(time_columns([word], [], "accelerometer") for word in words["of_time"])
    for word in words["fillers"]:
        assert meaning(f"acc {word} x", XYZ) == Meaning("x", "accelerometer")
    assert words["beside"] == {"gyroscope": ["rate", "speed", "vel", "velocity"]}
    assert time_columns(["time ms s"], [], "accelerometer")[0].seconds is None


def test_words_and_quantities_are_listed_in_their_order() -> None:
    words = vocabulary()
    for key in ("single", "fillers", "time", "of_time", "names_no_clock"):
        assert words[key] == sorted(words[key])
    assert other_sensor("roll gyro mag gravity lin", "barometer") == (
        "gravity and gyroscope and magnetometer and orientation"
    )
    for quantities in ("roll mag gyro gravity", "mag roll gyro acc", "roll acc lin mag", "vel roll mag lin"):
        known = {"roll": "orientation", "mag": "magnetometer", "gyro": "gyroscope", "gravity": "gravity"}
        known |= {"lin": "linear acceleration", "vel": "position or velocity", "acc": "~"}
        assert quantity_of(quantities) == min(known[word] for word in quantities.split())
    names = [f"{word}_{axis}" for word in ("roll", "mag", "gyro", "grav", "vel") for axis in "xyz"]
    told = "gravity and gyroscope and magnetometer and orientation and position or velocity, not accelerometer"
    assert columns_by_name(names, XYZ, "accelerometer").problem.endswith(told)
