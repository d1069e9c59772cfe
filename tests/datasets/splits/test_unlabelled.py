"""Recordings without a label train, and nowhere validate or test."""

import logging
from pathlib import Path

import pytest

from vskd.datasets.recording import UNLABELLED, Index, Recording
from vskd.datasets.splits.protocol import Protocol
from vskd.datasets.splits.split import carve_validation
from vskd.datasets.splits.unlabelled import beside_validation, with_unlabelled
from vskd.errors import ProtocolError

RULE = {"name": "own", "version": 1, "dataset": "sensor-folder", "split_by": "subject", "disjoint": "subject",
        "validation_unit": "subject", "parts": {"train": [1, 2, 3, 4], "test": [5]}}  # fmt: skip
PROTOCOL = Protocol.model_validate(RULE)


def recording(subject: str, label: int, trial: int) -> Recording:
    return Recording(f"s{subject}_{label}_t{trial}", subject, str(trial), label, subject, {})


def session(bare: tuple[str, ...]) -> Index:
    """Subjects 1, 2 and 5 with labels; two recordings without of each one in `bare`."""
    known = [recording(s, label, t) for s in ("1", "2", "5") for label in (0, 1) for t in (1, 2)]
    unknown = [recording(s, UNLABELLED, t) for s in bare for t in (1, 2)]
    return Index("sensor-folder", Path(), ("a", "b"), (), ()).with_recordings([*known, *unknown])


def test_those_of_the_training_part_train_and_others_are_left_out_aloud(caplog: pytest.LogCaptureFixture) -> None:
    index = session(("1", "3", "5"))
    with caplog.at_level(logging.WARNING, logger="vskd"):
        every, split = with_unlabelled(index, PROTOCOL.split(index), PROTOCOL.parts_of(index.everything)["train"])
    bare = {r.id for r in every if r.unlabelled}
    assert {i for i in split.train if i in bare} == {f"s{s}_-1_t{t}" for s in "13" for t in (1, 2)}
    assert not bare & {*split.test, *split.validation}
    assert "2 recordings without a label" in caplog.text


def test_those_of_nobody_are_refused() -> None:
    index = session(("unknown",))
    with pytest.raises(ProtocolError, match="nobody knows whose 2"):
        with_unlabelled(index, PROTOCOL.split(index), ["sunknown_-1_t1"])


def test_those_of_people_who_validate_do_not_train() -> None:
    index = session(("1", "2", "3"))
    known = PROTOCOL.split(index)
    carved = carve_validation(known, index)
    recordings = index.everything.by_id()
    split = beside_validation(carved, [r.id for r in index.unlabelled], recordings)
    assert {recordings[i].subject for i in split.validation} == {"2"}
    assert {recordings[i].subject for i in split.train if recordings[i].unlabelled} == {"1", "3"}
