"""What names, tables and columns tell of a recording."""

import pytest

from vskd.datasets.sensors.folder_found import Found, plain_value


def test_names_of_recordings_hold_no_spaces_and_no_slashes() -> None:
    values = {"label": "sit down", "place": "a/b", "day": "2"}
    assert Found(values, {}, number="file-0001").id == "sunknown_sit-down_day-2_place-a-b_file-0001"
    assert Found({"subject": "1", "label": "x", "trial": "3"}, {}).id == "s1_x_t3"
    assert Found({"subject": "1"}, {}, spans=((0.0, 1.0, "a"), (1.0, 2.0, "b"))).labels == {"a", "b"}


@pytest.mark.parametrize(
    ("name", "value", "plain"),
    [
        ("subject", " 007 ", "7"),
        ("trial", "00", "0"),
        ("label", "01", "01"),
        ("day", "02", "2"),
        ("subject", "p01", "p01"),
    ],
)
def test_numbers_lose_leading_zeros_and_labels_keep_them(name: str, value: str, plain: str) -> None:
    assert plain_value(name, value) == plain


def test_factors_stand_in_a_name_by_letter() -> None:
    values = {"f": "1", "subject": "2", "e": "3", "label": "run", "d": "4", "trial": "5", "c": "6"}
    assert Found(values, {}).id == "s2_run_t5_c-6_d-4_e-3_f-1"
