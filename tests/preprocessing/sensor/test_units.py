"""Units: their spellings, and factors against the SI definitions."""

import pytest

from vskd.preprocessing.sensor.units import GRAVITY, STANDARD_GRAVITY, conversion, normal_unit, parse_unit, spellings


@pytest.mark.parametrize(
    ("spellings", "name"),
    [
        (("m/s2", "M/S²", "m/s^2", "m/s/s", "m/(sec^2)", "m/s^2 (SI)", "ms-2", "m s^-2", "m·s⁻²"), "m/s^2"),
        (("g", " G ", "g (9.81 m/s2)", "gs"), "g"),
        (("mg", "milli-g", "mG"), "mg"),
        (("dps", "deg/s", "°/s", "deg/sec", "degrees per second".replace(" ", "")), "deg/s"),
        (("rad/s", "rad/sec", "radians/second"), "rad/s"),
    ],
)
def test_spellings(spellings: tuple[str, ...], name: str) -> None:
    assert [normal_unit(one) for one in spellings] == [name] * len(spellings)


@pytest.mark.parametrize("text", ["furlong", "", "counts", "m/s", "m/s3", "0 g", "1/0 g", "x g", "uT"])
def test_what_is_no_unit(text: str) -> None:
    assert parse_unit(text) is None


@pytest.mark.parametrize(
    ("unit", "wanted", "factor"),
    [
        ("m/s^2", "g", 1 / 9.80665),
        ("g", "m/s^2", 9.80665),
        ("mg", "m/s^2", 9.80665e-3),
        ("cm/s^2", "m/s^2", 0.01),
        ("1/64 g", "g", 1 / 64),
        ("0.061 mg", "g", 61e-6),
        ("rad/s", "deg/s", 180 / 3.141592653589793),
        ("g", "g", 1.0),
        ("lux", "lux", 1.0),
    ],
)
def test_factors(unit: str, wanted: str, factor: float) -> None:
    assert conversion(unit, wanted) == pytest.approx(factor, rel=1e-12)


@pytest.mark.parametrize(("unit", "wanted"), [("g", "deg/s"), ("rad/s", "m/s^2"), ("lux", "g"), ("g", "lux")])
def test_other_quantities_are_not_converted(unit: str, wanted: str) -> None:
    assert conversion(unit, wanted) is None


def test_gravity_is_that_of_the_cgpm() -> None:
    assert STANDARD_GRAVITY == 9.80665


@pytest.mark.parametrize(
    ("text", "name", "quantity", "factor"),
    [
        ("rpm", "rpm", "angular rate", 6.0),
        ("mdps", "mdeg/s", "angular rate", 1e-3),
        ("Gal", "cm/s^2", "acceleration", 0.01 / 9.80665),
        ("2 * g", "2 g", "acceleration", 2.0),
        ("3e-2 mg", "3e-2 mg", "acceleration", 3e-5),
        ("1/16.4 dps", "1/16.4 deg/s", "angular rate", 1 / 16.4),
        ("g [SI]", "g", "acceleration", 1.0),
    ],
)
def test_names_quantities_and_factors(text: str, name: str, quantity: str, factor: float) -> None:
    unit = parse_unit(text)
    assert unit is not None and (unit.name, unit.quantity) == (name, quantity)
    assert unit.factor == pytest.approx(factor, rel=1e-12)


def test_unknown_units_are_the_same_but_for_spaces_and_case() -> None:
    assert normal_unit(" Micro  Tesla ") == "microtesla"
    assert conversion("micro Tesla", "MicroTesla") == 1.0 and conversion("micro Tesla", "nT") is None
    assert spellings()["dps"].name == "deg/s" and GRAVITY == {"g": 1.0, "m/s^2": 9.80665}
    spellings().clear()
    assert parse_unit("g") is not None, "the table itself is not given away"


def test_every_spelling_is_that_of_its_unit() -> None:
    factors = {"g": 1.0, "mg": 1e-3, "m/s^2": 1 / 9.80665, "cm/s^2": 0.01 / 9.80665}
    factors |= {"deg/s": 1.0, "mdeg/s": 1e-3, "rad/s": 180 / 3.141592653589793, "rpm": 6.0}
    assert {unit.name for unit in spellings().values()} == set(factors)
    for spelling, unit in spellings().items():
        for text in (spelling, f" {spelling.upper()} (raw)", f"{spelling} [x]"):
            assert parse_unit(text) == unit
        assert unit.factor == pytest.approx(factors[unit.name], rel=1e-12)
        assert unit.quantity == ("acceleration" if unit.name in ("g", "mg", "m/s^2", "cm/s^2") else "angular rate")
        half = parse_unit(f"1/2 {spelling}")
        assert half is not None and half.factor == pytest.approx(unit.factor / 2)
