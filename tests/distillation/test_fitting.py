"""What all trainings share: usable recordings, class counts, loaders of epochs, and Lightning's trainer."""

import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import pytest
import torch
from torch import nn

from vskd.datasets.recording import Problem
from vskd.datasets.splits.split import Split
from vskd.distillation.fitting import class_counts, finished, fit, loaders, logged, repeated, usable_split
from vskd.distillation.model import Model
from vskd.distillation.run import RunFolder
from vskd.distillation.task import DistillationTask
from vskd.errors import DataError
from vskd.modalities.base import Batch
from vskd.modalities.sampling import epoch_seed
from vskd.network import Network, Outputs
from vskd.recipe import Training

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
    asked: list[tuple[tuple[str, ...], dict[str, object]]] = []
    inputs = SimpleNamespace(batches=lambda ids, **options: asked.append((ids, options)))
    training = Training(batch_size=5, sampling="balanced")
    train, validation = loaders(inputs, training, 3, SPLIT)
    assert validation is not None
    train(7)
    validation(7)
    assert asked == [
        (("a", "b", "c"), {"batch_size": 5, "seed": epoch_seed(3, 7), "sampling": "balanced"}),
        (("d",), {"batch_size": 5}),
    ]
    assert loaders(inputs, training, 3, Split(("a",), (), ("e",), "p", None, "h", "r"))[1] is None


@pytest.mark.parametrize("epochs", [1, 3])
def test_what_is_repeated_is_shown_evenly_over_the_epochs(epochs: int) -> None:
    ids = ("a", "b", "c")
    shown = [i for epoch in range(epochs) for i in repeated(ids, 7, epoch)]
    assert len(shown) == 7 * epochs
    counts = [shown.count(i) for i in ids]
    assert max(counts) - min(counts) <= 1


class Windows:
    """An epoch of recordings that have as many windows as their name says, two in a batch."""

    def __init__(self, ids: tuple[str, ...]) -> None:
        self.shown = [i for i in ids for _ in range(int(i))]
        self.samples = len(self.shown)

    def __len__(self) -> int:
        return -(-len(self.shown) // 2)

    def __iter__(self) -> Iterator[list[str]]:
        return (self.shown[k : k + 2] for k in range(0, len(self.shown), 2))


@pytest.mark.parametrize("shown", [("1",), ("2", "1"), ("9",), ("1", "9"), ("1", "1", "2", "2", "9", "9")])
@pytest.mark.parametrize("epoch", range(3))
def test_an_epoch_of_a_part_is_as_long_as_one_of_the_whole(shown: tuple[str, ...], epoch: int) -> None:
    inputs = SimpleNamespace(batches=lambda ids, **_: Windows(ids))
    split = Split(("1", "1", "2", "2", "9", "9"), (), ("x",), "p", None, "h", "r")
    whole, _ = loaders(inputs, Training(), 0, split)
    part, _ = loaders(inputs, Training(), 0, split, shown)
    batches = list(part(epoch))
    assert len(batches) == len(part(epoch)) == len(list(whole(epoch))) == 12
    assert {i for batch in batches for i in batch} <= set(shown)


class Line(Network):
    """y = w x, one weight; the loss of the batch below has the gradient 100."""

    embedding_size = 1

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.dtypes: set[torch.dtype] = set()
        self.calls = {"train": 0, "evaluation": 0}

    def forward(self, x: torch.Tensor) -> Outputs:
        self.calls["train" if self.training else "evaluation"] += 1
        scaled = x * self.weight
        self.dtypes.add((x @ torch.ones(1, 1)).dtype)
        return Outputs(torch.cat([scaled, -scaled], dim=1), scaled)


class Steep(nn.Module):
    """A distiller whose one term is 100 w."""

    def start_epoch(self, epoch: int) -> None:
        pass

    def parameter_groups(self) -> list[dict[str, object]]:
        return []

    def forward(self, student: Outputs, *_: object) -> dict[str, torch.Tensor]:
        return {"steep": 100 * student.embedding.mean()}


class OneBatch:
    """An epoch; Lightning would take a list for a list of loaders."""

    samples = 1

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Batch]:
        yield Batch(("a",), torch.ones(1, 1), torch.tensor([0]), torch.tensor([0]))


def fitted(tmp_path: Path, training: Training, validation: tuple[str, ...] = ()) -> tuple[Line, RunFolder]:
    """One batch an epoch, of one sample with x = 1, trained by `fit` itself."""
    network, folder = Line(), RunFolder(tmp_path)
    task = DistillationTask(
        Model(nn.Identity(), network),
        Steep(),
        classes=2,
        training=training,
        seed=0,
        train_batches=lambda _: OneBatch(),
        validation_batches=(lambda _: OneBatch()) if validation else None,
    )
    split = Split(("a",), validation, (), "cross-subject", None, "hash", "rule")
    fit(task, folder, training, split, OneBatch)
    return network, folder


@pytest.mark.parametrize(("clip", "moved"), [(0.0, 100.0), (5.0, 5.0), (1000.0, 100.0)])
def test_the_norm_of_the_gradient_is_clipped_where_a_limit_is_set(tmp_path: Path, clip: float, moved: float) -> None:
    plain = {"optimizer": "sgd", "momentum": 0.0, "weight_decay": 0.0, "learning_rate": 0.5}
    training = Training(**plain, epochs=1, gradient_clip=clip, validation="none", select="last")
    network, _ = fitted(tmp_path, training)
    assert network.weight.item() == pytest.approx(-0.5 * moved, rel=1e-5)


@pytest.mark.parametrize(("precision", "dtype"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)])
def test_the_network_computes_in_the_precision_that_is_wanted(
    tmp_path: Path, precision: Literal["float32", "bfloat16"], dtype: torch.dtype
) -> None:
    network, _ = fitted(tmp_path, Training(epochs=1, precision=precision, validation="none", select="last"))
    assert network.dtypes == {dtype}
    assert network.weight.dtype == torch.float32


def test_the_network_that_is_left_is_that_of_the_selected_epoch(tmp_path: Path) -> None:
    """The loss on the one validation sample, of class 0, grows with every step; the first epoch is the best."""
    plain = {"optimizer": "sgd", "momentum": 0.0, "weight_decay": 0.0, "learning_rate": 0.5}
    network, folder = fitted(tmp_path, Training(**plain, epochs=3), validation=("a",))
    assert folder.training()["selected_epoch"] == 0
    assert network.weight.item() == pytest.approx(-50)


def test_a_fitted_run_is_complete_and_says_what_was_done(tmp_path: Path) -> None:
    _, folder = fitted(tmp_path, Training(epochs=3, select="last"), validation=("a",))
    assert folder.complete
    assert [row["epoch"] for row in folder.metrics()] == [0, 1, 2]
    assert {"validation/accuracy", "validation/loss", "validation/macro_f1"} <= folder.metrics()[0].keys()
    facts = folder.training()
    assert facts.pop("seconds") >= 0
    assert facts == {
        "epochs": 3,
        "selected_epoch": 2,
        "select": "last",
        "train": 1,
        "validation": ["a"],
        "parameters": 1,
    }
    result = finished(folder)
    assert (result.run, result.epoch, result.figures) == (tmp_path, 2, folder.metrics()[2])


def test_the_log_of_a_run_begins_with_what_was_wrong_before_it(tmp_path, caplog) -> None:
    folder = RunFolder(tmp_path / "run")
    with logged(folder, [Problem("unpaired", "a/1", "a/1.png", "no line for this image")]):
        logging.getLogger("vskd.test").warning("inside")
    first, second = folder.log_file.read_text(encoding="utf-8").splitlines()
    assert first.endswith("unpaired recording a/1 (a/1.png): no line for this image")
    assert second.endswith("inside")
    assert "a/1" not in caplog.text  # said on the screen already


def test_the_log_of_a_run_ends_with_it(tmp_path) -> None:
    folder = RunFolder(tmp_path / "run")
    logger = logging.getLogger("vskd.test")
    handlers = list(logging.getLogger("vskd").handlers)
    with pytest.raises(RuntimeError), logged(folder):
        logger.warning("inside")
        raise RuntimeError
    logger.warning("outside")
    text = folder.log_file.read_text(encoding="utf-8")
    assert "inside" in text and "outside" not in text
    assert logging.getLogger("vskd").handlers == handlers


def test_the_trainer_runs_the_epochs_that_are_due_and_leaves_the_files_of_a_run_alone(tmp_path: Path) -> None:
    """Each epoch has its own batches; nothing is validated before the first, and nothing written but a run's files."""
    asked: list[tuple[str, int]] = []

    def of(part: str, epoch: int) -> OneBatch:
        asked.append((part, epoch))
        return OneBatch()

    network, folder = Line(), RunFolder(tmp_path)
    training = Training(epochs=3, select="last")
    task = DistillationTask(
        Model(nn.Identity(), network),
        Steep(),
        classes=2,
        training=training,
        seed=0,
        train_batches=lambda epoch: of("train", epoch),
        validation_batches=lambda epoch: of("validation", epoch),
    )
    fit(task, folder, training, Split(("a",), ("a",), (), "p", None, "h", "r"), OneBatch)
    shown = [epoch for part, epoch in asked if part == "train"]
    assert shown[0] == 0 and list(dict.fromkeys(shown)) == [0, 1, 2]
    assert {epoch for part, epoch in asked if part == "validation"} == {0}
    assert asked.index(("train", 0)) < asked.index(("validation", 0))
    assert network.calls["train"] == 3 and network.calls["evaluation"] == 3
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {"SHA256SUMS", "checkpoints/model.safetensors", "metrics.jsonl", "training.json"}


def test_the_seconds_of_a_run_are_those_of_its_epochs(tmp_path: Path) -> None:
    _, folder = fitted(tmp_path, Training(epochs=2, validation="none", select="last"))
    rows = folder.metrics()
    assert folder.training()["seconds"] == round(rows[0]["seconds"] + rows[1]["seconds"], 1)


def test_figures_are_those_of_the_epoch_that_was_kept(tmp_path: Path) -> None:
    _, folder = fitted(tmp_path, Training(epochs=2, validation="none", select="last"))
    assert finished(folder).figures["epoch"] == 1
    folder.metrics_file.write_text('{"epoch": 0}\n')
    assert finished(folder).figures == {}


def test_repeated_ids_go_on_where_the_epoch_before_ended() -> None:
    assert repeated("abc", 4, 0) == ("a", "b", "c", "a")
    assert repeated("abc", 4, 1) == ("b", "c", "a", "b")
    assert repeated("abc", 4, 5) == ("c", "a", "b", "c")
    assert repeated("abc", 2, 1) == ("c", "a")


def test_a_problem_of_no_recording_is_in_the_log_too(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with logged(folder, [Problem("missing", "", "a.png", "listed and not there")]):
        pass
    assert (
        folder.log_file.read_text(encoding="utf-8")
        .strip()
        .endswith("missing recording - (a.png): listed and not there")
    )


def test_what_is_usable_is_asked_for_by_name_and_training() -> None:
    asked: list[object] = []
    made = experiment()
    made.training_split = lambda training: asked.append(training) or SPLIT
    made.only = lambda ids, stored, what: asked.append((ids, stored, what)) or ids
    stored = frozenset("abd")
    assert usable_split(made, "training", stored, "clips") == SPLIT  # type: ignore[arg-type]
    assert asked == ["training", (("a", "b", "c"), stored, "clips"), (("d",), stored, "clips")]
