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
