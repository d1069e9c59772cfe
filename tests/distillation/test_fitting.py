"""What both trainings share: usable recordings, class counts, and loaders of epochs."""

import logging
from types import SimpleNamespace

import pytest

from vskd.datasets.recording import Problem
from vskd.datasets.splits.split import Split
from vskd.distillation.fitting import class_counts, loaders, logged, usable_split
from vskd.distillation.run import RunFolder
from vskd.errors import DataError

SPLIT = Split(("a", "b", "c"), ("d",), ("e",), "cross-subject", None, "hash", "rule")


def experiment(split: Split = SPLIT) -> SimpleNamespace:
    return SimpleNamespace(
        training_split=lambda _: split,
        only=lambda ids, stored, _what: tuple(i for i in ids if i in stored),
        labels_of=lambda ids: [{"a": 0, "b": 2, "c": 2}[i] for i in ids],
        index=SimpleNamespace(labels=("x", "y", "z", "w")),
    )


def test_only_usable_recordings_are_left_and_the_test_part_is_not_touched() -> None:
    found = usable_split(experiment(), None, frozenset({"a", "c", "d"}), "image")
    assert (found.train, found.validation, found.test) == (("a", "c"), ("d",), ("e",))


@pytest.mark.parametrize(("stored", "part"), [({"d"}, "training"), ({"a"}, "validation")])
def test_a_part_that_is_lost_is_refused(stored: set[str], part: str) -> None:
    with pytest.raises(DataError, match=f"No {part} recording has a usable image"):
        usable_split(experiment(), None, frozenset(stored), "image")


def test_no_validation_is_not_a_loss() -> None:
    bare = Split(("a",), (), ("e",), "cross-subject", None, "hash", "rule")
    assert usable_split(experiment(bare), None, frozenset({"a"}), "image").validation == ()


def test_class_counts_name_absent_classes_too() -> None:
    assert class_counts(experiment(), ("a", "b", "c")) == (1, 0, 2, 0)


def test_loaders_ask_for_the_epoch_in_training_and_for_order_in_validation() -> None:
    asked: list[tuple[tuple[str, ...], int | None]] = []
    inputs = SimpleNamespace(batches=lambda ids, epoch=None: asked.append((ids, epoch)))
    train, validation = loaders(inputs, SPLIT)
    train(7)
    validation(7)
    assert asked == [(("a", "b", "c"), 7), (("d",), None)]
    assert loaders(inputs, Split(("a",), (), ("e",), "p", None, "h", "r"))[1] is None


def test_the_log_of_a_run_begins_with_what_was_wrong_before_it(tmp_path, caplog) -> None:
    folder = RunFolder(tmp_path / "run", "student")
    with logged(folder, [Problem("unpaired", "a/1", "a/1.png", "no line for this image")]):
        logging.getLogger("vskd.test").warning("inside")
    first, second = folder.log_file.read_text(encoding="utf-8").splitlines()
    assert first.endswith("unpaired recording a/1 (a/1.png): no line for this image")
    assert second.endswith("inside")
    assert "a/1" not in caplog.text  # said on the screen already


def test_the_log_of_a_run_ends_with_it(tmp_path) -> None:
    folder = RunFolder(tmp_path / "run", "student")
    logger = logging.getLogger("vskd.test")
    handlers = list(logging.getLogger("vskd").handlers)
    with pytest.raises(RuntimeError), logged(folder):
        logger.warning("inside")
        raise RuntimeError
    logger.warning("outside")
    text = folder.log_file.read_text(encoding="utf-8")
    assert "inside" in text and "outside" not in text
    assert logging.getLogger("vskd").handlers == handlers
