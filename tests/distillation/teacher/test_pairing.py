import numpy as np
import pytest
import torch

from vskd.distillation.teacher.pairing import check_paired, same_labels
from vskd.errors import CacheError


def test_same_ids_in_the_same_order_pass() -> None:
    check_paired(["a", "b"], ("a", "b"))


@pytest.mark.parametrize(
    ("student", "teacher", "message"),
    [
        (["a", "b"], ["b", "a"], r"2 of 2 .*student a, teacher b"),
        (["a", "b"], ["a"], "2 recordings, the teacher's 1"),
        (["a", "b"], ["a", "c"], r"1 of 2 .*student b, teacher c"),
    ],
)
def test_anything_else_is_refused(student: list[str], teacher: list[str], message: str) -> None:
    with pytest.raises(CacheError, match=message):
        check_paired(student, teacher)


def test_two_independently_shuffled_loaders_as_in_the_reference_are_refused() -> None:
    """The published code zips two shuffled loaders: replayed here, hardly a sample is paired, and no batch passes."""
    ids = np.array([f"a{a}_s{s}_t{t}" for a in range(1, 28) for s in (1, 3, 5, 7) for t in range(1, 5)])
    sensor, video = (np.random.default_rng(seed).permutation(ids) for seed in (0, 1))
    assert np.mean(sensor == video) < 0.02
    refused = 0
    batches = list(zip(np.array_split(sensor, 27), np.array_split(video, 27), strict=True))
    for student, teacher in batches:
        with pytest.raises(CacheError):
            check_paired(student.tolist(), teacher.tolist())
        refused += 1
    assert refused == len(batches)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ([0, 1, 2], [0, 1, 2], True),
        ([0, 1, 2], [0, 2, 2], False),
        ([-1, 1, 2], [0, 1, -1], True),  # what one side does not know cannot differ
        ([-1, 1, 2], [0, 2, -1], False),
        ([-1, -1, -1], [0, 1, 2], True),
    ],
)
def test_labels_differ_where_both_sides_know_them(one: list[int], other: list[int], same: bool) -> None:
    assert same_labels(torch.tensor(one), torch.tensor(other)) == same
    assert same_labels(torch.tensor(other), torch.tensor(one)) == same


def test_nothing_is_paired_with_nothing_and_one_more_is_refused() -> None:
    check_paired([], ())
    for student, teacher in ((["a"], ["a", "b"]), ([], ["a"]), (["a"], [])):
        with pytest.raises(CacheError, match=f"batch has {len(student)} recordings, the teacher's {len(teacher)}"):
            check_paired(student, teacher)


def test_the_first_pair_that_differs_is_named() -> None:
    with pytest.raises(CacheError, match=r"2 of 4 .*\(first: student b, teacher x\)"):
        check_paired(["a", "b", "c", "d"], ["a", "x", "c", "y"])
