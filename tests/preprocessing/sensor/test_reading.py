import pytest

from vskd.preprocessing.sensor.reading import Reading

WHOLE = Reading()


@pytest.mark.parametrize(
    ("one", "two", "share"),
    [
        (Reading(rows=(0, 50)), Reading(rows=(49, 90)), True),
        (Reading(rows=(0, 50)), Reading(rows=(50, 90)), False),
        (Reading(rows=(0, 90)), Reading(rows=(20, 30)), True),
        (Reading(seconds=(0.0, 1.5)), Reading(seconds=(1.0, 2.0)), True),
        (Reading(seconds=(0.0, 1.5)), Reading(seconds=(1.5, 2.0)), False),
        (Reading(rows=(0, 50)), Reading(seconds=(100.0, 200.0)), True),
        (Reading(rows=(0, 50)), WHOLE, True),
        (WHOLE, WHOLE, True),
    ],
)
def test_parts_share_samples_or_may(one: Reading, two: Reading, share: bool) -> None:
    assert one.overlaps(two) == two.overlaps(one) == share


def test_a_part_is_told_by_its_rows_or_seconds_and_by_nothing_else() -> None:
    assert Reading(separator="tab", factors=(2.0,), offset=3.0, time_unit_s=1e-3).part == WHOLE.part == ()
    assert Reading(rows=(0, 50)).part == ((0, 50),)
    assert Reading(rows=(0, 50), seconds=(0.0, 1.0)).part == ((0, 50), (0.0, 1.0))


def test_what_was_added_later_is_in_a_hash_only_where_it_says_something() -> None:
    assert set(Reading().told()) == {"separator", "factors", "offset", "time_unit_s", "rows", "seconds"}
    said = {"limit": 2.0, "time_zone": "Asia/Tokyo"}
    assert Reading(limit=2.0, time_zone="Asia/Tokyo").told().items() >= said.items()


def test_what_is_told_is_what_is_stated() -> None:
    assert Reading().told() == {
        "separator": "",
        "factors": (),
        "offset": 0.0,
        "time_unit_s": None,
        "rows": None,
        "seconds": None,
    }
    stated = Reading("tab", (2.0,), 3.0, 1e-3, (0, 5), (1.0, 2.0), "Asia/Tokyo", 4.0)
    assert list(stated.told().values()) == ["tab", (2.0,), 3.0, 1e-3, (0, 5), (1.0, 2.0), "Asia/Tokyo", 4.0]
