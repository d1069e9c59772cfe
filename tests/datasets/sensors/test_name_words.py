"""Words of names, against every way to read them."""

import itertools
import re

import pytest

from vskd.datasets.sensors.name_words import words_of_name
from vskd.errors import DataError


@pytest.mark.parametrize(
    ("pattern", "name", "words"),
    [
        ("{label}_{trial}.csv", "walk_2.csv", {"label": "walk", "trial": "2"}),
        ("{subject}/*.csv", "a b/any.csv", {"subject": "a b"}),
        ("{label}.csv", "walkXcsv", None),
        ("{label}.csv", "a/walk.csv", None),
        ("*.csv", "a/walk.csv", None),
        ("a+({label}).csv", "a+(walk).csv", {"label": "walk"}),
    ],
)
def test_words_and_stars_stay_within_a_part_of_the_path(pattern: str, name: str, words: dict[str, str] | None) -> None:
    assert words_of_name(pattern, name) == words


@pytest.mark.parametrize(
    ("pattern", "name", "words"),
    [
        ("{label}_{trial}.csv", "sit_down_2.csv", ("sit_down", "2")),
        ("{label}_t{trial}.csv", "pick_up_and_throw_t1.csv", ("pick_up_and_throw", "1")),
        (
            "{subject}_{label}_t{trial}_{place}.csv",
            "1_sit_down_t2_right_wrist.csv",
            ("1", "sit_down", "2", "right_wrist"),
        ),
        ("{subject}_{label}_{trial}.csv", "anna_sit_down_2.csv", None),
        ("{subject}_{label}.csv", "anna_lena_walk.csv", None),
        ("{subject}_{label}.csv", "12_sit_down.csv", ("12", "sit_down")),
        ("s*_{label}.csv", "s1_sit_down.csv", ("sit_down",)),
    ],
)
def test_names_that_can_be_read_in_several_ways(pattern: str, name: str, words: tuple[str, ...] | None) -> None:
    if words is not None:
        assert tuple((words_of_name(pattern, name) or {}).values()) == words
        return
    with pytest.raises(DataError, match=r"in several ways: .* or .*--table"):
        words_of_name(pattern, name)


def every_reading(pattern: str, name: str) -> set[tuple[str, ...]]:
    """All ways to cut a name, tried one by one."""
    fixed = re.split(r"\{\w+\}", pattern)
    found = set()
    for cuts in itertools.combinations_with_replacement(range(len(name) + 1), 2 * (len(fixed) - 1)):
        bounds = (0, *cuts, len(name))
        pieces = [name[a:b] for a, b in itertools.pairwise(bounds)]
        words = pieces[1::2]
        if pieces[0::2] == fixed and all(words) and not any("/" in word for word in words):
            found.add(tuple(words))
    return found


@pytest.mark.parametrize("pattern", ["{subject}_{label}", "{subject}a{label}_{trial}", "{label}{trial}"])
@pytest.mark.parametrize("name", ["a_b", "1_a_b", "ba_a_1", "1aa_2", "ab1", "12", "x_", "_a_b_3"])
def test_one_reading_is_given_only_where_it_is_the_only_one(pattern: str, name: str) -> None:
    ways = every_reading(pattern, name)
    numbers = {way for way in ways if len(ways) > 1 and all(w.isdecimal() for w in _but_label(pattern, way))}
    try:
        words = words_of_name(pattern, name)
    except DataError:
        assert len(ways) > 1 and len(numbers) != 1
        return
    assert (words is None) == (not ways)
    if words is not None and (len(ways) == 1 or len(numbers) == 1):
        assert tuple(words.values()) in (numbers or ways)


def _but_label(pattern: str, way: tuple[str, ...]) -> list[str]:
    return [value for word, value in zip(re.findall(r"\{(\w+)\}", pattern), way, strict=True) if word != "label"]
