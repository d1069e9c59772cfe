from pathlib import Path

import numpy as np
import pytest

from vskd.datasets.importing.columns import choose_columns, number_of
from vskd.datasets.importing.stated import Stated
from vskd.errors import DataError
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
