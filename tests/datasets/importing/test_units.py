from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest

from vskd.datasets.importing.columns import ChosenColumns
from vskd.datasets.importing.stated import Stated
from vskd.datasets.importing.units import UnitGuess, find_unit
from vskd.errors import DataError

RATE_HZ = 50.0


def columns(unit: str = "") -> ChosenColumns:
    return ChosenColumns((0, 1, 2), (0, 1, 2), "names", None, None, "", None, unit)


def at_rest(one_g: float, whole: bool = False, files: int = 3) -> Mapping[str, npt.NDArray[np.float32]]:
    """Files of a device that lies still, tilted, and shows `one_g`."""
    generator = np.random.default_rng(0)
    signals = {}
    for number in range(files):
        signal = one_g * (np.array([[0.6], [-0.64], [0.48]]) + generator.normal(0, 0.01, (3, 200)))
        signals[str(number)] = (np.round(signal) if whole else signal).astype(np.float32)
    return signals


@pytest.mark.parametrize(
    ("one_g", "whole", "unit"),
    [(1.0, False, "g"), (9.81, False, "m/s^2"), (1000.5, False, "mg"), (64.0, True, "1/64 g")],
)
def test_gravity_proves_the_unit(one_g: float, whole: bool, unit: str) -> None:
    guess = find_unit(at_rest(one_g, whole), RATE_HZ, columns(), Stated())
    assert guess.unit == unit
    assert guess.source.startswith("gravity: at rest ")


@pytest.mark.parametrize(("one_g", "whole"), [(3.0, False), (1024.0, True)])
def test_what_gravity_does_not_prove_is_asked_for(one_g: float, whole: bool) -> None:
    """3 is 1 g in no unit; 1024 whole numbers are mg or 1/1024 g."""
    with pytest.raises(DataError, match="At rest the files show") as caught:
        find_unit(at_rest(one_g, whole), RATE_HZ, columns(), Stated())
    assert "--unit" in caught.value.action


def test_the_flag_and_the_header_say_it() -> None:
    assert find_unit(at_rest(1.0), RATE_HZ, columns("g"), Stated()) == UnitGuess("g", "header")
    assert find_unit(at_rest(9.81), RATE_HZ, columns(), Stated(unit="m/s^2")) == UnitGuess("m/s^2", "--unit")
    with pytest.raises(DataError, match="--unit says mg, the files say g"):
        find_unit(at_rest(1.0), RATE_HZ, columns("g"), Stated(unit="mg"))


def test_gravity_contradicts_a_wrong_unit_but_of_an_uncalibrated_device() -> None:
    with pytest.raises(DataError, match=r"The unit g \(--unit\) is contradicted by gravity"):
        find_unit(at_rest(9.81), RATE_HZ, columns(), Stated(unit="g"))
    assert find_unit(at_rest(9.81), RATE_HZ, columns(), Stated(unit="g", uncalibrated=True)).unit == "g"


def test_the_offset_is_taken_off_before_gravity_is_looked_for() -> None:
    moved = {name: signal + np.float32(128) for name, signal in at_rest(64.0, whole=True).items()}
    assert find_unit(moved, RATE_HZ, columns(), Stated(unit="1/64 g", offset=128.0)).unit == "1/64 g"
    with pytest.raises(DataError, match="contradicted by gravity"):
        find_unit(moved, RATE_HZ, columns(), Stated(unit="1/64 g"))


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        (Stated(unit="furlong"), "--unit says the unit 'furlong', which vskd does not know"),
        (Stated(unit="deg/s"), "deg/s is of angular rate, and the accelerometer measures acceleration"),
        (Stated(stream="gyroscope", unit="g"), "g is of acceleration, and the gyroscope measures angular rate"),
        (Stated(stream="gyroscope"), "do not say the unit of the gyroscope"),
        (Stated(uncalibrated=True), "do not say the unit of the accelerometer"),
    ],
)
def test_units_that_are_unknown_of_another_quantity_or_not_said_are_refused(stated: Stated, message: str) -> None:
    with pytest.raises(DataError, match=message):
        find_unit(at_rest(1.0), RATE_HZ, columns(), stated)


@pytest.mark.parametrize(("said", "header"), [("m/s^2", "m/s2"), ("0.001 g", "mg"), ("rad/s", "rads")])
def test_another_spelling_of_the_unit_is_the_same(said: str, header: str) -> None:
    stream = "gyroscope" if said == "rad/s" else "accelerometer"
    signals = at_rest(9.81 if said == "m/s^2" else 1000.0)
    assert find_unit(signals, RATE_HZ, columns(header), Stated(stream=stream, unit=said)) == UnitGuess(said, "--unit")


def test_a_unit_of_the_same_factor_and_another_quantity_is_another() -> None:
    with pytest.raises(DataError, match="--unit says g, the files say deg/s"):
        find_unit(at_rest(1.0), RATE_HZ, columns("deg/s"), Stated(unit="g"))


def test_a_header_that_is_not_known_or_contradicted_is_named_as_such() -> None:
    with pytest.raises(DataError, match="The header says the unit 'furlong'"):
        find_unit(at_rest(1.0), RATE_HZ, columns("furlong"), Stated())
    with pytest.raises(DataError, match=r"The unit mg \(header\) is contradicted by gravity"):
        find_unit(at_rest(1.0), RATE_HZ, columns("mg"), Stated())


def test_sensors_that_measure_other_things_may_have_any_known_unit() -> None:
    assert find_unit(at_rest(1.0), RATE_HZ, columns(), Stated(stream="magnetometer", unit="g")).unit == "g"


@pytest.mark.parametrize(("one_g", "near"), [(1.2, True), (0.82, True), (1.3, False), (0.75, False)])
def test_within_a_quarter_gravity_proves_a_unit(one_g: float, near: bool) -> None:
    if near:
        assert find_unit(at_rest(one_g), RATE_HZ, columns(), Stated()).unit == "g"
    else:
        with pytest.raises(DataError, match="which is 1 g in no unit that vskd knows"):
            find_unit(at_rest(one_g), RATE_HZ, columns(), Stated())


def test_half_of_the_files_may_show_no_gravity() -> None:
    """Two rest, two circle an arm with 5 g; of three that do it is the unit."""
    time = np.arange(200) / RATE_HZ
    circling = np.stack([5 * np.sin(8 * time), 5 * np.cos(8 * time), np.zeros(200)]).astype(np.float32)
    rest = dict(at_rest(1.0, files=2))
    even = {**rest, "a": circling, "b": circling}
    with pytest.raises(DataError, match=r"The unit g \(--unit\) is contradicted by gravity: at rest"):
        find_unit(even, RATE_HZ, columns(), Stated(unit="g"))  # not by most, but by the median of 3 g
    assert find_unit({**at_rest(1.0, files=3), "a": circling}, RATE_HZ, columns(), Stated(unit="g")).unit == "g"
    with pytest.raises(DataError, match=r"2 of 3 files \(a, b\) show no gravity"):
        find_unit({"0": rest["0"], "a": circling, "b": circling}, RATE_HZ, columns(), Stated(unit="g"))


def without_gravity(scale: float, files: int = 3) -> Mapping[str, npt.NDArray[np.float32]]:
    """Movement alone, of which a phone took gravity off; between movements a small bias is left."""
    generator, time = np.random.default_rng(1), np.arange(200) / RATE_HZ
    signals = {}
    for number in range(files):
        moved = np.stack([np.sin(9 * time + number), 0.7 * np.cos(7 * time), 0.3 * np.sin(5 * time)])
        moved = moved * (time < 2) + 0.01 + generator.normal(0, 0.005, moved.shape)
        signals[str(number)] = (scale * moved).astype(np.float32)
    return signals


@pytest.mark.parametrize("scale", [0.1, 1.0, 9.81, 30.0, 1000.0])
@pytest.mark.parametrize(("said", "header"), [("", ""), ("m/s^2", ""), ("", "g")])
def test_acceleration_without_gravity_is_called_so_and_what_to_state_is_said(
    scale: float, said: str, header: str
) -> None:
    """Whatever its size, and whether or not somebody says its unit."""
    with pytest.raises(DataError, match=r"3 of 3 files .* likely linear .user. acceleration") as caught:
        find_unit(without_gravity(scale), RATE_HZ, columns(header), Stated(unit=said or None, columns=("a", "b", "c")))
    assert ("nobody says its unit" in caught.value.problem) is not bool(said or header)
    for flag in ("--stream linear-acceleration", "--columns a,b,c", "--unit", "--uncalibrated"):
        assert flag in caught.value.action
    stated = Stated(unit=said or header or "g", stream="linear-acceleration")
    assert find_unit(without_gravity(scale), RATE_HZ, columns(header), stated).unit == stated.unit


def test_a_sensor_that_lay_still_shows_less_than_gravity_in_any_unit() -> None:
    """What is left of gravity there may be steady, so that it looks like gravity but for its length."""
    with pytest.raises(DataError, match=r"3 of 3 files .* show no gravity"):
        find_unit(at_rest(0.05), RATE_HZ, columns(), Stated())


def test_whole_numbers_that_are_never_negative_are_not_taken_for_counts_around_zero() -> None:
    signal = np.array([[0.6], [0.64], [0.48]]) + np.random.default_rng(0).normal(0, 0.01, (3, 200))
    with pytest.raises(DataError, match="whole numbers that are never negative, up to 43"):
        find_unit({"a": np.round(64 * signal).astype(np.float32)}, RATE_HZ, columns(), Stated())
    assert find_unit({"a": signal.astype(np.float32)}, RATE_HZ, columns(), Stated()).unit == "g"


@pytest.mark.parametrize("stated", [Stated(offset=5.0), Stated(stream="linear acceleration")])
def test_where_gravity_says_nothing_the_unit_is_asked_for(stated: Stated) -> None:
    with pytest.raises(DataError, match=f"do not say the unit of the {stated.stream}"):
        find_unit(at_rest(1.0), RATE_HZ, columns(), stated)


def test_two_axes_show_no_gravity() -> None:
    two = ChosenColumns((0, 1), (0, 1), "names", None, None, "", None, "")
    with pytest.raises(DataError, match="do not say the unit of the accelerometer"):
        find_unit(at_rest(1.0), RATE_HZ, two, Stated())
    assert find_unit(at_rest(9.81), RATE_HZ, two, Stated(unit="g")).unit == "g"


def moving(length: float) -> npt.NDArray[np.float32]:
    """An arm that is never still, on which a steady pull and gravity are so many g together."""
    time = np.arange(200) / RATE_HZ
    return (length * np.stack([0.6 * np.sin(2 * np.pi * 10 * time), 0 * time, 1 + 0 * time])).astype(np.float32)


@pytest.mark.parametrize("unit", ["g", None])
def test_who_is_never_still_need_not_show_one_g_to_a_half(unit: str | None) -> None:
    lengths = {"a": 0.5, "b": 0.5, "c": 2.0, "d": 2.0}
    signals = {**{name: moving(length) for name, length in lengths.items()}, "e": at_rest(1.0)["0"]}
    assert find_unit(signals, RATE_HZ, columns(), Stated(unit=unit)).unit == "g"


@pytest.mark.parametrize(("odd", "known"), [((0.2, 4.0), True), ((0.2, 4.0, 0.2, 4.0), False)])
def test_half_of_the_files_may_show_no_gravity_where_it_proves_the_unit(odd: tuple[float, ...], known: bool) -> None:
    rest = at_rest(1.0, files=2 if known else 1)
    signals = {**rest, **{f"odd{n}": moving(length) for n, length in enumerate(odd)}}
    if known:
        assert find_unit(signals, RATE_HZ, columns(), Stated()).unit == "g"
        return
    with pytest.raises(DataError, match="In most files, at rest the vector"):
        find_unit(signals, RATE_HZ, columns(), Stated())


@pytest.mark.parametrize(("power", "known"), [(4, False), (5, True), (14, True), (15, False)])
def test_which_powers_of_two_are_counts(power: int, known: bool) -> None:
    if known:
        assert find_unit(at_rest(2.0**power, whole=True), RATE_HZ, columns(), Stated()).unit == f"1/{2**power} g"
    else:
        with pytest.raises(DataError, match="which is 1 g in no unit that vskd knows"):
            find_unit(at_rest(2.0**power, whole=True), RATE_HZ, columns(), Stated())


def test_files_in_two_units_are_refused_with_one_of_each() -> None:
    """Half of the people had another device: the median of all is in no unit."""
    mixed = {f"{unit}{name}": s for unit, one_g in (("a", 1.0), ("b", 9.80665)) for name, s in at_rest(one_g).items()}
    with pytest.raises(DataError, match=r"in several units: g in a\S+, m/s\^2 in b\S+\. Convert them.*--pattern"):
        find_unit(mixed, 50.0, columns(), Stated())
