import numpy as np
import pytest

from vskd.preprocessing.sensor.codes import parse_codes


@pytest.mark.parametrize("text", ["0..63 = -1.5..1.5", "0..63=-1.5..1.5", "-128..127 = -2..2", "1..5 = 0.5..2.5"])
def test_the_ends_stand_for_the_ends_and_the_line_between_is_straight(text: str) -> None:
    codes = parse_codes(text)
    lowest, highest, least, greatest = (float(n) for part in text.split("=") for n in part.split(".."))
    written = np.linspace(lowest, highest, 5)
    np.testing.assert_allclose((written - codes.zero) * codes.factor, np.linspace(least, greatest, 5), atol=1e-12)


def test_the_rail_is_what_both_directions_have() -> None:
    assert parse_codes("0..9 = -2..3").rail == 2.0


@pytest.mark.parametrize("text", ["", "0-63 = -1.5..1.5", "63..0 = -1..1", "0..63 = 1..1", "0..63", "0..63 = a..b"])
def test_what_is_written_otherwise_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not written like|from a smaller"):
        parse_codes(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("5..5 = 0..1", "from a smaller to a larger"),
        ("6..5 = 0..1", "from a smaller to a larger"),
        ("0..63 = 1..1", "from a smaller to a larger"),
        ("0..63 = 2..1", "from a smaller to a larger"),
        ("x0..63 = 0..1", "not written like"),
        ("0..63 = 0..1 g", "not written like"),
    ],
)
def test_why_it_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_codes(text)


def test_spaces_and_signs_do_no_harm() -> None:
    codes = parse_codes("  +0 .. 10=-2.5 ..  +7.5 ")
    assert (codes.lowest, codes.highest, codes.least, codes.greatest) == (0, 10, -2.5, 7.5)
    assert (codes.factor, codes.zero, codes.rail) == (1.0, 2.5, 2.5)
