"""A rare class."""

from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import found, ids_of, indexed, surveyed
from tests.datasets.doctor.ward import only, ward


def test_one_class_is_six_times_another(tmp_path: Path) -> None:
    index = ward(tmp_path, subjects=15, keep=lambda r: r.label < 2 or (r.trial == "1" and int(r.subject) <= 5))
    found = only(index, "imbalance")
    assert "has 30 recordings, the smallest 5" in found.what and len(found.recordings) == 5
    assert "sampling: balanced" in found.action


@pytest.mark.parametrize(
    ("counts", "rare"),
    [
        ((), ()), ((5,), ()), ((10, 2), ()), ((11, 2), (1,)),
        ((16, 1, 3), (1, 2)), ((15, 1, 3), (1,)),  # a fifth is not rare
        ((2, 1, 15), (0, 1)),
    ],
)  # fmt: skip
def test_imbalance_is_more_than_five_to_one(counts: tuple[int, ...], rare: tuple[int, ...]) -> None:
    classes = [label for label, count in enumerate(counts) for _ in range(count)]
    ones = found("imbalance", surveyed(indexed({"1": classes})))
    assert ids_of(ones) == [tuple(f"s1-{n}" for n, label in enumerate(classes) if label in rare)] * bool(rare)
    assert all(one.weight == pytest.approx(0.3 * len(one.recordings) / len(classes)) for one in ones)


def test_rare_classes_are_named_from_the_rarest() -> None:
    (one,) = found("imbalance", surveyed(indexed({"1": [0] * 2 + [1] + [2] * 15})))
    assert one.what == "the largest class has 15 recordings, the smallest 1"
    assert one.action.endswith("rare are walk, rest")
    many = [0] * 5 + [1] * 4 + [2] * 3 + [3] * 2 + [4] * 2 + [5] + [6] * 40
    (one,) = found("imbalance", surveyed(indexed({"1": many}, labels="abcdefg")))
    assert one.action.endswith("rare are f, d, e, c and 2 more")
