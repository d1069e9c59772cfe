"""What the trainings of teachers and students share: usable recordings, Lightning's trainer, a complete run folder."""

import contextlib
import dataclasses
import itertools
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vskd.datasets.recording import Problem
from vskd.datasets.splits.split import Split
from vskd.distillation.batch_norm import PlainBatches, warn_if_parted
from vskd.distillation.experiment import Experiment
from vskd.distillation.run import RunFolder, log_to_file
from vskd.errors import DataError, DivergedError
from vskd.files import write_json
from vskd.modalities.base import Batch, Batches, Inputs
from vskd.modalities.sampling import epoch_seed
from vskd.models.weights.state import load_state, read_tensors
from vskd.recipe import Training

if TYPE_CHECKING:
    from vskd.distillation.callbacks import SelectWeights
    from vskd.distillation.lightning_imports import Callback, Trainer
    from vskd.distillation.task import DistillationTask, Loader

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainResult:
    """What a training left: its folder, the epoch whose weights were kept, and the last row of figures."""

    run: Path
    epoch: int
    figures: dict[str, Any]


def usable_split(experiment: Experiment, training: Training, stored: frozenset[str], what: str) -> Split:
    """The training split without recordings whose samples were corrupt.

    Raises:
        DataError: a part that had recordings has none left.
    """
    split = experiment.training_split(training)
    train = experiment.only(split.train, stored, what)
    validation = experiment.only(split.validation, stored, what)
    for name, wanted, left in (("training", split.train, train), ("validation", split.validation, validation)):
        if wanted and not left:
            raise DataError(f"No {name} recording has a usable {what}", "Repair the data set; the log names the files")
    return dataclasses.replace(split, train=train, validation=validation)


def class_counts(experiment: Experiment, ids: tuple[str, ...]) -> tuple[int, ...]:
    """How many of `ids` are of each class; of recordings that show several, their windows count."""
    labels = experiment.labels_of(ids)
    return tuple(labels.count(k) for k in range(len(experiment.index.labels)))


def loaders(
    inputs: Inputs, training: Training, seed: int, split: Split, shown: Sequence[str] | None = None
) -> "tuple[Loader, Loader | None]":
    """The batches of a training epoch, and of validation where there is any.

    Args:
        inputs: what the network sees.
        training: decides the size of batches and the sampling.
        seed: of the run.
        split: its training and validation parts are shown.
        shown: those of the training part that are shown, again and again until an epoch is as long as one of the whole
            part, so that every student has as many steps; all of it by default.
    """
    size, sampling = training.batch_size, training.sampling

    def of(ids: Sequence[str], epoch: int) -> Batches:
        return inputs.batches(ids, batch_size=size, seed=epoch_seed(seed, epoch), sampling=sampling)

    def train(epoch: int) -> Batches:
        if shown is None:
            return of(split.train, epoch)
        whole, count = of(split.train, epoch), len(split.train)
        part = of(repeated(shown, count, epoch), epoch)
        while len(part) < len(whole):  # recordings may be of several windows
            count += len(split.train)
            part = of(repeated(shown, count, epoch), epoch)
        return part if len(part) == len(whole) else FirstBatches(part, len(whole))

    def validation(_: int) -> Any:
        return inputs.batches(split.validation, batch_size=size)

    return train, validation if split.validation else None


class FirstBatches:
    """The first batches of an epoch that would be too long."""

    def __init__(self, batches: Batches, count: int) -> None:
        self._batches, self._count, self.samples = batches, count, batches.samples

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Batch]:
        return itertools.islice(iter(self._batches), self._count)


def repeated(ids: Sequence[str], count: int, epoch: int) -> tuple[str, ...]:
    """`count` ids, each as often as any other over the epochs.

    >>> repeated(["a", "b", "c"], 4, 0), repeated(["a", "b", "c"], 4, 1)
    (('a', 'b', 'c', 'a'), ('b', 'c', 'a', 'b'))
    """
    first = epoch * count
    return tuple(ids[(first + k) % len(ids)] for k in range(count))


@contextlib.contextmanager
def logged(folder: RunFolder, problems: Sequence[Problem] = ()) -> Iterator[None]:
    """Send the package's log to the run's log file as well.

    Args:
        folder: of the run.
        problems: what was found wrong in the data before there was a run to log to; the file begins with it.
    """
    handler = log_to_file(folder.log_file)
    for p in problems:
        text = f"{p.kind} recording {p.recording or '-'} ({p.path}): {p.detail}"
        handler.handle(logger.makeRecord(logger.name, logging.WARNING, "", 0, text, (), None))
    try:
        yield
    finally:
        logging.getLogger("vskd").removeHandler(handler)
        handler.close()


def plain_batches(inputs: Inputs, training: Training, seed: int, ids: Sequence[str]) -> PlainBatches:
    """The samples of `ids` once, not augmented, in an order that depends on `seed` alone."""
    order = np.random.default_rng(seed).permutation(len(ids))
    shuffled = tuple(ids[place] for place in order)
    return lambda: inputs.batches(shuffled, batch_size=training.batch_size)


def fit(
    task: "DistillationTask",
    folder: RunFolder,
    training: Training,
    split: Split,
    plain: PlainBatches,
    further: "Sequence[Callback]" = (),
) -> TrainResult:
    """Run Lightning's trainer, from where it was interrupted, and leave the run folder complete.

    Args:
        task: what is trained.
        folder: of the run.
        training: budget, and which epoch is kept.
        split: what the task's batches are of.
        plain: the training samples as the network will see them, for the statistics of BatchNorm.
        further: what else is to be done in the course of it, once BatchNorm's statistics are those that ship.

    Raises:
        DivergedError: loss or weights are no longer finite; the folder stays incomplete.
        CheckpointError: the state to resume from is damaged or not finite.
    """
    # Here, not above: Lightning takes seconds to load, and what is wrong with recipe or data is said before.
    from vskd.distillation.callbacks import SelectWeights

    select = SelectWeights(folder, training.select)
    resume = _resume_from(folder)
    trainer = _trainer(folder, training, bool(split.validation), plain, further, select)
    try:
        trainer.fit(task, ckpt_path=resume, weights_only=True)
    except DivergedError as error:
        raise DivergedError(f"{folder.path}: {error.problem}", error.action) from error
    except SystemExit as stop:  # Lightning turns Ctrl-C into an exit of its own
        raise KeyboardInterrupt from stop
    load_state(task.model, folder.weights_file)
    warn_if_parted(task.model, plain(), training.batch_size)
    write_json(
        folder.training_file,
        {
            "epochs": training.epochs,
            "selected_epoch": select.epoch,
            "select": training.select,
            "seconds": round(sum(row["seconds"] for row in folder.metrics()), 1),
            "train": len(split.train),
            "validation": list(split.validation),
            "parameters": sum(p.numel() for p in task.model.parameters()),
        },
    )
    folder.seal()
    return finished(folder)


def _resume_from(folder: RunFolder) -> Path | None:
    """The state of an interrupted training; without one the folder's sums are those of another training, and go.

    Raises:
        CheckpointError: it is damaged or not finite.
    """
    from vskd.distillation.callbacks import check_resumable

    if not folder.trainer_file.is_file():
        folder.sums.clear()
        return None
    check_resumable(folder)
    logger.info("resuming from %s", folder.trainer_file)
    return folder.trainer_file


def _trainer(
    folder: RunFolder,
    training: Training,
    validated: bool,
    plain: PlainBatches,
    further: "Sequence[Callback]",
    select: "SelectWeights",
) -> "Trainer":
    """Lightning's trainer, which shows a bar to people alone and writes nothing by itself."""
    from vskd.distillation import callbacks
    from vskd.distillation.epoch_bar import EpochBar
    from vskd.distillation.lightning_imports import Trainer

    watched = sys.stderr.isatty()
    return Trainer(
        max_epochs=training.epochs,
        accelerator="auto",
        devices=1,
        precision="bf16-mixed" if training.precision == "bfloat16" else "32-true",
        gradient_clip_val=training.gradient_clip or None,
        callbacks=[
            callbacks.RecomputeStatistics(plain),
            *further,
            callbacks.StopDiverged(),
            callbacks.EpochRows(folder),
            select,
            callbacks.ResumePoint(folder),
            *([EpochBar(folder.path.name)] if watched else []),
        ],
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=watched,
        num_sanity_val_steps=0,
        limit_val_batches=None if validated else 0,
        reload_dataloaders_every_n_epochs=1,
        default_root_dir=folder.path,
    )


def finished(folder: RunFolder) -> TrainResult:
    """What a complete run holds.

    Raises:
        CheckpointError: its weights are damaged, or not finite.
    """
    read_tensors(folder.weights_file)
    training = folder.training()
    rows = folder.metrics()
    kept = next((row for row in rows if row["epoch"] == training["selected_epoch"]), {})
    return TrainResult(folder.path, training["selected_epoch"], kept)
