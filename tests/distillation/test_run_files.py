from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from vskd.distillation.run_files import Environment, EpochRow, LearnedRecord, RecordOfRun, TrainingRecord
from vskd.errors import DataError
from vskd.schema import parse, read_json

HASH = "0" * 64
ENVIRONMENT = {
    **{"vskd": "0.1", "python": "3.11", "packages": {"torch": "2.4", "numpy": "2"}, "accelerator": "cpu"},
    **{"dataset": "synthetic", "protocol": "holdout", "protocol_hash": HASH, "split_hash": HASH, "data_hash": HASH},
}
TRAINING = {
    **{"epochs": 3, "selected_epoch": 2, "select": "best", "seconds": 1.5, "train": 10, "validation": ["r1"]},
    "parameters": 1234,
}
LEARNED = {"train": ["r1"], "subjects": ["1"], "labels": ["walk", "run"]}
EPOCH = {"epoch": 0, "loss": 0.5}
ALL = [(Environment, ENVIRONMENT), (TrainingRecord, TRAINING), (LearnedRecord, LEARNED), (EpochRow, EPOCH)]


@pytest.mark.parametrize(("model", "content"), ALL)
def test_what_stands_in_the_file_is_given_back(model: type[RecordOfRun], content: dict[str, Any]) -> None:
    """Neither a default nor a key of another version is added or lost."""
    more = content | {"of_a_later_version": 7}
    assert parse(model, more).content() == more


@pytest.mark.parametrize(
    ("model", "content", "key"),
    [
        (model, content, key)
        for model, content in ALL
        for key in content
        if key != "loss"  # figures of an epoch have any name
    ],
)
def test_each_key_that_is_used_is_asked_for(model: type[RecordOfRun], content: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError, match=rf"(?m)^{key}\n  Field required"):
        parse(model, {name: value for name, value in content.items() if name != key})


@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        (Environment, ENVIRONMENT | {"packages": {"numpy": "2"}}),
        (Environment, ENVIRONMENT | {"seed": -1}),
        (Environment, ENVIRONMENT | {"problems_in_data": [{"kind": "missing"}]}),
        (TrainingRecord, TRAINING | {"epochs": 0}),
        (TrainingRecord, TRAINING | {"seconds": -0.1}),
        (TrainingRecord, TRAINING | {"parameters": "many"}),
        (LearnedRecord, LEARNED | {"contents": {"r1": 3}}),
        (EpochRow, EPOCH | {"loss": float("nan")}),
        (EpochRow, EPOCH | {"loss": "low"}),
    ],
)
def test_what_cannot_be_is_refused(model: type[RecordOfRun], wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        parse(model, wrong)


def test_what_older_runs_do_not_say_has_a_value() -> None:
    old = parse(Environment, ENVIRONMENT)
    assert (old.role, old.seed, old.fold, old.teacher_runs, old.problems_in_data) == ("student", 0, None, (), ())


def test_a_misfit_of_a_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "training.json"
    path.write_text('{"epochs": 3}', encoding="utf-8")
    with pytest.raises(DataError, match=r"training\.json.*selected_epoch"):
        read_json(path, TrainingRecord, DataError, "Train again")


def test_every_value_that_is_not_said() -> None:
    """Of runs of earlier days, by model."""
    environment = parse(Environment, ENVIRONMENT).model_dump()
    assert {key: value for key, value in environment.items() if key not in ENVIRONMENT} == {
        **{"role": "student", "seed": 0, "fold": None, "labels": "", "labels_hash": "", "cache": None},
        **{"teacher_runs": (), "teacher_hashes": (), "problems_in_data": (), "near_copies": None},
    }
    assert parse(EpochRow, EPOCH).seconds == 0.0
    assert parse(LearnedRecord, LEARNED).contents == {}


@pytest.mark.parametrize(
    ("model", "content", "key", "least"),
    [
        (Environment, ENVIRONMENT, "seed", 0),
        (TrainingRecord, TRAINING, "epochs", 1),
        (TrainingRecord, TRAINING, "selected_epoch", 0),
        (TrainingRecord, TRAINING, "seconds", 0),
        (TrainingRecord, TRAINING, "train", 1),
        (TrainingRecord, TRAINING, "parameters", 1),
        (EpochRow, EPOCH, "epoch", 0),
        (EpochRow, EPOCH, "seconds", 0),
    ],
)
def test_the_least_that_a_number_may_be(
    model: type[RecordOfRun], content: dict[str, Any], key: str, least: int
) -> None:
    assert getattr(parse(model, content | {key: least}), key) == least
    with pytest.raises(ValidationError, match=key):
        parse(model, content | {key: least - 1})
