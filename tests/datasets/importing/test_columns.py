from pathlib import Path

import numpy as np
import pytest

from vskd.datasets.importing.columns import choose_columns, number_of, numbers_samples
from vskd.datasets.importing.stated import Stated
from vskd.errors import DataError, SettingError
from vskd.preprocessing.sensor.open_samples import open_samples
from vskd.preprocessing.sensor.samples import ArraySamples

FILE = Path("walk.csv")
SIGNAL = np.random.default_rng(0).normal(size=(50, 3))
COUNT = 20.0 * np.arange(50)[:, None]


def samples(*parts: np.ndarray, names: tuple[str, ...] = (), units: tuple[str, ...] = ()) -> ArraySamples:
    return ArraySamples(np.concatenate(parts, axis=1), "array", names, units)


NAMED = samples(
    COUNT, SIGNAL, SIGNAL, names=("time", "gx", "gy", "gz", "ax", "ay", "az"), units=("ms", *["deg/s"] * 3, *["g"] * 3)
)


@pytest.mark.parametrize(
    ("stream", "numbers", "unit"), [("accelerometer", (4, 5, 6), "g"), ("gyroscope", (1, 2, 3), "deg/s")]
)
def test_names_say_axes_and_clock(stream: str, numbers: tuple[int, ...], unit: str) -> None:
    chosen = choose_columns(FILE, NAMED, Stated(stream=stream))
    assert (chosen.numbers, chosen.unit, chosen.source) == (numbers, unit, "names")
    assert chosen.columns == tuple(NAMED.names[k] for k in numbers)
    assert (chosen.time, chosen.time_number, chosen.time_source, chosen.time_seconds) == ("time", 0, "name", 1e-3)


@pytest.mark.parametrize(("parts", "axes", "clock"), [((COUNT, SIGNAL), (1, 2, 3), 0), ((SIGNAL, COUNT), (0, 1, 2), 3)])
def test_without_names_the_column_that_counts_on_is_the_clock(
    parts: tuple[np.ndarray, ...],
    axes: tuple[int, ...],
    clock: int,
) -> None:
    chosen = choose_columns(FILE, samples(*parts), Stated())
    assert (chosen.columns, chosen.time, chosen.time_source) == (axes, clock, "it counts on")


def test_a_name_that_two_columns_have_is_written_as_a_number() -> None:
    twice = samples(SIGNAL, SIGNAL[:, :1], names=("ax", "ay", "az", "ax"))
    assert choose_columns(FILE, twice, Stated(columns=("0", "ay", "az"))).columns == (0, "ay", "az")


def test_no_clock_is_taken_where_none_is_wanted() -> None:
    chosen = choose_columns(FILE, NAMED, Stated(time="none"))
    assert (chosen.time, chosen.time_number, chosen.time_source, chosen.time_seconds) == (None, None, "--time", None)


def test_axes_in_several_units_are_refused() -> None:
    mixed = samples(SIGNAL, names=("ax", "ay", "az"), units=("g", "mg", "g"))
    with pytest.raises(DataError, match=r"the axes are in several units: g, mg"):
        choose_columns(FILE, mixed, Stated())


def test_another_sensors_file_is_refused_by_its_name() -> None:
    with pytest.raises(DataError, match="its name says gyroscope") as caught:
        choose_columns(Path("gyroscope.csv"), samples(SIGNAL), Stated())
    assert "--stream gyroscope" in caught.value.action


@pytest.mark.parametrize("parts", [(SIGNAL, SIGNAL), (COUNT, COUNT, SIGNAL), (SIGNAL[:, :2], COUNT, SIGNAL[:, 2:])])
def test_columns_that_cannot_be_told_apart_are_refused(parts: tuple[np.ndarray, ...]) -> None:
    with pytest.raises(DataError, match="which are x, y and z cannot be told"):
        choose_columns(FILE, samples(*parts), Stated())


def test_a_flag_names_a_column_by_name_or_number() -> None:
    assert (number_of(FILE, NAMED, "ay", "--columns"), number_of(FILE, NAMED, "6", "--columns")) == (5, 6)
    for wrong in ("7", "bx"):
        with pytest.raises(DataError, match=f"has no column '{wrong}'") as caught:
            number_of(FILE, NAMED, wrong, "--columns")
        assert "Correct --columns" in caught.value.action


def test_of_the_units_only_those_of_the_axes_count() -> None:
    mixed = samples(COUNT, SIGNAL, names=("time", "ax", "ay", "az"), units=("ms", "g", "", "g"))
    assert choose_columns(FILE, mixed, Stated()).unit == "g"
    assert choose_columns(FILE, samples(SIGNAL, names=("ax", "ay", "az")), Stated()).unit == ""


def test_a_remark_says_the_unit_where_the_header_does_not(tmp_path: Path) -> None:
    rows = "\n".join("0.1,0.2,0.3" for _ in range(9))
    path = tmp_path / "a.csv"
    path.write_text(f"# unit: mg\nax,ay,az\n{rows}\n", encoding="utf-8")
    assert choose_columns(path, open_samples(path), Stated()).unit == "mg"
    path.write_text(f"# unit: mg\nax [g],ay [g],az [g]\n{rows}\n", encoding="utf-8")
    assert choose_columns(path, open_samples(path), Stated()).unit == "g"


@pytest.mark.parametrize("time", ["time", "0"])
def test_a_named_clock_keeps_the_unit_of_its_header(time: str) -> None:
    chosen = choose_columns(FILE, NAMED, Stated(time=time))
    assert (chosen.time, chosen.time_number, chosen.time_source, chosen.time_seconds) == ("time", 0, "--time", 1e-3)
    other = choose_columns(FILE, NAMED, Stated(time="gx"))
    assert (other.time_number, other.time_seconds) == (1, None)


def test_an_axis_is_not_the_clock() -> None:
    plain = samples(COUNT, SIGNAL[:, :2], names=("time", "ay", "az"))
    chosen = choose_columns(FILE, plain, Stated(columns=("time", "ay", "az")))
    assert (chosen.numbers, chosen.source, chosen.time) == ((0, 1, 2), "--columns", None)


def test_several_clocks_or_one_that_counts_rows_are_refused() -> None:
    two = samples(COUNT, COUNT + 5, SIGNAL, names=("time", "timestamp", "ax", "ay", "az"))
    with pytest.raises(DataError, match="several columns may be the clock: 'time', 'timestamp'"):
        choose_columns(FILE, two, Stated())
    rows = samples(COUNT / 20, SIGNAL, names=("t", "ax", "ay", "az"))
    with pytest.raises(DataError, match="column 't' is named like a clock and cannot be read as one"):
        choose_columns(FILE, rows, Stated())
    readable = samples(COUNT / 20, COUNT, SIGNAL, names=("t", "time", "ax", "ay", "az"))
    assert choose_columns(FILE, readable, Stated()).time == "time"


def test_beside_numbered_axes_the_one_column_that_counts_on_is_the_clock() -> None:
    stated = Stated(columns=("1", "3", "4"))
    chosen = choose_columns(FILE, samples(COUNT, SIGNAL[:, :1], SIGNAL), stated)
    assert (chosen.time_number, chosen.time_source) == (0, "it counts on")
    assert choose_columns(FILE, samples(SIGNAL[:, :1], SIGNAL, SIGNAL[:, :1]), stated).time_number is None
    with pytest.raises(DataError, match=r"the columns \[0, 2\] all count on as a clock does"):
        choose_columns(FILE, samples(COUNT, SIGNAL[:, :1], COUNT, SIGNAL[:, 1:]), stated)
    counting = choose_columns(FILE, samples(SIGNAL[:, :1], COUNT, SIGNAL[:, :1], SIGNAL[:, 1:]), stated)
    assert counting.time_number is None  # an axis that counts on


@pytest.mark.parametrize("flag", ["label_column", "subject_column", "time"])
def test_a_column_that_a_flag_names_is_no_axis(flag: str) -> None:
    chosen = choose_columns(FILE, samples(SIGNAL, COUNT), Stated(**{flag: "3"}))  # type: ignore[arg-type]
    assert (chosen.numbers, chosen.source) == ((0, 1, 2), "order: they have no names")
    assert chosen.time_number == (3 if flag == "time" else None)


def test_a_clock_in_the_middle_of_nameless_columns_is_refused() -> None:
    with pytest.raises(DataError, match="has 4 columns without names"):
        choose_columns(FILE, samples(SIGNAL[:, :1], COUNT, SIGNAL[:, 1:]), Stated())
    with pytest.raises(DataError, match="has 4 columns without names"):
        choose_columns(FILE, samples(SIGNAL, COUNT), Stated(time="none"))


def test_names_without_axes_are_told() -> None:
    with pytest.raises(DataError, match="no columns of the accelerometer were recognised"):
        choose_columns(FILE, samples(SIGNAL, names=("alpha", "beta", "gamma")), Stated())


def test_names_of_columns_come_before_that_of_the_file() -> None:
    assert choose_columns(Path("gyroscope.csv"), NAMED, Stated()).numbers == (4, 5, 6)
    with pytest.raises(DataError, match="its name says linear acceleration") as caught:
        choose_columns(Path("linear_acceleration.csv"), samples(SIGNAL, names=("x", "y", "z")), Stated())
    assert "Say --stream linear-acceleration" in caught.value.action


@pytest.mark.parametrize(
    ("column", "counts"),
    [
        ([0, 1, 2, 3], True),
        ([5, 6, 7], False),  # two steps say nothing
        ([0, 1, 2, 2, 3], False),  # twice
        ([3, 2, 1, 0], False),
        ([0.5, 1.5, 2.5, 3.5], False),
        ([0, 1, np.nan, 3, 4], False),
        ([*range(10), *range(12, 22)], True),  # one lost of nineteen steps
        ([0, 1, 2, 4, 5, 6, 8, 9, 10, 12], False),  # every third lost
        ([0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11], False),  # one lost of ten steps
        ([0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12], True),
        ([0, 2, 4, 6], False),
    ],
)
def test_a_sample_number_grows_by_one_at_nine_of_ten_steps(column: list[float], counts: bool) -> None:
    assert numbers_samples(samples(np.array(column, dtype=float)[:, None]), 0) == counts


def test_a_clock_that_numbers_samples_is_known_unless_a_unit_is_stated() -> None:
    numbered = samples(np.arange(50.0)[:, None], SIGNAL)
    for unit, counts in ((None, True), ("samples", True), ("ms", False)):
        assert choose_columns(FILE, numbered, Stated(time="0", time_unit=unit)).counts_samples == counts
    assert not choose_columns(FILE, samples(COUNT, SIGNAL), Stated()).counts_samples
    assert not choose_columns(FILE, numbered, Stated(time="none", columns=("1", "2", "3"))).counts_samples


@pytest.mark.parametrize("axes", [("x", "y"), ("x", "x", "z"), ("x", "y", "up"), ("x", "y", "z", "x")])
def test_axes_are_x_y_and_z_once_each(axes: tuple[str, ...]) -> None:
    with pytest.raises(SettingError, match=f"--axes is {','.join(axes)}"):
        choose_columns(FILE, NAMED, Stated(axes=axes))


def test_axes_order_the_columns_and_say_the_signs_alone() -> None:
    assert choose_columns(FILE, NAMED, Stated(axes=("-y", "+x", "z"))).columns == ("ay", "ax", "az")
    with pytest.raises(SettingError, match="--axes and --signs are both given"):
        choose_columns(FILE, NAMED, Stated(axes=("x", "y", "z"), signs=(1, 1, -1)))
    with pytest.raises(SettingError, match="--axes is x,y,z"):
        choose_columns(FILE, NAMED, Stated(axes=("x", "y", "z"), columns=("ax", "ay")))


def test_a_column_of_another_name_is_the_clock_where_it_counts_on_alone() -> None:
    def named(*names: str) -> tuple[str, ...]:
        return (*names, "ax", "ay", "az")

    chosen = choose_columns(FILE, samples(COUNT, SIGNAL, names=named("klok")), Stated())
    assert (chosen.time, chosen.time_source, chosen.time_seconds) == ("klok", "it counts on", None)
    with pytest.raises(DataError, match="several columns may be the clock: 'klok', 'klok2'"):
        choose_columns(FILE, samples(COUNT, COUNT + 5, SIGNAL, names=named("klok", "klok2")), Stated())
    aside = choose_columns(
        FILE, samples(COUNT, COUNT + 5, SIGNAL, names=named("klok", "klok2")), Stated(subject_column="klok2")
    )
    assert aside.time == "klok"
    charge = 100 - np.arange(50)[:, None] // 20.0  # falls in two of fifty rows
    assert choose_columns(FILE, samples(charge, SIGNAL, names=named("charge")), Stated()).time is None


def test_a_column_of_dates_comes_before_one_that_counts_on(tmp_path: Path) -> None:
    rows = [f"{20 * n},2024-03-01 10:00:{n / 50:06.3f},{n % 3},0.2,0.{n % 7}" for n in range(60)]
    path = tmp_path / "a.csv"
    path.write_text("row,when,ax,ay,az\n" + "\n".join(rows) + "\n", encoding="utf-8")
    chosen = choose_columns(path, open_samples(path), Stated())
    assert (chosen.time, chosen.time_source) == ("when", "it holds dates")


def test_a_column_that_moves_in_half_of_the_rows_is_no_clock() -> None:
    for every, clock in ((np.arange(51) // 2, None), (np.r_[0, np.arange(1, 51) // 2 + 1], "klok")):
        signal = np.random.default_rng(0).normal(size=(51, 3))
        chosen = choose_columns(
            FILE, samples(20.0 * every[:, None], signal, names=("klok", "ax", "ay", "az")), Stated()
        )
        assert chosen.time == clock, np.count_nonzero(np.diff(every))


def test_of_columns_with_one_name_a_number_is_asked_for() -> None:
    """The first of them was taken."""
    twice = samples(SIGNAL, SIGNAL, names=("x", "y", "z", "x", "y", "z"))
    with pytest.raises(DataError, match=r"several columns may be one axis: x \(number 0\), x \(number 3\)"):
        choose_columns(FILE, twice, Stated())
    with pytest.raises(DataError, match="has 2 columns 'x': 0, 3") as caught:
        choose_columns(FILE, twice, Stated(columns=("x", "y", "z")))
    assert "number with --columns" in caught.value.action
    assert choose_columns(FILE, twice, Stated(columns=("3", "4", "5"))).numbers == (3, 4, 5)
