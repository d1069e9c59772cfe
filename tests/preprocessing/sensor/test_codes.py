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
