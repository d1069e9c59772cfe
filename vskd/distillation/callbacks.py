"""Lightning callbacks of a run: BatchNorm's statistics, a fitted classifier, rows of figures, the selected weights, the
state to resume from, and a stop to NaN.
"""

import json
import logging
import math
import time
from typing import Any

import torch
from torch import nn

from vskd.distillation.batch_norm import PlainBatches, recompute, remembers_the_beginning, trained_norms
from vskd.distillation.divergence import refuse_diverged
from vskd.distillation.epoch_bar import EpochBar
from vskd.distillation.lightning_imports import Callback, LightningModule, Trainer
from vskd.distillation.ridge import Says, fit_classifier
from vskd.distillation.run import TRAINER, WEIGHTS, RunFolder
from vskd.errors import CheckpointError
from vskd.files import write_text
from vskd.models.weights.state import packed, refuse_not_finite
from vskd.models.weights.weight_file import DAMAGED_PICKLE

logger = logging.getLogger(__name__)


def is_last_epoch(trainer: Trainer) -> bool:
    """Whether no epoch follows this one."""
    return bool(trainer.current_epoch + 1 == trainer.max_epochs)


def is_about_to_be_judged(trainer: Trainer) -> bool:
    """Whether the last batch is done of an epoch that is validated, or is the last one."""
    return bool(trainer.is_last_batch and (is_last_epoch(trainer) or trainer.enable_validation))


class RecomputeStatistics(Callback):
    """Compute BatchNorm's statistics anew where a training is too short for running averages.

    Done before every validation, so that the epoch is selected by what will ship, and after the last epoch. Weights and
    random numbers of the training are not touched.
    """

    def __init__(self, batches: PlainBatches) -> None:
        self._batches = batches

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Act after the last batch of an epoch that is validated, or is the last one."""
        model: nn.Module = pl_module.model
        steps = int(trainer.num_training_batches) * int(trainer.max_epochs or 1)
        if not is_about_to_be_judged(trainer):
            return
        if remembers_the_beginning(trained_norms(model), steps):
            if isinstance(trainer.progress_bar_callback, EpochBar):
                trainer.progress_bar_callback.say("computing BatchNorm's statistics")
            recompute(model, self._batches())
            if is_last_epoch(trainer):
                logger.info("BatchNorm's statistics were computed anew: %d steps are few for running averages", steps)


class FitClassifier(Callback):
    """Fit the classifier by `fit_classifier`, before every validation and after the last epoch.

    Must come behind `RecomputeStatistics`: the features have to be those that ship.
    """

    def __init__(
        self,
        classifier: nn.Linear,
        batches: PlainBatches,
        strength: float,
        label_smoothing: float = 0.0,
        teacher: Says | None = None,
    ) -> None:
        self._classifier, self._batches, self._strength = classifier, batches, strength
        self._label_smoothing, self._teacher = label_smoothing, teacher

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Act after the last batch of an epoch that is validated, or is the last one."""
        if not is_about_to_be_judged(trainer):
            return
        model: nn.Module = pl_module.model
        samples = fit_classifier(
            model, self._classifier, self._batches(), self._strength, self._label_smoothing, self._teacher
        )
        if is_last_epoch(trainer):
            logger.info("the classifier was fitted to %d samples by ridge regression", samples)


class StopDiverged(Callback):
    """End a training whose figures or weights are no longer finite; must come first, so that nothing of it is kept."""

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look at the epoch's figures, the network and what is trained beside it."""
        refuse_diverged(trainer.current_epoch, pl_module, trainer.callback_metrics)


class EpochRows(Callback):
    """Append one JSON row of figures per epoch to metrics.jsonl; a resumed run drops rows it is about to repeat."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self._started = 0.0
        self._rows: list[dict[str, Any]] | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget the rows of epochs that the checkpoint does not hold."""
        rows = self._run.metrics() if self._rows is None else self._rows  # older checkpoints do not hold them
        self._rows = [row for row in rows if row["epoch"] < trainer.current_epoch]
        self._write()

    def _write(self) -> None:
        """All rows again: a few kilobytes, and a full disk leaves the earlier ones whole."""
        write_text(self._run.metrics_file, "".join(json.dumps(row) + "\n" for row in self._rows or ()))

    def state_dict(self) -> dict[str, Any]:
        """The rows: a file that was damaged while the run was interrupted is written anew."""
        return {"rows": list(self._rows or ())}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the rows of the checkpoint."""
        self._rows = list(state_dict["rows"])

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the epoch's clock."""
        self._started = time.perf_counter()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the row."""
        figures = {name: float(value) for name, value in sorted(trainer.callback_metrics.items())}
        seconds = round(time.perf_counter() - self._started, 3)
        row = {"epoch": trainer.current_epoch, "seconds": seconds, "learning_rate": _learning_rate(trainer), **figures}
        self._rows = [*(self._rows or ()), row]
        self._write()
        logger.info("epoch %d: %s", trainer.current_epoch + 1, ", ".join(f"{k} {v:.4g}" for k, v in figures.items()))


def _learning_rate(trainer: Trainer) -> float:
    return float(trainer.optimizers[0].param_groups[0]["lr"])


class SelectWeights(Callback):
    """Keep the weights of the best validation epoch (by accuracy, then by loss), or of the last one."""

    def __init__(self, run: RunFolder, select: str) -> None:
        self._run, self._select = run, select
        self.epoch = -1
        self._best: tuple[float, float] = (-1.0, 0.0)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Refuse to go on from weights that were damaged while the run was interrupted.

        Raises:
            CheckpointError: they were; they may be those that the run ends with.
        """
        if self.epoch < 0:
            return
        if WEIGHTS in self._run.sums.recorded():
            self._run.check_weights()
        else:  # begun before hashes were recorded
            self._run.sums.record([WEIGHTS])

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the weights when this epoch is the one to keep, as far as is known."""
        epoch = trainer.current_epoch
        if self._select == "last":
            keep = epoch + 1 == trainer.max_epochs
        else:
            figures = trainer.callback_metrics
            score = (float(figures["validation/accuracy"]), -float(figures["validation/loss"]))
            keep = score > self._best
            self._best = max(score, self._best)
        if keep:
            self.epoch = epoch
            metadata = {"epoch": str(epoch), "select": self._select}
            content = packed(pl_module.model.state_dict(), metadata, self._run.weights_file)
            with self._run.sums.replacing(WEIGHTS) as temporary:
                temporary.write_bytes(content)

    def state_dict(self) -> dict[str, Any]:
        """Plain values only, so that the checkpoint loads with weights_only."""
        return {"epoch": self.epoch, "best": list(self._best)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue the comparison where it stopped."""
        self.epoch = int(state_dict["epoch"])
        self._best = (float(state_dict["best"][0]), float(state_dict["best"][1]))


class ResumePoint(Callback):
    """Write the trainer's state at the end of an epoch, atomically, at most every `interval_s` seconds.

    Must come last in the list of callbacks, so that the state of the others is that of the finished epoch.
    """

    def __init__(self, run: RunFolder, interval_s: float = 20.0) -> None:
        self._run, self._interval = run, interval_s
        self._last = -math.inf  # the first epoch is saved at once

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save if it is time."""
        if time.monotonic() - self._last < self._interval:
            return
        with self._run.sums.replacing(TRAINER) as temporary:
            trainer.save_checkpoint(temporary, weights_only=False)  # with the optimizer's state
        self._last = time.monotonic()


def check_resumable(run: RunFolder) -> None:
    """Refuse a resume state that cannot be loaded safely.

    Raises:
        CheckpointError: damaged, or holding more than plain values and tensors, or weights that are not finite.
    """
    path = run.trainer_file
    if TRAINER in run.sums.recorded() and run.sums.damaged([TRAINER]):
        raise CheckpointError(
            f"Checkpoint {path} is damaged: its SHA-256 is not the one recorded when it was written",
            "Delete it and run the command again to train from the start",
        )
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except DAMAGED_PICKLE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(
            f"Checkpoint {path} cannot be loaded: {reason}",
            "Delete it and run the command again to train from the start",
        ) from error
    refuse_not_finite(content.get("state_dict", {}), f"Checkpoint {path}")
