from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from vskd.datasets.splits.selectors import Folds, Selector, fold_groups, in_order, leave_out_groups, select
from vskd.errors import ProtocolError

SELECTOR: TypeAdapter[Any] = TypeAdapter(Selector)
FOLDS: TypeAdapter[Any] = TypeAdapter(Folds)


@pytest.mark.parametrize("value", [[1, 2], ["p002", 3], ["train"], "odd", "even", "odd-but-last", "last-odd", []])
def test_lists_and_words_are_taken(value: object) -> None:
    assert SELECTOR.validate_python(value) == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize("value", ["every", ["1"], [-1], [1.5], [True], [""], [" p1"], {"a": 1}, None, 3])
def test_other_selectors_are_refused_in_one_sentence(value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        SELECTOR.validate_python(value)
    (error,) = caught.value.errors()
    assert "give a list of numbers or names, or one of odd, even, odd-but-last, last-odd" in error["msg"]


def test_who_is_listed_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"the list names more than once: 3 \(2 times\)"):
        SELECTOR.validate_python([1, 3, "p", 3])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("leave-one-out", "leave-one-out"),
        ("leave-12-out", "leave-12-out"),
        ("5-fold", "5-fold"),
        ({"1-6": [1, 6], "x": ["p002"]}, {"1-6": (1, 6), "x": ("p002",)}),
    ],
)
def test_folds_are_taken(value: object, expected: object) -> None:
    assert FOLDS.validate_python(value) == expected


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("leave-0-out", "leave-one-out, leave-N-out, K-fold, or at least two folds"),
        ("leave-two-out", "leave-one-out, leave-N-out"),
        ("1-fold", "leave-one-out, leave-N-out, K-fold"),
        ({"a": [1]}, "at least two folds"),
        ([[1], [2]], "at least two folds"),
        ({1: [1], 2: [2]}, "the fold's name 1 is no text; put it into quotes"),
        ({" a": [1], "b": [2]}, "the fold's name ' a'"),
        ({"a": [1], "b": []}, "the fold 'b' is no list of numbers or names"),
        ({"a": [1], "b": "odd"}, "the fold 'b'"),
        ({"a": [1], "b": ["2"]}, "the fold 'b'"),
        ({"a": [1], "b": [2, "p", 2, "p", 2]}, "the fold 'b' names more than once: 2 (3 times), p (2 times)"),
    ],
)
def test_other_folds_are_refused(value: object, problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        FOLDS.validate_python(value)
    (error,) = caught.value.errors()
    assert problem in error["msg"]


def test_words_choose_among_the_numbers_present() -> None:
    present = ("1", "2", "5", "10", "11")
    chosen = {word: select(word, present) for word in ("odd", "even", "odd-but-last", "last-odd")}
    assert chosen == {"odd": {"1", "5", "11"}, "even": {"2", "10"}, "odd-but-last": {"1", "5"}, "last-odd": {"11"}}
    assert select((1, "p002", 99), present) == {"1", "p002", "99"}
    with pytest.raises(ProtocolError, match=r"'odd' needs numbers, .* has p002.*that lists them with --protocol"):
        select("odd", ("1", "p002"))


def test_groups_of_neighbours() -> None:
    present = ("1", "2", "3", "4", "5")
    assert leave_out_groups("leave-one-out", present) == [(n,) for n in present]
    assert leave_out_groups("leave-2-out", present) == [("1", "2"), ("3", "4"), ("5",)]
    assert leave_out_groups("leave-9-out", present) == [present]


def test_order_of_numbers_and_names() -> None:
    assert in_order((10, "p2", 9, "p10")) == [9, 10, "p10", "p2"]


def test_k_folds_deal_the_values_one_by_one() -> None:
    groups = fold_groups("3-fold", tuple(str(n) for n in range(1, 8)))
    assert groups == {"fold1": ("1", "4", "7"), "fold2": ("2", "5"), "fold3": ("3", "6")}
    assert fold_groups("leave-2-out", ("1", "2", "3")) == {"1-2": ("1", "2"), "3": ("3",)}
    with pytest.raises(ProtocolError, match="4-fold needs 4 values to split by, and there are 3"):
        fold_groups("4-fold", ("1", "2", "3"))
