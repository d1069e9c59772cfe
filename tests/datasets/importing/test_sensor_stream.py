"""One sensor as dataset.yaml has it, and what is noted of it."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.importing.folders import Floats, berkeley, each, iso, phone, signal, write
from vskd.datasets.importing.layout import find_layout
from vskd.datasets.importing.sensor_stream import Understood, understand_stream
from vskd.datasets.importing.stated import Stated
from vskd.errors import DataError, SettingError


def understood(folder: Path, stated: Stated) -> Understood:
    return understand_stream(find_layout(folder, stated), folder, stated)


def test_a_stream_says_all_that_was_found_out(tmp_path: Path) -> None:
    phone(tmp_path)
    found = understood(tmp_path, Stated(axes=("-y", "x", "z"), position="hip", range_limit=80.0, clip=True))
    assert found.streams == {
        "accelerometer": {
            "files": "subject_{subject}/{label}_t{trial}.csv",
            "columns": ["acc_y", "acc_x", "acc_z"],
            "rate_hz": 104.0,
            "unit": "m/s^2",
            "separator": "semicolon",
            "signs": [-1, 1, 1],
            "time": {"column": "timestamp", "unit": "ms"},
            "range": 80.0,
            "clip": True,
            "position": "hip",
        }
    }
    assert {guess.what for guess in found.guesses} == {"format", "stream", "columns", "clock", "rate", "unit"}


def test_a_value_that_many_samples_reach_looks_like_the_range(tmp_path: Path) -> None:
    for s, label, t in each():
        values = np.clip(signal(s, label, t), -1.05, 1.05)
        values[:3, 0] = 1.05
        write(tmp_path / f"s{s}_{label}_t{t}.csv", values, head="# rate_hz: 50\nx,y,z")
    assert any("are exactly 1.05, the largest value" in note for note in understood(tmp_path, Stated()).notes)
    assert understood(tmp_path, Stated(range_limit=1.05)).notes == ()


def test_axes_that_are_none_or_an_array_without_a_word_are_refused(tmp_path: Path) -> None:
    phone(tmp_path)
    with pytest.raises(SettingError, match=r"--axes is x,x,z.*Name x, y and z once each"):
        understood(tmp_path, Stated(axes=("x", "x", "z")))
    with pytest.raises(SettingError, match="--axes and --signs are both given"):
        understood(tmp_path, Stated(axes=("x", "y", "z"), signs=(1, 1, 1)))
    bare = tmp_path / "bare"
    bare.mkdir()
    for s, label, t in each():
        np.save(bare / f"s{s}_{label}_t{t}.npy", signal(s, label, t))
    with pytest.raises(DataError, match=r"nothing says what they are.*--columns, --rate \(or --time\), --unit"):
        understood(bare, Stated())
    stated = Stated(columns=("0", "1", "2"), rate_hz=50.0, unit="g")
    assert understood(bare, stated).streams["accelerometer"]["columns"] == [0, 1, 2]


def three(root: Path, head: str, *, edit: Callable[[Floats], Floats] = lambda values: values) -> None:
    for s, label, t in each():
        write(root / f"s{s}_{label}_t{t}.csv", edit(signal(s, label, t)), head=head)


@pytest.mark.parametrize(
    ("stated", "missing"),
    [
        ({}, "--columns, --rate (or --time), --unit"),
        ({"columns": ("0", "1", "2")}, "--rate (or --time), --unit"),
        ({"columns": ("0", "1", "2"), "time": "0"}, "--unit"),
        ({"rate_hz": 50.0, "unit": "g"}, "--columns"),
    ],
)
def test_only_what_is_missing_is_asked_for(tmp_path: Path, stated: dict[str, object], missing: str) -> None:
    np.save(tmp_path / "s1_walk.npy", signal(1, "walk"))
    with pytest.raises(DataError, match=rf"an array of 3 columns.*Say it with {re.escape(missing)}; columns are"):
        understood(tmp_path, Stated(pattern="s{subject}_{label}.npy", **stated))  # type: ignore[arg-type]


def coded(values: Floats) -> Floats:
    return np.clip(np.round((values + 1.5) * 21), 0, 63)


def test_codes_are_what_they_stand_for_and_others_are_refused(tmp_path: Path) -> None:
    three(tmp_path, "# rate_hz: 50\nx,y,z", edit=coded)
    found = understood(tmp_path, Stated(codes="0..63 = -1.5..1.5", unit="g"))
    assert found.streams["accelerometer"]["codes"] == "0..63 = -1.5..1.5" and found.notes == ()
    unit = next(guess for guess in found.guesses if guess.what == "unit")
    assert (unit.value, unit.flag) == ("g, codes 0..63 = -1.5..1.5", "--codes")
    for codes in ("0..32 = -1.5..1.5", "32..63 = -1.5..1.5"):
        with pytest.raises(DataError, match=rf"csv: holds numbers from \d+ to \d+, and --codes says {codes[:5]}"):
            understood(tmp_path, Stated(codes=codes, unit="g"))


def test_the_least_and_the_greatest_code_are_codes(tmp_path: Path) -> None:
    three(tmp_path, "# rate_hz: 50\nx,y,z", edit=lambda values: np.where(np.arange(3) == 0, 63.0, coded(values)))
    three(tmp_path, "# rate_hz: 50\nx,y,z", edit=lambda values: np.vstack([coded(values), [[0, 63, 31]]]))
    assert understood(tmp_path, Stated(codes="0..63 = -1.5..1.5", unit="g")).streams


def test_rows_with_empty_cells_count_for_nothing(tmp_path: Path) -> None:
    three(tmp_path, "# rate_hz: 50\nx,y,z")
    for path in tmp_path.glob("*.csv"):
        path.write_text(path.read_text() + ",,\n900,,900\n")
    assert understood(tmp_path, Stated()).streams["accelerometer"]["unit"] == "g"
    for path in tmp_path.glob("*.csv"):
        path.write_text("# rate_hz: 50\nn,x,y,z\n0,1,2,3\n1,,5,\n2,,,6\n3,7,,\n")
    with pytest.raises(DataError, match="No file holds two rows of numbers in these columns"):
        understood(tmp_path, Stated(unit="g", time="none"))


def test_a_device_of_two_axes_without_calibration(tmp_path: Path) -> None:
    three(tmp_path, "# rate_hz: 50\nx,y,z")
    stated = Stated(columns=("x", "z"), unit="g", offset=0.5, uncalibrated=True, rate_hz=50.0)
    stream = understood(tmp_path, stated).streams["accelerometer"]
    assert stream["axes"] == ["axis1", "axis2"] and stream["offset"] == 0.5 and stream["calibrated"] is False
    assert not {"time", "signs", "codes", "range", "clip", "position", "variable"} & set(stream)


def test_a_zone_is_part_of_the_clock(tmp_path: Path) -> None:
    for s, label, t in each():
        rows = [f"2024-03-01 10:00:{n / 50:09.6f},{x},{y},{z}" for n, (x, y, z) in enumerate(signal(s, label, t))]
        (tmp_path / f"s{s}_{label}_t{t}.csv").write_text("\n".join(["time,x,y,z", *rows]))
    found = understood(tmp_path, Stated(time_zone="Europe/Berlin"))
    assert found.streams["accelerometer"]["time"] == {"column": "time", "unit": "text", "zone": "Europe/Berlin"}
    clock = next(guess for guess in found.guesses if guess.what == "clock")
    assert clock.value.startswith("time, text of Europe/Berlin (")


def test_a_gyroscope_in_the_same_files_is_a_second_stream(tmp_path: Path) -> None:
    iso(tmp_path)
    found = understood(tmp_path, Stated())
    assert list(found.streams) == ["accelerometer", "gyroscope"] and found.notes == ()
    assert found.streams["gyroscope"]["unit"] == "deg/s" and found.streams["gyroscope"]["rate_hz"] == 25
    assert found.streams["gyroscope"]["columns"] == [f"gyro {axis}" for axis in "xyz"]
    assert list(understood(tmp_path, Stated(stream="gyroscope")).streams) == ["gyroscope"]
    alone = understood(tmp_path, Stated(range_limit=8.0))
    assert list(alone.streams) == ["accelerometer"]
    assert alone.notes == (
        "the gyroscope is left out, because the flags say things of one sensor; add it to dataset.yaml",
    )


@pytest.mark.parametrize("unit", ["", " (g)"])
def test_a_gyroscope_of_no_unit_of_turning_is_left_out(tmp_path: Path, unit: str) -> None:
    names = ",".join([*(f"acc {a} (g)" for a in "xyz"), *(f"gyro {a}{unit}" for a in "xyz")])
    three(tmp_path, f"# rate_hz: 50\n{names}", edit=lambda values: np.hstack([values, 100 * values]))
    found = understood(tmp_path, Stated())
    assert list(found.streams) == ["accelerometer"]
    (note,) = found.notes
    assert note.startswith("the gyroscope (gyro x, gyro y, gyro z) is left out, because the files do not say its unit")


@pytest.mark.parametrize(("axes", "mirrors"), [
    (("-x", "y", "z"), True), (("y", "x", "z"), True), (("-y", "x", "z"), False), (("y", "z", "x"), False),
    (("-x", "-y", "z"), False), (("z", "y", "-x"), False), (("-z", "y", "-x"), True), (("x", "y", "z"), False),
])  # fmt: skip
def test_axes_that_make_a_left_hand_are_noted(tmp_path: Path, axes: tuple[str, ...], mirrors: bool) -> None:
    """By the determinant of the matrix that turns them."""
    matrix = np.array([[(axis[-1] == "xyz"[k]) * (-1 if axis[0] == "-" else 1) for k in range(3)] for axis in axes])
    assert (np.linalg.det(matrix) < 0) == mirrors
    three(tmp_path, "# rate_hz: 50\nx,y,z")
    notes = understood(tmp_path, Stated(axes=axes)).notes
    assert notes == ((f"--axes {','.join(axes)} mirrors: no way of wearing a sensor does that",) if mirrors else ())


@pytest.mark.parametrize(("counts", "noted"), [((5, 5), True), ((5, 4), False), ((10, 0), False), ((12, 1), True)])
def test_ten_samples_of_two_files_are_a_range(tmp_path: Path, counts: tuple[int, int], noted: bool) -> None:
    for n, (s, label, t) in enumerate(each()):
        values = np.clip(signal(s, label, t), -1.4, 1.4)
        values[: counts[n] if n < 2 else 0, 1] = -1.5
        write(tmp_path / f"s{s}_{label}_t{t}.csv", values, head="# rate_hz: 50\nx,y,z")
    notes = understood(tmp_path, Stated()).notes
    assert len(notes) == noted
    two = ", ".join(sorted(path.name for path in tmp_path.glob("*.csv"))[:2])
    assert all(f"{sum(counts)} samples of 2 files ({two}) are exactly 1.5, the largest" in note for note in notes)


def test_clocks_that_are_odd_or_broken_are_named(tmp_path: Path) -> None:
    for n, (s, label, t) in enumerate(each()):
        values = signal(s, label, t)
        stamps = np.arange(len(values)) / 50
        if n < 2:
            stamps[40:60] = stamps[40]
        if n == 7:
            stamps[:] = np.random.default_rng(0).permutation(stamps)
        write(tmp_path / f"s{s}_{label}_t{t}.csv", np.column_stack([stamps, values]), head="time,x,y,z")
    broken, uneven = understood(tmp_path, Stated(time="time", time_unit="s")).notes
    assert broken.startswith("broken clock: ") and "s2_walk_t2.csv" in broken
    assert (
        uneven == "2 of the files read have late, missing or repeated samples: s1_sit_down_t1.csv, s1_sit_down_t2.csv"
    )


def test_of_a_gyroscope_that_is_not_there_nothing_is_noted(tmp_path: Path) -> None:
    three(tmp_path, "# rate_hz: 50\nacc_x,acc_y,acc_z")
    found = understood(tmp_path, Stated(range_limit=8.0))
    assert list(found.streams) == ["accelerometer"] and found.notes == ()


def test_what_was_found_out_is_told_with_its_source(tmp_path: Path) -> None:
    phone(tmp_path)
    told = {guess.what: (guess.value, guess.source) for guess in understood(tmp_path, Stated()).guesses}
    assert told["columns"] == ("acc_x, acc_y, acc_z", "names") and told["stream"] == ("accelerometer", "names")
    assert told["rate"][0] == "104 Hz" and told["unit"][0] == "m/s^2"
    assert told["clock"][0].startswith("timestamp, ms (")
    stated = Stated(columns=("acc_z", "acc_x", "acc_y"), signs=(1, -1, 1), time="none", rate_hz=104)
    turned = understood(tmp_path, stated)
    told = {guess.what: (guess.value, guess.source) for guess in turned.guesses}
    assert told["columns"] == ("acc_z, acc_x, acc_y, sign +1, sign -1, sign +1", "--columns")
    assert told["clock"] == ("none", "--time") and told["stream"] == ("accelerometer", "default")


def test_text_without_names_is_understood_without_a_word(tmp_path: Path) -> None:
    berkeley(tmp_path)
    stream = understood(tmp_path, Stated()).streams["accelerometer"]
    assert (stream["columns"], stream["unit"], stream["rate_hz"]) == ([0, 1, 2], "g", 31.0)
    assert stream["time"] == {"column": 3, "unit": "s"}
