"""Hardly anything to learn from."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import found, ids_of, indexed, surveyed
from tests.datasets.doctor.ward import only, ward


def test_a_class_of_four(tmp_path: Path) -> None:
    index = ward(tmp_path, keep=lambda r: r.label != 2 or (int(r.subject) <= 4 and r.trial == "1"))
    found = only(index, "few-recordings")
    assert found.what == "class wave has 4 recording(s), fewer than 5" and len(found.recordings) == 4


@pytest.mark.parametrize(("count", "told"), [(0, 1), (4, 1), (5, 0)])
def test_few_recordings_are_fewer_than_five(count: int, told: int) -> None:
    ones = found("few-recordings", surveyed(indexed({"1": [0] * 9 + [1] * 9 + [2] * count})))
    assert ids_of(ones) == [tuple(f"s1-{n}" for n in range(18, 18 + count))] * told
    assert all(one.weight == pytest.approx(0.6 * count / (18 + count)) for one in ones)


def test_classes_without_a_recording_are_one_finding() -> None:
    index = indexed({"1": [0] * 9 + [1] * 9})
    index = replace(index, labels=(*index.labels[:2], *(f"absent{n}" for n in range(7))))
    (one,) = found("few-recordings", surveyed(index))
    named = "absent0, absent1, absent2, absent3, absent4, absent5 and 1 more"
    assert (one.what, one.recordings, one.weight) == (f"classes without a recording: {named}", (), 0.0)
