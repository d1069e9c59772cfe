"""What is computed behind an epoch, which is kept, which rows survive a resume, and which resume states are refused."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tests.distillation import test_batch_norm, test_ridge
from vskd.distillation.callbacks import (
    EpochRows,
    FitClassifier,
    RecomputeStatistics,
    ResumePoint,
    SelectWeights,
    StopDiverged,
    check_resumable,
)
from vskd.distillation.epoch_bar import EpochBar
from vskd.distillation.ridge import fit_classifier
from vskd.distillation.run import TRAINER, WEIGHTS, RunFolder
from vskd.errors import CheckpointError, DivergedError
from vskd.models.weights.state import read_metadata


@pytest.mark.parametrize(
    ("last_batch", "epoch", "validates", "steps", "expected"),
    [
        (True, 3, False, 5, True),
        (True, 2, False, 5, False),
        (True, 0, True, 5, True),
        (False, 3, True, 5, False),
        (True, 3, True, 250, False),  # 4 epochs of 250 steps at momentum 0.01
        (True, 3, True, 249, True),
    ],
)
def test_batch_norms_statistics_are_computed_before_every_validation_and_at_the_end(
    last_batch: bool, epoch: int, validates: bool, steps: int, expected: bool
) -> None:
    bar, said = EpochBar("RUN"), []
    bar.say = said.append  # type: ignore[method-assign]
    trainer = SimpleNamespace(
        progress_bar_callback=bar,
        num_training_batches=steps,
        max_epochs=4,
        current_epoch=epoch,
        is_last_batch=last_batch,
        enable_validation=validates,
    )
    model = test_batch_norm.Small()
    callback = RecomputeStatistics(lambda: test_batch_norm.batches(8))
    callback.on_train_batch_end(trainer, SimpleNamespace(model=model), None, None, 0)
    assert (not torch.equal(model.first.running_mean, torch.zeros(3))) is expected
    assert said == ["computing BatchNorm's statistics"] * expected


@pytest.mark.parametrize(
    ("last_batch", "epoch", "validates", "expected"),
    [(True, 3, False, True), (True, 2, False, False), (True, 2, True, True), (False, 3, True, False)],
)
def test_a_classifier_is_fitted_behind_the_last_batch_of_an_epoch_that_counts(
    last_batch: bool, epoch: int, validates: bool, expected: bool
) -> None:
    x, labels, _ = test_ridge.problem(50, 6)
    model = test_ridge.Small()
    before = model.classifier.weight.detach().clone()
    trainer: Any = SimpleNamespace(
        is_last_batch=last_batch, current_epoch=epoch, max_epochs=4, enable_validation=validates
    )
    module: Any = SimpleNamespace(model=model)
    callback = FitClassifier(model.classifier, lambda: test_ridge.batches(labels, x), test_ridge.STRENGTH, 0.1)
    callback.on_train_batch_end(trainer, module, None, None, 0)
    assert torch.equal(model.classifier.weight, before) is not expected


def test_what_the_teacher_says_reaches_the_fit() -> None:
    x, labels, _ = test_ridge.problem(50, 6)
    labels[25:] = -1
    said = torch.full((50, 4), 0.25)
    trainer: Any = SimpleNamespace(is_last_batch=True, current_epoch=0, max_epochs=1, enable_validation=False)
    model, other = test_ridge.Small(), test_ridge.Small()
    shown, settings = test_ridge.batches(labels, x), (test_ridge.STRENGTH, 0.1, lambda batch: said[batch.positions])
    callback = FitClassifier(model.classifier, lambda: shown, *settings)
    callback.on_train_batch_end(trainer, SimpleNamespace(model=model), None, None, 0)  # type: ignore[arg-type]
    fit_classifier(other, other.classifier, shown, *settings)
    assert torch.equal(model.classifier.weight, other.classifier.weight)


def kept(folder: RunFolder, select: str, scores: list[tuple[float, float]]) -> int:
    callback = SelectWeights(folder, select)
    module = SimpleNamespace(model=torch.nn.Linear(1, 1))
    for epoch, (accuracy, loss) in enumerate(scores):
        figures = {"validation/accuracy": accuracy, "validation/loss": loss}
        trainer = SimpleNamespace(current_epoch=epoch, max_epochs=len(scores), callback_metrics=figures)
        fresh = SelectWeights(folder, select)  # as if every epoch were resumed from the one before
        fresh.load_state_dict(callback.state_dict())
        fresh.on_train_epoch_end(trainer, module)  # type: ignore[arg-type]
        callback = fresh
    return callback.epoch


@pytest.mark.parametrize(
    ("select", "scores", "epoch"),
    [
        ("best", [(0.5, 1.0), (0.7, 1.0), (0.6, 0.1)], 1),
        ("best", [(0.5, 1.0), (0.5, 0.9), (0.5, 0.95)], 1),
        ("best", [(0.5, 1.0), (0.5, 1.0)], 0),
        ("best", [(0.0, 5.0)], 0),
        ("last", [(0.9, 0.1), (0.1, 9.0)], 1),
    ],
)
def test_the_epoch_that_is_kept(tmp_path: Path, select: str, scores: list[tuple[float, float]], epoch: int) -> None:
    folder = RunFolder(tmp_path)
    assert kept(folder, select, scores) == epoch
    assert folder.weights_file.is_file()


def test_rows_that_will_be_repeated_are_dropped(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.metrics_file.write_text("".join(json.dumps({"epoch": e}) + "\n" for e in range(4)))
    EpochRows(folder).on_train_start(SimpleNamespace(current_epoch=2), None)  # type: ignore[arg-type]
    assert folder.metrics() == [{"epoch": 0}, {"epoch": 1}]


def test_a_row_says_how_long_its_epoch_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100.0, 102.5])
    monkeypatch.setattr("vskd.distillation.callbacks.time.perf_counter", lambda: next(times))
    trainer = SimpleNamespace(
        current_epoch=0,
        callback_metrics={"loss": torch.tensor(2.0)},
        optimizers=[SimpleNamespace(param_groups=[{"lr": 0.5}])],
    )
    rows = EpochRows(RunFolder(tmp_path))
    rows.on_train_epoch_start(trainer, None)  # type: ignore[arg-type]
    rows.on_train_epoch_end(trainer, None)  # type: ignore[arg-type]
    assert RunFolder(tmp_path).metrics() == [{"epoch": 0, "seconds": 2.5, "learning_rate": 0.5, "loss": 2.0}]


def test_resume_points_keep_their_interval(tmp_path: Path) -> None:
    saved: list[Path] = []
    trainer = SimpleNamespace(save_checkpoint=lambda path, weights_only: saved.append(path))
    for interval, expected in ((0.0, 3), (1000.0, 1)):
        saved.clear()
        point = ResumePoint(RunFolder(tmp_path), interval_s=interval)
        for _ in range(3):
            point.on_train_epoch_end(trainer, None)  # type: ignore[arg-type]
        assert len(saved) == expected


def test_a_resume_state_that_would_run_code_is_refused(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.trainer_file.parent.mkdir()
    torch.save({"state": torch.zeros(2), "epoch": 1}, folder.trainer_file)
    check_resumable(folder)
    torch.save({"state": SimpleNamespace(a=1)}, folder.trainer_file)
    with pytest.raises(CheckpointError, match=r"trainer\.ckpt"):
        check_resumable(folder)


def test_an_epoch_that_diverged_ends_the_training_before_anything_is_kept() -> None:
    module = torch.nn.Linear(2, 2)
    trainer = SimpleNamespace(current_epoch=1, callback_metrics={"validation/loss": torch.tensor(torch.nan)})
    with pytest.raises(DivergedError, match="epoch 2: validation/loss nan"):
        StopDiverged().on_train_epoch_end(trainer, module)  # type: ignore[arg-type]
    trainer.callback_metrics = {}
    StopDiverged().on_train_epoch_end(trainer, module)  # type: ignore[arg-type]
    torch.nn.init.constant_(module.bias, torch.inf)
    with pytest.raises(DivergedError, match="bias"):
        StopDiverged().on_train_epoch_end(trainer, module)  # type: ignore[arg-type]


def test_a_resume_state_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.trainer_file.parent.mkdir()
    state = {"a": torch.zeros(2), "b": torch.tensor([0.0, torch.nan])}
    torch.save({"state_dict": state, "epoch": 1}, folder.trainer_file)
    with pytest.raises(CheckpointError, match=r"trainer\.ckpt holds NaN or infinity in 1 of 2 tensors \(b\)"):
        check_resumable(folder)


def test_a_resume_point_holds_the_optimizer_and_comes_every_twenty_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, saved = [0.0], []
    monkeypatch.setattr("vskd.distillation.callbacks.time.monotonic", lambda: now[0])

    def save(path: Path, weights_only: bool) -> None:
        assert not weights_only
        path.write_bytes(b"state")
        saved.append(now[0])

    point = ResumePoint(RunFolder(tmp_path))
    for now[0] in (0.0, 19.9, 20.0, 39.0, 40.5):
        point.on_train_epoch_end(SimpleNamespace(save_checkpoint=save), None)  # type: ignore[arg-type]
    assert saved == [0.0, 20.0, 40.5]
    assert RunFolder(tmp_path).trainer_file.read_bytes() == b"state"
    assert TRAINER in RunFolder(tmp_path).sums.recorded()


def test_a_resume_state_whose_hash_is_another_is_refused(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    with folder.sums.replacing(TRAINER) as temporary:
        torch.save({"state_dict": {"a": torch.zeros(2)}}, temporary)
    check_resumable(folder)
    torch.save({"state_dict": {"a": torch.ones(2)}}, folder.trainer_file)
    with pytest.raises(CheckpointError, match=r"trainer\.ckpt is damaged: its SHA-256"):
        check_resumable(folder)


def test_weights_that_were_damaged_while_interrupted_are_not_trained_on(tmp_path: Path) -> None:
    folder, module = RunFolder(tmp_path), SimpleNamespace(model=torch.nn.Linear(1, 1))
    callback = SelectWeights(folder, "last")
    callback.on_train_start(None, module)  # type: ignore[arg-type]  # nothing was kept yet
    trainer = SimpleNamespace(current_epoch=0, max_epochs=1, callback_metrics={})
    callback.on_train_epoch_end(trainer, module)  # type: ignore[arg-type]
    callback.on_train_start(trainer, module)  # type: ignore[arg-type]
    folder.weights_file.write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="damaged"):
        callback.on_train_start(trainer, module)  # type: ignore[arg-type]


def test_what_the_weights_say_of_themselves(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    kept(folder, "best", [(0.1, 1.0), (0.2, 1.0)])
    assert read_metadata(folder.weights_file) == {"epoch": "1", "select": "best"}


def test_rows_of_the_checkpoint_come_before_those_of_the_file(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.metrics_file.write_text('{"epoch": 0, "loss": 9.0}\n')
    rows = EpochRows(folder)
    rows.load_state_dict({"rows": [{"epoch": 0, "loss": 1.0}, {"epoch": 1, "loss": 2.0}]})
    rows.on_train_start(SimpleNamespace(current_epoch=1), None)  # type: ignore[arg-type]
    assert folder.metrics() == [{"epoch": 0, "loss": 1.0}]
    assert rows.state_dict() == {"rows": [{"epoch": 0, "loss": 1.0}]}


def test_weights_of_before_hashes_were_recorded_are_recorded_when_they_are_gone_on_from(tmp_path: Path) -> None:
    folder, module = RunFolder(tmp_path), SimpleNamespace(model=torch.nn.Linear(1, 1))
    callback = SelectWeights(folder, "last")
    trainer = SimpleNamespace(current_epoch=0, max_epochs=1, callback_metrics={})
    callback.on_train_epoch_end(trainer, module)  # type: ignore[arg-type]
    content = folder.weights_file.read_bytes()
    (tmp_path / "SHA256SUMS").unlink()
    callback.on_train_start(trainer, module)  # type: ignore[arg-type]
    assert WEIGHTS in folder.sums.recorded() and folder.weights_file.read_bytes() == content
    folder.weights_file.write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="damaged"):
        callback.on_train_start(trainer, module)  # type: ignore[arg-type]


def test_a_selection_goes_on_where_it_stopped(tmp_path: Path) -> None:
    callback = SelectWeights(RunFolder(tmp_path), "best")
    assert callback.state_dict() == {"epoch": -1, "best": [-1.0, 0.0]}
    callback.load_state_dict({"epoch": 3, "best": [0.75, -1.5]})
    assert (callback.epoch, callback.state_dict()) == (3, {"epoch": 3, "best": [0.75, -1.5]})


def test_figures_of_a_row_are_in_the_order_of_their_names(tmp_path: Path) -> None:
    trainer = SimpleNamespace(
        current_epoch=0,
        callback_metrics={"b": torch.tensor(1.0), "a": torch.tensor(2.0)},
        optimizers=[SimpleNamespace(param_groups=[{"lr": 0.5}, {"lr": 9.0}])],
    )
    rows = EpochRows(RunFolder(tmp_path))
    for _ in range(2):
        rows.on_train_epoch_end(trainer, None)  # type: ignore[arg-type]
    first, second = RunFolder(tmp_path).metrics()
    assert list(first) == ["epoch", "seconds", "learning_rate", "a", "b"] and first["learning_rate"] == 0.5
    assert second["a"] == 2.0


def test_seconds_are_told_to_the_millisecond(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100.0, 102.50049])
    monkeypatch.setattr("vskd.distillation.callbacks.time.perf_counter", lambda: next(times))
    trainer = SimpleNamespace(
        current_epoch=4, callback_metrics={}, optimizers=[SimpleNamespace(param_groups=[{"lr": 0.5}])]
    )
    rows = EpochRows(RunFolder(tmp_path))
    rows.on_train_epoch_start(trainer, None)  # type: ignore[arg-type]
    rows.on_train_epoch_end(trainer, None)  # type: ignore[arg-type]
    assert RunFolder(tmp_path).metrics() == [{"epoch": 4, "seconds": 2.5, "learning_rate": 0.5}]


def test_the_learning_rate_is_that_of_the_first_group_of_the_first_optimizer(tmp_path: Path) -> None:
    groups = [SimpleNamespace(param_groups=[{"lr": a}, {"lr": b}]) for a, b in ((0.1, 0.2), (0.3, 0.4))]
    rows = EpochRows(RunFolder(tmp_path))
    rows.on_train_epoch_end(SimpleNamespace(current_epoch=0, callback_metrics={}, optimizers=groups), None)  # type: ignore[arg-type]
    assert RunFolder(tmp_path).metrics()[0]["learning_rate"] == 0.1


@pytest.mark.parametrize(("epoch", "epochs", "kept"), [(0, 1, True), (0, 2, False), (1, 2, True), (1, 3, False)])
def test_of_the_last_epoch_alone_the_weights_are_written(tmp_path: Path, epoch: int, epochs: int, kept: bool) -> None:
    folder = RunFolder(tmp_path)
    trainer = SimpleNamespace(current_epoch=epoch, max_epochs=epochs, callback_metrics={})
    callback = SelectWeights(folder, "last")
    callback.on_train_epoch_end(trainer, SimpleNamespace(model=torch.nn.Linear(1, 1)))  # type: ignore[arg-type]
    assert folder.weights_file.is_file() is kept and callback.epoch == (epoch if kept else -1)


def test_rows_of_a_fresh_run_begin_empty(tmp_path: Path) -> None:
    rows = EpochRows(RunFolder(tmp_path))
    assert rows.state_dict() == {"rows": []}
    rows.on_train_start(SimpleNamespace(current_epoch=0), None)  # type: ignore[arg-type]
    assert RunFolder(tmp_path).metrics() == [] and RunFolder(tmp_path).metrics_file.read_text() == ""


def test_a_resume_state_of_before_hashes_were_recorded_is_looked_at_itself(tmp_path: Path) -> None:
    """Other files are on record; of this one only what is in it can be told."""
    folder = RunFolder(tmp_path)
    with folder.sums.replacing(WEIGHTS) as temporary:
        temporary.write_bytes(b"weights")
    torch.save({"state_dict": {}}, folder.trainer_file)
    check_resumable(folder)
    folder.trainer_file.write_bytes(b"cut")
    with pytest.raises(CheckpointError, match=r"trainer\.ckpt cannot be loaded"):
        check_resumable(folder)


@pytest.mark.parametrize(("text", "reason"), [("cut off\nsee elsewhere", "cut off"), ("", "EOFError")])
def test_the_first_line_of_what_is_wrong_with_a_resume_state_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, reason: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise EOFError(text) if text else EOFError

    folder = RunFolder(tmp_path)
    folder.trainer_file.parent.mkdir()
    folder.trainer_file.touch()
    monkeypatch.setattr("vskd.distillation.callbacks.torch.load", fail)
    with pytest.raises(CheckpointError, match=rf"trainer\.ckpt cannot be loaded: {reason}\. Delete it"):
        check_resumable(folder)
