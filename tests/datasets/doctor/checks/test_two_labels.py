"""The same samples as walking and as waving."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.doctor.gathered import found, indexed, surveyed
from tests.datasets.doctor.ward import findings, movement, ward
from vskd.datasets.doctor.checks.two_labels import TwoLabels
from vskd.datasets.doctor.survey import survey_of


def test_one_content_in_two_classes(tmp_path: Path) -> None:
    index = ward(tmp_path)
    np.save(tmp_path / "s1_wave_t1.npy", movement(index.by_id()["s1_walk_t1"]))
    found, other = findings(index)
    assert (found.check, other.check) == ("two-labels", "suspicious-labels")  # what is wrong looks wrong, too
    assert found.recordings == ("s1_walk_t1", "s1_wave_t1") and "the classes walk and wave" in found.what
    assert found.untrustworthy


def test_classes_are_named_by_letter_and_each_content_is_a_finding(tmp_path: Path) -> None:
    index = ward(tmp_path)
    survey = survey_of(index)
    ids = [r.id for r in index]
    wave, walk, rest = (next(i for i in ids if name in i) for name in ("wave", "walk", "rest"))
    contents = {wave: "a", walk: "a", rest: "a", **{i: "b" for i in ids if i.startswith("s6")}}
    one, two = TwoLabels().find(dataclasses.replace(survey, contents=contents))
    assert one.what == "the same content has the classes rest and walk and wave"
    assert one.recordings == (rest, walk, wave) and len(two.recordings) == 6


def test_each_pair_is_a_finding_and_names_its_classes_in_order() -> None:
    pairs = list(itertools.permutations(range(5), 2))
    index = indexed({str(n): pair for n, pair in enumerate(pairs)}, labels="abcde")
    contents = {r.id: r.subject for r in index}
    ones = found("two-labels", surveyed(index, contents=contents))
    names = [" and ".join(sorted("abcde"[label] for label in pair)) for pair in pairs]
    assert [one.what for one in ones] == [f"the same content has the classes {name}" for name in names]
    assert [one.recordings for one in ones] == [(f"s{n}-0", f"s{n}-1") for n in range(20)]
    assert ones[0].weight == pytest.approx(2 / 40)
    assert found("two-labels", surveyed(index, contents={"s0-0": "a", "s1-0": "a", "s0-1": "b"})) == []
